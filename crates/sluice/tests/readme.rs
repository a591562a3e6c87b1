//! What the README shows is what happens.

use std::path::Path;
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The first fenced block of a language.
fn block<'a>(text: &'a str, language: &str) -> &'a str {
    let (_, rest) = text
        .split_once(&format!("```{language}\n"))
        .expect("the README has such a block");
    rest.split_once("```").expect("the block ends").0
}

#[test]
fn the_first_command_prints_what_the_readme_says() {
    let readme =
        std::fs::read_to_string(Path::new(ROOT).join("README.md")).expect("the README is there");
    let command = block(&readme, "sh").trim();
    let arguments = command
        .strip_prefix("cargo run --release -- ")
        .expect("the first command runs sluice");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(arguments.split_whitespace())
        .arg("--dir")
        .arg(folder.path())
        .current_dir(ROOT)
        .output()
        .expect("the program starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}{}",
        printed,
        String::from_utf8_lossy(&output.stderr)
    );
    // The first line names the address, which differs from run to run.
    let (address, rest) = printed
        .split_once('\n')
        .expect("it prints where the server is");
    assert!(address.starts_with("https://127.0.0.1:"), "{address}");
    assert_eq!(rest, block(&readme, "text"));
}
