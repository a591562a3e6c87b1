//! Tokens of service accounts: JSON web tokens that the server signs and checks itself.
//!
//! Source: Kubernetes `pkg/serviceaccount` (claims, validation) and
//! `pkg/registry/core/serviceaccount/storage/token.go`. The signature is ES256.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use object::{GroupResource, Value};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use serde_json::json;

use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::store::key_of;

/// The file in the server's directory that holds the signing key.
const KEY_FILE: &str = "service-account.key";

/// Why the signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The key is not a key, or none can be made.
    #[error("the signing key of service accounts: {0}")]
    Key(String),
}

/// Signs and checks tokens.
pub struct TokenIssuer {
    key: EcdsaKeyPair,
    key_id: String,
    random: SystemRandom,
}

impl TokenIssuer {
    /// The key of a directory, made on first use; without a directory a new one.
    pub fn open(directory: Option<&Path>) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let document = match directory.map(|directory| directory.join(KEY_FILE)) {
            Some(path) if path.exists() => fs::read(&path)
                .map_err(|error| KeyError::File(path.display().to_string(), error))?,
            path => {
                let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
                let made = made
                    .map_err(|error| KeyError::Key(error.to_string()))?
                    .as_ref()
                    .to_vec();
                if let Some(path) = path {
                    write_private(&path, &made)
                        .map_err(|error| KeyError::File(path.display().to_string(), error))?;
                }
                made
            }
        };
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document, &random)
            .map_err(|error| KeyError::Key(error.to_string()))?;
        let digest = ring::digest::digest(&ring::digest::SHA256, key.public_key().as_ref());
        Ok(Self {
            key_id: URL_SAFE_NO_PAD.encode(digest.as_ref()),
            key,
            random,
        })
    }

    /// The signed token of some claims.
    fn sign(&self, claims: &Value) -> Result<String, ApiError> {
        let header = json!({"alg": "ES256", "kid": self.key_id}).to_string();
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self
            .key
            .sign(&self.random, text.as_bytes())
            .map_err(|_| ApiError::internal("failed to generate token"))?;
        Ok(format!(
            "{text}.{}",
            URL_SAFE_NO_PAD.encode(signature.as_ref())
        ))
    }

    /// The claims of a token that this key signed.
    fn verify(&self, token: &str) -> Option<Value> {
        let (text, signature) = token.rsplit_once('.')?;
        let (header, claims) = text.split_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header.get("alg").and_then(Value::as_str) != Some("ES256") {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let public =
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key().as_ref());
        public.verify(text.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    /// The public key as a JSON web key set, as `/openid/v1/jwks` answers it.
    pub fn key_set(&self) -> Value {
        // An uncompressed point: a marker, then x and y of 32 bytes each.
        let point = self.key.public_key().as_ref();
        json!({"keys": [{
            "use": "sig", "kty": "EC", "kid": self.key_id, "crv": "P-256", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        }]})
    }
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// What a token is bound to: it dies with it.
struct Bound {
    kind: &'static str,
    name: String,
    uid: String,
}

/// Answers a `TokenRequest` on `serviceaccounts/<name>/token`. `request` is decoded and defaulted.
///
/// # Errors
/// The account or what the token is to be bound to is not there, or the request is not valid.
pub fn request_token(
    core: &Core,
    namespace: &str,
    name: &str,
    mut request: Value,
) -> Result<Value, ApiError> {
    let accounts = GroupResource::new("", "serviceaccounts");
    let account = get(core, &accounts, namespace, name)
        .ok_or_else(|| ApiError::not_found(&accounts, name))?;
    let uid = object::meta::uid(&account).to_owned();
    let seconds = request
        .pointer("/spec/expirationSeconds")
        .and_then(Value::as_i64)
        .unwrap_or(3600);
    let place = object::field::Path::new("spec").child("expirationSeconds");
    let problem = if seconds < 600 {
        Some("may not specify a duration less than 10 minutes")
    } else if seconds > 1 << 32 {
        Some("may not specify a duration larger than 2^32 seconds")
    } else {
        None
    };
    if let Some(problem) = problem {
        let kind = object::GroupKind::new("authentication.k8s.io", "TokenRequest");
        return Err(ApiError::invalid(
            &kind,
            "",
            &[object::field::Error::invalid(&place, seconds, problem)],
        ));
    }
    let bound = bound_object(core, namespace, name, &request)?;
    let mut audiences = texts(request.pointer("/spec/audiences"));
    if audiences.is_empty() {
        audiences.push(core.config.issuer.clone());
    }
    let now = seconds_now(core);
    let mut kubernetes =
        json!({"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}});
    if let Some(bound) = &bound {
        kubernetes[bound.kind] = json!({"name": bound.name, "uid": bound.uid});
    }
    let claims = json!({
        "iss": core.config.issuer, "sub": format!("system:serviceaccount:{namespace}:{name}"), "aud": audiences,
        "iat": now, "nbf": now, "exp": now + seconds, "jti": core.clock.uid(), "kubernetes.io": kubernetes,
    });
    let token = core.auth.issuer.sign(&claims)?;
    let expires = object::time::Time::from_unix(now + seconds, 0).to_json();
    if let Some(metadata) = request
        .as_object_mut()
        .map(|request| &mut request["metadata"])
    {
        metadata["name"] = json!(name);
        metadata["namespace"] = json!(namespace);
        metadata["uid"] = json!(uid);
        metadata["creationTimestamp"] = json!(core.now());
    }
    request["spec"]["audiences"] = json!(audiences);
    request["spec"]["expirationSeconds"] = json!(seconds);
    request["status"] = json!({"token": token, "expirationTimestamp": expires});
    Ok(request)
}

/// A token of the old kind, for a secret: it does not expire, and is good as long as the secret and the
/// account are there.
///
/// # Errors
/// The account or the secret is not there.
pub fn legacy_token(
    core: &Core,
    namespace: &str,
    name: &str,
    secret: &str,
) -> Result<String, ApiError> {
    let uid_of = |resource: &str, name: &str| {
        let resource = GroupResource::new("", resource);
        get(core, &resource, namespace, name)
            .map(|found| object::meta::uid(&found).to_owned())
            .ok_or_else(|| ApiError::not_found(&resource, name))
    };
    let account = uid_of("serviceaccounts", name)?;
    let bound = uid_of("secrets", secret)?;
    let now = seconds_now(core);
    core.auth.issuer.sign(&json!({
        "iss": core.config.issuer, "sub": format!("system:serviceaccount:{namespace}:{name}"),
        "aud": [core.config.issuer], "iat": now, "nbf": now, "exp": now + LEGACY_SECONDS,
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": account},
            "secret": {"name": secret, "uid": bound}},
    }))
}

/// A hundred years, which stands for no end.
const LEGACY_SECONDS: i64 = 100 * 365 * 24 * 3600;

fn seconds_now(core: &Core) -> i64 {
    object::time::Time::parse(&core.now()).map_or(0, object::time::Time::unix_seconds)
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn get(core: &Core, resource: &GroupResource, namespace: &str, name: &str) -> Option<Value> {
    core.store
        .bucket(resource)
        .get(&key_of(namespace, name))
        .map(|stored| stored.value())
}

fn bound_object(
    core: &Core,
    namespace: &str,
    account: &str,
    request: &Value,
) -> Result<Option<Bound>, ApiError> {
    let reference = match request.pointer("/spec/boundObjectRef") {
        None | Some(Value::Null) => return Ok(None),
        Some(reference) => reference,
    };
    let text = |key: &str| {
        reference
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let gvk = object::GroupVersionKind::of(reference);
    let (kind, resource, scope) = match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Pod") => ("pod", "pods", namespace),
        ("", "Secret") => ("secret", "secrets", namespace),
        ("", "Node") => ("node", "nodes", ""),
        _ => {
            return Err(ApiError::bad_request(format!(
                "cannot bind token to object of type {gvk}"
            )));
        }
    };
    let resource = GroupResource::new("", resource);
    let name = text("name");
    let found =
        get(core, &resource, scope, name).ok_or_else(|| ApiError::not_found(&resource, name))?;
    let runs_as = found
        .pointer("/spec/serviceAccountName")
        .and_then(Value::as_str);
    if kind == "pod" && runs_as != Some(account) {
        return Err(ApiError::bad_request(format!(
            "cannot bind token for serviceaccount {} to pod running with different serviceaccount name.",
            object::field::quote(account)
        )));
    }
    let uid = object::meta::uid(&found);
    if !text("uid").is_empty() && text("uid") != uid {
        let why = format!(
            "the UID in the bound object reference ({}) does not match the UID in record. The object might have been deleted and then recreated",
            text("uid")
        );
        return Err(ApiError::conflict(
            &GroupResource::new("", gvk.kind.as_str()),
            name,
            &why,
        ));
    }
    Ok(Some(Bound {
        kind,
        name: name.to_owned(),
        uid: uid.to_owned(),
    }))
}

/// The user of a token and the audiences it is for; `None` if the token is not good (any more) for one
/// of the `audiences`.
pub fn authenticate(core: &Core, token: &str, audiences: &[String]) -> Option<(User, Vec<String>)> {
    let claims = core.auth.issuer.verify(token)?;
    let number = |key: &str| claims.get(key).and_then(Value::as_i64);
    let now = seconds_now(core);
    let in_time = number("exp").is_some_and(|end| now < end)
        && number("nbf").is_none_or(|start| now >= start - 10);
    let issued_here =
        claims.get("iss").and_then(Value::as_str) == Some(core.config.issuer.as_str());
    let matching: Vec<String> = texts(claims.get("aud"))
        .into_iter()
        .filter(|aud| audiences.contains(aud))
        .collect();
    if !in_time || !issued_here || matching.is_empty() {
        return None;
    }
    let kubernetes = claims.get("kubernetes.io")?;
    let text = |pointer: &str| kubernetes.pointer(pointer).and_then(Value::as_str);
    let namespace = text("/namespace")?;
    let (name, uid) = (text("/serviceaccount/name")?, text("/serviceaccount/uid")?);
    let is_there = |resource: &str, namespace: &str, name: &str, uid: &str| {
        get(core, &GroupResource::new("", resource), namespace, name)
            .is_some_and(|found| object::meta::uid(&found) == uid)
    };
    if !is_there("serviceaccounts", namespace, name, uid) {
        return None;
    }
    let mut extra = std::collections::BTreeMap::new();
    if let Some(id) = claims.get("jti").and_then(Value::as_str) {
        extra.insert(
            "authentication.kubernetes.io/credential-id".to_owned(),
            vec![format!("JTI={id}")],
        );
    }
    for (kind, resource, scope) in [
        ("pod", "pods", namespace),
        ("secret", "secrets", namespace),
        ("node", "nodes", ""),
    ] {
        let (Some(bound), Some(uid)) = (
            text(&format!("/{kind}/name")),
            text(&format!("/{kind}/uid")),
        ) else {
            continue;
        };
        if !is_there(resource, scope, bound, uid) {
            return None;
        }
        if kind != "secret" {
            extra.insert(
                format!("authentication.kubernetes.io/{kind}-name"),
                vec![bound.to_owned()],
            );
            extra.insert(
                format!("authentication.kubernetes.io/{kind}-uid"),
                vec![uid.to_owned()],
            );
        }
    }
    let user = User {
        name: format!("system:serviceaccount:{namespace}:{name}"),
        uid: uid.to_owned(),
        groups: vec![
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated".to_owned(),
        ],
        extra,
    };
    Some((user, matching))
}
