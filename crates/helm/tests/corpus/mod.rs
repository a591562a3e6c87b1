//! Running conformance cases of Helm: files of JSON lines (`lines`), and folders with command lines (`folders`),
//! each as every version of Helm that is followed.

#![expect(
    unreachable_pub,
    reason = "shared by an example and a test, each with its own crate"
)]

mod folders;
mod lines;

use std::path::Path;

use gotemplate::{Str, Value};
use helm::Compat;

pub use folders::run_folder;
pub use lines::run_file;

/// The versions, and what the corpora call them.
pub const VERSIONS: [(Compat, &str); 3] = [
    (Compat::V3, "3.22.0"),
    (Compat::V4, "4.2.4"),
    (Compat::V4_3, "4.3.1"),
];

/// What one case came to.
pub struct Outcome {
    /// The case's name, and the version.
    pub name: String,
    /// What differed; `None` when all is as recorded.
    pub difference: Option<String>,
    /// An error was expected and came, with another text.
    pub only_text_differs: bool,
}

/// Runs a file of JSON lines, a folder with a `case.json`, or all such folders in one.
pub fn run_path(path: &Path) -> Result<Vec<Outcome>, String> {
    if !path.is_dir() {
        return run_file(path);
    }
    if path.join("case.json").is_file() {
        return run_folder(path);
    }
    let entries =
        std::fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut inner: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    inner.sort();
    let mut outcomes = Vec::new();
    for path in inner {
        let is_lines = path
            .extension()
            .is_some_and(|extension| extension == "jsonl");
        if is_lines || path.is_dir() {
            outcomes.extend(run_path(&path)?);
        }
    }
    Ok(outcomes)
}

fn strings(list: &Value) -> Vec<String> {
    let items = list.as_list().unwrap_or_default().iter();
    items
        .filter_map(|item| item.as_str().map(Str::to_string))
        .collect()
}

fn get(case: &Value, key: &str) -> Value {
    case.as_map()
        .and_then(|map| map.get(key))
        .unwrap_or_default()
}

fn has(case: &Value, key: &str) -> bool {
    case.as_map().is_some_and(|map| map.contains_key(key))
}

fn text(case: &Value, key: &str) -> String {
    get(case, key)
        .as_str()
        .map(Str::to_string)
        .unwrap_or_default()
}
