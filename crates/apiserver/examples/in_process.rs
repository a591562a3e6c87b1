//! How fast the control plane is for controllers in the same process, which talk to it through a
//! `kube::Client` over the tower service: the requests of a GitOps loop, for each of many Kustomizations.
//!
//! ```sh
//! cargo run --release -p apiserver --example in_process -- [KUSTOMIZATIONS] [CONCURRENT]
//! ```
//!
//! For each one: it is created by its author; its finalizer and a first status are patched in; two objects
//! are applied and then applied again unchanged; the status is patched twice; an event is created. Watches
//! on Kustomizations (whole) and on what is applied (metadata) run along. The store is on disk.

#![expect(clippy::print_stdout, reason = "the report")]
#![expect(clippy::unwrap_used, reason = "a measurement")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use apiserver::auth::StaticTokens;
use apiserver::{Config, Server, User};
use futures::StreamExt as _;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{GroupVersionKind, PartialObjectMeta};
use kube::runtime::watcher;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

const NAMESPACE: &str = "apps";
const TOKEN: &str = "a-token-of-the-measurement";

/// How long each kind of request took, together.
#[derive(Default)]
struct Times(std::sync::Mutex<BTreeMap<&'static str, Vec<Duration>>>);

impl Times {
    async fn of<T>(&self, name: &'static str, work: impl Future<Output = kube::Result<T>>) -> T {
        let begun = Instant::now();
        let done = work.await.unwrap();
        self.0
            .lock()
            .unwrap()
            .entry(name)
            .or_default()
            .push(begun.elapsed());
        done
    }

    fn print(&self) {
        println!("{:<24} {:>8} {:>9} {:>9}", "", "count", "p50 ms", "p99 ms");
        for (name, times) in &mut *self.0.lock().unwrap() {
            times.sort_unstable();
            let at = |share: f64| {
                let index = (times.len() as f64 * share) as usize;
                times[index.min(times.len() - 1)].as_secs_f64() * 1e3
            };
            println!(
                "{name:<24} {:>8} {:>9.3} {:>9.3}",
                times.len(),
                at(0.5),
                at(0.99)
            );
        }
    }
}

struct Apis {
    kustomizations: Api<DynamicObject>,
    config_maps: Api<DynamicObject>,
    deployments: Api<DynamicObject>,
    events: Api<DynamicObject>,
}

impl Apis {
    fn new(client: &Client) -> Self {
        let api = |group: &str, version: &str, kind: &str| {
            let gvk = GroupVersionKind::gvk(group, version, kind);
            let resource = ApiResource::from_gvk(&gvk);
            Api::<DynamicObject>::namespaced_with(client.clone(), NAMESPACE, &resource)
        };
        Self {
            kustomizations: api("kustomize.toolkit.fluxcd.io", "v1", "Kustomization"),
            config_maps: api("", "v1", "ConfigMap"),
            deployments: api("apps", "v1", "Deployment"),
            events: api("", "v1", "Event"),
        }
    }
}

fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

fn kustomization(name: &str) -> DynamicObject {
    object(json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"interval": "10m", "path": format!("./apps/{name}"), "prune": true, "wait": true,
            "sourceRef": {"kind": "GitRepository", "name": "fleet"}, "timeout": "2m",
            "targetNamespace": NAMESPACE},
    }))
}

fn labels(name: &str) -> Value {
    json!({"kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": NAMESPACE})
}

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels(name)},
        "data": {"greeting": "hello", "settings.yaml": "replicas: 2\nlog: info\n"}})
}

fn deployment(name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels(name)},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "app", "image": "ghcr.io/example/app:1.0",
                "ports": [{"containerPort": 8080, "name": "http"}],
                "env": [{"name": "A", "value": "1"}],
                "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}}}]}}}})
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z", "message": "Applied revision: main@sha1:abcdef"})
}

