//! Commands: operands, fields, methods and calls of functions, with Go's checks of arguments.

use std::sync::Arc;

use super::context::Context;
use super::frame::{Executed, Frame};
use super::slot::Slot;
use crate::function::{CallError, FunctionBody, Param, Signature};
use crate::parse::{NodeId, NodeKind, Number, Tree};
use crate::strconv::quote;
use crate::template::MissingKey;
use crate::text::{Str, lossy};
use crate::value::{List, ListType, Map, MapType, UintKind, Value};

/// The arguments of a call as written: the operands after the function, and what the pipeline gives last.
#[derive(Clone)]
struct Arguments<'t> {
    nodes: &'t [NodeId],
    last: Option<Slot>,
}

impl Arguments<'_> {
    fn none() -> Arguments<'static> {
        Arguments {
            nodes: &[],
            last: None,
        }
    }

    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.last.is_none()
    }

    fn len(&self) -> usize {
        self.nodes.len() + usize::from(self.last.is_some())
    }
}

impl Frame {
    /// A command's value; `last` is that of the command before it in the pipeline.
    pub(super) fn command(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        id: NodeId,
        last: Option<Slot>,
    ) -> Executed<Slot> {
        let tree = Arc::clone(&self.tree);
        let NodeKind::Command(operands) = &tree.node(id).kind else {
            return self.fail("not a command");
        };
        let first = operands[0];
        let arguments = Arguments {
            nodes: &operands[1..],
            last,
        };
        match &tree.node(first).kind {
            NodeKind::Field(names) => {
                self.at(first);
                self.field_chain(context, dot, dot.clone(), first, names, arguments)
            }
            NodeKind::Chain(..) => self.chain(context, dot, first, arguments),
            NodeKind::Identifier(name) => {
                self.at(first);
                self.function(context, dot, id, name, arguments)
            }
            NodeKind::Pipe(_) => {
                self.not_a_function(first, &arguments)?;
                stacker::maybe_grow(crate::parse::RED_ZONE, crate::parse::STACK_SEGMENT, || {
                    self.pipeline(context, dot, first)
                })
            }
            NodeKind::Variable(names) => {
                self.at(first);
                if names.len() == 1 {
                    let value = self.variable(&names[0])?;
                    self.not_a_function(first, &arguments)?;
                    return Ok(value);
                }
                self.variable_chain(context, dot, first, names, arguments)
            }
            kind => {
                self.at(first);
                self.not_a_function(first, &arguments)?;
                match kind {
                    NodeKind::Bool(value) => Ok(Slot::plain(Value::Bool(*value))),
                    NodeKind::Dot => Ok(dot.clone()),
                    NodeKind::Nil => self.fail("nil is not a command"),
                    NodeKind::Number(text, number) => self.ideal_constant(text, **number),
                    NodeKind::String(_, text) => Ok(Slot::plain(Value::String(text.clone()))),
                    _ => {
                        let printed = quote(&tree.print_node(first));
                        self.fail(format!("can't evaluate command {}", lossy(&printed)))
                    }
                }
            }
        }
    }

    fn not_a_function(&self, operand: NodeId, arguments: &Arguments<'_>) -> Executed<()> {
        if arguments.is_empty() {
            return Ok(());
        }
        let printed = self.tree.print_node(operand);
        self.fail(format!(
            "can't give argument to non-function {}",
            lossy(&printed)
        ))
    }

    /// The value of a constant where its type is free.
    fn ideal_constant(&self, text: &Str, number: Number) -> Executed<Slot> {
        let bytes = text.as_bytes();
        if let Some(parts) = number.complex {
            return Ok(Slot::plain(Value::Complex(Arc::new(parts))));
        }
        let is_char = bytes.first() == Some(&b'\'');
        let has = |set: &[u8]| bytes.iter().any(|byte| set.contains(byte));
        let is_hex =
            bytes.len() > 2 && bytes[0] == b'0' && matches!(bytes[1], b'x' | b'X') && !has(b"pP");
        if let Some(float) = number.float
            && !is_char
            && !is_hex
            && has(b".eEpP")
        {
            return Ok(Slot::plain(Value::Float(float)));
        }
        if let Some(int) = number.int {
            return Ok(Slot::plain(Value::int(int)));
        }
        if number.uint.is_some() {
            return self.fail(format!("{text} overflows int"));
        }
        Ok(Slot::invalid())
    }

