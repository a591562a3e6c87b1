//! The protobuf form of version 2, as clients made with client-go ask for it.
//!
//! Source: the messages of gnostic's `openapiv2/OpenAPIv2.proto`. Values of any type are kept there as
//! YAML texts; JSON is YAML.

use object::Value;

use crate::openapi::wire::{Message, entries, items};

/// Encodes a document.
pub fn encode(document: &Value) -> Vec<u8> {
    let mut out = Message::default();
    out.text(1, &document["swagger"]);
    let mut info = Message::default();
    info.text(1, &document["info"]["title"]);
    info.text(2, &document["info"]["version"]);
    out.message(2, &info);
    let mut paths = Message::default();
    for (path, item) in entries(&document["paths"]) {
        paths.named(2, path, &path_item(item));
    }
    out.message(8, &paths);
    let mut definitions = Message::default();
    for (name, schema) in entries(&document["definitions"]) {
        definitions.named(1, name, &self::schema(schema));
    }
    out.message(9, &definitions);
    for requirement in items(&document["security"]) {
        let mut message = Message::default();
        for (name, scopes) in entries(requirement) {
            let mut list = Message::default();
            list.texts(1, scopes);
            message.named(1, name, &list);
        }
        out.message(12, &message);
    }
    let mut security = Message::default();
    for (name, key) in entries(&document["securityDefinitions"]) {
        let mut api_key = Message::default();
        for (number, field) in [(1, "type"), (2, "name"), (3, "in"), (4, "description")] {
            api_key.text(number, &key[field]);
        }
        security.named(1, name, &Message::choice(2, &api_key));
    }
    out.message(13, &security);
    out.into_bytes()
}

fn path_item(item: &Value) -> Message {
    let mut out = Message::default();
    for (number, method) in [
        (2, "get"),
        (3, "put"),
        (4, "post"),
        (5, "delete"),
        (6, "options"),
        (7, "head"),
        (8, "patch"),
    ] {
        if let Some(found) = item.get(method) {
            out.message(number, &operation(found));
        }
    }
    for found in items(&item["parameters"]) {
        out.message(9, &parameter(found));
    }
    out
}

fn operation(operation: &Value) -> Message {
    let mut out = Message::default();
    out.texts(1, &operation["tags"]);
    out.text(3, &operation["description"]);
    out.text(5, &operation["operationId"]);
    out.texts(6, &operation["produces"]);
    out.texts(7, &operation["consumes"]);
    for found in items(&operation["parameters"]) {
        out.message(8, &parameter(found));
    }
    let mut responses = Message::default();
    for (code, found) in entries(&operation["responses"]) {
        let mut response = Message::default();
        response.text(1, &found["description"]);
        if let Some(found) = found.get("schema") {
            response.message(2, &Message::choice(1, &schema(found)));
        }
        responses.named(1, code, &Message::choice(1, &response));
    }
    out.message(9, &responses);
    out.texts(10, &operation["schemes"]);
    out.extensions(13, operation);
    out
}

/// A `ParametersItem`.
fn parameter(found: &Value) -> Message {
    let mut parameter = Message::default();
    if found["in"] == "body" {
        let mut body = Message::default();
        body.text(1, &found["description"]);
        body.text(2, &found["name"]);
        body.text(3, &found["in"]);
        body.flag(4, &found["required"]);
        body.message(5, &schema(&found["schema"]));
        parameter.message(1, &body);
    } else {
        let is_path = found["in"] == "path";
        // The parts of paths have no `allowEmptyValue`, which moves what follows by one.
        let shift = u32::from(!is_path);
        let mut own = Message::default();
        own.flag(1, &found["required"]);
        own.text(2, &found["in"]);
        own.text(3, &found["description"]);
        own.text(4, &found["name"]);
        own.text(5 + shift, &found["type"]);
        own.text(6 + shift, &found["format"]);
        own.flag(19 + shift, &found["uniqueItems"]);
        let place = if is_path { 4 } else { 3 };
        parameter.message(2, &Message::choice(place, &own));
    }
    Message::choice(1, &parameter)
}

fn schema(found: &Value) -> Message {
    let mut out = Message::default();
    for (number, key) in [(1, "$ref"), (2, "format"), (3, "title"), (4, "description")] {
        out.text(number, &found[key]);
    }
    out.any(5, &found["default"]);
    out.float(6, &found["multipleOf"]);
    out.float(7, &found["maximum"]);
    out.flag(8, &found["exclusiveMaximum"]);
    out.float(9, &found["minimum"]);
    out.flag(10, &found["exclusiveMinimum"]);
    out.integer(11, &found["maxLength"]);
    out.integer(12, &found["minLength"]);
    out.text(13, &found["pattern"]);
    out.integer(14, &found["maxItems"]);
    out.integer(15, &found["minItems"]);
    out.flag(16, &found["uniqueItems"]);
    out.integer(17, &found["maxProperties"]);
    out.integer(18, &found["minProperties"]);
    out.texts(19, &found["required"]);
    for value in items(&found["enum"]) {
        out.any(20, value);
    }
    match &found["additionalProperties"] {
        Value::Null => {}
        Value::Bool(allowed) => out.message(21, &Message::choice_of_flag(2, *allowed)),
        values => out.message(21, &Message::choice(1, &schema(values))),
    }
    if let Some(kind) = found["type"].as_str() {
        let mut list = Message::default();
        list.raw(1, kind.as_bytes());
        out.message(22, &list);
    }
    if let Some(items) = found.get("items") {
        out.message(23, &Message::choice(1, &schema(items)));
    }
    for part in items(&found["allOf"]) {
        out.message(24, &schema(part));
    }
    if let Some(properties) = found.get("properties") {
        let mut all = Message::default();
        for (name, field) in entries(properties) {
            all.named(1, name, &schema(field));
        }
        out.message(25, &all);
    }
    out.extensions(31, found);
    out
}
