//! CronJobs: a Job when the schedule says so.
//!
//! Source: Kubernetes `pkg/controller/cronjob`. Schedules are read in UTC.

use std::time::Duration;

use object::{GroupVersionResource, Value, meta};
use serde_json::json;

use super::Next;
use super::world::{World, owner_reference};
use crate::error::ApiError;

/// The fields of a schedule: minute, hour, day of month, month, day of week, as sets of bits.
struct Schedule([u64; 5]);

/// The bounds of the fields.
const BOUNDS: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];

impl Schedule {
    fn parse(text: &str) -> Option<Self> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let mut sets = [0; 5];
        if fields.len() != sets.len() {
            return None;
        }
        for (index, field) in fields.iter().enumerate() {
            sets[index] = parse_field(field, BOUNDS[index])?;
        }
        // Sunday is 0 and 7.
        sets[4] |= sets[4] >> 7 & 1;
        Some(Self(sets))
    }

    fn matches(&self, time: jiff::civil::DateTime) -> bool {
        let has = |field: usize, value: i8| self.0[field] >> value & 1 == 1;
        has(0, time.minute())
            && has(1, time.hour())
            && has(2, time.day())
            && has(3, time.month())
            && has(4, time.weekday().to_sunday_zero_offset())
    }
}

fn parse_field(text: &str, (low, high): (u32, u32)) -> Option<u64> {
    let mut set = 0;
    for part in text.split(',') {
        let (range, step) = part
            .split_once('/')
            .map_or((part, Some(1)), |(range, step)| (range, step.parse().ok()));
        let (from, to) = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => (low, high),
            Some((from, to)) => (named(from)?, named(to)?),
            None if part.contains('/') => (named(range)?, high),
            None => (named(range)?, named(range)?),
        };
        let step = step.filter(|step| *step > 0)?;
        if from < low || to > high {
            return None;
        }
        set |= (from..=to)
            .step_by(step)
            .fold(0, |set, value| set | 1 << value);
    }
    Some(set)
}

/// A number, or the name of a month or day.
fn named(text: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let lower = text.to_ascii_lowercase();
    text.parse()
        .ok()
        .or_else(|| {
            MONTHS
                .iter()
                .position(|name| *name == lower)
                .map(|index| index as u32 + 1)
        })
        .or_else(|| {
            DAYS.iter()
                .position(|name| *name == lower)
                .map(|index| index as u32)
        })
}

pub(super) async fn step(world: &World, cron: &Value) -> Result<Next, ApiError> {
    let schedule = cron
        .pointer("/spec/schedule")
        .and_then(Value::as_str)
        .and_then(Schedule::parse);
    let suspended = cron.pointer("/spec/suspend") == Some(&Value::Bool(true));
    let now = world.core.now();
    let (Some(schedule), Ok(time), false) = (schedule, now.parse::<jiff::Timestamp>(), suspended)
    else {
        return Ok(None);
    };
    let seconds = time.as_second();
    let minute = seconds - seconds.rem_euclid(60);
    let at = jiff::Timestamp::from_second(minute)
        .map_err(|error| ApiError::internal(error.to_string()))?;
    let due = schedule.matches(at.to_zoned(jiff::tz::TimeZone::UTC).datetime());
    let made = cron
        .pointer("/metadata/creationTimestamp")
        .and_then(Value::as_str);
    let is_older = made
        .and_then(|text| text.parse::<jiff::Timestamp>().ok())
        .is_some_and(|made| made.as_second() < minute);
    let last = cron
        .pointer("/status/lastScheduleTime")
        .and_then(Value::as_str);
    if due && is_older && last != Some(at.to_string().as_str()) {
        make_job(world, cron, minute, &at.to_string()).await?;
    }
    Ok(Some(Duration::from_secs(
        (minute + 60 - seconds).max(1).unsigned_abs(),
    )))
}

async fn make_job(world: &World, cron: &Value, minute: i64, at: &str) -> Result<(), ApiError> {
    let jobs = GroupVersionResource::new("batch", "v1", "jobs");
    let template = &cron["spec"]["jobTemplate"];
    let name = format!("{}-{}", meta::name(cron), minute / 60);
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "namespace": meta::namespace(cron), "ownerReferences": [owner_reference(cron)],
            "annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": at}},
        "spec": template["spec"]});
    for key in ["labels", "annotations"] {
        for (name, value) in template
            .pointer(&format!("/metadata/{key}"))
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            job["metadata"][key][name] = value.clone();
        }
    }
    match world
        .manager
        .create(&jobs, meta::namespace(cron), job)
        .await
    {
        Err(error) if !error.is_already_exists() => return Err(error),
        _ => {}
    }
    let mut status = cron["status"].clone();
    status["lastScheduleTime"] = json!(at);
    let cron_jobs = GroupVersionResource::new("batch", "v1", "cronjobs");
    world
        .set_status(&world.manager, &cron_jobs, cron, status)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_match_their_minutes() {
        let at = |text: &str| text.parse::<jiff::civil::DateTime>().unwrap();
        for (schedule, time, expected) in [
            ("* * * * *", "2024-02-03T04:05:00", true),
            ("*/5 4 * * *", "2024-02-03T04:05:00", true),
            ("*/10 4 * * *", "2024-02-03T04:05:00", false),
            ("5 4 3 feb sat", "2024-02-03T04:05:00", true),
            ("5 4 * * 7", "2024-02-04T04:05:00", true),
            ("@daily", "2024-02-04T00:00:00", true),
            ("0-10,30 * * * mon-fri", "2024-02-05T09:30:00", true),
        ] {
            assert_eq!(
                Schedule::parse(schedule).unwrap().matches(at(time)),
                expected,
                "{schedule} at {time}"
            );
        }
        for bad in ["", "* * * *", "60 * * * *", "*/0 * * * *", "x * * * *"] {
            assert!(Schedule::parse(bad).is_none(), "{bad:?}");
        }
    }
}
