//! Reading templates.

use super::ParseError;
use super::node::{Filter, Node, Slice};
use super::unquote::unquote;

/// How often paths may stand in filters and unions of others.
const MAX_DEPTH: usize = 20;

/// The parts of a template.
pub(super) fn parse(template: &str) -> Result<Vec<Node>, ParseError> {
    parse_nested(template, 0)
}

fn parse_nested(template: &str, depth: usize) -> Result<Vec<Node>, ParseError> {
    if depth > MAX_DEPTH {
        return Err(ParseError::TooDeep);
    }
    let mut parser = Parser {
        text: template,
        at: 0,
        depth,
    };
    let mut nodes = Vec::new();
    while let Some(brace) = parser.rest().find('{') {
        if brace > 0 {
            nodes.push(Node::Text(parser.rest()[..brace].to_owned()));
        }
        parser.at += brace + 1;
        nodes.push(Node::List(parser.action()?));
    }
    if !parser.rest().is_empty() {
        nodes.push(Node::Text(parser.rest().to_owned()));
    }
    Ok(nodes)
}

/// The steps of a path that stands within another.
fn parse_steps(path: &str, depth: usize) -> Result<Vec<Node>, ParseError> {
    let nodes = parse_nested(&format!("{{{path}}}"), depth + 1)?;
    match nodes.into_iter().next() {
        Some(Node::List(steps)) => Ok(steps),
        _ => Ok(Vec::new()),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// Whether a word or a field ends before this character; the end of the text is `None`.
fn ends_word(c: Option<char>) -> bool {
    c.is_none_or(|c| " \t\r\n.,[]$@{}".contains(c))
}

/// Go's `unicode.IsDigit`, which knows the digits of all scripts.
fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric() && is_decimal(c))
}

/// Of the numeric characters, the decimal digits; the others have values beyond nine or fractions.
fn is_decimal(c: char) -> bool {
    // Decimal digits come in runs of ten: the run's neighbours tell them from letters and fractions.
    const ZEROS: &[u32] = &[
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
        0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
        0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
        0xff10,
    ];
    let code = c as u32;
    ZEROS.iter().any(|zero| (*zero..zero + 10).contains(&code))
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += next.map_or(0, char::len_utf8);
        next
    }

    /// The steps up to the closing brace.
    fn action(&mut self) -> Result<Vec<Node>, ParseError> {
        let mut steps = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with('}') {
                self.at += 1;
                return Ok(steps);
            }
            if rest.starts_with("[?(") {
                steps.push(self.filter()?);
                continue;
            }
            if rest.starts_with("..") {
                if matches!(steps.last(), Some(Node::Recursive)) {
                    return Err(ParseError::RecursiveDescent);
                }
                self.at += 2;
                steps.push(Node::Recursive);
                if self
                    .peek()
                    .is_some_and(|c| c == '_' || c.is_alphabetic() || is_digit(c))
                {
                    steps.push(self.field());
                }
                continue;
            }
            match self.peek() {
                None | Some('\r' | '\n') => return Err(ParseError::UnclosedAction),
                Some(' ' | '@' | '$') => self.at += 1,
                Some('[') => self.array(&mut steps)?,
                Some(quote @ ('"' | '\'')) => steps.push(self.quoted(quote)?),
                Some('.') => {
                    self.at += 1;
                    steps.push(self.field());
                }
                Some(c) if matches!(c, '+' | '-') || is_digit(c) => steps.push(self.number()?),
                Some(c) if c == '_' || c.is_alphabetic() => steps.push(self.word()),
                Some(c) => return Err(ParseError::Character(code_point(c))),
            }
        }
    }

    fn word(&mut self) -> Node {
        let start = self.at;
        while !ends_word(self.peek()) {
            self.next();
        }
        match &self.text[start..self.at] {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            word => Node::Identifier(word.to_owned()),
        }
    }

    /// A field's name, in which a backslash takes the meaning of the next character away.
    fn field(&mut self) -> Node {
        let start = self.at;
        loop {
            let next = self.peek();
            if next != Some('\\') && ends_word(next) {
                break;
            }
            self.next();
            if next == Some('\\') {
                self.next();
            }
        }
        match &self.text[start..self.at] {
            "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        }
    }

    fn number(&mut self) -> Result<Node, ParseError> {
        let start = self.at;
        if matches!(self.peek(), Some('+' | '-')) {
            self.at += 1;
        }
        while self.peek().is_some_and(|c| c == '.' || is_digit(c)) {
            self.next();
        }
        let text = &self.text[start..self.at];
        if let Ok(int) = text.parse() {
            return Ok(Node::Int(int));
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Node::Float(float)),
            _ => Err(ParseError::Number(text.to_owned())),
        }
    }

    /// What stands in brackets: indices, names, or several of them.
    fn array(&mut self, steps: &mut Vec<Node>) -> Result<(), ParseError> {
        let end = self.rest().find([']', '\n']).unwrap_or(self.rest().len());
        if !self.rest()[end..].starts_with(']') {
            return Err(ParseError::UnterminatedArray);
        }
        let text = &self.rest()[1..end];
        self.at += end + 1;
        let text = if text == "*" { ":" } else { text };
        if text.contains(',') {
            let parts = text
                .split(',')
                .map(|part| parse_steps(&format!("[{}]", part.trim_matches(' ')), self.depth));
            steps.push(Node::Union(parts.collect::<Result<_, _>>()?));
            return Ok(());
        }
        let name = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        if let Some(name) = name.filter(|name| !name.contains('\'')) {
            // Upstream quirk, kept: points in a quoted name part it.
            steps.extend(parse_steps(&format!(".{name}"), self.depth)?);
            return Ok(());
        }
        steps.push(Node::Array(slice(text)?));
        Ok(())
    }

    fn filter(&mut self) -> Result<Node, ParseError> {
        self.at += 3;
        let start = self.at;
        let (mut quote, mut is_closed) = (None, false);
        loop {
            match self.next() {
                None | Some('\n') => return Err(ParseError::UnterminatedFilter),
                Some(c @ ('"' | '\'')) => match quote {
                    None => quote = Some(c),
                    Some(quote) => {
                        let is_escaped = self.text.as_bytes()[self.at - 2] == b'\\';
                        is_closed |= !is_escaped && c == quote;
                    }
                },
                Some(')') if quote.is_some() == is_closed => break,
                Some(_) => {}
            }
        }
        let text = &self.text[start..self.at - 1];
        if self.next() != Some(']') {
            return Err(ParseError::UnclosedFilter);
        }
        let (left, comparison) = match split_comparison(text) {
            None => (text, None),
            Some((left, operator, right)) => {
                // The left side is read first, and so are its errors.
                (left, Some((operator, right)))
            }
        };
        let left = parse_steps(left, self.depth)?;
        let comparison = match comparison {
            None => None,
            Some((operator, right)) => Some((operator.to_owned(), parse_steps(right, self.depth)?)),
        };
        Ok(Node::Filter(Box::new(Filter { left, comparison })))
    }

    fn quoted(&mut self, quote: char) -> Result<Node, ParseError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.next() {
                None | Some('\n') => return Err(ParseError::UnterminatedQuote),
                // Upstream quirk, kept: a backslash before the quote escapes it, escaped or not.
                Some(c) if c == quote && self.text.as_bytes()[self.at - 2] != b'\\' => break,
                Some(_) => {}
            }
        }
        let text = &self.text[start..self.at];
        unquote(text)
            .map(Node::Text)
            .ok_or_else(|| ParseError::Quote(text.to_owned()))
    }
}

