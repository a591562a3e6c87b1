//! Expressions of the user's over objects, in CEL.
//!
//! Source: fluxcd/pkg, `runtime/cel/expression.go`. Known differences: expressions are type-checked even where Flux only
//! parses them, so a few that Flux finds wrong when it evaluates them are refused before; and `base64` is not there.

use std::sync::LazyLock;

use crd::cel::{CompileError, Environment, Program, Shape, Type, Val, from_json};
use object::Value;

/// What one evaluation may cost. Flux sets no limit; this one is far beyond what an expression over an object needs.
const LIMIT: u64 = 50_000_000;
static ANY: LazyLock<std::sync::Arc<Shape>> = LazyLock::new(Shape::json);
/// Names that are no variables.
const TYPES: [&str; 15] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "type",
    "null_type",
    "dyn",
    "google",
    "optional",
    "sets",
    "math",
];

/// Why there is no answer; the texts are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It cannot be read.
    #[error("failed to parse the CEL expression '{text}': {cause}")]
    Parse {
        /// The expression.
        text: String,
        /// What is wrong, with the place.
        cause: String,
    },
    /// It does not give what it should.
    #[error("CEL expression output type mismatch: expected {wanted}, got {found}")]
    Output {
        /// What it should give.
        wanted: &'static str,
        /// What it gives.
        found: String,
    },
    /// It can never be evaluated.
    #[error("failed to create CEL program: {0}")]
    Program(String),
    /// It failed.
    #[error("failed to evaluate the CEL expression '{text}': {cause}")]
    Evaluate {
        /// The expression.
        text: String,
        /// Why.
        cause: String,
    },
    /// Its value is no truth value.
    #[error("failed to evaluate CEL expression as boolean: '{0}'")]
    NotBoolean(String),
}

/// An expression that gives a truth value.
#[derive(Debug)]
pub struct Expression {
    text: String,
    names: Vec<String>,
    program: Program,
}

impl Expression {
    /// An expression over the fields of an object (`status.phase == 'Ready'`), any of which may be missing.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn over_fields(text: &str) -> Result<Self, ExpressionError> {
        let names = Environment::free_names(text).map_err(|error| wrong(text, error))?;
        let names: Vec<String> = names
            .into_iter()
            .filter(|name| !TYPES.contains(&name.as_str()))
            .collect();
        Self::compile(text, names, &Type::Dyn)
    }

    /// An expression over whole objects with names (`dep.status.ready == self.spec.ready`).
    ///
    /// # Errors
    /// It cannot be read, uses another name, or gives no truth value.
    pub fn over_objects(text: &str, names: &[&str]) -> Result<Self, ExpressionError> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let expression = Self::compile(text, names, &Type::map(Type::Text, Type::Dyn))?;
        match expression.program.output() {
            Type::Bool => Ok(expression),
            other => Err(ExpressionError::Output {
                wanted: "bool",
                found: other.to_string(),
            }),
        }
    }

    fn compile(text: &str, names: Vec<String>, of: &Type) -> Result<Self, ExpressionError> {
        let mut environment = Environment::new();
        for name in &names {
            environment = environment.with_variable(name, of.clone());
        }
        let program = environment
            .compile(text)
            .map_err(|error| wrong(text, error))?;
        Ok(Self {
            text: text.to_owned(),
            names,
            program,
        })
    }

    /// Whether it is true, with values for its names.
    ///
    /// # Errors
    /// It cannot be evaluated, or gives no truth value.
    pub fn is_true<'a>(
        &self,
        value_of: impl Fn(&str) -> Option<&'a Value>,
    ) -> Result<bool, ExpressionError> {
        let variables: Vec<Val<'_>> = self
            .names
            .iter()
            .map(|name| match value_of(name) {
                Some(value) => from_json(value, &ANY),
                None => Val::Error(format!("no such attribute(s): {name}").into()),
            })
            .collect();
        match self.program.evaluate(&variables, LIMIT).value {
            Ok(Val::Bool(value)) => Ok(value),
            Ok(_) => Err(ExpressionError::NotBoolean(self.text.clone())),
            Err(error) => Err(ExpressionError::Evaluate {
                text: self.text.clone(),
                cause: error.to_string(),
            }),
        }
    }
}

fn wrong(text: &str, error: CompileError) -> ExpressionError {
    match error {
        CompileError::Issues(cause) => ExpressionError::Parse {
            text: text.to_owned(),
            cause,
        },
        CompileError::Program(cause) => ExpressionError::Program(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_see_the_fields_of_an_object() {
        let object = json!({"status": {"phase": "Ready", "conditions": [{"type": "Synced", "status": "True"}], "n": 1}});
        for (text, expected) in [
            ("status.phase == 'Ready'", Ok(true)),
            (
                "status.conditions.filter(e, e.type == 'Synced').all(e, e.status == 'True')",
                Ok(true),
            ),
            ("has(status.other) && status.other", Ok(false)),
            ("status.n >= 1.0", Ok(true)),
            (
                "status.phase",
                Err("failed to evaluate CEL expression as boolean: 'status.phase'"),
            ),
            (
                "status.other == 1",
                Err(
                    "failed to evaluate the CEL expression 'status.other == 1': no such key: other",
                ),
            ),
            (
                "data.x == 1",
                Err(
                    "failed to evaluate the CEL expression 'data.x == 1': no such attribute(s): data",
                ),
            ),
        ] {
            let result = Expression::over_fields(text)
                .unwrap()
                .is_true(|name| object.get(name));
            assert_eq!(
                result.map_err(|error| error.to_string()),
                expected.map_err(str::to_owned),
                "{text}"
            );
        }
        let error = Expression::over_fields("status.").unwrap_err().to_string();
        assert!(
            error.starts_with("failed to parse the CEL expression 'status.': ERROR: <input>:1:"),
            "{error}"
        );
    }

    #[test]
    fn expressions_compare_two_objects() {
        let (own, other) = (
            json!({"metadata": {"labels": {"v": "1"}}}),
            json!({"metadata": {"labels": {"v": "1"}}}),
        );
        let value = |name: &str| Some(if name == "self" { &own } else { &other });
        let text = "self.metadata.labels.v == dep.metadata.labels['v']";
        let names = ["self", "dep"];
        assert_eq!(
            Expression::over_objects(text, &names)
                .unwrap()
                .is_true(value),
            Ok(true)
        );
        let error = Expression::over_objects("'a' + 'b'", &names).unwrap_err();
        assert_eq!(
            error.to_string(),
            "CEL expression output type mismatch: expected bool, got string"
        );
        let error = Expression::over_objects("status.x", &names)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("undeclared reference to 'status'"),
            "{error}"
        );
    }
}
