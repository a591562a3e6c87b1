//! Writing status, finalizers and annotations with as few requests as there are changes.

use std::sync::Arc;

use api::meta::Object;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Map, Value, json};

use crate::watch::{api_for, decode};
use crate::{Cache, Kind, ObjectKey};

/// Why an object could not be patched.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The API server refused, or could not be reached.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// The object cannot be written as JSON.
    #[error("cannot encode the object")]
    Encode(#[source] serde_json::Error),
    /// The two states cannot be compared.
    #[error("cannot compare the object with its earlier state")]
    Compare(#[from] object::merge_patch::MergePatchError),
}

impl PatchError {
    /// Whether the object is not there (any more).
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.code == 404)
    }
}

/// Remembers an object as it was, and sends what has changed since: nothing if nothing has, else one merge
/// patch for the metadata and one for the status. Source: fluxcd/pkg `runtime/patch`, `SerialPatcher`.
pub struct Patcher<S: Kind> {
    api: Api<DynamicObject>,
    cache: Arc<Cache<S>>,
    name: String,
    parameters: PatchParams,
    before: Value,
}

/// The parts of the metadata that controllers write.
const METADATA: [&str; 3] = ["finalizers", "annotations", "labels"];

impl<S: Kind> Patcher<S> {
    /// A patcher that starts from `object` and writes as `field_manager`.
    pub fn new(
        client: kube::Client,
        cache: Arc<Cache<S>>,
        field_manager: &str,
        object: &Object<S>,
    ) -> Self {
        let key = ObjectKey::of(object);
        let parameters = PatchParams {
            field_manager: Some(field_manager.to_owned()),
            ..PatchParams::default()
        };
        // What cannot be encoded now cannot be later, and is reported then.
        let before = encode(object).unwrap_or_default();
        Self {
            api: api_for::<S>(&client, Some(&key.namespace)),
            cache,
            name: key.name,
            parameters,
            before,
        }
    }

    /// Whether `after` differs from what was written last.
    pub fn has_changes(&self, after: &Object<S>) -> bool {
        encode(after).is_ok_and(|after| after != self.before)
    }

    /// Whether finalizers, annotations or labels differ from what was written last.
    pub fn has_metadata_changes(&self, after: &Object<S>) -> bool {
        encode(after).is_ok_and(|after| after["metadata"] != self.before["metadata"])
    }

    /// Writes what differs from the last time; tells whether anything did. An object that is being deleted
    /// may be gone by now.
    ///
    /// # Errors
    /// The API server refused, or could not be reached. What was not written stays to be written.
    pub async fn patch(&mut self, after: &Object<S>) -> Result<bool, PatchError> {
        let is_deleted = after.metadata.deletion_timestamp.is_some();
        match self
            .send(encode(after).map_err(PatchError::Encode)?, is_deleted)
            .await
        {
            Err(error) if is_deleted && error.is_not_found() => Ok(true),
            sent => sent,
        }
    }

    async fn send(&mut self, after: Value, is_deleted: bool) -> Result<bool, PatchError> {
        let mut sent = false;
        let metadata = object::merge_patch::create(&self.before["metadata"], &after["metadata"])?;
        let is_last = is_deleted && after["metadata"].get("finalizers").is_none();
        if !is_empty(&metadata) {
            let patch = json!({"metadata": metadata});
            let answer = self
                .api
                .patch(&self.name, &self.parameters, &Patch::Merge(patch))
                .await?;
            self.before["metadata"] = after["metadata"].clone();
            self.observe(answer);
            sent = true;
            if is_last {
                return Ok(sent);
            }
        }
        let status = object::merge_patch::create(&self.before["status"], &after["status"])?;
        if !is_empty(&status) {
            let patch = json!({"status": status});
            let answer = self
                .api
                .patch_status(&self.name, &self.parameters, &Patch::Merge(patch))
                .await?;
            self.before["status"] = after["status"].clone();
            self.observe(answer);
            sent = true;
        }
        Ok(sent)
    }

    fn observe(&self, answer: DynamicObject) {
        // What cannot be decoded comes again through the watch, and is reported there.
        if let Ok(object) = decode::<S>(answer) {
            self.cache.observe(object);
        }
    }
}

fn is_empty(patch: &Value) -> bool {
    patch.as_object().is_some_and(Map::is_empty)
}

/// What of the object is compared.
fn encode<S: Kind>(object: &Object<S>) -> Result<Value, serde_json::Error> {
    let all = serde_json::to_value(&object.metadata)?;
    let metadata: Map<String, Value> = METADATA
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), all.get(*field)?.clone())))
        .collect();
    Ok(json!({"metadata": metadata, "status": serde_json::to_value(&object.status)?}))
}
