//! Label keys that become part of selectors when a pod is created (`matchLabelKeys`).

use serde_json::{Value, json};

use crate::strategy::edit::{existing, field, items};
use crate::strategy::node::{peek, peek_items};

/// Adds to the selectors of affinities and spread constraints what the pod's own labels say.
pub(crate) fn merge_label_keys(pod: &mut Value) {
    let labels = peek(pod, "metadata.labels").clone();
    let Some(spec) = existing(pod, "spec") else {
        return;
    };
    for affinity in ["affinity.podAffinity", "affinity.podAntiAffinity"] {
        let Some(affinity) = existing(spec, affinity) else {
            continue;
        };
        for term in items(affinity, "preferredDuringSchedulingIgnoredDuringExecution") {
            if let Some(term) = existing(term, "podAffinityTerm") {
                merge(term, &labels);
            }
        }
        for term in items(affinity, "requiredDuringSchedulingIgnoredDuringExecution") {
            merge(term, &labels);
        }
    }
    for constraint in items(spec, "topologySpreadConstraints") {
        merge(constraint, &labels);
    }
}

fn merge(term: &mut Value, labels: &Value) {
    let added: Vec<Value> = [("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")]
        .into_iter()
        .flat_map(|(keys, operator)| {
            peek_items(term, keys)
                .iter()
                .map(move |key| (key, operator))
        })
        .filter_map(|(key, operator)| {
            let value = labels.get(key.as_str()?)?;
            Some(json!({ "key": key, "operator": operator, "values": [value] }))
        })
        .collect();
    if added.is_empty() {
        return;
    }
    let Some(selector) = existing(term, "labelSelector") else {
        return;
    };
    if let Some(expressions) = field(selector, "matchExpressions") {
        if expressions.is_null() {
            *expressions = Value::Array(Vec::new());
        }
        if let Some(list) = expressions.as_array_mut() {
            list.extend(added);
        }
    }
}
