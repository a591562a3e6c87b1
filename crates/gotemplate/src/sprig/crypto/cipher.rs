//! `encryptAES` and `decryptAES`: AES-256 in CBC mode with the vector in front, in base64.

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;

use super::super::args::text;
use super::super::encoding::decode_base64;
use super::super::{Result, Row, row};
use crate::function::{CallError, Param, Signature};
use crate::value::Value;

const BLOCK: usize = 16;
const TEXT2: Signature = Signature::new(&[Param::String, Param::String]);

pub(super) fn functions() -> Vec<Row> {
    vec![
        row("encryptAES", TEXT2, |context, args| {
            let plain = text(args, 1);
            if plain.is_empty() {
                return Ok(Value::from(""));
            }
            context.charge(plain.len().saturating_mul(2))?;
            let mut vector = [0; BLOCK];
            context.environment().fill_random(&mut vector);
            let sealed = encrypt(text(args, 0), vector, plain);
            Ok(Value::from(
                base64::engine::general_purpose::STANDARD.encode(sealed),
            ))
        }),
        row("decryptAES", TEXT2, |context, args| {
            context.charge(text(args, 1).len())?;
            decrypt(text(args, 0), text(args, 1))
        }),
    ]
}

/// The password cut or filled up with zeros to 32 bytes.
fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0; 32];
    let length = password.len().min(32);
    key[..length].copy_from_slice(&password[..length]);
    Aes256::new(&Array::from(key))
}

fn encrypt(password: &[u8], vector: [u8; BLOCK], plain: &[u8]) -> Vec<u8> {
    let cipher = cipher(password);
    let padding = BLOCK - plain.len() % BLOCK;
    let mut padded = plain.to_vec();
    padded.resize(plain.len() + padding, padding as u8);
    let mut out = vector.to_vec();
    let mut previous = vector;
    for chunk in padded.chunks_exact(BLOCK) {
        let mut block = [0; BLOCK];
        for (index, byte) in block.iter_mut().enumerate() {
            *byte = chunk[index] ^ previous[index];
        }
        let mut sealed = Array::from(block);
        cipher.encrypt_block(&mut sealed);
        previous = sealed.into();
        out.extend_from_slice(&previous);
    }
    out
}

/// Decrypts; what would make Go panic errs with the text of that panic.
fn decrypt(password: &[u8], encoded: &[u8]) -> Result {
    if encoded.is_empty() {
        return Ok(Value::from(""));
    }
    let sealed = decode_base64(encoded).map_err(CallError::new)?;
    let length = sealed.len();
    if length < BLOCK {
        // Go slices up to the capacity of its buffer before it looks at the length.
        let capacity = encoded.len() / 4 * 3;
        return Err(CallError::new(if capacity < BLOCK {
            format!("runtime error: slice bounds out of range [:{BLOCK}] with capacity {capacity}")
        } else {
            format!("runtime error: slice bounds out of range [{BLOCK}:{length}]")
        }));
    }
    if length % BLOCK != 0 {
        return Err(CallError::new("crypto/cipher: input not full blocks"));
    }
    let cipher = cipher(password);
    let mut plain = Vec::with_capacity(length);
    for (previous, chunk) in sealed
        .chunks_exact(BLOCK)
        .zip(sealed.chunks_exact(BLOCK).skip(1))
    {
        let mut block = [0; BLOCK];
        block.copy_from_slice(chunk);
        let mut opened = Array::from(block);
        cipher.decrypt_block(&mut opened);
        plain.extend(opened.iter().zip(previous).map(|(byte, mask)| byte ^ mask));
    }
    let Some(padding) = plain.last().copied() else {
        return Err(CallError::new("runtime error: index out of range [-1]"));
    };
    let kept = plain.len() as i64 - i64::from(padding);
    match usize::try_from(kept) {
        Ok(kept) => {
            plain.truncate(kept);
            Ok(Value::string(plain))
        }
        Err(_) => Err(CallError::new(format!(
            "runtime error: slice bounds out of range [:{kept}]"
        ))),
    }
}
