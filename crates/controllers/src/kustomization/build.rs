//! Building, or knowing that what was built still holds.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::constants::annotations::{DISABLED, SUBSTITUTE};
use api::kustomize::v1::Kustomization;
use api::meta::ObjectId;
use kustomize::Reads;
use kustomize::flux::{self, FluxError, Object, Request, Spec};
use object::{GroupVersionKind, Value};
use sha2::{Digest as _, Sha256};
use tree::Tree;

use super::decryption::Keys;
use super::variables::VariablesError;
use crate::fetch::hex;

/// What a Kustomization builds.
#[derive(Debug)]
pub(super) struct Build {
    /// The objects, in the order in which they came.
    pub(super) objects: Vec<Object>,
    /// `sha256:…` of the manifests, as the history has it.
    pub(super) digest: String,
    reads: Reads,
    inputs: u64,
}

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error(transparent)]
    Flux(#[from] FluxError),
    #[error("{0}")]
    Variables(String),
    #[error("the spec cannot be read: {0}")]
    Spec(String),
    #[error("the build was ended by a fault of the program")]
    Panicked,
}

impl Build {
    /// Whether an object is among those that were built.
    pub(super) fn has(&self, id: &ObjectId) -> bool {
        self.objects
            .iter()
            .any(|object| apply::id_of(&object.value) == *id)
    }
}

impl BuildError {
    /// What Flux says when the variables cannot be read: it finds out at the first object to substitute in.
    pub(super) fn of_variables(built: Result<Arc<Build>, Self>, error: &VariablesError) -> Self {
        let built = match built {
            Ok(built) => built,
            Err(error) => return error,
        };
        let first = built
            .objects
            .iter()
            .find(|object| !is_left_alone(&object.value));
        let Some(first) = first else {
            return Self::Variables(error.to_string());
        };
        let gvk = GroupVersionKind::of(&first.value);
        let group = if gvk.group.is_empty() {
            "[noGrp]"
        } else {
            &gvk.group
        };
        Self::Flux(FluxError::Substitute {
            kind: format!("{}.{}.{group}", gvk.kind, gvk.version),
            name: object::meta::name(&first.value).to_owned(),
            message: error.to_string(),
        })
    }
}

/// Whether variables are not substituted in the object.
fn is_left_alone(object: &Value) -> bool {
    let is_disabled =
        |field: &str| object["metadata"][field][SUBSTITUTE].as_str() == Some(DISABLED);
    is_disabled("labels") || is_disabled("annotations")
}

/// All that a build depends on besides the tree.
pub(super) struct Inputs {
    pub(super) path: PathBuf,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) keys: Option<Keys>,
    pub(super) is_strict: bool,
}

impl Inputs {
    fn fingerprint(&self, object: &Kustomization) -> u64 {
        let mut hasher = DefaultHasher::new();
        // The generation of an object that is deleted and made anew begins at 1 again.
        (&object.metadata.uid, object.metadata.generation).hash(&mut hasher);
        (&self.path, &self.variables, self.is_strict).hash(&mut hasher);
        self.keys
            .as_ref()
            .map(|keys| &keys.version)
            .hash(&mut hasher);
        hasher.finish()
    }
}

/// Builds `tree`, unless `last` is what it would give.
pub(super) async fn build(
    object: &Kustomization,
    tree: Tree,
    inputs: Inputs,
    last: Option<Arc<Build>>,
) -> Result<Arc<Build>, BuildError> {
    let fingerprint = inputs.fingerprint(object);
    if let Some(last) = last.filter(|last| last.inputs == fingerprint)
        && last.reads.hold_for_tree(&tree)
    {
        return Ok(last);
    }
    let value =
        serde_json::to_value(object).map_err(|error| BuildError::Spec(error.to_string()))?;
    // Building is CPU-bound: it must not hold up the others on this thread.
    let built = tokio::task::spawn_blocking(move || run(&value, &tree, &inputs, fingerprint)).await;
    built.map_err(|_| BuildError::Panicked)?.map(Arc::new)
}

fn run(
    object: &Value,
    tree: &Tree,
    inputs: &Inputs,
    fingerprint: u64,
) -> Result<Build, BuildError> {
    let spec = Spec::from_object(object)?;
    let mut request = Request::new(tree, &inputs.path, &spec);
    request.variables.clone_from(&inputs.variables);
    request.strict = inputs.is_strict;
    request.decrypt = inputs.keys.as_ref().map(|keys| keys as &dyn flux::Decrypt);
    let built = flux::build(&request)?;
    for warning in &built.warnings {
        tracing::debug!(warning, "kustomize warns");
    }
    let hex = hex(&Sha256::digest(built.yaml()));
    let mut objects = built.objects;
    for object in &mut objects {
        // The text was needed for the digest only.
        object.yaml = String::new();
    }
    Ok(Build {
        objects,
        digest: format!("sha256:{hex}"),
        reads: built.reads,
        inputs: fingerprint,
    })
}

/// The folder to build, within the tree whatever `path` says.
pub(super) fn folder(path: Option<&str>) -> PathBuf {
    tree::clean(&Path::new("/").join(path.unwrap_or_default().trim_start_matches('/')))
}
