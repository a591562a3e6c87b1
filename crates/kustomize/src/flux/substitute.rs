//! Substitution of variables in built objects.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::decrypt::{gvk, name};
use super::{FluxError, Object, Request};
use crate::envsubst;
use crate::openapi::OpenApi;
use crate::resid::{Gvk, IdKey, ResId};

/// The label or annotation that keeps an object from being substituted when it says `disabled`.
pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// The value of a variable as substitutions take it: in one line.
pub fn mask_newlines(value: &str) -> String {
    value.replace('\n', "")
}

/// The variables of a Kustomization.
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    strict: bool,
}

impl Variables {
    /// None if nothing is to be substituted.
    pub(super) fn new(request: &Request<'_>) -> Option<Self> {
        let post_build = request.spec.post_build.as_ref()?;
        let mut values = request.variables.clone();
        values.extend(post_build.substitute.clone());
        for value in values.values_mut() {
            *value = mask_newlines(value);
        }
        let any = post_build.always || !values.is_empty();
        any.then_some(Self {
            values,
            strict: request.strict,
        })
    }

    /// `current`, which `object` has become, with its variables substituted; none if it stays.
    pub(super) fn substitute(
        &self,
        object: &Object,
        current: &Value,
    ) -> Result<Option<Value>, FluxError> {
        if is_disabled(current) {
            return Ok(None);
        }
        let failed = |message: String| FluxError::Substitute {
            kind: gvk(current),
            name: name(current),
            message,
        };
        let is_name = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && !name.is_empty()
        };
        if let Some(wrong) = self.values.keys().find(|name| !is_name(name)) {
            return Err(failed(format!(
                "envsubst error: '{wrong}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'"
            )));
        }
        let written;
        let text = if std::ptr::eq(current, &raw const object.value) {
            &object.yaml
        } else {
            written = yaml::from_json(current);
            &written
        };
        if !text.contains('$') {
            return Ok(None);
        }
        let lookup = |name: &str| {
            self.values
                .get(name)
                .map(|value| value.clone().into_bytes())
        };
        let output =
            envsubst::substitute(text.as_bytes(), &lookup, self.strict).map_err(|error| {
                failed(format!(
                    "envsubst error: variable substitution failed: {error}"
                ))
            })?;
        let value = yaml::to_json(&output)
            .map_err(|error| failed(format!("envsubst error: YAMLToJSON: {error}")))?;
        if !value.is_object() {
            return Err(failed(
                "UnmarshalJSON: the substituted text is not an object".to_owned(),
            ));
        }
        Ok(Some(super::canonical(value)))
    }
}

fn is_disabled(value: &Value) -> bool {
    ["labels", "annotations"]
        .into_iter()
        .any(|field| value["metadata"][field][SUBSTITUTE] == "disabled")
}

pub(super) fn is_unnamed(value: &Value) -> bool {
    let is_empty = |value: &Value| value.as_str().is_none_or(str::is_empty);
    is_empty(&value["apiVersion"])
        || is_empty(&value["kind"])
        || is_empty(&value["metadata"]["name"])
}

/// How many objects have an identity.
pub(super) struct Identities {
    counts: HashMap<IdKey, usize>,
}

impl Identities {
    pub(super) fn new(objects: &[Object], openapi: &OpenApi) -> Self {
        let mut counts = HashMap::new();
        for object in objects {
            *counts.entry(key(&object.value, openapi)).or_default() += 1;
        }
        Self { counts }
    }

    /// Notes that `before` became `after`.
    pub(super) fn replace(
        &mut self,
        before: &Value,
        after: &Value,
        openapi: &OpenApi,
    ) -> Result<(), FluxError> {
        if let Some(count) = self.counts.get_mut(&key(before, openapi)) {
            *count -= 1;
        }
        let count = self.counts.entry(key(after, openapi)).or_default();
        *count += 1;
        if *count > 1 {
            return Err(FluxError::Duplicate(format!(
                "in Replace: id matched {count} resources"
            )));
        }
        Ok(())
    }
}

fn key(value: &Value, openapi: &OpenApi) -> IdKey {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let (api_version, kind) = (text(&value["apiVersion"]), text(&value["kind"]));
    let id = ResId {
        gvk: Gvk::new(&api_version, &kind),
        name: text(&value["metadata"]["name"]).into(),
        namespace: text(&value["metadata"]["namespace"]).into(),
        cluster: openapi.is_cluster_scoped(&api_version, &kind),
    };
    id.key()
}
