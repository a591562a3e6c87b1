//! `build`, `push`, `pull`, `tag`, `list` and `diff artifact`.

mod pack;

use std::path::Path;

use super::image_name::artifact_url;
use super::invocation::Invocation;
use super::{Outcome, Stop, go, output};

/// Runs `build artifact`.
pub(super) fn build(invocation: &Invocation<'_>) -> Outcome {
    let source = pack::Source::open(invocation.text("path"))?;
    if source.is_missing() {
        return Err(format!(
            "invalid path '{}', must point to an existing directory or file",
            source.shown()
        )
        .into());
    }
    let source = source.resolved(invocation.boolean("resolve-symlinks"))?;
    output::action(format_args!("building artifact from {}", source.shown()));
    let target = invocation.text("output");
    let failed = |error: String| format!("building artifact failed, error: {error}");
    let bytes = source
        .pack(invocation.list("ignore-paths"))
        .map_err(failed)?;
    std::fs::write(target, bytes)
        .map_err(|error| failed(go::path_error("open", target, &error)))?;
    output::success(format_args!("artifact created at {target}"));
    Ok(())
}

/// Until registries can be spoken to, what can be said without one.
fn no_registry(program: &str) -> Stop {
    Stop::Failed(format!("{program} cannot speak to OCI registries yet"))
}

/// Runs `push artifact`.
pub(super) fn push(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.first().ok_or("artifact URL is required")?;
    for flag in ["source", "revision"] {
        if invocation.text(flag).is_empty() {
            return Err(format!("--{flag} is required").into());
        }
    }
    let path = invocation.text("path");
    if path.is_empty() {
        return Err("invalid path \"\"".into());
    }
    artifact_url(url)?;
    let source = pack::Source::open(path)?;
    if source.is_missing() {
        let shown = source.shown();
        return Err(format!(
            "invalid path '{shown}', must point to an existing directory or file: stat {shown}: no such file or \
             directory"
        )
        .into());
    }
    for annotation in invocation.list("annotations") {
        if annotation.split('=').count() != 2 {
            return Err(format!(
                "invalid annotation {annotation}, must be in the format key=value"
            )
            .into());
        }
    }
    Err(no_registry(invocation.program))
}

/// Runs `pull artifact`.
pub(super) fn pull(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.first().ok_or("artifact URL is required")?;
    let target = invocation.text("output");
    if target.is_empty() {
        return Err("output path cannot be empty".into());
    }
    match std::fs::metadata(target) {
        Ok(data) if data.is_dir() => {}
        // Upstream prints an error that is not there: kept.
        Ok(_) => {
            return Err(format!("invalid output path {}: %!w(<nil>)", go::quote(target)).into());
        }
        Err(error) => {
            return Err(format!(
                "invalid output path {}: {}",
                go::quote(target),
                go::path_error("stat", target, &error)
            )
            .into());
        }
    }
    artifact_url(url)?;
    Err(no_registry(invocation.program))
}

/// Runs `tag artifact`.
pub(super) fn tag(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.first().ok_or("artifact name is required")?;
    if invocation.list("tag").is_empty() {
        return Err("--tag is required".into());
    }
    artifact_url(url)?;
    Err(no_registry(invocation.program))
}

/// Runs `list artifacts`.
pub(super) fn list(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation
        .first()
        .ok_or("artifact repository URL is required")?;
    artifact_url(url)?;
    Err(no_registry(invocation.program))
}

/// Runs `diff artifact`.
pub(super) fn diff(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.first().ok_or("artifact URL is required")?;
    let path = invocation.text("path");
    if path.is_empty() {
        return Err("invalid path \"\"".into());
    }
    artifact_url(url)?;
    if !Path::new(path).exists() {
        return Err(
            format!("invalid path '{path}', must point to an existing directory or file").into(),
        );
    }
    Err(no_registry(invocation.program))
}
