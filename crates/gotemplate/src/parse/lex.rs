//! The lexer: text to items, with the positions, lines and error texts of Go's.

use std::borrow::Cow;

use crate::text::{find, first_rune, last_rune};
use crate::unicode::{is_digit, is_letter, is_print};

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum ItemKind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    #[default]
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl ItemKind {
    fn is_keyword(self) -> bool {
        matches!(
            self,
            ItemKind::Block
                | ItemKind::Break
                | ItemKind::Continue
                | ItemKind::Dot
                | ItemKind::Define
                | ItemKind::Else
                | ItemKind::End
                | ItemKind::If
                | ItemKind::Nil
                | ItemKind::Range
                | ItemKind::Template
                | ItemKind::With
        )
    }
}

/// A token with its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Item<'a> {
    pub(super) kind: ItemKind,
    /// Byte position of its start.
    pub(super) position: usize,
    /// The text; for [`ItemKind::Error`] the message.
    pub(super) text: Cow<'a, [u8]>,
    /// Line of its start, from 1.
    pub(super) line: usize,
}

impl Item<'_> {
    /// As it stands in "unexpected … in …".
    pub(super) fn describe(&self) -> String {
        let text = crate::text::lossy(&self.text);
        if self.kind == ItemKind::Eof {
            return "EOF".to_owned();
        }
        if self.kind == ItemKind::Error {
            return text.into_owned();
        }
        if self.kind.is_keyword() {
            return format!("<{text}>");
        }
        let mut shown = &self.text[..];
        let long = shown.len() > 10;
        if long {
            let mut end = 0;
            for _ in 0..10 {
                end += first_rune(&shown[end..]).map_or(0, crate::text::Rune::width);
            }
            shown = &shown[..end];
        }
        let quoted = crate::strconv::quote(shown);
        let quoted = crate::text::lossy(&quoted);
        if long {
            format!("{quoted}...")
        } else {
            quoted.into_owned()
        }
    }
}

/// The state of lexing.
pub(super) struct Lexer<'a> {
    input: &'a [u8],
    left: &'a [u8],
    right: &'a [u8],
    position: usize,
    start: usize,
    at_eof: bool,
    paren_depth: usize,
    line: usize,
    start_line: usize,
    inside_action: bool,
    pub(super) break_allowed: bool,
    pub(super) continue_allowed: bool,
}

/// What a state of the lexer leads to.
enum Step<'a> {
    Emit(Item<'a>),
    Text,
    LeftDelim,
    Comment,
    RightDelim,
}

