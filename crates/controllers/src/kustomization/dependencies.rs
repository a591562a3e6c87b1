//! Whether what a Kustomization depends on is ready.

use api::constants::conditions::READY;
use api::kustomize::v1::Kustomization;
use api::meta::{Artifact, Conditions as _, DependencyReference};
use crd::cel::{Environment, PER_CALL_LIMIT, Shape, Type, Val, from_json};
use runtime::ObjectKey;
use serde_json::Value;

use super::spec;

/// Why a dependency holds the Kustomization up.
#[derive(Debug, thiserror::Error)]
pub(super) enum DependencyError {
    /// The expression is wrong: nothing changes until the spec does. The texts are Flux's.
    #[error("terminal error: failed to evaluate dependency {name}: {why}")]
    Expression { name: String, why: String },
    /// It is not there.
    #[error("dependency '{key}' not found: {why}")]
    NotFound { key: ObjectKey, why: String },
    /// The expression says that it is not ready.
    #[error("dependency '{0}' is not ready according to readyExpr eval")]
    NotByExpression(ObjectKey),
    /// The expression cannot be evaluated for the two objects.
    #[error("failed to evaluate the CEL expression '{expression}': {why}")]
    Evaluation { expression: String, why: String },
    /// It is not ready.
    #[error("dependency '{0}' is not ready")]
    NotReady(ObjectKey),
    /// It is ready, but for an older revision of the same source.
    #[error("dependency '{0}' revision is not up to date")]
    Outdated(ObjectKey),
}

/// Checks one dependency. Source: kustomize-controller, `checkDependencies`.
pub(super) fn check(
    object: &Kustomization,
    reference: &DependencyReference,
    dependency: &Kustomization,
    artifact: &Artifact,
    is_additive: bool,
) -> Result<(), DependencyError> {
    let key = ObjectKey::of(dependency);
    if let Some(expression) = reference
        .ready_expr
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        if !evaluate(expression, object, dependency)? {
            return Err(DependencyError::NotByExpression(key));
        }
        if !is_additive {
            return Ok(());
        }
    }
    let status = dependency.status.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let observed = status.observed_generation.unwrap_or_default();
    if conditions.is_empty()
        || dependency.metadata.generation.unwrap_or_default() != observed
        || !conditions.is_true(READY)
    {
        return Err(DependencyError::NotReady(key));
    }
    let is_same_source = dependency.spec.source_ref.kind == object.spec.source_ref.kind
        && spec::source_key(dependency) == spec::source_key(object);
    if is_same_source && status.last_applied_revision.as_deref() != Some(&artifact.revision) {
        return Err(DependencyError::Outdated(key));
    }
    Ok(())
}

/// Evaluates an expression over `self` and `dep`.
fn evaluate(
    expression: &str,
    object: &Kustomization,
    dependency: &Kustomization,
) -> Result<bool, DependencyError> {
    let wrong = |why: String| DependencyError::Expression {
        name: dependency.metadata.name.clone().unwrap_or_default(),
        why,
    };
    let of_fields = || Type::map(Type::Text, Type::Dyn);
    let environment = Environment::new()
        .with_variable("self", of_fields())
        .with_variable("dep", of_fields());
    let program = environment.compile(expression).map_err(|error| {
        wrong(format!(
            "failed to parse the CEL expression '{expression}': {error}"
        ))
    })?;
    if !matches!(program.output(), Type::Bool) {
        let output = program.output();
        return Err(wrong(format!(
            "CEL expression output type mismatch: expected bool, got {output}"
        )));
    }
    let failed = |why: String| DependencyError::Evaluation {
        expression: expression.to_owned(),
        why,
    };
    let encode = |object: &Kustomization| {
        serde_json::to_value(object).map_err(|error| failed(error.to_string()))
    };
    let (own, other): (Value, Value) = (encode(object)?, encode(dependency)?);
    let any = Shape::json();
    let variables = [from_json(&own, &any), from_json(&other, &any)];
    match program.evaluate(&variables, PER_CALL_LIMIT).value {
        Ok(Val::Bool(is_ready)) => Ok(is_ready),
        Ok(_) => Err(failed("not a bool".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Keys in an order in which none comes before one that it depends on; `None` if they depend on each other in a
/// circle. Source: fluxcd/pkg `runtime/dependency`.
pub(super) fn sorted(objects: &[std::sync::Arc<Kustomization>]) -> Option<Vec<ObjectKey>> {
    use std::collections::{BTreeMap, BTreeSet};
    let by_key: BTreeMap<ObjectKey, Vec<ObjectKey>> = objects
        .iter()
        .map(|object| (ObjectKey::of(object), spec::dependency_keys(object)))
        .collect();
    let mut order = Vec::new();
    let (mut done, mut open) = (BTreeSet::new(), BTreeSet::new());
    for root in by_key.keys() {
        // A stack of our own: chains may be long.
        let mut stack = vec![(root.clone(), false)];
        while let Some((key, is_left)) = stack.pop() {
            if is_left {
                open.remove(&key);
                if by_key.contains_key(&key) && done.insert(key.clone()) {
                    order.push(key);
                }
                continue;
            }
            if done.contains(&key) {
                continue;
            }
            if !open.insert(key.clone()) {
                return None;
            }
            stack.push((key.clone(), true));
            for dependency in by_key.get(&key).into_iter().flatten() {
                if open.contains(dependency) {
                    return None;
                }
                if !done.contains(dependency) {
                    stack.push((dependency.clone(), false));
                }
            }
        }
    }
    Some(order)
}

#[cfg(test)]
mod tests;
