//! What is measured: the same requests for every server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;

use super::client::{Call, Connection, Target};
use crate::TaskError;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// The objects that are applied again and again.
const APPLIED: usize = 100;
/// How many changes are sent to the watchers one after the other, to see how long each takes.
const TIMED_CHANGES: usize = 100;
/// How many changes are sent to the watchers at once.
const BURST_CHANGES: usize = 500;

/// How much there is of everything.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) objects: usize,
    pub(super) requests: usize,
    pub(super) connections: usize,
    pub(super) watchers: usize,
}

/// One measurement.
pub(super) struct Outcome {
    pub(super) name: String,
    /// Requests (or events received) a second.
    pub(super) rate: f64,
    /// Milliseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Outcome {
    fn new(
        name: impl Into<String>,
        count: usize,
        elapsed: Duration,
        mut times: Vec<Duration>,
    ) -> Self {
        times.sort_unstable();
        let at = |share: f64| {
            let index = (times.len() as f64 * share) as usize;
            times
                .get(index.min(times.len().saturating_sub(1)))
                .map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        Self {
            name: name.into(),
            rate: count as f64 / elapsed.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
        }
    }
}

/// A ConfigMap of 1 KiB.
fn config_map(name: &str, text: &str) -> String {
    let filling = "0123456789abcdef".repeat(56);
    format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}},"data":{{"text":"{text}","filling":"{filling}"}}}}"#
    )
}

fn create(index: usize) -> Call {
    Call {
        method: Method::POST,
        path: CONFIG_MAPS.to_owned(),
        content_type: "application/json",
        body: config_map(&format!("c{index:06}"), "created"),
    }
}

fn apply(index: usize, text: &str) -> Call {
    let name = format!("applied-{:03}", index % APPLIED);
    Call {
        method: Method::PATCH,
        path: format!("{CONFIG_MAPS}/{name}?fieldManager=bench&force=true"),
        content_type: "application/apply-patch+yaml",
        body: config_map(&name, text),
    }
}

/// Sends `count` requests over `connections` connections.
async fn run(
    target: &Target,
    connections: usize,
    count: usize,
    call: impl Fn(usize) -> Call + Send + Sync + 'static,
) -> Result<(Duration, Vec<Duration>), TaskError> {
    let mut opened = Vec::new();
    for _ in 0..connections {
        opened.push(target.connect().await?);
    }
    let (next, call) = (Arc::new(AtomicUsize::new(0)), Arc::new(call));
    let mut workers: JoinSet<Result<Vec<Duration>, TaskError>> = JoinSet::new();
    let begun = Instant::now();
    for mut connection in opened {
        let (next, call) = (Arc::clone(&next), Arc::clone(&call));
        workers.spawn(async move {
            let mut times = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok(times);
                }
                let sent = Instant::now();
                connection.send(call(index)).await?;
                times.push(sent.elapsed());
            }
        });
    }
    let mut times = Vec::with_capacity(count);
    while let Some(worker) = workers.join_next().await {
        times.extend(worker.map_err(|error| TaskError::Other(error.to_string()))??);
    }
    Ok((begun.elapsed(), times))
}

/// Creates the objects.
pub(super) async fn fill(target: &Target, sizes: &Sizes) -> Result<Outcome, TaskError> {
    let (elapsed, times) = run(target, sizes.connections, sizes.objects, create).await?;
    Ok(Outcome::new("create", sizes.objects, elapsed, times))
}

/// Reads what clients read once: the OpenAPI documents, and the list of all kinds.
pub(super) async fn documents(target: &Target) -> Result<(), TaskError> {
    let mut connection = target.connect().await?;
    for path in [
        "/openapi/v3",
        "/openapi/v2",
        "/openapi/v3/api/v1",
        "/openapi/v3/apis/apps/v1",
        "/apis",
    ] {
        connection.send(Call::get(path.to_owned())).await?;
    }
    Ok(())
}

