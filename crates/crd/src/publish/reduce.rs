//! A schema with what is implied written out, and without what OpenAPI version 2 cannot say.

use std::sync::Arc;

use crate::schema::{Additional, Schema};

fn only(kind: &str) -> Schema {
    Schema {
        kind: kind.to_owned(),
        ..Schema::default()
    }
}

/// Applies `change` to a schema and all below it that have structure.
fn map(schema: &Schema, change: &dyn Fn(&mut Schema)) -> Schema {
    let mut changed = schema.clone();
    change(&mut changed);
    if let Some(items) = &changed.items {
        changed.items = Some(Arc::new(map(items, change)));
    }
    if let Some(Additional::Schema(values)) = &changed.additional {
        changed.additional = Some(Additional::Schema(Arc::new(map(values, change))));
    }
    for field in changed.properties.values_mut() {
        *field = Arc::new(map(field, change));
    }
    changed
}

/// Writes out that `x-kubernetes-int-or-string` is an integer or a string.
pub(super) fn unfold(schema: &Schema) -> Schema {
    map(schema, &|schema| {
        if !schema.int_or_string {
            return;
        }
        let either = vec![only("integer"), only("string")];
        let is_written = schema.value.any_of == either
            || schema
                .value
                .all_of
                .first()
                .is_some_and(|first| first.value.any_of == either);
        if is_written {
            return;
        }
        if schema.value.any_of.is_empty() {
            schema.value.any_of = either;
        } else {
            let mut first = Schema::default();
            first.value.any_of = either;
            schema.value.all_of.insert(0, first);
        }
    })
}

/// Leaves out what version 2 cannot say.
pub(super) fn to_v2(schema: &Schema) -> Schema {
    map(schema, &|schema| {
        schema.value.all_of.clear();
        schema.value.one_of.clear();
        schema.value.any_of.clear();
        schema.value.not = None;
        if schema.nullable {
            schema.kind.clear();
            schema.nullable = false;
            schema.items = None;
            schema.properties.clear();
        }
        if schema.preserve_unknown {
            schema.items = None;
            schema.properties.clear();
        }
        if schema.items.is_none() && schema.kind == "array"
            || schema.preserve_unknown && schema.kind == "object"
        {
            schema.kind.clear();
        }
        let properties = &schema.properties;
        schema
            .value
            .required
            .retain(|name| !properties.get(name).is_some_and(|field| field.nullable));
        if matches!(&schema.additional, Some(Additional::Schema(values)) if values.nullable) {
            schema.value.required.clear();
        }
    })
}
