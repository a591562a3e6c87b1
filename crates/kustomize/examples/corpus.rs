//! Runs a corpus of `kustomize build` cases: `corpus DIR [--profile command|flux] [--errors]`.
//!
//! Prints each failing case and, last, `N passed, N failed`. An output case passes when the output is the
//! same bytes, an error case when the build fails. How many first lines of errors agree is printed too;
//! `--errors` shows those that do not.

#![expect(clippy::print_stdout, reason = "the report is the purpose")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kustomize::{Disk, LoadRestrictor, Options, Profile, Reorder};

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
    let show_diff = take_flag(&mut arguments, "--diff");
    let profiles = match take_value(&mut arguments, "--profile").as_deref() {
        Some("command") => vec![Profile::Command],
        Some("flux") => vec![Profile::Flux],
        _ => vec![Profile::Command, Profile::Flux],
    };
    let only = take_value(&mut arguments, "--only");
    let Some(folder) = arguments.first().map(PathBuf::from) else {
        println!("usage: corpus DIR [--profile command|flux] [--only PART] [--errors] [--diff]");
        return ExitCode::from(2);
    };
    let mut total = Report::default();
    for profile in profiles {
        let mut report = Report::default();
        for case in cases(&folder) {
            let name = case
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            if only
                .as_ref()
                .is_some_and(|only| !name.contains(only.as_str()))
            {
                continue;
            }
            if let Some(problem) = run(&case, profile, &mut report, show_errors, show_diff) {
                println!("FAIL {profile:?} {name}: {problem}");
            }
        }
        println!(
            "{profile:?}: {} passed, {} failed; {} of {} errors with the same first line",
            report.passed, report.failed, report.same_first_line, report.errors
        );
        total.passed += report.passed;
        total.failed += report.failed;
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
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

fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("case.json").exists())
        .collect();
    cases.sort();
    cases
}

/// Runs a case; a text says what is wrong.
fn run(
    case: &Path,
    profile: Profile,
    report: &mut Report,
    show_errors: bool,
    show_diff: bool,
) -> Option<String> {
    let meta = std::fs::read(case.join("case.json")).ok()?;
    let meta: serde_json::Value = serde_json::from_slice(&meta).ok()?;
    let root = case.join("in").canonicalize().ok()?;
    let (mut expect, mut suffix) = (meta["expect"].as_str().unwrap_or_default().to_owned(), "");
    if profile == Profile::Flux {
        match meta["flux"].as_str() {
            Some("n/a") => return None,
            Some("same") | None => {}
            Some(other) => {
                other.clone_into(&mut expect);
                suffix = ".flux";
            }
        }
    }
    let setting = &meta["options"];
    let options = Options {
        profile,
        reorder: if setting["reorder"] == "none" {
            Reorder::None
        } else {
            Reorder::Legacy
        },
        load_restrictor: if setting["loadRestrictor"] == "none" {
            LoadRestrictor::None
        } else {
            LoadRestrictor::RootOnly
        },
        managed_by_label: setting["managedByLabel"] == true && profile == Profile::Command,
        source_root: (profile == Profile::Flux).then(|| root.clone()),
        ..Options::default()
    };
    let path = meta["path"].as_str().unwrap_or(".");
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        kustomize::build_as(&Disk, &root.join(path), path, &options)
    }));
    let Ok(result) = result else {
        report.failed += 1;
        return Some("panicked".to_owned());
    };
    let problem = match (expect.as_str(), result) {
        ("output", Ok(output)) => {
            let wanted = std::fs::read(case.join(format!("out{suffix}.yaml"))).unwrap_or_default();
            (output.yaml.as_bytes() != wanted).then(|| {
                if show_diff {
                    difference(&String::from_utf8_lossy(&wanted), &output.yaml)
                } else {
                    "other output".to_owned()
                }
            })
        }
        ("output", Err(errors)) => Some(format!("error: {errors}")),
        (_, Ok(_)) => Some("no error".to_owned()),
        (_, Err(errors)) => {
            report.errors += 1;
            let wanted = std::fs::read_to_string(case.join(format!("error{suffix}.txt")))
                .unwrap_or_default();
            let wanted = wanted.replace("{{IN}}", &root.display().to_string());
            let wanted = wanted
                .lines()
                .next()
                .unwrap_or("")
                .trim_start_matches("Error: ");
            let found = errors
                .first()
                .map_or_else(String::new, |error| error.message.clone());
            let found = found.lines().next().unwrap_or("");
            if without_addresses(found) == without_addresses(wanted) {
                report.same_first_line += 1;
            } else if show_errors {
                println!(
                    "  {}\n    wanted {wanted}\n    found  {found}",
                    case.display()
                );
            }
            None
        }
    };
    match problem {
        None => report.passed += 1,
        Some(_) => report.failed += 1,
    }
    problem
}

/// Pointers differ from run to run.
fn without_addresses(text: &str) -> String {
    text.split(' ')
        .map(|word| {
            let bare = word.trim_start_matches(['&', '{', '[']);
            if bare.starts_with("0x") {
                "0xADDR"
            } else {
                word
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn difference(wanted: &str, found: &str) -> String {
    let mut text = String::from("\n");
    let (mut wanted, mut found) = (wanted.lines(), found.lines());
    let mut shown = 0;
    loop {
        let pair = (wanted.next(), found.next());
        if pair == (None, None) || shown >= 4 {
            return text;
        }
        if pair.0 != pair.1 {
            shown += 1;
            text.push_str(&format!(
                "    - {}\n    + {}\n",
                pair.0.unwrap_or("<end>"),
                pair.1.unwrap_or("<end>")
            ));
        }
    }
}
