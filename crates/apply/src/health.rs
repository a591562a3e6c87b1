//! Whether objects are ready: kstatus, expressions of the user's, and waiting for it without asking again and again.

mod checks;
mod expression;
mod job;
mod set;
mod tracker;

pub use checks::{CheckError, HealthChecks};
pub use expression::{Expression, ExpressionError};
pub use set::{HealthError, HealthSet, ObjectHealth, Progress, WaitOptions};
pub use tracker::HealthTracker;
