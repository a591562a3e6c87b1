//! Applying, pruning and health of one Kustomization, through the crate `apply`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use api::constants::annotations::{DECRYPT, DISABLED};
use api::kustomize::v1::Kustomization;
use api::meta::{EntryError, Inventory, ObjectId, ResourceRef};
use apply::health::{HealthChecks, HealthSet, WaitOptions};
use apply::ignore::IgnoreRules;
use apply::{
    Action, Applier, Cluster, DeleteOptions, Manifest, Options, Outcome, Owner, inventory, order,
};
use object::{Value, meta};
use parking_lot::Mutex;
use runtime::{Connection, ObjectKey};

use super::build::Build;
use super::remote::Target;
use super::settings::Settings;
use super::spec;

/// How many other clusters are remembered at most.
const REMOTE_CLUSTERS: usize = 64;

/// The clusters that are applied to, with what is known of each.
pub(super) struct Engine {
    own: Cluster,
    remote: Mutex<HashMap<u64, Cluster>>,
    options: Options,
    fail_fast: bool,
    has_default_account: bool,
}

/// Why nothing, or not all, was applied.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApplyError {
    /// A Secret is still encrypted. The text is Flux's.
    #[error(
        "{0} is SOPS encrypted, configuring decryption is required for this secret to be reconciled"
    )]
    Encrypted(String),
    /// The rules of `spec.ignore` are wrong.
    #[error("{0}")]
    Rules(String),
    /// Objects were refused.
    #[error("{text}")]
    Refused {
        /// Flux's words, for the first one.
        text: String,
        /// All of them, with where each comes from.
        details: String,
        /// What was applied nevertheless.
        outcome: Box<Outcome>,
    },
}

/// What was applied.
pub(super) struct Applied {
    outcome: Outcome,
    manifests: Vec<Manifest>,
}

/// What was deleted.
pub(super) struct Deleted {
    /// What went wrong, in Flux's words.
    pub(super) error: Option<String>,
    /// What is still there because of that.
    pub(super) survivors: Vec<ResourceRef>,
    /// What became of each object, one a line.
    pub(super) log: String,
    /// For [`Engine::wait_gone`].
    pub(super) outcome: Outcome,
}

impl Applied {
    /// What has changed, as Flux's event says it; empty if nothing has.
    pub(super) fn change_log(&self) -> String {
        self.outcome.change_log()
    }

    /// Whether anything has changed.
    pub(super) fn has_changed(&self) -> bool {
        self.outcome.changed().next().is_some()
    }

    /// Which objects others had changed, with the fields; one a line, empty if there is none.
    pub(super) fn drift_log(&self) -> String {
        let drifted = self.outcome.changed().filter(|change| change.is_drift);
        let lines: Vec<String> = drifted
            .map(|change| match change.fields.as_slice() {
                [] => change.to_string(),
                fields => format!("{change}: {}", fields.join(", ")),
            })
            .collect();
        lines.join("\n")
    }

    /// The inventory of what was applied.
    pub(super) fn inventory(&self) -> Inventory {
        Inventory {
            entries: self.outcome.entries(),
        }
    }

    /// What of an earlier inventory was not applied this time.
    pub(super) fn stale(&self, before: &Inventory) -> Result<Vec<(ObjectId, String)>, EntryError> {
        inventory::stale(before, &self.inventory())
    }
}

/// An inventory entry as messages name it: `Deployment/apps/web`.
pub(super) fn describe(entry: &ResourceRef) -> String {
    entry
        .object_id()
        .map_or_else(|_| entry.id.clone(), |id| apply::subject(&id))
}

fn owner(object: &Kustomization) -> Owner {
    Owner::kustomization(spec::namespace(object), spec::name(object))
}

impl Engine {
    pub(super) fn new(connection: &Connection, settings: &Settings) -> Self {
        let client = connection.client().clone();
        let own = if settings.drift_watch {
            Cluster::new(client)
        } else {
            Cluster::unwatched(client)
        };
        let mut options = Options::for_kustomizations(&settings.override_managers);
        options.concurrency = settings.concurrent_apply;
        options.migrate_api_version = settings.migrate_api_version;
        options.custom_stage_kinds = order::parse_kinds(&settings.custom_stage_kinds.join(","));
        Self {
            own,
            remote: Mutex::default(),
            options,
            fail_fast: settings.fail_fast,
            has_default_account: !settings.default_service_account.is_empty(),
        }
    }

