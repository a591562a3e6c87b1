//! Leader election over a Lease, as client-go's `leaderelection`: who holds it works, the others wait.

use std::future::Future;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, ObjectMeta, PostParams};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How a lease is held.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// The namespace of the Lease.
    pub namespace: String,
    /// Its name, such as `kustomize-controller-leader-election`.
    pub name: String,
    /// Who this process is: unique among the candidates.
    pub identity: String,
    /// How long others wait after the last renewal before they take it over.
    pub duration: Duration,
    /// How long the holder tries to renew before it gives up.
    pub renew_deadline: Duration,
    /// How long everyone waits between tries.
    pub retry_period: Duration,
    /// Whether the holder gives it back when it ends (`--leader-election-release-on-cancel`).
    pub release_on_cancel: bool,
}

/// The lease was lost: another process may be at work now, so this one has to end.
#[derive(Debug, thiserror::Error)]
#[error("leader election lost: {name}")]
pub struct LeaseLost {
    name: String,
}

/// What the candidate has seen last; the clocks of others are not trusted, only that they move.
struct Seen {
    holder: String,
    renewed: Option<Timestamp>,
    at: Instant,
}

struct Elector {
    api: Api<Lease>,
    options: LeaseOptions,
    seen: Option<Seen>,
}

/// Waits for the lease, runs `work` while it is held, and gives it back at the end. `work` is told by the token it
/// is given to end when the lease is lost.
///
/// # Errors
/// The lease was lost to another, or could not be renewed in time.
pub async fn lead<W: Future<Output = ()>>(
    client: kube::Client,
    options: LeaseOptions,
    metrics: &Metrics,
    stop: CancellationToken,
    work: impl FnOnce(CancellationToken) -> W,
) -> Result<(), LeaseLost> {
    let api = Api::namespaced(client, &options.namespace);
    let mut elector = Elector {
        api,
        options,
        seen: None,
    };
    let name = elector.options.name.clone();
    metrics.leads(&name, false);
    tracing::info!(
        "attempting to acquire leader lease {}/{name}...",
        elector.options.namespace
    );
    while !elector.try_hold().await {
        let pause = elector
            .options
            .retry_period
            .mul_f64(rand::random_range(1.0..1.2));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
    tracing::info!(
        "successfully acquired lease {}/{name}",
        elector.options.namespace
    );
    metrics.leads(&name, true);
    let held = stop.child_token();
    let mut work = std::pin::pin!(work(held.clone()));
    let (lost, is_over) = tokio::select! {
        () = &mut work => (false, true),
        lost = elector.keep(&held) => (lost, false),
    };
    held.cancel();
    if lost {
        // What goes on now could be done twice: it is not waited for.
        metrics.leads(&name, false);
        return Err(LeaseLost { name });
    }
    if !is_over {
        work.await;
    }
    metrics.leads(&name, false);
    if elector.options.release_on_cancel {
        elector.release().await;
    }
    Ok(())
}

impl Elector {
    /// Renews until it cannot; tells whether the lease is lost.
    async fn keep(&mut self, held: &CancellationToken) -> bool {
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.options.retry_period) => {}
                () = held.cancelled() => return false,
            }
            let limit = self
                .options
                .renew_deadline
                .saturating_sub(renewed.elapsed());
            let tried = tokio::time::timeout(limit, self.try_hold()).await;
            if tried == Ok(true) {
                renewed = Instant::now();
            } else if renewed.elapsed() >= self.options.renew_deadline || self.is_other() {
                return true;
            }
        }
    }

    fn is_other(&self) -> bool {
        self.seen
            .as_ref()
            .is_some_and(|seen| !seen.holder.is_empty() && seen.holder != self.options.identity)
    }

    /// Takes or renews the lease; tells whether it is held.
    async fn try_hold(&mut self) -> bool {
        match self.hold().await {
            Ok(held) => held,
            Err(error) => {
                tracing::debug!(%error, lease = self.options.name, "cannot update the lease");
                false
            }
        }
    }

    async fn hold(&mut self) -> Result<bool, kube::Error> {
        let parameters = PostParams::default();
        let Some(mut lease) = self.api.get_opt(&self.options.name).await? else {
            let metadata = ObjectMeta {
                name: Some(self.options.name.clone()),
                ..ObjectMeta::default()
            };
            let mut lease = Lease {
                metadata,
                ..Lease::default()
            };
            lease.spec = Some(self.spec(None));
            self.api.create(&parameters, &lease).await?;
            return Ok(true);
        };
        let old = lease.spec.take().unwrap_or_default();
        let holder = old.holder_identity.clone().unwrap_or_default();
        let renewed = old.renew_time.as_ref().map(|time| time.0);
        if self
            .seen
            .as_ref()
            .is_none_or(|seen| seen.holder != holder || seen.renewed != renewed)
        {
            self.seen = Some(Seen {
                holder: holder.clone(),
                renewed,
                at: Instant::now(),
            });
        }
        let is_valid = self
            .seen
            .as_ref()
            .is_some_and(|seen| seen.at.elapsed() < self.options.duration);
        if !holder.is_empty() && holder != self.options.identity && is_valid {
            return Ok(false);
        }
        lease.spec = Some(self.spec(Some(&old)));
        // The resource version of what was read goes along: of two candidates one is refused.
        self.api
            .replace(&self.options.name, &parameters, &lease)
            .await?;
        Ok(true)
    }

    fn spec(&self, old: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let is_ours =
            old.is_some_and(|old| old.holder_identity.as_deref() == Some(&self.options.identity));
        let transitions = old.and_then(|old| old.lease_transitions).unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.options.identity.clone()),
            lease_duration_seconds: Some(self.options.duration.as_secs() as i32),
            acquire_time: if is_ours {
                old.and_then(|old| old.acquire_time.clone())
            } else {
                Some(now.clone())
            },
            renew_time: Some(now),
            lease_transitions: Some(if is_ours || old.is_none() {
                transitions
            } else {
                transitions + 1
            }),
            ..LeaseSpec::default()
        }
    }

    async fn release(&mut self) {
        let released = async {
            let mut lease = self.api.get(&self.options.name).await?;
            if let Some(spec) = lease
                .spec
                .as_mut()
                .filter(|spec| spec.holder_identity.as_deref() == Some(&self.options.identity))
            {
                spec.holder_identity = Some(String::new());
                spec.lease_duration_seconds = Some(1);
                self.api
                    .replace(&self.options.name, &PostParams::default(), &lease)
                    .await?;
            }
            Ok::<(), kube::Error>(())
        };
        match tokio::time::timeout(self.options.retry_period, released).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "cannot release the lease"),
            Err(_) => tracing::warn!("cannot release the lease in time"),
        }
    }
}
