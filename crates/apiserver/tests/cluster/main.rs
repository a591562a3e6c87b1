//! What the control plane does by itself: rights, tokens, admission, garbage collection, namespaces,
//! simulated workloads. Requests go straight to the tower service, without a socket.

#![expect(clippy::unwrap_used, reason = "a test harness")]

mod access;
mod admission;
mod life;
mod together;
mod webhooks;
mod workloads;

use std::time::Duration;

use apiserver::auth::StaticTokens;
use apiserver::{Config, Pace, Server, User};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tower::ServiceExt as _;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A server and what a test needs to talk to it.
struct Cluster {
    server: Server,
}

impl Cluster {
    /// A server in memory whose controllers are quick.
    async fn start() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let user = |name: &str| User {
            name: name.to_owned(),
            groups: vec!["developers".to_owned()],
            ..User::default()
        };
        let tokens = StaticTokens::default()
            .with("admin", User::system("admin"))
            .with("alice", user("alice"));
        let moment = Duration::from_millis(5);
        let pace = Pace {
            reaction: moment,
            start: moment,
            run: moment,
        };
        let server = Server::start(Config {
            tokens,
            pace,
            ..config
        })
        .await
        .unwrap();
        Self { server }
    }

    /// One request; gives the status and the body.
    async fn send(&self, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.send_as(token, method, path, body, &[]).await
    }

    async fn send_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
        let media_type = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", media_type);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = request.body(Full::new(bytes)).unwrap();
        let response = self.server.service().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
        (status, body)
    }

    /// Creates an object as the administrator.
    async fn create(&self, path: &str, object: Value) -> Value {
        let (status, answer) = self.send("admin", "POST", path, object).await;
        assert_eq!(status, 201, "POST {path}: {answer}");
        answer
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send("admin", "GET", path, Value::Null).await
    }

    /// Waits until what is at a path is as it should be, and gives it.
    async fn until(&self, path: &str, is_right: impl Fn(u16, &Value) -> bool) -> Value {
        let mut changes = self.server.core().store.subscribe();
        let mut last = (0, Value::Null);
        let waiting = async {
            loop {
                changes.borrow_and_update();
                last = self.get(path).await;
                if is_right(last.0, &last.1) {
                    return;
                }
                // What is waited for follows from a change of the store.
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        let ended = tokio::time::timeout(LIMIT, waiting).await;
        assert!(ended.is_ok(), "{path} is {last:#?}");
        last.1
    }

    async fn until_gone(&self, path: &str) {
        self.until(path, |status, _| status == 404).await;
    }
}

/// The text at a JSON pointer.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The number at a JSON pointer; absent is zero.
fn number(value: &Value, pointer: &str) -> i64 {
    value
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or_default()
}
