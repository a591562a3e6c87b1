//! `'…'.format([…])`. Source: cel-go `ext/formatting.go` (version 2 of the string library).

use std::fmt::Write as _;

use super::super::types::Type;
use super::super::value::{Val, to_text};

/// The most digits after the point.
const MAX_PRECISION: usize = 1000;

/// What a format string asks of one of its arguments.
enum Clause {
    Text,
    Decimal,
    Fixed(usize),
    Scientific(usize),
    Binary,
    Hex(bool),
    Octal,
}

/// A format string does not fit its arguments.
pub(crate) struct FormatIssue {
    /// The argument at fault; `None` for the format itself.
    pub(crate) argument: Option<usize>,
    pub(crate) message: String,
}

fn clause(text: &str) -> Result<(Clause, usize), String> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut precision = None;
    if bytes.first() == Some(&b'.') {
        let digits = bytes[1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        at = 1 + digits;
        if at >= bytes.len() {
            return Err(
                "error while parsing precision: could not find end of precision specifier"
                    .to_owned(),
            );
        }
        precision = Some(text[1..at].parse::<usize>().map_err(|_| {
            format!(
                "error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing {}: invalid syntax",
                object::field::quote(&text[1..at])
            )
        })?);
    }
    let precision = precision.unwrap_or(6).min(MAX_PRECISION);
    let Some(letter) = text[at..].chars().next() else {
        return Err("unexpected end of string".to_owned());
    };
    let found = match letter {
        's' => Clause::Text,
        'd' => Clause::Decimal,
        'f' => Clause::Fixed(precision),
        'e' => Clause::Scientific(precision),
        'b' => Clause::Binary,
        'x' => Clause::Hex(false),
        'X' => Clause::Hex(true),
        'o' => Clause::Octal,
        other => return Err(format!("unrecognized formatting clause \"{other}\"")),
    };
    Ok((found, at + letter.len_utf8()))
}

/// Goes over a format string: `literal` sees plain text, `argument` each clause with its index.
fn walk(
    text: &str,
    count: usize,
    literal: &mut dyn FnMut(&str),
    argument: &mut dyn FnMut(Clause, usize) -> Result<(), String>,
) -> Result<usize, FormatIssue> {
    let plain = |message: String| FormatIssue {
        argument: None,
        message,
    };
    let mut rest = text;
    let mut index = 0;
    while let Some(at) = rest.find('%') {
        literal(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            literal("%");
            rest = after;
            continue;
        }
        if index >= count {
            return Err(plain(format!("index {index} out of range")));
        }
        if rest.is_empty() {
            return Err(plain("unexpected end of string".to_owned()));
        }
        let (found, length) = clause(rest)
            .map_err(|reason| plain(format!("could not parse formatting clause: {reason}")))?;
        argument(found, index).map_err(|reason| FormatIssue {
            argument: Some(index),
            message: format!("error during formatting: {reason}"),
        })?;
        rest = &rest[length..];
        index += 1;
    }
    literal(rest);
    Ok(index)
}

