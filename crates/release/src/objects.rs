//! The objects of a manifest, with where they are served.

use std::sync::Arc;

use apply::Resource;
use object::{GroupVersionKind, meta};
use serde_json::Value;

use crate::cluster::{Call, Cluster, Verb};
use crate::error::ActionError;

/// An object of a release.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its kind, and where that is served.
    pub resource: Arc<Resource>,
    /// Its namespace; empty for kinds without.
    pub namespace: String,
    /// Its name; empty where the server makes one up.
    pub name: String,
    /// The object.
    pub value: Value,
}

/// What two objects are compared by.
pub(crate) type Key = (String, String, String, String);

impl Object {
    /// Group, kind, namespace and name: another version of a kind is the same object.
    pub(crate) fn key(&self) -> Key {
        let GroupVersionKind { group, kind, .. } = &self.resource.gvk;
        (
            group.clone(),
            kind.clone(),
            self.namespace.clone(),
            self.name.clone(),
        )
    }

    /// A request about it.
    pub(crate) fn call(&self, verb: Verb) -> Call<'_> {
        Call {
            resource: &self.resource,
            namespace: &self.namespace,
            name: &self.name,
            verb,
            dry_run: false,
        }
    }

    pub(crate) fn kind(&self) -> &str {
        &self.resource.gvk.kind
    }

    /// `Deployment "web" in namespace "shop"`.
    pub(crate) fn describe(&self) -> String {
        format!(
            "{} {:?} in namespace {:?}",
            self.kind(),
            self.name,
            self.namespace
        )
    }
}

/// Reads the objects of `manifest` in their order. Objects without a namespace get `namespace`; lists are opened.
///
/// Source: Helm `kube.Client.Build`.
pub(crate) async fn build(
    cluster: &impl Cluster,
    manifest: &str,
    namespace: &str,
) -> Result<Vec<Object>, ActionError> {
    let documents = yaml::to_json_documents(manifest.as_bytes())
        .map_err(|error| ActionError::Invalid(format!("error parsing : {error}")))?;
    let mut objects = Vec::new();
    for document in documents {
        add(cluster, document, namespace, &mut objects).await?;
    }
    Ok(objects)
}

async fn add(
    cluster: &impl Cluster,
    document: Value,
    namespace: &str,
    objects: &mut Vec<Object>,
) -> Result<(), ActionError> {
    let mut pending = vec![document];
    while let Some(value) = pending.pop() {
        if value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty) {
            continue;
        }
        let gvk = GroupVersionKind::of(&value);
        if gvk.kind.ends_with("List")
            && let Some(items) = value.get("items").and_then(Value::as_array)
        {
            pending.extend(items.iter().rev().cloned());
            continue;
        }
        if gvk.kind.is_empty() || gvk.version.is_empty() {
            return Err(ActionError::Invalid(format!(
                "error validating data: {}",
                if gvk.version.is_empty() {
                    "apiVersion not set"
                } else {
                    "kind not set"
                }
            )));
        }
        let resource = cluster.resource(&gvk).await.map_err(|failure| match failure {
            apply::Failure::NoKind { .. } => ActionError::Invalid(format!(
                "resource mapping not found for name: {:?} namespace: {:?} from \"\": {failure}\nensure CRDs are installed first",
                meta::name(&value),
                meta::namespace(&value),
            )),
            other => other.into(),
        })?;
        let own = meta::namespace(&value);
        let namespace = match (resource.is_namespaced, own) {
            (false, _) => "",
            (true, "") => namespace,
            (true, own) => own,
        };
        objects.push(Object {
            namespace: namespace.to_owned(),
            name: meta::name(&value).to_owned(),
            resource,
            value,
        });
    }
    Ok(())
}
