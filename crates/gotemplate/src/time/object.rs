//! Times, durations, months and weekdays as values of templates, with their methods.

use std::any::Any;
use std::borrow::Cow;

use super::civil::{MONTH_NAMES, WEEKDAY_NAMES, days_from_date};
use super::{Duration, Time, Zone};
use crate::function::{CallError, Param, Signature};
use crate::text::Str;
use crate::value::{Kind, Object, TimeValue, Value};

const NONE: Signature = Signature::new(&[]);
const FORMAT: Signature = Signature::new(&[Param::String]);
const OTHER: Signature = Signature::new(&[Param::Object("time.Time")]);
const ADD: Signature = Signature::new(&[Param::Object("time.Duration")]);
const ADD_DATE: Signature = Signature::new(&[Param::Int, Param::Int, Param::Int]);

fn int(value: impl Into<i64>) -> Result<Value, CallError> {
    Ok(Value::int(value.into()))
}

fn time(time: Time) -> Result<Value, CallError> {
    Ok(Value::Object(std::sync::Arc::new(TimeValue(time))))
}

impl Object for TimeValue {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("time.Time")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        Some(match name {
            "Year" | "Month" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "YearDay"
            | "Weekday" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "UTC" | "Local"
            | "IsZero" | "String" | "IsDST" => &NONE,
            "Format" => &FORMAT,
            "Before" | "After" | "Equal" | "Sub" | "Compare" => &OTHER,
            "Add" => &ADD,
            "AddDate" => &ADD_DATE,
            _ => return None,
        })
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let civil = self.0.civil();
        let nanoseconds =
            i128::from(self.0.seconds) * 1_000_000_000 + i128::from(self.0.nanoseconds);
        match (name, args) {
            ("Year", _) => int(civil.year),
            ("Month", _) => Ok(Value::Object(std::sync::Arc::new(MonthValue(civil.month)))),
            ("Weekday", _) => Ok(Value::Object(std::sync::Arc::new(WeekdayValue(
                civil.weekday(),
            )))),
            ("Day", _) => int(civil.day),
            ("Hour", _) => int(civil.hour),
            ("Minute", _) => int(civil.minute),
            ("Second", _) => int(civil.second),
            ("Nanosecond", _) => int(self.0.nanoseconds),
            ("YearDay", _) => int(civil.year_day()),
            ("Unix", _) => Ok(Value::int64(self.0.seconds)),
            ("UnixMilli", _) => Ok(Value::int64((nanoseconds.div_euclid(1_000_000)) as i64)),
            ("UnixMicro", _) => Ok(Value::int64((nanoseconds.div_euclid(1_000)) as i64)),
            ("UnixNano", _) => Ok(Value::int64(nanoseconds as i64)),
            ("UTC" | "Local", _) => time(self.0.in_zone(Zone::Utc)),
            ("IsZero", _) => Ok(Value::Bool(self.0.is_zero())),
            ("IsDST", _) => Ok(Value::Bool(false)),
            ("String", _) => Ok(Value::string(self.0.text())),
            ("Format", [Value::String(layout)]) => {
                Ok(Value::string(self.0.format(layout.as_bytes())))
            }
            (
                "AddDate",
                [
                    Value::Int(_, years),
                    Value::Int(_, months),
                    Value::Int(_, days),
                ],
            ) => time(self.add_date(*years, *months, *days)),
            ("Add", [duration]) => {
                let duration = duration
                    .downcast::<DurationValue>()
                    .map_or(Duration(0), |value| value.0);
                time(self.0.add(duration))
            }
            (_, [other]) => self.against(name, other),
            _ => Err(CallError::new(format!("{name} is not a method"))),
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn text(&self) -> Option<Str> {
        Some(Str::from(self.0.text()))
    }

    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        let mut out = vec![b'"'];
        out.extend(self.0.format(b"2006-01-02T15:04:05.999999999Z07:00"));
        out.push(b'"');
        Some(Ok(out))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other
            .as_any()
            .downcast_ref::<TimeValue>()
            .is_some_and(|other| {
                self.0.seconds == other.0.seconds && self.0.nanoseconds == other.0.nanoseconds
            })
    }
}

