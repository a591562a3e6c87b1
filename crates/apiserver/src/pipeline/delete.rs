//! `delete`: an object goes, at once, gracefully, or when its finalizers are done.
//!
//! Source: apiserver, `registry/generic/registry/store.go` and `registry/rest/delete.go`.

use std::sync::Arc;
use std::time::Duration;

use object::{GroupResource, Value, meta};
use serde_json::json;

use super::options::{DeleteOptions, Propagation};
use super::rules::Rules;
use super::{Body, Call, Object, Outcome, decode, read, write};
use crate::admission::{self, Operation};
use crate::error::ApiError;
use crate::store::{Encoded, Stored};

/// What became of a deletion.
pub(super) struct Deleted {
    /// Whether the object is gone.
    pub(super) gone: bool,
    /// The object as it was last, or is now.
    pub(super) object: Value,
    /// The same as it is stored, if it is.
    stored: Option<Arc<Stored>>,
}

/// The finalizers of garbage collection.
const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// Deletes an object.
pub(super) async fn delete(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let value = decode::delete_options(call, body)?;
    let options = DeleteOptions::read(call, value.as_ref())?;
    let deleted = remove(call, &options).await?;
    let is_accepted = !deleted.gone
        && !options.dry_run
        && (options.orphan_dependents == Some(false)
            || options.propagation == Some(Propagation::Foreground));
    let code = if is_accepted { 202 } else { 200 };
    if deleted.gone && !returns_object(&call.group_resource()) {
        return Ok(Outcome::Object(
            code,
            Object::Value(success(call, &deleted.object)),
        ));
    }
    let object = match deleted.stored {
        Some(stored) => read::view(&call.resource, stored),
        None => Object::Value(read::to_request_version(&call.resource, deleted.object)),
    };
    Ok(Outcome::Object(code, object))
}

/// The `Status` of a deletion that is done.
fn success(call: &Call, object: &Value) -> Value {
    let resource = call.group_resource();
    let mut details = json!({
        "name": meta::name(object), "kind": resource.resource, "uid": meta::uid(object),
    });
    if !resource.group.is_empty() {
        details["group"] = Value::from(resource.group);
    }
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": details,
    })
}

/// Whether the answer to a deletion is the object (`ReturnDeletedObject` of `pkg/registry`).
fn returns_object(resource: &GroupResource) -> bool {
    matches!(
        (resource.group.as_str(), resource.resource.as_str()),
        (
            "",
            "resourcequotas"
                | "persistentvolumes"
                | "serviceaccounts"
                | "persistentvolumeclaims"
                | "namespaces"
                | "pods"
                | "services"
                | "podtemplates"
        ) | (
            "resource.k8s.io",
            "resourceclaimtemplates" | "resourceslices" | "resourceclaims" | "deviceclasses"
        ) | (
            "storage.k8s.io",
            "csidrivers"
                | "storageclasses"
                | "volumeattachments"
                | "csinodes"
                | "volumeattributesclasses"
        )
    )
}

/// Deletes the object of a call, or begins to.
pub(super) async fn remove(call: &Call, options: &DeleteOptions) -> Result<Deleted, ApiError> {
    let bucket = call.bucket();
    let key = call.key();
    loop {
        let stored = bucket.get(&key).ok_or_else(|| call.not_found())?;
        let object = read::stored_value(&call.resource, &stored);
        check_preconditions(call, options, &object)?;
        let attributes = admission::Attributes {
            call,
            operation: Operation::Delete,
            old: Some(&object),
            dry_run: options.dry_run,
            deletion: Some(options),
        };
        admission::delete(&attributes).await?;
        let step = Step::of(call, options, &object);
        if let Some(deleted) = act(call, options, &stored, object, step).await? {
            return Ok(deleted);
        }
    }
}

/// What is to be done with the object.
enum Step {
    /// Nothing: its deletion is on its way.
    Wait,
    /// It is marked, and stays until its finalizers or its grace period are done.
    Mark(Box<Value>),
    /// It goes.
    Remove,
}

