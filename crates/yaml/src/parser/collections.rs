//! The states inside block and flow collections.

use super::{Allowed, Comments, Event, EventKind, Parser, State, empty_scalar};
use crate::error::{Dialect, Error};
use crate::scanner::{Mark, TokenKind};

impl Parser<'_> {
    pub(super) fn collection_event(&mut self) -> Result<Event, Error> {
        match self.state {
            State::BlockSequenceFirstEntry => self.block_sequence_entry(true),
            State::BlockSequenceEntry => self.block_sequence_entry(false),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => self.block_mapping_key(true),
            State::BlockMappingKey => self.block_mapping_key(false),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.flow_sequence_entry_mapping_key(),
            State::FlowSequenceEntryMappingValue => self.flow_sequence_entry_mapping_value(),
            State::FlowSequenceEntryMappingEnd => {
                let token = self.peek()?;
                let (start, bytes) = (token.start, token.bytes);
                self.state = State::FlowSequenceEntry;
                Ok(Event::new(EventKind::MappingEnd, start, bytes))
            }
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            _ => self.flow_mapping_value(true),
        }
    }

    fn open(&mut self) -> Result<(), Error> {
        let mark = self.peek()?.start;
        self.marks.push(mark);
        self.scanner.take();
        Ok(())
    }

    /// Parses the node here unless one of `none` stands for its absence; then go on in `next`.
    fn node_or_empty(
        &mut self,
        allowed: Allowed,
        none: &[TokenKind],
        next: State,
        empty_at: (Mark, usize),
    ) -> Result<Event, Error> {
        if self.peek_is(none)? {
            self.state = next;
            return Ok(empty_scalar(empty_at.0, empty_at.1));
        }
        self.push_state(next);
        self.node(allowed)
    }

    fn block_sequence_entry(&mut self, first: bool) -> Result<Event, Error> {
        if first {
            self.open()?;
        }
        let token = self.peek()?;
        let start = token.start;
        match token.kind {
            TokenKind::BlockEntry => {
                let after = self.take_block_entry()?;
                self.node_or_empty(
                    Allowed::Block,
                    &[TokenKind::BlockEntry, TokenKind::BlockEnd],
                    State::BlockSequenceEntry,
                    after,
                )
            }
            TokenKind::BlockEnd => {
                self.pop_state();
                self.marks.pop();
                let token = self.scanner.take();
                Ok(Event::new(EventKind::SequenceEnd, token.start, token.bytes))
            }
            _ => {
                let context = self.marks.pop();
                Err(self.error(context, "did not find expected '-' indicator", start))
            }
        }
    }

    fn indentless_sequence_entry(&mut self) -> Result<Event, Error> {
        if self.peek_is(&[TokenKind::BlockEntry])? {
            let after = self.take_block_entry()?;
            return self.node_or_empty(
                Allowed::Block,
                &[
                    TokenKind::BlockEntry,
                    TokenKind::Key,
                    TokenKind::Value,
                    TokenKind::BlockEnd,
                ],
                State::IndentlessSequenceEntry,
                after,
            );
        }
        self.pop_state();
        let token = self.peek()?;
        Ok(Event::new(EventKind::SequenceEnd, token.start, token.bytes))
    }

    /// Takes a `-`. A head comment above it moves to the collection below it, if that is one.
    fn take_block_entry(&mut self) -> Result<(Mark, usize), Error> {
        let stem = self.comments.head.len();
        let entry = self.scanner.take();
        let after = (entry.end, entry.bytes.1);
        if self.dialect == Dialect::V2 || stem == 0 {
            return Ok(after);
        }
        if self.peek_is(&[TokenKind::BlockSequenceStart, TokenKind::BlockMappingStart])? {
            let rest = self
                .comments
                .head
                .get(stem + 1..)
                .unwrap_or_default()
                .to_owned();
            self.comments.head.truncate(stem);
            self.stem = Some(std::mem::replace(&mut self.comments.head, rest));
        }
        Ok(after)
    }

    fn block_mapping_key(&mut self, first: bool) -> Result<Event, Error> {
        if first {
            self.open()?;
        }
        let token = self.peek()?;
        let (start, bytes) = (token.start, token.bytes);
        let (is_key, is_end) = (
            token.kind == TokenKind::Key,
            token.kind == TokenKind::BlockEnd,
        );
        if !self.tail.is_empty() {
            let mut event = Event::new(EventKind::TailComment, start, bytes);
            event.comments = Some(Box::new(Comments {
                foot: std::mem::take(&mut self.tail),
                ..Comments::default()
            }));
            return Ok(event);
        }
        if is_key {
            let key = self.scanner.take();
            return self.node_or_empty(
                Allowed::BlockOrIndentless,
                &[TokenKind::Key, TokenKind::Value, TokenKind::BlockEnd],
                State::BlockMappingValue,
                (key.end, key.bytes.1),
            );
        }
        if is_end {
            self.pop_state();
            self.marks.pop();
            let mut event = Event::new(EventKind::MappingEnd, start, bytes);
            event.comments = self.take_comments();
            self.scanner.take();
            return Ok(event);
        }
        let context = self.marks.pop();
        Err(self.error(context, "did not find expected key", start))
    }

    fn block_mapping_value(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        let (start, byte) = (token.start, token.bytes.0);
        if token.kind == TokenKind::Value {
            let value = self.scanner.take();
            return self.node_or_empty(
                Allowed::BlockOrIndentless,
                &[TokenKind::Key, TokenKind::Value, TokenKind::BlockEnd],
                State::BlockMappingKey,
                (value.end, value.bytes.1),
            );
        }
        self.state = State::BlockMappingKey;
        Ok(empty_scalar(start, byte))
    }

    /// Takes the `,` between two entries, or says what is missing.
    fn take_separator(&mut self, problem: &str) -> Result<(), Error> {
        let token = self.peek()?;
        if token.kind == TokenKind::FlowEntry {
            self.scanner.take();
            return Ok(());
        }
        let start = token.start;
        let context = self.marks.pop();
        Err(self.error(context, problem, start))
    }

    fn close(&mut self, kind: EventKind) -> Result<Event, Error> {
        self.pop_state();
        self.marks.pop();
        let token = self.peek()?;
        let mut event = Event::new(kind, token.start, token.bytes);
        event.comments = self.take_comments();
        self.scanner.take();
        Ok(event)
    }

    fn flow_sequence_entry(&mut self, first: bool) -> Result<Event, Error> {
        if first {
            self.open()?;
        }
        if self.peek_is(&[TokenKind::FlowSequenceEnd])? {
            return self.close(EventKind::SequenceEnd);
        }
        if !first {
            self.take_separator("did not find expected ',' or ']'")?;
        }
        let token = self.peek()?;
        match token.kind {
            TokenKind::Key => {
                let event = Event::new(
                    EventKind::MappingStart { flow: true },
                    token.start,
                    token.bytes,
                );
                self.state = State::FlowSequenceEntryMappingKey;
                self.scanner.take();
                Ok(event)
            }
            TokenKind::FlowSequenceEnd => self.close(EventKind::SequenceEnd),
            _ => {
                self.push_state(State::FlowSequenceEntry);
                self.node(Allowed::Flow)
            }
        }
    }

    fn flow_sequence_entry_mapping_key(&mut self) -> Result<Event, Error> {
        let ends = [
            TokenKind::Value,
            TokenKind::FlowEntry,
            TokenKind::FlowSequenceEnd,
        ];
        if !self.peek_is(&ends)? {
            self.push_state(State::FlowSequenceEntryMappingValue);
            return self.node(Allowed::Flow);
        }
        let token = self.scanner.take();
        self.state = State::FlowSequenceEntryMappingValue;
        Ok(empty_scalar(token.end, token.bytes.1))
    }

    fn flow_sequence_entry_mapping_value(&mut self) -> Result<Event, Error> {
        let token = self.peek()?;
        let (mut start, mut byte) = (token.start, token.bytes.0);
        if token.kind == TokenKind::Value {
            // Upstream quirk, kept: an empty value is placed at the `:` here.
            let value = self.scanner.take();
            if !self.peek_is(&[TokenKind::FlowEntry, TokenKind::FlowSequenceEnd])? {
                self.push_state(State::FlowSequenceEntryMappingEnd);
                return self.node(Allowed::Flow);
            }
            (start, byte) = (value.start, value.bytes.0);
        }
        self.state = State::FlowSequenceEntryMappingEnd;
        Ok(empty_scalar(start, byte))
    }

    fn flow_mapping_key(&mut self, first: bool) -> Result<Event, Error> {
        if first {
            self.open()?;
        }
        if self.peek_is(&[TokenKind::FlowMappingEnd])? {
            return self.close(EventKind::MappingEnd);
        }
        if !first {
            self.take_separator("did not find expected ',' or '}'")?;
        }
        let token = self.peek()?;
        match token.kind {
            TokenKind::Key => {
                self.scanner.take();
                let token = self.peek()?;
                let at = (token.start, token.bytes.0);
                self.node_or_empty(
                    Allowed::Flow,
                    &[
                        TokenKind::Value,
                        TokenKind::FlowEntry,
                        TokenKind::FlowMappingEnd,
                    ],
                    State::FlowMappingValue,
                    at,
                )
            }
            TokenKind::FlowMappingEnd => self.close(EventKind::MappingEnd),
            _ => {
                self.push_state(State::FlowMappingEmptyValue);
                self.node(Allowed::Flow)
            }
        }
    }

    fn flow_mapping_value(&mut self, empty: bool) -> Result<Event, Error> {
        let token = self.peek()?;
        let (mut start, mut byte) = (token.start, token.bytes.0);
        if !empty && token.kind == TokenKind::Value {
            self.scanner.take();
            let token = self.peek()?;
            (start, byte) = (token.start, token.bytes.0);
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.push_state(State::FlowMappingKey);
                return self.node(Allowed::Flow);
            }
        }
        self.state = State::FlowMappingKey;
        Ok(empty_scalar(start, byte))
    }
}
