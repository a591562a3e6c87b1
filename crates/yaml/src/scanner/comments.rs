//! Which comment belongs to which token, as go-yaml v3 decides it.
//!
//! A comment is a *line* comment after content on its line, a *head* comment above what follows, or a
//! *foot* comment directly below what precedes and followed by an empty line. The decisions below are
//! go-yaml's to the letter, including the odd ones, because moving a comment is a visible change.

use super::{Mark, Scanner, TokenKind};

/// A run of comment lines and the place from which a token takes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comment {
    /// Where the scan that found it began.
    pub(crate) scan: Mark,
    /// A token that starts here or later takes the comment.
    pub(crate) token: Mark,
    pub(crate) start: Mark,
    pub(crate) end: Mark,
    pub(crate) head: String,
    pub(crate) line: String,
    pub(crate) foot: String,
}

/// How far go-yaml looks for a comment, in bytes.
const LOOKAHEAD: usize = 512;

impl Scanner<'_> {
    /// The place a block must end at so that the foot comments of its indentation stay outside it.
    pub(super) fn before_foot_comments(&self, mut block_mark: Mark) -> Mark {
        let mut stop = block_mark.index;
        for comment in self.comments[self.comments_head.min(self.comments.len())..]
            .iter()
            .rev()
        {
            if comment.end.index < stop {
                break;
            }
            if comment.start.column as isize == self.indent + 1 {
                block_mark = comment.start;
            }
            stop = comment.scan.index;
        }
        block_mark
    }

    /// A comment on the line of a `-` is the head of what follows, when that is on later lines.
    pub(super) fn turn_line_comment_into_head(&mut self) {
        let [.., before, last] = self.tokens.as_slice() else {
            return;
        };
        if before.kind != TokenKind::BlockSequenceStart
            || last.kind != TokenKind::BlockEntry
            || self.is_break(0)
        {
            return;
        }
        let mark = self.mark;
        let Some(comment) = self.comments.last_mut() else {
            return;
        };
        if comment.line.is_empty() {
            return;
        }
        comment.head = std::mem::take(&mut comment.line);
        if comment.start.line + 1 == mark.line {
            comment.token = mark;
        }
    }

    /// Takes a comment that follows on the same line.
    pub(super) fn scan_line_comment(&mut self, token_mark: Mark) {
        if self.newlines > 0 {
            return;
        }
        let Some(peek) = (0..LOOKAHEAD).find(|&peek| !self.is_blank(peek)) else {
            return;
        };
        if self.at(peek) != b'#' {
            return;
        }
        for _ in 0..peek {
            self.skip();
        }
        let start = self.mark;
        let mut line = String::new();
        while !self.is_breakz(0) {
            self.read(&mut line);
        }
        self.comments.push(Comment {
            token: token_mark,
            start,
            line,
            ..Comment::default()
        });
    }

    /// Takes the comment lines that begin here, splitting them into feet and a head.
    pub(super) fn scan_comments(&mut self, scan_mark: Mark) {
        let mut run = Run::new(self, scan_mark);
        let mut peek = 0;
        while peek < LOOKAHEAD {
            run.column += 1;
            if self.is_blank(peek) {
                peek += 1;
                continue;
            }
            let closes_flow = self.flow_level > 0 && matches!(self.at(peek), b']' | b'}');
            if closes_flow || self.is_breakz(peek) {
                run.end_of_line(self, peek, closes_flow);
                if !self.is_break(peek) {
                    break;
                }
                run.first_empty = false;
                run.recent_empty = true;
                run.column = 0;
                run.line += 1;
                peek += 1;
                continue;
            }
            // A comment at another indentation is a foot of what precedes, not a head of what follows.
            if !run.text.is_empty()
                && run.column - 1 < run.next_indent
                && run.column != run.start.column
            {
                run.flush_foot(self, peek);
            }
            if self.at(peek) != b'#' {
                break;
            }
            if run.text.is_empty() {
                run.start = run.here(self, peek);
            } else {
                run.text.push('\n');
            }
            run.recent_empty = false;
            self.read_comment_line(peek, &mut run.text);
            peek = 1;
            run.column = 0;
            run.line = self.mark.line;
            run.next_indent = self.indent.max(0) as usize;
        }
        if !run.text.is_empty() {
            let end = Mark {
                index: (self.mark.index + peek).saturating_sub(1),
                line: run.line,
                column: run.column,
            };
            self.comments.push(Comment {
                scan: run.scan,
                token: run.start,
                start: run.start,
                end,
                head: run.text,
                ..Comment::default()
            });
        }
    }

    /// Moves to the `#` that is `peek` bytes ahead and appends the line from there.
    fn read_comment_line(&mut self, peek: usize, text: &mut String) {
        let seen = self.mark.index + peek;
        loop {
            if self.is_breakz(0) {
                if self.mark.index >= seen || self.is_end(0) {
                    return;
                }
                self.skip_line();
            } else if self.mark.index >= seen {
                self.read(text);
            } else {
                self.skip();
            }
        }
    }
}

/// The state of one scan over comment lines.
struct Run {
    scan: Mark,
    token: Mark,
    start: Mark,
    next_indent: usize,
    recent_empty: bool,
    first_empty: bool,
    line: usize,
    column: usize,
    text: String,
    /// The line at which a comment is still a foot of the content before it.
    foot_line: Option<usize>,
    after_value: bool,
}

impl Run {
    fn new(scanner: &Scanner<'_>, scan: Mark) -> Self {
        let tokens = scanner.tokens.as_slice();
        let token = match tokens {
            [.., before, last] if last.kind == TokenKind::FlowEntry => Some(before),
            _ => tokens.last(),
        };
        let foot_line = (scan.line > 0).then(|| {
            let line = (scanner.mark.line + 1).saturating_sub(scanner.newlines);
            line + usize::from(scanner.newlines == 0 && scanner.mark.column > 1)
        });
        Self {
            scan,
            token: token.map_or_else(Mark::default, |token| token.start),
            start: Mark::default(),
            next_indent: scanner.indent.max(0) as usize,
            recent_empty: false,
            first_empty: scanner.newlines <= 1,
            line: scanner.mark.line,
            column: scanner.mark.column,
            text: String::new(),
            foot_line,
            after_value: token.is_some_and(|token| token.kind == TokenKind::Value),
        }
    }

    fn here(&self, scanner: &Scanner<'_>, peek: usize) -> Mark {
        Mark {
            index: scanner.mark.index + peek,
            line: self.line,
            column: self.column,
        }
    }

    fn flush_foot(&mut self, scanner: &mut Scanner<'_>, peek: usize) {
        let end = self.here(scanner, peek);
        scanner.comments.push(Comment {
            scan: self.scan,
            token: self.token,
            start: self.start,
            end,
            foot: std::mem::take(&mut self.text),
            ..Comment::default()
        });
        self.scan = end;
        self.token = end;
    }

    /// A line break, the end of the text, or the end of the flow collection.
    fn end_of_line(&mut self, scanner: &mut Scanner<'_>, peek: usize, closes_flow: bool) {
        if self.recent_empty && !closes_flow {
            return;
        }
        let dedented = self.start.column < self.next_indent + 1;
        let is_foot = closes_flow
            || (self.first_empty
                && ((Some(self.start.line) == self.foot_line && !self.after_value) || dedented));
        if is_foot {
            if !self.text.is_empty() {
                if dedented {
                    self.token = self.start;
                }
                self.flush_foot(scanner, peek);
            }
        } else if !self.text.is_empty() && !scanner.is_end(peek) {
            self.text.push('\n');
        }
    }
}