impl TimeValue {
    fn against(&self, name: &str, other: &Value) -> Result<Value, CallError> {
        let Some(other) = other.downcast::<TimeValue>() else {
            return Err(CallError::new("not a time"));
        };
        let difference = self.0.since(&other.0);
        Ok(match name {
            "Before" => Value::Bool(difference.0 < 0),
            "After" => Value::Bool(difference.0 > 0),
            "Equal" => Value::Bool(difference.0 == 0),
            "Compare" => Value::int(difference.0.signum()),
            _ => Value::Object(std::sync::Arc::new(DurationValue(difference))),
        })
    }

    fn add_date(&self, years: i64, months: i64, days: i64) -> Time {
        let civil = self.0.civil();
        let (_, offset) = self.0.zone.at(self.0.seconds);
        let date = days_from_date(
            civil.year.saturating_add(years),
            i64::from(civil.month).saturating_add(months),
            i64::from(civil.day),
        )
        .saturating_add(days);
        let clock = i64::from(civil.hour * 3600 + civil.minute * 60 + civil.second);
        let local = date.saturating_mul(86_400).saturating_add(clock);
        let guess = local.saturating_sub(i64::from(offset));
        let (_, offset) = self.0.zone.at(guess);
        Time {
            seconds: local.saturating_sub(i64::from(offset)),
            monotonic: None,
            ..self.0.clone()
        }
    }
}

/// A `time.Duration`.
#[derive(Clone, Copy, Debug)]
pub struct DurationValue(pub Duration);

/// A `time.Month`.
#[derive(Clone, Copy, Debug)]
pub struct MonthValue(pub u32);

/// A `time.Weekday`.
#[derive(Clone, Copy, Debug)]
pub struct WeekdayValue(pub usize);

impl Object for DurationValue {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("time.Duration")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Int64
    }

    fn is_true(&self) -> bool {
        self.0.0 != 0
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::int64(self.0.0))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        matches!(
            name,
            "String"
                | "Hours"
                | "Minutes"
                | "Seconds"
                | "Milliseconds"
                | "Microseconds"
                | "Nanoseconds"
        )
        .then_some(&NONE)
    }

    fn call(&self, name: &str, _args: &[Value]) -> Result<Value, CallError> {
        let nanoseconds = self.0.0;
        let parts = |unit: i64| {
            let whole = nanoseconds / unit;
            let rest = nanoseconds % unit;
            Value::Float(whole as f64 + rest as f64 / unit as f64)
        };
        Ok(match name {
            "String" => Value::from(self.0.text()),
            "Hours" => parts(3_600_000_000_000),
            "Minutes" => parts(60_000_000_000),
            "Seconds" => parts(1_000_000_000),
            "Milliseconds" => Value::int64(nanoseconds / 1_000_000),
            "Microseconds" => Value::int64(nanoseconds / 1_000),
            _ => Value::int64(nanoseconds),
        })
    }

    fn text(&self) -> Option<Str> {
        Some(Str::from(self.0.text()))
    }

    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        Some(Ok(self.0.0.to_string().into_bytes()))
    }
}

impl Object for MonthValue {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("time.Month")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Int
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::int(i64::from(self.0)))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        (name == "String").then_some(&NONE)
    }

    fn call(&self, _name: &str, _args: &[Value]) -> Result<Value, CallError> {
        Ok(Value::from(MONTH_NAMES[(self.0 - 1) as usize]))
    }

    fn text(&self) -> Option<Str> {
        Some(Str::from(MONTH_NAMES[(self.0 - 1) as usize]))
    }

    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        Some(Ok(self.0.to_string().into_bytes()))
    }
}

impl Object for WeekdayValue {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("time.Weekday")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Int
    }

    fn is_true(&self) -> bool {
        self.0 != 0
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::int(self.0 as i64))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        (name == "String").then_some(&NONE)
    }

    fn call(&self, _name: &str, _args: &[Value]) -> Result<Value, CallError> {
        Ok(Value::from(WEEKDAY_NAMES[self.0]))
    }

    fn text(&self) -> Option<Str> {
        Some(Str::from(WEEKDAY_NAMES[self.0]))
    }

    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        Some(Ok(self.0.to_string().into_bytes()))
    }
}
