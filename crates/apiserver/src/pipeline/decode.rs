//! From a request's body to an object in the version asked for.
//!
//! Source: apiserver, `endpoints/handlers/{create,update,rest}.go`.

use builtin::facts::facts;
use object::{GroupVersionKind, Value};
use serde::Deserialize;

use super::options::Validation;
use super::{Body, Call};
use crate::error::ApiError;
use crate::http::negotiate::{self, Encoding};
use crate::registry::defaults;

/// Where Go's scheme of the built-in kinds is made; it stands in messages.
const SCHEME: &str = "pkg/runtime/scheme.go:111";

/// What every object says of itself.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TypeMeta {
    #[serde(rename = "apiVersion")]
    api_version: Option<String>,
    kind: Option<String>,
}

/// Reads the object of a create or update, with its defaults. `kind` is what is expected there.
pub(super) fn object(
    call: &Call,
    body: Body,
    kind: &GroupVersionKind,
    validation: Validation,
) -> Result<Value, ApiError> {
    let is_custom = call.resource.custom().is_some() && *kind == call.resource.gvk;
    let (bytes, media_type) = match body {
        Body::Value(value) => return from_value(call, value, kind, validation, is_custom),
        Body::Bytes(bytes, media_type) => (bytes, media_type),
    };
    let offered: &[Encoding] = if is_custom {
        &[Encoding::Json, Encoding::Yaml]
    } else {
        &negotiate::ALL
    };
    match negotiate::of_body(&media_type, offered)? {
        Encoding::Protobuf => {
            let object = builtin::protobuf::decode(&bytes, Some(kind))
                .map_err(|error| unrecognized(kind, &error, &bytes))?;
            finish(call, object, kind)
        }
        Encoding::Yaml => {
            let value =
                yaml::to_json(&bytes).map_err(|error| unrecognized(kind, &error, &bytes))?;
            let mut strict = Vec::new();
            if validation != Validation::Ignore
                && let Err(error) = yaml::to_json_strict(&bytes)
            {
                strict.push(error.to_string());
            }
            let json = bytes::Bytes::from(value.to_string());
            from_json(call, &json, &bytes, kind, validation, is_custom, strict)
        }
        Encoding::Json => from_json(
            call,
            &bytes,
            &bytes,
            kind,
            validation,
            is_custom,
            Vec::new(),
        ),
    }
}

/// Reads an object that was made in this process.
fn from_value(
    call: &Call,
    mut value: Value,
    kind: &GroupVersionKind,
    validation: Validation,
    is_custom: bool,
) -> Result<Value, ApiError> {
    if let Some(map) = value.as_object_mut() {
        map.entry("apiVersion")
            .or_insert_with(|| Value::from(kind.api_version()));
        map.entry("kind")
            .or_insert_with(|| Value::from(kind.kind.as_str()));
    }
    if is_custom {
        return super::custom::decoded(call, value, Vec::new(), validation);
    }
    let id = facts()
        .type_of(kind)
        .ok_or_else(|| ApiError::internal(format!("{kind} has no type")))?;
    let decoded = builtin::decode::decode_value(id, value)
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    finish(call, decoded.object, kind)
}

/// Reads a JSON text; `body` is what the client sent, for messages.
fn from_json(
    call: &Call,
    json: &[u8],
    body: &[u8],
    kind: &GroupVersionKind,
    validation: Validation,
    is_custom: bool,
    mut strict: Vec<String>,
) -> Result<Value, ApiError> {
    let found = found_kind(json, kind).map_err(|error| unrecognized(kind, &error, body))?;
    if is_custom {
        if let Some(missing) = missing_type(json) {
            return Err(unrecognized(kind, &missing, body));
        }
        return super::custom::decode(call, json, body, &found, validation, strict);
    }
    let is_old = found.kind == kind.kind && is_registered(&found);
    if is_old && facts().type_of(&found).is_none() {
        return Err(other_version(&found, kind));
    }
    let Some(id) = facts().type_of(&found) else {
        let why = format!(
            "no kind \"{}\" is registered for version \"{}\" in scheme \"{SCHEME}\"",
            found.kind,
            found.api_version()
        );
        return Err(cannot_handle(&found, kind, &why));
    };
    let decoded = builtin::decode::decode_slice(id, json)
        .map_err(|error| cannot_handle(&found, kind, &error))?;
    if found.kind != kind.kind {
        let go_package = |kind: &GroupVersionKind| {
            kind.group
                .split('.')
                .next()
                .filter(|group| !group.is_empty())
                .unwrap_or("core")
                .to_owned()
        };
        let why = format!(
            "converting ({}.{}) to ({}.{}): unknown conversion",
            found.version,
            found.kind,
            go_package(kind),
            kind.kind
        );
        return Err(cannot_handle(&found, kind, &why));
    }
    strict.extend(decoded.strict);
    note_strict(call, &found, kind, &strict, validation)?;
    if found.group_version() != kind.group_version() {
        return Err(other_version(&found, kind));
    }
    finish(call, decoded.object, kind)
}

