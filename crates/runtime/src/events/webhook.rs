//! Posting events to the receiver that `--events-addr` names.

use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Event;

/// The longest that one request may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How often a request is sent again after a fault of the server or the connection; retryablehttp's.
const RETRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How many events wait before new ones are dropped.
const WAITING: usize = 1000;

/// The way to the receiver; cheap to clone.
#[derive(Clone)]
pub(super) struct Webhook(mpsc::Sender<Value>);

impl Webhook {
    /// A way to `address` (a URL, or host and port); `None` if it is empty or no URL.
    pub(super) fn start(address: &str, stop: CancellationToken) -> Option<Self> {
        if address.is_empty() {
            return None;
        }
        let url = if address.contains("://") {
            address.to_owned()
        } else {
            format!("http://{address}/")
        };
        let client = url
            .parse::<http::Uri>()
            .map_err(|error| error.to_string())
            .and_then(|url| {
                kube::Client::try_from(kube::Config::new(url)).map_err(|error| error.to_string())
            });
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, address, "events are not posted: the address cannot be used");
                return None;
            }
        };
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(run(client, receiver, stop));
        Some(Self(sender))
    }

    pub(super) fn send(&self, event: &Event) {
        let Some(severity) = event.r#type.severity() else {
            return;
        };
        let mut body = json!({
            "involvedObject": event.involved,
            "severity": severity,
            "timestamp": event.at,
            "message": event.message,
            "reason": event.reason,
            "reportingController": event.component,
            "reportingInstance": hostname(),
        });
        if !event.annotations.is_empty() {
            body["metadata"] = json!(event.annotations);
        }
        if self.0.try_send(body).is_err() {
            tracing::error!("unable to record event: too many are on their way");
        }
    }
}

fn hostname() -> String {
    let file = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if file.is_empty() {
        std::env::var("HOSTNAME").unwrap_or_default()
    } else {
        file.trim().to_owned()
    }
}

async fn run(client: kube::Client, mut receiver: mpsc::Receiver<Value>, stop: CancellationToken) {
    while let Some(body) = receiver.recv().await {
        let mut pause = FIRST_PAUSE;
        for attempt in 0..=RETRIES {
            match post(&client, &body).await {
                Ok(()) => break,
                Err(error) if attempt == RETRIES => {
                    tracing::error!(%error, "unable to record event")
                }
                Err(error) => tracing::debug!(%error, "cannot post an event yet"),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
            pause *= 2;
        }
    }
}

async fn post(client: &kube::Client, body: &Value) -> Result<(), String> {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string().into_bytes()))
        .map_err(|error| error.to_string())?;
    let answer = tokio::time::timeout(LIMIT, client.send(request)).await;
    let status = answer
        .map_err(|_| "no answer in time".to_owned())?
        .map_err(|error| error.to_string())?
        .status();
    // The receiver has had the same event a moment ago: 429.
    if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED {
        return Err(format!("unexpected HTTP status {status}"));
    }
    Ok(())
}
