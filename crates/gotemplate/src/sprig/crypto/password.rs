//! Password hashes, derived passwords, random bytes and identifiers.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::super::args::{int, text};
use super::super::{Result, Row, row};
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::text::lossy;
use crate::value::Value;

const TEXT: Signature = Signature::new(&[Param::String]);

pub(super) fn functions() -> Vec<Row> {
    vec![
        row("bcrypt", TEXT, |context, args| {
            context.step()?;
            Ok(Value::from(bcrypt(context, text(args, 0))))
        }),
        row(
            "htpasswd",
            Signature::new(&[Param::String, Param::String]),
            |context, args| {
                context.step()?;
                let name = lossy(text(args, 0));
                if name.contains(':') {
                    return Ok(Value::from(format!("invalid username: {name}")));
                }
                Ok(Value::from(format!(
                    "{name}:{}",
                    bcrypt(context, text(args, 1))
                )))
            },
        ),
        row(
            "randBytes",
            Signature::new(&[Param::Int]),
            |context, args| {
                let Ok(count) = usize::try_from(int(args, 0)) else {
                    return Err(CallError::new("runtime error: makeslice: len out of range"));
                };
                context.charge(count.saturating_mul(2))?;
                let mut bytes = vec![0; count];
                context.environment().fill_random(&mut bytes);
                Ok(Value::from(
                    base64::engine::general_purpose::STANDARD.encode(bytes),
                ))
            },
        ),
        row("uuidv4", Signature::new(&[]), |context, _| {
            let mut bytes = [0; 16];
            context.environment().fill_random(&mut bytes);
            bytes[6] = bytes[6] & 0x0F | 0x40;
            bytes[8] = bytes[8] & 0x3F | 0x80;
            let digits = format!("{:032x}", u128::from_be_bytes(bytes));
            Ok(Value::from(format!(
                "{}-{}-{}-{}-{}",
                &digits[..8],
                &digits[8..12],
                &digits[12..16],
                &digits[16..20],
                &digits[20..]
            )))
        }),
        row(
            "derivePassword",
            Signature::new(&[
                Param::Uint32,
                Param::String,
                Param::String,
                Param::String,
                Param::String,
            ]),
            |_, args| derive_password(args),
        ),
    ]
}

/// The cost of bcrypt hashes: 2^10 rounds.
const COST: u32 = 10;
/// The longest password that bcrypt takes.
const MAX_PASSWORD: usize = 72;

fn bcrypt(context: &Context<'_>, password: &[u8]) -> String {
    let failed = |error: &str| format!("failed to encrypt string with bcrypt: {error}");
    if password.len() > MAX_PASSWORD {
        return failed("bcrypt: password length exceeds 72 bytes");
    }
    let mut salt = [0; 16];
    context.environment().fill_random(&mut salt);
    match bcrypt::hash_with_salt(password, COST, salt) {
        Ok(hash) => hash.format_for_version(bcrypt::Version::TwoA),
        Err(error) => failed(&error.to_string()),
    }
}

const SEED: &[u8] = b"com.lyndir.masterpassword";

/// The forms of passwords of a kind; each letter stands for a set of characters.
fn templates(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

fn characters(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// `derivePassword counter kind password user site`: the Master Password algorithm.
fn derive_password(args: &[Value]) -> Result {
    let (kind, password, user, site) = (text(args, 1), text(args, 2), text(args, 3), text(args, 4));
    let Some(templates) = templates(kind) else {
        return Ok(Value::from(format!(
            "cannot find password template {}",
            lossy(kind)
        )));
    };
    let failed = |error: String| CallError::new(format!("failed to derive password: {error}"));
    let salt = [SEED, &(user.len() as u32).to_be_bytes(), user].concat();
    let parameters = scrypt::Params::new(15, 8, 2).map_err(|error| failed(error.to_string()))?;
    let mut key = [0; 64];
    scrypt::scrypt(password, &salt, &parameters, &mut key)
        .map_err(|error| failed(error.to_string()))?;

    let counter = (int(args, 0) as u32).to_be_bytes();
    let message = [SEED, &(site.len() as u32).to_be_bytes(), site, &counter].concat();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&key).map_err(|error| failed(error.to_string()))?;
    mac.update(&message);
    let seed = mac.finalize().into_bytes();

    let template = templates[usize::from(seed[0]) % templates.len()];
    let derived = template.bytes().zip(&seed[1..]).map(|(letter, chance)| {
        let characters = characters(letter);
        char::from(characters[usize::from(*chance) % characters.len()])
    });
    Ok(Value::from(derived.collect::<String>()))
}
