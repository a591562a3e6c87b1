//! `patch`: JSON patch, merge patch, strategic merge patch, server-side apply.
//!
//! Source: apiserver, `endpoints/handlers/patch.go`.

use builtin::facts::facts;
use bytes::Bytes;
use object::field::{self, Path};
use object::json_patch::{JsonPatch, JsonPatchError};
use object::strategic::{self, StrategicError};
use object::{GroupKind, Value, merge_patch, meta};

use super::duplicates::duplicates;
use super::go_text::{go_text, touched_by};
use super::options::{Validation, WriteOptions};
use super::write::{self, Creates, Update};
use super::{Body, Call, Outcome, decode, managed, metadata, read};
use crate::error::ApiError;
use crate::registry::{defaults, schema};

/// The kinds of patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl Kind {
    /// The kind of a media type, if the resource takes it.
    pub(super) fn of(call: &Call, media_type: &str) -> Result<Self, ApiError> {
        let is_custom = call.resource.custom().is_some();
        // go-restful, in front of the built-in kinds, compares with case.
        let lower = media_type.to_ascii_lowercase();
        match if is_custom {
            lower.as_str()
        } else {
            media_type
        } {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" if !is_custom => Ok(Self::Strategic),
            "application/apply-patch+yaml" => Ok(Self::Apply),
            // Routed away by go-restful, in words of its own.
            _ if !is_custom => {
                Err(
                    ApiError::new(415, "UnsupportedMediaType", "415: Unsupported Media Type")
                        .with_details(crate::error::Details::default()),
                )
            }
            _ => Err(ApiError::unsupported_media_type(&[
                "application/json-patch+json",
                "application/merge-patch+json",
                "application/apply-patch+yaml",
            ])),
        }
    }
}

/// Patches an object.
pub(super) async fn patch(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    patch_as(call, body, "").await
}

/// Patches what a subresource of the same kind lets be changed.
pub(super) async fn patch_as(
    call: &Call,
    body: Body,
    subresource: &str,
) -> Result<Outcome, ApiError> {
    let (bytes, media_type) = bytes_of(body);
    let kind = Kind::of(call, &media_type)?;
    let options = WriteOptions::read(&call.query, "PatchOptions", Some(kind == Kind::Apply))?;
    let patch = Patch::read(call, kind, bytes, &options)?;
    let manager = options.manager(call);
    let update = Update {
        call,
        options: &options,
        subresource,
        uid: None,
        creates: if kind == Kind::Apply {
            Creates::Always
        } else {
            Creates::Never
        },
    };
    let (code, object) = write::update(&update, |old| {
        let live = if old.is_null() {
            Value::Null
        } else {
            read::to_request_version(&call.resource, old.clone())
        };
        let mut new = patch.apply(call, &live, &manager, &options)?;
        metadata::deduplicate_owners(call, &mut new, false);
        if kind != Kind::Apply {
            managed::on_update(call, &live, &mut new, &manager);
        }
        metadata::check_patched_name(call, &new)?;
        if old.is_null() {
            metadata::fit_namespace(call, &mut new)?;
        }
        Ok(read::to_storage_version(&call.resource, new))
    })
    .await?;
    Ok(Outcome::Object(code, object))
}

/// The bytes of a body and their media type.
pub(super) fn bytes_of(body: Body) -> (Bytes, String) {
    match body {
        Body::Bytes(bytes, media_type) => (bytes, media_type),
        Body::Value(value) => (
            Bytes::from(value.to_string()),
            "application/merge-patch+json".to_owned(),
        ),
    }
}

/// A patch, read.
pub(super) enum Patch {
    /// With what it touches, and what strict decoding objects to.
    Json(JsonPatch, Value, Vec<String>),
    Merge(Value, Vec<String>),
    Strategic(Value, Vec<String>),
    Apply(Value, Vec<String>),
}

