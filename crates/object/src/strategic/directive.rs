//! The words with which a patch says more than values.

use serde_json::Value;

use super::{Object, StrategicError};

/// The field that says what is done with the map it stands in.
pub(super) const PATCH: &str = "$patch";
/// `$patch`: the map goes away.
pub(super) const DELETE: &str = "delete";
/// `$patch`, or the strategy of a field: the value is taken as it is.
pub(super) const REPLACE: &str = "replace";
/// The strategy of a field: the items of a list are merged.
pub(super) const MERGE: &str = "merge";
/// The field that lists the keys that stay in the map it stands in.
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
/// The strategy of a field: its patches list the keys that stay.
pub(super) const RETAIN_KEYS_STRATEGY: &str = "retainKeys";
/// `$deleteFromPrimitiveList/field` lists the items to be deleted.
pub(super) const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList";
/// `$setElementOrder/field` lists the items in their order.
pub(super) const SET_ORDER: &str = "$setElementOrder";

/// The field that a directive such as `$setElementOrder/field` is about.
pub(super) fn field_of<'a>(key: &'a str, prefix: &str) -> Result<&'a str, StrategicError> {
    match key.split_once('/') {
        Some((before, field)) if before == prefix => Ok(field),
        _ if prefix == DELETE_FROM_LIST => Err(StrategicError::PrimitiveListFormat),
        _ => Err(StrategicError::SetElementOrderFormat),
    }
}

/// Whether the value is a map with a `$patch`.
pub(super) fn has_directive(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.contains_key(PATCH))
}

/// Whether the map is marked with `$patch: delete`.
pub(super) fn is_deletion(map: &Object) -> bool {
    map.get(PATCH).is_some_and(|directive| directive == DELETE)
}

/// Takes maps with a `$patch` away; says whether the value itself stays. Other directives stay, as
/// upstream leaves them.
pub(super) fn remove_directives(value: &mut Value) -> bool {
    match value {
        Value::Object(map) if map.contains_key(PATCH) => return false,
        Value::Object(map) => map.retain(|_, value| remove_directives(value)),
        Value::Array(items) => items.retain_mut(remove_directives),
        _ => {}
    }
    true
}

/// Takes fields that are null away, also in lists; null items stay.
pub(super) fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(discard_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}
