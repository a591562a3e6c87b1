//! What all controllers share: caches, queues, conditions, events, metrics, leader election.
//!
//! ```text
//!  API server ──watch──► Cache<S> ──change──► predicates, mappings ──► Queue ──► Reconcile::reconcile
//!      ▲                   ▲  │ index                                   ▲            │
//!      │                   │  └──► other kinds' queues                  └─ timers ───┤ Outcome
//!      └──── Patcher ──────┴── what was just written is seen at once ────────────────┘
//! ```
//!
//! - [`Manager`] holds the client, one [`Cache`] a kind, metrics, recorders and the shutdown signal.
//! - [`Controller`] runs one [`Reconcile`] over a cache: an object is never reconciled twice at once, a
//!   bounded number is at a time, and what waits ([`Context::wait`]) holds no worker.
//! - [`Patcher`] writes status and finalizers with as few requests as there are changes.
//! - [`Recorder`] posts events as Flux's recorder does.
//!
//! It knows no particular kind.

mod backoff;
mod cache;
pub mod client;
mod configs;
mod context;
mod controller;
pub mod events;
mod jitter;
mod key;
pub mod lease;
mod manager;
pub mod metrics;
mod patch;
mod queue;
mod reconcile;
pub mod servers;
mod watch;

pub use backoff::Backoff;
pub use cache::{Cache, Change, Index};
pub use client::Connection;
pub use context::{Context, Interrupted};
pub use controller::{Controller, Options};
pub use events::{EventType, Recorder};
pub use jitter::Jitter;
pub use key::{Kind, ObjectKey, Trigger};
pub use manager::{Manager, ManagerOptions};
pub use patch::{PatchError, Patcher};
pub use queue::{Priority, Queue, Wake};
pub use reconcile::{Failure, Outcome, Reconcile};
