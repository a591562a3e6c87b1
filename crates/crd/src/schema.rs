//! The structural schema of one version, read from its `openAPIV3Schema`.
//!
//! One [`Schema`] stands for a node of the structural part and also for a node below `allOf`, `anyOf`,
//! `oneOf` and `not`, where it may only restrict values.
//! Source: apiextensions-apiserver `pkg/apiserver/schema`.

mod structural;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use structural::validate_structural;

/// The deepest nesting of a schema that is read; deeper ones are refused.
pub const MAX_DEPTH: usize = 200;

/// Why a JSON schema is no structural schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A keyword that structural schemas have not.
    #[error("OpenAPIV3Schema '{0}' is not supported")]
    Unsupported(&'static str),
    /// `items` as a list of schemas.
    #[error("OpenAPIV3Schema 'items' must be a schema, but is an array")]
    ItemsArray,
    /// `x-kubernetes-preserve-unknown-fields: false`.
    #[error("internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined")]
    PreserveFalse,
    /// A keyword with a value of the wrong type.
    #[error("schema is malformed: {0}")]
    Malformed(&'static str),
    /// More than [`MAX_DEPTH`] levels.
    #[error("schema is nested too deeply")]
    TooDeep,
}

/// `additionalProperties`.
#[derive(Debug, Clone, PartialEq)]
pub enum Additional {
    /// `true` or `false`.
    Allowed(bool),
    /// The schema of all values whose keys are not in `properties`.
    Schema(Arc<Schema>),
}

/// One entry of `x-kubernetes-validations`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// The CEL expression.
    pub rule: String,
    /// The message of a failure; empty for the default one.
    pub message: String,
    /// A CEL expression that gives the message; empty if there is none.
    pub message_expression: String,
    /// The reason of the field error, such as `FieldValueForbidden`.
    pub reason: Option<String>,
    /// A path below the node, to which the error is reported.
    pub field_path: String,
    /// Whether `oldSelf` is an optional value, so that the rule runs on creation too.
    pub optional_old_self: Option<bool>,
}

/// A node of a schema.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    /// `type`; empty if absent.
    pub kind: String,
    /// `description`.
    pub description: String,
    /// `title`.
    pub title: String,
    /// `default`.
    pub default: Option<Value>,
    /// `nullable`.
    pub nullable: bool,
    /// `items`.
    pub items: Option<Arc<Schema>>,
    /// `properties`, by name.
    pub properties: BTreeMap<String, Arc<Schema>>,
    /// `additionalProperties`.
    pub additional: Option<Additional>,
    /// `x-kubernetes-preserve-unknown-fields`.
    pub preserve_unknown: bool,
    /// `x-kubernetes-embedded-resource`.
    pub embedded: bool,
    /// `x-kubernetes-int-or-string`.
    pub int_or_string: bool,
    /// `x-kubernetes-list-map-keys`.
    pub list_map_keys: Vec<String>,
    /// `x-kubernetes-list-type`.
    pub list_type: Option<String>,
    /// `x-kubernetes-map-type`.
    pub map_type: Option<String>,
    /// `x-kubernetes-validations`.
    pub rules: Vec<Rule>,
    /// The keywords that only restrict values.
    pub value: Restrictions,
}

/// The keywords of a schema that do not give it structure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restrictions {
    /// `format`; empty if absent.
    pub format: String,
    /// `maximum`.
    pub maximum: Option<f64>,
    /// `exclusiveMaximum`.
    pub exclusive_maximum: bool,
    /// `minimum`.
    pub minimum: Option<f64>,
    /// `exclusiveMinimum`.
    pub exclusive_minimum: bool,
    /// `maxLength`, in code points.
    pub max_length: Option<i64>,
    /// `minLength`, in code points.
    pub min_length: Option<i64>,
    /// `pattern`; empty if absent.
    pub pattern: String,
    /// `maxItems`.
    pub max_items: Option<i64>,
    /// `minItems`.
    pub min_items: Option<i64>,
    /// `uniqueItems`.
    pub unique_items: bool,
    /// `multipleOf`.
    pub multiple_of: Option<f64>,
    /// `enum`; `None` if absent.
    pub allowed: Option<Vec<Value>>,
    /// `maxProperties`.
    pub max_properties: Option<i64>,
    /// `minProperties`.
    pub min_properties: Option<i64>,
    /// `required`.
    pub required: Vec<String>,
    /// `allOf`.
    pub all_of: Vec<Schema>,
    /// `oneOf`.
    pub one_of: Vec<Schema>,
    /// `anyOf`.
    pub any_of: Vec<Schema>,
    /// `not`.
    pub not: Option<Box<Schema>>,
}

