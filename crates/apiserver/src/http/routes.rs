//! From a path to what answers it.

use std::sync::Arc;

use http::Response;
use object::Value;
use serde_json::json;

use super::negotiate::{self, Accept, Encoding};
use super::{Incoming, ResponseBody, answer};
use crate::context::Context;
use crate::core::Core;
use crate::discovery;
use crate::error::ApiError;
use crate::openapi::Answer;
use crate::pipeline::{self, Body, Call};
use crate::registry::ServedResource;
use crate::table::IncludeObject;

/// The encodings of custom resources.
const TEXTS: [Encoding; 2] = [Encoding::Json, Encoding::Yaml];

fn media_types(offered: &[Encoding]) -> Vec<&'static str> {
    offered
        .iter()
        .map(|encoding| encoding.media_type())
        .collect()
}

fn page_not_found() -> Response<ResponseBody> {
    answer::text(404, "404 page not found\n")
}

/// Answers a request on a resource.
pub(super) async fn resource(
    core: &Arc<Core>,
    context: &Arc<Context>,
    incoming: &Incoming,
) -> Result<Response<ResponseBody>, ApiError> {
    let info = &incoming.info;
    let registry = core.registry();
    if info.path.starts_with("//") || registry.group(&info.group).is_none() {
        return Ok(page_not_found());
    }
    let served = registry.resource(&info.group, &info.version, &info.resource);
    let Some(served) = served.filter(|_| (info.prefix == "api") == info.group.is_empty()) else {
        // Groups of definitions are looked after by a handler that knows no Status for this.
        if !builtin::facts::facts()
            .groups
            .iter()
            .any(|group| group.name == info.group)
        {
            return Ok(page_not_found());
        }
        return Err(ApiError::unknown_resource());
    };
    let served = Arc::clone(served);
    if incoming.method == http::Method::HEAD {
        return Err(ApiError::method_not_allowed());
    }
    let is_custom = served.custom().is_some();
    if is_custom && !served.namespaced && !info.namespace.is_empty() {
        return Ok(page_not_found());
    }
    check_path(&served, incoming)?;
    if info.group.is_empty() && info.resource == "endpoints" {
        context.warn("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
    }
    if info.group.is_empty() && info.resource == "componentstatuses" {
        context.warn("v1 ComponentStatus is deprecated in v1.19+");
    }
    if let Some(warning) = served
        .custom()
        .and_then(|custom| custom.deprecation.as_ref())
    {
        context.warn(warning.as_str());
    }
    let offered: &[Encoding] = if is_custom { &TEXTS } else { &negotiate::ALL };
    if !is_custom && info.verb != "watch" {
        let header = negotiate::accept_header(&incoming.headers);
        let names = media_types(offered);
        if !negotiate::restful_accepts(&header, &names) {
            return Err(negotiate::restful_not_acceptable(&names));
        }
    }
    let accept = accept(incoming, offered)?;
    let call = Call {
        core: Arc::clone(core),
        context: Arc::clone(context),
        resource: Arc::clone(&served),
        subresource: info.subresource.clone(),
        namespace: if served.namespaced {
            info.namespace.clone()
        } else {
            String::new()
        },
        name: if info.name_from_selector {
            String::new()
        } else {
            info.name.clone()
        },
        rest: info.parts.iter().skip(3).cloned().collect(),
        query: incoming.query.clone(),
        accept,
    };
    let body = Body::Bytes(
        incoming.body.clone(),
        negotiate::content_type(&incoming.headers),
    );
    let outcome = pipeline::handle(call, &info.verb, body).await?;
    let include = include_object(incoming)?;
    answer::outcome(core, accept, include, &served, outcome)
}

/// Negotiates the form of the answer.
fn accept(incoming: &Incoming, offered: &[Encoding]) -> Result<Accept, ApiError> {
    let metadata = metadata_accept(incoming, offered);
    if incoming.info.verb == "watch" && metadata.is_none() {
        return watch_accept(incoming, offered);
    }
    let mut accept = match metadata {
        Some(accept) => accept,
        None => negotiate::negotiate(&incoming.headers, offered, true)?,
    };
    accept.pretty |= incoming.query.is_true("pretty");
    Ok(accept)
}

/// Metadata alone has a protobuf form for custom resources, too, where nothing else of them has one.
fn metadata_accept(incoming: &Incoming, offered: &[Encoding]) -> Option<Accept> {
    if offered.contains(&Encoding::Protobuf) {
        return None;
    }
    let accept = negotiate::negotiate(&incoming.headers, &negotiate::ALL, true).ok()?;
    let is_metadata = accept.transform != negotiate::Transform::None;
    (accept.encoding == Encoding::Protobuf && is_metadata).then_some(accept)
}

/// Negotiates the frames of a watch: there are none in YAML.
fn watch_accept(incoming: &Incoming, offered: &[Encoding]) -> Result<Accept, ApiError> {
    let streams: Vec<Encoding> = offered
        .iter()
        .copied()
        .filter(|encoding| *encoding != Encoding::Yaml)
        .collect();
    negotiate::negotiate(&incoming.headers, &streams, true).map_err(|_| {
        let names: Vec<String> = streams
            .iter()
            .map(|encoding| format!("{};stream=watch", encoding.media_type()))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        ApiError::not_acceptable(&names)
    })
}

/// Checks that the resource is where the path says, and that it has the verb.
fn check_path(served: &ServedResource, incoming: &Incoming) -> Result<(), ApiError> {
    let info = &incoming.info;
    let is_namespace = served.gvr.resource == "namespaces" && served.gvr.group.is_empty();
    if !served.namespaced && !info.namespace.is_empty() && !is_namespace {
        return Err(ApiError::unknown_resource());
    }
    let (verbs, is_connect) = if info.subresource.is_empty() {
        (&served.verbs, false)
    } else {
        let subresource =
            served
                .subresource(&info.subresource)
                .ok_or_else(|| match served.custom() {
                    Some(_) => ApiError::not_found(&served.group_resource(), &info.name),
                    None => ApiError::unknown_resource(),
                })?;
        let is_connect = matches!(
            subresource.name.as_str(),
            "proxy" | "exec" | "attach" | "portforward"
        );
        (&subresource.verbs, is_connect)
    };
    if info.parts.len() > 3 && !is_connect {
        return Err(ApiError::unknown_resource());
    }
    // Objects in namespaces are read and written there; only lists and watches span them all.
    let across = served.namespaced && info.namespace.is_empty();
    if across && (!info.name.is_empty() && !info.name_from_selector) {
        return Err(ApiError::unknown_resource());
    }
    let allowed =
        verbs.contains(&info.verb) && (!across || matches!(info.verb.as_str(), "list" | "watch"));
    let needs_name = matches!(info.verb.as_str(), "update" | "patch" | "delete" | "get");
    let allowed = allowed && (!needs_name || !info.name.is_empty());
    let allowed =
        allowed && (info.verb != "create" || info.name.is_empty() || !info.subresource.is_empty());
    match served.custom() {
        _ if allowed => Ok(()),
        None => Err(ApiError::method_not_allowed()),
        Some(_) => Err(ApiError::method_not_supported(
            &served.group_resource(),
            &info.verb,
        )),
    }
}

fn include_object(incoming: &Incoming) -> Result<IncludeObject, ApiError> {
    match incoming.query.text("includeObject") {
        "" | "Metadata" => Ok(IncludeObject::Metadata),
        "None" => Ok(IncludeObject::None),
        "Object" => Ok(IncludeObject::Object),
        other => Err(crate::table::bad_include(other)),
    }
}

/// Answers a request that is not about a resource.
pub(super) fn other(
    core: &Arc<Core>,
    incoming: &Incoming,
) -> Result<Response<ResponseBody>, ApiError> {
    let path = incoming.info.path.as_str();
    match path {
        "/healthz" | "/livez" | "/readyz" | "/healthz/ping" | "/livez/ping" | "/readyz/ping" => {
            return Ok(answer::text(200, "ok"));
        }
        "/version" | "/version/" => return version(incoming),
        "/metrics" => {
            let text = super::metrics::text(core);
            return Ok(answer::bytes(200, super::metrics::MEDIA_TYPE, text.into()));
        }
        "/openid/v1/jwks" => {
            let keys = core.auth.issuer.key_set().to_string();
            return Ok(answer::bytes(200, "application/jwk-set+json", keys.into()));
        }
        "/.well-known/openid-configuration" => return Ok(openid(core)),
        "/" => return root_paths(core, incoming),
        _ => {}
    }
    if path.starts_with("/openapi/") {
        return openapi(core, incoming);
    }
    discovery::answer(core, incoming).unwrap_or_else(|| Ok(page_not_found()))
}

/// Where the keys of service account tokens are. Source: `pkg/serviceaccount/openidmetadata.go`.
fn openid(core: &Core) -> Response<ResponseBody> {
    let document = json!({
        "issuer": core.config.issuer,
        "jwks_uri": format!("https://{}/openid/v1/jwks", core.config.advertise),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    answer::bytes(200, "application/json", document.to_string().into())
}

fn version(incoming: &Incoming) -> Result<Response<ResponseBody>, ApiError> {
    let header = negotiate::accept_header(&incoming.headers);
    let json = ["application/json"];
    if incoming.method != http::Method::GET {
        return Err(ApiError::method_not_allowed());
    }
    if !negotiate::restful_accepts(&header, &json) {
        return Err(negotiate::restful_not_acceptable(&json));
    }
    let facts = builtin::facts::facts();
    Ok(answer::value(200, Accept::default(), &facts.version))
}

fn root_paths(core: &Core, incoming: &Incoming) -> Result<Response<ResponseBody>, ApiError> {
    let mut paths: Vec<String> = [
        "/.well-known/openid-configuration",
        "/api",
        "/api/v1",
        "/apis",
        "/apis/",
    ]
    .map(str::to_owned)
    .to_vec();
    for group in core.registry().groups() {
        if group.group.is_empty() {
            continue;
        }
        paths.push(format!("/apis/{}", group.group));
        for version in &group.versions {
            paths.push(format!("/apis/{}/{}", group.group, version.version));
        }
    }
    for path in [
        "/healthz",
        "/livez",
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/",
        "/openid/v1/jwks",
        "/readyz",
        "/version",
    ] {
        paths.push(path.to_owned());
    }
    paths.sort();
    paths.dedup();
    let accept = Accept {
        pretty: true,
        ..Accept::default()
    };
    let _ = incoming;
    let paths: Value = json!({"paths": paths});
    Ok(answer::value(200, accept, &paths))
}

/// Answers `/openapi/`.
fn openapi(core: &Core, incoming: &Incoming) -> Result<Response<ResponseBody>, ApiError> {
    let accept = negotiate::accept_header(&incoming.headers);
    let document = match crate::openapi::answer(core, &incoming.info.path, &accept) {
        Answer::Document(document) => document,
        Answer::NotFound => return Ok(page_not_found()),
        Answer::NotAcceptable => return Ok(answer::bytes(406, "", bytes::Bytes::new())),
    };
    let tag = format!("\"{}\"", document.hash);
    let matched = incoming
        .headers
        .get(http::header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if matched {
        answer::bytes(304, document.media_type, bytes::Bytes::new())
    } else {
        answer::bytes(200, document.media_type, document.bytes)
    };
    let headers = response.headers_mut();
    if let Ok(tag) = http::HeaderValue::from_str(&tag) {
        headers.insert(http::header::ETAG, tag);
    }
    headers.insert(http::header::VARY, http::HeaderValue::from_static("Accept"));
    // What is asked for by its hash never changes. Upstream sends clients that ask by an old hash to the
    // new one; here they get the document at once, which is then not to be kept.
    if incoming.query.text("hash") == document.hash {
        let forever = http::HeaderValue::from_static("public, immutable");
        headers.insert(http::header::CACHE_CONTROL, forever);
    }
    Ok(response)
}
