//! `sluice controllers`: the controllers, in a cluster or outside of one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use ::controllers::kustomization;
use ::controllers::process::{self, Election, Part, RunError};
use ::controllers::source::{self, DigestAlgorithm};
use api::meta::Duration;
use clap::Args;
use runtime::client::ConnectError;
use runtime::metrics::Metrics;
use runtime::{Backoff, Connection, Jitter, ManagerOptions, Options, servers};
use tokio_util::sync::CancellationToken;

use crate::signals;

/// The flags of `sluice controllers`: those of Flux's controllers, with their names and defaults.
#[derive(Args)]
#[expect(
    clippy::struct_field_names,
    reason = "fields are called as their flags are"
)]
pub(crate) struct Controllers {
    /// The controllers to run
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "source,kustomize",
        value_name = "NAMES"
    )]
    controllers: Vec<Part>,
    /// The kubeconfig to connect with [default: the cluster that the process runs in]
    #[arg(long, env = "KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The directory where artifacts are stored
    #[arg(long, default_value = "/data", value_name = "DIR")]
    storage_path: PathBuf,
    /// The address on which artifacts are served
    #[arg(long, default_value = ":9090", value_name = "HOST:PORT")]
    storage_addr: String,
    /// The address at which clients find the artifacts [default: the host and the port of --storage-addr]
    #[arg(long, default_value = "", value_name = "HOST:PORT")]
    storage_adv_addr: String,
    /// The algorithm of the digests of artifacts
    #[arg(long, default_value = "sha256")]
    artifact_digest_algo: DigestAlgorithm,
    /// How long superseded artifacts are kept
    #[arg(long, default_value = "1m")]
    artifact_retention_ttl: Duration,
    /// How many artifacts of a source are kept
    #[arg(long, default_value_t = 2)]
    artifact_retention_records: u32,
    /// The address that events are posted to
    #[arg(long, default_value = "", value_name = "HOST:PORT")]
    events_addr: String,
    /// The address on which webhooks are received
    #[arg(
        long,
        alias = "receiverAddr",
        default_value = ":9292",
        value_name = "HOST:PORT"
    )]
    receiver_addr: String,
    /// The address on which /healthz and /readyz are served
    #[arg(long, default_value = ":9440", value_name = "HOST:PORT")]
    health_addr: String,
    /// The address on which /metrics is served
    #[arg(
        long,
        env = "METRICS_ADDR",
        default_value = ":8080",
        value_name = "HOST:PORT"
    )]
    metrics_addr: String,
    /// How many reconciliations of a kind are at work at once
    #[arg(long, default_value_t = 10)]
    concurrent: usize,
    /// How many objects of a Kustomization are applied at once
    #[arg(long, default_value_t = 4)]
    concurrent_ssa: usize,
    /// How often dependencies that are not ready are looked at again, besides when they change
    #[arg(long, default_value = "30s")]
    requeue_dependency: Duration,
    /// The shortest pause before a retry
    #[arg(long, default_value = "750ms")]
    min_retry_delay: Duration,
    /// The longest pause before a retry
    #[arg(long, default_value = "15m")]
    max_retry_delay: Duration,
    /// By how much percent intervals are spread
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(..100))]
    interval_jitter_percentage: u8,
    /// How often the download of an artifact is tried again
    #[arg(long, default_value_t = 9)]
    http_retry: u32,
    /// Undo changes that others make to applied objects at once instead of at the interval
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    drift_watch: bool,
    /// Let errors tell the file and line that an object comes from
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    provenance: bool,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    tenancy: Tenancy,
    #[command(flatten)]
    election: LeaderElection,
    #[command(flatten)]
    accepted: Accepted,
}