impl Schema {
    /// Reads an `openAPIV3Schema`. `null` gives the empty schema.
    pub fn read(json: &Value) -> Result<Self, SchemaError> {
        read(json, false, 0)
    }

    /// The schema of the field `name` of an object: of the property, else of `additionalProperties`.
    pub fn field(&self, name: &str) -> Option<&Arc<Schema>> {
        self.properties
            .get(name)
            .or_else(|| self.additional_schema())
    }

    /// The schema in `additionalProperties`, if there is one.
    pub fn additional_schema(&self) -> Option<&Arc<Schema>> {
        match &self.additional {
            Some(Additional::Schema(schema)) => Some(schema),
            _ => None,
        }
    }

    /// Whether the root must be treated as a resource: this schema with `embedded` set.
    pub(crate) fn as_resource(&self) -> Schema {
        Schema {
            embedded: true,
            ..self.clone()
        }
    }
}

fn text(map: &Map<String, Value>, key: &'static str) -> Result<String, SchemaError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(SchemaError::Malformed(key)),
    }
}

fn optional_text(
    map: &Map<String, Value>,
    key: &'static str,
) -> Result<Option<String>, SchemaError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(SchemaError::Malformed(key)),
    }
}

fn flag(map: &Map<String, Value>, key: &'static str) -> Result<bool, SchemaError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(SchemaError::Malformed(key)),
    }
}

fn float(map: &Map<String, Value>, key: &'static str) -> Result<Option<f64>, SchemaError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(SchemaError::Malformed(key)),
    }
}

fn integer(map: &Map<String, Value>, key: &'static str) -> Result<Option<i64>, SchemaError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or(SchemaError::Malformed(key)),
    }
}

fn texts(map: &Map<String, Value>, key: &'static str) -> Result<Vec<String>, SchemaError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| {
                item.as_str()
                    .map(str::to_owned)
                    .ok_or(SchemaError::Malformed(key))
            })
            .collect(),
        Some(_) => Err(SchemaError::Malformed(key)),
    }
}

fn is_set(map: &Map<String, Value>, key: &str) -> bool {
    match map.get(key) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(entries)) => !entries.is_empty(),
        Some(_) => true,
    }
}

fn check_unsupported(map: &Map<String, Value>) -> Result<(), SchemaError> {
    for (key, name) in [
        ("id", "id"),
        ("$schema", "schema"),
        ("$ref", "$ref"),
        ("patternProperties", "patternProperties"),
        ("dependencies", "dependencies"),
    ] {
        if is_set(map, key) {
            return Err(SchemaError::Unsupported(name));
        }
    }
    if map
        .get("additionalItems")
        .is_some_and(|value| !value.is_null())
    {
        return Err(SchemaError::Unsupported("additionalItems"));
    }
    if is_set(map, "definitions") {
        return Err(SchemaError::Unsupported("definitions"));
    }
    Ok(())
}