/// The 400 for an object in another version than the URL's.
pub(super) fn other_version(found: &GroupVersionKind, kind: &GroupVersionKind) -> ApiError {
    ApiError::bad_request(format!(
        "the API version in the data ({}) does not match the expected API version ({})",
        found.api_version(),
        kind.api_version()
    ))
}

/// Whether Go's scheme still knows an old version that is served no more.
fn is_registered(found: &GroupVersionKind) -> bool {
    let versions: &[&str] = match found.group.as_str() {
        "apps" => &["v1beta1", "v1beta2"],
        "autoscaling" => &["v2beta1", "v2beta2"],
        "rbac.authorization.k8s.io"
        | "storage.k8s.io"
        | "scheduling.k8s.io"
        | "node.k8s.io"
        | "admissionregistration.k8s.io"
        | "authentication.k8s.io"
        | "certificates.k8s.io"
        | "networking.k8s.io" => &["v1alpha1", "v1beta1"],
        "flowcontrol.apiserver.k8s.io" => &["v1beta1", "v1beta2", "v1beta3"],
        "extensions"
        | "batch"
        | "policy"
        | "coordination.k8s.io"
        | "events.k8s.io"
        | "discovery.k8s.io"
        | "authorization.k8s.io"
        | "apiextensions.k8s.io"
        | "apiregistration.k8s.io" => &["v1beta1"],
        _ => &[],
    };
    versions.contains(&found.version.as_str())
}

/// Warns of, or refuses, what strict decoding objects to.
pub(super) fn note_strict(
    call: &Call,
    found: &GroupVersionKind,
    kind: &GroupVersionKind,
    strict: &[String],
    validation: Validation,
) -> Result<(), ApiError> {
    if strict.is_empty() {
        return Ok(());
    }
    match validation {
        Validation::Ignore => Ok(()),
        Validation::Warn => {
            for problem in strict {
                call.context.warn(problem.as_str());
            }
            Ok(())
        }
        Validation::Strict => {
            let why = format!("strict decoding error: {}", strict.join(", "));
            Err(cannot_handle(found, kind, &why))
        }
    }
}

fn finish(call: &Call, mut object: Value, kind: &GroupVersionKind) -> Result<Value, ApiError> {
    let _ = call;
    if let Some(map) = object.as_object_mut() {
        map.insert("apiVersion".to_owned(), Value::from(kind.api_version()));
        map.insert("kind".to_owned(), Value::from(kind.kind.as_str()));
    }
    super::metadata::ensure(&mut object);
    defaults::apply(kind, &mut object);
    Ok(object)
}

/// The kind that a JSON text names; what it leaves out is as expected.
fn found_kind(json: &[u8], expected: &GroupVersionKind) -> Result<GroupVersionKind, String> {
    let parsed: Result<TypeMeta, _> = match json.iter().find(|byte| !byte.is_ascii_whitespace()) {
        // Serde would read a list as a struct.
        Some(b'[') => Err(serde::de::Error::custom("a list")),
        _ => serde_json::from_slice(json),
    };
    let meta = parsed.map_err(|error| {
        let why = builtin::decode::syntax_error(json)
            .unwrap_or_else(|| type_meta_error(json).unwrap_or_else(|| error.to_string()));
        format!("couldn't get version/kind; json parse error: {why}")
    })?;
    let version = meta.api_version.unwrap_or_default();
    let kind = meta.kind.unwrap_or_default();
    let parsed = object::GroupVersion::parse(&version)
        .ok_or_else(|| format!("unexpected GroupVersion string: {version}"))?;
    let mut found = parsed.with_kind(kind);
    if found.kind.is_empty() {
        found.kind.clone_from(&expected.kind);
    }
    if found.version.is_empty() && found.group.is_empty() {
        found.group.clone_from(&expected.group);
        found.version.clone_from(&expected.version);
    } else if found.version.is_empty() && found.group == expected.group {
        found.version.clone_from(&expected.version);
    }
    Ok(found)
}

