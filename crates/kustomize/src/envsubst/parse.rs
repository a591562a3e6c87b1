//! From a text to its substitutions.
//!
//! The scanner keeps how far it went with the last character, as upstream's does: what follows a colon is
//! looked at and given back twice, which shows where that is not ASCII.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use super::{Node, SubstituteError};

const MAX_DEPTH: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Illegal,
    End,
    Word,
    Open,
    Close,
}

/// What the scanner recognises.
#[derive(Debug, Clone, Copy, Default)]
struct Mode {
    word: bool,
    open: bool,
    close: bool,
    escape: bool,
}

const WORD: Mode = Mode {
    word: true,
    open: false,
    close: false,
    escape: false,
};
const CLOSE: Mode = Mode {
    word: false,
    open: false,
    close: true,
    escape: false,
};
const WORD_OR_CLOSE: Mode = Mode {
    word: true,
    open: false,
    close: true,
    escape: false,
};
const WORD_WITH_ESCAPES: Mode = Mode {
    word: true,
    open: false,
    close: false,
    escape: true,
};

/// Whether a character belongs to the word; `length` counts the bytes of the word with it.
type Accept = fn(c: char, length: usize) -> bool;

const NUL: char = '\0';

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// Bytes of the character read last.
    width: usize,
    mode: Mode,
    accept: Accept,
    /// Whether a backslash escapes, besides a dollar.
    backslash: bool,
    /// The word read last, without the characters that escape.
    word: Vec<u8>,
}

fn decode(text: &[u8]) -> (char, usize) {
    let first = text.first().copied().unwrap_or_default();
    if first.is_ascii() {
        return (char::from(first), 1);
    }
    let longest = &text[..text.len().min(4)];
    let valid = match std::str::from_utf8(longest) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(&longest[..error.valid_up_to()]).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(c) => (c, c.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

impl Scanner<'_> {
    fn read(&mut self) -> char {
        if self.at >= self.text.len() {
            self.width = 0;
            return NUL;
        }
        let (c, width) = decode(&self.text[self.at..]);
        self.width = width;
        self.at += width;
        c
    }

    fn unread(&mut self) {
        self.at = self.at.saturating_sub(self.width);
    }

    fn peek(&mut self) -> char {
        let c = self.read();
        self.unread();
        c
    }

    fn scan(&mut self, mode: Mode) -> Token {
        self.mode = mode;
        let start = self.at;
        let c = self.read();
        if c == NUL {
            self.unread();
            Token::End
        } else if self.opens(c) {
            Token::Open
        } else if mode.close && c == '}' {
            Token::Close
        } else if mode.word && self.scan_word(c, start) {
            Token::Word
        } else {
            Token::Illegal
        }
    }

    /// Reads a word; `dropped` bytes of it were escapes and do not count.
    fn scan_word(&mut self, first: char, start: usize) -> bool {
        self.word.clear();
        let mut dropped = 0;
        let accept = self.accept;
        if self.escapes(first) {
            self.take_escaped();
            dropped += 1;
        } else if accept(first, self.at - start) {
            self.word.extend_from_slice(&self.text[start..self.at]);
        } else {
            return false;
        }
        loop {
            let before = self.at;
            let c = self.read();
            if c == NUL {
                self.unread();
                break;
            }
            if self.opens(c) {
                self.at = before;
                break;
            }
            if self.escapes(c) {
                self.take_escaped();
                dropped += 1;
                continue;
            }
            if !accept(c, self.at - start - dropped) {
                self.at = before;
                break;
            }
            self.word.extend_from_slice(&self.text[before..self.at]);
        }
        true
    }

    /// The character after one that escapes.
    fn take_escaped(&mut self) {
        let before = self.at;
        self.read();
        self.word.extend_from_slice(&self.text[before..self.at]);
    }

    fn opens(&mut self, c: char) -> bool {
        if !self.mode.open || c != '$' {
            return false;
        }
        if self.text.get(self.at) == Some(&b'{') {
            self.at += 1;
            self.width = 1;
            return true;
        }
        false
    }

    fn escapes(&self, c: char) -> bool {
        let next = self.text.get(self.at);
        self.mode.escape
            && match c {
                '$' => next == Some(&b'$'),
                '\\' => self.backslash && matches!(next, Some(b'/' | b'\\')),
                _ => false,
            }
    }

    fn word(&self) -> String {
        String::from_utf8_lossy(&self.word).into_owned()
    }
}

/// The parts of a text.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Node>, SubstituteError> {
    let mut scanner = Scanner {
        text,
        at: 0,
        width: 0,
        mode: WORD,
        accept: |_, _| true,
        backslash: false,
        word: Vec::new(),
    };
    let mut nodes = Vec::new();
    loop {
        scanner.accept = |_, _| true;
        scanner.backslash = false;
        let mode = Mode {
            open: true,
            ..WORD_WITH_ESCAPES
        };
        match scanner.scan(mode) {
            Token::End => return Ok(nodes),
            Token::Word => nodes.push(Node::Text(std::mem::take(&mut scanner.word))),
            Token::Open => nodes.push(call(&mut scanner, 0)?),
            Token::Illegal | Token::Close => return Err(SubstituteError::BadSubstitution),
        }
    }
}

