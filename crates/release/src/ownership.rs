//! Which release an object belongs to: the label and annotations that Helm sets and checks.
//!
//! Source: Helm `pkg/action/validate.go`.

use object::meta;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Verb};
use crate::error::ActionError;
use crate::objects::Object;

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const HELM: &str = "Helm";
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// Writes into each object that it belongs to the release.
pub(crate) fn mark(objects: &mut [Object], release: &str, namespace: &str) {
    for object in objects {
        let Some(metadata) = object.value.as_object_mut() else {
            continue;
        };
        let metadata = metadata.entry("metadata").or_insert_with(|| json!({}));
        put(metadata, "labels", MANAGED_BY, HELM);
        put(metadata, "annotations", RELEASE_NAME, release);
        put(metadata, "annotations", RELEASE_NAMESPACE, namespace);
    }
}

fn put(metadata: &mut Value, map: &str, key: &str, value: &str) {
    if !metadata[map].is_object() {
        metadata[map] = json!({});
    }
    metadata[map][key] = json!(value);
}

fn require(found: Option<&str>, what: &str, key: &str, value: &str, wrong: &mut Vec<String>) {
    match found {
        None => wrong.push(format!(
            "{what} validation error: missing key {key:?}: must be set to {value:?}"
        )),
        Some(found) if found != value => wrong.push(format!(
            "{what} validation error: key {key:?} must equal {value:?}: current value is {found:?}"
        )),
        Some(_) => {}
    }
}

/// Why `live` does not belong to the release; none if it does.
fn foreign(live: &Value, release: &str, namespace: &str) -> Option<String> {
    let mut wrong = Vec::new();
    let annotation = |key| meta::annotation(live, key);
    require(
        meta::label(live, MANAGED_BY),
        "label",
        MANAGED_BY,
        HELM,
        &mut wrong,
    );
    require(
        annotation(RELEASE_NAME),
        "annotation",
        RELEASE_NAME,
        release,
        &mut wrong,
    );
    require(
        annotation(RELEASE_NAMESPACE),
        "annotation",
        RELEASE_NAMESPACE,
        namespace,
        &mut wrong,
    );
    (!wrong.is_empty()).then(|| format!("invalid ownership metadata; {}", wrong.join("; ")))
}

/// Whether an object is given its name by the server.
fn has_generated_name(object: &Object) -> Result<bool, ActionError> {
    let generate = object.value["metadata"]["generateName"].as_str();
    match (
        object.name.is_empty(),
        generate.unwrap_or_default().is_empty(),
    ) {
        (true, false) => Ok(true),
        (false, false) => Err(ActionError::Invalid(
            "metadata.name and metadata.generateName cannot both be set".to_owned(),
        )),
        _ => Ok(false),
    }
}

/// The objects that are there already. Unless `take_ownership`, they must belong to the release.
pub(crate) async fn existing(
    cluster: &impl Cluster,
    objects: &[Object],
    release: &str,
    namespace: &str,
    take_ownership: bool,
) -> Result<Vec<Object>, ActionError> {
    let mut found = Vec::new();
    for object in objects {
        if has_generated_name(object)? {
            continue;
        }
        let live = match cluster.call(object.call(Verb::Get)).await {
            Ok(live) => live,
            Err(failure) if failure.is_not_found() => continue,
            Err(failure) => {
                return Err(ActionError::from(failure).within(format!(
                    "could not get information about the resource {}",
                    object.describe()
                )));
            }
        };
        if !take_ownership && let Some(why) = foreign(&live, release, namespace) {
            return Err(ActionError::Invalid(format!(
                "{} exists and cannot be imported into the current release: {why}",
                object.describe()
            )));
        }
        found.push(object.clone());
    }
    Ok(found)
}
