//! Applying a set of objects.

mod object;
mod repair;
mod stage;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::object::meta;
use futures::StreamExt as _;

use crate::change::{Action, Outcome, id_of};
use crate::cluster::Cluster;
use crate::error::{ObjectError, Step};
use crate::health::{HealthChecks, HealthSet, WaitOptions};
use crate::manifest::Manifest;
use crate::memory::Policy;
use crate::normalize::remove_invalid_bundle;
use crate::options::Options;
use crate::order::{self, Stage};
use crate::owner::Owner;
use crate::rest::{Failure, Rest};

/// Applies objects to a cluster on behalf of an owner.
#[derive(Clone)]
pub struct Applier {
    pub(crate) cluster: Cluster,
    pub(crate) owner: Arc<Owner>,
    pub(crate) rest: Rest,
    checks: Arc<HealthChecks>,
    is_cautious: bool,
}

impl Applier {
    /// An applier that uses the client of the cluster.
    pub fn new(cluster: &Cluster, owner: Owner) -> Self {
        Self::acting_as(cluster, cluster.client().clone(), owner)
    }

    /// An applier that sends its requests through another client to the same API server, as one that impersonates.
    pub fn acting_as(cluster: &Cluster, client: kube::Client, owner: Owner) -> Self {
        Self {
            cluster: cluster.clone(),
            rest: Rest::new(client, &owner.field_manager),
            owner: Arc::new(owner),
            checks: Arc::default(),
            is_cautious: false,
        }
    }

    /// Tells by `checks` whether the objects of a stage are ready for the next one.
    #[must_use]
    pub fn with_checks(mut self, checks: Arc<HealthChecks>) -> Self {
        self.checks = checks;
        self
    }

    /// Tries all that is new or changed by dry runs before anything is applied, as Flux does: for one who may lack rights.
    #[must_use]
    pub fn cautious(mut self) -> Self {
        self.is_cautious = true;
        self
    }

    /// Who applies.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Applies objects in stages: definitions and namespaces, then classes, then kinds of the user's choice, then the
    /// rest. A stage in which something fails is the last one; within it nothing more is changed after the first
    /// failure, but everything is still checked by dry runs, so that all failures are known.
    ///
    /// Objects that are as this owner applied them cost nothing. What the owner applied before and is not among
    /// `manifests` is no longer watched; see [`crate::inventory`] for what to do with it.
    pub async fn apply_staged(&self, manifests: Vec<Manifest>, options: &Options) -> Outcome {
        let mut outcome = Outcome::default();
        let mut stages: BTreeMap<Stage, Vec<Manifest>> = BTreeMap::new();
        for mut manifest in manifests {
            if order::is_crd(&manifest.object) {
                remove_invalid_bundle(Arc::make_mut(&mut manifest.object));
            }
            let stage = Stage::of(&manifest.object, &options.custom_stage_kinds);
            stages.entry(stage).or_default().push(manifest);
        }
        let policy = self.cluster.memory().share(Policy {
            field_manager: self.owner.field_manager.clone(),
            cleanup: options.cleanup.clone(),
        });
        for stage in Stage::ALL {
            let Some(mut manifests) = stages.remove(&stage) else {
                continue;
            };
            manifests.sort_by_cached_key(|manifest| Sorted(id_of(&manifest.object)));
            self.apply_stage(stage, manifests, options, &policy, &mut outcome)
                .await;
            if !outcome.is_ok() {
                break;
            }
            outcome.complete = outcome.changes.len();
        }
        let ids: Vec<&api::meta::ObjectId> =
            outcome.changes.iter().map(|change| &change.id).collect();
        if outcome.is_ok() {
            self.cluster.memory().keep(&self.owner, &ids);
        } else {
            self.cluster.memory().add(&self.owner, &ids);
        }
        outcome
    }

    async fn apply_stage(
        &self,
        stage: Stage,
        manifests: Vec<Manifest>,
        options: &Options,
        policy: &Arc<Policy>,
        outcome: &mut Outcome,
    ) {
        let has_definitions = manifests
            .iter()
            .any(|manifest| order::is_crd(&manifest.object));
        let start = outcome.changes.len();
        stage::apply(self, manifests, options, policy, outcome).await;
        if has_definitions
            && outcome.changes[start..]
                .iter()
                .any(|change| change.action.has_changed())
        {
            self.cluster.mapper().forget();
        }
        if !outcome.is_ok() || !stage.is_awaited() {
            return;
        }
        // What was left alone is not waited for: it may not even be there. Nor is what was ready and is unchanged.
        let memory = self.cluster.memory();
        let awaited: Vec<_> = outcome.changes[start..]
            .iter()
            .filter(|change| change.action != Action::Skipped && !memory.is_ready(&change.id))
            .map(|change| change.id.clone())
            .collect();
        if awaited.is_empty() {
            return;
        }
        let set = HealthSet::new(awaited.clone()).with_checks(&self.checks);
        let wait = WaitOptions {
            timeout: options.wait_timeout,
            fail_fast: false,
        };
        match self.cluster.health().wait(&set, &wait).await {
            Ok(()) => memory.are_ready(&awaited),
            Err(error) => outcome.errors.push(ObjectError {
                id: awaited[0].clone(),
                step: Step::Wait,
                failure: Failure::Local(error.to_string()),
                origin: None,
            }),
        }
        if has_definitions {
            self.cluster.mapper().forget();
        }
    }

    /// Reads the kinds of all objects, so that an unknown one is told before anything is applied.
    pub(crate) async fn unknown_kinds(&self, manifests: &[Manifest]) -> Vec<ObjectError> {
        // Over places, not references: the compiler could not tell that the future may move between threads.
        let checks = futures::stream::iter(0..manifests.len()).map(|place| async move {
            let manifest = &manifests[place];
            let gvk = meta::gvk(&manifest.object);
            let failure = self.cluster.mapper().resource(&gvk).await.err()?;
            Some(ObjectError {
                id: id_of(&manifest.object),
                step: Step::Apply,
                failure,
                origin: manifest.origin.clone(),
            })
        });
        checks
            .buffered(1)
            .filter_map(futures::future::ready)
            .collect()
            .await
    }
}

/// An object in the order of applying.
#[derive(PartialEq, Eq)]
struct Sorted(api::meta::ObjectId);

impl PartialOrd for Sorted {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sorted {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        order::compare(&self.0, &other.0)
    }
}
