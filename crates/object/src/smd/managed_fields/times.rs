//! The times of entries.
//!
//! Source: apiserver `pkg/endpoints/handlers/fieldmanager/equality.go`.

use serde_json::Value;

/// The seconds of an RFC 3339 time since 1970; 0 if it is none.
pub(super) fn unix_seconds(time: &str) -> i64 {
    parse_seconds(time).unwrap_or_default()
}

fn parse_seconds(time: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = time.get(from..to)?;
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        if all_digits {
            digits.parse().ok()
        } else {
            None
        }
    };
    let days = days_from_civil(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    let zone = time.get(19..)?;
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => zone,
    };
    let offset = match zone.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), ..] if zone.len() == 6 => {
            let start = time.len() - 5;
            let minutes = number(start, start + 2)? * 60 + number(start + 3, start + 5)?;
            if *sign == b'-' {
                -minutes * 60
            } else {
                minutes * 60
            }
        }
        _ => return None,
    };
    Some(days * 86_400 + seconds - offset)
}

/// The days since 1970-01-01 of a date of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Takes back changes of the entries' times where nothing else has changed, so that a request that
/// changes nothing is not stored.
///
/// `old` is the stored object and `new` the one about to be stored.
pub fn keep_times_of_noop(old: &Value, new: &mut Value) {
    const ENTRIES: &str = "/metadata/managedFields";
    let (Some(Value::Array(old_entries)), Some(Value::Array(new_entries))) =
        (old.pointer(ENTRIES), new.pointer(ENTRIES))
    else {
        return;
    };
    if new_entries.is_empty() || old_entries.len() != new_entries.len() {
        return;
    }
    let same_but_time = |(old, new): (&Value, &Value)| equal_except(old, new, "time");
    let pairs = || old_entries.iter().zip(new_entries);
    if pairs().all(|(old, new)| old.get("time") == new.get("time"))
        || !pairs().all(same_but_time)
        || !equal_objects(old, new)
    {
        return;
    }
    let old_entries = old_entries.clone();
    if let Some(entries) = new.pointer_mut(ENTRIES) {
        *entries = Value::Array(old_entries);
    }
}

/// Whether two objects are the same, their entries apart.
fn equal_objects(old: &Value, new: &Value) -> bool {
    let metadata = |object: &'_ Value| object.get("metadata").cloned().unwrap_or_default();
    equal_except(old, new, "metadata")
        && equal_except(&metadata(old), &metadata(new), "managedFields")
}

/// Whether two maps are the same, one field apart.
fn equal_except(left: &Value, right: &Value, except: &str) -> bool {
    let (Value::Object(left), Value::Object(right)) = (left, right) else {
        return left == right;
    };
    let fields =
        |map: &serde_json::Map<String, Value>| map.len() - usize::from(map.contains_key(except));
    fields(left) == fields(right)
        && left
            .iter()
            .filter(|(key, _)| *key != except)
            .all(|(key, value)| right.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_seconds() {
        for (time, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:01Z", 951_825_601),
            ("2026-11-20T12:34:27Z", 1_795_178_067),
            ("2026-11-20T12:34:27.999Z", 1_795_178_067),
            ("2026-11-20T14:34:27+02:00", 1_795_178_067),
            ("2026-11-20T10:04:27-02:30", 1_795_178_067),
            ("1969-12-31T23:59:59Z", -1),
            ("yesterday", 0),
            ("2026-11-20", 0),
        ] {
            assert_eq!(unix_seconds(time), seconds, "{time}");
        }
    }

    fn object(value: i64, time: &str) -> Value {
        json!({"spec": value, "metadata": {"name": "a", "managedFields": [{"manager": "m", "time": time}]}})
    }

    #[test]
    fn only_times_are_taken_back() {
        let old = object(1, "then");
        let mut new = object(1, "now");
        keep_times_of_noop(&old, &mut new);
        assert_eq!(new, old);

        let mut changed = object(2, "now");
        keep_times_of_noop(&old, &mut changed);
        assert_eq!(changed, object(2, "now"));

        let mut other = object(1, "now");
        other["metadata"]["managedFields"][0]["manager"] = json!("n");
        let before = other.clone();
        keep_times_of_noop(&old, &mut other);
        assert_eq!(other, before);
    }
}
