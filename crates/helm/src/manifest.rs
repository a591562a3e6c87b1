//! Rendered texts as manifests and hooks, in the order of installation.
//! Source: Helm 4.2 `pkg/release/v1/util`.

use std::collections::BTreeMap;

use gotemplate::unicode::is_space;
use serde_json::Value as Json;

use crate::values::string_form;
use crate::{Compat, parallel};

/// The annotation that makes a manifest a hook.
const HOOK: &str = "helm.sh/hook";
/// The annotation with a hook's weight.
const HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// The annotation that says when a hook's object is deleted.
const HOOK_DELETE: &str = "helm.sh/hook-delete-policy";
/// The annotation that says when a hook's output is shown.
const HOOK_OUTPUT: &str = "helm.sh/hook-output-log-policy";

/// Kinds that Helm 3 has no place for.
const SINCE_V4: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// The order of kinds for installing.
const INSTALL_ORDER: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// The order of kinds for deleting.
const UNINSTALL_ORDER: [&str; 38] = [
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "Ingress",
    "IngressClass",
    "Service",
    "CronJob",
    "Job",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "DaemonSet",
    "RoleBindingList",
    "RoleBinding",
    "RoleList",
    "Role",
    "ClusterRoleBindingList",
    "ClusterRoleBinding",
    "ClusterRoleList",
    "ClusterRole",
    "CustomResourceDefinition",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "ConfigMap",
    "SecretList",
    "Secret",
    "ServiceAccount",
    "PodDisruptionBudget",
    "PodSecurityPolicy",
    "LimitRange",
    "ResourceQuota",
    "NetworkPolicy",
    "Namespace",
    "PriorityClass",
];

/// The hooks there are, with an old name for one.
const EVENTS: [&str; 10] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

/// In which order manifests are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// For installing.
    Install,
    /// For deleting: much the other way round.
    Uninstall,
}

impl Order {
    /// The place of a kind; `None` for those that come last, by name.
    fn rank(self, kind: &str, compat: Compat) -> Option<usize> {
        if compat.is_v3() && SINCE_V4.contains(&kind) {
            return None;
        }
        let kinds: &[&str] = match self {
            Order::Install => &INSTALL_ORDER,
            Order::Uninstall => &UNINSTALL_ORDER,
        };
        kinds.iter().position(|known| *known == kind)
    }
}

/// An object to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The template it came from.
    pub path: String,
    /// Its text.
    pub content: String,
    /// Its kind.
    pub kind: String,
    /// Its `apiVersion`.
    pub api_version: String,
}

/// An object that is applied at certain moments only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The name of the object.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The template it came from.
    pub path: String,
    /// Its text.
    pub manifest: String,
    /// The moments.
    pub events: Vec<String>,
    /// Its place among the hooks of a moment.
    pub weight: i64,
    /// When it is deleted.
    pub delete_policies: Vec<String>,
    /// When its output is shown.
    pub output_log_policies: Vec<String>,
}

impl Hook {
    /// Whether it is a test.
    pub fn is_test(&self) -> bool {
        self.events.iter().any(|event| event == "test")
    }
}

/// Rendered texts sorted out.
#[derive(Clone, Debug, Default)]
pub struct Sorted {
    /// The hooks.
    pub hooks: Vec<Hook>,
    /// All else.
    pub manifests: Vec<Manifest>,
}

/// The documents of a text, split at lines that begin with `---`. Source: Helm `SplitManifests`.
///
/// In Helm 4 a document keeps the white space at its end.
pub fn split(text: &str, compat: Compat) -> Vec<&str> {
    if compat.is_v3() {
        return split_v3(text.trim_matches(is_space));
    }
    let text = text.trim_start_matches(is_space);
    let mut documents = Vec::new();
    let mut start = 0;
    let mut line_start = 0;
    let bytes = text.as_bytes();
    loop {
        if bytes[line_start..].starts_with(b"---") {
            documents.push(&text[start..line_start]);
            // What follows the marks is the next document, also on the same line.
            start = line_start + 3;
        }
        match memchr::memchr(b'\n', &bytes[line_start..]) {
            Some(length) => line_start += length + 1,
            None => break,
        }
    }
    documents.push(&text[start..]);
    documents
        .into_iter()
        .map(|document| document.trim_start_matches(is_space))
        .filter(|document| !document.is_empty())
        .collect()
}

/// As Helm 3 splits: at `(?:^|\s*\n)---\s*`, where one match may take the line end that the next would need.
fn split_v3(text: &str) -> Vec<&str> {
    let is_blank = |char: char| matches!(char, '\t' | '\n' | '\x0c' | '\r' | ' ');
    let mut documents = Vec::new();
    let mut start = 0;
    let after = |marks: usize| {
        let rest = &text[marks + 3..];
        text.len() - rest.trim_start_matches(is_blank).len()
    };
    if text.starts_with("---") {
        start = after(0);
        documents.push("");
    }
    while let Some(at) = text[start..].find("\n---") {
        documents.push(text[start..start + at].trim_end_matches(is_blank));
        start = after(start + at + 1);
    }
    documents.push(&text[start..]);
    documents.retain(|document| !document.is_empty());
    documents
        .into_iter()
        .map(|document| document.trim_matches(is_space))
        .collect()
}

