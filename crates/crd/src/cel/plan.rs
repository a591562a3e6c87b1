//! The form of an expression in which it is run: names are places, constants are folded.
//!
//! Source: cel-go `interpreter/{planner,attributes,decorators}.go`, whose shape decides what is counted.

use std::sync::Arc;

use super::ast::{Expr, Fold, Kind, Literal, with_stack};
use super::checker::Checked;
use super::declarations;
use super::error::EvalError;
use super::functions::{self, Native};
use super::types::Type;
use super::value::{List, Text, Val, equal};
use crate::goregex;

/// A step of a program.
#[derive(Debug)]
pub(super) enum Node {
    Const(Val<'static>),
    Attribute(Attribute),
    Call {
        function: &'static str,
        overload: &'static str,
        native: Native,
        args: Vec<Node>,
    },
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Equal {
        args: Box<(Node, Node)>,
        negated: bool,
    },
    /// `in` with a constant list.
    Member(Box<Node>, Val<'static>),
    /// An optional, or another value in its place.
    OrElse {
        optional: Box<Node>,
        other: Box<Node>,
        is_value: bool,
    },
    List(Vec<(Node, bool)>),
    Map(Vec<(Node, Node, bool)>),
    /// The accumulator with items or entries added; its slot.
    Append {
        slot: usize,
        item: Box<Node>,
    },
    Insert {
        slot: usize,
        entry: Vec<Node>,
    },
    Fold(Box<FoldNode>),
}

/// A value and what is selected from it.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) root: Root,
    pub(super) qualifiers: Vec<Arc<Qualifier>>,
    /// Whether it only asks if the last qualifier is there.
    pub(super) test: bool,
}

/// Where an attribute begins.
#[derive(Debug)]
pub(super) enum Root {
    /// A variable of the environment.
    Variable(usize),
    /// A variable of a comprehension.
    Local(usize),
    Value(Box<Node>),
    Choice(Box<(Node, Attribute, Attribute)>),
}

/// A field or an index.
#[derive(Debug)]
pub(super) struct Qualifier {
    pub(super) key: QualifierKey,
    pub(super) optional: bool,
}

#[derive(Debug)]
pub(super) enum QualifierKey {
    Const(Val<'static>),
    Attribute(Attribute),
    Node(Node),
}

#[derive(Debug)]
pub(super) struct FoldNode {
    pub(super) range: Node,
    pub(super) has_second: bool,
    pub(super) init: Node,
    pub(super) condition: Node,
    pub(super) step: Node,
    pub(super) result: Node,
    /// The first of its places: the accumulator; after it the loop variables.
    pub(super) slot: usize,
}

struct Planner<'c> {
    checked: &'c Checked,
    variables: &'c [(String, Type)],
    locals: Vec<(String, usize)>,
}

/// Makes a program of a checked expression. The error is the reason why it cannot run.
pub(super) fn plan(checked: &Checked, variables: &[(String, Type)]) -> Result<Node, EvalError> {
    let mut planner = Planner {
        checked,
        variables,
        locals: Vec::new(),
    };
    planner.node(&checked.root)
}

/// A constant as a value.
pub(super) fn literal(literal: &Literal) -> Val<'static> {
    match literal {
        Literal::Null => Val::Null,
        Literal::Bool(flag) => Val::Bool(*flag),
        Literal::Int(number) => Val::Int(*number),
        Literal::Uint(number) => Val::Uint(*number),
        Literal::Double(number) => Val::Double(*number),
        Literal::Text(text) => Val::Text(Text::Owned(Arc::clone(text))),
        Literal::Bytes(bytes) => Val::Bytes(Arc::clone(bytes)),
    }
}