impl Patch {
    /// Reads a patch.
    pub(super) fn read(
        call: &Call,
        kind: Kind,
        bytes: Bytes,
        options: &WriteOptions,
    ) -> Result<Self, ApiError> {
        let parse = |bytes: &[u8]| {
            serde_json::from_slice::<Value>(bytes).map_err(|error| {
                let why = builtin::decode::syntax_error(bytes).unwrap_or_else(|| error.to_string());
                ApiError::bad_request(format!("error decoding patch: {why}"))
            })
        };
        match kind {
            Kind::Json => {
                let value = parse(&bytes)?;
                let touched = touched_by(&value);
                let strict = strict_json_patch(&bytes, &value, options.validation);
                JsonPatch::decode(value)
                    .map(|patch| Self::Json(patch, touched, strict))
                    .map_err(json_error)
            }
            Kind::Merge => {
                let value = parse(&bytes)?;
                is_map(&value)?;
                Ok(Self::Merge(value, strict_patch(&bytes, options.validation)))
            }
            Kind::Strategic => {
                let value = parse(&bytes)?;
                is_map(&value)?;
                let strict = strict_patch(&bytes, options.validation);
                Ok(Self::Strategic(value, strict))
            }
            Kind::Apply => {
                let value = yaml::to_json(&bytes).map_err(|error| {
                    ApiError::bad_request(format!(
                        "error decoding YAML: error converting YAML to JSON: {error}"
                    ))
                })?;
                let mut strict = Vec::new();
                if options.validation != Validation::Ignore
                    && let Err(error) = yaml::to_json_strict(&bytes)
                {
                    strict.push(error.to_string());
                }
                let _ = call;
                Ok(Self::Apply(value, strict))
            }
        }
    }

    /// Applies the patch to the object as it is in the version asked for (null if there is none).
    pub(super) fn apply(
        &self,
        call: &Call,
        live: &Value,
        manager: &str,
        options: &WriteOptions,
    ) -> Result<Value, ApiError> {
        let (patched, shown) = match self {
            Self::Json(patch, touched, strict) => (
                patch.clone().apply(live.clone()).map_err(json_error)?,
                Shown::Object(touched, strict),
            ),
            Self::Merge(patch, strict) => (
                merge_patch::apply(live.clone(), patch.clone())
                    .map_err(|error| ApiError::bad_request(error.to_string()))?,
                Shown::Object(patch, strict),
            ),
            Self::Strategic(patch, strict) => (
                strategic_merge(call, live, patch)?,
                Shown::Patch(patch, strict),
            ),
            Self::Apply(patch, strict) => {
                if options.validation == Validation::Strict
                    && let Some(problem) = strict.first()
                {
                    return Err(ApiError::bad_request(format!(
                        "error strict decoding YAML: error converting YAML to JSON: {problem}"
                    )));
                }
                for problem in strict {
                    for line in problem.lines().filter(|line| !line.starts_with("yaml:")) {
                        call.context.warn(line.trim());
                    }
                }
                return apply_declared(call, live, patch, manager, options);
            }
        };
        typed(call, patched, shown, options.validation)
    }
}

/// What a message about a patch that cannot be applied shows, and what strict decoding of the patch
/// itself objects to.
#[derive(Clone, Copy)]
enum Shown<'a> {
    /// The patched object, of which the patch touched this.
    Object(&'a Value, &'a [String]),
    /// The patch.
    Patch(&'a Value, &'a [String]),
}

impl Shown<'_> {
    fn text(self, patched: &Value, kind: &object::GroupVersionKind) -> String {
        match self {
            Self::Patch(Value::Object(patch), _) => object::goprint::map_v(patch),
            Self::Patch(patch, _) => patch.to_string(),
            Self::Object(touched, _) => go_text(patched, kind, touched),
        }
    }

    fn strict(&self) -> &[String] {
        match self {
            Self::Object(_, strict) | Self::Patch(_, strict) => strict,
        }
    }
}

fn strict_patch(bytes: &[u8], validation: Validation) -> Vec<String> {
    if validation == Validation::Ignore {
        return Vec::new();
    }
    let found = duplicates(bytes);
    let found = found.iter();
    found
        .map(|path| format!("duplicate field \"{path}\""))
        .collect()
}

