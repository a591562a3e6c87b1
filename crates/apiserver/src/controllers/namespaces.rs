//! The life cycle of namespaces: a deleted one is emptied, then goes.
//!
//! Source: Kubernetes `pkg/controller/namespace/deletion`.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use object::{GroupResource, GroupVersionResource, Value, meta};
use serde_json::{Map, json};

use super::feed::Feed;
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Local;
use crate::registry::ServedResource;
use crate::store::Range;

/// How long to wait before a namespace that is not empty yet is looked at again, when nothing happens in it.
const RETRY: Duration = Duration::from_secs(5);

/// Runs until the server ends.
pub(super) async fn run(core: Arc<Core>) {
    let user = User::system("system:serviceaccount:kube-system:namespace-controller");
    let local = Local::new(Arc::clone(&core), user).with_manager("kube-controller-manager");
    let mut controller = Controller {
        core: Arc::clone(&core),
        local,
        terminating: HashSet::new(),
    };
    let mut feed = Feed::new(&core, |_| true);
    loop {
        let events = if controller.terminating.is_empty() {
            feed.next().await
        } else {
            // Pods that end slowly, or failed deletions, are tried again.
            tokio::time::timeout(RETRY, feed.next())
                .await
                .unwrap_or(Some(Vec::new()))
        };
        let Some(events) = events else { return };
        let mut touched: HashSet<String> = HashSet::new();
        for (resource, event) in &events {
            let is_namespace = resource.group.is_empty() && resource.resource == "namespaces";
            if is_namespace {
                controller.observe(&event.object.value());
            }
            let namespace = if is_namespace {
                event.object.name()
            } else {
                event.object.namespace()
            };
            if controller.terminating.contains(namespace) {
                touched.insert(namespace.to_owned());
            }
        }
        if events.is_empty() {
            touched.extend(controller.terminating.iter().cloned());
        }
        for namespace in touched {
            if let Err(error) = controller.sync(&namespace).await
                && !error.is_conflict()
                && !error.is_not_found()
            {
                tracing::warn!(namespace, %error, "emptying a namespace failed");
            }
        }
    }
}

struct Controller {
    core: Arc<Core>,
    local: Local,
    terminating: HashSet<String>,
}

/// What is still in a namespace.
#[derive(Default)]
struct Remaining {
    /// By `resource.group`, how many.
    resources: BTreeMap<String, usize>,
    /// By finalizer, how many.
    finalizers: BTreeMap<String, usize>,
    failures: Vec<String>,
}

impl Controller {
    fn observe(&mut self, namespace: &Value) {
        let name = meta::name(namespace);
        if meta::is_terminating(namespace) {
            self.terminating.insert(name.to_owned());
        } else {
            self.terminating.remove(name);
        }
    }

