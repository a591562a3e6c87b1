//! Comparing and printing values as the Go library does.
//!
//! Source: structured-merge-diff `value`. A number is an integer if it is written without fraction
//! and exponent and fits 64 bits with sign, else a float; the two compare by their numeric value.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use crate::field::quote;

/// A JSON number as Go's decoder of Kubernetes objects reads it.
#[derive(Debug, Clone, Copy)]
enum Numeric {
    Int(i64),
    Float(f64),
}

impl Numeric {
    fn of(number: &Number) -> Self {
        match number.as_i64() {
            Some(int) => Self::Int(int),
            None => Self::Float(number.as_f64().unwrap_or_default()),
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }
}

fn compare_numbers(left: &Number, right: &Number) -> Ordering {
    match (Numeric::of(left), Numeric::of(right)) {
        (Numeric::Int(left), Numeric::Int(right)) => left.cmp(&right),
        // JSON has no NaN, so that there always is an order.
        (left, right) => left
            .as_f64()
            .partial_cmp(&right.as_f64())
            .unwrap_or(Ordering::Equal),
    }
}

/// Whether two values are the same; `1` and `1.0` are.
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right).is_eq(),
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => false,
    }
}

/// The place of a value's kind in the total order: numbers, texts, booleans, lists, maps, null.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}

/// The total order of values.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => {
            for (left, right) in left.iter().zip(right) {
                let order = compare(left, right);
                if order.is_ne() {
                    return order;
                }
            }
            left.len().cmp(&right.len())
        }
        (Value::Object(left), Value::Object(right)) => compare_maps(left, right),
        _ => rank(left).cmp(&rank(right)),
    }
}

/// The order of maps: by their keys taken together, where the map that lacks a key is the greater
/// one, unless it has run out of keys.
fn compare_maps(left: &Map<String, Value>, right: &Map<String, Value>) -> Ordering {
    let mut keys: Vec<&String> = left.keys().chain(right.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for (index, key) in keys.into_iter().enumerate() {
        if index == left.len() {
            return Ordering::Less;
        }
        if index == right.len() {
            return Ordering::Greater;
        }
        let order = match (left.get(key), right.get(key)) {
            (None, _) => Ordering::Greater,
            (_, None) => Ordering::Less,
            (Some(left), Some(right)) => compare(left, right),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// A value as it stands in a path: `8080`, `"TCP"`, `true`, `[1,2]`.
pub fn display(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => go_number(number),
        Value::String(text) => quote(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(display).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(map) => {
            let mut text = String::new();
            for (key, value) in map {
                let _ = write!(text, "{key}={}", display(value));
            }
            text
        }
    }
}

/// A number as Go's `%v` prints it.
fn go_number(number: &Number) -> String {
    match Numeric::of(number) {
        Numeric::Int(int) => int.to_string(),
        Numeric::Float(float) => go_float(float),
    }
}

/// A float as Go's `%v` prints it: the shortest digits, with an exponent of at least two digits where
/// that is below -4 or above 5.
fn go_float(float: f64) -> String {
    let scientific = format!("{float:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{float}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// A value as Go's `%v` prints it: texts bare, `map[a:1 b:2]`, `[1 2]`, `<nil>`.
pub(crate) fn go_plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => go_number(number),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_plain).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let mut items: Vec<(&String, &Value)> = map.iter().collect();
            items.sort_unstable_by_key(|(key, _)| *key);
            let items: Vec<String> = items
                .into_iter()
                .map(|(key, value)| format!("{key}:{}", go_plain(value)))
                .collect();
            format!("map[{}]", items.join(" "))
        }
    }
}

/// A value as Go's `%#v` prints it: `"text"`, `map[string]interface {}{"a":1}`.
pub(crate) fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => go_number(number),
        Value::String(text) => quote(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(map) => {
            let mut items: Vec<(&String, &Value)> = map.iter().collect();
            items.sort_unstable_by_key(|(key, _)| *key);
            let items: Vec<String> = items
                .into_iter()
                .map(|(key, value)| format!("{}:{}", quote(key), go_syntax(value)))
                .collect();
            format!("map[string]interface {{}}{{{}}}", items.join(", "))
        }
    }
}

/// The name of the Go type that holds a value (`%T`).
pub(crate) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) => match Numeric::of(number) {
            Numeric::Int(_) => "int64",
            Numeric::Float(_) => "float64",
        },
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Appends a value as Go's JSON encoders write it: keys sorted, `<`, `>` and `&` escaped.
pub(crate) fn write_go_json(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => match Numeric::of(number) {
            Numeric::Int(int) => {
                let _ = write!(out, "{int}");
            }
            Numeric::Float(float) => out.push_str(&json_float(float)),
        },
        Value::String(text) => write_json_text(out, text, true),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_go_json(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut items: Vec<(&String, &Value)> = map.iter().collect();
            items.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, item)) in items.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json_text(out, key, true);
                out.push(':');
                write_go_json(out, item);
            }
            out.push('}');
        }
    }
}

