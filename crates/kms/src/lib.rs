//! Key management services that SOPS files name: Vault and OpenBao, AWS, Google Cloud, Azure.
//!
//! Each is a [`sops::KeyService`] over an [`Exchange`], which sends one HTTP request: [`Web`] over the network, a recording
//! in tests. They are synchronous, for builds run on threads that may wait.
//!
//! [`Cloud::from_secret`] reads the entries of a decryption Secret as Flux does (`sops.vault-token`, `sops.aws-kms`,
//! `sops.azure-kv`, `sops.gcp-kms`).
//!
//! Known differences: of Azure's ways to log in those with a client secret are supported, of Google's those with a key of
//! a service account; identities of workloads are not.

mod aws;
mod azure;
mod exchange;
mod gcp;
mod login;
mod vault;

pub use aws::AwsKms;
pub use azure::AzureKeyVault;
pub use exchange::{Exchange, ExchangeError, Web};
pub use gcp::GcpKms;
pub use vault::Vault;

use std::sync::Arc;

use sops::KeyService;

/// Why the credentials of a Secret cannot be used. No message holds one.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Not in the form that the service wants.
    #[error("{0}")]
    Form(String),
}

/// The services for which there are credentials.
#[derive(Default)]
pub struct Cloud {
    services: Vec<Box<dyn KeyService + Send + Sync>>,
}

impl Cloud {
    /// Takes up one entry of a decryption Secret; `false` if it is none of these.
    ///
    /// # Errors
    /// The entry is not in the form that the service wants.
    pub fn from_secret(
        &mut self,
        entry: &str,
        value: &[u8],
        exchange: &Arc<dyn Exchange>,
    ) -> Result<bool, CredentialsError> {
        let exchange = Arc::clone(exchange);
        let service: Box<dyn KeyService + Send + Sync> = match entry {
            "sops.vault-token" => Box::new(Vault::new(&String::from_utf8_lossy(value), exchange)),
            "sops.aws-kms" => Box::new(AwsKms::from_yaml(value, exchange)?),
            "sops.azure-kv" => Box::new(AzureKeyVault::from_yaml(value, exchange)?),
            "sops.gcp-kms" => Box::new(GcpKms::from_json(value, exchange)?),
            _ => return Ok(false),
        };
        self.services.push(service);
        Ok(true)
    }
}

impl KeyService for Cloud {
    fn decrypt(&self, key: &sops::MasterKey) -> Option<Result<Vec<u8>, String>> {
        self.services
            .iter()
            .find_map(|service| service.decrypt(key))
    }

    fn encrypt(&self, key: &sops::KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        self.services
            .iter()
            .find_map(|service| service.encrypt(key, plaintext))
    }

    fn held(&self) -> Vec<String> {
        self.services
            .iter()
            .flat_map(|service| service.held())
            .collect()
    }
}

/// Reads a YAML mapping of texts.
fn texts(value: &[u8]) -> Result<std::collections::BTreeMap<String, String>, CredentialsError> {
    let value = yaml::to_json(value).map_err(|error| {
        CredentialsError::Form(format!("failed to unmarshal credentials file: {error}"))
    })?;
    let fields = value.as_object().ok_or_else(|| {
        CredentialsError::Form("failed to unmarshal credentials file: it is no mapping".to_owned())
    })?;
    Ok(fields
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect())
}
