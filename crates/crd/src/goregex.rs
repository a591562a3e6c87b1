//! Regular expressions in Go's syntax (RE2).
//!
//! The syntax is that of the `regex` crate but for a few things: `\d`, `\s`, `\w` and `\b` mean ASCII,
//! `\Q…\E` quotes, and Go has its own words for what is wrong.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use regex::{Regex, RegexBuilder};

/// The most memory that a compiled expression may take.
const SIZE_LIMIT: usize = 4 << 20;
/// How many compiled expressions are remembered.
const CACHE: usize = 512;

/// What is wrong with an expression, as Go's `regexp.Compile` says it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {0}")]
pub struct RegexError(String);

static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);

/// Compiles an expression in Go's syntax; compiled ones are remembered.
pub fn compile(pattern: &str) -> Result<Arc<Regex>, RegexError> {
    if let Ok(cache) = COMPILED.lock()
        && let Some(regex) = cache.get(pattern)
    {
        return Ok(Arc::clone(regex));
    }
    let translated = translate(pattern)?;
    let regex = RegexBuilder::new(&translated)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .nest_limit(200)
        .build()
        .map_err(|error| describe(pattern, &error))?;
    let regex = Arc::new(regex);
    if let Ok(mut cache) = COMPILED.lock() {
        if cache.len() >= CACHE {
            cache.clear();
        }
        cache.insert(pattern.to_owned(), Arc::clone(&regex));
    }
    Ok(regex)
}

fn describe(pattern: &str, error: &regex::Error) -> RegexError {
    match error {
        regex::Error::CompiledTooBig(_) => RegexError("expression too large".to_owned()),
        _ => RegexError(format!("invalid syntax: `{pattern}`")),
    }
}

struct Translator<'a> {
    pattern: &'a str,
    at: usize,
    out: String,
    /// Where the open groups begin.
    groups: Vec<usize>,
    /// Where the last thing that can be repeated begins, and where its repetition begins.
    operand: Option<usize>,
    repetition: Option<usize>,
}

fn translate(pattern: &str) -> Result<String, RegexError> {
    let mut translator = Translator {
        pattern,
        at: 0,
        out: String::with_capacity(pattern.len() + 8),
        groups: Vec::new(),
        operand: None,
        repetition: None,
    };
    while translator.at < pattern.len() {
        translator.step()?;
    }
    if !translator.groups.is_empty() {
        return Err(RegexError(format!("missing closing ): `{pattern}`")));
    }
    Ok(translator.out)
}

