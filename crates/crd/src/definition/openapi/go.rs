//! Parts of a definition as Go prints its internal types, which have no JSON names.

use serde_json::Value;

use super::super::internal::Version;
use super::{Json, child};

/// The fields of a schema: their names in Go and in JSON, in the order of Go.
pub(crate) const FIELDS: &[(&str, &str)] = &[
    ("ID", "id"),
    ("Schema", "$schema"),
    ("Ref", "$ref"),
    ("Description", "description"),
    ("Type", "type"),
    ("Nullable", "nullable"),
    ("Format", "format"),
    ("Title", "title"),
    ("Default", "default"),
    ("Maximum", "maximum"),
    ("ExclusiveMaximum", "exclusiveMaximum"),
    ("Minimum", "minimum"),
    ("ExclusiveMinimum", "exclusiveMinimum"),
    ("MaxLength", "maxLength"),
    ("MinLength", "minLength"),
    ("Pattern", "pattern"),
    ("MaxItems", "maxItems"),
    ("MinItems", "minItems"),
    ("UniqueItems", "uniqueItems"),
    ("MultipleOf", "multipleOf"),
    ("Enum", "enum"),
    ("MaxProperties", "maxProperties"),
    ("MinProperties", "minProperties"),
    ("Required", "required"),
    ("Items", "items"),
    ("AllOf", "allOf"),
    ("OneOf", "oneOf"),
    ("AnyOf", "anyOf"),
    ("Not", "not"),
    ("Properties", "properties"),
    ("AdditionalProperties", "additionalProperties"),
    ("PatternProperties", "patternProperties"),
    ("Dependencies", "dependencies"),
    ("AdditionalItems", "additionalItems"),
    ("Definitions", "definitions"),
    ("ExternalDocs", "externalDocs"),
    ("Example", "example"),
    (
        "XPreserveUnknownFields",
        "x-kubernetes-preserve-unknown-fields",
    ),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource"),
    ("XIntOrString", "x-kubernetes-int-or-string"),
    ("XListMapKeys", "x-kubernetes-list-map-keys"),
    ("XListType", "x-kubernetes-list-type"),
    ("XMapType", "x-kubernetes-map-type"),
    ("XValidations", "x-kubernetes-validations"),
];

/// The fields that the root of a schema may have beside a status.
pub(crate) const ALLOWED_AT_ROOT: &[&str] = &[
    "Description",
    "Type",
    "Format",
    "Title",
    "Maximum",
    "ExclusiveMaximum",
    "Minimum",
    "ExclusiveMinimum",
    "MaxLength",
    "MinLength",
    "Pattern",
    "MaxItems",
    "MinItems",
    "UniqueItems",
    "MultipleOf",
    "Required",
    "Items",
    "Properties",
    "ExternalDocs",
    "Example",
    "XPreserveUnknownFields",
    "XValidations",
];

const MAX_DEPTH: usize = crate::schema::MAX_DEPTH;

