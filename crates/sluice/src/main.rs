//! The `sluice` program: parse, dispatch, give an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
