//! Why a reconciliation of a source does not end well, and what follows from it.
//!
//! Source: source-controller, `internal/error`.

use std::time::Duration;

/// What follows from an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is tried again, slowed down.
    Generic,
    /// Nothing is wrong: there is nothing to do.
    Nothing,
    /// Only a change can help.
    Stalling,
    /// Something else has to come first; it is looked at again after this time.
    Waiting(Duration),
    /// It is tried again, but no event tells of it.
    Silent,
    /// Another reconciliation follows, or the process ends: nothing is written.
    Interrupted,
}

/// An error of a reconciliation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Trouble {
    fn new(kind: Kind, reason: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn generic(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Generic, reason, message)
    }

    pub(super) fn stalling(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Stalling, reason, message)
    }

    pub(super) fn nothing(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Nothing, reason, message)
    }

    pub(super) fn waiting(reason: &str, message: impl Into<String>, delay: Duration) -> Self {
        Self::new(Kind::Waiting(delay), reason, message)
    }

    pub(super) fn silent(message: impl Into<String>) -> Self {
        Self::new(Kind::Silent, "", message)
    }

    pub(super) fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "", "")
    }
}