    /// Calls `listener` with the Kustomization whose object someone else has changed.
    pub(super) fn on_drift(&self, listener: impl Fn(ObjectKey) + Send + Sync + 'static) {
        self.own.memory().on_drift(move |drift| {
            listener(ObjectKey::new(&drift.owner.namespace, &drift.owner.name))
        });
    }

    fn cluster(&self, target: &Target) -> Cluster {
        let Some(cluster) = target.cluster else {
            return self.own.clone();
        };
        let mut remote = self.remote.lock();
        if remote.len() >= REMOTE_CLUSTERS && !remote.contains_key(&cluster) {
            // What is lost is only memory: everything is compared once more.
            remote.clear();
        }
        let made = || Cluster::unwatched(target.base.client().clone());
        remote.entry(cluster).or_insert_with(made).clone()
    }

    fn applier(&self, target: &Target, object: &Kustomization) -> Applier {
        let applier = Applier::acting_as(
            &self.cluster(target),
            target.connection.client().clone(),
            owner(object),
        );
        let named = object.spec.service_account_name.as_deref();
        if self.has_default_account || named.is_some_and(|name| !name.is_empty()) {
            // An account of a tenant's may lack rights: then nothing of the set is applied, as in Flux.
            return applier.cautious();
        }
        applier
    }

    /// Whether the expressions of `healthCheckExprs` can be read.
    pub(super) fn check_expressions(object: &Kustomization) -> Result<(), String> {
        checks(object).map(drop)
    }

    /// Applies what was built.
    pub(super) async fn apply(
        &self,
        target: &Target,
        object: &Kustomization,
        build: &Build,
    ) -> Result<Applied, ApplyError> {
        let mut manifests: Vec<Manifest> = build
            .objects
            .iter()
            .map(|built| {
                let place = &built.provenance;
                match (place.file.as_str(), place.line) {
                    ("", _) => Manifest::new(built.value.clone()),
                    (file, 0) => Manifest::from_place(built.value.clone(), file),
                    (file, line) => {
                        Manifest::from_place(built.value.clone(), format!("{file}:{line}"))
                    }
                }
            })
            .collect();
        // Before they are normalized, since that drops fields that a Secret has not.
        if let Some(encrypted) = manifests
            .iter()
            .find(|manifest| is_encrypted(&manifest.object))
        {
            return Err(ApplyError::Encrypted(apply::subject(&apply::id_of(
                &encrypted.object,
            ))));
        }
        apply::set_owner_labels(&mut manifests, &owner(object));
        apply::normalize(&mut manifests);
        if let Some(common) = &object.spec.common_metadata {
            let labels = common
                .labels
                .iter()
                .flatten()
                .map(|(key, value)| (key.as_str(), value.as_str()));
            let annotations = common
                .annotations
                .iter()
                .flatten()
                .map(|(key, value)| (key.as_str(), value.as_str()));
            apply::set_common_metadata(&mut manifests, labels, annotations);
        }
        let mut options = self.options.clone();
        options.force = object.spec.force == Some(true);
        if let Some(rules) = &object.spec.ignore {
            options.ignore =
                IgnoreRules::new(rules).map_err(|error| ApplyError::Rules(error.to_string()))?;
        }
        let checks = checks(object).map_err(ApplyError::Rules)?;
        let applier = self.applier(target, object).with_checks(checks);
        let outcome = applier.apply_staged(manifests.clone(), &options).await;
        match outcome.apply_error() {
            None => Ok(Applied { outcome, manifests }),
            Some(text) => Err(ApplyError::Refused {
                text,
                details: outcome.detailed_errors(),
                outcome: Box::new(outcome),
            }),
        }
    }

    /// Deletes objects that the Kustomization has applied; those that `is_wanted_elsewhere` are left.
    pub(super) async fn delete(
        &self,
        target: &Target,
        object: &Kustomization,
        objects: &[(ObjectId, String)],
        is_wanted_elsewhere: impl Fn(&ObjectId) -> bool,
    ) -> Deleted {
        let options = DeleteOptions::for_kustomizations(&owner(object));
        let outcome = self
            .applier(target, object)
            .prune(objects, &options, is_wanted_elsewhere)
            .await;
        let survivors = outcome
            .changes
            .iter()
            .filter(|change| change.action == Action::Unknown);
        Deleted {
            error: outcome.delete_error(),
            survivors: survivors
                .map(|change| change.id.to_entry(&change.version))
                .collect(),
            log: outcome.log(),
            outcome,
        }
    }

