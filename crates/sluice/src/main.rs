//! The `sluice` program: parse, dispatch, give an exit code.

fn main() {}
