//! Structural OpenAPI schemas, made from Rust types.
//!
//! [`Shape`] gives the schema of a type; `#[shape]` (crate `api-derive`) implements it for structs and
//! enums. The result is the `openAPIV3Schema` that an API server takes in a CustomResourceDefinition.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

/// A type with a schema.
pub trait Shape {
    /// Whether a property of this type is left out of its object: for kinds without a status.
    const ABSENT: bool = false;

    /// The schema of this type. Without a description where the type has none of its own.
    fn schema() -> Schema;
}

/// A schema under construction: the keywords of one `JSONSchemaProps`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema(Map<String, Value>);

impl Schema {
    /// A schema of the given JSON type (`string`, `array`, …).
    pub fn of_type(name: &str) -> Self {
        let mut schema = Self::default();
        schema.set("type", json!(name));
        schema
    }

    /// An object without properties yet.
    pub fn object() -> Self {
        Self::of_type("object")
    }

    /// Sets one keyword.
    pub fn set(&mut self, keyword: &str, value: Value) {
        self.0.insert(keyword.to_owned(), value);
    }

    /// The keywords.
    pub fn keywords(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Drops one keyword.
    pub fn remove(&mut self, keyword: &str) {
        self.0.remove(keyword);
    }

    /// Sets the description, unless `text` is empty.
    pub fn describe(&mut self, text: &str) {
        if !text.is_empty() {
            self.set("description", json!(text));
        }
    }

    /// Adds a CEL rule with the message it fails with.
    pub fn rule(&mut self, rule: &str, message: &str) {
        self.push(
            "x-kubernetes-validations",
            json!({"rule": rule, "message": message}),
        );
    }

    /// Changes the schema of the items of a list.
    pub fn items(&mut self, change: impl FnOnce(&mut Schema)) {
        let items = self.0.remove("items").unwrap_or_else(|| json!({}));
        let mut items = Self::from(items);
        change(&mut items);
        self.0.insert("items".to_owned(), items.into());
    }

    /// Adds a property to an object; the names of required ones stay sorted.
    pub fn property(&mut self, name: &str, is_required: bool, schema: Schema) {
        let properties = self.0.entry("properties").or_insert_with(|| json!({}));
        if let Value::Object(properties) = properties {
            properties.insert(name.to_owned(), schema.into());
        }
        if is_required {
            self.push("required", json!(name));
            if let Some(Value::Array(names)) = self.0.get_mut("required") {
                names.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
        }
    }

    /// The schema at `path` below this one: property names separated by dots, `[]` for the items of a list.
    pub fn at_mut(&mut self, path: &str) -> Option<&mut Map<String, Value>> {
        let mut here = &mut self.0;
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let name = step.trim_end_matches("[]");
            here = here.get_mut("properties")?.get_mut(name)?.as_object_mut()?;
            for _ in 0..(step.len() - name.len()) / 2 {
                here = here.get_mut("items")?.as_object_mut()?;
            }
        }
        Some(here)
    }

    fn push(&mut self, keyword: &str, value: Value) {
        let list = self.0.entry(keyword).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }
}

impl From<Schema> for Value {
    fn from(schema: Schema) -> Self {
        Value::Object(schema.0)
    }
}

impl From<Value> for Schema {
    /// Anything but an object is the empty schema.
    fn from(value: Value) -> Self {
        match value {
            Value::Object(keywords) => Self(keywords),
            _ => Self::default(),
        }
    }
}

impl Shape for String {
    fn schema() -> Schema {
        Schema::of_type("string")
    }
}

impl Shape for bool {
    fn schema() -> Schema {
        Schema::of_type("boolean")
    }
}

impl Shape for i64 {
    fn schema() -> Schema {
        let mut schema = Schema::of_type("integer");
        schema.set("format", json!("int64"));
        schema
    }
}

/// Any JSON, kept as it is.
impl Shape for Value {
    fn schema() -> Schema {
        let mut schema = Schema::default();
        schema.set("x-kubernetes-preserve-unknown-fields", json!(true));
        schema
    }
}

impl<T: Shape> Shape for Option<T> {
    const ABSENT: bool = T::ABSENT;

    fn schema() -> Schema {
        T::schema()
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema() -> Schema {
        let mut schema = Schema::of_type("array");
        schema.set("items", T::schema().into());
        schema
    }
}

impl<T: Shape> Shape for BTreeMap<String, T> {
    fn schema() -> Schema {
        let mut schema = Schema::object();
        schema.set("additionalProperties", T::schema().into());
        schema
    }
}

/// Reads `null` as the zero value, as Go's `encoding/json` does.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
