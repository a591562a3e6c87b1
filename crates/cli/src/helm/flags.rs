//! The flags of Helm's commands, and what all of them say.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::release::{Common, DryRun, Rendering, ServerSide, WaitStrategy};
use gotemplate::Map;
use helm::Compat;
use helm::chart::Chart;
use helm::flags::{Flag, Parsed, Takes};
use helm::template::GLOBAL_FLAGS;
use helm::values::ValueOptions;
use kube::config::{KubeConfigOptions, Kubeconfig};

use super::{HelmError, said};

/// The flags of `upgrade` that `install` has not.
pub(super) const UPGRADE_FLAGS: &[Flag] = &[
    Flag::new("create-namespace", Takes::Bool),
    Flag::new("install", Takes::Bool).short('i'),
    Flag::new("devel", Takes::Bool),
    Flag::new("hide-secret", Takes::Bool),
    Flag::new("force-replace", Takes::Bool),
    Flag::new("force", Takes::Bool),
    Flag::new("force-conflicts", Takes::Bool),
    Flag::new("server-side", Takes::One),
    Flag::new("no-hooks", Takes::Bool),
    Flag::new("disable-openapi-validation", Takes::Bool),
    Flag::new("skip-crds", Takes::Bool),
    Flag::new("timeout", Takes::One),
    Flag::new("reset-values", Takes::Bool),
    Flag::new("reuse-values", Takes::Bool),
    Flag::new("reset-then-reuse-values", Takes::Bool),
    Flag::new("wait", Takes::Optional("watcher")),
    Flag::new("wait-for-jobs", Takes::Bool),
    Flag::new("rollback-on-failure", Takes::Bool),
    Flag::new("atomic", Takes::Bool),
    Flag::new("history-max", Takes::One),
    Flag::new("cleanup-on-fail", Takes::Bool),
    Flag::new("render-subchart-notes", Takes::Bool),
    Flag::new("hide-notes", Takes::Bool),
    Flag::new("skip-schema-validation", Takes::Bool),
    Flag::new("labels", Takes::List).short('l'),
    Flag::new("description", Takes::One),
    Flag::new("dependency-update", Takes::Bool),
    Flag::new("enable-dns", Takes::Bool),
    Flag::new("take-ownership", Takes::Bool),
    Flag::new("dry-run", Takes::Optional("client")),
    Flag::new("post-renderer", Takes::One),
    Flag::new("post-renderer-args", Takes::Many),
];

/// The flag that says how results are printed.
pub(super) const OUTPUT_FLAGS: &[Flag] = &[Flag::new("output", Takes::One).short('o')];

/// The place of the command among `words`: the first that is neither a flag nor the value of one.
pub(super) fn command(words: &[String]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if !word.starts_with('-') {
            return Some(at);
        }
        let name = word.trim_start_matches('-');
        let flag = GLOBAL_FLAGS.iter().find(|flag| {
            flag.name == name || flag.short.is_some_and(|letter| name == letter.to_string())
        });
        let takes_next =
            flag.is_some_and(|flag| matches!(flag.takes, Takes::One | Takes::Many | Takes::List));
        at += if takes_next { 2 } else { 1 };
    }
    None
}

/// What the flags of all commands say.
pub(super) struct Settings {
    pub(super) namespace: String,
    pub(super) compat: Compat,
    pub(super) config: kube::Config,
}

pub(super) fn compat(given: &Parsed) -> Result<Compat, HelmError> {
    given
        .get("compat")
        .map_or(Ok(Compat::default()), |text| text.parse().map_err(said))
}