/// A float as Go's JSON encoders write it: an exponent below 1e-6 and from 1e21 on.
fn json_float(float: f64) -> String {
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        // Go writes the sign of a positive exponent: 1e+21.
        return match text.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                format!("{mantissa}e+{exponent}")
            }
            _ => text,
        };
    }
    format!("{float}")
}

/// Appends a JSON text literal; `html` also escapes `<`, `>`, `&` and the line separators.
pub(crate) fn write_json_text(out: &mut String, text: &str, html: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_and_floats_compare_by_value() {
        assert!(equal(&json!(1), &json!(1.0)));
        assert!(!equal(&json!(1), &json!(1.5)));
        assert_eq!(compare(&json!(1), &json!(1.5)), Ordering::Less);
        assert!(equal(&json!({"a": [1]}), &json!({"a": [1.0]})));
    }

    #[test]
    fn kinds_have_an_order() {
        let sorted = [
            json!(3),
            json!("a"),
            json!(false),
            json!(true),
            json!([]),
            json!([1]),
            json!({}),
            json!(null),
        ];
        for (index, left) in sorted.iter().enumerate() {
            for (other, right) in sorted.iter().enumerate() {
                assert_eq!(compare(left, right), index.cmp(&other), "{left} {right}");
            }
        }
    }

    #[test]
    fn maps_compare_by_their_joint_keys() {
        let order = |left: Value, right: Value| compare(&left, &right);
        assert_eq!(order(json!({"a": 1}), json!({"a": 2})), Ordering::Less);
        assert_eq!(
            order(json!({"a": 1}), json!({"a": 1, "b": 1})),
            Ordering::Less
        );
        assert_eq!(order(json!({"b": 1}), json!({"a": 1})), Ordering::Greater);
    }

    #[test]
    fn values_print_as_go_prints_them() {
        let value = json!({"b": [1, "x", null], "a": 1.5});
        assert_eq!(go_plain(&value), "map[a:1.5 b:[1 x <nil>]]");
        assert_eq!(
            go_syntax(&value),
            "map[string]interface {}{\"a\":1.5, \"b\":[]interface {}{1, \"x\", interface {}(nil)}}"
        );
        assert_eq!(display(&json!(["a", 1.0, true])), "[\"a\",1,true]");
        assert_eq!(display(&json!(100_000.5)), "100000.5");
        assert_eq!(display(&json!(1e6)), "1e+06");
        assert_eq!(display(&json!(0.00001)), "1e-05");
    }

    #[test]
    fn json_is_written_as_go_writes_it() {
        let mut text = String::new();
        write_go_json(
            &mut text,
            &json!({"b": "<a>&\u{2028}", "a": [1.0, 1e21, 1e-7, 0.5]}),
        );
        assert_eq!(
            text,
            "{\"a\":[1,1e+21,1e-7,0.5],\"b\":\"\\u003ca\\u003e\\u0026\\u2028\"}"
        );
    }
}