/// A field of a struct: its name in Go, its name in JSON, and its value when it is absent.
type Field = (&'static str, &'static str, &'static str);

const RULE: &[Field] = &[
    ("Rule", "rule", "\"\""),
    ("Message", "message", "\"\""),
    ("MessageExpression", "messageExpression", "\"\""),
    ("Reason", "reason", "null"),
    ("FieldPath", "fieldPath", "\"\""),
    ("OptionalOldSelf", "optionalOldSelf", "null"),
];

const COLUMN: &[Field] = &[
    ("Name", "name", "\"\""),
    ("Type", "type", "\"\""),
    ("Format", "format", "\"\""),
    ("Description", "description", "\"\""),
    ("Priority", "priority", "0"),
    ("JSONPath", "jsonPath", "\"\""),
];

const SELECTABLE: &[Field] = &[("JSONPath", "jsonPath", "\"\"")];

const SCALE: &[Field] = &[
    ("SpecReplicasPath", "specReplicasPath", "\"\""),
    ("StatusReplicasPath", "statusReplicasPath", "\"\""),
    ("LabelSelectorPath", "labelSelectorPath", "null"),
];

fn text(value: &Value) -> String {
    object::goprint::json(value)
}

fn record(value: &Value, fields: &[Field]) -> String {
    let parts: Vec<String> = fields
        .iter()
        .map(|(name, key, absent)| match value.get(*key) {
            None | Some(Value::Null) => format!("\"{name}\":{absent}"),
            Some(value) => format!("\"{name}\":{}", text(value)),
        })
        .collect();
    format!("{{{}}}", parts.join(","))
}

fn records(values: &[Value], fields: &[Field]) -> String {
    if values.is_empty() {
        return "null".to_owned();
    }
    let parts: Vec<String> = values.iter().map(|value| record(value, fields)).collect();
    format!("[{}]", parts.join(","))
}

/// A rule.
pub(crate) fn rule(value: &Value) -> String {
    record(value, RULE)
}

/// The versions of a definition.
pub(crate) fn versions(versions: &[Version<'_>]) -> String {
    let parts: Vec<String> = versions.iter().map(version).collect();
    format!("[{}]", parts.join(","))
}

fn version(version: &Version<'_>) -> String {
    let null = || "null".to_owned();
    let warning = version
        .warning
        .map_or_else(null, |warning| text(&warning.into()));
    let found = version.schema.map_or_else(null, |found| {
        let inner = child_schema(found.get("openAPIV3Schema"), 0);
        format!("{{\"OpenAPIV3Schema\":{inner}}}")
    });
    let subresources = version.subresources.map_or_else(null, |found| {
        let status = if found.get("status").is_some_and(|status| !status.is_null()) {
            "{}"
        } else {
            "null"
        };
        let scale = found.get("scale").filter(|scale| !scale.is_null());
        let scale = scale.map_or_else(null, |scale| record(scale, SCALE));
        format!("{{\"Status\":{status},\"Scale\":{scale}}}")
    });
    format!(
        "{{\"Name\":{},\"Served\":{},\"Storage\":{},\"Deprecated\":{},\"DeprecationWarning\":{warning},\"Schema\":{found},\"Subresources\":{subresources},\"AdditionalPrinterColumns\":{},\"SelectableFields\":{}}}",
        text(&version.name.into()),
        version.served,
        version.storage,
        version.deprecated,
        records(version.columns, COLUMN),
        records(version.selectable, SELECTABLE),
    )
}

fn child_schema(value: Option<&Value>, depth: usize) -> String {
    match value.and_then(Value::as_object) {
        Some(found) => schema(found, depth + 1),
        None => "null".to_owned(),
    }
}

fn schema_map(found: Option<&Json>, depth: usize) -> String {
    let Some(found) = found.filter(|found| !found.is_empty()) else {
        return "null".to_owned();
    };
    let parts: Vec<String> = found
        .iter()
        .map(|(name, value)| {
            format!(
                "{}:{}",
                text(&name.as_str().into()),
                child_schema(Some(value), depth)
            )
        })
        .collect();
    format!("{{{}}}", parts.join(","))
}

fn schema_or_bool(value: Option<&Value>, depth: usize) -> String {
    match value {
        None | Some(Value::Null) => "null".to_owned(),
        Some(Value::Bool(allows)) => format!("{{\"Allows\":{allows},\"Schema\":null}}"),
        found => format!(
            "{{\"Allows\":true,\"Schema\":{}}}",
            child_schema(found, depth)
        ),
    }
}

fn schema_list(value: Option<&Value>, depth: usize) -> String {
    match value.and_then(Value::as_array) {
        Some(items) if !items.is_empty() => {
            let parts: Vec<String> = items
                .iter()
                .map(|item| child_schema(Some(item), depth))
                .collect();
            format!("[{}]", parts.join(","))
        }
        _ => "null".to_owned(),
    }
}

/// A schema.
pub(crate) fn schema(found: &Json, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return "null".to_owned();
    }
    let parts: Vec<String> = FIELDS
        .iter()
        .map(|(name, key)| format!("\"{name}\":{}", keyword(found, key, depth)))
        .collect();
    format!("{{{}}}", parts.join(","))
}

fn keyword(found: &Json, key: &str, depth: usize) -> String {
    let value = found.get(key);
    match key {
        "items" => match value {
            Some(Value::Object(_)) => {
                format!(
                    "{{\"Schema\":{},\"JSONSchemas\":null}}",
                    child_schema(value, depth)
                )
            }
            Some(Value::Array(_)) => format!(
                "{{\"Schema\":null,\"JSONSchemas\":{}}}",
                schema_list(value, depth)
            ),
            _ => "null".to_owned(),
        },
        "allOf" | "oneOf" | "anyOf" => schema_list(value, depth),
        "not" => child_schema(value, depth),
        "properties" | "patternProperties" | "definitions" => schema_map(child(found, key), depth),
        "additionalProperties" | "additionalItems" => schema_or_bool(value, depth),
        "x-kubernetes-validations" => records(super::list(found, key), RULE),
        _ => match value {
            Some(value) if !value.is_null() => text(value),
            _ => absent(key).to_owned(),
        },
    }
}

fn absent(key: &str) -> &'static str {
    match key {
        "id" | "$schema" | "description" | "type" | "format" | "title" | "pattern" => "\"\"",
        "nullable"
        | "exclusiveMaximum"
        | "exclusiveMinimum"
        | "uniqueItems"
        | "x-kubernetes-embedded-resource"
        | "x-kubernetes-int-or-string" => "false",
        _ => "null",
    }
}