/// Sorts the texts of templates into hooks and manifests. The error is Helm's text.
///
/// Source: Helm `SortManifests`.
pub fn sort(
    files: &BTreeMap<String, String>,
    order: Order,
    compat: Compat,
) -> Result<Sorted, String> {
    let mut documents = Vec::new();
    for (path, content) in files {
        let base = path.rsplit('/').next().unwrap_or_default();
        if !base.starts_with('_') {
            let parts = split(content, compat).into_iter();
            documents.extend(parts.map(|document| (path.as_str(), document)));
        }
    }
    let total = documents.iter().map(|(_, text)| text.len()).sum();
    let heads = parallel::map(&documents, total, |(_, text)| Head::of(text, compat));
    let mut sorted = Sorted::default();
    for ((path, document), head) in documents.into_iter().zip(heads) {
        let head = head.map_err(|error| format!("YAML parse error on {path}: {error}"))?;
        add(&mut sorted, path, document, head);
    }
    let key = |kind: &str| match order.rank(kind, compat) {
        Some(rank) => (0, rank, String::new()),
        None => (1, 0, kind.to_owned()),
    };
    sorted.hooks.sort_by_cached_key(|hook| key(&hook.kind));
    sorted
        .manifests
        .sort_by_cached_key(|manifest| key(&manifest.kind));
    Ok(sorted)
}

/// The error of Go's decoder for a part that is not what it should be.
fn mismatch(value: &Json, place: &str, wanted: &str) -> String {
    let got = crate::values::json_kind(&crate::values::from_json(value));
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {got} into Go {place} of type {wanted}"
    )
}

fn field(object: &Json, key: &str) -> Result<String, String> {
    match object.get(key) {
        None => Ok(String::new()),
        Some(value) => string_form(value)
            .ok_or_else(|| mismatch(value, &format!("struct field SimpleHead.{key}"), "string")),
    }
}

/// What of a manifest decides where it goes: Helm's `SimpleHead`.
struct Head {
    kind: String,
    api_version: String,
    name: String,
    annotations: BTreeMap<String, String>,
}

impl Head {
    fn of(document: &str, compat: Compat) -> Result<Head, String> {
        let head = crate::values::read_json(document.as_bytes())?;
        if !head.is_object() && !head.is_null() {
            let wanted = if compat.is_v3() {
                "releaseutil.SimpleHead"
            } else {
                "util.SimpleHead"
            };
            return Err(mismatch(&head, "value", wanted));
        }
        let kind = field(&head, "kind")?;
        let api_version = field(&head, "apiVersion")?;
        let metadata = head.get("metadata").unwrap_or(&Json::Null);
        if !metadata.is_object() && !metadata.is_null() {
            return Err(mismatch(
                metadata,
                "struct field SimpleHead.metadata",
                "struct",
            ));
        }
        let name = field(metadata, "name")?;
        let mut annotations = BTreeMap::new();
        match metadata.get("annotations") {
            None | Some(Json::Null) => {}
            Some(Json::Object(entries)) => {
                for (key, value) in entries {
                    let text = string_form(value).ok_or_else(|| {
                        mismatch(value, "struct field .metadata.annotations", "string")
                    })?;
                    annotations.insert(key.clone(), text);
                }
            }
            Some(value) => {
                return Err(mismatch(
                    value,
                    "struct field .metadata.annotations",
                    "map[string]string",
                ));
            }
        }
        Ok(Head {
            kind,
            api_version,
            name,
            annotations,
        })
    }
}

fn add(sorted: &mut Sorted, path: &str, document: &str, head: Head) {
    let Head {
        kind,
        api_version,
        name,
        annotations,
    } = head;
    let Some(hooks) = annotations.get(HOOK) else {
        sorted.manifests.push(Manifest {
            path: path.to_owned(),
            content: document.to_owned(),
            kind,
            api_version,
        });
        return;
    };
    let list = |text: &str| -> Vec<String> {
        text.split(',')
            .map(|part| part.trim().to_lowercase())
            .collect()
    };
    let mut events = list(hooks);
    if !events.iter().all(|event| EVENTS.contains(&event.as_str())) {
        return;
    }
    for event in &mut events {
        if event == "test-success" {
            "test".clone_into(event);
        }
    }
    sorted.hooks.push(Hook {
        name,
        kind,
        path: path.to_owned(),
        manifest: document.to_owned(),
        events,
        weight: annotations
            .get(HOOK_WEIGHT)
            .and_then(|weight| weight.parse().ok())
            .unwrap_or(0),
        delete_policies: annotations
            .get(HOOK_DELETE)
            .map(|policies| list(policies))
            .unwrap_or_default(),
        output_log_policies: annotations
            .get(HOOK_OUTPUT)
            .map(|policies| list(policies))
            .unwrap_or_default(),
    });
}
