//! `metadata.managedFields`: server-side apply, and the record of who owns which field.
//!
//! An API server makes one [`FieldManager`] for each kind, version and subresource that it serves,
//! and calls it with values in that version:
//!
//! ```text
//! POST, PUT, other patches   decode, default ─► FieldManager::update(live, &mut new, …) ─► admission, validation
//! apply patch                decode YAML     ─► FieldManager::apply(live, patch, …)     ─► default ─► admission, validation
//! both, just before storing                     keep_times_of_noop(old, &mut new)
//! ```
//!
//! What callers should know:
//!
//! - The values must be as Go's encoders write them, since presence counts: `status: {}` or
//!   `strategy: {}` of a built-in type is there although it is empty, and what Go omits is absent.
//! - What is created is compared to the empty object of its kind: `live` is then `Value::Null`. For
//!   built-in types that is the zero value of the Go struct as its encoder writes it, with the nested
//!   structs and with `null` for the lists that are always written; without it these would be owned.
//!   Give it with [`FieldManager::with_empty_object`].
//! - `manager` is the query parameter `fieldManager`, else what comes before the first `/` of the
//!   user agent; an apply must have the parameter.
//! - Fields that a resource or subresource resets (`status` for the resource, all but `status` for
//!   its status) must not be owned: see [`FieldManager::with_reset_fields`].
//! - A scale subresource has a field manager for `autoscaling/v1` `Scale` and converts the entries of
//!   its parent with [`ScaleHandler`].
//! - After mutating webhooks, [`Managed::decode`] tells whether they broke the entries; if so, those
//!   from before are restored, with a warning.
//! - An object that has grown too large for the store may be stored without its entries.
//!
//! Sources: apimachinery `pkg/util/managedfields`, apiserver `pkg/endpoints/handlers/fieldmanager`.

mod cap;
mod entries;
mod error;
mod last_applied;
mod manager;
mod scale;
mod times;
mod versions;

pub use entries::{DecodeError, Managed, ManagerId, Operation};
pub use error::{ApplyError, ManagerConflict};
pub use last_applied::LAST_APPLIED_ANNOTATION;
pub use manager::FieldManager;
pub use scale::ScaleHandler;
pub use times::keep_times_of_noop;
pub use versions::{SingleVersion, VersionError, Versions};

#[cfg(test)]
mod tests;
