//! The rules that make a schema structural.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/{validation,complete}.go`.

use object::field::{Error, ErrorList, Path};

use super::{Additional, Restrictions, Schema};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Checks that `schema` is structural; the errors are sorted by their texts.
pub fn validate_structural(path: &Path, schema: &Schema) -> ErrorList {
    let mut errors = Vec::new();
    invariants(schema, Level::Root, path, &mut errors);
    complete_value(&schema.value, Some(schema), path, path, &mut errors);
    errors.sort_by_cached_key(ToString::to_string);
    errors
}

fn invariants(schema: &Schema, level: Level, path: &Path, errors: &mut ErrorList) {
    match &schema.items {
        None if schema.kind == "array" => {
            errors.push(Error::required(&path.child("items"), "must be specified"));
        }
        None => {}
        Some(items) => invariants(items, Level::Item, &path.child("items"), errors),
    }
    for (name, field) in &schema.properties {
        invariants(
            field,
            Level::Field,
            &path.child("properties").key(name),
            errors,
        );
    }
    if let Some(additional) = &schema.additional {
        let place = path.child("additionalProperties");
        if level == Level::Root {
            errors.push(Error::forbidden(&place, "must not be used at the root"));
        }
        if let Additional::Schema(values) = additional {
            invariants(values, Level::Field, &place, errors);
        }
    }
    extensions(schema, path, errors);
    let skip_any_of = is_int_or_string_any_of(&schema.value);
    let skip_first_all_of = schema
        .value
        .all_of
        .first()
        .is_some_and(|first| is_int_or_string_any_of(&first.value));
    let check_metadata = schema.embedded || level == Level::Root;
    value_restrictions(
        &schema.value,
        skip_any_of && schema.int_or_string,
        skip_first_all_of && schema.int_or_string,
        path,
        errors,
    );
    node_type(schema, level, path, errors);
    metadata_fields(schema, check_metadata, level, path, errors);
    if schema.embedded && !schema.preserve_unknown && schema.properties.is_empty() {
        errors.push(Error::required(
            &path.child("properties"),
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        ));
    }
}

fn node_type(schema: &Schema, level: Level, path: &Path, errors: &mut ErrorList) {
    let place = path.child("type");
    if schema.embedded && schema.kind != "object" {
        let detail = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(if schema.kind.is_empty() {
            Error::required(&place, detail)
        } else {
            Error::invalid(&place, schema.kind.as_str(), detail)
        });
    } else if schema.kind.is_empty() && !schema.int_or_string && !schema.preserve_unknown {
        errors.push(Error::required(
            &place,
            match level {
                Level::Root => "must not be empty at the root",
                Level::Item => "must not be empty for specified array items",
                Level::Field => "must not be empty for specified object fields",
            },
        ));
    }
    if schema.embedded && schema.additional.is_some() {
        errors.push(Error::forbidden(
            &path.child("additionalProperties"),
            "must not be used if x-kubernetes-embedded-resource is set",
        ));
    }
    if level == Level::Root && !schema.kind.is_empty() && schema.kind != "object" {
        errors.push(Error::invalid(
            &place,
            schema.kind.as_str(),
            "must be object at the root",
        ));
    }
}

fn metadata_fields(
    schema: &Schema,
    check_metadata: bool,
    level: Level,
    path: &Path,
    errors: &mut ErrorList,
) {
    for name in ["kind", "apiVersion"] {
        if let Some(field) = schema.properties.get(name)
            && check_metadata
            && field.kind != "string"
        {
            let place = path.child("properties").key(name).child("type");
            errors.push(Error::invalid(
                &place,
                field.kind.as_str(),
                "must be string",
            ));
        }
    }
    let Some(metadata) = schema.properties.get("metadata") else {
        return;
    };
    let place = path.child("properties").key("metadata");
    if check_metadata && metadata.kind != "object" {
        errors.push(Error::invalid(
            &place.child("type"),
            metadata.kind.as_str(),
            "must be object",
        ));
    }
    if level == Level::Root {
        let mut rest = Schema::clone(metadata);
        if !rest.properties.is_empty()
            && rest
                .properties
                .keys()
                .all(|name| name == "name" || name == "generateName")
        {
            rest.properties.clear();
        }
        rest.kind.clear();
        rest.default = None;
        if rest != Schema::default() {
            errors.push(Error::forbidden(
                &place,
                "must not specify anything other than name and generateName, but metadata is implicitly specified",
            ));
        }
    }
}

/// Whether `anyOf` is exactly integer or string, which `x-kubernetes-int-or-string` allows.
fn is_int_or_string_any_of(value: &Restrictions) -> bool {
    let only = |kind: &str| Schema {
        kind: kind.to_owned(),
        ..Schema::default()
    };
    matches!(value.any_of.as_slice(), [first, second] if *first == only("integer") && *second == only("string"))
}

fn extensions(schema: &Schema, path: &Path, errors: &mut ErrorList) {
    let detail = "must be false if x-kubernetes-int-or-string is true";
    if schema.int_or_string && schema.preserve_unknown {
        let place = path.child("x-kubernetes-preserve-unknown-fields");
        errors.push(Error::invalid(&place, true, detail));
    }
    if schema.int_or_string && schema.embedded {
        let place = path.child("x-kubernetes-embedded-resource");
        errors.push(Error::invalid(&place, true, detail));
    }
}

