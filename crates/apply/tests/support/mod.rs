//! An API server for a test, its requests counted, some of them made to fail.
//!
//! It is the embedded one, or the cluster of `SLUICE_TEST_KUBECONFIG`.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apiserver::auth::StaticTokens;
use apiserver::{Config, Server, User};
use apply::{Applier, Cluster, Manifest, Options, Outcome, Owner};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::client::Body;
use serde_json::{Value, json};
use tower::{BoxError, ServiceExt as _};

const TOKEN: &str = "a-token-of-the-test";

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is answered with this status and message.
    Status(u16, &'static str, String),
    /// The connection breaks before the request arrives.
    Cut,
    /// The request is carried out, but the answer does not arrive.
    Lost,
    /// Nothing ever arrives.
    Hang,
}

/// Requests whose method and path contain these words, and what becomes of the next so many.
pub(crate) struct Rule {
    words: Vec<&'static str>,
    fault: Fault,
    left: u32,
}

#[derive(Default)]
struct Wire {
    log: Mutex<Vec<String>>,
    rules: Mutex<VecDeque<Rule>>,
    watches: Mutex<Vec<tokio::sync::watch::Sender<bool>>>,
}

/// An API server.
pub(crate) struct World {
    pub(crate) client: Client,
    /// A client that is neither counted nor disturbed.
    pub(crate) direct: Client,
    pub(crate) namespace: String,
    wire: Arc<Wire>,
    _server: Option<Server>,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl World {
    pub(crate) async fn start() -> Self {
        let (server, direct) = match std::env::var_os("SLUICE_TEST_KUBECONFIG") {
            Some(path) => (None, real(path.as_ref()).await),
            None => embedded().await,
        };
        let wire = Arc::new(Wire::default());
        let client = wired(&direct, &wire);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("apply-{}-{number}", std::process::id());
        let world = Self {
            client,
            direct,
            namespace,
            wire,
            _server: server,
        };
        world
            .write(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}}), "test")
            .await;
        world
    }

    pub(crate) fn cluster(&self) -> Cluster {
        Cluster::new(self.client.clone())
    }

    pub(crate) fn applier(&self, cluster: &Cluster, name: &str) -> Applier {
        Applier::new(cluster, Owner::kustomization(&self.namespace, name))
    }

    /// Applies as the controller of Kustomizations does.
    pub(crate) async fn apply(&self, applier: &Applier, objects: &[Value]) -> Outcome {
        self.apply_with(applier, objects, &Options::for_kustomizations(&[]))
            .await
    }

    pub(crate) async fn apply_with(
        &self,
        applier: &Applier,
        objects: &[Value],
        options: &Options,
    ) -> Outcome {
        let mut manifests: Vec<Manifest> = objects.iter().cloned().map(Manifest::new).collect();
        apply::set_owner_labels(&mut manifests, applier.owner());
        apply::normalize(&mut manifests);
        applier.apply_staged(manifests, options).await
    }

    /// The requests since the last look, without watches and what they list first.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = std::mem::take(&mut *self.wire.log.lock().unwrap());
        log.into_iter()
            .filter(|line| !line.contains("watch=true") && !line.contains("limit=500"))
            .collect()
    }

    /// Makes the next `count` requests with all the words fail.
    pub(crate) fn fail(&self, count: u32, words: &[&'static str], fault: Fault) {
        self.wire.rules.lock().unwrap().push_back(Rule {
            words: words.to_vec(),
            fault,
            left: count,
        });
    }

    /// Breaks all watches.
    pub(crate) fn cut_watches(&self) {
        for watch in self.wire.watches.lock().unwrap().drain(..) {
            watch.send_replace(true);
        }
    }

    fn api(&self, object: &Value) -> Api<DynamicObject> {
        let gvk = object::GroupVersionKind::of(object);
        let plural = match gvk.kind.as_str() {
            "Ingress" => "ingresses".to_owned(),
            "NetworkPolicy" => "networkpolicies".to_owned(),
            kind => format!("{}s", kind.to_lowercase()),
        };
        let gvk = kube::api::GroupVersionKind::gvk(&gvk.group, &gvk.version, &gvk.kind);
        let resource = ApiResource::from_gvk_with_plural(&gvk, &plural);
        match object::meta::namespace(object) {
            "" => Api::all_with(self.direct.clone(), &resource),
            namespace => Api::namespaced_with(self.direct.clone(), namespace, &resource),
        }
    }

    /// Applies an object as someone else.
    pub(crate) async fn write(&self, object: &Value, manager: &str) {
        let params = PatchParams::apply(manager).force();
        let name = object::meta::name(object);
        self.api(object)
            .patch(name, &params, &Patch::Apply(object))
            .await
            .unwrap();
    }

    /// Patches an object as someone else (a merge patch).
    pub(crate) async fn patch(&self, object: &Value, patch: Value, manager: &str) {
        let params = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let name = object::meta::name(object);
        self.api(object)
            .patch(name, &params, &Patch::Merge(patch))
            .await
            .unwrap();
    }

    /// Creates an object as a client-side tool does: not by an apply.
    pub(crate) async fn create(&self, object: &Value, manager: &str) {
        let params = kube::api::PostParams {
            field_manager: Some(manager.to_owned()),
            ..kube::api::PostParams::default()
        };
        let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        self.api(&serde_json::to_value(&object).unwrap())
            .create(&params, &object)
            .await
            .unwrap();
    }

    pub(crate) async fn patch_status(&self, object: &Value, status: Value) {
        let patch = json!({ "status": status });
        let name = object::meta::name(object);
        self.api(object)
            .patch_status(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    pub(crate) async fn delete(&self, object: &Value) {
        self.api(object)
            .delete(
                object::meta::name(object),
                &kube::api::DeleteParams::default(),
            )
            .await
            .unwrap();
    }

    /// The object as it is in the cluster.
    pub(crate) async fn get(&self, object: &Value) -> Option<Value> {
        let found = self
            .api(object)
            .get_opt(object::meta::name(object))
            .await
            .unwrap()?;
        Some(serde_json::to_value(found).unwrap())
    }

    pub(crate) fn config_map(&self, name: &str, value: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": self.namespace}, "data": {"key": value}})
    }

    pub(crate) fn deployment(&self, name: &str, replicas: u32) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "example.test/image:1", "ports": [{"containerPort": 80}]}]}}}})
    }
}

