//! Runs the cases of JSONPath templates.

use std::path::Path;
use std::sync::Mutex;

use object::Value;
use object::jsonpath::JsonPath;

type Outcome = Result<(), String>;

/// The document that templates are filled in from, from the first case of the file.
static DOCUMENT: Mutex<Option<Value>> = Mutex::new(None);

/// Runs a case whose name begins with `jsonpath/`; `None` for others. `folder` has the file whose first
/// case gives the document.
pub(crate) fn run(name: &str, case: &Value, folder: &Path) -> Option<Outcome> {
    if !name.starts_with("jsonpath/") {
        return None;
    }
    if let Some(document) = case.get("document") {
        *DOCUMENT.lock().ok()? = Some(document.clone());
        return Some(Ok(()));
    }
    Some(document(folder).and_then(|document| run_template(case, &document)))
}

fn document(folder: &Path) -> Result<Value, String> {
    let mut document = DOCUMENT.lock().map_err(|error| error.to_string())?;
    if document.is_none() {
        let file = folder.join("jsonpath.jsonl");
        let cases = testkit::read_jsonl(&file).map_err(|error| error.to_string())?;
        *document = cases.iter().find_map(|case| case.get("document")).cloned();
    }
    document.clone().ok_or_else(|| "no document".to_owned())
}

fn run_template(case: &Value, document: &Value) -> Outcome {
    let template = case["template"].as_str().unwrap_or_default();
    let allow = case["allowMissingKeys"] == true;
    let expected = |key: &str| case[key].as_str().unwrap_or_default();
    let compare = |found: String, key: &str| {
        if case[key] == found || (key == "output" && is_reordered(template, &found, expected(key)))
        {
            Ok(())
        } else {
            Err(format!("{key} {found:?} in place of {case}"))
        }
    };
    match JsonPath::parse(template) {
        Err(error) => compare(error.to_string(), "parseError"),
        Ok(path) => {
            let path = path.allow_missing_keys(allow).only_floats(true);
            match path.execute(document) {
                Err(error) => compare(error.to_string(), "error"),
                Ok(output) => compare(output, "output"),
            }
        }
    }
}

/// Go gives the fields of a map in random order to `*` and `..`: the same parts in another order are
/// the same result then.
fn is_reordered(template: &str, found: &str, expected: &str) -> bool {
    let parts = |text: &str| {
        let mut parts: Vec<String> = text.split(' ').map(str::to_owned).collect();
        parts.sort_unstable();
        parts
    };
    let is_random = template.contains(".*") || template.contains("..");
    is_random && parts(found) == parts(expected)
}