impl Planner<'_> {
    fn node(&mut self, expr: &Expr) -> Result<Node, EvalError> {
        with_stack(|| self.node_here(expr))
    }

    fn node_here(&mut self, expr: &Expr) -> Result<Node, EvalError> {
        Ok(match &expr.kind {
            Kind::Literal(value) => Node::Const(literal(value)),
            Kind::Ident(name) => self.ident(name),
            Kind::Select {
                operand,
                field,
                test,
            } => {
                let mut attribute = self.attribute(operand)?;
                attribute.qualify(Qualifier {
                    key: QualifierKey::Const(Val::text(field.as_str())),
                    optional: false,
                });
                attribute.test = *test;
                Node::Attribute(attribute)
            }
            Kind::Call {
                function,
                target,
                args,
            } => self.call(expr, function, target.as_deref(), args)?,
            Kind::List(items) => {
                let mut nodes = Vec::with_capacity(items.len());
                for (item, optional) in items {
                    nodes.push((self.node(item)?, *optional));
                }
                constant_list(nodes)
            }
            Kind::Map(entries) => {
                let mut nodes = Vec::with_capacity(entries.len());
                for entry in entries {
                    nodes.push((
                        self.node(&entry.key)?,
                        self.node(&entry.value)?,
                        entry.optional,
                    ));
                }
                constant_map(nodes)
            }
            Kind::Struct { name, .. } => {
                return Err(EvalError::new(format!("unknown type: {name}")));
            }
            Kind::Fold(fold) => Node::Fold(Box::new(self.fold(fold)?)),
        })
    }

    fn ident(&self, name: &str) -> Node {
        let root =
            if let Some((_, slot)) = self.locals.iter().rev().find(|(local, _)| local == name) {
                Root::Local(*slot)
            } else if let Some(index) = self
                .variables
                .iter()
                .position(|(variable, _)| variable == name)
            {
                Root::Variable(index)
            } else {
                let of = declarations::named_type(name).unwrap_or(Type::Dyn);
                return Node::Const(Val::Type(of));
            };
        Node::Attribute(Attribute {
            root,
            qualifiers: Vec::new(),
            test: false,
        })
    }

    /// What an expression is, as something from which can be selected.
    fn attribute(&mut self, expr: &Expr) -> Result<Attribute, EvalError> {
        let node = self.node(expr)?;
        Ok(as_attribute(node))
    }

    fn call(
        &mut self,
        expr: &Expr,
        function: &str,
        target: Option<&Expr>,
        args: &[Expr],
    ) -> Result<Node, EvalError> {
        if let Some(node) = self.accumulate(function, args)? {
            return Ok(node);
        }
        let mut nodes = Vec::with_capacity(args.len() + 1);
        for arg in target.into_iter().chain(args) {
            nodes.push(self.node(arg)?);
        }
        let overload = match self.checked.overloads_of(expr.id) {
            [overload] => overload,
            _ => "",
        };
        let (name, _) = declarations::lookup(function)
            .ok_or_else(|| EvalError::new(format!("no such overload: {function}")))?;
        if matches!(function, "_&&_" | "_||_" | "_==_" | "_!=_") {
            let mut nodes = nodes.into_iter();
            let (Some(left), Some(right)) = (nodes.next(), nodes.next()) else {
                return Err(EvalError::no_such_overload());
            };
            return Ok(match function {
                "_&&_" => Node::And(Box::new(left), Box::new(right)),
                "_||_" => Node::Or(Box::new(left), Box::new(right)),
                _ => Node::Equal {
                    args: Box::new((left, right)),
                    negated: function == "_!=_",
                },
            });
        }
        match function {
            "_?_:_" => Ok(choice(nodes)),
            "_[_]" | "_[?_]" | "_?._" => Ok(index(nodes, function != "_[_]")),
            "or" | "orValue" if nodes.len() == 2 => {
                let mut nodes = nodes.into_iter();
                let (Some(optional), Some(other)) = (nodes.next(), nodes.next()) else {
                    return Err(EvalError::no_such_overload());
                };
                Ok(Node::OrElse {
                    optional: Box::new(optional),
                    other: Box::new(other),
                    is_value: function == "orValue",
                })
            }
            _ => fold_constants(name, overload, nodes),
        }
    }

    /// `@result + [item]` and the like, which change the accumulator in place.
    fn accumulate(&mut self, function: &str, args: &[Expr]) -> Result<Option<Node>, EvalError> {
        let Some(Kind::Ident(name)) = args.first().map(|arg| &arg.kind) else {
            return Ok(None);
        };
        if name != super::ast::ACCUMULATOR {
            return Ok(None);
        }
        let Some(slot) = self
            .locals
            .iter()
            .rev()
            .find(|(local, _)| local == name)
            .map(|(_, slot)| *slot)
        else {
            return Ok(None);
        };
        match (function, args) {
            ("_+_", [_, item]) if matches!(item.kind, Kind::List(_)) => {
                let item = Box::new(self.node(item)?);
                Ok(Some(Node::Append { slot, item }))
            }
            ("cel.@mapInsert", [_, entry @ ..]) => {
                let entry = entry
                    .iter()
                    .map(|part| self.node(part))
                    .collect::<Result<_, _>>()?;
                Ok(Some(Node::Insert { slot, entry }))
            }
            _ => Ok(None),
        }
    }

    fn fold(&mut self, fold: &Fold) -> Result<FoldNode, EvalError> {
        let range = self.node(&fold.range)?;
        let init = self.node(&fold.init)?;
        let slot = self.locals.last().map_or(0, |(_, slot)| slot + 1);
        self.locals.push((fold.accu.clone(), slot));
        let outer = self.locals.len();
        self.locals.push((fold.var.clone(), slot + 1));
        let second = fold.var2.clone().unwrap_or_else(|| "#second".to_owned());
        self.locals.push((second, slot + 2));
        let condition = self.node(&fold.condition)?;
        let step = self.node(&fold.step)?;
        self.locals.truncate(outer);
        let result = self.node(&fold.result)?;
        self.locals.pop();
        Ok(FoldNode {
            range,
            has_second: fold.var2.is_some(),
            init,
            condition,
            step,
            result,
            slot,
        })
    }
}

fn as_attribute(node: Node) -> Attribute {
    match node {
        Node::Attribute(attribute) => attribute,
        node => Attribute {
            root: Root::Value(Box::new(node)),
            qualifiers: Vec::new(),
            test: false,
        },
    }
}

