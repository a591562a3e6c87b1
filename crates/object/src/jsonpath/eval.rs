//! Walking through data along a template.

use serde_json::Value;

use super::ExecuteError;
use super::compare::compare;
use super::node::{Filter, Node, Slice};
use crate::goprint::{self, sorted};

/// The most steps over values that a template may take.
const MAX_STEPS: usize = 10_000_000;
/// How many ranges may stand in one another.
const MAX_RANGES: usize = 50;

/// A value that was found, or that the template itself has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    /// A value of the data.
    Value(&'a Value),
    /// A text of the template.
    Text(&'a str),
    /// A number of the template, or a byte of a text.
    Int(i64),
    /// A number of the template.
    Float(f64),
    /// A word of the template.
    Bool(bool),
    /// No value at all: what a range without items goes over.
    Nothing,
}

/// What can be compared.
pub(super) enum Scalar<'a> {
    Text(&'a str),
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl<'a> Item<'a> {
    /// The item of data; null is nothing where data begins.
    pub(super) fn of(value: &'a Value) -> Self {
        if value.is_null() {
            Self::Nothing
        } else {
            Self::Value(value)
        }
    }

    pub(super) fn to_value(self: &Item<'a>) -> Value {
        match self {
            Self::Value(value) => (*value).clone(),
            Self::Text(text) => Value::from(*text),
            Self::Int(int) => (*int).into(),
            Self::Float(float) => (*float).into(),
            Self::Bool(value) => (*value).into(),
            Self::Nothing => Value::Null,
        }
    }

    pub(super) fn scalar(&self, only_floats: bool) -> Option<Scalar<'a>> {
        Some(match self {
            Self::Value(Value::String(text)) => Scalar::Text(text),
            Self::Value(Value::Number(number)) => match number.as_i64() {
                Some(int) if !only_floats => Scalar::Int(int),
                _ => Scalar::Float(number.as_f64()?),
            },
            Self::Text(text) => Scalar::Text(text),
            Self::Int(int) => Scalar::Int(*int),
            Self::Float(float) => Scalar::Float(*float),
            Self::Value(Value::Bool(value)) | Self::Bool(value) => Scalar::Bool(*value),
            Self::Value(_) | Self::Nothing => return None,
        })
    }

    /// The name of its Go type.
    fn type_name(&self, only_floats: bool) -> &'static str {
        match self {
            Self::Value(Value::Number(_)) if only_floats => "float64",
            Self::Value(value) => goprint::type_name(value),
            Self::Text(_) => "string",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Bool(_) => "bool",
            Self::Nothing => "<invalid reflect.Value>",
        }
    }

    /// Prints maps and lists as JSON, and everything else as `fmt.Print` does.
    pub(super) fn print(&self, out: &mut String, only_floats: bool) {
        match self {
            Self::Value(value @ (Value::Array(_) | Value::Object(_))) => {
                out.push_str(&goprint::json(value));
            }
            Self::Value(Value::Null) => out.push_str("null"),
            Self::Nothing => out.push_str("<no value>"),
            other => match other.scalar(only_floats) {
                Some(Scalar::Text(text)) => out.push_str(text),
                Some(Scalar::Int(int)) => out.push_str(&int.to_string()),
                Some(Scalar::Float(float)) => out.push_str(&goprint::float_v(float)),
                Some(Scalar::Bool(value)) => out.push_str(if value { "true" } else { "false" }),
                None => {}
            },
        }
    }

    fn array(&self) -> Option<&'a [Value]> {
        match self {
            Self::Value(Value::Array(items)) => Some(items),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Value(Value::Null))
    }

    /// What is in it: the values of a map, the items of a list, the bytes of a text.
    fn contents(&self) -> Vec<Item<'a>> {
        match self {
            Self::Value(Value::Object(map)) => sorted(map)
                .into_iter()
                .map(|(_, value)| Item::Value(value))
                .collect(),
            Self::Value(Value::Array(items)) => items.iter().map(Item::Value).collect(),
            Self::Value(Value::String(text)) => bytes(text),
            Self::Text(text) => bytes(text),
            _ => Vec::new(),
        }
    }
}

fn bytes<'a>(text: &str) -> Vec<Item<'a>> {
    text.bytes().map(|byte| Item::Int(byte.into())).collect()
}

/// How values are looked at.
#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) allows_missing_keys: bool,
    pub(super) only_floats: bool,
}

/// An error, and whether the failing step had found something nevertheless: a filter that only asks
/// whether there is something does not see the error.
struct Failure {
    error: ExecuteError,
    has_values: bool,
}

type Found<'a> = Result<Vec<Item<'a>>, Failure>;

