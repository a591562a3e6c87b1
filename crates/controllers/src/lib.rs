//! The controllers of the Flux kinds, one module a kind.
//!
//! [`process::run`] runs a chosen set of them over one connection; a kind's controller can also be run by
//! itself ([`kustomization::run`]).

mod errors;
mod fetch;
pub mod kustomization;
pub mod process;
pub mod source;
mod trees;

pub use trees::Trees;
