//! kubectl's JSONPath templates: `{range .items[*]}{.metadata.name}{"\n"}{end}`.
//!
//! ```
//! let pods = serde_json::json!({"items": [{"name": "a", "up": true}, {"name": "b"}]});
//! let path = object::jsonpath::JsonPath::parse("{.items[?(@.up)].name}")?;
//! assert_eq!(path.execute(&pods)?, "a");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: client-go `util/jsonpath` (v0.35). Known differences: fields of a map come in the order of
//! their names where Go's order is random (`.*`, `..`); there is a limit to the work done; what panics
//! upstream (an index into nothing in a range without items) is an error.

mod compare;
mod eval;
mod node;
mod parser;
mod unquote;

use serde_json::Value;

use crate::goprint;

use eval::Item;
use node::Node;

/// Why a template cannot be read; prints as upstream's errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No `}` on the same line.
    #[error("unclosed action")]
    UnclosedAction,
    /// A character that begins nothing.
    #[error("unrecognized character in action: {0}")]
    Character(String),
    /// `..` twice.
    #[error("invalid multiple recursive descent")]
    RecursiveDescent,
    /// Digits and points that are no number.
    #[error("cannot parse number {0}")]
    Number(String),
    /// No `]` on the same line.
    #[error("unterminated array")]
    UnterminatedArray,
    /// Neither index, slice nor name between brackets.
    #[error("invalid array index {0}")]
    ArrayIndex(String),
    /// An index that is no number, or too large a one.
    #[error("array index {0} is not a number")]
    IndexNumber(String),
    /// No `)` on the same line.
    #[error("unterminated filter")]
    UnterminatedFilter,
    /// No `]` after a filter.
    #[error("unclosed array expect ]")]
    UnclosedFilter,
    /// No quote at the end.
    #[error("unterminated quoted string")]
    UnterminatedQuote,
    /// An escape sequence that is none.
    #[error("unquote string {0} error invalid syntax")]
    Quote(String),
    /// Filters in filters without end. (Upstream has no such limit.)
    #[error("template is nested too deeply")]
    TooDeep,
}

/// Why a template cannot be filled in; prints as upstream's errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// There is no such field in any value.
    #[error("{0} is not found")]
    NotFound(String),
    /// An index into something that is no list.
    #[error("{0} is not array or slice")]
    NotArray(&'static str),
    /// A filter on something that is no list.
    #[error("{0} is not array or slice and cannot be filtered")]
    NotFilterable(String),
    /// An index beyond the list.
    #[error("array index out of bounds: index {index}, length {length}")]
    OutOfBounds {
        /// The index.
        index: i64,
        /// The length of the list.
        length: usize,
    },
    /// A slice that ends before it begins.
    #[error("starting index {start} is greater than ending index {end}")]
    Backwards {
        /// Where it begins.
        start: i64,
        /// Where it ends.
        end: i64,
    },
    /// A step that does not go on.
    #[error("step must be > 0")]
    Step,
    /// A filter compares several values.
    #[error("can only compare one element at a time")]
    SeveralOperands,
    /// A filter compares values of different types.
    #[error("incompatible types for comparison")]
    Incompatible,
    /// A filter compares values that have no order.
    #[error("invalid type for comparison")]
    NotComparable,
    /// The operator of a filter is none.
    #[error("unrecognized filter operator {0}")]
    Operator(String),
    /// A word that is none.
    #[error("unrecognized identifier {0}")]
    Identifier(String),
    /// `end` without `range`.
    #[error("not in range, nothing to end")]
    NothingToEnd,
    /// Too much work or too many ranges in ranges. (Upstream has no such limit.)
    #[error("template takes too many steps")]
    TooManySteps,
}

/// A template that can be filled in.
#[derive(Debug, Clone)]
pub struct JsonPath {
    nodes: Vec<Node>,
    allows_missing_keys: bool,
    prints_json: bool,
    only_floats: bool,
}

impl JsonPath {
    /// Reads a template: text, and paths in braces.
    pub fn parse(template: &str) -> Result<Self, ParseError> {
        Ok(Self {
            nodes: parser::parse(template)?,
            allows_missing_keys: false,
            prints_json: false,
            only_floats: false,
        })
    }

    /// Whether a field that is not there gives nothing; else it is an error, which is the default.
    #[must_use]
    pub fn allow_missing_keys(mut self, allow: bool) -> Self {
        self.allows_missing_keys = allow;
        self
    }

    /// Whether the results of each part are printed as a list in indented JSON; by default they are
    /// printed as text with spaces between.
    #[must_use]
    pub fn print_json(mut self, json: bool) -> Self {
        self.prints_json = json;
        self
    }

    /// Whether all numbers of the data count as floats, as in data that `encoding/json` has decoded;
    /// by default whole numbers are integers, as in kubectl's objects.
    #[must_use]
    pub fn only_floats(mut self, floats: bool) -> Self {
        self.only_floats = floats;
        self
    }

    /// Fills the template in.
    pub fn execute(&self, data: &Value) -> Result<String, ExecuteError> {
        let mut out = String::new();
        for results in self.find_items(data)? {
            self.print(&mut out, &results);
        }
        Ok(out)
    }

    /// The values of each part of the template. A part that is a text gives that text.
    pub fn find(&self, data: &Value) -> Result<Vec<Vec<Value>>, ExecuteError> {
        let parts = self.find_items(data)?;
        let values = |part: Vec<Item<'_>>| part.iter().map(Item::to_value).collect();
        Ok(parts.into_iter().map(values).collect())
    }

    fn find_items<'a>(&'a self, data: &'a Value) -> Result<Vec<Vec<Item<'a>>>, ExecuteError> {
        let options = eval::Options {
            allows_missing_keys: self.allows_missing_keys,
            only_floats: self.only_floats,
        };
        eval::find(&self.nodes, Item::of(data), options)
    }

    fn print(&self, out: &mut String, results: &[Item<'_>]) {
        if self.prints_json {
            let list: Vec<Value> = results.iter().map(Item::to_value).collect();
            out.push_str(&goprint::json_indented(&list.into(), "    "));
            out.push('\n');
            return;
        }
        for (at, item) in results.iter().enumerate() {
            if at > 0 {
                out.push(' ');
            }
            item.print(out, self.only_floats);
        }
    }
}

#[cfg(test)]
mod tests;
