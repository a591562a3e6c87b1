//! What every write does to `metadata` before the kind's own rules.

use object::{Map, Value, meta};

use super::Call;
use crate::error::ApiError;

/// Makes sure that there is a `metadata` object.
pub(super) fn ensure(object: &mut Value) {
    if !object.get("metadata").is_some_and(Value::is_object) {
        object["metadata"] = Value::Object(Map::new());
    }
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"][key].as_str().unwrap_or_default()
}

/// Removes a field of the metadata.
pub(super) fn remove(object: &mut Value, key: &str) {
    if let Some(map) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        map.remove(key);
    }
}

/// Fits the namespace of a new object to the request's.
///
/// Source: apiserver, `registry/rest/meta.go`, `EnsureObjectNamespaceMatchesRequestNamespace`.
pub(super) fn fit_namespace(call: &Call, object: &mut Value) -> Result<(), ApiError> {
    if !call.resource.namespaced {
        remove(object, "namespace");
        return Ok(());
    }
    let namespace = meta::namespace(object);
    if namespace.is_empty() && !call.namespace.is_empty() {
        object["metadata"]["namespace"] = Value::from(call.namespace.as_str());
    } else if namespace != call.namespace {
        return Err(ApiError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

/// Replaces what only the server decides on. Source: `registry/rest/meta.go`.
pub(super) fn fill_system_fields(call: &Call, object: &mut Value) {
    for key in [
        "uid",
        "selfLink",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        remove(object, key);
    }
    object["metadata"]["creationTimestamp"] = Value::from(call.core.now());
    object["metadata"]["uid"] = Value::from(call.core.clock.uid());
}

/// Makes a name from `generateName` if there is none. `true` if it did.
///
/// Source: apiserver, `storage/names/generate.go`: the base is cut to 58 letters.
pub(super) fn generate_name(call: &Call, object: &mut Value) -> bool {
    let base = text(object, "generateName").to_owned();
    if base.is_empty() || !meta::name(object).is_empty() {
        return false;
    }
    let mut end = base.len().min(58);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    let name = format!("{}{}", &base[..end], call.core.clock.suffix());
    object["metadata"]["name"] = Value::from(name);
    true
}

/// Checks the name and namespace of an update against the URL. Source: `handlers/rest.go`, `checkName`.
pub(super) fn check_name(call: &Call, object: &Value) -> Result<(), ApiError> {
    check_patched_name(call, object)?;
    let namespace = meta::namespace(object);
    if !call.namespace.is_empty() && !namespace.is_empty() && namespace != call.namespace {
        return Err(ApiError::bad_request(format!(
            "the namespace of the object ({namespace}) does not match the namespace on the request ({})",
            call.namespace
        )));
    }
    Ok(())
}

/// The 400 for an object without a name.
pub(super) fn undeterminable_name(call: &Call) -> ApiError {
    ApiError::bad_request(format!(
        "the name of the object ({} based on URL) was undeterminable: name must be provided",
        call.name
    ))
}

/// Checks the name of what a patch came to.
pub(super) fn check_patched_name(call: &Call, object: &Value) -> Result<(), ApiError> {
    let name = meta::name(object);
    if name.is_empty() {
        return Err(undeterminable_name(call));
    }
    if name != call.name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            call.name
        )));
    }
    Ok(())
}

/// The resource version of an object; 0 if it has none.
pub(super) fn resource_version(object: &Value) -> Result<i64, ApiError> {
    let text = meta::resource_version(object);
    if text.is_empty() {
        return Ok(0);
    }
    parse_version(text).ok_or_else(|| {
        ApiError::new(
            500,
            "",
            format!(
                "strconv.ParseUint: parsing {}: invalid syntax",
                object::field::quote(text)
            ),
        )
    })
}

/// Reads a resource version: digits only.
pub(super) fn parse_version(text: &str) -> Option<i64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Drops owner references that are there twice, with a warning.
///
/// Source: apiserver, `handlers/rest.go`, `dedupOwnerReferencesAndAddWarning`.
pub(super) fn deduplicate_owners(call: &Call, object: &mut Value, is_after_mutation: bool) {
    let owners = object.pointer_mut("/metadata/ownerReferences");
    let Some(owners) = owners.and_then(Value::as_array_mut) else {
        return;
    };
    let before = owners.len();
    let mut kept: Vec<Value> = Vec::with_capacity(before);
    for owner in owners.drain(..) {
        if !kept.contains(&owner) {
            kept.push(owner);
        }
    }
    *owners = kept;
    let after = owners.len();
    if after < before {
        call.context.warn(if is_after_mutation {
            ".metadata.ownerReferences contains duplicate entries after mutating admission happens; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests"
        } else {
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests"
        });
    }
}
