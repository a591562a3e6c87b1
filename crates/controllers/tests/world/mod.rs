//! A control plane, the controller of Kustomizations, and sources whose trees are given by the test.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::meta::Artifact;
use apiserver::auth::StaticTokens;
use apiserver::{Config, Server, User};
use controllers::{Trees, kustomization};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch,
    PatchParams, PostParams,
};
use runtime::metrics::Metrics;
use runtime::{Connection, Jitter, Manager, ManagerOptions};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tree::{Blobs, ContentId, Entry, Tree};

const TOKEN: &str = "a-token-of-the-test";
pub(crate) const NAMESPACE: &str = "default";

/// All of it; ended with [`World::end`].
pub(crate) struct World {
    server: Server,
    pub(crate) connection: Connection,
    pub(crate) metrics: Metrics,
    trees: Trees,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

/// Contents by their text.
struct Contents(BTreeMap<ContentId, Arc<[u8]>>);

impl Blobs for Contents {
    fn read(&self, id: &ContentId) -> io::Result<Arc<[u8]>> {
        self.0
            .get(id)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A tree of files.
pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    let (mut entries, mut contents) = (BTreeMap::new(), BTreeMap::new());
    for (path, text) in files {
        let id = ContentId::of(text.as_bytes());
        contents.insert(id, Arc::from(text.as_bytes()));
        entries.insert(
            PathBuf::from(path),
            Entry::File {
                id,
                size: Some(text.len() as u64),
                executable: false,
            },
        );
    }
    Tree::new(entries, Arc::new(Contents(contents)))
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    /// With other settings.
    pub(crate) async fn with(
        change: impl FnOnce(&mut kustomization::Settings),
        server: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config {
            tokens: StaticTokens::default().with(TOKEN, User::system("kubernetes-admin")),
            ..Config::default()
        };
        server(&mut config);
        let server = Server::start(config)
            .await
            .expect("a server in memory starts");
        let metrics = Metrics::new();
        let service =
            server
                .service()
                .map_request(|mut request: http::Request<kube::client::Body>| {
                    let token = format!("Bearer {TOKEN}").parse().expect("a header value");
                    request
                        .headers_mut()
                        .insert(http::header::AUTHORIZATION, token);
                    request
                });
        let connection = Connection::in_process(service, &metrics);
        let world = Self {
            server,
            connection,
            metrics,
            trees: Trees::default(),
            stop: CancellationToken::new(),
            running: tokio::spawn(async {}),
        };
        for definition in api::current_crds() {
            world.create(definition).await;
        }
        let mut settings = kustomization::Settings {
            requeue_dependency: Duration::from_secs(5),
            ..kustomization::Settings::default()
        };
        change(&mut settings);
        let options = ManagerOptions {
            config_selector: "reconcile.fluxcd.io/watch=Enabled".to_owned(),
            jitter: Jitter::percent(5),
            ..ManagerOptions::default()
        };
        let manager = Manager::new(
            world.connection.clone(),
            options,
            world.metrics.clone(),
            world.stop.clone(),
        );
        let running = tokio::spawn(kustomization::run(
            manager,
            settings,
            world.trees.clone(),
            world.stop.clone(),
        ));
        Self { running, ..world }
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.running.await.expect("the controller ends");
        self.server.shutdown().await;
    }

    fn api(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let gvk = GroupVersionKind::gvk(group, version, kind);
        let plural = match kind {
            "GitRepository" => "gitrepositories".to_owned(),
            "NetworkPolicy" => "networkpolicies".to_owned(),
            _ => format!("{}s", kind.to_lowercase()),
        };
        let resource = ApiResource::from_gvk_with_plural(&gvk, &plural);
        let is_global = [
            "Namespace",
            "CustomResourceDefinition",
            "ClusterRoleBinding",
            "ClusterRole",
        ]
        .contains(&kind);
        if is_global {
            return Api::all_with(self.connection.client().clone(), &resource);
        }
        Api::namespaced_with(self.connection.client().clone(), NAMESPACE, &resource)
    }

    pub(crate) fn objects(&self, object: &str) -> (Api<DynamicObject>, String) {
        let parts: Vec<&str> = object.rsplitn(3, ' ').collect();
        let [name, kind, version] = parts[..] else {
            panic!("give `<apiVersion> <kind> <name>`, not {object}")
        };
        (self.api(version, kind), name.to_owned())
    }

    pub(crate) async fn create(&self, object: Value) {
        let kind = object["kind"].as_str().expect("a kind").to_owned();
        let api = self.api(object["apiVersion"].as_str().expect("a version"), &kind);
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        api.create(&PostParams::default(), &object)
            .await
            .expect("created");
    }

    /// An object, as `v1 ConfigMap name`.
    pub(crate) async fn get(&self, object: &str) -> Option<Value> {
        let (api, name) = self.objects(object);
        let found = api.get_opt(&name).await.expect("it can be asked for");
        found.map(|object| serde_json::to_value(object).expect("JSON"))
    }

    pub(crate) async fn patch(&self, object: &str, patch: Value) {
        let (api, name) = self.objects(object);
        api.patch(&name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .expect("patched");
    }

    pub(crate) async fn delete(&self, object: &str) {
        let (api, name) = self.objects(object);
        api.delete(&name, &DeleteParams::default())
            .await
            .expect("deleted");
    }

    /// Makes a GitRepository (once), and gives it an artifact with these files.
    pub(crate) async fn source(&self, name: &str, revision: &str, files: &[(&str, &str)]) {
        let object = format!("source.toolkit.fluxcd.io/v1 GitRepository {name}");
        if self.get(&object).await.is_none() {
            self.create(json!({
                "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": {"name": name},
                "spec": {"interval": "1h", "url": "http://127.0.0.1/none.git"},
            }))
            .await;
        }
        let artifact = Artifact {
            path: format!("gitrepository/{NAMESPACE}/{name}/{revision}.tar.gz"),
            url: format!("http://127.0.0.1:1/{revision}.tar.gz"),
            revision: format!("main@sha1:{revision}"),
            digest: format!("sha256:{revision:0>64}"),
            ..Artifact::default()
        };
        self.trees.put(&artifact, tree(files));
        let (api, name) = self.objects(&object);
        let status = json!({"status": {"artifact": artifact}});
        api.patch_status(&name, &PatchParams::default(), &Patch::Merge(status))
            .await
            .expect("patched");
    }

    /// Makes a Kustomization of the source `app`, with more in its spec.
    pub(crate) async fn kustomization(&self, name: &str, more: Value) {
        let mut spec = json!({"interval": "1h", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "app"}});
        spec.as_object_mut()
            .expect("a map")
            .extend(more.as_object().expect("a map").clone());
        self.create(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": name}, "spec": spec,
        }))
        .await;
    }

