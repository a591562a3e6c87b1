//! Comma-separated values as Go's `encoding/csv` reads the first record of a text.

use std::collections::BTreeMap;

/// The values of a `stringSlice` flag.
///
/// # Errors
/// Go's `ParseError`, or `EOF` for a text of empty lines.
pub(super) fn read(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Reader::new(text).record()
}

/// The pairs of a `stringToString` flag.
///
/// # Errors
/// As [`read`]; and items without `=`.
pub(super) fn read_map(text: &str) -> Result<BTreeMap<String, String>, String> {
    let unpaired = |pair: &str| format!("{pair} must be formatted as key=value");
    let pairs = match text.matches('=').count() {
        0 => return Err(unpaired(text)),
        1 => vec![text.trim_matches('"').to_owned()],
        _ => Reader::new(text).record()?,
    };
    let mut map = BTreeMap::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').ok_or_else(|| unpaired(&pair))?;
        map.insert(key.to_owned(), value.to_owned());
    }
    Ok(map)
}

const BARE: &str = "bare \" in non-quoted-field";
const MISPLACED: &str = "extraneous or missing \" in quoted-field";

struct Reader<'a> {
    lines: std::str::SplitInclusive<'a, char>,
    /// The number of the line that was read last.
    number: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            lines: text.split_inclusive('\n'),
            number: 0,
        }
    }

    /// The next line; its end is `\n`, also where the text has `\r\n`, and a last `\r` is dropped.
    fn line(&mut self) -> Option<String> {
        let line = self.lines.next()?;
        self.number += 1;
        Some(match line.strip_suffix("\r\n") {
            Some(line) => format!("{line}\n"),
            None => line.strip_suffix('\r').unwrap_or(line).to_owned(),
        })
    }

    fn record(&mut self) -> Result<Vec<String>, String> {
        let mut line = loop {
            let line = self.line().ok_or("EOF")?;
            if !without_end(&line).is_empty() {
                break line;
            }
        };
        let start = self.number;
        let mut fields = Vec::new();
        // The column of the rest of the line, in bytes from 1.
        let mut column = 1;
        let mut at = 0;
        loop {
            let rest = &line[at..];
            let Some(quoted) = rest.strip_prefix('"') else {
                let (field, more) = match rest.split_once(',') {
                    Some((field, _)) => (field, true),
                    None => (without_end(rest), false),
                };
                if let Some(quote) = field.find('"') {
                    return Err(Self::error(start, self.number, column + quote, BARE));
                }
                fields.push(field.to_owned());
                if !more {
                    return Ok(fields);
                }
                at += field.len() + 1;
                column += field.len() + 1;
                continue;
            };
            column += 1;
            at = line.len() - quoted.len();
            let more = self.quoted(&mut line, &mut at, &mut column, start, &mut fields)?;
            if !more {
                return Ok(fields);
            }
        }
    }

    /// Reads a field after its opening quote; says whether another one follows.
    fn quoted(
        &mut self,
        line: &mut String,
        at: &mut usize,
        column: &mut usize,
        start: usize,
        fields: &mut Vec<String>,
    ) -> Result<bool, String> {
        let mut field = String::new();
        loop {
            let rest = &line[*at..];
            if let Some(quote) = rest.find('"') {
                field.push_str(&rest[..quote]);
                *at += quote + 1;
                *column += quote + 1;
                let after = &line[*at..];
                if after.starts_with('"') {
                    field.push('"');
                    *at += 1;
                    *column += 1;
                } else if after.starts_with(',') {
                    *at += 1;
                    *column += 1;
                    fields.push(field);
                    return Ok(true);
                } else if without_end(after).is_empty() {
                    fields.push(field);
                    return Ok(false);
                } else {
                    return Err(Self::error(start, self.number, *column - 1, MISPLACED));
                }
            } else if !rest.is_empty() {
                field.push_str(rest);
                *column += rest.len();
                *line = self.line().unwrap_or_default();
                *at = 0;
                if !line.is_empty() {
                    *column = 1;
                }
            } else {
                return Err(Self::error(start, self.number, *column, MISPLACED));
            }
        }
    }

    fn error(start: usize, line: usize, column: usize, problem: &str) -> String {
        if start == line {
            format!("parse error on line {line}, column {column}: {problem}")
        } else {
            format!(
                "record on line {start}; parse error on line {line}, column {column}: {problem}"
            )
        }
    }
}

fn without_end(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_read_as_go_reads_them() {
        assert_eq!(
            read("a,\"b \"\"x\"\"\",,c").unwrap(),
            ["a", "b \"x\"", "", "c"]
        );
        assert_eq!(read("a\nb").unwrap(), ["a"]);
        assert_eq!(read("a,").unwrap(), ["a", ""]);
        assert_eq!(
            read("a,b\"c").unwrap_err(),
            "parse error on line 1, column 4: bare \" in non-quoted-field"
        );
        assert_eq!(
            read("\"a\"b").unwrap_err(),
            "parse error on line 1, column 3: extraneous or missing \" in quoted-field"
        );
        assert_eq!(
            read("\"ab").unwrap_err(),
            "parse error on line 1, column 4: extraneous or missing \" in quoted-field"
        );
        assert_eq!(read("\n").unwrap_err(), "EOF");
    }
}
