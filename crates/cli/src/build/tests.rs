//! The recorded cases of `build kustomization` and `envsubst`, without the parsing of arguments.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::*;

fn set_up(case: &Value, folder: &Path) {
    for (path, content) in case["files"].as_object().into_iter().flatten() {
        let full = folder.join(path);
        if path.ends_with('/') {
            fs::create_dir_all(&full).unwrap();
            continue;
        }
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        match content {
            Value::String(text) => fs::write(&full, text).unwrap(),
            other if other.get("symlink").is_some() => {
                #[cfg(unix)]
                std::os::unix::fs::symlink(other["symlink"].as_str().unwrap(), &full).unwrap();
            }
            other => fs::write(&full, other["content"].as_str().unwrap()).unwrap(),
        }
    }
}

/// None for arguments that this does not know.
fn arguments(words: &[&str]) -> Option<BuildKustomization> {
    let mut arguments = BuildKustomization {
        namespace: "flux-system".to_owned(),
        ..BuildKustomization::default()
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (*word, None),
        };
        let mut text = || value.or_else(|| words.next().copied()).unwrap_or_default();
        let on = value.is_none_or(|value| value == "true");
        match flag {
            "--path" => text().clone_into(&mut arguments.path),
            "--kustomization-file" => text().clone_into(&mut arguments.kustomization_file),
            "--ignore-paths" => {
                arguments.ignore_paths = text().split(',').map(str::to_owned).collect()
            }
            "-n" | "--namespace" => text().clone_into(&mut arguments.namespace),
            "--local-sources" => {
                let pairs = text().split(',').filter_map(|pair| pair.split_once('='));
                arguments.local_sources = pairs
                    .map(|(source, path)| (source.to_owned(), path.to_owned()))
                    .collect();
            }
            "--dry-run" => arguments.dry_run = on,
            "--strict-substitute" => arguments.strict_substitute = on,
            "--recursive" | "-r" => arguments.recursive = on,
            "--in-memory-build" => arguments.in_memory_build = on,
            _ if flag.starts_with('-') => return None,
            _ => arguments.name = Some((*word).to_owned()),
        }
    }
    Some(arguments)
}

fn build_case(case: &Value, words: &[&str]) -> Option<(String, String)> {
    let arguments = arguments(words)?;
    // Told of by what parses the arguments.
    if arguments.namespace.contains('_') {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let current = folder.path().canonicalize().unwrap();
    set_up(case, &current);
    let shown = current.display().to_string();
    Some(match build_kustomization(&arguments, &current, None) {
        Ok(output) => (output, String::new()),
        Err(error) => (
            String::new(),
            format!("✗ {}\n", error.replace(&shown, "@@WORKDIR@@")),
        ),
    })
}

fn envsubst_case(case: &Value, words: &[&str]) -> Option<(String, String)> {
    let strict = match words {
        [] => false,
        ["--strict" | "--strict=true"] => true,
        _ => return None,
    };
    let lookup = |name: &str| {
        case["env"][name]
            .as_str()
            .map(|text| text.as_bytes().to_vec())
    };
    let input = case["stdin"].as_str().unwrap_or_default().as_bytes();
    let mut output = Vec::new();
    let result = crate::envsubst::run(input, &mut output, &lookup, strict);
    let error = result
        .err()
        .map_or_else(String::new, |error| format!("✗ {error}\n"));
    Some((String::from_utf8(output).unwrap(), error))
}

#[test]
fn recorded_cases_agree() {
    let Some(corpus) = testkit::conformance("cli") else {
        return;
    };
    let text = fs::read_to_string(corpus.join("cases.jsonl")).unwrap();
    let mut tally = testkit::Tally::default();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let words: Vec<&str> = case["args"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if case["needs"] != "none" || words.contains(&"--help") || case["stdout"].is_null() {
            continue;
        }
        let found = match words.as_slice() {
            ["build", "kustomization" | "ks", rest @ ..] => build_case(&case, rest),
            ["envsubst", rest @ ..] => envsubst_case(&case, rest),
            _ => None,
        };
        let Some((stdout, stderr)) = found else {
            continue;
        };
        let same = if case.get("oracle_bug").is_some() {
            !stderr.is_empty()
        } else {
            case["stdout"] == *stdout && case["stderr"].as_str().unwrap_or_default() == stderr
        };
        let problem = || {
            let (wanted, error) = (&case["stdout"], &case["stderr"]);
            format!("wanted {wanted} {error}\n found {stdout:?} {stderr:?}")
        };
        let name = case["name"].as_str().unwrap_or_default();
        tally.record(name, if same { Ok(()) } else { Err(problem()) });
    }
    assert!(tally.total() > 150, "{} cases", tally.total());
    assert!(tally.failures().is_empty(), "{}", tally.report());
}