    // Fields.

    fn chain(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        id: NodeId,
        arguments: Arguments<'_>,
    ) -> Executed<Slot> {
        self.at(id);
        let tree = Arc::clone(&self.tree);
        let NodeKind::Chain(operand, names) = &tree.node(id).kind else {
            return self.fail("internal error: no fields in evalChainNode");
        };
        if matches!(tree.node(*operand).kind, NodeKind::Nil) {
            let printed = lossy(&tree.print_node(id)).into_owned();
            return self.fail(format!("indirection through explicit nil in {printed}"));
        }
        let receiver = self.operand(context, dot, *operand)?;
        self.field_chain(context, dot, receiver, id, names, arguments)
    }

    fn variable_chain(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        id: NodeId,
        names: &[Str],
        arguments: Arguments<'_>,
    ) -> Executed<Slot> {
        let value = self.variable(&names[0])?;
        self.field_chain(context, dot, value, id, &names[1..], arguments)
    }

    /// `receiver.a.b.c`; the arguments go to the last.
    fn field_chain(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        receiver: Slot,
        node: NodeId,
        names: &[Str],
        arguments: Arguments<'_>,
    ) -> Executed<Slot> {
        let mut receiver = receiver;
        let last = names.len() - 1;
        for name in &names[..last] {
            receiver = self.field(context, dot, node, receiver, name, Arguments::none())?;
        }
        self.field(context, dot, node, receiver, &names[last], arguments)
    }

    fn field(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        node: NodeId,
        receiver: Slot,
        name: &Str,
        arguments: Arguments<'_>,
    ) -> Executed<Slot> {
        let quoted = || lossy(&quote(name.as_bytes())).into_owned();
        match &receiver.value {
            Value::Nil if receiver.boxed => {
                return self.fail(format!("nil pointer evaluating interface {{}}.{name}"));
            }
            Value::Nil => {
                if context.missing_key() == MissingKey::Error {
                    return self.fail(format!("nil data; no entry for key {}", quoted()));
                }
                return Ok(Slot::invalid());
            }
            Value::Map(map) => {
                if let MapType::NamedAny(named) = map.map_type()
                    && let Some(signature) = (named.method)(&name.to_text())
                {
                    let text = name.to_text();
                    let slots = self.arguments(context, dot, signature, &text, &arguments)?;
                    let values: Vec<Value> = slots.into_iter().map(|slot| slot.value).collect();
                    return match (named.call)(map, &text, &values) {
                        Ok(value) => Ok(Slot {
                            value,
                            boxed: signature.returns_any,
                        }),
                        Err(error) => self.call_failed(node, name, &error),
                    };
                }
                if !arguments.is_empty() {
                    return self.fail(format!("{name} is not a method but has arguments"));
                }
                let boxed = map.map_type().is_boxed();
                let found = map.get(name);
                return match (found, context.missing_key()) {
                    (Some(value), _) => Ok(Slot { value, boxed }),
                    (None, MissingKey::Invalid) => Ok(Slot::invalid()),
                    (None, MissingKey::Zero) => Ok(Slot {
                        value: map.map_type().zero(),
                        boxed,
                    }),
                    (None, MissingKey::Error) => {
                        self.fail(format!("map has no entry for key {}", quoted()))
                    }
                };
            }
            Value::Object(object) => {
                let text = name.to_text();
                if let Some(signature) = object.method(&text) {
                    let slots = self.arguments(context, dot, signature, &text, &arguments)?;
                    let values: Vec<Value> = slots.into_iter().map(|slot| slot.value).collect();
                    return match object.call(&text, &values) {
                        Ok(value) => Ok(Slot {
                            value,
                            boxed: signature.returns_any,
                        }),
                        Err(error) => self.call_failed(node, name, &error),
                    };
                }
                if let Some(value) = object.field(&text) {
                    if !arguments.is_empty() {
                        return self.fail(format!(
                            "{name} has arguments but cannot be invoked as function"
                        ));
                    }
                    return Ok(Slot::plain(value));
                }
                if let Some(slot) = self.object_entry(context, object.as_ref(), name, &arguments)? {
                    return Ok(slot);
                }
            }
            _ => {}
        }
        self.fail(format!(
            "can't evaluate field {name} in type {}",
            receiver.type_name()
        ))
    }

