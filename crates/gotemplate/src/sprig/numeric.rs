//! Arithmetic. Source: sprig `numeric.go`.

use super::args::int;
use super::cast::{to_float64, to_int64};
use super::decimal::Decimal;
use super::{Result, Row, row};
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::strconv::parse_int;
use crate::value::{List, ListType, Value};

const ANY: Signature = Signature::new(&[Param::Any]);
const ANY2: Signature = Signature::new(&[Param::Any, Param::Any]);
const MANY: Signature = Signature::new(&[]).variadic(Param::Any);
const ANY_MANY: Signature = ANY.variadic(Param::Any);

pub(super) fn functions() -> Vec<Row> {
    let fold = |name, signature, start: Option<i64>, combine: fn(i64, i64) -> i64| {
        row(name, signature, move |_, args: &[Value]| {
            let mut numbers = args.iter().map(to_int64);
            let first = start.or_else(|| numbers.next()).unwrap_or(0);
            Ok(Value::int64(numbers.fold(first, combine)))
        })
    };
    let float = |name, combine: fn(f64) -> f64| {
        row(name, ANY, move |_, args: &[Value]| {
            Ok(Value::Float(combine(to_float64(&args[0]))))
        })
    };
    let float_fold = |name, combine: fn(f64, f64) -> f64| {
        row(name, ANY_MANY, move |_, args: &[Value]| {
            let mut numbers = args.iter().map(to_float64);
            let first = numbers.next().unwrap_or(0.0);
            Ok(Value::Float(numbers.fold(first, combine)))
        })
    };
    vec![
        row("atoi", Signature::new(&[Param::String]), |_, args| {
            // A number out of range gives the nearest one, as Go's Atoi does beside its error.
            Ok(Value::int(atoi(super::args::text(args, 0))))
        }),
        row("int64", ANY, |_, args| Ok(Value::int64(to_int64(&args[0])))),
        row("int", ANY, |_, args| Ok(Value::int(to_int64(&args[0])))),
        row("float64", ANY, |_, args| {
            Ok(Value::Float(to_float64(&args[0])))
        }),
        row("toDecimal", ANY, |_, args| {
            Ok(Value::int64(parse_int(&args[0].print(), 8).unwrap_or(0)))
        }),
        row("seq", Signature::new(&[]).variadic(Param::Int), seq),
        row("until", Signature::new(&[Param::Int]), |context, args| {
            let count = int(args, 0);
            let step = if count < 0 { -1 } else { 1 };
            ints(
                context,
                &until_step(context_limit(context), 0, count, step)?,
            )
        }),
        row(
            "untilStep",
            Signature::new(&[Param::Int, Param::Int, Param::Int]),
            |context, args| {
                let numbers = until_step(
                    context_limit(context),
                    int(args, 0),
                    int(args, 1),
                    int(args, 2),
                )?;
                ints(context, &numbers)
            },
        ),
        row("add1", ANY, |_, args| {
            Ok(Value::int64(to_int64(&args[0]).wrapping_add(1)))
        }),
        fold("add", MANY, Some(0), i64::wrapping_add),
        fold("sub", ANY2, None, i64::wrapping_sub),
        fold("mul", ANY_MANY, None, i64::wrapping_mul),
        row("div", ANY2, |_, args| divide(args, i64::wrapping_div)),
        row("mod", ANY2, |_, args| divide(args, i64::wrapping_rem)),
        fold("max", ANY_MANY, None, i64::max),
        fold("biggest", ANY_MANY, None, i64::max),
        fold("min", ANY_MANY, None, i64::min),
        float_fold("maxf", go_max),
        float_fold("minf", |left, right| -go_max(-left, -right)),
        float("floor", f64::floor),
        float("ceil", f64::ceil),
        row(
            "round",
            Signature::new(&[Param::Any, Param::Int]).variadic(Param::Float64),
            round,
        ),
        row("add1f", ANY, |_, args| {
            decimals(
                &args[0],
                &[Value::int(1)],
                |left, right| Ok(left.add(right)),
            )
        }),
        row("addf", MANY, |_, args| {
            decimals(&Value::Float(0.0), args, |left, right| Ok(left.add(right)))
        }),
        row("subf", ANY_MANY, |_, args| {
            decimals(&args[0], &args[1..], |left, right| Ok(left.subtract(right)))
        }),
        row("mulf", ANY_MANY, |_, args| {
            decimals(&args[0], &args[1..], |left, right| Ok(left.multiply(right)))
        }),
        row("divf", ANY_MANY, |_, args| {
            decimals(&args[0], &args[1..], Decimal::divide)
        }),
    ]
}

