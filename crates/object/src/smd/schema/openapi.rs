//! Types out of an OpenAPI document.
//!
//! Source: kube-openapi `pkg/schemaconv` (`openapi.go`, `smd.go`).

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::builder::Builder;
use super::{
    Atom, Field, List, Map, Relationship, Scalar, Schema, SchemaError, Type, TypeId,
    UNTYPED_ATOMIC, UNTYPED_DEDUCED,
};
use crate::GroupVersionKind;
use crate::smd::MAX_DEPTH;

/// Quantities are numbers or texts, whatever the document says.
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
/// Raw extensions are objects of any type; they are owned as a whole.
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";

/// The schemas of a document by name: `components.schemas` of OpenAPI v3, `definitions` of v2, or an
/// object that is such a map itself.
pub(super) fn definitions(document: &Value) -> &Value {
    document
        .pointer("/components/schemas")
        .or_else(|| document.get("definitions"))
        .unwrap_or(document)
}

/// The kinds that a document defines (`x-kubernetes-group-version-kind`) and the names of their types.
pub fn type_names(document: &Value) -> Vec<(GroupVersionKind, String)> {
    let mut names = Vec::new();
    for (name, schema) in definitions(document).as_object().into_iter().flatten() {
        let kinds = schema.get("x-kubernetes-group-version-kind");
        for kind in kinds.and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| kind.get(key).and_then(Value::as_str);
            let (Some(group), Some(version), Some(kind)) =
                (text("group"), text("version"), text("kind"))
            else {
                continue;
            };
            if !kind.is_empty() {
                names.push((GroupVersionKind::new(group, version, kind), name.clone()));
            }
        }
    }
    names
}

impl Schema {
    /// The type `name` of an OpenAPI document (v2, v3, or its map of schemas) and all that it refers
    /// to. The rest of the document is not read.
    ///
    /// `preserve_unknown_fields` allows fields that no schema declares.
    ///
    /// # Errors
    /// All the problems of the types that are read, such as an unknown list type.
    pub fn from_openapi(
        document: &Value,
        name: &str,
        preserve_unknown_fields: bool,
    ) -> Result<Type, SchemaError> {
        let mut converter = Converter::new(definitions(document));
        let id = converter.builder.reference(name);
        converter.pending.push(name.to_owned());
        converter.convert_pending(preserve_unknown_fields);
        converter.finish(id)
    }
}

/// Converts schemas, and keeps a list of the named ones that are still to be converted.
pub(super) struct Converter<'a> {
    definitions: &'a Value,
    pub(super) builder: Builder,
    pending: Vec<String>,
    seen: HashSet<String>,
    errors: Vec<String>,
}

/// Where the converter is.
#[derive(Clone)]
pub(super) struct Position {
    /// The name of the type, for messages.
    name: Arc<str>,
    /// Whether fields may appear that no schema declares.
    preserve_unknown_fields: bool,
    depth: usize,
}

impl Position {
    pub(super) fn new(name: &str, preserve_unknown_fields: bool) -> Self {
        Self {
            name: name.into(),
            preserve_unknown_fields,
            depth: 0,
        }
    }

    fn inlined(&self) -> Self {
        Self {
            name: format!("inlined in {}", self.name).into(),
            preserve_unknown_fields: self.preserve_unknown_fields,
            depth: self.depth + 1,
        }
    }
}

impl<'a> Converter<'a> {
    pub(super) fn new(definitions: &'a Value) -> Self {
        Self {
            definitions,
            builder: Builder::default(),
            pending: Vec::new(),
            seen: HashSet::new(),
            errors: Vec::new(),
        }
    }

