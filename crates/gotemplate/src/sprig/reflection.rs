//! Types and kinds of values. Source: sprig `reflect.go`.

use super::args::text;
use super::equal::deep_equal;
use super::{Row, row};
use crate::function::{Param, Signature};
use crate::value::Value;

const ANY: Signature = Signature::new(&[Param::Any]);
const TEXT_ANY: Signature = Signature::new(&[Param::String, Param::Any]);

pub(super) fn functions() -> Vec<Row> {
    vec![
        row("typeOf", ANY, |_, args| {
            Ok(Value::from(args[0].type_name().into_owned()))
        }),
        row("typeIs", TEXT_ANY, |_, args| {
            Ok(Value::Bool(args[1].type_name().as_bytes() == text(args, 0)))
        }),
        row("typeIsLike", TEXT_ANY, |_, args| {
            let name = args[1].type_name();
            let name = name.as_bytes();
            Ok(Value::Bool(
                name == text(args, 0) || name.strip_prefix(b"*") == Some(text(args, 0)),
            ))
        }),
        row("kindOf", ANY, |_, args| {
            Ok(Value::from(args[0].kind().name()))
        }),
        row("kindIs", TEXT_ANY, |_, args| {
            Ok(Value::Bool(
                args[1].kind().name().as_bytes() == text(args, 0),
            ))
        }),
        row(
            "deepEqual",
            Signature::new(&[Param::Any, Param::Any]),
            |_, args| Ok(Value::Bool(deep_equal(&args[0], &args[1]))),
        ),
    ]
}
