//! The cluster that recorded runs of a command line were made against: Flux's CRDs, the recorded objects,
//! and a stand-in for the controllers.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::Server;

/// A control plane with the recorded objects.
pub struct Cluster {
    server: Server,
    api: Api,
}

/// A client of the control plane.
#[derive(Clone)]
struct Api {
    client: reqwest::Client,
    runtime: Arc<tokio::runtime::Runtime>,
    url: String,
    token: String,
}

/// The kinds of Flux: group, version, plural.
const KINDS: [(&str, &str, &str); 15] = [
    (
        "GitRepository",
        "source.toolkit.fluxcd.io/v1",
        "gitrepositories",
    ),
    (
        "OCIRepository",
        "source.toolkit.fluxcd.io/v1",
        "ocirepositories",
    ),
    (
        "HelmRepository",
        "source.toolkit.fluxcd.io/v1",
        "helmrepositories",
    ),
    ("HelmChart", "source.toolkit.fluxcd.io/v1", "helmcharts"),
    ("Bucket", "source.toolkit.fluxcd.io/v1", "buckets"),
    (
        "ExternalArtifact",
        "source.toolkit.fluxcd.io/v1",
        "externalartifacts",
    ),
    (
        "Kustomization",
        "kustomize.toolkit.fluxcd.io/v1",
        "kustomizations",
    ),
    ("HelmRelease", "helm.toolkit.fluxcd.io/v2", "helmreleases"),
    ("Alert", "notification.toolkit.fluxcd.io/v1beta3", "alerts"),
    (
        "Provider",
        "notification.toolkit.fluxcd.io/v1beta3",
        "providers",
    ),
    ("Receiver", "notification.toolkit.fluxcd.io/v1", "receivers"),
    (
        "ImageRepository",
        "image.toolkit.fluxcd.io/v1",
        "imagerepositories",
    ),
    ("ImagePolicy", "image.toolkit.fluxcd.io/v1", "imagepolicies"),
    (
        "ImageUpdateAutomation",
        "image.toolkit.fluxcd.io/v1",
        "imageupdateautomations",
    ),
    (
        "ArtifactGenerator",
        "source.extensions.fluxcd.io/v1beta1",
        "artifactgenerators",
    ),
];

fn path_of(kind: &str, api_version: &str, namespace: &str) -> String {
    let plural = KINDS.iter().find(|known| known.0 == kind).map_or_else(
        || match kind {
            "NetworkPolicy" => "networkpolicies".to_owned(),
            kind => format!("{}s", kind.to_lowercase()),
        },
        |known| known.2.to_owned(),
    );
    let base = if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    };
    if namespace.is_empty() {
        format!("{base}/{plural}")
    } else {
        format!("{base}/namespaces/{namespace}/{plural}")
    }
}

impl Api {
    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        content: &str,
    ) -> Result<Value, String> {
        let method = method
            .parse::<reqwest::Method>()
            .map_err(|error| error.to_string())?;
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request
                .header("content-type", content)
                .body(body.to_string());
        }
        self.runtime.block_on(async {
            let answer = request.send().await.map_err(|error| error.to_string())?;
            let status = answer.status();
            let text = answer.text().await.map_err(|error| error.to_string())?;
            if status.is_success() {
                serde_json::from_str(&text).map_err(|error| error.to_string())
            } else {
                Err(format!("{method} {path}: {status}: {text}"))
            }
        })
    }
}

impl Cluster {
    /// Starts a control plane; `definitions` is a folder of CRDs, `objects` a file with a list.
    ///
    /// # Errors
    /// What could not be set up.
    pub fn start(program: &str, definitions: &Path, objects: &Path) -> Result<Self, String> {
        // A second provider of ciphers is none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = Server::in_memory(program);
        let kubeconfig = fs::read(&server.kubeconfig).map_err(|error| error.to_string())?;
        let kubeconfig: Value =
            serde_json::from_slice(&kubeconfig).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let client = reqwest::Client::builder()
            .danger_accept_invalid_certs(true)
            .build()
            .map_err(|error| error.to_string())?;
        let api = Api {
            client,
            runtime: Arc::new(runtime),
            url: server.url.clone(),
            token: kubeconfig["users"][0]["user"]["token"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        };
        let cluster = Self { server, api };
        cluster.install(definitions)?;
        cluster.create(objects)?;
        Ok(cluster)
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.server.kubeconfig
    }

    fn install(&self, definitions: &Path) -> Result<(), String> {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        for entry in fs::read_dir(definitions)
            .map_err(|error| error.to_string())?
            .flatten()
        {
            let text = fs::read(entry.path()).map_err(|error| error.to_string())?;
            let definition = yaml::to_json(&text).map_err(|error| error.to_string())?;
            self.api
                .send("POST", path, Some(&definition), "application/json")?;
        }
        for (_, version, plural) in KINDS {
            let mut last = String::new();
            let served = (0..100).any(|_| {
                match self
                    .api
                    .send("GET", &format!("/apis/{version}/{plural}"), None, "")
                {
                    Ok(_) => true,
                    Err(error) => {
                        last = error;
                        std::thread::sleep(Duration::from_millis(50));
                        false
                    }
                }
            });
            if !served {
                return Err(format!("{plural} are not served: {last}"));
            }
        }
        Ok(())
    }

    fn create(&self, objects: &Path) -> Result<(), String> {
        let text = fs::read(objects).map_err(|error| error.to_string())?;
        let list: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        for object in list.as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let namespace = text(&object["metadata"]["namespace"]);
            let path = path_of(
                &text(&object["kind"]),
                &text(&object["apiVersion"]),
                &namespace,
            );
            let created = self
                .api
                .send("POST", &path, Some(object), "application/json")?;
            if !object["status"].is_null() {
                let mut with_status = created;
                with_status["status"] = object["status"].clone();
                let path = format!("{path}/{}/status", text(&object["metadata"]["name"]));
                self.api
                    .send("PUT", &path, Some(&with_status), "application/json")?;
            }
        }
        Ok(())
    }

