//! `install`: the controllers' manifests, printed or applied.

mod manifests;

use serde_json::Value;

use super::cluster::Cluster;
use super::invocation::Invocation;
use super::version::installation;
use super::{FLUX_VERSION, Outcome, Stop, output, prompt};

const COMPONENTS: [&str; 7] = [
    "source-controller",
    "kustomize-controller",
    "helm-controller",
    "notification-controller",
    "image-reflector-controller",
    "image-automation-controller",
    "source-watcher",
];

/// The components that the command line names.
pub(super) fn components(invocation: &Invocation<'_>) -> Vec<String> {
    let lists = [
        invocation.list("components"),
        invocation.list("components-extra"),
    ];
    lists.concat()
}

/// Whether all components are known.
pub(super) fn check_components(components: &[String]) -> Outcome {
    match components
        .iter()
        .find(|component| !COMPONENTS.contains(&component.as_str()))
    {
        Some(component) => Err(format!("component {component} is not available").into()),
        None => Ok(()),
    }
}

/// Whether the flags of the image registry fit together.
pub(super) fn check_registry(invocation: &Invocation<'_>) -> Outcome {
    let login = invocation.text("registry-creds");
    if login.is_empty() {
        return Ok(());
    }
    if invocation.text("image-pull-secret").is_empty() {
        return Err("--registry-creds requires --image-pull-secret to be set".into());
    }
    if login.split(':').count() != 2 {
        return Err("invalid --registry-creds format, expected 'user:password'".into());
    }
    Ok(())
}

/// Checks the version that is asked for: there is only the one of this program.
pub(super) fn version(wanted: &str) -> Outcome {
    let own = format!("v{FLUX_VERSION}");
    if wanted.is_empty() || wanted == own {
        return Ok(());
    }
    if wanted != "latest" && !wanted.starts_with('v') {
        return Err(format!("targeted version '{wanted}' must be prefixed with 'v'").into());
    }
    Err(format!(
        "targeted version '{wanted}' is not compatible with your current version of flux ({FLUX_VERSION})"
    )
    .into())
}

/// Runs `install`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let components = components(invocation);
    check_components(&components)?;
    check_registry(invocation)?;
    version(invocation.text("version"))?;
    let export = invocation.boolean("export");
    if !export {
        output::generate("generating manifests");
    }
    let objects = manifests::all(invocation, &components)?;
    let mut text = String::new();
    for object in &objects {
        text.push_str("---\n");
        text.push_str(&yaml::from_json(object));
    }
    if export {
        output::out(text);
        return Ok(());
    }
    if invocation.boolean("verbose") {
        output::out(text);
    }
    output::success("manifests build completed");
    output::action(format_args!(
        "installing components in {} namespace",
        invocation.namespace
    ));
    let cluster = invocation.cluster()?;
    confirm(invocation, &cluster)?;
    for object in &objects {
        apply(&cluster, object).map_err(|error| match error {
            Stop::Failed(text) => Stop::Failed(format!("install failed: {text}")),
            other => other,
        })?;
    }
    output::success("install finished");
    Ok(())
}

/// Asks before another installation is taken over.
fn confirm(invocation: &Invocation<'_>, cluster: &Cluster) -> Outcome {
    let found = installation(cluster).map_err(|error| match error {
        Stop::Failed(text) => Stop::Failed(format!("cluster info unavailable: {text}")),
        other => other,
    })?;
    let Some(found) = found else {
        return Ok(());
    };
    if found.bootstrapped {
        return Err(format!(
            "this cluster has already been bootstrapped with Flux {}! Please use 'flux bootstrap' to upgrade",
            found.version
        )
        .into());
    }
    let manager = &found.managed_by;
    if invocation.boolean("force") || manager.is_empty() || manager == "flux" {
        return Ok(());
    }
    output::err(format_args!(
        "Flux {} has been installed on this cluster with {manager}!\n",
        found.version
    ));
    let question = format!("Are you sure you want to override the {manager} installation? Y/N");
    if prompt::agreed(&question) {
        Ok(())
    } else {
        Err("installation cancelled".into())
    }
}

/// Applies an object from the server's side, as `flux`.
fn apply(cluster: &Cluster, object: &Value) -> Outcome {
    let (namespace, name) = (object::meta::namespace(object), object::meta::name(object));
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let kind = object["kind"].as_str().unwrap_or_default();
    let path = cluster.path_of(version, kind, namespace, name)?;
    let path = format!("{path}?fieldManager=flux&force=true");
    cluster.send(
        "PATCH",
        &path,
        Some(object),
        "application/apply-patch+yaml",
        None,
    )?;
    let shown = if namespace.is_empty() {
        String::new()
    } else {
        format!("{namespace}/")
    };
    output::out(format!("{kind}/{shown}{name} configured\n"));
    Ok(())
}
