//! Runs conformance corpora: `cargo run --release -p object --example corpus -- FILE…`
//!
//! Prints the failing cases and last `N passed, N failed`; exits with 1 if a case failed.

use std::path::Path;
use std::process::ExitCode;

use object::Value;

mod jsonpath;
mod patches;
mod selectors;
mod smd;
mod text;

/// Runs one case; `None` if it is of a kind that the runner does not know.
type Runner = fn(&str, &Value, &Path) -> Option<Result<(), String>>;

const RUNNERS: &[Runner] = &[
    smd::run,
    patches::run,
    selectors::run,
    text::run,
    jsonpath::run,
];

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn main() -> ExitCode {
    let mut tally = testkit::Tally::default();
    for file in std::env::args_os().skip(1) {
        let file = Path::new(&file);
        let folder = file.parent().unwrap_or(Path::new("."));
        let cases = match testkit::read_jsonl(file) {
            Ok(cases) => cases,
            Err(error) => {
                println!("{error}");
                return ExitCode::FAILURE;
            }
        };
        for case in cases {
            let name = case["name"].as_str().unwrap_or_default();
            let outcome = RUNNERS
                .iter()
                .find_map(|run| run(name, &case, folder))
                .unwrap_or_else(|| Err("no runner knows this case".to_owned()));
            tally.record(name, outcome);
        }
    }
    print!("{}", tally.report());
    if tally.failures().is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
