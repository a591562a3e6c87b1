//! The restrictions on numbers.

use object::goprint;
use serde_json::{Number, Value};

use super::outcome::{Code, Finding, Outcome};
use crate::schema::Schema;

/// Whether a float is a whole number, but for an error in its last digits.
///
/// Source: go-openapi `swag.IsFloat64AJSONInteger`.
pub(super) fn is_integral(float: f64) -> bool {
    const LIMIT: f64 = ((1_u64 << 53) - 1) as f64;
    const EPSILON: f64 = 1e-9;
    if !float.is_finite() || !(-LIMIT..=LIMIT).contains(&float) {
        return false;
    }
    let whole = float.trunc();
    if float == whole {
        return true;
    }
    if whole == 0.0 {
        return false;
    }
    (float - whole).abs() / (float.abs() + whole.abs()) < EPSILON
}

pub(super) fn check(schema: &Schema, path: &str, number: &Number) -> Outcome {
    let mut outcome = Outcome::default();
    let restrictions = &schema.value;
    let float = number.as_f64().unwrap_or_default();
    let integer = goprint::is_int64(number).then(|| number.as_i64().unwrap_or_default());
    let add = |outcome: &mut Outcome, message: String| {
        let value = Some(Value::Number(number.clone()));
        outcome.add(Finding::new(Code::Other, path, value, message));
    };
    // A whole number is compared with the whole part of a bound.
    let shown = |bound: f64| match integer {
        Some(_) => (bound as i64).to_string(),
        None => goprint::float_v(bound),
    };
    if let Some(factor) = restrictions.multiple_of {
        let (is_positive, is_multiple) = match integer {
            Some(integer) => {
                let factor = factor as i64;
                (factor > 0, factor > 0 && integer % factor == 0)
            }
            None if factor <= 0.0 => (false, false),
            None if factor < 1.0 => (true, is_integral(1.0 / factor * float)),
            None => (true, is_integral(float / factor)),
        };
        let factor = shown(factor);
        if !is_positive {
            add(
                &mut outcome,
                format!("factor MultipleOf declared for {path} must be positive: {factor}"),
            );
        } else if !is_multiple {
            add(
                &mut outcome,
                format!("{path} in body should be a multiple of {factor}"),
            );
        }
    }
    if let Some(minimum) = restrictions.minimum {
        let exclusive = restrictions.exclusive_minimum;
        let is_below = match integer {
            Some(integer) => integer < minimum as i64 || exclusive && integer == minimum as i64,
            None => float < minimum || exclusive && float <= minimum,
        };
        if is_below {
            let word = if exclusive {
                "greater than"
            } else {
                "greater than or equal to"
            };
            add(
                &mut outcome,
                format!("{path} in body should be {word} {}", shown(minimum)),
            );
        }
    }
    if let Some(maximum) = restrictions.maximum {
        let exclusive = restrictions.exclusive_maximum;
        let is_above = match integer {
            Some(integer) => integer > maximum as i64 || exclusive && integer == maximum as i64,
            None => float > maximum || exclusive && float >= maximum,
        };
        if is_above {
            let word = if exclusive {
                "less than"
            } else {
                "less than or equal to"
            };
            add(
                &mut outcome,
                format!("{path} in body should be {word} {}", shown(maximum)),
            );
        }
    }
    outcome.matches += 1;
    outcome
}
