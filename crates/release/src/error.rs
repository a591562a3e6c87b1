//! Why an action fails, in Helm's words.

use std::fmt;

use apply::Failure;

/// Why an action fails. [`fmt::Display`] gives Helm's message.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The API server refuses a request, or cannot be reached.
    #[error("{0}")]
    Cluster(#[from] Failure),
    /// The chart cannot be rendered.
    #[error("{0}")]
    Render(#[from] helm::RenderFailure),
    /// There is no release of this name.
    #[error("release: not found")]
    NotFound,
    /// No revision of the release is deployed.
    #[error("{0:?} has no deployed releases")]
    NoDeployed(String),
    /// Another program works on the release, or died doing so.
    #[error("another operation (install/upgrade/rollback) is in progress")]
    Pending,
    /// The wait for objects took too long.
    #[error("{0}")]
    Wait(String),
    /// Something went wrong within a step.
    #[error("{context}: {source}")]
    Step {
        /// The step, in Helm's words.
        context: String,
        /// What went wrong.
        source: Box<ActionError>,
    },
    /// Several things went wrong.
    #[error("{}", Joined(.0, .1))]
    Several(Vec<ActionError>, &'static str),
    /// A stored release cannot be written or read.
    #[error("{0}")]
    Record(String),
    /// What was asked for cannot be done.
    #[error("{0}")]
    Invalid(String),
}

struct Joined<'a>(&'a [ActionError], &'a str);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                formatter.write_str(self.1)?;
            }
            write!(formatter, "{error}")?;
        }
        Ok(())
    }
}

impl ActionError {
    /// This error within a step.
    pub(crate) fn within(self, context: impl Into<String>) -> Self {
        Self::Step {
            context: context.into(),
            source: Box::new(self),
        }
    }

    /// One error of many; nothing for none.
    pub(crate) fn join(mut errors: Vec<Self>, separator: &'static str) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => errors.pop().map_or(Ok(()), Err),
            _ => Err(Self::Several(errors, separator)),
        }
    }

    /// Whether it says that there is no such release.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::NotFound => true,
            Self::Step { source, .. } => source.is_not_found(),
            _ => false,
        }
    }
}
