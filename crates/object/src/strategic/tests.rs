use serde_json::{Value, json};

use super::*;

fn types() -> PatchTypes {
    PatchTypes::from_openapi(&json!({"definitions": {
        "io.k8s.api.core.v1.Pod": {
            "type": "object",
            "properties": {
                "metadata": {"$ref": "#/definitions/io.k8s.meta.ObjectMeta"},
                "spec": {"$ref": "#/definitions/io.k8s.api.core.v1.PodSpec"},
            },
            "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Pod"}],
        },
        "io.k8s.meta.ObjectMeta": {"type": "object", "properties": {
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "extra": {"type": "object", "additionalProperties": {"type": "array"}},
            "finalizers": {"type": "array", "items": {"type": "string"},
                "x-kubernetes-patch-strategy": "merge"},
        }},
        "io.k8s.api.core.v1.PodSpec": {"type": "object", "properties": {
            "containers": {"type": "array",
                "items": {"$ref": "#/definitions/io.k8s.api.core.v1.Container"},
                "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name"},
            "volumes": {"type": "array",
                "items": {"$ref": "#/definitions/io.k8s.api.core.v1.Volume"},
                "x-kubernetes-patch-strategy": "merge,retainKeys",
                "x-kubernetes-patch-merge-key": "name"},
            "tolerations": {"type": "array", "items": {"type": "object"}},
        }},
        "io.k8s.api.core.v1.Container": {"type": "object", "properties": {
            "name": {"type": "string"},
            "image": {"type": "string"},
        }},
        "io.k8s.api.core.v1.Volume": {"type": "object", "properties": {
            "name": {"type": "string"},
            "emptyDir": {"type": "object", "properties": {}},
        }},
    }}))
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn patched(original: Value, patch: Value) -> Result<Value, String> {
    let types = types();
    let pod = types
        .kind(&crate::GroupVersionKind::new("", "v1", "Pod"))
        .unwrap();
    apply(object(original), object(patch), pod)
        .map(Value::from)
        .map_err(|error| error.to_string())
}

#[test]
fn items_are_merged_by_key() {
    let original = json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b"}]}});
    let patch = json!({"spec": {"containers": [{"name": "b", "image": "2"}, {"name": "c"}]}});
    assert_eq!(
        patched(original, patch),
        Ok(json!({"spec": {"containers": [
            {"name": "a", "image": "1"}, {"name": "b", "image": "2"}, {"name": "c"}]}}))
    );
}

#[test]
fn added_items_take_the_place_of_deleted_ones() {
    // In upstream the added item lies in the memory of the deleted one, behind the live ones.
    let original = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}});
    let patch = json!({"spec": {
        "$setElementOrder/containers": [{"name": "d"}],
        "containers": [{"name": "d"}, {"name": "a", "$patch": "delete"}],
    }});
    assert_eq!(
        patched(original.clone(), patch),
        Ok(json!({"spec": {"containers": [{"name": "b"}, {"name": "c"}, {"name": "d"}]}}))
    );
    let patch = json!({"spec": {
        "$setElementOrder/containers": [{"name": "d"}],
        "containers": [{"name": "d"}],
    }});
    assert_eq!(
        patched(original, patch),
        Ok(json!({"spec": {"containers": [
            {"name": "d"}, {"name": "a"}, {"name": "b"}, {"name": "c"}]}}))
    );
}

#[test]
fn directives() {
    let original = json!({
        "metadata": {"finalizers": ["a", "b"], "labels": {"x": "1"}},
        "spec": {"containers": [{"name": "a"}]},
    });
    for (patch, expected) in [
        (
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}),
            json!(["b"]),
        ),
        (
            json!({"metadata": {"finalizers": ["c"]}}),
            json!(["c", "a", "b"]),
        ),
        (
            json!({"metadata": {"finalizers": ["c"], "$setElementOrder/finalizers": ["c", "b"]}}),
            json!(["c", "a", "b"]),
        ),
    ] {
        let result = patched(original.clone(), patch).unwrap();
        assert_eq!(result["metadata"]["finalizers"], expected);
    }
    let result = patched(original.clone(), json!({"metadata": {"$patch": "delete"}})).unwrap();
    assert_eq!(result["metadata"], json!({}));
    let patch = json!({"metadata": {"$patch": "replace", "labels": null}});
    let result = patched(original.clone(), patch).unwrap();
    assert_eq!(result["metadata"], json!({"labels": null}));
    let patch = json!({"spec": {"containers": [{"$patch": "replace"}, {"name": "z"}]}});
    let result = patched(original, patch).unwrap();
    assert_eq!(result["spec"]["containers"], json!([{"name": "z"}]));
}

#[test]
fn errors_name_the_go_types() {
    let original = json!({
        "metadata": {"extra": {"a": ["x"]}},
        "spec": {"containers": [{"name": "a", "other": {}}], "tolerations": []},
    });
    for (patch, expected) in [
        (
            json!({"metadata": {"extra": {"a": ["y"]}}}),
            "merging an object in json but data type is not struct, instead is: map",
        ),
        (
            json!({"spec": {"containers": [{"name": "a", "other": {"b": 1}}]}}),
            "unable to find api field in struct Container for the json field \"other\"",
        ),
        (
            json!({"spec": {"containers": [{"image": "x"}]}}),
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            json!({"spec": {"containers": ["x"]}}),
            "list element types are not identical: [[map[name:a other:map[]]] [x]]",
        ),
        (
            json!({"spec": {"$setElementOrder/containers": 5}}),
            "expected a []interface {}, but received a float64",
        ),
        (
            json!({"spec": {"$patch": "purge"}}),
            "unknown patch type: purge in map: map[$patch:purge]",
        ),
        (
            json!({"spec": {"$setElementOrder": []}}),
            "invalid patch format of setElementOrder list",
        ),
        (
            json!({"spec": {"$retainKeys": ["containers"], "volumes": []}}),
            "invalid patch format of retainKeys",
        ),
    ] {
        let expected = expected.replace("float64", "int64");
        assert_eq!(patched(original.clone(), patch), Err(expected));
    }
}

#[test]
fn creating_then_applying_gives_the_modified_object() {
    let types = types();
    let pod = types.definition("io.k8s.api.core.v1.Pod").unwrap();
    let original = object(json!({
        "metadata": {"labels": {"a": "1", "b": "2"}, "finalizers": ["x", "y"]},
        "spec": {
            "containers": [{"name": "a", "image": "1"}, {"name": "b"}, {"name": "c"}],
            "volumes": [{"name": "v", "emptyDir": {}}],
        },
    }));
    let modified = object(json!({
        "metadata": {"labels": {"a": "1", "c": "3"}, "finalizers": ["y", "z"]},
        "spec": {
            "containers": [{"name": "c"}, {"name": "a", "image": "2"}, {"name": "d"}],
            "volumes": [{"name": "v"}],
        },
    }));
    let patch = create_two_way(original.clone(), &modified, pod, &[]).unwrap();
    assert_eq!(patch["spec"]["volumes"][0]["$retainKeys"], json!(["name"]));
    assert_eq!(apply(original.clone(), patch, pod).unwrap(), modified);
    let error = create_two_way(
        original,
        &modified,
        pod,
        &[Precondition::MetadataKeyUnchanged("labels")],
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("precondition failed for: map[metadata:")
    );
}
