//! Fixtures for tests: where the conformance corpora lie, and how a run over one is reported.

pub mod corpus;

pub use corpus::{Tally, conformance, read_jsonl};
