//! What can go wrong in a build.

use std::fmt;

/// A place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, as an absolute path of the file system.
    pub file: String,
    /// The line, from 1; 0 when only the file is known.
    pub line: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// One problem, in Kustomize's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BuildError {
    /// What `kustomize build` prints after `Error: `.
    pub message: String,
    /// Where to look first.
    pub location: Option<Location>,
    /// A text that could not be read as YAML.
    pub(crate) malformed: bool,
    /// An answer from a server, after which nothing else is tried.
    pub(crate) final_word: bool,
}

impl BuildError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            location: None,
            malformed: false,
            final_word: false,
        }
    }

    /// Puts `prefix: ` before the message.
    pub(crate) fn wrap(mut self, prefix: impl fmt::Display) -> Self {
        self.message = format!("{prefix}: {}", self.message);
        self
    }

    /// Sets the place, unless a closer one is known.
    pub(crate) fn at(mut self, file: &str, line: usize) -> Self {
        if self.location.is_none() {
            self.location = Some(Location {
                file: file.to_owned(),
                line,
            });
        }
        self
    }
}

impl From<String> for BuildError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for BuildError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<yaml::Error> for BuildError {
    fn from(error: yaml::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// All problems of a tree that one run finds; the first is the one that Kustomize would report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildErrors(pub Vec<BuildError>);

impl BuildErrors {
    /// The first problem.
    pub fn first(&self) -> Option<&BuildError> {
        self.0.first()
    }
}

impl fmt::Display for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildErrors {}

pub(crate) type Result<T> = std::result::Result<T, BuildError>;

/// Adds a prefix to the error of a result.
pub(crate) trait Context<T> {
    fn context(self, prefix: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<BuildError>> Context<T> for std::result::Result<T, E> {
    fn context(self, prefix: impl fmt::Display) -> Result<T> {
        self.map_err(|error| error.into().wrap(prefix))
    }
}
