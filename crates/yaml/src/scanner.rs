//! From text to tokens, as libyaml scans and with the comments go-yaml v3 attaches.
//!
//! The shape is libyaml's: tokens are queued, and a `Key` token is put before what turned out to be a
//! simple key once its `:` is seen. go-yaml v3 looks two tokens further ahead, since a comment's owner
//! is known only then; v2 does not, which shows in which of two errors comes first.

mod comments;
mod indicators;
mod scalars;
mod tags;

pub(crate) use comments::Comment;

use crate::Text;
use crate::error::{Dialect, Error};

/// The nesting (of flow collections, and of block indents) that is still read. go-yaml stops at
/// 10 000; ours is lower because everything above recurses.
pub(crate) const MAX_DEPTH: usize = 400;

/// A place in the text, counted from zero; `index` and `column` count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    pub(crate) index: usize,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarStyle {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    StreamStart,
    StreamEnd,
    VersionDirective { major: u8, minor: u8 },
    TagDirective { handle: Text, prefix: Text },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(Text),
    Anchor(Text),
    Tag { handle: Text, suffix: Text },
    Scalar { value: Text, style: ScalarStyle },
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: Mark,
    pub(crate) end: Mark,
    /// Byte offsets into the text, for edits in place.
    pub(crate) bytes: (usize, usize),
}

#[derive(Debug, Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    mark: Mark,
    byte: usize,
}