impl Settings {
    /// Reads the kubeconfig that the flags or the environment name.
    pub(super) async fn read(given: &Parsed) -> Result<Self, HelmError> {
        let unreachable = |error: &dyn std::fmt::Display| {
            said(format!("Kubernetes cluster unreachable: {error}"))
        };
        let options = KubeConfigOptions {
            context: given.get("kube-context").map(str::to_owned),
            ..KubeConfigOptions::default()
        };
        let mut config = match given.get("kubeconfig").filter(|path| !path.is_empty()) {
            Some(path) => {
                let kubeconfig =
                    Kubeconfig::read_from(path).map_err(|error| unreachable(&error))?;
                kube::Config::from_custom_kubeconfig(kubeconfig, &options).await
            }
            None => kube::Config::from_kubeconfig(&options).await,
        }
        .map_err(|error| unreachable(&error))?;
        if let Some(server) = given.get("kube-apiserver") {
            config.cluster_url = server
                .parse()
                .map_err(|error| unreachable(&format!("{server}: {error}")))?;
        }
        if given.is_set("kube-insecure-skip-tls-verify") {
            config.accept_invalid_certs = true;
        }
        let namespace = given
            .get("namespace")
            .map(str::to_owned)
            .or_else(|| std::env::var("HELM_NAMESPACE").ok())
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or_else(|| config.default_namespace.clone());
        Ok(Self {
            namespace,
            compat: compat(given)?,
            config,
        })
    }
}

/// A duration as Go writes it.
pub(super) fn duration(given: &Parsed, name: &str) -> Result<Option<Duration>, HelmError> {
    let Some(text) = given.get(name) else {
        return Ok(None);
    };
    let wrong = || {
        said(format!(
            "invalid argument {text:?} for \"--{name}\" flag: time: invalid duration {text:?}"
        ))
    };
    object::time::Duration::parse(text)
        .ok()
        .and_then(object::time::Duration::to_std)
        .map(Some)
        .ok_or_else(wrong)
}

pub(super) fn number(given: &Parsed, name: &str) -> Result<Option<i64>, HelmError> {
    let Some(text) = given.get(name) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        said(format!(
            "invalid argument {text:?} for \"--{name}\" flag: strconv.ParseInt: parsing {text:?}: invalid syntax"
        ))
    })
}

/// `a=b` pairs.
pub(super) fn pairs(
    given: &Parsed,
    name: &str,
) -> Result<std::collections::BTreeMap<String, String>, HelmError> {
    given
        .all(name)
        .into_iter()
        .map(|pair| {
            pair.split_once('=')
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .ok_or_else(|| said(format!("{pair} must be formatted as key=value")))
        })
        .collect()
}

fn wait(given: &Parsed) -> Result<WaitStrategy, HelmError> {
    match given.get("wait") {
        None | Some("hookOnly" | "false") => Ok(WaitStrategy::HookOnly),
        Some("watcher" | "legacy" | "true") => Ok(WaitStrategy::Watcher),
        Some(other) => Err(said(format!(
            "invalid argument {other:?} for \"--wait\" flag: invalid wait input {other:?}. Valid inputs are watcher, hookOnly, and legacy"
        ))),
    }
}

fn dry_run(given: &Parsed) -> Result<DryRun, HelmError> {
    match given.get("dry-run") {
        None | Some("none" | "false" | "unset") => Ok(DryRun::Off),
        Some("client" | "true" | "") => Ok(DryRun::Client),
        Some("server") => Ok(DryRun::Server),
        Some(other) => Err(said(format!(
            "invalid dry-run flag. Flag must one of the following: none, client, server (got {other:?})"
        ))),
    }
}

fn server_side(given: &Parsed) -> Result<ServerSide, HelmError> {
    match given.get("server-side") {
        None | Some("auto") => Ok(ServerSide::Auto),
        Some("true" | "") => Ok(ServerSide::On),
        Some("false") => Ok(ServerSide::Off),
        Some(other) => Err(said(format!(
            "invalid/unknown release server-side apply method: {other}"
        ))),
    }
}

