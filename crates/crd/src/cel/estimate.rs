//! How much an expression can cost at most, before it is run.
//!
//! Source: cel-go `checker/cost.go`, `ext/{lists,sets}.go`; apiserver `pkg/cel/library/cost.go`.

mod calls;
mod range;

use std::collections::HashMap;

use super::ast::{ACCUMULATOR, Expr, Fold, Id, Kind, Literal, with_stack};
use super::checker::Checked;
use super::shape::{Shape, ShapeKind};
use super::types::Type;
pub(crate) use range::Range;

/// What selecting a field or reading a variable costs.
const SELECT: Range = Range::fixed(1);
/// What making a list costs.
const LIST: Range = Range::fixed(10);
/// What making a map costs.
const MAP: Range = Range::fixed(30);

type Path = Option<Vec<String>>;

#[derive(Debug, Clone, Copy, PartialEq)]
struct EntrySize {
    is_list: bool,
    key: Range,
    value: Range,
}

#[derive(Debug, Clone)]
struct Local {
    path: Path,
    size: Option<Range>,
    entry: Option<EntrySize>,
}

struct Coster<'c> {
    checked: &'c Checked,
    /// The shape of the variables, whichever they are.
    root: Option<&'c Shape>,
    paths: HashMap<Id, Vec<String>>,
    locals: HashMap<String, Vec<Local>>,
    sizes: HashMap<Id, Range>,
    entries: HashMap<Id, EntrySize>,
}

/// The largest cost of an expression whose variables have the shape `root`.
pub(crate) fn max_cost(checked: &Checked, root: Option<&Shape>) -> u64 {
    let mut coster = Coster {
        checked,
        root,
        paths: HashMap::new(),
        locals: HashMap::new(),
        sizes: HashMap::new(),
        entries: HashMap::new(),
    };
    coster.cost(&checked.root).max
}

