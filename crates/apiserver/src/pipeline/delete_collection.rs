//! `deletecollection`: all objects that a list would show.

use super::delete::remove;
use super::options::DeleteOptions;
use super::{Body, Call, Outcome, decode, list};
use crate::error::ApiError;

/// Deletes what a list with the same selectors shows, and answers with that list.
pub(super) async fn delete_collection(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let value = decode::delete_options(call, body)?;
    let options = DeleteOptions::read(call, value.as_ref())?;
    let mut listed = list::list(call)?;
    for (namespace, name) in listed.names() {
        let mut one = call.named(&name);
        one.namespace = namespace;
        match remove(&one, &options).await {
            // Somebody else was faster.
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
    }
    listed.continue_token.clear();
    Ok(Outcome::List(listed))
}