/// What the actions that apply objects are told.
pub(super) fn common(given: &Parsed) -> Result<Common, HelmError> {
    for flag in ["post-renderer", "dependency-update", "verify", "repo"] {
        if given
            .get(flag)
            .is_some_and(|value| !matches!(value, "" | "false"))
        {
            return Err(said(format!("--{flag} is not supported yet")));
        }
    }
    let force_replace = given.is_set("force-replace") || given.is_set("force");
    if force_replace && given.is_set("force-conflicts") {
        return Err(said(
            "if any flags in the group [force-replace force-conflicts] are set none of the others can be; [force-conflicts force-replace] were all set",
        ));
    }
    let mut common = Common {
        wait: wait(given)?,
        wait_for_jobs: given.is_set("wait-for-jobs"),
        disable_hooks: given.is_set("no-hooks"),
        server_side: server_side(given)?,
        force_conflicts: given.is_set("force-conflicts"),
        force_replace,
        take_ownership: given.is_set("take-ownership"),
        dry_run: dry_run(given)?,
        hide_secret: given.is_set("hide-secret"),
        cleanup_on_fail: given.is_set("cleanup-on-fail"),
        rollback_on_failure: given.is_set("rollback-on-failure") || given.is_set("atomic"),
        description: given.text("description"),
        ..Common::default()
    };
    if let Some(timeout) = duration(given, "timeout")? {
        common.timeout = timeout;
    }
    if let Some(history) = number(given, "history-max")? {
        common.max_history = usize::try_from(history).unwrap_or(0);
    }
    Ok(common)
}

pub(super) fn rendering(given: &Parsed) -> Rendering {
    Rendering {
        skip_schema_validation: given.is_set("skip-schema-validation"),
        sub_notes: given.is_set("render-subchart-notes"),
        dns: given.is_set("enable-dns"),
        ..Rendering::default()
    }
}

/// The values that the flags give.
pub(super) fn values(given: &Parsed, compat: Compat) -> Result<Map, HelmError> {
    let options = ValueOptions {
        files: given.all("values"),
        json: given.all("set-json"),
        typed: given.all("set"),
        strings: given.all("set-string"),
        from_files: given.all("set-file"),
        literals: given.all("set-literal"),
    };
    options.merge(&read_file, compat).map_err(said)
}

/// Reads a file of values; `-` is standard input.
pub(super) fn read_file(path: &str) -> Result<String, String> {
    let bytes = if path.trim() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)
            .map_err(|error| error.to_string())?;
        bytes
    } else {
        std::fs::read(path).map_err(|error| format!("open {path}: {}", tree::errno_text(&error)))?
    };
    String::from_utf8(bytes).map_err(|_| format!("{path} is not text in UTF-8"))
}

/// Where the chart is that `reference` names.
pub(super) fn locate(reference: &str) -> Result<PathBuf, HelmError> {
    let reference = reference.trim();
    if reference.starts_with("oci://") || reference.contains("://") {
        return Err(said(format!(
            "unable to fetch chart {reference:?}: charts from registries and repositories are not supported yet; use a folder or a .tgz file"
        )));
    }
    let path = Path::new(reference);
    if path.exists() {
        return std::path::absolute(path).map_err(HelmError::from);
    }
    if path.is_absolute() || reference.starts_with('.') {
        return Err(said(format!("path {reference:?} not found")));
    }
    Err(said(format!(
        "repo {} not found",
        reference.split('/').next().unwrap_or_default()
    )))
}

/// Loads a chart that can be installed.
pub(super) fn chart(reference: &str, compat: Compat) -> Result<Chart, HelmError> {
    let chart = load(reference, compat)?;
    helm::chart::check_installable(&chart).map_err(said)?;
    helm::chart::check_dependencies(&chart, compat).map_err(said)?;
    if chart.metadata.deprecated {
        tracing::warn!("this chart is deprecated");
    }
    Ok(chart)
}

/// Loads a chart.
pub(super) fn load(reference: &str, compat: Compat) -> Result<Chart, HelmError> {
    let path = locate(reference)?;
    helm::chart::load(&tree::Disk, &path, compat).map_err(said)
}
