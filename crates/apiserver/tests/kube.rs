//! kube-rs as a client, over a socket with TLS and over the tower service in the same process.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use apiserver::auth::StaticTokens;
use apiserver::http::tls::Tls;
use apiserver::{Config, Server, User};
use futures::StreamExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{
    Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DynamicObject;
use kube::runtime::{WatchStreamExt as _, reflector, watcher};
use kube::{Client, ResourceExt as _};
use serde_json::json;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

const TOKEN: &str = "a-token-of-the-test";
const LIMIT: Duration = Duration::from_secs(60);

async fn server(advertise: String) -> Server {
    Server::start(Config {
        tokens: StaticTokens::default().with(TOKEN, User::system("kubernetes-admin")),
        advertise,
        ..Config::default()
    })
    .await
    .expect("a server in memory starts")
}

/// A client without a socket: requests go straight to the tower service.
fn in_process(server: &Server) -> Client {
    let service = server
        .service()
        .map_request(|mut request: http::Request<kube::client::Body>| {
            let token = format!("Bearer {TOKEN}").parse().expect("a header value");
            request
                .headers_mut()
                .insert(http::header::AUTHORIZATION, token);
            request
        });
    Client::new(service, "default")
}

/// Runs a test twice: with a client over TLS, and with one in process; each with a server of its own.
async fn both<F: Future<Output = ()>>(test: impl Fn(Client) -> F) {
    let own = server("127.0.0.1:6443".to_owned()).await;
    within(test(in_process(&own))).await;
    own.shutdown().await;

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let tls = Tls::ephemeral(&["127.0.0.1".to_owned()]).expect("certificates can be made");
    let server = server(address.to_string()).await;
    let listening = server
        .serve(listener, Some(&tls))
        .expect("it can be served");
    within(test(over_tls(address, &tls.authority_pem).await)).await;
    server.shutdown().await;
    within(listening.ended()).await;
}

async fn over_tls(address: std::net::SocketAddr, authority: &str) -> Client {
    use base64::Engine as _;
    let authority = base64::engine::general_purpose::STANDARD.encode(authority);
    let kubeconfig: Kubeconfig = serde_json::from_value(json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {
            "server": format!("https://{address}"), "certificate-authority-data": authority,
        }}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }))
    .expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("a usable kubeconfig");
    Client::try_from(config).expect("a client")
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("in time")
}

fn config_map(name: &str, value: &str) -> ConfigMap {
    ConfigMap {
        metadata: kube::api::ObjectMeta {
            name: Some(name.to_owned()),
            ..Default::default()
        },
        data: Some(BTreeMap::from([("key".to_owned(), value.to_owned())])),
        ..Default::default()
    }
}

fn value(object: &ConfigMap) -> &str {
    object
        .data
        .as_ref()
        .and_then(|data| data.get("key"))
        .map_or("", String::as_str)
}

