//! Reading and writing the entries of `metadata.managedFields`.
//!
//! Source: apimachinery `pkg/util/managedfields/internal/managedfields.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::times::unix_seconds;
use crate::field::quote;
use crate::smd::fieldset::{FieldsError, Set};
use crate::smd::merge::{Managers, VersionedSet};

/// How a manager came to own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Operation {
    /// It declared them.
    Apply,
    /// It wrote them by another request.
    Update,
}

impl Operation {
    /// `Apply` or `Update`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// What tells one entry from another.
///
/// Written as JSON it is the identifier of the manager in [`Managers`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerId {
    /// The name of the manager.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manager: String,
    /// How it came to own fields.
    pub operation: Operation,
    /// The version it used; empty if it applied, since an applier has one entry.
    #[serde(
        default,
        rename = "apiVersion",
        skip_serializing_if = "String::is_empty"
    )]
    pub api_version: String,
    /// The subresource it used; empty for the resource itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subresource: String,
}

impl ManagerId {
    /// The identifier of an entry.
    pub fn new(manager: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let api_version = match operation {
            Operation::Apply => "",
            Operation::Update => api_version,
        };
        Self {
            manager: manager.to_owned(),
            operation,
            api_version: api_version.to_owned(),
            subresource: subresource.to_owned(),
        }
    }

    /// The text that stands for it.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("texts become JSON")
    }

    /// What a text stands for; `None` for texts of other makers.
    pub fn decode(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Entries that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The list or an entry has the wrong type.
    #[error("managed fields must be a list of objects")]
    NotEntries,
    /// An operation that is not known.
    #[error("operation must be `Apply` or `Update`")]
    Operation,
    /// An entry without version.
    #[error("apiVersion must not be empty")]
    ApiVersion,
    /// An entry that does not say how its fields are written.
    #[error("missing fieldsType in managed fields entry {0}")]
    MissingFieldsType(usize),
    /// An entry whose fields are written in an unknown way.
    #[error("invalid fieldsType {} in managed fields entry {index}", quote(.fields_type))]
    FieldsType {
        /// The way.
        fields_type: String,
        /// The entry's place in the list.
        index: usize,
    },
    /// Fields that cannot be read.
    #[error("error decoding versioned set of {manager}: error decoding set: {why}")]
    Fields {
        /// The name of the manager.
        manager: String,
        /// What is wrong with them.
        why: FieldsError,
    },
}

/// The entries of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Managed {
    /// Who owns what.
    pub fields: Managers,
    /// When each manager last changed something, as RFC 3339.
    pub times: BTreeMap<String, String>,
}

impl Managed {
    /// The entries of `object`.
    ///
    /// # Errors
    /// What is wrong with the first bad entry.
    pub fn of_object(object: &Value) -> Result<Self, DecodeError> {
        match object.pointer("/metadata/managedFields") {
            Some(entries) => Self::decode(entries),
            None => Ok(Self::default()),
        }
    }

    /// Reads a list of entries; null has none.
    ///
    /// # Errors
    /// What is wrong with the first bad entry.
    pub fn decode(entries: &Value) -> Result<Self, DecodeError> {
        let entries = match entries {
            Value::Array(entries) => entries,
            Value::Null => return Ok(Self::default()),
            _ => return Err(DecodeError::NotEntries),
        };
        let mut managed = Self::default();
        let mut versions: Vec<Arc<str>> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            managed.decode_entry(entry, index, &mut versions)?;
        }
        Ok(managed)
    }

    fn decode_entry(
        &mut self,
        entry: &Value,
        index: usize,
        versions: &mut Vec<Arc<str>>,
    ) -> Result<(), DecodeError> {
        let entry = entry.as_object().ok_or(DecodeError::NotEntries)?;
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let operation = match text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err(DecodeError::Operation),
        };
        let api_version = text("apiVersion");
        if api_version.is_empty() {
            return Err(DecodeError::ApiVersion);
        }
        match text("fieldsType") {
            "FieldsV1" => {}
            "" => return Err(DecodeError::MissingFieldsType(index)),
            other => {
                return Err(DecodeError::FieldsType {
                    fields_type: other.to_owned(),
                    index,
                });
            }
        }
        let id = ManagerId::new(text("manager"), operation, api_version, text("subresource"));
        let set = entry
            .get("fieldsV1")
            .map_or(Ok(Set::new()), Set::from_value)
            .map_err(|why| DecodeError::Fields {
                manager: id.manager.clone(),
                why,
            })?;
        let version = match versions.iter().find(|known| ***known == *api_version) {
            Some(known) => Arc::clone(known),
            None => {
                let version: Arc<str> = api_version.into();
                versions.push(Arc::clone(&version));
                version
            }
        };
        let key = id.encode();
        match entry.get("time").and_then(Value::as_str) {
            Some(time) => self.times.insert(key.clone(), time.to_owned()),
            None => self.times.remove(&key),
        };
        let owned = VersionedSet {
            set: Arc::new(set),
            api_version: version,
            applied: operation == Operation::Apply,
        };
        self.fields.insert(key, owned);
        Ok(())
    }

    /// The list of entries: appliers first, each group by time, name, version and subresource.
    pub fn encode(&self) -> Vec<Value> {
        let mut entries: Vec<(ManagerId, i64, Value)> = self
            .fields
            .iter()
            .filter_map(|(key, owned)| self.encode_entry(key, owned))
            .collect();
        entries.sort_by(|(left, left_time, _), (right, right_time, _)| {
            (left.operation.cmp(&right.operation))
                .then_with(|| left_time.cmp(right_time))
                .then_with(|| left.manager.cmp(&right.manager))
                .then_with(|| left.api_version.cmp(&right.api_version))
                .then_with(|| left.subresource.cmp(&right.subresource))
        });
        entries.into_iter().map(|(_, _, entry)| entry).collect()
    }

    /// One entry, with what it is sorted by. Identifiers are only made by [`ManagerId::encode`].
    fn encode_entry(&self, key: &str, owned: &VersionedSet) -> Option<(ManagerId, i64, Value)> {
        let mut id = ManagerId::decode(key)?;
        id.api_version = (*owned.api_version).to_owned();
        if owned.applied {
            id.operation = Operation::Apply;
        }
        let time = self.times.get(key);
        let mut entry = Map::new();
        let mut put = |key: &str, text: &str| {
            if !text.is_empty() {
                entry.insert(key.to_owned(), Value::String(text.to_owned()));
            }
        };
        put("manager", &id.manager);
        put("operation", id.operation.as_str());
        put("apiVersion", &id.api_version);
        put("time", time.map_or("", String::as_str));
        put("fieldsType", "FieldsV1");
        put("subresource", &id.subresource);
        entry.insert("fieldsV1".to_owned(), owned.set.to_value());
        let seconds = time.map_or(0, |time| unix_seconds(time));
        Some((id, seconds, Value::Object(entry)))
    }

    /// Puts the entries into `object`, in place of those it has.
    pub fn store(&self, object: &mut Value) {
        let entries = self.encode();
        if entries.is_empty() {
            remove_managed_fields(object);
            return;
        }
        let Value::Object(object) = object else {
            return;
        };
        let metadata = object
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(metadata) = metadata {
            metadata.insert("managedFields".to_owned(), Value::Array(entries));
        }
    }
}

/// Removes the entries from `object`.
pub(super) fn remove_managed_fields(object: &mut Value) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
}
