//! One HTTP request and its answer.

use std::time::Duration;

use http::{Request, Response};
use reqwest::redirect::Policy;

/// How long a service may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const MAX_ANSWER: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The request could not be sent or the answer not be read.
    #[error("{0}")]
    Transport(String),
}

/// Sends requests.
pub trait Exchange: Send + Sync {
    /// The answer to `request`, whatever its status. Redirects are not followed, since requests hold credentials.
    ///
    /// # Errors
    /// There is no answer.
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ExchangeError>;
}

/// The network, over TLS with the authorities of the system.
pub struct Web {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

impl Web {
    /// Requests run on `runtime`; they must be sent from a thread that may wait, not from one of its own.
    ///
    /// # Errors
    /// There are no authorities to trust.
    pub fn new(runtime: tokio::runtime::Handle) -> Result<Self, ExchangeError> {
        let config = tls::client(tls::ClientOptions::default())
            .map_err(|error| ExchangeError::Transport(error.to_string()))?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(Policy::none())
            .timeout(DEADLINE)
            .build()
            .map_err(|error| ExchangeError::Transport(error.to_string()))?;
        Ok(Self { client, runtime })
    }
}

impl Exchange for Web {
    fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ExchangeError> {
        let failed = |error: reqwest::Error| {
            // The URL may hold a key's name, never a credential; it helps to find what is wrong.
            ExchangeError::Transport(error.to_string())
        };
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        self.runtime.block_on(async {
            let mut answer = self.client.execute(request).await.map_err(failed)?;
            let mut response = Response::new(Vec::new());
            *response.status_mut() = answer.status();
            while let Some(chunk) = answer.chunk().await.map_err(failed)? {
                if response.body().len() + chunk.len() > MAX_ANSWER {
                    return Err(ExchangeError::Transport(
                        "the answer is too large".to_owned(),
                    ));
                }
                response.body_mut().extend_from_slice(&chunk);
            }
            Ok(response)
        })
    }
}

/// Sends a JSON body and reads a JSON answer. Refusals give the status and what the service says.
pub(crate) fn json(
    exchange: &dyn Exchange,
    request: http::request::Builder,
    body: &serde_json::Value,
) -> Result<serde_json::Value, String> {
    let request = request
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|error| error.to_string())?;
    read(exchange, request)
}

/// Sends a request and reads a JSON answer.
pub(crate) fn read(
    exchange: &dyn Exchange,
    request: Request<Vec<u8>>,
) -> Result<serde_json::Value, String> {
    let response = exchange.send(request).map_err(|error| error.to_string())?;
    if !response.status().is_success() {
        let said = String::from_utf8_lossy(response.body());
        let said: String = said.chars().take(500).collect();
        return Err(format!("{}: {}", response.status(), said.trim()));
    }
    serde_json::from_slice(response.body())
        .map_err(|error| format!("the answer is not JSON: {error}"))
}

#[cfg(test)]
pub(crate) mod recorded {
    //! Exchanges that were written down.

    use super::*;

    /// A request that is expected: the start of its lines, and its answer.
    pub(crate) struct Recorded(
        pub(crate) Vec<(String, &'static str, u16, String)>,
        pub(crate) parking_lot::Mutex<usize>,
    );

    impl Recorded {
        /// `(method and URL, a part of the body, status, answer)` in order.
        pub(crate) fn new(exchanges: &[(&str, &'static str, u16, &str)]) -> Self {
            let exchanges = exchanges.iter().map(|(line, part, status, answer)| {
                ((*line).to_owned(), *part, *status, (*answer).to_owned())
            });
            Self(exchanges.collect(), parking_lot::Mutex::new(0))
        }
    }

    impl Exchange for Recorded {
        fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ExchangeError> {
            let mut next = self.1.lock();
            let (line, part, status, answer) = &self.0[*next];
            *next += 1;
            assert_eq!(&format!("{} {}", request.method(), request.uri()), line);
            let body = String::from_utf8_lossy(request.body());
            assert!(body.contains(part), "{body} lacks {part}");
            let response = Response::builder().status(*status);
            Ok(response.body(answer.clone().into_bytes()).unwrap())
        }
    }
}
