//! GitRepositories on the embedded control plane, with Git's own server.
//!
//! Each scenario runs with our controller and, where the program is built (`cargo xtask peers`), with Flux's
//! source-controller on a control plane of its own; what users see has to be the same at every step.

#![expect(clippy::print_stdout, reason = "tells what was left out")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod access;
mod content;
mod life;
mod world;

use serde_json::{Value, json};
use world::{World, both};

/// Ready is true, and the spec was seen.
fn is_ready(object: &Value) -> bool {
    let generation = &object["metadata"]["generation"];
    world::condition(object, "Ready")["status"] == "True"
        && world::condition(object, "Ready")["observedGeneration"] == *generation
        && object["status"]["observedGeneration"] == *generation
        && world::condition(object, "Reconciling").is_null()
}

/// It has failed and will be tried again.
fn has_failed(object: &Value) -> bool {
    world::condition(object, "Ready")["status"] == "False"
        && world::condition(object, "Ready")["observedGeneration"]
            == object["metadata"]["generation"]
}

/// Ready, with an artifact of this commit.
fn at(commit: &str) -> impl Fn(&Value) -> bool {
    move |object| {
        let revision = object["status"]["artifact"]["revision"]
            .as_str()
            .unwrap_or_default();
        is_ready(object) && revision.ends_with(commit.trim())
    }
}

fn reference(value: Value) -> Value {
    json!({"ref": value})
}
