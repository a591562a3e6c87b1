//! Subresources: `status`, `scale`, `binding`, `eviction`, `token` …

use super::{Body, Call, Outcome};
use crate::error::ApiError;

/// Does what a request on a subresource asks for.
pub async fn handle(call: Call, verb: &str, body: Body) -> Result<Outcome, ApiError> {
    let _ = (call, verb, body);
    Err(ApiError::unknown_resource())
}
