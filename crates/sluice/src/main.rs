//! The `sluice` program: parse, dispatch, give an exit code.

use std::process::ExitCode;

/// Most of the work is on small values that live shortly; this allocator is about a third faster at it
/// than the system's, and gives memory back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
