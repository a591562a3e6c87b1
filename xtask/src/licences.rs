//! Checks the licence of every dependency against the list in `deny.toml`.

use std::process::Command;

use serde_json::Value;

use crate::go::{read, run};
use crate::{TaskError, workspace_root};

/// Fails with the names of the packages whose licence is not allowed.
#[expect(clippy::print_stdout, reason = "a command-line tool")]
pub(crate) fn check() -> Result<(), TaskError> {
    let allowed = allowed(&read(&workspace_root().join("deny.toml"))?);
    let metadata = run(Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(workspace_root()))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| {
        TaskError::Other(format!("unexpected answer of cargo metadata: {error}"))
    })?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let mut refused = Vec::new();
    for package in &packages {
        let expression = package["license"].as_str().unwrap_or_default();
        if !is_allowed(expression, &allowed) {
            refused.push(format!(
                "{} {}: {expression:?}",
                package["name"], package["version"]
            ));
        }
    }
    if packages.is_empty() || !refused.is_empty() {
        return Err(TaskError::Other(format!(
            "licences not allowed by deny.toml:\n{}",
            refused.join("\n")
        )));
    }
    println!("{} packages, all under allowed licences", packages.len());
    Ok(())
}

/// The texts of `allow = [...]`.
fn allowed(deny: &str) -> Vec<String> {
    let list = deny
        .split_once("allow = [")
        .map_or("", |(_, rest)| rest.split(']').next().unwrap_or_default());
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Whether an SPDX expression (`A OR B`, `A AND B`, brackets; the old `A/B`) can be met.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let text = expression.replace('/', " OR ");
    let mut depth = 0_i32;
    for (connective, all) in [(" OR ", false), (" AND ", true)] {
        // Split at the connective outside of brackets; OR binds weaker than AND.
        let mut parts = Vec::new();
        let mut start = 0;
        for (index, c) in text.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ if depth == 0 && text[index..].starts_with(connective) => {
                    parts.push(&text[start..index]);
                    start = index + connective.len();
                }
                _ => {}
            }
        }
        if !parts.is_empty() {
            parts.push(&text[start..]);
            let mut met = parts.iter().map(|part| is_allowed(part, allowed));
            return if all {
                met.all(|met| met)
            } else {
                met.any(|met| met)
            };
        }
    }
    let text = text.trim();
    match text
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
    {
        Some(inner) => is_allowed(inner, allowed),
        None => allowed.iter().any(|known| known == text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_as_spdx_means_them() {
        let allowed = allowed("[licenses]\nallow = [\n  \"MIT\",\n  \"Apache-2.0\",\n]\n");
        assert_eq!(allowed, ["MIT", "Apache-2.0"]);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("MIT/Apache-2.0", true),
            ("(MIT OR GPL-3.0) AND Apache-2.0", true),
            ("(MIT AND GPL-3.0) OR BSD-3-Clause", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression:?}");
        }
    }
}