fn is_name(c: char, _: usize) -> bool {
    use GeneralCategory as Is;
    c == '_'
        || c.is_ascii_alphanumeric()
        || (!c.is_ascii()
            && matches!(
                c.general_category(),
                Is::UppercaseLetter
                    | Is::LowercaseLetter
                    | Is::TitlecaseLetter
                    | Is::ModifierLetter
                    | Is::OtherLetter
                    | Is::DecimalNumber
            ))
}

fn word(
    scanner: &mut Scanner<'_>,
    accept: Accept,
    otherwise: SubstituteError,
) -> Result<String, SubstituteError> {
    scanner.accept = accept;
    match scanner.scan(WORD) {
        Token::Word => Ok(scanner.word()),
        _ => Err(otherwise),
    }
}

/// What follows `${`, with the closing brace.
fn call(scanner: &mut Scanner<'_>, depth: usize) -> Result<Node, SubstituteError> {
    if depth > MAX_DEPTH {
        return Err(SubstituteError::TooDeep);
    }
    scanner.backslash = true;
    if scanner.peek() == '#' {
        let operator = word(
            scanner,
            |c, at| c == '#' && at == 1,
            SubstituteError::BadSubstitution,
        )?;
        let variable = word(scanner, is_name, SubstituteError::BadSubstitution)?;
        return close(scanner, variable, operator, Vec::new());
    }
    let variable = word(scanner, is_name, SubstituteError::VariableName)?;
    match scanner.peek() {
        ':' => {
            scanner.read();
            let next = scanner.peek();
            scanner.unread();
            match next {
                '=' | '-' | '?' | '+' => default(scanner, variable, depth),
                _ => substring(scanner, variable, depth),
            }
        }
        '=' => default(scanner, variable, depth),
        ',' | '^' => {
            let accept: Accept = |c, at| (c == ',' || c == '^') && at < 3;
            let operator = word(scanner, accept, SubstituteError::BadSubstitution)?;
            close(scanner, variable, operator, Vec::new())
        }
        '/' => replace(scanner, variable, depth),
        '#' => remove(scanner, variable, |c, at| c == '#' && at < 3, depth),
        '%' => remove(scanner, variable, |c, at| c == '%' && at < 3, depth),
        _ => match scanner.scan(CLOSE) {
            Token::Close => Ok(Node::Call {
                variable,
                operator: String::new(),
                arguments: Vec::new(),
            }),
            _ => Err(SubstituteError::MissingClosingBrace),
        },
    }
}

