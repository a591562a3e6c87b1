//! The functions that every Go template has.

mod compare;
mod escape;
mod index;

pub use escape::{append_html, append_js, query_escape};

use std::collections::HashMap;

use crate::exec::{Context, Slot};
use crate::fmt::{sprint, sprintf_limited, sprintln};
use crate::function::{CallError, Function, FunctionBody, Param, Signature};
use crate::text::Str;
use crate::value::Value;

/// The table of builtins. Source: text/template `builtins`.
pub(crate) fn functions() -> HashMap<Str, Function> {
    let one = Signature::new(&[Param::Reflect]);
    let two = Signature::new(&[Param::Reflect, Param::Reflect]);
    let many = one.variadic(Param::Reflect);
    let reflect = |signature, body| Function {
        signature,
        body: FunctionBody::Reflect(body),
    };
    let short_circuit = |until| Function {
        signature: many,
        body: FunctionBody::ShortCircuit(until),
    };
    let print = Signature::new(&[]).variadic(Param::Any);
    let call = Function {
        signature: many,
        body: FunctionBody::Call,
    };
    let table = [
        ("and", short_circuit(false)),
        ("or", short_circuit(true)),
        ("call", call),
        (
            "not",
            reflect(one, |slots| {
                Ok(Slot::plain(Value::Bool(!slots[0].value.is_true())))
            }),
        ),
        ("len", reflect(one, index::length)),
        ("index", reflect(many, index::index)),
        ("slice", reflect(many, index::slice)),
        ("eq", reflect(many, compare::eq)),
        ("ne", reflect(two, compare::ne)),
        ("lt", reflect(two, compare::lt)),
        ("le", reflect(two, compare::le)),
        ("gt", reflect(two, compare::gt)),
        ("ge", reflect(two, compare::ge)),
        (
            "print",
            Function::new(print, |context, args| charged(context, sprint(args))),
        ),
        (
            "println",
            Function::new(print, |context, args| charged(context, sprintln(args))),
        ),
        (
            "printf",
            Function::new(
                Signature::new(&[Param::String]).variadic(Param::Any),
                printf,
            ),
        ),
        (
            "html",
            Function::new(print, |context, args| escaped(context, args, append_html)),
        ),
        (
            "js",
            Function::new(print, |context, args| escaped(context, args, append_js)),
        ),
        (
            "urlquery",
            Function::new(print, |context, args| escaped(context, args, query_escape)),
        ),
    ];
    table
        .into_iter()
        .map(|(name, function)| (Str::from(name), function))
        .collect()
}

fn charged(context: &mut Context<'_>, text: Vec<u8>) -> Result<Value, CallError> {
    context.charge(text.len())?;
    Ok(Value::String(text.into()))
}

fn printf(context: &mut Context<'_>, args: &[Value]) -> Result<Value, CallError> {
    let Value::String(format) = &args[0] else {
        return Err(CallError::new("format is not a string"));
    };
    let limit = context.limits().value;
    match sprintf_limited(format.as_bytes(), &args[1..], limit) {
        Some(text) => charged(context, text),
        None => Err(CallError::limit(format!(
            "the result exceeds the limit of {limit} bytes"
        ))),
    }
}

/// Escapes the arguments as if printed: a lone string as it is.
fn escaped(
    context: &mut Context<'_>,
    args: &[Value],
    escape: fn(&mut Vec<u8>, &[u8]),
) -> Result<Value, CallError> {
    let text = match args {
        [Value::String(text)] => text.as_bytes().to_vec(),
        _ => {
            let shown: Vec<Value> = args.iter().map(printable).collect();
            sprint(&shown)
        }
    };
    let mut out = Vec::with_capacity(text.len());
    escape(&mut out, &text);
    charged(context, out)
}

/// nil stands as `<no value>` in what is escaped.
fn printable(value: &Value) -> Value {
    if value.is_nil() {
        Value::from("<no value>")
    } else {
        value.clone()
    }
}

/// `call`: no value of ours is a function, so that it always fails, with Go's reasons.
pub(crate) fn call(name: &str, slot: &Slot) -> CallError {
    if slot.value.is_nil() {
        return CallError::new("call of nil");
    }
    CallError::new(format!(
        "non-function {name} of type {}",
        slot.value.type_name()
    ))
}
