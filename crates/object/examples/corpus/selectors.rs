//! Runs the cases of label selectors, `LabelSelector` objects and field selectors.

use std::path::Path;
use std::sync::Mutex;

use object::Value;
use object::selector::{self, FieldSelector, LabelSelector};
use serde_json::json;

type Outcome = Result<(), String>;

/// The label sets that selectors are matched against, from the first case of the file.
static LABEL_SETS: Mutex<Option<Value>> = Mutex::new(None);

/// Runs a case whose name begins with `label-selector`, `label-selector-object` or `field-selector`;
/// `None` for others. `folder` has the files whose first case gives the label sets.
pub(crate) fn run(name: &str, case: &Value, folder: &Path) -> Option<Outcome> {
    let family = name.split('/').next()?;
    match family {
        "label-selector" | "label-selector-object" => {
            if let Some(sets) = case.get("labelSets") {
                *LABEL_SETS.lock().ok()? = Some(sets.clone());
                return Some(Ok(()));
            }
            Some(label_sets(family, folder).and_then(|sets| {
                if family == "label-selector" {
                    run_label(case, &sets)
                } else {
                    run_object(case, &sets)
                }
            }))
        }
        "field-selector" => Some(run_field(case)),
        _ => None,
    }
}

fn label_sets(family: &str, folder: &Path) -> Result<Value, String> {
    let mut sets = LABEL_SETS.lock().map_err(|error| error.to_string())?;
    if sets.is_none() {
        let file = folder.join(format!("{family}.jsonl"));
        let cases = testkit::read_jsonl(&file).map_err(|error| error.to_string())?;
        *sets = cases.iter().find_map(|case| case.get("labelSets")).cloned();
    }
    sets.clone().ok_or_else(|| "no label sets".to_owned())
}

/// Compares the parts of a result, or an error, with those of the case.
fn compare(found: Result<Value, String>, case: &Value) -> Outcome {
    match (found, case["error"].as_str()) {
        (Err(found), Some(expected)) if found == expected => Ok(()),
        (Ok(found), None) => {
            let parts = found.as_object().into_iter().flatten();
            for (key, found) in parts {
                if *found != case[key] {
                    return Err(format!("{key}: {found} instead of {}", case[key]));
                }
            }
            Ok(())
        }
        (found, expected) => Err(format!("{found:?} instead of {expected:?}")),
    }
}

fn matches(selector: &LabelSelector, sets: &Value) -> Vec<bool> {
    let sets = sets.as_array().into_iter().flatten();
    sets.map(|labels| selector.matches(labels)).collect()
}

fn run_label(case: &Value, sets: &Value) -> Outcome {
    let text = case["selector"].as_str().unwrap_or_default();
    let found = LabelSelector::parse(text).map(|selector| {
        let requirements = selector.requirements().iter();
        let requirements: Vec<Value> = requirements
            .map(|one| {
                json!({"key": one.key(), "operator": one.operator().name(), "values": one.values()})
            })
            .collect();
        json!({
            "matches": matches(&selector, sets),
            "requirements": requirements,
            "string": selector.to_string(),
        })
    });
    compare(found.map_err(|error| error.to_string()), case)
}

fn run_object(case: &Value, sets: &Value) -> Outcome {
    let object = &case["labelSelector"];
    let formatted = selector::format_label_selector(object);
    if case["formatted"] != formatted {
        return Err(format!(
            "formatted: {formatted} instead of {}",
            case["formatted"]
        ));
    }
    let found = selector::from_object(object).map(
        |selector| json!({"matches": matches(&selector, sets), "string": selector.to_string()}),
    );
    compare(found.map_err(|error| error.to_string()), case)
}

fn run_field(case: &Value) -> Outcome {
    let text = case["selector"].as_str().unwrap_or_default();
    let found = FieldSelector::parse(text).map(|selector| {
        let requirements = selector.requirements().iter();
        let requirements: Vec<Value> = requirements
            .map(|one| {
                let operator = if one.is_equal { "=" } else { "!=" };
                json!({"field": one.field, "operator": operator, "value": one.value})
            })
            .collect();
        json!({"requirements": requirements, "string": selector.to_string()})
    });
    compare(found.map_err(|error| error.to_string()), case)
}
