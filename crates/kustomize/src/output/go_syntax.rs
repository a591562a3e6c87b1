//! Values in Go's own syntax, as some messages have them.

use yaml::{Kind, Node, Plain};

use super::has_repeated_key;

/// What is printed for a resource that cannot be decoded.
pub(super) const NO_MAP: &str = "map[string]interface {}(nil)";

/// Go's `%#v` of the decoded node; `(nil)` where it cannot be decoded.
pub(super) fn go_map(node: &Node) -> String {
    if !decodes(node) {
        return NO_MAP.to_owned();
    }
    go_syntax(node, true)
}

fn decodes(node: &Node) -> bool {
    match node.kind {
        Kind::Scalar | Kind::Alias => node.plain_value().is_ok(),
        Kind::Sequence => node.content.iter().all(decodes),
        Kind::Mapping => !has_repeated_key(node) && node.content.iter().all(decodes),
    }
}

fn go_syntax(node: &Node, root: bool) -> String {
    match node.kind {
        Kind::Scalar | Kind::Alias => match node.plain_value() {
            Ok(Plain::Text(text)) => go_quote(&text),
            Ok(Plain::Bool(flag)) => flag.to_string(),
            Ok(Plain::Int(number)) => number.to_string(),
            Ok(Plain::Uint(number)) => format!("{number:#x}"),
            Ok(Plain::Float(number)) if number.is_nan() => "NaN".to_owned(),
            Ok(Plain::Float(number)) if number.is_infinite() => {
                if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
            }
            Ok(Plain::Float(number)) => yaml::go_float(number),
            Ok(Plain::Null) | Err(_) => "interface {}(nil)".to_owned(),
        },
        Kind::Sequence => {
            let items: Vec<_> = node
                .content
                .iter()
                .map(|item| go_syntax(item, false))
                .collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Kind::Mapping => {
            let texts = node
                .pairs()
                .all(|(key, _)| matches!(key.plain_value(), Ok(Plain::Text(_))));
            let (name, as_texts) = if root || texts {
                ("map[string]interface {}", true)
            } else {
                ("map[interface {}]interface {}", false)
            };
            let mut entries: Vec<(bool, &Node, &Node)> = node
                .pairs()
                .map(|(key, value)| (matches!(key.plain_value(), Ok(Plain::Int(_))), key, value))
                .collect();
            // fmt sorts keys by type, then by value; a number sorts after a string in practice.
            entries.sort_by(|a, b| {
                let number = |node: &Node| node.value.parse::<i64>().unwrap_or(0);
                match (a.0, b.0) {
                    (true, true) => number(a.1).cmp(&number(b.1)),
                    (false, false) => a.1.value.cmp(&b.1.value),
                    (x, y) => x.cmp(&y),
                }
            });
            let entries: Vec<_> = entries
                .into_iter()
                .map(|(_, key, value)| {
                    let key = if as_texts {
                        go_quote(&key.value)
                    } else {
                        go_syntax(key, false)
                    };
                    format!("{key}:{}", go_syntax(value, false))
                })
                .collect();
            format!("{name}{{{}}}", entries.join(", "))
        }
    }
}

/// Go's `%q`.
pub(crate) fn go_quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0B' => out.push_str("\\v"),
            '\x0C' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c == '\u{7F}' => {
                out.push_str(&format!("\\x{:02x}", c as u32))
            }
            c if matches!(
                c,
                '\u{80}'
                    ..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
            ) =>
            {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