pub(crate) struct Scanner<'a> {
    buffer: &'a [u8],
    text: &'a str,
    pos: usize,
    mark: Mark,
    dialect: Dialect,
    /// Line breaks since the last character that was neither blank nor a break.
    newlines: usize,
    tokens: Vec<Token>,
    head: usize,
    parsed: usize,
    indent: isize,
    indents: Vec<isize>,
    flow_level: usize,
    simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
    stream_started: bool,
    pub(crate) comments: Vec<Comment>,
    pub(crate) comments_head: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self {
            buffer: text.as_bytes(),
            text,
            pos: 0,
            mark: Mark::default(),
            dialect,
            newlines: 0,
            tokens: Vec::new(),
            head: 0,
            parsed: 0,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: false,
            simple_keys: Vec::new(),
            stream_started: false,
            comments: Vec::new(),
            comments_head: 0,
        }
    }

    /// The next token, without taking it.
    pub(crate) fn peek(&mut self) -> Result<&Token, Error> {
        self.fetch_more()?;
        Ok(&self.tokens[self.head])
    }

    /// Takes the token that `peek` showed.
    pub(crate) fn take(&mut self) -> Token {
        self.parsed += 1;
        let index = self.head;
        self.head += 1;
        let token = &mut self.tokens[index];
        // The kind of a taken token may still be asked for (by comments), its text never.
        let kind = match &mut token.kind {
            TokenKind::Scalar { value, style } => TokenKind::Scalar {
                value: std::mem::take(value),
                style: *style,
            },
            TokenKind::Alias(name) => TokenKind::Alias(std::mem::take(name)),
            TokenKind::Anchor(name) => TokenKind::Anchor(std::mem::take(name)),
            other => other.clone(),
        };
        Token {
            kind,
            start: token.start,
            end: token.end,
            bytes: token.bytes,
        }
    }

    fn fetch_more(&mut self) -> Result<(), Error> {
        let lookahead = match self.dialect {
            Dialect::V2 => 0,
            Dialect::V3 => 2,
        };
        loop {
            if self.ended() && self.head < self.tokens.len() {
                return Ok(());
            }
            if self.head + lookahead < self.tokens.len() {
                // The token at the head may still get a `Key` token put before it.
                let parsed = self.parsed;
                let keys = &self.simple_keys;
                let at = keys.partition_point(|key| key.token_number < parsed);
                match keys.get(at) {
                    Some(key) if key.possible && key.token_number == parsed => {
                        if !self.simple_key_is_valid(at)? {
                            return Ok(());
                        }
                    }
                    _ => return Ok(()),
                }
            }
            self.fetch_next()?;
        }
    }

    fn ended(&self) -> bool {
        self.tokens
            .last()
            .is_some_and(|token| token.kind == TokenKind::StreamEnd)
    }

    fn push(&mut self, kind: TokenKind, start: Mark, byte: usize) {
        let (end, bytes) = (self.mark, (byte, self.pos));
        self.push_token(Token {
            kind,
            start,
            end,
            bytes,
        });
    }

    fn push_token(&mut self, token: Token) {
        // Two taken tokens stay, since comments look back at them.
        if self.head > 64 {
            self.tokens.drain(..self.head - 2);
            self.head = 2;
        }
        self.tokens.push(token);
    }

    /// Puts a token of no width before the token numbered `number`.
    fn insert(&mut self, number: usize, kind: TokenKind, mark: Mark, byte: usize) {
        let token = Token {
            kind,
            start: mark,
            end: mark,
            bytes: (byte, byte),
        };
        let at = self.head + (number - self.parsed);
        self.tokens.insert(at, token);
    }

    // Characters. Past the end of the text there are NULs, which cannot be in it.

    #[inline]
    fn at(&self, offset: usize) -> u8 {
        self.buffer.get(self.pos + offset).copied().unwrap_or(0)
    }

    #[inline]
    fn is_blank(&self, offset: usize) -> bool {
        matches!(self.at(offset), b' ' | b'\t')
    }

    #[inline]
    fn is_break(&self, offset: usize) -> bool {
        match self.at(offset) {
            b'\n' | b'\r' => true,
            0xC2 => self.at(offset + 1) == 0x85,
            0xE2 => self.at(offset + 1) == 0x80 && matches!(self.at(offset + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    #[inline]
    fn is_end(&self, offset: usize) -> bool {
        self.at(offset) == 0
    }

    #[inline]
    fn is_breakz(&self, offset: usize) -> bool {
        self.is_break(offset) || self.is_end(offset)
    }

    #[inline]
    fn is_blankz(&self, offset: usize) -> bool {
        self.is_blank(offset) || self.is_breakz(offset)
    }

    fn is_alpha(&self, offset: usize) -> bool {
        matches!(self.at(offset), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    #[inline]
    fn width(&self) -> usize {
        match self.at(0) {
            0..=0x7F => 1,
            byte if byte & 0xE0 == 0xC0 => 2,
            byte if byte & 0xF0 == 0xE0 => 3,
            _ => 4,
        }
    }

    /// Passes over one character.
    #[inline]
    fn skip(&mut self) {
        if !self.is_blank(0) {
            self.newlines = 0;
        }
        self.mark.index += 1;
        self.mark.column += 1;
        self.pos = (self.pos + self.width()).min(self.buffer.len());
    }

    /// Passes over a line break, if there is one.
    fn skip_line(&mut self) {
        if !self.is_break(0) {
            return;
        }
        let crlf = self.at(0) == b'\r' && self.at(1) == b'\n';
        let width = if crlf { 2 } else { self.width() };
        self.mark.index += if crlf { 2 } else { 1 };
        self.pos += width;
        self.next_line();
    }

    fn next_line(&mut self) {
        self.mark.column = 0;
        self.mark.line += 1;
        self.newlines += 1;
    }

    /// Appends one character to `out`.
    #[inline]
    fn read(&mut self, out: &mut String) {
        let width = self.width();
        out.push_str(&self.text[self.pos..self.pos + width]);
        if !self.is_blank(0) {
            self.newlines = 0;
        }
        self.mark.index += 1;
        self.mark.column += 1;
        self.pos += width;
    }

    /// Appends a line break to `out`, normalised to a line feed where it is not LS or PS.
    fn read_line(&mut self, out: &mut String) {
        match self.at(0) {
            b'\r' if self.at(1) == b'\n' => {
                out.push('\n');
                self.pos += 2;
                self.mark.index += 1;
            }
            b'\r' | b'\n' => {
                out.push('\n');
                self.pos += 1;
            }
            0xC2 if self.at(1) == 0x85 => {
                out.push('\n');
                self.pos += 2;
            }
            0xE2 if self.is_break(0) => {
                out.push_str(&self.text[self.pos..self.pos + 3]);
                self.pos += 3;
            }
            _ => return,
        }
        self.mark.index += 1;
        self.next_line();
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.skip();
        }
    }

    /// The line start of `---` or `...`.
    fn at_document_indicator(&self) -> bool {
        self.mark.column == 0
            && (matches!(
                (self.at(0), self.at(1), self.at(2)),
                (b'-', b'-', b'-') | (b'.', b'.', b'.')
            ))
            && self.is_blankz(3)
    }

    /// go-yaml names the line of the context, else of the problem (v3; v2 the other way round), and
    /// none at all when that is the first line.
    fn error(&self, context: Mark, problem: impl Into<String>) -> Error {
        let lines = match self.dialect {
            Dialect::V2 => [self.mark.line, context.line],
            Dialect::V3 => [context.line, self.mark.line],
        };
        let line = match lines {
            [0, 0] => 0,
            // v2 does not add one to the context's line.
            [0, line] if self.dialect == Dialect::V2 => line,
            [0, line] | [line, _] => line + 1,
        };
        Error::Syntax {
            line,
            problem: problem.into(),
        }
    }
}
