//! The expressions of a policy, compiled, and what they say of a write.
//!
//! Source: apiserver `admission/plugin/cel`, `admission/plugin/policy/validating/validator.go`.

use std::sync::Arc;

use crd::cel::value::{Entries, Key};
use crd::cel::{Environment, Program, Type, Val};
use object::Value;

use super::input::Input;
use super::joined;

/// The cost that all rules of a policy may have for one write. Source: apiserver `apis/cel/config.go`.
const BUDGET: u64 = 10_000_000;
/// The cost that all match conditions of a webhook may have for one write.
const CONDITIONS_BUDGET: u64 = 2_500_000;
/// The longest message an expression may make.
const MAX_MESSAGE: usize = 5 * 1024;

/// An expression, and what became of it.
struct Expression {
    text: String,
    program: Result<Program, String>,
}

/// A rule.
struct Rule {
    expression: Expression,
    message: String,
    message_expression: Option<Expression>,
    reason: Option<String>,
}

/// All expressions of a policy.
pub(super) struct Compiled {
    variables: Vec<(String, Expression)>,
    conditions: Vec<Expression>,
    rules: Vec<Rule>,
    has_parameters: bool,
}

/// A rule that is violated.
pub(super) struct Verdict {
    /// What it says.
    pub(super) message: String,
    /// The reason of the `Status`, if the rule gives one.
    pub(super) reason: Option<String>,
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn list<'a>(spec: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    spec[key].as_array().into_iter().flatten()
}

impl Expression {
    fn of(environment: &Environment, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            program: environment
                .compile(text)
                .map_err(|error| format!("compilation error: compilation failed: {error}")),
        }
    }

    fn evaluate<'a>(&'a self, values: &[Val<'a>], budget: &mut u64) -> Result<Val<'a>, String> {
        let program = self.program.as_ref().map_err(Clone::clone)?;
        let limit = crd::cel::PER_CALL_LIMIT.min(*budget);
        let outcome = program.evaluate(values, limit);
        *budget = budget.saturating_sub(outcome.cost);
        outcome
            .value
            .map_err(|error| format!("expression '{}' resulted in error: {error}", self.text))
    }
}

impl Compiled {
    /// Compiles the `spec` of a policy.
    pub(super) fn of(spec: &Value) -> Self {
        let has_parameters = !spec["paramKind"].is_null();
        let environment = super::input::environment(has_parameters);
        let named = environment
            .clone()
            .with_variable("variables", Type::map(Type::Text, Type::Dyn));
        let rules = list(spec, "validations").map(|rule| {
            let message = text(rule, "messageExpression");
            Rule {
                expression: Expression::of(&named, &text(rule, "expression")),
                message: text(rule, "message").trim().to_owned(),
                message_expression: (!message.is_empty()).then(|| Expression::of(&named, &message)),
                reason: rule["reason"].as_str().map(str::to_owned),
            }
        });
        Self {
            variables: list(spec, "variables")
                .map(|variable| {
                    let expression = Expression::of(&named, &text(variable, "expression"));
                    (text(variable, "name"), expression)
                })
                .collect(),
            conditions: list(spec, "matchConditions")
                .map(|condition| Expression::of(&named, &text(condition, "expression")))
                .collect(),
            rules: rules.collect(),
            has_parameters,
        }
    }

    /// Whether a write meets the conditions; those of webhooks have no parameters.
    pub(super) fn matches(&self, input: &Input) -> Result<bool, String> {
        let mut budget = CONDITIONS_BUDGET;
        let values = self.with_variables(input.values(), &mut budget);
        self.meets_conditions(&values, &mut budget)
    }

    /// The rules that a write violates.
    pub(super) fn evaluate(
        &self,
        input: &Input,
        parameter: &Value,
        ignores_failures: bool,
    ) -> Vec<Verdict> {
        let mut budget = BUDGET;
        let mut values = input.values();
        if self.has_parameters {
            values.push(input.parameter(parameter));
        }
        let values = self.with_variables(values, &mut budget);
        match self.meets_conditions(&values, &mut budget) {
            Ok(true) => {}
            Ok(false) => return Vec::new(),
            Err(_) if ignores_failures => return Vec::new(),
            Err(message) => {
                return vec![Verdict {
                    message,
                    reason: None,
                }];
            }
        }
        let mut verdicts = Vec::new();
        for rule in &self.rules {
            match rule.expression.evaluate(&values, &mut budget) {
                Ok(Val::Bool(true)) => {}
                Ok(_) => verdicts.push(Verdict {
                    message: rule.told(&values, &mut budget),
                    reason: rule.reason.clone(),
                }),
                Err(_) if ignores_failures => {}
                Err(message) => verdicts.push(Verdict {
                    message,
                    reason: None,
                }),
            }
        }
        verdicts
    }

    /// The values with `variables`: each may use those before it, and one that fails only matters to
    /// who uses it.
    fn with_variables<'a>(&'a self, mut values: Vec<Val<'a>>, budget: &mut u64) -> Vec<Val<'a>> {
        let mut entries = Entries::new();
        values.push(Val::Map(Arc::new(entries.clone())));
        let last = values.len() - 1;
        for (name, expression) in &self.variables {
            let value = expression.evaluate(&values, budget).unwrap_or_else(|why| {
                let why = match &expression.program {
                    Ok(_) => why
                        .split_once(" resulted in error: ")
                        .map_or(why.clone(), |(_, rest)| rest.to_owned()),
                    Err(_) => why,
                };
                Val::Error(format!("composited variable {name:?} fails to evaluate: {why}").into())
            });
            entries.insert(Key::Text(name.clone()), (Val::text(name.as_str()), value));
            values[last] = Val::Map(Arc::new(entries.clone()));
        }
        values
    }

    /// Whether all conditions hold; one that does not hold outweighs one that fails.
    fn meets_conditions(&self, values: &[Val<'_>], budget: &mut u64) -> Result<bool, String> {
        let mut errors = Vec::new();
        for condition in &self.conditions {
            match evaluated(condition, values, budget) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) => errors.push(why),
            }
        }
        if errors.is_empty() {
            Ok(true)
        } else {
            Err(joined(&errors))
        }
    }
}

fn evaluated<'a>(
    condition: &'a Expression,
    values: &[Val<'a>],
    budget: &mut u64,
) -> Result<bool, String> {
    condition
        .evaluate(values, budget)
        .map(|value| matches!(value, Val::Bool(true)))
}

impl Rule {
    /// What the rule says when it is violated.
    fn told<'a>(&'a self, values: &[Val<'a>], budget: &mut u64) -> String {
        let made = self
            .message_expression
            .as_ref()
            .and_then(|expression| expression.evaluate(values, budget).ok());
        if let Some(Val::Text(made)) = made {
            let made = made.trim();
            if !made.is_empty() && made.len() <= MAX_MESSAGE && !made.contains('\n') {
                return made.to_owned();
            }
        }
        if self.message.is_empty() {
            return format!("failed expression: {}", self.expression.text.trim());
        }
        self.message.clone()
    }
}
