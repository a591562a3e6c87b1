//! Private keys: made, written as PEM, read, and signing.

use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::{Digest as _, Sha256};

use super::super::args::text;
use super::super::{Row, row};
use super::der::{self, Reader, bit_string, element, integer, sequence};
use super::{Random, pem};
use crate::environment::Environment;
use crate::function::{Param, Signature};
use crate::text::lossy;
use crate::value::Value;

/// Bits of the keys that `genPrivateKey` makes.
const GENERATED_RSA_BITS: usize = 4096;
/// Bits of the keys of certificates.
pub(super) const CERTIFICATE_RSA_BITS: usize = 2048;

// Object identifiers, encoded.
const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const SHA256_WITH_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];
/// What PKCS#1 v1.5 puts before a SHA-256 digest.
const SHA256_PREFIX: &[u8] = &[
    0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

pub(super) fn functions() -> Vec<Row> {
    vec![row(
        "genPrivateKey",
        Signature::new(&[Param::String]),
        |context, args| {
            context.step()?;
            let environment = context.environment();
            let key = match text(args, 0) {
                b"" | b"rsa" => PrivateKey::new_rsa(environment, GENERATED_RSA_BITS),
                b"dsa" => return Ok(Value::from(new_dsa(environment))),
                b"ecdsa" => PrivateKey::new_ecdsa(environment),
                b"ed25519" => {
                    let mut seed = [0; 32];
                    environment.fill_random(&mut seed);
                    Ok(PrivateKey::Ed25519(Box::new(
                        ed25519_dalek::SigningKey::from_bytes(&seed),
                    )))
                }
                other => return Ok(Value::from(format!("Unknown type {}", lossy(other)))),
            };
            Ok(Value::from(match key.and_then(|key| key.to_pem()) {
                Ok(text) => text,
                Err(error) => format!("failed to generate private key: {error}"),
            }))
        },
    )]
}

/// A private key that can sign certificates.
pub(super) enum PrivateKey {
    Rsa(Box<RsaPrivateKey>),
    Ecdsa(Box<p256::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

fn oid(identifier: &[u8]) -> Vec<u8> {
    element(der::OBJECT_IDENTIFIER, identifier)
}

impl PrivateKey {
    pub(super) fn new_rsa(
        environment: &dyn Environment,
        bits: usize,
    ) -> Result<PrivateKey, String> {
        let key = RsaPrivateKey::new(&mut Random(environment), bits)
            .map_err(|error| error.to_string())?;
        Ok(PrivateKey::Rsa(Box::new(key)))
    }

    fn new_ecdsa(environment: &dyn Environment) -> Result<PrivateKey, String> {
        loop {
            let mut bytes = [0; 32];
            environment.fill_random(&mut bytes);
            // All but one in 2^32 numbers are keys.
            if let Ok(key) = p256::ecdsa::SigningKey::from_slice(&bytes) {
                return Ok(PrivateKey::Ecdsa(Box::new(key)));
            }
        }
    }

    /// Reads a key. Source: sprig `parsePrivateKeyPEM`.
    pub(super) fn from_pem(text: &[u8]) -> Result<PrivateKey, String> {
        let block = pem::decode(text).ok_or("no PEM data in input")?;
        if block.kind == "PRIVATE KEY" {
            return from_pkcs8(&block.bytes).ok_or_else(|| {
                "decoding PEM as PKCS#8: asn1: structure error: not a private key of a known type".to_owned()
            });
        }
        let Some(kind) = block.kind.strip_suffix(" PRIVATE KEY") else {
            return Err(format!(
                "no private key data in PEM block of type {}",
                block.kind
            ));
        };
        match kind {
            "RSA" => RsaPrivateKey::from_pkcs1_der(&block.bytes)
                .map(|key| PrivateKey::Rsa(Box::new(key)))
                .map_err(|error| format!("parsing RSA private key from PEM: {error}")),
            "EC" => from_sec1(&block.bytes).ok_or_else(|| {
                "parsing EC private key from PEM: not a P-256 private key".to_owned()
            }),
            "DSA" => Err("x509: DSA keys cannot sign certificates".to_owned()),
            _ => Err(format!("invalid private key type {kind}")),
        }
    }

    /// The key as PEM, in the form that sprig writes for its type.
    pub(super) fn to_pem(&self) -> Result<String, String> {
        match self {
            PrivateKey::Rsa(key) => {
                let der = key.to_pkcs1_der().map_err(|error| error.to_string())?;
                Ok(pem::encode("RSA PRIVATE KEY", der.as_bytes()))
            }
            PrivateKey::Ecdsa(key) => {
                let der = sequence(&[
                    integer(&[1]),
                    element(der::OCTET_STRING, &key.to_bytes()),
                    element(0xA0, &oid(P256)),
                    element(0xA1, &bit_string(&self.public_bits()?)),
                ]);
                Ok(pem::encode("EC PRIVATE KEY", &der))
            }
            PrivateKey::Ed25519(key) => {
                let inner = element(der::OCTET_STRING, &key.to_bytes());
                let der = sequence(&[
                    integer(&[0]),
                    sequence(&[oid(ED25519)]),
                    element(der::OCTET_STRING, &inner),
                ]);
                Ok(pem::encode("PRIVATE KEY", &der))
            }
        }
    }

    /// The public key's bits, without algorithm.
    pub(super) fn public_bits(&self) -> Result<Vec<u8>, String> {
        match self {
            PrivateKey::Rsa(key) => {
                let der = key
                    .to_public_key()
                    .to_pkcs1_der()
                    .map_err(|error| error.to_string())?;
                Ok(der.as_bytes().to_vec())
            }
            PrivateKey::Ecdsa(key) => {
                Ok(key.verifying_key().to_sec1_point(false).as_bytes().to_vec())
            }
            PrivateKey::Ed25519(key) => Ok(key.verifying_key().to_bytes().to_vec()),
        }
    }

    /// The public key as a certificate holds it.
    pub(super) fn public_info(&self) -> Result<Vec<u8>, String> {
        let algorithm = match self {
            PrivateKey::Rsa(_) => sequence(&[oid(RSA_ENCRYPTION), element(der::NULL, b"")]),
            PrivateKey::Ecdsa(_) => sequence(&[oid(EC_PUBLIC_KEY), oid(P256)]),
            PrivateKey::Ed25519(_) => sequence(&[oid(ED25519)]),
        };
        Ok(sequence(&[algorithm, bit_string(&self.public_bits()?)]))
    }

    /// The identifier of the algorithm that [`PrivateKey::sign`] signs with.
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        match self {
            PrivateKey::Rsa(_) => sequence(&[oid(SHA256_WITH_RSA), element(der::NULL, b"")]),
            PrivateKey::Ecdsa(_) => sequence(&[oid(ECDSA_WITH_SHA256)]),
            PrivateKey::Ed25519(_) => sequence(&[oid(ED25519)]),
        }
    }

    /// The signature of a message.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            PrivateKey::Rsa(key) => {
                let scheme = Pkcs1v15Sign {
                    hash_len: Some(32),
                    prefix: SHA256_PREFIX.into(),
                };
                key.sign(scheme, &Sha256::digest(message))
                    .map_err(|error| error.to_string())
            }
            PrivateKey::Ecdsa(key) => {
                let signature: p256::ecdsa::Signature = key
                    .sign_prehash(&Sha256::digest(message))
                    .map_err(|error| error.to_string())?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            PrivateKey::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
        }
    }
}

