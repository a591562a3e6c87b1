//! Where events go: workers that post them, in order for each object.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Event as Posted;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Event;
use super::correlate::{Correlator, Send};
use super::webhook::Webhook;

/// Events of different objects are posted side by side.
const WORKERS: usize = 8;
/// How many events wait at a worker before new ones are dropped.
const WAITING: usize = 1000;
/// How often an event is tried, and how long to wait between; client-go's.
const TRIES: u32 = 12;
const PAUSE: Duration = Duration::from_secs(10);

enum Message {
    Event(Box<Event>),
    Flush(oneshot::Sender<()>),
}

/// The workers; a handle that is cheap to clone.
#[derive(Clone)]
pub(crate) struct Sink(Arc<Vec<mpsc::Sender<Message>>>);

impl Sink {
    pub(crate) fn start(client: kube::Client, address: &str, stop: CancellationToken) -> Self {
        let webhook = Webhook::start(address, stop.clone());
        let workers = (0..WORKERS).map(|_| {
            let (sender, receiver) = mpsc::channel(WAITING);
            tokio::spawn(run(client.clone(), receiver, webhook.clone(), stop.clone()));
            sender
        });
        Self(Arc::new(workers.collect()))
    }

    pub(crate) fn send(&self, event: Event) {
        let mut hasher = DefaultHasher::new();
        (
            &event.involved.kind,
            &event.involved.namespace,
            &event.involved.name,
        )
            .hash(&mut hasher);
        let worker = &self.0[hasher.finish() as usize % WORKERS];
        if worker.try_send(Message::Event(Box::new(event))).is_err() {
            tracing::warn!("an event was dropped: too many are on their way");
        }
    }

    pub(crate) async fn flush(&self) {
        for worker in self.0.iter() {
            let (sender, done) = oneshot::channel();
            if worker.send(Message::Flush(sender)).await.is_ok() {
                // A worker that has ended has nothing left to do.
                let _ = done.await;
            }
        }
    }
}

async fn run(
    client: kube::Client,
    mut receiver: mpsc::Receiver<Message>,
    webhook: Option<Webhook>,
    stop: CancellationToken,
) {
    let mut correlator = Correlator::default();
    while let Some(message) = receiver.recv().await {
        let event = match message {
            Message::Event(event) => event,
            Message::Flush(done) => {
                // Who asked may have gone away.
                let _ = done.send(());
                continue;
            }
        };
        let nanoseconds = jiff::Timestamp::now().as_nanosecond();
        let send = correlator.take(&event, Instant::now(), nanoseconds);
        if let Some(webhook) = &webhook {
            webhook.send(&event);
        }
        post(
            &client,
            &event.involved.namespace,
            send,
            &event.component,
            &stop,
        )
        .await;
    }
}

async fn post(
    client: &kube::Client,
    namespace: &str,
    send: Send,
    component: &str,
    stop: &CancellationToken,
) {
    let namespace = if namespace.is_empty() {
        "default"
    } else {
        namespace
    };
    let api: Api<Posted> = Api::namespaced(client.clone(), namespace);
    let mut send = send;
    for _ in 0..TRIES {
        let error = match &send {
            Send::Nothing => return,
            Send::Create(body) => match create(&api, body, component).await {
                Ok(()) => return,
                Err(error) => error,
            },
            Send::Patch {
                name,
                patch,
                otherwise,
            } => {
                let parameters = PatchParams {
                    field_manager: Some(component.to_owned()),
                    ..PatchParams::default()
                };
                match api.patch(name, &parameters, &Patch::Strategic(patch)).await {
                    Ok(_) => return,
                    // It has expired, or its creation was refused.
                    Err(kube::Error::Api(status)) if status.code == 404 => {
                        send = Send::Create(otherwise.clone());
                        continue;
                    }
                    Err(error) => error,
                }
            }
        };
        if let kube::Error::Api(status) = &error {
            if status.code != 409 {
                tracing::warn!(error = %status.message, "Server rejected event (will not retry!)");
            }
            return;
        }
        tracing::debug!(%error, "cannot write an event (may retry after sleeping)");
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn create(api: &Api<Posted>, body: &Value, component: &str) -> Result<(), kube::Error> {
    let event: Posted = serde_json::from_value(body.clone()).map_err(kube::Error::SerdeError)?;
    let parameters = PostParams {
        field_manager: Some(component.to_owned()),
        ..PostParams::default()
    };
    api.create(&parameters, &event).await.map(drop)
}
