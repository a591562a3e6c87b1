//! Builds a kustomization: `build DIR [--profile flux] [--repeat N]`; times go to standard error.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the output is the purpose"
)]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use kustomize::{Disk, Options, Profile};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1).cloned()
    };
    let Some(folder) = arguments.first() else {
        println!("usage: build DIR [--profile flux] [--repeat N]");
        return ExitCode::from(2);
    };
    let profile = match value("--profile").as_deref() {
        Some("flux") => Profile::Flux,
        _ => Profile::Command,
    };
    let options = Options {
        profile,
        ..Options::default()
    };
    let repeat = value("--repeat").and_then(|text| text.parse().ok());
    let path = std::path::absolute(folder).unwrap_or_else(|_| Path::new(folder).to_path_buf());
    let mut result = None;
    for _ in 0..repeat.unwrap_or(1).max(1) {
        let start = Instant::now();
        result = Some(kustomize::build_as(&Disk, &path, folder, &options));
        eprintln!("{:?}", start.elapsed());
    }
    match result {
        Some(Ok(output)) => {
            print!("{}", output.yaml);
            ExitCode::SUCCESS
        }
        Some(Err(errors)) => {
            eprintln!("Error: {errors}");
            ExitCode::FAILURE
        }
        None => ExitCode::FAILURE,
    }
}
