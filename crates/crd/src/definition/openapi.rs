//! The rules for the schema in a definition.
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/{validation,cel_validation}.go`.

mod expressions;
pub(super) mod go;
mod lists;

use object::field::{Error, ErrorList, Path};
use serde_json::{Map, Value};

pub(super) use expressions::cost_message;
use expressions::{Cardinality, Cost};

type Json = Map<String, Value>;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
/// The deepest nesting that is looked at; deeper schemas are refused where they are read.
const MAX_DEPTH: usize = crate::schema::MAX_DEPTH;

/// What is asked of a schema.
pub(super) struct SchemaOptions {
    valid_types: bool,
    atomic_sets: bool,
    map_list_keys: bool,
}

impl SchemaOptions {
    pub(super) fn strict() -> Self {
        Self {
            valid_types: true,
            atomic_sets: true,
            map_list_keys: true,
        }
    }

    /// What the old schemas did not keep is not asked of new ones.
    pub(super) fn for_update<'a>(old: impl Iterator<Item = &'a Json>) -> Self {
        let mut options = Self::strict();
        for schema in old {
            let has_invalid_type = |schema: &Json| {
                let kind = text(schema, "type");
                !kind.is_empty() && !TYPES.contains(&kind)
            };
            options.valid_types &= !has(schema, &has_invalid_type);
            options.atomic_sets &=
                !has(schema, &|schema| lists::has_item_that_is_not_atomic(schema));
            options.map_list_keys &= !has(schema, &|schema| {
                let mut errors = Vec::new();
                lists::keys(schema, &Path::root(), &mut errors);
                !errors.is_empty()
            });
        }
        options
    }
}

/// What was found in a schema.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) errors: ErrorList,
    pub(super) cost: Cost,
}

fn text<'a>(schema: &'a Json, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a keyword is given and not null.
pub(super) fn is_set(schema: &Json, key: &str) -> bool {
    schema.get(key).is_some_and(|value| !value.is_null())
}

fn is_true(schema: &Json, key: &str) -> bool {
    schema.get(key) == Some(&Value::Bool(true))
}

fn child<'a>(schema: &'a Json, key: &str) -> Option<&'a Json> {
    schema.get(key).and_then(Value::as_object)
}

fn list<'a>(schema: &'a Json, key: &str) -> &'a [Value] {
    schema
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Whether `is_it` holds for a schema or one below it.
pub(super) fn has(schema: &Json, is_it: &dyn Fn(&Json) -> bool) -> bool {
    has_within(schema, is_it, 0)
}

fn has_within(schema: &Json, is_it: &dyn Fn(&Json) -> bool, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    if is_it(schema) {
        return true;
    }
    let below = |value: &Value| {
        value
            .as_object()
            .is_some_and(|schema| has_within(schema, is_it, depth + 1))
    };
    let is_in_list = |key: &str| list(schema, key).iter().any(below);
    let is_in_map = |key: &str| child(schema, key).is_some_and(|map| map.values().any(below));
    ["items", "not", "additionalProperties", "additionalItems"]
        .iter()
        .any(|key| schema.get(*key).is_some_and(below))
        || ["items", "allOf", "anyOf", "oneOf"]
            .iter()
            .any(|key| is_in_list(key))
        || [
            "properties",
            "patternProperties",
            "definitions",
            "dependencies",
        ]
        .iter()
        .any(|key| is_in_map(key))
}

/// Whether a schema uses what only structural schemas have.
pub(super) fn has_extensions(schema: &Json) -> bool {
    has(schema, &|schema| {
        is_true(schema, "x-kubernetes-embedded-resource")
            || is_set(schema, "x-kubernetes-preserve-unknown-fields")
            || is_true(schema, "x-kubernetes-int-or-string")
            || !list(schema, "x-kubernetes-list-map-keys").is_empty()
            || is_set(schema, "x-kubernetes-list-type")
            || !list(schema, "x-kubernetes-validations").is_empty()
    })
}

/// With a status the root may only have some keywords.
pub(super) fn check_root(schema: &Json, path: &Path, errors: &mut ErrorList) {
    for (name, key) in go::FIELDS {
        let is_empty = match schema.get(*key) {
            None | Some(Value::Null | Value::Bool(false)) => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(_) => false,
        };
        if is_empty {
            continue;
        }
        if *name == "Type" {
            let kind = text(schema, "type");
            if kind != "object" {
                let detail = "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
                errors.push(Error::invalid(&path.child("type"), kind, detail));
                return;
            }
        } else if !go::ALLOWED_AT_ROOT.contains(name) {
            let detail = format!(
                "only [{}] fields are allowed at the root of the schema if the status subresource is enabled",
                go::ALLOWED_AT_ROOT.join(" ")
            );
            errors.push(super::spec::invalid_shown(
                path,
                &go::schema(schema, 0),
                detail,
            ));
            return;
        }
    }
}

/// What holds for a schema because of where it stands.
#[derive(Clone)]
struct Place {
    forbidden_defaults: Option<String>,
    inside_meta: bool,
    /// The list or map above, whose items cannot be found again after an update.
    uncorrelatable: Option<Path>,
}

struct Walk<'o> {
    options: &'o SchemaOptions,
    suppress_cost: bool,
    schema_errors: ErrorList,
    rule_errors: ErrorList,
    cost: Cost,
}

/// Checks a schema; with `with_rules` its rules are compiled too.
pub(super) fn validate(
    schema: &Json,
    path: &Path,
    options: &SchemaOptions,
    with_rules: bool,
    suppress_cost: bool,
) -> Outcome {
    let mut walk = Walk {
        options,
        suppress_cost,
        schema_errors: Vec::new(),
        rule_errors: Vec::new(),
        cost: Cost::default(),
    };
    let place = Place {
        forbidden_defaults: None,
        inside_meta: false,
        uncorrelatable: None,
    };
    let cardinality = with_rules.then_some(Cardinality::root());
    walk.visit(schema, path, &place, true, cardinality, 0);
    let mut errors = walk.schema_errors;
    errors.extend(walk.rule_errors);
    Outcome {
        errors,
        cost: walk.cost,
    }
}

impl Walk<'_> {
    fn visit(
        &mut self,
        schema: &Json,
        path: &Path,
        place: &Place,
        is_root: bool,
        cardinality: Option<Cardinality>,
        depth: usize,
    ) {
        if depth > MAX_DEPTH {
            return;
        }
        let errors_before = self.schema_errors.len();
        self.keywords(schema, path, place);
        let below = cardinality.map(|cardinality| cardinality.below(schema));
        if is_true(schema, "uniqueItems") {
            let detail =
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.schema_errors
                .push(Error::forbidden(&path.child("uniqueItems"), detail));
        }
        let properties = child(schema, "properties").filter(|properties| !properties.is_empty());
        if is_set(schema, "additionalProperties") {
            let at = path.child("additionalProperties");
            if properties.is_some() && !is_true(schema, "additionalProperties") {
                let detail = "additionalProperties and properties are mutual exclusive";
                self.schema_errors.push(Error::forbidden(&at, detail));
            }
            if let Some(values) = child(schema, "additionalProperties") {
                let mut place = place.clone();
                if place.inside_meta {
                    let reason = "inside additionalProperties applying to object metadata";
                    place.forbidden_defaults = Some(reason.to_owned());
                }
                self.visit(values, &at, &place, false, below, depth + 1);
            }
        }
        for (name, property) in properties.into_iter().flatten() {
            let Some(property) = property.as_object() else {
                continue;
            };
            let mut place = place.clone();
            let map_type = schema.get("x-kubernetes-map-type").and_then(Value::as_str);
            if !matches!(map_type, None | Some("granular" | "atomic")) {
                place.uncorrelatable.get_or_insert_with(|| path.clone());
            }
            let is_meta = matches!(name.as_str(), "metadata" | "kind" | "apiVersion");
            if is_meta && (is_root || is_true(schema, "x-kubernetes-embedded-resource")) {
                place.inside_meta = true;
                if is_root {
                    place.forbidden_defaults = Some(format!("in top-level {name}"));
                }
            }
            let at = path.child("properties").key(name);
            self.visit(property, &at, &place, false, below, depth + 1);
        }
        self.junctors(schema, path, place, depth);
        self.items(schema, path, place, below, depth);
        self.extensions(schema, path);
        let is_clean = self.schema_errors.len() == errors_before;
        self.rules(schema, path, place, is_root, is_clean, cardinality);
    }

    fn junctors(&mut self, schema: &Json, path: &Path, place: &Place, depth: usize) {
        if let Some(not) = child(schema, "not") {
            self.visit(not, &path.child("not"), place, false, None, depth + 1);
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for (index, branch) in list(schema, key).iter().enumerate() {
                if let Some(branch) = branch.as_object() {
                    self.visit(
                        branch,
                        &path.child(key).index(index),
                        place,
                        false,
                        None,
                        depth + 1,
                    );
                }
            }
        }
        for key in ["definitions", "dependencies"] {
            for (name, branch) in child(schema, key).into_iter().flatten() {
                if let Some(branch) = branch.as_object() {
                    self.visit(
                        branch,
                        &path.child(key).key(name),
                        place,
                        false,
                        None,
                        depth + 1,
                    );
                }
            }
        }
    }

    fn items(
        &mut self,
        schema: &Json,
        path: &Path,
        place: &Place,
        below: Option<Cardinality>,
        depth: usize,
    ) {
        let mut place = place.clone();
        if text(schema, "x-kubernetes-list-type") != "map" {
            place.uncorrelatable.get_or_insert_with(|| path.clone());
        }
        let at = path.child("items");
        if let Some(items) = child(schema, "items") {
            self.visit(items, &at, &place, false, below, depth + 1);
        }
        for (index, items) in list(schema, "items").iter().enumerate() {
            if let Some(items) = items.as_object() {
                self.visit(items, &at.index(index), &place, false, below, depth + 1);
            }
        }
    }

    /// Keywords that a schema must not have, or not here.
    fn keywords(&mut self, schema: &Json, path: &Path, place: &Place) {
        let kind = text(schema, "type");
        if self.options.valid_types && !kind.is_empty() && !TYPES.contains(&kind) {
            self.schema_errors
                .push(Error::not_supported(&path.child("type"), kind, &TYPES));
        }
        if let Some(reason) = &place.forbidden_defaults
            && is_set(schema, "default")
        {
            let detail = format!("must not be set {reason}");
            self.schema_errors
                .push(Error::forbidden(&path.child("default"), detail));
        }
        let is_filled = |key: &str| child(schema, key).is_some_and(|map| !map.is_empty());
        for (is_there, key) in [
            (!text(schema, "id").is_empty(), "id"),
            (is_set(schema, "additionalItems"), "additionalItems"),
            (is_filled("patternProperties"), "patternProperties"),
            (is_filled("definitions"), "definitions"),
            (is_set(schema, "dependencies"), "dependencies"),
            (is_set(schema, "$ref"), "$ref"),
        ] {
            if is_there {
                self.schema_errors.push(Error::forbidden(
                    &path.child(key),
                    format!("{key} is not supported"),
                ));
            }
        }
        for (is_there, key, detail) in [
            (
                kind == "null",
                "type",
                "type cannot be set to null, use nullable as an alternative",
            ),
            (
                !list(schema, "items").is_empty(),
                "items",
                "items must be a schema object and not an array",
            ),
            (
                place.inside_meta && is_true(schema, "x-kubernetes-embedded-resource"),
                "x-kubernetes-embedded-resource",
                "must not be used inside of resource meta",
            ),
        ] {
            if is_there {
                self.schema_errors
                    .push(Error::forbidden(&path.child(key), detail));
            }
        }
    }

    fn extensions(&mut self, schema: &Json, path: &Path) {
        let errors = &mut self.schema_errors;
        if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
            let place = path.child("x-kubernetes-preserve-unknown-fields");
            errors.push(Error::invalid(&place, false, "must be true or undefined"));
        }
        let kind = text(schema, "type");
        let must_be = |wanted: &str, key: &str, errors: &mut ErrorList| {
            if kind == wanted {
                return true;
            }
            let detail = format!("must be {wanted} if {key} is specified");
            let place = path.child("type");
            errors.push(if kind.is_empty() {
                Error::required(&place, detail)
            } else {
                Error::invalid(&place, kind, detail)
            });
            false
        };
        if let Some(map_type) = schema.get("x-kubernetes-map-type").and_then(Value::as_str) {
            let key = "x-kubernetes-map-type";
            must_be("object", key, errors);
            if !matches!(map_type, "atomic" | "granular") {
                errors.push(Error::not_supported(
                    &path.child(key),
                    map_type,
                    &["atomic", "granular"],
                ));
            }
        }
        let list_type = schema.get("x-kubernetes-list-type").and_then(Value::as_str);
        if let Some(list_type) = list_type {
            let key = "x-kubernetes-list-type";
            if must_be("array", key, errors) && self.options.atomic_sets && list_type == "set" {
                lists::set_items(schema, path, errors);
            }
            if !matches!(list_type, "atomic" | "set" | "map") {
                errors.push(Error::not_supported(
                    &path.child(key),
                    list_type,
                    &["atomic", "set", "map"],
                ));
            }
        }
        lists::map_keys(schema, list_type, path, errors);
        if self.options.map_list_keys {
            lists::keys(schema, path, errors);
        }
    }
}
