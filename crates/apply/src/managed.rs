//! Managed fields: whose fields become ours, and the patches that make it so.
//!
//! Source: fluxcd/pkg, `ssa/patch.go`.

use object::smd::fieldset::Set;
use object::{Value, meta};
use serde_json::json;

use crate::options::{Cleanup, FieldManager, Operation};

/// An entry of managed fields, as far as it matters here.
pub(crate) struct Entry<'a> {
    pub(crate) manager: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) subresource: &'a str,
}

impl<'a> Entry<'a> {
    pub(crate) fn of(entry: &'a Value) -> Self {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        Self {
            manager: text("manager"),
            operation: text("operation"),
            subresource: text("subresource"),
        }
    }
}

impl FieldManager {
    /// Whether an entry is of this manager.
    pub(crate) fn matches(&self, entry: &Entry<'_>) -> bool {
        entry.operation == self.operation.name()
            && entry.subresource.is_empty()
            && entry.manager.starts_with(&self.prefix)
    }
}

fn entries(object: &Value) -> &[Value] {
    object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The JSON patch that cleans an object up; `None` if there is nothing to clean.
pub(crate) fn cleanup_patch(live: &Value, cleanup: &Cleanup, manager: &str) -> Option<Value> {
    let mut operations = Vec::new();
    for key in &cleanup.annotations {
        if meta::annotation(live, key).is_some() {
            operations.push(removal("annotations", key));
        }
    }
    for key in &cleanup.labels {
        if meta::label(live, key).is_some() {
            operations.push(removal("labels", key));
        }
    }
    if let Some(entries) = taken_over(live, &cleanup.managers, manager) {
        operations
            .push(json!({"op": "replace", "path": "/metadata/managedFields", "value": entries}));
    }
    guarded(live, operations)
}

fn removal(part: &str, key: &str) -> Value {
    let key = key.replace('~', "~0").replace('/', "~1");
    json!({"op": "remove", "path": format!("/metadata/{part}/{key}")})
}

/// The operations, which hold only if nobody has changed the object meanwhile.
fn guarded(live: &Value, mut operations: Vec<Value>) -> Option<Value> {
    if operations.is_empty() {
        return None;
    }
    let test = json!({"op": "test", "path": "/metadata/resourceVersion", "value": meta::resource_version(live)});
    operations.insert(0, test);
    Some(Value::Array(operations))
}

/// The managed fields with the entries of `managers` merged into ours; `None` if there are none.
fn taken_over(live: &Value, managers: &[FieldManager], manager: &str) -> Option<Vec<Value>> {
    let is_ours =
        |entry: &Entry<'_>| entry.manager == manager && entry.operation == Operation::Apply.name();
    let all = entries(live);
    let mut ours = all
        .iter()
        .rev()
        .find(|entry| is_ours(&Entry::of(entry)))
        .cloned();
    let was = ours.clone();
    let mut kept = Vec::with_capacity(all.len());
    let mut is_changed = false;
    for value in all {
        if Some(value) == was.as_ref() {
            continue;
        }
        let entry = Entry::of(value);
        if !managers.iter().any(|manager| manager.matches(&entry)) {
            kept.push(value.clone());
            continue;
        }
        is_changed = true;
        match &mut ours {
            Some(ours) => merge(ours, value),
            None => {
                let mut renamed = value.clone();
                renamed["manager"] = manager.into();
                renamed["operation"] = Operation::Apply.name().into();
                ours = Some(renamed);
            }
        }
    }
    if !is_changed {
        return None;
    }
    kept.extend(ours);
    Some(kept)
}

/// Adds the fields of an entry to ours.
fn merge(ours: &mut Value, other: &Value) {
    let set = |entry: &Value| -> Set {
        let fields = entry.get("fieldsV1").filter(|fields| !fields.is_null());
        fields
            .and_then(|fields| Set::from_value(fields).ok())
            .unwrap_or_default()
    };
    let union = set(ours).union(&set(other));
    ours["fieldsV1"] = union.to_value();
}

/// The JSON patch that moves all entries of the managed fields to a version; `None` if they are there.
pub(crate) fn migration_patch(live: &Value, api_version: &str) -> Option<Value> {
    let mut moved = entries(live).to_vec();
    let mut is_changed = false;
    for entry in &mut moved {
        if entry.get("apiVersion").and_then(Value::as_str) != Some(api_version) {
            entry["apiVersion"] = api_version.into();
            is_changed = true;
        }
    }
    let replacement = json!({"op": "replace", "path": "/metadata/managedFields", "value": moved});
    guarded(
        live,
        if is_changed {
            vec![replacement]
        } else {
            Vec::new()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn entry(manager: &str, operation: &str, subresource: &str, fields: Value) -> Value {
        let mut entry = json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields});
        if !subresource.is_empty() {
            entry["subresource"] = subresource.into();
        }
        entry
    }

    fn check(fields: Vec<Value>, expected: Option<Vec<Value>>) {
        let live = json!({"metadata": {"resourceVersion": "7", "managedFields": fields}});
        let cleanup = Options::for_kustomizations(&["rancher".to_owned()]).cleanup;
        let patch = cleanup_patch(&live, &cleanup, "kustomize-controller");
        let expected = expected.map(|entries| {
            json!([{"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "replace", "path": "/metadata/managedFields", "value": entries}])
        });
        assert_eq!(patch, expected);
    }

    #[test]
    fn fields_of_kubectl_become_ours() {
        let ours = |fields: Value| entry("kustomize-controller", "Apply", "", fields);
        let (a, b) = (json!({"f:a": {}}), json!({"f:b": {"f:c": {}}}));
        let both = json!({"f:a": {}, "f:b": {"f:c": {}}});
        let status = entry("kubectl", "Update", "status", a.clone());
        let other = entry("helm", "Update", "", a.clone());
        for manager in [
            "kubectl-client-side-apply",
            "kubectl-edit",
            "before-first-apply",
            "kustomize-controller",
            "rancher",
        ] {
            let theirs = entry(manager, "Update", "", b.clone());
            check(vec![theirs.clone()], Some(vec![ours(b.clone())]));
            check(
                vec![ours(a.clone()), other.clone(), theirs, status.clone()],
                Some(vec![other.clone(), status.clone(), ours(both.clone())]),
            );
        }
        check(vec![ours(a.clone()), other, status], None);
        check(
            vec![entry("kubectl", "Apply", "", b.clone())],
            Some(vec![ours(b)]),
        );
        check(vec![entry("before-first-apply", "Apply", "", a)], None);
    }

    #[test]
    fn annotations_and_labels_of_others_go() {
        let live = json!({"metadata": {"resourceVersion": "7",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"}, "labels": {"fluxcd.io/sync-gc-mark": "x"}}});
        let cleanup = Options::for_kustomizations(&[]).cleanup;
        let patch = cleanup_patch(&live, &cleanup, "kustomize-controller").unwrap();
        assert_eq!(
            patch[1],
            json!({"op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"})
        );
        assert_eq!(
            patch[2],
            json!({"op": "remove", "path": "/metadata/labels/fluxcd.io~1sync-gc-mark"})
        );
        assert_eq!(patch.as_array().unwrap().len(), 3);
    }

    #[test]
    fn entries_are_moved_to_a_version() {
        let live = json!({"metadata": {"resourceVersion": "7", "managedFields": [entry("x", "Update", "status", json!({}))]}});
        assert_eq!(migration_patch(&live, "v1"), None);
        let patch = migration_patch(&live, "v2").unwrap();
        assert_eq!(patch[1]["value"][0]["apiVersion"], "v2");
    }
}