impl<'a> Translator<'a> {
    fn rest(&self) -> &'a str {
        &self.pattern[self.at..]
    }

    fn atom(&mut self, length: usize, text: &str) {
        self.operand = Some(self.at);
        self.repetition = None;
        self.at += length;
        self.out.push_str(text);
    }

    fn step(&mut self) -> Result<(), RegexError> {
        let rest = self.rest();
        let Some(character) = rest.chars().next() else {
            return Ok(());
        };
        match character {
            '(' => self.open_group(),
            ')' => {
                if self.groups.pop().is_none() {
                    return Err(RegexError(format!("unexpected ): `{}`", self.pattern)));
                }
                self.atom(1, ")");
                Ok(())
            }
            '|' => {
                self.operand = None;
                self.repetition = None;
                self.at += 1;
                self.out.push('|');
                Ok(())
            }
            '*' | '+' | '?' => self.repeat(1),
            '{' => match counted(rest) {
                None => {
                    self.atom(1, "\\{");
                    Ok(())
                }
                Some((length, low, high)) => {
                    if low > 1000 || high.is_some_and(|high| high > 1000 || high < low) {
                        let text = &rest[..length];
                        return Err(RegexError(format!("invalid repeat count: `{text}`")));
                    }
                    self.repeat(length)
                }
            },
            '}' => {
                self.atom(1, "\\}");
                Ok(())
            }
            '[' => self.class(),
            '\\' => self.escape(),
            '^' | '$' => {
                // An anchor may be repeated, which means nothing.
                self.atom(1, &character.to_string());
                Ok(())
            }
            _ => {
                self.atom(
                    character.len_utf8(),
                    &regex::escape(&character.to_string()).replace("\\.", "."),
                );
                Ok(())
            }
        }
    }

    fn repeat(&mut self, length: usize) -> Result<(), RegexError> {
        let rest = self.rest();
        let mut length = length;
        if self.operand.is_none() {
            return Err(RegexError(format!(
                "missing argument to repetition operator: `{}`",
                &rest[..length]
            )));
        }
        let lazy = rest[length..].starts_with('?');
        if lazy {
            length += 1;
        }
        if let Some(start) = self.repetition {
            let text = &self.pattern[start..self.at + length];
            return Err(RegexError(format!(
                "invalid nested repetition operator: `{text}`"
            )));
        }
        self.repetition = Some(self.at);
        self.out.push_str(&rest[..length]);
        self.at += length;
        Ok(())
    }

    fn open_group(&mut self) -> Result<(), RegexError> {
        let rest = self.rest();
        let length = if let Some(after) = rest.strip_prefix("(?") {
            if after.starts_with("P<")
                || after.starts_with('<') && !after.starts_with("<=") && !after.starts_with("<!")
            {
                let Some(end) = after.find('>') else {
                    return Err(RegexError(format!("invalid named capture: `{rest}`")));
                };
                end + 3
            } else {
                let flags = after.find(|c: char| !matches!(c, 'i' | 'm' | 's' | 'U' | '-'));
                match flags.map(|at| (at, after.as_bytes()[at])) {
                    Some((at, b':')) => at + 3,
                    Some((at, b')')) if at > 0 => {
                        self.at += at + 3;
                        self.out.push_str(&rest[..at + 3]);
                        self.operand = None;
                        self.repetition = None;
                        return Ok(());
                    }
                    _ => {
                        let end = flags.map_or(rest.len(), |at| {
                            at + 2 + after[at..].chars().next().map_or(0, char::len_utf8)
                        });
                        return Err(RegexError(format!(
                            "invalid or unsupported Perl syntax: `{}`",
                            &rest[..end]
                        )));
                    }
                }
            }
        } else {
            1
        };
        self.groups.push(self.at);
        self.out.push_str(&rest[..length]);
        self.at += length;
        self.operand = None;
        self.repetition = None;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), RegexError> {
        let rest = self.rest();
        let Some(next) = rest[1..].chars().next() else {
            return Err(RegexError(
                "trailing backslash at end of expression: ``".to_owned(),
            ));
        };
        match next {
            'Q' => {
                let body = &rest[2..];
                let (quoted, length) = match body.find("\\E") {
                    Some(end) => (&body[..end], end + 4),
                    None => (body, rest.len()),
                };
                let escaped = regex::escape(quoted);
                self.atom(length, &escaped);
            }
            'd' => self.atom(2, "[0-9]"),
            'D' => self.atom(2, "[^0-9]"),
            's' => self.atom(2, "[\\t\\n\\f\\r ]"),
            'S' => self.atom(2, "[^\\t\\n\\f\\r ]"),
            'w' => self.atom(2, "[0-9A-Za-z_]"),
            'W' => self.atom(2, "[^0-9A-Za-z_]"),
            'b' => self.atom(2, "(?-u:\\b)"),
            'B' => self.atom(2, "(?-u:\\B)"),
            'A' => self.atom(2, "\\A"),
            'z' => self.atom(2, "\\z"),
            'p' | 'P' => {
                let length = unicode_class(rest)?;
                self.atom(length, &rest[..length]);
            }
            _ => {
                let (length, text) = escaped_character(rest)?;
                self.atom(length, &text);
            }
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), RegexError> {
        let rest = self.rest();
        let missing = || RegexError(format!("missing closing ]: `{rest}`"));
        let mut out = String::from("[");
        let mut at = 1;
        if rest[at..].starts_with('^') {
            out.push('^');
            at += 1;
        }
        let mut is_first = true;
        loop {
            let Some(character) = rest[at..].chars().next() else {
                return Err(missing());
            };
            match character {
                ']' if !is_first => break,
                '[' if rest[at..].starts_with("[:") => {
                    let Some(end) = rest[at..].find(":]") else {
                        out.push_str("\\[");
                        at += 1;
                        is_first = false;
                        continue;
                    };
                    let name = &rest[at..at + end + 2];
                    let plain = name.trim_matches(|c| matches!(c, '[' | ']' | ':' | '^'));
                    if !CLASS_NAMES.contains(&plain) {
                        return Err(RegexError(format!(
                            "invalid character class range: `{name}`"
                        )));
                    }
                    out.push_str(name);
                    at += end + 2;
                }
                '\\' => {
                    let tail = &rest[at..];
                    let Some(next) = tail[1..].chars().next() else {
                        return Err(RegexError(
                            "trailing backslash at end of expression: ``".to_owned(),
                        ));
                    };
                    let (length, text) = match next {
                        'd' => (2, "0-9".to_owned()),
                        'D' => (2, "[^0-9]".to_owned()),
                        's' => (2, "\\t\\n\\f\\r ".to_owned()),
                        'S' => (2, "[^\\t\\n\\f\\r ]".to_owned()),
                        'w' => (2, "0-9A-Za-z_".to_owned()),
                        'W' => (2, "[^0-9A-Za-z_]".to_owned()),
                        'p' | 'P' => {
                            let length = unicode_class(tail)?;
                            (length, tail[..length].to_owned())
                        }
                        _ => escaped_character(tail)?,
                    };
                    out.push_str(&text);
                    at += length;
                }
                '-' => {
                    // A dash at either end stands for itself; between two characters it makes a range.
                    let is_last = rest[at + 1..].starts_with(']');
                    out.push_str(if is_first || is_last { "\\-" } else { "-" });
                    at += 1;
                }
                '[' | ']' | '&' | '~' | '^' => {
                    out.push('\\');
                    out.push(character);
                    at += 1;
                }
                _ => {
                    out.push(character);
                    at += character.len_utf8();
                }
            }
            is_first = false;
        }
        out.push(']');
        check_ranges(&rest[..=at])?;
        self.atom(at + 1, &out);
        Ok(())
    }
}

