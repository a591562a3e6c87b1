//! Making, changing and removing lists of objects.
//!
//! Source: Helm `kube.Client` `Create`, `Update`, `Delete`.

use std::collections::HashSet;

use apply::Failure;
use futures::StreamExt as _;
use object::meta;

use crate::actions::Applying;
use crate::cluster::{Cluster, Content, Verb};
use crate::error::ActionError;
use crate::objects::Object;
use crate::patch;

/// How many requests are under way at once.
const CONCURRENCY: usize = 16;
/// How often a write that lost a race is tried again.
const TRIES: usize = 5;

const RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// Whether the object is to stay when its release goes.
pub(crate) fn is_kept(annotation: Option<&str>) -> bool {
    annotation.is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"))
}

/// Runs of objects of the same kind; one run is under way at a time.
fn runs(objects: &[Object]) -> impl Iterator<Item = &[Object]> {
    objects.chunk_by(|a, b| a.kind() == b.kind())
}

/// Makes one object.
async fn create_one(
    cluster: &impl Cluster,
    object: &Object,
    applying: Applying<'_>,
) -> Result<(), Failure> {
    // Server-side apply needs a name.
    if applying.server_side && !object.name.is_empty() {
        return apply(cluster, object, applying.force_conflicts).await;
    }
    let verb = Verb::Create(object.value.clone());
    cluster.call(object.call(verb)).await.map(drop)
}

async fn apply(cluster: &impl Cluster, object: &Object, force: bool) -> Result<(), Failure> {
    let verb = || Verb::Patch(Content::Apply { force }, object.value.clone());
    let mut tries = 1;
    loop {
        match cluster.call(object.call(verb())).await {
            Ok(_) => return Ok(()),
            // Several applies at once may race for the numbers of a quota.
            Err(failure) if tries < TRIES && is_quota_race(&failure) => tries += 1,
            Err(failure) if is_field_conflict(&failure) => {
                return Err(Failure::Local(format!(
                    "conflict occurred while applying object {}/{} {}: {failure}",
                    object.namespace, object.name, object.resource.gvk
                )));
            }
            Err(failure) => {
                return Err(Failure::Local(format!(
                    "server-side apply failed for object {}/{} {}: {failure}",
                    object.namespace, object.name, object.resource.gvk
                )));
            }
        }
    }
}

fn is_quota_race(failure: &Failure) -> bool {
    failure.is_conflict()
        && failure
            .to_string()
            .contains("Operation cannot be fulfilled on resourcequotas")
}

fn is_field_conflict(failure: &Failure) -> bool {
    failure.is_conflict()
}

/// Makes all objects, kind after kind.
pub(crate) async fn create(
    cluster: &impl Cluster,
    objects: &[Object],
    applying: Applying<'_>,
) -> Result<(), ActionError> {
    let mut errors = Vec::new();
    for run in runs(objects) {
        let mut results = futures::stream::iter(run)
            .map(|object| create_one(cluster, object, applying))
            .buffered(CONCURRENCY);
        while let Some(result) = results.next().await {
            errors.extend(result.err().map(ActionError::from));
        }
    }
    ActionError::join(errors, "\n")
}

/// Brings the objects of `current` to `target`; gives those that were made. On a failure, those made so far come with it.
pub(crate) async fn update(
    cluster: &impl Cluster,
    current: &[Object],
    target: &[Object],
    applying: Applying<'_>,
) -> Result<Vec<Object>, (Vec<Object>, ActionError)> {
    let (mut created, mut errors) = (Vec::new(), Vec::new());
    for object in target {
        let live = match cluster.call(object.call(Verb::Get)).await {
            Ok(live) => live,
            Err(failure) if failure.is_not_found() => {
                created.push(object.clone());
                if let Err(failure) = create_one(cluster, object, applying).await {
                    let error = ActionError::from(failure).within("failed to create resource");
                    return Err((created, error));
                }
                continue;
            }
            Err(failure) => {
                let error = ActionError::from(failure)
                    .within("could not get information about the resource");
                return Err((created, error));
            }
        };
        let key = object.key();
        let original = current.iter().find(|original| original.key() == key);
        let original = original.map_or(&live, |original| &original.value);
        if let Err(error) = change_one(cluster, object, original, &live, applying).await {
            errors.push(error);
        }
    }
    if errors.is_empty() {
        errors = remove_left_over(cluster, current, target).await;
    }
    match ActionError::join(errors, " && ") {
        Ok(()) => Ok(created),
        Err(error) => Err((created, error)),
    }
}

