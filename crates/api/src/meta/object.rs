//! An object of a Flux kind: metadata, spec and status.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ObjectMeta;
use crate::kind::Names;
use crate::schema::{Schema, Shape};

/// The desired state of a kind in one version; names the kind and its status.
pub trait Spec: Shape + Serialize + DeserializeOwned + Clone + Default {
    /// The observed state.
    type Status: Shape + Serialize + DeserializeOwned + Clone + Default;
    /// The kind.
    const NAMES: &'static Names;
    /// The version.
    const VERSION: &'static str;
}

/// An object whose desired state is `S`.
///
/// As in Go, a missing `spec` is the zero value and is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    bound(
        serialize = "S: Serialize, S::Status: Serialize",
        deserialize = "S: Spec"
    )
)]
pub struct Object<S: Spec> {
    /// Group and version.
    #[serde(default)]
    pub api_version: String,
    /// The kind.
    #[serde(default)]
    pub kind: String,
    /// Names, labels and the like.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// The desired state.
    #[serde(default, deserialize_with = "crate::schema::null_as_default")]
    pub spec: S,
    /// The observed state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<S::Status>,
}

impl<S: Spec> Object<S> {
    /// A new object with the given name and desired state.
    pub fn new(namespace: &str, name: &str, spec: S) -> Self {
        Self {
            api_version: S::NAMES.api_version(S::VERSION),
            kind: S::NAMES.kind.to_owned(),
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace.to_owned()).filter(|namespace| !namespace.is_empty()),
                ..ObjectMeta::default()
            },
            spec,
            status: None,
        }
    }

    /// The observed state, made if there is none yet.
    pub fn status_mut(&mut self) -> &mut S::Status {
        self.status.get_or_insert_default()
    }
}

impl<S: Spec> Shape for Object<S> {
    fn schema() -> Schema {
        let text = |description: &str| {
            let mut schema = String::schema();
            schema.describe(description);
            schema
        };
        let mut spec = S::schema();
        let description = spec
            .at_mut("")
            .and_then(|keywords| keywords.remove("description"));
        let mut object = Schema::object();
        if let Some(description) = description {
            object.set("description", description);
        }
        spec.describe("The desired state.");
        object.property(
            "apiVersion",
            false,
            text("The group and version in which the object is written."),
        );
        object.property("kind", false, text("The kind of the object."));
        object.property("metadata", false, Schema::object());
        object.property("spec", false, spec);
        if !S::Status::ABSENT {
            let mut status = S::Status::schema();
            status.describe("The observed state.");
            object.property("status", false, status);
        }
        object
    }
}

/// The status of a kind that has none. Whatever an object carries there is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoStatus {}

impl Shape for NoStatus {
    const ABSENT: bool = true;

    fn schema() -> Schema {
        Schema::from(json!({"type": "object"}))
    }
}
