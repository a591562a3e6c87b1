//! The real programs that tests run: kubectl, helm, Flux's controllers.
//!
//! `cargo xtask peers build` puts them into a cache: `$SLUICE_PEERS`, else `sluice-peers` in the user's
//! cache folder.

use std::path::PathBuf;

fn cache() -> PathBuf {
    if let Some(path) = std::env::var_os("SLUICE_PEERS") {
        return path.into();
    }
    let base = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    base.join("sluice-peers")
}

/// What `.ci/run` builds before it asks for all tests.
const USUAL: [&str; 10] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kubectl",
    "kustomize",
    "helm",
    "registry",
    "source-controller",
    "kustomize-controller",
    "helm-controller",
];

/// Whether a missing program is a failure: `SLUICE_E2E=required` asks for those that `.ci/run` builds,
/// `all` for every one.
fn is_required(name: &str) -> bool {
    std::env::var_os("SLUICE_E2E")
        .is_some_and(|value| value == "all" || (value == "required" && USUAL.contains(&name)))
}

/// The program `name`, if it has been built.
///
/// When it is absent a line on standard error says that the test was skipped, so that none is skipped
/// unseen.
///
/// # Panics
/// When it is absent and `SLUICE_E2E` says that it must be there: `required` for those that `.ci/run` builds, `all` for every one.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = cache().join("bin").join(name);
    if path.exists() {
        return Some(path);
    }
    let why = format!(
        "{name} is not at {}; build it with `cargo xtask peers build {name}`",
        path.display()
    );
    assert!(!is_required(name), "{why}");
    #[expect(clippy::print_stderr, reason = "the report of a test run")]
    {
        eprintln!("SKIPPED: {why}");
    }
    None
}
