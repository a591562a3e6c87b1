//! Where a value does not conform to its type.

use std::fmt;

/// One such place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    /// The path, such as `.spec.ports[port=80]`; empty for the root.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// Prints `.path: message`.
impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// All such places; never empty where it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidationErrors(pub Vec<ValidationError>);

impl ValidationErrors {
    /// One error at the root.
    pub(super) fn message(message: String) -> Self {
        let mut errors = Self::default();
        errors.push(message);
        errors
    }

    /// Adds an error at the root.
    pub(super) fn push(&mut self, message: String) {
        self.0.push(ValidationError {
            path: String::new(),
            message,
        });
    }

    /// How many there are, for [`ValidationErrors::prefix_since`].
    pub(super) fn mark(&self) -> usize {
        self.0.len()
    }

    /// Puts `element` before the paths of the errors since `mark`.
    pub(super) fn prefix_since(&mut self, mark: usize, element: impl FnOnce() -> String) {
        if self.0.len() > mark {
            let prefix = element();
            for error in &mut self.0[mark..] {
                error.path.insert_str(0, &prefix);
            }
        }
    }

    /// `value`, unless there are errors.
    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl std::error::Error for ValidationErrors {}

/// Prints a single error as it is, and several below the line `errors:`.
impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [single] = self.0.as_slice() {
            return single.fmt(f);
        }
        f.write_str("errors:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}
