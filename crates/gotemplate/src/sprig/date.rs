//! Dates and durations. Source: sprig `date.go`.

use std::sync::Arc;

use super::args::text;
use super::{Result, Row, row};
use crate::exec::Context;
use crate::function::{CallError, Param, Signature};
use crate::text::lossy;
use crate::time::{Duration, Time, Zone, parse_duration, parse_in};
use crate::value::{IntKind, TimeValue, Value};

const TEXT: Signature = Signature::new(&[Param::String]);
const TEXT2: Signature = Signature::new(&[Param::String, Param::String]);
const ANY: Signature = Signature::new(&[Param::Any]);
const TIME: Param = Param::Object("time.Time");
const MODIFY: Signature = Signature::new(&[Param::String, TIME]);
const IN_ZONE: Signature = Signature::new(&[Param::String, Param::Any, Param::String]);

/// The layout of an HTML date.
const HTML: &[u8] = b"2006-01-02";

pub(super) fn functions() -> Vec<Row> {
    vec![
        row("now", Signature::new(&[]), |context, _| {
            time(context.environment().now())
        }),
        row(
            "date",
            Signature::new(&[Param::String, Param::Any]),
            |context, args| Ok(in_zone(context, text(args, 0), &args[1], b"Local")),
        ),
        row("htmlDate", ANY, |context, args| {
            Ok(in_zone(context, HTML, &args[0], b"Local"))
        }),
        row(
            "htmlDateInZone",
            Signature::new(&[Param::Any, Param::String]),
            |context, args| Ok(in_zone(context, HTML, &args[0], text(args, 1))),
        ),
        row("dateInZone", IN_ZONE, date_in_zone),
        row("date_in_zone", IN_ZONE, date_in_zone),
        row("dateModify", MODIFY, |_, args| modify(args, false)),
        row("date_modify", MODIFY, |_, args| modify(args, false)),
        row("mustDateModify", MODIFY, |_, args| modify(args, true)),
        row("must_date_modify", MODIFY, |_, args| modify(args, true)),
        row("toDate", TEXT2, |_, args| to_date(args, false)),
        row("mustToDate", TEXT2, |_, args| to_date(args, true)),
        row("ago", ANY, |context, args| {
            let then = moment(context, &args[0], false);
            let since = context.environment().now().since(&then);
            Ok(Value::from(since.round(Duration(1_000_000_000)).text()))
        }),
        row("unixEpoch", Signature::new(&[TIME]), |_, args| {
            let seconds = args[0]
                .downcast::<TimeValue>()
                .map_or(0, |time| time.0.seconds);
            Ok(Value::from(seconds.to_string()))
        }),
        row("duration", ANY, |_, args| {
            let seconds = match &args[0] {
                Value::String(text) => crate::strconv::parse_int(text.as_bytes(), 10)
                    .unwrap_or_else(|error| out_of_range(error, text.as_bytes())),
                Value::Int(IntKind::Int64, seconds) => *seconds,
                _ => 0,
            };
            Ok(Value::from(
                Duration(seconds.wrapping_mul(1_000_000_000)).text(),
            ))
        }),
        row("durationRound", ANY, duration_round),
        row("env", TEXT, |context, args| {
            Ok(Value::from(
                context.environment().variable(&lossy(text(args, 0))),
            ))
        }),
        row("expandenv", TEXT, |context, args| {
            Ok(Value::from(expand(context, &lossy(text(args, 0)))))
        }),
        row("getHostByName", TEXT, |context, args| {
            Ok(Value::from(
                context.environment().host_address(&lossy(text(args, 0))),
            ))
        }),
    ]
}

/// What Go's parser gives beside its error: the nearest number, or 0.
fn out_of_range(error: crate::strconv::ParseNumberError, text: &[u8]) -> i64 {
    match error {
        crate::strconv::ParseNumberError::Syntax => 0,
        crate::strconv::ParseNumberError::Range if text.starts_with(b"-") => i64::MIN,
        crate::strconv::ParseNumberError::Range => i64::MAX,
    }
}

