//! The embedded Kubernetes API server: an HTTP service over a SQLite store.
//!
//! ```text
//!  http      request info, negotiation, authentication ─► auth
//!    │                                    authorization ─► auth::authorize
//!    ▼
//!  pipeline  one verb a file: decode → default → admission → strategy → managedFields → store
//!    │          ▲ in-process callers (controllers, tests, kube::Client over the tower service)
//!    ▼          │ come in through `pipeline::Local`
//!  store     in-memory index + history (reads, watches), SQLite behind one writer thread
//! ```
//!
//! [`Server::start`] opens the store and starts the controllers; [`Server::service`] is the tower
//! service; [`Server::serve`] listens on a socket; [`Server::local`] is the in-process client.
//!
//! # How a module plugs in
//!
//! Everything hangs off one [`Core`], shared as `Arc<Core>`: `config`, `clock`, `store`, `registry()`.
//!
//! - **Authentication** ([`auth`]): `auth::authenticate(&Core, headers) -> Result<User, ApiError>`
//!   is called once a request; impersonation follows in `auth::impersonate`.
//! - **Authorization**: `auth::authorize(&Core, &User, &Attributes) -> Decision` is asked for every
//!   request; objects are read with [`pipeline::Local`] or straight from `core.store`.
//! - **Admission** ([`admission`]): `admission::mutate` runs after defaulting, `admission::validate`
//!   after the strategy's validation; both get the same `admission::Attributes`.
//! - **Controllers** ([`controllers`]): `controllers::start(&Arc<Core>) -> Vec<JoinHandle<()>>`; each
//!   uses a [`pipeline::Local`] and ends when `core.shutdown` is cancelled.
//! - **Virtual resources** (reviews, `serviceaccounts/token`, `pods/log` …): arms of
//!   `pipeline::subresource::handle`, or of `pipeline::create` for resources without storage.
//! - **Tables and OpenAPI**: `http::answer` calls `table::render`, `http::routes` calls `openapi`.

pub mod admission;
pub mod auth;
mod clock;
mod config;
mod context;
pub mod controllers;
mod core;
mod discovery;
mod error;
pub mod http;
pub mod openapi;
pub mod pipeline;
pub mod registry;
mod server;
pub mod store;
pub mod table;

pub use clock::{Clock, rfc3339};
pub use config::{Config, Pace};
pub use context::{Context, User};
pub use core::Core;
pub use error::{ApiError, Cause, Details};
pub use pipeline::Local;
pub use server::{Listening, Server, StartError};
