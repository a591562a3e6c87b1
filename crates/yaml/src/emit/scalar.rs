//! Scalars: what their text allows, and writing them in each style.

use super::{Context, Emitter, IndentKind, WrittenStyle};
use crate::error::Dialect;

/// What the text of a scalar allows.
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single_quoted: bool,
    pub(super) block: bool,
}

/// Whether the character may be written as it is (libyaml's `IS_PRINTABLE`, which leaves out all
/// beyond the basic plane).
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}')
        && c != '\u{FEFF}'
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Text that needs no second look: letters, digits and a few marks that are never special.
fn is_simple(value: &str) -> bool {
    let bytes = value.as_bytes();
    let inner = |byte: &u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/');
    bytes
        .first()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'/')
        && bytes.iter().all(inner)
}

impl Analysis {
    pub(super) fn new(value: &str, dialect: Dialect) -> Self {
        let mut analysis = Self {
            multiline: false,
            flow_plain: true,
            block_plain: true,
            single_quoted: true,
            block: true,
        };
        if is_simple(value) {
            return analysis;
        }
        if value.is_empty() {
            analysis.flow_plain = false;
            analysis.block = false;
            return analysis;
        }
        let marker = value.starts_with("---") || value.starts_with("...");
        let (mut block_indicators, mut flow_indicators) = (marker, marker);
        let (mut special, mut tab, mut line_breaks) = (false, false, false);
        let (mut space_break, mut break_space) = (false, false);
        let (mut previous_space, mut previous_break) = (false, false);
        let mut preceded_by_space = true;
        let mut characters = value.chars().peekable();
        let mut first = true;
        while let Some(c) = characters.next() {
            let followed_by_space = characters.peek().is_none_or(|next| is_blank(*next));
            match c {
                '#' if first || preceded_by_space => {
                    (flow_indicators, block_indicators) = (true, true);
                }
                ',' | '[' | ']' | '{' | '}' => {
                    flow_indicators = true;
                    block_indicators |= first;
                }
                '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' if first => {
                    (flow_indicators, block_indicators) = (true, true);
                }
                '?' => {
                    flow_indicators = true;
                    block_indicators |= first && followed_by_space;
                }
                ':' => {
                    flow_indicators = true;
                    block_indicators |= followed_by_space;
                }
                '-' if first && followed_by_space => {
                    (flow_indicators, block_indicators) = (true, true);
                }
                _ => {}
            }
            if c == '\t' && dialect == Dialect::V3 {
                tab = true;
            } else if !is_printable(c) {
                special = true;
            }
            break_space |= c == ' ' && previous_break;
            space_break |= is_break(c) && previous_space;
            line_breaks |= is_break(c);
            previous_space = c == ' ';
            previous_break = is_break(c);
            preceded_by_space = is_blank(c) || is_break(c) || c == '\0';
            first = false;
        }
        let start = value.chars().next().unwrap_or('x');
        let end = value.chars().next_back().unwrap_or('x');
        let padded = start == ' ' || is_break(start) || end == ' ' || is_break(end);
        let unquotable = break_space || space_break || tab || special;
        analysis.multiline = line_breaks;
        analysis.flow_plain = !(padded || unquotable || line_breaks || flow_indicators);
        analysis.block_plain = !(padded || unquotable || line_breaks || block_indicators);
        analysis.single_quoted = !unquotable;
        analysis.block = !(end == ' ' || space_break || special);
        analysis
    }
}

impl Emitter {
    /// Writes a scalar in `style` (already chosen), one level deeper.
    pub(super) fn write_scalar(
        &mut self,
        value: &str,
        style: WrittenStyle,
        context: Context,
        in_sequence: bool,
    ) {
        let kind = if in_sequence {
            IndentKind::InSequence
        } else {
            IndentKind::Aligned
        };
        self.push_indent(true, kind);
        let folds = context != Context::SimpleKey;
        match style {
            WrittenStyle::Plain => self.write_plain(value, folds),
            WrittenStyle::SingleQuoted => self.write_single_quoted(value, folds),
            WrittenStyle::DoubleQuoted => self.write_double_quoted(value, folds),
            WrittenStyle::Literal => self.write_literal(value),
            WrittenStyle::Folded => self.write_folded(value),
        }
        self.pop_indent();
    }

    /// Whether `value` certainly stays on the line: then it is written in one piece.
    fn fits(&self, value: &str) -> bool {
        self.column.saturating_add(value.len()) <= self.width && !value.chars().any(is_break)
    }

