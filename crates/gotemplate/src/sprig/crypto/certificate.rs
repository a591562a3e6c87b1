//! X.509 certificates: authorities, signed and self-signed ones.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::super::args::{int, list, text};
use super::super::encoding::decode_base64;
use super::super::{Row, row};
use super::der::{self, Reader, bit_string, element, integer, sequence};
use super::key::{CERTIFICATE_RSA_BITS, PrivateKey};
use super::pem;
use crate::environment::Environment;
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::text::{Str, lossy};
use crate::time::Time;
use crate::value::{Certificate, Value};

const CERTIFICATE: Param = Param::Object("sprig.certificate");

// Object identifiers, encoded.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1D, 0x0E];
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x0F];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1D, 0x23];
const EXT_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
const SERVER_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

pub(super) fn functions() -> Vec<Row> {
    // Each exists with a new key and with one that is given as its last argument.
    let authority = |name, signature, key_at: Option<usize>| {
        row(
            name,
            signature,
            move |context: &mut Context<'_>, args: &[Value]| {
                let key = subject_key(context, args, key_at)?;
                let request = Request::new(text(args, 0), None, None, int(args, 1), true)?;
                finish(request.issue(context.environment(), &key, None))
            },
        )
    };
    let self_signed = |name, signature, key_at: Option<usize>| {
        row(
            name,
            signature,
            move |context: &mut Context<'_>, args: &[Value]| {
                let key = subject_key(context, args, key_at)?;
                let request = Request::new(
                    text(args, 0),
                    list(args, 1),
                    list(args, 2),
                    int(args, 3),
                    false,
                )?;
                finish(request.issue(context.environment(), &key, None))
            },
        )
    };
    let signed = |name, signature, key_at: Option<usize>| {
        row(
            name,
            signature,
            move |context: &mut Context<'_>, args: &[Value]| {
                let key = subject_key(context, args, key_at)?;
                let issuer = Issuer::new(&args[4])?;
                let request = Request::new(
                    text(args, 0),
                    list(args, 1),
                    list(args, 2),
                    int(args, 3),
                    false,
                )?;
                finish(request.issue(context.environment(), &key, Some(&issuer)))
            },
        )
    };
    vec![
        authority("genCA", Signature::new(&[Param::String, Param::Int]), None),
        authority(
            "genCAWithKey",
            Signature::new(&[Param::String, Param::Int, Param::String]),
            Some(2),
        ),
        self_signed(
            "genSelfSignedCert",
            Signature::new(&[Param::String, Param::List, Param::List, Param::Int]),
            None,
        ),
        self_signed(
            "genSelfSignedCertWithKey",
            Signature::new(&[
                Param::String,
                Param::List,
                Param::List,
                Param::Int,
                Param::String,
            ]),
            Some(4),
        ),
        signed(
            "genSignedCert",
            Signature::new(&[
                Param::String,
                Param::List,
                Param::List,
                Param::Int,
                CERTIFICATE,
            ]),
            None,
        ),
        signed(
            "genSignedCertWithKey",
            Signature::new(&[
                Param::String,
                Param::List,
                Param::List,
                Param::Int,
                CERTIFICATE,
                Param::String,
            ]),
            Some(5),
        ),
        row(
            "buildCustomCert",
            Signature::new(&[Param::String, Param::String]),
            |_, args| build_custom(text(args, 0), text(args, 1)),
        ),
    ]
}

/// The key of the certificate to be: the one given, or a new one.
fn subject_key(
    context: &mut Context<'_>,
    args: &[Value],
    key_at: Option<usize>,
) -> Result<PrivateKey, CallError> {
    context.step()?;
    match key_at {
        Some(at) => PrivateKey::from_pem(text(args, at))
            .map_err(|error| CallError::new(format!("parsing private key: {error}"))),
        None => PrivateKey::new_rsa(context.environment(), CERTIFICATE_RSA_BITS)
            .map_err(|error| CallError::new(format!("error generating rsa key: {error}"))),
    }
}

fn finish(certificate: Result<Certificate, String>) -> Result<Value, CallError> {
    match certificate {
        Ok(certificate) => Ok(Value::Object(Arc::new(certificate))),
        Err(error) => Err(CallError::new(format!(
            "error creating certificate: {error}"
        ))),
    }
}

fn oid(identifier: &[u8]) -> Vec<u8> {
    element(der::OBJECT_IDENTIFIER, identifier)
}

/// An extension.
fn extension(identifier: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![oid(identifier)];
    if critical {
        parts.push(element(der::BOOLEAN, &[0xFF]));
    }
    parts.push(element(der::OCTET_STRING, value));
    sequence(&parts)
}

