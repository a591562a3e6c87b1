//! The OpenAPI documents of what is served.
//!
//! Documents are made when they are asked for and not kept, but for the last few: clients ask once and
//! keep them under their hash. Sources: kube-openapi `pkg/handler`, `pkg/handler3`.

mod cache;
mod custom;

use std::sync::Arc;

use builtin::openapi::{self, Form};
use bytes::Bytes;
use object::{Map, Value};

use crate::core::Core;
use crate::http::negotiate;
use crate::registry::Registry;

pub use cache::Cache;

const JSON: &str = "application/json";
const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const V3_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";

/// What is answered.
pub enum Answer {
    /// A document.
    Document(Document),
    /// There is no such document.
    NotFound,
    /// There is none of a type that the client accepts.
    NotAcceptable,
}

/// A document: its media type, entity tag and bytes.
pub struct Document {
    /// The `Content-Type`.
    pub media_type: &'static str,
    /// The hash that is the `ETag`: SHA-512 of the JSON form in upper-case hexadecimal digits.
    pub hash: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// Answers `/openapi/v2`, `/openapi/v3` and what is below. `accept` is the request's header.
pub fn answer(core: &Core, path: &str, accept: &str) -> Answer {
    let registry = core.registry();
    let cache = &core.openapi;
    match path {
        "/openapi/v3" | "/openapi/v3/" => {
            let made = cache.document(&registry, "v3", || index(cache, &registry));
            // The server leaves the type of this one to be guessed, which comes to plain text.
            Answer::Document(made.with_type("text/plain; charset=utf-8"))
        }
        "/openapi/v2" => {
            let make = || v2(&registry);
            match form(accept, "v2") {
                Some(false) => {
                    Answer::Document(cache.document(&registry, "v2", make).with_type(JSON))
                }
                Some(true) => Answer::Document(protobuf(cache, &registry, "v2", V2_PROTOBUF, make)),
                None => Answer::NotAcceptable,
            }
        }
        _ => {
            let Some(name) = path.strip_prefix("/openapi/v3/") else {
                return Answer::NotFound;
            };
            if !names(&registry).iter().any(|known| known == name) {
                return Answer::NotFound;
            }
            let make = || v3(&registry, name);
            match form(accept, "v3") {
                Some(false) => {
                    Answer::Document(cache.document(&registry, name, make).with_type(JSON))
                }
                Some(true) => Answer::Document(protobuf(cache, &registry, name, V3_PROTOBUF, make)),
                None => Answer::NotAcceptable,
            }
        }
    }
}

/// Whether the client wants protobuf or JSON.
fn form(accept: &str, version: &str) -> Option<bool> {
    let protobuf = [
        format!("application/com.github.proto-openapi.spec.{version}.v1.0+protobuf"),
        format!("application/com.github.proto-openapi.spec.{version}@v1.0+protobuf"),
    ];
    negotiate::clauses(accept)
        .iter()
        .find_map(|clause| match clause.media_type.as_str() {
            JSON | "application/*" | "*/*" | "*" => Some(false),
            other => protobuf.iter().any(|known| known == other).then_some(true),
        })
}

fn protobuf(
    cache: &Cache,
    registry: &Registry,
    name: &str,
    media_type: &'static str,
    make: impl FnOnce() -> Value,
) -> Document {
    let made = cache.document(registry, name, make);
    let document: Value = serde_json::from_slice(&made.bytes).unwrap_or_default();
    let encoded = if media_type == V2_PROTOBUF {
        openapi::v2::encode(&document)
    } else {
        openapi::encode_v3(&document)
    };
    Document {
        media_type,
        hash: made.hash,
        bytes: Bytes::from(encoded),
    }
}

/// The documents of version 3.
fn names(registry: &Registry) -> Vec<String> {
    let mut names = openapi::documents();
    for group in registry.groups() {
        for version in &group.versions {
            let name = openapi::group_path(&group.group, &version.version);
            if !names.contains(&name) && !version.resources.is_empty() {
                names.push(name);
            }
        }
    }
    names
}

/// The list of documents with their hashes.
fn index(cache: &Cache, registry: &Registry) -> Value {
    let mut paths = Map::new();
    for name in names(registry) {
        let hash = cache.hash(registry, &name, || v3(registry, &name));
        let url = format!("/openapi/v3/{name}?hash={hash}");
        paths.insert(name, serde_json::json!({"serverRelativeURL": url}));
    }
    serde_json::json!({"paths": paths})
}

/// A document of version 3.
fn v3(registry: &Registry, name: &str) -> Value {
    let mut paths = openapi::paths(name);
    let mut schemas = Map::new();
    custom::add(registry, Some(name), Form::V3, &mut paths, &mut schemas);
    complete(&paths, &mut schemas, Form::V3, Form::V3);
    openapi::v3(paths, schemas)
}

/// The document of version 2.
fn v2(registry: &Registry) -> Value {
    let mut paths = Map::new();
    for name in openapi::documents() {
        paths.extend(openapi::paths(&name));
    }
    let mut schemas = Map::new();
    custom::add(registry, None, Form::V2, &mut paths, &mut schemas);
    complete(&paths, &mut schemas, Form::V3, Form::V2);
    openapi::v2::document(paths, schemas)
}

/// Adds the built-in schemas to which paths and schemas refer.
fn complete(
    paths: &Map<String, Value>,
    schemas: &mut Map<String, Value>,
    of_paths: Form,
    of_schemas: Form,
) {
    let mut names = Vec::new();
    for item in paths.values() {
        openapi::references(item, of_paths, &mut names);
    }
    for schema in schemas.values() {
        openapi::references(schema, of_schemas, &mut names);
    }
    let builtin = openapi::schemas(names.iter().map(String::as_str), of_schemas);
    for (name, schema) in builtin {
        schemas.entry(name).or_insert(schema);
    }
}

/// Kept bytes with their hash.
#[derive(Clone)]
pub(crate) struct Made {
    hash: String,
    bytes: Bytes,
    generation: u64,
    name: Arc<str>,
}

impl Made {
    fn with_type(self, media_type: &'static str) -> Document {
        Document {
            media_type,
            hash: self.hash,
            bytes: self.bytes,
        }
    }
}
