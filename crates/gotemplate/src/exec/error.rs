//! Errors of execution, with Go's texts.

use std::fmt;
use std::sync::Arc;

use crate::function::CallError;
use crate::strconv::quote;
use crate::text::lossy;

/// Where in a template something went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name of the template whose text this is.
    pub template: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 0, as Go counts.
    pub column: usize,
}

/// Why execution ended. It prints as Go's error does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecError {
    /// Where; `None` when no template was being executed.
    pub location: Option<Box<Location>>,
    /// The template being executed.
    pub executing: String,
    /// The source of the node in question.
    pub context: String,
    /// What went wrong.
    pub message: String,
    /// What a function that was called failed with.
    pub cause: Option<Arc<CallError>>,
    /// Whether a limit of [`crate::Limits`] was reached or the caller cancelled.
    pub is_limit: bool,
}

impl ExecError {
    /// An error outside any template.
    pub fn new(message: impl Into<String>) -> ExecError {
        ExecError {
            location: None,
            executing: String::new(),
            context: String::new(),
            message: message.into(),
            cause: None,
            is_limit: false,
        }
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Some(location) => write!(
                f,
                "template: {}:{}:{}: executing {} at <{}>: {}",
                location.template,
                location.line,
                location.column,
                lossy(&quote(self.executing.as_bytes())),
                self.context,
                self.message
            ),
            None => write!(f, "template: {}", self.message),
        }
    }
}

impl std::error::Error for ExecError {}
