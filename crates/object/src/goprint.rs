//! Decoded JSON as Go prints it: `encoding/json` and the verbs `%v` and `%s` of `fmt`.
//!
//! Several error texts of Kubernetes contain values printed so, and clients compare them.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// Whether Go's decoders (`sigs.k8s.io/json`) make an `int64` of this number; else it is a `float64`.
pub fn is_int64(number: &Number) -> bool {
    number.is_i64()
}

/// The name of the Go type that a JSON value decodes to, as `%s` of a `reflect.Type` prints it.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if is_int64(number) => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Two values have the same Go type, as `reflect.TypeOf` sees it.
pub fn same_type(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => is_int64(left) == is_int64(right),
        _ => std::mem::discriminant(left) == std::mem::discriminant(right),
    }
}

/// How values are printed.
#[derive(Clone, Copy)]
struct Verb {
    /// `%s`, else `%v`.
    as_text: bool,
    /// Whole numbers are floats too.
    only_floats: bool,
}

const PLAIN: Verb = Verb {
    as_text: false,
    only_floats: false,
};

/// `fmt.Sprintf("%v", value)` of a value that `encoding/json` has decoded, where all numbers are floats.
pub(crate) fn verb_v_of_floats(value: &Value) -> String {
    let mut out = String::new();
    let verb = Verb {
        only_floats: true,
        ..PLAIN
    };
    write_verb(&mut out, value, verb);
    out
}

/// `fmt.Sprintf("%v", value)`.
pub fn verb_v(value: &Value) -> String {
    let mut out = String::new();
    write_verb(&mut out, value, PLAIN);
    out
}

/// `fmt.Sprintf("%s", value)`: what is not a text is marked as such, `%!s(int64=5)`.
pub fn verb_s(value: &Value) -> String {
    let mut out = String::new();
    write_verb(
        &mut out,
        value,
        Verb {
            as_text: true,
            ..PLAIN
        },
    );
    out
}

/// `fmt.Sprintf("%v", map)`.
pub fn map_v(map: &Map<String, Value>) -> String {
    let mut out = String::new();
    write_map(&mut out, map, PLAIN);
    out
}

/// `fmt.Sprintf("%v", list)`.
pub fn list_v(list: &[Value]) -> String {
    let mut out = String::new();
    write_list(&mut out, list, PLAIN);
    out
}

fn write_verb(out: &mut String, value: &Value, verb: Verb) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(list) => write_list(out, list, verb),
        Value::Object(map) => write_map(out, map, verb),
        scalar => {
            let plain = match scalar {
                Value::Bool(true) => "true".to_owned(),
                Value::Bool(false) => "false".to_owned(),
                Value::Number(number) if verb.only_floats => {
                    float_v(number.as_f64().unwrap_or_default())
                }
                Value::Number(number) => number_v(number),
                _ => "<nil>".to_owned(),
            };
            if !verb.as_text {
                out.push_str(&plain);
            } else if scalar.is_null() {
                out.push_str("%!s(<nil>)");
            } else {
                let _ = write!(out, "%!s({}={plain})", type_name(scalar));
            }
        }
    }
}

fn write_list(out: &mut String, list: &[Value], verb: Verb) {
    out.push('[');
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        write_verb(out, item, verb);
    }
    out.push(']');
}

fn write_map(out: &mut String, map: &Map<String, Value>, verb: Verb) {
    out.push_str("map[");
    for (index, (key, value)) in sorted(map).into_iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(key);
        out.push(':');
        write_verb(out, value, verb);
    }
    out.push(']');
}

/// The entries of a map by key; Go sorts them, and `serde_json` does only without `preserve_order`.
pub(crate) fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    if !entries.is_sorted_by_key(|(key, _)| *key) {
        entries.sort_unstable_by_key(|(key, _)| *key);
    }
    entries
}

/// A number as `%v` prints it.
pub fn number_v(number: &Number) -> String {
    match number.as_i64() {
        Some(int) => int.to_string(),
        None => float_v(number.as_f64().unwrap_or_default()),
    }
}

/// A float as `%v` prints it: the shortest digits, with an exponent below 1e-4 and from 1e6.
/// (Go's `strconv.FormatFloat` with `'g'` and the shortest precision.)
pub fn float_v(float: f64) -> String {
    if float.is_nan() {
        return "NaN".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let decimal = Decimal::of(float);
    if (-4..6).contains(&decimal.exponent) {
        decimal.positional()
    } else {
        decimal.scientific(2)
    }
}

/// A float as `encoding/json` writes it: with an exponent below 1e-6 and from 1e21.
pub fn float_json(float: f64) -> String {
    let decimal = Decimal::of(float);
    let magnitude = float.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        decimal.positional()
    } else {
        decimal.scientific(1)
    }
}

/// The shortest digits that give a float back; of two such the nearer, and of two as near the even,
/// as in Go. (The standard library decides the last case otherwise.)
struct Decimal {
    is_negative: bool,
    digits: String,
    /// The power of ten of the first digit.
    exponent: i32,
}

impl Decimal {
    /// Of a finite float.
    fn of(float: f64) -> Self {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(float.abs());
        let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading_zeros = all.len() - significant.len();
        let digits = significant.trim_end_matches('0').to_owned();
        let power: i32 = power.parse().unwrap_or_default();
        Self {
            is_negative: float.is_sign_negative(),
            exponent: if digits.is_empty() {
                0
            } else {
                power + whole.len() as i32 - 1 - leading_zeros as i32
            },
            digits: if digits.is_empty() {
                "0".to_owned()
            } else {
                digits
            },
        }
    }

