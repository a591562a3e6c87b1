//! The scanner's dispatch: indentation, simple keys and the indicator characters.

use super::{MAX_DEPTH, Mark, Scanner, SimpleKey, Token, TokenKind};
use crate::error::{Dialect, Error};

impl Scanner<'_> {
    /// Scans at least one more token into the queue.
    pub(super) fn fetch_next(&mut self) -> Result<(), Error> {
        if !self.stream_started {
            self.stream_started = true;
            self.simple_keys.push(SimpleKey::default());
            self.simple_key_allowed = true;
            self.push(TokenKind::StreamStart, self.mark, self.pos);
            return Ok(());
        }
        let scan_mark = self.mark;
        self.scan_to_next_token()?;
        self.unroll_indent(self.mark.column as isize, scan_mark);
        if self.is_end(0) {
            return self.fetch_stream_end();
        }
        if self.mark.column == 0 && self.at(0) == b'%' {
            return self.fetch_directive();
        }
        if self.at_document_indicator() {
            let kind = match self.at(0) {
                b'-' => TokenKind::DocumentStart,
                _ => TokenKind::DocumentEnd,
            };
            return self.fetch_document_indicator(kind);
        }
        if self.dialect == Dialect::V2 {
            return self.fetch_by_character();
        }
        let mut comment_mark = self.mark;
        let separator = if self.flow_level == 0 { b':' } else { b',' };
        if let (Some(last), true) = (self.tokens.last(), self.at(0) == separator) {
            comment_mark = last.start;
        }
        self.fetch_by_character()?;
        let last = self.tokens.last();
        if !last.is_some_and(|token| token.kind == TokenKind::BlockEntry) {
            self.scan_line_comment(comment_mark);
        }
        Ok(())
    }

    fn fetch_by_character(&mut self) -> Result<(), Error> {
        let in_flow = self.flow_level > 0;
        match self.at(0) {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.is_blankz(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.is_blankz(1) => self.fetch_key(),
            b':' if in_flow || self.is_blankz(1) => self.fetch_value(),
            b'*' => self.fetch_anchor(true),
            b'&' => self.fetch_anchor(false),
            b'!' => self.fetch_tag(),
            b'|' if !in_flow => self.fetch_block_scalar(true),
            b'>' if !in_flow => self.fetch_block_scalar(false),
            b'\'' => self.fetch_flow_scalar(true),
            b'"' => self.fetch_flow_scalar(false),
            _ if self.may_start_plain() => self.fetch_plain_scalar(),
            _ => Err(self.error(self.mark, "found character that cannot start any token")),
        }
    }

    /// Whether a plain scalar may start here.
    fn may_start_plain(&self) -> bool {
        match self.at(0) {
            b'-' => !self.is_blank(1),
            b'?' | b':' => self.flow_level == 0 && !self.is_blankz(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !self.is_blankz(0),
        }
    }

    /// A simple key must be on one line and at most 1024 characters long.
    pub(super) fn simple_key_is_valid(&mut self, at: usize) -> Result<bool, Error> {
        let key = self.simple_keys[at];
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < self.mark.line || key.mark.index + 1024 < self.mark.index {
            if key.required {
                return Err(self.error(key.mark, "could not find expected ':'"));
            }
            self.simple_keys[at].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) fn save_simple_key(&mut self) -> Result<(), Error> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let key = SimpleKey {
            possible: true,
            required: self.flow_level == 0 && self.indent == self.mark.column as isize,
            token_number: self.parsed + (self.tokens.len() - self.head),
            mark: self.mark,
            byte: self.pos,
        };
        self.remove_simple_key()?;
        if let Some(last) = self.simple_keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Result<(), Error> {
        let Some(key) = self.simple_keys.last().copied() else {
            return Ok(());
        };
        if key.possible && key.required {
            return Err(self.error(key.mark, "could not find expected ':'"));
        }
        if let Some(last) = self.simple_keys.last_mut() {
            last.possible = false;
        }
        Ok(())
    }

    /// Opens a block collection (`kind`) if `column` is deeper than the current indent. `number` is the
    /// token to put it before; none appends it.
    fn roll_indent(&mut self, key: Option<SimpleKey>, kind: TokenKind) -> Result<(), Error> {
        let (mark, byte) = key.map_or((self.mark, self.pos), |key| (key.mark, key.byte));
        let column = mark.column as isize;
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_DEPTH {
            return Err(self.error(mark, format!("exceeded max depth of {MAX_DEPTH}")));
        }
        match key {
            Some(key) => self.insert(key.token_number, kind, mark, byte),
            None => self.push_token(Token {
                kind,
                start: mark,
                end: mark,
                bytes: (byte, byte),
            }),
        }
        Ok(())
    }

    /// Closes the block collections that are deeper than `column`.
    fn unroll_indent(&mut self, column: isize, scan_mark: Mark) {
        if self.flow_level > 0 {
            return;
        }
        let mut block_mark = match self.dialect {
            Dialect::V2 => self.mark,
            Dialect::V3 => Mark {
                index: scan_mark.index.saturating_sub(1),
                ..scan_mark
            },
        };
        while self.indent > column {
            block_mark = self.before_foot_comments(block_mark);
            self.push_token(Token {
                kind: TokenKind::BlockEnd,
                start: block_mark,
                end: block_mark,
                bytes: (self.pos, self.pos),
            });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch_stream_end(&mut self) -> Result<(), Error> {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.unroll_indent(-1, self.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(TokenKind::StreamEnd, self.mark, self.pos);
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Error> {
        self.unroll_indent(-1, self.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_directive()
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.unroll_indent(-1, self.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let (start, byte) = (self.mark, self.pos);
        for _ in 0..3 {
            self.skip();
        }
        self.push(kind, start, byte);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_keys.push(SimpleKey {
            token_number: self.parsed + (self.tokens.len() - self.head),
            mark: self.mark,
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return Err(self.error(self.mark, format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.simple_key_allowed = true;
        self.fetch_one_character(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.fetch_one_character(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Error> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.fetch_one_character(TokenKind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Error> {
        // In the flow context a `-` is an error too, but the parser reports that one.
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.error(
                    self.mark,
                    "block sequence entries are not allowed in this context",
                ));
            }
            self.roll_indent(None, TokenKind::BlockSequenceStart)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.fetch_one_character(TokenKind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Error> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.error(self.mark, "mapping keys are not allowed in this context"));
            }
            self.roll_indent(None, TokenKind::BlockMappingStart)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.fetch_one_character(TokenKind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Error> {
        let last = self.simple_keys.len() - 1;
        if self.simple_key_is_valid(last)? {
            let key = self.simple_keys[last];
            self.insert(key.token_number, TokenKind::Key, key.mark, key.byte);
            self.roll_indent(Some(key), TokenKind::BlockMappingStart)?;
            self.simple_keys[last].possible = false;
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return Err(
                        self.error(self.mark, "mapping values are not allowed in this context")
                    );
                }
                self.roll_indent(None, TokenKind::BlockMappingStart)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.fetch_one_character(TokenKind::Value);
        Ok(())
    }

    fn fetch_one_character(&mut self, kind: TokenKind) {
        let (start, byte) = (self.mark, self.pos);
        self.skip();
        self.push(kind, start, byte);
    }

    fn scan_to_next_token(&mut self) -> Result<(), Error> {
        let scan_mark = self.mark;
        loop {
            if self.pos == 0 && self.buffer.starts_with(&[0xEF, 0xBB, 0xBF]) {
                self.skip();
            }
            // A tab may separate, but not indent.
            while self.at(0) == b' '
                || (self.at(0) == b'\t' && (self.flow_level > 0 || !self.simple_key_allowed))
            {
                self.skip();
            }
            if self.dialect == Dialect::V3 {
                self.turn_line_comment_into_head();
            }
            if self.at(0) == b'#' {
                match self.dialect {
                    Dialect::V3 => self.scan_comments(scan_mark),
                    Dialect::V2 => {
                        while !self.is_breakz(0) {
                            self.skip();
                        }
                    }
                }
            }
            if !self.is_break(0) {
                return Ok(());
            }
            self.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }
}
