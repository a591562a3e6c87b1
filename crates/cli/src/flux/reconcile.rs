//! `reconcile`: asks a controller to look at an object now, and waits until it has.

use serde_json::{Value, json};

use super::cluster::kinds::{self, Kind};
use super::cluster::{Cluster, Reason};
use super::invocation::Invocation;
use super::readiness::{ready_condition, settled};
use super::resume::is_static;
use super::{Outcome, Stop, output};

/// Runs `reconcile WHAT`.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    let kind = kinds::of_words(what).ok_or_else(|| format!("unsupported type {what}"))?;
    let name = invocation
        .first()
        .ok_or_else(|| format!("{} name is required", kind.kind))?;
    let cluster = invocation.cluster()?;
    let run = Run {
        invocation,
        cluster: &cluster,
    };
    run.reconcile(kind, &invocation.namespace, name, false)
}

struct Run<'a> {
    invocation: &'a Invocation<'a>,
    cluster: &'a Cluster,
}

impl Run<'_> {
    /// `force` takes the source along, whatever the flags say.
    fn reconcile(&self, kind: &'static Kind, namespace: &str, name: &str, force: bool) -> Outcome {
        let object = self.cluster.get(kind, namespace, name)?;
        let with_source = matches!(kind.kind, "Kustomization" | "HelmRelease" | "HelmChart");
        if !with_source && is_static(kind, &object) {
            output::success("reconciliation not supported by the object");
            return Ok(());
        }
        if object["spec"]["suspend"] == true {
            return Err("resource is suspended".into());
        }
        // The flag belongs to the kind that the command is about.
        let asked = self.invocation.boolean("with-source")
            && kinds::of_words(
                self.invocation
                    .command
                    .path
                    .trim_start_matches("reconcile "),
            ) == Some(kind);
        if with_source && (force || asked) {
            let source = source(kind, &object);
            let Some(source_kind) = source.kind else {
                return Err(
                    format!("cannot reconcile source of kind {}", source.name_of_kind).into(),
                );
            };
            let source_namespace = if source.namespace.is_empty() {
                namespace
            } else {
                &source.namespace
            };
            self.reconcile(source_kind, source_namespace, &source.name, source.force)?;
        }
        let before = last_handled(&object).to_owned();
        output::action(format_args!(
            "annotating {} {name} in {namespace} namespace",
            kind.kind
        ));
        self.request(kind, namespace, name)?;
        output::success(format_args!("{} annotated", kind.kind));
        output::waiting(format_args!("waiting for {} reconciliation", kind.kind));
        let object = self.cluster.poll(|| {
            let object = self.cluster.get(kind, namespace, name)?;
            if last_handled(&object) == before {
                return Ok(None);
            }
            Ok(settled(&object)?.then_some(object))
        })?;
        let condition = ready_condition(&object).ok_or("status can't be determined")?;
        if condition["status"] != "True" {
            let message = condition["message"].as_str().unwrap_or_default();
            let quote = if with_source { "" } else { "'" };
            return Err(format!(
                "{} reconciliation failed: {quote}{message}{quote}",
                kind.kind
            )
            .into());
        }
        output::success(success_message(kind, &object));
        Ok(())
    }

    /// Writes the annotation that controllers take for a request.
    fn request(&self, kind: &Kind, namespace: &str, name: &str) -> Outcome {
        let now = jiff::Timestamp::now().to_string();
        let mut annotations = json!({"reconcile.fluxcd.io/requestedAt": now});
        if kind.kind == "HelmRelease" {
            for (flag, key) in [("force", "forceAt"), ("reset", "resetAt")] {
                if self.invocation.boolean(flag) {
                    annotations[format!("reconcile.fluxcd.io/{key}")] = now.clone().into();
                }
            }
        }
        let patch = json!({"metadata": {"annotations": annotations}});
        for _ in 0..4 {
            match self.cluster.patch(kind, namespace, name, &patch) {
                Err(error) if error.reason == Reason::Conflict => {}
                other => return other.map(|_| ()).map_err(Stop::from),
            }
        }
        self.cluster.patch(kind, namespace, name, &patch)?;
        Ok(())
    }
}

