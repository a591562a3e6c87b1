//! From values and nodes to text, as go-yaml's emitter writes.
//!
//! [`Emitter`] holds what libyaml's emitter keeps between tokens: where the line stands, whether white
//! space or only indentation precedes. The drivers [`values`] (v2: block style, as sigs.k8s.io/yaml
//! marshals) and [`nodes`] (v3: styles and comments kept, as kyaml writes) walk their trees over it.

mod nodes;
mod scalar;
mod values;

pub use nodes::{SequenceIndent, document_to_string, node_to_string, node_to_string_with_step};

pub use values::{Value, View, compare_keys, to_yaml};

use crate::error::Dialect;
use scalar::Analysis;

/// The width beyond which v2 folds at a space; v3 never folds.
const V2_WIDTH: usize = 80;
const INDENT: isize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WrittenStyle {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    Sequence,
    Mapping,
    SimpleKey,
}

struct Emitter {
    out: String,
    dialect: Dialect,
    width: usize,
    indent: isize,
    /// How far a level is indented below the one above.
    step: isize,
    indents: Vec<isize>,
    flow_level: usize,
    column: usize,
    /// The last character was white space.
    whitespace: bool,
    /// The line holds only indentation (and `-`, `?`, `:` indicators) so far.
    indention: bool,
    /// The indent of a foot comment just written; an empty line follows it there.
    foot_indent: isize,
    line_comment: String,
}

impl Emitter {
    fn new(dialect: Dialect, out: String) -> Self {
        Self {
            out,
            dialect,
            width: match dialect {
                Dialect::V2 => V2_WIDTH,
                Dialect::V3 => usize::MAX,
            },
            indent: -1,
            step: INDENT,
            indents: Vec::new(),
            flow_level: 0,
            column: 0,
            whitespace: true,
            indention: true,
            foot_indent: -1,
            line_comment: String::new(),
        }
    }

    fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.indention = true;
    }

    fn put_text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
    }

    fn write_indent(&mut self) {
        let indent = self.indent.max(0) as usize;
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        if self.foot_indent == indent as isize {
            self.put_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.foot_indent = -1;
        if self.dialect == Dialect::V2 {
            self.indention = true;
        }
    }

    fn write_indicator(
        &mut self,
        indicator: &str,
        need_space: bool,
        is_space: bool,
        is_indention: bool,
    ) {
        if need_space && !self.whitespace {
            self.put(' ');
        }
        self.put_text(indicator);
        self.whitespace = is_space;
        self.indention = self.indention && is_indention;
    }

    fn pop_indent(&mut self) {
        self.indent = self.indents.pop().unwrap_or(-1);
    }

    /// Indents by one level; flow collections and scalars indent at the root too.
    fn push_indent(&mut self, flow: bool, kind: IndentKind) {
        let step = self.step;
        self.indents.push(self.indent);
        if self.indent < 0 {
            self.indent = if flow { step } else { 0 };
            return;
        }
        self.indent = match (kind, self.dialect) {
            (IndentKind::None, _) => self.indent,
            (_, Dialect::V2) => self.indent + step,
            (IndentKind::InSequence, Dialect::V3) => self.indent + 2,
            (IndentKind::Aligned, Dialect::V3) => step * ((self.indent + step) / step),
            (IndentKind::Compact, Dialect::V3) => step * ((self.indent + step) / step) - 2,
        };
    }

    /// Chooses how `value` can be written, starting from how it should be.
    fn select_style(
        &self,
        analysis: &Analysis,
        value: &str,
        wanted: WrittenStyle,
        context: Context,
    ) -> WrittenStyle {
        let key = context == Context::SimpleKey;
        let in_flow = self.flow_level > 0;
        let mut style = wanted;
        if key && analysis.multiline {
            style = WrittenStyle::DoubleQuoted;
        }
        if style == WrittenStyle::Plain {
            let allowed = if in_flow {
                analysis.flow_plain
            } else {
                analysis.block_plain
            };
            if !allowed || (value.is_empty() && (in_flow || key)) {
                style = WrittenStyle::SingleQuoted;
            }
        }
        if style == WrittenStyle::SingleQuoted && !analysis.single_quoted {
            style = WrittenStyle::DoubleQuoted;
        }
        let block = matches!(style, WrittenStyle::Literal | WrittenStyle::Folded);
        if block && (!analysis.block || in_flow || key) {
            style = WrittenStyle::DoubleQuoted;
        }
        style
    }

    /// A short text on one line can be a key without `? `.
    fn is_simple_key(analysis: &Analysis, length: usize) -> bool {
        !analysis.multiline && length <= 128
    }
}

/// How deep the next level goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndentKind {
    /// Not at all: a v2 sequence below a key.
    None,
    /// Past the `- `.
    InSequence,
    /// To the next multiple.
    Aligned,
    /// Likewise, but the `- ` counts as indentation.
    Compact,
}
