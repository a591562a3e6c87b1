//! Fields that are left to others: `spec.ignore` of a Kustomization, `spec.driftDetection.ignore` of a HelmRelease.
//!
//! Source: fluxcd/pkg, `ssa/jsondiff/selector.go` and `ssa/manager_apply.go`.

use std::sync::Arc;

use api::meta::{IgnoreRule, Selector};
use object::selector::LabelSelector;
use object::{GroupVersionKind, Value, meta};
use regex::Regex;

use crate::pointer;

/// Why a rule cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A pattern is no regular expression.
    #[error("invalid {part} regex: {source}")]
    Regex {
        /// The part of the selector.
        part: &'static str,
        /// What is wrong with it.
        source: Box<regex::Error>,
    },
    /// A selector over labels or annotations cannot be read.
    #[error("invalid {part} selector: {message}")]
    Selector {
        /// Which of the two.
        part: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

/// Rules, ready to be used.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules(Arc<Vec<Rule>>);

#[derive(Debug)]
struct Rule {
    target: Target,
    paths: Vec<String>,
}

/// Which objects a rule is for; what is not set matches all.
#[derive(Debug, Default)]
struct Target {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Option<LabelSelector>,
    annotations: Option<LabelSelector>,
}

impl IgnoreRules {
    /// Makes rules of those of a spec.
    ///
    /// # Errors
    /// A selector cannot be read.
    pub fn new(rules: &[IgnoreRule]) -> Result<Self, RuleError> {
        let compile = |rule: &IgnoreRule| {
            Ok(Rule {
                target: match &rule.target {
                    Some(selector) => Target::new(selector)?,
                    None => Target::default(),
                },
                paths: rule.paths.clone(),
            })
        };
        let rules: Result<Vec<Rule>, RuleError> = rules.iter().map(compile).collect();
        Ok(Self(Arc::new(rules?)))
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields of an object that are ignored.
    pub fn paths_of(&self, object: &Value) -> Vec<&str> {
        let rules = self.0.iter().filter(|rule| rule.target.matches(object));
        rules
            .flat_map(|rule| rule.paths.iter().map(String::as_str))
            .collect()
    }
}

impl Target {
    fn new(selector: &Selector) -> Result<Self, RuleError> {
        Ok(Self {
            group: pattern("group", selector.group.as_deref())?,
            version: pattern("version", selector.version.as_deref())?,
            kind: pattern("kind", selector.kind.as_deref())?,
            name: pattern("name", selector.name.as_deref())?,
            namespace: pattern("namespace", selector.namespace.as_deref())?,
            labels: labels("label", selector.label_selector.as_deref())?,
            annotations: labels("annotation", selector.annotation_selector.as_deref())?,
        })
    }

    fn matches(&self, object: &Value) -> bool {
        let gvk = GroupVersionKind::of(object);
        let is = |pattern: &Option<Regex>, text: &str| {
            pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(text))
        };
        let selects = |selector: &Option<LabelSelector>, pointer: &str| {
            let map = object.pointer(pointer);
            selector
                .as_ref()
                .is_none_or(|selector| selector.matches(&map))
        };
        is(&self.group, &gvk.group)
            && is(&self.version, &gvk.version)
            && is(&self.kind, &gvk.kind)
            && is(&self.name, meta::name(object))
            && is(&self.namespace, meta::namespace(object))
            && selects(&self.labels, "/metadata/labels")
            && selects(&self.annotations, "/metadata/annotations")
    }
}

fn pattern(part: &'static str, text: Option<&str>) -> Result<Option<Regex>, RuleError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let compiled = Regex::new(&format!("^(?:{text})$"));
    compiled.map(Some).map_err(|source| RuleError::Regex {
        part,
        source: Box::new(source),
    })
}

fn labels(part: &'static str, text: Option<&str>) -> Result<Option<LabelSelector>, RuleError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let parsed = LabelSelector::parse(text);
    parsed.map(Some).map_err(|error| RuleError::Selector {
        part,
        message: error.to_string(),
    })
}

/// Takes the ignored fields out of a manifest that differ between the live object and what a dry run made of it: those
/// that another one applies are removed, the others get the live value, so that applying changes neither.
pub(crate) fn resolve(
    manifest: &mut Value,
    live: &Value,
    dry_run: &Value,
    paths: &[&str],
    manager: &str,
) {
    let entries = applied_by_others(live, manager);
    let mut adopt = Vec::new();
    let mut strip = Vec::new();
    for path in paths {
        let (now, then) = (lookup(live, path), lookup(dry_run, path));
        if now == then {
            continue;
        }
        if is_owned(live, path, &entries) {
            strip.push(*path);
        } else {
            adopt.push((*path, now.cloned().unwrap_or(Value::Null)));
        }
    }
    for path in strip {
        pointer::remove(manifest, path);
    }
    for (path, value) in adopt {
        pointer::replace(manifest, path, value);
    }
}

fn lookup<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    if path.starts_with('/') {
        object.pointer(path)
    } else {
        None
    }
}

/// The fields of each manager that applies, as FieldsV1; ours are marked.
struct Applied<'a> {
    is_ours: bool,
    fields: &'a Value,
}