    fn write_plain(&mut self, value: &str, folds: bool) {
        let v2 = self.dialect == Dialect::V2;
        if !self.whitespace && (v2 || !value.is_empty()) {
            self.put(' ');
        }
        if self.fits(value) {
            self.put_text(value);
        } else {
            self.write_foldable(value, folds, false);
        }
        if v2 || !value.is_empty() {
            self.whitespace = false;
        }
        self.indention = false;
    }

    fn write_single_quoted(&mut self, value: &str, folds: bool) {
        self.write_indicator("'", true, false, false);
        if self.fits(value) && !value.contains('\'') {
            self.put_text(value);
        } else {
            self.write_foldable(value, folds, true);
        }
        self.write_indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    /// The text of a plain or single-quoted scalar, with folds at single spaces past the width.
    fn write_foldable(&mut self, value: &str, folds: bool, quoted: bool) {
        let (mut spaces, mut breaks) = (false, false);
        let last = value.len().saturating_sub(1);
        for (at, c) in value.char_indices() {
            let next_is_space = value.as_bytes().get(at + 1) == Some(&b' ');
            if c == ' ' {
                let inside = !quoted || (at > 0 && at < last);
                if folds && !spaces && self.column > self.width && inside && !next_is_space {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.put_break();
                }
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if quoted && c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
        }
    }

    fn write_break(&mut self, c: char) {
        if c == '\n' {
            self.put_break();
        } else {
            self.out.push(c);
            self.column = 0;
            self.indention = true;
        }
    }

    fn write_double_quoted(&mut self, value: &str, folds: bool) {
        self.write_indicator("\"", true, false, false);
        // Upstream bug, kept: a text that starts with a byte order mark has every character escaped.
        let escape_all = value.starts_with('\u{FEFF}');
        let mut spaces = false;
        let last = value.len().saturating_sub(1);
        for (at, c) in value.char_indices() {
            if escape_all || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.write_escape(c);
                spaces = false;
            } else if c == ' ' {
                if folds && !spaces && self.column > self.width && at > 0 && at < last {
                    self.write_indent();
                    if value.as_bytes().get(at + 1) == Some(&b' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
        self.write_indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn write_escape(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0B' => 'v',
            '\x0C' => 'f',
            '\r' => 'r',
            '\x1B' => 'e',
            '"' | '\\' => c,
            '\u{85}' => 'N',
            '\u{A0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = c as u32;
                let text = match code {
                    0..=0xFF => format!("\\x{code:02X}"),
                    0x100..=0xFFFF => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                self.put_text(&text);
                return;
            }
        };
        self.put('\\');
        self.put(short);
    }

    /// The indentation hint where the text starts with white space, and how its end is kept.
    fn write_block_hints(&mut self, value: &str) {
        if value.starts_with(|c| c == ' ' || is_break(c)) {
            let step = self.step.to_string();
            self.write_indicator(&step, false, false, false);
        }
        let mut from_end = value.chars().rev();
        let hint = match (from_end.next(), from_end.next()) {
            (Some(last), _) if !is_break(last) => "-",
            (None, _) => "-",
            (Some(_), None) => "+",
            (Some(_), Some(before)) if is_break(before) => "+",
            _ => return,
        };
        self.write_indicator(hint, false, false, false);
    }

    fn end_block_header(&mut self) {
        if self.line_comment.is_empty() {
            self.put_break();
        } else {
            self.write_line_comment();
        }
        self.indention = true;
        self.whitespace = true;
    }

    fn write_literal(&mut self, value: &str) {
        self.write_indicator("|", true, false, false);
        self.write_block_hints(value);
        self.end_block_header();
        let mut breaks = true;
        for c in value.chars() {
            if is_break(c) {
                self.write_break(c);
                breaks = true;
                continue;
            }
            if breaks {
                self.write_indent();
            }
            self.put(c);
            self.indention = false;
            breaks = false;
        }
    }

    fn write_folded(&mut self, value: &str) {
        self.write_indicator(">", true, false, false);
        self.write_block_hints(value);
        self.end_block_header();
        let (mut breaks, mut leading_spaces) = (true, true);
        for (at, c) in value.char_indices() {
            if is_break(c) {
                if !breaks && !leading_spaces && c == '\n' {
                    // Upstream bug, kept: the breaks looked at are those at the text's start.
                    let after = value.chars().find(|c| !is_break(*c));
                    if !after.is_none_or(is_blank) {
                        self.put_break();
                    }
                }
                self.write_break(c);
                breaks = true;
                continue;
            }
            if breaks {
                self.write_indent();
                leading_spaces = is_blank(c);
            }
            let next_is_space = value.as_bytes().get(at + 1) == Some(&b' ');
            if !breaks && c == ' ' && !next_is_space && self.column > self.width {
                self.write_indent();
            } else {
                self.put(c);
            }
            self.indention = false;
            breaks = false;
        }
    }
}
