//! Running a program, counting what it costs.
//!
//! Source: cel-go `interpreter/{interpretable,attributes,runtimecost}.go`.

mod cost;

use std::sync::Arc;

use super::ast::with_stack;
use super::error::EvalError;
use super::functions::{self, append, are_equal};
use super::plan::{self, Attribute, FoldNode, Node, Qualifier, QualifierKey, Root};
use super::value::{Entries, Outcome, Val};

/// The most items and characters that all steps together may make.
const MAX_MADE: u64 = 50_000_000;

/// The state of a run.
pub(super) struct Run<'v, 'a> {
    variables: &'v [Val<'a>],
    locals: Vec<Val<'a>>,
    limit: u64,
    made: u64,
    pub(super) cost: u64,
}

impl<'v, 'a> Run<'v, 'a> {
    pub(super) fn new(variables: &'v [Val<'a>], limit: u64) -> Self {
        Self {
            variables,
            locals: Vec::new(),
            limit,
            made: 0,
            cost: 0,
        }
    }

    fn charge(&mut self, cost: u64) -> Result<(), EvalError> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > self.limit {
            Err(EvalError::limit())
        } else {
            Ok(())
        }
    }

    fn make(&mut self, size: u64) -> Result<(), EvalError> {
        self.made = self.made.saturating_add(size);
        if self.made > MAX_MADE {
            Err(EvalError::limit())
        } else {
            Ok(())
        }
    }

    pub(super) fn node(&mut self, node: &'a Node) -> Outcome<'a> {
        if let Node::Const(value) = node {
            return Ok(value.clone());
        }
        with_stack(|| self.node_here(node))
    }

    fn node_here(&mut self, node: &'a Node) -> Outcome<'a> {
        match node {
            Node::Const(value) => Ok(value.clone()),
            Node::Attribute(attribute) => {
                let value = self.attribute(attribute)?;
                let is_free = attribute.test || matches!(attribute.root, Root::Choice(_));
                self.charge(u64::from(!is_free))?;
                Ok(value)
            }
            Node::Call {
                function,
                overload,
                native,
                args,
            } => self.call(function, overload, *native, args),
            Node::And(left, right) => self.logic(left, right, false),
            Node::Or(left, right) => self.logic(left, right, true),
            Node::Equal { args, negated } => {
                let left = self.node(&args.0);
                let right = self.node(&args.1);
                let (left, right) = settle(left, right)?;
                let cost = cost::of_equality(&left, &right, *negated);
                let equal = are_equal(&left, &right);
                self.charge(cost)?;
                match equal? {
                    Val::Bool(equal) => Ok(Val::Bool(equal != *negated)),
                    other => Ok(other),
                }
            }
            Node::Member(item, list) => {
                let item = self.node(item)?;
                Ok(Val::Bool(plan::is_member(&item, list)))
            }
            Node::OrElse {
                optional,
                other,
                is_value,
            } => {
                let found = self.node(optional)?;
                match &found {
                    Val::Optional(Some(value)) if *is_value => Ok(value.as_ref().clone()),
                    Val::Optional(Some(_)) => Ok(found),
                    Val::Optional(None) => self.node(other),
                    _ => Err(EvalError::no_such_overload()),
                }
            }
            Node::List(items) => self.list(items),
            Node::Map(entries) => self.map(entries),
            Node::Append { slot, item } => self.append(*slot, item),
            Node::Insert { slot, entry } => self.insert(*slot, entry),
            Node::Fold(fold) => self.fold(fold),
        }
    }

    fn call(
        &mut self,
        function: &str,
        overload: &str,
        native: functions::Native,
        args: &'a [Node],
    ) -> Outcome<'a> {
        let mut values = Vec::with_capacity(args.len());
        match args {
            [left, right] => {
                let left = self.node(left);
                let right = self.node(right);
                let (left, right) = settle(left, right)?;
                values.extend([left, right]);
            }
            args => {
                for arg in args {
                    values.push(self.node(arg)?);
                }
            }
        }
        if function == "@not_strictly_false" {
            self.charge(1)?;
            return Ok(Val::Bool(!matches!(values.as_slice(), [Val::Bool(false)])));
        }
        // What is counted by the arguments alone is refused before it is done.
        let known = cost::before(function, overload, &values);
        if let Some(cost) = known {
            self.charge(cost)?;
        }
        self.make(cost::made_by(function, &values))?;
        let result = match empty_sum(overload, &values) {
            Some(zero) => Ok(zero),
            None => native(function, &values),
        };
        if known.is_none() {
            let cost = cost::after(function, overload, &values, result.as_ref().ok());
            self.charge(cost)?;
        }
        result?.checked()
    }

    fn logic(&mut self, left: &'a Node, right: &'a Node, wanted: bool) -> Outcome<'a> {
        let mut failure: Option<EvalError> = None;
        for term in [left, right] {
            match self.node(term) {
                Ok(Val::Bool(found)) if found == wanted => return Ok(Val::Bool(wanted)),
                Ok(Val::Bool(_)) => {}
                Ok(_) => {
                    failure.get_or_insert_with(EvalError::no_such_overload);
                }
                Err(error) if error.is_limit() => return Err(error),
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(Val::Bool(!wanted)), Err)
    }

    fn list(&mut self, nodes: &'a [(Node, bool)]) -> Outcome<'a> {
        let mut items = Vec::with_capacity(nodes.len());
        for (node, optional) in nodes {
            match (self.node(node)?, optional) {
                (Val::Optional(Some(value)), true) => items.push(value.as_ref().clone()),
                (Val::Optional(None), true) => {}
                (other, true) => {
                    let shown = super::value::to_text(&other);
                    let message = format!(
                        "cannot initialize optional list element from non-optional value {shown}"
                    );
                    return Err(EvalError::new(message));
                }
                (value, false) => items.push(value),
            }
        }
        self.charge(10)?;
        Ok(Val::list(items))
    }

    fn map(&mut self, nodes: &'a [(Node, Node, bool)]) -> Outcome<'a> {
        let mut entries = Entries::new();
        for (name, value, optional) in nodes {
            let name = self.node(name)?;
            let mut value = self.node(value)?;
            if *optional {
                value = match value {
                    Val::Optional(Some(value)) => value.as_ref().clone(),
                    Val::Optional(None) => continue,
                    other => {
                        let (name, shown) =
                            (super::value::to_text(&name), super::value::to_text(&other));
                        return Err(EvalError::new(format!(
                            "cannot initialize optional entry '{name}' from non-optional value {shown}"
                        )));
                    }
                };
            }
            let Some(key) = name.key() else {
                return Err(EvalError::new(format!(
                    "unsupported key type: {}",
                    name.type_name()
                )));
            };
            if entries.contains_key(&key) {
                return Err(EvalError::new(format!(
                    "Failed with repeated key: {}",
                    super::value::to_text(&name)
                )));
            }
            entries.insert(key, (name, value));
        }
        self.charge(30)?;
        Ok(Val::Map(Arc::new(entries)))
    }

    fn append(&mut self, slot: usize, item: &'a Node) -> Outcome<'a> {
        self.check_accumulator(slot)?;
        self.charge(1)?;
        let item = self.node(item)?;
        self.charge(1)?;
        self.make(1)?;
        let accu = self
            .locals
            .get_mut(slot)
            .map(|accu| std::mem::replace(accu, Val::Null));
        match (accu, item) {
            (Some(Val::List(mut list)), Val::List(items)) => {
                append(Arc::make_mut(&mut list), &items);
                Ok(Val::List(list))
            }
            _ => Err(EvalError::no_such_overload()),
        }
    }

    fn insert(&mut self, slot: usize, entry: &'a [Node]) -> Outcome<'a> {
        self.check_accumulator(slot)?;
        self.charge(1)?;
        let mut parts = Vec::with_capacity(entry.len());
        for node in entry {
            parts.push(self.node(node)?);
        }
        self.charge(1)?;
        self.make(1)?;
        let accu = self
            .locals
            .get_mut(slot)
            .map(|accu| std::mem::replace(accu, Val::Null));
        match accu {
            Some(Val::Map(mut map)) => {
                functions::insert(Arc::make_mut(&mut map), &parts)?;
                Ok(Val::Map(map))
            }
            _ => Err(EvalError::no_such_overload()),
        }
    }

    /// An error of an earlier step stays the outcome.
    fn check_accumulator(&self, slot: usize) -> Result<(), EvalError> {
        match self.locals.get(slot) {
            Some(Val::Error(message)) => Err(EvalError::new(&**message)),
            _ => Ok(()),
        }
    }

    fn fold(&mut self, fold: &'a FoldNode) -> Outcome<'a> {
        let range = self.node(&fold.range)?;
        let keys = range.items().ok_or_else(|| {
            EvalError::new(format!(
                "got '{}', expected iterable type",
                range.type_name()
            ))
        })?;
        let init = self.node(&fold.init)?;
        self.locals.truncate(fold.slot);
        self.locals.resize(fold.slot + 3, Val::Null);
        self.locals[fold.slot] = init;
        let is_list = matches!(range, Val::List(_));
        for (index, item) in keys.into_iter().enumerate() {
            if fold.has_second {
                let second = if is_list {
                    item.clone()
                } else {
                    range
                        .get(&item)
                        .unwrap_or_else(|error| Val::Error(error.to_string().into()))
                };
                self.locals[fold.slot + 2] = second;
            }
            let first = if fold.has_second && is_list {
                Val::Int(index as i64)
            } else {
                item
            };
            self.locals[fold.slot + 1] = first;
            match self.node(&fold.condition) {
                Ok(Val::Bool(false)) => break,
                Err(error) if error.is_limit() => return Err(error),
                _ => {}
            }
            let next = match self.node(&fold.step) {
                Ok(value) => value,
                Err(error) if error.is_limit() => return Err(error),
                // The error is the accumulator now: a later step may absorb it.
                Err(error) => Val::Error(error.to_string().into()),
            };
            self.locals.truncate(fold.slot + 3);
            self.locals[fold.slot] = next;
        }
        self.locals.truncate(fold.slot + 1);
        let result = self.node(&fold.result);
        self.locals.truncate(fold.slot);
        result
    }

    fn attribute(&mut self, attribute: &'a Attribute) -> Outcome<'a> {
        let root = match &attribute.root {
            Root::Variable(index) => match self.variables.get(*index) {
                Some(value) => value.clone().checked()?,
                None => return Err(EvalError::new("no such attribute(s)")),
            },
            Root::Local(slot) => match self.locals.get(*slot) {
                Some(value) => value.clone().checked()?,
                None => return Err(EvalError::new("no such attribute(s)")),
            },
            Root::Value(node) => self.node(node)?,
            Root::Choice(choice) => {
                return match self.node(&choice.0)? {
                    Val::Bool(true) => self.attribute(&choice.1),
                    Val::Bool(false) => self.attribute(&choice.2),
                    _ => Err(EvalError::no_such_overload()),
                };
            }
        };
        self.qualify(root, attribute)
    }

    fn qualify(&mut self, root: Val<'a>, attribute: &'a Attribute) -> Outcome<'a> {
        if attribute.qualifiers.is_empty() {
            return Ok(root);
        }
        let (mut value, mut is_optional) = match root {
            Val::Optional(None) if attribute.test => return Ok(Val::Bool(false)),
            Val::Optional(None) => return Ok(Val::Optional(None)),
            Val::Optional(Some(value)) => (value.as_ref().clone(), true),
            value => (value, false),
        };
        let last = attribute.qualifiers.len() - 1;
        for (index, qualifier) in attribute.qualifiers.iter().enumerate() {
            let key = self.qualifier_key(qualifier)?;
            is_optional |= qualifier.optional;
            if attribute.test && index == last {
                self.charge(1)?;
                return Ok(Val::Bool(value.find(&key)?.is_some()));
            }
            if is_optional {
                match value.find(&key)? {
                    Some(found) => value = found,
                    None => {
                        return Ok(if attribute.test {
                            Val::Bool(false)
                        } else {
                            Val::Optional(None)
                        });
                    }
                }
                self.charge(1)?;
            } else {
                self.charge(1)?;
                value = value.get(&key)?;
            }
        }
        Ok(if is_optional { Val::some(value) } else { value })
    }

    fn qualifier_key(&mut self, qualifier: &'a Qualifier) -> Outcome<'a> {
        match &qualifier.key {
            QualifierKey::Const(value) => Ok(value.clone()),
            QualifierKey::Attribute(attribute) => self.attribute(attribute),
            QualifierKey::Node(node) => self.node(node),
        }
    }
}

/// The sum of no items, whose type the overload tells.
fn empty_sum<'a>(overload: &str, args: &[Val<'a>]) -> Option<Val<'a>> {
    let zero = match overload {
        "list_int_sum_int" => Val::Int(0),
        "list_uint_sum_uint" => Val::Uint(0),
        "list_double_sum_double" => Val::Double(0.0),
        "list_duration_sum_duration" => Val::Duration(0),
        _ => return None,
    };
    matches!(args, [Val::List(list)] if list.items.is_empty()).then_some(zero)
}

/// Both values, or the first error; the limit comes before all others.
fn settle<'a>(left: Outcome<'a>, right: Outcome<'a>) -> Result<(Val<'a>, Val<'a>), EvalError> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (_, Err(error)) if error.is_limit() => Err(error),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
