//! Runs a corpus of `kustomize build` cases: `corpus DIR [--profile command|flux] [--errors]`.
//!
//! Prints each failing case and, last, `N passed, N failed`. An output case passes when the output is the
//! same bytes, an error case when the build fails. How many first lines of errors agree is printed too;
//! `--errors` shows those that do not.

#![expect(clippy::print_stdout, reason = "the report is the purpose")]

#[path = "../tests/cases/mod.rs"]
mod cases;

use std::path::PathBuf;
use std::process::ExitCode;

use kustomize::Profile;

#[derive(Default)]
struct Report {
    passed: usize,
    failed: usize,
    errors: usize,
    same_first_line: usize,
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let show_errors = take_flag(&mut arguments, "--errors");
    let profiles = match take_value(&mut arguments, "--profile").as_deref() {
        Some("command") => vec![Profile::Command],
        Some("flux") => vec![Profile::Flux],
        _ => vec![Profile::Command, Profile::Flux],
    };
    let only = take_value(&mut arguments, "--only").unwrap_or_default();
    let Some(folder) = arguments.first().map(PathBuf::from) else {
        println!("usage: corpus DIR [--profile command|flux] [--only PART] [--errors]");
        return ExitCode::from(2);
    };
    let (mut passed, mut failed) = (0, 0);
    for profile in profiles {
        let report = run_all(&folder, profile, &only, show_errors);
        println!(
            "{profile:?}: {} passed, {} failed; {} of {} errors with the same first line",
            report.passed, report.failed, report.same_first_line, report.errors
        );
        passed += report.passed;
        failed += report.failed;
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

fn run_all(corpus: &std::path::Path, profile: Profile, only: &str, show_errors: bool) -> Report {
    let mut report = Report::default();
    for case in cases::folders(corpus) {
        let name = case
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if !name.contains(only) {
            continue;
        }
        let Some(outcome) = cases::run(&case, profile) else {
            continue;
        };
        if let Some((wanted, found)) = outcome.first_lines {
            report.errors += 1;
            if wanted == found {
                report.same_first_line += 1;
            } else if show_errors {
                println!("{name}\n    wanted {wanted}\n    found  {found}");
            }
        }
        match outcome.problem {
            None => report.passed += 1,
            Some(problem) => {
                report.failed += 1;
                println!("FAIL {profile:?} {name}: {problem}");
            }
        }
    }
    report
}

fn take_flag(arguments: &mut Vec<String>, name: &str) -> bool {
    let before = arguments.len();
    arguments.retain(|argument| argument != name);
    arguments.len() < before
}

fn take_value(arguments: &mut Vec<String>, name: &str) -> Option<String> {
    let at = arguments.iter().position(|argument| argument == name)?;
    let value = arguments.get(at + 1).cloned();
    arguments.drain(at..(at + 2).min(arguments.len()));
    value
}