fn close(
    scanner: &mut Scanner<'_>,
    variable: String,
    operator: String,
    arguments: Vec<Node>,
) -> Result<Node, SubstituteError> {
    match scanner.scan(CLOSE) {
        Token::Close => Ok(Node::Call {
            variable,
            operator,
            arguments,
        }),
        _ => Err(SubstituteError::BadSubstitution),
    }
}

fn argument(
    scanner: &mut Scanner<'_>,
    accept: Accept,
    mode: Mode,
    depth: usize,
) -> Result<Node, SubstituteError> {
    scanner.accept = accept;
    match scanner.scan(Mode { open: true, ..mode }) {
        Token::Open => call(scanner, depth + 1),
        Token::Word => Ok(Node::Text(std::mem::take(&mut scanner.word))),
        _ => Err(SubstituteError::Argument),
    }
}

/// `${x:=d}`, `${x:-d}`, `${x=d}` …
fn default(
    scanner: &mut Scanner<'_>,
    variable: String,
    depth: usize,
) -> Result<Node, SubstituteError> {
    let accept: Accept = if scanner.peek() == '=' {
        |c, at| c == '=' && at == 1
    } else {
        |c, at| (at == 1 && c == ':') || (at == 2 && matches!(c, '=' | '-' | '?' | '+'))
    };
    let operator = word(scanner, accept, SubstituteError::Default)?;
    let mut arguments = Vec::new();
    while scanner.peek() != '}' {
        arguments.push(argument(scanner, |c, _| c != '}', WORD, depth)?);
    }
    close(scanner, variable, operator, arguments)
}

/// `${x:offset}` and `${x:offset:length}`
fn substring(
    scanner: &mut Scanner<'_>,
    variable: String,
    depth: usize,
) -> Result<Node, SubstituteError> {
    let operator = word(
        scanner,
        |c, at| c == ':' && at == 1,
        SubstituteError::BadSubstitution,
    )?;
    let mut arguments = vec![argument(scanner, |c, _| c != ':' && c != '}', WORD, depth)?];
    scanner.accept = |c, _| c == ':';
    match scanner.scan(WORD_OR_CLOSE) {
        Token::Close => {
            return Ok(Node::Call {
                variable,
                operator,
                arguments,
            });
        }
        Token::Word => {}
        _ => return Err(SubstituteError::BadSubstitution),
    }
    arguments.push(argument(scanner, |c, _| c != '}', WORD, depth)?);
    close(scanner, variable, operator, arguments)
}

/// `${x#pattern}`, `${x##pattern}`, `${x%pattern}`, `${x%%pattern}`
fn remove(
    scanner: &mut Scanner<'_>,
    variable: String,
    accept: Accept,
    depth: usize,
) -> Result<Node, SubstituteError> {
    let operator = word(scanner, accept, SubstituteError::BadSubstitution)?;
    let pattern = argument(scanner, |c, _| c != '}', WORD, depth)?;
    close(scanner, variable, operator, vec![pattern])
}

/// `${x/a/b}`, `${x//a/b}`, `${x/#a/b}`, `${x/%a/b}`
fn replace(
    scanner: &mut Scanner<'_>,
    variable: String,
    depth: usize,
) -> Result<Node, SubstituteError> {
    let accept: Accept = |c, at| (at == 1 && c == '/') || (at == 2 && matches!(c, '/' | '#' | '%'));
    let operator = word(scanner, accept, SubstituteError::BadSubstitution)?;
    let mut arguments = vec![argument(
        scanner,
        |c, _| c != '/',
        WORD_WITH_ESCAPES,
        depth,
    )?];
    word(scanner, |c, _| c == '/', SubstituteError::BadSubstitution)?;
    if scanner.peek() != '}' {
        arguments.push(argument(
            scanner,
            |c, _| c != '}',
            WORD_WITH_ESCAPES,
            depth,
        )?);
    }
    close(scanner, variable, operator, arguments)
}
