//! What a definition is given when it is read.
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/v1/defaults.go`.

use serde_json::{Map, Value, json};

/// Sets the defaults of a definition in version `v1`.
pub fn set_defaults(definition: &mut Value) {
    let Some(root) = definition.as_object_mut() else {
        return;
    };
    let mut storage = None;
    if let Some(spec) = root.get_mut("spec").and_then(Value::as_object_mut) {
        names(spec);
        let conversion = spec.get("conversion").is_none_or(Value::is_null);
        if conversion {
            spec.insert("conversion".to_owned(), json!({"strategy": "None"}));
        }
        if let Some(Value::Object(service)) = spec
            .get_mut("conversion")
            .and_then(|conversion| conversion.pointer_mut("/webhook/clientConfig/service"))
        {
            service.entry("port").or_insert_with(|| 443.into());
        }
        storage = spec
            .get("versions")
            .and_then(Value::as_array)
            .and_then(|versions| versions.iter().find(|version| version["storage"] == true))
            .and_then(|version| version.get("name"))
            .cloned();
    }
    let status = root
        .entry("status")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(status) = status.as_object_mut()
        && let Some(storage) = storage
    {
        let stored = status.entry("storedVersions").or_insert(Value::Null);
        if stored.as_array().is_none_or(Vec::is_empty) {
            *stored = json!([storage]);
        }
    }
}

fn names(spec: &mut Map<String, Value>) {
    let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) else {
        return;
    };
    let kind = names
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let is_unset = |names: &Map<String, Value>, key: &str| {
        names
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .is_empty()
    };
    if kind.is_empty() {
        return;
    }
    if is_unset(names, "singular") {
        names.insert("singular".to_owned(), kind.to_lowercase().into());
    }
    if is_unset(names, "listKind") {
        names.insert("listKind".to_owned(), format!("{kind}List").into());
    }
}
