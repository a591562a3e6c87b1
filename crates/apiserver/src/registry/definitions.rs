//! From stored CustomResourceDefinitions to what is served: names, conditions, versions.
//!
//! Sources: apiextensions-apiserver, `pkg/controller/{status,establish,finalizer}`.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crd::definition::{AcceptedNames, Condition, Names, accept};
use object::{GroupResource, GroupVersionKind, GroupVersionResource, Value, meta};
use parking_lot::Mutex;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::custom::{CustomVersion, Definition};
use super::{Registry, ResourceKind, ServedResource, ServedSubresource};
use crate::context::User;
use crate::core::Core;
use crate::pipeline::Local;
use crate::pipeline::special::CUSTOM_RESOURCES;
use crate::store::{Range, Stored};

/// What was made of each definition, so that it is read again only when it has changed.
#[derive(Default)]
pub struct Definitions {
    known: Mutex<HashMap<String, Known>>,
}

struct Known {
    /// The revision that was read.
    revision: i64,
    /// Whether the names it asks for are accepted, so that no other definition is in its way.
    is_settled: bool,
    uid: String,
    generation: i64,
    is_terminating: bool,
    accepted: Value,
    resources: Vec<ServedResource>,
}

fn resource() -> GroupVersionResource {
    GroupVersionResource::new("apiextensions.k8s.io", "v1", "customresourcedefinitions")
}

fn stored_definitions(core: &Core) -> Vec<Arc<Stored>> {
    let bucket = core.store.bucket(&resource().group_resource());
    bucket.list(&Range::all()).objects
}

/// Serves what the stored definitions say.
pub fn load(core: &Arc<Core>) {
    let mut known = core.definitions.known.lock();
    let mut next = HashMap::new();
    let mut registry = Registry::builtin();
    registry.generation = core.registry().generation + 1;
    let mut all: Vec<ServedResource> = Vec::new();
    for stored in stored_definitions(core) {
        let made = match known.remove(stored.name()) {
            Some(before) if before.revision == stored.revision => before,
            before => {
                let definition = stored.value();
                match before.filter(|before| before.is_current(&definition)) {
                    Some(before) => Known {
                        revision: stored.revision,
                        is_settled: is_settled(&definition),
                        ..before
                    },
                    None => Known::read(&definition, stored.revision),
                }
            }
        };
        all.extend(made.resources.iter().cloned());
        next.insert(stored.name().to_owned(), made);
    }
    // Groups by name, versions by rank; within a version, by the definition's name.
    all.sort_by(|left, right| {
        left.gvr
            .group
            .cmp(&right.gvr.group)
            .then_with(|| compare_versions(&right.gvr.version, &left.gvr.version))
    });
    for resource in all {
        registry.add(resource);
    }
    *known = next;
    core.set_registry(registry);
}

impl Known {
    fn is_current(&self, definition: &Value) -> bool {
        self.uid == meta::uid(definition)
            && self.generation == meta::generation(definition)
            && self.is_terminating == meta::is_terminating(definition)
            && self.accepted == definition["status"]["acceptedNames"]
    }

    fn read(definition: &Value, revision: i64) -> Self {
        Self {
            revision,
            is_settled: is_settled(definition),
            uid: meta::uid(definition).to_owned(),
            generation: meta::generation(definition),
            is_terminating: meta::is_terminating(definition),
            accepted: definition["status"]["acceptedNames"].clone(),
            resources: served(definition, revision),
        }
    }
}

