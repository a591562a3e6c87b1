//! A patched object as the JSON text that Go's patch libraries make of it, for messages: what a patch
//! touched is in alphabetical order, the rest in the order of Go's structs.

use builtin::facts::{FieldType, TypeId, facts};
use object::{GroupVersionKind, Map, Value};

/// The text of `object`, a built-in kind, of which a patch touched the maps that are maps in `touched`.
pub(super) fn go_text(object: &Value, kind: &GroupVersionKind, touched: &Value) -> String {
    let mut out = String::new();
    // The root is always touched.
    let empty = Value::Object(Map::new());
    let touched = if touched.is_object() { touched } else { &empty };
    let field_type = facts().type_of(kind).map(FieldType::Struct);
    write(&mut out, object, field_type.as_ref(), Some(touched));
    out
}

/// The maps on the way to what a JSON patch changes.
pub(super) fn touched_by(patch: &Value) -> Value {
    let mut touched = Value::Object(Map::new());
    for operation in patch.as_array().into_iter().flatten() {
        let path = operation["path"].as_str().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let mut place = &mut touched;
        for part in parts.iter().take(parts.len().saturating_sub(1)) {
            if !place.get(*part).is_some_and(Value::is_object) {
                place[*part] = Value::Object(Map::new());
            }
            place = &mut place[*part];
        }
    }
    touched
}

fn write(out: &mut String, value: &Value, field_type: Option<&FieldType>, touched: Option<&Value>) {
    match (value, field_type) {
        (Value::Object(map), _) if touched.is_some_and(Value::is_object) => {
            let struct_id = struct_of(field_type);
            let keys: Vec<&str> = map.keys().map(String::as_str).collect();
            write_map(out, map, &keys, |key| {
                (
                    field_of(struct_id, key),
                    touched.and_then(|below| below.get(key)),
                )
            });
        }
        (Value::Object(map), Some(FieldType::Struct(id))) => {
            let described = facts().type_at(*id);
            let mut keys: Vec<&str> = described
                .fields()
                .iter()
                .map(|field| field.name.as_str())
                .filter(|name| map.contains_key(*name))
                .collect();
            // Kind and version come first in Go's structs, and are inlined there.
            let rest: Vec<&str> = map
                .keys()
                .map(String::as_str)
                .filter(|key| !keys.contains(key))
                .collect();
            keys.extend(rest);
            write_map(out, map, &keys, |key| (field_of(Some(*id), key), None));
        }
        (Value::Object(map), _) => {
            let keys: Vec<&str> = map.keys().map(String::as_str).collect();
            write_map(out, map, &keys, |_| (None, None));
        }
        (Value::Array(items), _) => {
            let element = match field_type {
                Some(FieldType::List(element)) => Some(&**element),
                _ => None,
            };
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, item, element, None);
            }
            out.push(']');
        }
        _ => out.push_str(&value.to_string()),
    }
}

fn write_map<'a>(
    out: &mut String,
    map: &'a Map<String, Value>,
    keys: &[&'a str],
    below: impl Fn(&str) -> (Option<&'static FieldType>, Option<&'a Value>),
) {
    out.push('{');
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(*key).to_string());
        out.push(':');
        let (field_type, touched) = below(key);
        write(out, &map[*key], field_type, touched);
    }
    out.push('}');
}

fn struct_of(field_type: Option<&FieldType>) -> Option<TypeId> {
    match field_type {
        Some(FieldType::Struct(id)) => Some(*id),
        _ => None,
    }
}

fn field_of(id: Option<TypeId>, key: &str) -> Option<&'static FieldType> {
    let field = facts().type_at(id?).field(key)?;
    Some(&field.field_type)
}
