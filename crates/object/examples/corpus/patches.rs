//! Runs the cases of strategic merge patches, JSON patches, merge patches and three-way merges.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use object::json_patch::JsonPatch;
use object::strategic::{self, PatchTypes, StrategicError, TypeRef};
use object::{Map, Value, merge_patch};

type Outcome = Result<(), String>;

/// Runs a case whose name begins with `strategic/`, `json-and-merge-patch/` or `jsonmerge/`; `None`
/// for others. `folder` has `strategic-schemas.json`.
pub(crate) fn run(name: &str, case: &Value, folder: &Path) -> Option<Outcome> {
    match name.split('/').next()? {
        "strategic" => Some(run_strategic(case, folder)),
        "json-and-merge-patch" => Some(run_patch(case)),
        "jsonmerge" => Some(run_three_way(case)),
        _ => None,
    }
}

/// Compares what came out with what is expected: an error's text, or a value.
fn compare(found: Result<Value, String>, error: Option<&str>, expected: &Value) -> Outcome {
    match (found, error) {
        (Ok(found), None) if found == *expected => Ok(()),
        (Err(found), Some(expected)) if found == expected => Ok(()),
        (Ok(found), None) => Err(format!("{found} instead of {expected}")),
        (Ok(found), Some(expected)) => Err(format!("{found} instead of error {expected:?}")),
        (Err(found), None) => Err(format!("error {found:?} instead of {expected}")),
        (Err(found), Some(expected)) => Err(format!("error {found:?} instead of {expected:?}")),
    }
}

fn schemas(folder: &Path) -> Result<&'static HashMap<String, PatchTypes>, String> {
    static SCHEMAS: OnceLock<HashMap<String, PatchTypes>> = OnceLock::new();
    if let Some(schemas) = SCHEMAS.get() {
        return Ok(schemas);
    }
    let file = folder.join("strategic-schemas.json");
    let shown = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let documents: Map<String, Value> =
        serde_json::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
    let types = |(name, document)| (name, PatchTypes::from_openapi(&document));
    Ok(SCHEMAS.get_or_init(|| documents.into_iter().map(types).collect()))
}

/// The type of a case: its definition is named as the case names it, but for the first letter.
fn schema(case: &Value, folder: &Path) -> Result<TypeRef<'static>, String> {
    let name = case["schema"].as_str().unwrap_or_default();
    let types = schemas(folder)?
        .get(name)
        .ok_or_else(|| format!("no schema {name}"))?;
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    let definition: String = first.into_iter().chain(letters).collect();
    types
        .definition(&definition)
        .ok_or_else(|| format!("no definition {definition}"))
}

fn run_strategic(case: &Value, folder: &Path) -> Outcome {
    let schema = schema(case, folder)?;
    let map = |key: &str| case[key].as_object().cloned().unwrap_or_default();
    let value = |result: Result<Map<String, Value>, StrategicError>| {
        result.map(Value::from).map_err(|error| error.to_string())
    };
    let error = case["error"].as_str();
    match case["op"].as_str().unwrap_or_default() {
        "apply" => {
            let found = strategic::apply(map("original"), map("patch"), schema);
            compare(value(found), error, &case["result"])
        }
        "createTwoWay" => {
            let found = strategic::create_two_way(map("original"), &map("modified"), schema, &[]);
            compare(value(found), error, &case["patch"])
        }
        "createThreeWay" => {
            let found = strategic::create_three_way(
                map("original"),
                &map("modified"),
                map("current"),
                schema,
                case["overwrite"] == true,
                &[],
            );
            compare(value(found), error, &case["patch"])
        }
        "haveConflicts" => {
            let found = strategic::have_conflicts(&map("left"), &map("right"), schema);
            let found = found.map(Value::from).map_err(|error| error.to_string());
            compare(found, error, &case["result"])
        }
        other => Err(format!("unknown operation {other}")),
    }
}

fn run_patch(case: &Value) -> Outcome {
    let (document, patch) = (case["document"].clone(), case["patch"].clone());
    if case["op"] == "mergePatch" {
        let found = merge_patch::apply(document, patch).map_err(|error| error.to_string());
        return compare(found, case["error"].as_str(), &case["result"]);
    }
    match JsonPatch::decode(patch) {
        Err(error) => {
            let expected = case["decodeError"].as_str();
            compare(Err(error.to_string()), expected, &Value::Null)
        }
        Ok(patch) => {
            let found = patch.apply(document).map_err(|error| error.to_string());
            compare(found, case["error"].as_str(), &case["result"])
        }
    }
}

fn run_three_way(case: &Value) -> Outcome {
    let found =
        merge_patch::create_three_way(&case["original"], &case["modified"], &case["current"], &[]);
    let found = found.map_err(|error| error.to_string());
    compare(found, case["error"].as_str(), &case["patch"])
}
