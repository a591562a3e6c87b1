//! `list`: many objects.

use std::sync::Arc;

use object::{Value, meta};
use serde_json::json;

use super::{Call, Object, read};
use crate::error::ApiError;
use crate::registry::ServedResource;
use crate::store::Range;

/// A list.
pub struct Listed {
    /// The resource, in the version asked for.
    pub resource: Arc<ServedResource>,
    /// The revision of the list.
    pub revision: i64,
    /// The token for the next page; empty at the end.
    pub continue_token: String,
    /// How many objects come after this page, if that is known.
    pub remaining: Option<i64>,
    /// The objects.
    pub items: Vec<Object>,
}

impl Listed {
    /// The list as a value; each item has its kind and version.
    pub fn into_value(self) -> Value {
        let items: Vec<Value> = self.items.into_iter().map(Object::into_value).collect();
        let mut list = json!({
            "apiVersion": self.resource.gvk.api_version(),
            "kind": self.resource.list_kind,
            "metadata": {"resourceVersion": self.revision.to_string()},
            "items": items,
        });
        if !self.continue_token.is_empty() {
            list["metadata"]["continue"] = Value::from(self.continue_token);
        }
        if let Some(remaining) = self.remaining {
            list["metadata"]["remainingItemCount"] = Value::from(remaining);
        }
        list
    }

    /// The names of the items.
    pub fn names(&self) -> Vec<String> {
        self.items
            .iter()
            .map(|item| match item {
                Object::Stored(stored) => stored.name().to_owned(),
                Object::Value(value) => meta::name(value).to_owned(),
            })
            .collect()
    }
}

/// Lists objects.
pub(super) async fn list(call: &Call) -> Result<Listed, ApiError> {
    let snapshot = call.bucket().list(&Range::namespace(&call.namespace));
    Ok(Listed {
        resource: Arc::clone(&call.resource),
        revision: snapshot.revision,
        continue_token: String::new(),
        remaining: None,
        items: snapshot
            .objects
            .into_iter()
            .map(|stored| read::view(&call.resource, stored))
            .collect(),
    })
}
