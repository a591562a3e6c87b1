//! Runs the recorded cases of the API server's libraries.

use crd::default::{default, prune_nulls};
use crd::objectmeta::{self, CoerceOptions};
use crd::prune::{PruneOptions, prune};
use crd::rules::{Budget, Rules};
use crd::schema::{Schema, validate_structural};
use crd::value::{Correlation, Validator};
use crd::{definition, listtype};
use object::field::{ErrorList, Path};
use serde_json::{Value, json};

/// Runs one case; the error says what differs.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    match case["op"].as_str().unwrap_or_default() {
        "cel" => cel(case),
        "structural" => structural(case),
        "prune" => pruned(case),
        "default" | "pruneNulls" => defaulted(case),
        "listTypes" => list_types(case),
        "coerceObjectMeta" => coerced(case),
        "validateObjectMeta" => {
            let schema = read(case)?;
            let root = case["root"] == true;
            let errors = objectmeta::validate(&place(case), &case["object"], Some(&schema), root);
            same_errors(case, &errors)
        }
        "validate" => {
            let schema = read(case)?;
            let validator = Validator::of_definition(&schema);
            same_errors(case, &validator.validate(&Path::root(), &case["object"]))
        }
        "validateUpdate" => {
            let schema = read(case)?;
            let correlation = Correlation::new(&case["object"], &case["oldObject"], &schema);
            let validator = Validator::of_definition(&schema);
            let errors = validator.validate_update(&Path::root(), &case["object"], &correlation);
            same_errors(case, &errors)
        }
        "create" => same_errors(case, &definition::validate_create(&case["object"])),
        "update" => same_errors(
            case,
            &definition::validate_update(&case["object"], &case["oldObject"]),
        ),
        other => Err(format!("unknown kind of case {other:?}")),
    }
}

fn read(case: &Value) -> Result<Schema, String> {
    Schema::read(&case["schema"]).map_err(|error| error.to_string())
}

/// The path of the recorded call: it is not recorded, but heads the expected errors.
fn place(case: &Value) -> Path {
    let messages = case["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|error| &error["field"]);
    let text = messages
        .chain([&case["error"]])
        .find_map(|field| field.as_str())
        .unwrap_or_default();
    if let (Some(at), "structural") = (
        text.find("openAPIV3Schema"),
        case["op"].as_str().unwrap_or_default(),
    ) {
        return Path::new(&text[..at + "openAPIV3Schema".len()]);
    }
    match text.find(".default") {
        Some(at) => Path::new(&text[..at + ".default".len()]),
        None => Path::root(),
    }
}

fn cel(case: &Value) -> Result<(), String> {
    let schema = read(case)?;
    let Some(rules) = Rules::compile(&schema, case["root"] == true) else {
        return same_errors(case, &Vec::new());
    };
    let (object, old) = (&case["object"], &case["oldObject"]);
    let old = (!old.is_null()).then_some(old);
    let ratcheting = case["ratcheting"] == true;
    let correlation = old
        .filter(|_| ratcheting)
        .map(|old| Correlation::new(object, old, &schema));
    let mut budget = Budget::new(case["costBudget"].as_i64().unwrap_or_default());
    let path = Path::new(case["path"].as_str().unwrap_or_default());
    let errors = rules.validate(&path, object, old, correlation.as_ref(), &mut budget);
    same_errors(case, &errors)
}

fn structural(case: &Value) -> Result<(), String> {
    match Schema::read(&case["schema"]) {
        Ok(schema) => same_errors(case, &validate_structural(&place(case), &schema)),
        Err(error) => Err(error.to_string()),
    }
}

fn pruned(case: &Value) -> Result<(), String> {
    let mut object = case["object"].clone();
    let options = PruneOptions {
        track_unknown: case["trackUnknown"] == true,
    };
    let schema = read(case)?;
    let schema = (!case["schema"].is_null()).then_some(&schema);
    let unknown = prune(&mut object, schema, case["root"] == true, options);
    same("result", &case["result"], &object)?;
    same(
        "unknownPaths",
        &paths(&case["unknownPaths"]),
        &json!(unknown),
    )
}

fn defaulted(case: &Value) -> Result<(), String> {
    let mut object = case["object"].clone();
    let schema = read(case)?;
    let has_schema = !case["schema"].is_null();
    if case["op"] == "pruneNulls" {
        prune_nulls(&mut object, has_schema.then_some(&schema));
    } else if has_schema {
        default(&mut object, &schema);
    }
    same("result", &case["result"], &object)
}

fn list_types(case: &Value) -> Result<(), String> {
    let schema = read(case)?;
    same_errors(
        case,
        &listtype::validate(&Path::new("root"), &schema, &case["object"]),
    )
}

fn coerced(case: &Value) -> Result<(), String> {
    let mut object = case["object"].clone();
    let schema = read(case)?;
    let schema = (!case["schema"].is_null()).then_some(&schema);
    let options = CoerceOptions {
        drop_invalid: case["dropInvalid"] == true,
        track_unknown: !case["unknownPaths"].is_null(),
    };
    let path = place(case);
    match objectmeta::coerce(&path, &mut object, schema, case["root"] == true, options) {
        Ok(unknown) => {
            same("error", &case["error"], &Value::Null)?;
            same("result", &case["result"], &object)?;
            same(
                "unknownPaths",
                &paths(&case["unknownPaths"]),
                &json!(unknown),
            )
        }
        Err(error) => same("error", &case["error"], &json!(error.to_string())),
    }
}

/// No paths are recorded as null.
fn paths(recorded: &Value) -> Value {
    if recorded.is_null() {
        json!([])
    } else {
        recorded.clone()
    }
}

fn same(what: &str, expected: &Value, actual: &Value) -> Result<(), String> {
    if expected == actual {
        return Ok(());
    }
    Err(format!(
        "{what}\n  expected {expected}\n  actual   {actual}"
    ))
}

/// Errors are compared as sets: upstream goes over maps in any order.
fn same_errors(case: &Value, errors: &ErrorList) -> Result<(), String> {
    let mut actual: Vec<Value> = errors
        .iter()
        .map(|error| {
            json!({
                "field": error.field,
                "message": mask(&error.to_string()),
                "type": error.kind.reason(),
            })
        })
        .collect();
    let mut expected: Vec<Value> = case["errors"].as_array().cloned().unwrap_or_default();
    for error in &mut expected {
        error["message"] = mask(error["message"].as_str().unwrap_or_default()).into();
    }
    actual.sort_by_cached_key(Value::to_string);
    expected.sort_by_cached_key(Value::to_string);
    same("errors", &Value::Array(expected), &Value::Array(actual))
}

/// The type of `self` has a number that upstream takes from the clock.
fn mask(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("selfType") {
        let (before, after) = rest.split_at(at + "selfType".len());
        out.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out + rest
}
