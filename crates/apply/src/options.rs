//! How objects are applied, deleted and compared.

use std::collections::BTreeSet;
use std::time::Duration;

use api::constants::{annotations, labels, managers};
use object::GroupKind;

use crate::ignore::IgnoreRules;

/// Labels or annotations, any of which selects an object; the letter case of values does not matter.
pub type Selection = Vec<(String, String)>;

/// The group of the annotations that steer how objects are applied.
fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// How objects are applied.
#[derive(Clone, Debug)]
pub struct Options {
    /// Objects with changes that the API server refuses as immutable are deleted and made anew.
    pub force: bool,
    /// The objects for which that holds anyway.
    pub force_selector: Selection,
    /// The objects that are left alone, by their manifest or as they are in the cluster.
    pub exclusions: Selection,
    /// The objects, by their manifest, that are only created.
    pub if_not_present: Selection,
    /// What is removed from objects in the cluster.
    pub cleanup: Cleanup,
    /// Kinds with a stage of their own, after definitions and classes and before all others.
    pub custom_stage_kinds: BTreeSet<GroupKind>,
    /// Whether entries of managed fields are moved to the version of the manifest first.
    pub migrate_api_version: bool,
    /// Fields that are left to others.
    pub ignore: IgnoreRules,
    /// How long to wait until definitions, namespaces and classes are ready, and until deleted objects are gone.
    pub wait_timeout: Duration,
    /// How often to look, where there is nothing to wait for.
    pub wait_interval: Duration,
    /// How long an object is tried again when a webhook cannot be reached or its kind or namespace has just been made.
    pub retry_for: Duration,
    /// How many objects of one set are applied at once.
    pub concurrency: usize,
}

/// What is removed from objects in the cluster before Flux's manifest holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleanup {
    /// Annotations.
    pub annotations: Vec<String>,
    /// Labels.
    pub labels: Vec<String>,
    /// Field managers whose fields become ours, so that those that the manifest lacks go away.
    pub managers: Vec<FieldManager>,
    /// The objects of which nothing is removed.
    pub exclusions: Selection,
}

/// What a field manager does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Everything else.
    Update,
}

impl Operation {
    /// As managed fields have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Field managers, by the beginning of their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldManager {
    /// What their names begin with.
    pub prefix: String,
    /// What they do.
    pub operation: Operation,
}

impl FieldManager {
    fn new(prefix: &str, operation: Operation) -> Self {
        Self {
            prefix: prefix.to_owned(),
            operation,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            force: false,
            force_selector: Vec::new(),
            exclusions: Vec::new(),
            if_not_present: Vec::new(),
            cleanup: Cleanup::default(),
            custom_stage_kinds: BTreeSet::new(),
            migrate_api_version: false,
            ignore: IgnoreRules::default(),
            wait_timeout: Duration::from_secs(60),
            wait_interval: Duration::from_secs(2),
            retry_for: Duration::from_secs(5),
            concurrency: 16,
        }
    }
}

impl Options {
    /// As the controller of Kustomizations applies objects; `disallowed` are the names of `--override-manager`.
    pub fn for_kustomizations(disallowed: &[String]) -> Self {
        let controller = managers::KUSTOMIZE_CONTROLLER;
        let mut field_managers = vec![
            FieldManager::new("kubectl", Operation::Apply),
            FieldManager::new("kubectl", Operation::Update),
            FieldManager::new("before-first-apply", Operation::Update),
            FieldManager::new(controller, Operation::Update),
        ];
        for name in disallowed {
            field_managers.push(FieldManager::new(name, Operation::Apply));
            field_managers.push(FieldManager::new(name, Operation::Update));
        }
        Self {
            force_selector: vec![pair(annotations::FORCE, annotations::ENABLED)],
            exclusions: vec![
                pair(annotations::RECONCILE, annotations::DISABLED),
                pair(annotations::SSA, annotations::SSA_IGNORE),
            ],
            if_not_present: vec![pair(annotations::SSA, annotations::SSA_IF_NOT_PRESENT)],
            cleanup: Cleanup {
                annotations: vec![
                    annotations::LAST_APPLIED.to_owned(),
                    annotations::CHECKSUM.to_owned(),
                    annotations::SYNC_CHECKSUM.to_owned(),
                ],
                labels: vec![labels::SYNC_GC_MARK.to_owned()],
                managers: field_managers,
                exclusions: vec![pair(annotations::SSA, annotations::SSA_MERGE)],
            },
            ..Self::default()
        }
    }
}

/// What becomes of an object's dependents when it is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted after it.
    #[default]
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay.
    Orphan,
}

impl Propagation {
    /// As requests have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

/// How objects are deleted.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// What becomes of their dependents.
    pub propagation: Propagation,
    /// Labels that the object in the cluster must have, all of them; else it is left alone.
    pub inclusions: Vec<(String, String)>,
    /// Objects in the cluster with one of these labels or annotations are left alone.
    pub exclusions: Selection,
}

impl DeleteOptions {
    /// As the controller of Kustomizations deletes objects of `owner`.
    pub fn for_kustomizations(owner: &crate::Owner) -> Self {
        Self {
            propagation: Propagation::Background,
            inclusions: vec![
                (owner.name_label(), owner.name.clone()),
                (owner.namespace_label(), owner.namespace.clone()),
            ],
            exclusions: vec![
                pair(annotations::PRUNE, annotations::DISABLED),
                pair(annotations::RECONCILE, annotations::DISABLED),
                pair(annotations::SSA, annotations::SSA_IGNORE),
            ],
        }
    }
}
