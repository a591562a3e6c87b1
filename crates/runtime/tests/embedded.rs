//! The runtime over the embedded control plane: caches, queues, waits, patches, events, leases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use api::kustomize::v1::{Kustomization, KustomizationSpec};
use api::meta::{Condition, ConditionStatus};
use apiserver::auth::StaticTokens;
use apiserver::{Config, Server, User};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use runtime::lease::{self, LeaseOptions};
use runtime::metrics::Metrics;
use runtime::{
    Connection, Context, Controller, EventType, Failure, Interrupted, Manager, ManagerOptions,
    ObjectKey, Options, Outcome, Reconcile,
};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

const TOKEN: &str = "a-token-of-the-test";
const LIMIT: Duration = Duration::from_secs(60);

struct Cluster {
    server: Server,
    manager: Manager,
    metrics: Metrics,
    stop: CancellationToken,
}

impl Cluster {
    async fn start(with_kinds: bool) -> Self {
        let server = Server::start(Config {
            tokens: StaticTokens::default().with(TOKEN, User::system("kubernetes-admin")),
            ..Config::default()
        })
        .await
        .expect("a server in memory starts");
        let metrics = Metrics::new();
        let connection = connect(&server, &metrics);
        if with_kinds {
            install(&connection).await;
        }
        let stop = CancellationToken::new();
        let manager = Manager::new(
            connection,
            ManagerOptions::default(),
            metrics.clone(),
            stop.clone(),
        );
        Self {
            server,
            manager,
            metrics,
            stop,
        }
    }

    fn objects(&self) -> Api<DynamicObject> {
        let gvk =
            kube::api::GroupVersionKind::gvk("kustomize.toolkit.fluxcd.io", "v1", "Kustomization");
        let resource = kube::api::ApiResource::from_gvk_with_plural(&gvk, "kustomizations");
        Api::namespaced_with(self.manager.client().clone(), "default", &resource)
    }

    async fn create(&self, name: &str) {
        let object = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": name},
            "spec": {"interval": "1h", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "none"}},
        });
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        self.objects()
            .create(&PostParams::default(), &object)
            .await
            .expect("created");
    }

    async fn change(&self, name: &str, patch: Value) {
        self.objects()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .expect("patched");
    }

    /// How many requests of a method were answered so far.
    fn requests(&self, method: &str) -> f64 {
        let text = self.metrics.render();
        let lines = text.lines().filter(|line| {
            line.starts_with("rest_client_requests_total")
                && line.contains(&format!("method=\"{method}\""))
        });
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    async fn end(self) {
        self.stop.cancel();
        self.server.shutdown().await;
    }
}

fn connect(server: &Server, metrics: &Metrics) -> Connection {
    let service = server
        .service()
        .map_request(|mut request: http::Request<kube::client::Body>| {
            let token = format!("Bearer {TOKEN}").parse().expect("a header value");
            request
                .headers_mut()
                .insert(http::header::AUTHORIZATION, token);
            request
        });
    Connection::in_process(service, metrics)
}

async fn install(connection: &Connection) {
    let gvk =
        kube::api::GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let definitions: Api<DynamicObject> = Api::all_with(
        connection.client().clone(),
        &kube::api::ApiResource::from_gvk(&gvk),
    );
    for definition in api::current_crds() {
        let definition: DynamicObject = serde_json::from_value(definition).expect("a definition");
        definitions
            .create(&PostParams::default(), &definition)
            .await
            .expect("installed");
    }
}

