//! base64, base32 and checksums. Source: sprig `strings.go`, `crypto.go`, encoding/base64, encoding/base32.

use base64::Engine as _;
use sha2::Digest as _;

use super::args::text;
use super::{Row, row};
use crate::function::{Param, Signature};
use crate::value::Value;

const TEXT: Signature = Signature::new(&[Param::String]);

pub(super) fn functions() -> Vec<Row> {
    let charged = |name, size: usize, encode: fn(&[u8]) -> Vec<u8>| {
        row(name, TEXT, move |context, args| {
            context.charge(text(args, 0).len().saturating_mul(size))?;
            Ok(Value::string(encode(text(args, 0))))
        })
    };
    vec![
        charged("b64enc", 2, |bytes| {
            base64::engine::general_purpose::STANDARD
                .encode(bytes)
                .into_bytes()
        }),
        charged("b32enc", 2, encode_base32),
        // An error becomes the result, as upstream has it.
        charged("b64dec", 1, |bytes| {
            decode_base64(bytes).unwrap_or_else(String::into_bytes)
        }),
        charged("b32dec", 1, |bytes| {
            decode_base32(bytes).unwrap_or_else(String::into_bytes)
        }),
        charged("sha1sum", 0, |bytes| hex(&sha1::Sha1::digest(bytes))),
        charged("sha256sum", 0, |bytes| hex(&sha2::Sha256::digest(bytes))),
        charged("sha512sum", 0, |bytes| hex(&sha2::Sha512::digest(bytes))),
        charged("adler32sum", 0, |bytes| {
            adler32(bytes).to_string().into_bytes()
        }),
    ]
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect()
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    high << 16 | low
}

fn base64_digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Decodes standard base64, passing over line ends. The error names the byte, as Go's does.
pub(super) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut position = 0;
    let skip_lines = |mut position: usize| {
        while matches!(text.get(position), Some(b'\n' | b'\r')) {
            position += 1;
        }
        position
    };
    loop {
        // A group of four digits, the last one or two of which may be padding.
        let mut group = [0_u32; 4];
        let mut count = 0;
        let mut padded = false;
        while count < 4 {
            position = skip_lines(position);
            let Some(byte) = text.get(position).copied() else {
                if count == 0 {
                    return Ok(out);
                }
                return corrupt(position - count);
            };
            position += 1;
            if let Some(digit) = base64_digit(byte) {
                group[count] = digit;
                count += 1;
                continue;
            }
            if byte != b'=' || count < 2 {
                return corrupt(position - 1);
            }
            if count == 2 {
                position = skip_lines(position);
                match text.get(position) {
                    None => return corrupt(text.len()),
                    Some(b'=') => position += 1,
                    Some(_) => return corrupt(position - 1),
                }
            }
            position = skip_lines(position);
            if position < text.len() {
                return corrupt(position);
            }
            padded = true;
            break;
        }
        let bits = group[0] << 18 | group[1] << 12 | group[2] << 6 | group[3];
        let bytes = bits.to_be_bytes();
        out.extend_from_slice(&bytes[1..count]);
        if padded {
            return Ok(out);
        }
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode_base32(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut group = [0; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(group);
        let digits = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            out.push(if index < digits {
                BASE32[(bits >> (35 - 5 * index) & 31) as usize]
            } else {
                b'='
            });
        }
    }
    out
}

/// Decodes standard base32, passing over line ends. The error names the byte, as Go's does.
fn decode_base32(given: &[u8]) -> Result<Vec<u8>, String> {
    let text: Vec<u8> = given
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let corrupt = |at: usize| Err(format!("illegal base32 data at input byte {at}"));
    let mut out = Vec::with_capacity(text.len() / 8 * 5);
    let mut rest = &text[..];
    loop {
        if rest.is_empty() {
            return Ok(out);
        }
        let mut bits: u64 = 0;
        let mut count = 0;
        while count < 8 {
            let Some((byte, tail)) = rest.split_first() else {
                // The text ends within a group.
                return corrupt(text.len() - count);
            };
            rest = tail;
            if *byte == b'=' && count >= 2 && rest.len() < 8 {
                if rest.len() + count < 7 {
                    return corrupt(text.len());
                }
                for index in 0..7 - count {
                    if rest.get(index).is_some_and(|byte| *byte != b'=') {
                        return corrupt(text.len() - rest.len() + index - 1);
                    }
                }
                if matches!(count, 1 | 3 | 6) {
                    return corrupt(text.len() - rest.len() - 1);
                }
                bits <<= 5 * (8 - count);
                out.extend_from_slice(&bits.to_be_bytes()[3..3 + count * 5 / 8]);
                return Ok(out);
            }
            let Some(digit) = BASE32.iter().position(|digit| digit == byte) else {
                return corrupt(text.len() - rest.len() - 1);
            };
            bits = bits << 5 | digit as u64;
            count += 1;
        }
        out.extend_from_slice(&bits.to_be_bytes()[3..]);
    }
}