fn strict_json_patch(bytes: &[u8], patch: &Value, validation: Validation) -> Vec<String> {
    let mut problems: Vec<String> = strict_patch(bytes, validation)
        .iter()
        .map(|problem| format!("json patch {problem}"))
        .collect();
    if validation == Validation::Ignore {
        return problems;
    }
    for (index, operation) in patch.as_array().into_iter().flatten().enumerate() {
        for key in operation
            .as_object()
            .into_iter()
            .flat_map(object::Map::keys)
        {
            if !matches!(key.as_str(), "op" | "path" | "from" | "value") {
                problems.push(format!("json patch unknown field \"[{index}].{key}\""));
            }
        }
    }
    problems
}

fn is_map(value: &Value) -> Result<(), ApiError> {
    match value {
        Value::Object(_) => Ok(()),
        Value::Null => Err(ApiError::bad_request("Invalid JSON Patch")),
        other => Err(ApiError::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            decode::go_name(other)
        ))),
    }
}

fn json_error(error: JsonPatchError) -> ApiError {
    match error {
        JsonPatchError::Decode { .. } => {
            ApiError::bad_request(format!("error decoding patch: {error}"))
        }
        JsonPatchError::TooManyOperations(_) => ApiError::too_large(&error.to_string()),
        _ => ApiError::unprocessable(),
    }
}

fn strategic_merge(call: &Call, live: &Value, patch: &Value) -> Result<Value, ApiError> {
    let types = schema::patch_types();
    let described = types
        .kind(&call.resource.gvk)
        .ok_or_else(|| ApiError::internal("the kind has no patch schema"))?;
    let (Value::Object(live), Value::Object(patch)) = (live.clone(), patch.clone()) else {
        return Err(ApiError::bad_request("Invalid JSON Patch"));
    };
    strategic::apply(live, patch, described)
        .map(Value::Object)
        .map_err(|error| strategic_error(&error))
}

fn strategic_error(error: &StrategicError) -> ApiError {
    match error.status() {
        400 => ApiError::bad_request(error.to_string()),
        422 => ApiError::unprocessable(),
        _ => ApiError::new(500, "", error.to_string()),
    }
}

/// Checks what a patch came to against the kind's type, and fills in its defaults.
fn typed(
    call: &Call,
    patched: Value,
    shown: Shown<'_>,
    validation: Validation,
) -> Result<Value, ApiError> {
    let kind = &call.resource.gvk;
    if call.resource.custom().is_some() {
        return custom_typed(call, patched, shown.strict(), validation);
    }
    let refused = |why: String, patched: &Value| {
        let shown = shown.text(patched, kind);
        let error = field::Error::invalid(&Path::new("patch"), shown, why);
        ApiError::invalid(&GroupKind::default(), "", &[error])
    };
    let found = meta::gvk(&patched);
    // A strategic merge goes by the type of what it changes, whatever that says of itself.
    if found != *kind && matches!(shown, Shown::Object(..)) {
        if found.group.is_empty() && found.version.is_empty() {
            let unknown = untyped_problems(&patched);
            note_problems(call, &unknown, validation).map_err(|why| refused(why, &patched))?;
            return Err(metadata::undeterminable_name(call));
        }
        if found.group_version() != kind.group_version() || !found.kind.is_empty() {
            let why = wrong_kind(&found, kind, &patched);
            return Err(refused(why, &patched));
        }
    }
    let id = facts()
        .type_of(kind)
        .ok_or_else(|| ApiError::internal(format!("{kind} has no type")))?;
    let decoded = match builtin::decode::decode_value(id, patched.clone()) {
        Ok(decoded) => decoded,
        Err(error) => return Err(refused(error.to_string(), &patched)),
    };
    let problems: Vec<String> = shown
        .strict()
        .iter()
        .chain(&decoded.strict)
        .cloned()
        .collect();
    note_problems(call, &problems, validation).map_err(|why| refused(why, &patched))?;
    let mut object = decoded.object;
    if let Some(map) = object.as_object_mut() {
        map.insert("apiVersion".to_owned(), Value::from(kind.api_version()));
        map.insert("kind".to_owned(), Value::from(kind.kind.as_str()));
    }
    metadata::ensure(&mut object);
    defaults::apply(kind, &mut object);
    Ok(object)
}