    /// An entry of an object that is a map underneath; `None` if it is none.
    fn object_entry(
        &self,
        context: &Context<'_>,
        object: &dyn crate::value::Object,
        name: &Str,
        arguments: &Arguments<'_>,
    ) -> Executed<Option<Slot>> {
        let Some(entries) = object.entries() else {
            return Ok(None);
        };
        if !arguments.is_empty() {
            return self.fail(format!("{name} is not a method but has arguments"));
        }
        let boxed = object.entries_are_boxed();
        let found = entries.into_iter().find(|(key, _)| key == name);
        Ok(Some(match (found, context.missing_key()) {
            (Some((_, value)), _) => Slot { value, boxed },
            (None, MissingKey::Error) => {
                let name = quote(name.as_bytes());
                return self.fail(format!("map has no entry for key {}", lossy(&name)));
            }
            (None, MissingKey::Zero) => Slot {
                value: object.zero_entry(),
                boxed,
            },
            (None, MissingKey::Invalid) => Slot::invalid(),
        }))
    }

    // Calls.

    /// Calls a function; `node` is what an error of the call points to.
    fn function(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        node: NodeId,
        name: &Str,
        arguments: Arguments<'_>,
    ) -> Executed<Slot> {
        let functions = Arc::clone(&context.functions);
        let Some(function) = functions.get(name.as_bytes()) else {
            let name = quote(name.as_bytes());
            return self.fail(format!("{} is not a defined function", lossy(&name)));
        };
        self.count(context)?;
        let text = name.to_text();
        let returns_any = function.signature.returns_any;
        match &function.body {
            FunctionBody::ShortCircuit(until) => {
                self.short_circuit(context, dot, *until, &text, &arguments)
            }
            FunctionBody::Call => {
                let slots = self.arguments(context, dot, &function.signature, &text, &arguments)?;
                let callee = self.callee_name(&arguments);
                let error = crate::builtin::call(&callee, &slots[0]);
                self.call_failed(node, name, &error)
            }
            FunctionBody::Reflect(body) => {
                let slots = self.arguments(context, dot, &function.signature, &text, &arguments)?;
                match body(&slots) {
                    Ok(slot) => Ok(slot),
                    Err(error) => self.call_failed(node, name, &error),
                }
            }
            FunctionBody::Plain(body) => {
                let slots = self.arguments(context, dot, &function.signature, &text, &arguments)?;
                let values: Vec<Value> = slots.into_iter().map(|slot| slot.value).collect();
                context.nesting += 1;
                let result = body(context, &values);
                context.nesting -= 1;
                match result {
                    Ok(value) => Ok(Slot {
                        value,
                        boxed: returns_any,
                    }),
                    Err(error) => self.call_failed(node, name, &error),
                }
            }
        }
    }

    fn call_failed<T>(&mut self, node: NodeId, name: &Str, error: &CallError) -> Executed<T> {
        self.at(node);
        let mut failure = self.error(format!("error calling {name}: {error}"), error.is_limit());
        failure.cause = Some(Arc::new(error.clone()));
        Err(Box::new(failure))
    }

    /// How `call` names what it was given.
    fn callee_name(&self, arguments: &Arguments<'_>) -> String {
        match (arguments.nodes.first(), &arguments.last) {
            (Some(node), _) => lossy(&self.tree.print_node(*node)).into_owned(),
            (None, Some(slot)) => match &slot.value {
                Value::String(text) => text.to_string(),
                Value::Nil => "<invalid Value>".to_owned(),
                value => format!("<{} Value>", value.type_name()),
            },
            (None, None) => String::new(),
        }
    }

    fn check_count(
        &self,
        signature: &Signature,
        name: &str,
        arguments: &Arguments<'_>,
    ) -> Executed<()> {
        let fixed = signature.params.len();
        if signature.variadic.is_some() {
            if arguments.len() < fixed {
                let got = arguments.nodes.len();
                return self.fail(format!(
                    "wrong number of args for {name}: want at least {fixed} got {got}"
                ));
            }
        } else if arguments.len() != fixed {
            let got = arguments.len();
            return self.fail(format!(
                "wrong number of args for {name}: want {fixed} got {got}"
            ));
        }
        Ok(())
    }

