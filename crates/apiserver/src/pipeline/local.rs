//! The in-process client: the verbs without HTTP.

use std::sync::Arc;

use object::{GroupVersionResource, Value};

use super::{Body, Call, Outcome, handle};
use crate::context::{Context, User};
use crate::core::Core;
use crate::error::ApiError;
use crate::http::Query;
use crate::http::negotiate::Accept;
use crate::store::{Event, Snapshot};

/// A client within the process. It is not asked whether its user may; the user only shows in
/// `managedFields`, admission and audit.
#[derive(Clone)]
pub struct Local {
    core: Arc<Core>,
    user: User,
    manager: String,
}

impl Local {
    /// A client that acts as a user.
    pub fn new(core: Arc<Core>, user: User) -> Self {
        Self {
            core,
            manager: user.name.rsplit(':').next().unwrap_or_default().to_owned(),
            user,
        }
    }

    /// The same under another field manager's name.
    #[must_use]
    pub fn with_manager(mut self, manager: &str) -> Self {
        manager.clone_into(&mut self.manager);
        self
    }

    /// What the parts of the server share.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// A call on an object, or on a resource if `name` is empty.
    pub fn call(
        &self,
        resource: &GroupVersionResource,
        namespace: &str,
        name: &str,
        query: &[(&str, &str)],
    ) -> Result<Call, ApiError> {
        let registry = self.core.registry();
        let served = registry
            .resource(&resource.group, &resource.version, &resource.resource)
            .ok_or_else(ApiError::unknown_resource)?;
        let mut pairs = query.to_vec();
        if !pairs.iter().any(|(key, _)| *key == "fieldManager") {
            pairs.push(("fieldManager", &self.manager));
        }
        Ok(Call {
            core: Arc::clone(&self.core),
            context: Arc::new(Context::new(self.user.clone(), self.manager.as_str())),
            resource: Arc::clone(served),
            subresource: String::new(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            rest: Vec::new(),
            query: Query::of(&pairs),
            accept: Accept::default(),
        })
    }

    async fn object(call: Call, verb: &str, body: Body) -> Result<Value, ApiError> {
        match handle(call, verb, body).await? {
            Outcome::Object(_, object) => Ok(object.into_value()),
            Outcome::List(list) => Ok(list.into_value()),
            Outcome::Text(_, text) => Ok(Value::from(text)),
            Outcome::Watch(_) => Err(ApiError::internal("a watch is not an object")),
        }
    }

    /// Reads an object.
    pub async fn get(
        &self,
        resource: &GroupVersionResource,
        namespace: &str,
        name: &str,
    ) -> Result<Value, ApiError> {
        let call = self.call(resource, namespace, name, &[])?;
        Self::object(call, "get", Body::Value(Value::Null)).await
    }

    /// Creates an object.
    pub async fn create(
        &self,
        resource: &GroupVersionResource,
        namespace: &str,
        object: Value,
    ) -> Result<Value, ApiError> {
        let call = self.call(resource, namespace, "", &[])?;
        Self::object(call, "create", Body::Value(object)).await
    }

    /// Creates what a subresource takes, as `pods/binding`.
    pub async fn create_subresource(
        &self,
        resource: &GroupVersionResource,
        (namespace, name, subresource): (&str, &str, &str),
        body: Value,
    ) -> Result<Value, ApiError> {
        let mut call = self.call(resource, namespace, name, &[])?;
        subresource.clone_into(&mut call.subresource);
        Self::object(call, "create", Body::Value(body)).await
    }

    /// Replaces an object, or a subresource of it (`status`) if `subresource` is not empty.
    pub async fn update(
        &self,
        resource: &GroupVersionResource,
        subresource: &str,
        object: Value,
    ) -> Result<Value, ApiError> {
        let namespace = object::meta::namespace(&object).to_owned();
        let name = object::meta::name(&object).to_owned();
        let mut call = self.call(resource, &namespace, &name, &[])?;
        subresource.clone_into(&mut call.subresource);
        Self::object(call, "update", Body::Value(object)).await
    }

    /// Patches an object or subresource; `media_type` names the kind of patch.
    pub async fn patch(
        &self,
        resource: &GroupVersionResource,
        (namespace, name, subresource): (&str, &str, &str),
        media_type: &str,
        patch: &Value,
    ) -> Result<Value, ApiError> {
        let mut call = self.call(resource, namespace, name, &[])?;
        subresource.clone_into(&mut call.subresource);
        let bytes = bytes::Bytes::from(patch.to_string());
        Self::object(call, "patch", Body::Bytes(bytes, media_type.to_owned())).await
    }

    /// Applies an object, taking over fields that others own.
    pub async fn apply(
        &self,
        resource: &GroupVersionResource,
        namespace: &str,
        name: &str,
        object: &Value,
    ) -> Result<Value, ApiError> {
        let call = self.call(resource, namespace, name, &[("force", "true")])?;
        let bytes = bytes::Bytes::from(object.to_string());
        let media_type = "application/apply-patch+yaml".to_owned();
        Self::object(call, "patch", Body::Bytes(bytes, media_type)).await
    }

    /// Deletes an object; `options` is a `DeleteOptions`, or null.
    pub async fn delete(
        &self,
        resource: &GroupVersionResource,
        namespace: &str,
        name: &str,
        options: Value,
    ) -> Result<Value, ApiError> {
        let call = self.call(resource, namespace, name, &[])?;
        Self::object(call, "delete", Body::Value(options)).await
    }

    /// All objects of a resource, in a namespace or (if it is empty) in all, as they are stored.
    pub fn list(
        &self,
        resource: &GroupVersionResource,
        namespace: &str,
    ) -> Result<Snapshot, ApiError> {
        let call = self.call(resource, namespace, "", &[])?;
        let range = crate::store::Range::namespace(namespace);
        Ok(call.bucket().list(&range))
    }

    /// The events of a resource after a revision; waits until there are some. An error means that
    /// the revision is too old: list again.
    pub async fn next_events(
        &self,
        resource: &GroupVersionResource,
        after: i64,
    ) -> Result<Vec<Arc<Event>>, ApiError> {
        let bucket = self.call(resource, "", "", &[])?.bucket();
        let mut changed = bucket.subscribe();
        loop {
            changed.borrow_and_update();
            let events = bucket.events_since(after, 1000).map_err(|gap| {
                ApiError::expired(format!(
                    "too old resource version: {after} ({})",
                    gap.oldest
                ))
            })?;
            if !events.is_empty() {
                return Ok(events);
            }
            // The sender lives as long as the bucket, which is held here.
            if changed.changed().await.is_err() {
                return Ok(Vec::new());
            }
        }
    }
}
