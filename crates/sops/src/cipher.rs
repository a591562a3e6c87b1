//! Single values: AES-256-GCM with a nonce of 32 bytes, written as `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::aead::array::typenum::U32;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::value::{Comment, Value};

/// The key that all values of a file are encrypted with: 32 random bytes.
#[derive(Clone)]
pub(crate) struct DataKey(pub(crate) Vec<u8>);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DataKey(***)")
    }
}

impl Drop for DataKey {
    fn drop(&mut self) {
        self.0.fill(0);
    }
}

/// Why a value cannot be encrypted or decrypted. No text holds a plaintext.
#[derive(Debug, thiserror::Error)]
pub enum CipherError {
    /// Not in SOPS' form. The value is not shown: it may be a secret that was never encrypted.
    #[error("Input string <redacted> does not match sops' data format")]
    Format,
    /// A part is no base64.
    #[error("Error base64-decoding {part}: {source}")]
    Base64 {
        /// `data`, `iv` or `tag`.
        part: &'static str,
        /// Where it stops being base64.
        source: base64::DecodeError,
    },
    /// The key is not 32 bytes, or the nonce not 32.
    #[error("{0}")]
    Size(&'static str),
    /// Wrong key, other path, or changed bytes.
    #[error("Could not decrypt with AES_GCM: cipher: message authentication failed")]
    Authentication,
    /// A type that SOPS does not have.
    #[error("Unknown datatype: {0}")]
    Datatype(String),
    /// The decrypted text does not fit its type.
    #[error("the decrypted value is no {0}")]
    Value(&'static str),
    /// Mappings and lists are never encrypted as a whole.
    #[error("Value to encrypt has unsupported type")]
    Unsupported,
}

type Gcm = AesGcm<Aes256, U32>;

struct Encrypted<'a> {
    sealed: Vec<u8>,
    nonce: Vec<u8>,
    datatype: &'a str,
}

/// Splits at the last of each mark, as upstream's greedy expression does.
fn parse(text: &str) -> Result<Encrypted<'_>, CipherError> {
    let inner = text
        .strip_prefix("ENC[AES256_GCM,data:")
        .and_then(|rest| rest.rfind(']').map(|end| &rest[..end]))
        .ok_or(CipherError::Format)?;
    let (rest, datatype) = inner.rsplit_once(",type:").ok_or(CipherError::Format)?;
    let (rest, tag) = rest.rsplit_once(",tag:").ok_or(CipherError::Format)?;
    let (data, iv) = rest.rsplit_once(",iv:").ok_or(CipherError::Format)?;
    if [data, iv, tag, datatype].contains(&"") {
        return Err(CipherError::Format);
    }
    let decode = |part: &'static str, text: &str| {
        STANDARD
            .decode(text)
            .map_err(|source| CipherError::Base64 { part, source })
    };
    let mut sealed = decode("data", data)?;
    let nonce = decode("iv", iv)?;
    sealed.extend(decode("tag", tag)?);
    Ok(Encrypted {
        sealed,
        nonce,
        datatype,
    })
}

fn gcm(key: &DataKey) -> Result<Gcm, CipherError> {
    Gcm::new_from_slice(&key.0).map_err(|_| CipherError::Size("the data key is not 32 bytes long"))
}

/// Decrypts one value. `path` is what it was bound to: the keys that lead to it, joined and ended by `:`.
pub(crate) fn decrypt(text: &str, key: &DataKey, path: &str) -> Result<Value, CipherError> {
    if text.is_empty() {
        return Ok(Value::Text(String::new()));
    }
    let encrypted = parse(text)?;
    let nonce = Nonce::<U32>::try_from(&encrypted.nonce[..])
        .map_err(|_| CipherError::Size("the nonce is not 32 bytes long"))?;
    let payload = Payload {
        msg: &encrypted.sealed,
        aad: path.as_bytes(),
    };
    let plain = gcm(key)?
        .decrypt(&nonce, payload)
        .map_err(|_| CipherError::Authentication)?;
    let text = String::from_utf8(plain).map_err(|_| CipherError::Value("text in UTF-8"))?;
    typed(text, encrypted.datatype)
}

fn typed(text: String, datatype: &str) -> Result<Value, CipherError> {
    Ok(match datatype {
        "str" | "bytes" => Value::Text(text),
        "int" => Value::Int(
            text.parse()
                .map_err(|_| CipherError::Value("whole number"))?,
        ),
        "float" => Value::Float(text.parse().map_err(|_| CipherError::Value("number"))?),
        "bool" => match text.as_str() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Value::Bool(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Value::Bool(false),
            _ => return Err(CipherError::Value("boolean")),
        },
        "time" => Value::Time(text),
        "comment" => Value::Comment(Comment {
            text,
            inline: false,
        }),
        other => return Err(CipherError::Datatype(other.to_owned())),
    })
}

/// Encrypts one value with `nonce`, bound to `path`.
pub(crate) fn encrypt(
    value: &Value,
    key: &DataKey,
    path: &str,
    nonce: &[u8; 32],
) -> Result<String, CipherError> {
    let plain = value.plaintext().ok_or(CipherError::Unsupported)?;
    if plain.is_empty() {
        return Ok(String::new());
    }
    let datatype = match value {
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Time(_) => "time",
        Value::Comment(_) => "comment",
        _ => "str",
    };
    let payload = Payload {
        msg: plain.as_bytes(),
        aad: path.as_bytes(),
    };
    let sealed = gcm(key)?
        .encrypt(&Nonce::<U32>::from(*nonce), payload)
        .map_err(|_| CipherError::Unsupported)?;
    let (data, tag) = sealed.split_at(sealed.len() - 16);
    Ok(format!(
        "ENC[AES256_GCM,data:{},iv:{},tag:{},type:{datatype}]",
        STANDARD.encode(data),
        STANDARD.encode(nonce),
        STANDARD.encode(tag),
    ))
}
