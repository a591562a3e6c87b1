//! What applying would change: a server-side dry run, with the values of Secrets masked.
//!
//! Source: fluxcd/pkg, `ssa/manager_diff.go` and `ssa/sanitize.go`.

use object::{Map, Value, meta};

use crate::applier::Applier;
use crate::change::{Action, Change, id_of};
use crate::compare::has_drifted;
use crate::error::{ObjectError, Step, masked};
use crate::manifest::{Manifest, any_in_metadata};
use crate::normalize::remove_invalid_bundle;
use crate::options::Options;
use crate::pointer;
use crate::rest::{Form, Target};

/// What would become of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectDiff {
    /// Created, configured, unchanged or skipped.
    pub change: Change,
    /// For a configured object: the live one and what it would become, without managed fields and ignored fields.
    pub states: Option<Box<(Value, Value)>>,
}

impl Applier {
    /// What applying a manifest would change. Nothing is changed.
    ///
    /// # Errors
    /// The API server refuses the manifest.
    pub async fn diff(
        &self,
        manifest: &Manifest,
        options: &Options,
    ) -> Result<ObjectDiff, ObjectError> {
        let mut object = (*manifest.object).clone();
        remove_invalid_bundle(&mut object);
        let error = |failure| ObjectError {
            id: id_of(&object),
            step: Step::Apply,
            failure: masked(failure, &object),
            origin: manifest.origin.clone(),
        };
        let gvk = meta::gvk(&object);
        let resource = self.cluster.mapper().resource(&gvk).await.map_err(error)?;
        let target = Target {
            resource: &resource,
            namespace: meta::namespace(&object),
            name: meta::name(&object),
        };
        // Why it cannot be read does not matter; the dry run tells.
        let live = self.rest.get(&target, Form::Full).await.ok().flatten();
        let is_left = |live: &Value| {
            any_in_metadata(live, &options.exclusions)
                || any_in_metadata(&object, &options.if_not_present)
        };
        if any_in_metadata(&object, &options.exclusions) || live.as_ref().is_some_and(is_left) {
            return Ok(only(live.as_ref().unwrap_or(&object), Action::Skipped));
        }
        let dry_run = match self.rest.apply(&target, &object, true, Form::Full).await {
            Ok(answer) => answer.object,
            Err(failure) => {
                let is_forced = options.force
                    || any_in_metadata(&object, &options.force_selector)
                    || live
                        .as_ref()
                        .is_some_and(|live| any_in_metadata(live, &options.force_selector));
                if failure.is_immutable() && is_forced {
                    return Ok(only(&object, Action::Created));
                }
                return Err(error(failure));
            }
        };
        let Some(live) = live.filter(|_| !meta::resource_version(&dry_run).is_empty()) else {
            return Ok(only(&dry_run, Action::Created));
        };
        Ok(compare(live, dry_run, options))
    }
}

fn only(object: &Value, action: Action) -> ObjectDiff {
    ObjectDiff {
        change: Change::of(object, action),
        states: None,
    }
}

fn compare(mut live: Value, mut dry_run: Value, options: &Options) -> ObjectDiff {
    let paths: Vec<String> = options
        .ignore
        .paths_of(&dry_run)
        .into_iter()
        .map(str::to_owned)
        .collect();
    for path in &paths {
        pointer::remove(&mut live, path);
        pointer::remove(&mut dry_run, path);
    }
    if !has_drifted(&live, &dry_run) {
        return only(&dry_run, Action::Unchanged);
    }
    for object in [&mut live, &mut dry_run] {
        pointer::remove(object, "/metadata/managedFields");
    }
    let is_secret = dry_run.get("kind").and_then(Value::as_str) == Some("Secret")
        && dry_run.get("apiVersion").and_then(Value::as_str) == Some("v1");
    if is_secret {
        mask(&mut live, &mut dry_run);
    }
    ObjectDiff {
        change: Change::of(&dry_run, Action::Configured),
        states: Some(Box::new((live, dry_run))),
    }
}

const SAME: &str = "***";
const BEFORE: &str = "*** (before)";
const AFTER: &str = "*** (after)";

/// Masks the data of two Secrets, so that it shows which values differ.
fn mask(old: &mut Value, new: &mut Value) {
    let mut empty = (Map::new(), Map::new());
    let old = old
        .get_mut("data")
        .and_then(Value::as_object_mut)
        .unwrap_or(&mut empty.0);
    let new = new
        .get_mut("data")
        .and_then(Value::as_object_mut)
        .unwrap_or(&mut empty.1);
    for (key, value) in old.iter_mut() {
        *value = match new.get_mut(key) {
            Some(other) if other != value => {
                *other = AFTER.into();
                BEFORE.into()
            }
            Some(other) => {
                *other = SAME.into();
                SAME.into()
            }
            None => SAME.into(),
        };
    }
    for (key, value) in new.iter_mut() {
        if !old.contains_key(key) {
            *value = SAME.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_secrets_are_masked() {
        let secret = |data: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "managedFields": []}, "data": data});
        let diff = compare(
            secret(json!({"same": "MQ==", "changed": "MQ==", "gone": "MQ=="})),
            secret(json!({"same": "MQ==", "changed": "Mg==", "new": "Mw=="})),
            &Options::default(),
        );
        let (live, wanted) = *diff.states.unwrap();
        assert_eq!(
            live["data"],
            json!({"same": "***", "changed": "*** (before)", "gone": "***"})
        );
        assert_eq!(
            wanted["data"],
            json!({"same": "***", "changed": "*** (after)", "new": "***"})
        );
        assert_eq!(wanted["metadata"], json!({"name": "a"}));
    }
}