/// What is watched.
#[derive(Args)]
struct Scope {
    /// Watch all namespaces; else only RUNTIME_NAMESPACE
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    watch_all_namespaces: bool,
    /// Reconcile only objects with these labels, e.g. sharding.fluxcd.io/shard=shard1
    #[arg(long, default_value = "", value_name = "SELECTOR")]
    watch_label_selector: String,
    /// ConfigMaps and Secrets whose changes wake the objects that read them
    #[arg(
        long,
        default_value = "reconcile.fluxcd.io/watch=Enabled",
        value_name = "SELECTOR"
    )]
    watch_configs_label_selector: String,
    /// The namespace of the controllers
    #[arg(long, env = "RUNTIME_NAMESPACE", default_value = "", hide = true)]
    runtime_namespace: String,
    /// A comma separated list of key=value pairs defining the state of experimental features
    #[arg(long, value_delimiter = ',', value_name = "GATE=BOOL")]
    feature_gates: Vec<Gate>,
}

/// What tenants may do.
#[derive(Args)]
struct Tenancy {
    /// The account to act as where an object names none
    #[arg(long, default_value = "", value_name = "NAME")]
    default_service_account: String,
    /// Refuse references to other namespaces
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    no_cross_namespace_refs: bool,
    /// Refuse remote bases in kustomizations
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    no_remote_bases: bool,
    /// Let kubeconfigs for other clusters turn off the verification of certificates
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    insecure_kubeconfig_tls: bool,
    /// A field manager whose fields are taken over; may be repeated
    #[arg(long, value_name = "NAME")]
    override_manager: Vec<String>,
    /// Kinds, as group/kind, to apply before the other namespaced objects
    #[arg(long, value_delimiter = ',', value_name = "GROUP/KIND")]
    custom_apply_stage_kinds: Vec<String>,
    /// A Secret in the namespace of the controllers with an age key for all Kustomizations
    #[arg(long, default_value = "", value_name = "NAME")]
    sops_age_secret: String,
}

/// Who works where several processes run.
#[derive(Args)]
#[expect(
    clippy::struct_field_names,
    reason = "fields are called as their flags are"
)]
struct LeaderElection {
    /// Work only while holding the controllers' Leases
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    enable_leader_election: bool,
    /// How long a Lease holds after its last renewal
    #[arg(long, default_value = "10s")]
    leader_election_lease_duration: Duration,
    /// How long the holder tries to renew
    #[arg(long, default_value = "7s")]
    leader_election_renew_deadline: Duration,
    /// How long to wait between tries
    #[arg(long, default_value = "2s")]
    leader_election_retry_period: Duration,
    /// Give the Leases back at the end
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    leader_election_release_on_cancel: bool,
}

/// Flags of Flux's controllers that have nothing to set here; accepted so that a Deployment need not be changed.
#[derive(Args)]
struct Accepted {
    // The number of requests adapts to the API server.
    #[arg(long, hide = true)]
    kube_api_qps: Option<f32>,
    #[arg(long, hide = true)]
    kube_api_burst: Option<i64>,
    // Programs of kubeconfigs are never run.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_kubeconfig_exec: Option<bool>,
    #[arg(long, hide = true)]
    default_decryption_service_account: Option<String>,
    #[arg(long, hide = true)]
    default_kubeconfig_service_account: Option<String>,
    #[arg(long, hide = true)]
    sops_vault_configmap: Option<String>,
    #[arg(long, hide = true)]
    token_cache_max_size: Option<i64>,
    #[arg(long, hide = true)]
    token_cache_max_duration: Option<Duration>,
    #[arg(long, hide = true)]
    helm_cache_max_size: Option<i64>,
    #[arg(long, hide = true)]
    helm_cache_ttl: Option<String>,
    #[arg(long, hide = true)]
    helm_cache_purge_interval: Option<String>,
    #[arg(long, hide = true)]
    helm_index_max_size: Option<i64>,
    #[arg(long, hide = true)]
    helm_chart_max_size: Option<i64>,
    #[arg(long, hide = true)]
    helm_chart_file_max_size: Option<i64>,
    #[arg(long, hide = true, value_delimiter = ',')]
    ssh_kex_algos: Vec<String>,
    #[arg(long, hide = true, value_delimiter = ',')]
    ssh_hostkey_algos: Vec<String>,
    #[arg(long, hide = true)]
    http_timeout: Option<Duration>,
    #[arg(long, hide = true)]
    graceful_shutdown_timeout: Option<Duration>,
    #[arg(long, hide = true)]
    rate_limit_interval: Option<Duration>,
    #[arg(long, hide = true)]
    reconciliation_timeout: Option<Duration>,
    #[arg(long, hide = true)]
    gc_interval: Option<u16>,
    #[arg(long, hide = true)]
    storage_compression_threshold: Option<i64>,
    #[arg(long, hide = true)]
    storage_value_log_file_size: Option<i64>,
    #[arg(long, hide = true)]
    snapshot_digest_algo: Option<String>,
    #[arg(long, hide = true)]
    oom_watch_interval: Option<Duration>,
    #[arg(long, hide = true)]
    oom_watch_memory_threshold: Option<u8>,
    #[arg(long, hide = true)]
    oom_watch_max_memory_path: Option<String>,
    #[arg(long, hide = true)]
    oom_watch_current_memory_path: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    export_http_path_metrics: Option<bool>,
}