impl Coster<'_> {
    fn cost(&mut self, expr: &Expr) -> Range {
        with_stack(|| self.cost_here(expr))
    }

    fn cost_here(&mut self, expr: &Expr) -> Range {
        match &expr.kind {
            Kind::Literal(_) => Range::fixed(0),
            Kind::Ident(name) => {
                let path = match self.local(name) {
                    Some(local) => local.path.clone(),
                    None => Some(vec![name.clone()]),
                };
                self.set_path(expr.id, path);
                SELECT
            }
            Kind::Select {
                operand,
                field,
                test,
            } => {
                let mut sum = self.cost(operand);
                if *test {
                    return sum;
                }
                if matches!(
                    self.checked.type_of(operand.id),
                    Type::Map(_) | Type::Object(_) | Type::Variable(_)
                ) {
                    sum = sum.plus(SELECT);
                }
                let mut path = self.path(operand).unwrap_or_default();
                path.push(field.clone());
                self.set_path(expr.id, Some(path));
                sum
            }
            Kind::Call {
                function,
                target,
                args,
            } => self.call(expr, function, target.as_deref(), args),
            Kind::List(items) => {
                let mut sum = Range::fixed(0);
                let mut size = Range::none();
                for (item, _) in items {
                    sum = sum.plus(self.cost(item));
                    size = size.union(self.size_or_unknown(item));
                }
                if items.is_empty() {
                    size.min = 0;
                }
                let entry = EntrySize {
                    is_list: true,
                    key: Range::fixed(1),
                    value: size,
                };
                self.entries.insert(expr.id, entry);
                sum.plus(LIST)
            }
            Kind::Map(entries) => {
                let mut sum = Range::fixed(0);
                let (mut keys, mut values) = (Range::none(), Range::none());
                for entry in entries {
                    sum = sum
                        .plus(self.cost(&entry.key))
                        .plus(self.cost(&entry.value));
                    keys = keys.union(self.size_or_unknown(&entry.key));
                    values = values.union(self.size_or_unknown(&entry.value));
                }
                if entries.is_empty() {
                    (keys.min, values.min) = (0, 0);
                }
                let entry = EntrySize {
                    is_list: false,
                    key: keys,
                    value: values,
                };
                self.entries.insert(expr.id, entry);
                sum.plus(MAP)
            }
            Kind::Struct { fields, .. } => {
                let costs = fields.iter().map(|field| self.cost(field));
                costs.fold(Range::fixed(40), Range::plus)
            }
            Kind::Fold(fold) if is_bind(fold) => self.bind(expr, fold),
            Kind::Fold(fold) => self.fold(expr, fold),
        }
    }

    fn bind(&mut self, expr: &Expr, fold: &Fold) -> Range {
        let mut sum = self.cost(&fold.range);
        sum = sum.plus(self.cost(&fold.init));
        self.push_value(&fold.accu, &fold.init);
        sum = sum.plus(self.cost(&fold.result));
        self.pop(&fold.accu);
        self.copy_sizes(expr.id, &fold.result);
        sum
    }

    fn fold(&mut self, expr: &Expr, fold: &Fold) -> Range {
        let mut sum = self.cost(&fold.range);
        sum = sum.plus(self.cost(&fold.init));
        self.push_value(&fold.accu, &fold.init);
        self.push_vars(fold);
        let condition = self.cost(&fold.condition);
        let step = self.cost(&fold.step);
        self.pop(&fold.var);
        if let Some(var2) = &fold.var2 {
            self.pop(var2);
        }
        sum = sum.plus(self.cost(&fold.result));
        self.pop(&fold.accu);
        let count = self.size_or_unknown(&fold.range);
        sum = sum.plus(count.times(step.plus(condition)));
        match &fold.init.kind {
            Kind::Literal(_) => {
                let size = self.size(&fold.init);
                self.set_size(expr.id, size);
            }
            Kind::List(_) | Kind::Map(_) => {
                self.set_size(expr.id, Some(count));
                if let Some(entry) = self.entry(&fold.step) {
                    self.entries.insert(expr.id, entry);
                }
            }
            _ => {}
        }
        sum
    }

    fn push_vars(&mut self, fold: &Fold) {
        let entry = self.entry(&fold.range);
        let is_list = match entry {
            Some(entry) => entry.is_list,
            None => matches!(self.checked.type_of(fold.range.id), Type::List(_)),
        };
        let path = self.path(&fold.range).unwrap_or_default();
        let keys = entry.map(|entry| entry.key);
        let values = entry.map(|entry| entry.value);
        let below = |step: &str| {
            let mut path = path.clone();
            path.push(step.to_owned());
            Some(path)
        };
        let mut push = |name: &str, step: &str, size: Option<Range>| {
            let local = Local {
                path: below(step),
                size,
                entry: None,
            };
            self.locals.entry(name.to_owned()).or_default().push(local);
        };
        match &fold.var2 {
            Some(var2) => {
                push(&fold.var, if is_list { "@indices" } else { "@keys" }, keys);
                push(var2, if is_list { "@items" } else { "@values" }, values);
            }
            None if is_list => push(&fold.var, "@items", values),
            None => push(&fold.var, "@keys", keys),
        }
    }

    fn push_value(&mut self, name: &str, value: &Expr) {
        let local = Local {
            path: self.path(value),
            size: self.size(value),
            entry: self.entry(value),
        };
        self.locals.entry(name.to_owned()).or_default().push(local);
    }

    fn pop(&mut self, name: &str) {
        if let Some(stack) = self.locals.get_mut(name) {
            stack.pop();
        }
    }

    fn local(&self, name: &str) -> Option<&Local> {
        self.locals.get(name)?.last()
    }

    fn path(&self, expr: &Expr) -> Path {
        if let Kind::Ident(name) = &expr.kind
            && let Some(local) = self.local(name)
        {
            return local.path.clone();
        }
        self.paths.get(&expr.id).cloned()
    }

    /// The path as library functions see it, to whom the accumulator has none.
    fn visible_path(&self, expr: &Expr) -> Path {
        self.path(expr).filter(|path| {
            path.first()
                .is_none_or(|first| first != ACCUMULATOR && first != "__result__")
        })
    }

    fn set_path(&mut self, id: Id, path: Path) {
        if let Some(path) = path {
            self.paths.insert(id, path);
        }
    }

    fn set_size(&mut self, id: Id, size: Option<Range>) {
        if let Some(size) = size {
            self.sizes.insert(id, size);
        }
    }

    fn copy_sizes(&mut self, id: Id, from: &Expr) {
        let size = self.size(from);
        self.set_size(id, size);
        if let Some(entry) = self.entry(from) {
            self.entries.insert(id, entry);
        }
    }

    fn entry(&self, expr: &Expr) -> Option<EntrySize> {
        if let Some(entry) = self.entries.get(&expr.id) {
            return Some(*entry);
        }
        match &expr.kind {
            Kind::Ident(name) => self.local(name)?.entry,
            _ => None,
        }
    }

    fn size_or_unknown(&mut self, expr: &Expr) -> Range {
        self.size(expr).unwrap_or(Range::UNKNOWN)
    }

    fn size(&mut self, expr: &Expr) -> Option<Range> {
        if let Some(size) = self.sizes.get(&expr.id) {
            return Some(*size);
        }
        let own = match &expr.kind {
            Kind::Literal(Literal::Text(text)) => Some(text.chars().count()),
            Kind::Literal(Literal::Bytes(bytes)) => Some(bytes.len()),
            Kind::Literal(_) => Some(1),
            Kind::List(items) => Some(items.len()),
            Kind::Map(entries) => Some(entries.len()),
            _ => None,
        };
        if let Some(own) = own {
            return Some(Range::fixed(own as u64));
        }
        if let Some(path) = self.path(expr)
            && let Some(size) = self.size_at(&path)
        {
            self.sizes.insert(expr.id, size);
            return Some(size);
        }
        if self.checked.type_of(expr.id).is_scalar() {
            return Some(Range::fixed(1));
        }
        match &expr.kind {
            Kind::Ident(name) => self.local(name)?.size,
            _ => None,
        }
    }

    /// The size of what is at `path` in the variables.
    fn size_at(&self, path: &[String]) -> Option<Range> {
        let (_, steps) = path.split_first()?;
        let mut shape = self.root?;
        let mut key_size = None;
        for step in steps {
            if key_size.is_some() {
                return None;
            }
            shape = match (step.as_str(), &shape.kind) {
                (
                    "@items" | "@values",
                    ShapeKind::List {
                        items: Some(inner), ..
                    }
                    | ShapeKind::Map(inner),
                ) => inner,
                ("@keys", ShapeKind::Map(_)) => {
                    // Keys are of the plain string type, which has no greatest length.
                    key_size = Some(0);
                    continue;
                }
                (name, ShapeKind::Object(fields)) => fields.declared(name)?,
                _ => return None,
            };
        }
        let max = key_size.unwrap_or_else(|| match &shape.kind {
            ShapeKind::Object(_) => 0,
            _ => shape.max_elements.max(0) as u64,
        });
        Some(Range { min: 0, max })
    }
}

/// Whether a comprehension only binds a name.
fn is_bind(fold: &Fold) -> bool {
    matches!(&fold.range.kind, Kind::List(items) if items.is_empty())
        && fold.condition.kind == Kind::Literal(Literal::Bool(false))
        && fold.accu != "__result__"
}
