//! From events to nodes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Text;
use crate::error::{Dialect, Error};
use crate::node::{Kind, Node, Style, Tag};
use crate::parser::{Event, EventKind, Parser};
use crate::reader;
use crate::resolve;
use crate::scanner::{MAX_DEPTH, ScalarStyle};

/// One document of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The content; a null for a document without any.
    pub root: Node,
    /// Comments above the content, set off by an empty line.
    pub head_comment: String,
    /// Comments below the content.
    pub foot_comment: String,
}

/// Reads all documents of a stream, as go-yaml v3 does.
///
/// # Errors
/// The first problem, in go-yaml's wording.
pub fn parse_documents(text: &[u8]) -> Result<Vec<Document>, Error> {
    let text = reader::decode(text)?;
    let mut composer = Composer::new(&text, Dialect::V3);
    let mut documents = Vec::new();
    while let Some(document) = composer.document()? {
        documents.push(document);
    }
    Ok(documents)
}

/// Reads the first document of a stream, as go-yaml v3 does; none if there is none.
///
/// # Errors
/// The first problem, in go-yaml's wording.
pub fn parse(text: &[u8]) -> Result<Option<Document>, Error> {
    let text = reader::decode(text)?;
    Composer::new(&text, Dialect::V3).document()
}

/// The first document as v2 reads it: no comments, YAML 1.1 booleans.
pub(crate) fn parse_v2(text: &[u8]) -> Result<Option<Document>, Error> {
    let text = reader::decode(text)?;
    Composer::new(&text, Dialect::V2).document()
}

struct Composer<'a> {
    parser: Parser<'a>,
    dialect: Dialect,
    peeked: Option<Event>,
    started: bool,
    /// The nodes with anchors; none while the node is being read.
    anchors: HashMap<Text, Option<Arc<Node>>>,
}

impl<'a> Composer<'a> {
    fn new(text: &'a str, dialect: Dialect) -> Self {
        Self {
            parser: Parser::new(text, dialect),
            dialect,
            peeked: None,
            started: false,
            anchors: HashMap::new(),
        }
    }

    fn next(&mut self) -> Result<Event, Error> {
        match self.peeked.take() {
            Some(event) => Ok(event),
            None => self.parser.next(),
        }
    }

    fn document(&mut self) -> Result<Option<Document>, Error> {
        if !self.started {
            self.started = true;
            self.next()?;
        }
        let start = self.next()?;
        if start.kind == EventKind::StreamEnd {
            self.peeked = Some(start);
            return Ok(None);
        }
        if self.dialect == Dialect::V2 {
            self.anchors.clear();
        }
        let root = self.node()?;
        let end = self.next()?;
        Ok(Some(Document {
            root,
            head_comment: start
                .comments
                .map_or_else(String::new, |comments| comments.head),
            foot_comment: end
                .comments
                .map_or_else(String::new, |comments| comments.foot),
        }))
    }

