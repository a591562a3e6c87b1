//! Answers: from outcomes to bytes of the form the client accepts.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use object::{GroupVersionKind, Value};
use serde_json::json;

use super::body::ResponseBody;
use super::negotiate::{self, Accept, Encoding, Transform};
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::{Listed, Object, Outcome};
use crate::registry::ServedResource;
use crate::table::{self, IncludeObject};

/// An answer of given bytes.
pub(crate) fn bytes(code: u16, content_type: &str, bytes: Bytes) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::Full(bytes));
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}

/// An answer of plain text.
pub(crate) fn text(code: u16, text: impl Into<Bytes>) -> Response<ResponseBody> {
    bytes(code, "text/plain; charset=utf-8", text.into())
}

/// An error, in the client's encoding.
pub(crate) fn error(error: &ApiError, headers: &HeaderMap) -> Response<ResponseBody> {
    let accept = Accept {
        encoding: negotiate::for_error(headers),
        ..Accept::default()
    };
    let mut response = value(error.code(), accept, &error.status());
    if let Some(seconds) = error.retry_after() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A value, in an encoding.
pub(crate) fn value(code: u16, accept: Accept, value: &Value) -> Response<ResponseBody> {
    let encoded = encode(accept, value);
    bytes(code, accept.encoding.media_type(), encoded)
}

fn encode(accept: Accept, value: &Value) -> Bytes {
    match accept.encoding {
        Encoding::Yaml => Bytes::from(yaml::from_json(value)),
        Encoding::Json if accept.pretty => {
            let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
            text.push(b'\n');
            Bytes::from(text)
        }
        Encoding::Json => {
            let mut text = serde_json::to_vec(value).unwrap_or_default();
            text.push(b'\n');
            Bytes::from(text)
        }
        Encoding::Protobuf => protobuf(value),
    }
}

/// The protobuf form of an object.
fn protobuf(value: &Value) -> Bytes {
    match builtin::protobuf::encode(value) {
        Ok(encoded) => Bytes::from(encoded),
        Err(error) => {
            tracing::warn!(kind = %GroupVersionKind::of(value), %error, "no protobuf form");
            Bytes::new()
        }
    }
}

/// One `Warning` header. Source: apimachinery, `util/net.NewWarningHeader`.
pub(super) fn warning(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            _ if character.is_control() => quoted.push(' '),
            _ => quoted.push(character),
        }
    }
    format!("299 - \"{quoted}\"")
}

/// What the pipeline came to.
pub(super) fn outcome(
    core: &Core,
    accept: Accept,
    include: IncludeObject,
    resource: &ServedResource,
    outcome: Outcome,
) -> Result<Response<ResponseBody>, ApiError> {
    match outcome {
        Outcome::Text(code, body) => Ok(text(code, body)),
        Outcome::Watch(frames) => {
            let mut response = Response::new(ResponseBody::Stream(frames));
            // A client reads the frames as this says; only JSON goes without naming the stream.
            let media_type = match accept.encoding {
                Encoding::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
                Encoding::Json | Encoding::Yaml => "application/json",
            };
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            Ok(response)
        }
        Outcome::Object(code, object) => {
            self::object(core, accept, include, resource, code, object)
        }
        Outcome::List(list) => {
            if matches!(accept.transform, Transform::Metadata(_)) {
                let found = go_type(resource, "List");
                return Err(wrong_form("PartialObjectMetadata", "a list", &found));
            }
            Ok(self::list(core, accept, include, list))
        }
    }
}

/// The 406 for the form of a list where there is none, and the other way about.
fn wrong_form(asked: &str, is: &str, found: &str) -> ApiError {
    let message = format!("you requested {asked}, but the requested object is {is} ({found})");
    ApiError::new(406, "NotAcceptable", message)
}

/// Go's name of the type of a resource's objects.
fn go_type(resource: &ServedResource, suffix: &str) -> String {
    if resource.custom().is_some() {
        return format!("*unstructured.Unstructured{suffix}");
    }
    let group = resource.gvk.group.split('.').next().unwrap_or_default();
    let package = if group.is_empty() { "core" } else { group };
    format!("*{package}.{}{suffix}", resource.gvk.kind)
}

fn object(
    core: &Core,
    accept: Accept,
    include: IncludeObject,
    resource: &ServedResource,
    code: u16,
    object: Object,
) -> Result<Response<ResponseBody>, ApiError> {
    if accept.transform == Transform::None
        && accept.encoding == Encoding::Json
        && !accept.pretty
        && let Object::Stored(stored) = &object
    {
        return Ok(bytes(code, "application/json", stored.raw.clone()));
    }
    let object = object.into_value();
    let shown = match accept.transform {
        // A status is shown as it is.
        _ if object["kind"] == "Status" => object,
        Transform::None => object,
        Transform::Table(version) => {
            let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
            table_of(core, resource, version, metadata, include, &[object])
        }
        Transform::Metadata(version) => partial(&object, version),
        Transform::MetadataList(_) => {
            return Err(wrong_form(
                "PartialObjectMetadataList",
                "not a list",
                &go_type(resource, ""),
            ));
        }
    };
    Ok(value(code, accept, &shown))
}

