//! The typed visitor: one pass over a document, led by the facts.

use std::cell::RefCell;
use std::fmt;

use object::field::quote;
use object::{Map, Value};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{custom, zero};
use crate::facts::{Field, FieldType, Type, facts};

/// How many strict errors are kept; source: sigs.k8s.io/json.
const MAX_STRICT_ERRORS: usize = 100;

/// What a run collects beside the value.
#[derive(Default)]
pub(super) struct State {
    /// Strict errors so far.
    pub(super) strict: Vec<String>,
    /// The error that ended the run.
    pub(super) error: Option<String>,
}

/// Where in the document the visitor is; a list on the stack, printed only for errors.
pub(super) enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// With indices: `spec.containers[0].name`.
    fn strict(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(Self::Root, key) => (*key).to_owned(),
            Self::Key(parent, key) => format!("{}.{key}", parent.strict()),
            Self::Index(parent, index) => format!("{}[{index}]", parent.strict()),
        }
    }

    /// Without indices, as Go's field stack has it: `spec.containers.name`.
    fn fields(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(Self::Root, key) => (*key).to_owned(),
            Self::Key(parent, key) => format!("{}.{key}", parent.fields()),
            Self::Index(parent, _) => parent.fields(),
        }
    }
}

/// A value to be read.
pub(super) struct Seed<'a> {
    pub(super) field_type: &'a FieldType,
    /// Go's name of the type where it is not plain.
    pub(super) go_type: Option<&'a str>,
    /// The struct whose field this is, and Go's path of the field.
    pub(super) owner: Option<(&'a Type, &'a Path<'a>)>,
    pub(super) path: &'a Path<'a>,
    pub(super) state: &'a RefCell<State>,
}

impl Seed<'_> {
    /// Records a message and gives the error that ends the run.
    fn fail<E: serde::de::Error>(&self, message: String) -> E {
        self.state.borrow_mut().error.get_or_insert(message);
        E::custom("decoding ended")
    }

    /// `json: cannot unmarshal <what> into Go …`.
    fn mismatch<E: serde::de::Error>(&self, what: &str) -> E {
        let go_type = self
            .go_type
            .map_or_else(|| plain_name(self.field_type), str::to_owned);
        let place = match self.owner {
            Some((owner, path)) => {
                format!("struct field {}.{} of type", owner.go_name, path.fields())
            }
            None => "value of type".to_owned(),
        };
        self.fail(format!(
            "json: cannot unmarshal {what} into Go {place} {go_type}"
        ))
    }

    fn strict_error(&self, kind: &str, path: &Path<'_>) {
        let message = format!("{kind} {}", quote(&path.strict()));
        let mut state = self.state.borrow_mut();
        if state.strict.len() < MAX_STRICT_ERRORS && !state.strict.contains(&message) {
            state.strict.push(message);
        }
    }

    fn custom_type(&self) -> Option<&'static Type> {
        match self.field_type {
            FieldType::Struct(id) => {
                Some(facts().type_at(*id)).filter(|described| described.custom)
            }
            _ => None,
        }
    }
}

