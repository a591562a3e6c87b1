//! From tokens to events: libyaml's grammar, with the comments of go-yaml v3.

mod collections;

use crate::Text;
use crate::error::{Dialect, Error};
use crate::scanner::{Mark, ScalarStyle, Scanner, Token, TokenKind};

/// The comments that go with a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Comments {
    pub(crate) head: String,
    pub(crate) line: String,
    pub(crate) foot: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EventKind {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(Text),
    Scalar {
        value: Text,
        style: ScalarStyle,
        /// Plain and untagged, or tagged `!`: the value decides what it is.
        plain_implicit: bool,
    },
    SequenceStart {
        flow: bool,
    },
    SequenceEnd,
    MappingStart {
        flow: bool,
    },
    MappingEnd,
    /// A foot comment of the mapping value just read (v3).
    TailComment,
}

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) start: Mark,
    pub(crate) bytes: (usize, usize),
    pub(crate) anchor: Option<Text>,
    pub(crate) tag: Option<Text>,
    pub(crate) comments: Option<Box<Comments>>,
}

impl Event {
    fn new(kind: EventKind, start: Mark, bytes: (usize, usize)) -> Self {
        Self {
            kind,
            start,
            bytes,
            anchor: None,
            tag: None,
            comments: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// Which nodes a place in the grammar allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowed {
    Flow,
    Block,
    BlockOrIndentless,
}

pub(crate) struct Parser<'a> {
    scanner: Scanner<'a>,
    dialect: Dialect,
    state: State,
    states: Vec<State>,
    marks: Vec<Mark>,
    tag_directives: Vec<(Text, Text)>,
    comments: Comments,
    stem: Option<String>,
    tail: String,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self {
            scanner: Scanner::new(text, dialect),
            dialect,
            state: State::StreamStart,
            states: Vec::new(),
            marks: Vec::new(),
            tag_directives: Vec::new(),
            comments: Comments::default(),
            stem: None,
            tail: String::new(),
        }
    }

    /// The next event; after the last one, `StreamEnd` again and again.
    pub(crate) fn next(&mut self) -> Result<Event, Error> {
        match self.state {
            State::StreamStart => {
                self.peek()?;
                let token = self.scanner.take();
                self.state = State::ImplicitDocumentStart;
                Ok(Event::new(EventKind::StreamStart, token.start, token.bytes))
            }
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(Allowed::Block),
            State::End => Ok(Event::new(EventKind::StreamEnd, Mark::default(), (0, 0))),
            _ => self.collection_event(),
        }
    }

    /// The head token, once the comments before it are taken up.
    fn peek(&mut self) -> Result<&Token, Error> {
        self.scanner.peek()?;
        if self.dialect == Dialect::V3 {
            self.unfold_comments()?;
        }
        self.scanner.peek()
    }

    fn peek_is(&mut self, kinds: &[TokenKind]) -> Result<bool, Error> {
        let token = self.peek()?;
        Ok(kinds.contains(&token.kind))
    }

    fn unfold_comments(&mut self) -> Result<(), Error> {
        let token = self.scanner.peek()?;
        let (index, ends_block) = (token.start.index, token.kind == TokenKind::BlockEnd);
        while let Some(comment) = self.scanner.comments.get_mut(self.scanner.comments_head) {
            if index < comment.token.index {
                break;
            }
            if !comment.head.is_empty() && ends_block {
                // An end has no head: it is kept for the token after it.
                break;
            }
            let comment = std::mem::take(comment);
            self.scanner.comments_head += 1;
            append_comment(&mut self.comments.head, comment.head);
            append_comment(&mut self.comments.foot, comment.foot);
            append_comment(&mut self.comments.line, comment.line);
        }
        Ok(())
    }

