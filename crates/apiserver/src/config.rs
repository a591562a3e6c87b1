//! What a server is started with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::StaticTokens;
use crate::clock::Clock;

/// The settings of a [`crate::Server`]. [`Config::default`] is an empty server in memory that lets
/// nobody in but its own in-process clients.
#[derive(Clone)]
pub struct Config {
    /// The directory that holds the database; `None` keeps everything in memory.
    pub directory: Option<PathBuf>,
    /// The tokens that are let in, as kube-apiserver's `--token-auth-file` lists them.
    pub tokens: StaticTokens,
    /// The largest request body in bytes (kube-apiserver: 3 MiB).
    pub max_body_bytes: usize,
    /// Which of the built-in controllers run; all of them unless told otherwise.
    pub controllers: bool,
    /// Whether workloads get the status that a healthy cluster would give them; needs `controllers`.
    pub simulate_workloads: bool,
    /// How fast the simulated cluster is.
    pub pace: Pace,
    /// Whether the ServiceAccount admission plugin runs.
    pub service_account_admission: bool,
    /// How long an Event is kept after it was last written, in whole seconds (kube-apiserver's
    /// `--event-ttl`: one hour).
    pub event_ttl: Duration,
    /// The range cluster IPs are taken from.
    pub service_cidr: String,
    /// The issuer named in ServiceAccount tokens.
    pub issuer: String,
    /// The certificates (PEM) by which clients in the cluster know the server; they are put into token
    /// secrets.
    pub certificate_authority: String,
    /// `host:port` under which clients reach the server; shown in `/api`.
    pub advertise: String,
    /// Time, uids and random suffixes.
    pub clock: Arc<dyn Clock>,
}

/// How long what a cluster does by itself takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From a user's change to the first reaction of a controller.
    pub reaction: Duration,
    /// Until images are there and containers have started.
    pub start: Duration,
    /// How long a container that ends by itself runs.
    pub run: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            reaction: Duration::from_millis(400),
            start: Duration::from_millis(600),
            run: Duration::from_millis(900),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            directory: None,
            tokens: StaticTokens::default(),
            max_body_bytes: 3 * 1024 * 1024,
            controllers: true,
            simulate_workloads: true,
            pace: Pace::default(),
            service_account_admission: false,
            event_ttl: Duration::from_secs(3600),
            service_cidr: "10.96.0.0/16".to_owned(),
            issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
            certificate_authority: String::new(),
            advertise: "127.0.0.1:6443".to_owned(),
            clock: crate::clock::system(),
        }
    }
}
