//! The parts of a template.

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// What stands in braces: one step after the other.
    List(Vec<Node>),
    /// Text outside of braces, or in quotes.
    Text(String),
    /// `.name`.
    Field(String),
    /// `[1]`, `[1:2]`, `[::2]`.
    Array(Slice),
    /// `[?(…)]`.
    Filter(Box<Filter>),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `*`.
    Wildcard,
    /// `..`.
    Recursive,
    /// `[a,b]`: what each list of steps finds, one after the other.
    Union(Vec<Vec<Node>>),
    /// `range`, `end` and other words.
    Identifier(String),
}

/// From, to and step of a slice; what is not given is `None`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slice {
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    /// The end was not given and is that of the one item at the start.
    pub(super) is_single: bool,
    pub(super) step: Option<i64>,
}

/// A condition on the items of a list.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) left: Vec<Node>,
    /// Operator and right side; without them, the left side has to find something.
    pub(super) comparison: Option<(String, Vec<Node>)>,
}
