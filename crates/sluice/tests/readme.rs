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

/// Revisions differ from run to run.
fn without_revisions(text: &str) -> String {
    const MARK: &str = "main@sha1:";
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MARK) {
        out.push_str(before);
        out.push_str(MARK);
        out.push('…');
        rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    out + rest
}

#[test]
fn the_first_command_ends_in_what_the_readme_shows() {
    let readme =
        std::fs::read_to_string(Path::new(ROOT).join("README.md")).expect("the README is there");
    let command = block(&readme, "sh").trim();
    let arguments = command
        .strip_prefix("cargo run --release -- ")
        .expect("the first command runs sluice");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(arguments.split_whitespace())
        .arg("demo")
        .current_dir(folder.path())
        .output()
        .expect("the program starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}{}",
        printed,
        String::from_utf8_lossy(&output.stderr)
    );
    let printed = without_revisions(&printed);
    assert!(printed.ends_with(block(&readme, "text")), "{printed}");
}
