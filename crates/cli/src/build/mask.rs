//! Hiding what is encrypted in Secrets, as it cannot be decrypted here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

const MASK: &str = "**SOPS**";
const DOCKER_MASK: &str = r#"{"mask":"**SOPS**"}"#;
const DOCKER_CONFIG: &str = "kubernetes.io/dockerconfigjson";

/// Masks the encrypted values of a Secret, and drops the keys to them.
///
/// # Errors
/// A value of `data` is no base64.
pub(super) fn mask_encrypted(object: &mut Value) -> Result<(), String> {
    if object["kind"] != "Secret" {
        return Ok(());
    }
    let mut data = texts(&object["data"]);
    let mut string_data = texts(&object["stringData"]);
    let written = yaml::from_json(object);
    if written.contains("sops:") && written.contains("mac: ENC[") {
        let is_docker = object["type"] == DOCKER_CONFIG;
        let mask = if is_docker { DOCKER_MASK } else { MASK };
        if let Some(object) = object.as_object_mut() {
            object.remove("sops");
        }
        set_all(&mut data, &STANDARD.encode(mask));
        set_all(&mut string_data, mask);
    } else {
        mask_files(object, &mut data)?;
        for value in string_data.values_mut() {
            if value
                .as_str()
                .is_some_and(|text| is_encrypted(text.as_bytes()))
            {
                *value = STANDARD.encode(MASK).into();
            }
        }
    }
    let Some(object) = object.as_object_mut() else {
        return Ok(());
    };
    if data.is_empty() {
        object.remove("data");
    } else {
        object.insert("data".to_owned(), Value::Object(data));
    }
    if !string_data.is_empty() {
        object.insert("stringData".to_owned(), Value::Object(string_data));
    }
    Ok(())
}

/// The values of a map as the texts they are written as.
fn texts(value: &Value) -> Map<String, Value> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .map(|(key, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
                other => other.to_string(),
            };
            (key.clone(), Value::String(text))
        })
        .collect()
}

fn set_all(map: &mut Map<String, Value>, text: &str) {
    for value in map.values_mut() {
        *value = text.into();
    }
}

/// Masks values that hold an encrypted file.
fn mask_files(object: &Value, data: &mut Map<String, Value>) -> Result<(), String> {
    for value in data.values_mut() {
        let text = value.as_str().unwrap_or_default();
        if let Some(at) = first_corrupt(text.as_bytes()) {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            return Err(format!(
                "failed to mask secret {name} sops data: illegal base64 data at input byte {at}"
            ));
        }
        let compact: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        let content = STANDARD.decode(compact).unwrap_or_default();
        if is_encrypted(&content) {
            *value = STANDARD.encode(MASK).into();
        }
    }
    Ok(())
}

fn is_encrypted(content: &[u8]) -> bool {
    let has = |part: &[u8]| content.windows(part.len()).any(|window| window == part);
    has(b"sops") && has(b"ENC[")
}

/// Where Go's decoder finds the first byte that is no base64; line breaks are passed over.
fn first_corrupt(text: &[u8]) -> Option<usize> {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let mut at = 0;
    let mut digits = 0;
    while let Some(byte) = text.get(at).copied() {
        at += 1;
        if is_digit(byte) {
            digits = (digits + 1) % 4;
            continue;
        }
        if is_break(&byte) {
            continue;
        }
        if byte != b'=' || digits < 2 {
            return Some(at - 1);
        }
        let skip = |at: usize| at + text[at..].iter().take_while(|byte| is_break(byte)).count();
        if digits == 2 {
            at = skip(at);
            match text.get(at) {
                None => return Some(text.len()),
                Some(b'=') => at += 1,
                Some(_) => return Some(at - 1),
            }
        }
        at = skip(at);
        return (at < text.len()).then_some(at);
    }
    (digits != 0).then(|| text.len() - digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrupt_base64_is_found_where_go_finds_it() {
        for (text, expected) in [
            ("", None),
            ("YWJj", None),
            ("YW\nJj\n", None),
            ("YQ==", None),
            ("YWI=", None),
            ("ENC[A", Some(3)),
            ("YWJ", Some(0)),
            ("YWJjZ", Some(4)),
            ("YQ=", Some(3)),
            ("YQ=x", Some(2)),
            ("YQ==x", Some(4)),
            ("Y===", Some(1)),
        ] {
            assert_eq!(first_corrupt(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn encrypted_secrets_are_masked() {
        let mut secret = serde_json::json!({
            "kind": "Secret", "metadata": {"name": "s"}, "type": "Opaque",
            "data": {"a": "ENC[x]"}, "stringData": {"b": "ENC[y]"},
            "sops": {"mac": "ENC[z]"},
        });
        mask_encrypted(&mut secret).unwrap();
        assert_eq!(secret["data"]["a"], "KipTT1BTKio=");
        assert_eq!(secret["stringData"]["b"], "**SOPS**");
        assert!(secret.get("sops").is_none());
        let mut broken =
            serde_json::json!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "!"}});
        assert_eq!(
            mask_encrypted(&mut broken).unwrap_err(),
            "failed to mask secret s sops data: illegal base64 data at input byte 0"
        );
    }
}
