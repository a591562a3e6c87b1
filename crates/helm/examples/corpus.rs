//! Runs conformance cases from files: `corpus FILE.jsonl…`. Prints each failing case and last
//! `N passed, N failed`. An error whose text differs counts as passed and is printed.

#[path = "../tests/corpus/mod.rs"]
mod corpus;

use std::path::Path;
use std::process::ExitCode;

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report of a command"
)]
fn main() -> ExitCode {
    let (mut passed, mut failed, mut texts, mut skipped) = (0, 0, 0, 0);
    for file in std::env::args().skip(1) {
        let path = Path::new(&file);
        let result = if path.is_dir() {
            run_folders(path)
        } else {
            corpus::run_file(path)
        };
        let outcomes = match result {
            Ok(outcomes) => outcomes,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        };
        for outcome in outcomes {
            match outcome.difference {
                _ if outcome.skipped => skipped += 1,
                None => passed += 1,
                Some(difference) if outcome.only_text_differs => {
                    passed += 1;
                    texts += 1;
                    println!("TEXT {}: {difference}", outcome.name);
                }
                Some(difference) => {
                    failed += 1;
                    println!("FAIL {}: {difference}", outcome.name);
                }
            }
        }
    }
    println!("{texts} errors with another text; {skipped} cases of kinds that are not handled");
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs a folder with a `case.json`, or all such folders in one.
fn run_folders(path: &Path) -> Result<Vec<corpus::Outcome>, String> {
    if path.join("case.json").is_file() {
        let corpus = path.parent().and_then(Path::parent).unwrap_or(path);
        return corpus::run_folder(path, &corpus.join("x"));
    }
    let entries =
        std::fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let mut outcomes = Vec::new();
    for folder in folders {
        outcomes.extend(corpus::run_folder(
            &folder,
            &path.parent().unwrap_or(path).join("x"),
        )?);
    }
    Ok(outcomes)
}
