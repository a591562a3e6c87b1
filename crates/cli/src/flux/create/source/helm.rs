//! `create source helm`.

use gotemplate::sprig::Address;
use serde_json::json;

use crate::flux::cluster::kinds::HELM_REPOSITORY;
use crate::flux::create::secret::helm;
use crate::flux::create::{Spec, fetched, labels, object, upsert, upsert_secret, wait};
use crate::flux::invocation::Invocation;
use crate::flux::readiness::Shape;
use crate::flux::{Outcome, go, output};

pub(in crate::flux::create) fn run(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.some_text("url").ok_or("url is required")?;
    let labels = labels(invocation)?;
    let address = Address::parse(url).map_err(|error| format!("url parse failed: {error}"))?;
    if !["http", "https", "oci"].contains(&address.scheme.as_str()) {
        return Err(format!(
            "url scheme '{}' not supported, can be: http, https and oci",
            address.scheme
        )
        .into());
    }
    if address.host.is_empty() {
        return Err("url host is required".into());
    }
    let oci = address.scheme == "oci";
    let secret = invocation.text("secret-ref");
    let pass = invocation.boolean("pass-credentials");
    let spec = Spec::default()
        .set("url", url)
        .duration("interval", invocation.duration("interval"))
        .text("type", if oci { "oci" } else { "" })
        .text(
            "provider",
            if oci {
                invocation.text("oci-provider")
            } else {
                ""
            },
        )
        .positive_duration("timeout", invocation.duration("fetch-timeout"))
        .reference("secretRef", secret)
        .flag("passCredentials", !secret.is_empty() && pass);
    let mut repository = object(invocation, &HELM_REPOSITORY, labels, spec);
    if invocation.boolean("export") {
        output::document(&repository)?;
        return Ok(());
    }
    let cluster = invocation.cluster()?;
    let authority = read(invocation, "ca-file", "unable to read TLS CA file")?;
    let (mut certificate, mut key) = (Vec::new(), Vec::new());
    if !invocation.text("cert-file").is_empty() && !invocation.text("key-file").is_empty() {
        certificate = read(invocation, "cert-file", "failed to read cert file")?;
        key = read(invocation, "key-file", "failed to read key file")?;
    }
    output::generate("generating HelmRepository source");
    if secret.is_empty() {
        let name = format!("helm-{}", invocation.name());
        let made = helm::make(invocation, &name, &authority, &certificate, &key)?;
        if made["stringData"]
            .as_object()
            .is_some_and(|data| !data.is_empty())
        {
            output::action("applying secret with repository credentials");
            upsert_secret(&cluster, &made)?;
            repository["spec"]["secretRef"] = json!({"name": name});
            if pass {
                repository["spec"]["passCredentials"] = true.into();
            }
            output::success("authentication configured");
        }
    }
    output::action("applying HelmRepository source");
    upsert(&cluster, &HELM_REPOSITORY, &repository, "source")?;
    output::waiting("waiting for HelmRepository source reconciliation");
    let shape = if oci { Shape::Static } else { Shape::Dynamic };
    let ready = wait(&cluster, &HELM_REPOSITORY, &repository, shape)?;
    output::success("HelmRepository source reconciliation completed");
    if oci {
        // Those of registries have no artifact.
        return Ok(());
    }
    fetched(
        &ready,
        "HelmRepository source reconciliation completed but no artifact was found",
    )
}

fn read(invocation: &Invocation<'_>, flag: &str, failure: &str) -> Result<Vec<u8>, String> {
    match invocation.some_text(flag) {
        Some(file) => go::read_file(file).map_err(|error| format!("{failure}: {error}")),
        None => Ok(Vec::new()),
    }
}
