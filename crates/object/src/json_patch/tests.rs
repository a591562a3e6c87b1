use serde_json::json;

use super::*;

fn apply(document: Value, patch: Value) -> Result<Value, String> {
    let patch = JsonPatch::decode(patch).map_err(|error| error.to_string())?;
    patch.apply(document).map_err(|error| error.to_string())
}

#[test]
fn tildes_are_decoded_once() {
    let patch = json!([{"op": "add", "path": "/~01", "value": 1}]);
    assert_eq!(apply(json!({}), patch), Ok(json!({"~1": 1})));
}

#[test]
fn errors_read_as_upstream() {
    for (document, operation, expected) in [
        (
            json!({"a": []}),
            json!({"op": "add", "path": "/a/x", "value": 1}),
            "error in add for path: '/a/x': value was not a proper array index: 'x': \
             strconv.Atoi: parsing \"x\": invalid syntax",
        ),
        (
            json!({"a": []}),
            json!({"op": "remove", "path": "/a/99999999999999999999"}),
            "error in remove for path: '/a/99999999999999999999': strconv.Atoi: parsing \
             \"99999999999999999999\": value out of range",
        ),
        (
            json!({}),
            json!({"op": "replace"}),
            "replace operation failed to decode path: operation missing path field: missing value",
        ),
        (
            json!({}),
            json!({"op": "move", "path": "/a"}),
            "move operation failed to decode from: operation, missing from field: missing value",
        ),
        (
            json!({}),
            json!({"op": "test", "path": 5}),
            "test operation failed to decode path: json: cannot unmarshal number into Go value of \
             type string",
        ),
        (
            json!({"a": 1}),
            json!({"op": "add", "path": "/a/b", "value": 1}),
            "add operation does not apply: doc is missing path: \"/a/b\": missing value",
        ),
        (
            json!({"a": 1}),
            json!({"op": "replace", "path": "", "value": 1}),
            "replace operation value must be object or array: %!w(<nil>)",
        ),
    ] {
        assert_eq!(
            apply(document, json!([operation])),
            Err(expected.to_owned())
        );
    }
    assert_eq!(
        apply(json!({}), json!([1])),
        Err("json: cannot unmarshal number into Go value of type jsonpatch.Operation".to_owned())
    );
}

#[test]
fn copies_are_limited() {
    let document = json!({"a": "x".repeat(1000)});
    let patch = json!([
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "copy", "from": "/a", "path": "/c"},
    ]);
    let patch = JsonPatch::decode(patch).unwrap();
    assert_eq!(
        patch
            .clone()
            .apply_within(document.clone(), 2000)
            .unwrap_err()
            .to_string(),
        "Unable to complete the copy, the accumulated size increase of copy is 2004, exceeding the \
         limit 2000"
    );
    assert!(patch.apply_within(document, 2004).is_ok());
}

#[test]
fn operations_are_limited() {
    let patch = vec![json!({"op": "test", "path": "/a"}); MAX_OPERATIONS + 1];
    assert_eq!(
        JsonPatch::decode(patch.into()).unwrap_err().to_string(),
        "The allowed maximum operations in a JSON patch is 10000, got 10001"
    );
}

#[test]
fn documents_cannot_be_dug_without_end() {
    let mut operations = Vec::new();
    for _ in 0..3000 {
        operations.push(json!({"op": "add", "path": "/b", "value": {}}));
        operations.push(json!({"op": "move", "from": "/a", "path": "/b/a"}));
        operations.push(json!({"op": "move", "from": "/b", "path": "/a"}));
    }
    let result = apply(json!({"a": {}}), operations.into());
    assert_eq!(result, Err("exceeded max depth of 1000".to_owned()));
}
