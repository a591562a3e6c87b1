//! ImagePolicy and ImageUpdateAutomation.

use serde_json::{Map, Value, json};

use super::Moves;
use super::path::{put, rename, take, text};

pub(super) const POLICY: Moves = Moves {
    up: policy_up,
    down: policy_down,
    ..super::NONE
};
pub(super) const AUTOMATION: Moves = Moves {
    carried: &["spec.checkout", "spec.commit", "spec.push"],
    up: automation_up,
    down: automation_down,
    ..super::NONE
};

fn policy_up(fields: &mut Map<String, Value>, _ignored: &mut Vec<String>) {
    let Some(Value::String(image)) = take(fields, "status.latestImage") else {
        return;
    };
    // A colon before the last slash belongs to the registry's port.
    if let Some((name, tag)) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        put(
            fields,
            "status.latestRef",
            json!({"name": name, "tag": tag}),
        );
    }
}

fn policy_down(fields: &mut Map<String, Value>, version: &str, _ignored: &mut Vec<String>) {
    if version == "v1beta2" {
        return;
    }
    let part = |name: &str| text(fields, &format!("status.latestRef.{name}"));
    if let (Some(name), Some(tag)) = (part("name"), part("tag")) {
        let image = Value::String(format!("{name}:{tag}"));
        put(fields, "status.latestImage", image);
    }
}

/// v1alpha1 had Git's settings at the top of the spec: here, and where they are now.
const MOVED: &[(&str, &str)] = &[
    ("spec.checkout.branch", "spec.git.checkout.ref.branch"),
    ("spec.commit.authorEmail", "spec.git.commit.author.email"),
    ("spec.commit.authorName", "spec.git.commit.author.name"),
    (
        "spec.commit.messageTemplate",
        "spec.git.commit.messageTemplate",
    ),
    ("spec.commit.signingKey", "spec.git.commit.signingKey"),
    ("spec.push", "spec.git.push"),
];

fn automation_up(fields: &mut Map<String, Value>, ignored: &mut Vec<String>) {
    if let Some(Value::Object(repository)) = take(fields, "spec.checkout.gitRepositoryRef") {
        let name = repository.get("name").cloned().unwrap_or_default();
        put(
            fields,
            "spec.sourceRef",
            json!({"kind": "GitRepository", "name": name}),
        );
    }
    for (old, new) in MOVED {
        rename(fields, old, new, ignored);
    }
}

fn automation_down(fields: &mut Map<String, Value>, version: &str, ignored: &mut Vec<String>) {
    if version != "v1alpha1" {
        return;
    }
    for (old, new) in MOVED {
        rename(fields, new, old, ignored);
    }
    let Some(Value::Object(mut source)) = take(fields, "spec.sourceRef") else {
        return;
    };
    source.remove("apiVersion");
    let is_git = source
        .remove("kind")
        .is_none_or(|kind| kind == "GitRepository");
    let namespace = source.remove("namespace");
    let is_here = namespace
        .as_ref()
        .and_then(Value::as_str)
        .is_none_or(|namespace| Some(namespace) == text(fields, "metadata.namespace"));
    if is_git && is_here {
        put(
            fields,
            "spec.checkout.gitRepositoryRef",
            Value::Object(source),
        );
    } else {
        ignored.push("spec.sourceRef".to_owned());
    }
}
