//! Time and chance: the two things a test wants to hold still.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::Rng as _;

/// Where a server takes the time, uids and random suffixes from.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;
    /// A new uid, such as `6f3a…-…`.
    fn uid(&self) -> String;
    /// The five letters that follow `metadata.generateName` (apimachinery, `util/rand`).
    fn suffix(&self) -> String;
}

/// Seconds since 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs() as i64
}

/// A time as Kubernetes prints it: RFC 3339 in UTC, whole seconds.
pub fn rfc3339(time: SystemTime) -> String {
    rfc3339_seconds(unix_seconds(time))
}

/// The same from seconds since 1970.
pub(crate) fn rfc3339_seconds(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| "1970-01-01T00:00:00Z".to_owned(),
        |stamp| stamp.to_string(),
    )
}

/// Reads such a time, as seconds since 1970.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let stamp: jiff::Timestamp = text.parse().ok()?;
    Some(stamp.as_second())
}

/// The machine's own clock and random source.
pub(crate) fn system() -> Arc<dyn Clock> {
    Arc::new(System)
}

struct System;

/// The letters of random suffixes: no vowels and no look-alikes, so that no words appear
/// (apimachinery, `util/rand.alphanums`).
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Clock for System {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn uid(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }

    fn suffix(&self) -> String {
        let mut random = rand::rng();
        (0..5)
            .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
            .collect()
    }
}
