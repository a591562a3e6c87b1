//! Defaults, choices, copies and JSON. Source: sprig `defaults.go`, `flow_control`.

use std::sync::Arc;

use super::args::{boolean, text};
use super::{Result, Row, row};
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::json::{EncodeOptions, Numbers, decode, encode};
use crate::text::lossy;
use crate::value::{Kind, List, Map, Value};

const TEXT: Signature = Signature::new(&[Param::String]);
const ANY: Signature = Signature::new(&[Param::Any]);
const MANY: Signature = Signature::new(&[]).variadic(Param::Any);

/// Compact, as `json.Marshal` writes it.
const COMPACT: EncodeOptions = EncodeOptions {
    escape_html: true,
    pretty: false,
};
/// On several lines.
const PRETTY: EncodeOptions = EncodeOptions {
    escape_html: true,
    pretty: true,
};
/// Compact, with `<`, `>` and `&` as they are.
const RAW: EncodeOptions = EncodeOptions {
    escape_html: false,
    pretty: false,
};

pub(super) fn functions() -> Vec<Row> {
    // Those without "must" give nothing instead of an error.
    let json = |name, options, silent: bool| {
        row(
            name,
            ANY,
            move |context: &mut Context<'_>, args: &[Value]| {
                let out = match encode(&args[0], options) {
                    Ok(out) => out,
                    Err(_) if silent => Vec::new(),
                    Err(error) => return Err(CallError::new(error)),
                };
                context.charge(out.len())?;
                Ok(Value::string(out))
            },
        )
    };
    vec![
        row("default", ANY.variadic(Param::Any).any(), |_, args| {
            let given = args.get(1).filter(|given| !is_empty(given));
            Ok(given.unwrap_or(&args[0]).clone())
        }),
        row("empty", ANY, |_, args| Ok(Value::Bool(is_empty(&args[0])))),
        row("coalesce", MANY.any(), |_, args| {
            Ok(args
                .iter()
                .find(|arg| !is_empty(arg))
                .cloned()
                .unwrap_or_default())
        }),
        row("all", MANY, |_, args| {
            Ok(Value::Bool(!args.iter().any(is_empty)))
        }),
        row("any", MANY, |_, args| {
            Ok(Value::Bool(args.iter().any(|arg| !is_empty(arg))))
        }),
        row(
            "ternary",
            Signature::new(&[Param::Any, Param::Any, Param::Bool]).any(),
            |_, args| Ok(args[usize::from(!boolean(args, 2))].clone()),
        ),
        row("fail", TEXT, |_, args| {
            Err(CallError::new(lossy(text(args, 0)).into_owned()))
        }),
        row("deepCopy", ANY.any(), deep_copy),
        row("mustDeepCopy", ANY.any(), deep_copy),
        row("fromJson", TEXT.any(), |context, args| {
            context.charge(text(args, 0).len().saturating_mul(4))?;
            Ok(decode(text(args, 0), Numbers::Float).0)
        }),
        row("mustFromJson", TEXT.any(), |context, args| {
            context.charge(text(args, 0).len().saturating_mul(4))?;
            match decode(text(args, 0), Numbers::Float) {
                (value, None) => Ok(value),
                (_, Some(error)) => Err(CallError::new(error.to_string())),
            }
        }),
        json("toJson", COMPACT, true),
        json("mustToJson", COMPACT, false),
        json("toPrettyJson", PRETTY, true),
        json("mustToPrettyJson", PRETTY, false),
        json("toRawJson", RAW, false),
        json("mustToRawJson", RAW, false),
    ]
}

/// Whether a value is sprig's idea of empty: zero, false, without elements, nil; a struct never is.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => match object.underlying() {
            Some(value) => is_empty(&value),
            None => object.kind() == Kind::Map && !object.is_true(),
        },
        _ => !value.is_true(),
    }
}

/// How deep values are copied; beyond, they hold themselves.
const MAX_DEPTH: usize = 2000;

fn deep_copy(context: &mut Context<'_>, args: &[Value]) -> Result {
    if args[0].is_nil() {
        return Err(CallError::new(
            "reflect: call of reflect.Value.Type on zero Value",
        ));
    }
    copy(context, &args[0], 0)
}

fn copy(context: &mut Context<'_>, value: &Value, depth: usize) -> Result {
    if depth > MAX_DEPTH {
        return Err(CallError::limit("values nest too deep to be copied"));
    }
    stacker::maybe_grow(
        crate::parse::RED_ZONE,
        crate::parse::STACK_SEGMENT,
        || match value {
            Value::Map(map) if !map.is_nil() => {
                context.charge(map.len() * 96)?;
                let mut entries = map.entries();
                for (_, value) in &mut entries {
                    *value = copy(context, value, depth + 1)?;
                }
                Ok(Value::Map(Map::typed(
                    map.map_type(),
                    entries.into_iter().collect(),
                )))
            }
            Value::List(list) if !list.is_nil() => {
                context.charge(list.len() * size_of::<Value>())?;
                let mut items = list.items().to_vec();
                for item in &mut items {
                    *item = copy(context, item, depth + 1)?;
                }
                Ok(Value::List(Arc::new(List::new(list.list_type(), items))))
            }
            other => Ok(other.clone()),
        },
    )
}
