//! The execution of one template: its actions, its variables and where it writes.

use std::sync::Arc;

use super::context::Context;
use super::error::{ExecError, Location};
use super::slot::Slot;
use crate::function::CallError;
use crate::parse::{Branch, BranchKind, NodeId, NodeKind, Pipe, RED_ZONE, STACK_SEGMENT, Tree};
use crate::strconv::quote;
use crate::text::{Str, lossy};
use crate::value::{IntKind, UintKind, Value};

/// How the execution of a node ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// Errors are boxed: they are rare and large, results are many and small.
pub(super) type Executed<T> = Result<T, Box<ExecError>>;

/// One template being executed.
pub(super) struct Frame {
    pub(super) tree: Arc<Tree>,
    variables: Vec<(Str, Slot)>,
    /// The node that errors point to: the last one looked at, as in Go.
    at: Option<NodeId>,
    /// Nested `template` actions.
    depth: usize,
}

impl Frame {
    pub(super) fn new(tree: Arc<Tree>, data: Value, depth: usize) -> Frame {
        Frame {
            tree,
            variables: vec![(Str::from("$"), Slot::plain(data))],
            at: None,
            depth,
        }
    }

    /// Executes the template with its first variable as dot.
    pub(super) fn run(
        mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ExecError> {
        let dot = self.variables[0].1.clone();
        let tree = Arc::clone(&self.tree);
        self.walk(context, out, &tree, &dot, tree.root)
            .map(|_| ())
            .map_err(|error| *error)
    }

    pub(super) fn at(&mut self, node: NodeId) {
        self.at = Some(node);
    }

    /// An error at the current node.
    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Executed<T> {
        Err(Box::new(self.error(message.into(), false)))
    }

    /// An error of a limit at the current node.
    pub(super) fn fail_call<T>(&self, error: &CallError) -> Executed<T> {
        Err(Box::new(self.error(error.to_string(), error.is_limit())))
    }

    pub(super) fn error(&self, message: String, is_limit: bool) -> ExecError {
        let executing = self.tree.name.to_string();
        let Some(at) = self.at else {
            return ExecError {
                is_limit,
                ..ExecError::new(format!("{executing}: {message}"))
            };
        };
        let (line, column) = self.tree.line_and_column(self.tree.node(at).position);
        ExecError {
            location: Some(Box::new(Location {
                template: self.tree.parse_name.to_string(),
                line,
                column,
            })),
            executing,
            context: lossy(&self.tree.print_node(at)).into_owned(),
            message,
            cause: None,
            is_limit,
        }
    }

    // Variables: a stack, looked through from the top.

    fn set_variable(&mut self, name: &Str, slot: Slot) -> Executed<()> {
        match self
            .variables
            .iter_mut()
            .rev()
            .find(|variable| variable.0 == *name)
        {
            Some(variable) => {
                variable.1 = slot;
                Ok(())
            }
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    /// Sets the `n`th variable from the top.
    fn set_top(&mut self, n: usize, slot: Slot) {
        let index = self.variables.len() - n;
        self.variables[index].1 = slot;
    }

    pub(super) fn variable(&self, name: &Str) -> Executed<Slot> {
        match self
            .variables
            .iter()
            .rev()
            .find(|variable| variable.0 == *name)
        {
            Some(variable) => Ok(variable.1.clone()),
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    // Actions. The tree is passed along so that nodes can be borrowed while the frame changes.

    fn walk(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
        tree: &Arc<Tree>,
        dot: &Slot,
        id: NodeId,
    ) -> Executed<Flow> {
        self.at(id);
        match &tree.node(id).kind {
            NodeKind::Text(start, end) => {
                out.extend_from_slice(tree.source(*start, *end));
                self.check_output(context, out)?;
            }
            NodeKind::Action(pipe) => {
                let value = self.pipeline(context, dot, *pipe)?;
                if let NodeKind::Pipe(pipe) = &tree.node(*pipe).kind
                    && pipe.variables.is_empty()
                {
                    self.at(id);
                    print_slot(out, &value);
                    self.check_output(context, out)?;
                }
            }
            NodeKind::List(nodes) => {
                for node in nodes {
                    let flow = self.walk(context, out, tree, dot, *node)?;
                    if flow != Flow::Next {
                        return Ok(flow);
                    }
                }
            }
            NodeKind::Branch(branch) => {
                self.count(context)?;
                context.nesting += 1;
                let flow = stacker::maybe_grow(RED_ZONE, STACK_SEGMENT, || {
                    if branch.kind == BranchKind::Range {
                        self.range(context, out, tree, dot, branch)
                    } else {
                        self.if_or_with(context, out, tree, dot, branch)
                    }
                });
                context.nesting -= 1;
                return flow;
            }
            NodeKind::Template(name, pipe) => {
                self.count(context)?;
                context.nesting += 1;
                let result = stacker::maybe_grow(RED_ZONE, STACK_SEGMENT, || {
                    self.template(context, out, dot, name, *pipe)
                });
                context.nesting -= 1;
                result?;
            }
            NodeKind::Break => return Ok(Flow::Break),
            NodeKind::Continue => return Ok(Flow::Continue),
            _ => return self.fail("unknown node"),
        }
        Ok(Flow::Next)
    }

    /// Counts a step, and looks at the nesting.
    pub(super) fn count(&self, context: &mut Context<'_>) -> Executed<()> {
        if let Err(error) = context.step() {
            return self.fail_call(&error);
        }
        if context.nesting > context.limits().nesting {
            let limit = context.limits().nesting;
            return self.fail_call(&CallError::limit(format!(
                "exceeded the limit of {limit} nested actions"
            )));
        }
        Ok(())
    }

    fn check_output(&self, context: &Context<'_>, out: &[u8]) -> Executed<()> {
        let limit = context.limits().output;
        if out.len() > limit {
            return self.fail_call(&CallError::limit(format!(
                "exceeded the limit of {limit} bytes of output"
            )));
        }
        Ok(())
    }

    fn if_or_with(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
        tree: &Arc<Tree>,
        dot: &Slot,
        branch: &Branch,
    ) -> Executed<Flow> {
        let mark = self.variables.len();
        let value = self.pipeline(context, dot, branch.pipe)?;
        let flow = if value.value.is_true() {
            let dot = if branch.kind == BranchKind::With {
                &value
            } else {
                dot
            };
            self.walk(context, out, tree, dot, branch.list)?
        } else if let Some(list) = branch.else_list {
            self.walk(context, out, tree, dot, list)?
        } else {
            Flow::Next
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn template(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
        dot: &Slot,
        name: &Str,
        pipe: Option<NodeId>,
    ) -> Executed<()> {
        let Some(tree) = context.templates.lookup(name.as_bytes()).map(Arc::clone) else {
            let name = quote(name.as_bytes());
            return self.fail(format!("template {} not defined", lossy(&name)));
        };
        if self.depth == context.limits().template_depth {
            return self.fail(format!("exceeded maximum template depth ({})", self.depth));
        }
        let dot = match pipe {
            Some(pipe) => self.pipeline(context, dot, pipe)?,
            None => Slot::invalid(),
        };
        let mut frame = Frame {
            tree: Arc::clone(&tree),
            variables: vec![(Str::from("$"), dot.clone())],
            at: self.at,
            depth: self.depth + 1,
        };
        frame.walk(context, out, &tree, &dot, tree.root)?;
        Ok(())
    }

    fn range(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
        tree: &Arc<Tree>,
        dot: &Slot,
        branch: &Branch,
    ) -> Executed<Flow> {
        let mark = self.variables.len();
        let value = self.pipeline(context, dot, branch.pipe)?.value;
        let NodeKind::Pipe(pipe) = &tree.node(branch.pipe).kind else {
            return self.fail("range without a pipeline");
        };
        let mut body = RangeBody {
            pipe,
            list: branch.list,
            mark: self.variables.len(),
            ran: false,
        };
        match &value {
            Value::Int(kind, count) => {
                self.one_variable(pipe, &value)?;
                let numbers = 0..(*count).max(0);
                let items = numbers.map(|number| Slot::plain(Value::Int(*kind, number)));
                let pairs = items.map(|item| (Slot::invalid(), item));
                body.run(self, context, out, tree, pairs)?;
            }
            Value::Uint(kind, count) => {
                self.one_variable(pipe, &value)?;
                let items = (0..*count).map(|number| Slot::plain(Value::Uint(*kind, number)));
                let pairs = items.map(|item| (Slot::invalid(), item));
                body.run(self, context, out, tree, pairs)?;
            }
            Value::List(list) => {
                let boxed = list.list_type().is_boxed();
                let items = list.items().iter().map(|item| Slot {
                    value: item.clone(),
                    boxed,
                });
                body.run(self, context, out, tree, indexed(items))?;
            }
            Value::Bytes(bytes) => {
                let bytes = bytes.as_bytes().iter();
                let items = bytes.map(|byte| Value::Uint(UintKind::Uint8, u64::from(*byte)));
                body.run(self, context, out, tree, indexed(items.map(Slot::plain)))?;
            }
            Value::Map(map) => {
                let pairs = keyed(map.entries(), map.map_type().is_boxed());
                body.run(self, context, out, tree, pairs)?;
            }
            Value::Object(object) if object.items().is_some() => {
                let items = object.items().unwrap_or_default().into_iter();
                body.run(self, context, out, tree, indexed(items.map(Slot::plain)))?;
            }
            Value::Object(object) if object.entries().is_some() => {
                let entries = object.entries().unwrap_or_default();
                let pairs = keyed(entries, object.entries_are_boxed());
                body.run(self, context, out, tree, pairs)?;
            }
            Value::Nil => {}
            _ => {
                let printed = lossy(&value.print()).into_owned();
                return self.fail(format!("range can't iterate over {printed}"));
            }
        }
        let mut flow = Flow::Next;
        if !body.ran
            && let Some(list) = branch.else_list
        {
            flow = self.walk(context, out, tree, dot, list)?;
            // A break in the else list ends this range, as upstream's recovery has it; a continue goes on.
            if flow == Flow::Break {
                flow = Flow::Next;
            }
        }
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn one_variable(&self, pipe: &Pipe, value: &Value) -> Executed<()> {
        if pipe.variables.len() > 1 {
            let printed = lossy(&value.print()).into_owned();
            return self.fail(format!(
                "can't use {printed} to iterate over more than one variable"
            ));
        }
        Ok(())
    }

    /// Sets the variables of a range for one iteration.
    fn set_range_variables(&mut self, pipe: &Pipe, index: Slot, item: &Slot) -> Executed<()> {
        let tree = Arc::clone(&self.tree);
        let name = |id: NodeId| match &tree.node(id).kind {
            NodeKind::Variable(names) => names[0].clone(),
            _ => Str::default(),
        };
        match (&*pipe.variables, pipe.is_assign) {
            ([], _) => {}
            ([only], true) => self.set_variable(&name(*only), item.clone())?,
            ([first, second, ..], true) => {
                self.set_variable(&name(*first), index)?;
                self.set_variable(&name(*second), item.clone())?;
            }
            ([_], false) => self.set_top(1, item.clone()),
            (_, false) => {
                self.set_top(1, item.clone());
                self.set_top(2, index);
            }
        }
        Ok(())
    }

    // Pipelines.

    /// The value of a pipeline, out of its interface; its variables are set.
    pub(super) fn pipeline(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        id: NodeId,
    ) -> Executed<Slot> {
        self.at(id);
        let tree = Arc::clone(&self.tree);
        let NodeKind::Pipe(pipe) = &tree.node(id).kind else {
            return self.fail("not a pipeline");
        };
        let mut value: Option<Slot> = None;
        for command in &pipe.commands {
            value = Some(self.command(context, dot, *command, value)?.unboxed());
        }
        let value = value.unwrap_or_default();
        for variable in &pipe.variables {
            let NodeKind::Variable(names) = &tree.node(*variable).kind else {
                continue;
            };
            if pipe.is_assign {
                self.set_variable(&names[0], value.clone())?;
            } else {
                self.variables.push((names[0].clone(), value.clone()));
            }
        }
        Ok(value)
    }
}

/// The items of a list with their indices.
fn indexed(items: impl Iterator<Item = Slot>) -> impl Iterator<Item = (Slot, Slot)> {
    items
        .enumerate()
        .map(|(index, item)| (Slot::plain(Value::Int(IntKind::Int, index as i64)), item))
}

/// The values of a map with their keys.
fn keyed(entries: Vec<(Str, Value)>, boxed: bool) -> impl Iterator<Item = (Slot, Slot)> {
    entries.into_iter().map(move |(key, value)| {
        let key = Slot::plain(Value::String(key));
        (key, Slot { value, boxed })
    })
}

/// The body of a range.
struct RangeBody<'t> {
    pipe: &'t Pipe,
    list: NodeId,
    mark: usize,
    ran: bool,
}

impl RangeBody<'_> {
    /// Runs once for each index, or key, and item, until a break.
    fn run(
        &mut self,
        frame: &mut Frame,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
        tree: &Arc<Tree>,
        pairs: impl Iterator<Item = (Slot, Slot)>,
    ) -> Executed<()> {
        for (index, item) in pairs {
            self.ran = true;
            frame.count(context)?;
            frame.set_range_variables(self.pipe, index, &item)?;
            let flow = frame.walk(context, out, tree, &item, self.list)?;
            frame.variables.truncate(self.mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(())
    }
}

/// Prints the value of an action.
fn print_slot(out: &mut Vec<u8>, slot: &Slot) {
    if slot.value.is_nil() {
        out.extend_from_slice(b"<no value>");
    } else {
        crate::fmt::append_value(out, &slot.value);
    }
}
