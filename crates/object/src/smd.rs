//! Structured merge: who owns which field of an object, and how declarations are merged.
//!
//! This is the engine of server-side apply, as `sigs.k8s.io/structured-merge-diff` v6 and
//! `k8s.io/apimachinery/pkg/util/managedfields` have it in Kubernetes 1.35:
//!
//! ```text
//! OpenAPI document / CRD schema ──► schema::Schema        what is atomic, what has keys
//! object (serde_json::Value)    ──► typed::TypedValue     checked against its type
//!                                     │ field set, merge, compare, remove
//!                                     ▼
//!                                   merge::Updater        conflicts, ownership, pruning
//!                                     ▼
//!                                   managed_fields::FieldManager   metadata.managedFields
//! ```
//!
//! An API server needs [`managed_fields::FieldManager`] alone: one for each kind, version and
//! subresource. The layers below know nothing of Kubernetes' metadata.
//!
//! Everything is a function of its inputs; the time of an operation is handed in. Values that are
//! nested more than [`MAX_DEPTH`] deep are refused, so that recursion is bounded.
//!
//! Known difference: where the Go library iterates over a hash map (the fields of an object, the
//! managers of a conflict) its order is random; here it is the order of the keys.

pub mod fieldset;
pub mod managed_fields;
pub mod merge;
pub mod path;
pub mod schema;
pub mod typed;
pub mod value;

/// How deep a value or a field set may be nested.
pub const MAX_DEPTH: usize = 512;
