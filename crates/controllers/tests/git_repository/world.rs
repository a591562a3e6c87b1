//! A control plane with a controller of sources: ours, or Flux's.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use apiserver::auth::StaticTokens;
use apiserver::http::tls::Tls;
use apiserver::{Config, Server, User};
use base64::Engine as _;
use controllers::{Trees, source};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch,
    PatchParams, PostParams,
};
use runtime::metrics::Metrics;
use runtime::{Backoff, Connection, Jitter, Manager, ManagerOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::git_server::GitServer;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

const TOKEN: &str = "a-token-of-the-test";
const NAMESPACE: &str = "default";
/// Where artifacts are said to be.
const ADVERTISED: &str = "artifacts.test";

enum Running {
    Ours(CancellationToken, tokio::task::JoinHandle<()>),
    Flux(Child),
}

/// All of it; ended with [`World::end`].
pub(crate) struct World {
    server: Server,
    connection: Connection,
    running: Option<Running>,
    pub(crate) storage: TempDir,
    pub(crate) git: GitServer,
    /// What was seen at each step.
    pub(crate) seen: Vec<(String, Value)>,
    is_flux: bool,
    kubeconfig: PathBuf,
    pub(crate) trees: Trees,
}

/// Runs a scenario with both controllers and compares what was seen.
pub(crate) async fn both(scenario: impl AsyncFn(&mut World)) {
    let mut ours = World::start(false).await;
    scenario(&mut ours).await;
    let git = ours.git.url("");
    let ours = (std::mem::take(&mut ours.seen), ours.end().await).0;
    if flux().is_none() {
        println!("left out: source-controller is not built");
        return;
    }
    let mut flux = World::start(true).await;
    scenario(&mut flux).await;
    let other = flux.git.url("");
    let theirs = (std::mem::take(&mut flux.seen), flux.end().await).0;
    let (mut our_ids, mut their_ids) = (Vec::new(), Vec::new());
    let mut differences = Vec::new();
    for ((step, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        let ours = with_ordinals(&normal(ours, &git), &mut our_ids);
        let theirs = with_ordinals(&normal(theirs, &other), &mut their_ids);
        compare(step, &ours, &theirs, &mut differences);
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    assert_eq!(ours.len(), theirs.len());
}

/// Notes where two values differ.
fn compare(path: &str, ours: &Value, theirs: &Value, differences: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let none = Value::Null;
                let (a, b) = (a.get(key).unwrap_or(&none), b.get(key).unwrap_or(&none));
                compare(&format!("{path}.{key}"), a, b, differences);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{at}]"), a, b, differences);
            }
        }
        _ if ours == theirs => {}
        _ => differences.push(format!("{path}\n   ours {ours}\n   Flux {theirs}")),
    }
}

/// With object ids replaced by the order in which they come: commits are made anew for each run.
fn with_ordinals(value: &Value, ids: &mut Vec<String>) -> Value {
    let text = value.to_string();
    let mut out = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let digits = rest
            .bytes()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            .count();
        if digits == 40 {
            let at = ids
                .iter()
                .position(|id| *id == rest[..40])
                .unwrap_or_else(|| {
                    ids.push(rest[..40].to_owned());
                    ids.len() - 1
                });
            out.push_str(&format!("ID{at}"));
            rest = &rest[40..];
            continue;
        }
        let step = digits.max(rest.chars().next().map_or(1, char::len_utf8));
        out.push_str(&rest[..step]);
        rest = &rest[step..];
    }
    serde_json::from_str(&out).unwrap()
}

fn flux() -> Option<PathBuf> {
    let path =
        PathBuf::from(std::env::var_os("HOME")?).join(".cache/sluice-peers/bin/source-controller");
    path.exists().then_some(path)
}

/// Without what differs from run to run: times, digests, sizes, and where the server listens.
fn normal(value: &Value, git: &str) -> Value {
    let server = git.trim_end_matches("/.git").to_owned();
    let address = server.trim_start_matches("http://").to_owned();
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| {
                !matches!(
                    key.as_str(),
                    "lastTransitionTime" | "lastUpdateTime" | "digest" | "size"
                )
            })
            .map(|(key, value)| (key.clone(), normal(value, git)))
            .collect(),
        Value::Array(list) => list.iter().map(|value| normal(value, git)).collect(),
        Value::String(text) => {
            let text = text.replace(&address, "GIT");
            // Digests differ with the compression.
            match text.split_once("sha256:") {
                Some((before, rest)) => json!(format!(
                    "{before}sha256:{}",
                    rest.trim_start_matches(|c: char| c.is_ascii_hexdigit())
                )),
                None => json!(text),
            }
        }
        other => other.clone(),
    }
}

