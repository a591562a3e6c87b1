//! `trace`: which Flux objects an object comes from.

mod find;

use serde_json::Value;

use super::cluster::Cluster;
use super::cluster::kinds::{self, Kind};
use super::invocation::Invocation;
use super::names::namespaced_name;
use super::readiness::ready_condition;
use super::{Outcome, Stop, output};

/// Runs `trace`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let cluster = invocation.cluster()?;
    let objects = find::objects(invocation, &cluster)?;
    for (index, object) in objects.iter().enumerate() {
        match report(&cluster, object) {
            Ok(text) => output::out(text),
            Err(Stop::Failed(text)) => output::err(format_args!(
                "failed to trace {}/{} in namespace {}: {text}",
                object["kind"].as_str().unwrap_or_default(),
                object::meta::name(object),
                object::meta::namespace(object)
            )),
            Err(other) => return Err(other),
        }
        if index + 1 < objects.len() {
            output::out("---\n");
        }
    }
    Ok(())
}

fn report(cluster: &Cluster, object: &Value) -> Result<String, Stop> {
    if let Some((namespace, name)) = manager(cluster, object, kinds::KUSTOMIZATION.group, 0) {
        return of_kustomization(cluster, object, &namespace, &name);
    }
    if let Some((namespace, name)) = manager(cluster, object, kinds::HELM_RELEASE.group, 0) {
        return of_release(cluster, object, &namespace, &name);
    }
    Err("object not managed by Flux".into())
}

/// Namespace and name of the manager in the labels of the object, or of one that owns it.
fn manager(
    cluster: &Cluster,
    object: &Value,
    group: &str,
    depth: usize,
) -> Option<(String, String)> {
    let label =
        |key: &str| object::meta::label(object, &format!("{group}/{key}")).map(str::to_owned);
    if let Some(name) = label("name").filter(|name| !name.is_empty()) {
        return Some((label("namespace").unwrap_or_default(), name));
    }
    // Owners form no long chains; a circle of them has to end.
    if depth > 16 {
        return None;
    }
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().find_map(|owner| {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        let owner = find::by_kind(
            cluster,
            text("apiVersion"),
            text("kind"),
            object::meta::namespace(object),
            text("name"),
        )
        .ok()?;
        manager(cluster, &owner, group, depth + 1)
    })
}

/// Lines of a name and a value, the values in one column.
struct Report {
    text: String,
    width: usize,
}

impl Report {
    fn start(object: &Value, width: usize) -> Self {
        let mut report = Self {
            text: "\n".to_owned(),
            width,
        };
        let kind = object["kind"].as_str().unwrap_or_default();
        report.line("Object", &format!("{kind}/{}", object::meta::name(object)));
        let namespace = object::meta::namespace(object);
        if !namespace.is_empty() {
            report.line("Namespace", namespace);
        }
        report.line("Status", "Managed by Flux");
        report
    }

    fn section(&mut self, kind: &str, object: &Value) {
        self.text.push_str("---\n");
        self.line(kind, object::meta::name(object));
        self.line("Namespace", object::meta::namespace(object));
    }

    fn line(&mut self, name: &str, value: &str) {
        let name = format!("{name}:");
        self.text
            .push_str(&format!("{name:width$}{value}\n", width = self.width));
    }

    fn text_at(&mut self, name: &str, value: &Value) {
        self.line(name, value.as_str().unwrap_or_default());
    }

    fn revision(&mut self, object: &Value) {
        if let Some(revision) = object["status"]["artifact"]["revision"].as_str() {
            self.line("Revision", revision);
        }
    }

    fn reference(&mut self, object: &Value, fields: &[(&str, &str)]) {
        let reference = &object["spec"]["ref"];
        for (field, name) in fields {
            if let Some(value) = reference[*field].as_str().filter(|value| !value.is_empty()) {
                self.line(name, value);
                return;
            }
        }
    }

    /// The origin that an artifact carries along.
    fn origin(&mut self, object: &Value) {
        let metadata = &object["status"]["artifact"]["metadata"];
        let fields = [
            ("Origin Revision", "org.opencontainers.image.revision"),
            ("Origin Source", "org.opencontainers.image.source"),
        ];
        if !metadata.is_object() {
            return;
        }
        for (name, key) in fields {
            match metadata[key].as_str().filter(|value| !value.is_empty()) {
                Some(value) => self.line(name, value),
                // Upstream leaves the line empty: kept.
                None => self.text.push('\n'),
            }
        }
    }

    /// How the object stands; `tells_failure` where upstream's words differ for a failure.
    fn status(&mut self, object: &Value, tells_failure: bool) {
        let Some(condition) = ready_condition(object) else {
            self.line("Status", "Unknown");
            return;
        };
        let failed = tells_failure && condition["status"] == "False";
        let words = if failed {
            "Last reconciliation failed at"
        } else {
            "Last reconciled at"
        };
        let time = condition["lastTransitionTime"].as_str().unwrap_or_default();
        let time = time.replace('T', " ").replace('Z', " +0000 UTC");
        self.line("Status", &format!("{words} {time}"));
        self.text_at("Message", &condition["message"]);
    }
}

