//! The errors of reading and writing YAML, in go-yaml's wording.

/// Why a text could not be read as YAML, or a value not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not YAML. `line` is what go-yaml prints: it counts from one for the scanner's
    /// problems and from zero for the parser's, and is 0 (not printed) for a problem in the first line.
    #[error("yaml: {}{problem}", Where(*line))]
    Syntax {
        /// The line as go-yaml numbers it; 0 stands for none.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The text is YAML, but some values do not fit; each problem is a line.
    #[error("yaml: unmarshal errors:\n  {}", .0.join("\n  "))]
    Values(Vec<String>),
    /// YAML that JSON has no form for.
    #[error("{0}")]
    NotJson(String),
}

struct Where(usize);

impl std::fmt::Display for Where {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => Ok(()),
            line => write!(f, "line {line}: "),
        }
    }
}

impl Error {
    /// A problem without a line.
    pub(crate) fn plain(problem: impl Into<String>) -> Self {
        Self::Syntax {
            line: 0,
            problem: problem.into(),
        }
    }

    /// The line go-yaml names, where it names one.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Syntax { line, .. } if *line > 0 => Some(*line),
            _ => None,
        }
    }
}

/// Which of the two Go libraries is followed where they differ.
///
/// sigs.k8s.io/yaml (what kubectl, the API server and Helm read with) is built on go-yaml v2,
/// kyaml on go-yaml v3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// go.yaml.in/yaml/v2: YAML 1.1 booleans, no comments.
    V2,
    /// go.yaml.in/yaml/v3: YAML 1.2 booleans, comments are kept.
    V3,
}