/// Warns of what strict decoding objects to, or gives it as the reason to refuse.
fn note_problems(call: &Call, problems: &[String], validation: Validation) -> Result<(), String> {
    if validation == Validation::Strict && !problems.is_empty() {
        return Err(format!("strict decoding error: {}", problems.join(", ")));
    }
    if validation == Validation::Warn {
        for problem in problems {
            call.context.warn(problem.as_str());
        }
    }
    Ok(())
}

/// What strict decoding says of an object without `apiVersion`: upstream reads it as its internal type,
/// which knows none of the fields' names.
fn untyped_problems(patched: &Value) -> Vec<String> {
    let mut names: Vec<&String> = patched
        .as_object()
        .into_iter()
        .flat_map(object::Map::keys)
        .filter(|name| *name != "kind" && *name != "apiVersion")
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .map(|name| format!("unknown field {}", field::quote(name)))
        .collect()
}

/// The same for custom resources.
fn custom_typed(
    call: &Call,
    patched: Value,
    strict: &[String],
    validation: Validation,
) -> Result<Value, ApiError> {
    let text = if validation == Validation::Strict {
        patched.to_string()
    } else {
        String::new()
    };
    let (object, problems) = super::custom::normalized(call, patched)?;
    let problems: Vec<String> = strict.iter().cloned().chain(problems).collect();
    if validation == Validation::Strict && !problems.is_empty() {
        let why = format!("strict decoding error: {}", problems.join(", "));
        let error = field::Error::invalid(&Path::new("patch"), text, why);
        return Err(ApiError::invalid(&GroupKind::default(), "", &[error]));
    }
    if validation == Validation::Warn {
        for problem in problems {
            call.context.warn(problem);
        }
    }
    Ok(object)
}

/// What Go says of a patched object that has become another kind.
fn wrong_kind(
    found: &object::GroupVersionKind,
    kind: &object::GroupVersionKind,
    patched: &Value,
) -> String {
    let package = |group: &str| {
        if group.is_empty() {
            "core".to_owned()
        } else {
            group.split('.').next().unwrap_or_default().to_owned()
        }
    };
    let Some(id) = facts().type_of(found) else {
        return format!(
            "no kind \"{}\" is registered for version \"{}\" in scheme \"pkg/runtime/scheme.go:111\"",
            found.kind,
            found.api_version()
        );
    };
    match builtin::decode::decode_value(id, patched.clone()) {
        Err(error) => error.to_string(),
        Ok(_) => format!(
            "unable to convert object type {}.{} to {}.{}",
            package(&found.group),
            found.kind,
            package(&kind.group),
            kind.kind
        ),
    }
}

/// Server-side apply.
fn apply_declared(
    call: &Call,
    live: &Value,
    patch: &Value,
    manager: &str,
    options: &WriteOptions,
) -> Result<Value, ApiError> {
    let kind = &call.resource.gvk;
    let mut declared = patch.clone();
    if declared.is_null() {
        declared = Value::Object(object::Map::new());
    }
    if !declared.is_object() {
        return Err(ApiError::bad_request(format!(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            decode::go_name(&declared)
        )));
    }
    if declared
        .pointer("/metadata/managedFields")
        .is_some_and(|fields| !fields.is_null())
    {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    super::custom::normalize_numbers(&mut declared);
    let force = options.force.unwrap_or(false);
    let merged = managed::apply(call, live, &declared, manager, force)?;
    if let Some(custom) = call.resource.custom() {
        let mut merged = merged;
        custom.set_defaults(&mut merged);
        return Ok(merged);
    }
    let id = facts()
        .type_of(kind)
        .ok_or_else(|| ApiError::internal(format!("{kind} has no type")))?;
    let decoded = builtin::decode::decode_value(id, merged)
        .map_err(|error| ApiError::new(500, "", error.to_string()))?;
    let mut object = decoded.object;
    if let Some(map) = object.as_object_mut() {
        map.insert("apiVersion".to_owned(), Value::from(kind.api_version()));
        map.insert("kind".to_owned(), Value::from(kind.kind.as_str()));
    }
    metadata::ensure(&mut object);
    defaults::apply(kind, &mut object);
    Ok(object)
}
