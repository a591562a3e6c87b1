//! Why an apply fails, in the words of the API server.
//!
//! Source: apimachinery `pkg/util/managedfields/internal/conflict.go`.

use std::fmt;

use super::entries::{ManagerId, Operation};
use crate::field::quote;
use crate::smd::merge::Conflicts;

/// A field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerConflict {
    /// The manager as it is shown: `"kubectl-client-side-apply" using apps/v1`.
    pub manager: String,
    /// The field: `.spec.replicas`.
    pub field: String,
}

impl ManagerConflict {
    /// The message of the cause: `conflict with "kubectl" using apps/v1`.
    pub fn message(&self) -> String {
        format!("conflict with {}", self.manager)
    }
}

/// An apply that fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The patch is not acceptable: status 400, reason `BadRequest`.
    #[error("{0}")]
    BadRequest(String),
    /// Others own fields that would change: status 409, reason `Conflict`, with one cause
    /// `FieldManagerConflict` for each of [`conflicts`](ApplyError::conflicts).
    #[error("{message}")]
    Conflict {
        /// The message of the status.
        message: String,
        /// The fields, sorted by manager.
        conflicts: Vec<ManagerConflict>,
    },
    /// Anything else, such as a patch that does not conform to the schema: status 500, without
    /// reason.
    #[error("{0}")]
    Failed(String),
}

impl ApplyError {
    /// The conflicting fields; none for other errors.
    pub fn conflicts(&self) -> &[ManagerConflict] {
        match self {
            Self::Conflict { conflicts, .. } => conflicts,
            _ => &[],
        }
    }
}

impl From<Conflicts> for ApplyError {
    fn from(conflicts: Conflicts) -> Self {
        let causes = conflicts.0.iter().map(|conflict| ManagerConflict {
            manager: ShownManager(&conflict.manager).to_string(),
            field: conflict.path.to_string(),
        });
        Self::Conflict {
            message: message(&conflicts),
            conflicts: causes.collect(),
        }
    }
}

fn message(conflicts: &Conflicts) -> String {
    if let [single] = conflicts.0.as_slice() {
        return format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            ShownManager(&single.manager),
            single.path
        );
    }
    let mut lines = Vec::new();
    for (manager, paths) in conflicts.by_manager() {
        lines.push(format!("conflicts with {}:", ShownManager(manager)));
        lines.extend(paths.into_iter().map(|path| format!("- {path}")));
    }
    let count = conflicts.0.len();
    format!("Apply failed with {count} conflicts: {}", lines.join("\n"))
}

/// Prints a manager for users.
struct ShownManager<'a>(&'a str);

impl fmt::Display for ShownManager<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(id) = ManagerId::decode(self.0) else {
            return f.write_str(&quote(self.0));
        };
        f.write_str(&quote(&id.manager))?;
        if !id.subresource.is_empty() {
            write!(f, " with subresource {}", quote(&id.subresource))?;
        }
        if id.operation == Operation::Update {
            write!(f, " using {}", id.api_version)?;
        }
        Ok(())
    }
}
