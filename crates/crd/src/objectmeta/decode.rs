//! `metadata` as Go decodes it into `ObjectMeta` and writes it back.
//!
//! Source: apimachinery `meta/v1.ObjectMeta`, `sigs.k8s.io/json`, the unstructured converter.

use serde_json::{Map, Value};

/// Decoded metadata.
pub(super) struct Decoded {
    /// Its fields without the empty and the unknown ones.
    pub(super) metadata: Map<String, Value>,
    /// The paths of the unknown ones, from metadata on.
    pub(super) unknown: Vec<String>,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    OptionalInteger,
    OptionalFlag,
    Time,
    TextMap,
    TextList,
    OwnerReferences,
    ManagedFields,
    Raw,
}

type Fields = [(&'static str, Kind)];

const METADATA: &Fields = &[
    ("name", Kind::Text),
    ("generateName", Kind::Text),
    ("namespace", Kind::Text),
    ("selfLink", Kind::Text),
    ("uid", Kind::Text),
    ("resourceVersion", Kind::Text),
    ("generation", Kind::Integer),
    ("creationTimestamp", Kind::Time),
    ("deletionTimestamp", Kind::Time),
    ("deletionGracePeriodSeconds", Kind::OptionalInteger),
    ("labels", Kind::TextMap),
    ("annotations", Kind::TextMap),
    ("ownerReferences", Kind::OwnerReferences),
    ("finalizers", Kind::TextList),
    ("managedFields", Kind::ManagedFields),
];

/// Fields of an owner reference; the first four are always written.
const OWNER: &Fields = &[
    ("apiVersion", Kind::Text),
    ("kind", Kind::Text),
    ("name", Kind::Text),
    ("uid", Kind::Text),
    ("controller", Kind::OptionalFlag),
    ("blockOwnerDeletion", Kind::OptionalFlag),
];

const MANAGED: &Fields = &[
    ("manager", Kind::Text),
    ("operation", Kind::Text),
    ("apiVersion", Kind::Text),
    ("time", Kind::Time),
    ("fieldsType", Kind::Text),
    ("fieldsV1", Kind::Raw),
    ("subresource", Kind::Text),
];

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn mismatch(value: &Value, field: &str, go_type: &str) -> String {
    format!(
        "json: cannot unmarshal {} into Go struct field {field} of type {go_type}",
        json_type(value)
    )
}

/// Decodes `metadata`; the error is the text of Go's.
pub(super) fn decode(value: &Value) -> Result<Decoded, String> {
    match value {
        Value::Object(map) => {
            let mut unknown = Vec::new();
            let metadata = fields(map, METADATA, "ObjectMeta", "", "", &mut unknown)?;
            Ok(Decoded { metadata, unknown })
        }
        Value::Null => Ok(Decoded {
            metadata: Map::new(),
            unknown: Vec::new(),
        }),
        other => Err(format!(
            "json: cannot unmarshal {} into Go value of type v1.ObjectMeta",
            json_type(other)
        )),
    }
}

/// Decodes what can be decoded, field by field.
pub(super) fn decode_leniently(map: &Map<String, Value>) -> Decoded {
    let mut metadata = Map::new();
    let mut unknown = Vec::new();
    for (name, value) in map {
        let single = Map::from_iter([(name.clone(), value.clone())]);
        if let Ok(mut decoded) = fields(&single, METADATA, "ObjectMeta", "", "", &mut unknown) {
            metadata.append(&mut decoded);
        }
    }
    Decoded { metadata, unknown }
}

fn fields(
    map: &Map<String, Value>,
    known: &Fields,
    go_struct: &str,
    go_path: &str,
    path: &str,
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let mut decoded = Map::new();
    for (name, value) in map {
        let place = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let Some((_, kind)) = known.iter().find(|(field, _)| field == name) else {
            unknown.push(place);
            continue;
        };
        let go_field = format!("{go_struct}.{go_path}{name}");
        if let Some(value) = field(value, *kind, &go_field, &place, unknown)? {
            decoded.insert(name.clone(), value);
        }
    }
    Ok(decoded)
}

fn field(
    value: &Value,
    kind: Kind,
    go_field: &str,
    path: &str,
    unknown: &mut Vec<String>,
) -> Result<Option<Value>, String> {
    if value.is_null() {
        return Ok(None);
    }
    match kind {
        Kind::Text => match value {
            Value::String(text) => Ok((!text.is_empty()).then(|| value.clone())),
            _ => Err(mismatch(value, go_field, text_type(go_field))),
        },
        Kind::Integer | Kind::OptionalInteger => match value.as_i64() {
            Some(number) => {
                let is_kept = number != 0 || matches!(kind, Kind::OptionalInteger);
                Ok(is_kept.then(|| number.into()))
            }
            None => Err(match value {
                Value::Number(number) => format!(
                    "json: cannot unmarshal number {number} into Go struct field {go_field} of type int64"
                ),
                _ => mismatch(value, go_field, "int64"),
            }),
        },
        Kind::OptionalFlag => match value {
            Value::Bool(_) => Ok(Some(value.clone())),
            _ => Err(mismatch(value, go_field, "bool")),
        },
        Kind::Time => time(value).map(Some),
        Kind::Raw => Ok(Some(value.clone())),
        Kind::TextMap => match value {
            Value::Object(map) => {
                let mut texts = Map::new();
                for (key, value) in map {
                    match value {
                        Value::String(_) => texts.insert(key.clone(), value.clone()),
                        Value::Null => texts.insert(key.clone(), "".into()),
                        _ => return Err(mismatch(value, go_field, "string")),
                    };
                }
                Ok((!texts.is_empty()).then_some(Value::Object(texts)))
            }
            _ => Err(mismatch(value, go_field, "map[string]string")),
        },
        Kind::TextList => match value {
            Value::Array(items) => {
                let mut texts = Vec::new();
                for item in items {
                    match item {
                        Value::String(_) => texts.push(item.clone()),
                        Value::Null => texts.push("".into()),
                        _ => return Err(mismatch(item, go_field, "string")),
                    }
                }
                Ok((!texts.is_empty()).then_some(Value::Array(texts)))
            }
            _ => Err(mismatch(value, go_field, "[]string")),
        },
        Kind::OwnerReferences => list(value, OWNER, "OwnerReference", go_field, path, unknown),
        Kind::ManagedFields => list(
            value,
            MANAGED,
            "ManagedFieldsEntry",
            go_field,
            path,
            unknown,
        ),
    }
}

fn text_type(go_field: &str) -> &'static str {
    if go_field.ends_with(".uid") {
        "types.UID"
    } else if go_field.ends_with("managedFields.operation") {
        "v1.ManagedFieldsOperationType"
    } else {
        "string"
    }
}

fn list(
    value: &Value,
    known: &Fields,
    go_type: &str,
    go_field: &str,
    path: &str,
    unknown: &mut Vec<String>,
) -> Result<Option<Value>, String> {
    let Value::Array(items) = value else {
        return Err(mismatch(value, go_field, &format!("[]v1.{go_type}")));
    };
    let mut decoded = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let empty = Map::new();
        let map = match item {
            Value::Object(map) => map,
            Value::Null => &empty,
            _ => return Err(mismatch(item, go_field, &format!("v1.{go_type}"))),
        };
        let list_name = go_field.rsplit('.').next().unwrap_or_default();
        let go_path = format!("{list_name}.");
        let place = format!("{path}[{index}]");
        let mut entry = fields(map, known, "ObjectMeta", &go_path, &place, unknown)?;
        if go_type == "OwnerReference" {
            for (name, _) in &known[..4] {
                entry.entry(*name).or_insert_with(|| "".into());
            }
        }
        decoded.push(Value::Object(entry));
    }
    Ok((!decoded.is_empty()).then_some(Value::Array(decoded)))
}

fn time(value: &Value) -> Result<Value, String> {
    let Value::String(text) = value else {
        return Err(format!(
            "json: cannot unmarshal {} into Go value of type string",
            json_type(value)
        ));
    };
    match crate::cel::time::Timestamp::parse_rfc3339(text) {
        Some(time) => Ok(time.at_second().to_string().into()),
        None => Err(format!(
            "parsing time {quoted} as \"2006-01-02T15:04:05Z07:00\": cannot parse {quoted} as \"2006\"",
            quoted = object::field::quote(text)
        )),
    }
}