fn time(time: Time) -> Result {
    Ok(Value::Object(Arc::new(TimeValue(time))))
}

/// A time, or a number of seconds since 1970; now for anything else, a float also.
fn moment(context: &Context<'_>, value: &Value, int32: bool) -> Time {
    match value {
        Value::Int(IntKind::Int | IntKind::Int64, seconds) => Time::unix(*seconds, 0),
        Value::Int(IntKind::Int32, seconds) if int32 => Time::unix(*seconds, 0),
        _ => match value.downcast::<TimeValue>() {
            Some(time) => time.0.clone(),
            None => context.environment().now(),
        },
    }
}

fn in_zone(context: &Context<'_>, layout: &[u8], value: &Value, zone: &[u8]) -> Value {
    let zone = std::str::from_utf8(zone)
        .ok()
        .and_then(Zone::load)
        .unwrap_or(Zone::Utc);
    Value::string(moment(context, value, true).in_zone(zone).format(layout))
}

fn date_in_zone(context: &mut Context<'_>, args: &[Value]) -> Result {
    Ok(in_zone(context, text(args, 0), &args[1], text(args, 2)))
}

fn modify(args: &[Value], strict: bool) -> Result {
    let Some(date) = args[1].downcast::<TimeValue>() else {
        return Err(CallError::new("not a time"));
    };
    match parse_duration(text(args, 0)) {
        Ok(duration) => time(date.0.add(duration)),
        Err(error) if strict => Err(CallError::new(error)),
        Err(_) => Ok(args[1].clone()),
    }
}

fn to_date(args: &[Value], strict: bool) -> Result {
    match parse_in(text(args, 0), text(args, 1), &Zone::Utc) {
        Ok(moment) => time(moment),
        Err(error) if strict => Err(CallError::new(error)),
        Err(_) => {
            // Go's zero time is in UTC, which prints the same.
            time(Time::zero())
        }
    }
}

fn duration_round(context: &mut Context<'_>, args: &[Value]) -> Result {
    const HOUR: u64 = 3_600_000_000_000;
    let duration = match &args[0] {
        Value::String(text) => parse_duration(text.as_bytes()).map_or(0, |duration| duration.0),
        Value::Int(IntKind::Int64, nanoseconds) => *nanoseconds,
        value => value
            .downcast::<TimeValue>()
            .map_or(0, |time| context.environment().now().since(&time.0).0),
    };
    let size = duration.unsigned_abs();
    let units = [
        (HOUR * 24 * 365, "y"),
        (HOUR * 24 * 30, "mo"),
        (HOUR * 24, "d"),
        (HOUR, "h"),
        (HOUR / 60, "m"),
        (HOUR / 3600, "s"),
    ];
    let rounded = units.into_iter().find(|(unit, _)| size > *unit);
    Ok(Value::from(match rounded {
        Some((unit, name)) => format!("{}{name}", size / unit),
        None => "0s".to_owned(),
    }))
}

/// `$NAME` and `${NAME}` replaced: Go's `os.ExpandEnv`.
fn expand(context: &Context<'_>, whole: &str) -> String {
    let mut out = String::with_capacity(whole.len());
    let mut rest = whole;
    while let Some(dollar) = rest.find('$') {
        let after = &rest[dollar + 1..];
        out.push_str(&rest[..dollar]);
        let is_special = |char: char| {
            matches!(char, '*' | '#' | '$' | '@' | '!' | '?' | '-') || char.is_ascii_digit()
        };
        if let Some(braced) = after.strip_prefix('{') {
            match braced.find('}') {
                Some(end) => {
                    if end > 0 {
                        out.push_str(&context.environment().variable(&braced[..end]));
                    }
                    rest = &braced[end + 1..];
                }
                None => rest = braced,
            }
            continue;
        }
        let length = match after.chars().next() {
            Some(char) if is_special(char) => 1,
            _ => after
                .bytes()
                .take_while(|byte| *byte == b'_' || byte.is_ascii_alphanumeric())
                .count(),
        };
        if length == 0 {
            out.push('$');
        } else {
            out.push_str(&context.environment().variable(&after[..length]));
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    out
}
