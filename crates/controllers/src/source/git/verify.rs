//! Whether commits and tags are signed by those who may.

use std::collections::BTreeMap;

use api::constants::conditions as c;
use api::constants::reasons;
use api::meta::ConditionStatus;
use git::Checkout;
use git::verify::{SignatureKind, pgp, ssh};

use super::work::Work;
use super::{GitRepositoryReconciler, config};
use crate::errors::api_message;
use crate::source::secret;
use crate::source::trouble::Trouble;

/// Public keys by their kind.
#[derive(Default)]
struct Keys {
    rings: Vec<String>,
    authorized: Vec<String>,
}

impl Keys {
    fn of(data: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut keys = Self::default();
        for (name, value) in data {
            let value = String::from_utf8_lossy(value).into_owned();
            if name.ends_with(".sshpub") {
                keys.authorized.push(value)
            } else {
                keys.rings.push(value)
            }
        }
        keys
    }

    /// The identity of the key that has made the signature. `what` is `commit` or `tag`.
    fn check(&self, signature: &str, payload: &[u8], what: &str) -> Result<String, String> {
        match SignatureKind::of(signature) {
            SignatureKind::OpenPgp if self.rings.is_empty() => Err(
                "PGP signature detected but no PGP public keys found in secret (keys with .asc suffix)".to_owned(),
            ),
            SignatureKind::OpenPgp => pgp(signature, payload, &self.rings)
                .map_err(|error| format!("unable to verify Git {what}: {error}")),
            SignatureKind::Ssh if self.authorized.is_empty() => Err(
                "SSH signature detected but no SSH public keys found in secret (keys with .sshpub suffix)".to_owned(),
            ),
            SignatureKind::Ssh => ssh(signature, payload, &self.authorized)
                .map_err(|error| format!("unable to verify Git {what} SSH signature: {error}")),
            other => Err(format!("unsupported signature type: {}", other.as_str())),
        }
    }
}

impl GitRepositoryReconciler {
    /// Checks the signatures that the spec asks for.
    pub(super) async fn verify(&self, work: &mut Work, checkout: &Checkout) -> Result<(), Trouble> {
        let (Some(verification), Some(mode)) =
            (work.object.spec.verify.clone(), config::mode(&work.object))
        else {
            if let Some(status) = &mut work.object.status {
                status.source_verification_mode = None;
            }
            work.delete(c::SOURCE_VERIFIED);
            return Ok(());
        };
        let namespace = work.context.key().namespace.clone();
        let data = secret(
            work.context.client(),
            &namespace,
            &verification.secret_ref.name,
        )
        .await;
        let outcome = match data {
            Err(error) => Err(Trouble::generic(
                reasons::VERIFICATION_ERROR,
                format!("public keys secret error: {}", api_message(&error)),
            )),
            Ok(data) => signatures(&Keys::of(&data), mode, checkout),
        };
        match outcome {
            Err(trouble) => {
                work.mark(
                    c::SOURCE_VERIFIED,
                    ConditionStatus::False,
                    &trouble.reason,
                    &trouble.message,
                );
                Err(trouble)
            }
            Ok(message) => {
                work.status().source_verification_mode = Some(mode.to_owned());
                work.mark(
                    c::SOURCE_VERIFIED,
                    ConditionStatus::True,
                    reasons::SUCCEEDED,
                    &message,
                );
                work.trace(reasons::SUCCEEDED, &message);
                Ok(())
            }
        }
    }
}

fn signatures(keys: &Keys, mode: &str, checkout: &Checkout) -> Result<String, Trouble> {
    let mut verified = Vec::new();
    if mode != "HEAD" {
        let Some(tag) = &checkout.tag else {
            return Err(Trouble::stalling(
                reasons::INVALID_VERIFICATION_MODE,
                "cannot verify tag object's signature if a tag reference is not specified",
            ));
        };
        if tag.signature.is_empty() {
            let message = format!("cannot verify signature of tag '{tag}' since it is not signed");
            return Err(Trouble::generic(reasons::INVALID_GIT_OBJECT, message));
        }
        let key = keys
            .check(&tag.signature, &tag.payload, "tag")
            .map_err(|error| {
                let message = format!("signature verification of tag '{tag}' failed: {error}");
                Trouble::generic(reasons::INVALID_TAG_SIGNATURE, message)
            })?;
        verified.push(format!("tag '{tag}' with key '{key}'"));
    }
    if mode != "Tag" {
        let commit = &checkout.commit;
        let key = keys
            .check(&commit.signature, &commit.payload, "commit")
            .map_err(|error| {
                let message = format!(
                    "signature verification of commit '{}' failed: {error}",
                    commit.id
                );
                Trouble::generic(reasons::INVALID_COMMIT_SIGNATURE, message)
            })?;
        verified.push(format!("commit '{}' with key '{key}'", commit.id));
    }
    Ok(format!(
        "verified signature of\n\t- {}",
        verified.join("\n\t- ")
    ))
}
