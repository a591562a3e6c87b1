//! Mutating webhooks: they are asked one after the other, each about what those before it made.

use std::collections::HashSet;

use object::json_patch::JsonPatch;
use object::{GroupVersionKind, Value, field, meta};

use super::{Answer, Webhook, is_asked};
use crate::admission::Attributes;
use crate::admission::matching::{self, Matched};
use crate::error::ApiError;
use crate::registry::{convert, defaults};

/// What is remembered between the two rounds of a write: webhooks whose object was changed after them are
/// asked again if they want to be, once.
///
/// Source: apiserver `admission/plugin/webhook/mutating/reinvocationcontext.go`, `admission/reinvocation.go`.
#[derive(Default)]
pub(in crate::admission) struct Rounds {
    is_second: bool,
    /// Webhooks, by their place, that were asked and want to be asked again if need be.
    asked: HashSet<usize>,
    /// Those of which it is known that they have to be asked again.
    again: HashSet<usize>,
    /// What the first round made.
    output: Option<Value>,
    /// Whether any webhook changed the object.
    has_changed: bool,
}

impl Rounds {
    /// Whether all plugins run once more.
    pub(in crate::admission) fn need_another(&self) -> bool {
        self.has_changed
    }

    fn changed(&mut self) {
        self.again.extend(self.asked.drain());
    }
}

/// Asks the mutating webhooks; `object` is `None` for a removal.
pub(in crate::admission) async fn mutate(
    attributes: &Attributes<'_>,
    mut object: Option<&mut Value>,
    rounds: &mut Rounds,
) -> Result<(), ApiError> {
    let core = &attributes.call.core;
    let webhooks = core.admission.webhooks.mutating.current(core);
    if webhooks.is_empty() || !is_asked(attributes) {
        return Ok(());
    }
    rounds.is_second = rounds.output.is_some();
    if rounds.is_second && rounds.output.as_ref() != object.as_deref() {
        rounds.changed();
    }
    for (place, webhook) in webhooks.iter().enumerate() {
        let Some(matched) = webhook.concerns(attributes, object.as_deref())? else {
            continue;
        };
        if rounds.is_second && !rounds.again.contains(&place) {
            continue;
        }
        let changed = match webhook
            .ask(attributes, object.as_deref(), &matched, true)
            .await
        {
            Ok(answer) => take(
                webhook,
                attributes,
                &answer,
                &matched,
                object.as_deref_mut(),
            )?,
            Err(trouble) => {
                webhook.decide(trouble)?;
                false
            }
        };
        if changed {
            rounds.changed();
            rounds.has_changed = true;
        }
        if webhook.spec["reinvocationPolicy"] == "IfNeeded" {
            rounds.asked.insert(place);
        }
    }
    rounds.output = object.as_deref().cloned();
    Ok(())
}

/// Applies the patch of an answer; says whether it changed anything.
fn take(
    webhook: &Webhook,
    attributes: &Attributes<'_>,
    answer: &Answer,
    matched: &Matched,
    object: Option<&mut Value>,
) -> Result<bool, ApiError> {
    if answer.patch.is_null() {
        return Ok(false);
    }
    let internal = |error: &dyn std::fmt::Display| ApiError::internal(error.to_string());
    let patch = JsonPatch::decode(answer.patch.clone()).map_err(|error| {
        let name = field::quote(&webhook.name);
        ApiError::internal(format!(
            "failed calling webhook {name}: received undecodable patch in webhook response: {error}"
        ))
    })?;
    if patch.is_empty() {
        return Ok(false);
    }
    let Some(object) = object else {
        return Err(ApiError::internal(format!(
            "admission webhook {} attempted to modify the object, which is not supported for this operation",
            field::quote(&webhook.name)
        )));
    };
    let shown = matching::in_version(object, &matched.kind);
    let patched = patch
        .apply(shown.clone())
        .map_err(|error| internal(&error))?;
    let patched =
        understood(attributes, patched, &matched.kind).map_err(|error| internal(&error))?;
    if patched == shown {
        return Ok(false);
    }
    let before = object.pointer("/metadata/managedFields").cloned();
    let stored = convert::convert(patched, &meta::gvk(object));
    *object = stored;
    keep_managers(attributes, object, before);
    Ok(true)
}

/// What a patch made, decoded as the kind and with its defaults.
fn understood(
    attributes: &Attributes<'_>,
    mut object: Value,
    kind: &GroupVersionKind,
) -> Result<Value, String> {
    let facts = builtin::facts::facts();
    if attributes.call.resource.custom().is_none()
        && let Some(id) = facts.type_of(kind)
    {
        let decoded =
            builtin::decode::decode_value(id, object).map_err(|error| error.to_string())?;
        object = decoded.object;
        object["apiVersion"] = Value::from(kind.api_version());
        object["kind"] = Value::from(kind.kind.as_str());
        defaults::apply(kind, &mut object);
        return Ok(object);
    }
    if meta::gvk(&object) != *kind {
        return Err(format!(
            "{} is not the kind that was asked about, {kind}",
            meta::gvk(&object)
        ));
    }
    let registry = attributes.call.core.registry();
    if let Some(custom) = registry
        .resource_of(kind)
        .and_then(|served| served.custom())
    {
        custom.normalize(&mut object)?;
    }
    Ok(object)
}

/// A webhook that spoils the managed fields (old ones decode and encode them) does not get its way.
///
/// Source: apimachinery `util/managedfields`, apiserver `handlers/fieldmanager/admission.go`.
fn keep_managers(attributes: &Attributes<'_>, object: &mut Value, before: Option<Value>) {
    let after = object.pointer("/metadata/managedFields");
    if after == before.as_ref() {
        return;
    }
    let is_valid = |entry: &Value| {
        matches!(entry["operation"].as_str(), Some("Apply" | "Update"))
            && entry["fieldsType"] == "FieldsV1"
            && entry["fieldsV1"].is_object()
            && entry["apiVersion"]
                .as_str()
                .is_some_and(|version| !version.is_empty())
    };
    let entries = after.and_then(Value::as_array);
    if entries.is_none_or(|entries| entries.iter().all(is_valid)) {
        return;
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        match before {
            Some(before) => metadata.insert("managedFields".to_owned(), before),
            None => metadata.remove("managedFields"),
        };
    }
    attributes.call.context.warn(
        ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests",
    );
}
