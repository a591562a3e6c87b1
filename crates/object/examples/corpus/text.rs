//! Runs the cases of names, quantities, times and durations.

use std::path::Path;

use object::quantity::Quantity;
use object::time::{Duration, Time, human};
use object::{Value, names};
use serde_json::json;

type Outcome = Result<(), String>;

/// Runs a case whose name begins with `names/`, `quantity/`, `times/` or `human-duration/`; `None` for
/// others.
pub(crate) fn run(name: &str, case: &Value, _folder: &Path) -> Option<Outcome> {
    match name.split('/').next()? {
        "names" => Some(run_names(case)),
        "quantity" => Some(run_quantity(case)),
        "times" => Some(run_time(case)),
        "human-duration" => Some(run_human(case)),
        _ => None,
    }
}

/// Compares the parts that were found with those of the case. A part that the case does not have must
/// be null, and floats may differ by what a text of sixteen digits loses.
fn compare(found: &Value, case: &Value) -> Outcome {
    let parts = found.as_object().into_iter().flatten();
    for (key, found) in parts {
        let expected = &case[key];
        let is_same = match (found.as_f64(), expected.as_f64()) {
            (Some(found), Some(expected)) if key == "float" => found == expected,
            _ => found == expected,
        };
        if !is_same {
            return Err(format!("{key}: {found} instead of {expected}"));
        }
    }
    Ok(())
}

fn run_names(case: &Value) -> Outcome {
    let value = case["value"].as_str().unwrap_or_default();
    let found = json!({
        "cIdentifier": names::c_identifier(value),
        "configMapKey": names::config_map_key(value),
        "dns1035Label": names::dns1035_label(value),
        "dns1123Label": names::dns1123_label(value),
        "dns1123Subdomain": names::dns1123_subdomain(value),
        "envVarName": names::env_var_name(value),
        "httpHeaderName": names::http_header_name(value),
        "labelValue": names::label_value(value),
        "pathSegmentName": names::path_segment_name(value),
        "percent": names::percent(value),
        "portName": names::port_name(value),
        "qualifiedName": names::qualified_name(value),
        "relaxedEnvVarName": names::relaxed_env_var_name(value),
        "wildcardDns1123Subdomain": names::wildcard_dns1123_subdomain(value),
    });
    compare(&found, case)
}

fn run_quantity(case: &Value) -> Outcome {
    if let Some(json) = case.get("json") {
        let found = match Quantity::from_json(json) {
            Ok(quantity) => json!({"error": null, "marshalled": quantity.to_string()}),
            // The zero that is there before decoding stays.
            Err(error) => json!({
                "error": error.to_string(),
                "marshalled": Quantity::default().to_string(),
            }),
        };
        return compare(&found, case);
    }
    let found = match Quantity::parse(case["input"].as_str().unwrap_or_default()) {
        Err(error) => json!({"error": error.to_string()}),
        Ok(quantity) => json!({
            "error": null,
            "canonical": quantity.to_string(),
            "float": quantity.as_approximate_f64(),
            "format": quantity.format().name(),
            "milliValue": quantity.milli_value(),
            "sign": quantity.sign(),
            "value": quantity.value(),
        }),
    };
    compare(&found, case)
}

fn run_time(case: &Value) -> Outcome {
    let json = &case["json"];
    let has = |key: &str| case.get(key).is_some();
    if has("duration") || has("durationError") {
        let found = match Duration::from_json(json) {
            Ok(duration) => json!({"duration": duration.to_string(), "durationError": null}),
            Err(error) => json!({"duration": null, "durationError": error.to_string()}),
        };
        return compare(&found, case);
    }
    let time = match Time::from_json(json) {
        Ok(time) => json!({"time": time.to_json(), "timeError": null}),
        Err(error) => json!({"time": null, "timeError": error.to_string()}),
    };
    compare(&time, case)?;
    let time = match Time::from_json_micro(json) {
        Ok(time) => json!({"microTime": time.to_json_micro(), "microTimeError": null}),
        Err(error) => json!({"microTime": null, "microTimeError": error.to_string()}),
    };
    compare(&time, case)
}

fn run_human(case: &Value) -> Outcome {
    let duration = match (case["seconds"].as_i64(), case["milliseconds"].as_i64()) {
        (Some(seconds), _) => Duration::from_seconds(seconds),
        (None, Some(milliseconds)) => Duration::from_milliseconds(milliseconds),
        (None, None) => return Err("no duration".to_owned()),
    };
    let mut found = json!({"human": human::human(duration)});
    if case.get("short").is_some() {
        found["short"] = human::short_human(duration).into();
    }
    compare(&found, case)
}