    /// Converts the named types that have been referred to.
    pub(super) fn convert_pending(&mut self, preserve_unknown_fields: bool) {
        while let Some(name) = self.pending.pop() {
            if !self.seen.insert(name.clone()) {
                continue;
            }
            let Some(schema) = self.definitions.get(&name) else {
                continue;
            };
            if reference(schema).is_some() {
                // A name for another name: upstream leaves it undefined.
                continue;
            }
            let untyped = self.builder.reference(UNTYPED_ATOMIC);
            let atom = match &*name {
                QUANTITY => Atom {
                    scalar: Some(Scalar::Untyped),
                    ..Atom::default()
                },
                RAW_EXTENSION => atomic(untyped),
                _ => self.convert(schema, Position::new(&name, preserve_unknown_fields)),
            };
            self.builder.define(&name, atom);
        }
    }

    /// The finished schema and the type `id` in it.
    pub(super) fn finish(mut self, id: TypeId) -> Result<Type, SchemaError> {
        if !self.errors.is_empty() {
            return Err(SchemaError(self.errors));
        }
        self.builder.add_untyped();
        Ok(Type {
            schema: self.builder.finish(),
            id,
        })
    }

    fn report(&mut self, position: &Position, problem: &str) {
        self.errors.push(format!("{}: {problem}", position.name));
    }

    /// What a value of this schema may be.
    pub(super) fn convert(&mut self, schema: &Value, mut position: Position) -> Atom {
        if position.depth > MAX_DEPTH {
            self.report(&position, "schemas are nested too deeply");
            return Atom::default();
        }
        if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
            position.preserve_unknown_fields = true;
        }
        match type_of(schema) {
            "" => Atom {
                scalar: Some(Scalar::Untyped),
                list: Some(self.convert_list(schema, &position)),
                map: Some(self.convert_map(schema, &position)),
            },
            "object" => Atom {
                map: Some(self.convert_map(schema, &position)),
                ..Atom::default()
            },
            "array" => Atom {
                list: Some(self.convert_list(schema, &position)),
                ..Atom::default()
            },
            primitive @ ("integer" | "number" | "boolean" | "string") => Atom {
                scalar: Some(convert_primitive(primitive, schema)),
                ..Atom::default()
            },
            other => {
                self.report(&position, &format!("unrecognized type: '{other}'"));
                Atom {
                    scalar: Some(Scalar::Untyped),
                    ..Atom::default()
                }
            }
        }
    }

    /// The type of a field or item: a reference, or a type of its own.
    pub(super) fn convert_reference(&mut self, schema: &Value, position: &Position) -> TypeId {
        let Some(name) = referred_name(schema) else {
            let atom = self.convert(schema, position.inlined());
            return self.builder.inline(atom);
        };
        if !self.seen.contains(name) {
            self.pending.push(name.to_owned());
        }
        let target = self.builder.reference(name);
        match self.map_relationship(schema, position) {
            Relationship::Unset => target,
            relationship => self.builder.overridden(target, relationship),
        }
    }

    fn convert_map(&mut self, schema: &Value, position: &Position) -> Map {
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut fields = Vec::new();
        for (name, property) in properties.into_iter().flatten() {
            fields.push(Field {
                name: name.as_str().into(),
                type_id: self.convert_reference(property, position),
                default: property
                    .get("default")
                    .filter(|value| !value.is_null())
                    .cloned(),
            });
        }
        let element = match schema.get("additionalProperties") {
            // Without properties it is a free-form object.
            None | Some(Value::Null) => (position.preserve_unknown_fields || fields.is_empty())
                .then(|| self.builder.reference(UNTYPED_DEDUCED)),
            Some(Value::Bool(allowed)) => allowed.then(|| self.builder.reference(UNTYPED_DEDUCED)),
            Some(schema) => Some(self.convert_reference(schema, position)),
        };
        let mut map = Map {
            element,
            relationship: self.map_relationship(schema, position),
            ..Map::default()
        };
        map.set_fields(fields);
        map
    }

    fn convert_list(&mut self, schema: &Value, position: &Position) -> List {
        let (relationship, keys) = self.list_relationship(schema, position);
        let element = match schema.get("items") {
            Some(items) if items.is_object() => self.convert_reference(items, position),
            Some(Value::Array(_)) => {
                self.report(
                    position,
                    "structural schema arrays must have exactly one member subtype",
                );
                self.builder.reference(UNTYPED_DEDUCED)
            }
            _ => {
                if !type_of(schema).is_empty() {
                    self.report(position, "`items` must be specified on arrays");
                }
                self.builder.reference(UNTYPED_ATOMIC)
            }
        };
        List {
            element: Some(element),
            relationship,
            keys,
        }
    }

    fn list_relationship(
        &mut self,
        schema: &Value,
        position: &Position,
    ) -> (Relationship, Vec<Arc<str>>) {
        if let Some(list_type) = schema.get("x-kubernetes-list-type") {
            return match list_type.as_str() {
                Some("atomic") => (Relationship::Atomic, Vec::new()),
                Some("set") => (Relationship::Associative, Vec::new()),
                Some("map") => {
                    let keys = schema.get("x-kubernetes-list-map-keys");
                    if keys.is_none() {
                        self.report(position, "missing map keys");
                    }
                    let keys = keys.and_then(Value::as_array).into_iter().flatten();
                    let keys = keys.filter_map(Value::as_str).map(Into::into).collect();
                    (Relationship::Associative, keys)
                }
                _ => {
                    self.report(position, &format!("unknown list type {list_type}"));
                    (Relationship::Atomic, Vec::new())
                }
            };
        }
        let Some(strategy) = schema.get("x-kubernetes-patch-strategy") else {
            return (Relationship::Atomic, Vec::new());
        };
        match strategy.as_str() {
            Some("merge" | "merge,retainKeys") => {
                let key = schema.get("x-kubernetes-patch-merge-key");
                let keys = key.and_then(Value::as_str).into_iter();
                (Relationship::Associative, keys.map(Into::into).collect())
            }
            Some("retainKeys") => (Relationship::Atomic, Vec::new()),
            _ => {
                self.report(position, &format!("unknown patch strategy {strategy}"));
                (Relationship::Atomic, Vec::new())
            }
        }
    }

    fn map_relationship(&mut self, schema: &Value, position: &Position) -> Relationship {
        let Some(map_type) = schema.get("x-kubernetes-map-type") else {
            return Relationship::Unset;
        };
        match map_type.as_str() {
            Some("atomic") => Relationship::Atomic,
            Some("granular") => Relationship::Separable,
            _ => {
                self.report(position, &format!("unknown map type {map_type}"));
                Relationship::Unset
            }
        }
    }
}