fn list(
    core: &Core,
    accept: Accept,
    include: IncludeObject,
    list: Listed,
) -> Response<ResponseBody> {
    if accept.transform == Transform::None && accept.encoding == Encoding::Json && !accept.pretty {
        return bytes(200, "application/json", Bytes::from(joined(&list)));
    }
    let resource = std::sync::Arc::clone(&list.resource);
    let is_builtin = resource.custom().is_none();
    let mut whole = list.into_value();
    let shown = match accept.transform {
        Transform::None => {
            // Lists of custom resources are unstructured: the empty token is written.
            if !is_builtin && whole["metadata"]["continue"].is_null() {
                whole["metadata"]["continue"] = Value::from("");
            }
            // Items of built-in kinds do not repeat the kind; protobuf never had it.
            if is_builtin {
                let items = whole.get_mut("items").and_then(Value::as_array_mut);
                for item in items.into_iter().flatten() {
                    if let Some(map) = item.as_object_mut() {
                        map.remove("kind");
                        map.remove("apiVersion");
                    }
                }
            }
            whole
        }
        Transform::Table(version) => {
            let items = whole["items"].take();
            let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
            let metadata = whole["metadata"].take();
            table_of(core, &resource, version, metadata, include, items)
        }
        Transform::MetadataList(version) | Transform::Metadata(version) => {
            let items = whole["items"].as_array();
            let items: Vec<Value> = items
                .into_iter()
                .flatten()
                .map(|item| partial(item, version))
                .collect();
            let items = if items.is_empty() && is_builtin {
                Value::Null
            } else {
                Value::from(items)
            };
            json!({
                "kind": "PartialObjectMetadataList",
                "apiVersion": format!("meta.k8s.io/{version}"),
                "metadata": whole["metadata"].take(),
                "items": items,
            })
        }
    };
    value(200, accept, &shown)
}

/// A list in JSON, put together from the items' stored bytes.
fn joined(list: &Listed) -> Vec<u8> {
    let is_builtin = list.resource.custom().is_none();
    let size: usize = list
        .items
        .iter()
        .map(|item| match item {
            Object::Stored(stored) => stored.raw.len() + 1,
            Object::Value(_) => 1024,
        })
        .sum();
    let mut out = Vec::with_capacity(size + 512);
    let mut metadata = object::Map::new();
    if is_builtin {
        if !list.continue_token.is_empty() {
            metadata.insert(
                "continue".to_owned(),
                Value::from(list.continue_token.as_str()),
            );
        }
    } else {
        // Lists of custom resources are unstructured: the empty token is written.
        metadata.insert(
            "continue".to_owned(),
            Value::from(list.continue_token.as_str()),
        );
    }
    if let Some(remaining) = list.remaining {
        metadata.insert("remainingItemCount".to_owned(), Value::from(remaining));
    }
    metadata.insert(
        "resourceVersion".to_owned(),
        Value::from(list.revision.to_string()),
    );
    let head = format!(
        "{{\"kind\":\"{}\",\"apiVersion\":\"{}\",\"metadata\":{},\"items\":[",
        list.resource.list_kind,
        list.resource.gvk.api_version(),
        Value::Object(metadata),
    );
    out.extend_from_slice(head.as_bytes());
    for (index, item) in list.items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match item {
            Object::Stored(stored) if is_builtin => {
                out.push(b'{');
                out.extend_from_slice(stored.item_tail());
            }
            Object::Stored(stored) => out.extend_from_slice(&stored.raw),
            Object::Value(value) => write_item(&mut out, value, is_builtin),
        }
    }
    out.extend_from_slice(b"]}\n");
    if list.is_null {
        out.truncate(out.len() - "[]}\n".len());
        out.extend_from_slice(b"null}\n");
    }
    out
}

fn write_item(out: &mut Vec<u8>, value: &Value, is_builtin: bool) {
    let encoded = crate::store::Encoded::of(value);
    let version = object::meta::resource_version(value);
    let raw = encoded.stored_bytes(version, is_builtin);
    out.extend_from_slice(&raw);
}

/// The metadata of an object, as `PartialObjectMetadata`.
pub(crate) fn partial(object: &Value, version: &str) -> Value {
    let mut metadata = object["metadata"].clone();
    builtin::strategy::hide_converted_metadata(object, &mut metadata);
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": metadata,
    })
}

fn table_of(
    core: &Core,
    resource: &ServedResource,
    version: &str,
    metadata: Value,
    include: IncludeObject,
    items: &[Value],
) -> Value {
    let rows = table::Rows::new(core, resource);
    let rows: Vec<Value> = items
        .iter()
        .map(|item| row(&rows, version, include, item))
        .collect();
    json!({
        "kind": "Table",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": metadata,
        "columnDefinitions": table::columns(resource),
        "rows": rows,
    })
}

fn row(rows: &table::Rows<'_>, version: &str, include: IncludeObject, item: &Value) -> Value {
    let mut row = rows.row(item);
    row["object"] = match include {
        IncludeObject::None => Value::Null,
        IncludeObject::Metadata => partial(item, version),
        IncludeObject::Object => item.clone(),
    };
    row
}

/// A table of one object, for the events of a watch.
pub(crate) fn watch_table(
    core: &Core,
    resource: &ServedResource,
    version: &str,
    include: IncludeObject,
    object: &Value,
    with_columns: bool,
) -> Value {
    let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
    let mut table = table_of(
        core,
        resource,
        version,
        metadata,
        include,
        std::slice::from_ref(object),
    );
    if !with_columns {
        table["columnDefinitions"] = Value::Null;
    }
    table
}
