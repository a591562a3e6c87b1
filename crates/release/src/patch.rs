//! Client-side apply: the patch that leads from what was applied, by what is there, to what is wanted.
//!
//! Source: Helm `kube.Client.createPatch`.

use std::collections::BTreeSet;

use builtin::definitions::patch_types;
use object::strategic;
use serde_json::{Value, json};

use crate::cluster::Content;
use crate::error::ActionError;
use crate::objects::Object;

/// The patch for `target`; none if there is nothing to change.
///
/// Custom objects are compared with what was applied alone, as Helm 3 does, unless `three_way`.
pub(crate) fn create(
    original: &Value,
    target: &Object,
    live: &Value,
    three_way: bool,
) -> Result<Option<(Content, Value)>, ActionError> {
    let failed = |error: &dyn std::fmt::Display| {
        ActionError::Invalid(format!("failed to create patch: {error}"))
    };
    let empty = serde_json::Map::new();
    let map = |value: &Value| value.as_object().unwrap_or(&empty).clone();
    let (content, patch) = match patch_types().kind(&target.resource.gvk) {
        Some(schema) => {
            let patch = strategic::create_three_way(
                map(original),
                &map(&target.value),
                map(live),
                schema,
                true,
                &[],
            )
            .map_err(|error| failed(&error))?;
            (Content::Strategic, Value::Object(patch))
        }
        None if three_way => {
            let patch = object::merge_patch::create_three_way(original, &target.value, live, &[])
                .map_err(|error| failed(&error))?;
            (Content::Merge, patch)
        }
        None => {
            let patch = object::merge_patch::create(original, &target.value)
                .map_err(|error| failed(&error))?;
            (Content::Merge, patch)
        }
    };
    let is_empty = patch.as_object().is_none_or(serde_json::Map::is_empty);
    Ok((!is_empty).then_some((content, patch)))
}

/// The JSON patch by which fields that `manager` owns through updates become those of its server-side apply; none if
/// there are none.
///
/// Source: client-go `csaupgrade.UpgradeManagedFieldsPatch`: the entries are put together, so that a field that is
/// later left out of the configuration is removed.
pub(crate) fn upgrade_manager(live: &Value, manager: &str) -> Option<Value> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    let is = |entry: &Value, operation: &str| {
        entry["manager"] == manager
            && entry["operation"] == operation
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    };
    let updated = entries.iter().find(|entry| is(entry, "Update"))?;
    let mut fields = updated["fieldsV1"].clone();
    if let Some(applied) = entries.iter().find(|entry| is(entry, "Apply")) {
        merge(&mut fields, &applied["fieldsV1"]);
    }
    remove_last_applied(&mut fields);
    let mut upgraded = updated.clone();
    upgraded["operation"] = json!("Apply");
    upgraded["fieldsV1"] = fields;
    let mut kept: Vec<Value> = entries
        .iter()
        .filter(|entry| !is(entry, "Update") && !is(entry, "Apply"))
        .cloned()
        .collect();
    kept.insert(0, upgraded);
    Some(json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": kept},
        {"op": "replace", "path": "/metadata/resourceVersion",
         "value": live["metadata"]["resourceVersion"]},
    ]))
}

/// Adds the fields of `other`.
fn merge(fields: &mut Value, other: &Value) {
    let (Some(fields), Some(other)) = (fields.as_object_mut(), other.as_object()) else {
        return;
    };
    let keys: BTreeSet<&String> = other.keys().collect();
    for key in keys {
        match fields.get_mut(key) {
            Some(own) => merge(own, &other[key]),
            None => {
                fields.insert(key.clone(), other[key].clone());
            }
        }
    }
}

fn remove_last_applied(fields: &mut Value) {
    const LAST: &str = "f:kubectl.kubernetes.io/last-applied-configuration";
    if let Some(annotations) = fields
        .pointer_mut("/f:metadata/f:annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.remove(LAST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_updates_become_those_of_applies() {
        let live = json!({"metadata": {"resourceVersion": "5", "managedFields": [
            {"manager": "helm", "operation": "Update", "apiVersion": "v1",
             "fieldsV1": {"f:data": {"f:a": {}}}},
            {"manager": "helm", "operation": "Apply", "apiVersion": "v1",
             "fieldsV1": {"f:data": {"f:b": {}}}},
            {"manager": "other", "operation": "Update", "fieldsV1": {"f:data": {"f:c": {}}}},
        ]}});
        let patch = upgrade_manager(&live, "helm").unwrap();
        assert_eq!(
            patch[0]["value"],
            json!([
                {"manager": "helm", "operation": "Apply", "apiVersion": "v1",
                 "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}},
                {"manager": "other", "operation": "Update", "fieldsV1": {"f:data": {"f:c": {}}}},
            ])
        );
        assert_eq!(patch[1]["value"], "5");
        assert!(upgrade_manager(&live, "nobody").is_none());
    }
}
