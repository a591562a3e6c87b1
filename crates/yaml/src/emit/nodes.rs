//! Nodes as kyaml writes them: go-yaml v3 with an indent of two.

use std::borrow::Cow;

use super::scalar::Analysis;
use super::{Context, Emitter, IndentKind, WrittenStyle};
use crate::compose::Document;
use crate::error::{Dialect, Error};
use crate::node::{Extras, Kind, Node, Style, Tag};
use crate::resolve;

/// How lists below a key are indented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceIndent {
    /// `- ` stands below the key: kyaml's default.
    Compact,
    /// `- ` is indented by two.
    Wide,
}

/// Writes a node as a document, comments and styles kept.
///
/// # Errors
/// An alias or anchor without a name, or one that is not alphanumeric.
pub fn node_to_string(node: &Node, sequences: SequenceIndent) -> Result<String, Error> {
    let mut writer = Writer::new(sequences);
    writer.document(node)?;
    Ok(writer.emitter.out)
}

/// As [`node_to_string`], with levels indented by `step` instead of two (go-yaml's own default is four).
///
/// # Errors
/// As [`node_to_string`].
pub fn node_to_string_with_step(
    node: &Node,
    sequences: SequenceIndent,
    step: u8,
) -> Result<String, Error> {
    let mut writer = Writer::new(sequences);
    writer.emitter.step = step.clamp(2, 9).into();
    writer.document(node)?;
    Ok(writer.emitter.out)
}

/// Writes a document with its own comments.
///
/// # Errors
/// As [`node_to_string`].
pub fn document_to_string(document: &Document, sequences: SequenceIndent) -> Result<String, Error> {
    let mut writer = Writer::new(sequences);
    if !document.head_comment.is_empty() {
        writer.head = document.head_comment.clone();
        writer.process_head();
        writer.emitter.put_break();
    }
    writer.content(&document.root)?;
    writer.foot.clone_from(&document.foot_comment);
    writer.end();
    Ok(writer.emitter.out)
}

/// A node with the foot comment of the key before it.
struct Writer {
    emitter: Emitter,
    sequences: SequenceIndent,
    head: String,
    foot: String,
    tail: String,
    key_line: String,
}

/// A scalar's presentation.
struct Presented<'a> {
    value: Cow<'a, str>,
    tag: String,
    style: WrittenStyle,
}

static NO_EXTRAS: Extras = Extras {
    anchor: crate::Text::const_new(""),
    head_comment: String::new(),
    line_comment: String::new(),
    foot_comment: String::new(),
    target: None,
};

fn extras(node: &Node) -> &Extras {
    node.extras.as_deref().unwrap_or(&NO_EXTRAS)
}

fn set(to: &mut String, comment: &str) {
    if !comment.is_empty() {
        comment.clone_into(to);
    }
}

impl Emitter {
    pub(super) fn write_line_comment(&mut self) {
        if self.line_comment.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(' ');
        }
        let comment = std::mem::take(&mut self.line_comment);
        self.write_comment(&comment);
    }

    fn write_comment(&mut self, comment: &str) {
        let (mut breaks, mut pound) = (false, false);
        for c in comment.chars() {
            if matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}') {
                self.put_break();
                (breaks, pound) = (true, false);
                continue;
            }
            if breaks {
                self.write_indent();
            }
            if !pound {
                if c != '#' {
                    self.put_text("# ");
                }
                pound = true;
            }
            self.put(c);
            self.indention = false;
            breaks = false;
        }
        if !breaks {
            self.put_break();
        }
        self.whitespace = true;
    }
}

impl Writer {
    fn new(sequences: SequenceIndent) -> Self {
        Self {
            emitter: Emitter::new(Dialect::V3, String::new()),
            sequences,
            head: String::new(),
            foot: String::new(),
            tail: String::new(),
            key_line: String::new(),
        }
    }

    fn document(&mut self, node: &Node) -> Result<(), Error> {
        self.content(node)?;
        self.end();
        Ok(())
    }

    fn content(&mut self, node: &Node) -> Result<(), Error> {
        self.load(node, "");
        self.process_head();
        self.node(node, Context::Root, false)?;
        Ok(())
    }

    fn end(&mut self) {
        self.emitter.foot_indent = 0;
        self.process_foot();
        self.emitter.foot_indent = -1;
        self.emitter.write_indent();
    }

