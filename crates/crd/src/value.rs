//! Checking values against a schema, with the errors that the API server gives.
//!
//! Source: kube-openapi `pkg/validation/{validate,errors}`, apiextensions-apiserver
//! `pkg/apiserver/validation`.

mod correlation;
mod formats;
mod number;
mod outcome;

use object::field::{self, ErrorList, Path};
use object::goprint;
use serde_json::{Map, Value};

use crate::goregex;
use crate::schema::{Additional, Schema};
use outcome::{Code, Finding, Outcome};

pub use correlation::{Correlation, MapList};
pub use formats::{is_supported as is_supported_format, validates as validates_format};

/// From which form of the schema values are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As the definition has it: int-or-string is a type, unsupported formats count for nothing.
    Definition,
    /// As its structural form has it, which is used for default values.
    Structural,
}

/// Checks values against one schema.
#[derive(Debug, Clone, Copy)]
pub struct Validator<'a> {
    schema: &'a Schema,
    form: Form,
}

/// The type of a JSON value in the words of JSON schema.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if goprint::is_int64(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl<'a> Validator<'a> {
    /// Checks objects as the API server checks custom resources.
    pub fn of_definition(schema: &'a Schema) -> Self {
        Self {
            schema,
            form: Form::Definition,
        }
    }

    /// Checks values as the API server checks defaults.
    pub fn of_structural(schema: &'a Schema) -> Self {
        Self {
            schema,
            form: Form::Structural,
        }
    }

    /// What is wrong with `value`.
    pub fn validate(&self, path: &Path, value: &Value) -> ErrorList {
        let outcome = self.node(self.schema, "", value, None);
        outcome.into_errors(path)
    }

    /// What is wrong with `value` that was not already so in the old value it is correlated with.
    pub fn validate_update(
        &self,
        path: &Path,
        value: &Value,
        correlation: &Correlation<'_>,
    ) -> ErrorList {
        let outcome = self.correlated(self.schema, "", value, correlation);
        outcome.into_errors(path)
    }

    fn correlated(
        &self,
        schema: &Schema,
        path: &str,
        value: &Value,
        correlation: &Correlation<'_>,
    ) -> Outcome {
        let mut outcome = self.node(schema, path, value, Some(correlation));
        if !outcome.is_valid() && correlation.is_unchanged() {
            outcome.findings.clear();
        }
        outcome
    }

    fn field(
        &self,
        name: &str,
        schema: &Schema,
        parent: &str,
        path: &str,
        value: &Value,
        correlation: Option<&Correlation<'_>>,
    ) -> Outcome {
        let is_type = parent.is_empty() && matches!(name, "kind" | "apiVersion");
        match correlation.and_then(|correlation| correlation.key(name)) {
            Some(child) if !is_type => self.correlated(schema, path, value, &child),
            _ => self.node(schema, path, value, None),
        }
    }

    fn node(
        &self,
        schema: &Schema,
        path: &str,
        value: &Value,
        correlation: Option<&Correlation<'_>>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let types = self.types(schema);
        let format = self.format(schema);
        if value.is_null() {
            outcome.merge(check_type(&types, format, schema.nullable, path, value));
            outcome.merge(check_enum(schema, path, value));
            return outcome;
        }
        if !types.is_empty() || !format.is_empty() {
            outcome.merge(check_type(&types, format, schema.nullable, path, value));
            outcome.matches += 1;
        }
        outcome.merge(self.junctors(schema, path, value, correlation));
        outcome.matches += 1;
        match value {
            Value::String(text) => {
                outcome.merge(check_text(schema, path, text));
                outcome.matches += 1;
                if !format.is_empty() && formats::is_supported(format) {
                    if !formats::validates(format, text) {
                        outcome.add(Finding::wrong_type(path, format, text));
                    }
                    outcome.matches += 1;
                }
            }
            Value::Number(number) => {
                outcome.merge(number::check(schema, path, number));
                outcome.matches += 1;
            }
            Value::Array(items) => {
                outcome.merge(self.list(schema, path, items, correlation));
                outcome.matches += 1;
            }
            _ => {}
        }
        outcome.merge(check_enum(schema, path, value));
        outcome.matches += 1;
        if let Value::Object(map) = value {
            outcome.merge(self.object(schema, path, map, correlation));
            outcome.matches += 1;
        }
        outcome.matches += 1;
        outcome
    }

    fn types<'s>(&self, schema: &'s Schema) -> Vec<&'s str> {
        if schema.int_or_string && self.form == Form::Definition {
            vec!["integer", "string"]
        } else if schema.kind.is_empty() {
            Vec::new()
        } else {
            vec![&schema.kind]
        }
    }

    fn format<'s>(&self, schema: &'s Schema) -> &'s str {
        let format = schema.value.format.as_str();
        if self.form == Form::Definition && !formats::is_supported(format) {
            ""
        } else {
            format
        }
    }

    fn junctors(
        &self,
        schema: &Schema,
        path: &str,
        value: &Value,
        correlation: Option<&Correlation<'_>>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let restrictions = &schema.value;
        let run = |branch: &Schema| self.node(branch, path, value, correlation);
        if !restrictions.any_of.is_empty() {
            outcome.merge(any_of(restrictions.any_of.iter().map(run), path));
        }
        if !restrictions.one_of.is_empty() {
            outcome.merge(one_of(restrictions.one_of.iter().map(run), path));
        }
        if !restrictions.all_of.is_empty() {
            let mut valid = 0;
            for branch in restrictions.all_of.iter().map(run) {
                valid += usize::from(branch.is_valid());
                outcome.merge(branch);
            }
            if valid != restrictions.all_of.len() {
                let more = if valid == 0 { ". None validated" } else { "" };
                outcome.add(Finding::plain(format!(
                    "{} must validate all the schemas (allOf){more}",
                    field::quote(path)
                )));
            }
        }
        if let Some(not) = &restrictions.not
            && run(not).is_valid()
        {
            outcome.add(Finding::plain(format!(
                "{} must not validate the schema (not)",
                field::quote(path)
            )));
        }
        outcome.matches += 1;
        outcome
    }

    fn list(
        &self,
        schema: &Schema,
        path: &str,
        items: &[Value],
        correlation: Option<&Correlation<'_>>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        if let Some(item_schema) = &schema.items {
            for (index, item) in items.iter().enumerate() {
                let place = format!("{path}[{index}]");
                outcome.merge(
                    match correlation.and_then(|correlation| correlation.index(index)) {
                        Some(child) => self.correlated(item_schema, &place, item, &child),
                        None => self.node(item_schema, &place, item, None),
                    },
                );
            }
        }
        let size = items.len() as i64;
        if let Some(minimum) = schema.value.min_items
            && size < minimum
        {
            let message = format!("{path} in body should have at least {minimum} items");
            outcome.add(Finding::new(Code::Other, path, Some(size.into()), message));
        }
        if let Some(maximum) = schema.value.max_items
            && size > maximum
        {
            let message = format!("{path} in body should have at most {maximum} items");
            outcome.add(Finding::new(
                Code::TooMany(maximum),
                path,
                Some(size.into()),
                message,
            ));
        }
        if schema.value.unique_items {
            let is_repeated = items
                .iter()
                .enumerate()
                .any(|(index, item)| items[..index].contains(item));
            if is_repeated {
                let message = format!("{path} in body shouldn't contain duplicates");
                outcome.add(Finding::new(Code::Other, path, None, message));
            }
        }
        outcome.matches += 1;
        outcome
    }

    fn object(
        &self,
        schema: &Schema,
        path: &str,
        map: &Map<String, Value>,
        correlation: Option<&Correlation<'_>>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        property_count(schema, path, map.len() as i64, &mut outcome);
        match &schema.additional {
            Some(Additional::Allowed(false)) => {
                for name in map
                    .keys()
                    .filter(|name| !schema.properties.contains_key(*name))
                {
                    let message = format!("{path}.{name} in body is a forbidden property");
                    let value = Some(name.as_str().into());
                    outcome.add(Finding::new(Code::Other, path, value, message));
                }
            }
            Some(Additional::Schema(values)) => {
                for (name, value) in map {
                    if schema.properties.contains_key(name) {
                        continue;
                    }
                    let place = format!("{path}.{name}");
                    outcome.merge(self.field(name, values, path, &place, value, correlation));
                }
            }
            Some(Additional::Allowed(true)) | None => {}
        }
        for (name, field) in &schema.properties {
            if let Some(value) = map.get(name) {
                let place = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                outcome.merge(self.field(name, field, path, &place, value, correlation));
            }
        }
        for name in &schema.value.required {
            if !map.contains_key(name) {
                let place = format!("{path}.{name}");
                let message = format!("{place} in body is required");
                outcome.add(Finding::new(Code::Required, &place, None, message));
            }
        }
        outcome
    }
}

