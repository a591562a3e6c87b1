//! The node model: what go-yaml v3's `yaml.Node` holds, in a compact form.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;

use crate::Text;
use crate::resolve::{self, Scalar};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A string, number, boolean or null.
    Scalar,
    /// A list.
    Sequence,
    /// Keys and values.
    Mapping,
    /// `*name`: stands for the node that has the anchor.
    Alias,
}

/// How a node is written; a set of the flags below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Style(u8);

impl Style {
    /// No style: a plain scalar, a block collection.
    pub const PLAIN: Self = Self(0);
    /// The tag is written out.
    pub const TAGGED: Self = Self(1);
    /// `"…"`
    pub const DOUBLE_QUOTED: Self = Self(2);
    /// `'…'`
    pub const SINGLE_QUOTED: Self = Self(4);
    /// `|`
    pub const LITERAL: Self = Self(8);
    /// `>`
    pub const FOLDED: Self = Self(16);
    /// `{…}` or `[…]`
    pub const FLOW: Self = Self(32);
    const TEXT: Self = Self(2 | 4 | 8 | 16);

    /// Whether any flag of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set less `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the style says that the scalar is a string: quoted or a block scalar.
    pub const fn is_text(self) -> bool {
        self.has(Self::TEXT)
    }
}

/// The short form of a tag (`!!str`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Tag {
    /// No tag; the node's value decides.
    #[default]
    None,
    /// `!!null`
    Null,
    /// `!!bool`
    Bool,
    /// `!!str`
    Str,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!timestamp`
    Timestamp,
    /// `!!seq`
    Seq,
    /// `!!map`
    Map,
    /// `!!binary`
    Binary,
    /// `!!merge`
    Merge,
    /// Any other tag.
    Other(Box<String>),
}

const LONG_PREFIX: &str = "tag:yaml.org,2002:";

impl Tag {
    /// Reads a tag in short or long form.
    pub fn parse(tag: &str) -> Self {
        let short = tag
            .strip_prefix(LONG_PREFIX)
            .or_else(|| tag.strip_prefix("!!"));
        match (tag, short) {
            ("", _) => Self::None,
            (_, Some("null")) => Self::Null,
            (_, Some("bool")) => Self::Bool,
            (_, Some("str")) => Self::Str,
            (_, Some("int")) => Self::Int,
            (_, Some("float")) => Self::Float,
            (_, Some("timestamp")) => Self::Timestamp,
            (_, Some("seq")) => Self::Seq,
            (_, Some("map")) => Self::Map,
            (_, Some("binary")) => Self::Binary,
            (_, Some("merge")) => Self::Merge,
            (_, Some(other)) => Self::Other(Box::new(format!("!!{other}"))),
            (other, None) => Self::Other(Box::new(other.to_owned())),
        }
    }

    /// The short form (`!!str`, `!mine`); empty for none.
    pub fn short(&self) -> &str {
        match self {
            Self::None => "",
            Self::Null => "!!null",
            Self::Bool => "!!bool",
            Self::Str => "!!str",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Timestamp => "!!timestamp",
            Self::Seq => "!!seq",
            Self::Map => "!!map",
            Self::Binary => "!!binary",
            Self::Merge => "!!merge",
            Self::Other(tag) => tag,
        }
    }
}

/// What few nodes have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    /// The name after `&`.
    pub anchor: Text,
    /// The lines above.
    pub head_comment: String,
    /// The comment on the same line.
    pub line_comment: String,
    /// The lines below.
    pub foot_comment: String,
    /// What an alias stands for; none where the anchored node holds the alias itself.
    pub target: Option<Arc<Node>>,
}

/// A node of a document. A mapping's `content` is key, value, key, value …
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// How it is written.
    pub style: Style,
    /// The file it was read from, as the caller numbers files; 0 for none.
    pub file: u16,
    /// The line it starts at, from 1; 0 when it was not read from a text.
    pub line: u32,
    /// The column it starts at, from 1.
    pub column: u32,
    /// Scalars of one tree with the same number other than 0 were made as one: Go's libraries hold one node
    /// in several places, and change all of them at once. Whoever changes one has to see to the others.
    pub shared: u32,
    /// Its type.
    pub tag: Tag,
    /// A scalar's text; an alias's name.
    pub value: Text,
    /// The items of a sequence; the keys and values of a mapping.
    pub content: Vec<Node>,
    /// Anchor, comments and the target of an alias.
    pub extras: Option<Box<Extras>>,
}

impl Node {
    fn new(kind: Kind, tag: Tag) -> Self {
        Self {
            kind,
            style: Style::PLAIN,
            file: 0,
            line: 0,
            column: 0,
            shared: 0,
            tag,
            value: Text::default(),
            content: Vec::new(),
            extras: None,
        }
    }

    /// An empty block mapping.
    pub fn mapping() -> Self {
        Self::new(Kind::Mapping, Tag::Map)
    }

    /// An empty block sequence.
    pub fn sequence() -> Self {
        Self::new(Kind::Sequence, Tag::Seq)
    }

    /// A scalar with a tag.
    pub fn scalar(tag: Tag, value: impl Into<Text>) -> Self {
        let mut node = Self::new(Kind::Scalar, tag);
        node.value = value.into();
        node
    }

    /// A string.
    pub fn string(value: impl Into<Text>) -> Self {
        Self::scalar(Tag::Str, value)
    }

    /// A null.
    pub fn null() -> Self {
        Self::scalar(Tag::Null, "null")
    }

    /// The keys and values of a mapping, in order.
    pub fn pairs(&self) -> impl DoubleEndedIterator<Item = (&Node, &Node)> + ExactSizeIterator {
        let content = match self.kind {
            Kind::Mapping => self.content.as_slice(),
            _ => &[],
        };
        content.chunks_exact(2).map(|pair| (&pair[0], &pair[1]))
    }

    /// Where `key` is in `content`, for a mapping.
    pub fn position(&self, key: &str) -> Option<usize> {
        if self.kind != Kind::Mapping {
            return None;
        }
        (0..self.content.len() / 2)
            .map(|pair| pair * 2)
            .find(|&at| self.content[at].value == key)
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.position(key).map(|at| &self.content[at + 1])
    }

    /// The value of `key`.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.position(key).map(|at| &mut self.content[at + 1])
    }

    /// The node at the end of a path of keys.
    pub fn at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Node> {
        path.into_iter().try_fold(self, |node, key| node.get(key))
    }

    /// Takes `key` and its value out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.position(key)?;
        let value = self.content.remove(at + 1);
        self.content.remove(at);
        Some(value)
    }

    /// Sets the value of `key`, at its place or at the end.
    pub fn insert(&mut self, key: &str, value: Node) {
        match self.position(key) {
            Some(at) => self.content[at + 1] = value,
            None => {
                self.content.push(Node::string(key));
                self.content.push(value);
            }
        }
    }

    /// Whether the node is tagged null.
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }

    /// Whether it is null, or a collection without items (kyaml `IsYNodeNilOrEmpty`).
    pub fn is_nil_or_empty(&self) -> bool {
        self.is_null()
            || (self.kind != Kind::Scalar && self.kind != Kind::Alias && self.content.is_empty())
    }

    /// The node's anchor, comments and alias target.
    pub fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_with(Box::default)
    }

    /// Removes the comments of this node (not of those below it).
    pub fn clear_comments(&mut self) {
        if let Some(extras) = &mut self.extras {
            extras.head_comment.clear();
            extras.line_comment.clear();
            extras.foot_comment.clear();
        }
    }

    /// The short form of the tag: what is written, else what the value resolves to (`ShortTag`).
    pub fn short_tag(&self) -> Tag {
        let untagged = match &self.tag {
            Tag::None => true,
            Tag::Other(tag) => tag.as_str() == "!",
            _ => false,
        };
        if self.kind == Kind::Scalar && untagged && self.style.is_text() {
            return Tag::Str;
        }
        if !untagged {
            return self.tag.clone();
        }
        match self.kind {
            Kind::Mapping => Tag::Map,
            Kind::Sequence => Tag::Seq,
            Kind::Scalar => resolve::implicit_tag(&self.value),
            Kind::Alias => self
                .extras
                .as_ref()
                .and_then(|extras| extras.target.as_ref())
                .map_or(Tag::None, |target| target.short_tag()),
        }
    }

    /// What a scalar stands for once it has been written and read again (go-yaml v3): a tag that does
    /// not fit the text is written out, a string that looks like something else is quoted.
    ///
    /// # Errors
    /// A tag that the text does not fit (`!!int x`), or bad base64 under `!!binary`.
    pub fn plain_value(&self) -> Result<Plain<'_>, crate::Error> {
        let text = || Ok(Plain::Text(Cow::Borrowed(self.value.as_str())));
        let tag = match &self.tag {
            Tag::Str | Tag::Other(_) | Tag::Merge | Tag::Seq | Tag::Map => return text(),
            Tag::None if self.style.is_text() => return text(),
            Tag::Binary => {
                let decoded = base64::engine::general_purpose::STANDARD
                    .decode(self.value.replace(['\n', '\r'], ""))
                    .map_err(|_| {
                        crate::Error::plain("!!binary value contains invalid base64 data")
                    })?;
                return Ok(Plain::Text(Cow::Owned(
                    String::from_utf8_lossy(&decoded).into_owned(),
                )));
            }
            _ if self.style.is_text() && !self.style.has(Style::TAGGED) => {
                // The tag is dropped where the text has it anyway, and the quotes stay.
                if resolve::implicit_tag(&self.value) == self.tag {
                    return text();
                }
                &self.tag
            }
            Tag::None => &Tag::None,
            _ if self.style.has(Style::TAGGED) => &self.tag,
            tag if resolve::implicit_tag(&self.value) == *tag => &Tag::None,
            tag => tag,
        };
        let (_, scalar) = resolve::resolve(tag, &self.value, crate::Dialect::V3)?;
        Ok(match scalar {
            Scalar::Null => Plain::Null,
            Scalar::Bool(value) => Plain::Bool(value),
            Scalar::Int(value) => Plain::Int(value),
            Scalar::Uint(value) => Plain::Uint(value),
            Scalar::Float(value) => Plain::Float(value),
            Scalar::Str => return text(),
            Scalar::Timestamp => Plain::Text(Cow::Owned(resolve::rfc3339(&self.value))),
        })
    }
}

/// A decoded scalar; dates are texts in RFC 3339.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain<'a> {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(Cow<'a, str>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_stays_small() {
        assert!(size_of::<Node>() <= 96, "{}", size_of::<Node>());
    }

    #[test]
    fn mappings_keep_their_order() {
        let mut node = Node::mapping();
        node.insert("b", Node::string("1"));
        node.insert("a", Node::string("2"));
        node.insert("b", Node::string("3"));
        let keys: Vec<_> = node
            .pairs()
            .map(|(key, value)| (&*key.value, &*value.value))
            .collect();
        assert_eq!(keys, [("b", "3"), ("a", "2")]);
        assert_eq!(node.remove("b").map(|node| node.value), Some("3".into()));
        assert!(node.get("b").is_none());
    }
}
