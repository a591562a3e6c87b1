//! The parser: items to trees, with Go's rules and error texts.

use std::collections::{BTreeMap, HashSet};

use super::lex::{Item, ItemKind, Lexer};
use super::node::{
    Branch, BranchKind, Node, NodeId, NodeKind, Pipe, RED_ZONE, STACK_SEGMENT, Tree,
};
use super::number::{Literal, Number};
use crate::strconv::{quote, unquote};
use crate::text::{Str, lossy};

/// How deeply parentheses may nest, as in Go.
const MAX_PAREN_DEPTH: usize = 10_000;
/// How deeply `if`, `range`, `with` and `block` may nest. Go has no such limit but that of its stack.
const MAX_BLOCK_DEPTH: usize = 10_000;
/// How many nodes an action gives or so: text, action, pipeline, command and an operand or two.
const NODES_PER_ACTION: usize = 6;
/// Positions are held in 32 bits.
const MAX_TEXT: usize = u32::MAX as usize;

/// Why a text is no template: Go's message, which names template and line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {template}:{line}: {message}")]
pub struct ParseError {
    /// The template's name.
    pub template: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// What a text is parsed with.
pub struct ParseOptions<'a> {
    /// The left delimiter; `{{` when empty.
    pub left: &'a str,
    /// The right delimiter; `}}` when empty.
    pub right: &'a str,
    /// Whether a function of this name exists.
    pub has_function: &'a dyn Fn(&str) -> bool,
}

/// Parses `text` as template `name`. Gives its tree and those it defines, by name.
pub fn parse(
    name: &Str,
    text: &Str,
    options: &ParseOptions<'_>,
) -> Result<BTreeMap<Str, Tree>, ParseError> {
    if text.len() > MAX_TEXT {
        return Err(ParseError {
            template: name.to_string(),
            line: 1,
            message: "template text is too long".to_owned(),
        });
    }
    let left = if options.left.is_empty() {
        "{{"
    } else {
        options.left
    };
    let right = if options.right.is_empty() {
        "}}"
    } else {
        options.right
    };
    let mut lexer = Lexer::new(text.as_bytes(), left.as_bytes(), right.as_bytes());
    lexer.break_allowed = !(options.has_function)("break");
    lexer.continue_allowed = !(options.has_function)("continue");
    let mut shared = Shared {
        lexer,
        text,
        parse_name: name,
        has_function: options.has_function,
        trees: BTreeMap::new(),
        names: HashSet::new(),
        depth: 0,
    };
    let mut parser = Parser::new(&mut shared, name.clone());
    // Growing step by step copies what is there and touches fresh memory each time; what is over is given back.
    let actions = memchr::memchr_iter(b'{', text.as_bytes()).count() / 2;
    parser.nodes.reserve(actions * NODES_PER_ACTION + 1);
    let root = parser.parse_text()?;
    parser.add(root)?;
    Ok(shared.trees)
}

/// What a text's trees have in common.
struct Shared<'a> {
    lexer: Lexer<'a>,
    text: &'a Str,
    parse_name: &'a Str,
    has_function: &'a dyn Fn(&str) -> bool,
    trees: BTreeMap<Str, Tree>,
    /// The names of fields, variables and functions so far: each is kept once.
    names: HashSet<Str>,
    depth: usize,
}

impl Shared<'_> {
    fn name(&mut self, text: &[u8]) -> Str {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let name = Str::from(text);
        self.names.insert(name.clone());
        name
    }
}

/// A pipeline while it is read.
#[derive(Default)]
struct Draft {
    is_assign: bool,
    variables: Vec<NodeId>,
    commands: Vec<NodeId>,
}

impl Draft {
    fn finish(self) -> Pipe {
        Pipe {
            is_assign: self.is_assign,
            variables: self.variables.into_boxed_slice(),
            commands: self.commands.into_boxed_slice(),
        }
    }
}

/// The parsing of one tree.
struct Parser<'s, 'a> {
    shared: &'s mut Shared<'a>,
    name: Str,
    nodes: Vec<Node>,
    tokens: [Item<'a>; 3],
    peeked: usize,
    variables: Vec<Str>,
    action_line: usize,
    range_depth: usize,
    paren_depth: usize,
}

type Parsed<T> = Result<T, ParseError>;

/// What ends a list of nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    End,
    Else,
}

impl Ending {
    fn text(self) -> &'static str {
        match self {
            Ending::End => "{{end}}",
            Ending::Else => "{{else}}",
        }
    }
}