/// The requests that one Kustomization costs.
async fn reconcile(apis: &Apis, times: &Times, name: &str) {
    let (post, patch) = (
        PostParams::default(),
        PatchParams::apply("kustomize-controller"),
    );
    let merge = |value: Value| Patch::Merge(value);
    let force = PatchParams::apply("kustomize-controller").force();
    times
        .of(
            "create",
            apis.kustomizations.create(&post, &kustomization(name)),
        )
        .await;
    let finalizer = json!({"metadata": {"finalizers": ["finalizers.fluxcd.io"]}});
    times
        .of(
            "finalizer",
            apis.kustomizations.patch(name, &patch, &merge(finalizer)),
        )
        .await;
    let progressing = json!({"status": {"observedGeneration": -1, "conditions": [
        condition("Reconciling", "True", "Progressing"), condition("Ready", "Unknown", "Progressing")]}});
    times
        .of(
            "status, progressing",
            apis.kustomizations
                .patch_status(name, &patch, &merge(progressing)),
        )
        .await;
    for round in ["apply, new", "apply, unchanged"] {
        times
            .of(
                round,
                apis.config_maps
                    .patch(name, &force, &Patch::Apply(config_map(name))),
            )
            .await;
        times
            .of(
                round,
                apis.deployments
                    .patch(name, &force, &Patch::Apply(deployment(name))),
            )
            .await;
    }
    let ready = json!({"status": {"observedGeneration": 1, "lastAppliedRevision": "main@sha1:abcdef",
        "inventory": {"entries": [{"id": format!("{NAMESPACE}_{name}__ConfigMap"), "v": "v1"},
            {"id": format!("{NAMESPACE}_{name}_apps_Deployment"), "v": "v1"}]},
        "conditions": [condition("Ready", "True", "ReconciliationSucceeded")]}});
    times
        .of(
            "status, ready",
            apis.kustomizations
                .patch_status(name, &patch, &merge(ready)),
        )
        .await;
    let event = object(json!({"apiVersion": "v1", "kind": "Event",
        "metadata": {"generateName": format!("{name}."), "namespace": NAMESPACE},
        "involvedObject": {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "name": name, "namespace": NAMESPACE},
        "reason": "ReconciliationSucceeded", "message": "Reconciliation finished", "type": "Normal",
        "source": {"component": "kustomize-controller"}, "reportingComponent": "kustomize-controller",
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z", "count": 1}));
    times.of("event", apis.events.create(&post, &event)).await;
    times.of("get", apis.kustomizations.get(name)).await;
}

async fn prepare(client: &Client) {
    let definitions: Api<DynamicObject> = Api::all_with(
        client.clone(),
        &ApiResource::from_gvk(&GroupVersionKind::gvk(
            "apiextensions.k8s.io",
            "v1",
            "CustomResourceDefinition",
        )),
    );
    for definition in api::crds() {
        let definition = object(serde_json::to_value(definition).unwrap());
        definitions
            .create(&PostParams::default(), &definition)
            .await
            .unwrap();
    }
    let namespaces: Api<DynamicObject> = Api::all_with(
        client.clone(),
        &ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace")),
    );
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    namespaces
        .create(&PostParams::default(), &object(namespace))
        .await
        .unwrap();
}

/// Watches as the controllers do; counts what comes.
fn watch(client: &Client, apis: &Apis, seen: &Arc<AtomicUsize>) -> JoinSet<()> {
    let mut watches = JoinSet::new();
    let whole = watcher(apis.kustomizations.clone(), watcher::Config::default()).boxed();
    let count = Arc::clone(seen);
    watches.spawn(whole.for_each(move |event| {
        let is_seen = matches!(event, Ok(watcher::Event::Apply(_)));
        count.fetch_add(usize::from(is_seen), Ordering::Relaxed);
        futures::future::ready(())
    }));
    for (group, kind) in [("", "ConfigMap"), ("apps", "Deployment")] {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        let api: Api<PartialObjectMeta<DynamicObject>> =
            Api::namespaced_with(client.clone(), NAMESPACE, &resource);
        let metadata = watcher(api, watcher::Config::default()).boxed();
        let count = Arc::clone(seen);
        watches.spawn(metadata.for_each(move |event| {
            let is_seen = matches!(event, Ok(watcher::Event::Apply(_)));
            count.fetch_add(usize::from(is_seen), Ordering::Relaxed);
            futures::future::ready(())
        }));
    }
    watches
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| text.parse::<usize>().unwrap());
    let count = arguments.next().unwrap_or(1000);
    let concurrent = arguments.next().unwrap_or(8);
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(Config {
        directory: Some(directory.path().to_owned()),
        tokens: StaticTokens::default().with(TOKEN, User::system("kubernetes-admin")),
        ..Config::default()
    })
    .await
    .unwrap();
    let service = server
        .service()
        .map_request(|mut request: http::Request<kube::client::Body>| {
            let token = http::HeaderValue::from_static("Bearer a-token-of-the-measurement");
            request
                .headers_mut()
                .insert(http::header::AUTHORIZATION, token);
            request
        });
    let client = Client::new(service, NAMESPACE);
    prepare(&client).await;
    let apis = Arc::new(Apis::new(&client));
    let (times, seen) = (Arc::new(Times::default()), Arc::new(AtomicUsize::new(0)));
    let watches = watch(&client, &apis, &seen);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..concurrent {
        let (apis, times, next) = (Arc::clone(&apis), Arc::clone(&times), Arc::clone(&next));
        workers.spawn(async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return;
                }
                reconcile(&apis, &times, &format!("app-{index:05}")).await;
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
    let took = begun.elapsed().as_secs_f64();
    let requests: usize = times.0.lock().unwrap().values().map(Vec::len).sum();
    println!(
        "{count} Kustomizations, {requests} requests in {took:.2} s: {:.0} a second",
        requests as f64 / took
    );
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!(
        "{} events seen by the watches",
        seen.load(Ordering::Relaxed)
    );
    times.print();
    // They would try again and again.
    drop(watches);
    server.shutdown().await;
}