fn value_restrictions(
    value: &Restrictions,
    skip_any_of: bool,
    skip_first_all_of: bool,
    path: &Path,
    errors: &mut ErrorList,
) {
    if !skip_any_of {
        for (index, branch) in value.any_of.iter().enumerate() {
            nested(branch, false, &path.child("anyOf").index(index), errors);
        }
    }
    for (index, branch) in value.all_of.iter().enumerate() {
        let place = path.child("allOf").index(index);
        nested(branch, skip_first_all_of && index == 0, &place, errors);
    }
    for (index, branch) in value.one_of.iter().enumerate() {
        nested(branch, false, &path.child("oneOf").index(index), errors);
    }
    if let Some(not) = &value.not {
        nested(not, false, &path.child("not"), errors);
    }
    if !value.pattern.is_empty()
        && let Err(error) = crate::goregex::compile(&value.pattern)
    {
        errors.push(Error::invalid(
            &path.child("pattern"),
            value.pattern.as_str(),
            format!("must be a valid regular expression, but isn't: {error}"),
        ));
    }
}

fn nested(schema: &Schema, skip_any_of: bool, path: &Path, errors: &mut ErrorList) {
    value_restrictions(&schema.value, skip_any_of, false, path, errors);
    if let Some(items) = &schema.items {
        nested(items, false, &path.child("items"), errors);
    }
    for (name, field) in &schema.properties {
        nested(field, false, &path.child("properties").key(name), errors);
    }
    for (is_set, key, detail) in [
        (
            !schema.kind.is_empty(),
            "type",
            "must be empty to be structural",
        ),
        (
            matches!(schema.additional, Some(Additional::Schema(_))),
            "additionalProperties",
            "must be undefined to be structural",
        ),
        (
            schema.default.is_some(),
            "default",
            "must be undefined to be structural",
        ),
        (
            !schema.title.is_empty(),
            "title",
            "must be empty to be structural",
        ),
        (
            !schema.description.is_empty(),
            "description",
            "must be empty to be structural",
        ),
        (
            schema.nullable,
            "nullable",
            "must be false to be structural",
        ),
        (
            schema.preserve_unknown,
            "x-kubernetes-preserve-unknown-fields",
            "must be false to be structural",
        ),
        (
            schema.embedded,
            "x-kubernetes-embedded-resource",
            "must be false to be structural",
        ),
        (
            schema.int_or_string,
            "x-kubernetes-int-or-string",
            "must be false to be structural",
        ),
        (
            !schema.list_map_keys.is_empty(),
            "x-kubernetes-list-map-keys",
            "must be empty to be structural",
        ),
        (
            schema.list_type.is_some(),
            "x-kubernetes-list-type",
            "must be undefined to be structural",
        ),
        (
            schema.map_type.is_some(),
            "x-kubernetes-map-type",
            "must be undefined to be structural",
        ),
        (
            !schema.rules.is_empty(),
            "x-kubernetes-validations",
            "must be empty to be structural",
        ),
    ] {
        if is_set {
            errors.push(Error::forbidden(&path.child(key), detail));
        }
    }
    if schema.properties.contains_key("metadata") {
        errors.push(Error::forbidden(
            &path.child("properties").key("metadata"),
            "must not be specified in a nested context",
        ));
    }
}

fn missing(schema_path: &Path, value_path: &Path) -> Error {
    Error::required(
        schema_path,
        format!("because it is defined in {value_path}"),
    )
}

/// Every value that a junctor restricts must have a place in the structural part.
fn complete_value(
    value: &Restrictions,
    schema: Option<&Schema>,
    schema_path: &Path,
    value_path: &Path,
    errors: &mut ErrorList,
) {
    if let Some(not) = &value.not {
        complete(not, schema, schema_path, &value_path.child("not"), errors);
    }
    for (key, branches) in [
        ("allOf", &value.all_of),
        ("anyOf", &value.any_of),
        ("oneOf", &value.one_of),
    ] {
        for (index, branch) in branches.iter().enumerate() {
            complete(
                branch,
                schema,
                schema_path,
                &value_path.child(key).index(index),
                errors,
            );
        }
    }
}

fn complete(
    branch: &Schema,
    schema: Option<&Schema>,
    schema_path: &Path,
    value_path: &Path,
    errors: &mut ErrorList,
) {
    let Some(schema) = schema else {
        errors.push(missing(schema_path, value_path));
        return;
    };
    complete_value(&branch.value, Some(schema), schema_path, value_path, errors);
    if let Some(items) = &branch.items {
        complete(
            items,
            schema.items.as_deref(),
            &schema_path.child("items"),
            &value_path.child("items"),
            errors,
        );
    }
    for (name, field) in &branch.properties {
        let schema_place = schema_path.child("properties").key(name);
        let value_place = value_path.child("properties").key(name);
        match schema.properties.get(name) {
            None => errors.push(missing(&schema_place, &value_place)),
            Some(target) => complete(field, Some(target), &schema_place, &value_place, errors),
        }
    }
}
