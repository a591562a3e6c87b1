//! Applying the objects of one stage.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use object::{GroupVersionKind, meta};

use super::Applier;
use super::object::{Mode, Plan};
use crate::change::{Change, Outcome, id_of};
use crate::error::ObjectError;
use crate::manifest::Manifest;
use crate::memory::Policy;
use crate::options::Options;
use crate::order::wave;

/// Up to so many changed objects are tried by dry runs first, as Flux does; so a set with an error changes nothing.
const TRIED: usize = 50;

/// Applies the objects, which are sorted.
pub(super) async fn apply(
    applier: &Applier,
    manifests: Vec<Manifest>,
    options: &Options,
    policy: &Arc<Policy>,
    outcome: &mut Outcome,
) {
    let mut errors = applier.unknown_kinds(&manifests).await;
    if !errors.is_empty() {
        // The kinds may have been installed a moment ago by someone else.
        tokio::time::sleep(options.wait_interval.min(std::time::Duration::from_secs(1))).await;
        errors = applier.unknown_kinds(&manifests).await;
    }
    let unknown: Vec<_> = errors.iter().map(|error| error.id.clone()).collect();
    let known: Vec<&Manifest> = manifests
        .iter()
        .filter(|manifest| unknown.is_empty() || !unknown.contains(&id_of(&manifest.object)))
        .collect();
    let mut plans = plan(applier, &known, options, policy).await;
    let has_failed = AtomicBool::new(!errors.is_empty());
    let is_doubtful = plans.iter().filter(|plan| plan.is_pending()).count() > 1
        && (applier.is_cautious
            || is_worth_trying(&plans)
            || lacks_namespace(applier, &plans).await);
    if errors.is_empty() && is_doubtful {
        let pending: Vec<&mut Plan> = plans.iter_mut().filter(|plan| plan.is_pending()).collect();
        let tries: Vec<_> = pending
            .into_iter()
            .map(|plan| applier.run(plan, options, policy, Mode::Try))
            .collect();
        let tries = futures::stream::iter(tries).buffered(options.concurrency.max(1));
        errors.extend(
            tries
                .filter_map(|result| async { result.err() })
                .collect::<Vec<_>>()
                .await,
        );
        has_failed.store(!errors.is_empty(), Ordering::Relaxed);
        if !errors.is_empty() {
            report(outcome, Vec::new(), errors);
            return;
        }
    }
    let changes = run(applier, plans, options, policy, &has_failed, &mut errors).await;
    report(outcome, changes, errors);
}

fn report(outcome: &mut Outcome, changes: Vec<Change>, errors: Vec<ObjectError>) {
    outcome.changes.extend(changes);
    outcome.errors.extend(errors);
}

/// What is known of each object; kinds that are not watched yet are watched from now on.
async fn plan(
    applier: &Applier,
    manifests: &[&Manifest],
    options: &Options,
    policy: &Arc<Policy>,
) -> Vec<Plan> {
    let mut plans = Vec::with_capacity(manifests.len());
    let mut last = None;
    for manifest in manifests {
        let gvk = meta::gvk(&manifest.object);
        let resource = match &last {
            Some((known, resource)) if *known == gvk => Arc::clone(resource),
            _ => {
                let Ok(resource) = applier.cluster.mapper().resource(&gvk).await else {
                    continue;
                };
                applier.cluster.memory().ready(&resource).await;
                last = Some((gvk, Arc::clone(&resource)));
                resource
            }
        };
        plans.push(applier.plan(manifest, resource, options, policy));
    }
    plans
}

/// Whether to try the objects by dry runs before anything is changed: several are to be written, and one of them may
/// well be refused, since it is wrong as far as can be seen here or changes an object that is there.
fn is_worth_trying(plans: &[Plan]) -> bool {
    let pending: Vec<&Plan> = plans.iter().filter(|plan| plan.is_pending()).collect();
    let updates = pending.iter().filter(|plan| plan.is_update()).count();
    (updates > 0 && pending.len() <= TRIED) || pending.iter().any(|plan| plan.is_doubtful())
}

/// Whether an object that is to be written lies in a namespace that is not there.
async fn lacks_namespace(applier: &Applier, plans: &[Plan]) -> bool {
    let pending = plans.iter().filter(|plan| plan.is_pending());
    let names: BTreeSet<&str> = pending
        .map(|plan| plan.id.namespace.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    let gvk = GroupVersionKind::new("", "v1", "Namespace");
    let Ok(resource) = applier.cluster.mapper().resource(&gvk).await else {
        return false;
    };
    for name in names {
        if applier
            .cluster
            .memory()
            .lacks_namespace(&resource, name)
            .await
        {
            return true;
        }
    }
    false
}

async fn run(
    applier: &Applier,
    plans: Vec<Plan>,
    options: &Options,
    policy: &Arc<Policy>,
    has_failed: &AtomicBool,
    errors: &mut Vec<ObjectError>,
) -> Vec<Change> {
    let mut changes = Vec::with_capacity(plans.len());
    let mut waves: std::collections::BTreeMap<i32, Vec<Plan>> = std::collections::BTreeMap::new();
    for plan in plans {
        waves.entry(wave(&plan.id)).or_default().push(plan);
    }
    for (_, plans) in waves {
        let results = futures::stream::iter(plans).map(|mut plan| async move {
            let mode = if has_failed.load(Ordering::Relaxed) {
                Mode::Check
            } else {
                Mode::Apply
            };
            let result = applier.run(&mut plan, options, policy, mode).await;
            if result.is_err() {
                has_failed.store(true, Ordering::Relaxed);
            }
            result
        });
        let mut results = results.buffered(options.concurrency.max(1));
        while let Some(result) = results.next().await {
            match result {
                Ok(Some(change)) => changes.push(change),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
    }
    changes
}
