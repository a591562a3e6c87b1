//! Runs files of recorded cases: prints those that fail and last how many passed.

mod run;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut tally = testkit::Tally::default();
    for file in std::env::args().skip(1) {
        match testkit::read_jsonl(Path::new(&file)) {
            Ok(cases) => {
                for case in cases {
                    let name = case["name"].as_str().unwrap_or("unnamed").to_owned();
                    tally.record(&name, run::run(&case));
                }
            }
            Err(error) => tally.record(&file, Err(error.to_string())),
        }
    }
    #[expect(clippy::print_stdout, reason = "the report is what the command is for")]
    {
        print!("{}", tally.report());
    }
    if tally.failures().is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
