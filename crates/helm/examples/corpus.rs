//! Runs conformance cases: `corpus PATH…`, each a file of JSON lines, a folder with a `case.json`, or a folder of
//! these. Every case runs as all versions of Helm. Prints each failing case and last `N passed, N failed`. An error
//! whose text differs counts as passed and is printed.

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
    let (mut passed, mut failed, mut texts) = (0, 0, 0);
    for path in std::env::args().skip(1) {
        let outcomes = match corpus::run_path(Path::new(&path)) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        };
        for outcome in outcomes {
            match outcome.difference {
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
    println!("{texts} errors with another text");
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
