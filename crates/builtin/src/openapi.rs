//! The OpenAPI documents of the built-in kinds, made from the facts.
//!
//! Version 3 is made first; version 2 is what is left of it ([`v2`]). Sources: kube-openapi `pkg/builder`,
//! `pkg/builder3`, apiserver `pkg/endpoints/installer.go`.

mod discovery;
mod operations;
mod paths;
mod schema;
pub mod v2;
mod v3_protobuf;
mod wire;

use std::collections::BTreeSet;

use object::{Map, Value};
use serde_json::json;

use crate::facts::facts;

pub use operations::{Action, Endpoint};
pub use paths::group_path;
pub use v3_protobuf::encode_v3;

/// A version of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Version 2, in which a reference stands alone and defaults are left out.
    V2,
    /// Version 3.
    V3,
}

impl Form {
    /// What references to schemas begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::V2 => "#/definitions/",
            Self::V3 => "#/components/schemas/",
        }
    }
}

/// The documents of version 3 that are there without definitions, by what follows `/openapi/v3/`:
/// `api`, `api/v1`, `apis/apps`, `apis/apps/v1` …
pub fn documents() -> Vec<String> {
    let mut names: Vec<String> = paths::FIXED.iter().map(|name| (*name).to_owned()).collect();
    for group in &facts().groups {
        if group.name.is_empty() {
            names.push("api".to_owned());
        } else {
            names.push(format!("apis/{}", group.name));
        }
        for version in &group.versions {
            names.push(group_path(&group.name, version));
        }
    }
    names
}

/// The paths of one of [`documents`], in the form of version 3; empty for one that is not known.
pub fn paths(document: &str) -> Map<String, Value> {
    paths::of(document)
}

/// Schemas with all that they refer to. Names that are no built-in type are passed over.
pub fn schemas<'a>(roots: impl IntoIterator<Item = &'a str>, form: Form) -> Map<String, Value> {
    let mut waiting: Vec<String> = roots.into_iter().map(str::to_owned).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut schemas = Map::new();
    while let Some(name) = waiting.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if let Some(schema) = schema::of_type(&name, form) {
            references(&schema, form, &mut waiting);
            schemas.insert(name, schema);
        }
    }
    schemas
}

/// The names of the schemas to which a part of a document refers.
pub fn references(part: &Value, form: Form, found: &mut Vec<String>) {
    match part {
        Value::Object(map) => {
            for (key, value) in map {
                match value
                    .as_str()
                    .and_then(|text| text.strip_prefix(form.prefix()))
                {
                    Some(name) if key == "$ref" => found.push(name.to_owned()),
                    _ => references(value, form, found),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                references(item, form, found);
            }
        }
        _ => {}
    }
}

/// A document of version 3 out of its paths and schemas.
pub fn v3(paths: Map<String, Value>, schemas: Map<String, Value>) -> Value {
    json!({
        "openapi": "3.0.0",
        "info": info(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"BearerToken": bearer()},
        },
    })
}

/// What documents say of themselves.
fn info() -> Value {
    let version = |key: &str| facts().version[key].as_str().unwrap_or_default();
    json!({
        "title": "Kubernetes",
        "version": format!("{}.{}", version("major"), version("minor")),
    })
}

fn bearer() -> Value {
    json!({
        "type": "apiKey",
        "description": "Bearer Token authentication",
        "name": "authorization",
        "in": "header",
    })
}
