//! Functions that templates call: their signatures, their bodies and the table of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::exec::{Context, ExecError, Slot};
use crate::text::Str;
use crate::value::Value;

/// The type of a parameter. It decides which arguments fit and what Go says of those that do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// `interface {}`: anything.
    Any,
    /// `reflect.Value`: anything, without unwrapping; Go's own functions.
    Reflect,
    /// `string`
    String,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
    /// `float64`
    Float64,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// `map[string]interface {}`, or a named type over it.
    Map,
    /// An object of the named type.
    Object(&'static str),
}

impl Param {
    /// The type as Go's messages name it.
    pub fn type_name(self) -> &'static str {
        match self {
            Param::Any => "interface {}",
            Param::Reflect => "reflect.Value",
            Param::String => "string",
            Param::Bool => "bool",
            Param::Int => "int",
            Param::Int64 => "int64",
            Param::Uint32 => "uint32",
            Param::Uint64 => "uint64",
            Param::Float64 => "float64",
            Param::List => "[]interface {}",
            Param::Strings => "[]string",
            Param::Map => "map[string]interface {}",
            Param::Object(name) => name,
        }
    }
}

/// What a function takes.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The fixed parameters.
    pub params: &'static [Param],
    /// The type of any further ones.
    pub variadic: Option<Param>,
    /// Whether the declared result is `interface {}`, which shows in messages about it.
    pub returns_any: bool,
}

impl Signature {
    /// A signature of fixed parameters and a result of a concrete type.
    pub const fn new(params: &'static [Param]) -> Signature {
        Signature {
            params,
            variadic: None,
            returns_any: false,
        }
    }

    /// With any number of further arguments.
    pub const fn variadic(mut self, param: Param) -> Signature {
        self.variadic = Some(param);
        self
    }

    /// With `interface {}` as its result.
    pub const fn any(mut self) -> Signature {
        self.returns_any = true;
        self
    }
}

/// Why a call failed: the text that Go puts after `error calling f: `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    message: Cow<'static, str>,
    is_limit: bool,
    cause: Option<Arc<CallError>>,
}

impl Drop for CallError {
    /// Without recursion: templates that include themselves make long chains of causes.
    fn drop(&mut self) {
        let mut next = self.cause.take();
        while let Some(mut cause) = next.and_then(Arc::into_inner) {
            next = cause.cause.take();
        }
    }
}

impl CallError {
    /// A failure with this text.
    pub fn new(message: impl Into<Cow<'static, str>>) -> CallError {
        CallError {
            message: message.into(),
            is_limit: false,
            cause: None,
        }
    }

    /// A failure because a limit of [`crate::Limits`] was reached or the caller cancelled.
    pub fn limit(message: impl Into<Cow<'static, str>>) -> CallError {
        CallError {
            message: message.into(),
            is_limit: true,
            cause: None,
        }
    }

    /// This failure as the consequence of `cause`: what Go's `errors.Unwrap` gives.
    pub fn caused_by(mut self, cause: CallError) -> CallError {
        self.is_limit |= cause.is_limit;
        self.cause = Some(Arc::new(cause));
        self
    }

    /// What it was caused by.
    pub fn cause(&self) -> Option<&CallError> {
        self.cause.as_deref()
    }

    /// Whether a limit was reached, rather than the template being wrong.
    pub fn is_limit(&self) -> bool {
        self.is_limit
    }
}

impl From<ExecError> for CallError {
    fn from(error: ExecError) -> Self {
        CallError {
            message: Cow::Owned(error.to_string()),
            is_limit: error.is_limit,
            cause: error.cause,
        }
    }
}

impl From<String> for CallError {
    fn from(message: String) -> Self {
        CallError::new(message)
    }
}

impl From<&'static str> for CallError {
    fn from(message: &'static str) -> Self {
        CallError::new(message)
    }
}

/// The body of a function. Its arguments fit the signature.
pub type Body = dyn Fn(&mut Context<'_>, &[Value]) -> Result<Value, CallError> + Send + Sync;

/// A function with its signature.
#[derive(Clone)]
pub struct Function {
    pub(crate) signature: Signature,
    pub(crate) body: FunctionBody,
}

#[derive(Clone)]
pub(crate) enum FunctionBody {
    /// An ordinary function.
    Plain(Arc<Body>),
    /// One that sees whether values are wrapped in an interface; Go's own.
    Reflect(fn(&[Slot]) -> Result<Slot, CallError>),
    /// `and` and `or`, which do not evaluate all their arguments; true for `or`.
    ShortCircuit(bool),
    /// `call`
    Call,
}

impl Function {
    /// A function.
    pub fn new(
        signature: Signature,
        body: impl Fn(&mut Context<'_>, &[Value]) -> Result<Value, CallError> + Send + Sync + 'static,
    ) -> Function {
        Function {
            signature,
            body: FunctionBody::Plain(Arc::new(body)),
        }
    }

    /// What it takes.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// The functions that templates can call, by name; Go's builtins are always among them.
#[derive(Clone)]
pub struct Functions {
    own: HashMap<Str, Function>,
}

impl Functions {
    /// Go's builtin functions alone.
    pub fn builtin() -> Functions {
        Functions {
            own: crate::builtin::functions(),
        }
    }

    /// Go's builtins and sprig's functions.
    pub fn sprig() -> Functions {
        let mut functions = Functions::builtin();
        for (name, function) in crate::sprig::functions() {
            functions.insert(name, function);
        }
        functions
    }

    /// Adds a function, or replaces one.
    pub fn insert(&mut self, name: &str, function: Function) {
        self.own.insert(Str::from(name), function);
    }

    /// Removes a function.
    pub fn remove(&mut self, name: &str) {
        self.own.remove(name.as_bytes());
    }

    /// Whether there is a function of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.own.contains_key(name.as_bytes())
    }

    /// The function of this name.
    pub fn get(&self, name: &[u8]) -> Option<&Function> {
        self.own.get(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<Str> {
        let mut names: Vec<Str> = self.own.keys().cloned().collect();
        names.sort();
        names
    }
}