impl World {
    async fn start(is_flux: bool) -> Self {
        let tokens = StaticTokens::default().with(TOKEN, User::system("kubernetes-admin"));
        let server = Server::start(Config {
            tokens,
            ..Config::default()
        })
        .await
        .unwrap();
        let metrics = Metrics::new();
        let service =
            server
                .service()
                .map_request(|mut request: http::Request<kube::client::Body>| {
                    let token = format!("Bearer {TOKEN}").parse().unwrap();
                    request
                        .headers_mut()
                        .insert(http::header::AUTHORIZATION, token);
                    request
                });
        let connection = Connection::in_process(service, &metrics);
        let storage = TempDir::new().unwrap();
        let kubeconfig = storage.path().join(".kubeconfig");
        let mut world = Self {
            server,
            connection,
            running: None,
            storage,
            git: GitServer::start(),
            seen: Vec::new(),
            is_flux,
            kubeconfig,
            trees: Trees::default(),
        };
        let api = world.api("apiextensions.k8s.io/v1", "CustomResourceDefinition", true);
        for definition in api::current_crds() {
            let definition: DynamicObject = serde_json::from_value(definition).unwrap();
            api.create(&PostParams::default(), &definition)
                .await
                .unwrap();
        }
        if is_flux {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("https://{}", listener.local_addr().unwrap());
            let tls = Tls::ephemeral(&["127.0.0.1".to_owned()]).unwrap();
            let authority = base64::engine::general_purpose::STANDARD.encode(&tls.authority_pem);
            world.server.serve(listener, Some(&tls)).unwrap();
            let config = json!({
                "apiVersion": "v1", "kind": "Config", "current-context": "x",
                "clusters": [{"name": "x", "cluster": {"server": url, "certificate-authority-data": authority}}],
                "users": [{"name": "x", "user": {"token": TOKEN}}],
                "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            });
            std::fs::write(&world.kubeconfig, config.to_string()).unwrap();
        }
        world.run();
        world
    }

    /// Starts the controller.
    pub(crate) fn run(&mut self) {
        self.running = Some(if self.is_flux {
            self.run_flux()
        } else {
            self.run_ours()
        });
    }

    fn run_ours(&self) -> Running {
        let stop = CancellationToken::new();
        let options = ManagerOptions {
            jitter: Jitter::percent(5),
            ..ManagerOptions::default()
        };
        let manager = Manager::new(
            self.connection.clone(),
            options,
            Metrics::new(),
            stop.clone(),
        );
        let mut settings = source::Settings {
            storage_path: self.storage.path().to_owned(),
            storage_address: "127.0.0.1:0".to_owned(),
            storage_advertised: ADVERTISED.to_owned(),
            requeue_dependency: Duration::from_secs(2),
            ..source::Settings::default()
        };
        settings.run.backoff = Backoff {
            min: Duration::from_millis(750),
            max: Duration::from_secs(900),
        };
        let (trees, until) = (self.trees.clone(), stop.clone());
        let running =
            tokio::spawn(
                async move { source::run(manager, settings, trees, until).await.unwrap() },
            );
        Running::Ours(stop, running)
    }

    fn run_flux(&self) -> Running {
        let log = std::fs::File::create(self.storage.path().join(".log")).unwrap();
        let child = Command::new(flux().unwrap())
            .arg(format!("--storage-path={}", self.storage.path().display()))
            .arg(format!("--storage-adv-addr={ADVERTISED}"))
            .args([
                "--storage-addr=127.0.0.1:0",
                "--metrics-addr=127.0.0.1:0",
                "--health-addr=127.0.0.1:0",
            ])
            .args([
                "--enable-leader-election=false",
                "--events-addr=",
                "--requeue-dependency=2s",
            ])
            .env("KUBECONFIG", &self.kubeconfig)
            .env("RUNTIME_NAMESPACE", NAMESPACE)
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Running::Flux(child)
    }

    /// Ends the controller.
    pub(crate) async fn halt(&mut self) {
        match self.running.take() {
            Some(Running::Ours(stop, running)) => {
                stop.cancel();
                running.await.unwrap();
            }
            Some(Running::Flux(mut child)) => {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            None => {}
        }
    }

    async fn end(mut self) {
        self.halt().await;
        self.server.shutdown().await;
    }

    fn api(&self, api_version: &str, kind: &str, is_global: bool) -> Api<DynamicObject> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let gvk = GroupVersionKind::gvk(group, version, kind);
        let plural = match kind {
            "GitRepository" => "gitrepositories".to_owned(),
            _ => format!("{}s", kind.to_lowercase()),
        };
        let resource = ApiResource::from_gvk_with_plural(&gvk, &plural);
        let client = self.connection.client().clone();
        if is_global {
            Api::all_with(client, &resource)
        } else {
            Api::namespaced_with(client, NAMESPACE, &resource)
        }
    }

    fn repositories(&self) -> Api<DynamicObject> {
        self.api("source.toolkit.fluxcd.io/v1", "GitRepository", false)
    }

    pub(crate) async fn secret(&self, name: &str, data: &[(&str, &str)]) {
        let data: serde_json::Map<String, Value> = data
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        let secret: DynamicObject = serde_json::from_value(secret).unwrap();
        self.api("v1", "Secret", false)
            .create(&PostParams::default(), &secret)
            .await
            .unwrap();
    }

    /// Makes a GitRepository of the repository `repository`, on `main`, with more in its spec.
    pub(crate) async fn create(&self, name: &str, repository: &str, more: Value) {
        let mut spec =
            json!({"interval": "1h", "url": self.git.url(repository), "ref": {"branch": "main"}});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let object = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": name}, "spec": spec,
        });
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        self.repositories()
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
    }