    fn sign(&self) -> &'static str {
        if self.is_negative { "-" } else { "" }
    }

    /// `1234.5`.
    fn positional(&self) -> String {
        let sign = self.sign();
        if self.exponent < 0 {
            let zeros = "0".repeat((-self.exponent - 1) as usize);
            return format!("{sign}0.{zeros}{}", self.digits);
        }
        let whole = self.exponent as usize + 1;
        if self.digits.len() <= whole {
            let zeros = "0".repeat(whole - self.digits.len());
            return format!("{sign}{}{zeros}", self.digits);
        }
        let (whole, fraction) = self.digits.split_at(whole);
        format!("{sign}{whole}.{fraction}")
    }

    /// `1.2345e+03`, with so many digits in the exponent at least.
    fn scientific(&self, width: usize) -> String {
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let exponent_sign = if self.exponent < 0 { '-' } else { '+' };
        let exponent = self.exponent.abs();
        format!(
            "{}{first}{point}{rest}e{exponent_sign}{exponent:0width$}",
            self.sign()
        )
    }
}

/// A value as `encoding/json.Marshal` writes it: keys sorted, and `<`, `>`, `&`, U+2028 and U+2029
/// escaped in texts.
pub fn json(value: &Value) -> String {
    let mut out = String::new();
    write_json(&mut out, value, None);
    out
}

/// A value as `encoding/json.MarshalIndent` writes it without prefix, with `indent` for each level.
pub fn json_indented(value: &Value, indent: &str) -> String {
    let mut out = String::new();
    write_json(&mut out, value, Some((indent, 0)));
    out
}

fn new_line(out: &mut String, layout: Option<(&str, usize)>) {
    if let Some((indent, depth)) = layout {
        out.push('\n');
        for _ in 0..depth {
            out.push_str(indent);
        }
    }
}

fn write_json(out: &mut String, value: &Value, layout: Option<(&str, usize)>) {
    let inner = layout.map(|(indent, depth)| (indent, depth + 1));
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => match number.as_i64() {
            Some(int) => {
                let _ = write!(out, "{int}");
            }
            None => out.push_str(&float_json(number.as_f64().unwrap_or_default())),
        },
        Value::String(text) => write_json_text(out, text),
        Value::Array(list) if list.is_empty() => out.push_str("[]"),
        Value::Array(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                new_line(out, inner);
                write_json(out, item, inner);
            }
            new_line(out, layout);
            out.push(']');
        }
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in sorted(map).into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                new_line(out, inner);
                write_json_text(out, key);
                out.push_str(if layout.is_some() { ": " } else { ":" });
                write_json(out, item, inner);
            }
            new_line(out, layout);
            out.push('}');
        }
    }
}

fn write_json_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The number of bytes of [`json`], without writing it.
pub fn json_len(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Array(list) => 1 + list.len().max(1) + list.iter().map(json_len).sum::<usize>(),
        Value::Object(map) => {
            let entries = map.iter();
            1 + map.len().max(1)
                + entries
                    .map(|(key, value)| json_text_len(key) + 1 + json_len(value))
                    .sum::<usize>()
        }
        Value::String(text) => json_text_len(text),
        number @ Value::Number(_) => json(number).len(),
    }
}

fn json_text_len(text: &str) -> usize {
    let bytes = text.chars().map(|c| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => 6,
        c => c.len_utf8(),
    });
    2 + bytes.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_print_as_fmt_prints_them() {
        let value = json!({"b": [1, 1.5, null, "x"], "a": {"c": true}});
        assert_eq!(verb_v(&value), "map[a:map[c:true] b:[1 1.5 <nil> x]]");
        assert_eq!(
            verb_s(&value),
            "map[a:map[c:%!s(bool=true)] b:[%!s(int64=1) %!s(float64=1.5) %!s(<nil>) x]]"
        );
    }

    #[test]
    fn floats_print_as_go_prints_them() {
        for (float, v, json) in [
            (1e20, "1e+20", "100000000000000000000"),
            (123_456_789.0, "1.23456789e+08", "123456789"),
            (123_456.0, "123456", "123456"),
            (1e21, "1e+21", "1e+21"),
            (0.00001, "1e-05", "0.00001"),
            (1e-7, "1e-07", "1e-7"),
            (1.5, "1.5", "1.5"),
            (-0.0, "-0", "-0"),
            (
                1.797_693_134_862_315_7e308,
                "1.7976931348623157e+308",
                "1.7976931348623157e+308",
            ),
        ] {
            assert_eq!(float_v(float), v);
            assert_eq!(float_json(float), json);
        }
    }

    #[test]
    fn json_is_written_as_go_writes_it() {
        let value = json!({"b": "<a&b>\u{2028}\u{1}", "a": [1, {}], "c": []});
        let text = json(&value);
        assert_eq!(
            text,
            r#"{"a":[1,{}],"b":"\u003ca\u0026b\u003e\u2028\u0001","c":[]}"#
        );
        assert_eq!(json_len(&value), text.len());
        assert_eq!(
            json_indented(&json!({"a": [1]}), "    "),
            "{\n    \"a\": [\n        1\n    ]\n}"
        );
    }
}
