//! Plain, quoted and block scalars.

use super::{Mark, ScalarStyle, Scanner, TokenKind};
use crate::Text;
use crate::error::{Dialect, Error};

/// White space inside a scalar that is only kept once more content follows.
#[derive(Default)]
struct Gap {
    spaces: String,
    first_break: String,
    more_breaks: String,
    broken: bool,
}

impl Gap {
    /// Writes the gap folded: one break is a space, more are themselves less the first.
    fn fold_into(&mut self, out: &mut String) {
        if self.broken {
            if self.first_break.starts_with('\n') {
                match self.more_breaks.as_str() {
                    "" => out.push(' '),
                    breaks => out.push_str(breaks),
                }
            } else {
                out.push_str(&self.first_break);
                out.push_str(&self.more_breaks);
            }
        } else {
            out.push_str(&self.spaces);
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.spaces.clear();
        self.first_break.clear();
        self.more_breaks.clear();
        self.broken = false;
    }
}

impl Scanner<'_> {
    pub(super) fn fetch_plain_scalar(&mut self) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_plain()
    }

    pub(super) fn fetch_flow_scalar(&mut self, single: bool) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_quoted(single)
    }

    pub(super) fn fetch_block_scalar(&mut self, literal: bool) -> Result<(), Error> {
        if let Some(key) = self.simple_keys.last().copied() {
            if key.possible && key.required {
                return Err(self.error(key.mark, "could not find expected ':'"));
            }
            if let Some(last) = self.simple_keys.last_mut() {
                last.possible = false;
            }
        }
        self.simple_key_allowed = true;
        self.scan_block(literal)
    }

    fn ends_plain(&self) -> bool {
        match self.at(0) {
            b':' => self.is_blankz(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_level > 0,
            _ => false,
        }
    }

    fn scan_plain(&mut self) -> Result<(), Error> {
        let (start, start_byte) = (self.mark, self.pos);
        let (mut end, mut end_byte) = (self.mark, self.pos);
        let indent = self.indent + 1;
        let mut value = String::new();
        let mut gap = Gap::default();
        loop {
            if self.at_document_indicator() || self.at(0) == b'#' {
                break;
            }
            let run = self.pos;
            while !self.is_blankz(0) && !self.ends_plain() {
                self.skip_plain();
            }
            if self.pos > run {
                gap.fold_into(&mut value);
                value.push_str(&self.text[run..self.pos]);
                (end, end_byte) = (self.mark, self.pos);
            }
            if !(self.is_blank(0) || self.is_break(0)) {
                break;
            }
            self.scan_gap(&mut gap, |scanner, broken| {
                if broken && (scanner.mark.column as isize) < indent && scanner.at(0) == b'\t' {
                    return Err(
                        scanner.error(start, "found a tab character that violates indentation")
                    );
                }
                Ok(())
            })?;
            if self.flow_level == 0 && (self.mark.column as isize) < indent {
                break;
            }
        }
        self.push_scalar(
            &value,
            ScalarStyle::Plain,
            (start, end),
            (start_byte, end_byte),
        );
        if gap.broken {
            self.simple_key_allowed = true;
        }
        Ok(())
    }

    /// One character of a plain scalar; runs of plain ASCII are taken at once.
    #[inline]
    fn skip_plain(&mut self) {
        let rest = &self.buffer[self.pos..];
        let run = rest
            .iter()
            .take_while(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'/' | b'_'))
            .count();
        if run == 0 {
            self.skip();
            return;
        }
        self.newlines = 0;
        self.pos += run;
        self.mark.index += run;
        self.mark.column += run;
    }

    /// Reads blanks and breaks into `gap`; `check` sees each blank first.
    fn scan_gap(
        &mut self,
        gap: &mut Gap,
        check: impl Fn(&Self, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while self.is_blank(0) || self.is_break(0) {
            if self.is_blank(0) {
                check(self, gap.broken)?;
                if gap.broken {
                    self.skip();
                } else {
                    self.read(&mut gap.spaces);
                }
            } else if gap.broken {
                self.read_line(&mut gap.more_breaks);
            } else {
                gap.spaces.clear();
                self.read_line(&mut gap.first_break);
                gap.broken = true;
            }
        }
        Ok(())
    }

    fn scan_quoted(&mut self, single: bool) -> Result<(), Error> {
        let (start, start_byte) = (self.mark, self.pos);
        let quote = if single { b'\'' } else { b'"' };
        self.skip();
        let mut value = String::new();
        let mut gap = Gap::default();
        loop {
            if self.at_document_indicator() {
                return Err(self.error(start, "found unexpected document indicator"));
            }
            if self.is_end(0) {
                return Err(self.error(start, "found unexpected end of stream"));
            }
            gap.broken = false;
            while !self.is_blankz(0) {
                if single && self.at(0) == b'\'' && self.at(1) == b'\'' {
                    value.push('\'');
                    self.skip();
                    self.skip();
                } else if self.at(0) == quote {
                    break;
                } else if !single && self.at(0) == b'\\' {
                    if self.is_break(1) {
                        // An escaped line break joins the lines without a space.
                        self.skip();
                        self.skip_line();
                        gap.broken = true;
                        break;
                    }
                    self.scan_escape(start, &mut value)?;
                } else {
                    self.read(&mut value);
                }
            }
            if self.at(0) == quote {
                break;
            }
            let escaped = gap.broken;
            self.scan_gap(&mut gap, |_, _| Ok(()))?;
            if escaped {
                // What the escaped break began has no first break; only further ones count.
                value.push_str(&gap.first_break);
                value.push_str(&gap.more_breaks);
                gap.clear();
            } else {
                gap.fold_into(&mut value);
            }
        }
        self.skip();
        let style = if single {
            ScalarStyle::SingleQuoted
        } else {
            ScalarStyle::DoubleQuoted
        };
        self.push_scalar(&value, style, (start, self.mark), (start_byte, self.pos));
        Ok(())
    }

    fn scan_escape(&mut self, start: Mark, value: &mut String) -> Result<(), Error> {
        let digits = match self.at(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let literal = match self.at(1) {
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0B',
            b'f' => '\x0C',
            b'r' => '\r',
            b'e' => '\x1B',
            b' ' => ' ',
            b'"' => '"',
            b'\'' => '\'',
            b'\\' => '\\',
            b'N' => '\u{85}',
            b'_' => '\u{A0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'0' | b'x' | b'u' | b'U' => '\0',
            _ => return Err(self.error(start, "found unknown escape character")),
        };
        self.skip();
        self.skip();
        if digits == 0 {
            value.push(literal);
            return Ok(());
        }
        let mut code: u32 = 0;
        for offset in 0..digits {
            let Some(digit) = (self.at(offset) as char).to_digit(16) else {
                return Err(self.error(start, "did not find expected hexdecimal number"));
            };
            code = code.wrapping_shl(4) | digit;
        }
        let Some(character) = char::from_u32(code) else {
            return Err(self.error(start, "found invalid Unicode character escape code"));
        };
        value.push(character);
        for _ in 0..digits {
            self.skip();
        }
        Ok(())
    }

    fn scan_block(&mut self, literal: bool) -> Result<(), Error> {
        let (start, start_byte) = (self.mark, self.pos);
        self.skip();
        let (chomping, increment) = self.scan_block_header(start)?;
        self.skip_blanks();
        if self.at(0) == b'#' {
            if self.dialect == Dialect::V3 {
                self.scan_line_comment(start);
            }
            while !self.is_breakz(0) {
                self.skip();
            }
        }
        if !self.is_breakz(0) {
            return Err(self.error(start, "did not find expected comment or line break"));
        }
        self.skip_line();

        let mut indent = match increment {
            0 => 0,
            increment => self.indent.max(0) as usize + increment,
        };
        let mut value = String::new();
        let (mut first_break, mut more_breaks) = (String::new(), String::new());
        let mut end = self.scan_block_breaks(&mut indent, &mut more_breaks, start)?;
        let mut after_blank = false;
        while self.mark.column == indent && !self.is_end(0) {
            let blank = self.is_blank(0);
            if !literal && !after_blank && !blank && first_break.starts_with('\n') {
                if more_breaks.is_empty() {
                    value.push(' ');
                }
            } else {
                value.push_str(&first_break);
            }
            first_break.clear();
            value.push_str(&more_breaks);
            more_breaks.clear();
            after_blank = blank;
            let line = self.pos;
            while !self.is_breakz(0) {
                self.skip();
            }
            value.push_str(&self.text[line..self.pos]);
            self.read_line(&mut first_break);
            end = self.scan_block_breaks(&mut indent, &mut more_breaks, start)?;
        }
        if chomping != Chomping::Strip {
            value.push_str(&first_break);
        }
        if chomping == Chomping::Keep {
            value.push_str(&more_breaks);
        }
        let style = if literal {
            ScalarStyle::Literal
        } else {
            ScalarStyle::Folded
        };
        self.push_scalar(&value, style, (start, end), (start_byte, self.pos));
        Ok(())
    }

    /// The chomping and indentation indicators, in either order.
    fn scan_block_header(&mut self, start: Mark) -> Result<(Chomping, usize), Error> {
        let mut chomping = None;
        let mut increment = None;
        for _ in 0..2 {
            match self.at(0) {
                sign @ (b'+' | b'-') if chomping.is_none() => {
                    chomping = Some(match sign {
                        b'+' => Chomping::Keep,
                        _ => Chomping::Strip,
                    });
                }
                b'0' if increment.is_none() => {
                    return Err(self.error(start, "found an indentation indicator equal to 0"));
                }
                digit @ b'1'..=b'9' if increment.is_none() => {
                    increment = Some(usize::from(digit - b'0'));
                }
                _ => break,
            }
            self.skip();
        }
        Ok((chomping.unwrap_or(Chomping::Clip), increment.unwrap_or(0)))
    }

    /// Passes over indentation and empty lines; finds out the indentation where it is not known.
    fn scan_block_breaks(
        &mut self,
        indent: &mut usize,
        breaks: &mut String,
        start: Mark,
    ) -> Result<Mark, Error> {
        let mut end = self.mark;
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.mark.column < *indent) && self.at(0) == b' ' {
                self.skip();
            }
            deepest = deepest.max(self.mark.column);
            if (*indent == 0 || self.mark.column < *indent) && self.at(0) == b'\t' {
                return Err(self.error(
                    start,
                    "found a tab character where an indentation space is expected",
                ));
            }
            if !self.is_break(0) {
                break;
            }
            self.read_line(breaks);
            end = self.mark;
        }
        if *indent == 0 {
            *indent = deepest.max((self.indent + 1).max(1) as usize);
        }
        Ok(end)
    }

    fn push_scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        (start, end): (Mark, Mark),
        bytes: (usize, usize),
    ) {
        let value = Text::from(value);
        self.push_token(super::Token {
            kind: TokenKind::Scalar { value, style },
            start,
            end,
            bytes,
        });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}