    /// The objects whose health is waited for. Source: kustomize-controller, `checkHealth`.
    pub(super) fn health_set(object: &Kustomization, applied: &Applied) -> HealthSet {
        let mut ids: Vec<ObjectId> = if object.spec.wait == Some(true) {
            let changes = applied.outcome.changes.iter();
            changes
                .filter(|change| change.action != Action::Skipped)
                .map(|change| change.id.clone())
                .collect()
        } else {
            let checks = object.spec.health_checks.iter().flatten();
            checks
                .map(|check| {
                    // As in v1beta1, where there was no version.
                    let version = check
                        .api_version
                        .as_deref()
                        .filter(|version| !version.is_empty())
                        .unwrap_or("apps/v1");
                    ObjectId {
                        namespace: check.namespace.clone().unwrap_or_default(),
                        name: check.name.clone(),
                        group: version
                            .rsplit_once('/')
                            .map_or("", |(group, _)| group)
                            .to_owned(),
                        kind: check.kind.clone(),
                    }
                })
                .collect()
        };
        // It would wait for itself.
        ids.retain(|id| {
            id.kind != "Kustomization"
                || id.name != spec::name(object)
                || id.namespace != spec::namespace(object)
        });
        let checks = checks(object).unwrap_or_default();
        HealthSet::new(ids)
            .with_checks(&checks)
            .with_jobs_of(&applied.manifests)
    }

    /// Waits until the objects are ready.
    ///
    /// # Errors
    /// They have failed, or are not ready in time: Flux's words, and more of them.
    pub(super) async fn wait_healthy(
        &self,
        target: &Target,
        object: &Kustomization,
        set: &HealthSet,
    ) -> Result<(), (String, String)> {
        let cluster = self.cluster(target);
        let options = WaitOptions {
            timeout: spec::timeout(object).to_std(),
            fail_fast: self.fail_fast,
        };
        let waited = cluster.health().wait(set, &options).await;
        waited.map_err(|error| (error.to_string(), error.detailed()))
    }

    /// Waits until what was deleted is gone.
    pub(super) async fn wait_gone(
        &self,
        target: &Target,
        object: &Kustomization,
        deleted: &Outcome,
        timeout: Duration,
    ) -> Result<(), String> {
        let applier = self.applier(target, object);
        applier
            .wait_for_termination(deleted, timeout)
            .await
            .map_err(|error| error.to_string())
    }

    /// Forgets what a Kustomization has applied.
    pub(super) fn forget(&self, key: &ObjectKey) {
        let owner = Owner::kustomization(&key.namespace, &key.name);
        self.own.memory().forget(&owner);
        for cluster in self.remote.lock().values() {
            cluster.memory().forget(&owner);
        }
    }
}

fn checks(object: &Kustomization) -> Result<Arc<HealthChecks>, String> {
    let expressions = object
        .spec
        .health_check_exprs
        .as_deref()
        .unwrap_or_default();
    HealthChecks::new(expressions)
        .map(Arc::new)
        .map_err(|error| error.to_string())
}

/// Whether a Secret is still encrypted by SOPS, and is not to stay so.
fn is_encrypted(object: &Value) -> bool {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let is_secret = text("kind") == Some("Secret") && text("apiVersion") == Some("v1");
    let is_left =
        meta::annotation(object, DECRYPT).is_some_and(|value| value.eq_ignore_ascii_case(DISABLED));
    is_secret && object.get("sops").is_some() && !is_left
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn encrypted_secrets_are_found() {
        let secret = |extra: Value| {
            let mut object =
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}});
            object
                .as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            object
        };
        assert!(is_encrypted(&secret(json!({"sops": {}}))));
        assert!(!is_encrypted(&secret(json!({"data": {}}))));
        let left = json!({"sops": {}, "metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/decrypt": "Disabled"}}});
        assert!(!is_encrypted(&secret(left)));
    }

    #[test]
    fn entries_are_described_as_in_messages() {
        let entry = ResourceRef {
            id: "apps_web_apps_Deployment".to_owned(),
            version: "v1".to_owned(),
        };
        assert_eq!(describe(&entry), "Deployment/apps/web");
    }
}
