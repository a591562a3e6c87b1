//! What one execution has at hand, and how much it may use.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::ExecError;
use super::frame::Frame;
use crate::environment::Environment;
use crate::function::{CallError, Functions};
use crate::parse::{RED_ZONE, STACK_SEGMENT, Tree};
use crate::sprig::{Regexp, RegexpError};
use crate::template::{MissingKey, Templates};
use crate::value::Value;

/// Bounds on one execution, with everything it calls.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nested `template` actions; Go's own limit, and its text when reached.
    pub template_depth: usize,
    /// Nested actions of all kinds, and calls of functions that execute templates.
    pub nesting: usize,
    /// Actions, commands and iterations.
    pub steps: u64,
    /// Bytes of output of the outermost template.
    pub output: usize,
    /// Bytes of one value that a function makes.
    pub value: usize,
    /// Bytes of all values that functions make.
    pub allocated: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            template_depth: 100_000,
            nesting: 450_000,
            steps: 50_000_000,
            output: 128 << 20,
            value: 64 << 20,
            allocated: 512 << 20,
        }
    }
}

/// How many steps lie between two looks at the caller's cancellation.
const STEPS_PER_CHECK: u64 = 1024;

/// One execution: functions, environment and limits, and what has been used of them.
///
/// Functions get it, so that they can ask for the time, charge what they allocate and execute templates.
pub struct Context<'a> {
    pub(super) functions: Arc<Functions>,
    pub(super) templates: Arc<Templates>,
    environment: &'a dyn Environment,
    limits: Limits,
    is_cancelled: Option<&'a dyn Fn() -> bool>,
    steps: u64,
    allocated: usize,
    pub(super) nesting: usize,
    /// Compiled expressions: charts use the same few over and over.
    regexps: HashMap<Vec<u8>, Arc<Regexp>>,
}

/// How many compiled expressions are kept.
const MAX_REGEXPS: usize = 128;

impl<'a> Context<'a> {
    /// A context for executing templates of a set.
    pub fn new(
        templates: &Arc<Templates>,
        functions: &Arc<Functions>,
        environment: &'a dyn Environment,
        limits: Limits,
    ) -> Context<'a> {
        Context {
            functions: Arc::clone(functions),
            templates: Arc::clone(templates),
            environment,
            limits,
            is_cancelled: None,
            steps: 0,
            allocated: 0,
            nesting: 0,
            regexps: HashMap::new(),
        }
    }

    /// Asks `is_cancelled` every thousand steps or so whether to stop: for deadlines.
    pub fn cancel_when(mut self, is_cancelled: &'a dyn Fn() -> bool) -> Context<'a> {
        self.is_cancelled = Some(is_cancelled);
        self
    }

    /// The set whose templates are being executed.
    pub fn templates(&self) -> &Arc<Templates> {
        &self.templates
    }

    /// The functions templates can call.
    pub fn functions(&self) -> &Arc<Functions> {
        &self.functions
    }

    /// The time, chance and environment variables.
    pub fn environment(&self) -> &'a dyn Environment {
        self.environment
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn missing_key(&self) -> MissingKey {
        self.templates.missing_key()
    }

    /// Executes the template `name` of the current set with `data` as its dot, and appends to `out`.
    ///
    /// Source: text/template `Template.ExecuteTemplate`.
    pub fn execute(
        &mut self,
        name: &[u8],
        data: Value,
        out: &mut Vec<u8>,
    ) -> Result<(), ExecError> {
        let Some(tree) = self.templates.lookup(name).map(Arc::clone) else {
            let quoted =
                |name: &[u8]| crate::text::lossy(&crate::strconv::quote(name)).into_owned();
            return Err(ExecError::new(format!(
                "no template {} associated with template {}",
                quoted(name),
                quoted(self.templates.name().as_bytes())
            )));
        };
        self.execute_tree(tree, data, out)
    }

    /// Executes a tree as a template of the current set; see [`Context::execute`].
    pub fn execute_tree(
        &mut self,
        tree: Arc<Tree>,
        data: Value,
        out: &mut Vec<u8>,
    ) -> Result<(), ExecError> {
        let nesting = self.nesting;
        let result = stacker::maybe_grow(RED_ZONE, STACK_SEGMENT, || {
            Frame::new(tree, data, 0).run(self, out)
        });
        self.nesting = nesting;
        result
    }

    /// Runs `inner` with another set as the current one, such as one on top of it.
    pub fn with_templates<T>(
        &mut self,
        templates: Arc<Templates>,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer = std::mem::replace(&mut self.templates, templates);
        let result = inner(self);
        self.templates = outer;
        result
    }

    /// A compiled regular expression, from memory if it was used before.
    pub fn regexp(&mut self, pattern: &[u8]) -> Result<Arc<Regexp>, RegexpError> {
        if let Some(regexp) = self.regexps.get(pattern) {
            return Ok(Arc::clone(regexp));
        }
        let regexp = Arc::new(Regexp::new(pattern)?);
        if self.regexps.len() >= MAX_REGEXPS {
            self.regexps.clear();
        }
        self.regexps.insert(pattern.to_vec(), Arc::clone(&regexp));
        Ok(regexp)
    }

    /// Counts one step. Fails at the limit, or when the caller has cancelled.
    pub fn step(&mut self) -> Result<(), CallError> {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_PER_CHECK) {
            if self.steps > self.limits.steps {
                return Err(CallError::limit(format!(
                    "exceeded the limit of {} steps",
                    self.limits.steps
                )));
            }
            if self.is_cancelled.is_some_and(|is_cancelled| is_cancelled()) {
                return Err(CallError::limit(
                    "execution was cancelled or ran out of time",
                ));
            }
        }
        Ok(())
    }

    /// Counts `bytes` that a function is about to allocate. Fails at the limits.
    pub fn charge(&mut self, bytes: usize) -> Result<(), CallError> {
        if bytes > self.limits.value {
            return Err(CallError::limit(format!(
                "a value of {bytes} bytes exceeds the limit of {}",
                self.limits.value
            )));
        }
        self.allocated = self.allocated.saturating_add(bytes);
        if self.allocated > self.limits.allocated {
            return Err(CallError::limit(format!(
                "exceeded the limit of {} bytes for values",
                self.limits.allocated
            )));
        }
        Ok(())
    }
}