/// All measurements, in the order of the report.
pub(super) async fn measure(target: &Target, sizes: &Sizes) -> Result<Vec<Outcome>, TaskError> {
    // Connections, caches and code that is compiled or paged in late are not what is compared.
    run(target, sizes.connections, 500, |_| {
        Call::get(CONFIG_MAPS.to_owned() + "?limit=1")
    })
    .await?;
    let mut outcomes = vec![fill(target, sizes).await?];
    let (requests, objects) = (sizes.requests, sizes.objects);
    let (elapsed, times) = run(target, sizes.connections, requests, move |index| {
        Call::get(format!("{CONFIG_MAPS}/c{:06}", index * 7 % objects))
    })
    .await?;
    outcomes.push(Outcome::new("get", requests, elapsed, times));

    let lists = 20;
    let (elapsed, times) = run(target, 2, lists, |_| Call::get(CONFIG_MAPS.to_owned())).await?;
    outcomes.push(Outcome::new(
        format!("list {objects}"),
        lists,
        elapsed,
        times,
    ));

    run(target, sizes.connections, APPLIED, |index| {
        apply(index, "same")
    })
    .await?;
    let (elapsed, times) = run(target, sizes.connections, requests, |index| {
        apply(index, "same")
    })
    .await?;
    outcomes.push(Outcome::new("apply, unchanged", requests, elapsed, times));
    let (elapsed, times) = run(target, sizes.connections, requests, |index| {
        apply(index, &format!("changed-{index}"))
    })
    .await?;
    outcomes.push(Outcome::new("apply, changed", requests, elapsed, times));
    outcomes.push(fan_out(target, sizes).await?);
    Ok(outcomes)
}

/// Watchers that all see all changes. The rate is that of events received during a burst; the times are
/// from sending a change to its arrival at each watcher.
async fn fan_out(target: &Target, sizes: &Sizes) -> Result<Outcome, TaskError> {
    let start = Instant::now();
    let mut watchers: JoinSet<Result<Vec<Duration>, TaskError>> = JoinSet::new();
    let ready = Arc::new(tokio::sync::Barrier::new(sizes.watchers + 1));
    for _ in 0..sizes.watchers {
        let connection = target.connect().await?;
        watchers.spawn(watch(connection, start, Arc::clone(&ready)));
    }
    ready.wait().await;
    // The servers have answered the watches; what is sent from here on is seen.
    let mut connection = target.connect().await?;
    let mut sent = Vec::new();
    for index in 0..TIMED_CHANGES {
        sent.push(start.elapsed());
        connection
            .send(apply(index, &format!("timed-{index}")))
            .await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let burst = start.elapsed();
    run(target, sizes.connections, BURST_CHANGES, |index| {
        apply(index, &format!("burst-{index}"))
    })
    .await?;
    let (mut times, mut last) = (Vec::new(), burst);
    while let Some(watcher) = watchers.join_next().await {
        let received = watcher.map_err(|error| TaskError::Other(error.to_string()))??;
        times.extend(
            received
                .iter()
                .zip(&sent)
                .map(|(received, sent)| received.saturating_sub(*sent)),
        );
        last = last.max(received.last().copied().unwrap_or_default());
    }
    let events = BURST_CHANGES * sizes.watchers;
    Ok(Outcome::new(
        format!("watch, {} watchers", sizes.watchers),
        events,
        last.saturating_sub(burst),
        times,
    ))
}

/// Reads events until all have come; gives when each came.
async fn watch(
    mut connection: Connection,
    start: Instant,
    ready: Arc<tokio::sync::Barrier>,
) -> Result<Vec<Duration>, TaskError> {
    let list = "?labelSelector=&fieldSelector=&watch=true&timeoutSeconds=600&resourceVersion=";
    // From now on, without what there is: the version of an empty page.
    let version = latest_version(&mut connection).await?;
    let mut body = connection
        .open(Call::get(format!("{CONFIG_MAPS}{list}{version}")))
        .await?;
    ready.wait().await;
    let mut received = Vec::new();
    while received.len() < TIMED_CHANGES + BURST_CHANGES {
        let frame = match tokio::time::timeout(Duration::from_secs(60), body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            other => {
                return Err(TaskError::Other(format!(
                    "a watch ended after {} events: {other:?}",
                    received.len()
                )));
            }
        };
        let lines = frame
            .data_ref()
            .map_or(0, |data| data.iter().filter(|byte| **byte == b'\n').count());
        received.extend(std::iter::repeat_n(start.elapsed(), lines));
    }
    Ok(received)
}

async fn latest_version(connection: &mut Connection) -> Result<String, TaskError> {
    let path = format!("{CONFIG_MAPS}?limit=1&fieldSelector=metadata.name=none");
    let body = connection.open(Call::get(path)).await?;
    let text = body
        .collect()
        .await
        .map_err(|error| TaskError::Other(error.to_string()))?
        .to_bytes();
    let list: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| TaskError::Other(error.to_string()))?;
    Ok(list["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}
