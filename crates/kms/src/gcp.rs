//! Google Cloud KMS, with the key of a service account.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Request;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::{Value, json};
use sops::{KeyKind, KeyService, MasterKey};

use crate::CredentialsError;
use crate::exchange::{self, Exchange};
use crate::login::Tokens;

const SCOPE: &str = "https://www.googleapis.com/auth/cloudkms";
const API: &str = "https://cloudkms.googleapis.com/v1";
/// How long a token is asked for, in seconds.
const LIFE: i64 = 3600;

#[derive(Deserialize)]
struct Account {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    client_email: String,
    #[serde(default)]
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    #[serde(default = "token_uri")]
    token_uri: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

/// Google Cloud KMS.
pub struct GcpKms {
    account: Account,
    key: RsaKeyPair,
    exchange: Arc<dyn Exchange>,
    tokens: Tokens,
}

impl GcpKms {
    /// With the content of `sops.gcp-kms`: the key of a service account as Google gives it.
    ///
    /// # Errors
    /// It is no such key.
    pub fn from_json(value: &[u8], exchange: Arc<dyn Exchange>) -> Result<Self, CredentialsError> {
        let wrong = |why: &str| CredentialsError::Form(format!("invalid credentials: {why}"));
        // What serde says could show a part of the key.
        let account: Account = serde_json::from_slice(value.trim_ascii())
            .map_err(|_| wrong("not the JSON of a service account"))?;
        if account.kind != "service_account" {
            return Err(wrong("credentials of this type are not supported"));
        }
        if !account.token_uri.starts_with("https://") {
            return Err(wrong("token_uri is no URL with https"));
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(account.private_key.as_bytes())
            .map_err(|_| wrong("private_key is no PKCS #8 key in PEM"))?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|_| wrong("private_key is no RSA key"))?;
        Ok(Self {
            account,
            key,
            exchange,
            tokens: Tokens::default(),
        })
    }

    /// A claim that is exchanged for a token. Source: RFC 7523.
    fn assertion(&self, now: i64) -> Result<String, String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.account.private_key_id});
        let claims = json!({
            "iss": self.account.client_email, "scope": SCOPE, "aud": self.account.token_uri,
            "iat": now, "exp": now + LIFE,
        });
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &random,
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| "cannot sign with the key of the service account".to_owned())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn token(&self) -> Result<String, String> {
        let url = &self.account.token_uri;
        self.tokens.get(&*self.exchange, SCOPE, url, |now| {
            Ok(format!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}",
                self.assertion(now)?
            ))
        })
    }

    fn ask(&self, resource: &str, verb: &str, body: &Value) -> Result<Value, String> {
        let plain = resource
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
        if !plain || resource.contains("..") {
            return Err(format!("no valid resource ID found in {resource:?}"));
        }
        let token = self.token()?;
        let request = Request::post(format!("{API}/{resource}:{verb}"))
            .header("authorization", format!("Bearer {token}"));
        exchange::json(&*self.exchange, request, body)
    }
}

impl KeyService for GcpKms {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Vec<u8>, String>> {
        let KeyKind::GcpKms { resource_id } = &key.kind else {
            return None;
        };
        let body = json!({"ciphertext": key.encrypted});
        let plain = self.ask(resource_id, "decrypt", &body).and_then(|answer| {
            STANDARD
                .decode(answer["plaintext"].as_str().unwrap_or_default())
                .map_err(|error| error.to_string())
        });
        Some(
            plain.map_err(|error| {
                format!("failed to decrypt sops data key with GCP KMS key: {error}")
            }),
        )
    }

    fn encrypt(&self, key: &KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        let KeyKind::GcpKms { resource_id } = key else {
            return None;
        };
        let body = json!({"plaintext": STANDARD.encode(plaintext)});
        let sealed = self.ask(resource_id, "encrypt", &body).and_then(|answer| {
            answer["ciphertext"]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| "the answer has no ciphertext".to_owned())
        });
        Some(
            sealed.map_err(|error| {
                format!("failed to encrypt sops data key with GCP KMS key: {error}")
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::recorded::Recorded;

    fn account() -> String {
        // A key made for this test alone.
        let key = include_str!("../tests/rsa.pem");
        json!({"type": "service_account", "client_email": "a@b.example", "private_key": key})
            .to_string()
    }

    #[test]
    fn data_keys_are_decrypted_after_a_login() {
        let exchange = Recorded::new(&[
            (
                "POST https://oauth2.googleapis.com/token",
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=",
                200,
                r#"{"access_token":"T","expires_in":3599}"#,
            ),
            (
                "POST https://cloudkms.googleapis.com/v1/projects/p/locations/global/keyRings/r/cryptoKeys/k:decrypt",
                r#"{"ciphertext":"CiQA"}"#,
                200,
                r#"{"plaintext":"c2VjcmV0"}"#,
            ),
        ]);
        let gcp = GcpKms::from_json(account().as_bytes(), Arc::new(exchange)).unwrap();
        let key = |resource: &str| MasterKey {
            kind: KeyKind::GcpKms {
                resource_id: resource.to_owned(),
            },
            encrypted: "CiQA".to_owned(),
            created_at: String::new(),
        };
        let good = key("projects/p/locations/global/keyRings/r/cryptoKeys/k");
        assert_eq!(gcp.decrypt(&good).unwrap().unwrap(), b"secret");
        let error = gcp.decrypt(&key("projects/../x?y")).unwrap().unwrap_err();
        assert!(error.contains("no valid resource ID"), "{error}");
    }

    #[test]
    fn bad_credentials_are_told_without_the_key() {
        for bad in [
            r#"{"type":"service_account","private_key":"CANARY"}"#,
            r#"{"type":"authorized_user","refresh_token":"CANARY"}"#,
            r#"{"type":"service_account","private_key":CANARY}"#,
        ] {
            let Err(error) = GcpKms::from_json(bad.as_bytes(), Arc::new(Recorded::new(&[]))) else {
                panic!("{bad} was taken");
            };
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
    }
}