/// Who signs.
struct Issuer {
    /// The name, encoded.
    subject: Vec<u8>,
    key_id: Option<Vec<u8>>,
    key: PrivateKey,
}

impl Issuer {
    fn new(authority: &Value) -> Result<Issuer, CallError> {
        let Some(authority) = authority.downcast::<Certificate>() else {
            return Err(CallError::new("unable to decode certificate"));
        };
        let block = pem::decode(authority.cert.as_bytes())
            .ok_or_else(|| CallError::new("unable to decode certificate"))?;
        let (subject, key_id) = parse(&block.bytes).ok_or_else(|| {
            CallError::new(
                "error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate",
            )
        })?;
        let key = PrivateKey::from_pem(authority.key.as_bytes())
            .map_err(|error| CallError::new(format!("error parsing private key: {error}")))?;
        Ok(Issuer {
            subject,
            key_id,
            key,
        })
    }
}

/// Name and key identifier of the subject of a certificate. `None` if it is none.
fn parse(bytes: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let mut outer = Reader(Reader(bytes).expect(der::SEQUENCE)?.contents);
    let mut body = Reader(outer.expect(der::SEQUENCE)?.contents);
    outer.expect(der::SEQUENCE)?;
    outer.expect(der::BIT_STRING)?;
    let mut field = body.next()?;
    if field.tag == 0xA0 {
        field = body.next()?;
    }
    if field.tag != der::INTEGER {
        return None;
    }
    // Algorithm, issuer, validity, subject, key.
    for _ in 0..3 {
        body.expect(der::SEQUENCE)?;
    }
    let subject = body.expect(der::SEQUENCE)?.raw.to_vec();
    body.expect(der::SEQUENCE)?;
    let mut key_id = None;
    while let Some(field) = body.next() {
        if field.tag != 0xA3 {
            continue;
        }
        let mut extensions = Reader(Reader(field.contents).expect(der::SEQUENCE)?.contents);
        while let Some(extension) = extensions.expect(der::SEQUENCE) {
            let mut parts = Reader(extension.contents);
            let identifier = parts.expect(der::OBJECT_IDENTIFIER)?.contents;
            let mut value = parts.next()?;
            if value.tag == der::BOOLEAN {
                value = parts.next()?;
            }
            if identifier == SUBJECT_KEY_ID {
                key_id = Some(
                    Reader(value.contents)
                        .expect(der::OCTET_STRING)?
                        .contents
                        .to_vec(),
                );
            }
        }
    }
    Some((subject, key_id))
}

/// What a certificate shall say.
struct Request {
    common_name: String,
    addresses: Vec<IpAddr>,
    host_names: Vec<String>,
    days: i64,
    is_authority: bool,
}

impl Request {
    fn new(
        common_name: &[u8],
        addresses: Option<&[Value]>,
        host_names: Option<&[Value]>,
        days: i64,
        is_authority: bool,
    ) -> Result<Request, CallError> {
        let printed = |value: &Value| lossy(&value.print()).into_owned();
        let mut request = Request {
            common_name: lossy(common_name).into_owned(),
            addresses: Vec::new(),
            host_names: Vec::new(),
            days,
            is_authority,
        };
        for address in addresses.unwrap_or_default() {
            let Some(text) = address.as_str() else {
                let error = format!("error parsing ip: {} is not a string", printed(address));
                return Err(CallError::new(error));
            };
            let parsed = text.to_text().parse();
            request
                .addresses
                .push(parsed.map_err(|_| CallError::new(format!("error parsing ip: {text}")))?);
        }
        for name in host_names.unwrap_or_default() {
            let Some(text) = name.as_str() else {
                let error = format!(
                    "error processing alternate dns name: {} is not a string",
                    printed(name)
                );
                return Err(CallError::new(error));
            };
            request.host_names.push(text.to_string());
        }
        Ok(request)
    }

