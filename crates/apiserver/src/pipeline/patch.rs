//! `patch`.

use super::{Body, Call, Outcome};
use crate::error::ApiError;

pub(super) async fn patch(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let _ = (call, body);
    Err(ApiError::method_not_allowed())
}