fn property_count(schema: &Schema, path: &str, count: i64, outcome: &mut Outcome) {
    if let Some(minimum) = schema.value.min_properties
        && count < minimum
    {
        let message = format!("{path} in body should have at least {minimum} properties");
        outcome.add(Finding::new(Code::Other, path, Some(count.into()), message));
    }
    if let Some(maximum) = schema.value.max_properties
        && count > maximum
    {
        let message = format!("{path} in body should have at most {maximum} properties");
        outcome.add(Finding::new(
            Code::TooMany(maximum),
            path,
            Some(count.into()),
            message,
        ));
    }
}

fn any_of(branches: impl Iterator<Item = Outcome>, path: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let mut best: Option<Outcome> = None;
    for branch in branches {
        if branch.is_valid() {
            outcome.merge(branch);
            return outcome;
        }
        if best
            .as_ref()
            .is_none_or(|best| branch.matches > best.matches)
        {
            best = Some(branch);
        }
    }
    outcome.add(Finding::plain(format!(
        "{} must validate at least one schema (anyOf)",
        field::quote(path)
    )));
    if let Some(best) = best {
        outcome.merge(best);
    }
    outcome
}

fn one_of(branches: impl Iterator<Item = Outcome>, path: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let mut best: Option<Outcome> = None;
    let mut first: Option<Outcome> = None;
    let mut valid = 0;
    for branch in branches {
        if branch.is_valid() {
            valid += 1;
            best = None;
            first.get_or_insert(branch);
        } else if valid == 0
            && best
                .as_ref()
                .is_none_or(|best| branch.matches > best.matches)
        {
            best = Some(branch);
        }
    }
    if valid == 1 {
        outcome.merge(first.unwrap_or_default());
        return outcome;
    }
    let more = if valid == 0 {
        "Found none valid".to_owned()
    } else {
        format!("Found {valid} valid alternatives")
    };
    outcome.add(Finding::plain(format!(
        "{} must validate one and only one schema (oneOf). {more}",
        field::quote(path)
    )));
    if let Some(best) = best {
        outcome.merge(best);
    }
    outcome
}

