//! Reading RE2's syntax as Go's `regexp/syntax` does, and writing it for the regex crate.
//!
//! Each atom is written with its flags resolved, so that nothing depends on how the two differ: `\d`, `\s`,
//! `\w` and `\b` are ASCII, groups may share names, `{` without a count is a letter.

use super::RegexpError;
use crate::text::{find, first_rune, lossy};

/// The deepest nesting of groups.
const MAX_DEPTH: usize = 1000;
/// The largest count, and the largest product of nested counts.
const MAX_REPEAT: u64 = 1000;

/// An expression for the regex crate.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) pattern: String,
    /// The names of groups; empty for those without, and for the whole match, the first.
    pub(super) names: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the flags of the syntax are just these"
)]
struct Flags {
    fold_case: bool,
    multi_line: bool,
    dot_newline: bool,
    lazy: bool,
}

impl Flags {
    fn inverted(self) -> Flags {
        Flags {
            fold_case: !self.fold_case,
            multi_line: !self.multi_line,
            dot_newline: !self.dot_newline,
            lazy: !self.lazy,
        }
    }
}

/// The bounds of `{n,m}`; without an upper one in `{n,}`.
struct Counts {
    min: u64,
    max: Option<u64>,
}

/// A group that is open.
struct Group {
    outer_flags: Flags,
    /// The largest product of counts within it.
    product: u64,
}

struct Translator<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
    out: String,
    names: Vec<String>,
    flags: Flags,
    groups: Vec<Group>,
    /// Whether something stands before the current position that can be repeated.
    has_operand: bool,
    /// The product of counts within it.
    operand_product: u64,
    /// The largest product of counts in the current group so far.
    product: u64,
}

type Parsed<T> = Result<T, RegexpError>;

fn error<T>(code: &'static str, expression: &[u8]) -> Parsed<T> {
    Err(RegexpError {
        code,
        expression: lossy(expression).into_owned(),
    })
}

/// Translates an expression. The error has Go's text.
pub(super) fn translate(pattern: &[u8]) -> Parsed<Translated> {
    let mut translator = Translator {
        whole: pattern,
        rest: pattern,
        out: String::with_capacity(pattern.len() * 2),
        names: vec![String::new()],
        flags: Flags {
            fold_case: false,
            multi_line: false,
            dot_newline: false,
            lazy: false,
        },
        groups: Vec::new(),
        has_operand: false,
        operand_product: 1,
        product: 1,
    };
    translator.run()?;
    Ok(Translated {
        pattern: translator.out,
        names: translator.names,
    })
}

/// The first character of `text` and the rest.
fn next_char(text: &[u8]) -> Parsed<(char, &[u8])> {
    match first_rune(text) {
        Some(rune) if !rune.is_invalid() => Ok((rune.char(), &text[rune.width()..])),
        _ => error("invalid UTF-8", text),
    }
}

/// The ranges of a class named by a letter or in POSIX's way.
fn group_ranges(name: &[u8]) -> Option<&'static str> {
    Some(match name {
        b"d" | b"digit" => "0-9",
        b"s" => r"\t\n\x0C\r\x20",
        b"w" | b"word" => "0-9A-Za-z_",
        b"alnum" => "0-9A-Za-z",
        b"alpha" => "A-Za-z",
        b"ascii" => r"\x00-\x7F",
        b"blank" => r"\t\x20",
        b"cntrl" => r"\x00-\x1F\x7F",
        b"graph" => "!-~",
        b"lower" => "a-z",
        b"print" => r"\x20-~",
        b"punct" => r"!-/:-@\[-`\{-~",
        b"space" => r"\t-\r\x20",
        b"upper" => "A-Z",
        b"xdigit" => "0-9A-Fa-f",
        _ => return None,
    })
}

