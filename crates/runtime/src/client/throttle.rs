//! How many requests are under way at once: more while the server answers well, fewer when it does not.
//!
//! In place of client-go's fixed rate (`--kube-api-qps`), which is either too slow or too fast. The limit
//! grows by one with each window of good answers and falls by a third when the server says that it is
//! overloaded (429, 503 with `Retry-After`), which is then waited for.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use kube::client::Body;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tower::{BoxError, Layer, Service};

use crate::metrics::Metrics;

const FIRST: f64 = 32.0;
const LEAST: f64 = 4.0;
const MOST: f64 = 256.0;
/// How often a request is sent again when the server is overloaded; as client-go.
const RETRIES: u32 = 10;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Puts the limit around a service.
#[derive(Clone)]
pub struct ThrottleLayer {
    limit: Option<Limit>,
    metrics: Metrics,
    host: Arc<str>,
}

impl ThrottleLayer {
    /// A limit for requests to `host`.
    pub fn new(metrics: Metrics, host: String) -> Self {
        Self {
            limit: Some(Limit::default()),
            metrics,
            host: host.into(),
        }
    }

    /// No limit; requests are only counted.
    pub fn counting(metrics: Metrics, host: String) -> Self {
        Self {
            limit: None,
            metrics,
            host: host.into(),
        }
    }
}

impl<T> Layer<T> for ThrottleLayer {
    type Service = Throttle<T>;

    fn layer(&self, inner: T) -> Throttle<T> {
        Throttle {
            inner,
            limit: self.limit.clone(),
            metrics: self.metrics.clone(),
            host: Arc::clone(&self.host),
        }
    }
}

/// A service whose requests are limited and counted.
#[derive(Clone)]
pub struct Throttle<T> {
    inner: T,
    limit: Option<Limit>,
    metrics: Metrics,
    host: Arc<str>,
}

impl<T, B> Service<Request<Body>> for Throttle<T>
where
    T: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    T::Future: Send + 'static,
    T::Error: Into<BoxError>,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let fresh = self.inner.clone();
        // The one that was polled ready; the clone is not.
        let mut service = std::mem::replace(&mut self.inner, fresh);
        let (limit, metrics, host) = (
            self.limit.clone(),
            self.metrics.clone(),
            Arc::clone(&self.host),
        );
        Box::pin(async move {
            let method = request.method().clone();
            // A watch lasts for minutes; it is no load.
            let is_watch = request
                .uri()
                .query()
                .is_some_and(|query| query.split('&').any(|part| part == "watch=true"));
            let limit = limit.filter(|_| !is_watch);
            let mut next = Some(request);
            let mut attempt = 0;
            loop {
                let Some(request) = next.take() else {
                    return Err("no request is left".into());
                };
                let again = limit.as_ref().and_then(|_| copy(&request));
                let permit = match &limit {
                    Some(limit) => Some(limit.acquire().await),
                    None => None,
                };
                std::future::poll_fn(|context| service.poll_ready(context))
                    .await
                    .map_err(Into::into)?;
                let answer = service.call(request).await.map_err(Into::into);
                let code = answer.as_ref().map_or_else(
                    |_| "<error>".to_owned(),
                    |answer| answer.status().as_u16().to_string(),
                );
                metrics.requested(&code, &host, method.as_str());
                let answer = answer?;
                let pause = overloaded(&answer);
                if let Some(permit) = permit {
                    permit.end(pause.is_none());
                }
                match (pause, again) {
                    (Some(pause), Some(again)) if attempt < RETRIES => {
                        attempt += 1;
                        tokio::time::sleep(pause).await;
                        next = Some(again);
                    }
                    _ => return Ok(answer),
                }
            }
        })
    }
}

/// The same request once more, where its body can be read twice.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let body = request.body().try_clone()?;
    let mut copy = Request::new(body);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

/// How long the server asks to wait, if it is overloaded.
fn overloaded<B>(answer: &Response<B>) -> Option<Duration> {
    let status = answer.status();
    if status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error() {
        return None;
    }
    let seconds = answer
        .headers()
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// The limit, shared by all users of a connection.
#[derive(Clone, Default)]
struct Limit(Arc<Mutex<State>>);

struct State {
    limit: f64,
    under_way: usize,
    waiting: VecDeque<oneshot::Sender<()>>,
    /// Answers since the limit last fell; while few, they are to requests from before.
    since_fall: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            limit: FIRST,
            under_way: 0,
            waiting: VecDeque::new(),
            since_fall: usize::MAX,
        }
    }
}