fn check_type(types: &[&str], format: &str, nullable: bool, path: &str, value: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let has = |kind: &str| types.contains(&kind);
    if value.is_null() {
        if types.is_empty() || nullable {
            outcome.matches += 1;
        } else {
            outcome.add(Finding::wrong_type(path, &types.join(","), "null"));
        }
        return outcome;
    }
    let kind = type_of(value);
    let is_integral_float =
        kind == "number" && value.as_f64().is_some_and(number::is_integral) && has("integer");
    let is_integer_as_number = kind == "integer" && has("number");
    let own_format = match kind {
        "integer" => "int64",
        "number" => "float64",
        _ => "",
    };
    let is_fitting = has(kind) || is_integral_float || is_integer_as_number;
    let is_text_or_list = matches!(kind, "string" | "array");
    if !is_text_or_list && !format.is_empty() && !is_fitting && own_format != format {
        outcome.add(Finding::wrong_type(path, format, own_format));
    } else if !has("number") && !has("integer") && !format.is_empty() && is_text_or_list
        || is_fitting
    {
        outcome.matches += 1;
    } else {
        outcome.add(Finding::wrong_type(path, &types.join(","), kind));
    }
    outcome
}

fn check_enum(schema: &Schema, path: &str, value: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(allowed) = &schema.value.allowed else {
        return outcome;
    };
    let is_allowed = allowed.iter().any(|allowed| {
        allowed == value
            || match (allowed, value) {
                // Go converts the value to the type of the allowed one.
                (Value::Number(allowed), Value::Number(value)) => {
                    if goprint::is_int64(allowed) {
                        allowed.as_i64() == value.as_f64().map(|value| value as i64)
                    } else {
                        allowed.as_f64() == value.as_f64()
                    }
                }
                _ => false,
            }
    });
    if !is_allowed || value.is_null() {
        let message = format!(
            "{path} in body should be one of {}",
            goprint::list_v(allowed)
        );
        outcome.add(Finding::new(
            Code::Enum(allowed.clone()),
            path,
            Some(value.clone()),
            message,
        ));
    }
    outcome
}

fn check_text(schema: &Schema, path: &str, text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let length = || text.chars().count() as i64;
    let value = Some(Value::from(text));
    if let Some(maximum) = schema.value.max_length
        && length() > maximum
    {
        let message = format!("{path} in body should be at most {maximum} chars long");
        outcome.add(Finding::new(Code::TooLong(maximum), path, value, message));
    } else if let Some(minimum) = schema.value.min_length
        && length() < minimum
    {
        let message = format!("{path} in body should be at least {minimum} chars long");
        outcome.add(Finding::new(Code::Other, path, value, message));
    } else if !schema.value.pattern.is_empty() {
        let pattern = &schema.value.pattern;
        let message = match goregex::compile(pattern) {
            Err(error) => {
                format!("{path} in body should match '{pattern}, but pattern is invalid: {error}'")
            }
            Ok(regex) if !regex.is_match(text) => {
                format!("{path} in body should match '{pattern}'")
            }
            Ok(_) => return outcome,
        };
        outcome.add(Finding::new(Code::Other, path, value, message));
    }
    outcome
}
