//! SSH signatures (`ssh-keygen -Y sign -n git`).

use russh::keys::ssh_key::{self, HashAlg, PublicKey, SshSig};

use super::VerifyError;

/// What Git signs for.
const NAMESPACE: &str = "git";

/// Checks an armoured signature with keys in the form of `authorized_keys`. Gives the fingerprint of the key.
///
/// # Errors
/// None of the keys has made it.
pub fn verify(
    signature: &str,
    payload: &[u8],
    authorized: &[String],
) -> Result<String, VerifyError> {
    let signature = signature.trim();
    if signature.is_empty() {
        return Err(VerifyError::Empty);
    }
    // The reader wants a last line feed.
    let signature = SshSig::from_pem(format!("{signature}\n"))
        .map_err(|_| VerifyError::Armor("invalid PEM block".to_owned()))?;
    let mut unreadable = None;
    let mut was_tried = false;
    let mut reasons: Vec<&str> = Vec::new();
    for text in authorized {
        match keys(text) {
            Err(error) => drop(unreadable.get_or_insert(error)),
            Ok(keys) => {
                was_tried = true;
                for key in keys {
                    let reason = match key.verify(NAMESPACE, payload, &signature) {
                        Ok(()) => return Ok(key.fingerprint(HashAlg::Sha256).to_string()),
                        Err(ssh_key::Error::PublicKey) => "public key does not match",
                        Err(ssh_key::Error::Namespace) => "namespace does not match",
                        Err(_) => "ssh: signature did not verify",
                    };
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                }
            }
        }
    }
    match unreadable {
        Some(error) if !was_tried => Err(VerifyError::AuthorizedKeys(error)),
        _ => Err(VerifyError::NoMatchingSshKey(
            reasons
                .iter()
                .fold(String::new(), |text, reason| format!("{text}\n{reason}")),
        )),
    }
}

fn keys(text: &str) -> Result<Vec<PublicKey>, String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| key(line).ok_or_else(|| "ssh: no key found".to_owned()))
        .collect()
}

/// The key of a line, which may begin with options.
fn key(line: &str) -> Option<PublicKey> {
    if let Ok(key) = PublicKey::from_openssh(line) {
        return Some(key);
    }
    let mut in_quotes = false;
    let end = line.find(|c: char| {
        in_quotes ^= c == '"';
        !in_quotes && c.is_whitespace()
    })?;
    PublicKey::from_openssh(line[end..].trim()).ok()
}
