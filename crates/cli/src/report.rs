//! The one place where a failed command is reported: what, where, why, how to fix.

use std::error::Error;

/// A command's failure, with what the user can do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Box<dyn Error>,
    pub(crate) hint: Option<String>,
    pub(crate) exit_code: u8,
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: Box::new(error),
            hint: None,
            exit_code: 1,
        }
    }
}

impl Failure {
    /// With what the user can do.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The text: the error, its causes one a line, the hint.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("error: {}\n", self.error);
        let mut said = self.error.to_string();
        let mut cause = self.error.source();
        while let Some(error) = cause {
            let message = error.to_string();
            // Some libraries repeat their cause in their own message.
            if !said.ends_with(&message) {
                text.push_str(&format!("  caused by: {message}\n"));
            }
            said = message;
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("hint: {hint}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the manifest")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_and_hint_follow_the_error() {
        let cause = std::io::Error::other("no such file");
        let failure = Failure::from(Outer(cause)).with_hint("check the path");
        assert_eq!(
            failure.text(),
            "error: cannot read the manifest\n  caused by: no such file\nhint: check the path\n"
        );
    }
}
