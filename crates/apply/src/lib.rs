//! Server-side apply in stages, inventories, pruning, health and drift.
//!
//! ```text
//! manifests ─ set_owner_labels, normalize ─► Applier::apply_staged ─► Outcome (changes, errors) ─► inventory
//!                                              │  ▲                                             │
//!                                              ▼  │ what is as it was is left alone              ▼
//!                                            Memory ◄─ metadata watches ─► on_drift    HealthTracker::wait
//! ```
//!
//! Make one [`Cluster`] per connection and one [`Applier`] per owner. The semantics are those of fluxcd/pkg `ssa`: order,
//! stages, force, cleanup of other field managers, drift, texts. What differs is how little is asked: an object is
//! applied without a look and a dry run before, and not at all if it is as this owner applied it.
//!
//! Known differences: if several new objects of a stage are applied and one is refused for a reason that only the API
//! server knows, those that were under way with it stay applied (Flux would have seen it in its dry run); they are among the
//! changes of the outcome, and belong into the inventory.

mod applier;
mod change;
mod check;
mod cluster;
mod compare;
mod diff;
mod error;
pub mod health;
pub mod ignore;
pub mod inventory;
mod managed;
mod manifest;
mod mapper;
mod memory;
mod normalize;
mod options;
pub mod order;
mod owner;
mod pointer;
mod prune;
mod rest;

pub use applier::Applier;
pub use change::{Action, Change, Outcome, id_of, subject};
pub use cluster::Cluster;
pub use diff::ObjectDiff;
pub use error::{ObjectError, Step};
pub use manifest::{Manifest, set_common_metadata, set_owner_labels};
pub use mapper::Mapper;
pub use memory::{Drift, Memory};
pub use normalize::normalize;
pub use options::{
    Cleanup, DeleteOptions, FieldManager, Operation, Options, Propagation, Selection,
};
pub use owner::Owner;
pub use rest::{Cause, Details, Failure, Resource, Status, escape};