impl Step {
    fn of(call: &Call, options: &DeleteOptions, object: &Value) -> Self {
        if crate::pipeline::special::keeps_on_delete(call, object) {
            return match crate::pipeline::special::begin_delete(call, options, object) {
                Some(marked) => Self::Mark(Box::new(marked)),
                None => Self::Wait,
            };
        }
        let mut marked = object.clone();
        let graceful = match grace(call, options, &mut marked) {
            Grace::Pending => return Self::Wait,
            Grace::None => None,
            Grace::Period(seconds) => Some(seconds),
        };
        if let Some(finalizers) = collection_finalizers(call, options, object) {
            set_finalizers(&mut marked, finalizers);
        }
        let waits = marked["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        match graceful {
            Some(seconds) if waits || seconds > 0 => Self::Mark(Box::new(marked)),
            None if waits => {
                mark(call, &mut marked);
                Self::Mark(Box::new(marked))
            }
            _ => Self::Remove,
        }
    }
}

async fn act(
    call: &Call,
    options: &DeleteOptions,
    stored: &Arc<Stored>,
    object: Value,
    step: Step,
) -> Result<Option<Deleted>, ApiError> {
    match step {
        Step::Wait => Ok(Some(Deleted {
            gone: false,
            object,
            stored: Some(Arc::clone(stored)),
        })),
        Step::Mark(marked) => {
            let encoded = Encoded::of(&marked);
            if options.dry_run {
                return Ok(Some(Deleted {
                    gone: false,
                    object: *marked,
                    stored: None,
                }));
            }
            let written = if encoded.is_same_as(stored) {
                Some(Arc::clone(stored))
            } else {
                write::put(call, stored, &encoded).await?
            };
            Ok(written.map(|stored| Deleted {
                gone: false,
                object: *marked,
                stored: Some(stored),
            }))
        }
        Step::Remove => {
            if options.dry_run {
                return Ok(Some(Deleted {
                    gone: true,
                    object,
                    stored: None,
                }));
            }
            // A graceful kind is marked first, so that its watchers see the deletion coming.
            let mut last = object;
            let mut current = Arc::clone(stored);
            if matches!(grace(call, options, &mut last), Grace::Period(_)) {
                match write::put(call, stored, &Encoded::of(&last)).await? {
                    Some(marked) => current = marked,
                    None => return Ok(None),
                }
            }
            let removed = write::remove(call, &current, &Encoded::of(&last)).await?;
            Ok(removed.map(|stored| Deleted {
                gone: true,
                object: last,
                stored: Some(stored),
            }))
        }
    }
}

fn check_preconditions(
    call: &Call,
    options: &DeleteOptions,
    object: &Value,
) -> Result<(), ApiError> {
    let kind = call.resource.gvk.group_kind();
    let resource = GroupResource::new(kind.group, kind.kind);
    if let Some(uid) = &options.uid
        && uid != meta::uid(object)
    {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            meta::uid(object)
        );
        return Err(ApiError::conflict(&resource, &call.name, &why));
    }
    if let Some(version) = &options.resource_version
        && version != meta::resource_version(object)
    {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The object might have been modified",
            meta::resource_version(object)
        );
        return Err(ApiError::conflict(&resource, &call.name, &why));
    }
    Ok(())
}

/// How a kind that goes gracefully is deleted.
enum Grace {
    /// It does not go gracefully.
    None,
    /// It is on its way already.
    Pending,
    /// It goes after so many seconds; the object has been marked.
    Period(i64),
}