fn fail<'a>(error: ExecuteError, has_values: bool) -> Found<'a> {
    Err(Failure { error, has_values })
}

/// The values of each part of a template.
pub(super) fn find<'a>(
    nodes: &'a [Node],
    data: Item<'a>,
    options: Options,
) -> Result<Vec<Vec<Item<'a>>>, ExecuteError> {
    let mut walk = Walk {
        nodes,
        options,
        steps: 0,
        begins: 0,
        ranges: 0,
        ends: 0,
        last_end: None,
    };
    let mut results = Vec::new();
    walk.parts(0, data, &mut results)?;
    Ok(results)
}

struct Walk<'a> {
    nodes: &'a [Node],
    options: Options,
    steps: usize,
    /// Ranges that were met and not yet begun.
    begins: usize,
    /// Ranges that are being gone through.
    ranges: usize,
    /// Ends that were met and not yet carried out.
    ends: usize,
    /// The part where the last range ended.
    last_end: Option<usize>,
}

impl<'a> Walk<'a> {
    /// Goes through the parts from `start`, up to the end of the range they stand in.
    fn parts(
        &mut self,
        start: usize,
        data: Item<'a>,
        results: &mut Vec<Vec<Item<'a>>>,
    ) -> Result<(), ExecuteError> {
        let nodes = self.nodes;
        let mut at = start;
        while at < nodes.len() {
            let found = self
                .step(vec![data], &nodes[at])
                .map_err(|failure| failure.error)?;
            if self.ends > 0 && self.ends <= self.ranges {
                self.ends -= 1;
                self.last_end = Some(at);
                break;
            }
            if self.begins > 0 {
                self.begins -= 1;
                self.range(at, found, results)?;
                if let Some(end) = self.last_end.filter(|end| *end > at) {
                    at = end;
                }
            } else {
                results.push(found);
            }
            at += 1;
        }
        Ok(())
    }

    fn range(
        &mut self,
        at: usize,
        found: Vec<Item<'a>>,
        results: &mut Vec<Vec<Item<'a>>>,
    ) -> Result<(), ExecuteError> {
        self.ranges += 1;
        if self.ranges > MAX_RANGES {
            return Err(ExecuteError::TooManySteps);
        }
        if found.is_empty() {
            // The parts are gone through all the same, for their end to be found.
            self.parts(at + 1, Item::Nothing, &mut Vec::new())?;
        }
        for item in found {
            let item = if item.is_null() { Item::Nothing } else { item };
            self.parts(at + 1, item, results)?;
        }
        self.ranges -= 1;
        Ok(())
    }