async fn embedded() -> (Option<Server>, Client) {
    let server = Server::start(Config {
        tokens: StaticTokens::default().with(TOKEN, User::system("kubernetes-admin")),
        simulate_workloads: false,
        ..Config::default()
    })
    .await
    .expect("a server in memory starts");
    let service = server.service().map_request(|mut request: Request<Body>| {
        let token = format!("Bearer {TOKEN}").parse().expect("a header value");
        request
            .headers_mut()
            .insert(http::header::AUTHORIZATION, token);
        request
    });
    let client = Client::new(service, "default");
    (Some(server), client)
}

async fn real(path: &std::path::Path) -> Client {
    let kubeconfig = kube::config::Kubeconfig::read_from(path).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

/// A client whose requests are logged and disturbed.
fn wired(direct: &Client, wire: &Arc<Wire>) -> Client {
    let (direct, wire) = (direct.clone(), Arc::clone(wire));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (direct, wire) = (direct.clone(), Arc::clone(&wire));
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            wire.log.lock().unwrap().push(line.clone());
            match wire.next_fault(&line) {
                Some(Fault::Cut) => return Err(BoxError::from("connection reset by peer")),
                Some(Fault::Hang) => return std::future::pending().await,
                Some(Fault::Lost) => {
                    direct.send(request).await.map_err(BoxError::from)?;
                    return Err("the answer was lost".into());
                }
                Some(Fault::Status(code, reason, message)) => {
                    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message});
                    let body = Full::new(bytes::Bytes::from(status.to_string()));
                    let answer = Response::builder()
                        .status(StatusCode::from_u16(code).unwrap())
                        .header("content-type", "application/json");
                    let body = body.map_err(|never| match never {}).boxed_unsync();
                    return Ok(answer.body(body).unwrap());
                }
                None => {}
            }
            let is_watch = line.contains("watch=true");
            let answer = direct.send(request).await.map_err(BoxError::from)?;
            let (head, body) = answer.into_parts();
            let body = if is_watch {
                wire.cuttable(body)
            } else {
                body.map_err(BoxError::from).boxed_unsync()
            };
            Ok(Response::from_parts(head, body))
        }
    });
    Client::new(service, "default")
}

type AnyBody = http_body_util::combinators::UnsyncBoxBody<bytes::Bytes, BoxError>;

impl Wire {
    fn next_fault(&self, line: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap();
        let rule = rules
            .iter_mut()
            .find(|rule| rule.left > 0 && rule.words.iter().all(|word| line.contains(word)))?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }

    /// A body that ends with an error when watches are cut.
    fn cuttable(&self, body: Body) -> AnyBody {
        let (sender, cut) = tokio::sync::watch::channel(false);
        self.watches.lock().unwrap().push(sender);
        let stream = futures::stream::unfold(
            (body, cut, false),
            |(mut body, mut cut, ended)| async move {
                if ended {
                    return None;
                }
                tokio::select! {
                    frame = body.frame() => {
                        let frame = frame?.map_err(BoxError::from);
                        Some((frame, (body, cut, false)))
                    }
                    is_cut = async { cut.wait_for(|is_cut| *is_cut).await.is_ok() } => {
                        // Without a sender nothing is cut any more; the frames end the body.
                        if !is_cut {
                            let frame = body.frame().await?.map_err(BoxError::from);
                            return Some((frame, (body, tokio::sync::watch::channel(false).1, false)));
                        }
                        let error: BoxError = "connection reset by peer".into();
                        Some((Err(error), (body, cut, true)))
                    }
                }
            },
        );
        http_body_util::StreamBody::new(stream).boxed_unsync()
    }
}

/// Waits until a condition holds.
pub(crate) async fn eventually<T>(mut check: impl AsyncFnMut() -> Result<T, String>) -> T {
    let end = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        match check().await {
            Ok(value) => return value,
            Err(why) if std::time::Instant::now() > end => panic!("{why}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
