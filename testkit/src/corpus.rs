//! Finding and reading conformance corpora, and counting what passed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of the corpus `name` (such as `apiserver/lib`), if it is there.
///
/// Looked for below `$SLUICE_CONFORMANCE`, else in `shared/conformance` beside the checkout. When it
/// is absent a line on standard error says that the test was skipped, so that none is skipped unseen.
pub fn conformance(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SLUICE_CONFORMANCE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance"),
        PathBuf::from,
    );
    let folder = root.join(name);
    if folder.exists() {
        return Some(folder);
    }
    #[expect(clippy::print_stderr, reason = "the report of a test run")]
    {
        eprintln!(
            "SKIPPED: the conformance corpus {name} is not at {}",
            folder.display()
        );
    }
    None
}

/// Reads a file of one JSON value a line; empty lines are passed over.
///
/// # Errors
/// An unreadable file, or a line that is not JSON (named by its number).
pub fn read_jsonl(file: &Path) -> io::Result<Vec<Value>> {
    let text = fs::read_to_string(file)?;
    let mut cases = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let value = serde_json::from_str(line).map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}:{}: {error}", file.display(), index + 1),
            )
        })?;
        cases.push(value);
    }
    Ok(cases)
}

/// Counts the cases of a corpus run and remembers the failing ones.
#[derive(Debug, Default)]
pub struct Tally {
    passed: usize,
    failures: Vec<(String, String)>,
}

impl Tally {
    /// Records one case: `Ok` passed, `Err` failed with what differed.
    pub fn record(&mut self, name: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(why) => self.failures.push((name.to_owned(), why)),
        }
    }

    /// How many passed.
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// The failing cases, with what differed.
    pub fn failures(&self) -> &[(String, String)] {
        &self.failures
    }

    /// How many ran.
    pub fn total(&self) -> usize {
        self.passed + self.failures.len()
    }

    /// The share that passed, from 0 to 1; 1 when nothing ran.
    pub fn rate(&self) -> f64 {
        if self.total() == 0 {
            1.0
        } else {
            self.passed as f64 / self.total() as f64
        }
    }

    /// The failing cases, one a line, and last `N passed, N failed`.
    pub fn report(&self) -> String {
        let mut text = String::new();
        for (name, why) in &self.failures {
            text.push_str(&format!("FAIL {name}: {why}\n"));
        }
        text.push_str(&format!(
            "{} passed, {} failed\n",
            self.passed,
            self.failures.len()
        ));
        text
    }
}