    /// Reads one node. Collections are kept on a stack of our own: the text decides how deep it is.
    fn node(&mut self) -> Result<Node, Error> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let event = self.next()?;
            let done = match event.kind {
                EventKind::Scalar { .. } => self.scalar(event),
                EventKind::Alias(_) => self.alias(event)?,
                EventKind::SequenceStart { .. } | EventKind::MappingStart { .. } => {
                    if open.len() >= MAX_DEPTH {
                        return Err(Error::plain(format!("exceeded max depth of {MAX_DEPTH}")));
                    }
                    open.push(self.open(event));
                    continue;
                }
                EventKind::SequenceEnd | EventKind::MappingEnd => match open.pop() {
                    Some(collection) => self.close(collection, event),
                    None => return Err(Error::plain("unknown problem parsing YAML content")),
                },
                EventKind::TailComment => {
                    if let Some(collection) = open.last_mut() {
                        collection.add_tail(event);
                    }
                    continue;
                }
                _ => return Err(Error::plain("unknown problem parsing YAML content")),
            };
            match open.last_mut() {
                None => return Ok(done),
                Some(collection) => collection.add(done),
            }
        }
    }

    fn place(node: &mut Node, event: &mut Event) {
        node.line = event.start.line as u32 + 1;
        node.column = event.start.column as u32 + 1;
        if event.comments.is_none() && event.anchor.is_none() {
            return;
        }
        let extras = node.extras_mut();
        if let Some(comments) = event.comments.take() {
            extras.head_comment = comments.head;
            extras.line_comment = comments.line;
            extras.foot_comment = comments.foot;
        }
        extras.anchor = event.anchor.clone().unwrap_or_default();
    }

    fn scalar(&mut self, mut event: Event) -> Node {
        let EventKind::Scalar {
            value,
            style,
            plain_implicit,
        } = std::mem::replace(&mut event.kind, EventKind::StreamEnd)
        else {
            unreachable!("the caller matched a scalar")
        };
        let written = match style {
            ScalarStyle::Plain => Style::PLAIN,
            ScalarStyle::SingleQuoted => Style::SINGLE_QUOTED,
            ScalarStyle::DoubleQuoted => Style::DOUBLE_QUOTED,
            ScalarStyle::Literal => Style::LITERAL,
            ScalarStyle::Folded => Style::FOLDED,
        };
        let mut node = Node::scalar(Tag::None, value);
        node.style = written;
        node.tag = match event.tag.as_deref() {
            Some("!") if self.dialect == Dialect::V2 => Tag::Str,
            Some(tag) if tag != "!" => {
                node.style = written.with(Style::TAGGED);
                Tag::parse(tag)
            }
            _ if written != Style::PLAIN => Tag::Str,
            _ if self.dialect == Dialect::V2 && !plain_implicit => Tag::Str,
            _ if node.value == "<<" => Tag::Merge,
            _ => resolve::resolve(&Tag::None, &node.value, self.dialect)
                .map_or(Tag::Str, |(tag, _)| tag),
        };
        Self::place(&mut node, &mut event);
        if let Some(anchor) = event.anchor {
            self.anchors.insert(anchor, Some(Arc::new(node.clone())));
        }
        node
    }

    fn alias(&mut self, mut event: Event) -> Result<Node, Error> {
        let EventKind::Alias(name) = std::mem::replace(&mut event.kind, EventKind::StreamEnd)
        else {
            unreachable!("the caller matched an alias")
        };
        let Some(target) = self.anchors.get(&name).cloned() else {
            return Err(Error::plain(format!("unknown anchor '{name}' referenced")));
        };
        let mut node = Node::scalar(Tag::None, name);
        node.kind = Kind::Alias;
        Self::place(&mut node, &mut event);
        node.extras_mut().target = target;
        Ok(node)
    }

    fn open(&mut self, mut event: Event) -> Open {
        let (mut node, flow) = match event.kind {
            EventKind::MappingStart { flow } => (Node::mapping(), flow),
            EventKind::SequenceStart { flow } => (Node::sequence(), flow),
            _ => unreachable!("the caller matched a collection"),
        };
        if let Some(tag) = event.tag.as_deref().filter(|tag| *tag != "!") {
            node.tag = Tag::parse(tag);
            node.style = Style::TAGGED;
        }
        if flow {
            node.style = node.style.with(Style::FLOW);
        }
        Self::place(&mut node, &mut event);
        if let Some(anchor) = &event.anchor {
            self.anchors.insert(anchor.clone(), None);
        }
        Open {
            node,
            anchor: event.anchor,
        }
    }

    fn close(&mut self, collection: Open, end: Event) -> Node {
        let Open { mut node, anchor } = collection;
        node.content.shrink_to_fit();
        if let Some(comments) = end.comments {
            let extras = node.extras_mut();
            extras.line_comment = comments.line;
            extras.foot_comment = comments.foot;
        } else if let Some(extras) = &mut node.extras {
            extras.line_comment.clear();
            extras.foot_comment.clear();
        }
        let block = node.kind == Kind::Mapping && !node.style.has(Style::FLOW);
        if block && !foot(&node).is_empty() && node.content.len() > 1 {
            let comment = take_foot(&mut node);
            let at = node.content.len() - 2;
            node.content[at].extras_mut().foot_comment = comment;
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Some(Arc::new(node.clone())));
        }
        node
    }
}

/// A collection whose end has not been read.
struct Open {
    node: Node,
    anchor: Option<Text>,
}

impl Open {
    fn add(&mut self, mut child: Node) {
        let count = self.node.content.len();
        if self.node.kind == Kind::Mapping {
            let is_key = count.is_multiple_of(2);
            let flow = self.node.style.has(Style::FLOW);
            if is_key && !flow && count >= 2 && !foot(&child).is_empty() {
                // A foot comment that the scanner gave to the dedented key is the former key's.
                let comment = take_foot(&mut child);
                self.node.content[count - 2].extras_mut().foot_comment = comment;
            }
            if !is_key && !foot(&child).is_empty() && foot(&self.node.content[count - 1]).is_empty()
            {
                let comment = take_foot(&mut child);
                self.node.content[count - 1].extras_mut().foot_comment = comment;
            }
        }
        self.node.content.push(child);
    }

    /// A foot comment for the key of the pair just read.
    fn add_tail(&mut self, tail: Event) {
        let count = self.node.content.len();
        if let (Some(comments), true) = (tail.comments, count >= 2)
            && foot(&self.node.content[count - 2]).is_empty()
        {
            self.node.content[count - 2].extras_mut().foot_comment = comments.foot;
        }
    }
}

fn foot(node: &Node) -> &str {
    node.extras
        .as_ref()
        .map_or("", |extras| &extras.foot_comment)
}

fn take_foot(node: &mut Node) -> String {
    node.extras.as_mut().map_or_else(String::new, |extras| {
        std::mem::take(&mut extras.foot_comment)
    })
}
