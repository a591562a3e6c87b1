//! Subresources: `status`, `scale`, `binding`, `eviction`, `token` …

use super::{Body, Call, Outcome, get, patch, update};
use crate::error::ApiError;

/// Does what a request on a subresource asks for.
pub async fn handle(call: Call, verb: &str, body: Body) -> Result<Outcome, ApiError> {
    match call.subresource.as_str() {
        "status" | "ephemeralcontainers" | "resize" | "approval" | "finalize" => {
            let subresource = call.subresource.clone();
            match verb {
                "get" => get::object(&call).map(|object| Outcome::Object(200, object)),
                "update" => update::replace(&call, body, &subresource).await,
                "patch" => patch::patch_as(&call, body, &subresource).await,
                _ => Err(ApiError::method_not_allowed()),
            }
        }
        _ => Err(ApiError::unknown_resource()),
    }
}
