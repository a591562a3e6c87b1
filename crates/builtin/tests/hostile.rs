//! Bodies of requests that nobody meant well: cut, mutated and mistyped JSON and protobuf of all kinds
//! end in an object or an error, never in a panic, and an object that came out is understood again.

use builtin::decode::{decode_slice, decode_value, settle};
use builtin::facts::{Resource, facts};
use builtin::strategy::{Context, User, default, strategy};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Values that fields are given, of their type or not.
fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3_i64..70_000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(
            &[
                "",
                "x",
                "Always",
                "RollingUpdate",
                "1Gi",
                "10%",
                "-1",
                "10.0.0.1",
                "None",
                "a/b",
                "é\u{0}",
                "2024-01-01T00:00:00Z",
                "YQ==",
                "5m",
            ][..]
        )
        .prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

/// Names of fields as they are met in many kinds.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(
            &[
                "metadata",
                "name",
                "namespace",
                "labels",
                "annotations",
                "ownerReferences",
                "managedFields",
                "spec",
                "status",
                "template",
                "containers",
                "image",
                "ports",
                "port",
                "resources",
                "limits",
                "selector",
                "matchLabels",
                "matchExpressions",
                "operator",
                "values",
                "rules",
                "data",
                "strategy",
                "rollingUpdate",
                "type",
                "subjects",
                "roleRef",
                "versions",
                "clusterIP",
                "hard",
                "jobTemplate",
                "schedule",
                "volumes",
                "env",
                "valueFrom",
                "conditions",
                "replicas",
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-zA-Z./]{0,6}",
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(6, 48, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn resource() -> impl Strategy<Value = &'static Resource> {
    (0..facts().resources().len()).prop_map(|index| &facts().resources()[index])
}

/// All that the server does to a body between decoding and storing it.
fn take_in(resource: &Resource, mut object: Value) {
    let Some(id) = facts().type_of(&resource.gvk) else {
        return;
    };
    if let Some(map) = object.as_object_mut() {
        map.insert("apiVersion".to_owned(), resource.gvk.api_version().into());
        map.insert("kind".to_owned(), resource.gvk.kind.as_str().into());
        map.entry("metadata").or_insert_with(|| json!({}));
    }
    default(&resource.gvk, &mut object);
    if let Some(rules) = strategy(&resource.gvr.group_resource()) {
        let user = User::default();
        let context = Context {
            now: "2024-01-01T00:00:00Z",
            user: &user,
            api_version: &resource.gvk.api_version(),
        };
        let old = object.clone();
        rules.prepare_for_create(&context, &mut object);
        rules.validate_create(&context, &object);
        rules.warnings_on_create(&context, &object);
        rules.prepare_for_update(&context, "", &mut object, &old);
        rules.validate_update(&context, "", &object, &old);
        rules.canonicalize(&mut object);
    }
    settle(id, &mut object);
    let once = object.clone();
    settle(id, &mut object);
    assert_eq!(once, object, "what is settled stays as it is");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trees_of_any_shape_end(resource in resource(), body in tree()) {
        let Some(id) = facts().type_of(&resource.gvk) else { return Ok(()); };
        let text = serde_json::to_vec(&body).expect("a value is JSON");
        let (from_text, from_value) = (decode_slice(id, &text), decode_value(id, body));
        match (from_text, from_value) {
            (Ok(one), Ok(other)) => {
                prop_assert_eq!(&one.object, &other.object);
                let again = decode_value(id, one.object.clone()).map(|decoded| decoded.object);
                prop_assert_eq!(again.as_ref().ok(), Some(&one.object), "a decoded object is a fixed point");
                take_in(resource, one.object);
            }
            (Err(_), Err(_)) => {}
            (one, other) => prop_assert!(false, "the text gives {one:?}, the value {other:?}"),
        }
    }

    #[test]
    fn broken_texts_end(resource in resource(), body in tree(), cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let Some(id) = facts().type_of(&resource.gvk) else { return Ok(()); };
        let mut text = serde_json::to_vec(&body).expect("a value is JSON");
        let at = cut.index(text.len());
        text[at] = byte;
        let _ = decode_slice(id, &text);
        let whole = serde_json::from_slice::<serde::de::IgnoredAny>(&text[..at]);
        if whole.is_err() {
            prop_assert!(decode_slice(id, &text[..at]).is_err(), "what is cut off is an error");
        }
    }

    #[test]
    fn protobuf_of_any_bytes_ends(resource in resource(), noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = b"k8s\0".to_vec();
        bytes.extend(&noise);
        let _ = builtin::protobuf::decode(&bytes, Some(&resource.gvk));
        let _ = builtin::protobuf::decode(&noise, Some(&resource.gvk));
    }

    #[test]
    fn mutated_protobuf_ends(resource in resource(), body in tree(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let Some(id) = facts().type_of(&resource.gvk) else { return Ok(()); };
        let Ok(decoded) = decode_value(id, body) else { return Ok(()); };
        let mut object = decoded.object;
        object["apiVersion"] = resource.gvk.api_version().into();
        object["kind"] = resource.gvk.kind.as_str().into();
        let Ok(mut bytes) = builtin::protobuf::encode(&object) else { return Ok(()); };
        prop_assert!(builtin::protobuf::decode(&bytes, Some(&resource.gvk)).is_ok(), "what was written is read");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = builtin::protobuf::decode(&bytes, Some(&resource.gvk));
        let _ = builtin::protobuf::decode(&bytes[..at], Some(&resource.gvk));
    }
}
