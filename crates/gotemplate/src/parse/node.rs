//! The parsed tree: an arena of nodes, so that deep nesting costs no stack to drop.

use super::Number;
use crate::text::Str;

/// Index of a node in its [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(pub(crate) u32);

/// A node and where it starts.
#[derive(Clone, Debug)]
pub struct Node {
    /// Byte position in the text.
    pub position: u32,
    /// What it is.
    pub kind: NodeKind,
}

/// `if`, `range` or `with`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchKind {
    /// `if`
    If,
    /// `range`
    Range,
    /// `with`
    With,
}

impl BranchKind {
    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            BranchKind::If => "if",
            BranchKind::Range => "range",
            BranchKind::With => "with",
        }
    }
}

/// A branch: `{{if pipe}} list {{else}} else_list {{end}}`.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Which one.
    pub kind: BranchKind,
    /// The pipeline that decides.
    pub pipe: NodeId,
    /// What is done when it holds.
    pub list: NodeId,
    /// What is done otherwise.
    pub else_list: Option<NodeId>,
}

/// A pipeline: declarations, then commands joined by `|`.
#[derive(Clone, Debug, Default)]
pub struct Pipe {
    /// Whether variables are assigned (`=`) rather than declared (`:=`).
    pub is_assign: bool,
    /// The variables, as indices of variable nodes.
    pub variables: Box<[NodeId]>,
    /// The commands.
    pub commands: Box<[NodeId]>,
}

/// The kinds of nodes.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Literal text: its range in the template's text.
    Text(u32, u32),
    /// `{{pipe}}`
    Action(NodeId),
    /// `if`, `range`, `with`
    Branch(Branch),
    /// `{{break}}`
    Break,
    /// `{{continue}}`
    Continue,
    /// A sequence.
    List(Vec<NodeId>),
    /// `{{template "name" pipe}}`
    Template(Str, Option<NodeId>),
    /// A pipeline, also in parentheses.
    Pipe(Pipe),
    /// A command: an operand, or a function or method with its arguments. Never empty.
    Command(Vec<NodeId>),
    /// `true`, `false`
    Bool(bool),
    /// `.`
    Dot,
    /// `nil`
    Nil,
    /// `.a.b`
    Field(Vec<Str>),
    /// `$x.a.b`: the name with the dollar sign, then the fields.
    Variable(Vec<Str>),
    /// `(pipe).a.b`
    Chain(NodeId, Vec<Str>),
    /// A function's name.
    Identifier(Str),
    /// A number, as written and as read. Apart, since it alone would double the size of all nodes.
    Number(Str, Box<Number>),
    /// A string, as written and as read.
    String(Str, Str),
    /// `{{end}}`: only within the parser.
    End,
    /// `{{else}}`: only within the parser.
    Else,
}

/// One template's tree.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The template's name.
    pub name: Str,
    /// The name of the template whose text it was found in.
    pub parse_name: Str,
    /// That text.
    pub text: Str,
    pub(crate) nodes: Vec<Node>,
    /// The list at the top.
    pub root: NodeId,
}

impl Tree {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Whether the tree is only space, comments and definitions.
    pub fn is_empty(&self) -> bool {
        match &self.node(self.root).kind {
            NodeKind::List(nodes) => nodes.iter().all(|id| match self.node(*id).kind {
                NodeKind::Text(start, end) => {
                    crate::text::trim_space(self.source(start, end)).is_empty()
                }
                _ => false,
            }),
            _ => false,
        }
    }

    pub(crate) fn source(&self, start: u32, end: u32) -> &[u8] {
        &self.text.as_bytes()[start as usize..end as usize]
    }

