//! Dictionaries. Source: sprig `dict.go`.

use super::args::{map, text};
use super::merge::{MergeMode, merge};
use super::strings::strval;
use super::{Result, Row, row};
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::text::Str;
use crate::value::{Map, MapType, Value};

const MAP: Signature = Signature::new(&[Param::Map]);
const MAPS: Signature = MAP.variadic(Param::Map);
const MAP_TEXT: Signature = Signature::new(&[Param::Map, Param::String]);

/// What an entry of a map is charged for.
const ENTRY: usize = 96;

pub(super) fn functions() -> Vec<Row> {
    let merging = |name, mode| {
        row(
            name,
            MAPS.any(),
            move |context: &mut Context<'_>, args: &[Value]| {
                let mut target = map(args, 0);
                for index in 1..args.len() {
                    let source = map(args, index);
                    context.charge(source.len() * ENTRY)?;
                    target = merge(target, &source, mode, context)?;
                }
                Ok(Value::Map(target))
            },
        )
    };
    vec![
        row("dict", Signature::new(&[]).variadic(Param::Any), dict),
        row("get", MAP_TEXT.any(), |_, args| {
            Ok(map(args, 0)
                .get(text(args, 1))
                .unwrap_or_else(|| Value::from("")))
        }),
        row(
            "set",
            Signature::new(&[Param::Map, Param::String, Param::Any]),
            |context, args| {
                context.charge(ENTRY)?;
                if !map(args, 0).insert(text(args, 1), args[2].clone()) {
                    return Err(CallError::new("assignment to entry in nil map"));
                }
                Ok(args[0].clone())
            },
        ),
        row("unset", MAP_TEXT, |_, args| {
            map(args, 0).remove(text(args, 1));
            Ok(args[0].clone())
        }),
        row("hasKey", MAP_TEXT, |_, args| {
            Ok(Value::Bool(map(args, 0).contains_key(text(args, 1))))
        }),
        row(
            "pluck",
            Signature::new(&[Param::String]).variadic(Param::Map),
            |_, args| {
                let found = (1..args.len()).filter_map(|index| map(args, index).get(text(args, 0)));
                Ok(Value::list(found.collect()))
            },
        ),
        row(
            "keys",
            Signature::new(&[]).variadic(Param::Map),
            |context, args| {
                let keys: Vec<Str> = (0..args.len())
                    .flat_map(|index| map(args, index).keys())
                    .collect();
                context.charge(keys.len() * 24)?;
                Ok(Value::strings(keys))
            },
        ),
        row("values", MAP, |context, args| {
            let entries = map(args, 0).entries();
            context.charge(entries.len() * 24)?;
            Ok(Value::list(
                entries.into_iter().map(|(_, value)| value).collect(),
            ))
        }),
        row("pick", MAP.variadic(Param::String), |context, args| {
            let source = map(args, 0);
            let picked = (1..args.len()).filter_map(|index| {
                let key = text(args, index);
                source.get(key).map(|value| (Str::from(key), value))
            });
            let picked = Map::from_entries(picked);
            context.charge(picked.len() * ENTRY)?;
            Ok(Value::Map(picked))
        }),
        row("omit", MAP.variadic(Param::String), |context, args| {
            let kept = map(args, 0).shallow_copy();
            let kept = Map::from_entries(kept.entries());
            context.charge(kept.len() * ENTRY)?;
            for index in 1..args.len() {
                kept.remove(text(args, index));
            }
            Ok(Value::Map(kept))
        }),
        row(
            "dig",
            Signature::new(&[]).variadic(Param::Any).any(),
            |_, args| dig(args),
        ),
        merging("merge", MergeMode::KeepExisting),
        merging("mustMerge", MergeMode::KeepExisting),
        merging("mergeOverwrite", MergeMode::Overwrite),
        merging("mustMergeOverwrite", MergeMode::Overwrite),
    ]
}

/// Keys and values in turn; a last key alone has the empty string.
fn dict(context: &mut Context<'_>, args: &[Value]) -> Result {
    context.charge(args.len() * ENTRY)?;
    let pairs = args.chunks(2).map(|pair| {
        let value = pair.get(1).cloned().unwrap_or_else(|| Value::from(""));
        (strval(&pair[0]), value)
    });
    Ok(Value::Map(Map::from_entries(pairs)))
}

fn not_a(value: &Value, wanted: &str) -> CallError {
    let got = if value.is_nil() {
        "nil".into()
    } else {
        value.type_name()
    };
    CallError::new(format!(
        "interface conversion: interface {{}} is {got}, not {wanted}"
    ))
}

/// `dig key… default dict`
fn dig(args: &[Value]) -> Result {
    let as_map = |value: &Value| match value {
        Value::Map(map) if map.map_type() == MapType::Any => Ok(map.clone()),
        _ => Err(not_a(value, "map[string]interface {}")),
    };
    let [keys @ .., default, dict] = args else {
        return Err(CallError::new("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(CallError::new("dig needs at least three arguments"));
    }
    let mut step = as_map(dict)?;
    let mut names = Vec::with_capacity(keys.len());
    for key in keys {
        names.push(key.as_str().ok_or_else(|| not_a(key, "string"))?);
    }
    for (index, name) in names.iter().enumerate() {
        let Some(value) = step.get(name) else {
            return Ok(default.clone());
        };
        if index + 1 == names.len() {
            return Ok(value);
        }
        step = as_map(&value)?;
    }
    Ok(default.clone())
}
