//! One operation on objects, as version 3 describes it.

use object::{GroupVersionKind, Map, Value};
use serde_json::json;

use super::Form;
use crate::prose::prose;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reads an object.
    Get,
    /// Reads many.
    List,
    /// Creates one.
    Post,
    /// Replaces one.
    Put,
    /// Changes one.
    Patch,
    /// Deletes one.
    Delete,
    /// Deletes many.
    DeleteCollection,
    /// Watches one, by a path of its own.
    Watch,
    /// Watches many, by a path of its own.
    WatchList,
}

impl Action {
    /// The HTTP method, as the key of a path.
    pub fn method(self) -> &'static str {
        match self {
            Self::Get | Self::List | Self::Watch | Self::WatchList => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete | Self::DeleteCollection => "delete",
        }
    }

    /// The `x-kubernetes-action`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Watch => "watch",
            Self::WatchList => "watchlist",
        }
    }

    /// The action of that [`Action::name`].
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::Get,
            Self::List,
            Self::Post,
            Self::Put,
            Self::Patch,
            Self::Delete,
            Self::DeleteCollection,
            Self::Watch,
            Self::WatchList,
        ]
        .into_iter()
        .find(|action| action.name() == name)
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Get => "read",
            Self::List => "list",
            Self::Post => "create",
            Self::Put => "replace",
            Self::Patch => "patch",
            Self::Delete | Self::DeleteCollection => "delete",
            Self::Watch | Self::WatchList => "watch",
        }
    }
}

/// Where operations are: a path of a resource or a subresource.
#[derive(Debug, Clone)]
pub struct Endpoint<'a> {
    /// The path, with `{namespace}` and `{name}`.
    pub path: &'a str,
    /// The group under which it is served.
    pub group: &'a str,
    /// The version under which it is served.
    pub version: &'a str,
    /// The kind of the resource.
    pub kind: &'a str,
    /// The kind of what is read and written here.
    pub object_kind: &'a GroupVersionKind,
    /// The subresource; empty for the objects themselves.
    pub subresource: &'a str,
    /// The name of the schema of what is read and written here.
    pub schema: &'a str,
    /// The name of the schema of lists.
    pub list_schema: &'a str,
    /// Whether it is built in: it speaks protobuf and strategic merge patches.
    pub is_builtin: bool,
    /// Whether lists can be watched.
    pub can_watch: bool,
    /// Whether this is the list of objects of all namespaces.
    pub is_across: bool,
}

/// A group in a tag or an operation's name: `rbac.authorization.k8s.io` → `rbacAuthorization`.
pub(super) fn group_word(group: &str) -> String {
    let short = group.strip_suffix(".k8s.io").unwrap_or(group);
    let mut word = String::new();
    for (index, part) in short.split(['.', '-']).enumerate() {
        word.push_str(&if index == 0 {
            part.to_owned()
        } else {
            capital(part)
        });
    }
    if word.is_empty() {
        "core".to_owned()
    } else {
        word
    }
}

pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + characters.as_str()
    })
}

/// A noun with its article; plurals have none.
fn with_article(noun: &str) -> String {
    if noun.ends_with('s') && !noun.ends_with("ss") {
        return noun.to_owned();
    }
    let vowel = noun.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("{}{name}", Form::V3.prefix())})
}

/// A parameter of version 3.
pub(super) fn parameter(place: &str, name: &str, kind: &str, text: Option<&str>) -> Value {
    let mut parameter = json!({
        "name": name,
        "in": place,
        "schema": {"type": kind, "uniqueItems": true},
    });
    if let Some(text) = text {
        parameter["description"] = Value::from(text);
    }
    if place == "path" {
        parameter["required"] = Value::Bool(true);
    }
    parameter
}

const LIST: [(&str, &str); 10] = [
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];
const DELETE: [(&str, &str); 5] = [
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    (
        "ignoreStoreReadErrorWithClusterBreakingPotential",
        "boolean",
    ),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
];
const WRITE: [(&str, &str); 3] = [
    ("dryRun", "string"),
    ("fieldManager", "string"),
    ("fieldValidation", "string"),
];