/// The classes that `[:name:]` may name.
const CLASS_NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// A range must not run backwards.
fn check_ranges(class: &str) -> Result<(), RegexError> {
    let characters: Vec<char> = class.chars().collect();
    for window in characters.windows(3) {
        if let [low, '-', high] = window
            && low.is_ascii_alphanumeric()
            && high.is_ascii_alphanumeric()
            && low > high
            && !class.contains('\\')
        {
            return Err(RegexError(format!(
                "invalid character class range: `{low}-{high}`"
            )));
        }
    }
    Ok(())
}

/// `{2}`, `{2,}` or `{2,5}` at the start: its length and bounds. Anything else is plain text.
fn counted(text: &str) -> Option<(usize, u64, Option<u64>)> {
    let end = text.find('}')?;
    let inner = &text[1..end];
    let number = |text: &str| -> Option<u64> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(text.parse().unwrap_or(u64::MAX))
    };
    let (low, high) = match inner.split_once(',') {
        None => {
            let low = number(inner)?;
            (low, Some(low))
        }
        Some((low, "")) => (number(low)?, None),
        Some((low, high)) => (number(low)?, Some(number(high)?)),
    };
    Some((end + 1, low, high))
}

fn unicode_class(text: &str) -> Result<usize, RegexError> {
    let length = if text[2..].starts_with('{') {
        text.find('}').map(|end| end + 1)
    } else {
        text[2..]
            .chars()
            .next()
            .map(|character| 2 + character.len_utf8())
    };
    length.ok_or_else(|| RegexError(format!("invalid character class range: `{text}`")))
}

fn escaped_character(text: &str) -> Result<(usize, String), RegexError> {
    let invalid = |length: usize| {
        let length = length.min(text.len());
        RegexError(format!("invalid escape sequence: `{}`", &text[..length]))
    };
    let next = text[1..].chars().next().unwrap_or('\\');
    match next {
        'a' => Ok((2, "\\x07".to_owned())),
        'f' | 'n' | 'r' | 't' | 'v' => Ok((2, text[..2].to_owned())),
        'C' => Ok((2, "(?s:.)".to_owned())),
        '0'..='7' => {
            let digits: String = text[1..]
                .chars()
                .take(3)
                .take_while(|digit| digit.is_digit(8))
                .collect();
            if next != '0' && digits.len() < 2 {
                return Err(invalid(2));
            }
            let code = u32::from_str_radix(&digits, 8).unwrap_or_default();
            Ok((1 + digits.len(), format!("\\x{{{code:x}}}")))
        }
        'x' => {
            let body = &text[2..];
            let (digits, length) = if let Some(inner) = body.strip_prefix('{') {
                let end = inner.find('}').ok_or_else(|| invalid(text.len()))?;
                (&inner[..end], end + 4)
            } else {
                (body.get(..2).ok_or_else(|| invalid(text.len()))?, 4)
            };
            let code = u32::from_str_radix(digits, 16)
                .ok()
                .and_then(char::from_u32);
            let code = code.ok_or_else(|| invalid(length))?;
            Ok((length, format!("\\x{{{:x}}}", u32::from(code))))
        }
        character if character.is_ascii_punctuation() => {
            Ok((2, regex::escape(&character.to_string())))
        }
        character => Err(invalid(1 + character.len_utf8())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_words_of_go() {
        for (pattern, expected) in [
            ("[a", "missing closing ]: `[a`"),
            ("(a", "missing closing ): `(a`"),
            ("a)", "unexpected ): `a)`"),
            ("*a", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("\\8", "invalid escape sequence: `\\8`"),
            ("(?!a)", "invalid or unsupported Perl syntax: `(?!`"),
            ("[z-a]", "invalid character class range: `z-a`"),
        ] {
            let error = compile(pattern).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("error parsing regexp: {expected}")
            );
        }
    }

    #[test]
    fn classes_are_ascii() {
        for (pattern, text, expected) in [
            ("^\\w+$", "é", false),
            ("^\\d$", "٣", false),
            ("^[\\w-]+$", "a-b_c", true),
            ("^a{,3}$", "a{,3}", true),
            ("\\Qa.b\\E", "axb", false),
            ("^[^0-9]*$", "abc", true),
            ("^[]a]+$", "]a", true),
            ("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "a-b", true),
        ] {
            assert_eq!(
                compile(pattern).unwrap().is_match(text),
                expected,
                "{pattern} on {text}"
            );
        }
    }
}