async fn eventually(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < end, "not in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Counts, and does what a test asks for.
#[derive(Clone, Default)]
struct Probe(Arc<Inner>);

#[derive(Default)]
struct Inner {
    runs: AtomicUsize,
    waiting: AtomicUsize,
    interrupted: parking_lot::Mutex<Vec<Interrupted>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    release: Notify,
}

impl Reconcile for Probe {
    type Spec = KustomizationSpec;

    async fn reconcile(
        &self,
        object: Arc<Kustomization>,
        context: Context<KustomizationSpec>,
    ) -> Result<Outcome, Failure> {
        let this = &self.0;
        this.runs.fetch_add(1, Ordering::SeqCst);
        let at_once = this.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        this.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
        this.at_once.fetch_sub(1, Ordering::SeqCst);
        match object.spec.path.as_deref() {
            Some("wait") => {
                this.waiting.fetch_add(1, Ordering::SeqCst);
                let ended = context.wait(this.release.notified()).await;
                this.waiting.fetch_sub(1, Ordering::SeqCst);
                if let Err(interrupted) = ended {
                    this.interrupted.lock().push(interrupted);
                }
                Ok(Outcome::Settled)
            }
            Some("panic") => panic!("on purpose"),
            _ => Ok(Outcome::Settled),
        }
    }
}

fn start(cluster: &Cluster, concurrent: usize) -> Probe {
    let probe = Probe::default();
    let cache = cluster.manager.reconciled::<KustomizationSpec>();
    let options = Options {
        concurrent,
        ..Options::default()
    };
    let controller = Controller::new(
        &cluster.manager,
        cache,
        "test-controller",
        "gotk-test",
        probe.clone(),
        options,
    );
    tokio::spawn(controller.run(cluster.stop.clone()));
    probe
}

impl Probe {
    fn runs(&self) -> usize {
        self.0.runs.load(Ordering::SeqCst)
    }

    fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_hold_no_worker_and_are_superseded() {
    let cluster = Cluster::start(true).await;
    let probe = start(&cluster, 1);
    for name in ["a", "b", "c"] {
        cluster.create(name).await;
    }
    eventually(|| probe.runs() >= 3).await;
    for name in ["a", "b", "c"] {
        cluster
            .change(name, json!({"spec": {"path": "wait"}}))
            .await;
    }
    // One worker, and yet all three wait at once.
    eventually(|| probe.waiting() == 3).await;
    let runs = probe.runs();
    cluster.change("b", json!({"spec": {"path": "go"}})).await;
    eventually(|| probe.waiting() == 2 && probe.runs() == runs + 1).await;
    let interrupted = probe.0.interrupted.lock().clone();
    assert!(
        matches!(&interrupted[..], [Interrupted::Superseded(trigger)] if trigger.to_string() == "Kustomization/default/b"),
        "{interrupted:?}"
    );
    // A status or a label is no reason to work.
    cluster
        .change("a", json!({"metadata": {"labels": {"x": "y"}}}))
        .await;
    cluster
        .change(
            "c",
            json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}}),
        )
        .await;
    eventually(|| probe.0.interrupted.lock().len() == 2).await;
    assert_eq!(probe.0.most_at_once.load(Ordering::SeqCst), 1);
    cluster.stop.cancel();
    eventually(|| probe.waiting() == 0).await;
    assert!(
        probe
            .0
            .interrupted
            .lock()
            .contains(&Interrupted::ShuttingDown)
    );
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_one_reconciliation_only() {
    let cluster = Cluster::start(true).await;
    let probe = start(&cluster, 2);
    cluster.create("bad").await;
    eventually(|| probe.runs() == 1).await;
    cluster
        .change("bad", json!({"spec": {"path": "panic"}}))
        .await;
    eventually(|| probe.runs() >= 2).await;
    cluster.create("good").await;
    eventually(|| probe.runs() >= 3).await;
    eventually(|| {
        cluster
            .metrics
            .render()
            .contains("controller_runtime_reconcile_panics_total{controller=\"kustomization\"} 1")
    })
    .await;
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kinds_that_come_later_are_seen() {
    let cluster = Cluster::start(false).await;
    let cache = cluster.manager.reconciled::<KustomizationSpec>();
    tokio::time::timeout(LIMIT, cache.synced())
        .await
        .expect("an unknown kind has no objects");
    install(cluster.manager.connection()).await;
    cluster.create("late").await;
    eventually(|| cache.len() == 1).await;
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_changes_are_written() {
    let cluster = Cluster::start(true).await;
    let cache = cluster.manager.reconciled::<KustomizationSpec>();
    cluster.create("app").await;
    let key = ObjectKey::new("default", "app");
    eventually(|| cache.get(&key).is_some()).await;
    let object = cache.get(&key).expect("it is there");
    let mut patcher = runtime::Patcher::new(
        cluster.manager.client().clone(),
        Arc::clone(&cache),
        "gotk-test",
        &object,
    );
    let mut after = Kustomization::clone(&object);
    assert!(!patcher.patch(&after).await.expect("nothing to do"));
    assert_eq!(cluster.requests("PATCH"), 0.0);
    after.metadata.finalizers = Some(vec!["finalizers.fluxcd.io".to_owned()]);
    let ready = Condition::new("Ready", ConditionStatus::True, "Succeeded", "");
    after.status_mut().conditions = Some(vec![ready]);
    after.status_mut().observed_generation = Some(1);
    assert!(patcher.patch(&after).await.expect("written"));
    assert_eq!(cluster.requests("PATCH"), 2.0);
    // What was written is known here without waiting for the watch.
    let seen = cache.get(&key).expect("it is there");
    assert_eq!(
        seen.status
            .as_ref()
            .and_then(|status| status.observed_generation),
        Some(1)
    );
    assert!(!patcher.patch(&after).await.expect("nothing to do"));
    after.status_mut().last_applied_revision = Some("main@sha1:1".to_owned());
    assert!(patcher.patch(&after).await.expect("written"));
    assert_eq!(cluster.requests("PATCH"), 3.0);
    let stored = cluster.objects().get("app").await.expect("it is there");
    let fields = stored.metadata.managed_fields.expect("managed fields");
    let ours: Vec<_> = fields
        .iter()
        .filter(|entry| entry.manager.as_deref() == Some("gotk-test"))
        .collect();
    assert_eq!(
        ours.len(),
        2,
        "one entry for the object, one for the status"
    );
    assert!(
        ours.iter()
            .all(|entry| entry.operation.as_deref() == Some("Update"))
    );
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_posted_as_client_go_does() {
    let cluster = Cluster::start(true).await;
    let mut object = Kustomization::new("default", "app", KustomizationSpec::default());
    object.metadata.uid = Some("1234".to_owned());
    object.metadata.annotations =
        Some([("event.toolkit.fluxcd.io/image".to_owned(), "x:1".to_owned())].into());
    let recorder = cluster.manager.recorder("kustomize-controller");
    let metadata = [(
        "kustomize.toolkit.fluxcd.io/revision".to_owned(),
        "main@sha1:1".to_owned(),
    )];
    for _ in 0..3 {
        recorder.event(
            &object,
            EventType::Warning,
            "BuildFailed",
            "it is broken",
            metadata.clone().into(),
        );
    }
    cluster.manager.flush_events().await;
    let events: Api<Event> = Api::namespaced(cluster.manager.client().clone(), "default");
    let list = events.list(&ListParams::default()).await.expect("listed");
    let [event] = &list.items[..] else {
        panic!("one event, counted: {:?}", list.items)
    };
    assert_eq!(
        (event.count, event.type_.as_deref(), event.reason.as_deref()),
        (Some(3), Some("Warning"), Some("BuildFailed"))
    );
    assert_eq!(
        event
            .source
            .as_ref()
            .and_then(|source| source.component.as_deref()),
        Some("kustomize-controller")
    );
    assert_eq!(
        event.reporting_component.as_deref(),
        Some("kustomize-controller")
    );
    let annotations = event.metadata.annotations.clone().unwrap_or_default();
    assert_eq!(annotations.len(), 2, "{annotations:?}");
    assert_eq!(
        event.involved_object.api_version.as_deref(),
        Some("kustomize.toolkit.fluxcd.io/v1")
    );
    cluster.end().await;
}

fn options(identity: &str) -> LeaseOptions {
    LeaseOptions {
        namespace: "default".to_owned(),
        name: "kustomize-controller-leader-election".to_owned(),
        identity: identity.to_owned(),
        duration: Duration::from_secs(4),
        renew_deadline: Duration::from_secs(3),
        retry_period: Duration::from_millis(500),
        release_on_cancel: true,
    }
}

/// Runs as a candidate; counts while it leads.
fn candidate(
    cluster: &Cluster,
    identity: &str,
    leading: &Arc<AtomicUsize>,
    stop: &CancellationToken,
) -> tokio::task::JoinHandle<Result<(), lease::LeaseLost>> {
    let (client, leading, stop, metrics) = (
        cluster.manager.client().clone(),
        Arc::clone(leading),
        stop.clone(),
        cluster.metrics.clone(),
    );
    let options = options(identity);
    tokio::spawn(async move {
        lease::lead(client, options, &metrics, stop, |held| async move {
            leading.fetch_add(1, Ordering::SeqCst);
            held.cancelled().await;
            leading.fetch_sub(1, Ordering::SeqCst);
        })
        .await
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_leads_and_another_takes_over() {
    let cluster = Cluster::start(false).await;
    let (first, second) = (Arc::default(), Arc::default());
    let leads = |counter: &Arc<AtomicUsize>| counter.load(Ordering::SeqCst) == 1;
    let (stop_first, stop_second) = (CancellationToken::new(), CancellationToken::new());
    let holder = candidate(&cluster, "one", &first, &stop_first);
    eventually(|| leads(&first)).await;
    let waiting = candidate(&cluster, "two", &second, &stop_second);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(leads(&first) && !leads(&second), "the lease is renewed");
    // It dies without a word: the other one waits until the lease has run out.
    holder.abort();
    let died = Instant::now();
    eventually(|| leads(&second)).await;
    let took = died.elapsed();
    assert!(
        (Duration::from_secs(3)..Duration::from_secs(8)).contains(&took),
        "{took:?}"
    );
    let leases: Api<Lease> = Api::namespaced(cluster.manager.client().clone(), "default");
    let lease = leases
        .get("kustomize-controller-leader-election")
        .await
        .expect("it is there")
        .spec
        .expect("a spec");
    assert_eq!(
        (lease.holder_identity.as_deref(), lease.lease_transitions),
        (Some("two"), Some(1))
    );
    // It ends as it should: the lease is free at once.
    let third = Arc::default();
    let stop_third = CancellationToken::new();
    let last = candidate(&cluster, "three", &third, &stop_third);
    stop_second.cancel();
    waiting.await.expect("no panic").expect("not lost");
    let released = Instant::now();
    eventually(|| leads(&third)).await;
    assert!(
        released.elapsed() < Duration::from_secs(3),
        "{:?}",
        released.elapsed()
    );
    // Another one that takes the lease by force is found out.
    let stolen =
        json!({"spec": {"holderIdentity": "thief", "renewTime": "2026-01-01T00:00:00.000000Z"}});
    leases
        .patch(
            "kustomize-controller-leader-election",
            &PatchParams::default(),
            &Patch::Merge(stolen),
        )
        .await
        .expect("patched");
    let lost = tokio::time::timeout(LIMIT, last)
        .await
        .expect("in time")
        .expect("no panic");
    assert_eq!(
        lost.unwrap_err().to_string(),
        "leader election lost: kustomize-controller-leader-election"
    );
    cluster.end().await;
}
