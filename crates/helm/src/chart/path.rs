//! Paths and patterns as Go has them: `path.Clean` and `path.Match`.

/// The shortest equal path. Source: Go `path.Clean`.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            name => parts.push(name),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// A pattern that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Whether `name` matches a pattern with `*`, `?`, `[…]` and `\`, none of which matches a slash.
///
/// Source: Go `filepath.Match`.
pub fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let mut pattern = pattern;
    let mut name = name;
    while !pattern.is_empty() {
        let (star, chunk, rest) = scan_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            // A star at the end takes what is left, if that has no slash.
            return Ok(!name.contains('/'));
        }
        if let Some(after) = match_chunk(chunk, name)?
            && (after.is_empty() || !pattern.is_empty())
        {
            name = after;
            continue;
        }
        let mut found = None;
        if star {
            for (at, char) in name.char_indices() {
                if char == '/' {
                    break;
                }
                let from = &name[at + char.len_utf8()..];
                if let Some(after) = match_chunk(chunk, from)? {
                    if pattern.is_empty() && !after.is_empty() {
                        continue;
                    }
                    found = Some(after);
                    break;
                }
            }
        }
        match found {
            Some(after) => name = after,
            None => {
                // What is left of the pattern has to be right all the same.
                while !pattern.is_empty() {
                    let (_, chunk, rest) = scan_chunk(pattern);
                    pattern = rest;
                    match_chunk(chunk, "")?;
                }
                return Ok(false);
            }
        }
    }
    Ok(name.is_empty())
}

/// Whether stars lead, the part up to the next star, and what follows.
fn scan_chunk(pattern: &str) -> (bool, &str, &str) {
    let trimmed = pattern.trim_start_matches('*');
    let star = trimmed.len() < pattern.len();
    let mut in_range = false;
    let mut chars = trimmed.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => {
                chars.next();
            }
            '[' => in_range = true,
            ']' => in_range = false,
            '*' if !in_range => return (star, &trimmed[..at], &trimmed[at..]),
            _ => {}
        }
    }
    (star, trimmed, "")
}

/// What follows a match of `chunk` at the start of `name`.
fn match_chunk<'a>(chunk: &str, name: &'a str) -> Result<Option<&'a str>, BadPattern> {
    let mut chunk = chunk;
    let mut name = name;
    // After a mismatch the rest of the pattern is still looked through for errors.
    let mut failed = false;
    while let Some(first) = chunk.chars().next() {
        if !failed && name.is_empty() {
            failed = true;
        }
        match first {
            '[' => {
                let mut rune = '\0';
                if !failed {
                    rune = name.chars().next().unwrap_or_default();
                    name = &name[rune.len_utf8()..];
                }
                let (matched, rest) = match_class(&chunk[1..], rune)?;
                chunk = rest;
                failed |= !matched;
            }
            '?' => {
                if !failed {
                    let char = name.chars().next().unwrap_or_default();
                    failed = char == '/';
                    name = &name[char.len_utf8()..];
                }
                chunk = &chunk[1..];
            }
            _ => {
                let mut literal = first;
                if first == '\\' {
                    chunk = &chunk[1..];
                    literal = chunk.chars().next().ok_or(BadPattern)?;
                }
                if !failed {
                    let char = name.chars().next().unwrap_or_default();
                    failed = char != literal;
                    name = &name[char.len_utf8()..];
                }
                chunk = &chunk[literal.len_utf8()..];
            }
        }
    }
    Ok((!failed).then_some(name))
}

/// Whether `rune` is in the class that `text` starts with, and what follows the class.
fn match_class(text: &str, rune: char) -> Result<(bool, &str), BadPattern> {
    let mut text = text;
    let negated = text.starts_with('^');
    if negated {
        text = &text[1..];
    }
    let mut matched = false;
    let mut ranges = 0;
    loop {
        if ranges > 0
            && let Some(rest) = text.strip_prefix(']')
        {
            return Ok((matched != negated, rest));
        }
        let (low, rest) = class_char(text)?;
        text = rest;
        let mut high = low;
        if let Some(rest) = text.strip_prefix('-') {
            (high, text) = class_char(rest)?;
        }
        matched |= (low..=high).contains(&rune);
        ranges += 1;
    }
}

fn class_char(text: &str) -> Result<(char, &str), BadPattern> {
    let mut text = text;
    match text.chars().next() {
        None | Some('-' | ']') => return Err(BadPattern),
        Some('\\') => text = &text[1..],
        Some(_) => {}
    }
    let char = text.chars().next().ok_or(BadPattern)?;
    let rest = &text[char.len_utf8()..];
    if rest.is_empty() {
        return Err(BadPattern);
    }
    Ok((char, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (path, cleaned) in [
            ("", "."),
            ("a//b/./c/..", "a/b"),
            ("../a", "../a"),
            ("a/../..", ".."),
            ("/../a", "/a"),
            ("a/", "a"),
        ] {
            assert_eq!(clean(path), cleaned);
        }
    }

    // From the table of Go's own tests.
    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, name, wanted) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[^b-d]", "abc", Ok(false)),
            ("a\\*b", "a*b", Ok(true)),
            ("a[^a][^a][^a]b", "a☺b", Ok(false)),
            ("[\\]a]", "]", Ok(true)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("[x-]", "x", Err(BadPattern)),
            ("\\", "a", Err(BadPattern)),
            ("a[", "a", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("*x", "xxx", Ok(true)),
            ("a?b", "a/b", Ok(false)),
            ("", "", Ok(true)),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
