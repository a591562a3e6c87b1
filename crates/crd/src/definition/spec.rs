//! The rules for the spec of a definition.
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go`.

use std::collections::HashSet;

use object::field::{Error, ErrorKind, ErrorList, Path};
use serde_json::{Map, Value};

use super::conversion;
use super::internal::{Definition, NameFields, Version, has_status, open_api};
use super::openapi::{self, SchemaOptions, has, is_set};
use crate::default::{self, DefaultsContext};
use crate::names;
use crate::rules::{OBJECT_BUDGET, resolve_without_brackets};
use crate::schema::{Schema, validate_structural};

/// The most selectable fields of a version.
const MAX_SELECTABLE: usize = 8;
/// The most that all rules of a schema may cost by their estimates.
const MAX_TOTAL_COST: u64 = 100_000_000;

/// What is asked of a definition: of an old one only what it kept before.
pub(super) struct Options {
    recognized_review_version: bool,
    pub(super) immutable_names: bool,
    require_schema: bool,
    require_structural: bool,
    require_pruned_defaults: bool,
    schema: SchemaOptions,
    unchanged_schemas: HashSet<String>,
    allow_invalid_ca: bool,
    too_many_selectable: HashSet<String>,
}

impl Options {
    pub(super) fn for_create() -> Self {
        Self {
            recognized_review_version: true,
            immutable_names: false,
            require_schema: true,
            require_structural: true,
            require_pruned_defaults: true,
            schema: SchemaOptions::strict(),
            unchanged_schemas: HashSet::new(),
            allow_invalid_ca: true,
            too_many_selectable: HashSet::new(),
        }
    }

    pub(super) fn for_update(crd: &Definition<'_>, old: &Definition<'_>) -> Self {
        let old_bundle_is_valid = old.conversion.is_some_and(|found| {
            let bundle = conversion::ca_bundle(found);
            bundle.is_empty() || conversion::ca_bundle_problem(bundle).is_none()
        });
        let old_has_bundle = old
            .conversion
            .is_some_and(|found| !conversion::ca_bundle(found).is_empty());
        let unchanged = crd
            .versions
            .iter()
            .filter(|version| {
                let old_has_it = old.versions.iter().any(|old| old.name == version.name);
                old_has_it && crd.schema_of(version.name) == old.schema_of(version.name)
            })
            .map(|version| version.name.to_owned());
        Self {
            recognized_review_version: conversion::has_recognized_or_no_version(old.conversion),
            immutable_names: old.established,
            require_schema: old.schema.and_then(open_api).is_some()
                || old
                    .versions
                    .iter()
                    .all(|version| version.schema.and_then(open_api).is_some()),
            require_structural: !old.schemas().any(is_not_structural),
            require_pruned_defaults: !old.schemas().any(has_unpruned_defaults),
            schema: SchemaOptions::for_update(old.schemas()),
            unchanged_schemas: unchanged.collect(),
            allow_invalid_ca: !old.established || old_has_bundle && !old_bundle_is_valid,
            too_many_selectable: too_many_selectable(crd, old),
        }
    }
}

fn too_many_selectable(crd: &Definition<'_>, old: &Definition<'_>) -> HashSet<String> {
    let mut allowed = HashSet::new();
    if old.selectable.len() > MAX_SELECTABLE && crd.selectable == old.selectable {
        allowed.insert(String::new());
    }
    for version in &crd.versions {
        let old = old.versions.iter().find(|old| old.name == version.name);
        if old.is_some_and(|old| {
            old.selectable.len() > MAX_SELECTABLE && old.selectable == version.selectable
        }) {
            allowed.insert(version.name.to_owned());
        }
    }
    allowed
}

fn is_not_structural(schema: &Map<String, Value>) -> bool {
    match Schema::read(&Value::Object(schema.clone())) {
        Ok(schema) => !validate_structural(&Path::root(), &schema).is_empty(),
        Err(_) => true,
    }
}

fn has_unpruned_defaults(schema: &Map<String, Value>) -> bool {
    if !has(schema, &|schema| is_set(schema, "default")) {
        return false;
    }
    let Ok(schema) = Schema::read(&Value::Object(schema.clone())) else {
        return false;
    };
    validate_structural(&Path::root(), &schema).is_empty()
        && default::prune_defaults(&schema) != schema
}

/// A value that must be one of a few.
pub(super) fn one_of(path: &Path, value: &str, accepted: &[&str], errors: &mut ErrorList) {
    if value.is_empty() {
        errors.push(Error::required(path, ""));
    } else if !accepted.contains(&value) {
        errors.push(Error::not_supported(path, value, accepted));
    }
}

/// An error about a value that only Go's form of it describes, which is given as text.
pub(super) fn invalid_shown(path: &Path, shown: &str, detail: impl Into<String>) -> Error {
    Error {
        kind: ErrorKind::Invalid,
        field: path.to_string(),
        value: None,
        detail: format!("{shown}: {}", detail.into()),
    }
}

pub(super) fn validate(crd: &Definition<'_>, options: &Options, errors: &mut ErrorList) {
    let path = Path::new("spec");
    group(crd, &path, errors);
    one_of(
        &path.child("scope"),
        crd.scope,
        &["Cluster", "Namespaced"],
        errors,
    );
    let mut structural = options.require_structural || !crd.preserve_unknown;
    if crd.schema.and_then(open_api).is_none() {
        for (index, version) in crd.versions.iter().enumerate() {
            let place = path
                .child("versions")
                .index(index)
                .child("schema")
                .child("openAPIV3Schema");
            let has_schema = version.schema.and_then(open_api).is_some();
            if options.require_schema && !has_schema {
                errors.push(Error::required(&place, ""));
            } else if !options.require_schema
                && !crd.preserve_unknown
                && version.served
                && !has_schema
            {
                errors.push(Error::required(
                    &place,
                    "because otherwise all fields are pruned",
                ));
            }
        }
    }
    if crd
        .schemas()
        .any(|schema| has(schema, &|schema| is_set(schema, "default")))
    {
        structural = true;
        if crd.preserve_unknown {
            errors.push(Error::invalid(
                &path.child("preserveUnknownFields"),
                true,
                "must be false in order to use defaults in the schema",
            ));
        }
    }
    structural |= crd.schemas().any(openapi::has_extensions);
    let context = Checks {
        crd,
        options,
        structural,
    };
    context.versions(&path, errors);
    required_names(crd, &path.child("names"), errors);
    validate_names(&crd.names, &path.child("names"), errors);
    context.shared(&path, errors);
    if let Some(found) = crd.conversion {
        let place = path.child("conversion");
        let strategy = found
            .get("strategy")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if strategy != "None" && crd.preserve_unknown {
            let detail = "must be None if spec.preserveUnknownFields is true";
            errors.push(Error::invalid(&place.child("strategy"), strategy, detail));
        }
        conversion::validate(
            found,
            options.recognized_review_version,
            options.allow_invalid_ca,
            &place,
            errors,
        );
    }
}

fn group(crd: &Definition<'_>, path: &Path, errors: &mut ErrorList) {
    let place = path.child("group");
    let found = names::dns1123_subdomain(crd.group);
    if crd.group.is_empty() {
        errors.push(Error::required(&place, ""));
    } else if !found.is_empty() {
        errors.push(Error::invalid(&place, crd.group, found.join(",")));
    } else if !crd.group.contains('.') {
        errors.push(Error::invalid(
            &place,
            crd.group,
            "should be a domain with at least one dot",
        ));
    }
}

fn required_names(crd: &Definition<'_>, path: &Path, errors: &mut ErrorList) {
    for key in ["plural", "singular", "kind", "listKind"] {
        if crd.names.text(key).is_empty() {
            errors.push(Error::required(&path.child(key), ""));
        }
    }
}

/// The form of names, in the spec or the status.
pub(super) fn validate_names(found: &NameFields<'_>, path: &Path, errors: &mut ErrorList) {
    for key in ["plural", "singular"] {
        let name = found.text(key);
        let problems = names::dns1035_label(name);
        if !name.is_empty() && !problems.is_empty() {
            errors.push(Error::invalid(&path.child(key), name, problems.join(",")));
        }
    }
    for key in ["kind", "listKind"] {
        let name = found.text(key);
        let problems = names::dns1035_label(&name.to_lowercase());
        if !name.is_empty() && !problems.is_empty() {
            let detail = format!(
                "may have mixed case, but should otherwise match: {}",
                problems.join(",")
            );
            errors.push(Error::invalid(&path.child(key), name, detail));
        }
    }
    let labels = |key: &str, errors: &mut ErrorList| {
        for (index, name) in found.texts(key).into_iter().enumerate() {
            let problems = names::dns1035_label(name);
            if !problems.is_empty() {
                errors.push(Error::invalid(
                    &path.child(key).index(index),
                    name,
                    problems.join(","),
                ));
            }
        }
    };
    labels("shortNames", errors);
    let kind = found.text("kind");
    if !kind.is_empty() && kind == found.text("listKind") {
        let detail = "kind and listKind may not be the same";
        errors.push(Error::invalid(&path.child("listKind"), kind, detail));
    }
    labels("categories", errors);
}

struct Checks<'c, 'a> {
    crd: &'c Definition<'a>,
    options: &'c Options,
    structural: bool,
}

impl Checks<'_, '_> {
    fn versions(&self, path: &Path, errors: &mut ErrorList) {
        let place = path.child("versions");
        let versions = &self.crd.versions;
        for (index, version) in versions.iter().enumerate() {
            let place = place.index(index);
            let problems = names::dns1035_label(version.name);
            if !problems.is_empty() {
                errors.push(Error::invalid(
                    &place.child("name"),
                    version.name,
                    problems.join(","),
                ));
            }
            self.version(version, &place, errors);
        }
        let shown = || {
            if self.crd.has_versions {
                openapi::go::versions(versions)
            } else {
                "null".to_owned()
            }
        };
        let is_repeated = |(index, version): (usize, &Version<'_>)| {
            versions[..index]
                .iter()
                .any(|other| other.name == version.name)
        };
        if versions.iter().enumerate().any(is_repeated) {
            errors.push(invalid_shown(
                &place,
                &shown(),
                "must contain unique version names",
            ));
        }
        if versions.iter().filter(|version| version.storage).count() != 1 {
            let detail = "must have exactly one version marked as storage version";
            errors.push(invalid_shown(&place, &shown(), detail));
        }
        if let Some(first) = versions.first() {
            let problems = names::dns1035_label(first.name);
            if !problems.is_empty() && !first.name.is_empty() {
                errors.push(Error::invalid(
                    &path.child("version"),
                    first.name,
                    problems.join(","),
                ));
            }
        }
    }

    fn version(&self, version: &Version<'_>, path: &Path, errors: &mut ErrorList) {
        for detail in deprecation_problems(version) {
            let warning = version.warning.map_or(Value::Null, Value::from);
            errors.push(Error::invalid(
                &path.child("deprecationWarning"),
                warning,
                detail,
            ));
        }
        let has_status = has_status(self.crd.subresources_of(version));
        self.schema(
            version.schema,
            version.name,
            has_status,
            &path.child("schema"),
            errors,
        );
        subresources(version.subresources, &path.child("subresources"), errors);
        columns(
            version.columns,
            &path.child("additionalPrinterColumns"),
            errors,
        );
        if version.selectable.is_empty() {
            return;
        }
        let place = path.child("selectableFields");
        match version.schema.and_then(open_api) {
            None => errors.push(Error::invalid(
                &place,
                "",
                "may only be set when `version.schema.openAPIV3Schema` is not included",
            )),
            Some(schema) => {
                self.selectable(version.selectable, schema, version.name, &place, errors)
            }
        }
    }

    /// What all versions share.
    fn shared(&self, path: &Path, errors: &mut ErrorList) {
        let crd = self.crd;
        let has_any_status = has_status(crd.subresources)
            || crd
                .versions
                .iter()
                .any(|version| has_status(version.subresources));
        let first = crd.versions.first().map_or("", |version| version.name);
        self.schema(
            crd.schema,
            first,
            has_any_status,
            &path.child("validation"),
            errors,
        );
        subresources(crd.subresources, &path.child("subresources"), errors);
        columns(crd.columns, &path.child("additionalPrinterColumns"), errors);
        if crd.selectable.is_empty() {
            return;
        }
        let place = path.child("selectableFields");
        match crd.schema.and_then(open_api) {
            None => errors.push(Error::invalid(
                &place,
                "",
                "may only be set when validations.schema is included",
            )),
            Some(schema) => self.selectable(crd.selectable, schema, "", &place, errors),
        }
    }

    fn schema(
        &self,
        schema: Option<&Value>,
        version: &str,
        has_status: bool,
        path: &Path,
        errors: &mut ErrorList,
    ) {
        let Some(schema) = schema.and_then(open_api) else {
            return;
        };
        let path = path.child("openAPIV3Schema");
        let mut found = Vec::new();
        if has_status {
            openapi::check_root(schema, &path, &mut found);
        }
        if schema.get("nullable") == Some(&Value::Bool(true)) {
            found.push(Error::forbidden(
                &path.child("nullable"),
                "nullable cannot be true at the root",
            ));
        }
        let mut unreadable = None;
        let mut with_rules = false;
        if self.structural {
            match Schema::read(&Value::Object(schema.clone())) {
                Err(error) => unreadable = Some(Error::invalid(&path, "", error.to_string())),
                Ok(schema) => {
                    let mut problems = validate_structural(&path, &schema);
                    if problems.is_empty() {
                        let context = DefaultsContext {
                            require_pruned: self.options.require_pruned_defaults,
                            cost_budget: OBJECT_BUDGET,
                        };
                        problems = default::validate_defaults(&path, &schema, true, context);
                    }
                    with_rules = problems.is_empty();
                    found.extend(problems);
                }
            }
        }
        let suppress_cost = self.options.unchanged_schemas.contains(version);
        let outcome = openapi::validate(
            schema,
            &path,
            &self.options.schema,
            with_rules,
            suppress_cost,
        );
        found.extend(outcome.errors);
        if found.is_empty() {
            found.extend(unreadable);
        }
        if outcome.cost.total > MAX_TOTAL_COST {
            for place in &outcome.cost.most_expensive {
                found.push(Error::forbidden(
                    place,
                    "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema",
                ));
            }
            let what =
                "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
            let detail = openapi::cost_message(what, outcome.cost.total, MAX_TOTAL_COST);
            found.push(Error::forbidden(&path, detail));
        }
        errors.extend(found);
    }

    fn selectable(
        &self,
        fields: &[Value],
        schema: &Map<String, Value>,
        version: &str,
        path: &Path,
        errors: &mut ErrorList,
    ) {
        let Ok(schema) = Schema::read(&Value::Object(schema.clone())) else {
            return;
        };
        let mut unique = HashSet::new();
        for (index, field) in fields.iter().enumerate() {
            let place = path.index(index).child("jsonPath");
            let text = field
                .get("jsonPath")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if text.is_empty() {
                errors.push(Error::required(&place, ""));
                continue;
            }
            let (found, target) = match resolve_without_brackets(text, &schema) {
                Ok(found) => found,
                Err(error) => {
                    errors.push(Error::invalid(
                        &place,
                        text,
                        format!("is an invalid path: {error}"),
                    ));
                    continue;
                }
            };
            let found = found.to_string();
            if found == "metadata"
                || found.starts_with("metadata.")
                || found.starts_with("metadata[")
            {
                errors.push(Error::invalid(
                    &place,
                    text,
                    "must not point to fields in metadata",
                ));
            }
            if !matches!(target.kind.as_str(), "string" | "boolean" | "integer") {
                let detail = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
                errors.push(Error::invalid(&place, text, detail));
            }
            if !unique.insert(found) {
                errors.push(Error::duplicate(&place, text));
            }
        }
        if unique.len() > MAX_SELECTABLE && !self.options.too_many_selectable.contains(version) {
            errors.push(Error::too_many(path, Some(unique.len()), MAX_SELECTABLE));
        }
    }
}

fn deprecation_problems(version: &Version<'_>) -> Vec<String> {
    let Some(warning) = version.warning else {
        return Vec::new();
    };
    if !version.deprecated {
        return vec!["can only be set for deprecated versions".to_owned()];
    }
    let mut problems = Vec::new();
    if warning.len() > 256 {
        problems.push("must be <= 256 characters long".to_owned());
    }
    if warning.is_empty() {
        problems.push("must not be an empty string".to_owned());
    }
    let is_printable = |c: char| !c.is_control() && (c == ' ' || !c.is_whitespace());
    if let Some((at, _)) = warning.char_indices().find(|(_, c)| !is_printable(*c)) {
        problems.push(format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {at}"
        ));
    }
    problems
}

fn columns(columns: &[Value], path: &Path, errors: &mut ErrorList) {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 8] = [
        "byte",
        "date",
        "date-time",
        "double",
        "float",
        "int32",
        "int64",
        "password",
    ];
    for (index, column) in columns.iter().enumerate() {
        let path = path.index(index);
        let text = |key: &str| column.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("name").is_empty() {
            errors.push(Error::required(&path.child("name"), ""));
        }
        let detail = format!("must be one of {}", TYPES.join(","));
        let kind = text("type");
        if kind.is_empty() {
            errors.push(Error::required(&path.child("type"), detail));
        } else if !TYPES.contains(&kind) {
            errors.push(Error::invalid(&path.child("type"), kind, detail));
        }
        let format = text("format");
        if !format.is_empty() && !FORMATS.contains(&format) {
            let detail = format!("must be one of {}", FORMATS.join(","));
            errors.push(Error::invalid(&path.child("format"), format, detail));
        }
        let place = path.child("JSONPath");
        let json_path = text("jsonPath");
        if json_path.is_empty() {
            errors.push(Error::required(&place, ""));
        } else {
            is_simple_path(json_path, &place, errors);
        }
    }
}

/// Whether a path begins with a dot; if not that is an error.
fn is_simple_path(text: &str, path: &Path, errors: &mut ErrorList) -> bool {
    let is_simple = text.starts_with('.');
    if !is_simple {
        errors.push(Error::invalid(
            path,
            text,
            "must be a simple json path starting with .",
        ));
    }
    is_simple
}

fn subresources(subresources: Option<&Value>, path: &Path, errors: &mut ErrorList) {
    let scale = subresources
        .and_then(|found| found.get("scale"))
        .and_then(Value::as_object);
    let Some(scale) = scale else { return };
    let text = |key: &str| scale.get(key).and_then(Value::as_str).unwrap_or_default();
    for (key, prefix) in [
        ("specReplicasPath", ".spec."),
        ("statusReplicasPath", ".status."),
    ] {
        let place = path.child(&format!("scale.{key}"));
        let found = text(key);
        if found.is_empty() {
            errors.push(Error::required(&place, ""));
        } else if is_simple_path(found, &place, errors) && !found.starts_with(prefix) {
            let detail = format!(
                "should be a json path under {}",
                prefix.trim_end_matches('.')
            );
            errors.push(Error::invalid(&place, found, detail));
        }
    }
    let selector = text("labelSelectorPath");
    let place = path.child("scale.labelSelectorPath");
    if !selector.is_empty()
        && is_simple_path(selector, &place, errors)
        && !selector.starts_with(".spec.")
        && !selector.starts_with(".status.")
    {
        let detail = "should be a json path under either .spec or .status";
        errors.push(Error::invalid(&place, selector, detail));
    }
}
