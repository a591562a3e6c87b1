//! Comparing the two sides of a filter, as Go's templates compare.

use std::cmp::Ordering;

use super::ExecuteError;
use super::eval::{Item, Scalar};

/// Whether `left operator right`.
pub(super) fn compare(
    left: &Item<'_>,
    operator: &str,
    right: &Item<'_>,
    only_floats: bool,
) -> Result<bool, ExecuteError> {
    if !matches!(operator, "<" | ">" | "==" | "!=" | "<=" | ">=") {
        return Err(ExecuteError::Operator(operator.to_owned()));
    }
    let not_comparable = || ExecuteError::NotComparable;
    let left = left.scalar(only_floats).ok_or_else(not_comparable)?;
    let right = right.scalar(only_floats).ok_or_else(not_comparable)?;
    if let (Scalar::Bool(left), Scalar::Bool(right)) = (&left, &right) {
        return match operator {
            "==" => Ok(left == right),
            "!=" => Ok(left != right),
            _ => Err(ExecuteError::NotComparable),
        };
    }
    let order = order(&left, &right)?;
    Ok(match operator {
        "<" => order == Some(Ordering::Less),
        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        "==" => order == Some(Ordering::Equal),
        "!=" => order != Some(Ordering::Equal),
        ">" => !matches!(order, Some(Ordering::Less | Ordering::Equal)),
        _ => order != Some(Ordering::Less),
    })
}

fn order(left: &Scalar<'_>, right: &Scalar<'_>) -> Result<Option<Ordering>, ExecuteError> {
    match (left, right) {
        (Scalar::Text(left), Scalar::Text(right)) => Ok(Some(left.cmp(right))),
        (Scalar::Int(left), Scalar::Int(right)) => Ok(Some(left.cmp(right))),
        (Scalar::Float(left), Scalar::Float(right)) => Ok(left.partial_cmp(right)),
        _ => Err(ExecuteError::Incompatible),
    }
}
