//! AWS KMS, with requests signed by Signature Version 4.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Request;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sops::{KeyKind, KeyService, MasterKey};

use crate::exchange::{self, Exchange};
use crate::{CredentialsError, texts};

/// AWS KMS, with a static key.
pub struct AwsKms {
    access_key: String,
    secret_key: String,
    session_token: String,
    exchange: Arc<dyn Exchange>,
    /// The present time, in seconds since 1970.
    clock: fn() -> i64,
}

const TYPE: &str = "application/x-amz-json-1.1";

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in bytes.as_ref() {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The region of a key: the fourth part of its name.
fn region(arn: &str) -> Result<&str, String> {
    arn.split(':')
        .nth(3)
        .filter(|region| {
            !region.is_empty()
                && region
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
        .ok_or_else(|| format!("no valid ARN found in {arn:?}"))
}

impl AwsKms {
    /// With the content of `sops.aws-kms`: YAML with `aws_access_key_id`, `aws_secret_access_key` and, where there is one,
    /// `aws_session_token`.
    ///
    /// # Errors
    /// It is no YAML, or a key is missing.
    pub fn from_yaml(value: &[u8], exchange: Arc<dyn Exchange>) -> Result<Self, CredentialsError> {
        let mut fields = texts(value)?;
        let mut take = |key: &str| fields.remove(key).unwrap_or_default();
        let made = Self {
            access_key: take("aws_access_key_id"),
            secret_key: take("aws_secret_access_key"),
            session_token: take("aws_session_token"),
            exchange,
            clock: now,
        };
        if made.access_key.is_empty() || made.secret_key.is_empty() {
            return Err(CredentialsError::Form(
                "aws_access_key_id and aws_secret_access_key must be set".to_owned(),
            ));
        }
        Ok(made)
    }

    fn ask(&self, arn: &str, action: &str, body: &Value) -> Result<Value, String> {
        let region = region(arn)?;
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let host = format!("kms.{region}.amazonaws.com{suffix}");
        let body = body.to_string();
        let time =
            jiff::Timestamp::from_second((self.clock)()).map_err(|error| error.to_string())?;
        let stamp = time.strftime("%Y%m%dT%H%M%SZ").to_string();
        let target = format!("TrentService.{action}");
        let mut headers = vec![
            ("content-type", TYPE.to_owned()),
            ("host", host.clone()),
            ("x-amz-date", stamp.clone()),
        ];
        if !self.session_token.is_empty() {
            headers.push(("x-amz-security-token", self.session_token.clone()));
        }
        headers.push(("x-amz-target", target));
        let authorization = self.authorization(region, &stamp, &headers, &body);
        let mut request = Request::post(format!("https://{host}/"));
        for (name, value) in headers.into_iter().filter(|(name, _)| *name != "host") {
            request = request.header(name, value);
        }
        let request = request
            .header("authorization", authorization)
            .body(body.into_bytes())
            .map_err(|error| error.to_string())?;
        exchange::read(&*self.exchange, request)
    }

    /// Source: AWS, "Create a signed AWS API request". `headers` are sorted by name.
    fn authorization(
        &self,
        region: &str,
        stamp: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> String {
        let date = &stamp[..8];
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let canonical = format!(
            "POST\n/\n\n{}\n{names}\n{}",
            lines.concat(),
            hex(Sha256::digest(body))
        );
        let scope = format!("{date}/{region}/kms/aws4_request");
        let text = format!(
            "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
            hex(Sha256::digest(canonical))
        );
        let mut key = sign(format!("AWS4{}", self.secret_key).as_bytes(), date);
        for part in [region, "kms", "aws4_request"] {
            key = sign(&key, part);
        }
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.access_key,
            hex(sign(&key, &text))
        )
    }
}

impl KeyService for AwsKms {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Vec<u8>, String>> {
        let KeyKind::AwsKms {
            arn, context, role, ..
        } = &key.kind
        else {
            return None;
        };
        if !role.is_empty() {
            return Some(Err(format!(
                "cannot assume the role {role}: roles are not supported"
            )));
        }
        let mut body = json!({"CiphertextBlob": key.encrypted, "KeyId": arn});
        if !context.is_empty() {
            body["EncryptionContext"] = json!(context);
        }
        let plain = self.ask(arn, "Decrypt", &body).and_then(|answer| {
            STANDARD
                .decode(answer["Plaintext"].as_str().unwrap_or_default())
                .map_err(|error| error.to_string())
        });
        Some(
            plain.map_err(|error| format!("failed to decrypt sops data key with AWS KMS: {error}")),
        )
    }

    fn encrypt(&self, key: &KeyKind, plaintext: &[u8]) -> Option<Result<String, String>> {
        let KeyKind::AwsKms { arn, context, .. } = key else {
            return None;
        };
        let mut body = json!({"Plaintext": STANDARD.encode(plaintext), "KeyId": arn});
        if !context.is_empty() {
            body["EncryptionContext"] = json!(context);
        }
        let sealed = self.ask(arn, "Encrypt", &body).and_then(|answer| {
            answer["CiphertextBlob"]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| "the answer has no CiphertextBlob".to_owned())
        });
        Some(
            sealed
                .map_err(|error| format!("failed to encrypt sops data key with AWS KMS: {error}")),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::recorded::Recorded;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn kms(exchanges: &[(&str, &'static str, u16, &str)]) -> AwsKms {
        let secret = b"aws_access_key_id: AKIDEXAMPLE\naws_secret_access_key: wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n";
        let mut kms = AwsKms::from_yaml(secret, Arc::new(Recorded::new(exchanges))).unwrap();
        kms.clock = || 1_440_938_160; // 2015-08-30T12:36:00Z
        kms
    }

    fn key() -> MasterKey {
        MasterKey {
            kind: KeyKind::AwsKms {
                arn: ARN.to_owned(),
                role: String::new(),
                context: [("team".to_owned(), "a".to_owned())].into(),
                profile: String::new(),
            },
            encrypted: "AQICAHh=".to_owned(),
            created_at: String::new(),
        }
    }

    #[test]
    fn data_keys_are_decrypted_with_their_context() {
        let kms = kms(&[(
            "POST https://kms.eu-west-1.amazonaws.com/",
            r#""EncryptionContext":{"team":"a"}"#,
            200,
            r#"{"KeyId":"x","Plaintext":"c2VjcmV0"}"#,
        )]);
        assert_eq!(kms.decrypt(&key()).unwrap().unwrap(), b"secret");
    }

    #[test]
    fn refusals_are_told_without_keys() {
        let kms = kms(&[(
            "POST https://kms.eu-west-1.amazonaws.com/",
            "",
            400,
            r#"{"__type":"AccessDeniedException","Message":"not authorized"}"#,
        )]);
        let error = kms.decrypt(&key()).unwrap().unwrap_err();
        assert!(
            error.contains("AccessDeniedException") && !error.contains("wJalr"),
            "{error}"
        );
        assert!(AwsKms::from_yaml(b"a: b", Arc::new(Recorded::new(&[]))).is_err());
    }

    /// The key of AWS's own example ("Derive a signing key", 20150830, us-east-1, iam).
    #[test]
    fn signing_keys_are_derived_as_in_the_documentation() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let mut key = sign(format!("AWS4{secret}").as_bytes(), "20150830");
        for part in ["us-east-1", "iam", "aws4_request"] {
            key = sign(&key, part);
        }
        assert_eq!(
            hex(key),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
    }

    #[test]
    fn regions_are_taken_from_names() {
        assert_eq!(region(ARN).unwrap(), "eu-west-1");
        assert!(region("arn:aws:kms:evil.example.com/:1:key/x").is_err());
        assert!(region("nonsense").is_err());
    }
}
