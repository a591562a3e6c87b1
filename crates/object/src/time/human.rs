//! Durations for the eyes: the AGE column of tables. Source: apimachinery `util/duration` (v0.35).

use super::Duration;

/// Two or three significant figures: `59s`, `2m30s`, `3h5m`, `7d23h`, `2y1d`.
pub fn human(duration: Duration) -> String {
    let seconds = duration.whole_seconds();
    if let Some(text) = before_now(seconds) {
        return text;
    }
    if seconds < 2 * 60 {
        return format!("{seconds}s");
    }
    let minutes = duration.whole_minutes();
    if minutes < 10 {
        return two_units(minutes, 'm', seconds % 60, 's');
    }
    if minutes < 3 * 60 {
        return format!("{minutes}m");
    }
    let hours = duration.whole_hours();
    let days = hours / 24;
    match hours {
        0..8 => two_units(hours, 'h', minutes % 60, 'm'),
        8..48 => format!("{hours}h"),
        48..192 => two_units(days, 'd', hours % 24, 'h'),
        192..17_520 => format!("{days}d"),
        17_520..70_080 => two_units(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

/// One unit: `59s`, `2m`, `3h`, `7d`, `2y`.
pub fn short_human(duration: Duration) -> String {
    let seconds = duration.whole_seconds();
    if let Some(text) = before_now(seconds) {
        return text;
    }
    let (minutes, hours) = (duration.whole_minutes(), duration.whole_hours());
    if seconds < 60 {
        format!("{seconds}s")
    } else if minutes < 60 {
        format!("{minutes}m")
    } else if hours < 24 {
        format!("{hours}h")
    } else if hours < 24 * 365 {
        format!("{}d", hours / 24)
    } else {
        format!("{}y", hours / 24 / 365)
    }
}

/// Clocks may differ by less than two seconds; more than that in the future is no age.
fn before_now(seconds: i64) -> Option<String> {
    match seconds {
        ..=-2 => Some("<invalid>".to_owned()),
        -1 => Some("0s".to_owned()),
        _ => None,
    }
}

fn two_units(first: i64, first_unit: char, second: i64, second_unit: char) -> String {
    if second == 0 {
        return format!("{first}{first_unit}");
    }
    format!("{first}{first_unit}{second}{second_unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_change_at_their_limits() {
        for (seconds, long, short) in [
            (-2, "<invalid>", "<invalid>"),
            (-1, "0s", "0s"),
            (119, "119s", "1m"),
            (180, "3m", "3m"),
            (10_799, "179m", "2h"),
            (10_800, "3h", "3h"),
            (28_799, "7h59m", "7h"),
            (691_200, "8d", "8d"),
            (63_072_000, "2y", "2y"),
            (252_288_000, "8y", "8y"),
        ] {
            let duration = Duration::from_seconds(seconds);
            assert_eq!(human(duration), long, "{seconds}");
            assert_eq!(short_human(duration), short, "{seconds}");
        }
    }
}
