//! Go's `time`: moments, zones, layouts and durations, as plain values without a clock.

mod civil;
mod duration;
mod layout;
mod object;
mod parse;
mod zone;

pub use civil::{Civil, MONTH_NAMES, WEEKDAY_NAMES};
pub use duration::{Duration, parse_duration};
pub use object::{DurationValue, MonthValue, WeekdayValue};
pub use parse::parse_in;
pub use zone::Zone;

/// A moment with the zone it is shown in: Go's `time.Time`.
#[derive(Clone, Debug)]
pub struct Time {
    /// Seconds since 1970 in UTC.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanoseconds: u32,
    /// The zone.
    pub zone: Zone,
    /// The reading of a monotonic clock in nanoseconds. Only printing shows it (`m=+0.000000001`).
    pub monotonic: Option<i64>,
}

/// Seconds from year 1 to 1970: where Go's zero time lies.
const ZERO_SECONDS: i64 = -62_135_596_800;

impl Time {
    /// A moment in the local zone, which is UTC here, as Go's `time.Unix`.
    pub fn unix(seconds: i64, nanoseconds: u32) -> Time {
        Time {
            seconds,
            nanoseconds,
            zone: Zone::Utc,
            monotonic: None,
        }
    }

    /// Go's zero time: year 1.
    pub fn zero() -> Time {
        Time::unix(ZERO_SECONDS, 0)
    }

    /// Whether this is the zero time.
    pub fn is_zero(&self) -> bool {
        self.seconds == ZERO_SECONDS && self.nanoseconds == 0
    }

    /// The same moment shown in another zone. The monotonic reading is dropped, as in Go.
    pub fn in_zone(&self, zone: Zone) -> Time {
        Time {
            zone,
            monotonic: None,
            ..self.clone()
        }
    }

    /// The moment `duration` later.
    pub fn add(&self, duration: Duration) -> Time {
        let total = i128::from(self.nanoseconds) + i128::from(duration.0);
        let seconds = total.div_euclid(1_000_000_000);
        let nanoseconds = total.rem_euclid(1_000_000_000);
        Time {
            seconds: self.seconds.wrapping_add(seconds as i64),
            nanoseconds: nanoseconds as u32,
            zone: self.zone.clone(),
            monotonic: self
                .monotonic
                .map(|reading| reading.saturating_add(duration.0)),
        }
    }

    /// How much later than `other` this is, at most what a duration holds.
    pub fn since(&self, other: &Time) -> Duration {
        let nanoseconds = (i128::from(self.seconds) - i128::from(other.seconds)) * 1_000_000_000
            + i128::from(self.nanoseconds)
            - i128::from(other.nanoseconds);
        Duration(nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    /// Date and time of day in the zone.
    pub fn civil(&self) -> Civil {
        let (_, offset) = self.zone.at(self.seconds);
        Civil::from_seconds(self.seconds.saturating_add(i64::from(offset)))
    }

    /// The time in a Go layout, such as `2006-01-02 15:04:05`.
    pub fn format(&self, layout: &[u8]) -> Vec<u8> {
        layout::format(self, layout)
    }

    /// What `String()` gives, with the monotonic reading.
    pub fn text(&self) -> Vec<u8> {
        let mut out = self.format(b"2006-01-02 15:04:05.999999999 -0700 MST");
        if let Some(reading) = self.monotonic {
            let sign = if reading < 0 { '-' } else { '+' };
            let size = reading.unsigned_abs();
            out.extend_from_slice(
                format!(
                    " m={sign}{}.{:09}",
                    size / 1_000_000_000,
                    size % 1_000_000_000
                )
                .as_bytes(),
            );
        }
        out
    }
}
