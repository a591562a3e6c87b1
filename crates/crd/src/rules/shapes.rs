//! The shapes of the values of a schema.
//!
//! Source: apiserver `pkg/cel/common/schemas.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::cel::shape::{Fields, ListKind, MAX_REQUEST, Shape, ShapeKind};
use crate::schema::Schema;

/// The longest text that fits a request.
const MAX_TEXT: i64 = MAX_REQUEST - 2;

/// The shape of the values of `schema`; with `is_resource` they have a type and a name too.
pub fn shape_of(schema: &Schema, is_resource: bool) -> Arc<Shape> {
    let mut shape = build(schema, is_resource || schema.embedded);
    shape.nullable = schema.nullable;
    Arc::new(shape)
}

fn undeclared(kind: ShapeKind) -> Shape {
    let mut shape = Shape::new(kind, 0, 0);
    shape.declared = false;
    shape
}

fn build(schema: &Schema, is_resource: bool) -> Shape {
    let max_length = schema.value.max_length.map(|length| length.max(0));
    if schema.int_or_string {
        let max = max_length.map_or(MAX_TEXT, |length| length.saturating_mul(4));
        return Shape::new(ShapeKind::IntOrString, 1, max);
    }
    match schema.kind.as_str() {
        "array" => list(schema),
        "object" => object(schema, is_resource),
        "string" => text(schema, max_length),
        "boolean" => Shape::new(ShapeKind::Bool, 4, 0),
        "number" => Shape::new(ShapeKind::Double, 1, 0),
        "integer" => Shape::new(ShapeKind::Int, 1, 0),
        _ if schema.preserve_unknown => undeclared(ShapeKind::Preserved),
        _ => undeclared(ShapeKind::Untyped),
    }
}

fn list(schema: &Schema) -> Shape {
    let list = match schema.list_type.as_deref() {
        None | Some("" | "atomic") => ListKind::Atomic,
        Some("set") => ListKind::Set,
        Some("map") => ListKind::Map(schema.list_map_keys.clone()),
        Some(other) => ListKind::Unknown(other.to_owned()),
    };
    let Some(items) = &schema.items else {
        return undeclared(ShapeKind::List { items: None, list });
    };
    let items = shape_of(items, false);
    let max = match schema.value.max_items {
        Some(max) => max.max(0),
        None => MAX_TEXT / (items.min_size + 1),
    };
    let declared = items.declared;
    let mut shape = Shape::new(
        ShapeKind::List {
            items: Some(items),
            list,
        },
        2,
        max,
    );
    shape.declared = declared;
    shape
}

fn object(schema: &Schema, is_resource: bool) -> Shape {
    if let Some(values) = schema
        .additional_schema()
        .filter(|_| schema.properties.is_empty() && !is_resource)
    {
        let values = shape_of(values, false);
        let max = match schema.value.max_properties {
            Some(max) => max.max(0),
            None => MAX_TEXT / (values.min_size + 6),
        };
        let declared = values.declared;
        let mut shape = Shape::new(ShapeKind::Map(values), 2, max);
        shape.declared = declared;
        return shape;
    }
    let mut by_name: BTreeMap<String, Arc<Shape>> = schema
        .properties
        .iter()
        .map(|(name, field)| (name.clone(), shape_of(field, false)))
        .collect();
    if is_resource {
        add_type_and_name(schema, &mut by_name);
    }
    let mut min_size = 2;
    for (name, field) in &by_name {
        let has_default = schema
            .properties
            .get(name)
            .is_some_and(|field| field.default.is_some());
        if field.declared && !has_default && schema.value.required.contains(name) {
            min_size += name.len() as i64 + field.min_size + 4;
        }
    }
    let has_properties = !schema.properties.is_empty() || is_resource;
    Shape::new(
        ShapeKind::Object(Fields::new(by_name, has_properties)),
        min_size,
        0,
    )
}

/// A resource has a type and a name, whatever its schema says.
fn add_type_and_name(schema: &Schema, by_name: &mut BTreeMap<String, Arc<Shape>>) {
    let is_text = |schema: &Schema, name: &str| {
        schema
            .properties
            .get(name)
            .is_some_and(|field| field.kind == "string")
    };
    let has_names = schema.properties.get("metadata").is_some_and(|metadata| {
        metadata.kind == "object" && is_text(metadata, "name") && is_text(metadata, "generateName")
    });
    if is_text(schema, "kind") && is_text(schema, "apiVersion") && has_names {
        return;
    }
    let text = Arc::new(Shape::new(ShapeKind::Text, 2, MAX_TEXT));
    let names = ["name", "generateName"].map(|name| (name.to_owned(), Arc::clone(&text)));
    let metadata = Shape::new(ShapeKind::Object(Fields::new(names.into(), true)), 2, 0);
    by_name.insert("kind".to_owned(), Arc::clone(&text));
    by_name.insert("apiVersion".to_owned(), Arc::clone(&text));
    by_name.insert("metadata".to_owned(), Arc::new(metadata));
}

fn text(schema: &Schema, max_length: Option<i64>) -> Shape {
    match schema.value.format.as_str() {
        "byte" => return Shape::new(ShapeKind::Bytes, 2, max_length.unwrap_or(MAX_TEXT)),
        "duration" => return Shape::new(ShapeKind::Duration, 3, 32),
        "date" => return Shape::new(ShapeKind::Date, 12, 12),
        "date-time" => return Shape::new(ShapeKind::DateTime, 21, 32),
        _ => {}
    }
    let max = match (max_length, &schema.value.allowed) {
        (Some(length), _) => length.saturating_mul(4),
        (None, Some(allowed)) => {
            let lengths = allowed
                .iter()
                .filter_map(Value::as_str)
                .map(|text| text.len() as i64);
            lengths.max().unwrap_or(0)
        }
        (None, None) => MAX_TEXT,
    };
    Shape::new(ShapeKind::Text, 2, max)
}

/// The shape of the items of a list.
pub(super) fn items(shape: &Shape) -> Option<&Arc<Shape>> {
    match &shape.kind {
        ShapeKind::List { items, .. } => items.as_ref(),
        _ => None,
    }
}

/// The shape of the values of a map.
pub(super) fn values(shape: &Shape) -> Option<&Arc<Shape>> {
    match &shape.kind {
        ShapeKind::Map(values) => Some(values),
        _ => None,
    }
}

/// The shape of a property. Those to which no expression can refer have no rules either.
pub(super) fn property<'s>(shape: &'s Shape, name: &str) -> Option<&'s Arc<Shape>> {
    match &shape.kind {
        ShapeKind::Object(fields) => fields.by_name.get(name).filter(|field| field.declared),
        _ => None,
    }
}
