//! Go's `fmt`: `Sprint`, `Sprintln` and `Sprintf` over [`Value`]s.

mod flags;
mod print;
mod printf;

pub use printf::{sprintf, sprintf_limited};

use crate::value::Value;
use print::Printer;

/// Appends what `fmt.Fprint` prints for one value.
pub fn append_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Int(_, number) => {
            out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes())
        }
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        _ => {
            let mut printer = Printer::new(out);
            printer.print_arg(value, 'v');
        }
    }
}

/// Go's `fmt.Sprint`: a space between operands when neither is a string.
pub fn sprint(args: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut previous_string = false;
    for (index, arg) in args.iter().enumerate() {
        let string = matches!(arg, Value::String(_));
        if index > 0 && !string && !previous_string {
            out.push(b' ');
        }
        append_value(&mut out, arg);
        previous_string = string;
    }
    out
}

/// Go's `fmt.Sprintln`: spaces between operands and a line end.
pub fn sprintln(args: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        append_value(&mut out, arg);
    }
    out.push(b'\n');
    out
}
