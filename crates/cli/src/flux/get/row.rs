//! What a table shows of each kind.

use serde_json::Value;

use crate::flux::cluster::kinds::Kind;
use crate::flux::names::truncate_hashes;
use crate::flux::readiness::ready_condition;

/// The titles after that of the namespace.
pub(super) fn header(kind: &Kind, source: bool) -> Vec<&'static str> {
    let mut titles = vec!["Name"];
    if source && matches!(kind.kind, "Kustomization" | "HelmRelease") {
        titles.push("Source");
    }
    titles.extend(match kind.kind {
        "Alert" | "Receiver" | "ArtifactGenerator" => &["Suspended"][..],
        "Provider" => &[],
        "ImagePolicy" => &["Image", "Tag"],
        "ImageRepository" => &["Last scan", "Suspended"],
        "ImageUpdateAutomation" => &["Last run", "Suspended"],
        "ExternalArtifact" => &["Revision", "Source"],
        _ => &["Revision", "Suspended"],
    });
    titles.extend(["Ready", "Message"]);
    titles
}

/// The cells after that of the name.
pub(super) fn cells(kind: &Kind, object: &Value, source: bool) -> Vec<String> {
    let status = &object["status"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (mut ready, mut message) = ready(object);
    let suspended = title(object["spec"]["suspend"].as_bool() == Some(true));
    let artifact = text(&status["artifact"]["revision"]);
    let mut cells = match kind.kind {
        "Alert" => {
            (ready, message) = ("True".to_owned(), "Alert is Ready".to_owned());
            vec![suspended]
        }
        "Provider" => {
            (ready, message) = ("True".to_owned(), "Provider is Ready".to_owned());
            vec![]
        }
        "Receiver" => vec![suspended],
        "ArtifactGenerator" => vec![title(is_disabled(object))],
        "ImagePolicy" => vec![
            text(&status["latestRef"]["name"]),
            text(&status["latestRef"]["tag"]),
        ],
        "ImageRepository" => vec![text(&status["lastScanResult"]["scanTime"]), suspended],
        "ImageUpdateAutomation" => vec![text(&status["lastAutomationRunTime"]), suspended],
        "ExternalArtifact" => {
            message = truncate_hashes(&message);
            vec![truncate_hashes(&artifact), source_of_artifact(object)]
        }
        "HelmRelease" => {
            let source = source.then(|| release_source(object));
            let revision = helm_release_revision(object);
            source.into_iter().chain([revision, suspended]).collect()
        }
        "Kustomization" => {
            message = truncate_hashes(&message);
            let source = source.then(|| reference(&object["spec"]["sourceRef"], object));
            let revision = truncate_hashes(&text(&status["lastAppliedRevision"]));
            source.into_iter().chain([revision, suspended]).collect()
        }
        "HelmChart" => {
            // The revision is a version and stays as it is.
            message = truncate_hashes(&message);
            vec![artifact, suspended]
        }
        _ => {
            if kind.kind == "HelmRepository" && object["spec"]["type"] == "oci" {
                (ready, message) = ("True".to_owned(), "Helm repository is Ready".to_owned());
            }
            message = truncate_hashes(&message);
            vec![truncate_hashes(&artifact), suspended]
        }
    };
    cells.extend([ready, message]);
    cells
}

fn title(on: bool) -> String {
    if on { "True" } else { "False" }.to_owned()
}

fn ready(object: &Value) -> (String, String) {
    match ready_condition(object) {
        Some(condition) => (
            condition["status"].as_str().unwrap_or_default().to_owned(),
            condition["message"].as_str().unwrap_or_default().to_owned(),
        ),
        None => ("False".to_owned(), "waiting to be reconciled".to_owned()),
    }
}

/// Generators are switched off by an annotation.
fn is_disabled(object: &Value) -> bool {
    let value = object::meta::annotation(object, "source.extensions.fluxcd.io/reconcile");
    value.is_some_and(|value| value.eq_ignore_ascii_case("disabled"))
}

/// The chart version of the latest release, else the one that was tried last.
pub(in crate::flux) fn helm_release_revision(object: &Value) -> String {
    let status = &object["status"];
    let version = match status["history"].get(0) {
        Some(latest) => &latest["chartVersion"],
        None => &status["lastAttemptedRevision"],
    };
    version.as_str().unwrap_or_default().to_owned()
}

fn reference(reference: &Value, object: &Value) -> String {
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let namespace = match text("namespace") {
        "" => object::meta::namespace(object),
        namespace => namespace,
    };
    format!("{}/{namespace}/{}", text("kind"), text("name"))
}

fn release_source(object: &Value) -> String {
    let spec = &object["spec"];
    if spec["chartRef"].is_object() {
        reference(&spec["chartRef"], object)
    } else {
        reference(&spec["chart"]["spec"]["sourceRef"], object)
    }
}

fn source_of_artifact(object: &Value) -> String {
    let source = &object["spec"]["sourceRef"];
    if source.is_null() {
        return String::new();
    }
    let text = |field: &str| source[field].as_str().unwrap_or_default();
    format!("{}/{}/{}", text("kind"), text("namespace"), text("name"))
}

/// Whether the object has the condition with the status; both without regard to case.
pub(super) fn status_matches(kind: &Kind, object: &Value, condition: &str, status: &str) -> bool {
    if matches!(kind.kind, "Alert" | "Provider") {
        return condition.eq_ignore_ascii_case("Ready") && status.eq_ignore_ascii_case("True");
    }
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.into_iter().flatten().rfind(|found| {
        found["type"]
            .as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case(condition))
    });
    found.is_some_and(|found| {
        found["status"]
            .as_str()
            .is_some_and(|found| found.eq_ignore_ascii_case(status))
    })
}
