//! Reading a schema in the library's own form: `{"types": [{"name": …, "map": …}, …]}`.

use std::sync::Arc;

use serde_json::Value;

use super::builder::Builder;
use super::{Atom, Field, List, Map, Relationship, Scalar, Schema, SchemaError, Type, TypeId};
use crate::smd::MAX_DEPTH;

impl Schema {
    /// Reads the library's own form of a schema.
    ///
    /// # Errors
    /// There is no list of types, or types are nested too deeply.
    pub fn parse(schema: &Value) -> Result<Arc<Self>, SchemaError> {
        let mut builder = Builder::default();
        read_types(&mut builder, schema)?;
        Ok(builder.finish())
    }

    /// Reads the library's own form of a schema, and in it the type that `reference` stands for:
    /// `{"namedType": "v1"}` or an inlined type.
    ///
    /// # Errors
    /// Like [`Schema::parse`]; and `reference` is empty.
    pub fn parse_type(schema: &Value, reference: &Value) -> Result<Type, SchemaError> {
        let mut builder = Builder::default();
        read_types(&mut builder, schema)?;
        let id = read_reference(&mut builder, reference, 0)?
            .ok_or_else(|| SchemaError(vec!["the type is empty".to_owned()]))?;
        let schema = builder.finish();
        Ok(Type { schema, id })
    }
}

fn read_types(builder: &mut Builder, schema: &Value) -> Result<(), SchemaError> {
    let types = schema
        .get("types")
        .and_then(Value::as_array)
        .ok_or_else(|| SchemaError(vec!["types must be a list".to_owned()]))?;
    for definition in types {
        let name = text(definition, "name").unwrap_or_default();
        let atom = read_atom(builder, definition, 0)?;
        builder.define(name, atom);
    }
    Ok(())
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn read_atom(builder: &mut Builder, value: &Value, depth: usize) -> Result<Atom, SchemaError> {
    if depth > MAX_DEPTH {
        return Err(SchemaError(vec!["types are nested too deeply".to_owned()]));
    }
    let mut atom = Atom {
        scalar: text(value, "scalar").map(Scalar::parse),
        ..Atom::default()
    };
    if let Some(list) = value.get("list").filter(|list| list.is_object()) {
        atom.list = Some(List {
            element: read_optional(builder, list.get("elementType"), depth)?,
            relationship: relationship(list),
            keys: items(list, "keys")
                .filter_map(Value::as_str)
                .map(Into::into)
                .collect(),
        });
    }
    if let Some(value) = value.get("map").filter(|map| map.is_object()) {
        let mut map = Map {
            element: read_optional(builder, value.get("elementType"), depth)?,
            relationship: relationship(value),
            ..Map::default()
        };
        let mut fields = Vec::new();
        for field in items(value, "fields") {
            let type_id = match read_optional(builder, field.get("type"), depth)? {
                Some(id) => id,
                None => builder.inline(Atom::default()),
            };
            fields.push(Field {
                name: text(field, "name").unwrap_or_default().into(),
                type_id,
                default: field
                    .get("default")
                    .filter(|value| !value.is_null())
                    .cloned(),
            });
        }
        map.set_fields(fields);
        atom.map = Some(map);
    }
    Ok(atom)
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn relationship(value: &Value) -> Relationship {
    text(value, "elementRelationship").map_or(Relationship::Unset, Relationship::parse)
}

fn read_optional(
    builder: &mut Builder,
    reference: Option<&Value>,
    depth: usize,
) -> Result<Option<TypeId>, SchemaError> {
    match reference {
        Some(reference) => read_reference(builder, reference, depth),
        None => Ok(None),
    }
}

/// Reads a reference or an inlined type; `None` if it is empty.
fn read_reference(
    builder: &mut Builder,
    reference: &Value,
    depth: usize,
) -> Result<Option<TypeId>, SchemaError> {
    let target = match text(reference, "namedType") {
        Some(name) => builder.reference(name),
        None => {
            let atom = read_atom(builder, reference, depth + 1)?;
            if atom.scalar.is_none() && atom.list.is_none() && atom.map.is_none() {
                return Ok(None);
            }
            builder.inline(atom)
        }
    };
    Ok(Some(match text(reference, "elementRelationship") {
        Some(name) => builder.overridden(target, Relationship::parse(name)),
        None => target,
    }))
}
