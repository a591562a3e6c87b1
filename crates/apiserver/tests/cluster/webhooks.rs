//! Admission webhooks, played by an HTTPS server on loopback.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{Cluster, text};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const REGISTRATION: &str = "/apis/admissionregistration.k8s.io/v1";

/// What a webhook answers to the `request` of a review: the `response`.
type Behaviour = fn(&Value) -> Value;

/// A webhook that listens, and what it was asked.
struct Hook {
    url: String,
    bundle: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    async fn start(behaviour: Behaviour) -> Self {
        let names = ["127.0.0.1".to_owned(), "hook.default.svc".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/hook", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
                tokio::spawn(async move {
                    // A client that does not trust the certificate hangs up.
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let service = hyper::service::service_fn(|request| {
                        answer(request, behaviour, Arc::clone(&log))
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            url,
            bundle: STANDARD.encode(made.cert.pem()),
            asked,
        }
    }

    /// A webhook of a configuration that asks about ConfigMaps.
    fn entry(&self, name: &str) -> Value {
        json!({
            "name": name, "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": self.url, "caBundle": self.bundle},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
                "operations": ["*"]}],
            "matchConditions": [{"name": "of-the-test", "expression": "!request.name.startsWith('kube-')"}],
        })
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    request: http::Request<hyper::body::Incoming>,
    behaviour: Behaviour,
    log: Arc<Mutex<Vec<Value>>>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let bytes = request.into_body().collect().await.unwrap().to_bytes();
    let review: Value = serde_json::from_slice(&bytes).unwrap();
    let asked = review["request"].clone();
    log.lock().unwrap().push(asked.clone());
    let mut response = behaviour(&asked);
    if response["hang"] == true {
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    }
    if let Some(status) = response["http"].as_u64() {
        let status = u16::try_from(status).unwrap();
        let body = Full::new(Bytes::from_static(b"boom"));
        return Ok(http::Response::builder().status(status).body(body).unwrap());
    }
    response["uid"] = asked["uid"].clone();
    let review = json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": response});
    Ok(http::Response::new(Full::new(Bytes::from(
        review.to_string(),
    ))))
}

fn patched(patch: Value) -> Value {
    json!({"allowed": true, "patchType": "JSONPatch", "patch": STANDARD.encode(patch.to_string())})
}

async fn configure(cluster: &Cluster, kind: &str, name: &str, webhooks: Value) {
    let path = format!("{REGISTRATION}/{}s", kind.to_lowercase());
    let object = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
        "metadata": {"name": name}, "webhooks": webhooks});
    cluster.create(&path, object).await;
}

fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

async fn attempt(cluster: &Cluster, name: &str) -> (u16, Value) {
    cluster
        .send("admin", "POST", CONFIG_MAPS, config_map(name, json!({})))
        .await
}

#[tokio::test]
async fn a_validating_webhook_refuses_and_warns() {
    let cluster = Cluster::start().await;
    let hook = Hook::start(|request| {
        if request["object"]["data"]["bad"].is_null() {
            json!({"allowed": true, "warnings": ["think twice"]})
        } else {
            json!({"allowed": false, "status": {"code": 403, "reason": "Forbidden", "message": "bad data"}})
        }
    })
    .await;
    let webhooks = json!([hook.entry("x.example.com")]);
    configure(&cluster, "ValidatingWebhookConfiguration", "v", webhooks).await;

    let (status, refusal) = cluster
        .send(
            "admin",
            "POST",
            CONFIG_MAPS,
            config_map("a", json!({"bad": "1"})),
        )
        .await;
    assert_eq!((status, text(&refusal, "/reason")), (403, "Forbidden"));
    assert_eq!(
        text(&refusal, "/message"),
        "admission webhook \"x.example.com\" denied the request: bad data"
    );
    let path = format!("{CONFIG_MAPS}?fieldManager=m&dryRun=All");
    let (status, _) = cluster
        .send("admin", "POST", &path, config_map("b", json!({})))
        .await;
    assert_eq!(status, 201);
    cluster
        .create(CONFIG_MAPS, config_map("b", json!({})))
        .await;
    let (status, _) = cluster
        .send("admin", "DELETE", &format!("{CONFIG_MAPS}/b"), Value::Null)
        .await;
    assert_eq!(status, 200);

    let asked = hook.asked();
    let told: Vec<(&str, bool)> = asked
        .iter()
        .map(|request| (text(request, "/operation"), request["dryRun"] == true))
        .collect();
    assert_eq!(
        told,
        [
            ("CREATE", false),
            ("CREATE", true),
            ("CREATE", false),
            ("DELETE", false)
        ]
    );
    assert_eq!(text(&asked[1], "/userInfo/username"), "admin");
    assert_eq!(text(&asked[1], "/options/kind"), "CreateOptions");
    assert_eq!(text(&asked[1], "/options/fieldManager"), "m");
    assert_eq!(
        asked[1]["kind"],
        json!({"group": "", "version": "v1", "kind": "ConfigMap"})
    );
    assert_eq!(asked[3]["object"], Value::Null);
    assert_eq!(text(&asked[3], "/oldObject/metadata/name"), "b");
    assert_eq!(text(&asked[3], "/options/kind"), "DeleteOptions");
}

