//! Runs conformance cases from files: `corpus FILE.jsonl…`. Prints each failing case and last
//! `N passed, N failed`. A case passes when output or error text are exactly as recorded.

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
    let (mut passed, mut failed) = (0, 0);
    let (mut errors, mut errors_failed) = (0, 0);
    for file in std::env::args().skip(1) {
        let outcomes = match corpus::run_file(Path::new(&file)) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        };
        for outcome in outcomes {
            errors += usize::from(outcome.expects_error);
            errors_failed += usize::from(outcome.failed_as_expected);
            match outcome.difference {
                None => passed += 1,
                Some(difference) => {
                    failed += 1;
                    println!("FAIL {}: {difference}", outcome.name);
                }
            }
        }
    }
    println!("{errors_failed} of {errors} cases that must fail do so");
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
