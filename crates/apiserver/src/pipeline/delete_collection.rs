//! `delete_collection`.

use super::{Body, Call, Outcome};
use crate::error::ApiError;

pub(super) async fn delete_collection(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let _ = (call, body);
    Err(ApiError::method_not_allowed())
}