const LEFT_COMMENT: &[u8] = b"/*";
const RIGHT_COMMENT: &[u8] = b"*/";
/// A trim marker is `- ` or ` -`.
const TRIM_MARKER: usize = 2;

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a [u8], left: &'a [u8], right: &'a [u8]) -> Lexer<'a> {
        Lexer {
            input,
            left,
            right,
            position: 0,
            start: 0,
            at_eof: false,
            paren_depth: 0,
            line: 1,
            start_line: 1,
            inside_action: false,
            break_allowed: true,
            continue_allowed: true,
        }
    }

    /// The next item; after an error or the end, always the end.
    pub(super) fn next_item(&mut self) -> Item<'a> {
        let mut step = if self.inside_action {
            self.inside_action()
        } else {
            Step::Text
        };
        loop {
            step = match step {
                Step::Emit(item) => return item,
                Step::Text => self.text(),
                Step::LeftDelim => self.left_delim(),
                Step::Comment => self.comment(),
                Step::RightDelim => self.right_delim(),
            };
        }
    }

    fn rest(&self) -> &'a [u8] {
        &self.input[self.position..]
    }

    fn next(&mut self) -> Option<char> {
        let Some(rune) = first_rune(self.rest()) else {
            self.at_eof = true;
            return None;
        };
        self.position += rune.width();
        if rune.char() == '\n' {
            self.line += 1;
        }
        Some(rune.char())
    }

    fn peek(&mut self) -> Option<char> {
        let char = self.next();
        self.backup();
        char
    }

    fn backup(&mut self) {
        if !self.at_eof
            && let Some(rune) = last_rune(&self.input[..self.position])
        {
            self.position -= rune.width();
            if rune.char() == '\n' {
                self.line -= 1;
            }
        }
    }

    fn count_lines(&mut self) {
        self.line += memchr::memchr_iter(b'\n', &self.input[self.start..self.position]).count();
    }

    fn take(&mut self, kind: ItemKind) -> Item<'a> {
        let item = Item {
            kind,
            position: self.start,
            text: Cow::Borrowed(&self.input[self.start..self.position]),
            line: self.start_line,
        };
        self.start = self.position;
        self.start_line = self.line;
        item
    }

    fn emit(&mut self, kind: ItemKind) -> Step<'a> {
        Step::Emit(self.take(kind))
    }

    fn ignore(&mut self) {
        self.count_lines();
        self.start = self.position;
        self.start_line = self.line;
    }

    fn accept(&mut self, valid: &str) -> bool {
        if self.next().is_some_and(|char| valid.contains(char)) {
            return true;
        }
        self.backup();
        false
    }

    fn accept_run(&mut self, valid: &str) {
        while self.next().is_some_and(|char| valid.contains(char)) {}
        self.backup();
    }

    fn error(&mut self, message: impl Into<String>) -> Step<'a> {
        let item = Item {
            kind: ItemKind::Error,
            position: self.start,
            text: Cow::Owned(message.into().into_bytes()),
            line: self.start_line,
        };
        self.start = 0;
        self.position = 0;
        self.input = &self.input[..0];
        Step::Emit(item)
    }

    fn text(&mut self) -> Step<'a> {
        if let Some(offset) = find(self.rest(), self.left) {
            if offset > 0 {
                self.position += offset;
                let mut trim = 0;
                if has_left_trim_marker(&self.input[self.position + self.left.len()..]) {
                    let text = &self.input[self.start..self.position];
                    trim = text.len() - trim_end(text).len();
                }
                self.position -= trim;
                self.count_lines();
                let item = self.take(ItemKind::Text);
                self.position += trim;
                self.ignore();
                if !item.text.is_empty() {
                    return Step::Emit(item);
                }
            }
            return Step::LeftDelim;
        }
        self.position = self.input.len();
        if self.position > self.start {
            self.count_lines();
            return self.emit(ItemKind::Text);
        }
        self.emit(ItemKind::Eof)
    }

    fn left_delim(&mut self) -> Step<'a> {
        self.position += self.left.len();
        let trim = has_left_trim_marker(self.rest());
        let after_marker = if trim { TRIM_MARKER } else { 0 };
        if self.input[self.position + after_marker..].starts_with(LEFT_COMMENT) {
            self.position += after_marker;
            self.ignore();
            return Step::Comment;
        }
        let item = self.take(ItemKind::LeftDelim);
        self.inside_action = true;
        self.position += after_marker;
        self.ignore();
        self.paren_depth = 0;
        Step::Emit(item)
    }

    /// Whether the right delimiter is here, and whether with a trim marker.
    fn at_right_delim(&self) -> (bool, bool) {
        let rest = self.rest();
        if has_right_trim_marker(rest) && rest[TRIM_MARKER..].starts_with(self.right) {
            return (true, true);
        }
        (rest.starts_with(self.right), false)
    }

    fn comment(&mut self) -> Step<'a> {
        self.position += LEFT_COMMENT.len();
        let Some(offset) = find(self.rest(), RIGHT_COMMENT) else {
            return self.error("unclosed comment");
        };
        self.position += offset + RIGHT_COMMENT.len();
        let (delim, trim) = self.at_right_delim();
        if !delim {
            return self.error("comment ends before closing delimiter");
        }
        self.count_lines();
        self.start = self.position;
        self.start_line = self.line;
        if trim {
            self.position += TRIM_MARKER;
        }
        self.position += self.right.len();
        if trim {
            self.skip_spaces();
        }
        self.ignore();
        Step::Text
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        let spaces = rest.iter().take_while(|byte| is_space_byte(**byte)).count();
        self.position += spaces;
    }

    fn right_delim(&mut self) -> Step<'a> {
        let (_, trim) = self.at_right_delim();
        if trim {
            self.position += TRIM_MARKER;
            self.ignore();
        }
        self.position += self.right.len();
        let item = self.take(ItemKind::RightDelim);
        if trim {
            self.skip_spaces();
            self.ignore();
        }
        self.inside_action = false;
        Step::Emit(item)
    }

    fn inside_action(&mut self) -> Step<'a> {
        if self.at_right_delim().0 {
            if self.paren_depth == 0 {
                return Step::RightDelim;
            }
            return self.error("unclosed left paren");
        }
        let Some(char) = self.next() else {
            return self.error("unclosed action");
        };
        match char {
            ' ' | '\t' | '\r' | '\n' => {
                self.backup();
                self.space()
            }
            '=' => self.emit(ItemKind::Assign),
            ':' => {
                if self.next() != Some('=') {
                    return self.error("expected :=");
                }
                self.emit(ItemKind::Declare)
            }
            '|' => self.emit(ItemKind::Pipe),
            '"' => self.quoted('"', ItemKind::String, "unterminated quoted string"),
            '\'' => self.quoted(
                '\'',
                ItemKind::CharConstant,
                "unterminated character constant",
            ),
            '`' => self.raw_quote(),
            '$' if self.at_terminator() => self.emit(ItemKind::Variable),
            '$' => self.field_or_variable(ItemKind::Variable),
            '.' if self
                .rest()
                .first()
                .is_some_and(|next| !next.is_ascii_digit()) =>
            {
                self.field_or_variable(ItemKind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.backup();
                self.number()
            }
            '(' => {
                self.paren_depth += 1;
                self.emit(ItemKind::LeftParen)
            }
            ')' => {
                if self.paren_depth == 0 {
                    return self.error("unexpected right paren");
                }
                self.paren_depth -= 1;
                self.emit(ItemKind::RightParen)
            }
            _ if is_alphanumeric(char) => {
                self.backup();
                self.identifier()
            }
            _ if char.is_ascii() && is_print(char) => self.emit(ItemKind::Char),
            _ => self.error(format!(
                "unrecognized character in action: {}",
                code_point(char)
            )),
        }
    }

    fn space(&mut self) -> Step<'a> {
        let mut count = 0;
        while self.peek().is_some_and(is_space) {
            self.next();
            count += 1;
        }
        let last = &self.input[self.position - 1..];
        if has_right_trim_marker(last) && last[TRIM_MARKER..].starts_with(self.right) {
            self.backup();
            if count == 1 {
                return Step::RightDelim;
            }
        }
        self.emit(ItemKind::Space)
    }

    fn identifier(&mut self) -> Step<'a> {
        let mut char = self.next();
        while char.is_some_and(is_alphanumeric) {
            char = self.next();
        }
        self.backup();
        if !self.at_terminator() {
            let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
            return self.error(format!("bad character {}", code_point(char)));
        }
        let kind = match &self.input[self.start..self.position] {
            b"block" => ItemKind::Block,
            b"break" if self.break_allowed => ItemKind::Break,
            b"continue" if self.continue_allowed => ItemKind::Continue,
            b"define" => ItemKind::Define,
            b"else" => ItemKind::Else,
            b"end" => ItemKind::End,
            b"if" => ItemKind::If,
            b"range" => ItemKind::Range,
            b"nil" => ItemKind::Nil,
            b"template" => ItemKind::Template,
            b"with" => ItemKind::With,
            b"true" | b"false" => ItemKind::Bool,
            _ => ItemKind::Identifier,
        };
        self.emit(kind)
    }

    fn field_or_variable(&mut self, kind: ItemKind) -> Step<'a> {
        if self.at_terminator() {
            return self.emit(if kind == ItemKind::Variable {
                kind
            } else {
                ItemKind::Dot
            });
        }
        let mut char = self.next();
        while char.is_some_and(is_alphanumeric) {
            char = self.next();
        }
        self.backup();
        if !self.at_terminator() {
            let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
            return self.error(format!("bad character {}", code_point(char)));
        }
        self.emit(kind)
    }

    fn at_terminator(&mut self) -> bool {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with(self.right),
        }
    }

    fn quoted(&mut self, quote: char, kind: ItemKind, unterminated: &str) -> Step<'a> {
        loop {
            match self.next() {
                Some('\\') if !matches!(self.next(), None | Some('\n')) => {}
                None | Some('\n' | '\\') => return self.error(unterminated),
                Some(char) if char == quote => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_quote(&mut self) -> Step<'a> {
        loop {
            match self.next() {
                None => return self.error("unterminated raw quoted string"),
                Some('`') => return self.emit(ItemKind::RawString),
                Some(_) => {}
            }
        }
    }

    fn bad_number(&mut self) -> Step<'a> {
        let quoted = crate::strconv::quote(&self.input[self.start..self.position]);
        self.error(format!(
            "bad number syntax: {}",
            crate::text::lossy(&quoted)
        ))
    }

    fn number(&mut self) -> Step<'a> {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || self.input[self.position - 1] != b'i' {
                return self.bad_number();
            }
            return self.emit(ItemKind::Complex);
        }
        self.emit(ItemKind::Number)
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if !exponent.is_empty() && self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

/// `%#U`: the code point, and the character if it can be shown.
fn code_point(char: char) -> String {
    if is_print(char) {
        format!("U+{:04X} '{char}'", char as u32)
    } else {
        format!("U+{:04X}", char as u32)
    }
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n')
}

fn is_space_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn trim_end(text: &[u8]) -> &[u8] {
    let spaces = text
        .iter()
        .rev()
        .take_while(|byte| is_space_byte(**byte))
        .count();
    &text[..text.len() - spaces]
}

fn is_alphanumeric(char: char) -> bool {
    char == '_' || is_letter(char) || is_digit(char)
}

fn has_left_trim_marker(text: &[u8]) -> bool {
    text.len() >= 2 && text[0] == b'-' && is_space_byte(text[1])
}

fn has_right_trim_marker(text: &[u8]) -> bool {
    text.len() >= 2 && is_space_byte(text[0]) && text[1] == b'-'
}
