//! `build`, `push`, `pull`, `tag`, `list` and `diff artifact`.

mod pack;
mod registry;

use std::path::Path;

use gotemplate::sprig::{Constraints, Regexp, Version};
use object::time::Time;
use registry::{Registry, message};
use serde_json::{Map, Value, json};

use super::image_name::{Reference, artifact_url};
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
    let annotations = annotations(invocation)?;
    let source = source.resolved(invocation.boolean("resolve-symlinks"))?;
    let form = invocation.text("output");
    let registry = Registry::open(invocation, url)?;
    if form.is_empty() {
        output::action(format_args!("pushing artifact to {}", registry.url));
    }
    let failed = |error: String| format!("pushing artifact failed: {error}");
    let layer = source
        .pack(invocation.list("ignore-paths"))
        .map_err(failed)?;
    let tag = Reference::tag(registry.url)
        .map_err(|error| format!("artifact tag parsing failed: {error}"))?;
    let digest = push_image(&registry, &tag.identifier, &layer, annotations).map_err(failed)?;
    let full = registry.by_digest(&digest);
    let name = registry.reference.repository.name();
    let quoted = go::json_string;
    match form {
        "json" => output::out(format!(
            "{{\n  \"url\": {},\n  \"repository\": {},\n  \"tag\": {},\n  \"digest\": {}\n}}\n",
            quoted(&format!("oci://{full}")),
            quoted(&name),
            quoted(&tag.identifier),
            quoted(&digest)
        )),
        "yaml" => output::out(yaml::from_json(&json!({
            "url": format!("oci://{full}"),
            "repository": name,
            "tag": tag.identifier,
            "digest": digest,
        }))),
        _ => output::success(format_args!("artifact successfully pushed to {full}")),
    }
    Ok(())
}

const CREATED: &str = "org.opencontainers.image.created";
const REVISION: &str = "org.opencontainers.image.revision";
const SOURCE: &str = "org.opencontainers.image.source";
const CONFIG_TYPE: &str = "application/vnd.cncf.flux.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// What go-containerregistry writes for an image without a program.
const CONFIG: &[u8] = br#"{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":null},"config":{}}"#;

/// The annotations of an artifact: its origin, and those of the command line.
fn annotations(invocation: &Invocation<'_>) -> Result<Map<String, Value>, Stop> {
    let mut annotations = Map::new();
    let now = super::cluster::now();
    let created = if invocation.boolean("reproducible") {
        Time::from_unix(0, 0)
    } else {
        Time::from_unix(now.unix_seconds(), 0)
    };
    annotations.insert(CREATED.to_owned(), created.to_json());
    annotations.insert(REVISION.to_owned(), invocation.text("revision").into());
    annotations.insert(SOURCE.to_owned(), invocation.text("source").into());
    for annotation in invocation.list("annotations") {
        match annotation.split('=').collect::<Vec<_>>()[..] {
            [key, value] => annotations.insert(key.to_owned(), value.into()),
            _ => {
                return Err(format!(
                    "invalid annotation {annotation}, must be in the format key=value"
                )
                .into());
            }
        };
    }
    Ok(annotations)
}

/// Puts configuration, layer and manifest; gives the manifest's digest.
fn push_image(
    registry: &Registry<'_>,
    tag: &str,
    layer: &[u8],
    annotations: Map<String, Value>,
) -> Result<String, String> {
    let said = |error: oci::OciError| message(&error);
    let layer_digest = registry.push_blob(layer).map_err(said)?;
    let config_digest = registry.push_blob(CONFIG).map_err(said)?;
    // The order of the fields is that of Go's structs, so that the digest is, too.
    let manifest = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{MANIFEST_TYPE}\",\"config\":{{\"mediaType\":\"{CONFIG_TYPE}\",\
         \"size\":{},\"digest\":\"{config_digest}\"}},\"layers\":[{{\"mediaType\":\"{LAYER_TYPE}\",\"size\":{},\
         \"digest\":\"{layer_digest}\"}}],\"annotations\":{}}}",
        CONFIG.len(),
        layer.len(),
        Value::Object(annotations)
    );
    registry
        .push_manifest(tag, MANIFEST_TYPE, manifest.as_bytes())
        .map_err(said)
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
    let registry = Registry::open(invocation, url)?;
    output::action(format_args!("pulling artifact from {}", registry.url));
    let manifest = registry.manifest(None).map_err(|error| message(&error))?;
    let layer = registry.layer(&manifest)?;
    let unpacked = pack::unpack(&layer, Path::new(target));
    unpacked.map_err(|error| format!("failed to extract artifact: {error}"))?;
    let annotations = &manifest.value["annotations"];
    for (word, key) in [("source", SOURCE), ("revision", REVISION)] {
        if let Some(value) = annotations[key].as_str().filter(|value| !value.is_empty()) {
            output::success(format_args!("{word} {value}"));
        }
    }
    output::success(format_args!(
        "digest {}",
        registry.by_digest(&manifest.digest)
    ));
    output::success(format_args!("artifact content extracted to {target}"));
    Ok(())
}

