//! `create source oci`.

use serde_json::{Value, json};

use crate::flux::cluster::kinds::OCI_REPOSITORY;
use crate::flux::create::{Spec, fetched, ignore, labels, object, upsert, verification, wait};
use crate::flux::invocation::Invocation;
use crate::flux::readiness::Shape;
use crate::flux::{Outcome, Stop, go, output};

pub(in crate::flux::create) fn run(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.some_text("url").ok_or("url is required")?;
    if ["tag", "tag-semver", "digest"]
        .iter()
        .all(|flag| invocation.text(flag).is_empty())
    {
        return Err("--tag, --tag-semver or --digest is required".into());
    }
    let layer = layer_selector(invocation.text("layer-selector"))?;
    let labels = labels(invocation)?;
    let reference = Spec::default()
        .text("digest", invocation.text("digest"))
        .text("semver", invocation.text("tag-semver"))
        .text("tag", invocation.text("tag"));
    let spec = Spec::default()
        .text("provider", invocation.text("provider"))
        .set("url", url)
        .flag("insecure", invocation.boolean("insecure"))
        .duration("interval", invocation.duration("interval"))
        .set("ref", reference.value())
        .text("ignore", &ignore(invocation))
        .some("layerSelector", layer)
        .positive_duration("timeout", invocation.duration("fetch-timeout"))
        .text("serviceAccountName", invocation.text("service-account"))
        .reference("secretRef", invocation.text("secret-ref"))
        .reference("proxySecretRef", invocation.text("proxy-secret-ref"))
        .reference("certSecretRef", invocation.text("cert-ref"))
        .some("verify", verification(invocation, true)?);
    let repository = object(invocation, &OCI_REPOSITORY, labels, spec);
    if invocation.boolean("export") {
        output::document(&repository)?;
        return Ok(());
    }
    let cluster = invocation.cluster()?;
    output::action("applying OCIRepository");
    upsert(&cluster, &OCI_REPOSITORY, &repository, "OCIRepository")?;
    output::waiting("waiting for OCIRepository reconciliation");
    let ready = wait(&cluster, &OCI_REPOSITORY, &repository, Shape::Dynamic)?;
    output::success("OCIRepository reconciliation completed");
    fetched(&ready, "no artifact was found")
}

fn layer_selector(text: &str) -> Result<Option<Value>, Stop> {
    if text.is_empty() {
        return Ok(None);
    }
    let (media_type, operation) = text.split_once(':').unwrap_or_default();
    let quoted = go::quote(text);
    if media_type.is_empty() || operation.is_empty() {
        return Err(format!(
            "invalid --layer-selector {quoted}: must be in the format '<media-type>:<operation>'"
        )
        .into());
    }
    if !["extract", "copy"].contains(&operation) {
        return Err(format!(
            "invalid --layer-selector {quoted}: operation must be \"extract\" or \"copy\""
        )
        .into());
    }
    Ok(Some(
        json!({"mediaType": media_type, "operation": operation}),
    ))
}
