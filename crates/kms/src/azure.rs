//! Azure Key Vault, with a client secret.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::json;
use sops::{KeyKind, KeyService, MasterKey};

use crate::exchange::{self, Exchange};
use crate::login::Tokens;
use crate::{CredentialsError, texts};

/// Azure Key Vault.
pub struct AzureKeyVault {
    tenant: String,
    client: String,
    secret: String,
    authority: String,
    exchange: Arc<dyn Exchange>,
    tokens: Tokens,
}

const ALGORITHM: &str = "RSA-OAEP-256";
const API: &str = "api-version=7.4";

/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A value of a form, escaped.
fn escaped(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

impl AzureKeyVault {
    /// With the content of `sops.azure-kv`: YAML with `tenantId`, `clientId`, `clientSecret` and, for other clouds,
    /// `authorityHost`.
    ///
    /// # Errors
    /// It is no YAML, or asks for another way to log in.
    pub fn from_yaml(value: &[u8], exchange: Arc<dyn Exchange>) -> Result<Self, CredentialsError> {
        let mut fields = texts(value)?;
        let mut take = |keys: [&str; 2]| {
            let found = keys.iter().find_map(|key| fields.remove(*key));
            found.unwrap_or_default()
        };
        let authority = take(["authorityHost", ""]);
        let made = Self {
            tenant: take(["tenantId", "tenant"]),
            client: take(["clientId", "appId"]),
            secret: take(["clientSecret", "password"]),
            authority: if authority.is_empty() {
                "https://login.microsoftonline.com".to_owned()
            } else {
                authority.trim_end_matches('/').to_owned()
            },
            exchange,
            tokens: Tokens::default(),
        };
        if [&made.tenant, &made.client, &made.secret]
            .iter()
            .any(|field| field.is_empty())
        {
            return Err(CredentialsError::Form(
                "invalid data: requires a 'tenantId', 'clientId' and 'clientSecret' combination; other ways to log in are not supported"
                    .to_owned(),
            ));
        }
        Ok(made)
    }

    /// The scope of tokens for a vault: its host without its own name.
    fn scope(vault_url: &str) -> Result<String, String> {
        let host = vault_url
            .strip_prefix("https://")
            .map(|rest| rest.split('/').next().unwrap_or_default())
            .ok_or_else(|| format!("{vault_url:?} is no URL with https"))?;
        let (_, domain) = host
            .split_once('.')
            .ok_or_else(|| format!("{vault_url:?} names no vault"))?;
        if !domain.starts_with("vault.") && !domain.starts_with("managedhsm.") {
            return Err(format!("{vault_url:?} is no Azure Key Vault"));
        }
        Ok(format!("https://{domain}/.default"))
    }

    fn token(&self, vault_url: &str) -> Result<String, String> {
        let scope = Self::scope(vault_url)?;
        let tenant = escaped(&self.tenant);
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.authority);
        self.tokens.get(&*self.exchange, &scope, &url, |_| {
            Ok(format!(
                "client_id={}&client_secret={}&grant_type=client_credentials&scope={}",
                escaped(&self.client),
                escaped(&self.secret),
                escaped(&scope)
            ))
        })
    }

    fn ask(&self, key: &KeyKind, verb: &str, value: &[u8]) -> Option<Result<Vec<u8>, String>> {
        let KeyKind::AzureKeyVault {
            vault_url,
            name,
            version,
        } = key
        else {
            return None;
        };
        let asked = self.token(vault_url).and_then(|token| {
            let vault = vault_url.trim_end_matches('/');
            let url = format!("{vault}/keys/{name}/{version}/{verb}?{API}");
            let request = Request::post(url).header("authorization", format!("Bearer {token}"));
            let body = json!({"alg": ALGORITHM, "value": URL_SAFE_NO_PAD.encode(value)});
            let answer = exchange::json(&*self.exchange, request, &body)?;
            URL_SAFE_NO_PAD
                .decode(answer["value"].as_str().unwrap_or_default())
                .map_err(|error| error.to_string())
        });
        Some(asked.map_err(|error| {
            format!("failed to {verb} sops data key with Azure Key Vault key '{key}': {error}")
        }))
    }
}