fn from_sec1(bytes: &[u8]) -> Option<PrivateKey> {
    let mut fields = Reader(Reader(bytes).expect(der::SEQUENCE)?.contents);
    fields.expect(der::INTEGER)?;
    let secret = fields.expect(der::OCTET_STRING)?.contents;
    ecdsa_key(secret)
}

fn ecdsa_key(secret: &[u8]) -> Option<PrivateKey> {
    p256::ecdsa::SigningKey::from_slice(secret)
        .ok()
        .map(|key| PrivateKey::Ecdsa(Box::new(key)))
}

fn from_pkcs8(bytes: &[u8]) -> Option<PrivateKey> {
    let mut fields = Reader(Reader(bytes).expect(der::SEQUENCE)?.contents);
    fields.expect(der::INTEGER)?;
    let mut algorithm = Reader(fields.expect(der::SEQUENCE)?.contents);
    let secret = fields.expect(der::OCTET_STRING)?.contents;
    match algorithm.expect(der::OBJECT_IDENTIFIER)?.contents {
        RSA_ENCRYPTION => RsaPrivateKey::from_pkcs8_der(bytes)
            .ok()
            .map(|key| PrivateKey::Rsa(Box::new(key))),
        EC_PUBLIC_KEY => from_sec1(secret),
        ED25519 => {
            let seed = Reader(secret)
                .expect(der::OCTET_STRING)?
                .contents
                .try_into()
                .ok()?;
            let key = ed25519_dalek::SigningKey::from_bytes(seed);
            Some(PrivateKey::Ed25519(Box::new(key)))
        }
        _ => None,
    }
}

/// A DSA key of 2048 bits with a subgroup of 256, in the form of OpenSSL.
fn new_dsa(environment: &dyn Environment) -> String {
    let mut random = Random(environment);
    let components = dsa::Components::generate(&mut random, dsa::KeySize::DSA_2048_256);
    let key = dsa::SigningKey::generate(&mut random, components);
    let public = key.verifying_key();
    let components = public.components();
    let der = sequence(&[
        integer(&[0]),
        integer(&components.p().to_bytes_be()),
        integer(&components.q().to_bytes_be()),
        integer(&components.g().to_bytes_be()),
        integer(&public.y().to_bytes_be()),
        integer(&key.x().to_bytes_be()),
    ]);
    pem::encode("DSA PRIVATE KEY", &der)
}