/// What unstructured decoding says of an object without kind or version.
fn missing_type(json: &[u8]) -> Option<String> {
    let meta: TypeMeta = serde_json::from_slice(json).ok()?;
    let text = String::from_utf8_lossy(json);
    if meta.kind.is_none_or(|kind| kind.is_empty()) {
        return Some(format!("Object 'Kind' is missing in '{text}'"));
    }
    if meta.api_version.is_none_or(|version| version.is_empty()) {
        return Some(format!("Object 'apiVersion' is missing in '{text}'"));
    }
    None
}

/// What Go's decoder says of a document that is no object, or whose kind is no text.
fn type_meta_error(json: &[u8]) -> Option<String> {
    const STRUCT: &str = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
    let value: Value = serde_json::from_slice(json).ok()?;
    let Some(map) = value.as_object() else {
        return Some(format!(
            "json: cannot unmarshal {} into Go value of type {STRUCT}",
            go_name(&value)
        ));
    };
    ["apiVersion", "kind"].iter().find_map(|key| {
        let value = map.get(*key)?;
        (!value.is_string() && !value.is_null()).then(|| {
            format!(
                "json: cannot unmarshal {} into Go struct field .{key} of type string",
                go_name(value)
            )
        })
    })
}

/// The name Go's decoder gives the kind of a value.
pub(super) fn go_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The 400 for an object whose kind is known.
pub(super) fn cannot_handle(
    found: &GroupVersionKind,
    kind: &GroupVersionKind,
    why: &dyn std::fmt::Display,
) -> ApiError {
    ApiError::bad_request(format!(
        "{} in version \"{}\" cannot be handled as a {}: {why}",
        found.kind, found.version, kind.kind
    ))
}

/// The 400 for a body that is no object.
pub(super) fn unrecognized(
    kind: &GroupVersionKind,
    error: &dyn std::fmt::Display,
    bytes: &[u8],
) -> ApiError {
    ApiError::bad_request(format!(
        "the object provided is unrecognized (must be of type {}): {error} ({})",
        kind.kind,
        summary(bytes)
    ))
}

/// The first bytes of a body, for a message. Source: `handlers/rest.go`, `summarizeData`.
fn summary(bytes: &[u8]) -> String {
    const LIMIT: usize = 30;
    let start = &bytes[..bytes.len().min(LIMIT)];
    let more = if bytes.len() > LIMIT { " ..." } else { "" };
    match bytes.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(start)),
        Some(_) => {
            let mut hex = String::new();
            for byte in start {
                hex.push_str(&format!("{byte:02x}"));
            }
            hex + more
        }
    }
}

/// Reads the `DeleteOptions` of a deletion; `None` if there is no body.
pub(super) fn delete_options(call: &Call, body: Body) -> Result<Option<Value>, ApiError> {
    let kind = GroupVersionKind::new("meta.k8s.io", "v1", "DeleteOptions");
    let (bytes, media_type) = match body {
        Body::Value(Value::Null) => return Ok(None),
        Body::Value(value) => return Ok(Some(value)),
        Body::Bytes(bytes, _) if bytes.is_empty() => return Ok(None),
        Body::Bytes(bytes, media_type) => (bytes, media_type),
    };
    let _ = call;
    let value = match negotiate::of_body(&media_type, &negotiate::ALL)? {
        Encoding::Protobuf => builtin::protobuf::decode(&bytes, Some(&kind))
            .map_err(|error| unrecognized(&kind, &error, &bytes))?,
        Encoding::Yaml => {
            yaml::to_json(&bytes).map_err(|error| unrecognized(&kind, &error, &bytes))?
        }
        Encoding::Json => {
            found_kind(&bytes, &kind).map_err(|error| unrecognized(&kind, &error, &bytes))?;
            serde_json::from_slice(&bytes).map_err(|error| unrecognized(&kind, &error, &bytes))?
        }
    };
    let id = facts().type_of(&GroupVersionKind::new("", "v1", "DeleteOptions"));
    let Some(id) = id else {
        return Ok(Some(value));
    };
    let decoded = builtin::decode::decode_value(id, value).map_err(|error| {
        cannot_handle(
            &GroupVersionKind::new("", "v1", "DeleteOptions"),
            &kind,
            &error,
        )
    })?;
    Ok(Some(decoded.object))
}