/// A feature gate with its state, as `Name=true`.
#[derive(Clone, Debug)]
struct Gate {
    name: String,
    is_on: bool,
}

/// The gates of Flux's controllers.
const GATES: [&str; 21] = [
    "AdditiveCELDependencyCheck",
    "AdoptLegacyReleases",
    "AllowDNSLookups",
    "CacheSecretsAndConfigMaps",
    "CancelHealthCheckOnNewRevision",
    "CorrectDrift",
    "DefaultToRetryOnFailure",
    "DetectDrift",
    "DirectSourceFetch",
    "DisableChartDigestTracking",
    "DisableConfigWatchers",
    "DisableFailFastBehavior",
    "DisableStatusPollerCache",
    "ExternalArtifact",
    "FluxStorage",
    "GroupChangeLog",
    "MigrateAPIVersion",
    "OOMWatch",
    "ObjectLevelWorkloadIdentity",
    "StrictPostBuildSubstitutions",
    "UseHelm3Defaults",
];

impl FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, state) = text
            .split_once('=')
            .ok_or_else(|| format!("missing bool value for {text}"))?;
        let is_on = state
            .parse()
            .map_err(|_| format!("invalid value of {name}={state}, must be true or false"))?;
        if !GATES.contains(&name) && !name.starts_with("Git") {
            return Err(format!("feature-gate '{name}' not supported"));
        }
        Ok(Self {
            name: name.to_owned(),
            is_on,
        })
    }
}

/// Why the controllers do not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControllersError {
    #[error("cannot connect to the cluster")]
    Connect(#[from] ConnectError),
    #[error("{flag} {value:?} is not an address such as 127.0.0.1:8080")]
    Address { flag: &'static str, value: String },
    #[error(
        "--watch-all-namespaces=false and leader election need the namespace of the controllers"
    )]
    NoNamespace,
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
}

impl ControllersError {
    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Connect(_) => Some("give the path of a kubeconfig with --kubeconfig"),
            Self::NoNamespace => {
                Some("set RUNTIME_NAMESPACE, as the Deployment of an installation does")
            }
            Self::Run(RunError::Listen { .. }) => {
                Some("choose another port, or turn the server off with 0")
            }
            _ => None,
        }
    }
}

/// Runs until SIGTERM or SIGINT.
pub(crate) fn run(flags: &Controllers) -> Result<(), ControllersError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ControllersError::Runtime)?;
    runtime.block_on(serve(flags))
}

async fn serve(flags: &Controllers) -> Result<(), ControllersError> {
    let stop = CancellationToken::new();
    let signal = signals::stop().map_err(ControllersError::Runtime)?;
    let cancel = stop.clone();
    tokio::spawn(async move {
        signal.await;
        cancel.cancel();
    });
    let settings = flags.settings()?;
    let metrics = Metrics::new();
    let connection = match &flags.kubeconfig {
        Some(path) => Connection::from_file(path, &metrics).await?,
        None => Connection::in_cluster(&metrics)?,
    };
    tracing::info!(
        controllers = flags
            .controllers
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(","),
        "starting manager"
    );
    process::run(connection, settings, metrics, stop).await?;
    Ok(())
}

