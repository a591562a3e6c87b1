//! All that one process runs: the chosen controllers, leader election, health checks and metrics.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use api::constants::managers;
use runtime::lease::{self, LeaseOptions};
use runtime::metrics::Metrics;
use runtime::servers::{self, Readiness};
use runtime::{Connection, Manager, ManagerOptions};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fetch::hex;
use crate::{Trees, kustomization, source};

/// A controller of Flux: what is chosen with `--controllers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// GitRepository, ExternalArtifact.
    Source,
    /// Kustomization.
    Kustomize,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Source, Self::Kustomize];

    /// The name of Flux's controller.
    pub fn controller(self) -> &'static str {
        match self {
            Self::Source => managers::SOURCE_CONTROLLER,
            Self::Kustomize => managers::KUSTOMIZE_CONTROLLER,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.controller().trim_end_matches("-controller"))
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|part| part.to_string() == text || part.controller() == text);
        found.ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(ToString::to_string).collect();
            format!(
                "there is no controller {text:?}; there are {}",
                known.join(", ")
            )
        })
    }
}

/// How leases are held.
#[derive(Clone, Debug)]
pub struct Election {
    /// The namespace of the Leases.
    pub namespace: String,
    /// See [`LeaseOptions`].
    pub duration: Duration,
    /// See [`LeaseOptions`].
    pub renew_deadline: Duration,
    /// See [`LeaseOptions`].
    pub retry_period: Duration,
    /// See [`LeaseOptions`].
    pub release_on_cancel: bool,
}

/// What a process runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The controllers.
    pub parts: BTreeSet<Part>,
    /// What they share.
    pub manager: ManagerOptions,
    /// The settings of the controller of sources.
    pub source: source::Settings,
    /// The settings of the controller of Kustomizations.
    pub kustomize: kustomization::Settings,
    /// Where `/healthz` and `/readyz` are served.
    pub health: Option<SocketAddr>,
    /// Where `/metrics` is served.
    pub metrics: Option<SocketAddr>,
    /// Whether only the holder of a Lease works.
    pub election: Option<Election>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parts: Part::ALL.into(),
            manager: ManagerOptions::default(),
            source: source::Settings::default(),
            kustomize: kustomization::Settings::default(),
            health: None,
            metrics: None,
            election: None,
        }
    }
}

/// Why a process cannot run its controllers, or has to end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A socket cannot be used.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A lease was lost.
    #[error(transparent)]
    Lease(#[from] lease::LeaseLost),
}

/// Runs the chosen controllers until `stop`.
///
/// # Errors
/// A socket cannot be used, or a lease was lost: the process has to end then.
pub async fn run(
    connection: Connection,
    settings: Settings,
    metrics: Metrics,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let readiness = Readiness::default();
    let mut servers = JoinSet::new();
    for (address, metrics) in [
        (settings.health, None),
        (settings.metrics, Some(metrics.clone())),
    ] {
        if let Some(address) = address {
            let listener = TcpListener::bind(address)
                .await
                .map_err(|source| RunError::Listen { address, source })?;
            servers.spawn(servers::serve(
                listener,
                readiness.clone(),
                metrics,
                stop.clone(),
            ));
        }
    }
    let manager = Manager::new(connection, settings.manager.clone(), metrics, stop.clone());
    let trees = Trees::default();
    let mut parts = JoinSet::new();
    readiness.set();
    for part in settings.parts.iter().copied() {
        parts.spawn(elected(
            part,
            manager.clone(),
            settings.clone(),
            trees.clone(),
            stop.clone(),
        ));
    }
    let mut outcome = Ok(());
    while let Some(ended) = parts.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                outcome = Err(error.into());
                stop.cancel();
            }
            Err(error) => {
                tracing::error!(%error, "a controller has ended by a fault of the program");
                stop.cancel();
            }
        }
    }
    // Events that tell of the last changes are worth a moment, not more.
    if tokio::time::timeout(Duration::from_secs(2), manager.flush_events())
        .await
        .is_err()
    {
        tracing::warn!("events could not all be posted");
    }
    servers.shutdown().await;
    outcome
}

/// Runs one controller, where asked only while its lease is held.
async fn elected(
    part: Part,
    manager: Manager,
    settings: Settings,
    trees: Trees,
    stop: CancellationToken,
) -> Result<(), lease::LeaseLost> {
    let Some(election) = settings.election.clone() else {
        start(part, manager, settings, trees, stop).await;
        return Ok(());
    };
    let mut name = format!("{}{}", part.controller(), managers::LEASE_SUFFIX);
    if !settings.manager.label_selector.is_empty() {
        name = format!("{name}-{}", shard_suffix(&settings.manager.label_selector));
    }
    let options = LeaseOptions {
        namespace: election.namespace,
        name,
        identity: identity(),
        duration: election.duration,
        renew_deadline: election.renew_deadline,
        retry_period: election.retry_period,
        release_on_cancel: election.release_on_cancel,
    };
    let (client, metrics) = (manager.client().clone(), manager.metrics().clone());
    lease::lead(client, options, &metrics, stop, |held| {
        start(part, manager, settings, trees, held)
    })
    .await
}

async fn start(
    part: Part,
    manager: Manager,
    settings: Settings,
    trees: Trees,
    stop: CancellationToken,
) {
    match part {
        Part::Source => {
            let ended = source::run(manager.clone(), settings.source, trees, stop).await;
            if let Err(error) = ended {
                tracing::error!(error = %crate::errors::chain(&error), "the controller of sources cannot run");
                // Without its storage or its server the process is of no use.
                manager.stop().cancel();
            }
        }
        Part::Kustomize => kustomization::run(manager, settings.kustomize, trees, stop).await,
    }
}

/// Unique among all candidates: host and a random word, as controller-runtime makes it.
fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}_{}", host.trim(), uuid::Uuid::new_v4())
}

/// What tells the leases of shards apart: the beginning of the selector's SHA-256. Source: fluxcd/pkg
/// `runtime/leaderelection`, `GenerateID`.
fn shard_suffix(selector: &str) -> String {
    hex(&Sha256::digest(selector)[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_like_flux_s_controllers() {
        assert_eq!("source".parse(), Ok(Part::Source));
        assert_eq!("kustomize-controller".parse(), Ok(Part::Kustomize));
        assert!(
            "nothing"
                .parse::<Part>()
                .unwrap_err()
                .contains("source, kustomize")
        );
    }
}
