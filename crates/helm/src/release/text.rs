//! The forms in which Go writes and reads what releases hold.

use gotemplate::json::{EncodeOptions, Numbers};
use gotemplate::{Map, Str, Value};
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What Go writes for a time that was never set.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

pub(super) fn is_zero_time(time: &str) -> bool {
    time.is_empty() || time == ZERO_TIME
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(super) fn is_zero(number: &i64) -> bool {
    *number == 0
}

pub(super) fn is_empty_map(map: &Map) -> bool {
    map.is_empty()
}

/// A time; null and the zero time are none.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let time: Option<String> = Option::deserialize(deserializer)?;
    Ok(time.filter(|time| !is_zero_time(time)).unwrap_or_default())
}

/// A time that is always written.
pub(super) fn write_time<S: Serializer>(time: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if time.is_empty() { ZERO_TIME } else { time })
}

/// A value; null is the empty one.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

pub(super) fn write_map<S: Serializer>(map: &Map, serializer: S) -> Result<S::Ok, S::Error> {
    let options = EncodeOptions {
        escape_html: true,
        pretty: false,
    };
    let json =
        gotemplate::json::encode(&Value::Map(map.clone()), options).map_err(S::Error::custom)?;
    let json = String::from_utf8(json).map_err(S::Error::custom)?;
    RawValue::from_string(json)
        .map_err(S::Error::custom)?
        .serialize(serializer)
}

/// Numbers become floats, as for Go's `map[string]any`.
pub(super) fn read_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
    let raw: Option<Box<RawValue>> = Option::deserialize(deserializer)?;
    let Some(raw) = raw else {
        return Ok(Map::new());
    };
    match gotemplate::json::decode(raw.get().as_bytes(), Numbers::Float) {
        (Value::Map(map), None) => Ok(map),
        (Value::Nil, None) => Ok(Map::new()),
        (_, Some(error)) => Err(D::Error::custom(error)),
        _ => Err(D::Error::custom("values are no mapping")),
    }
}

/// Bytes in base64; none is null.
#[expect(clippy::ref_option, reason = "serde passes references")]
pub(super) fn write_bytes<S: Serializer>(
    bytes: &Option<Str>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use base64::Engine as _;
    match bytes {
        Some(bytes) => serializer
            .serialize_str(&base64::engine::general_purpose::STANDARD.encode(bytes.as_bytes())),
        None => serializer.serialize_none(),
    }
}

pub(super) fn read_bytes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Str>, D::Error> {
    use base64::Engine as _;
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| {
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .map(Str::from)
            .map_err(D::Error::custom)
    })
    .transpose()
}

/// JSON as Go's encoder writes it: the marks of HTML and the line separators are escaped.
pub(super) fn to_go_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(value)?;
    if !json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return Ok(json);
    }
    // These can only stand inside strings.
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    Ok(out)
}
