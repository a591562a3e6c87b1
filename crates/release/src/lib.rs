//! Installs, upgrades, rolls back, tests and removes Helm releases.
//!
//! ```text
//! chart, values ──helm::render──► objects, hooks ─┐
//! Secrets sh.helm.release.v1.* ──storage──────────┼──► install · upgrade · rollback · uninstall · test
//! API server ◄────────── Cluster ─────────────────┘        record first, then act, then record again
//! ```
//!
//! The actions follow Helm 4.2.4 (`pkg/action`, `pkg/kube`); with client-side apply they do what Helm 3 does. Before an
//! action touches an object it stores the revision it is about to make as `pending-…`, so that a program that dies leaves
//! a trace from which the next one goes on.
//!
//! [`Actions`] is the entry point; [`Cluster`] is all it knows of an API server, [`KubeCluster`] is one.

mod actions;
mod change;
mod cluster;
mod error;
mod hooks;
mod install;
mod objects;
mod ownership;
mod patch;
mod rollback;
mod storage;
mod test;
mod uninstall;
mod upgrade;
mod wait;

pub use actions::{Actions, Common, DryRun, HookLog, Rendering, ServerSide, WaitStrategy};
pub use cluster::{Call, Cluster, Content, KubeCluster, Verb};
pub use error::ActionError;
pub use install::Install;
pub use objects::Object;
pub use rollback::Rollback;
pub use storage::Storage;
pub use test::Test;
pub use uninstall::{Uninstall, Uninstalled};
pub use upgrade::{Reuse, Upgrade};
