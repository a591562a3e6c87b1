//! Kustomization.

use serde_json::{Map, Value, json};

use super::{Moves, patches, path};

pub(super) const MOVES: Moves = Moves {
    carried: &[
        "spec.patchesJson6902",
        "spec.patchesStrategicMerge",
        "spec.serviceAccount",
    ],
    ignored: &[("spec.validation", None)],
    up,
    down,
};

fn up(fields: &mut Map<String, Value>, ignored: &mut Vec<String>) {
    if let Some(Value::Object(spec)) = fields.get_mut("spec") {
        patches::up(spec);
    }
    let Some(account) = path::take(fields, "spec.serviceAccount") else {
        return;
    };
    // Only accounts of the object's own namespace are left. The name is kept also when the namespace was
    // another one: without an account the objects would be applied with the controller's own rights.
    if let Some(name) = account.get("name") {
        path::put(fields, "spec.serviceAccountName", name.clone());
    }
    let namespace = account.get("namespace").and_then(Value::as_str);
    if namespace
        .is_some_and(|namespace| Some(namespace) != path::text(fields, "metadata.namespace"))
    {
        ignored.push("spec.serviceAccount.namespace".to_owned());
    }
}

fn down(fields: &mut Map<String, Value>, version: &str, _ignored: &mut Vec<String>) {
    if version != "v1alpha1" {
        return;
    }
    if let Some(name) = path::take(fields, "spec.serviceAccountName") {
        let namespace = path::text(fields, "metadata.namespace")
            .unwrap_or("default")
            .to_owned();
        path::put(
            fields,
            "spec.serviceAccount",
            json!({"name": name, "namespace": namespace}),
        );
    }
}