    /// Takes up the comments that come with the start of `node`.
    fn load(&mut self, node: &Node, tail: &str) {
        let extras = extras(node);
        set(&mut self.head, &extras.head_comment);
        set(&mut self.tail, tail);
        if matches!(node.kind, Kind::Scalar | Kind::Alias) {
            set(&mut self.emitter.line_comment, &extras.line_comment);
            set(&mut self.foot, &extras.foot_comment);
        }
    }

    fn load_end(&mut self, node: &Node, tail: &str) {
        let extras = extras(node);
        set(&mut self.tail, tail);
        set(&mut self.emitter.line_comment, &extras.line_comment);
        set(&mut self.foot, &extras.foot_comment);
    }

    fn has_comments_after(&self) -> bool {
        !(self.emitter.line_comment.is_empty() && self.foot.is_empty() && self.tail.is_empty())
    }

    fn process_head(&mut self) {
        if !self.tail.is_empty() {
            self.emitter.write_indent();
            let tail = std::mem::take(&mut self.tail);
            self.emitter.write_comment(&tail);
            self.emitter.foot_indent = self.emitter.indent.max(0);
        }
        if self.head.is_empty() {
            return;
        }
        self.emitter.write_indent();
        let head = std::mem::take(&mut self.head);
        self.emitter.write_comment(&head);
    }

    fn process_foot(&mut self) {
        if self.foot.is_empty() {
            return;
        }
        self.emitter.write_indent();
        let foot = std::mem::take(&mut self.foot);
        self.emitter.write_comment(&foot);
        self.emitter.foot_indent = self.emitter.indent.max(0);
    }

    fn process_after(&mut self) {
        self.emitter.write_line_comment();
        self.process_foot();
    }

    /// Writes the start of a node and the comments due after it, then what is inside.
    fn node(&mut self, node: &Node, context: Context, in_sequence: bool) -> Result<(), Error> {
        self.start(node, context, in_sequence)?;
        self.process_after();
        self.inside(node, context, in_sequence)
    }

    fn start(&mut self, node: &Node, context: Context, in_sequence: bool) -> Result<(), Error> {
        match node.kind {
            Kind::Alias => self.write_anchor('*', &node.value),
            Kind::Scalar => self.scalar(node, context, in_sequence),
            Kind::Sequence | Kind::Mapping => {
                let extras = extras(node);
                if !extras.anchor.is_empty() {
                    self.write_anchor('&', &extras.anchor)?;
                }
                let implicit = match node.kind {
                    Kind::Mapping => Tag::Map,
                    _ => Tag::Seq,
                };
                let written = node.style.has(Style::TAGGED) || node.tag != implicit;
                if written && node.tag != Tag::None {
                    self.write_tag(node.tag.short());
                }
                Ok(())
            }
        }
    }

    fn inside(&mut self, node: &Node, context: Context, in_sequence: bool) -> Result<(), Error> {
        let flow =
            self.emitter.flow_level > 0 || node.style.has(Style::FLOW) || node.content.is_empty();
        match (node.kind, flow) {
            (Kind::Sequence, true) => self.flow_sequence(node, in_sequence),
            (Kind::Sequence, false) => self.block_sequence(node, context, in_sequence),
            (Kind::Mapping, true) => self.flow_mapping(node, in_sequence),
            (Kind::Mapping, false) => self.block_mapping(node, in_sequence),
            _ => Ok(()),
        }
    }

    fn write_anchor(&mut self, mark: char, name: &str) -> Result<(), Error> {
        let what = if mark == '*' { "alias" } else { "anchor" };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() {
            return Err(Error::plain(format!("{what} value must not be empty")));
        }
        if !name.bytes().all(plain) {
            return Err(Error::plain(format!(
                "{what} value must contain alphanumerical characters only"
            )));
        }
        self.emitter
            .write_indicator(if mark == '*' { "*" } else { "&" }, true, false, false);
        self.emitter.put_text(name);
        self.emitter.whitespace = false;
        self.emitter.indention = false;
        Ok(())
    }

    fn write_tag(&mut self, tag: &str) {
        let emitter = &mut self.emitter;
        let (handle, suffix) = match (tag.strip_prefix("!!"), tag.strip_prefix('!')) {
            (Some(suffix), _) => ("!!", suffix),
            (None, Some(suffix)) => ("!", suffix),
            (None, None) => ("", tag),
        };
        if handle.is_empty() {
            emitter.write_indicator("!<", true, false, false);
        } else if !emitter.whitespace {
            emitter.put(' ');
        }
        emitter.put_text(handle);
        for byte in suffix.bytes() {
            if byte.is_ascii_alphanumeric() || b"_-;/?:@&=+$,.~*'()[]".contains(&byte) {
                emitter.put(byte as char);
            } else {
                emitter.put_text(&format!("%{byte:02X}"));
            }
        }
        emitter.whitespace = false;
        emitter.indention = false;
        if handle.is_empty() {
            emitter.write_indicator(">", false, false, false);
        }
    }