impl Endpoint<'_> {
    /// A path with its operations; the parameters that all of them have stand beside them.
    pub fn item(&self, actions: &[Action]) -> Value {
        let mut item = Map::new();
        let mut all: Vec<Vec<Value>> = Vec::new();
        for action in actions {
            item.insert(action.method().to_owned(), self.operation(*action));
            all.push(self.parameters(*action));
        }
        let shared: Vec<Value> = all
            .first()
            .into_iter()
            .flatten()
            .filter(|parameter| all.iter().all(|own| own.contains(parameter)))
            .cloned()
            .collect();
        for (action, own) in actions.iter().zip(all) {
            let own: Vec<Value> = own
                .into_iter()
                .filter(|parameter| !shared.contains(parameter))
                .collect();
            if !own.is_empty() {
                item[action.method()]["parameters"] = Value::from(own);
            }
        }
        if !shared.is_empty() {
            item.insert("parameters".to_owned(), shared.into());
        }
        Value::Object(item)
    }

    fn parameters(&self, action: Action) -> Vec<Value> {
        let mut wanted: Vec<(&str, &str)> = match action {
            Action::List | Action::Watch | Action::WatchList => LIST.to_vec(),
            Action::Delete => DELETE.to_vec(),
            Action::DeleteCollection => {
                let list = LIST
                    .into_iter()
                    .filter(|(name, _)| !matches!(*name, "watch" | "allowWatchBookmarks"));
                DELETE.into_iter().chain(list).collect()
            }
            Action::Post | Action::Put => WRITE.to_vec(),
            Action::Patch => {
                let mut wanted = WRITE.to_vec();
                wanted.push(("force", "boolean"));
                wanted
            }
            Action::Get => Vec::new(),
        };
        wanted.push(("pretty", "string"));
        let options = format!("{META}.DeleteOptions");
        let mut parameters: Vec<Value> = wanted
            .into_iter()
            .map(|(name, kind)| parameter("query", name, kind, prose().of_field(&options, name)))
            .collect();
        parameters.extend(path_parameters(self.path, self.object_kind.kind.as_str()));
        parameters.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
        parameters
    }

    /// The operation's name, such as `listAppsV1NamespacedDeployment`.
    fn id(&self, action: Action) -> String {
        let is_namespaced = self.path.contains("{namespace}");
        [
            action.verb(),
            &capital(&group_word(self.group)),
            &capital(self.version),
            if action == Action::DeleteCollection {
                "Collection"
            } else {
                ""
            },
            if is_namespaced { "Namespaced" } else { "" },
            self.kind,
            &capital(self.subresource),
            if action == Action::WatchList {
                "List"
            } else {
                ""
            },
            if self.is_across {
                "ForAllNamespaces"
            } else {
                ""
            },
        ]
        .concat()
    }

    fn text(&self, action: Action) -> String {
        const INSTEAD: &str = "deprecated: use the 'watch' parameter with a list operation instead";
        let kind = self.kind;
        let of = if self.subresource.is_empty() {
            String::new()
        } else {
            format!("{} of ", self.subresource)
        };
        match action {
            Action::Get => format!("read {of}the specified {kind}"),
            Action::List if self.can_watch => format!("list or watch objects of kind {kind}"),
            Action::List => format!("list objects of kind {kind}"),
            Action::Post => format!("create {of}{}", with_article(kind)),
            Action::Put => format!("replace {of}the specified {kind}"),
            Action::Patch => format!("partially update {of}the specified {kind}"),
            Action::Delete => format!("delete {of}{}", with_article(kind)),
            Action::DeleteCollection => format!("delete collection of {kind}"),
            Action::Watch => format!(
                "watch changes to an object of kind {kind}. {INSTEAD}, filtered to a single item with the 'fieldSelector' parameter."
            ),
            Action::WatchList => {
                format!("watch individual changes to a list of {kind}. {INSTEAD}.")
            }
        }
    }

    fn operation(&self, action: Action) -> Value {
        let answer = match action {
            Action::List => self.list_schema.to_owned(),
            Action::Watch | Action::WatchList => format!("{META}.WatchEvent"),
            Action::DeleteCollection => format!("{META}.Status"),
            // Deleting a resource that is kept on for a while answers with the object.
            Action::Delete if !self.answers_status_on_delete() => self.schema.to_owned(),
            Action::Delete => format!("{META}.Status"),
            _ => self.schema.to_owned(),
        };
        let codes: &[(&str, &str)] = match action {
            Action::Post => &[("200", "OK"), ("201", "Created"), ("202", "Accepted")],
            Action::Put | Action::Patch => &[("200", "OK"), ("201", "Created")],
            Action::Delete => &[("200", "OK"), ("202", "Accepted")],
            _ => &[("200", "OK")],
        };
        let content = self.content(action, &answer);
        let mut responses = Map::new();
        for (code, text) in codes {
            responses.insert(
                (*code).to_owned(),
                json!({"description": text, "content": content}),
            );
        }
        responses.insert("401".to_owned(), json!({"description": "Unauthorized"}));
        let tag = format!("{}_{}", group_word(self.group), self.version);
        let kind = self.object_kind;
        let mut operation = json!({
            "tags": [tag],
            "description": self.text(action),
            "operationId": self.id(action),
            "responses": responses,
            "x-kubernetes-action": action.name(),
            "x-kubernetes-group-version-kind": {
                "group": kind.group, "version": kind.version, "kind": kind.kind,
            },
        });
        if let Some(body) = self.body(action) {
            operation["requestBody"] = body;
        }
        operation
    }

    /// Pods, services and some others are answered as they were; the rest gives a status.
    fn answers_status_on_delete(&self) -> bool {
        !matches!(
            (self.group, self.kind),
            (
                "",
                "Pod"
                    | "PersistentVolume"
                    | "PersistentVolumeClaim"
                    | "PodTemplate"
                    | "ResourceQuota"
                    | "Service"
                    | "ServiceAccount"
            ) | (
                "storage.k8s.io",
                "CSINode"
                    | "StorageClass"
                    | "VolumeAttachment"
                    | "CSIDriver"
                    | "VolumeAttributesClass"
            ) | ("resource.k8s.io", _)
        )
    }

    fn content(&self, action: Action, answer: &str) -> Value {
        let mut types = vec!["application/json", "application/yaml"];
        let is_stream = matches!(action, Action::Watch | Action::WatchList)
            || action == Action::List && self.can_watch && self.is_builtin;
        if self.is_builtin {
            types.push("application/vnd.kubernetes.protobuf");
        }
        if is_stream || action == Action::List && self.is_builtin {
            types.push("application/json;stream=watch");
            types.push("application/vnd.kubernetes.protobuf;stream=watch");
        }
        let content: Map<String, Value> = types
            .into_iter()
            .map(|media_type| (media_type.to_owned(), json!({"schema": reference(answer)})))
            .collect();
        Value::Object(content)
    }

    fn body(&self, action: Action) -> Option<Value> {
        let any = |schema: &str| json!({"*/*": {"schema": reference(schema)}});
        match action {
            Action::Post | Action::Put => {
                Some(json!({"content": any(self.schema), "required": true}))
            }
            Action::Delete | Action::DeleteCollection => {
                Some(json!({"content": any(&format!("{META}.DeleteOptions"))}))
            }
            Action::Patch => {
                let patch = json!({"schema": reference(&format!("{META}.Patch"))});
                let mut content = json!({
                    "application/apply-patch+yaml": patch,
                    "application/json-patch+json": patch,
                    "application/merge-patch+json": patch,
                });
                if self.is_builtin {
                    content["application/strategic-merge-patch+json"] = patch.clone();
                }
                Some(json!({"content": content, "required": true}))
            }
            _ => None,
        }
    }
}

/// The parameters that stand in braces in a path.
pub(super) fn path_parameters(path: &str, kind: &str) -> Vec<Value> {
    let name = format!("name of the {kind}");
    let mut parameters = Vec::new();
    for (placeholder, text) in [
        ("name", name.as_str()),
        (
            "namespace",
            "object name and auth scope, such as for teams and projects",
        ),
        ("path", "path to the resource"),
    ] {
        if path.contains(&format!("{{{placeholder}}}")) {
            parameters.push(parameter("path", placeholder, "string", Some(text)));
        }
    }
    parameters
}
