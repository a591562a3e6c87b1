//! `create source git`.

use gotemplate::sprig::Address;
use serde_json::{Value, json};

use crate::flux::cluster::Cluster;
use crate::flux::cluster::kinds::GIT_REPOSITORY;
use crate::flux::create::secret::{self, git::ssh_keys};
use crate::flux::create::{Spec, fetched, ignore, labels, object, upsert, upsert_secret, wait};
use crate::flux::invocation::Invocation;
use crate::flux::readiness::Shape;
use crate::flux::{Outcome, Stop, go, output, prompt};

pub(in crate::flux::create) fn run(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.some_text("url").ok_or("url is required")?;
    let address = Address::parse(url).map_err(|error| format!("git URL parse failed: {error}"))?;
    if !["ssh", "http", "https"].contains(&address.scheme.as_str()) {
        return Err(format!(
            "git URL scheme '{}' not supported, can be: ssh, http and https",
            address.scheme
        )
        .into());
    }
    let refs = ["branch", "tag", "tag-semver", "commit", "ref-name"];
    if refs.iter().all(|flag| invocation.text(flag).is_empty()) {
        return Err(
            "a Git ref is required, use one of the following: --branch, --tag, --commit, \
                    --ref-name or --tag-semver"
                .into(),
        );
    }
    if !invocation.text("ca-file").is_empty() && address.scheme == "ssh" {
        return Err("specifying a CA file is not supported for Git over SSH".into());
    }
    let labels = labels(invocation)?;
    let spec = Spec::default()
        .set("url", url)
        .duration("interval", invocation.duration("interval"))
        .flag(
            "recurseSubmodules",
            invocation.boolean("recurse-submodules"),
        )
        .set("ref", reference(invocation))
        .text("ignore", &ignore(invocation))
        .list("sparseCheckout", invocation.list("sparse-checkout-paths"))
        .positive_duration("timeout", invocation.duration("fetch-timeout"))
        .reference("secretRef", invocation.text("secret-ref"))
        .reference("proxySecretRef", invocation.text("proxy-secret-ref"))
        .text("provider", invocation.text("provider"));
    let mut repository = object(invocation, &GIT_REPOSITORY, labels, spec);
    if invocation.boolean("export") {
        output::document(&repository)?;
        return Ok(());
    }
    let cluster = invocation.cluster()?;
    output::generate("generating GitRepository source");
    if invocation.text("secret-ref").is_empty()
        && let Some(name) = login(invocation, &address, &cluster)?
    {
        repository["spec"]["secretRef"] = json!({"name": name});
    }
    output::action("applying GitRepository source");
    upsert(
        &cluster,
        &GIT_REPOSITORY,
        &repository,
        "GitRepository source",
    )?;
    output::waiting("waiting for GitRepository source reconciliation");
    let ready = wait(&cluster, &GIT_REPOSITORY, &repository, Shape::Dynamic)?;
    output::success("GitRepository source reconciliation completed");
    fetched(
        &ready,
        "GitRepository source reconciliation completed but no artifact was found",
    )
}

/// What to check out: one of the flags, the most exact first.
fn reference(invocation: &Invocation<'_>) -> Value {
    let text = |flag| invocation.text(flag);
    let spec = Spec::default();
    if !text("commit").is_empty() {
        spec.text("commit", text("commit"))
            .text("branch", text("branch"))
    } else if !text("ref-name").is_empty() {
        spec.text("name", text("ref-name"))
    } else if !text("tag-semver").is_empty() {
        spec.text("semver", text("tag-semver"))
    } else if !text("tag").is_empty() {
        spec.text("tag", text("tag"))
    } else {
        spec.text("branch", text("branch"))
    }
    .value()
}

/// Makes the Secret with the login, where there is one; gives its name.
fn login(
    invocation: &Invocation<'_>,
    address: &Address,
    cluster: &Cluster,
) -> Result<Option<String>, Stop> {
    let mut data = secret::Data::default();
    match address.scheme.as_str() {
        "ssh" => data = ssh_keys(invocation, address)?,
        scheme => {
            if scheme == "http" {
                output::warning("insecure configuration: credentials configured for an HTTP URL");
            } else if let Some(file) = invocation.some_text("ca-file") {
                let authority = go::read_file(file)
                    .map_err(|error| format!("unable to read TLS CA file: {error}"))?;
                data.bytes("ca.crt", &authority);
            }
            let (user, password) = (invocation.text("username"), invocation.text("password"));
            if !user.is_empty() && !password.is_empty() {
                data.set("username", user);
                data.set("password", password);
            }
        }
    }
    if data.is_empty() {
        return Ok(None);
    }
    if let Some(keys) = data.get("known_hosts") {
        output::success(format_args!(
            "collected public key from SSH server:\n{keys}"
        ));
    }
    if let Some(key) = data.get("identity.pub") {
        output::generate(format_args!("deploy key: {key}"));
        if !invocation.boolean("silent") {
            prompt::confirm("Have you added the deploy key to your repository")?;
        }
    }
    output::action("applying secret with repository credentials");
    let name = invocation.name();
    upsert_secret(
        cluster,
        &secret::object(name, &invocation.namespace, data, None),
    )?;
    output::success("authentication configured");
    Ok(Some(name.to_owned()))
}