async fn change_one(
    cluster: &impl Cluster,
    object: &Object,
    original: &serde_json::Value,
    live: &serde_json::Value,
    applying: Applying<'_>,
) -> Result<(), ActionError> {
    if applying.replace {
        let mut value = object.value.clone();
        // As `kubectl replace --force`-less does: whatever the present version is.
        value["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        return cluster
            .call(object.call(Verb::Replace(value)))
            .await
            .map(drop)
            .map_err(|failure| ActionError::from(failure).within("failed to replace object"));
    }
    if applying.server_side {
        if applying.upgrade_manager {
            take_over(cluster, object, live.clone(), applying.manager).await?;
        }
        return Ok(apply(cluster, object, applying.force_conflicts).await?);
    }
    let Some((content, patch)) = patch::create(original, object, live, applying.three_way)? else {
        return Ok(());
    };
    let verb = Verb::Patch(content, patch);
    cluster
        .call(object.call(verb))
        .await
        .map(drop)
        .map_err(|failure| {
            ActionError::from(failure).within(format!(
                "cannot patch {:?} with kind {}",
                object.name,
                object.kind()
            ))
        })
}

/// Makes fields of earlier updates ours for server-side apply.
async fn take_over(
    cluster: &impl Cluster,
    object: &Object,
    mut live: serde_json::Value,
    manager: &str,
) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let Some(patch) = patch::upgrade_manager(&live, manager) else {
            return Ok(());
        };
        match cluster
            .call(object.call(Verb::Patch(Content::Json, patch)))
            .await
        {
            Ok(_) => return Ok(()),
            Err(failure) if failure.is_conflict() => {
                live = cluster.call(object.call(Verb::Get)).await?;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// Removes what is no longer in the release.
async fn remove_left_over(
    cluster: &impl Cluster,
    current: &[Object],
    target: &[Object],
) -> Vec<ActionError> {
    let wanted: HashSet<_> = target.iter().map(Object::key).collect();
    let mut errors = Vec::new();
    for object in current
        .iter()
        .filter(|object| !wanted.contains(&object.key()))
    {
        let Ok(live) = cluster.call(object.call(Verb::Get)).await else {
            continue;
        };
        if meta::annotation(&live, RESOURCE_POLICY) == Some("keep") {
            continue;
        }
        if let Err(failure) = delete_one(cluster, object, "Background").await {
            errors.push(ActionError::from(failure).within(format!(
                "failed to delete resource namespace={}, name={}, kind={}",
                object.namespace,
                object.name,
                object.kind()
            )));
        }
    }
    errors
}

async fn delete_one(
    cluster: &impl Cluster,
    object: &Object,
    propagation: &'static str,
) -> Result<(), Failure> {
    match cluster
        .call(object.call(Verb::Delete { propagation }))
        .await
    {
        Ok(_) => Ok(()),
        Err(failure) if failure.is_not_found() => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Removes objects, kind after kind; that one is gone already is no failure.
pub(crate) async fn delete(
    cluster: &impl Cluster,
    objects: &[Object],
    propagation: &'static str,
) -> Vec<ActionError> {
    let mut errors = Vec::new();
    for run in runs(objects) {
        let mut results = futures::stream::iter(run)
            .map(|object| delete_one(cluster, object, propagation))
            .buffered(CONCURRENCY);
        while let Some(result) = results.next().await {
            errors.extend(result.err().map(ActionError::from));
        }
    }
    errors
}