    /// `and` and `or`: the first argument whose truth is `until`, else the last.
    fn short_circuit(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        until: bool,
        name: &str,
        arguments: &Arguments<'_>,
    ) -> Executed<Slot> {
        if arguments.is_empty() {
            return self.fail(format!(
                "wrong number of args for {name}: want at least 1 got 0"
            ));
        }
        let mut value = Slot::invalid();
        for node in arguments.nodes {
            value = self.argument(context, dot, Param::Reflect, *node)?;
            if value.value.is_true() == until {
                return Ok(value);
            }
        }
        if let Some(last) = &arguments.last {
            value = last.clone();
        }
        Ok(value)
    }

    /// Evaluates the arguments of a call and checks them against the signature.
    fn arguments(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        signature: &Signature,
        name: &str,
        arguments: &Arguments<'_>,
    ) -> Executed<Vec<Slot>> {
        self.check_count(signature, name, arguments)?;
        let param = |index: usize| {
            signature
                .params
                .get(index)
                .copied()
                .or(signature.variadic)
                .unwrap_or(Param::Any)
        };
        let mut slots = Vec::with_capacity(arguments.len());
        for (index, node) in arguments.nodes.iter().enumerate() {
            slots.push(self.argument(context, dot, param(index), *node)?);
        }
        if let Some(last) = &arguments.last {
            slots.push(self.fit(last.clone(), param(slots.len()))?);
        }
        Ok(slots)
    }

    /// An argument's value, as the parameter's type.
    fn argument(
        &mut self,
        context: &mut Context<'_>,
        dot: &Slot,
        param: Param,
        id: NodeId,
    ) -> Executed<Slot> {
        self.at(id);
        let tree = Arc::clone(&self.tree);
        match &tree.node(id).kind {
            NodeKind::Nil => match zero_of(param) {
                Some(zero) => Ok(zero),
                None => self.fail(format!("cannot assign nil to {}", param.type_name())),
            },
            NodeKind::Dot
            | NodeKind::Field(_)
            | NodeKind::Variable(_)
            | NodeKind::Pipe(_)
            | NodeKind::Identifier(_)
            | NodeKind::Chain(..) => {
                let slot = self.operand(context, dot, id)?;
                self.fit(slot, param)
            }
            NodeKind::Bool(value) => match param {
                Param::Any | Param::Reflect | Param::Bool => Ok(Slot::plain(Value::Bool(*value))),
                _ => self.unfit_constant(&tree, id, param),
            },
            NodeKind::String(_, text) => match param {
                Param::Any | Param::Reflect | Param::String => {
                    Ok(Slot::plain(Value::String(text.clone())))
                }
                _ => self.unfit_constant(&tree, id, param),
            },
            NodeKind::Number(text, number) => {
                let value = match param {
                    Param::Any | Param::Reflect => return self.ideal_constant(text, **number),
                    Param::Int => number.int.map(Value::int),
                    Param::Int64 => number.int.map(Value::int64),
                    // Go's SetUint cuts off what does not fit.
                    Param::Uint32 => number
                        .uint
                        .map(|uint| Value::Uint(UintKind::Uint32, uint & 0xFFFF_FFFF)),
                    Param::Uint64 => number.uint.map(|uint| Value::Uint(UintKind::Uint64, uint)),
                    Param::Float64 => number.float.map(Value::Float),
                    _ => None,
                };
                match value {
                    Some(value) => Ok(Slot::plain(value)),
                    None => self.unfit_constant(&tree, id, param),
                }
            }
            _ => self.unfit_constant(&tree, id, param),
        }
    }

    fn unfit_constant(&self, tree: &Tree, id: NodeId, param: Param) -> Executed<Slot> {
        let printed = tree.print_node(id);
        let printed = lossy(&printed);
        self.fail(match param {
            Param::Bool => format!("expected bool; found {printed}"),
            Param::String => format!("expected string; found {printed}"),
            Param::Int | Param::Int64 => format!("expected integer; found {printed}"),
            Param::Uint32 | Param::Uint64 => format!("expected unsigned integer; found {printed}"),
            Param::Float64 => format!("expected float; found {printed}"),
            _ => format!(
                "can't handle {printed} for arg of type {}",
                param.type_name()
            ),
        })
    }