    /// The tree as Go prints it.
    pub fn print(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, self.root);
        out
    }

    /// A node as Go prints it: what stands in `at <…>`.
    pub(crate) fn print_node(&self, id: NodeId) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, id);
        out
    }

    /// The line (from 1) and the byte column (from 0) of a position.
    pub(crate) fn line_and_column(&self, position: u32) -> (usize, usize) {
        let before = &self.text.as_bytes()[..position as usize];
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = match memchr::memrchr(b'\n', before) {
            Some(newline) => before.len() - newline - 1,
            None => before.len(),
        };
        (line, column)
    }

    fn write(&self, out: &mut Vec<u8>, id: NodeId) {
        stacker::maybe_grow(RED_ZONE, STACK_SEGMENT, || match &self.node(id).kind {
            NodeKind::Text(start, end) => out.extend_from_slice(self.source(*start, *end)),
            NodeKind::Action(pipe) => {
                out.extend_from_slice(b"{{");
                self.write(out, *pipe);
                out.extend_from_slice(b"}}");
            }
            NodeKind::Branch(branch) => self.write_branch(out, branch),
            NodeKind::Break => out.extend_from_slice(b"{{break}}"),
            NodeKind::Continue => out.extend_from_slice(b"{{continue}}"),
            NodeKind::End => out.extend_from_slice(b"{{end}}"),
            NodeKind::Else => out.extend_from_slice(b"{{else}}"),
            NodeKind::List(nodes) => {
                for node in nodes {
                    self.write(out, *node);
                }
            }
            NodeKind::Template(name, pipe) => {
                out.extend_from_slice(b"{{template ");
                crate::strconv::append_quote(out, name.as_bytes(), false);
                if let Some(pipe) = pipe {
                    out.push(b' ');
                    self.write(out, *pipe);
                }
                out.extend_from_slice(b"}}");
            }
            NodeKind::Pipe(pipe) => self.write_pipe(out, pipe),
            NodeKind::Command(args) => self.write_command(out, args),
            NodeKind::Bool(true) => out.extend_from_slice(b"true"),
            NodeKind::Bool(false) => out.extend_from_slice(b"false"),
            NodeKind::Dot => out.push(b'.'),
            NodeKind::Nil => out.extend_from_slice(b"nil"),
            NodeKind::Field(names) => write_fields(out, names),
            NodeKind::Variable(names) => {
                out.extend_from_slice(names[0].as_bytes());
                write_fields(out, &names[1..]);
            }
            NodeKind::Chain(node, names) => {
                self.write_operand(out, *node);
                write_fields(out, names);
            }
            NodeKind::Identifier(name) | NodeKind::Number(name, _) | NodeKind::String(name, _) => {
                out.extend_from_slice(name.as_bytes());
            }
        });
    }

    fn write_branch(&self, out: &mut Vec<u8>, branch: &Branch) {
        out.extend_from_slice(b"{{");
        out.extend_from_slice(branch.kind.keyword().as_bytes());
        out.push(b' ');
        self.write(out, branch.pipe);
        out.extend_from_slice(b"}}");
        self.write(out, branch.list);
        if let Some(list) = branch.else_list {
            out.extend_from_slice(b"{{else}}");
            self.write(out, list);
        }
        out.extend_from_slice(b"{{end}}");
    }

    fn write_pipe(&self, out: &mut Vec<u8>, pipe: &Pipe) {
        for (index, variable) in pipe.variables.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            self.write(out, *variable);
        }
        if !pipe.variables.is_empty() {
            out.extend_from_slice(if pipe.is_assign { b" = " } else { b" := " });
        }
        for (index, command) in pipe.commands.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b" | ");
            }
            self.write(out, *command);
        }
    }

    fn write_command(&self, out: &mut Vec<u8>, args: &[NodeId]) {
        for (index, arg) in args.iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            self.write_operand(out, *arg);
        }
    }

    /// An operand: a pipeline stands in parentheses.
    fn write_operand(&self, out: &mut Vec<u8>, id: NodeId) {
        if matches!(self.node(id).kind, NodeKind::Pipe(_)) {
            out.push(b'(');
            self.write(out, id);
            out.push(b')');
        } else {
            self.write(out, id);
        }
    }
}

/// When less stack than this is left, recursion goes on on a new segment.
pub(crate) const RED_ZONE: usize = 128 * 1024;
/// The size of a new segment of stack.
pub(crate) const STACK_SEGMENT: usize = 4 * 1024 * 1024;

fn write_fields(out: &mut Vec<u8>, names: &[Str]) {
    for name in names {
        out.push(b'.');
        out.extend_from_slice(name.as_bytes());
    }
}