    /// The subject's name, encoded.
    fn subject(&self) -> Vec<u8> {
        if self.common_name.is_empty() {
            return sequence(&[]);
        }
        let printable =
            |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&byte);
        let tag = if self.common_name.bytes().all(printable) {
            der::PRINTABLE_STRING
        } else {
            der::UTF8_STRING
        };
        let attribute = sequence(&[oid(COMMON_NAME), element(tag, self.common_name.as_bytes())]);
        sequence(&[element(der::SET, &attribute)])
    }

    /// The extensions in the order in which Go writes them.
    fn extensions(
        &self,
        key_id: &[u8],
        authority_key_id: Option<&[u8]>,
    ) -> Result<Vec<u8>, String> {
        // digitalSignature and keyEncipherment; keyCertSign for authorities.
        let usage: &[u8] = if self.is_authority {
            &[2, 0xA4]
        } else {
            &[5, 0xA0]
        };
        let constraints = if self.is_authority {
            sequence(&[element(der::BOOLEAN, &[0xFF])])
        } else {
            sequence(&[])
        };
        let mut extensions = vec![
            extension(KEY_USAGE, true, &element(der::BIT_STRING, usage)),
            extension(
                EXT_KEY_USAGE,
                false,
                &sequence(&[oid(SERVER_AUTH), oid(CLIENT_AUTH)]),
            ),
            extension(BASIC_CONSTRAINTS, true, &constraints),
        ];
        if self.is_authority {
            extensions.push(extension(
                SUBJECT_KEY_ID,
                false,
                &element(der::OCTET_STRING, key_id),
            ));
        }
        if let Some(id) = authority_key_id {
            extensions.push(extension(
                AUTHORITY_KEY_ID,
                false,
                &sequence(&[element(0x80, id)]),
            ));
        }
        let mut names = Vec::new();
        for name in &self.host_names {
            if !name.is_ascii() {
                return Err(format!("x509: {name:?} cannot be encoded as an IA5String"));
            }
            names.push(element(0x82, name.as_bytes()));
        }
        for address in &self.addresses {
            names.push(match address {
                IpAddr::V4(address) => element(0x87, &address.octets()),
                IpAddr::V6(address) => element(0x87, &address.octets()),
            });
        }
        if !names.is_empty() {
            extensions.push(extension(
                SUBJECT_ALT_NAME,
                self.common_name.is_empty(),
                &sequence(&names),
            ));
        }
        Ok(element(0xA3, &sequence(&extensions)))
    }

    /// Makes the certificate; without an issuer it signs itself. Source: crypto/x509 `CreateCertificate`.
    fn issue(
        &self,
        environment: &dyn Environment,
        key: &PrivateKey,
        issuer: Option<&Issuer>,
    ) -> Result<Certificate, String> {
        let subject = self.subject();
        let signing_key = issuer.map_or(key, |issuer| &issuer.key);
        let issuer_name = issuer.map_or(&subject, |issuer| &issuer.subject);
        let authority_key_id = issuer
            .filter(|issuer| issuer.subject != subject)
            .and_then(|issuer| issuer.key_id.as_deref());
        // RFC 7093, first method: the leftmost 160 bits of the hash.
        let key_id = Sha256::digest(key.public_bits()?);

        let mut serial = [0; 16];
        environment.fill_random(&mut serial);
        let now = environment.now();
        let end = Time::unix(
            now.seconds.saturating_add(self.days.saturating_mul(86_400)),
            0,
        );
        let body = sequence(&[
            element(0xA0, &integer(&[2])),
            integer(&serial),
            signing_key.signature_algorithm(),
            issuer_name.clone(),
            sequence(&[time(&now), time(&end)]),
            subject,
            key.public_info()?,
            self.extensions(&key_id[..20], authority_key_id)?,
        ]);
        let signature = bit_string(&signing_key.sign(&body)?);
        let certificate = sequence(&[body, signing_key.signature_algorithm(), signature]);
        Ok(Certificate {
            cert: Str::from(pem::encode("CERTIFICATE", &certificate)),
            key: Str::from(key.to_pem()?),
        })
    }
}

/// A moment: with two digits for the year as long as they tell it.
fn time(moment: &Time) -> Vec<u8> {
    let year = moment.in_zone(crate::time::Zone::Utc).civil().year;
    let moment = moment.in_zone(crate::time::Zone::Utc);
    if (1950..2050).contains(&year) {
        element(der::UTC_TIME, &moment.format(b"060102150405Z"))
    } else {
        element(der::GENERALIZED_TIME, &moment.format(b"20060102150405Z"))
    }
}

/// A certificate and its key given in base64. Source: sprig `buildCustomCertificate`.
fn build_custom(certificate: &[u8], key: &[u8]) -> Result<Value, CallError> {
    let certificate = decode_base64(certificate)
        .map_err(|_| CallError::new("unable to decode base64 certificate"))?;
    let key =
        decode_base64(key).map_err(|_| CallError::new("unable to decode base64 private key"))?;
    let block =
        pem::decode(&certificate).ok_or_else(|| CallError::new("unable to decode certificate"))?;
    if parse(&block.bytes).is_none() {
        return Err(CallError::new(
            "error parsing certificate: decodedCert.Bytes: x509: malformed certificate",
        ));
    }
    PrivateKey::from_pem(&key)
        .map_err(|error| CallError::new(format!("error parsing private key: {error}")))?;
    Ok(Value::Object(Arc::new(Certificate {
        cert: Str::from(certificate),
        key: Str::from(key),
    })))
}
