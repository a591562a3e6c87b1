//! Parts of points in time and durations.

use jiff::tz::TimeZone;

use super::super::error::EvalError;
use super::super::time::{Civil, Timestamp};
use super::super::value::{Outcome, Val};
use super::mismatch;

/// Seconds east of UTC at `time` in a zone: `Europe/Berlin`, `+01:00` or `02:30`.
fn offset(time: Timestamp, zone: &str) -> Result<i32, EvalError> {
    let atoi = |text: &str| {
        text.parse::<i32>().map_err(|_| {
            EvalError::new(format!(
                "strconv.Atoi: parsing {}: invalid syntax",
                object::field::quote(text)
            ))
        })
    };
    if let Some((hours, minutes)) = zone.split_once(':') {
        let (hours, minutes) = (atoi(hours)?, atoi(minutes)?);
        let total = if zone.starts_with('-') {
            hours.saturating_mul(60).saturating_sub(minutes)
        } else {
            hours.saturating_mul(60).saturating_add(minutes)
        };
        return Ok(total.saturating_mul(60));
    }
    if matches!(zone, "" | "UTC") {
        return Ok(0);
    }
    let unknown = || EvalError::new(format!("unknown time zone {zone}"));
    let found = TimeZone::get(zone).map_err(|_| unknown())?;
    let time = jiff::Timestamp::from_second(time.seconds).map_err(|_| unknown())?;
    Ok(found.to_offset(time).seconds())
}

pub(super) fn call<'a>(function: &str, args: &[Val<'a>]) -> Outcome<'a> {
    let (time, offset) = match args {
        [Val::Timestamp(time)] => (*time, 0),
        [Val::Timestamp(time), Val::Text(zone)] => (*time, offset(*time, zone)?),
        [Val::Duration(nanos)] => {
            let unit = match function {
                "getHours" => 3_600_000_000_000,
                "getMinutes" => 60_000_000_000,
                "getSeconds" => 1_000_000_000,
                "getMilliseconds" => 1_000_000,
                _ => return Err(mismatch(function, args)),
            };
            return Ok(Val::Int(nanos / unit));
        }
        _ => return Err(mismatch(function, args)),
    };
    let civil: Civil = time.civil(offset);
    Ok(Val::Int(match function {
        "getFullYear" => civil.year,
        "getMonth" => i64::from(civil.month) - 1,
        "getDayOfYear" => i64::from(civil.year_day) - 1,
        "getDayOfMonth" => i64::from(civil.day) - 1,
        "getDate" => i64::from(civil.day),
        "getDayOfWeek" => i64::from(civil.weekday),
        "getHours" => i64::from(civil.hour),
        "getMinutes" => i64::from(civil.minute),
        "getSeconds" => i64::from(civil.second),
        "getMilliseconds" => i64::from(time.nanos / 1_000_000),
        _ => return Err(mismatch(function, args)),
    }))
}
