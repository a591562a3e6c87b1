//! Every type of every version reads and writes objects without loss.

use serde_json::{Map, Value, json};

/// An object with every field that the schema knows.
fn example(schema: &Value, name: &str) -> Value {
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            if let Some(values) = schema.get("additionalProperties") {
                return json!({"key": example(values, "")});
            }
            let properties = schema["properties"].as_object().into_iter().flatten();
            let fields: Map<_, _> = properties
                .map(|(n, s)| (n.clone(), example(s, n)))
                .collect();
            Value::Object(fields)
        }
        Some("array") => json!([example(&schema["items"], ""), example(&schema["items"], "")]),
        Some("integer") => json!(7),
        Some("boolean") => json!(true),
        Some("string") if schema["format"] == "date-time" => json!("2026-01-02T15:04:05Z"),
        Some("string") => match name {
            "interval" | "timeout" | "retryInterval" | "lastReconciledDuration" => {
                json!("1h2m3.5s")
            }
            _ => json!(format!("text of {name}")),
        },
        _ => json!({"any": [1, 2.5, "x", null, {"deep": true}]}),
    }
}

#[test]
fn every_field_of_every_version_survives() {
    let mut count = 0;
    for kind in api::kinds() {
        for version in kind.versions {
            let mut object = example(&(version.schema)().into(), "");
            object["apiVersion"] = json!(kind.names.api_version(version.name));
            object["kind"] = json!(kind.names.kind);
            object["metadata"] = json!({
                "name": "a", "namespace": "b", "uid": "c", "resourceVersion": "1", "generation": 3,
                "creationTimestamp": "2026-01-02T15:04:05Z", "labels": {"x": "y"}, "annotations": {"x": "y"},
                "finalizers": ["finalizers.fluxcd.io"],
                "ownerReferences": [{"apiVersion": "v1", "kind": "A", "name": "b", "uid": "c", "controller": true}],
                "managedFields": [{
                    "manager": "m", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-02T15:04:05Z",
                    "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}, "subresource": "status",
                }],
                "selfLink": "/of/an/old/server",
            });
            let written = (version.normalize)(object.clone())
                .unwrap_or_else(|error| panic!("{} {}: {error}", kind.names.kind, version.name));
            assert_eq!(written, object, "{} {}", kind.names.kind, version.name);
            count += 1;
        }
    }
    assert_eq!(count, 55);
}

#[test]
fn zero_values_are_read_as_go_reads_them() {
    for kind in api::kinds() {
        for version in kind.versions {
            for object in [
                json!({}),
                json!({"spec": null, "status": null, "metadata": {}}),
                json!({"spec": {}}),
            ] {
                let written = (version.normalize)(object).unwrap();
                assert!(
                    written["spec"].is_object(),
                    "{} {}",
                    kind.names.kind,
                    version.name
                );
            }
        }
    }
}

#[test]
fn words_of_other_versions_are_kept() {
    let object = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "a"},
        "spec": {
            "deletionPolicy": "OfTheFuture", "interval": "10m0s", "prune": false, "unknown": 1,
            "sourceRef": {"kind": "GitRepository", "name": "a"}, "dependsOn": [],
        },
    });
    let kind = api::crd::kind("kustomize.toolkit.fluxcd.io", "Kustomization").unwrap();
    let mut expected = object.clone();
    expected["spec"].as_object_mut().unwrap().remove("unknown");
    assert_eq!((kind.current().normalize)(object).unwrap(), expected);
}
