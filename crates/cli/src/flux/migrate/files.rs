//! `migrate --path`: the `apiVersion` lines of manifests, as text.

use std::path::Path;

use super::super::invocation::Invocation;
use super::super::{Outcome, Stop, go, output, prompt};

const SOURCE: &str = "source.toolkit.fluxcd.io";
const IMAGE: &str = "image.toolkit.fluxcd.io";

/// The versions of Flux whose API versions can be asked for.
const SUPPORTED: [&str; 4] = ["2.9", "2.8", "2.7", "2.6"];

/// The API version of a kind in a version of Flux.
fn latest(flux: &str, group: &str, kind: &str) -> Option<&'static str> {
    let image = if flux == "2.6" { "v1beta2" } else { "v1" };
    Some(match (group, kind) {
        (
            SOURCE,
            "Bucket" | "GitRepository" | "OCIRepository" | "HelmRepository" | "HelmChart"
            | "ExternalArtifact",
        )
        | ("kustomize.toolkit.fluxcd.io", "Kustomization")
        | ("notification.toolkit.fluxcd.io", "Receiver") => "v1",
        ("helm.toolkit.fluxcd.io", "HelmRelease") => "v2",
        ("notification.toolkit.fluxcd.io", "Alert" | "Provider") => "v1beta3",
        (IMAGE, "ImageRepository" | "ImagePolicy" | "ImageUpdateAutomation") => image,
        ("source.extensions.fluxcd.io", "ArtifactGenerator") if flux != "2.6" => "v1beta1",
        _ => return None,
    })
}

/// A line to change.
struct Upgrade {
    line: usize,
    kind: String,
    from: String,
    to: &'static str,
}

pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let version = invocation.some_text("version").unwrap_or(SUPPORTED[0]);
    if !SUPPORTED.contains(&version) {
        return Err(format!(
            "version {version} is not supported, supported versions are: {}",
            SUPPORTED.join(", ")
        )
        .into());
    }
    output::action("starting migration of custom resources");
    let path = go::clean(invocation.text("path"));
    let extensions = invocation.list("extensions");
    let mut upgrades = Vec::new();
    for file in files(&path, extensions)? {
        let found = upgrades_of(&file, version)?;
        for upgrade in &found {
            output::generate(format_args!(
                "{file}:{}: {} {} -> {}",
                upgrade.line + 1,
                upgrade.kind,
                upgrade.from,
                upgrade.to
            ));
        }
        if !found.is_empty() {
            upgrades.push((file, found));
        }
    }
    if upgrades.is_empty() {
        output::success("no custom resources found that require migration");
        return Ok(());
    }
    if invocation.boolean("dry-run") {
        output::success("dry-run mode enabled, no changes will be made");
        return Ok(());
    }
    if !invocation.boolean("yes")
        && !prompt::agreed("Are you sure you want to proceed with the above upgrades")
    {
        return Err("^D".into());
    }
    for (file, upgrades) in &upgrades {
        change(file, upgrades)?;
        output::success(format_args!("file {file} migrated successfully"));
    }
    output::success("custom resources migrated successfully");
    Ok(())
}

fn matches(file: &str, extensions: &[String]) -> bool {
    extensions
        .iter()
        .any(|extension| file.ends_with(extension.as_str()))
}

/// The path within the current folder: Go's `fs.FS` takes no others, and no link may lead out.
fn check_inside(path: &str) -> Outcome {
    let failed = |problem: &str| Stop::Failed(format!("failed to stat path {path}: {problem}"));
    if path.starts_with('/') || path == ".." || path.starts_with("../") {
        return Err(failed(&format!("open {path}: invalid argument")));
    }
    if let Err(error) = std::fs::metadata(path) {
        return Err(failed(&go::path_error("openat", path, &error)));
    }
    let inside = std::fs::canonicalize(path)
        .ok()
        .zip(std::fs::canonicalize(".").ok())
        .is_some_and(|(path, root)| path.starts_with(root));
    if inside {
        Ok(())
    } else {
        Err(failed(&format!("openat {path}: path escapes from parent")))
    }
}

fn files(path: &str, extensions: &[String]) -> Result<Vec<String>, Stop> {
    check_inside(path)?;
    if Path::new(path).is_dir() {
        let mut found = Vec::new();
        walk(path, extensions, &mut found)?;
        return Ok(found);
    }
    if !matches(path, extensions) {
        return Err(format!(
            "file {path} does not match the specified extensions: {}",
            extensions.join(", ")
        )
        .into());
    }
    let regular = std::fs::symlink_metadata(path).is_ok_and(|data| data.is_file());
    if !regular {
        return Err(format!("file {path} is irregular").into());
    }
    Ok(vec![path.to_owned()])
}

/// The files below a folder, by name, folders where they stand.
fn walk(folder: &str, extensions: &[String], found: &mut Vec<String>) -> Outcome {
    let failed = |error: &std::io::Error| {
        format!(
            "failed to walk directory {folder}: {}",
            go::path_error("open", folder, error)
        )
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    for name in names {
        let path = if folder == "." {
            name
        } else {
            format!("{folder}/{name}")
        };
        let data = std::fs::symlink_metadata(&path).map_err(|error| failed(&error))?;
        if matches(&path, extensions) {
            if data.is_file() {
                found.push(path.clone());
            } else if !data.is_dir() {
                output::warning(format_args!("skipping irregular file {path}"));
            }
        }
        if data.is_dir() {
            walk(&path, extensions, found)?;
        }
    }
    Ok(())
}

/// The word after a key in a line.
fn value_of<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let at = line.find(key)?;
    let rest = line[at + key.len()..].trim();
    Some(rest.split(' ').next().unwrap_or_default())
}

fn read(file: &str) -> Result<Vec<u8>, Stop> {
    std::fs::read(file).map_err(|error| {
        Stop::Failed(format!(
            "failed to read file {file}: {}",
            go::path_error("openat", file, &error)
        ))
    })
}

fn upgrades_of(file: &str, flux: &str) -> Result<Vec<Upgrade>, Stop> {
    let bytes = read(file)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    let mut upgrades = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(api_version) = value_of(line, "apiVersion: ") else {
            continue;
        };
        let (group, version) = match api_version.split('/').collect::<Vec<_>>()[..] {
            [version] => ("", version),
            [group, version] => (group, version),
            _ => {
                output::warning(format_args!(
                    "{file}:{}: unexpected GroupVersion string: {api_version}",
                    index + 1
                ));
                continue;
            }
        };
        let Some(kind) = lines
            .get(index + 1)
            .and_then(|line| value_of(line, "kind: "))
        else {
            continue;
        };
        if let Some(to) = latest(flux, group, kind).filter(|latest| *latest != version) {
            upgrades.push(Upgrade {
                line: index,
                kind: kind.to_owned(),
                from: version.to_owned(),
                to,
            });
        }
    }
    Ok(upgrades)
}

fn change(file: &str, upgrades: &[Upgrade]) -> Outcome {
    let bytes = read(file)?;
    let mut lines: Vec<Vec<u8>> = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for upgrade in upgrades {
        let line = &mut lines[upgrade.line];
        let from = upgrade.from.as_bytes();
        if let Some(at) = line
            .windows(from.len().max(1))
            .position(|part| part == from)
        {
            line.splice(at..at + from.len(), upgrade.to.bytes());
        }
    }
    std::fs::write(file, lines.join(&b'\n')).map_err(|error| {
        Stop::Failed(format!(
            "failed to write file {file}: {}",
            go::path_error("open", file, &error)
        ))
    })
}
