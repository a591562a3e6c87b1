//! The parameters of operations.

use serde_json::{Value, json};

use super::OpenApi;

/// A parameter in a path or a query.
pub(super) struct Parameter {
    pub(super) name: String,
    in_path: bool,
    kind: &'static str,
    description: String,
}

/// Name, type and description of what the options of requests allow.
const OPTIONS: [(&str, &str, &str); 18] = [
    (
        "allowWatchBookmarks",
        "boolean",
        "Whether a watch may be sent bookmarks.",
    ),
    (
        "continue",
        "string",
        "Where to go on with a list, as an earlier answer gave it.",
    ),
    ("dryRun", "string", "With All, nothing is stored."),
    (
        "fieldManager",
        "string",
        "The name of the actor that makes the changes, of at most 128 characters. Required to apply.",
    ),
    ("fieldSelector", "string", "Restricts the list by fields."),
    (
        "fieldValidation",
        "string",
        "What to do about unknown and repeated fields: Ignore, Warn or Strict.",
    ),
    (
        "force",
        "boolean",
        "Whether applying takes fields from other managers. Only to apply.",
    ),
    (
        "gracePeriodSeconds",
        "integer",
        "Seconds before the object is deleted; zero deletes at once.",
    ),
    (
        "ignoreStoreReadErrorWithClusterBreakingPotential",
        "boolean",
        "Deletes an object that cannot be read from storage, without regard to finalizers.",
    ),
    ("labelSelector", "string", "Restricts the list by labels."),
    (
        "limit",
        "integer",
        "The largest number of items to answer with.",
    ),
    (
        "orphanDependents",
        "boolean",
        "Deprecated: use propagationPolicy.",
    ),
    (
        "propagationPolicy",
        "string",
        "What becomes of dependents: Orphan, Background or Foreground.",
    ),
    (
        "resourceVersion",
        "string",
        "The resource version that the answer must suit.",
    ),
    (
        "resourceVersionMatch",
        "string",
        "How resourceVersion applies to lists.",
    ),
    (
        "sendInitialEvents",
        "boolean",
        "Whether a watch begins with the present state.",
    ),
    (
        "timeoutSeconds",
        "integer",
        "How long a list or watch may take.",
    ),
    (
        "watch",
        "boolean",
        "Whether to send changes as they happen.",
    ),
];

fn options(names: &[&str]) -> Vec<Parameter> {
    let named = names.iter().filter_map(|name| {
        let (name, kind, description) = OPTIONS.iter().find(|(known, ..)| known == name)?;
        Some(Parameter {
            name: (*name).to_owned(),
            in_path: false,
            kind,
            description: (*description).to_owned(),
        })
    });
    named.collect()
}

/// The parameters that an action takes beside those of its path.
pub(super) fn of_action(action: &str) -> Vec<Parameter> {
    match action {
        "get" => options(&["resourceVersion"]),
        "list" | "deletecollection" => options(&[
            "allowWatchBookmarks",
            "continue",
            "fieldSelector",
            "labelSelector",
            "limit",
            "resourceVersion",
            "resourceVersionMatch",
            "sendInitialEvents",
            "timeoutSeconds",
            "watch",
        ]),
        "post" | "put" => options(&["dryRun", "fieldManager", "fieldValidation"]),
        "patch" => options(&["dryRun", "fieldManager", "fieldValidation", "force"]),
        "delete" => options(&[
            "dryRun",
            "gracePeriodSeconds",
            "ignoreStoreReadErrorWithClusterBreakingPotential",
            "orphanDependents",
            "propagationPolicy",
        ]),
        _ => Vec::new(),
    }
}

impl Parameter {
    fn new(name: &str, in_path: bool, description: String) -> Self {
        Self {
            name: name.to_owned(),
            in_path,
            kind: "string",
            description,
        }
    }

    pub(super) fn name(kind: &str) -> Self {
        Self::new("name", true, format!("name of the {kind}"))
    }

    pub(super) fn namespace() -> Self {
        Self::new(
            "namespace",
            true,
            "The namespace of the objects.".to_owned(),
        )
    }

    pub(super) fn pretty() -> Self {
        Self::new(
            "pretty",
            false,
            "With true, the answer is set out for people.".to_owned(),
        )
    }

    pub(super) fn to_json(&self, form: OpenApi) -> Value {
        let place = if self.in_path { "path" } else { "query" };
        let mut written = json!({
            "name": self.name,
            "in": place,
            "description": self.description,
        });
        if form == OpenApi::V2 {
            written["type"] = self.kind.into();
            written["uniqueItems"] = true.into();
        } else {
            written["schema"] = json!({"type": self.kind, "uniqueItems": true});
        }
        if self.in_path {
            written["required"] = true.into();
        }
        written
    }
}
