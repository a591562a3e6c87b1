//! What can be wrong with a strategic merge patch.

use serde_json::Value;

use super::Object;
use crate::field::quote;
use crate::goprint;
use crate::precondition::{Conflict, PreconditionFailed};

/// Why a strategic merge patch cannot be applied or made; prints as upstream's errors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StrategicError {
    /// A value has another type than it must have here.
    #[error("expected a {expected}, but received a {received}")]
    Type {
        /// The Go type that is wanted.
        expected: &'static str,
        /// The Go type that was found.
        received: &'static str,
    },
    /// Lists in lists have no keys.
    #[error("lists of lists are not supported")]
    ListOfLists,
    /// `$deleteFromPrimitiveList` without a field.
    #[error("invalid patch format of primitive list")]
    PrimitiveListFormat,
    /// `$retainKeys` is no list, or leaves out a field of the patch.
    #[error("invalid patch format of retainKeys")]
    RetainKeysFormat,
    /// `$setElementOrder` without a field, with something else than a list, or not what the other
    /// patch says.
    #[error("invalid patch format of setElementOrder list")]
    SetElementOrderFormat,
    /// Two patches retain different keys.
    #[error(
        "{left} and {right} are not deep equal: this may happen when calculating the 3-way diff patch"
    )]
    RetainKeysDiffer {
        /// One list, as Go prints it.
        left: String,
        /// The other list.
        right: String,
    },
    /// An item of a merged list has no merge key.
    #[error("map: {map} does not contain declared merge key: {key}")]
    NoMergeKey {
        /// The item, as Go prints it.
        map: String,
        /// The merge key.
        key: String,
    },
    /// The same, found while conflicts were looked for.
    #[error("cannot find merge key `{key}` in merging list element:{map}")]
    NoMergeKeyInConflict {
        /// The item, as Go prints it.
        map: String,
        /// The merge key.
        key: String,
    },
    /// A merged list of maps has an item that is none.
    #[error("invalid element type in merging list:{0}")]
    NotMaps(String),
    /// A list of maps has an item that is none.
    #[error("value for key {0} is not a map")]
    NotMap(usize),
    /// `$patch` says something that is not known.
    #[error("unknown patch type: {directive} in map: {map}")]
    UnknownDirective {
        /// What it says, as Go prints it.
        directive: String,
        /// The map it stands in.
        map: String,
    },
    /// `$patch` is not a text in one of two objects that are compared.
    #[error("invalid value for special key: $patch")]
    DirectiveType,
    /// `$patch: merge` in a list.
    #[error("merging lists cannot yet be specified in the patch")]
    MergeDirective,
    /// The items of the patch stand in another order than `$setElementOrder` says.
    #[error("The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n")]
    Order {
        /// The items, as Go prints them.
        patch: String,
        /// The order.
        order: String,
    },
    /// The items of a list have different types.
    #[error("list element types are not identical: {0}")]
    MixedList(String),
    /// There is no item whose type could be seen.
    #[error("no elements in any of the given slices")]
    NoElements,
    /// The first item of a merged list is null. (Upstream panics.)
    #[error("null is not a valid list element")]
    NullElement,
    /// A list of maps is to be merged and its field names no key.
    #[error("cannot merge lists without merge key for {0}")]
    NoDeclaredMergeKey(&'static str),
    /// The type has no such field.
    #[error(
        "unable to find api field in struct {type_name} for the json field {}",
        quote(field)
    )]
    UnknownField {
        /// The Go type.
        type_name: String,
        /// The field.
        field: String,
    },
    /// The value is a map of maps in a type that has no fields.
    #[error("merging an object in json but data type is not struct, instead is: {0}")]
    NotStruct(&'static str),
    /// The value is a list in a field that is none.
    #[error("expected slice or array type, but got: {0}")]
    NotSlice(&'static str),
    /// The field is a list of lists.
    #[error("unexpected slice of slice")]
    SliceOfSlices,
    /// The schema gives a field strategies that do not go together.
    #[error("unexpected patch strategy: [{0}]")]
    Strategy(String),
    /// The patch undoes a change of someone else.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The patch touches what it must leave alone.
    #[error(transparent)]
    Precondition(#[from] PreconditionFailed),
}

impl StrategicError {
    /// The HTTP status with which the API server answers: 400, 422 or 500.
    pub fn status(&self) -> u16 {
        match self {
            Self::PrimitiveListFormat | Self::RetainKeysFormat | Self::SetElementOrderFormat => 400,
            Self::ListOfLists => 422,
            _ => 500,
        }
    }

    pub(super) fn no_merge_key(map: &Object, key: &str) -> Self {
        Self::NoMergeKey {
            map: goprint::map_v(map),
            key: key.to_owned(),
        }
    }

    pub(super) fn not_a_map(value: &Value) -> Self {
        Self::Type {
            expected: "map[string]interface {}",
            received: goprint::type_name(value),
        }
    }

    pub(super) fn not_a_list(value: &Value) -> Self {
        Self::Type {
            expected: "[]interface {}",
            received: goprint::type_name(value),
        }
    }

    pub(super) fn unknown_directive(directive: &Value, map: &Object) -> Self {
        Self::UnknownDirective {
            directive: goprint::verb_s(directive),
            map: goprint::map_v(map),
        }
    }
}