    async fn sync(&mut self, name: &str) -> Result<(), ApiError> {
        let namespaces = GroupVersionResource::new("", "v1", "namespaces");
        let stored = self
            .core
            .store
            .bucket(&namespaces.group_resource())
            .get(name);
        let Some(namespace) = stored
            .map(|stored| stored.value())
            .filter(meta::is_terminating)
        else {
            self.terminating.remove(name);
            return Ok(());
        };
        let remaining = self.empty(name).await;
        if !remaining.resources.is_empty() || !remaining.failures.is_empty() {
            return self.tell(&namespaces, &namespace, &remaining).await;
        }
        let mut finalized = namespace.clone();
        let rest: Vec<Value> = namespace
            .pointer("/spec/finalizers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|finalizer| *finalizer != "kubernetes")
            .cloned()
            .collect();
        if namespace.pointer("/spec/finalizers/0").is_some() {
            finalized["spec"]["finalizers"] = Value::from(rest);
            self.local
                .update(&namespaces, "finalize", finalized)
                .await?;
        }
        Ok(())
    }

    /// Deletes all that is in a namespace; gives what is still there.
    async fn empty(&self, namespace: &str) -> Remaining {
        let mut remaining = Remaining::default();
        for served in self.core.registry().stored() {
            if served.namespaced && served.has_verb("delete") {
                self.empty_of(&served, namespace, &mut remaining).await;
            }
        }
        remaining
    }

    async fn empty_of(&self, served: &ServedResource, namespace: &str, remaining: &mut Remaining) {
        let bucket = self.core.store.bucket(&served.storage);
        let range = Range::namespace(namespace);
        for stored in bucket.list(&range).objects {
            let object = stored.value();
            if meta::is_terminating(&object) {
                continue;
            }
            let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"});
            let deleted = self
                .local
                .delete(&served.gvr, namespace, stored.name(), options)
                .await;
            if let Err(error) = deleted.as_ref()
                && !error.is_not_found()
                && !error.is_conflict()
            {
                remaining.failures.push(error.to_string());
            }
        }
        let left = bucket.list(&range).objects;
        if left.is_empty() {
            return;
        }
        remaining
            .resources
            .insert(shown(&served.group_resource()), left.len());
        for stored in left {
            let object = stored.value();
            let finalizers = object
                .pointer("/metadata/finalizers")
                .and_then(Value::as_array);
            for finalizer in finalizers.into_iter().flatten().filter_map(Value::as_str) {
                *remaining
                    .finalizers
                    .entry(finalizer.to_owned())
                    .or_default() += 1;
            }
        }
    }

    /// Writes into the status what is still there.
    async fn tell(
        &self,
        gvr: &GroupVersionResource,
        namespace: &Value,
        remaining: &Remaining,
    ) -> Result<(), ApiError> {
        let conditions = conditions(namespace, remaining, &self.core.now());
        if namespace.pointer("/status/conditions") == Some(&conditions) {
            return Ok(());
        }
        let mut told = namespace.clone();
        told["status"]["conditions"] = conditions;
        self.local.update(gvr, "status", told).await.map(drop)
    }
}

/// As the message names it: `configmaps.`, `deployments.apps`.
fn shown(resource: &GroupResource) -> String {
    format!("{}.{}", resource.resource, resource.group)
}

fn conditions(namespace: &Value, remaining: &Remaining, now: &str) -> Value {
    let counted = |counts: &BTreeMap<String, usize>, has: &str| {
        let parts: Vec<String> = counts
            .iter()
            .map(|(name, count)| format!("{name} {has} {count} resource instances"))
            .collect();
        parts.join(", ")
    };
    let content = if remaining.failures.is_empty() {
        (
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization".to_owned(),
        )
    } else {
        let failures = remaining.failures.join(", ");
        (
            "True",
            "ContentDeletionFailed",
            format!(
                "Failed to delete all resource types, {} remaining: {failures}",
                remaining.failures.len()
            ),
        )
    };
    let resources = if remaining.resources.is_empty() {
        (
            "False",
            "ContentRemoved",
            "All content successfully removed".to_owned(),
        )
    } else {
        let list = counted(&remaining.resources, "has");
        (
            "True",
            "SomeResourcesRemain",
            format!("Some resources are remaining: {list}"),
        )
    };
    let finalizers = if remaining.finalizers.is_empty() {
        (
            "False",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished".to_owned(),
        )
    } else {
        let list = counted(&remaining.finalizers, "in");
        (
            "True",
            "SomeFinalizersRemain",
            format!("Some content in the namespace has finalizers remaining: {list}"),
        )
    };
    let told = [
        (
            "NamespaceDeletionDiscoveryFailure",
            (
                "False",
                "ResourcesDiscovered",
                "All resources successfully discovered".to_owned(),
            ),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            (
                "False",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed".to_owned(),
            ),
        ),
        ("NamespaceDeletionContentFailure", content),
        ("NamespaceContentRemaining", resources),
        ("NamespaceFinalizersRemaining", finalizers),
    ];
    let known = namespace
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let list = told.into_iter().map(|(kind, (status, reason, message))| {
        let before = known.iter().find(|condition| condition["type"] == kind);
        // The time is that of the last change of the status.
        let since = before
            .filter(|before| before["status"] == status)
            .and_then(|before| before["lastTransitionTime"].as_str());
        let mut condition = Map::new();
        condition.insert("type".to_owned(), json!(kind));
        condition.insert("status".to_owned(), json!(status));
        condition.insert("lastTransitionTime".to_owned(), json!(since.unwrap_or(now)));
        condition.insert("reason".to_owned(), json!(reason));
        condition.insert("message".to_owned(), json!(message));
        Value::Object(condition)
    });
    list.collect()
}
