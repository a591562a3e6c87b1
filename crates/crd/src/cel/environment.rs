//! Environments, in which expressions are compiled, and programs, which evaluate them.

use std::fmt;
use std::sync::Arc;

use super::ast::Kind;
use super::checker::{self, Checked};
use super::error::EvalError;
use super::eval::Run;
use super::plan::{self, Node};
use super::shape::Shape;
use super::types::Type;
use super::value::Val;
use super::{estimate, parser, source, validators};

/// The cost that one evaluation may have. Source: apiserver `pkg/apis/cel/config.go`.
pub const PER_CALL_LIMIT: u64 = 1_000_000;

/// The variables that expressions may use.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: Vec<(String, Type)>,
    /// By which sizes are estimated, whatever the variable.
    root: Option<Arc<Shape>>,
}

/// Why an expression does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompileError {
    /// It is wrong; the text shows where.
    Issues(String),
    /// It can never run.
    Program(String),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issues(text) => f.write_str(text),
            Self::Program(text) => write!(f, "program instantiation failed: {text}"),
        }
    }
}

impl std::error::Error for CompileError {}

/// A compiled expression.
#[derive(Debug)]
pub struct Program {
    node: Node,
    output: Type,
    used: Vec<String>,
    max_cost: u64,
}

/// The outcome of an evaluation.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// The value, or why there is none.
    pub value: Result<Val<'a>, EvalError>,
    /// What it cost.
    pub cost: u64,
}

impl Environment {
    /// An environment without variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable of a type.
    #[must_use]
    pub fn with_variable(mut self, name: &str, of: Type) -> Self {
        self.variables.push((name.to_owned(), of));
        self
    }

    /// Adds a variable with JSON of a shape; its objects are named from `type_name` on.
    #[must_use]
    pub fn with_shape(self, name: &str, shape: &Arc<Shape>, type_name: &str) -> Self {
        self.with_variable(name, Type::of_shape(shape, type_name))
    }

    /// Sets the shape by which the sizes of values are estimated.
    #[must_use]
    pub fn with_estimates_of(mut self, shape: &Arc<Shape>) -> Self {
        self.root = Some(Arc::clone(shape));
        self
    }

    /// The names in an expression that it does not bind itself: its variables, and the names of types and of
    /// functions' packages. For expressions that are only parsed before they are evaluated.
    pub fn free_names(text: &str) -> Result<std::collections::BTreeSet<String>, CompileError> {
        let parsed = parser::parse(text)
            .map_err(|issues| CompileError::Issues(source::print(text, &issues)))?;
        let mut names = std::collections::BTreeSet::new();
        parsed.root.visit(&mut |node, parents| {
            let Kind::Ident(name) = &node.kind else {
                return;
            };
            let is_bound = parents.iter().any(|parent| {
                matches!(&parent.kind, Kind::Fold(fold)
                    if fold.var == *name || fold.var2.as_ref() == Some(name) || fold.accu == *name)
            });
            if !is_bound {
                names.insert(name.clone());
            }
        });
        Ok(names)
    }

    /// Compiles an expression.
    pub fn compile(&self, text: &str) -> Result<Program, CompileError> {
        let checked = self.check(text)?;
        self.program(&checked).map_err(CompileError::Program)
    }

    /// Reads and checks an expression.
    pub(crate) fn check(&self, text: &str) -> Result<Checked, CompileError> {
        let issues =
            |issues: Vec<source::Issue>| CompileError::Issues(source::print(text, &issues));
        let parsed = parser::parse(text).map_err(issues)?;
        let checked = checker::check(parsed, &self.variables).map_err(issues)?;
        let found = validators::validate(&checked);
        if found.is_empty() {
            Ok(checked)
        } else {
            Err(issues(found))
        }
    }

    /// Makes a program of a checked expression.
    pub(crate) fn program(&self, checked: &Checked) -> Result<Program, String> {
        let node = plan::plan(checked, &self.variables).map_err(|error| error.to_string())?;
        Ok(Program {
            node,
            output: checked.type_of(checked.root.id).clone(),
            used: checked.variables.clone(),
            max_cost: estimate::max_cost(checked, self.root.as_deref()),
        })
    }
}

impl Program {
    /// The type of the result.
    pub fn output(&self) -> &Type {
        &self.output
    }

    /// Whether the expression names a variable.
    pub fn uses(&self, variable: &str) -> bool {
        self.used.iter().any(|used| used == variable)
    }

    /// The largest cost that it can have, by the sizes that are known.
    pub fn max_cost(&self) -> u64 {
        self.max_cost
    }

    /// Evaluates the expression. The values stand in the order in which the environment got the
    /// variables; a variable without a value is an error when it is used.
    pub fn evaluate<'a>(&'a self, variables: &[Val<'a>], limit: u64) -> Evaluation<'a> {
        let mut run = Run::new(variables, limit);
        let value = run.node(&self.node).and_then(Val::checked);
        Evaluation {
            value,
            cost: run.cost,
        }
    }
}
