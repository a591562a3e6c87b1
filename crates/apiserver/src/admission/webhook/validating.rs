//! Validating webhooks: they refuse or let pass, and are asked all at once.

use futures::future::join_all;
use object::Value;

use super::is_asked;
use crate::admission::Attributes;
use crate::error::ApiError;

/// Asks the validating webhooks; `object` is `None` for a removal.
pub(in crate::admission) async fn validate(
    attributes: &Attributes<'_>,
    object: Option<&Value>,
) -> Result<(), ApiError> {
    let core = &attributes.call.core;
    let webhooks = core.admission.webhooks.validating.current(core);
    if webhooks.is_empty() || !is_asked(attributes) {
        return Ok(());
    }
    let mut concerned = Vec::new();
    for webhook in webhooks.iter() {
        if let Some(matched) = webhook.concerns(attributes, object)? {
            concerned.push((webhook, matched));
        }
    }
    let answers = concerned.iter().map(|(webhook, matched)| async move {
        match webhook.ask(attributes, object, matched, false).await {
            Ok(_) => Ok(()),
            Err(trouble) => webhook.decide(trouble),
        }
    });
    join_all(answers).await.into_iter().collect()
}