    /// The Kustomization as soon as `condition` holds for it.
    pub(crate) async fn until(&self, name: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let end = Instant::now() + Duration::from_secs(40);
        while Instant::now() < end {
            if let Some(object) = self
                .get(&format!(
                    "kustomize.toolkit.fluxcd.io/v1 Kustomization {name}"
                ))
                .await
            {
                if condition(&object) {
                    return object;
                }
                last = object;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not in time; last seen: {last:#}");
    }

    /// The Kustomization as soon as it is ready with a revision.
    pub(crate) async fn ready(&self, name: &str, revision: &str) -> Value {
        self.until(name, |object| {
            condition(object, "Ready")["status"] == "True"
                && object["status"]["lastAppliedRevision"] == format!("main@sha1:{revision}")
                && object["status"]["observedGeneration"] == object["metadata"]["generation"]
        })
        .await
    }

    /// The Kustomization as soon as it is not ready for this reason.
    pub(crate) async fn not_ready(&self, name: &str, reason: &str) -> Value {
        self.until(name, |object| {
            let ready = condition(object, "Ready");
            ready["status"] == "False" && ready["reason"] == reason
        })
        .await
    }

    /// Asks for a reconciliation, and waits until it was handled.
    pub(crate) async fn request(&self, name: &str, token: &str) -> Value {
        let object = format!("kustomize.toolkit.fluxcd.io/v1 Kustomization {name}");
        self.patch(
            &object,
            json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}}),
        )
        .await;
        self.until(name, |object| {
            object["status"]["lastHandledReconcileAt"] == token
        })
        .await
    }

    /// The events about a Kustomization: `<type> <reason>: <message>`, oldest first.
    pub(crate) async fn events(&self, name: &str) -> Vec<String> {
        // They are posted beside the reconciliation.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let list = self
            .api("v1", "Event")
            .list(&ListParams::default())
            .await
            .expect("listed");
        let mut events: Vec<Value> = list
            .items
            .iter()
            .map(|event| serde_json::to_value(event).expect("JSON"))
            .collect();
        events.retain(|event| {
            event["involvedObject"]["name"] == name
                && event["involvedObject"]["kind"] == "Kustomization"
        });
        events.sort_by_key(|event| event["metadata"]["name"].as_str().map(str::to_owned));
        let text =
            |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .map(|event| {
                format!(
                    "{} {}: {}",
                    text(event, "type"),
                    text(event, "reason"),
                    text(event, "message")
                )
            })
            .collect()
    }

    /// How many requests with these methods were answered so far; watches and lists are GETs.
    pub(crate) fn requests(&self, methods: &[&str]) -> u64 {
        let text = self.metrics.render();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("rest_client_requests_total"));
        lines
            .filter(|line| {
                methods
                    .iter()
                    .any(|method| line.contains(&format!("method=\"{method}\"")))
            })
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    }
}

/// A condition of an object; null if it has none of this type.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .and_then(|all| all.iter().find(|condition| condition["type"] == kind))
        .unwrap_or(&Value::Null)
}

/// The entries of the inventory, as `<id> <version>`.
pub(crate) fn inventory(object: &Value) -> Vec<String> {
    let entries = object["status"]["inventory"]["entries"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    entries
        .iter()
        .map(|entry| {
            format!(
                "{} {}",
                entry["id"].as_str().unwrap_or_default(),
                entry["v"].as_str().unwrap_or_default()
            )
        })
        .collect()
}

/// A ConfigMap as a manifest.
pub(crate) fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {NAMESPACE}\ndata:\n  key: \"{value}\"\n"
    )
}

/// Waits until `condition` holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    let end = Instant::now() + Duration::from_secs(40);
    while !condition().await {
        assert!(Instant::now() < end, "not in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
