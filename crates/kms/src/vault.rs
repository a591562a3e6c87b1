//! The transit engine of HashiCorp Vault and OpenBao.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::json;
use sops::{KeyKind, KeyService, MasterKey};

use crate::exchange::{self, Exchange};

/// Vault, with a token.
pub struct Vault {
    token: String,
    exchange: Arc<dyn Exchange>,
}

impl Vault {
    /// With the content of `sops.vault-token`.
    pub fn new(token: &str, exchange: Arc<dyn Exchange>) -> Self {
        Self {
            token: token.trim().to_owned(),
            exchange,
        }
    }

    fn ask(
        &self,
        key: &KeyKind,
        verb: &str,
        field: &str,
        value: &str,
        wanted: &str,
    ) -> Option<Result<String, String>> {
        let KeyKind::Vault {
            address,
            engine_path,
            key_name,
        } = key
        else {
            return None;
        };
        let path = format!("{engine_path}/{verb}/{key_name}");
        let url = format!("{}/v1/{path}", address.trim_end_matches('/'));
        let request = Request::put(url).header("X-Vault-Token", &self.token);
        let answer = exchange::json(&*self.exchange, request, &json!({ field: value }));
        let found = answer.and_then(|answer| {
            answer["data"][wanted]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("the answer has no {wanted}"))
        });
        Some(found.map_err(|error| {
            format!("failed to {verb} sops data key at Vault transit backend '{path}': {error}")
        }))
    }
}

impl KeyService for Vault {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Vec<u8>, String>> {
        let plain = self.ask(
            &key.kind,
            "decrypt",
            "ciphertext",
            &key.encrypted,
            "plaintext",
        )?;
        Some(plain.and_then(|text| {
            STANDARD
                .decode(text)
                .map_err(|_| "cannot decode base64 plaintext into data key bytes".to_owned())
        }))
    }

    fn encrypt(&self, key: &KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        let value = STANDARD.encode(plaintext);
        self.ask(key, "encrypt", "plaintext", &value, "ciphertext")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::recorded::Recorded;

    fn key() -> KeyKind {
        KeyKind::Vault {
            address: "https://vault.example.com:8200".to_owned(),
            engine_path: "sops".to_owned(),
            key_name: "firstkey".to_owned(),
        }
    }

    #[test]
    fn data_keys_are_encrypted_and_decrypted() {
        let exchange = Recorded::new(&[
            (
                "PUT https://vault.example.com:8200/v1/sops/encrypt/firstkey",
                r#"{"plaintext":"c2VjcmV0"}"#,
                200,
                r#"{"data":{"ciphertext":"vault:v1:abc","key_version":1}}"#,
            ),
            (
                "PUT https://vault.example.com:8200/v1/sops/decrypt/firstkey",
                r#"{"ciphertext":"vault:v1:abc"}"#,
                200,
                r#"{"data":{"plaintext":"c2VjcmV0"}}"#,
            ),
            (
                "PUT https://vault.example.com:8200/v1/sops/decrypt/firstkey",
                "",
                403,
                r#"{"errors":["permission denied"]}"#,
            ),
        ]);
        let vault = Vault::new(" CANARY-token\n", Arc::new(exchange));
        let encrypted = vault.encrypt(&key(), b"secret").unwrap().unwrap();
        let master = MasterKey {
            kind: key(),
            encrypted,
            created_at: String::new(),
        };
        assert_eq!(vault.decrypt(&master).unwrap().unwrap(), b"secret");
        let error = vault.decrypt(&master).unwrap().unwrap_err();
        assert!(
            error.contains("403 Forbidden") && error.contains("permission denied"),
            "{error}"
        );
        assert!(!error.contains("CANARY"), "{error}");
        let other = KeyKind::Age {
            recipient: String::new(),
        };
        assert!(vault.encrypt(&other, b"").is_none());
    }
}