impl<'s, 'a> Parser<'s, 'a> {
    fn new(shared: &'s mut Shared<'a>, name: Str) -> Parser<'s, 'a> {
        Parser {
            shared,
            name,
            nodes: Vec::new(),
            tokens: Default::default(),
            peeked: 0,
            variables: vec![Str::from("$")],
            action_line: 0,
            range_depth: 0,
            paren_depth: 0,
        }
    }

    fn push(&mut self, position: usize, kind: NodeKind) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node {
            position: position as u32,
            kind,
        });
        id
    }

    fn kind(&self, id: NodeId) -> &NodeKind {
        &self.nodes[id.0 as usize].kind
    }

    // Items, with up to three of look-ahead.

    fn next(&mut self) -> Item<'a> {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.shared.lexer.next_item();
        }
        self.tokens[self.peeked].clone()
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    fn peek(&mut self) -> &Item<'a> {
        if self.peeked == 0 {
            self.peeked = 1;
            self.tokens[0] = self.shared.lexer.next_item();
        }
        &self.tokens[self.peeked - 1]
    }

    fn next_non_space(&mut self) -> Item<'a> {
        loop {
            let item = self.next();
            if item.kind != ItemKind::Space {
                return item;
            }
        }
    }

    fn peek_non_space(&mut self) -> Item<'a> {
        let item = self.next_non_space();
        self.backup();
        item
    }

    // Errors.

    fn error<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(ParseError {
            template: self.shared.parse_name.to_string(),
            line: self.tokens[0].line,
            message: message.into(),
        })
    }

    fn unexpected<T>(&self, item: &Item<'_>, context: &str) -> Parsed<T> {
        if item.kind != ItemKind::Error {
            return self.error(format!("unexpected {} in {context}", item.describe()));
        }
        let message = item.describe();
        if self.action_line == 0 || self.action_line == item.line {
            return self.error(message);
        }
        let started = format!(
            " started at {}:{}",
            self.shared.parse_name, self.action_line
        );
        let action = if message.ends_with(" action") {
            ""
        } else {
            " in action"
        };
        self.error(format!("{message}{action}{started}"))
    }

    fn expect(&mut self, kind: ItemKind, context: &str) -> Parsed<Item<'a>> {
        let item = self.next_non_space();
        if item.kind != kind {
            return self.unexpected(&item, context);
        }
        Ok(item)
    }

    fn unquote(&self, item: &Item<'_>) -> Parsed<Str> {
        match unquote(&item.text) {
            Some(text) => Ok(text),
            None => self.error("invalid syntax"),
        }
    }

    // Trees.

    /// Makes the tree with the given root and puts it in the set.
    fn add(mut self, root: NodeId) -> Parsed<()> {
        self.nodes.shrink_to_fit();
        let duplicate = format!(
            "template: multiple definition of template {}",
            lossy(&quote(self.name.as_bytes()))
        );
        let failure = self.error::<()>(duplicate);
        let tree = Tree {
            name: self.name.clone(),
            parse_name: self.shared.parse_name.clone(),
            text: self.shared.text.clone(),
            nodes: self.nodes,
            root,
        };
        match self.shared.trees.get(&self.name) {
            Some(existing) if !existing.is_empty() => {
                if !tree.is_empty() {
                    return failure;
                }
            }
            _ => {
                self.shared.trees.insert(self.name, tree);
            }
        }
        Ok(())
    }

    fn parse_text(&mut self) -> Parsed<NodeId> {
        let position = self.peek().position;
        let mut nodes = Vec::new();
        loop {
            match self.peek().kind {
                ItemKind::Eof => break,
                ItemKind::LeftDelim => {
                    let delim = self.next();
                    if self.next_non_space().kind == ItemKind::Define {
                        Parser::new(self.shared, Str::from("definition")).parse_definition()?;
                        continue;
                    }
                    self.tokens[1] = delim;
                    self.peeked = 2;
                }
                _ => {}
            }
            match self.text_or_action()? {
                Ok(node) => nodes.push(node),
                Err(ending) => return self.error(format!("unexpected {}", ending.text())),
            }
        }
        Ok(self.push(position, NodeKind::List(nodes)))
    }

    fn parse_definition(mut self) -> Parsed<()> {
        let context = "define clause";
        let name = self.next_non_space();
        if !matches!(name.kind, ItemKind::String | ItemKind::RawString) {
            return self.unexpected(&name, context);
        }
        self.name = self.unquote(&name)?;
        self.expect(ItemKind::RightDelim, context)?;
        let (root, ending) = self.item_list()?;
        if ending != Ending::End {
            return self.error(format!("unexpected {} in {context}", ending.text()));
        }
        self.add(root)
    }

    /// Nodes up to `{{end}}` or `{{else}}`.
    fn item_list(&mut self) -> Parsed<(NodeId, Ending)> {
        let position = self.peek_non_space().position;
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != ItemKind::Eof {
            match self.text_or_action()? {
                Ok(node) => nodes.push(node),
                Err(ending) => return Ok((self.push(position, NodeKind::List(nodes)), ending)),
            }
        }
        self.error("unexpected EOF")
    }

    /// The next node; as `Err` what ends a list.
    fn text_or_action(&mut self) -> Parsed<Result<NodeId, Ending>> {
        let item = self.next_non_space();
        match item.kind {
            ItemKind::Text => {
                let end = item.position + item.text.len();
                let text = NodeKind::Text(item.position as u32, end as u32);
                Ok(Ok(self.push(item.position, text)))
            }
            ItemKind::LeftDelim => {
                self.action_line = item.line;
                let node = self.action()?;
                self.action_line = 0;
                Ok(node)
            }
            _ => self.unexpected(&item, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Result<NodeId, Ending>> {
        let item = self.next_non_space();
        let node = match item.kind {
            ItemKind::Block => self.nested(Self::block)?,
            ItemKind::Break => self.loop_control(&item, "{{break}}", NodeKind::Break)?,
            ItemKind::Continue => self.loop_control(&item, "{{continue}}", NodeKind::Continue)?,
            ItemKind::Else => {
                let next = self.peek_non_space();
                if !matches!(next.kind, ItemKind::If | ItemKind::With) {
                    self.expect(ItemKind::RightDelim, "else")?;
                }
                return Ok(Err(Ending::Else));
            }
            ItemKind::End => {
                self.expect(ItemKind::RightDelim, "end")?;
                return Ok(Err(Ending::End));
            }
            ItemKind::If => self.nested(|parser| parser.control(BranchKind::If))?,
            ItemKind::Range => self.nested(|parser| parser.control(BranchKind::Range))?,
            ItemKind::With => self.nested(|parser| parser.control(BranchKind::With))?,
            ItemKind::Template => self.template()?,
            _ => {
                self.backup();
                let position = self.peek().position;
                let pipe = self.pipeline("command", ItemKind::RightDelim)?;
                self.push(position, NodeKind::Action(pipe))
            }
        };
        Ok(Ok(node))
    }

    /// Runs `inner` one block deeper, on more stack when this one ends.
    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<NodeId>) -> Parsed<NodeId> {
        if self.shared.depth >= MAX_BLOCK_DEPTH {
            return self.error("max block depth exceeded");
        }
        self.shared.depth += 1;
        let node = stacker::maybe_grow(RED_ZONE, STACK_SEGMENT, || inner(self));
        self.shared.depth -= 1;
        node
    }

    fn loop_control(&mut self, item: &Item<'a>, name: &str, kind: NodeKind) -> Parsed<NodeId> {
        let next = self.next_non_space();
        if next.kind != ItemKind::RightDelim {
            return self.unexpected(&next, name);
        }
        if self.range_depth == 0 {
            return self.error(format!("{name} outside {{{{range}}}}"));
        }
        Ok(self.push(item.position, kind))
    }

    fn control(&mut self, kind: BranchKind) -> Parsed<NodeId> {
        let variables = self.variables.len();
        let pipe = self.pipeline(kind.keyword(), ItemKind::RightDelim)?;
        if kind == BranchKind::Range {
            self.range_depth += 1;
        }
        let (list, ending) = self.item_list()?;
        if kind == BranchKind::Range {
            self.range_depth -= 1;
        }
        let else_list = match ending {
            Ending::End => None,
            Ending::Else => Some(self.else_list(kind)?),
        };
        self.variables.truncate(variables);
        let position = self.nodes[pipe.0 as usize].position as usize;
        Ok(self.push(
            position,
            NodeKind::Branch(Branch {
                kind,
                pipe,
                list,
                else_list,
            }),
        ))
    }

    fn else_list(&mut self, kind: BranchKind) -> Parsed<NodeId> {
        let next = self.peek();
        let (next_kind, position) = (next.kind, next.position);
        let same = match kind {
            BranchKind::If => next_kind == ItemKind::If,
            BranchKind::With => next_kind == ItemKind::With,
            BranchKind::Range => false,
        };
        if same {
            self.next();
            let node = self.nested(|parser| parser.control(kind))?;
            return Ok(self.push(position, NodeKind::List(vec![node])));
        }
        let (list, ending) = self.item_list()?;
        if ending != Ending::End {
            return self.error(format!("expected end; found {}", ending.text()));
        }
        Ok(list)
    }

    fn template_name(&mut self, item: &Item<'a>, context: &str) -> Parsed<Str> {
        if matches!(item.kind, ItemKind::String | ItemKind::RawString) {
            return self.unquote(item);
        }
        self.unexpected(item, context)
    }

    fn block(&mut self) -> Parsed<NodeId> {
        let context = "block clause";
        let item = self.next_non_space();
        let name = self.template_name(&item, context)?;
        let pipe = self.pipeline(context, ItemKind::RightDelim)?;
        let mut block = Parser::new(self.shared, name.clone());
        let (root, ending) = block.item_list()?;
        if ending != Ending::End {
            return self.error(format!("unexpected {} in {context}", ending.text()));
        }
        block.add(root)?;
        Ok(self.push(item.position, NodeKind::Template(name, Some(pipe))))
    }

    fn template(&mut self) -> Parsed<NodeId> {
        let context = "template clause";
        let item = self.next_non_space();
        let name = self.template_name(&item, context)?;
        let mut pipe = None;
        if self.next_non_space().kind != ItemKind::RightDelim {
            self.backup();
            pipe = Some(self.pipeline(context, ItemKind::RightDelim)?);
        }
        Ok(self.push(item.position, NodeKind::Template(name, pipe)))
    }

    // Pipelines.

    fn pipeline(&mut self, context: &str, end: ItemKind) -> Parsed<NodeId> {
        let position = self.peek_non_space().position;
        let mut pipe = Draft::default();
        self.declarations(&mut pipe, context)?;
        loop {
            let item = self.next_non_space();
            match item.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(self.push(position, NodeKind::Pipe(pipe.finish())));
                }
                ItemKind::Bool
                | ItemKind::CharConstant
                | ItemKind::Complex
                | ItemKind::Dot
                | ItemKind::Field
                | ItemKind::Identifier
                | ItemKind::Number
                | ItemKind::Nil
                | ItemKind::RawString
                | ItemKind::String
                | ItemKind::Variable
                | ItemKind::LeftParen => {
                    self.backup();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&item, context),
            }
        }
    }

    /// `$x :=`, `$x =`, and in a range `$i, $x :=`.
    fn declarations(&mut self, pipe: &mut Draft, context: &str) -> Parsed<()> {
        loop {
            let variable = self.peek_non_space();
            if variable.kind != ItemKind::Variable {
                return Ok(());
            }
            self.next();
            // A space may follow the variable: it has to be put back too.
            let after = self.peek().clone();
            let next = self.peek_non_space();
            match next.kind {
                ItemKind::Assign | ItemKind::Declare => {
                    pipe.is_assign = next.kind == ItemKind::Assign;
                    self.next_non_space();
                    self.declare(pipe, &variable);
                    return Ok(());
                }
                ItemKind::Char if &next.text[..] == b"," => {
                    self.next_non_space();
                    self.declare(pipe, &variable);
                    if context == "range" && pipe.variables.len() < 2 {
                        match self.peek_non_space().kind {
                            ItemKind::Variable | ItemKind::RightDelim | ItemKind::RightParen => {
                                continue;
                            }
                            _ => return self.error("range can only initialize variables"),
                        }
                    }
                    return self.error(format!("too many declarations in {context}"));
                }
                _ if after.kind == ItemKind::Space => {
                    self.tokens[1] = after;
                    self.tokens[2] = variable;
                    self.peeked = 3;
                    return Ok(());
                }
                _ => {
                    self.tokens[1] = variable;
                    self.peeked = 2;
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, pipe: &mut Draft, variable: &Item<'a>) {
        let name = self.shared.name(&variable.text);
        let node = NodeKind::Variable(vec![name.clone()]);
        pipe.variables.push(self.push(variable.position, node));
        self.variables.push(name);
    }

    fn check_pipeline(&self, pipe: &Draft, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            let NodeKind::Command(args) = self.kind(*command) else {
                continue;
            };
            if matches!(
                self.kind(args[0]),
                NodeKind::Bool(_)
                    | NodeKind::Dot
                    | NodeKind::Nil
                    | NodeKind::Number(..)
                    | NodeKind::String(..)
            ) {
                return self.error(format!(
                    "non executable command in pipeline stage {}",
                    index + 1
                ));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Parsed<NodeId> {
        let position = self.peek_non_space().position;
        let mut args = Vec::new();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                args.push(operand);
            }
            let item = self.next();
            match item.kind {
                ItemKind::Space => {}
                ItemKind::RightDelim | ItemKind::RightParen => {
                    self.backup();
                    break;
                }
                ItemKind::Pipe => break,
                _ => return self.unexpected(&item, "operand"),
            }
        }
        if args.is_empty() {
            return self.error("empty command");
        }
        Ok(self.push(position, NodeKind::Command(args)))
    }

    fn operand(&mut self) -> Parsed<Option<NodeId>> {
        let Some(node) = self.term()? else {
            return Ok(None);
        };
        if self.peek().kind != ItemKind::Field {
            return Ok(Some(node));
        }
        let position = self.peek().position;
        let mut fields = Vec::new();
        while self.peek().kind == ItemKind::Field {
            let item = self.next();
            fields.push(self.shared.name(&item.text[1..]));
        }
        let joined = |names: &[Str]| {
            names
                .iter()
                .cloned()
                .chain(fields.iter().cloned())
                .collect()
        };
        let kind = match self.kind(node) {
            NodeKind::Field(names) => NodeKind::Field(joined(names)),
            NodeKind::Variable(names) => NodeKind::Variable(joined(names)),
            NodeKind::Bool(_)
            | NodeKind::String(..)
            | NodeKind::Number(..)
            | NodeKind::Nil
            | NodeKind::Dot => {
                let text = self.literal_text(node);
                return self.error(format!("unexpected . after term {}", lossy(&quote(&text))));
            }
            _ => NodeKind::Chain(node, fields),
        };
        Ok(Some(self.push(position, kind)))
    }

    fn literal_text(&self, node: NodeId) -> Vec<u8> {
        match self.kind(node) {
            NodeKind::Bool(true) => b"true".to_vec(),
            NodeKind::Bool(false) => b"false".to_vec(),
            NodeKind::Nil => b"nil".to_vec(),
            NodeKind::Number(text, _) | NodeKind::String(text, _) => text.as_bytes().to_vec(),
            _ => b".".to_vec(),
        }
    }

    fn term(&mut self) -> Parsed<Option<NodeId>> {
        let item = self.next_non_space();
        let text = &item.text[..];
        let kind = match item.kind {
            ItemKind::Identifier => {
                let name = lossy(text);
                if !(self.shared.has_function)(&name) {
                    return self.error(format!("function {} not defined", lossy(&quote(text))));
                }
                NodeKind::Identifier(self.shared.name(text))
            }
            ItemKind::Dot => NodeKind::Dot,
            ItemKind::Nil => NodeKind::Nil,
            ItemKind::Variable => {
                if !self.variables.iter().any(|name| name.as_bytes() == text) {
                    return self.error(format!("undefined variable {}", lossy(&quote(text))));
                }
                NodeKind::Variable(vec![self.shared.name(text)])
            }
            ItemKind::Field => NodeKind::Field(vec![self.shared.name(&text[1..])]),
            ItemKind::Bool => NodeKind::Bool(text == b"true"),
            ItemKind::CharConstant | ItemKind::Complex | ItemKind::Number => {
                let literal = match item.kind {
                    ItemKind::CharConstant => Literal::Char,
                    ItemKind::Complex => Literal::Complex,
                    _ => Literal::Number,
                };
                match Number::parse(text, literal) {
                    Ok(number) => NodeKind::Number(Str::from(text), Box::new(number)),
                    Err(message) => return self.error(message),
                }
            }
            ItemKind::LeftParen => {
                if self.paren_depth >= MAX_PAREN_DEPTH {
                    return self.error("max expression depth exceeded");
                }
                self.paren_depth += 1;
                let pipe = stacker::maybe_grow(RED_ZONE, STACK_SEGMENT, || {
                    self.pipeline("parenthesized pipeline", ItemKind::RightParen)
                })?;
                self.paren_depth -= 1;
                return Ok(Some(pipe));
            }
            ItemKind::String | ItemKind::RawString => {
                let unquoted = self.unquote(&item)?;
                NodeKind::String(Str::from(text), unquoted)
            }
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        Ok(Some(self.push(item.position, kind)))
    }
}
