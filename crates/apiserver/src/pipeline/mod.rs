//! The verbs: what a request does to the store. One verb a file.
//!
//! HTTP requests and in-process callers ([`Local`]) make a [`Call`] and come in through [`handle`].

mod create;
mod custom;
mod custom_rules;
mod decode;
mod definition_rules;
mod delete;
mod delete_collection;
mod duplicates;
mod get;
mod go_text;
mod list;
mod local;
mod managed;
mod metadata;
mod options;
mod patch;
mod pods;
mod read;
mod rules;
mod scale;
mod selector;
mod services;
pub(crate) mod special;
pub mod subresource;
mod update;
mod watch;
mod write;

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use object::{GroupKind, GroupResource, Value};

use crate::context::Context;
use crate::core::Core;
use crate::error::ApiError;
use crate::http::{Query, negotiate::Accept};
use crate::registry::ServedResource;
use crate::store::{Bucket, Stored, key_of};

pub use list::Listed;
pub use local::Local;
pub use managed::Managers;
pub use options::{DeleteOptions, Validation, WriteOptions, check_timeout};
pub use read::view;

/// A request on a resource.
#[derive(Clone)]
pub struct Call {
    /// What the parts share.
    pub core: Arc<Core>,
    /// Who asks.
    pub context: Arc<Context>,
    /// The resource, in the version asked for.
    pub resource: Arc<ServedResource>,
    /// The subresource; may be empty.
    pub subresource: String,
    /// The namespace; empty for the cluster.
    pub namespace: String,
    /// The object's name; may be empty.
    pub name: String,
    /// What comes after the subresource in the path.
    pub rest: Vec<String>,
    /// The query.
    pub query: Query,
    /// What the client accepts: it decides on what a watch sends.
    pub accept: Accept,
}

/// What came with a request.
#[derive(Debug, Clone)]
pub enum Body {
    /// Bytes, of a media type.
    Bytes(Bytes, String),
    /// A value, from within the process.
    Value(Value),
}

/// An object to answer with.
#[derive(Debug, Clone)]
pub enum Object {
    /// As it is stored; the version asked for is the one it is stored in.
    Stored(Arc<Stored>),
    /// Made for this answer.
    Value(Value),
}

impl Object {
    /// The object as a value.
    pub fn into_value(self) -> Value {
        match self {
            Self::Stored(stored) => stored.value(),
            Self::Value(value) => value,
        }
    }
}

/// A running watch: each item is a whole frame.
pub type Frames = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// What a request comes to.
pub enum Outcome {
    /// An object, and the HTTP status.
    Object(u16, Object),
    /// A list.
    List(Listed),
    /// A watch.
    Watch(Frames),
    /// Text.
    Text(u16, String),
}

impl Call {
    /// Where the objects are.
    pub fn bucket(&self) -> Arc<Bucket> {
        self.core.store.bucket(&self.resource.storage)
    }

    /// The key of the object asked for.
    pub fn key(&self) -> String {
        key_of(&self.namespace, &self.name)
    }

    /// The group and resource, as messages name them.
    pub fn group_resource(&self) -> GroupResource {
        self.resource.group_resource()
    }

    /// The group and kind, as messages name them.
    pub fn group_kind(&self) -> GroupKind {
        self.resource.gvk.group_kind()
    }

    /// The error for an object that is not there.
    pub fn not_found(&self) -> ApiError {
        ApiError::not_found(&self.group_resource(), &self.name)
    }

    /// The same call for another object.
    pub fn named(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self.clone()
        }
    }
}

/// Does what a request asks for. `verb` is as [`crate::http::RequestInfo`] has it.
pub async fn handle(call: Call, verb: &str, body: Body) -> Result<Outcome, ApiError> {
    if !call.subresource.is_empty() {
        return subresource::handle(call, verb, body).await;
    }
    match verb {
        "get" => get::get(&call),
        "list" => list::list(&call).map(Outcome::List),
        "watch" => watch::watch(&call),
        "create" => create::create(&call, body).await,
        "update" => update::update(&call, body).await,
        "patch" => patch::patch(&call, body).await,
        "delete" => delete::delete(&call, body).await,
        "deletecollection" => delete_collection::delete_collection(&call, body).await,
        _ => Err(ApiError::method_not_allowed()),
    }
}
