//! The controllers of the Flux kinds, one module a kind.