impl Attribute {
    fn qualify(&mut self, qualifier: Qualifier) {
        if self.test {
            // Selecting from the outcome of `has`.
            let test = Attribute {
                root: std::mem::replace(&mut self.root, Root::Local(0)),
                qualifiers: std::mem::take(&mut self.qualifiers),
                test: true,
            };
            self.root = Root::Value(Box::new(Node::Attribute(test)));
            self.test = false;
        }
        self.qualify_shared(&Arc::new(qualifier));
    }

    /// A qualifier of a choice is one of both alternatives.
    fn qualify_shared(&mut self, qualifier: &Arc<Qualifier>) {
        if let Root::Choice(choice) = &mut self.root {
            choice.1.qualify_shared(qualifier);
            choice.2.qualify_shared(qualifier);
        } else {
            self.qualifiers.push(Arc::clone(qualifier));
        }
    }
}

fn choice(nodes: Vec<Node>) -> Node {
    let mut nodes = nodes.into_iter();
    match (nodes.next(), nodes.next(), nodes.next()) {
        (Some(condition), Some(yes), Some(no)) => Node::Attribute(Attribute {
            root: Root::Choice(Box::new((condition, as_attribute(yes), as_attribute(no)))),
            qualifiers: Vec::new(),
            test: false,
        }),
        _ => Node::Const(Val::Null),
    }
}

fn index(nodes: Vec<Node>, optional: bool) -> Node {
    let mut nodes = nodes.into_iter();
    let (Some(operand), Some(index)) = (nodes.next(), nodes.next()) else {
        return Node::Const(Val::Null);
    };
    let mut attribute = as_attribute(operand);
    attribute.qualify(Qualifier {
        key: match index {
            Node::Const(value) => QualifierKey::Const(value),
            Node::Attribute(attribute) => QualifierKey::Attribute(attribute),
            node => QualifierKey::Node(node),
        },
        optional,
    });
    Node::Attribute(attribute)
}

fn constant_list(nodes: Vec<(Node, bool)>) -> Node {
    let constants: Option<Vec<Val<'static>>> = nodes
        .iter()
        .map(|node| match node {
            (Node::Const(value), false) => Some(value.clone()),
            _ => None,
        })
        .collect();
    match constants {
        Some(items) => Node::Const(Val::List(Arc::new(List { items, kind: None }))),
        None => Node::List(nodes),
    }
}

fn constant_map(nodes: Vec<(Node, Node, bool)>) -> Node {
    let mut entries = super::value::Entries::new();
    for node in &nodes {
        let (Node::Const(name), Node::Const(value), false) = node else {
            return Node::Map(nodes);
        };
        let Some(key) = name.key() else {
            return Node::Map(nodes);
        };
        if entries.insert(key, (name.clone(), value.clone())).is_some() {
            return Node::Map(nodes);
        }
    }
    Node::Const(Val::Map(Arc::new(entries)))
}

/// A call, or its value if that is known already.
fn fold_constants(
    function: &'static str,
    overload: &'static str,
    nodes: Vec<Node>,
) -> Result<Node, EvalError> {
    let native = functions::native(function);
    if let ("in_list", [_, Node::Const(Val::List(list))]) = (overload, nodes.as_slice()) {
        if list.items.is_empty() {
            return Ok(Node::Const(Val::Bool(false)));
        }
        let is_primitive = |item: &Val<'_>| {
            matches!(
                item,
                Val::Bool(_)
                    | Val::Int(_)
                    | Val::Uint(_)
                    | Val::Double(_)
                    | Val::Text(_)
                    | Val::Null
            )
        };
        if list.items.iter().all(is_primitive) {
            let mut nodes = nodes.into_iter();
            if let (Some(item), Some(Node::Const(list))) = (nodes.next(), nodes.next()) {
                return Ok(Node::Member(Box::new(item), list));
            }
            return Err(EvalError::no_such_overload());
        }
    }
    let is_conversion = matches!(
        function,
        "bool"
            | "bytes"
            | "double"
            | "dyn"
            | "duration"
            | "int"
            | "string"
            | "timestamp"
            | "type"
            | "uint"
    );
    if is_conversion && let [Node::Const(value)] = nodes.as_slice() {
        return native(function, std::slice::from_ref(value)).map(Node::Const);
    }
    if matches!(function, "matches" | "find" | "findAll")
        && let Some(Node::Const(Val::Text(pattern))) = nodes.get(1)
    {
        goregex::compile(pattern).map_err(|error| EvalError::new(error.to_string()))?;
    }
    Ok(Node::Call {
        function,
        overload,
        native,
        args: nodes,
    })
}

/// Whether a value is among constants.
pub(super) fn is_member(item: &Val<'_>, list: &Val<'_>) -> bool {
    match list {
        Val::List(list) => list
            .items
            .iter()
            .any(|own| equal(own, item).unwrap_or(false)),
        _ => false,
    }
}