    fn scalar(&mut self, node: &Node, context: Context, in_sequence: bool) -> Result<(), Error> {
        let presented = present(node);
        let analysis = Analysis::new(&presented.value, Dialect::V3);
        let style =
            self.emitter
                .select_style(&analysis, &presented.value, presented.style, context);
        let extras = extras(node);
        if !extras.anchor.is_empty() {
            self.write_anchor('&', &extras.anchor)?;
        }
        if !presented.tag.is_empty() {
            self.write_tag(&presented.tag);
        }
        self.emitter
            .write_scalar(&presented.value, style, context, in_sequence);
        Ok(())
    }

    fn flow_sequence(&mut self, node: &Node, in_sequence: bool) -> Result<(), Error> {
        self.emitter.write_indicator("[", true, true, false);
        self.emitter.push_indent(true, level(in_sequence));
        self.emitter.flow_level += 1;
        let mut separate = false;
        for item in &node.content {
            if separate {
                self.emitter.write_indicator(",", false, false, false);
            }
            self.load(item, "");
            self.process_head();
            if self.emitter.column == 0 {
                self.emitter.write_indent();
            }
            separate = !self.has_comments_after();
            self.start(item, Context::Sequence, false)?;
            if self.has_comments_after() {
                self.emitter.write_indicator(",", false, false, false);
            }
            self.process_after();
            self.inside(item, Context::Sequence, false)?;
        }
        self.load_end(node, "");
        self.emitter.flow_level -= 1;
        self.emitter.pop_indent();
        if self.emitter.column == 0 {
            self.emitter.write_indent();
        }
        self.emitter.write_indicator("]", false, false, false);
        self.process_after();
        Ok(())
    }

    fn flow_mapping(&mut self, node: &Node, in_sequence: bool) -> Result<(), Error> {
        self.emitter.write_indicator("{", true, true, false);
        self.emitter.push_indent(true, level(in_sequence));
        self.emitter.flow_level += 1;
        let (mut separate, mut tail) = (false, String::new());
        for pair in node.content.chunks_exact(2) {
            if separate {
                self.emitter.write_indicator(",", false, false, false);
            }
            let former = std::mem::replace(&mut tail, extras(&pair[0]).foot_comment.clone());
            self.load_key(&pair[0], &former);
            self.process_head();
            if self.emitter.column == 0 {
                self.emitter.write_indent();
            }
            if is_simple_key(&pair[0]) {
                self.start(&pair[0], Context::SimpleKey, false)?;
                self.inside(&pair[0], Context::SimpleKey, false)?;
                self.emitter.write_indicator(":", false, false, false);
            } else {
                self.emitter.write_indicator("?", true, false, false);
                self.start(&pair[0], Context::Mapping, false)?;
                self.inside(&pair[0], Context::Mapping, false)?;
                self.emitter.write_indicator(":", true, false, false);
            }
            self.load(&pair[1], "");
            separate = !self.has_comments_after();
            self.start(&pair[1], Context::Mapping, false)?;
            if self.has_comments_after() {
                self.emitter.write_indicator(",", false, false, false);
            }
            self.process_after();
            self.inside(&pair[1], Context::Mapping, false)?;
        }
        self.load_end(node, &tail);
        let pending = !(self.head.is_empty() && self.foot.is_empty() && self.tail.is_empty());
        if pending && separate {
            self.emitter.write_indicator(",", false, false, false);
        }
        self.process_head();
        self.emitter.flow_level -= 1;
        self.emitter.pop_indent();
        self.emitter.write_indicator("}", false, false, false);
        self.process_after();
        Ok(())
    }

    /// A key's foot comment is written before the next key, not here.
    fn load_key(&mut self, key: &Node, tail: &str) {
        let extras = extras(key);
        set(&mut self.head, &extras.head_comment);
        set(&mut self.tail, tail);
        if matches!(key.kind, Kind::Scalar | Kind::Alias) {
            set(&mut self.emitter.line_comment, &extras.line_comment);
        }
    }