fn applied_by_others<'a>(live: &'a Value, manager: &str) -> Vec<Applied<'a>> {
    let entries = live
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    let text =
        |entry: &'a Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    entries
        .into_iter()
        .flatten()
        .filter(|entry| {
            text(entry, "operation") == "Apply" && text(entry, "subresource").is_empty()
        })
        .filter_map(|entry| {
            Some(Applied {
                is_ours: text(entry, "manager") == manager,
                fields: entry.get("fieldsV1")?,
            })
        })
        .collect()
}

/// Whether another manager applies the field at `path`.
fn is_owned(live: &Value, path: &str, entries: &[Applied<'_>]) -> bool {
    let Some(segments) = segments(live, path, entries) else {
        // It cannot be found in the managed fields: nobody else owns it.
        return false;
    };
    entries.iter().filter(|entry| !entry.is_ours).any(|entry| {
        segments
            .iter()
            .try_fold(entry.fields, |fields, segment| fields.get(segment))
            .is_some()
    })
}

/// A JSON pointer as steps in FieldsV1; an index in a list becomes the key that the managed fields have for the item.
fn segments(live: &Value, path: &str, entries: &[Applied<'_>]) -> Option<Vec<String>> {
    let mut segments: Vec<String> = Vec::new();
    let mut value = Some(live);
    for part in pointer::parts(path)? {
        if let Ok(index) = part.parse::<usize>() {
            let item = value?.as_array()?.get(index)?;
            segments.push(item_key(item, &segments, entries)?);
            value = Some(item);
        } else {
            value = value.and_then(|value| value.get(&part));
            segments.push(format!("f:{part}"));
        }
    }
    Some(segments)
}

fn item_key(item: &Value, parents: &[String], entries: &[Applied<'_>]) -> Option<String> {
    let fields = item.as_object()?;
    entries.iter().find_map(|entry| {
        let parent = parents
            .iter()
            .try_fold(entry.fields, |fields, segment| fields.get(segment))?;
        let keys = parent.as_object()?.keys();
        keys.filter(|key| key.starts_with("k:"))
            .find(|key| {
                let wanted: Option<object::Map<String, Value>> =
                    serde_json::from_str(&key[2..]).ok();
                wanted.is_some_and(|wanted| {
                    wanted
                        .iter()
                        .all(|(name, value)| fields.get(name) == Some(value))
                })
            })
            .cloned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(value: Value) -> Result<IgnoreRules, RuleError> {
        IgnoreRules::new(&serde_json::from_value::<Vec<IgnoreRule>>(value).unwrap())
    }

    #[test]
    fn rules_select_objects() {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "apps", "labels": {"a": "b"}, "annotations": {"c": "d"}}});
        for (target, matches) in [
            (json!({}), true),
            (json!({"kind": "Deploy"}), false),
            (
                json!({"kind": "Deploy.*", "group": "apps", "version": "v1"}),
                true,
            ),
            (json!({"name": "w|web", "namespace": "apps"}), true),
            (
                json!({"labelSelector": "a=b", "annotationSelector": "c in (d)"}),
                true,
            ),
            (json!({"labelSelector": "a!=b"}), false),
        ] {
            let rules = rules(json!([{"paths": ["/spec/replicas"], "target": target}])).unwrap();
            assert_eq!(
                rules.paths_of(&deployment).len(),
                usize::from(matches),
                "{target}"
            );
        }
        let all = rules(json!([{"paths": ["/a"]}, {"paths": ["/b", "/c"]}])).unwrap();
        assert_eq!(all.paths_of(&deployment), ["/a", "/b", "/c"]);
        let error = rules(json!([{"paths": ["/a"], "target": {"kind": "("}}])).unwrap_err();
        assert!(
            error.to_string().starts_with("invalid kind regex: "),
            "{error}"
        );
        let error =
            rules(json!([{"paths": ["/a"], "target": {"labelSelector": "a in"}}])).unwrap_err();
        assert!(
            error.to_string().starts_with("invalid label selector: "),
            "{error}"
        );
    }

    #[test]
    fn fields_are_stripped_or_adopted() {
        let live = json!({"spec": {"replicas": 5, "containers": [{"name": "a", "image": "new"}, {"name": "b", "image": "new"}]},
        "metadata": {"managedFields": [
            {"manager": "kustomize-controller", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:containers": {"k:{\"name\":\"a\"}": {"f:image": {}}, "k:{\"name\":\"b\"}": {"f:image": {}}}}}},
            {"manager": "other", "operation": "Apply", "fieldsV1": {"f:spec": {"f:containers": {"k:{\"name\":\"b\"}": {"f:image": {}}}}}},
            {"manager": "hpa", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        ]}});
        let manifest = json!({"spec": {"replicas": 2, "same": 1, "containers": [{"name": "a", "image": "old"}, {"name": "b", "image": "old"}]}});
        let mut applied = manifest.clone();
        let paths = [
            "/spec/replicas",
            "/spec/same",
            "/spec/containers/0/image",
            "/spec/containers/1/image",
        ];
        let mut dry_run = manifest.clone();
        dry_run["spec"]["same"] = Value::Null;
        resolve(
            &mut applied,
            &live,
            &manifest,
            &paths,
            "kustomize-controller",
        );
        assert_eq!(
            applied,
            json!({"spec": {"replicas": 5, "same": null, "containers": [{"name": "a", "image": "new"}, {"name": "b"}]}})
        );
    }
}
