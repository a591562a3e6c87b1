//! Why an expression could not be evaluated.

/// An evaluation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    message: String,
    is_limit: bool,
}

impl EvalError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_limit: false,
        }
    }

    pub(crate) fn no_such_overload() -> Self {
        Self::new("no such overload")
    }

    /// The expression did more than it may; nothing absorbs this error.
    pub(crate) fn limit() -> Self {
        Self {
            message: "operation cancelled: actual cost limit exceeded".to_owned(),
            is_limit: true,
        }
    }

    /// Whether the limit of the cost ended the evaluation.
    pub fn is_limit(&self) -> bool {
        self.is_limit
    }
}
