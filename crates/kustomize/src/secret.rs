//! The data of Secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yaml::{Kind, Node};

use crate::error::Result;
use crate::field;

/// Base64 in lines of 70 characters, as the generators write it.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < LINE {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    for line in encoded.as_bytes().chunks(LINE) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    lines
}

/// The Secret with `stringData` moved into `data`, as the API server stores it.
pub(crate) fn with_encoded_string_data(secret: &Node) -> Result<Node> {
    let mut secret = secret.clone();
    let Some(texts) = secret.remove("stringData").filter(|node| !node.is_null()) else {
        return Ok(secret);
    };
    field::expect_kind(&texts, Kind::Mapping).map_err(|error| error.wrap("read stringData"))?;
    let mut pairs: Vec<_> = texts.pairs().collect();
    pairs.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    for (key, value) in pairs {
        if value.kind != Kind::Scalar {
            let key = &key.value;
            return Err(format!(
                "read stringData: stringData value for key {key:?} must be a scalar"
            )
            .into());
        }
        let text = if value.is_null() {
            ""
        } else {
            value.value.as_str()
        };
        if let Some(data) = field::get_or_create(&mut secret, "data", Kind::Mapping)? {
            field::set_field(
                data,
                &key.value,
                field::string_node(&encode(text.as_bytes())),
            )?;
        }
    }
    Ok(secret)
}
