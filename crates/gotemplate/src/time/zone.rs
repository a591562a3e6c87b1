//! Time zones: UTC, fixed offsets, and the named ones of the bundled tz database.

use std::fmt;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A time zone: Go's `time.Location`.
#[derive(Clone)]
pub enum Zone {
    /// UTC, and the local zone: templates are rendered as if `TZ` were UTC.
    Utc,
    /// A fixed offset in seconds east of UTC, with its abbreviation.
    Fixed(String, i32),
    /// A zone of the tz database.
    Named(TimeZone),
}

impl Zone {
    /// The zone of a name: `UTC`, `Local` or one of the tz database, spelt exactly.
    ///
    /// Source: time `LoadLocation`.
    pub fn load(name: &str) -> Option<Zone> {
        static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
        if matches!(name, "" | "UTC" | "Local") {
            return Some(Zone::Utc);
        }
        let zone = DATABASE
            .get_or_init(TimeZoneDatabase::bundled)
            .get(name)
            .ok()?;
        // Go opens a file of that name: capitals matter.
        (zone.iana_name() == Some(name)).then_some(Zone::Named(zone))
    }

    /// Abbreviation and offset in seconds east of UTC at a moment.
    pub fn at(&self, seconds: i64) -> (String, i32) {
        match self {
            Zone::Utc => ("UTC".to_owned(), 0),
            Zone::Fixed(name, offset) => (name.clone(), *offset),
            Zone::Named(zone) => {
                let bounds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
                let within = seconds.clamp(*bounds.start(), *bounds.end());
                match Timestamp::from_second(within) {
                    Ok(moment) => {
                        let info = zone.to_offset_info(moment);
                        (info.abbreviation().to_owned(), info.offset().seconds())
                    }
                    Err(_) => ("UTC".to_owned(), 0),
                }
            }
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Utc => f.write_str("UTC"),
            Zone::Fixed(name, offset) => write!(f, "{name}{offset:+}"),
            Zone::Named(zone) => f.write_str(zone.iana_name().unwrap_or("?")),
        }
    }
}
