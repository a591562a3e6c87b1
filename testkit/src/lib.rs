//! Fixtures for tests: where the conformance corpora lie and how a run over one is reported, control
//! planes and Git servers of one test, and the real programs that talk to them.

pub mod cli_cases;
pub mod cli_cluster;
pub mod corpus;
pub mod git_server;
pub mod peers;
pub mod process;
pub mod server;
pub mod ssh_server;
pub mod wait;

pub use corpus::{Tally, conformance, read_jsonl};
pub use wait::{DEADLINE, eventually};
