//! The tree of an expression after macros are expanded.

use std::sync::Arc;

/// Names a node; types and places are kept in tables by it.
pub(crate) type Id = u32;

/// A constant in an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
}

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    pub(crate) id: Id,
    pub(crate) kind: Kind,
    /// How many nodes the longest way down from here passes.
    pub(crate) height: u32,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Literal(Literal),
    Ident(String),
    Select {
        operand: Box<Expr>,
        field: String,
        /// Whether this only asks if the field is there (`has`).
        test: bool,
    },
    Call {
        function: String,
        target: Option<Box<Expr>>,
        args: Vec<Expr>,
    },
    /// Items, each with whether it is optional.
    List(Vec<(Expr, bool)>),
    Map(Vec<Entry>),
    /// A message of a type; no type of ours can be made so.
    Struct {
        name: String,
        fields: Vec<Expr>,
    },
    Fold(Box<Fold>),
}

/// An entry of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Expr,
    pub(crate) value: Expr,
    pub(crate) optional: bool,
}

/// A comprehension: what `all`, `map` and their like become.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fold {
    pub(crate) range: Expr,
    pub(crate) var: String,
    pub(crate) var2: Option<String>,
    pub(crate) accu: String,
    pub(crate) init: Expr,
    pub(crate) condition: Expr,
    pub(crate) step: Expr,
    pub(crate) result: Expr,
}

/// The accumulator of a comprehension.
pub(crate) const ACCUMULATOR: &str = "@result";

/// Runs a step of a walk down a tree with enough stack, wherever it was called.
pub(crate) fn with_stack<T>(step: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, step)
}

impl Expr {
    pub(crate) fn new(id: Id, kind: Kind) -> Self {
        let below = match &kind {
            Kind::Literal(_) | Kind::Ident(_) => 0,
            Kind::Select { operand, .. } => operand.height,
            Kind::Call { target, args, .. } => highest(target.as_deref().into_iter().chain(args)),
            Kind::List(items) => highest(items.iter().map(|(item, _)| item)),
            Kind::Map(entries) => {
                highest(entries.iter().flat_map(|entry| [&entry.key, &entry.value]))
            }
            Kind::Struct { fields, .. } => highest(fields),
            Kind::Fold(fold) => highest([
                &fold.range,
                &fold.init,
                &fold.condition,
                &fold.step,
                &fold.result,
            ]),
        };
        Self {
            id,
            kind,
            height: below + 1,
        }
    }

    /// All nodes below this one and itself, parents first.
    pub(crate) fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Expr, &[&'a Expr])) {
        let mut parents = Vec::new();
        self.visit_with(&mut parents, see);
    }

    fn visit_with<'a>(
        &'a self,
        parents: &mut Vec<&'a Expr>,
        see: &mut dyn FnMut(&'a Expr, &[&'a Expr]),
    ) {
        see(self, parents);
        parents.push(self);
        with_stack(|| self.visit_below(parents, see));
        parents.pop();
    }

    fn visit_below<'a>(
        &'a self,
        parents: &mut Vec<&'a Expr>,
        see: &mut dyn FnMut(&'a Expr, &[&'a Expr]),
    ) {
        match &self.kind {
            Kind::Literal(_) | Kind::Ident(_) => {}
            Kind::Select { operand, .. } => operand.visit_with(parents, see),
            Kind::Call { target, args, .. } => {
                if let Some(target) = target {
                    target.visit_with(parents, see);
                }
                for arg in args {
                    arg.visit_with(parents, see);
                }
            }
            Kind::List(items) => {
                for (item, _) in items {
                    item.visit_with(parents, see);
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    entry.key.visit_with(parents, see);
                    entry.value.visit_with(parents, see);
                }
            }
            Kind::Struct { fields, .. } => {
                for field in fields {
                    field.visit_with(parents, see);
                }
            }
            Kind::Fold(fold) => {
                for part in [
                    &fold.range,
                    &fold.init,
                    &fold.condition,
                    &fold.step,
                    &fold.result,
                ] {
                    part.visit_with(parents, see);
                }
            }
        }
    }

    /// The dotted name that this is, as `a.b.c`.
    pub(crate) fn qualified_name(&self) -> Option<String> {
        match &self.kind {
            Kind::Ident(name) => Some(name.clone()),
            Kind::Select {
                operand,
                field,
                test: false,
            } => Some(format!("{}.{field}", operand.qualified_name()?)),
            _ => None,
        }
    }
}

fn highest<'a>(below: impl IntoIterator<Item = &'a Expr>) -> u32 {
    below
        .into_iter()
        .map(|expr| expr.height)
        .max()
        .unwrap_or_default()
}
