//! Every word in the tables of Flux's words has its constant.
//!
//! Needs the tables: `$SLUICE_FLUX_DATA`, else `shared/flux` beside the checkout.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

mod flux;

use std::fs;
use std::path::Path;

/// The source of all constants.
fn constants() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/constants");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

fn rows(file: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(file).unwrap();
    let cells = |line: &str| line.split('\t').map(str::to_owned).collect();
    text.lines().skip(1).map(cells).collect()
}

#[test]
fn reasons_and_condition_types_have_constants() {
    let Some(data) = flux::data() else { return };
    let constants = constants();
    let mut missing = Vec::new();
    let mut count = 0;
    for row in rows(&data.join("condition-constants.tsv")) {
        let (scope, value) = (&row[0], &row[2]);
        let is_old = scope.contains("beta") && !scope.starts_with("source-watcher");
        if !is_old {
            count += 1;
            if !constants.contains(&format!("\"{value}\"")) {
                missing.push(value.clone());
            }
        }
    }
    for row in rows(&data.join("conditions.tsv")) {
        for value in [&row[3], &row[5]] {
            // Names in brackets are variables, sentences are log lines.
            if !value.is_empty() && !value.starts_with('(') && !value.contains(' ') {
                count += 1;
                if !constants.contains(&format!("\"{value}\"")) {
                    missing.push(value.clone());
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    assert!(count > 300, "{count}");
}

#[test]
fn annotations_labels_and_keys_have_constants() {
    let Some(data) = flux::data() else { return };
    let constants = constants();
    let mut missing = Vec::new();
    for row in rows(&data.join("annotations.tsv")) {
        let class = row[0].as_str();
        if matches!(class, "resource-name") {
            continue;
        }
        for key in row[1]
            .split([',', '|', ' ', '+', '/'])
            .filter(|_| class == "secret-key")
        {
            let word = key
                .trim_matches(|c: char| "()<>".contains(c))
                .trim_start_matches("any>");
            let is_word =
                word.len() > 3 && !word.contains("name") && !["any", "gcr", "for"].contains(&word);
            if is_word && !constants.contains(word) && !matches!(word, "identity.asc") {
                missing.push(word.to_owned());
            }
        }
        if matches!(
            class,
            "annotation" | "label" | "annotation-or-label" | "finalizer"
        ) {
            let key = row[1].split([' ', '<']).next().unwrap_or_default();
            if !constants.contains(&format!("\"{key}\"")) {
                missing.push(key.to_owned());
            }
        }
        if matches!(class, "media-type") && !constants.contains(&format!("\"{}\"", row[1])) {
            missing.push(row[1].clone());
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