    pub(crate) async fn patch(&self, name: &str, patch: Value) {
        self.repositories()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    /// Asks for a reconciliation, and waits until it was heard.
    pub(crate) async fn reconcile(&self, name: &str, request: &str) {
        let annotation =
            json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": request}}});
        self.patch(name, annotation).await;
        self.until(name, |object| {
            object["status"]["lastHandledReconcileAt"] == request
        })
        .await;
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.repositories()
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while self.get(name).await.is_some() {
            assert!(Instant::now() < end, "{name} is not gone");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn get(&self, name: &str) -> Option<Value> {
        let found = self.repositories().get_opt(name).await.unwrap();
        found.map(|object| serde_json::to_value(object).unwrap())
    }

    /// The object as soon as `condition` holds.
    pub(crate) async fn until(&self, name: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let end = Instant::now() + Duration::from_secs(25);
        while Instant::now() < end {
            if let Some(object) = self.get(name).await {
                if condition(&object) {
                    return object;
                }
                last = object;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let log = std::fs::read_to_string(self.storage.path().join(".log")).unwrap_or_default();
        panic!(
            "not in time (Flux: {}); last seen: {last:#}\n{log}",
            self.is_flux
        );
    }

    /// Waits for `condition`, and notes what is to be seen then.
    pub(crate) async fn step(
        &mut self,
        step: &str,
        name: &str,
        condition: impl Fn(&Value) -> bool,
    ) -> Value {
        let object = self.until(name, condition).await;
        let metadata = &object["metadata"];
        let seen = json!({"status": object["status"], "finalizers": metadata["finalizers"],
            "archive": self.archive(&object)});
        self.seen.push((step.to_owned(), seen));
        object
    }

    /// Notes the events about an object.
    pub(crate) async fn note_events(&mut self, name: &str) -> Vec<String> {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let events = self
            .api("v1", "Event", false)
            .list(&ListParams::default())
            .await
            .unwrap();
        let mut seen: Vec<String> = events
            .items
            .iter()
            .filter(|event| event.data["involvedObject"]["name"] == name)
            .map(|event| {
                let text = |field: &str| event.data[field].as_str().unwrap_or_default().to_owned();
                let annotations = event.metadata.annotations.iter().flatten();
                let revision = annotations
                    .filter(|(key, _)| key.ends_with("/revision"))
                    .map(|(_, value)| value.clone());
                let revision: String = revision.collect();
                format!(
                    "{} {}: {} [{revision}]",
                    text("type"),
                    text("reason"),
                    text("message")
                )
            })
            .collect();
        seen.sort();
        seen.dedup();
        self.seen.push((format!("events of {name}"), json!(seen)));
        seen
    }

    /// Names, modes and contents in the artifact of an object.
    pub(crate) fn archive(&self, object: &Value) -> Vec<String> {
        let Some(path) = object["status"]["artifact"]["path"].as_str() else {
            return Vec::new();
        };
        let output = Command::new("tar")
            .arg("-xOzf")
            .arg(self.storage.path().join(path))
            .output()
            .unwrap();
        let listing = Command::new("tar")
            .args(["--numeric-owner", "-tvzf"])
            .arg(self.storage.path().join(path))
            .output()
            .unwrap();
        assert!(
            output.status.success() && listing.status.success(),
            "{listing:?}"
        );
        let mut lines: Vec<String> = String::from_utf8_lossy(&listing.stdout)
            .lines()
            .map(str::to_owned)
            .collect();
        lines.push(String::from_utf8_lossy(&output.stdout).into_owned());
        lines
    }

    /// The names of the files of an object's artifacts.
    pub(crate) fn stored(&self, name: &str) -> Vec<String> {
        let folder = self
            .storage
            .path()
            .join("gitrepository")
            .join(NAMESPACE)
            .join(name);
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A condition of an object.
pub(crate) fn condition(object: &Value, r#type: &str) -> Value {
    let conditions = object["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    conditions
        .into_iter()
        .find(|condition| condition["type"] == r#type)
        .unwrap_or_default()
}
