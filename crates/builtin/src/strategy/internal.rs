//! How kube-apiserver's messages show structs: as JSON of its internal types, whose fields have no JSON
//! names and are never left out, and differences between two of them.
//!
//! The types are facts in `data/internal-types.txt`, printed by `xtask/go/internal`.

use std::collections::HashMap;
use std::sync::OnceLock;

use object::goprint;
use serde_json::Value;

use super::diff::unified;
use super::node::peek;

static TYPES: OnceLock<HashMap<&'static str, Vec<Field>>> = OnceLock::new();

/// A field of an internal type.
#[derive(Debug)]
struct Field {
    /// Its name in the printed JSON.
    name: &'static str,
    /// Whether its zero value is left out.
    omit: bool,
    /// Its shape; see the generating program.
    shape: &'static str,
    /// Its place in the versioned object, below the struct.
    source: &'static str,
}

fn types() -> &'static HashMap<&'static str, Vec<Field>> {
    TYPES.get_or_init(|| {
        let mut types = HashMap::new();
        let mut current = "";
        for line in include_str!("../../data/internal-types.txt").lines() {
            if let Some(name) = line.strip_prefix("type ") {
                current = name;
                types.insert(name, Vec::new());
                continue;
            }
            let mut parts = line.split('\t');
            let name = parts.next().unwrap_or_default();
            let field = Field {
                name: name.trim_end_matches('?'),
                omit: name.ends_with('?'),
                shape: parts.next().unwrap_or_default(),
                source: parts.next().unwrap_or_default(),
            };
            if let Some(fields) = types.get_mut(current) {
                fields.push(field);
            }
        }
        types
    })
}

/// A versioned value as Go's `encoding/json` writes its internal form. `shape` is a type's name
/// (`core.SecurityContext`), or a list of it (`[]core.PodIP`).
pub(crate) fn json(shape: &str, value: &Value) -> String {
    let mut printer = Printer {
        out: String::new(),
        indent: None,
    };
    printer.value(shape, value, value, 0);
    printer.out
}

/// The difference between two values of one internal type, as `util/diff.Diff` prints it.
pub(crate) fn difference(shape: &str, old: &Value, new: &Value) -> String {
    unified(&pretty(shape, old), &pretty(shape, new))
}

fn pretty(shape: &str, value: &Value) -> String {
    let mut printer = Printer {
        out: String::new(),
        indent: Some(" "),
    };
    printer.value(shape, value, value, 0);
    printer.out
}

struct Printer {
    out: String,
    indent: Option<&'static str>,
}

impl Printer {
    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            for _ in 0..depth {
                self.out.push_str(indent);
            }
        }
    }

    /// `parent` is the versioned struct that holds the value.
    fn value(&mut self, shape: &str, value: &Value, parent: &Value, depth: usize) {
        if let Some(inner) = shape.strip_prefix('*') {
            if value.is_null() {
                self.out.push_str("null");
            } else {
                self.value(inner, value, parent, depth);
            }
        } else if let Some(inner) = shape.strip_prefix("[]") {
            self.list(inner, value, depth);
        } else if let Some(inner) = shape.strip_prefix("{}") {
            self.map(inner, value, depth);
        } else {
            self.plain(shape, value, parent, depth);
        }
    }

    fn plain(&mut self, shape: &str, value: &Value, parent: &Value, depth: usize) {
        let zero = match shape {
            "s" => "\"\"",
            "i" | "o" => "0",
            "b" => "false",
            "q" => "\"0\"",
            "t" | "y" | "runtime.RawExtension" => "null",
            _ => return self.fields(shape, value, parent, depth),
        };
        if value.is_null() {
            self.out.push_str(zero);
        } else {
            self.out.push_str(&goprint::json(value));
        }
    }

    fn fields(&mut self, name: &str, value: &Value, parent: &Value, depth: usize) {
        let fields = types().get(name).map_or(&[][..], Vec::as_slice);
        self.out.push('{');
        let mut first = true;
        for field in fields {
            // Fields of the pod's internal security context are fields of the versioned pod spec.
            let inner = if field.source.is_empty() {
                peek(parent, &lower_first(field.name))
            } else {
                peek(value, field.source)
            };
            if field.omit && super::edit::is_zero(inner) {
                continue;
            }
            if !first {
                self.out.push(',');
            }
            first = false;
            self.line(depth + 1);
            self.out.push('"');
            self.out.push_str(field.name);
            self.out
                .push_str(if self.indent.is_some() { "\": " } else { "\":" });
            self.value(field.shape, inner, value, depth + 1);
        }
        if !first {
            self.line(depth);
        }
        self.out.push('}');
    }

    fn list(&mut self, shape: &str, value: &Value, depth: usize) {
        let Some(list) = value.as_array() else {
            self.out.push_str("null");
            return;
        };
        self.out.push('[');
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            self.value(shape, item, value, depth + 1);
        }
        if !list.is_empty() {
            self.line(depth);
        }
        self.out.push(']');
    }

    fn map(&mut self, shape: &str, value: &Value, depth: usize) {
        let Some(map) = value.as_object() else {
            self.out.push_str("null");
            return;
        };
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        self.out.push('{');
        for (index, (key, item)) in entries.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            self.out
                .push_str(&goprint::json(&Value::from(key.as_str())));
            self.out
                .push_str(if self.indent.is_some() { ": " } else { ":" });
            self.value(shape, item, value, depth + 1);
        }
        if !entries.is_empty() {
            self.line(depth);
        }
        self.out.push('}');
    }
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_ascii_lowercase().to_string() + chars.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{difference, json};
    use serde_json::json;

    #[test]
    fn structs_show_their_internal_fields() {
        assert_eq!(
            json("apps.DeploymentStrategy", &json!({"type": "BlueGreen"})),
            r#"{"Type":"BlueGreen","RollingUpdate":null}"#
        );
        assert_eq!(
            json("core.ServicePort", &json!({"protocol": "TCP", "port": 80})),
            r#"{"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}"#
        );
        assert_eq!(
            json(
                "v1.LabelSelector",
                &json!({"matchLabels": {"a": "b"}, "matchExpressions": []})
            ),
            r#"{"matchLabels":{"a":"b"}}"#
        );
    }

    #[test]
    fn differences_show_three_lines_around() {
        let old =
            json!({"containers": [{"name": "app"}], "hostNetwork": true, "securityContext": {}});
        let new =
            json!({"containers": [{"name": "other"}], "hostNetwork": true, "securityContext": {}});
        assert_eq!(
            difference("core.PodSpec", &old, &new),
            "@@ -3,7 +3,7 @@\n  \"InitContainers\": null,\n  \"Containers\": [\n   {\n-   \"Name\": \
             \"app\",\n+   \"Name\": \"other\",\n    \"Image\": \"\",\n    \"Command\": null,\n    \
             \"Args\": null,\n"
        );
    }
}
