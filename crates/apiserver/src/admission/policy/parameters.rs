//! The objects that a binding hands to its policy.
//!
//! Source: apiserver `admission/plugin/policy/generic/policy_dispatcher.go`, `CollectParams`.

use object::{GroupVersionKind, Map, Value, selector};

use crate::admission::Attributes;
use crate::store::{Range, key_of};

/// The parameters with which a policy is evaluated, one after the other; null for none.
///
/// # Errors
/// The binding is not configured as it should be, or demands parameters that are not there.
pub(super) fn of(
    attributes: &Attributes<'_>,
    policy: &Value,
    binding: &Value,
) -> Result<Vec<Value>, String> {
    let none = || Ok(vec![Value::Null]);
    let reference = &binding["paramRef"];
    if policy["paramKind"].is_null() || reference.is_null() {
        return none();
    }
    let core = &attributes.call.core;
    let kind = GroupVersionKind::of(&policy["paramKind"]);
    let registry = core.registry();
    let served = registry
        .resource_of(&kind)
        .ok_or_else(|| format!("paramKind kind `{kind}` not known"))?;
    let text = |key: &str| reference[key].as_str().unwrap_or_default();
    let namespace = match (served.namespaced, text("namespace")) {
        (false, "") => "",
        (false, _) => {
            return Err(
                "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
                    .to_owned(),
            );
        }
        (true, "") if attributes.call.namespace.is_empty() => {
            return Err("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources".to_owned());
        }
        (true, "") => attributes.call.namespace.as_str(),
        (true, namespace) => namespace,
    };
    let bucket = core.store.bucket(&served.storage);
    let found: Vec<Value> = if text("name").is_empty() {
        if reference["selector"].is_null() {
            return Err("one of name or selector must be provided".to_owned());
        }
        let selector =
            selector::from_object(&reference["selector"]).map_err(|error| error.to_string())?;
        let empty = Map::new();
        let labels = |object: &Value| {
            object
                .pointer("/metadata/labels")
                .and_then(Value::as_object)
                .unwrap_or(&empty)
                .clone()
        };
        let listed = bucket.list(&Range::namespace(namespace)).objects;
        listed
            .into_iter()
            .map(|stored| stored.value())
            .filter(|object| selector.matches(&labels(object)))
            .collect()
    } else {
        let stored = bucket.get(&key_of(namespace, text("name")));
        stored.into_iter().map(|stored| stored.value()).collect()
    };
    if found.is_empty() && text("parameterNotFoundAction") == "Deny" {
        return Err(
            "no params found for policy binding with `Deny` parameterNotFoundAction".to_owned(),
        );
    }
    Ok(found)
}
