//! Go's standard library where its words show: numbers, quoting, and errors of the file system.

use std::fmt::Display;
use std::io;
use std::path::Path;

use gotemplate::strconv;

/// `strconv.Quote`, or the verb `%q`.
pub(crate) fn quote(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}

fn number_error(function: &str, text: &str, problem: impl Display) -> String {
    format!("strconv.{function}: parsing {}: {problem}", quote(text))
}

/// `strconv.ParseBool`.
pub(crate) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(number_error("ParseBool", text, "invalid syntax")),
    }
}

/// `strconv.ParseInt(text, 0, 64)`.
pub(crate) fn parse_int(text: &str) -> Result<i64, String> {
    strconv::parse_int(text.as_bytes(), 0).map_err(|error| number_error("ParseInt", text, error))
}

/// `strconv.Atoi`.
pub(crate) fn atoi(text: &str) -> Result<i64, String> {
    strconv::parse_int(text.as_bytes(), 10).map_err(|error| number_error("Atoi", text, error))
}

/// `strconv.ParseFloat(text, 32)`.
pub(crate) fn parse_float(text: &str) -> Result<f64, String> {
    strconv::parse_float(text.as_bytes())
        .and_then(|value| {
            if value.is_finite() && value.abs() > f64::from(f32::MAX) {
                Err(strconv::ParseNumberError::Range)
            } else {
                Ok(value)
            }
        })
        .map_err(|error| number_error("ParseFloat", text, error))
}

/// A text in JSON as `encoding/json` writes it: `<`, `>` and `&` are escaped.
pub(crate) fn json_string(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    out
}

/// What a system call's error is in Go's words: `no such file or directory`.
pub(crate) fn errno(error: &io::Error) -> String {
    let text = error.to_string();
    let Some((message, _)) = text.split_once(" (os error ") else {
        return text;
    };
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// A `PathError`: `open x: no such file or directory`.
pub(crate) fn path_error(operation: &str, path: impl AsRef<Path>, error: &io::Error) -> String {
    format!("{operation} {}: {}", path.as_ref().display(), errno(error))
}

/// `filepath.Clean`.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// `os.ReadFile`.
pub(crate) fn read_file(path: impl AsRef<Path>) -> Result<Vec<u8>, String> {
    let path = path.as_ref();
    let mut file = std::fs::File::open(path).map_err(|error| path_error("open", path, &error))?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes)
        .map_err(|error| path_error("read", path, &error))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_told_as_go_tells_it() {
        assert_eq!(
            read_file("/no/such/file").unwrap_err(),
            "open /no/such/file: no such file or directory"
        );
        assert_eq!(read_file("/").unwrap_err(), "read /: is a directory");
    }
}
