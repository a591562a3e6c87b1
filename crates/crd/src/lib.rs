//! CustomResourceDefinitions: structural schemas, pruning, defaulting, validation, CEL.
//!
//! The functions are those of apiextensions-apiserver (Kubernetes 1.35) over JSON values, pure and
//! without a server: [`schema`] reads a version's schema, [`prune`], [`default`], [`objectmeta`],
//! [`listtype`], [`value`] and [`rules`] do what the API server does with an object of it; [`cel`] is the
//! expression language by itself.

pub mod cel;
pub mod compiled;
pub mod default;
pub mod definition;
pub mod goregex;
pub mod listtype;
pub mod names;
pub mod objectmeta;
pub mod prune;
pub mod publish;
pub mod rules;
pub mod schema;
pub mod value;

pub use compiled::{Compiled, VersionSchema, compile};