    fn block_sequence(
        &mut self,
        node: &Node,
        context: Context,
        in_sequence: bool,
    ) -> Result<(), Error> {
        let compact = context == Context::Mapping
            && (self.emitter.column == 0 || !self.emitter.indention)
            && self.sequences == SequenceIndent::Compact;
        let kind = match level(in_sequence) {
            IndentKind::Aligned if compact => IndentKind::Compact,
            kind => kind,
        };
        self.emitter.push_indent(false, kind);
        for item in &node.content {
            self.load(item, "");
            self.process_head();
            self.emitter.write_indent();
            self.emitter.write_indicator("-", true, false, true);
            self.node(item, Context::Sequence, true)?;
        }
        self.load_end(node, "");
        self.emitter.pop_indent();
        Ok(())
    }

    fn block_mapping(&mut self, node: &Node, in_sequence: bool) -> Result<(), Error> {
        self.emitter.push_indent(false, level(in_sequence));
        let mut tail = String::new();
        for pair in node.content.chunks_exact(2) {
            let former = std::mem::replace(&mut tail, extras(&pair[0]).foot_comment.clone());
            self.load_key(&pair[0], &former);
            self.process_head();
            self.emitter.write_indent();
            if !self.emitter.line_comment.is_empty() {
                self.key_line = std::mem::take(&mut self.emitter.line_comment);
            }
            if is_simple_key(&pair[0]) {
                self.start(&pair[0], Context::SimpleKey, false)?;
                self.inside(&pair[0], Context::SimpleKey, false)?;
                self.load(&pair[1], "");
                self.emitter.write_indicator(":", false, false, false);
            } else {
                self.emitter.write_indicator("?", true, false, true);
                self.start(&pair[0], Context::Mapping, false)?;
                self.inside(&pair[0], Context::Mapping, false)?;
                self.load(&pair[1], "");
                self.emitter.write_indent();
                self.emitter.write_indicator(":", true, false, true);
            }
            self.write_key_line_comment(&pair[1]);
            self.node(&pair[1], Context::Mapping, false)?;
        }
        self.load_end(node, &tail);
        self.process_head();
        self.emitter.pop_indent();
        Ok(())
    }

    /// A comment on a key's line goes to its scalar, or is written before the block that follows.
    fn write_key_line_comment(&mut self, value: &Node) {
        if self.key_line.is_empty() {
            return;
        }
        match value.kind {
            Kind::Scalar if self.emitter.line_comment.is_empty() => {
                self.emitter.line_comment = std::mem::take(&mut self.key_line);
            }
            Kind::Sequence | Kind::Mapping if !value.style.has(Style::FLOW) => {
                std::mem::swap(&mut self.emitter.line_comment, &mut self.key_line);
                self.emitter.write_line_comment();
                std::mem::swap(&mut self.emitter.line_comment, &mut self.key_line);
            }
            _ => {}
        }
    }
}

fn level(in_sequence: bool) -> IndentKind {
    if in_sequence {
        IndentKind::InSequence
    } else {
        IndentKind::Aligned
    }
}

fn is_simple_key(node: &Node) -> bool {
    let anchor = extras(node).anchor.len();
    match node.kind {
        Kind::Alias => node.value.len() <= 128,
        Kind::Scalar => {
            let presented = present(node);
            let analysis = Analysis::new(&presented.value, Dialect::V3);
            let tag = presented.tag.len();
            Emitter::is_simple_key(&analysis, anchor + tag + presented.value.len())
        }
        Kind::Sequence | Kind::Mapping => node.content.is_empty(),
    }
}

/// The tag and style that keep what the scalar is (go-yaml v3 `encoder.node`).
fn present(node: &Node) -> Presented<'_> {
    let mut tag = node.tag.short();
    let mut quote = false;
    if node.tag != Tag::None && !node.style.has(Style::TAGGED) {
        let quoted = node.tag == Tag::Str && node.style.is_text();
        if quoted || resolve::implicit_tag(&node.value) == node.tag {
            tag = "";
        } else if node.tag == Tag::Str {
            tag = "";
            quote = true;
        }
    }
    let style = match node.style {
        style if style.has(Style::DOUBLE_QUOTED) => WrittenStyle::DoubleQuoted,
        style if style.has(Style::SINGLE_QUOTED) => WrittenStyle::SingleQuoted,
        style if style.has(Style::LITERAL) => WrittenStyle::Literal,
        style if style.has(Style::FOLDED) => WrittenStyle::Folded,
        _ if node.value.contains('\n') => WrittenStyle::Literal,
        _ if quote => WrittenStyle::DoubleQuoted,
        _ => WrittenStyle::Plain,
    };
    Presented {
        value: Cow::Borrowed(&node.value),
        tag: tag.to_owned(),
        style,
    }
}
