//! Kubernetes objects as values.
//!
//! An object is a [`serde_json::Value`] as it stands in a request or in the store; this crate holds
//! what can be said and done about it without a server: its identity ([`gvk`], [`meta`]), selectors,
//! quantities, names and times, the four ways to patch it, and the field errors that validation
//! returns. It does no I/O and knows no particular kind.

pub mod field;
pub mod goprint;
pub mod gvk;
pub mod json_patch;
pub mod jsonpath;
pub mod merge_patch;
pub mod meta;
pub mod names;
pub mod precondition;
pub mod quantity;
pub mod selector;
pub mod smd;
pub mod status;
pub mod strategic;
pub mod time;

pub use gvk::{GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource};
pub use serde_json::{Map, Number, Value};
