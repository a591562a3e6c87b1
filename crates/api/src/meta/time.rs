//! Points in time as the Kubernetes API prints them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::json;

use crate::schema::{Schema, Shape};

/// A point in time to the second, written `2026-01-02T15:04:05Z`: `metav1.Time`.
///
/// Fractions of a second and offsets are read, but not written. The default is 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

/// The text is not a time in the form of RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time such as 2026-01-02T15:04:05Z")]
pub struct TimeError(String);

impl Time {
    /// The point in time, without its fraction of a second.
    pub fn new(timestamp: Timestamp) -> Self {
        Self(Timestamp::from_second(timestamp.as_second()).unwrap_or(timestamp))
    }

    /// The point in time `seconds` after 1970, within the years -9999 to 9999.
    pub fn from_unix(seconds: i64) -> Self {
        let (low, high) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Self(Timestamp::from_second(seconds.clamp(low, high)).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The point in time for arithmetic.
    pub const fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl Default for Time {
    fn default() -> Self {
        Self(Timestamp::UNIX_EPOCH)
    }
}

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        Self::new(timestamp)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}

impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = || TimeError(text.to_owned());
        // jiff also takes a blank or a small t between date and time, Go does not.
        if text.as_bytes().get(10) != Some(&b'T') {
            return Err(error());
        }
        text.parse().map(Self::new).map_err(|_| error())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Shape for Time {
    fn schema() -> Schema {
        let mut schema = Schema::of_type("string");
        schema.set("format", json!("date-time"));
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_utc_seconds() {
        for (text, written) in [
            ("2026-01-02T15:04:05Z", "2026-01-02T15:04:05Z"),
            ("2026-01-02T15:04:05.999Z", "2026-01-02T15:04:05Z"),
            ("2026-01-02T15:04:05+02:00", "2026-01-02T13:04:05Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), written);
        }
        assert_eq!(Time::from_unix(0), Time::default());
    }

    #[test]
    fn refuses_other_forms() {
        for text in [
            "",
            "now",
            "2026-01-02",
            "2026-01-02 15:04:05Z",
            "2026-13-02T15:04:05Z",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
