//! `create image`.

pub(super) mod policy;

use serde_json::json;

use super::{Spec, labels, object, upsert_changed, wait};
use crate::flux::cluster::kinds::{IMAGE_REPOSITORY, IMAGE_UPDATE_AUTOMATION, Kind};
use crate::flux::invocation::Invocation;
use crate::flux::readiness::Shape;
use crate::flux::{Outcome, image_name, output};
use object::time::Duration;

pub(super) fn repository(invocation: &Invocation<'_>) -> Outcome {
    let image = invocation
        .some_text("image")
        .ok_or("an image repository (--image) is required")?;
    image_name::Repository::parse(image)
        .map_err(|error| format!("unable to parse image value: {error}"))?;
    let labels = labels(invocation)?;
    let mut spec = Spec::default()
        .set("image", image)
        .duration("interval", invocation.duration("interval"));
    let timeout = invocation.duration("scan-timeout");
    if timeout != Duration::ZERO {
        spec = spec.duration("timeout", timeout);
    }
    let spec = spec
        .reference("secretRef", invocation.text("secret-ref"))
        .reference("certSecretRef", invocation.text("cert-ref"));
    finish(
        invocation,
        &IMAGE_REPOSITORY,
        object(invocation, &IMAGE_REPOSITORY, labels, spec),
    )
}

pub(super) fn update(invocation: &Invocation<'_>) -> Outcome {
    let text = |flag| invocation.some_text(flag);
    let repository = text("git-repo-ref")
        .ok_or("a reference to a GitRepository is required (--git-repo-ref)")?;
    let branch = text("checkout-branch")
        .ok_or("the Git repository branch is required (--checkout-branch)")?;
    let author = text("author-name").ok_or("the author name is required (--author-name)")?;
    let email = text("author-email").ok_or("the author email is required (--author-email)")?;
    let (key, key_type) = (
        invocation.text("signing-key-secret"),
        invocation.text("signing-key-type"),
    );
    if !key_type.is_empty() && key.is_empty() {
        return Err("--signing-key-type requires --signing-key-secret".into());
    }
    if !["", "gpg", "ssh"].contains(&key_type) {
        return Err("--signing-key-type must be one of: gpg, ssh".into());
    }
    let labels = labels(invocation)?;
    let mut commit = Spec::default()
        .set("author", json!({"name": author, "email": email}))
        .text("messageTemplate", invocation.text("commit-template"));
    if !key.is_empty() {
        let key = Spec::default()
            .set("secretRef", json!({"name": key}))
            .text("type", key_type);
        commit = commit.set("signingKey", key.value());
    }
    let mut git = Spec::default()
        .set("checkout", json!({"ref": {"branch": branch}}))
        .set("commit", commit.value());
    if let Some(branch) = text("push-branch") {
        git = git.set("push", json!({"branch": branch}));
    }
    let source = Spec::default()
        .set("kind", "GitRepository")
        .set("name", repository)
        .text("namespace", invocation.text("git-repo-namespace"));
    let mut spec = Spec::default()
        .set("sourceRef", source.value())
        .set("git", git.value())
        .duration("interval", invocation.duration("interval"));
    if let Some(path) = text("git-repo-path") {
        spec = spec.set("update", json!({"path": path, "strategy": "Setters"}));
    }
    let automation = object(invocation, &IMAGE_UPDATE_AUTOMATION, labels, spec);
    finish(invocation, &IMAGE_UPDATE_AUTOMATION, automation)
}

fn finish(invocation: &Invocation<'_>, kind: &Kind, object: serde_json::Value) -> Outcome {
    if invocation.boolean("export") {
        output::document(&object)?;
        return Ok(());
    }
    let cluster = invocation.cluster()?;
    output::generate(format_args!("generating {}", kind.kind));
    output::action(format_args!("applying {}", kind.kind));
    upsert_changed(&cluster, kind, &object)?;
    output::waiting(format_args!("waiting for {} reconciliation", kind.kind));
    wait(&cluster, kind, &object, Shape::Dynamic)?;
    output::success(format_args!("{} reconciliation completed", kind.kind));
    Ok(())
}