fn atoi(text: &[u8]) -> i64 {
    match parse_int(text, 10) {
        Ok(number) => number,
        Err(crate::strconv::ParseNumberError::Syntax) => 0,
        Err(crate::strconv::ParseNumberError::Range) if text.starts_with(b"-") => i64::MIN,
        Err(crate::strconv::ParseNumberError::Range) => i64::MAX,
    }
}

fn divide(args: &[Value], combine: fn(i64, i64) -> i64) -> Result {
    let divisor = to_int64(&args[1]);
    if divisor == 0 {
        return Err(CallError::new("runtime error: integer divide by zero"));
    }
    Ok(Value::int64(combine(to_int64(&args[0]), divisor)))
}

/// Go's `math.Max`: NaN if either is, except that infinity wins; +0 over -0.
fn go_max(left: f64, right: f64) -> f64 {
    if left == f64::INFINITY || right == f64::INFINITY {
        return f64::INFINITY;
    }
    if left.is_nan() || right.is_nan() {
        return f64::NAN;
    }
    if left == 0.0 && right == 0.0 {
        return if left.is_sign_negative() { right } else { left };
    }
    if left > right { left } else { right }
}

fn round(_: &mut Context<'_>, args: &[Value]) -> Result {
    let round_on = args.get(2).map_or(0.5, to_float64);
    let power = 10_f64.powf(int(args, 1) as f64);
    let digit = power * to_float64(&args[0]);
    let rounded = if digit.fract() >= round_on {
        digit.ceil()
    } else {
        digit.floor()
    };
    Ok(Value::Float(rounded / power))
}

fn decimals(
    first: &Value,
    rest: &[Value],
    combine: impl Fn(&Decimal, &Decimal) -> std::result::Result<Decimal, CallError>,
) -> Result {
    let mut total = Decimal::from_float(to_float64(first))?;
    for value in rest {
        total = combine(&total, &Decimal::from_float(to_float64(value))?)?;
    }
    Ok(Value::Float(total.to_float()))
}

/// How many integers one value may hold.
fn context_limit(context: &Context<'_>) -> u64 {
    (context.limits().value / size_of::<Value>()) as u64
}

/// `start`, `start + step`, … up to but without `stop`. None when the step leads away from it.
fn until_step(
    limit: u64,
    start: i64,
    stop: i64,
    step: i64,
) -> std::result::Result<Vec<i64>, CallError> {
    let down = stop < start;
    if (down && step >= 0) || (!down && step <= 0) {
        return Ok(Vec::new());
    }
    let span = (i128::from(stop) - i128::from(start)).unsigned_abs();
    let count = span.div_ceil(u128::from(step.unsigned_abs()));
    if count > u128::from(limit) {
        return Err(CallError::limit(format!(
            "a list of {count} integers exceeds the limit of {limit}"
        )));
    }
    Ok((0..count as i64)
        .map(|index| start + index * step)
        .collect())
}

fn ints(context: &mut Context<'_>, numbers: &[i64]) -> Result {
    context.charge(size_of_val(numbers) * 3)?;
    let items = numbers.iter().map(|number| Value::int(*number)).collect();
    Ok(Value::List(std::sync::Arc::new(List::new(
        ListType::Int,
        items,
    ))))
}

/// `seq end`, `seq start end`, `seq start step end`: both ends belong to it.
fn seq(context: &mut Context<'_>, args: &[Value]) -> Result {
    let limit = context_limit(context);
    let (start, step, end) = match args.len() {
        1 => (1, None, int(args, 0)),
        2 => (int(args, 0), None, int(args, 1)),
        3 => (int(args, 0), Some(int(args, 1)), int(args, 2)),
        _ => return Ok(Value::from("")),
    };
    let direction = if end < start { -1 } else { 1 };
    if direction < 0 && step.is_some_and(|step| step > 0) {
        return Ok(Value::from(""));
    }
    let numbers = until_step(
        limit,
        start,
        end.saturating_add(direction),
        step.unwrap_or(direction),
    )?;
    context.charge(numbers.len() * 20)?;
    let shown: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(Value::from(shown.join(" ")))
}
