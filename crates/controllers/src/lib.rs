//! The controllers of the Flux kinds, one module a kind.

mod trees;

pub use trees::Trees;
