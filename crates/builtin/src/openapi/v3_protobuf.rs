//! The protobuf form of version 3. Source: the messages of gnostic's `openapiv3/OpenAPIv3.proto`.

use object::Value;

use super::wire::{Message, entries, items};

/// Encodes a document of version 3.
pub fn encode_v3(document: &Value) -> Vec<u8> {
    let mut out = Message::default();
    out.text(1, &document["openapi"]);
    let mut info = Message::default();
    info.text(1, &document["info"]["title"]);
    info.text(6, &document["info"]["version"]);
    out.message(2, &info);
    let mut paths = Message::default();
    for (path, item) in entries(&document["paths"]) {
        paths.named(1, path, &path_item(item));
    }
    out.message(4, &paths);
    let mut components = Message::default();
    let mut schemas = Message::default();
    for (name, found) in entries(&document["components"]["schemas"]) {
        schemas.named(1, name, &schema(found));
    }
    components.message(1, &schemas);
    let mut security = Message::default();
    for (name, scheme) in entries(&document["components"]["securitySchemes"]) {
        let mut own = Message::default();
        for (number, key) in [(1, "type"), (2, "description"), (3, "name"), (4, "in")] {
            own.text(number, &scheme[key]);
        }
        security.named(1, name, &Message::choice(1, &own));
    }
    components.message(7, &security);
    out.message(5, &components);
    out.into_bytes()
}

fn path_item(item: &Value) -> Message {
    let mut out = Message::default();
    for (number, method) in [
        (4, "get"),
        (5, "put"),
        (6, "post"),
        (7, "delete"),
        (8, "options"),
        (9, "head"),
        (10, "patch"),
    ] {
        if let Some(found) = item.get(method) {
            out.message(number, &operation(found));
        }
    }
    for found in items(&item["parameters"]) {
        out.message(13, &parameter(found));
    }
    out
}

fn operation(operation: &Value) -> Message {
    let mut out = Message::default();
    out.texts(1, &operation["tags"]);
    out.text(3, &operation["description"]);
    out.text(5, &operation["operationId"]);
    for found in items(&operation["parameters"]) {
        out.message(6, &parameter(found));
    }
    if let Some(body) = operation.get("requestBody") {
        let mut own = Message::default();
        own.message(2, &content(&body["content"]));
        own.flag(3, &body["required"]);
        out.message(7, &Message::choice(1, &own));
    }
    let mut responses = Message::default();
    for (code, found) in entries(&operation["responses"]) {
        let mut own = Message::default();
        own.text(1, &found["description"]);
        if let Some(found) = found.get("content") {
            own.message(3, &content(found));
        }
        responses.named(2, code, &Message::choice(1, &own));
    }
    out.message(8, &responses);
    out.extensions(13, operation);
    out
}

fn content(found: &Value) -> Message {
    let mut out = Message::default();
    for (media_type, found) in entries(found) {
        let mut own = Message::default();
        own.message(1, &schema(&found["schema"]));
        out.named(1, media_type, &own);
    }
    out
}

fn parameter(found: &Value) -> Message {
    let mut own = Message::default();
    for (number, key) in [(1, "name"), (2, "in"), (3, "description")] {
        own.text(number, &found[key]);
    }
    own.flag(4, &found["required"]);
    own.message(10, &schema(&found["schema"]));
    Message::choice(1, &own)
}

/// A `SchemaOrReference`.
fn schema(found: &Value) -> Message {
    if let Some(reference) = found["$ref"].as_str() {
        let mut own = Message::default();
        own.raw(1, reference.as_bytes());
        return Message::choice(2, &own);
    }
    Message::choice(1, &own_schema(found))
}

fn own_schema(found: &Value) -> Message {
    let mut out = Message::default();
    out.flag(1, &found["nullable"]);
    out.text(9, &found["title"]);
    out.float(10, &found["multipleOf"]);
    out.float(11, &found["maximum"]);
    out.flag(12, &found["exclusiveMaximum"]);
    out.float(13, &found["minimum"]);
    out.flag(14, &found["exclusiveMinimum"]);
    out.integer(15, &found["maxLength"]);
    out.integer(16, &found["minLength"]);
    out.text(17, &found["pattern"]);
    out.integer(18, &found["maxItems"]);
    out.integer(19, &found["minItems"]);
    out.flag(20, &found["uniqueItems"]);
    out.integer(21, &found["maxProperties"]);
    out.integer(22, &found["minProperties"]);
    out.texts(23, &found["required"]);
    for value in items(&found["enum"]) {
        out.any(24, value);
    }
    out.text(25, &found["type"]);
    for (number, key) in [(26, "allOf"), (27, "oneOf"), (28, "anyOf")] {
        for part in items(&found[key]) {
            out.message(number, &schema(part));
        }
    }
    if let Some(not) = found.get("not") {
        out.message(29, &own_schema(not));
    }
    if let Some(found) = found.get("items") {
        out.message(30, &Message::choice(1, &schema(found)));
    }
    if let Some(properties) = found.get("properties") {
        let mut all = Message::default();
        for (name, field) in entries(properties) {
            all.named(1, name, &schema(field));
        }
        out.message(31, &all);
    }
    match &found["additionalProperties"] {
        Value::Null => {}
        Value::Bool(allowed) => out.message(32, &Message::choice_of_flag(2, *allowed)),
        values => out.message(32, &Message::choice(1, &schema(values))),
    }
    default(&mut out, &found["default"]);
    out.text(34, &found["description"]);
    out.text(35, &found["format"]);
    out.extensions(36, found);
    out
}

/// Only plain values can be defaults here; others are left out.
fn default(out: &mut Message, value: &Value) {
    let mut choice = Message::default();
    match value {
        Value::Number(number) => choice.double(1, number.as_f64().unwrap_or_default()),
        Value::Bool(flag) => choice = Message::choice_of_flag(2, *flag),
        Value::String(text) => choice.raw(3, text.as_bytes()),
        _ => return,
    }
    out.message(33, &choice);
}