    fn push_state(&mut self, state: State) {
        self.states.push(state);
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    fn take_comments(&mut self) -> Option<Box<Comments>> {
        self.tail.clear();
        self.stem = None;
        if self.comments == Comments::default() {
            return None;
        }
        Some(Box::new(std::mem::take(&mut self.comments)))
    }

    fn document_start(&mut self, implicit: bool) -> Result<Event, Error> {
        if !implicit {
            while self.peek_is(&[TokenKind::DocumentEnd])? {
                self.scanner.take();
            }
        }
        let token = self.peek()?;
        let (start, bytes) = (token.start, token.bytes);
        let explicit = matches!(
            token.kind,
            TokenKind::VersionDirective { .. }
                | TokenKind::TagDirective { .. }
                | TokenKind::DocumentStart
        );
        if token.kind == TokenKind::StreamEnd {
            self.state = State::End;
            self.scanner.take();
            return Ok(Event::new(EventKind::StreamEnd, start, bytes));
        }
        let mut event = Event::new(EventKind::DocumentStart, start, bytes);
        if implicit && !explicit {
            self.process_directives()?;
            self.push_state(State::DocumentEnd);
            self.state = State::BlockNode;
            if let Some(head) = self.split_document_head() {
                event.comments = Some(Box::new(Comments {
                    head,
                    ..Comments::default()
                }));
            }
            return Ok(event);
        }
        self.process_directives()?;
        let token = self.peek()?;
        if token.kind != TokenKind::DocumentStart {
            let mark = token.start;
            return Err(self.error(None, "did not find expected <document start>", mark));
        }
        self.push_state(State::DocumentEnd);
        self.state = State::DocumentContent;
        self.scanner.take();
        Ok(event)
    }

    /// The part of the head comment above its last empty line belongs to the document.
    fn split_document_head(&mut self) -> Option<String> {
        let head = &self.comments.head;
        let bytes = head.as_bytes();
        for at in (1..bytes.len()).rev().filter(|&at| bytes[at] == b'\n') {
            let end = if at + 1 == bytes.len() {
                at
            } else if bytes[at - 1] == b'\n' {
                at - 1
            } else {
                continue;
            };
            let document = head[..end].to_owned();
            self.comments.head = head[at + 1..].to_owned();
            return Some(document);
        }
        None
    }

    fn document_content(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        let empty = matches!(
            token.kind,
            TokenKind::VersionDirective { .. }
                | TokenKind::TagDirective { .. }
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd
        );
        if empty {
            let (mark, byte) = (token.start, token.bytes.0);
            self.pop_state();
            return Ok(empty_scalar(mark, byte));
        }
        self.node(Allowed::Block)
    }

    fn document_end(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        let (start, bytes) = (token.start, token.bytes);
        if token.kind == TokenKind::DocumentEnd {
            self.scanner.take();
        }
        self.tag_directives.clear();
        self.state = State::DocumentStart;
        let mut event = Event::new(EventKind::DocumentEnd, start, bytes);
        event.comments = self.take_comments();
        if let Some(comments) = &mut event.comments
            && comments.foot.is_empty()
        {
            comments.foot = std::mem::take(&mut comments.head);
        }
        Ok(event)
    }

    fn process_directives(&mut self) -> Result<(), Error> {
        let mut version_seen = false;
        loop {
            let token = self.peek()?;
            let mark = token.start;
            match token.kind.clone() {
                TokenKind::VersionDirective { major, minor } => {
                    if version_seen {
                        return Err(self.error(None, "found duplicate %YAML directive", mark));
                    }
                    if (major, minor) != (1, 1) {
                        return Err(self.error(None, "found incompatible YAML document", mark));
                    }
                    version_seen = true;
                }
                TokenKind::TagDirective { handle, prefix } => {
                    if self.tag_directives.iter().any(|known| known.0 == handle) {
                        return Err(self.error(None, "found duplicate %TAG directive", mark));
                    }
                    self.tag_directives.push((handle, prefix));
                }
                _ => break,
            }
            self.scanner.take();
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.tag_directives.iter().any(|known| known.0 == handle) {
                self.tag_directives
                    .push((Text::from(handle), Text::from(prefix)));
            }
        }
        Ok(())
    }

    /// A problem at `mark`; which line is named depends on the dialect. go-yaml counts from zero here.
    fn error(&self, context: Option<Mark>, problem: &str, mark: Mark) -> Error {
        let context = context.map_or(0, |mark| mark.line);
        let lines = match self.dialect {
            Dialect::V2 => [mark.line, context],
            Dialect::V3 => [context, mark.line],
        };
        Error::Syntax {
            line: if lines[0] == 0 { lines[1] } else { lines[0] },
            problem: problem.to_owned(),
        }
    }

    fn node(&mut self, allowed: Allowed) -> Result<Event, Error> {
        let token = self.peek()?;
        if matches!(token.kind, TokenKind::Alias(_)) {
            self.pop_state();
            let comments = self.take_comments();
            let token = self.scanner.take();
            let TokenKind::Alias(name) = token.kind else {
                unreachable!("the token was looked at just before")
            };
            let mut event = Event::new(EventKind::Alias(name), token.start, token.bytes);
            event.comments = comments;
            return Ok(event);
        }
        let (start, first_byte) = (token.start, token.bytes.0);
        let (anchor, tag) = self.properties(start)?;
        let token = self.peek()?;
        let (mark, bytes) = (token.start, (first_byte, token.bytes.1));
        let block = allowed != Allowed::Flow;
        let (kind, state) = match &token.kind {
            TokenKind::BlockEntry if allowed == Allowed::BlockOrIndentless => (
                EventKind::SequenceStart { flow: false },
                State::IndentlessSequenceEntry,
            ),
            TokenKind::Scalar { .. } => return Ok(self.scalar(anchor, tag, start)),
            TokenKind::FlowSequenceStart => (
                EventKind::SequenceStart { flow: true },
                State::FlowSequenceFirstEntry,
            ),
            TokenKind::FlowMappingStart => (
                EventKind::MappingStart { flow: true },
                State::FlowMappingFirstKey,
            ),
            TokenKind::BlockSequenceStart if block => (
                EventKind::SequenceStart { flow: false },
                State::BlockSequenceFirstEntry,
            ),
            TokenKind::BlockMappingStart if block => (
                EventKind::MappingStart { flow: false },
                State::BlockMappingFirstKey,
            ),
            _ if anchor.is_some() || tag.is_some() => {
                let byte = token.bytes.0;
                self.pop_state();
                let mut event = empty_scalar(start, byte);
                if tag.is_some()
                    && let EventKind::Scalar { plain_implicit, .. } = &mut event.kind
                {
                    *plain_implicit = false;
                }
                (event.anchor, event.tag) = (anchor, tag);
                return Ok(event);
            }
            _ => {
                return Err(self.error(Some(start), "did not find expected node content", mark));
            }
        };
        let indentless = state == State::IndentlessSequenceEntry;
        self.state = state;
        let flow = matches!(
            kind,
            EventKind::SequenceStart { flow: true } | EventKind::MappingStart { flow: true }
        );
        let mut event = Event::new(kind, start, bytes);
        (event.anchor, event.tag) = (anchor, tag);
        if flow {
            event.comments = self.take_comments();
        } else if !indentless && let Some(head) = self.stem.take() {
            event.comments = Some(Box::new(Comments {
                head,
                ..Comments::default()
            }));
        }
        Ok(event)
    }

    fn scalar(&mut self, anchor: Option<Text>, tag: Option<Text>, start: Mark) -> Event {
        self.pop_state();
        let comments = self.take_comments();
        let token = self.scanner.take();
        let TokenKind::Scalar { value, style } = token.kind else {
            unreachable!("the caller looked at the token just before")
        };
        let plain_implicit = match &tag {
            None => style == ScalarStyle::Plain,
            Some(tag) => tag == "!",
        };
        let kind = EventKind::Scalar {
            value,
            style,
            plain_implicit,
        };
        let mut event = Event::new(kind, start, token.bytes);
        (event.anchor, event.tag, event.comments) = (anchor, tag, comments);
        event
    }

    /// An anchor and a tag, in either order.
    fn properties(&mut self, start: Mark) -> Result<(Option<Text>, Option<Text>), Error> {
        let (mut anchor, mut tag) = (None, None);
        for _ in 0..2 {
            let token = self.peek()?;
            let mark = token.start;
            match &token.kind {
                TokenKind::Anchor(_) if anchor.is_none() => {
                    if let TokenKind::Anchor(name) = self.scanner.take().kind {
                        anchor = Some(name);
                    }
                }
                TokenKind::Tag { .. } if tag.is_none() => {
                    if let TokenKind::Tag { handle, suffix } = self.scanner.take().kind {
                        tag = Some((handle, suffix, mark));
                    }
                }
                _ => break,
            }
        }
        if tag.is_some() {
            // The token after the properties is looked at before the handle is resolved.
            self.peek()?;
        }
        let tag = match tag {
            None => None,
            Some((handle, suffix, _)) if handle.is_empty() => Some(suffix),
            Some((handle, suffix, mark)) => {
                let known = self.tag_directives.iter().find(|known| known.0 == handle);
                let full = known.map(|(_, prefix)| Text::from(format!("{prefix}{suffix}")));
                match full {
                    Some(full) if !full.is_empty() => Some(full),
                    _ => {
                        return Err(self.error(Some(start), "found undefined tag handle", mark));
                    }
                }
            }
        };
        Ok((anchor, tag))
    }
}

fn append_comment(to: &mut String, comment: String) {
    if comment.is_empty() {
        return;
    }
    if to.is_empty() {
        *to = comment;
    } else {
        to.push('\n');
        to.push_str(&comment);
    }
}

fn empty_scalar(mark: Mark, byte: usize) -> Event {
    let kind = EventKind::Scalar {
        value: Text::default(),
        style: ScalarStyle::Plain,
        plain_implicit: true,
    };
    Event::new(kind, mark, (byte, byte))
}
