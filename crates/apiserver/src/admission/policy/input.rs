//! What expressions see of a write: `object`, `oldObject`, `namespaceObject`, `request`, `params`.
//!
//! Source: apiserver `admission/plugin/cel/{compile,condition}.go`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crd::cel::shape::{Fields, Shape, ShapeKind};
use crd::cel::{Environment, Type, Val, from_json};
use object::Value;

use crate::admission::Attributes;
use crate::admission::matching::{self, Matched};

static REQUEST: LazyLock<Arc<Shape>> = LazyLock::new(request_shape);

/// The environment in which expressions of policies are compiled.
pub(super) fn environment(has_parameters: bool) -> Environment {
    let environment = Environment::new()
        .with_variable("object", Type::Dyn)
        .with_variable("oldObject", Type::Dyn)
        .with_variable("namespaceObject", Type::Dyn)
        .with_shape("request", &REQUEST, "kubernetes.AdmissionRequest");
    if has_parameters {
        environment.with_variable("params", Type::Dyn)
    } else {
        environment
    }
}

fn leaf(kind: ShapeKind) -> Arc<Shape> {
    Arc::new(Shape::new(kind, 0, -1))
}

fn object(fields: Vec<(&str, Arc<Shape>)>) -> Arc<Shape> {
    let fields: BTreeMap<String, Arc<Shape>> = fields
        .into_iter()
        .map(|(name, shape)| (name.to_owned(), shape))
        .collect();
    leaf(ShapeKind::Object(Fields::new(fields, true)))
}

fn request_shape() -> Arc<Shape> {
    let text = || leaf(ShapeKind::Text);
    let texts = || {
        leaf(ShapeKind::List {
            items: Some(text()),
            list: crd::cel::shape::ListKind::Atomic,
        })
    };
    let kind = || {
        object(vec![
            ("group", text()),
            ("version", text()),
            ("kind", text()),
        ])
    };
    let resource = || {
        object(vec![
            ("group", text()),
            ("version", text()),
            ("resource", text()),
        ])
    };
    let user = object(vec![
        ("username", text()),
        ("uid", text()),
        ("groups", texts()),
        ("extra", leaf(ShapeKind::Map(texts()))),
    ]);
    object(vec![
        ("kind", kind()),
        ("resource", resource()),
        ("subResource", text()),
        ("requestKind", kind()),
        ("requestResource", resource()),
        ("requestSubResource", text()),
        ("name", text()),
        ("namespace", text()),
        ("operation", text()),
        ("userInfo", user),
        ("dryRun", leaf(ShapeKind::Bool)),
        ("options", Shape::json()),
    ])
}

/// A write as expressions see it.
pub(super) struct Input {
    object: Value,
    old: Value,
    namespace: Value,
    request: Value,
    any: Arc<Shape>,
}

impl Input {
    pub(super) fn of(attributes: &Attributes<'_>, new: Option<&Value>, matched: &Matched) -> Self {
        let call = attributes.call;
        let in_version = |object: Option<&Value>| {
            object.map_or(Value::Null, |object| {
                matching::in_version(object, &matched.kind)
            })
        };
        let is_namespace =
            call.resource.gvr.group.is_empty() && call.resource.gvr.resource == "namespaces";
        let namespace = if is_namespace || call.namespace.is_empty() {
            None
        } else {
            matching::namespace_of(&call.core, &call.namespace)
        };
        let request = attributes.request(new, matched);
        Self {
            object: in_version(new),
            old: in_version(attributes.old),
            namespace: namespace.unwrap_or(Value::Null),
            request,
            any: Shape::json(),
        }
    }

    /// The values in the order of [`environment`], without parameters and variables.
    pub(super) fn values(&self) -> Vec<Val<'_>> {
        let any = |value| from_json(value, &self.any);
        vec![
            any(&self.object),
            any(&self.old),
            any(&self.namespace),
            from_json(&self.request, &REQUEST),
        ]
    }

    /// A parameter's value.
    pub(super) fn parameter<'a>(&'a self, parameter: &'a Value) -> Val<'a> {
        from_json(parameter, &self.any)
    }
}
