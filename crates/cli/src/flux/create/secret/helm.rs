//! `create secret helm` and `tls`: logins for chart repositories, certificates and keys.

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use super::{Data, finish, labels, object, required};
use crate::flux::invocation::Invocation;
use crate::flux::{Outcome, Stop, go};

pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let labels = labels(invocation)?;
    let [authority, certificate, key] = files(invocation)?;
    let mut secret = make(
        invocation,
        invocation.name(),
        &authority,
        &certificate,
        &key,
    )?;
    if !labels.is_empty() {
        secret["metadata"]["labels"] = labels.into();
    }
    finish(invocation, &secret, "helm")
}

pub(super) fn tls(invocation: &Invocation<'_>) -> Outcome {
    let labels = labels(invocation)?;
    let [authority, certificate, key] = files(invocation)?;
    let namespace = &invocation.namespace;
    let mut secret = certificates(invocation.name(), namespace, &authority, &certificate, &key)?;
    if !labels.is_empty() {
        secret["metadata"]["labels"] = labels.into();
    }
    finish(invocation, &secret, "tls")
}

/// The authority's certificate, the client's, and its key.
fn files(invocation: &Invocation<'_>) -> Result<[Vec<u8>; 3], Stop> {
    let read = |flag: &str, failure: &str| match invocation.some_text(flag) {
        Some(file) => go::read_file(file).map_err(|error| format!("{failure}: {error}")),
        None => Ok(Vec::new()),
    };
    Ok([
        read("ca-crt-file", "unable to read TLS CA file")?,
        read("tls-crt-file", "failed to read cert file")?,
        read("tls-key-file", "failed to read key file")?,
    ])
}

/// The Secret of a chart repository: a client's certificate, else a password, else an authority.
pub(in crate::flux) fn make(
    invocation: &Invocation<'_>,
    name: &str,
    authority: &[u8],
    certificate: &[u8],
    key: &[u8],
) -> Result<Value, Stop> {
    let namespace = &invocation.namespace;
    let (user, password) = (invocation.text("username"), invocation.text("password"));
    if !certificate.is_empty() || !key.is_empty() {
        return certificates(name, namespace, authority, certificate, key);
    }
    if user.is_empty() && password.is_empty() {
        if authority.is_empty() {
            return Ok(object(name, namespace, Data::default(), None));
        }
        return certificates(name, namespace, authority, certificate, key);
    }
    required(user, "username")?;
    required(password, "password")?;
    let mut data = Data::default();
    data.set("username", user);
    data.set("password", password);
    if !authority.is_empty() {
        data.bytes("ca.crt", authority);
    }
    Ok(object(
        name,
        namespace,
        data,
        Some("kubernetes.io/basic-auth"),
    ))
}

fn certificates(
    name: &str,
    namespace: &str,
    authority: &[u8],
    certificate: &[u8],
    key: &[u8],
) -> Result<Value, Stop> {
    match (certificate.is_empty(), key.is_empty()) {
        (false, true) => return Err("found certificate but missing private key".into()),
        (true, false) => return Err("found private key but missing certificate".into()),
        (true, true) if authority.is_empty() => {
            return Err("no CA certificate or client certificate pair found".into());
        }
        _ => {}
    }
    let mut data = Data::default();
    let mut kind = "Opaque";
    if !certificate.is_empty() {
        check_pair(certificate, key)
            .map_err(|error| format!("invalid TLS certificate and key pair: {error}"))?;
        data.bytes("tls.crt", certificate);
        data.bytes("tls.key", key);
        kind = "kubernetes.io/tls";
    }
    if !authority.is_empty() {
        data.bytes("ca.crt", authority);
    }
    Ok(object(name, namespace, data, Some(kind)))
}

/// Whether the key is that of the certificate. Messages: Go's `tls.X509KeyPair`.
fn check_pair(certificate: &[u8], key: &[u8]) -> Result<(), String> {
    let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(certificate)
        .filter_map(Result::ok)
        .collect();
    if chain.is_empty() {
        return Err("tls: failed to find any PEM data in certificate input".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| "tls: failed to find any PEM data in key input".to_owned())?;
    let public = public_key(&chain[0]).ok_or_else(|| "x509: malformed certificate".to_owned())?;
    let key =
        any_supported_type(&key).map_err(|_| "tls: failed to parse private key".to_owned())?;
    match key.public_key() {
        Some(own) if own.as_ref() != public => {
            Err("tls: private key does not match public key".to_owned())
        }
        // Keys that cannot be compared are left to those who use them.
        _ => Ok(()),
    }
}

/// The SubjectPublicKeyInfo of a certificate: the field after the subject. Certificates of version 1
/// are fine here, which verifiers refuse.
fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let outer = Element::first(certificate)?;
    let inner = Element::first(outer.content)?;
    if outer.tag != SEQUENCE || inner.tag != SEQUENCE {
        return None;
    }
    let mut rest = inner.content;
    if rest.first() == Some(&VERSION) {
        rest = Element::first(rest)?.after;
    }
    // Serial number, algorithm, issuer, validity, subject.
    for _ in 0..5 {
        rest = Element::first(rest)?.after;
    }
    let key = Element::first(rest)?;
    (key.tag == SEQUENCE).then_some(key.whole)
}

/// A DER element.
struct Element<'a> {
    tag: u8,
    whole: &'a [u8],
    content: &'a [u8],
    after: &'a [u8],
}

impl<'a> Element<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let (tag, length) = (*bytes.first()?, *bytes.get(1)?);
        let (start, length) = if length < 0x80 {
            (2, usize::from(length))
        } else {
            let count = usize::from(length & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let digits = bytes.get(2..2 + count)?;
            let length = digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
            (2 + count, length)
        };
        let end = start.checked_add(length)?;
        Some(Self {
            tag,
            whole: bytes.get(..end)?,
            content: &bytes[start..end],
            after: &bytes[end..],
        })
    }
}
