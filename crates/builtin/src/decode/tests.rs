use object::{GroupVersionKind, Value};
use serde_json::json;

use super::*;

fn decode(gvk: (&str, &str, &str), text: &str) -> Result<Decoded, String> {
    let type_id = facts()
        .type_of(&GroupVersionKind::new(gvk.0, gvk.1, gvk.2))
        .expect("a built-in kind");
    decode_slice(type_id, text.as_bytes()).map_err(|error| error.to_string())
}

const CONFIG_MAP: (&str, &str, &str) = ("", "v1", "ConfigMap");
const POD: (&str, &str, &str) = ("", "v1", "Pod");
const DEPLOYMENT: (&str, &str, &str) = ("apps", "v1", "Deployment");

#[test]
fn empty_fields_come_as_go_encodes_them() {
    let text = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","labels":{},"creationTimestamp":null},
        "spec":{"replicas":0,"minReadySeconds":0,"paused":false,"template":{"spec":{"containers":[{"name":"c","image":"","args":[]}],"securityContext":{}}}}}"#;
    let expected = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
        "spec": {"replicas": 0, "selector": null, "strategy": {},
            "template": {"metadata": {}, "spec": {"containers": [{"name": "c", "resources": {}}], "securityContext": {}}}},
        "status": {}});
    assert_eq!(decode(DEPLOYMENT, text).unwrap().object, expected);
}

#[test]
fn unknown_and_duplicate_fields_are_listed_in_order() {
    let text = r#"{"kind":"Pod","spec":{"x":1,"containers":[{"name":"a","name":"b","foo":{"bar":1}}]},"metadata":{"labels":{"a":"1","a":"2"}}}"#;
    let decoded = decode(POD, text).unwrap();
    assert_eq!(
        decoded.strict,
        [
            "unknown field \"spec.x\"",
            "duplicate field \"spec.containers[0].name\"",
            "unknown field \"spec.containers[0].foo\"",
            "duplicate field \"metadata.labels.a\"",
        ]
    );
    assert_eq!(
        decoded.object.pointer("/spec/containers/0/name"),
        Some(&Value::from("b"))
    );
}

#[test]
fn type_errors_are_told_as_go_tells_them() {
    let cases = [
        (
            CONFIG_MAP,
            r#"{"data":{"a":1}}"#,
            "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
        ),
        (
            CONFIG_MAP,
            r#"{"data":[]}"#,
            "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string",
        ),
        (
            POD,
            r#"{"spec":"x"}"#,
            "json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec",
        ),
        (
            POD,
            r#"{"spec":{"containers":"x"}}"#,
            "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            DEPLOYMENT,
            r#"{"spec":{"replicas":1.5}}"#,
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            DEPLOYMENT,
            r#"{"spec":{"replicas":2147483648}}"#,
            "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            POD,
            r#"{"spec":{"containers":[{"ports":[{"containerPort":"80"}]}]}}"#,
            "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
        (
            POD,
            "[1]",
            "json: cannot unmarshal array into Go value of type v1.Pod",
        ),
        (
            ("", "v1", "Secret"),
            r#"{"data":{"a":"*"}}"#,
            "illegal base64 data at input byte 0",
        ),
    ];
    for (kind, text, expected) in cases {
        assert_eq!(decode(kind, text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn custom_types_come_in_their_canonical_form() {
    let text = r#"{"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":0.5,"memory":"1024Mi"}},
        "livenessProbe":{"httpGet":{"port":"http"}}}]},"metadata":{"creationTimestamp":"2024-01-02T03:04:05+01:00"}}"#;
    let object = decode(POD, text).unwrap().object;
    assert_eq!(
        object.pointer("/spec/containers/0/resources/limits"),
        Some(&json!({"cpu": "500m", "memory": "1Gi"}))
    );
    assert_eq!(
        object.pointer("/metadata/creationTimestamp"),
        Some(&json!("2024-01-02T02:04:05Z"))
    );
    assert_eq!(
        object.pointer("/spec/containers/0/livenessProbe/httpGet/port"),
        Some(&json!("http"))
    );
}

#[test]
fn syntax_errors_are_told_as_go_tells_them() {
    let cases = [
        ("", "unexpected end of JSON input"),
        ("{", "unexpected end of JSON input"),
        ("{\"a\":1", "unexpected end of JSON input"),
        (
            "apiVersion",
            "invalid character 'a' looking for beginning of value",
        ),
        ("{\"a\" 1}", "invalid character '1' after object key"),
        (
            "{\"a\":1,}",
            "invalid character '}' looking for beginning of object key string",
        ),
        ("[1 2]", "invalid character '2' after array element"),
        ("{} x", "invalid character 'x' after top-level value"),
        (
            "nul1",
            "invalid character '1' in literal null (expecting 'l')",
        ),
        ("\"\\x\"", "invalid character 'x' in string escape code"),
        ("-", "unexpected end of JSON input"),
        ("01", "invalid character '1' after top-level value"),
        ("\"a\nb\"", "invalid character '\\n' in string literal"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            syntax_error(text.as_bytes()).as_deref(),
            Some(expected),
            "{text:?}"
        );
    }
    assert_eq!(
        syntax_error(br#" {"a":[1,-2.5e+3,true,false,null,"\u00e9"],"b":{}} "#),
        None
    );
}

#[test]
fn decoding_again_changes_nothing() {
    let text = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","env":[{"name":"A","value":""}]}],"volumes":[{"name":"v","emptyDir":{}}]}}"#;
    let once = decode(POD, text).unwrap().object;
    let type_id = facts()
        .type_of(&GroupVersionKind::new("", "v1", "Pod"))
        .unwrap();
    assert_eq!(decode_value(type_id, once.clone()).unwrap().object, once);
}