fn last_handled(object: &Value) -> &str {
    object["status"]["lastHandledReconcileAt"]
        .as_str()
        .unwrap_or_default()
}

/// The source of an object, and whether its own source is always taken along.
struct Source {
    kind: Option<&'static Kind>,
    name_of_kind: String,
    name: String,
    namespace: String,
    force: bool,
}

fn source(kind: &Kind, object: &Value) -> Source {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spec = &object["spec"];
    let own = object::meta::namespace(object);
    let of = |reference: &Value, namespace: String, allowed: &[&'static Kind]| {
        let name_of_kind = text(&reference["kind"]);
        let kind = allowed
            .iter()
            .find(|kind| kind.kind == name_of_kind)
            .copied();
        Source {
            kind,
            name: text(&reference["name"]),
            namespace,
            force: kind == Some(&kinds::HELM_CHART),
            name_of_kind,
        }
    };
    let namespace_of = |reference: &Value| match text(&reference["namespace"]) {
        namespace if namespace.is_empty() => own.to_owned(),
        namespace => namespace,
    };
    match kind.kind {
        "HelmRelease" if spec["chartRef"].is_object() => {
            let reference = &spec["chartRef"];
            let allowed = [&kinds::HELM_CHART, &kinds::OCI_REPOSITORY];
            of(reference, namespace_of(reference), &allowed)
        }
        "HelmRelease" => Source {
            kind: Some(&kinds::HELM_CHART),
            name_of_kind: "HelmChart".to_owned(),
            name: format!("{own}-{}", object::meta::name(object)),
            namespace: namespace_of(&spec["chart"]["spec"]["sourceRef"]),
            force: true,
        },
        "HelmChart" => {
            let allowed = [
                &kinds::HELM_REPOSITORY,
                &kinds::GIT_REPOSITORY,
                &kinds::BUCKET,
            ];
            of(&spec["sourceRef"], own.to_owned(), &allowed)
        }
        _ => {
            let allowed = [
                &kinds::OCI_REPOSITORY,
                &kinds::GIT_REPOSITORY,
                &kinds::BUCKET,
            ];
            of(
                &spec["sourceRef"],
                text(&spec["sourceRef"]["namespace"]),
                &allowed,
            )
        }
    }
}

/// What is said of an object that was reconciled.
pub(super) fn success_message(kind: &Kind, object: &Value) -> String {
    let status = &object["status"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let message = || ready_condition(object).map(|condition| text(&condition["message"]));
    match kind.kind {
        "Alert" | "Provider" | "Receiver" => format!("{} reconciliation completed", kind.kind),
        "Kustomization" => format!("applied revision {}", text(&status["lastAppliedRevision"])),
        "HelmRelease" => format!(
            "applied revision {}",
            super::get::helm_release_revision(object)
        ),
        "HelmRepository" if object["spec"]["type"] == "oci" => message().unwrap_or_default(),
        "ImageRepository" => {
            let count = status["lastScanResult"]["tagCount"]
                .as_i64()
                .unwrap_or_default();
            format!("scan fetched {count} tags")
        }
        "ImagePolicy" => {
            let latest = &status["latestRef"];
            let mut image = format!("{}:{}", text(&latest["name"]), text(&latest["tag"]));
            if let Some(digest) = latest["digest"]
                .as_str()
                .filter(|digest| !digest.is_empty())
            {
                image.push_str(&format!("@{digest}"));
            }
            format!("selected ref {image}")
        }
        "ImageUpdateAutomation" => {
            message().unwrap_or_else(|| match status["lastAutomationRunTime"].as_str() {
                Some(time) => format!("last run {time}"),
                None => "automation not yet run".to_owned(),
            })
        }
        _ => format!("fetched revision {}", text(&status["artifact"]["revision"])),
    }
}
