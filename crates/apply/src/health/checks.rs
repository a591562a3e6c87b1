//! How an object stands: by expressions for its kind where there are some, else by kstatus.

use std::collections::HashMap;

use api::meta::CustomHealthCheck;
use object::status::{Health, Status};
use object::time::Time;
use object::{GroupKind, GroupVersion, Value, meta};

use super::expression::{Expression, ExpressionError};
use super::job;

/// Why checks cannot be used; the texts are Flux's.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Two checks are for the same kind.
    #[error("duplicate custom health check for GroupKind {kind} at healthchecks[{place}]")]
    Duplicate {
        /// The kind.
        kind: GroupKind,
        /// The second check.
        place: usize,
    },
    /// A check has no expression for healthy objects.
    #[error(
        "failed to create custom status evaluator for healthchecks[{place}]: expression Current not specified"
    )]
    NoCurrent {
        /// The check.
        place: usize,
    },
    /// An expression cannot be read.
    #[error(
        "failed to create custom status evaluator for healthchecks[{place}]: failed to parse the expression {name}: {cause}"
    )]
    Expression {
        /// The check.
        place: usize,
        /// Which of its expressions.
        name: &'static str,
        /// What is wrong with it.
        cause: ExpressionError,
    },
}

/// The expressions for one kind.
#[derive(Debug)]
struct Check {
    in_progress: Option<Expression>,
    failed: Option<Expression>,
    current: Expression,
}

/// The checks of a set of objects; by default there are none, and kstatus tells how objects stand.
#[derive(Debug, Default)]
pub struct HealthChecks {
    /// By group and kind; the kind is empty where a check is for the whole group.
    by_kind: HashMap<GroupKind, Check>,
}

impl HealthChecks {
    /// Makes checks of those of a spec.
    ///
    /// # Errors
    /// An expression cannot be read, or two checks are for the same kind.
    pub fn new(checks: &[CustomHealthCheck]) -> Result<Self, CheckError> {
        let mut by_kind = HashMap::new();
        for (place, check) in checks.iter().enumerate() {
            let group = GroupVersion::parse(&check.api_version)
                .unwrap_or_default()
                .group;
            let kind = GroupKind::new(group, check.kind.as_deref().unwrap_or_default());
            if by_kind.contains_key(&kind) {
                return Err(CheckError::Duplicate { kind, place });
            }
            by_kind.insert(kind, Check::new(check, place)?);
        }
        Ok(Self { by_kind })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_kind.is_empty()
    }

    /// Whether there are expressions for a kind.
    pub(crate) fn has(&self, kind: &GroupKind) -> bool {
        self.find(kind).is_some()
    }

    fn find(&self, kind: &GroupKind) -> Option<&Check> {
        let group = GroupKind::new(kind.group.as_str(), "");
        self.by_kind.get(kind).or_else(|| self.by_kind.get(&group))
    }

    /// How an object stands.
    ///
    /// # Errors
    /// An expression cannot be evaluated.
    pub fn health(&self, object: &Value, now: Time) -> Result<Health, ExpressionError> {
        let kind = meta::gvk(object).group_kind();
        // Jobs come first, as in Flux: expressions for them have no effect.
        if kind.group == "batch" && kind.kind == "Job" {
            return Ok(job::health(object));
        }
        match self.find(&kind) {
            Some(check) => check.health(object),
            None => Ok(object::status::of(object, now)),
        }
    }
}

impl Check {
    fn new(check: &CustomHealthCheck, place: usize) -> Result<Self, CheckError> {
        let compile = |name: &'static str, text: &str| {
            Expression::over_fields(text).map_err(|cause| CheckError::Expression {
                place,
                name,
                cause,
            })
        };
        let some = |name, text: &Option<String>| {
            let text = text.as_deref().filter(|text| !text.is_empty());
            text.map(|text| compile(name, text)).transpose()
        };
        if check.current.is_empty() {
            return Err(CheckError::NoCurrent { place });
        }
        Ok(Self {
            current: compile("Current", &check.current)?,
            failed: some("Failed", &check.failed)?,
            in_progress: some("InProgress", &check.in_progress)?,
        })
    }

    /// Source: fluxcd/pkg, `runtime/cel/status_evaluator.go`.
    fn health(&self, object: &Value) -> Result<Health, ExpressionError> {
        let of = |status| Health {
            status,
            message: String::new(),
            reason: String::new(),
        };
        let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
        if let (Some(observed), Some(generation)) = (
            number("/status/observedGeneration"),
            number("/metadata/generation"),
        ) && observed != generation
        {
            return Ok(of(Status::InProgress));
        }
        let expressions = [
            (self.in_progress.as_ref(), Status::InProgress),
            (self.failed.as_ref(), Status::Failed),
            (Some(&self.current), Status::Current),
        ];
        for (expression, status) in expressions {
            if let Some(expression) = expression
                && expression.is_true(|name| object.get(name))?
            {
                return Ok(of(status));
            }
        }
        Ok(of(Status::InProgress))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checks(value: Value) -> Result<HealthChecks, CheckError> {
        HealthChecks::new(&serde_json::from_value::<Vec<CustomHealthCheck>>(value).unwrap())
    }

    #[test]
    fn expressions_are_tried_in_order() {
        let checks = checks(json!([
            {"apiVersion": "a.test/v1", "kind": "Thing", "current": "status.phase == 'Ready'", "failed": "status.phase == 'Bad'", "inProgress": "status.phase == 'Busy'"},
            {"apiVersion": "a.test/v1", "current": "true"},
        ])).unwrap();
        let now = Time::from_unix(0, 0);
        let thing = |kind: &str, status: Value| json!({"apiVersion": "a.test/v1", "kind": kind, "metadata": {"generation": 2}, "status": status});
        for (object, expected) in [
            (thing("Thing", json!({"phase": "Ready"})), Ok(Status::Current)),
            (thing("Thing", json!({"phase": "Bad"})), Ok(Status::Failed)),
            (thing("Thing", json!({"phase": "Busy"})), Ok(Status::InProgress)),
            (thing("Thing", json!({"phase": "?"})), Ok(Status::InProgress)),
            (thing("Thing", json!({"phase": "Ready", "observedGeneration": 1})), Ok(Status::InProgress)),
            (thing("Thing", json!({"phase": "Ready", "observedGeneration": "1"})), Ok(Status::Current)),
            (thing("Other", json!({})), Ok(Status::Current)),
            (thing("Thing", json!({})), Err("failed to evaluate the CEL expression 'status.phase == 'Busy'': no such key: phase".to_owned())),
        ] {
            let health = checks.health(&object, now);
            assert_eq!(health.map(|health| health.status).map_err(|error| error.to_string()), expected, "{object}");
        }
    }

    #[test]
    fn wrong_checks_are_refused() {
        for (value, text) in [
            (
                json!([{"apiVersion": "a/v1", "kind": "B", "current": "true"}, {"apiVersion": "a/v2", "kind": "B", "current": "true"}]),
                "duplicate custom health check for GroupKind B.a at healthchecks[1]",
            ),
            (
                json!([{"apiVersion": "a/v1", "kind": "B", "current": ""}]),
                "failed to create custom status evaluator for healthchecks[0]: expression Current not specified",
            ),
            (
                json!([{"apiVersion": "a/v1", "kind": "B", "current": "true", "failed": "("}]),
                "failed to create custom status evaluator for healthchecks[0]: failed to parse the expression Failed: failed to parse the CEL expression '(': ERROR",
            ),
        ] {
            let error = checks(value).unwrap_err().to_string();
            assert!(error.starts_with(text), "{error}");
        }
    }
}
