//! HTTP: from a request to a call of the pipeline, and from its outcome to an answer.

pub(crate) mod answer;
mod body;
mod info;
pub(crate) mod listener;
mod metrics;
pub mod negotiate;
mod query;
mod routes;
pub mod tls;

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use futures::FutureExt;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Body;

use crate::auth::{self, Attributes, Decision};
use crate::context::Context;
use crate::core::Core;
use crate::error::ApiError;

pub use body::ResponseBody;
pub use info::RequestInfo;
pub use query::{Query, unescape};

/// The tower service of a server. Cloning it is cheap.
#[derive(Clone)]
pub struct Service {
    core: Arc<Core>,
}

/// One request, read.
pub(crate) struct Incoming {
    pub(crate) method: http::Method,
    pub(crate) info: RequestInfo,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Service {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl<B> tower::Service<Request<B>> for Service
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let core = Arc::clone(&self.core);
        Box::pin(async move { Ok(respond(core, request).await) })
    }
}

async fn respond<B>(core: Arc<Core>, request: Request<B>) -> Response<ResponseBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let audit_id = audit_id(&core, request.headers());
    let headers = request.headers().clone();
    let is_head = request.method() == http::Method::HEAD;
    let handled = AssertUnwindSafe(handle(core, request)).catch_unwind().await;
    let mut response = match handled {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => answer::error(&error, &headers),
        Err(_) => {
            // The panic hook has logged where; the client learns that it was not its fault.
            let error = ApiError::new(
                500,
                "InternalError",
                "This request caused apiserver to panic. Look in the logs for details.",
            );
            answer::error(&error, &headers)
        }
    };
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("audit-id"), audit_id);
    headers
        .entry(http::header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache, private"));
    if is_head {
        return without_body(response);
    }
    response
}

/// The answer to HEAD: a body would break the connection of an HTTP/2 client.
fn without_body(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    if let Some(length) = response.body().size_hint().exact() {
        response
            .headers_mut()
            .insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = ResponseBody::Empty;
    response
}

fn audit_id(core: &Core, headers: &HeaderMap) -> HeaderValue {
    headers
        .get("audit-id")
        .filter(|value| value.len() <= 64 && !value.is_empty())
        .cloned()
        .unwrap_or_else(|| {
            HeaderValue::from_str(&core.clock.uid())
                .unwrap_or_else(|_| HeaderValue::from_static("0"))
        })
}

async fn handle<B>(core: Arc<Core>, request: Request<B>) -> Result<Response<ResponseBody>, ApiError>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let path = unescape(parts.uri.path(), false)
        .ok_or_else(|| ApiError::bad_request("the path is not encoded as it should be"))?;
    let info = RequestInfo::of(parts.method.as_str(), &path, &query);
    let user = auth::authenticate(&core, &parts.headers)?;
    let user = auth::impersonate(&core, user, &parts.headers)?;
    let attributes = Attributes::of(&info);
    if let Decision::Deny(why) = auth::authorize(&core, &user, &attributes) {
        return Err(denied(&user.name, &attributes, &why));
    }
    if let Some(timeout) = query.get("timeout").filter(|text| !text.is_empty()) {
        crate::pipeline::check_timeout(timeout)?;
    }
    let agent = parts.headers.get(USER_AGENT);
    let agent = agent
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let context = Arc::new(Context::new(user, agent));
    let body = body::read(body, core.config.max_body_bytes).await?;
    let incoming = Incoming {
        method: parts.method,
        info,
        query,
        headers: parts.headers,
        body,
    };
    let outcome = if incoming.info.is_resource {
        routes::resource(&core, &context, &incoming).await
    } else {
        routes::other(&core, &incoming)
    };
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => answer::error(&error, &incoming.headers),
    };
    for warning in context.take_warnings() {
        if let Ok(value) = HeaderValue::from_bytes(answer::warning(&warning).as_bytes()) {
            response.headers_mut().append(http::header::WARNING, value);
        }
    }
    Ok(response)
}

/// The 403 of authorization. Source: apiserver, `handlers/responsewriters/errors.go`.
fn denied(user: &str, attributes: &Attributes, why: &str) -> ApiError {
    let resource =
        object::GroupResource::new(attributes.group.as_str(), attributes.resource.as_str());
    let mut message = auth::denial(user, attributes);
    if !why.is_empty() {
        message = format!("{message}: {why}");
    }
    if attributes.is_resource {
        ApiError::forbidden(&resource, &attributes.name, &message)
    } else {
        ApiError::forbidden(&object::GroupResource::default(), "", &message)
            .with_details(crate::error::Details::default())
    }
}
