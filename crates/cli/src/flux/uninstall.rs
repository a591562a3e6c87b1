//! `uninstall`: removes an installation and its CRDs.

use serde_json::{Value, json};

use super::cluster::kinds::{self, Kind};
use super::cluster::{Cluster, Selection};
use super::invocation::Invocation;
use super::version::{PART_OF, installation};
use super::{Outcome, output, prompt};

/// Runs `uninstall`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let cluster = invocation.cluster()?;
    let dry_run = invocation.boolean("dry-run");
    if !dry_run && !invocation.boolean("silent") {
        let found = installation(&cluster).map_err(|error| match error {
            super::Stop::Failed(text) => format!("cluster info unavailable: {text}"),
            _ => String::new(),
        })?;
        let manager = found.map(|found| found.managed_by).unwrap_or_default();
        let question = if manager.is_empty() || manager == "flux" {
            "Are you sure you want to delete Flux and its custom resource definitions".to_owned()
        } else {
            format!(
                "Flux is managed by {manager}! Are you sure you want to delete Flux and its CRDs using Flux CLI"
            )
        };
        prompt::confirm(&question)?;
    }
    let namespace = &invocation.namespace;
    let run = Run {
        cluster: &cluster,
        dry_run,
    };
    output::action(format_args!("deleting components in {namespace} namespace"));
    let components = [
        &kinds::DEPLOYMENT,
        &kinds::SERVICE,
        &kinds::NETWORK_POLICY,
        &kinds::SERVICE_ACCOUNT,
        &kinds::CLUSTER_ROLE,
        &kinds::CLUSTER_ROLE_BINDING,
    ];
    for kind in components {
        run.delete_labelled(kind, Some(namespace));
    }
    output::action("deleting toolkit.fluxcd.io finalizers in all namespaces");
    let with_finalizers = [
        &kinds::GIT_REPOSITORY,
        &kinds::OCI_REPOSITORY,
        &kinds::HELM_REPOSITORY,
        &kinds::HELM_CHART,
        &kinds::BUCKET,
        &kinds::KUSTOMIZATION,
        &kinds::HELM_RELEASE,
        &kinds::ALERT,
        &kinds::PROVIDER,
        &kinds::RECEIVER,
        &kinds::IMAGE_POLICY,
        &kinds::IMAGE_REPOSITORY,
        &kinds::IMAGE_UPDATE_AUTOMATION,
        &kinds::ARTIFACT_GENERATOR,
    ];
    for kind in with_finalizers {
        run.remove_finalizers(kind);
    }
    output::action("deleting toolkit.fluxcd.io custom resource definitions");
    run.delete_labelled(&kinds::DEFINITION, None);
    if !invocation.boolean("keep-namespace") {
        run.delete(&kinds::NAMESPACE, "", namespace);
    }
    output::success("uninstall finished");
    Ok(())
}

struct Run<'a> {
    cluster: &'a Cluster,
    dry_run: bool,
}

impl Run<'_> {
    fn mark(&self) -> &'static str {
        if self.dry_run { "(dry run)" } else { "" }
    }

    /// What cannot be listed is passed over.
    fn delete_labelled(&self, kind: &Kind, namespace: Option<&str>) {
        let found = self
            .cluster
            .list(kind, namespace, &Selection::labelled(PART_OF));
        for object in found.unwrap_or_default() {
            self.delete(
                kind,
                object::meta::namespace(&object),
                object::meta::name(&object),
            );
        }
    }

    fn delete(&self, kind: &Kind, namespace: &str, name: &str) {
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground",
        });
        if self.dry_run {
            options["dryRun"] = json!(["All"]);
        }
        let shown = shown(kind, namespace, name);
        match self.cluster.delete(kind, namespace, name, Some(&options)) {
            Ok(_) => output::success(format_args!("{shown} deleted {}", self.mark())),
            Err(error) => output::failure(format_args!("{shown} deletion failed: {error}")),
        }
    }

    fn remove_finalizers(&self, kind: &Kind) {
        let objects = self.cluster.list(kind, None, &Selection::default());
        for object in objects.unwrap_or_default() {
            let (namespace, name) = (
                object::meta::namespace(&object),
                object::meta::name(&object),
            );
            let shown = shown(kind, namespace, name);
            match self.without_finalizers(kind, &object) {
                Ok(()) => {
                    output::success(format_args!("{shown} finalizers deleted {}", self.mark()))
                }
                Err(error) => {
                    output::failure(format_args!("{shown} removing finalizers failed: {error}"));
                }
            }
        }
    }

    fn without_finalizers(&self, kind: &Kind, object: &Value) -> Result<(), String> {
        let none = object["metadata"]["finalizers"]
            .as_array()
            .is_none_or(Vec::is_empty);
        if self.dry_run || none {
            return Ok(());
        }
        let (namespace, name) = (object::meta::namespace(object), object::meta::name(object));
        let patch = json!({"metadata": {"finalizers": null}});
        let patched = self.cluster.patch(kind, namespace, name, &patch);
        patched.map(|_| ()).map_err(|error| error.message)
    }
}

fn shown(kind: &Kind, namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        format!("{}/{name}", kind.kind)
    } else {
        format!("{}/{namespace}/{name}", kind.kind)
    }
}
