//! The expressions of webhooks and policies, compiled to find what is wrong with them.
//!
//! Expressions that ask the authorizer are not compiled. Source: apiserver `admission/plugin/cel`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crd::cel::shape::{Fields, ListKind, MAX_REQUEST, ShapeKind};
use crd::cel::{Environment, Shape, Type};
use serde_json::{Value, json};

use crate::strategy::node::{Errors, Node};

/// `s` text, `b` boolean, `i` number, `t` time, `d` anything, a list, a map (of `*`) or fields.
static REQUEST: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    let kind = json!({ "group": "s", "version": "s", "kind": "s" });
    let resource = json!({ "group": "s", "version": "s", "resource": "s" });
    shape(&json!({
        "kind": kind,
        "resource": resource,
        "subResource": "s",
        "requestKind": kind,
        "requestResource": resource,
        "requestSubResource": "s",
        "name": "s",
        "namespace": "s",
        "operation": "s",
        "userInfo": { "username": "s", "uid": "s", "groups": ["s"], "extra": { "*": ["s"] } },
        "dryRun": "b",
        "options": "d",
    }))
});

static NAMESPACE: LazyLock<Arc<Shape>> = LazyLock::new(|| {
    shape(&json!({
        "metadata": {
            "name": "s",
            "generateName": "s",
            "namespace": "s",
            "labels": { "*": "s" },
            "annotations": { "*": "s" },
            "UID": "s",
            "creationTimestamp": "t",
            "deletionGracePeriodSeconds": "i",
            "deletionTimestamp": "t",
            "generation": "i",
            "resourceVersion": "s",
            "finalizers": ["s"],
        },
        "spec": { "finalizers": ["s"] },
        "status": {
            "conditions": [{
                "status": "s",
                "type": "s",
                "lastTransitionTime": "t",
                "message": "s",
                "reason": "s",
            }],
            "phase": "s",
        },
    }))
});

fn shape(described: &Value) -> Arc<Shape> {
    let kind = match described {
        Value::String(name) => match name.as_str() {
            "s" => ShapeKind::Text,
            "b" => ShapeKind::Bool,
            "i" => ShapeKind::Int,
            "t" => ShapeKind::DateTime,
            _ => return Shape::json(),
        },
        Value::Array(items) => ShapeKind::List {
            items: items.first().map(shape),
            list: ListKind::Atomic,
        },
        Value::Object(fields) => match fields.get("*") {
            Some(values) => ShapeKind::Map(shape(values)),
            None => {
                let by_name: BTreeMap<String, Arc<Shape>> = fields
                    .iter()
                    .map(|(name, field)| (name.clone(), shape(field)))
                    .collect();
                ShapeKind::Object(Fields::new(by_name, true))
            }
        },
        _ => return Shape::json(),
    };
    Arc::new(Shape::new(kind, 1, MAX_REQUEST))
}

/// What an expression has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Result {
    Bool,
    Text,
    TextOrNull,
    Any,
}

/// The variables of a policy's expressions.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    has_params: bool,
    /// The policy's own variables as far as they have been read.
    variables: Option<BTreeMap<String, Arc<Shape>>>,
}

impl Scope {
    /// A scope with or without `params`.
    pub(super) fn new(has_params: bool) -> Self {
        Self {
            has_params,
            variables: None,
        }
    }

    /// The scope with a variable more.
    pub(super) fn declare(&mut self, name: &str) {
        self.variables
            .get_or_insert_default()
            .insert(name.to_owned(), Shape::json());
    }

    fn environment(&self) -> Environment {
        let mut environment = Environment::new()
            .with_variable("object", Type::Dyn)
            .with_variable("oldObject", Type::Dyn)
            .with_shape("request", &REQUEST, "kubernetes.AdmissionRequest")
            .with_shape("namespaceObject", &NAMESPACE, "kubernetes.Namespace");
        if self.has_params {
            environment = environment.with_variable("params", Type::Dyn);
        }
        if let Some(variables) = &self.variables {
            let kind = ShapeKind::Object(Fields::new(variables.clone(), true));
            let shape = Arc::new(Shape::new(kind, 1, MAX_REQUEST));
            environment = environment.with_shape("variables", &shape, "kubernetes.variables");
        }
        environment
    }

    /// Compiles an expression that is not empty.
    pub(super) fn compile(
        &self,
        errors: &mut Errors,
        at: &Node<'_>,
        expression: &str,
        result: Result,
    ) {
        if expression.contains("authorizer") {
            return;
        }
        let program = match self.environment().compile(expression) {
            Ok(program) => program,
            Err(error @ crd::cel::CompileError::Issues(_)) => {
                return errors.invalid(at, expression, format!("compilation failed: {error}"));
            }
            Err(error) => return errors.invalid(at, expression, error.to_string()),
        };
        let output = program.output();
        let expected = match (result, output) {
            (Result::Any, _)
            | (Result::Bool, Type::Bool)
            | (Result::Text | Result::TextOrNull, Type::Text)
            | (Result::TextOrNull, Type::Null) => return,
            // The types of variables are not known here.
            (_, Type::Dyn) if program.uses("variables") => return,
            (Result::Bool, _) => "bool",
            (Result::Text, _) => "string",
            (Result::TextOrNull, _) => {
                let detail = format!("must evaluate to one of [string null_type] but got {output}");
                return errors.invalid(at, expression, detail);
            }
        };
        let detail = format!("must evaluate to {expected} but got {output}");
        errors.invalid(at, expression, detail);
    }
}
