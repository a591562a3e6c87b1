//! Decrypting with the keys that a Kustomization names. Source: kustomize-controller, `internal/decryptor`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use kms::{Cloud, Exchange, Web};
use kube::api::Api;
use kustomize::flux::{Decrypt, SourceFormat};
use serde_json::Value;
use sops::{AgeKeys, Format, KeyService, Mac, PgpKeys};
use std::sync::Arc;

use api::constants::annotations::{DECRYPT, DISABLED};
use api::kustomize::v1::Kustomization;

use super::settings::Settings;
use super::spec;
use crate::errors::{api_message, is_not_found};

/// The keys of one Kustomization.
#[derive(Default)]
pub(super) struct Keys {
    age: AgeKeys,
    pgp: PgpKeys,
    cloud: Cloud,
    /// What the keys came from, to tell whether they are still the same.
    pub(super) version: String,
}

/// Why the keys cannot be had; the texts are Flux's.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeysError {
    #[error("{0}")]
    NotFound(String),
    #[error("cannot get sops {what} '{secret}': {why}")]
    Get {
        what: &'static str,
        secret: String,
        why: String,
    },
    #[error("failed to import '{entry}' data from sops {what} '{secret}': {why}")]
    Import {
        entry: String,
        what: &'static str,
        secret: String,
        why: String,
    },
}

/// Loads the keys that `object` asks for; none if it asks for no decryption.
pub(super) async fn keys(
    client: &kube::Client,
    object: &Kustomization,
    settings: &Settings,
) -> Result<Option<Keys>, KeysError> {
    let Some(decryption) = &object.spec.decryption else {
        return Ok(None);
    };
    if decryption.provider != "sops" {
        return Ok(None);
    }
    let mut keys = Keys::default();
    match &decryption.secret_ref {
        Some(secret) => {
            let data = Data::load(
                client,
                spec::namespace(object),
                &secret.name,
                "decryption Secret",
            )
            .await?;
            data.import(&mut keys, false)?;
        }
        None if !settings.sops_age_secret.is_empty() && !settings.runtime_namespace.is_empty() => {
            let data = Data::load(
                client,
                &settings.runtime_namespace,
                &settings.sops_age_secret,
                "SOPS age decryption Secret",
            )
            .await?;
            data.import(&mut keys, true)?;
        }
        None => {}
    }
    Ok(Some(keys))
}

/// The content of a Secret with keys.
struct Data {
    secret: Secret,
    key: String,
    what: &'static str,
}

impl Data {
    async fn load(
        client: &kube::Client,
        namespace: &str,
        name: &str,
        what: &'static str,
    ) -> Result<Self, KeysError> {
        let key = format!("{namespace}/{name}");
        match Api::<Secret>::namespaced(client.clone(), namespace)
            .get(name)
            .await
        {
            Ok(secret) => Ok(Self { secret, key, what }),
            Err(error) if is_not_found(&error) => Err(KeysError::NotFound(api_message(&error))),
            Err(error) => Err(KeysError::Get {
                what,
                secret: key,
                why: api_message(&error),
            }),
        }
    }

    fn import(&self, keys: &mut Keys, only_age: bool) -> Result<(), KeysError> {
        let uid = self.secret.metadata.uid.as_deref().unwrap_or_default();
        let version = self
            .secret
            .metadata
            .resource_version
            .as_deref()
            .unwrap_or_default();
        keys.version = format!("{uid}/{version}");
        for (entry, value) in self.secret.data.iter().flatten() {
            let end = std::path::Path::new(entry)
                .extension()
                .and_then(|end| end.to_str());
            let imported = match end {
                Some("agekey") => keys
                    .age
                    .import(&String::from_utf8_lossy(&value.0))
                    .map_err(|error| error.to_string()),
                Some("asc") if only_age => continue,
                Some("asc") => keys.pgp.import(&value.0).map_err(|error| error.to_string()),
                _ if only_age => continue,
                _ => import_cloud(&mut keys.cloud, entry, &value.0),
            };
            imported.map_err(|why| KeysError::Import {
                entry: entry.clone(),
                what: self.what,
                secret: self.key.clone(),
                why,
            })?;
        }
        Ok(())
    }
}

