//! Lists. Source: sprig `list.go`.

use std::sync::Arc;

use super::args::int;
use super::cast::to_int64;
use super::defaults::is_empty;
use super::equal::deep_equal;
use super::strings::nil_list;
use super::{NIL_DEREFERENCE, Result, Row, row};
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::value::{List, ListType, UintKind, Value};

const ANY: Signature = Signature::new(&[Param::Any]);
const ANY2: Signature = Signature::new(&[Param::Any, Param::Any]);
const MANY: Signature = Signature::new(&[]).variadic(Param::Any);
const ANY_MANY: Signature = ANY.variadic(Param::Any);

type Body = fn(&mut Context<'_>, &[Value]) -> Result;

pub(super) fn functions() -> Vec<Row> {
    let mut table = vec![
        row("list", MANY, |context, args| {
            charged(context, args.to_vec())
        }),
        row("tuple", MANY, |context, args| {
            charged(context, args.to_vec())
        }),
        row("concat", MANY.any(), concat),
    ];
    // Upstream has each of these twice: one that panics and one that errs; templates see the same text.
    let twins: [(&str, &str, Signature, Body); 14] = [
        ("append", "mustAppend", ANY2, push),
        ("push", "mustPush", ANY2, push),
        ("prepend", "mustPrepend", ANY2, prepend),
        ("first", "mustFirst", ANY.any(), first),
        ("last", "mustLast", ANY.any(), last),
        ("rest", "mustRest", ANY, rest),
        ("initial", "mustInitial", ANY, initial),
        ("reverse", "mustReverse", ANY, reverse),
        ("uniq", "mustUniq", ANY, uniq),
        ("without", "mustWithout", ANY_MANY, without),
        ("has", "mustHas", ANY2, has),
        ("compact", "mustCompact", ANY, compact),
        ("slice", "mustSlice", ANY_MANY.any(), slice),
        (
            "chunk",
            "mustChunk",
            Signature::new(&[Param::Int, Param::Any]),
            chunk,
        ),
    ];
    for (name, twin, signature, body) in twins {
        table.push(row(name, signature, body));
        table.push(row(twin, signature, body));
    }
    table
}

fn charged(context: &mut Context<'_>, items: Vec<Value>) -> Result {
    context.charge(items.len() * size_of::<Value>())?;
    Ok(Value::list(items))
}

/// A list that Go would have made by appending one by one.
fn grown(context: &mut Context<'_>, items: Vec<Value>) -> Result {
    context.charge(items.len() * size_of::<Value>())?;
    Ok(Value::List(Arc::new(List::grown(ListType::Any, items))))
}

/// The elements of a list; the error begins with `what` and names the kind.
fn items(value: &Value, what: &str) -> std::result::Result<Vec<Value>, CallError> {
    match value {
        Value::List(list) => Ok(list.items().to_vec()),
        Value::Bytes(bytes) => {
            let bytes = bytes.as_bytes().iter();
            Ok(bytes
                .map(|byte| Value::Uint(UintKind::Uint8, u64::from(*byte)))
                .collect())
        }
        Value::Nil => Err(CallError::new(NIL_DEREFERENCE)),
        Value::Object(object) if object.items().is_some() => Ok(object.items().unwrap_or_default()),
        _ => Err(CallError::new(format!("{what} {}", value.kind().name()))),
    }
}

fn push(context: &mut Context<'_>, args: &[Value]) -> Result {
    let mut items = items(&args[0], "Cannot push on type")?;
    let length = items.len();
    items.push(args[1].clone());
    context.charge(items.len() * size_of::<Value>())?;
    let capacity = List::capacity_after_append(length, length);
    Ok(Value::List(Arc::new(List::with_capacity(
        ListType::Any,
        items,
        capacity,
    ))))
}

fn prepend(context: &mut Context<'_>, args: &[Value]) -> Result {
    let mut items = items(&args[0], "Cannot prepend on type")?;
    items.insert(0, args[1].clone());
    charged(context, items)
}

fn first(_: &mut Context<'_>, args: &[Value]) -> Result {
    let items = items(&args[0], "Cannot find first on type")?;
    Ok(items.into_iter().next().unwrap_or_default())
}

fn last(_: &mut Context<'_>, args: &[Value]) -> Result {
    let mut items = items(&args[0], "Cannot find last on type")?;
    Ok(items.pop().unwrap_or_default())
}

fn rest(context: &mut Context<'_>, args: &[Value]) -> Result {
    let mut items = items(&args[0], "Cannot find rest on type")?;
    if items.is_empty() {
        return Ok(nil_list());
    }
    items.remove(0);
    charged(context, items)
}

fn initial(context: &mut Context<'_>, args: &[Value]) -> Result {
    let mut items = items(&args[0], "Cannot find initial on type")?;
    if items.pop().is_none() {
        return Ok(nil_list());
    }
    charged(context, items)
}

fn reverse(context: &mut Context<'_>, args: &[Value]) -> Result {
    let mut items = items(&args[0], "Cannot find reverse on type")?;
    items.reverse();
    charged(context, items)
}

fn uniq(context: &mut Context<'_>, args: &[Value]) -> Result {
    let mut kept: Vec<Value> = Vec::new();
    for item in items(&args[0], "Cannot find uniq on type")? {
        // Quadratic, as upstream: the steps are counted.
        for _ in 0..=kept.len() / 64 {
            context.step()?;
        }
        if !kept.iter().any(|other| deep_equal(&item, other)) {
            kept.push(item);
        }
    }
    grown(context, kept)
}

fn without(context: &mut Context<'_>, args: &[Value]) -> Result {
    let mut kept = items(&args[0], "Cannot find without on type")?;
    kept.retain(|item| !args[1..].iter().any(|omitted| deep_equal(item, omitted)));
    grown(context, kept)
}

fn has(_: &mut Context<'_>, args: &[Value]) -> Result {
    if args[1].is_nil() {
        return Ok(Value::Bool(false));
    }
    let items = items(&args[1], "Cannot find has on type")?;
    Ok(Value::Bool(
        items.iter().any(|item| deep_equal(&args[0], item)),
    ))
}

fn compact(context: &mut Context<'_>, args: &[Value]) -> Result {
    let mut items = items(&args[0], "Cannot compact on type")?;
    items.retain(|item| !is_empty(item));
    grown(context, items)
}

fn slice(_: &mut Context<'_>, args: &[Value]) -> Result {
    let out_of_bounds = || CallError::new("reflect.Value.Slice: slice index out of bounds");
    let (length, capacity) = match &args[0] {
        Value::List(list) => (list.len(), list.capacity()),
        Value::Bytes(bytes) => (bytes.len(), bytes.len()),
        Value::Nil => return Err(CallError::new(NIL_DEREFERENCE)),
        other => {
            let kind = other.kind().name();
            return Err(CallError::new(format!(
                "list should be type of slice or array but {kind}"
            )));
        }
    };
    if length == 0 {
        return Ok(Value::Nil);
    }
    let start = args.get(1).map_or(0, to_int64);
    let end = args.get(2).map_or(length as i64, to_int64);
    let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else {
        return Err(out_of_bounds());
    };
    if start > end || end > capacity {
        return Err(out_of_bounds());
    }
    Ok(match &args[0] {
        Value::List(list) => Value::List(Arc::new(list.slice(start, end, capacity))),
        Value::Bytes(bytes) => Value::Bytes(bytes.as_bytes()[start..end].into()),
        _ => Value::Nil,
    })
}

fn concat(context: &mut Context<'_>, args: &[Value]) -> Result {
    let mut all = Vec::new();
    for arg in args {
        match arg {
            Value::List(_) | Value::Bytes(_) => all.append(&mut items(arg, "")?),
            Value::Nil => return Err(CallError::new(NIL_DEREFERENCE)),
            _ => {
                let kind = arg.kind().name();
                return Err(CallError::new(format!("Cannot concat type {kind} as list")));
            }
        }
    }
    if all.is_empty() {
        return Ok(nil_list());
    }
    grown(context, all)
}

fn chunk(context: &mut Context<'_>, args: &[Value]) -> Result {
    let items = items(&args[1], "Cannot chunk type")?;
    let (size, length) = (int(args, 0) as f64, items.len() as f64);
    // Upstream reckons in floats; what is no length is an error of Go's allocation.
    let count = ((length - 1.0) / size).floor() + 1.0;
    if !(0.0..=length.max(1.0)).contains(&count) {
        return Err(CallError::new("runtime error: makeslice: len out of range"));
    }
    context.charge(items.len() * size_of::<Value>() * 2)?;
    let step = int(args, 0).unsigned_abs() as usize;
    let chunks = if step == 0 {
        Vec::new()
    } else {
        items
            .chunks(step)
            .map(|chunk| Value::list(chunk.to_vec()))
            .collect()
    };
    Ok(Value::List(Arc::new(List::new(
        ListType::ListOfAny,
        chunks,
    ))))
}
