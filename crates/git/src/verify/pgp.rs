//! OpenPGP signatures.

use std::time::{Duration, SystemTime};

use ::pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey};
use ::pgp::types::{KeyDetails as _, Timestamp};

use super::VerifyError;

/// Checks an armoured detached signature with armoured key rings. Gives the id of the primary key.
///
/// # Errors
/// No key of any ring has made it.
pub fn verify(signature: &str, payload: &[u8], rings: &[String]) -> Result<String, VerifyError> {
    let signature = signature.trim();
    if signature.is_empty() {
        return Err(VerifyError::Empty);
    }
    let signature = DetachedSignature::from_string(signature)
        .ok()
        .map(|(signature, _)| signature);
    let mut unreadable = None;
    let mut was_tried = false;
    for ring in rings {
        match keys(ring) {
            Err(error) => drop(unreadable.get_or_insert(error)),
            Ok(keys) => {
                was_tried = true;
                let signer = signature.as_ref().and_then(|signature| {
                    keys.iter().find(|key| has_signed(key, signature, payload))
                });
                if let Some(signer) = signer {
                    let id = signer.primary_key.legacy_key_id();
                    return Ok(id.to_string().to_ascii_uppercase());
                }
            }
        }
    }
    match unreadable {
        Some(error) if !was_tried => Err(VerifyError::KeyRing(error)),
        _ => Err(VerifyError::NoMatchingPgpKey),
    }
}

fn keys(ring: &str) -> Result<Vec<SignedPublicKey>, String> {
    let (keys, _) =
        SignedPublicKey::from_string_many(ring).map_err(|_| "no armored data found".to_owned())?;
    let keys: Vec<_> = keys.filter_map(Result::ok).collect();
    if keys.is_empty() {
        Err("openpgp: invalid data: entity without any identities".to_owned())
    } else {
        Ok(keys)
    }
}

fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::from_secs(0))
}

fn is_past(start: Timestamp, duration: Option<::pgp::types::Duration>) -> bool {
    let Some(duration) = duration.filter(|duration| duration.as_secs() > 0) else {
        return false;
    };
    let seconds = |time: Timestamp| Duration::from_secs(u64::from(time.as_secs()));
    seconds(start) + Duration::from_secs(u64::from(duration.as_secs())) < seconds(now())
}

/// Whether the key or one of its subkeys for signing has made the signature, neither being out of date.
fn has_signed(key: &SignedPublicKey, signature: &DetachedSignature, payload: &[u8]) -> bool {
    let inner = &signature.signature;
    if inner
        .created()
        .is_some_and(|created| is_past(created, inner.signature_expiration_time()))
    {
        return false;
    }
    if key.verify_bindings().is_err() || !key.details.revocation_signatures.is_empty() {
        return false;
    }
    let of_primary = key
        .details
        .users
        .iter()
        .flat_map(|user| &user.signatures)
        .chain(&key.details.direct_signatures)
        .filter_map(::pgp::packet::Signature::key_expiration_time)
        .max_by_key(|duration| duration.as_secs());
    if is_past(key.primary_key.created_at(), of_primary) {
        return false;
    }
    if signature.verify(&key.primary_key, payload).is_ok() {
        return true;
    }
    key.public_subkeys.iter().any(|subkey| {
        let signs = subkey.signatures.iter().any(|binding| {
            binding.key_flags().sign()
                && !is_past(subkey.key.created_at(), binding.key_expiration_time())
        });
        let revoked = subkey
            .signatures
            .iter()
            .any(|binding| binding.typ() == Some(::pgp::packet::SignatureType::SubkeyRevocation));
        signs && !revoked && signature.verify(&subkey.key, payload).is_ok()
    })
}