fn referred(
    cluster: &Cluster,
    kind: &Kind,
    reference: &Value,
    owner: &Value,
) -> Result<Value, Stop> {
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let namespace = match text("namespace") {
        "" => object::meta::namespace(owner),
        namespace => namespace,
    };
    let found = cluster
        .get(kind, namespace, text("name"))
        .map_err(|error| format!("failed to find {}: {error}", kind.kind))?;
    if kind == &kinds::EXTERNAL_ARTIFACT && found["spec"]["sourceRef"].is_null() {
        return Err(format!(
            "ExternalArtifact {namespace}/{} is missing spec.sourceRef",
            text("name")
        )
        .into());
    }
    Ok(found)
}

fn source_section(report: &mut Report, kind: &Kind, object: &Value, with_origin: bool) {
    let width = report.width;
    match kind.kind {
        "GitRepository" => {
            // Upstream's column is one narrower for the source of a release: kept.
            report.width = if with_origin { width } else { 15 };
            report.section(kind.kind, object);
            report.text_at("URL", &object["spec"]["url"]);
            report.reference(
                object,
                &[("tag", "Tag"), ("semver", "Tag"), ("branch", "Branch")],
            );
            report.revision(object);
            report.status(object, true);
        }
        "OCIRepository" => {
            report.width = 17;
            report.section(kind.kind, object);
            report.text_at("URL", &object["spec"]["url"]);
            report.reference(
                object,
                &[("tag", "Tag"), ("semver", "Tag"), ("digest", "Digest")],
            );
            report.revision(object);
            if with_origin {
                report.origin(object);
            }
            report.status(object, true);
        }
        "ExternalArtifact" => {
            report.width = 17;
            report.section(kind.kind, object);
            let source = &object["spec"]["sourceRef"];
            let text = |field: &str| source[field].as_str().unwrap_or_default();
            let source = format!("{}/{}/{}", text("kind"), text("namespace"), text("name"));
            report.line("Source", &source);
            report.revision(object);
            if with_origin {
                report.origin(object);
            }
            report.status(object, true);
        }
        _ => {
            report.section(kind.kind, object);
            report.text_at("URL", &object["spec"]["url"]);
            report.revision(object);
            report.status(object, false);
        }
    }
    report.width = width;
}

fn of_kustomization(
    cluster: &Cluster,
    object: &Value,
    namespace: &str,
    name: &str,
) -> Result<String, Stop> {
    let kustomization = cluster
        .get(&kinds::KUSTOMIZATION, namespace, name)
        .map_err(|error| format!("failed to find kustomization: {error}"))?;
    let mut report = Report::start(object, 17);
    report.section("Kustomization", &kustomization);
    let spec = &kustomization["spec"];
    if let Some(target) = spec["targetNamespace"].as_str() {
        report.line("Target", target);
    }
    report.text_at("Path", &spec["path"]);
    report.text_at("Revision", &kustomization["status"]["lastAppliedRevision"]);
    report.status(&kustomization, false);
    let reference = &spec["sourceRef"];
    let kinds = [
        &kinds::GIT_REPOSITORY,
        &kinds::OCI_REPOSITORY,
        &kinds::EXTERNAL_ARTIFACT,
    ];
    if let Some(kind) = kinds
        .into_iter()
        .find(|kind| reference["kind"] == kind.kind)
    {
        let source = referred(cluster, kind, reference, &kustomization)?;
        source_section(&mut report, kind, &source, true);
    }
    Ok(report.text)
}

fn of_release(
    cluster: &Cluster,
    object: &Value,
    namespace: &str,
    name: &str,
) -> Result<String, Stop> {
    let release = cluster
        .get(&kinds::HELM_RELEASE, namespace, name)
        .map_err(|error| format!("failed to find HelmRelease: {error}"))?;
    let mut report = Report::start(object, 16);
    report.section("HelmRelease", &release);
    let spec = &release["spec"];
    if let Some(target) = spec["targetNamespace"].as_str() {
        report.line("Target", target);
    }
    report.text_at("Revision", &release["status"]["lastAttemptedRevision"]);
    report.status(&release, false);
    if let Some(chart) = release["status"]["helmChart"]
        .as_str()
        .filter(|chart| !chart.is_empty())
    {
        let (namespace, name) = namespaced_name(chart);
        let chart = cluster
            .get(&kinds::HELM_CHART, namespace, name)
            .map_err(|error| format!("failed to find HelmChart: {error}"))?;
        report.section("HelmChart", &chart);
        report.text_at("Chart", &chart["spec"]["chart"]);
        report.text_at("Version", &chart["spec"]["version"]);
        report.revision(&chart);
        report.status(&chart, false);
    }
    let (reference, kinds): (&Value, [&Kind; 2]) = if spec["chart"].is_null() {
        (
            &spec["chartRef"],
            [&kinds::OCI_REPOSITORY, &kinds::EXTERNAL_ARTIFACT],
        )
    } else {
        (
            &spec["chart"]["spec"]["sourceRef"],
            [&kinds::HELM_REPOSITORY, &kinds::GIT_REPOSITORY],
        )
    };
    if let Some(kind) = kinds
        .into_iter()
        .find(|kind| reference["kind"] == kind.kind)
    {
        let source = referred(cluster, kind, reference, &release)?;
        source_section(&mut report, kind, &source, false);
    }
    Ok(report.text)
}