impl<'a> Translator<'a> {
    fn run(&mut self) -> Parsed<()> {
        let mut last_repeat: Option<&[u8]> = None;
        while let Some(byte) = self.rest.first() {
            let before = self.rest;
            let mut repeat = None;
            match byte {
                b'(' => self.open()?,
                b')' => self.close()?,
                b'|' => {
                    self.out.push('|');
                    self.has_operand = false;
                    self.rest = &self.rest[1..];
                }
                b'^' => self.anchor(
                    if self.flags.multi_line {
                        "(?m:^)"
                    } else {
                        r"\A"
                    },
                    1,
                ),
                b'$' => self.anchor(
                    if self.flags.multi_line {
                        "(?m:$)"
                    } else {
                        r"\z"
                    },
                    1,
                ),
                b'.' => self.anchor(
                    if self.flags.dot_newline {
                        "(?s:.)"
                    } else {
                        "(?-s:.)"
                    },
                    1,
                ),
                b'[' => self.class()?,
                b'*' | b'+' | b'?' => {
                    self.repeat(before, &before[1..], None, last_repeat)?;
                    repeat = Some(before);
                }
                b'{' => match parse_repeat(before) {
                    None => {
                        self.rest = &self.rest[1..];
                        self.literal('{');
                    }
                    Some((min, max, after)) => {
                        let out_of_range = |count: u64| count > MAX_REPEAT;
                        if out_of_range(min)
                            || max.is_some_and(|max| out_of_range(max) || min > max)
                        {
                            let end = before.len() - after.len();
                            return error("invalid repeat count", &before[..end]);
                        }
                        self.repeat(before, after, Some(Counts { min, max }), last_repeat)?;
                        repeat = Some(before);
                    }
                },
                b'\\' => self.escape()?,
                _ => {
                    let (char, rest) = next_char(self.rest)?;
                    self.rest = rest;
                    self.literal(char);
                }
            }
            last_repeat = repeat;
        }
        if self.groups.is_empty() {
            Ok(())
        } else {
            error("missing closing )", self.whole)
        }
    }

    /// Writes an atom.
    fn atom(&mut self, text: &str) {
        self.out.push_str(text);
        self.has_operand = true;
        self.operand_product = 1;
    }

    fn anchor(&mut self, text: &str, length: usize) {
        self.atom(text);
        self.rest = &self.rest[length..];
    }

    fn literal(&mut self, char: char) {
        let escaped = code_point(char as u32);
        let text = if self.flags.fold_case {
            format!("(?i:{escaped})")
        } else {
            escaped
        };
        self.atom(&text);
    }

    fn open(&mut self) -> Parsed<()> {
        if self.groups.len() >= MAX_DEPTH {
            return error("expression nests too deeply", self.whole);
        }
        if self.rest.starts_with(b"(?") {
            return self.perl_group();
        }
        self.rest = &self.rest[1..];
        let flags = self.flags;
        self.push_group("(", flags);
        self.names.push(String::new());
        Ok(())
    }

    fn push_group(&mut self, opening: &str, outer_flags: Flags) {
        self.groups.push(Group {
            outer_flags,
            product: self.product,
        });
        self.out.push_str(opening);
        self.has_operand = false;
        self.product = 1;
    }