#[tokio::test]
async fn mutating_webhooks_see_each_others_changes_and_are_asked_again() {
    let cluster = Cluster::start().await;
    // Copies what it sees; asked once only, it would miss what the second one adds.
    let first = Hook::start(|request| {
        let seen = request["object"]["data"]["added"].clone();
        if seen.is_null() {
            json!({"allowed": true})
        } else {
            patched(json!([{"op": "add", "path": "/data/copied", "value": seen}]))
        }
    })
    .await;
    let second = Hook::start(|request| {
        if request["object"]["data"]["added"].is_null() {
            patched(json!([{"op": "add", "path": "/data", "value": {"added": "1"}}]))
        } else {
            json!({"allowed": true})
        }
    })
    .await;
    let mut again = first.entry("first.example.com");
    again["reinvocationPolicy"] = json!("IfNeeded");
    let webhooks = json!([again, second.entry("second.example.com")]);
    configure(&cluster, "MutatingWebhookConfiguration", "m", webhooks).await;

    let made = cluster
        .create(CONFIG_MAPS, config_map("a", json!({})))
        .await;
    assert_eq!(made["data"], json!({"added": "1", "copied": "1"}));
    assert_eq!((first.asked().len(), second.asked().len()), (2, 1));
}

#[tokio::test]
async fn a_webhook_that_cannot_be_asked_fails_or_is_passed_over() {
    let cluster = Cluster::start().await;
    let hook = Hook::start(|request| match text(request, "/name") {
        "hang" => json!({"hang": true}),
        "broken" => json!({"http": 500}),
        _ => json!({"allowed": true}),
    })
    .await;
    let mut entry = hook.entry("x.example.com");
    entry["timeoutSeconds"] = json!(1);
    let kind = "ValidatingWebhookConfiguration";
    configure(&cluster, kind, "v", json!([entry.clone()])).await;
    let path = format!("{REGISTRATION}/validatingwebhookconfigurations/v");

    let called = "Internal error occurred: failed calling webhook \"x.example.com\": failed to call webhook: ";
    let post = format!("{called}Post \"{}?timeout=1s\": ", hook.url);
    let (status, refusal) = attempt(&cluster, "hang").await;
    assert_eq!(status, 500);
    assert_eq!(
        text(&refusal, "/message"),
        format!("{post}context deadline exceeded")
    );
    let (_, refusal) = attempt(&cluster, "broken").await;
    assert_eq!(
        text(&refusal, "/message"),
        format!(
            "{called}an error on the server (\"boom\") has prevented the request from succeeding"
        )
    );

    let change = |config: Value| json!({"webhooks": [merged(&entry, config)]});
    let distrusted = json!({"clientConfig": {"url": hook.url, "caBundle": Hook::start(|_| Value::Null).await.bundle}});
    let (status, _) = cluster
        .send("admin", "PATCH", &path, change(distrusted))
        .await;
    assert_eq!(status, 200);
    let (_, refusal) = attempt(&cluster, "a").await;
    let untrusted =
        "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    assert_eq!(text(&refusal, "/message"), format!("{post}{untrusted}"));

    let service = json!({"clientConfig": {"service": {"name": "s", "namespace": "default", "port": 443, "path": "/p"}}});
    cluster
        .send("admin", "PATCH", &path, change(service.clone()))
        .await;
    let (_, refusal) = attempt(&cluster, "a").await;
    assert_eq!(
        text(&refusal, "/message"),
        format!("{called}Post \"https://s.default.svc:443/p?timeout=1s\": service \"s\" not found")
    );

    let mut ignored = service;
    ignored["failurePolicy"] = json!("Ignore");
    cluster.send("admin", "PATCH", &path, change(ignored)).await;
    assert_eq!(attempt(&cluster, "a").await.0, 201);
}

fn merged(entry: &Value, changes: Value) -> Value {
    let mut entry = entry.clone();
    for (key, value) in changes.as_object().unwrap() {
        entry[key] = value.clone();
    }
    entry
}

#[tokio::test]
async fn webhooks_are_asked_about_what_they_select_only() {
    let cluster = Cluster::start().await;
    let hook = Hook::start(|_| json!({"allowed": false})).await;
    let narrowed = [
        json!({"matchConditions": [{"name": "c", "expression": "request.name == 'condition'"}]}),
        json!({"objectSelector": {"matchLabels": {"app": "label"}}, "matchConditions": []}),
        json!({"namespaceSelector": {"matchLabels": {"team": "x"}}, "matchConditions": []}),
        json!({"sideEffects": "NoneOnDryRun", "matchConditions": [], "rules": [{
            "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE"]}]}),
    ];
    let webhooks: Vec<Value> = narrowed
        .into_iter()
        .enumerate()
        .map(|(index, narrow)| merged(&hook.entry(&format!("w{index}.example.com")), narrow))
        .collect();
    configure(
        &cluster,
        "ValidatingWebhookConfiguration",
        "v",
        json!(webhooks),
    )
    .await;

    assert_eq!(attempt(&cluster, "plain").await.0, 201);
    assert!(hook.asked().is_empty(), "{:?}", hook.asked());
    let (status, refusal) = attempt(&cluster, "condition").await;
    assert_eq!(status, 400);
    assert_eq!(
        text(&refusal, "/message"),
        "admission webhook \"w0.example.com\" denied the request without explanation"
    );
    let mut labelled = config_map("labelled", json!({}));
    labelled["metadata"]["labels"] = json!({"app": "label"});
    let (_, refusal) = cluster.send("admin", "POST", CONFIG_MAPS, labelled).await;
    assert!(
        text(&refusal, "/message").contains("w1.example.com"),
        "{refusal}"
    );
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "labels": {"team": "x"}}});
    cluster.create("/api/v1/namespaces", namespace).await;
    let (_, refusal) = cluster
        .send(
            "admin",
            "POST",
            "/api/v1/namespaces/n/configmaps",
            config_map("a", json!({})),
        )
        .await;
    assert!(
        text(&refusal, "/message").contains("w2.example.com"),
        "{refusal}"
    );
}