/// Left side, operator and right side, none of them empty.
fn split_comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_sign = |c: char| "!<>=".contains(c);
    let start = text.find(is_sign).filter(|start| *start > 0)?;
    let signs = text[start..].find(|c| !is_sign(c));
    let end = match signs {
        Some(length) => start + length,
        // Signs up to the end: the last is taken for the right side.
        None if text.len() - start > 1 => text.len() - 1,
        None => return None,
    };
    Some((&text[..start], &text[start..end], &text[end..]))
}

/// `1`, `1:2`, `:`, `1:2:3`.
fn slice(text: &str) -> Result<Slice, ParseError> {
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let is_number = |part: &str| {
        part.strip_prefix('-')
            .unwrap_or(part)
            .bytes()
            .all(|byte| byte.is_ascii_digit())
    };
    if rest.len() > 2 || !is_number(first) || !rest.iter().all(|part| is_number(part)) {
        return Err(ParseError::ArrayIndex(text.to_owned()));
    }
    let number = |part: &str| match part {
        "" => Ok(None),
        part => part
            .parse::<i64>()
            .map(Some)
            .map_err(|_| ParseError::IndexNumber(part.to_owned())),
    };
    let start = number(first)?;
    let (end, is_single) = match rest.first() {
        Some(end) => (number(end)?, false),
        None => (Some(start.unwrap_or(0).wrapping_add(1)), true),
    };
    let step = rest.get(1).map_or(Ok(None), |step| number(step))?;
    Ok(Slice {
        start,
        end,
        is_single,
        step,
    })
}

/// Go's `%#U`.
fn code_point(c: char) -> String {
    let code = format!("U+{:04X}", c as u32);
    // A character that is printable is quoted as it is.
    if crate::field::quote(&c.to_string()).contains(c) {
        format!("{code} '{c}'")
    } else {
        code
    }
}