/// How Go prints a type that has no name of its own.
fn plain_name(field_type: &FieldType) -> String {
    match field_type {
        FieldType::String => "string".to_owned(),
        FieldType::Bool => "bool".to_owned(),
        FieldType::Int(name) => (*name).to_owned(),
        FieldType::Float => "float64".to_owned(),
        FieldType::Bytes => "[]uint8".to_owned(),
        FieldType::Any => "interface {}".to_owned(),
        FieldType::Struct(id) => super::go_type_name(facts().type_at(*id)),
        FieldType::List(element) => format!("[]{}", plain_name(element)),
        FieldType::Map(element) => format!("map[string]{}", plain_name(element)),
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if let Some(described) = self.custom_type() {
            let value: Value = custom::read(described, deserializer)?;
            if value.is_null() && matches!(described.go_name.as_str(), "Quantity" | "IntOrString") {
                return Ok(zero::zero(self.field_type));
            }
            return custom::convert(described, value, &mut |type_id, value| {
                let nested = FieldType::Struct(type_id);
                let seed = Seed {
                    field_type: &nested,
                    go_type: None,
                    owner: None,
                    path: self.path,
                    state: self.state,
                };
                seed.deserialize(value)
                    .map_err(|error: serde_json::Error| error.to_string())
            })
            .map_err(|message| self.fail(message));
        }
        if *self.field_type == FieldType::Any {
            return serde::Deserialize::deserialize(deserializer);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the declared type")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(zero::zero(self.field_type))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        match self.field_type {
            FieldType::Bool => Ok(Value::Bool(value)),
            _ => Err(self.mismatch("bool")),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        match self.field_type {
            FieldType::Int(size) if fits(size, value) => Ok(Value::from(value)),
            FieldType::Int(_) => Err(self.mismatch(&format!("number {value}"))),
            FieldType::Float => Ok(Value::from(value)),
            _ => Err(self.mismatch("number")),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => match self.field_type {
                FieldType::Int(_) => Err(self.mismatch(&format!("number {value}"))),
                FieldType::Float => Ok(Value::from(value)),
                _ => Err(self.mismatch("number")),
            },
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        match self.field_type {
            FieldType::Int(_) => Err(self.mismatch(&format!("number {}", Value::from(value)))),
            FieldType::Float => Ok(Value::from(value)),
            _ => Err(self.mismatch("number")),
        }
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        match self.field_type {
            FieldType::String => Ok(Value::from(value)),
            FieldType::Bytes => custom::canonical_base64(value)
                .map(Value::from)
                .map_err(|message| self.fail(message)),
            _ => Err(self.mismatch("string")),
        }
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        match self.field_type {
            FieldType::String => Ok(Value::String(value)),
            _ => self.visit_str(&value),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let FieldType::List(element) = self.field_type else {
            return Err(self.mismatch("array"));
        };
        let go_type = self.go_type.and_then(|name| name.strip_prefix("[]"));
        let mut out = Vec::new();
        loop {
            let path = Path::Index(self.path, out.len());
            let seed = Seed {
                field_type: element,
                go_type,
                owner: self.owner,
                path: &path,
                state: self.state,
            };
            match items.next_element_seed(seed)? {
                Some(item) => out.push(item),
                None => return Ok(Value::Array(out)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        match self.field_type {
            FieldType::Map(element) => self.read_map(element, entries),
            FieldType::Struct(id) => self.read_struct(facts().type_at(*id), entries),
            _ => Err(self.mismatch("object")),
        }
    }
}

impl Seed<'_> {
    fn read_map<'de, A: MapAccess<'de>>(
        self,
        element: &FieldType,
        mut entries: A,
    ) -> Result<Value, A::Error> {
        let go_type = self
            .go_type
            .and_then(|name| name.strip_prefix("map[string]"));
        let mut out = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let path = Path::Key(self.path, &key);
            if out.contains_key(&key) {
                self.strict_error("duplicate field", &path);
            }
            let seed = Seed {
                field_type: element,
                go_type,
                owner: self.owner,
                path: &path,
                state: self.state,
            };
            let mut value = entries.next_value_seed(seed)?;
            if value.is_null() && *element == FieldType::Bytes {
                // What is stored tells no bytes from none.
                value = Value::from("");
            }
            out.insert(key, value);
        }
        Ok(Value::Object(out))
    }

    fn read_struct<'de, A: MapAccess<'de>>(
        self,
        described: &Type,
        mut entries: A,
    ) -> Result<Value, A::Error> {
        let mut out = Map::new();
        let mut seen: Vec<&str> = Vec::new();
        while let Some(key) = entries.next_key::<std::borrow::Cow<'_, str>>()? {
            let path = Path::Key(self.path, &key);
            let Some(field) = described.field(&key) else {
                self.strict_error("unknown field", &path);
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            if seen.contains(&field.name.as_str()) {
                self.strict_error("duplicate field", &path);
            }
            seen.push(&field.name);
            let seed = FieldSeed {
                field,
                seed: Seed {
                    field_type: &field.field_type,
                    go_type: field.go_type.as_deref(),
                    owner: Some((described, &path)),
                    path: &path,
                    state: self.state,
                },
            };
            match entries.next_value_seed(seed)? {
                Some(value) => {
                    out.insert(field.name.clone(), value);
                }
                // A later `null` resets what an earlier duplicate set.
                None => {
                    out.remove(&field.name);
                }
            }
        }
        zero::complete(described, &mut out);
        Ok(Value::Object(out))
    }
}

/// A field's value, or none where the field is then left out.
struct FieldSeed<'a> {
    field: &'a Field,
    seed: Seed<'a>,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        let field = self.field;
        let value = deserializer.deserialize_option(NullOr(self.seed))?;
        Ok(value.filter(|value| zero::is_shown(field, value)))
    }
}

/// Tells `null` from the rest.
struct NullOr<'a>(Seed<'a>);

impl<'de> Visitor<'de> for NullOr<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_unit<E>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

/// Whether an integer fits Go's type.
fn fits(size: &str, value: i64) -> bool {
    match size {
        "int32" => i32::try_from(value).is_ok(),
        "uint8" => u8::try_from(value).is_ok(),
        "uint16" => u16::try_from(value).is_ok(),
        "uint32" => u32::try_from(value).is_ok(),
        "uint" => value >= 0,
        _ => true,
    }
}
