//! How fast the server answers in process, without sockets: creates, reads, lists, server-side apply
//! and watches. `cargo run --release -p apiserver --example throughput [-- DIRECTORY]` (a directory
//! makes it write SQLite).

use std::path::PathBuf;
use std::time::{Duration, Instant};

use apiserver::auth::StaticTokens;
use apiserver::http::ResponseBody;
use apiserver::{Config, Server, User};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Service, ServiceExt};

const OBJECTS: usize = 10_000;
const WATCHERS: usize = 100;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let begun = Instant::now();
    let config = Config {
        directory: std::env::args().nth(1).map(PathBuf::from),
        tokens: StaticTokens::default().with("admin", User::system("admin")),
        simulate_workloads: false,
        ..Config::default()
    };
    let server = Server::start(config).await?;
    report("start", 1, begun.elapsed());
    create(&server).await?;
    read(&server).await?;
    list(&server).await?;
    apply(&server).await?;
    watch(&server).await?;
    server.shutdown().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the program's output")]
fn report(what: &str, count: usize, took: Duration) {
    let each = took.as_secs_f64() / count as f64;
    println!(
        "{what:<16} {count:>6} in {took:>10.2?}: {:>9.0}/s, {:>8.1} µs each",
        1.0 / each,
        each * 1e6
    );
}

async fn send(
    server: &Server,
    method: &str,
    path: &str,
    kind: &str,
    body: String,
) -> Result<Response<ResponseBody>, Failure> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", "Bearer admin")
        .header("content-type", kind)
        .header("accept", "application/json")
        .header("user-agent", "throughput/1")
        .body(Full::new(Bytes::from(body)))?;
    let mut service = server.service();
    let response = ServiceExt::<Request<Full<Bytes>>>::ready(&mut service)
        .await?
        .call(request)
        .await?;
    Ok(response)
}

async fn finish(response: Response<ResponseBody>) -> Result<Bytes, Failure> {
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes();
    if status.is_success() {
        return Ok(bytes);
    }
    Err(format!("{status}: {}", String::from_utf8_lossy(&bytes)).into())
}

fn config_map(index: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("c{index:05}"), "labels": {"app": "bench"}},
        "data": {"value": "x".repeat(1024)},
    })
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn create(server: &Server) -> Result<(), Failure> {
    let begun = Instant::now();
    for chunk in (0..OBJECTS).collect::<Vec<_>>().chunks(16) {
        let sent = chunk.iter().map(|index| async move {
            let body = config_map(*index).to_string();
            finish(send(server, "POST", MAPS, "application/json", body).await?).await
        });
        futures::future::try_join_all(sent).await?;
    }
    report("create", OBJECTS, begun.elapsed());
    Ok(())
}

async fn read(server: &Server) -> Result<(), Failure> {
    let begun = Instant::now();
    for index in 0..OBJECTS {
        let path = format!("{MAPS}/c{index:05}");
        finish(send(server, "GET", &path, "", String::new()).await?).await?;
    }
    report("get", OBJECTS, begun.elapsed());
    Ok(())
}

async fn list(server: &Server) -> Result<(), Failure> {
    for (what, query) in [
        ("list all", ""),
        ("list by label", "?labelSelector=app%3Dbench"),
    ] {
        let begun = Instant::now();
        for _ in 0..10 {
            let path = format!("{MAPS}{query}");
            finish(send(server, "GET", &path, "", String::new()).await?).await?;
        }
        report(what, 10, begun.elapsed());
    }
    Ok(())
}

fn deployment(image: &str) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{
                    "name": "web", "image": image, "ports": [{"containerPort": 80}],
                    "resources": {"limits": {"cpu": "1", "memory": "64Mi"}},
                }]},
            },
        },
    })
    .to_string()
}

async fn apply(server: &Server) -> Result<(), Failure> {
    const COUNT: usize = 2000;
    let path = "/apis/apps/v1/namespaces/default/deployments/web?fieldManager=bench&force=true";
    let kind = "application/apply-patch+yaml";
    finish(send(server, "PATCH", path, kind, deployment("web:0")).await?).await?;
    let begun = Instant::now();
    for _ in 0..COUNT {
        finish(send(server, "PATCH", path, kind, deployment("web:0")).await?).await?;
    }
    report("apply unchanged", COUNT, begun.elapsed());
    let begun = Instant::now();
    for index in 0..COUNT {
        let image = format!("web:{index}");
        finish(send(server, "PATCH", path, kind, deployment(&image)).await?).await?;
    }
    report("apply changed", COUNT, begun.elapsed());
    Ok(())
}

async fn watch(server: &Server) -> Result<(), Failure> {
    const EVENTS: usize = 1000;
    let mut watchers = Vec::new();
    let list =
        finish(send(server, "GET", &format!("{MAPS}?limit=1"), "", String::new()).await?).await?;
    let list: Value = serde_json::from_slice(&list)?;
    let version = list["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    for _ in 0..WATCHERS {
        let path = format!("{MAPS}?watch=true&resourceVersion={version}");
        let mut body = send(server, "GET", &path, "", String::new())
            .await?
            .into_body();
        watchers.push(tokio::spawn(async move {
            let mut lines = 0;
            while lines < EVENTS {
                let Some(Ok(frame)) = body.frame().await else {
                    break;
                };
                let data = frame.into_data().unwrap_or_default();
                lines += data.iter().filter(|byte| **byte == b'\n').count();
            }
            lines
        }));
    }
    let begun = Instant::now();
    for index in 0..EVENTS {
        let body = json!({"data": {"value": index.to_string()}}).to_string();
        let path = format!("{MAPS}/c00000");
        finish(send(server, "PATCH", &path, "application/merge-patch+json", body).await?).await?;
    }
    let mut seen = 0;
    for watcher in watchers {
        seen += watcher.await?;
    }
    report("watch events", seen, begun.elapsed());
    Ok(())
}
