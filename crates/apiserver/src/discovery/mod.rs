//! Discovery: which groups, versions and resources are served.

mod aggregated;
mod legacy;

use http::{HeaderValue, Response};
use object::Value;
use sha2::{Digest, Sha512};

use crate::core::Core;
use crate::error::ApiError;
use crate::http::negotiate;
use crate::http::{Incoming, ResponseBody, answer};

/// Answers `/api`, `/apis` and what is below; `None` for other paths.
pub(crate) fn answer(
    core: &Core,
    incoming: &Incoming,
) -> Option<Result<Response<ResponseBody>, ApiError>> {
    let path = incoming.info.path.as_str();
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let is_list = matches!(trimmed, "/api" | "/apis");
    if is_list && let Some(version) = aggregated_version(incoming) {
        return Some(Ok(aggregated(core, incoming, trimmed == "/api", version)));
    }
    let document = match legacy::document(core, trimmed)? {
        Ok(document) => document,
        Err(error) => return Some(Err(error)),
    };
    // The handlers of the lists look at no method; the others are go-restful's.
    if !is_list && incoming.method != http::Method::GET {
        return Some(Err(ApiError::method_not_allowed()));
    }
    Some(negotiated(incoming, &document))
}

fn negotiated(incoming: &Incoming, document: &Value) -> Result<Response<ResponseBody>, ApiError> {
    let mut accept = negotiate::negotiate(&incoming.headers, &negotiate::ALL, false)?;
    accept.pretty |= incoming.query.is_true("pretty");
    Ok(answer::value(200, accept, document))
}

/// The version of the aggregated form that the client prefers, if it wants that form at all.
fn aggregated_version(incoming: &Incoming) -> Option<&'static str> {
    let header = negotiate::accept_header(&incoming.headers);
    for clause in negotiate::clauses(&header) {
        if clause.media_type != "application/json" && clause.media_type != "*/*" {
            continue;
        }
        match clause.parameter("as") {
            None => return None,
            Some("APIGroupDiscoveryList")
                if clause.parameter("g") == Some("apidiscovery.k8s.io") =>
            {
                // Only v2 is served by v1.35; v2beta1 is gone.
                if clause.parameter("v") == Some("v2") {
                    return Some("v2");
                }
            }
            Some(_) => {}
        }
    }
    None
}

fn aggregated(
    core: &Core,
    incoming: &Incoming,
    is_core: bool,
    version: &'static str,
) -> Response<ResponseBody> {
    let document = aggregated::document(core, is_core);
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let digest = Sha512::digest(&body);
    let mut tag = String::from("\"");
    for byte in digest {
        tag.push_str(&format!("{byte:02X}"));
    }
    tag.push('"');
    let matched = incoming
        .headers
        .get(http::header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let media_type =
        format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    let mut response = if matched {
        answer::bytes(304, &media_type, bytes::Bytes::new())
    } else {
        answer::bytes(200, &media_type, bytes::Bytes::from(body))
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(http::header::ETAG, tag);
    }
    headers.insert(
        http::header::CACHE_CONTROL,
        HeaderValue::from_static("public"),
    );
    headers.insert(http::header::VARY, HeaderValue::from_static("Accept"));
    response
}
