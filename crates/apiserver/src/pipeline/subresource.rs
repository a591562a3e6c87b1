//! Subresources: `status`, `scale`, `binding`, `eviction`, `token` …

use object::GroupVersionKind;

use super::options::WriteOptions;
use super::{Body, Call, Object, Outcome, decode, get, managed, patch, pods, scale, update};
use crate::auth::service_account;
use crate::error::ApiError;

/// Does what a request on a subresource asks for.
pub async fn handle(call: Call, verb: &str, body: Body) -> Result<Outcome, ApiError> {
    match (call.subresource.as_str(), verb) {
        ("status" | "ephemeralcontainers" | "resize" | "approval" | "finalize", _) => {
            let subresource = call.subresource.clone();
            match verb {
                "get" => get::object(&call).map(|object| Outcome::Object(200, object)),
                "update" => update::replace(&call, body, &subresource).await,
                "patch" => patch::patch_as(&call, body, &subresource).await,
                _ => Err(ApiError::method_not_allowed()),
            }
        }
        ("scale", _) => scale::handle(&call, verb, body).await,
        ("binding", "create") => pods::bind(&call, body).await,
        ("eviction", "create") => pods::evict(&call, body).await,
        ("log", "get") => pods::log(&call),
        ("exec" | "attach" | "portforward", _) => pods::connect(&call),
        ("token", "create") => token(&call, body),
        ("proxy", _) => Err(ApiError::unavailable(
            "the embedded control plane has no network to its workloads",
        )),
        _ => Err(ApiError::unknown_resource()),
    }
}

/// A token for a service account.
fn token(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let options = WriteOptions::read(&call.query, "CreateOptions", None)?;
    let kind = GroupVersionKind::new("authentication.k8s.io", "v1", "TokenRequest");
    let mut request = decode::object(call, body, &kind, options.validation)?;
    managed::on_create_of(call, &kind, &mut request, &options.manager(call));
    let answer = service_account::request_token(&call.core, &call.namespace, &call.name, request)?;
    Ok(Outcome::Object(201, Object::Value(answer)))
}