#[tokio::test(flavor = "multi_thread")]
async fn client_verbs() {
    both(|client| async move {
        let version = client.apiserver_version().await.unwrap();
        assert_eq!((version.major.as_str(), version.minor.as_str()), ("1", "35"));
        let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
        let created = api.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
        let again = api.create(&PostParams::default(), &config_map("a", "1")).await;
        assert!(matches!(&again, Err(kube::Error::Api(status)) if status.code == 409 && status.reason == "AlreadyExists"), "{again:?}");
        let mut changed = created.clone();
        changed.data = config_map("a", "2").data;
        let replaced = api.replace("a", &PostParams::default(), &changed).await.unwrap();
        assert_eq!(value(&replaced), "2");
        let stale = api.replace("a", &PostParams::default(), &changed).await;
        assert!(matches!(&stale, Err(kube::Error::Api(status)) if status.reason == "Conflict"), "{stale:?}");
        let merged = api.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"key": "3"}}))).await.unwrap();
        assert_eq!(value(&merged), "3");
        let metadata = api.get_metadata("a").await.unwrap();
        assert_eq!(metadata.metadata.resource_version, merged.metadata.resource_version);
        for index in 0..7 {
            api.create(&PostParams::default(), &config_map(&format!("page-{index}"), "")).await.unwrap();
        }
        let first = api.list(&ListParams::default().limit(3)).await.unwrap();
        assert_eq!(first.items.len(), 3);
        let token = first.metadata.continue_.clone().unwrap();
        let second = api.list(&ListParams::default().limit(100).continue_token(&token)).await.unwrap();
        // The others, and `kube-root-ca.crt` when the controller has made it.
        assert!(second.items.len() >= 5, "{}", second.items.len());
        api.delete("a", &DeleteParams::default()).await.unwrap();
        assert!(api.get_opt("a").await.unwrap().is_none());
        let discovered = kube::discovery::pinned_kind(&client, &kube::core::GroupVersionKind::gvk("apps", "v1", "Deployment")).await.unwrap();
        let dynamic: Api<DynamicObject> = Api::all_with(client, &discovered.0);
        assert!(dynamic.list(&ListParams::default()).await.unwrap().items.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_side_apply() {
    both(|client| async move {
        let api: Api<ConfigMap> = Api::default_namespaced(client);
        let apply = |manager: &'static str, text: &'static str| {
            let api = api.clone();
            async move {
                let patch = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"key": text}});
                api.patch("a", &PatchParams::apply(manager), &Patch::Apply(patch)).await
            }
        };
        let first = apply("one", "1").await.unwrap();
        let same = apply("one", "1").await.unwrap();
        assert_eq!(first.resource_version(), same.resource_version(), "an apply without effect writes nothing");
        let conflict = apply("two", "2").await;
        assert!(matches!(&conflict, Err(kube::Error::Api(status)) if status.code == 409 && status.message.contains("conflict with \"one\": .data.key")), "{conflict:?}");
        let patch = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"key": "2"}});
        let forced = api.patch("a", &PatchParams::apply("two").force(), &Patch::Apply(patch)).await.unwrap();
        assert_eq!(value(&forced), "2");
        let managers: Vec<_> = forced.managed_fields().iter().filter_map(|entry| entry.manager.as_deref()).collect();
        // `one` owned nothing else, so that its entry is gone.
        assert_eq!(managers, ["two"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_and_watchers() {
    both(|client| async move {
        let api: Api<ConfigMap> = Api::default_namespaced(client);
        let start = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
        let only = WatchParams::default().fields("metadata.name=a");
        let mut raw = api.watch(&only, &start).await.unwrap().boxed();
        let mut list_watch = watcher(api.clone(), watcher::Config::default().fields("metadata.name=a")).touched_objects().boxed();
        let mut streaming = watcher(api.clone(), watcher::Config::default().fields("metadata.name=a").streaming_lists()).touched_objects().boxed();
        api.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
        assert!(matches!(raw.next().await, Some(Ok(WatchEvent::Added(object))) if value(&object) == "1"));
        assert_eq!(value(&list_watch.next().await.unwrap().unwrap()), "1");
        assert_eq!(value(&streaming.next().await.unwrap().unwrap()), "1");
        api.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"key": "2"}}))).await.unwrap();
        assert!(matches!(raw.next().await, Some(Ok(WatchEvent::Modified(object))) if value(&object) == "2"));
        assert_eq!(value(&list_watch.next().await.unwrap().unwrap()), "2");
        assert_eq!(value(&streaming.next().await.unwrap().unwrap()), "2");
        api.delete("a", &DeleteParams::default()).await.unwrap();
        assert!(matches!(raw.next().await, Some(Ok(WatchEvent::Deleted(object))) if value(&object) == "2"));
        let gone = api.watch(&only, "1").await.unwrap().boxed().next().await;
        // The window reaches back to the start here, so that the watch may also answer with history.
        assert!(matches!(&gone, Some(Ok(WatchEvent::Added(_) | WatchEvent::Error(_)))), "{gone:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reflector_mirrors() {
    both(|client| async move {
        let api: Api<ConfigMap> = Api::default_namespaced(client);
        api.create(&PostParams::default(), &config_map("before", "1"))
            .await
            .unwrap();
        let (store, writer) = reflector::store();
        let stream = watcher(api.clone(), watcher::Config::default());
        let mirror = tokio::spawn(reflector(writer, stream).for_each(|_| async {}));
        store.wait_until_ready().await.unwrap();
        let mirrored = |name: &str| {
            store
                .find(|object| object.name_any() == name)
                .map(|object| value(&object).to_owned())
        };
        assert_eq!(mirrored("before").as_deref(), Some("1"));
        api.create(&PostParams::default(), &config_map("after", "2"))
            .await
            .unwrap();
        api.delete("before", &DeleteParams::default())
            .await
            .unwrap();
        while mirrored("after").is_none() || mirrored("before").is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        mirror.abort();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_have_one_holder() {
    both(|client| async move {
        let api: Api<Lease> = Api::default_namespaced(client);
        let lease = |holder: &str| -> Lease {
            serde_json::from_value(json!({
                "metadata": {"name": "leader"},
                "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15,
                    "acquireTime": "2024-01-01T00:00:00.000000Z", "renewTime": "2024-01-01T00:00:00.123456Z"},
            }))
            .unwrap()
        };
        let held = api.create(&PostParams::default(), &lease("one")).await.unwrap();
        let spec = serde_json::to_value(held.spec.as_ref().unwrap()).unwrap();
        assert_eq!(spec["renewTime"], "2024-01-01T00:00:00.123456Z");
        assert!(api.create(&PostParams::default(), &lease("two")).await.is_err());
        // Of ten that try to take it over from the same version, one wins.
        let attempts = (0..10).map(|index| {
            let (api, mut taken) = (api.clone(), held.clone());
            taken.spec.as_mut().unwrap().holder_identity = Some(format!("candidate-{index}"));
            async move { api.replace("leader", &PostParams::default(), &taken).await.is_ok() }
        });
        let won = futures::future::join_all(attempts).await;
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    })
    .await;
}
