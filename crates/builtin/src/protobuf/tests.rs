use serde_json::json;

use super::*;

fn round_trip(object: &Value) -> Value {
    decode(&encode(object).unwrap(), None).unwrap()
}

#[test]
fn a_lease_is_encoded_as_client_go_encodes_it() {
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "l", "namespace": "n"},
        "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": "2024-01-02T03:04:05.000006Z"}});
    let encoded = encode(&lease).unwrap();
    let mut expected = b"k8s\0\x0a\x1f\x0a\x16coordination.k8s.io/v1\x12\x05Lease\x12".to_vec();
    assert_eq!(&encoded[..expected.len()], &expected[..]);
    expected.clear();
    assert_eq!(round_trip(&lease), lease);
}

#[test]
fn all_shapes_survive() {
    let objects = [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": "y", "a": ""}},
            "data": {"k": "v"}, "binaryData": {"b": "AAE="}}),
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "p", "creationTimestamp": "2024-01-02T03:04:05Z", "managedFields":
                [{"manager": "m", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}]},
            "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "500m"}},
                "livenessProbe": {"httpGet": {"port": "http"}, "failureThreshold": 3}, "ports": [{"containerPort": 80}]}],
                "volumes": [{"name": "v", "configMap": {"name": "x"}}, {"name": "e", "emptyDir": {}}],
                "terminationGracePeriodSeconds": 0},
            "status": {}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
                "template": {"metadata": {}, "spec": {"containers": null}}}, "status": {}}),
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {},
            "spec": {"user": "u", "extra": {"scopes": ["a", "b"]}}, "status": {"allowed": false}}),
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "c"},
            "spec": {"group": "g", "scope": "Cluster", "names": {"plural": "p", "kind": "K"}, "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "additionalProperties": {"type": "string", "default": {"a": [1]}}},
                    "x": {"type": "array", "items": {"type": "string", "maxLength": 3, "multipleOf": 0.5}}}}}}]},
            "status": {"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": null}}),
    ];
    for object in objects {
        assert_eq!(round_trip(&object), object);
    }
}

#[test]
fn hostile_bodies_are_errors() {
    assert_eq!(decode(b"{}", None), Err(ProtobufError::Prefix));
    let body = encode(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}})).unwrap();
    for length in 4..body.len() {
        // Whatever is cut off: an error or an object, never a panic.
        let _ = decode(&body[..length], None);
    }
    let mut nested = Vec::new();
    for _ in 0..1000 {
        let mut writer = Writer::default();
        writer.bytes(27, &nested);
        nested = writer.as_slice().to_vec();
    }
    let id = facts()
        .type_named("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")
        .unwrap();
    let outcome = decode::message(
        facts().type_at(id),
        Reader::new(&nested),
        &mut Map::new(),
        MAX_DEPTH,
    );
    assert!(outcome.is_err() || nested.len() < 1000);
}