impl KeyService for AzureKeyVault {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Vec<u8>, String>> {
        if !matches!(key.kind, KeyKind::AzureKeyVault { .. }) {
            return None;
        }
        match URL_SAFE_NO_PAD.decode(key.encrypted.trim_end_matches('=')) {
            Ok(sealed) => self.ask(&key.kind, "decrypt", &sealed),
            Err(error) => Some(Err(format!("failed to base64 decode data key: {error}"))),
        }
    }

    fn encrypt(&self, key: &KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        let sealed = self.ask(key, "encrypt", plaintext)?;
        Some(sealed.map(|sealed| URL_SAFE_NO_PAD.encode(sealed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::recorded::Recorded;

    /// A token for one cloud's vaults is not sent to those of another.
    #[test]
    fn tokens_are_kept_by_scope() {
        let login = "POST https://login.microsoftonline.com/t/oauth2/v2.0/token";
        let plain = r#"{"kid":"x","value":"c2VjcmV0"}"#;
        let exchange = Recorded::new(&[
            (
                login,
                "scope=https%3A%2F%2Fvault.azure.net%2F.default",
                200,
                r#"{"access_token":"T1","expires_in":3600}"#,
            ),
            (
                "POST https://a.vault.azure.net/keys/k/v1/decrypt?api-version=7.4",
                "",
                200,
                plain,
            ),
            (
                login,
                "scope=https%3A%2F%2Fvault.azure.cn%2F.default",
                200,
                r#"{"access_token":"T2","expires_in":3600}"#,
            ),
            (
                "POST https://b.vault.azure.cn/keys/k/v1/decrypt?api-version=7.4",
                "",
                200,
                plain,
            ),
        ]);
        let secret = b"tenantId: t\nclientId: c\nclientSecret: s\n";
        let azure = AzureKeyVault::from_yaml(secret, Arc::new(exchange)).unwrap();
        for vault_url in ["https://a.vault.azure.net", "https://b.vault.azure.cn"] {
            let key = MasterKey {
                kind: KeyKind::AzureKeyVault {
                    vault_url: vault_url.to_owned(),
                    name: "k".to_owned(),
                    version: "v1".to_owned(),
                },
                encrypted: "q6ur".to_owned(),
                created_at: String::new(),
            };
            assert_eq!(azure.decrypt(&key).unwrap().unwrap(), b"secret");
        }
    }

    #[test]
    fn one_login_serves_several_keys() {
        let exchange = Recorded::new(&[
            (
                "POST https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token",
                "client_secret=CANARY%2Bsecret&grant_type=client_credentials&scope=https%3A%2F%2Fvault.azure.net%2F.default",
                200,
                r#"{"access_token":"T","expires_in":3600}"#,
            ),
            (
                "POST https://mine.vault.azure.net/keys/k/v1/decrypt?api-version=7.4",
                r#"{"alg":"RSA-OAEP-256","value":"q6ur"}"#,
                200,
                r#"{"kid":"x","value":"c2VjcmV0"}"#,
            ),
            (
                "POST https://mine.vault.azure.net/keys/k/v1/decrypt?api-version=7.4",
                "",
                403,
                r#"{"error":{"code":"Forbidden"}}"#,
            ),
        ]);
        let secret = b"tenantId: tenant-1\nclientId: c\nclientSecret: CANARY+secret\n";
        let azure = AzureKeyVault::from_yaml(secret, Arc::new(exchange)).unwrap();
        let key = MasterKey {
            kind: KeyKind::AzureKeyVault {
                vault_url: "https://mine.vault.azure.net".to_owned(),
                name: "k".to_owned(),
                version: "v1".to_owned(),
            },
            encrypted: "q6ur".to_owned(),
            created_at: String::new(),
        };
        assert_eq!(azure.decrypt(&key).unwrap().unwrap(), b"secret");
        let error = azure.decrypt(&key).unwrap().unwrap_err();
        assert!(
            error.contains("Forbidden") && !error.contains("CANARY"),
            "{error}"
        );
    }

    #[test]
    fn tokens_go_to_vaults_only() {
        assert!(AzureKeyVault::scope("https://vault.evil.example.com").is_err());
        assert!(AzureKeyVault::scope("http://mine.vault.azure.net").is_err());
        assert_eq!(
            AzureKeyVault::scope("https://mine.vault.azure.cn/").unwrap(),
            "https://vault.azure.cn/.default"
        );
    }
}