/// Runs `tag artifact`.
pub(super) fn tag(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.first().ok_or("artifact name is required")?;
    if invocation.list("tag").is_empty() {
        return Err("--tag is required".into());
    }
    artifact_url(url)?;
    let registry = Registry::open(invocation, url)?;
    output::action("tagging artifact");
    let failed = |error: oci::OciError| format!("tagging artifact failed: {}", message(&error));
    let manifest = registry.manifest(None).map_err(failed)?;
    for tag in invocation.list("tag") {
        registry
            .push_manifest(tag, &manifest.media_type, &manifest.bytes)
            .map_err(failed)?;
        let name = registry.reference.repository.name();
        output::success(format_args!("artifact tagged as {name}:{tag}"));
    }
    Ok(())
}

/// Runs `list artifacts`.
pub(super) fn list(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation
        .first()
        .ok_or("artifact repository URL is required")?;
    let registry = Registry::open(invocation, url)?;
    let tags = registry
        .tags()
        .map_err(|error| format!("listing tags failed: {}", message(&error)))?;
    let tags = filtered(invocation, tags)?;
    let mut rows = Vec::new();
    for tag in tags {
        let manifest = registry
            .manifest(Some(&tag))
            .map_err(|error| format!("fetching manifest failed: {}", message(&error)))?;
        let text = |key: &str| {
            let value = manifest.value["annotations"][key].as_str();
            value.unwrap_or_default().to_owned()
        };
        let base = registry.url;
        rows.push(vec![
            format!("{base}:{tag}"),
            manifest.digest.clone(),
            text(SOURCE),
            text(REVISION),
        ]);
    }
    let header = ["artifact", "digest", "source", "revision"];
    output::out(output::table(&header, &rows));
    Ok(())
}

/// The tags that the filters let through, the last by name first; signatures and the like are left out.
fn filtered(invocation: &Invocation<'_>, mut tags: Vec<String>) -> Result<Vec<String>, Stop> {
    let semver = invocation.text("filter-semver");
    let range = if semver.is_empty() {
        None
    } else {
        let range = Constraints::parse(semver);
        Some(range.map_err(|error| format!("semver '{semver}' parse error: {error}"))?)
    };
    let regex = invocation.text("filter-regex");
    let pattern = if regex.is_empty() {
        None
    } else {
        let pattern = Regexp::new(regex.as_bytes());
        Some(pattern.map_err(|error| format!("regex '{regex}' parse error: {error}"))?)
    };
    tags.sort_unstable_by(|left, right| right.cmp(left));
    tags.retain(|tag| {
        let attached = [".att", ".sbom", ".sig"]
            .iter()
            .any(|end| tag.ends_with(end));
        let in_range = range
            .as_ref()
            .is_none_or(|range| Version::parse(tag).is_ok_and(|version| range.check(&version)));
        let matches = pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(tag.as_bytes()));
        !attached && in_range && matches
    });
    Ok(tags)
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
    let registry = Registry::open(invocation, url)?;
    let source = pack::Source::open(path)?;
    let local = source
        .pack(invocation.list("ignore-paths"))
        .map_err(|error| format!("building artifact failed: {error}"))?;
    let manifest = registry.manifest(None).map_err(|error| message(&error))?;
    let remote = registry.layer(&manifest)?;
    // What was packed counts, not how it was compressed: other programs compress otherwise.
    if pack::content(&local) != pack::content(&remote) {
        return Err("the remote artifact contents differs from the local one".into());
    }
    output::success("no changes detected");
    Ok(())
}