fn read(json: &Value, nested: bool, depth: usize) -> Result<Schema, SchemaError> {
    if depth > MAX_DEPTH {
        return Err(SchemaError::TooDeep);
    }
    let empty = Map::new();
    let map = match json {
        Value::Object(map) => map,
        Value::Null => &empty,
        _ => return Err(SchemaError::Malformed("openAPIV3Schema")),
    };
    check_unsupported(map)?;
    let value = restrictions(map, depth)?;
    if map.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
        return Err(SchemaError::PreserveFalse);
    }
    let items = match map.get("items") {
        None | Some(Value::Null) => None,
        Some(Value::Array(_)) => return Err(SchemaError::ItemsArray),
        Some(items) => Some(Arc::new(read(items, nested, depth + 1)?)),
    };
    let mut properties = BTreeMap::new();
    if let Some(Value::Object(fields)) = map.get("properties") {
        for (name, field) in fields {
            properties.insert(name.clone(), Arc::new(read(field, nested, depth + 1)?));
        }
    }
    let additional = match map.get("additionalProperties") {
        None | Some(Value::Null) => None,
        // Below a junctor only what restricts is kept.
        Some(Value::Bool(true)) if nested => Some(Additional::Schema(Arc::default())),
        Some(Value::Bool(allowed)) => Some(Additional::Allowed(*allowed)),
        Some(schema) => Some(Additional::Schema(Arc::new(read(
            schema,
            nested,
            depth + 1,
        )?))),
    };
    Ok(Schema {
        kind: text(map, "type")?,
        description: text(map, "description")?,
        title: text(map, "title")?,
        default: map.get("default").filter(|value| !value.is_null()).cloned(),
        nullable: flag(map, "nullable")?,
        items,
        properties,
        additional,
        preserve_unknown: flag(map, "x-kubernetes-preserve-unknown-fields")?,
        embedded: flag(map, "x-kubernetes-embedded-resource")?,
        int_or_string: flag(map, "x-kubernetes-int-or-string")?,
        list_map_keys: texts(map, "x-kubernetes-list-map-keys")?,
        list_type: optional_text(map, "x-kubernetes-list-type")?,
        map_type: optional_text(map, "x-kubernetes-map-type")?,
        rules: rules(map)?,
        value,
    })
}

fn restrictions(map: &Map<String, Value>, depth: usize) -> Result<Restrictions, SchemaError> {
    let not = match map.get("not") {
        None | Some(Value::Null) => None,
        Some(schema) => Some(Box::new(read(schema, true, depth + 1)?)),
    };
    let branches = |key: &'static str| -> Result<Vec<Schema>, SchemaError> {
        match map.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| read(item, true, depth + 1))
                .collect(),
            Some(_) => Err(SchemaError::Malformed(key)),
        }
    };
    Ok(Restrictions {
        format: text(map, "format")?,
        maximum: float(map, "maximum")?,
        exclusive_maximum: flag(map, "exclusiveMaximum")?,
        minimum: float(map, "minimum")?,
        exclusive_minimum: flag(map, "exclusiveMinimum")?,
        max_length: integer(map, "maxLength")?,
        min_length: integer(map, "minLength")?,
        pattern: text(map, "pattern")?,
        max_items: integer(map, "maxItems")?,
        min_items: integer(map, "minItems")?,
        unique_items: flag(map, "uniqueItems")?,
        multiple_of: float(map, "multipleOf")?,
        allowed: map
            .get("enum")
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty())
            .cloned(),
        max_properties: integer(map, "maxProperties")?,
        min_properties: integer(map, "minProperties")?,
        required: texts(map, "required")?,
        all_of: branches("allOf")?,
        one_of: branches("oneOf")?,
        any_of: branches("anyOf")?,
        not,
    })
}

fn rules(map: &Map<String, Value>) -> Result<Vec<Rule>, SchemaError> {
    const KEY: &str = "x-kubernetes-validations";
    let items = match map.get(KEY) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(SchemaError::Malformed(KEY)),
    };
    items
        .iter()
        .map(|item| {
            let map = item.as_object().ok_or(SchemaError::Malformed(KEY))?;
            Ok(Rule {
                rule: text(map, "rule")?,
                message: text(map, "message")?,
                message_expression: text(map, "messageExpression")?,
                reason: optional_text(map, "reason")?,
                field_path: text(map, "fieldPath")?,
                optional_old_self: map.get("optionalOldSelf").and_then(Value::as_bool),
            })
        })
        .collect()
}

/// Rules as the schema has them.
pub(crate) fn rules_json(rules: &[Rule]) -> Vec<Value> {
    rules
        .iter()
        .map(|rule| {
            let mut out = Map::new();
            out.insert("rule".to_owned(), rule.rule.as_str().into());
            for (key, text) in [
                ("message", &rule.message),
                ("messageExpression", &rule.message_expression),
                ("fieldPath", &rule.field_path),
            ] {
                if !text.is_empty() {
                    out.insert(key.to_owned(), text.as_str().into());
                }
            }
            if let Some(reason) = &rule.reason {
                out.insert("reason".to_owned(), reason.as_str().into());
            }
            if let Some(optional) = rule.optional_old_self {
                out.insert("optionalOldSelf".to_owned(), optional.into());
            }
            Value::Object(out)
        })
        .collect()
}