fn atomic(element: TypeId) -> Atom {
    Atom {
        scalar: Some(Scalar::Untyped),
        list: Some(List {
            element: Some(element),
            relationship: Relationship::Atomic,
            keys: Vec::new(),
        }),
        map: Some(Map {
            element: Some(element),
            relationship: Relationship::Atomic,
            ..Map::default()
        }),
    }
}

/// The type of a schema; the first one if it has several; empty if it has none.
fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => names.first().and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    }
}

/// Texts with a format (times, numbers-or-texts) may hold other scalars; bytes are texts.
fn convert_primitive(name: &str, schema: &Value) -> Scalar {
    match name {
        "integer" | "number" => Scalar::Numeric,
        "boolean" => Scalar::Boolean,
        _ => match schema.get("format").and_then(Value::as_str) {
            None | Some("" | "byte") => Scalar::String,
            Some(_) => Scalar::Untyped,
        },
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .filter(|reference| !reference.is_empty())
}

/// The name that a schema refers to, directly or by an `allOf` of one reference.
fn referred_name(schema: &Value) -> Option<&str> {
    let all_of = || match schema.get("allOf")?.as_array()?.as_slice() {
        [single] => reference(single),
        _ => None,
    };
    let reference = reference(schema).or_else(all_of)?;
    let name = reference.rsplit('/').next()?;
    (!name.is_empty()).then_some(name)
}
