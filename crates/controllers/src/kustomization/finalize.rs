//! What happens when a Kustomization is deleted. Source: kustomize-controller, `finalize`.

use api::constants::finalizers::FLUX;
use api::kustomize::v1::{DeletionPolicy, Kustomization};
use runtime::{EventType, Failure, Interrupted, Outcome};

use super::work::Work;
use super::{KustomizationReconciler, remote, spec};

pub(super) async fn run(
    controller: &KustomizationReconciler,
    work: &mut Work,
) -> Result<Outcome, Failure> {
    let has_finalizer = work
        .object
        .metadata
        .finalizers
        .iter()
        .flatten()
        .any(|finalizer| finalizer == FLUX);
    if has_finalizer && deletes_objects(&work.object) && !delete_objects(controller, work).await? {
        return Ok(Outcome::Settled);
    }
    if let Some(finalizers) = &mut work.object.metadata.finalizers {
        finalizers.retain(|finalizer| finalizer != FLUX);
        if finalizers.is_empty() {
            work.object.metadata.finalizers = None;
        }
    }
    controller.forget_object(work.context.key());
    Ok(Outcome::Settled)
}

/// Whether the objects go with the Kustomization.
fn deletes_objects(object: &Kustomization) -> bool {
    let has_objects = object
        .status
        .as_ref()
        .and_then(|status| status.inventory.as_ref())
        .is_some_and(|inventory| !inventory.entries.is_empty());
    if spec::is_suspended(object) || !has_objects {
        return false;
    }
    match spec::deletion_policy(object) {
        DeletionPolicy::MirrorPrune => object.spec.prune,
        DeletionPolicy::Delete | DeletionPolicy::WaitForTermination => true,
        _ => false,
    }
}

/// Deletes them; tells whether the finalizer can go.
async fn delete_objects(
    controller: &KustomizationReconciler,
    work: &mut Work,
) -> Result<bool, Failure> {
    let own = work.context.connection().clone();
    let status = work.object.status.clone().unwrap_or_default();
    let entries = status.inventory.unwrap_or_default().entries;
    work.revision = status.last_applied_revision.unwrap_or_default();
    work.origin_revision = status.last_applied_origin_revision.unwrap_or_default();
    if !remote::has_account(&own, &work.object, &controller.settings).await {
        let objects: Vec<String> = entries.iter().map(super::engine::describe).collect();
        let message = format!("unable to prune objects: \n{}", objects.join("\n"));
        tracing::error!(
            error = "skiping pruning, failed to find account to impersonate",
            "{message}"
        );
        work.event(EventType::Warning, &message);
        return Ok(true);
    }
    let metrics = work.context.manager().metrics().clone();
    let target = remote::target(&own, &work.object, &controller.settings, &metrics)
        .await
        .map_err(Failure::retry)?;
    // An entry that cannot be read names nothing that could be deleted.
    let objects: Vec<_> = entries
        .iter()
        .filter_map(|entry| Some((entry.object_id().ok()?, entry.version.clone())))
        .collect();
    let deleted = controller
        .engine
        .delete(&target, &work.object, &objects, |_| false)
        .await;
    if let Some(error) = deleted.error {
        work.event(EventType::Warning, "pruning for deleted resource failed");
        return Err(Failure::retry(error));
    }
    if deleted.log.is_empty() {
        return Ok(true);
    }
    work.event(EventType::Normal, &deleted.log);
    if spec::deletion_policy(&work.object) == DeletionPolicy::WaitForTermination {
        let timeout = spec::timeout(&work.object).to_std();
        let gone = controller
            .engine
            .wait_gone(&target, &work.object, &deleted.outcome, timeout);
        match work.context.wait(gone).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let message = "failed to wait for resources termination";
                tracing::error!(error, "{message}");
                work.event(EventType::Warning, message);
            }
            // It is queued again, and finds what is left.
            Err(Interrupted::Superseded(_) | Interrupted::ShuttingDown) => return Ok(false),
        }
    }
    Ok(true)
}