/// Prints `args` as `text` says.
pub(super) fn format(text: &str, args: &[Val<'_>]) -> Result<String, String> {
    let out = std::cell::RefCell::new(String::new());
    walk(
        text,
        args.len(),
        &mut |plain| out.borrow_mut().push_str(plain),
        &mut |clause, index| {
            let printed = print(&clause, &args[index])?;
            out.borrow_mut().push_str(&printed);
            Ok(())
        },
    )
    .map_err(|issue| issue.message)?;
    Ok(out.into_inner())
}

/// Checks a constant format string against the types of its arguments; gives how many it takes.
pub(crate) fn check_format(text: &str, args: &[Type]) -> Result<usize, FormatIssue> {
    walk(text, args.len(), &mut |_| {}, &mut |clause, index| {
        let of = &args[index];
        if of.is_dyn() || is_allowed(&clause, of) {
            Ok(())
        } else {
            Err(refusal(&clause, of.name()))
        }
    })
}

fn is_allowed(clause: &Clause, of: &Type) -> bool {
    match clause {
        Clause::Text => match of {
            Type::List(items) => items.is_dyn() || is_allowed(clause, items),
            Type::Map(entry) => {
                let is_key = matches!(
                    entry.0,
                    Type::Text | Type::Bool | Type::Int | Type::Uint | Type::Dyn
                );
                is_key && (entry.1.is_dyn() || is_allowed(clause, &entry.1))
            }
            Type::Object(_) | Type::Opaque(..) => false,
            _ => true,
        },
        Clause::Decimal | Clause::Octal => matches!(of, Type::Int | Type::Uint),
        Clause::Fixed(_) | Clause::Scientific(_) => matches!(of, Type::Double | Type::Text),
        Clause::Binary => matches!(of, Type::Int | Type::Uint | Type::Bool),
        Clause::Hex(_) => matches!(of, Type::Int | Type::Uint | Type::Text | Type::Bytes),
    }
}

fn refusal(clause: &Clause, name: &str) -> String {
    match clause {
        Clause::Text => format!(
            "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given {name}"
        ),
        Clause::Decimal => format!("decimal clause can only be used on integers, was given {name}"),
        Clause::Fixed(_) => {
            format!("fixed-point clause can only be used on doubles, was given {name}")
        }
        Clause::Scientific(_) => {
            format!("scientific clause can only be used on doubles, was given {name}")
        }
        Clause::Binary => {
            format!("only integers and bools can be formatted as binary, was given {name}")
        }
        Clause::Hex(_) => format!(
            "only integers, byte buffers, and strings can be formatted as hex, was given {name}"
        ),
        Clause::Octal => format!("octal clause can only be used on integers, was given {name}"),
    }
}

fn print(clause: &Clause, value: &Val<'_>) -> Result<String, String> {
    let refuse = || refusal(clause, &value.type_name());
    match (clause, value) {
        (Clause::Text, value) => text(value, false).ok_or_else(refuse),
        (Clause::Decimal, Val::Int(_) | Val::Uint(_)) => Ok(to_text(value)),
        (Clause::Fixed(precision), value) => match float(value) {
            Some(number) if number.is_finite() => Ok(grouped(&format!("{number:.precision$}"))),
            Some(number) => Ok(special(number)),
            None => Err(refuse()),
        },
        (Clause::Scientific(precision), value) => match float(value) {
            Some(number) if number.is_finite() => Ok(scientific(number, *precision)),
            Some(number) => Ok(special(number)),
            None => Err(refuse()),
        },
        (Clause::Binary, Val::Bool(flag)) => Ok(u8::from(*flag).to_string()),
        (Clause::Binary, Val::Int(number)) => Ok(signed(*number, |number| format!("{number:b}"))),
        (Clause::Binary, Val::Uint(number)) => Ok(format!("{number:b}")),
        (Clause::Octal, Val::Int(number)) => Ok(signed(*number, |number| format!("{number:o}"))),
        (Clause::Octal, Val::Uint(number)) => Ok(format!("{number:o}")),
        (Clause::Hex(upper), value) => {
            let hex = |bytes: &[u8]| {
                bytes.iter().fold(String::new(), |mut out, byte| {
                    // Writing to a text cannot fail.
                    let _ = write!(out, "{byte:02x}");
                    out
                })
            };
            let printed = match value {
                Val::Int(number) => signed(*number, |number| format!("{number:x}")),
                Val::Uint(number) => format!("{number:x}"),
                Val::Text(text) => hex(text.as_bytes()),
                Val::Bytes(bytes) => hex(bytes),
                _ => return Err(refuse()),
            };
            Ok(if *upper {
                printed.to_uppercase()
            } else {
                printed
            })
        }
        _ => Err(refuse()),
    }
}

fn signed(number: i64, print: impl Fn(u64) -> String) -> String {
    let digits = print(number.unsigned_abs());
    if number < 0 {
        format!("-{digits}")
    } else {
        digits
    }
}

fn float(value: &Val<'_>) -> Option<f64> {
    match value {
        Val::Double(number) => Some(*number),
        Val::Text(text) => match &**text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn special(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number > 0.0 {
        "∞".to_owned()
    } else {
        "-∞".to_owned()
    }
}

/// Thousands in groups, as in English.
fn grouped(number: &str) -> String {
    let (whole, fraction) = number
        .split_once('.')
        .map_or((number, None), |(whole, fraction)| (whole, Some(fraction)));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// `3.140000×10⁰⁰`
fn scientific(number: f64, precision: usize) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let printed = format!("{number:.precision$e}");
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((&printed, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let mut out = format!("{mantissa}×10");
    if exponent < 0 {
        out.push('⁻');
    }
    for digit in format!("{:02}", exponent.abs()).chars() {
        out.push(
            digit
                .to_digit(10)
                .map_or(digit, |digit| RAISED[digit as usize]),
        );
    }
    out
}

/// A value for `%s`; with `nested` inside of a list or map.
fn text(value: &Val<'_>, nested: bool) -> Option<String> {
    let quote = object::field::quote;
    Some(match value {
        Val::Text(text) if nested => quote(text),
        Val::Bytes(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            if nested {
                format!("b{}", quote(&text))
            } else {
                text.into_owned()
            }
        }
        Val::Double(number) if nested && !number.is_finite() => quote(&special(*number)),
        Val::Double(number) if nested => format!("{number:.6}"),
        Val::Timestamp(_) if nested => format!("timestamp({})", quote(&to_text(value))),
        Val::Duration(_) if nested => format!("duration({})", quote(&to_text(value))),
        Val::List(list) => {
            let items: Option<Vec<String>> =
                list.items.iter().map(|item| text(item, true)).collect();
            format!("[{}]", items?.join(", "))
        }
        Val::Map(_) | Val::Object(..) => {
            let mut pairs = Vec::new();
            for key in value.items()? {
                let found = value.find(&key).ok()??;
                pairs.push(format!("{}:{}", text(&key, true)?, text(&found, true)?));
            }
            pairs.sort();
            format!("{{{}}}", pairs.join(", "))
        }
        Val::Text(_)
        | Val::Null
        | Val::Bool(_)
        | Val::Int(_)
        | Val::Uint(_)
        | Val::Double(_)
        | Val::Timestamp(_)
        | Val::Duration(_)
        | Val::Type(_) => to_text(value),
        _ => return None,
    })
}