    fn close(&mut self) -> Parsed<()> {
        let Some(group) = self.groups.pop() else {
            return error("unexpected )", self.whole);
        };
        self.rest = &self.rest[1..];
        self.out.push(')');
        self.flags = group.outer_flags;
        self.operand_product = self.product;
        self.product = group.product.max(self.operand_product);
        self.has_operand = true;
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)` and `(?flags:`.
    fn perl_group(&mut self) -> Parsed<()> {
        let start = self.rest;
        let name_at = if start.len() > 4 && start[2..].starts_with(b"P<") {
            Some(4)
        } else if start.len() > 3 && start[2] == b'<' {
            Some(3)
        } else {
            None
        };
        if let Some(name_at) = name_at {
            let Some(end) = memchr::memchr(b'>', start) else {
                return error("invalid named capture", start);
            };
            let name = &start[name_at..end];
            if name.is_empty()
                || !name
                    .iter()
                    .all(|byte| *byte == b'_' || byte.is_ascii_alphanumeric())
            {
                return error("invalid named capture", &start[..=end]);
            }
            self.rest = &start[end + 1..];
            let flags = self.flags;
            self.push_group("(", flags);
            self.names.push(lossy(name).into_owned());
            return Ok(());
        }
        let mut rest = &start[2..];
        let mut flags = self.flags;
        let (mut negative, mut saw_flag) = (false, false);
        while !rest.is_empty() {
            let (char, tail) = next_char(rest)?;
            rest = tail;
            match char {
                'i' => flags.fold_case = true,
                'm' => flags.multi_line = true,
                's' => flags.dot_newline = true,
                'U' => flags.lazy = true,
                '-' if !negative => {
                    negative = true;
                    flags = flags.inverted();
                    saw_flag = false;
                    continue;
                }
                ':' | ')' if !negative || saw_flag => {
                    if negative {
                        flags = flags.inverted();
                    }
                    if char == ':' {
                        let outer = self.flags;
                        self.push_group("(?:", outer);
                    }
                    self.flags = flags;
                    self.rest = rest;
                    return Ok(());
                }
                _ => break,
            }
            saw_flag = true;
        }
        error(
            "invalid or unsupported Perl syntax",
            &start[..start.len() - rest.len()],
        )
    }

    /// A repetition. `counts` is none for `*`, `+` and `?`.
    fn repeat(
        &mut self,
        before: &'a [u8],
        after: &'a [u8],
        counts: Option<Counts>,
        last_repeat: Option<&[u8]>,
    ) -> Parsed<()> {
        let mut after = after;
        let mut lazy = self.flags.lazy;
        if after.first() == Some(&b'?') {
            after = &after[1..];
            lazy = !lazy;
        }
        if let Some(last) = last_repeat {
            return error(
                "invalid nested repetition operator",
                &last[..last.len() - after.len()],
            );
        }
        let operator = &before[..before.len() - after.len()];
        if !self.has_operand {
            return error("missing argument to repetition operator", operator);
        }
        if let Some(Counts { min, max }) = counts {
            let count = max.unwrap_or(min);
            if count >= 2 || min >= 2 {
                self.operand_product = self.operand_product.saturating_mul(count.max(1));
                if self.operand_product > MAX_REPEAT {
                    return error("invalid repeat count", operator);
                }
            } else if max == Some(0) {
                self.operand_product = 0;
            }
            self.out.push_str(&match max {
                Some(max) => format!("{{{min},{max}}}"),
                None => format!("{{{min},}}"),
            });
            self.product = self.product.max(self.operand_product);
        } else {
            self.out.push(char::from(before[0]));
        }
        if lazy {
            self.out.push('?');
        }
        self.rest = after;
        Ok(())
    }

    fn escape(&mut self) -> Parsed<()> {
        let start = self.rest;
        match start.get(1) {
            Some(b'A') => self.anchor(r"\A", 2),
            Some(b'z') => self.anchor(r"\z", 2),
            Some(b'b') => self.anchor(r"(?-u:\b)", 2),
            Some(b'B') => self.anchor(r"(?-u:\B)", 2),
            Some(b'C') => return error("invalid escape sequence", &start[..2]),
            Some(b'Q') => {
                let quoted = &start[2..];
                let end = find(quoted, br"\E");
                let mut literal = &quoted[..end.unwrap_or(quoted.len())];
                while !literal.is_empty() {
                    let (char, rest) = next_char(literal)?;
                    self.literal(char);
                    literal = rest;
                }
                self.rest = end.map_or(&[][..], |end| &quoted[end + 2..]);
            }
            Some(b'p' | b'P') => {
                let (class, rest) = unicode_class(start)?;
                self.rest = rest;
                self.class_atom(&format!("[{class}]"));
            }
            Some(letter) if group_ranges(&[letter.to_ascii_lowercase()]).is_some() => {
                let class = perl_class(*letter);
                self.rest = &start[2..];
                self.class_atom(&format!("[{class}]"));
            }
            _ => {
                let (code, rest) = escaped_char(start)?;
                self.rest = rest;
                match char::from_u32(code) {
                    Some(char) => self.literal(char),
                    None => self.atom(&code_point(code)),
                }
            }
        }
        Ok(())
    }

    fn class_atom(&mut self, class: &str) {
        if self.flags.fold_case {
            self.atom(&format!("(?i:{class})"));
        } else {
            self.atom(class);
        }
    }

    /// `[…]`
    fn class(&mut self) -> Parsed<()> {
        let whole = self.rest;
        let mut rest = &whole[1..];
        let mut class = String::from("[");
        if rest.first() == Some(&b'^') {
            class.push('^');
            rest = &rest[1..];
        }
        let mut first = true;
        while first || rest.first() != Some(&b']') {
            first = false;
            if rest.starts_with(b"[:")
                && let Some(end) = find(&rest[2..], b":]")
            {
                let name = &rest[2..end + 2];
                let (name, negative) = match name.strip_prefix(b"^") {
                    Some(name) => (name, true),
                    None => (name, false),
                };
                match group_ranges(name).filter(|_| name.len() > 1) {
                    Some(ranges) if negative => class.push_str(&format!("[^{ranges}]")),
                    Some(ranges) => class.push_str(ranges),
                    None => return error("invalid character class range", &rest[..end + 4]),
                }
                rest = &rest[end + 4..];
                continue;
            }
            if rest.starts_with(br"\p") || rest.starts_with(br"\P") {
                let (item, tail) = unicode_class(rest)?;
                class.push_str(&item);
                rest = tail;
                continue;
            }
            if rest.first() == Some(&b'\\')
                && let Some(letter) = rest.get(1)
                && group_ranges(&[letter.to_ascii_lowercase()]).is_some()
            {
                class.push_str(&perl_class(*letter));
                rest = &rest[2..];
                continue;
            }
            let range = rest;
            let low;
            (low, rest) = class_char(rest, whole)?;
            let mut high = low;
            if rest.len() >= 2 && rest[0] == b'-' && rest[1] != b']' {
                (high, rest) = class_char(&rest[1..], whole)?;
                if high < low {
                    return error(
                        "invalid character class range",
                        &range[..range.len() - rest.len()],
                    );
                }
            }
            class.push_str(&class_range(low, high));
        }
        class.push(']');
        self.rest = &rest[1..];
        self.class_atom(&class);
        Ok(())
    }
}

/// A range of code points for the inside of a class, without the surrogates.
fn class_range(low: u32, high: u32) -> String {
    let mut out = String::new();
    for (first, last) in [(low, high.min(0xD7FF)), (low.max(0xE000), high)] {
        if first <= last {
            out.push_str(&format!("\\x{{{first:X}}}-\\x{{{last:X}}}"));
        }
    }
    if out.is_empty() {
        // Only surrogates, which no text holds: a class that matches nothing.
        out.push_str("[a&&b]");
    }
    out
}

/// A code point as an atom.
fn code_point(code: u32) -> String {
    match char::from_u32(code) {
        Some(char) => regex::escape(&char.to_string()),
        None => "[a&&b]".to_owned(),
    }
}

/// `\d` and its kin for the inside of a class; a capital stands for the complement.
fn perl_class(letter: u8) -> String {
    let ranges = group_ranges(&[letter.to_ascii_lowercase()]).unwrap_or_default();
    if letter.is_ascii_uppercase() {
        format!("[^{ranges}]")
    } else {
        ranges.to_owned()
    }
}

/// `\pL`, `\p{Greek}`, `\P{…}`, `\p{^…}` for the inside of a class, and the rest.
fn unicode_class(text: &[u8]) -> Parsed<(String, &[u8])> {
    let mut negative = text[1] == b'P';
    let (char, after) = next_char(&text[2..])?;
    let (sequence, name, rest) = if char == '{' {
        let Some(end) = memchr::memchr(b'}', text) else {
            return error("invalid character class range", text);
        };
        (&text[..=end], &text[3..end], &text[end + 1..])
    } else {
        let end = text.len() - after.len();
        (&text[..end], &text[2..end], after)
    };
    let name = match name.strip_prefix(b"^") {
        Some(name) => {
            negative = !negative;
            name
        }
        None => name,
    };
    let name = lossy(name);
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" _-".contains(&byte));
    let letter = if negative { 'P' } else { 'p' };
    let known = ["gc=", "sc="]
        .into_iter()
        .map(|kind| format!("\\{letter}{{{kind}{name}}}"))
        .find(|class| plain && regex::Regex::new(class).is_ok());
    match known {
        Some(class) => Ok((class, rest)),
        None => error("invalid character class range", sequence),
    }
}

/// A character of a class, maybe escaped.
fn class_char<'a>(text: &'a [u8], whole: &[u8]) -> Parsed<(u32, &'a [u8])> {
    match text.first() {
        None => error("missing closing ]", whole),
        Some(b'\\') => escaped_char(text),
        Some(_) => next_char(text).map(|(char, rest)| (char as u32, rest)),
    }
}

/// What a backslash and what follows stand for.
fn escaped_char(text: &[u8]) -> Parsed<(u32, &[u8])> {
    if text.len() < 2 {
        return error("trailing backslash at end of expression", b"");
    }
    let (char, mut rest) = next_char(&text[1..])?;
    let octal = |rest: &[u8]| {
        rest.first()
            .copied()
            .filter(|byte| (b'0'..=b'7').contains(byte))
    };
    let simple = match char {
        'a' => Some(7),
        'f' => Some(12),
        'n' => Some(10),
        'r' => Some(13),
        't' => Some(9),
        'v' => Some(11),
        _ if char.is_ascii() && !char.is_ascii_alphanumeric() => Some(char as u32),
        _ => None,
    };
    if let Some(code) = simple {
        return Ok((code, rest));
    }
    if char == '0' || (('1'..='7').contains(&char) && octal(rest).is_some()) {
        let mut code = char as u32 - '0' as u32;
        for _ in 1..3 {
            let Some(digit) = octal(rest) else {
                break;
            };
            code = code * 8 + u32::from(digit - b'0');
            rest = &rest[1..];
        }
        return Ok((code, rest));
    }
    if char == 'x' && !rest.is_empty() {
        let found;
        (found, rest) = hexadecimal(rest)?;
        if let Some(code) = found {
            return Ok((code, rest));
        }
    }
    error("invalid escape sequence", &text[..text.len() - rest.len()])
}

/// What follows `\x`: two digits, or any number in braces. None if it is neither; the rest is where it ended.
fn hexadecimal(text: &[u8]) -> Parsed<(Option<u32>, &[u8])> {
    let (first, mut rest) = next_char(text)?;
    if first != '{' {
        let (second, rest) = next_char(rest)?;
        let digits = first.to_digit(16).zip(second.to_digit(16));
        return Ok((digits.map(|(high, low)| high * 16 + low), rest));
    }
    let mut code: u32 = 0;
    let mut count = 0;
    loop {
        if rest.is_empty() {
            return Ok((None, rest));
        }
        let char;
        (char, rest) = next_char(rest)?;
        if char == '}' {
            return Ok((Some(code).filter(|_| count > 0), rest));
        }
        let Some(digit) = char.to_digit(16) else {
            return Ok((None, rest));
        };
        code = code * 16 + digit;
        if code > 0x10_FFFF {
            return Ok((None, rest));
        }
        count += 1;
    }
}

/// `{n}`, `{n,}`, `{n,m}`: the bounds and the rest. None if it is no count but letters.
fn parse_repeat(text: &[u8]) -> Option<(u64, Option<u64>, &[u8])> {
    let (min, rest) = parse_count(&text[1..])?;
    let (max, rest) = match rest.first()? {
        b',' if rest.get(1) == Some(&b'}') => (None, &rest[1..]),
        b',' => {
            let (max, rest) = parse_count(&rest[1..])?;
            (Some(max), rest)
        }
        _ => (Some(min), rest),
    };
    Some((min, max, rest.strip_prefix(b"}")?))
}

/// A number without leading zeros; one too large is cut off at a size that is refused anyway.
fn parse_count(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || (digits > 1 && text[0] == b'0') {
        return None;
    }
    let number = text[..digits].iter().fold(0_u64, |number, byte| {
        (number * 10 + u64::from(byte - b'0')).min(1_000_000_000)
    });
    Some((number, &text[digits..]))
}