    /// The object `Kind/name/namespace`, if it is there.
    pub fn object(&self, id: &str) -> Option<Value> {
        let mut parts = id.split('/');
        let (kind, name, namespace) = (
            parts.next()?,
            parts.next()?,
            parts.next().unwrap_or_default(),
        );
        let version = match kind {
            "RoleBinding" => "rbac.authorization.k8s.io/v1",
            "Deployment" => "apps/v1",
            _ => KINDS
                .iter()
                .find(|known| known.0 == kind)
                .map_or("v1", |known| known.1),
        };
        let path = format!("{}/{name}", path_of(kind, version, namespace));
        self.api.send("GET", &path, None, "").ok()
    }

    /// Stands in for the controllers of the kinds until it is dropped.
    pub fn respond(&self, kinds: Vec<String>) -> Responder {
        let stop = Arc::new(AtomicBool::new(false));
        let (api, stopped) = (self.api.clone(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for kind in &kinds {
                    respond(&api, kind);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Responder {
            stop,
            thread: Some(thread),
        }
    }
}

/// A stand-in for controllers; stops when dropped.
pub struct Responder {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the stand-in shows in the case that waits for it.
            let _ = thread.join();
        }
    }
}

fn respond(api: &Api, kind: &str) {
    let Some((_, version, plural)) = KINDS.iter().find(|known| known.0 == kind) else {
        return;
    };
    let Ok(list) = api.send("GET", &format!("/apis/{version}/{plural}"), None, "") else {
        return;
    };
    for object in list["items"].as_array().into_iter().flatten() {
        let suspended = object["spec"]["suspend"] == true;
        if suspended || (kind == "HelmRepository" && object["spec"]["type"] == "oci") {
            continue;
        }
        let status = &object["status"];
        let requested = &object["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"];
        let generation = &object["metadata"]["generation"];
        let handled = &status["lastHandledReconcileAt"];
        let asked = !requested.is_null() && requested != handled;
        if !asked && &status["observedGeneration"] == generation {
            continue;
        }
        let text = |field: &str| {
            object["metadata"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let mut patch = json!({"status": status_of(kind, generation)});
        if !requested.is_null() {
            patch["status"]["lastHandledReconcileAt"] = requested.clone();
        }
        let path = format!(
            "{}/{}/status",
            path_of(kind, version, &text("namespace")),
            text("name")
        );
        // A conflict is met again in the next round.
        let _ = api.send("PATCH", &path, Some(&patch), "application/merge-patch+json");
    }
}

fn status_of(kind: &str, generation: &Value) -> Value {
    let revision = format!("main@sha1:{}", "f".repeat(40));
    let time = "2025-03-04T05:06:07Z";
    let mut status = json!({
        "observedGeneration": generation,
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "Succeeded", "message": "reconciled",
            "lastTransitionTime": time, "observedGeneration": generation,
        }],
    });
    match kind {
        "Kustomization" => status["lastAppliedRevision"] = revision.into(),
        "HelmRelease" => {
            status["lastAttemptedRevision"] = "9.9.9".into();
            status["history"] = json!([{
                "chartName": "web", "chartVersion": "9.9.9", "configDigest": "sha256:00",
                "digest": "sha256:00", "firstDeployed": time, "lastDeployed": time, "name": "web",
                "namespace": "apps", "status": "deployed", "version": 1,
            }]);
        }
        "Receiver" => status["webhookPath"] = format!("/hook/{}", "ef".repeat(32)).into(),
        "ImageRepository" => {
            status["lastScanResult"] = json!({"tagCount": 7, "scanTime": time, "latestTags": []});
        }
        "ImagePolicy" => {
            status["latestRef"] = json!({"name": "registry.example.com/acme/web", "tag": "9.9.9"});
        }
        "ImageUpdateAutomation" => status["lastAutomationRunTime"] = time.into(),
        _ => {
            status["artifact"] = json!({
                "revision": revision, "digest": format!("sha256:{}", "f".repeat(64)),
                "path": "x/y.tar.gz", "url": "http://source/x/y.tar.gz", "lastUpdateTime": time,
            });
        }
    }
    status
}
