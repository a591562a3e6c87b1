//! `watch`.

use super::{Call, Outcome};
use crate::error::ApiError;

pub(super) async fn watch(call: &Call) -> Result<Outcome, ApiError> {
    let _ = call;
    Err(ApiError::method_not_allowed())
}
