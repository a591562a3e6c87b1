//! Sets of indexes of a Job: `1,3-5,7`.

/// The number of indexes in a set, or what is wrong with it.
pub(crate) fn count(text: &str, completions: i64) -> Result<i64, String> {
    let mut total = 0;
    for (first, last) in intervals(text, completions)? {
        total += last - first + 1;
    }
    Ok(total)
}

fn intervals(text: &str, completions: i64) -> Result<Vec<(i64, i64)>, String> {
    let mut found: Vec<(i64, i64)> = Vec::new();
    if text.is_empty() {
        return Ok(found);
    }
    for part in text.split(',') {
        let (first, last) = interval(part, completions)?;
        if let Some((_, previous)) = found.last()
            && *previous >= first
        {
            return Err(format!(
                "non-increasing order, previous: {previous}, current: {first}"
            ));
        }
        found.push((first, last));
    }
    Ok(found)
}

fn interval(text: &str, completions: i64) -> Result<(i64, i64), String> {
    let quote = object::field::quote;
    let limits: Vec<&str> = text.split('-').collect();
    if limits.len() > 2 {
        return Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
            quote(text)
        ));
    }
    let index = |text: &str| {
        let number: i64 = text.parse().map_err(|_| {
            format!(
                "cannot convert string to integer for index: {}",
                quote(text)
            )
        })?;
        if number >= completions {
            return Err(format!("too large index: {}", quote(text)));
        }
        Ok(number)
    };
    let first = index(limits[0])?;
    let Some(last) = limits.get(1) else {
        return Ok((first, first));
    };
    let last = index(last)?;
    if first >= last {
        return Err(format!(
            "non-increasing order, previous: {first}, current: {last}"
        ));
    }
    Ok((first, last))
}

/// The first index that two sets share; ill-formed intervals count for nothing.
pub(crate) fn overlap(one: &str, other: &str, completions: i64) -> Option<i64> {
    let read = |text: &str| -> Vec<(i64, i64)> {
        text.split(',')
            .filter_map(|part| interval(part, completions).ok())
            .collect()
    };
    let (one, other) = (read(one), read(other));
    one.iter()
        .flat_map(|one| other.iter().map(move |other| (one, other)))
        .find(|(one, other)| one.0 <= other.1 && other.0 <= one.1)
        .map(|(one, other)| one.0.max(other.0))
}