/// Marks an object of a kind that goes gracefully. Source: `registry/rest/delete.go`, `BeforeDelete`.
fn grace(call: &Call, options: &DeleteOptions, object: &mut Value) -> Grace {
    let Some(period) = Rules::of(call).grace_period(object, options.grace) else {
        return Grace::None;
    };
    if meta::is_terminating(object) {
        let Some(current) = object["metadata"]["deletionGracePeriodSeconds"].as_i64() else {
            return Grace::None;
        };
        return match options.grace {
            // Only a shorter period may be given.
            Some(asked) if asked < current => {
                let begun = crate::clock::parse_rfc3339(
                    object["metadata"]["deletionTimestamp"]
                        .as_str()
                        .unwrap_or_default(),
                );
                let begun = begun.unwrap_or_default() - current + asked;
                object["metadata"]["deletionTimestamp"] =
                    Value::from(crate::clock::rfc3339_seconds(begun));
                object["metadata"]["deletionGracePeriodSeconds"] = Value::from(asked);
                Grace::Period(asked)
            }
            _ => Grace::Pending,
        };
    }
    let at = call.core.clock.now() + Duration::from_secs(period.max(0) as u64);
    object["metadata"]["deletionTimestamp"] = Value::from(crate::clock::rfc3339(at));
    object["metadata"]["deletionGracePeriodSeconds"] = Value::from(period);
    raise_generation(object);
    Grace::Period(period)
}

fn raise_generation(object: &mut Value) {
    let generation = meta::generation(object);
    if generation > 0 {
        object["metadata"]["generation"] = Value::from(generation + 1);
    }
}

/// Marks an object that waits for its finalizers. Source: `store.go`, `markAsDeleting`.
fn mark(call: &Call, object: &mut Value) {
    if !meta::is_terminating(object) {
        raise_generation(object);
        object["metadata"]["deletionTimestamp"] = Value::from(call.core.now());
    }
    object["metadata"]["deletionGracePeriodSeconds"] = Value::from(0);
}

pub(super) fn finalizers(object: &Value) -> Vec<String> {
    object["metadata"]["finalizers"]
        .as_array()
        .map(|all| {
            all.iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default()
}

pub(super) fn set_finalizers(object: &mut Value, finalizers: Vec<String>) {
    if finalizers.is_empty() {
        super::metadata::remove(object, "finalizers");
    } else {
        object["metadata"]["finalizers"] = Value::from(finalizers);
    }
}

/// The finalizers with those that the propagation policy demands; `None` if they stay as they are.
///
/// Source: `store.go`, `deletionFinalizersForGarbageCollection`.
pub(super) fn collection_finalizers(
    call: &Call,
    options: &DeleteOptions,
    object: &Value,
) -> Option<Vec<String>> {
    let resource = call.group_resource();
    if resource.group.is_empty() && resource.resource == "events" {
        return None;
    }
    let before = finalizers(object);
    let mut after: Vec<String> = before
        .iter()
        .filter(|name| *name != ORPHAN && *name != FOREGROUND)
        .cloned()
        .collect();
    if orphans(call, options, &before) {
        after.push(ORPHAN.to_owned());
    }
    if goes_last(options, &before) {
        after.push(FOREGROUND.to_owned());
    }
    let is_same = before.len() == after.len() && before.iter().all(|name| after.contains(name));
    (!is_same).then_some(after)
}

fn orphans(call: &Call, options: &DeleteOptions, finalizers: &[String]) -> bool {
    if let Some(orphan) = options.orphan_dependents {
        return orphan;
    }
    if let Some(policy) = options.propagation {
        return policy == Propagation::Orphan;
    }
    for name in finalizers {
        match name.as_str() {
            ORPHAN => return true,
            FOREGROUND => return false,
            _ => {}
        }
    }
    // For compatibility these orphan by default in their v1.
    let resource = call.group_resource();
    matches!(
        (resource.group.as_str(), resource.resource.as_str()),
        ("batch", "jobs") | ("", "replicationcontrollers")
    )
}

fn goes_last(options: &DeleteOptions, finalizers: &[String]) -> bool {
    if options.orphan_dependents.is_some() {
        return false;
    }
    if let Some(policy) = options.propagation {
        return policy == Propagation::Foreground;
    }
    finalizers
        .iter()
        .find(|name| *name == FOREGROUND || *name == ORPHAN)
        .is_some_and(|name| name == FOREGROUND)
}