fn address(flag: &'static str, value: &str) -> Result<Option<SocketAddr>, ControllersError> {
    servers::parse_address(value).map_err(|_| ControllersError::Address {
        flag,
        value: value.to_owned(),
    })
}

impl Controllers {
    fn settings(&self) -> Result<process::Settings, ControllersError> {
        let gates: BTreeMap<&str, bool> = self
            .scope
            .feature_gates
            .iter()
            .map(|gate| (gate.name.as_str(), gate.is_on))
            .collect();
        let gate = |name: &str, default: bool| gates.get(name).copied().unwrap_or(default);
        let namespace = self.scope.runtime_namespace.clone();
        let needs_namespace =
            !self.scope.watch_all_namespaces || self.election.enable_leader_election;
        if needs_namespace && namespace.is_empty() {
            return Err(ControllersError::NoNamespace);
        }
        let configs = if gate("DisableConfigWatchers", false) {
            ""
        } else {
            &self.scope.watch_configs_label_selector
        };
        let manager = ManagerOptions {
            namespace: (!self.scope.watch_all_namespaces).then(|| namespace.clone()),
            label_selector: self.scope.watch_label_selector.clone(),
            config_selector: configs.to_owned(),
            jitter: Jitter::percent(self.interval_jitter_percentage),
            events_address: self.events_addr.clone(),
        };
        let election = self.election.enable_leader_election.then(|| Election {
            namespace: namespace.clone(),
            duration: self.election.leader_election_lease_duration.to_std(),
            renew_deadline: self.election.leader_election_renew_deadline.to_std(),
            retry_period: self.election.leader_election_retry_period.to_std(),
            release_on_cancel: self.election.leader_election_release_on_cancel,
        });
        Ok(process::Settings {
            parts: self.controllers.iter().copied().collect(),
            manager,
            source: self.source(&gate),
            kustomize: self.kustomize(&gate),
            health: address("--health-addr", &self.health_addr)?,
            metrics: address("--metrics-addr", &self.metrics_addr)?,
            election,
        })
    }

    fn run_options(&self) -> Options {
        Options {
            concurrent: self.concurrent,
            backoff: Backoff {
                min: self.min_retry_delay.to_std(),
                max: self.max_retry_delay.to_std(),
            },
            ..Options::default()
        }
    }

    fn source(&self, gate: &dyn Fn(&str, bool) -> bool) -> source::Settings {
        source::Settings {
            run: self.run_options(),
            storage_path: self.storage_path.clone(),
            storage_address: self.storage_addr.clone(),
            storage_advertised: self.storage_adv_addr.clone(),
            retention_ttl: self.artifact_retention_ttl.to_std(),
            retention_records: self.artifact_retention_records as usize,
            digest: self.artifact_digest_algo,
            requeue_dependency: self.requeue_dependency.to_std(),
            object_level_identity: gate("ObjectLevelWorkloadIdentity", false),
            ..source::Settings::default()
        }
    }

