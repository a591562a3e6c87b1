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
        .arg(folder.path())
        .arg("--once")
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
    // What comes before the table differs in its order from run to run.
    let (_, table) = printed
        .split_once("\n\n")
        .expect("a table follows the steps");
    assert_eq!(shortened(table), block(&readme, "text"));
}

/// The text with `…` for the hashes of commits.
fn shortened(text: &str) -> String {
    let mut parts = text.split("sha1:");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        short.push_str("sha1:…");
        short.push_str(rest);
    }
    short
}