    /// The value of an operand that is no constant.
    fn operand(&mut self, context: &mut Context<'_>, dot: &Slot, id: NodeId) -> Executed<Slot> {
        self.at(id);
        let tree = Arc::clone(&self.tree);
        match &tree.node(id).kind {
            NodeKind::Dot => Ok(dot.clone()),
            NodeKind::Field(names) => {
                self.field_chain(context, dot, dot.clone(), id, names, Arguments::none())
            }
            NodeKind::Variable(names) if names.len() == 1 => self.variable(&names[0]),
            NodeKind::Variable(names) => {
                self.variable_chain(context, dot, id, names, Arguments::none())
            }
            NodeKind::Pipe(_) => {
                stacker::maybe_grow(crate::parse::RED_ZONE, crate::parse::STACK_SEGMENT, || {
                    self.pipeline(context, dot, id)
                })
            }
            NodeKind::Identifier(name) => self.function(context, dot, id, name, Arguments::none()),
            NodeKind::Chain(..) => {
                stacker::maybe_grow(crate::parse::RED_ZONE, crate::parse::STACK_SEGMENT, || {
                    self.chain(context, dot, id, Arguments::none())
                })
            }
            _ => {
                let printed = lossy(&tree.print_node(id)).into_owned();
                self.fail(format!(
                    "can't handle {printed} for arg of type interface {{}}"
                ))
            }
        }
    }

    /// Checks a value against a parameter's type: Go's `validateType`.
    fn fit(&self, slot: Slot, param: Param) -> Executed<Slot> {
        if param == Param::Reflect {
            return Ok(slot);
        }
        if slot.is_invalid() {
            return match zero_of(param) {
                Some(zero) => Ok(zero),
                None => self.fail(format!("invalid value; expected {}", param.type_name())),
            };
        }
        if fits(&slot.value, param) {
            if let (Param::Map, Value::Map(map)) = (param, &slot.value) {
                // A named type becomes the plain one on its way into a function, and stays so.
                return Ok(Slot::plain(Value::Map(map.as_plain())));
            }
            return Ok(slot.unboxed());
        }
        let got = if slot.value.is_nil() {
            slot.type_name()
        } else {
            slot.value.type_name()
        };
        self.fail(format!(
            "wrong type for value; expected {}; got {got}",
            param.type_name()
        ))
    }
}

/// The value of `nil` as a parameter; `None` where the type has none.
fn zero_of(param: Param) -> Option<Slot> {
    match param {
        Param::Any | Param::Reflect => Some(Slot::invalid()),
        Param::List => Some(Slot::plain(Value::List(Arc::new(List::nil(ListType::Any))))),
        Param::Strings => Some(Slot::plain(Value::List(Arc::new(List::nil(
            ListType::String,
        ))))),
        Param::Map => Some(Slot::plain(Value::Map(Map::nil(MapType::Any)))),
        _ => None,
    }
}

/// Whether a value can be assigned to a parameter's type.
fn fits(value: &Value, param: Param) -> bool {
    use crate::value::IntKind;
    match (param, value) {
        (Param::Any | Param::Reflect, _)
        | (Param::String, Value::String(_))
        | (Param::Bool, Value::Bool(_))
        | (Param::Int, Value::Int(IntKind::Int, _))
        | (Param::Int64, Value::Int(IntKind::Int64, _))
        | (Param::Uint32, Value::Uint(UintKind::Uint32, _))
        | (Param::Uint64, Value::Uint(UintKind::Uint64, _))
        | (Param::Float64, Value::Float(_)) => true,
        (Param::List, Value::List(list)) => list.list_type() == ListType::Any,
        (Param::Strings, Value::List(list)) => list.list_type() == ListType::String,
        (Param::Map, Value::Map(map)) => map.map_type().is_any(),
        (Param::Object(name), Value::Object(object)) => object.type_name() == name,
        _ => false,
    }
}