    fn kustomize(&self, gate: &dyn Fn(&str, bool) -> bool) -> kustomization::Settings {
        kustomization::Settings {
            run: self.run_options(),
            concurrent_apply: self.concurrent_ssa,
            requeue_dependency: self.requeue_dependency.to_std(),
            default_service_account: self.tenancy.default_service_account.clone(),
            no_cross_namespace_refs: self.tenancy.no_cross_namespace_refs,
            no_remote_bases: self.tenancy.no_remote_bases,
            insecure_kubeconfig_tls: self.tenancy.insecure_kubeconfig_tls,
            override_managers: self.tenancy.override_manager.clone(),
            custom_stage_kinds: self.tenancy.custom_apply_stage_kinds.clone(),
            http_retry: self.http_retry,
            sops_age_secret: self.tenancy.sops_age_secret.clone(),
            runtime_namespace: self.scope.runtime_namespace.clone(),
            drift_watch: self.drift_watch,
            provenance: self.provenance,
            additive_dependency_check: gate("AdditiveCELDependencyCheck", false),
            allow_external_artifact: gate("ExternalArtifact", false),
            fail_fast: !gate("DisableFailFastBehavior", false),
            strict_substitutions: gate("StrictPostBuildSubstitutions", true),
            migrate_api_version: gate("MigrateAPIVersion", false),
            object_level_identity: gate("ObjectLevelWorkloadIdentity", false),
            ..kustomization::Settings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        flags: Controllers,
    }

    fn parse(arguments: &[&str]) -> Result<process::Settings, String> {
        let command = Command::try_parse_from(["controllers"].iter().chain(arguments))
            .map_err(|error| error.to_string())?;
        command.flags.settings().map_err(|error| error.to_string())
    }

    #[test]
    fn flags_of_flux_s_controllers_are_taken() {
        let settings = parse(&[
            "--controllers=kustomize",
            "--concurrent=20",
            "--kube-api-qps=1000",
            "--kube-api-burst=2000",
            "--requeue-dependency=5s",
            "--no-cross-namespace-refs",
            "--watch-label-selector=sharding.fluxcd.io/shard=a",
            "--feature-gates=ExternalArtifact=true,StrictPostBuildSubstitutions=false",
            "--drift-watch=false",
            "--health-addr=0",
            "--override-manager=a",
            "--override-manager=b",
        ])
        .unwrap();
        assert_eq!(settings.parts.len(), 1);
        assert_eq!(
            (
                settings.kustomize.run.concurrent,
                settings.kustomize.requeue_dependency.as_secs()
            ),
            (20, 5)
        );
        assert!(
            settings.kustomize.no_cross_namespace_refs
                && settings.kustomize.allow_external_artifact
        );
        assert!(!settings.kustomize.strict_substitutions && !settings.kustomize.drift_watch);
        assert_eq!(settings.kustomize.override_managers, ["a", "b"]);
        assert_eq!(settings.health, None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(
            parse(&["--controllers=x"])
                .unwrap_err()
                .contains("there is no controller")
        );
        assert!(
            parse(&["--metrics-addr=nowhere"])
                .unwrap_err()
                .contains("--metrics-addr \"nowhere\" is not an address")
        );
        assert!(
            parse(&["--feature-gates=Nope=true"])
                .unwrap_err()
                .contains("feature-gate 'Nope' not supported")
        );
        assert!(parse(&["--interval-jitter-percentage=100"]).is_err());
        assert!(
            parse(&["--watch-all-namespaces=false"])
                .unwrap_err()
                .contains("namespace of the controllers")
        );
    }

    /// All flags of Flux's controllers, where the data is at hand.
    #[test]
    fn every_flag_of_flux_s_controllers_is_known() {
        let root = std::env::var_os("SLUICE_FLUX_DATA").map_or_else(
            || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/flux"),
            PathBuf::from,
        );
        let Ok(text) = std::fs::read_to_string(root.join("controller-flags.json")) else {
            return;
        };
        let data: serde_json::Value = serde_json::from_str(&text).unwrap();
        let command = <Command as clap::CommandFactory>::command();
        // Logging flags are global.
        let known: std::collections::BTreeSet<String> = command
            .get_arguments()
            .flat_map(|argument| argument.get_long_and_visible_aliases().unwrap_or_default())
            .map(str::to_owned)
            .chain(["receiverAddr", "log-level", "log-encoding"].map(str::to_owned))
            .collect();
        for (controller, described) in data["controllers"].as_object().unwrap() {
            for flag in described["flags"].as_array().unwrap() {
                let name = flag["name"].as_str().unwrap();
                assert!(known.contains(name), "{controller} --{name}");
            }
        }
    }
}