/// Takes up credentials of a key management service; other entries are left alone, as in Flux.
fn import_cloud(cloud: &mut Cloud, entry: &str, value: &[u8]) -> Result<(), String> {
    if !entry.starts_with("sops.") {
        return Ok(());
    }
    // Builds run on threads that may wait.
    let web = Web::new(tokio::runtime::Handle::current()).map_err(|error| error.to_string())?;
    let web: Arc<dyn Exchange> = Arc::new(web);
    cloud
        .from_secret(entry, value, &web)
        .map(drop)
        .map_err(|error| error.to_string())
}

impl Keys {
    fn decrypt(&self, data: &[u8], input: Format, output: Format) -> Result<Vec<u8>, String> {
        let services: [&dyn KeyService; 3] = [&self.age, &self.pgp, &self.cloud];
        sops::decrypt(data, input, output, &Services(&services), Mac::Ignore)
            .map_err(|error| error.to_string())
    }

    /// Decrypts those entries of a Secret that are encrypted files by themselves.
    fn secret_data(&self, object: &Value) -> Result<Option<Value>, String> {
        let Some(data) = object["data"].as_object() else {
            return Ok(None);
        };
        let mut plain = None;
        for (key, value) in data {
            // What is no base64 is refused when it is applied.
            let Some(bytes) = value.as_str().and_then(|text| STANDARD.decode(text).ok()) else {
                continue;
            };
            let Some(input) = Format::detect(&bytes) else {
                continue;
            };
            let decrypted = self
                .decrypt(&bytes, input, Format::of_path(key))
                .map_err(|error| {
                    format!(
                        "failed to decrypt and format '{}' Secret field '{key}': {error}",
                        full_name(object)
                    )
                })?;
            plain.get_or_insert_with(|| object.clone())["data"][key] =
                STANDARD.encode(decrypted).into();
        }
        Ok(plain)
    }
}

/// Several services as one.
struct Services<'a>(&'a [&'a dyn KeyService]);

impl KeyService for Services<'_> {
    fn decrypt(&self, key: &sops::MasterKey) -> Option<Result<Vec<u8>, String>> {
        self.0.decrypt(key)
    }

    fn encrypt(&self, key: &sops::KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        self.0.encrypt(key, plaintext)
    }

    fn held(&self) -> Vec<String> {
        self.0.held()
    }
}

fn full_name(object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    format!("{}/{}", text("namespace"), text("name"))
}

fn is_encrypted(object: &Value) -> bool {
    object
        .pointer("/sops/mac")
        .is_some_and(|mac| !mac.is_null() && mac.as_str() != Some(""))
}

impl Decrypt for Keys {
    fn file(&self, content: &[u8], format: SourceFormat) -> Result<Option<Vec<u8>>, String> {
        if content.len() as u64 > sops::MAX_FILE {
            let (size, limit) = (content.len(), sops::MAX_FILE);
            return Err(format!(
                "cannot decrypt file with size ({size} bytes) exceeding limit ({limit})"
            ));
        }
        let format = match format {
            SourceFormat::Binary => Format::Binary,
            SourceFormat::Dotenv => Format::Dotenv,
            SourceFormat::Ini => Format::Ini,
            SourceFormat::Json => Format::Json,
            SourceFormat::Yaml => Format::Yaml,
        };
        if !format.marks(content) {
            return Ok(None);
        }
        self.decrypt(content, format, format).map(Some)
    }

    fn object(&self, object: &Value) -> Result<Option<Value>, String> {
        let disabled = object["metadata"]["annotations"][DECRYPT].as_str();
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case(DISABLED)) {
            return Ok(None);
        }
        let kind = object["kind"].as_str().unwrap_or_default();
        if !is_encrypted(object) {
            return if kind == "Secret" {
                self.secret_data(object)
            } else {
                Ok(None)
            };
        }
        let text = object.to_string();
        let plain = self
            .decrypt(text.as_bytes(), Format::Json, Format::Json)
            .map_err(|error| {
                format!(
                    "failed to decrypt and format '{}' {kind} data: {error}",
                    full_name(object)
                )
            })?;
        serde_json::from_slice(&plain).map(Some).map_err(|error| {
            format!(
                "failed to unmarshal decrypted '{}' {kind} to JSON: {error}",
                full_name(object)
            )
        })
    }
}
