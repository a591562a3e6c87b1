//! The variables that ConfigMaps and Secrets give. Source: fluxcd/pkg `kustomize`, `LoadVariables`.

use std::collections::BTreeMap;

use api::kustomize::v1::Kustomization;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::Api;

use super::spec;
use crate::errors::{api_message, is_not_found};

/// A ConfigMap or Secret cannot be read; the text is Flux's.
#[derive(Debug, thiserror::Error)]
#[error("substitute from '{kind}/{name}' error: {why}")]
pub(super) struct VariablesError {
    kind: String,
    name: String,
    why: String,
}

/// All variables of `substituteFrom`; the later ones win.
pub(super) async fn load(
    client: &kube::Client,
    object: &Kustomization,
) -> Result<BTreeMap<String, String>, VariablesError> {
    let mut variables = BTreeMap::new();
    let namespace = spec::namespace(object);
    let references = object
        .spec
        .post_build
        .iter()
        .flat_map(|post_build| post_build.substitute_from.iter().flatten());
    for reference in references {
        let loaded = match reference.kind.as_str() {
            "ConfigMap" => config_map(client, namespace, &reference.name).await,
            "Secret" => secret(client, namespace, &reference.name).await,
            _ => continue,
        };
        match loaded {
            Ok(found) => variables.extend(
                found
                    .into_iter()
                    .map(|(key, value)| (key, value.replace('\n', ""))),
            ),
            Err(error) if reference.optional == Some(true) && is_not_found(&error) => {}
            Err(error) => {
                return Err(VariablesError {
                    kind: reference.kind.clone(),
                    name: reference.name.clone(),
                    why: api_message(&error),
                });
            }
        }
    }
    Ok(variables)
}

async fn config_map(
    client: &kube::Client,
    namespace: &str,
    name: &str,
) -> Result<BTreeMap<String, String>, kube::Error> {
    let map = Api::<ConfigMap>::namespaced(client.clone(), namespace)
        .get(name)
        .await?;
    Ok(map.data.unwrap_or_default())
}

async fn secret(
    client: &kube::Client,
    namespace: &str,
    name: &str,
) -> Result<BTreeMap<String, String>, kube::Error> {
    let secret = Api::<Secret>::namespaced(client.clone(), namespace)
        .get(name)
        .await?;
    let data = secret.data.unwrap_or_default().into_iter();
    Ok(data
        .map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned()))
        .collect())
}