impl State {
    fn hand_on(&mut self) {
        while self.under_way < self.limit as usize {
            let Some(next) = self.waiting.pop_front() else {
                return;
            };
            // One that has gone away needs no turn.
            if next.send(()).is_ok() {
                self.under_way += 1;
            }
        }
    }
}

/// A request that is under way.
struct Permit {
    limit: Limit,
    ended: bool,
}

impl Limit {
    async fn acquire(&self) -> Permit {
        let turn = {
            let mut state = self.0.lock();
            if state.under_way < state.limit as usize {
                state.under_way += 1;
                None
            } else {
                let (sender, turn) = oneshot::channel();
                state.waiting.push_back(sender);
                Some(turn)
            }
        };
        if let Some(turn) = turn {
            let mut waiter = Waiter {
                limit: self.clone(),
                turn: Some(turn),
            };
            if let Some(turn) = &mut waiter.turn {
                // The sender is dropped only after it has sent.
                let _ = turn.await;
            }
            waiter.turn = None;
        }
        Permit {
            limit: self.clone(),
            ended: false,
        }
    }

    fn release(&self) {
        let mut state = self.0.lock();
        state.under_way -= 1;
        state.hand_on();
    }
}

/// One that waits for its turn; if it goes away after it was given one, it hands it on.
struct Waiter {
    limit: Limit,
    turn: Option<oneshot::Receiver<()>>,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(mut turn) = self.turn.take() {
            turn.close();
            if turn.try_recv().is_ok() {
                self.limit.release();
            }
        }
    }
}

impl Permit {
    fn end(mut self, well: bool) {
        self.ended = true;
        {
            let mut state = self.limit.0.lock();
            state.since_fall = state.since_fall.saturating_add(1);
            if well {
                state.limit = (state.limit + 1.0 / state.limit).min(MOST);
            } else if state.since_fall > state.limit as usize {
                state.limit = (state.limit * 2.0 / 3.0).max(LEAST);
                state.since_fall = 0;
            }
        }
        self.limit.release();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.ended {
            self.limit.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_limit_holds_and_turns_are_handed_on() {
        let limit = Limit::default();
        let mut held = Vec::new();
        for _ in 0..FIRST as usize {
            held.push(limit.acquire().await);
        }
        let mut late = Box::pin(limit.acquire());
        let mut given_up = Box::pin(limit.acquire());
        assert!(futures::poll!(&mut late).is_pending());
        assert!(futures::poll!(&mut given_up).is_pending());
        held.pop().unwrap().end(true);
        let permit = late.await;
        drop(permit);
        // The second one was given the turn; it passes it on.
        drop(given_up);
        drop(held);
        assert_eq!(limit.0.lock().under_way, 0);
    }

    #[tokio::test]
    async fn overload_lowers_the_limit_once_a_window() {
        let limit = Limit::default();
        for _ in 0..10 {
            limit.acquire().await.end(false);
        }
        let after = limit.0.lock().limit;
        assert!((FIRST * 2.0 / 3.0 - after).abs() < 1e-9, "{after}");
        for _ in 0..2000 {
            limit.acquire().await.end(true);
        }
        assert!(limit.0.lock().limit > FIRST);
    }

    #[test]
    fn only_an_answer_that_says_when_is_waited_for() {
        let answer = |code: u16, after: Option<&str>| {
            let mut builder = Response::builder().status(code);
            if let Some(after) = after {
                builder = builder.header(header::RETRY_AFTER, after);
            }
            overloaded(&builder.body(()).unwrap()).map(|pause| pause.as_secs())
        };
        assert_eq!(answer(429, Some("1")), Some(1));
        assert_eq!(answer(503, Some("500")), Some(30));
        assert_eq!(answer(429, None), None);
        assert_eq!(answer(500, None), None);
        assert_eq!(answer(200, Some("1")), None);
    }
}