    fn steps(&mut self, mut input: Vec<Item<'a>>, steps: &'a [Node]) -> Found<'a> {
        for step in steps {
            input = self.step(input, step)?;
        }
        Ok(input)
    }

    fn step(&mut self, input: Vec<Item<'a>>, node: &'a Node) -> Found<'a> {
        self.steps += input.len() + 1;
        if self.steps > MAX_STEPS {
            return fail(ExecuteError::TooManySteps, false);
        }
        let each = |item: Item<'a>| Ok(vec![item; input.len()]);
        match node {
            Node::List(steps) => self.steps(input, steps),
            Node::Text(text) => Ok(vec![Item::Text(text)]),
            Node::Field(name) => self.field(&input, name),
            Node::Array(slice) => self.array(&input, *slice),
            Node::Filter(filter) => self.filter(&input, filter),
            Node::Int(int) => each(Item::Int(*int)),
            Node::Float(float) => each(Item::Float(*float)),
            Node::Bool(value) => each(Item::Bool(*value)),
            Node::Wildcard => Ok(input.iter().flat_map(Item::contents).collect()),
            Node::Recursive => self.recursive(input),
            Node::Union(lists) => {
                let mut found = Vec::new();
                for steps in lists {
                    match self.steps(input.clone(), steps) {
                        Ok(more) => found.extend(more),
                        Err(failure) => return fail(failure.error, !input.is_empty()),
                    }
                }
                Ok(found)
            }
            Node::Identifier(word) => self.identifier(input, word),
        }
    }

    fn identifier(&mut self, input: Vec<Item<'a>>, word: &str) -> Found<'a> {
        match word {
            "range" => {
                self.begins += 1;
                Ok(input)
            }
            "end" if self.ranges > 0 => {
                self.ends += 1;
                Ok(Vec::new())
            }
            "end" => fail(ExecuteError::NothingToEnd, false),
            other => {
                let error = ExecuteError::Identifier(other.to_owned());
                fail(error, !input.is_empty())
            }
        }
    }

    fn field(&self, input: &[Item<'a>], name: &str) -> Found<'a> {
        let get = |item: &Item<'a>| match item {
            Item::Value(Value::Object(map)) => map.get(name).map(Item::Value),
            _ => None,
        };
        let found: Vec<Item<'a>> = input.iter().filter_map(get).collect();
        if found.is_empty() && !input.is_empty() && !self.options.allows_missing_keys {
            return fail(ExecuteError::NotFound(name.to_owned()), false);
        }
        Ok(found)
    }

    fn array(&mut self, input: &[Item<'a>], slice: Slice) -> Found<'a> {
        let mut found = Vec::new();
        for item in input.iter().filter(|item| !item.is_null()) {
            let Some(items) = item.array() else {
                let type_name = item.type_name(self.options.only_floats);
                return fail(ExecuteError::NotArray(type_name), true);
            };
            let range = bounds(items.len(), slice);
            let Some((start, end)) = range.or_else(fail_range)? else {
                // Upstream quirk, kept: an empty slice ends the search in the other values too.
                return Ok(found);
            };
            let step = match slice.step {
                Some(step) if step <= 0 => return fail(ExecuteError::Step, true),
                Some(step) => step as usize,
                None => 1,
            };
            found.extend(items[start..end].iter().step_by(step).map(Item::Value));
            self.steps += end - start;
        }
        Ok(found)
    }

    fn recursive(&mut self, input: Vec<Item<'a>>) -> Found<'a> {
        let mut found = Vec::new();
        let mut open: Vec<Item<'a>> = input;
        open.reverse();
        while let Some(item) = open.pop() {
            let contents = item.contents();
            self.steps += contents.len() + 1;
            if self.steps > MAX_STEPS {
                return fail(ExecuteError::TooManySteps, false);
            }
            if !contents.is_empty() {
                found.push(item);
                open.extend(contents.into_iter().rev());
            }
        }
        Ok(found)
    }

    fn filter(&mut self, input: &[Item<'a>], filter: &'a Filter) -> Found<'a> {
        let mut found = Vec::new();
        for item in input {
            let Some(items) = item.array() else {
                let shown = match item {
                    Item::Nothing => "<invalid reflect.Value>".to_owned(),
                    item if self.options.only_floats => goprint::verb_v_of_floats(&item.to_value()),
                    item => goprint::verb_v(&item.to_value()),
                };
                return fail(ExecuteError::NotFilterable(shown), true);
            };
            for item in items {
                if self.fulfils(item, filter, &found)? {
                    found.push(Item::Value(item));
                }
            }
        }
        Ok(found)
    }

    fn fulfils(
        &mut self,
        item: &'a Value,
        filter: &'a Filter,
        found: &[Item<'a>],
    ) -> Result<bool, Failure> {
        let left = self.steps(vec![Item::Value(item)], &filter.left);
        let Some((operator, right)) = &filter.comparison else {
            return match left {
                Ok(values) => Ok(!values.is_empty()),
                Err(failure) => Ok(failure.has_values),
            };
        };
        let seen = |failure: Failure| Failure {
            has_values: true,
            ..failure
        };
        let several = || Failure {
            error: ExecuteError::SeveralOperands,
            has_values: true,
        };
        let left = match left.map_err(seen)?.as_slice() {
            [] => return Ok(false),
            [left] => *left,
            _ => return Err(several()),
        };
        let right = self.steps(vec![Item::Value(item)], right).map_err(seen)?;
        let right = match right.as_slice() {
            [] => return Ok(false),
            [right] => *right,
            _ => return Err(several()),
        };
        compare(&left, operator, &right, self.options.only_floats).map_err(|error| Failure {
            error,
            has_values: !found.is_empty(),
        })
    }
}

fn fail_range<T>(error: ExecuteError) -> Result<T, Failure> {
    Err(Failure {
        error,
        has_values: true,
    })
}

/// The part of a list that a slice is; `None` if it is empty whatever the list.
fn bounds(length: usize, slice: Slice) -> Result<Option<(usize, usize)>, ExecuteError> {
    let size = length as i64;
    let mut start = slice.start.unwrap_or(0);
    if start < 0 {
        start += size;
    }
    let mut end = slice.end.unwrap_or(size);
    if end < 0 || (end == 0 && slice.is_single) {
        end += size;
    }
    if start == end {
        return Ok(None);
    }
    if start >= size || start < 0 {
        return Err(ExecuteError::OutOfBounds {
            index: start,
            length,
        });
    }
    if end > size || end < 0 {
        return Err(ExecuteError::OutOfBounds {
            index: end.wrapping_sub(1),
            length,
        });
    }
    if start > end {
        return Err(ExecuteError::Backwards { start, end });
    }
    Ok(Some((start as usize, end as usize)))
}