/// Whether a condition of a definition holds.
pub fn is_condition_true(definition: &Value, kind: &str) -> bool {
    definition["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == kind && condition["status"] == "True")
}

/// The resources of a definition, in all served versions.
fn served(definition: &Value, revision: i64) -> Vec<ServedResource> {
    if !is_condition_true(definition, "Established") {
        return Vec::new();
    }
    let read = match Definition::read(definition, revision) {
        Ok(read) => Arc::new(read),
        Err(errors) => {
            let name = meta::name(definition);
            let why = object::field::join(&errors);
            tracing::error!(definition = name, %why, "a stored definition cannot be served");
            return Vec::new();
        }
    };
    let versions = definition["spec"]["versions"].as_array();
    versions
        .into_iter()
        .flatten()
        .filter(|version| version["served"] == true)
        .map(|version| served_version(definition, &read, version))
        .collect()
}

fn served_version(definition: &Value, read: &Arc<Definition>, version: &Value) -> ServedResource {
    let names = Names::read(&definition["status"]["acceptedNames"]);
    let group = definition["spec"]["group"].as_str().unwrap_or_default();
    let name = version["name"].as_str().unwrap_or_default();
    let gvk = GroupVersionKind::new(group, name, names.kind.as_str());
    let mut subresources = Vec::new();
    let verbs = || ["get", "patch", "update"].map(str::to_owned).to_vec();
    if version
        .pointer("/subresources/status")
        .is_some_and(Value::is_object)
    {
        subresources.push(ServedSubresource {
            name: "status".to_owned(),
            gvk: gvk.clone(),
            verbs: verbs(),
        });
    }
    if version
        .pointer("/subresources/scale")
        .is_some_and(Value::is_object)
    {
        subresources.push(ServedSubresource {
            name: "scale".to_owned(),
            gvk: GroupVersionKind::new("autoscaling", "v1", "Scale"),
            verbs: verbs(),
        });
    }
    let verbs = [
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "create",
        "update",
        "watch",
    ];
    ServedResource {
        gvr: GroupVersionResource::new(group, name, names.plural.as_str()),
        list_kind: names.list_kind.clone(),
        singular: names.singular.clone(),
        namespaced: definition["spec"]["scope"] == "Namespaced",
        short_names: names.short_names.clone(),
        categories: names.categories.clone(),
        verbs: verbs.map(str::to_owned).to_vec(),
        subresources,
        storage: GroupResource::new(group, names.plural.as_str()),
        storage_hash: storage_hash(&read.storage_kind),
        storage_gvk: read.storage_kind.clone(),
        kind: ResourceKind::Custom(Arc::new(CustomVersion::new(read, definition, name))),
        managers: Arc::default(),
        gvk,
    }
}

/// What discovery shows for the storage version. Source: apiserver, `discovery/storageversionhash.go`.
fn storage_hash(kind: &GroupVersionKind) -> String {
    let text = format!("{}/{}/{}", kind.group, kind.version, kind.kind);
    STANDARD.encode(&Sha256::digest(text.as_bytes())[..8])
}

/// Compares versions by rank: `v2` > `v1` > `v1beta2` > `v1alpha1` > anything else, by name.
///
/// Source: apimachinery, `version.CompareKubeAwareVersionStrings`.
pub fn compare_versions(left: &str, right: &str) -> Ordering {
    match (rank(left), rank(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => right.cmp(left),
    }
}

/// Stability, major version, minor version.
fn rank(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let major: u64 = rest[..digits].parse().ok()?;
    let rest = &rest[digits..];
    if rest.is_empty() {
        return Some((3, major, 0));
    }
    for (name, stability) in [("beta", 2), ("alpha", 1)] {
        if let Some(minor) = rest.strip_prefix(name) {
            return minor.parse().ok().map(|minor| (stability, major, minor));
        }
    }
    None
}

/// Takes notice of a write: that of a definition settles its names and changes what is served.
pub async fn changed(core: &Arc<Core>, served: &ServedResource) {
    if served.gvr.group != "apiextensions.k8s.io" {
        return;
    }
    let local = Local::new(Arc::clone(core), User::system("system:apiserver"))
        .with_manager("kube-apiserver");
    for stored in stored_definitions(core) {
        // Most are as they were: to read them all with every write would be slow.
        let is_known_settled = |known: &Known| {
            known.revision == stored.revision && known.is_settled && !known.is_terminating
        };
        let skips = {
            let known = core.definitions.known.lock();
            known.get(stored.name()).is_some_and(is_known_settled)
        };
        if skips {
            continue;
        }
        let definition = stored.value();
        if let Some(settled) = settle(core, &definition) {
            // A conflict means that another write came first, which settles them, too.
            if let Err(error) = local.update(&resource(), "status", settled).await
                && !error.is_conflict()
            {
                tracing::warn!(definition = stored.name(), %error, "cannot settle the names");
            }
        }
        if meta::is_terminating(&definition) {
            begin_cleanup(core, stored.name());
        }
    }
    load(core);
}

/// Whether a definition has all the names it asks for.
fn is_settled(definition: &Value) -> bool {
    let requested = Names::read(&definition["spec"]["names"]);
    let current = Names::read(&definition["status"]["acceptedNames"]);
    let has_conditions = definition["status"]["conditions"].is_array();
    has_conditions && requested == current && is_condition_true(definition, "NamesAccepted")
}

/// The definition with its names accepted or refused; `None` if nothing changes.
fn settle(core: &Core, definition: &Value) -> Option<Value> {
    if meta::is_terminating(definition) || is_settled(definition) {
        return None;
    }
    let requested = Names::read(&definition["spec"]["names"]);
    let current = Names::read(&definition["status"]["acceptedNames"]);
    let mut others = AcceptedNames::default();
    let group = definition["spec"]["group"].as_str().unwrap_or_default();
    for stored in stored_definitions(core) {
        // A definition is called `<plural>.<group>`.
        let in_group = stored
            .name()
            .split_once('.')
            .is_some_and(|(_, other)| other == group);
        if !in_group {
            continue;
        }
        let other = stored.value();
        if other["spec"]["group"] == definition["spec"]["group"]
            && stored.name() != meta::name(definition)
        {
            others.add(&Names::read(&other["status"]["acceptedNames"]));
        }
    }
    let was_established = is_condition_true(definition, "Established");
    let acceptance = accept(&requested, &current, &others, was_established);
    let mut settled = definition.clone();
    settled["status"]["acceptedNames"] = acceptance.accepted.to_json();
    let now = core.now();
    set_condition(&mut settled, &acceptance.names_accepted, &now);
    if let Some(condition) = &acceptance.established {
        set_condition(&mut settled, condition, &now);
    }
    (settled != *definition).then_some(settled)
}

fn set_condition(definition: &mut Value, condition: &Condition, now: &str) {
    let value = json!({
        "type": condition.kind,
        "status": if condition.status { "True" } else { "False" },
        "lastTransitionTime": now,
        "reason": condition.reason,
        "message": condition.message,
    });
    if !definition["status"]["conditions"].is_array() {
        definition["status"]["conditions"] = json!([]);
    }
    let Some(conditions) = definition
        .pointer_mut("/status/conditions")
        .and_then(Value::as_array_mut)
    else {
        return;
    };
    match conditions
        .iter_mut()
        .find(|known| known["type"] == condition.kind)
    {
        Some(known) if known["status"] == value["status"] => {
            let since = known["lastTransitionTime"].take();
            *known = value;
            known["lastTransitionTime"] = since;
        }
        Some(known) => *known = value,
        None => conditions.push(value),
    }
}

/// Deletes the objects of a definition that is being deleted, then lets it go.
fn begin_cleanup(core: &Arc<Core>, name: &str) {
    let core = Arc::clone(core);
    let name = name.to_owned();
    {
        let mut running = core.cleanups.lock();
        if !running.insert(name.clone()) {
            return;
        }
    }
    tokio::spawn(async move {
        let shutdown = core.shutdown.clone();
        tokio::select! {
            () = cleanup(&core, &name) => {}
            () = shutdown.cancelled() => {}
        }
        core.cleanups.lock().remove(&name);
    });
}

async fn cleanup(core: &Arc<Core>, name: &str) {
    let local = Local::new(Arc::clone(core), User::system("system:apiserver"))
        .with_manager("kube-apiserver");
    let definitions = resource();
    while let Ok(mut definition) = local.get(&definitions, "", name).await {
        if !meta::is_terminating(&definition) {
            return;
        }
        if has_objects(&local, &definition) {
            note_deletion(&local, &definition).await;
            delete_objects(&local, &read_group(&definition)).await;
            if has_objects(&local, &definition) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            continue;
        }
        let finalizers = definition.pointer_mut("/metadata/finalizers");
        let Some(finalizers) = finalizers.and_then(Value::as_array_mut) else {
            return;
        };
        finalizers.retain(|finalizer| finalizer != CUSTOM_RESOURCES);
        match local.update(&definitions, "", definition).await {
            Err(error) if error.is_conflict() => {}
            Err(error) => {
                tracing::warn!(definition = name, %error, "cannot let the definition go");
                return;
            }
            // Without finalizers, the second deletion takes it away.
            Ok(_) => {
                if let Err(error) = local.delete(&definitions, "", name, Value::Null).await
                    && !error.is_not_found()
                {
                    tracing::warn!(definition = name, %error, "cannot delete the definition");
                }
                return;
            }
        }
    }
}

/// Where the objects of a definition are.
fn read_group(definition: &Value) -> GroupResource {
    let text = |pointer: &str| {
        definition
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    GroupResource::new(text("/spec/group"), text("/spec/names/plural"))
}

fn has_objects(local: &Local, definition: &Value) -> bool {
    let resource = read_group(definition);
    let is_served = local.core().registry().preferred(&resource).is_some();
    is_served && !local.core().store.bucket(&resource).is_empty()
}

/// Says in the definition's conditions that its objects are being deleted.
async fn note_deletion(local: &Local, definition: &Value) {
    let condition = Condition {
        kind: "Terminating",
        status: true,
        reason: "InstanceDeletionInProgress",
        message: "CustomResource deletion is in progress".to_owned(),
    };
    let mut noted = definition.clone();
    set_condition(&mut noted, &condition, &local.core().now());
    if noted != *definition {
        // Whoever wrote meanwhile makes the next round say it.
        let _ = local.update(&resource(), "status", noted).await;
    }
}

/// Deletes what there is.
async fn delete_objects(local: &Local, resource: &GroupResource) {
    let Some(served) = local.core().registry().preferred(resource).cloned() else {
        return;
    };
    for stored in local
        .core()
        .store
        .bucket(resource)
        .list(&Range::all())
        .objects
    {
        let result = local
            .delete(&served.gvr, stored.namespace(), stored.name(), Value::Null)
            .await;
        if let Err(error) = result
            && !error.is_not_found()
        {
            tracing::debug!(key = %stored.key, %error, "cannot delete an object of a definition");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ranked_by_stability() {
        let mut versions = [
            "v1alpha1", "foo1", "v10", "v2", "v1beta2", "v1", "v1beta1", "foo10",
        ];
        versions.sort_by(|left, right| compare_versions(right, left));
        assert_eq!(
            versions,
            [
                "v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "foo1", "foo10"
            ]
        );
    }

    #[test]
    fn the_storage_hash_is_as_recorded() {
        let kind = GroupVersionKind::new("lifecycle.crd.example.test", "v1", "Widget");
        assert_eq!(storage_hash(&kind), "oW1aTP7cjmk=");
    }
}
