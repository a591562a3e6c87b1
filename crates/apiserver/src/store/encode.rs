//! Objects as the store keeps them: JSON bytes in an order that lets the server cut and splice.

use bytes::Bytes;
use serde_json::Value;

/// The fields of `metadata` before and after `resourceVersion`, in the order of Go's struct.
const BEFORE_VERSION: [&str; 5] = ["name", "generateName", "namespace", "selfLink", "uid"];
const AFTER_VERSION: [&str; 9] = [
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];
/// The fields of an entry of `managedFields`, likewise.
const ENTRY: [&str; 7] = [
    "manager",
    "operation",
    "apiVersion",
    "time",
    "fieldsType",
    "fieldsV1",
    "subresource",
];

/// An object in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The revision of the write that made it: its `metadata.resourceVersion`.
    pub revision: i64,
    /// `namespace/name`, or the name alone.
    pub key: Box<str>,
    /// The object as JSON: `{"kind":…,"apiVersion":…,"metadata":{…},…}`.
    pub raw: Bytes,
    /// Where `"metadata"` begins in `raw`: what comes before is the kind and version.
    pub body: u32,
}

impl Stored {
    /// The object as a value.
    pub fn value(&self) -> Value {
        // The bytes were written by `Encoded`, or checked when the database was read.
        serde_json::from_slice(&self.raw).unwrap_or(Value::Null)
    }

    /// The namespace; empty for objects of the cluster.
    pub fn namespace(&self) -> &str {
        self.key
            .split_once('/')
            .map_or("", |(namespace, _)| namespace)
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.key
            .split_once('/')
            .map_or(&*self.key, |(_, name)| name)
    }

    /// The bytes without kind and version, as the items of a built-in kind's list have them; to be
    /// written after a `{`.
    pub fn item_tail(&self) -> &[u8] {
        &self.raw[self.body as usize..]
    }
}

/// An object turned into bytes, but for its resource version.
#[derive(Debug, Clone)]
pub struct Encoded {
    bytes: Vec<u8>,
    body: u32,
    /// Where `"resourceVersion":"…",` goes.
    splice: usize,
    /// Whether `metadata` has other fields, so that a comma is needed.
    comma: bool,
}

impl Encoded {
    /// Encodes an object; a resource version it has is left out.
    pub fn of(object: &Value) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        let empty = serde_json::Map::new();
        let map = object.as_object().unwrap_or(&empty);
        bytes.push(b'{');
        for key in ["kind", "apiVersion"] {
            if let Some(value) = map.get(key) {
                write_key(&mut bytes, key);
                write_value(&mut bytes, value);
                bytes.push(b',');
            }
        }
        let body = bytes.len() as u32;
        bytes.extend_from_slice(b"\"metadata\":{");
        let metadata = map.get("metadata").and_then(Value::as_object);
        let mut comma = false;
        // In the order of Go's struct, with the resource version spliced in where it belongs.
        for key in BEFORE_VERSION {
            if let Some(value) = metadata.and_then(|metadata| metadata.get(key)) {
                write_key(&mut bytes, key);
                write_value(&mut bytes, value);
                bytes.push(b',');
            }
        }
        let splice = bytes.len();
        let known = AFTER_VERSION
            .iter()
            .filter_map(|key| Some((*key, metadata?.get(*key)?)));
        let others = metadata
            .unwrap_or(&empty)
            .iter()
            .map(|(key, value)| (key.as_str(), value))
            .filter(|(key, _)| {
                *key != "resourceVersion"
                    && !BEFORE_VERSION.contains(key)
                    && !AFTER_VERSION.contains(key)
            });
        for (key, value) in known.chain(others) {
            if comma {
                bytes.push(b',');
            }
            comma = true;
            write_key(&mut bytes, key);
            if key == "managedFields" {
                write_managed(&mut bytes, value);
            } else {
                write_value(&mut bytes, value);
            }
        }
        bytes.push(b'}');
        for (key, value) in map {
            if matches!(key.as_str(), "kind" | "apiVersion" | "metadata") {
                continue;
            }
            bytes.push(b',');
            write_key(&mut bytes, key);
            write_value(&mut bytes, value);
        }
        bytes.push(b'}');
        Self {
            bytes,
            body,
            splice,
            comma,
        }
    }

    /// The bytes with a resource version; none if it is empty.
    pub fn bytes_with(&self, resource_version: &str) -> Vec<u8> {
        let mut raw = Vec::with_capacity(self.bytes.len() + resource_version.len() + 24);
        raw.extend_from_slice(&self.bytes[..self.splice]);
        if resource_version.is_empty() {
            if !self.comma && raw.last() == Some(&b',') {
                raw.pop();
            }
        } else {
            raw.extend_from_slice(b"\"resourceVersion\":\"");
            raw.extend_from_slice(resource_version.as_bytes());
            raw.push(b'"');
            if self.comma {
                raw.push(b',');
            }
        }
        raw.extend_from_slice(&self.bytes[self.splice..]);
        raw
    }

    /// The bytes with a resource version; without kind and API version if `bare`.
    pub fn stored_bytes(&self, resource_version: &str, bare: bool) -> Vec<u8> {
        let mut raw = self.bytes_with(resource_version);
        if bare {
            raw.drain(1..self.body as usize);
        }
        raw
    }

    /// The stored object, at a revision.
    pub fn stored(&self, key: &str, revision: i64) -> Stored {
        let mut buffer = itoa::Buffer::new();
        Stored {
            revision,
            key: key.into(),
            raw: Bytes::from(self.bytes_with(buffer.format(revision))),
            body: self.body,
        }
    }

    /// Whether an object has these very bytes, its resource version left aside.
    pub fn is_same_as(&self, stored: &Stored) -> bool {
        let mut buffer = itoa::Buffer::new();
        let version = buffer.format(stored.revision).len() + "\"resourceVersion\":\"\"".len();
        let version = version + usize::from(self.comma);
        let raw = &stored.raw;
        raw.len() == self.bytes.len() + version
            && raw[..self.splice] == self.bytes[..self.splice]
            && raw[self.splice + version..] == self.bytes[self.splice..]
    }
}

fn write_key(bytes: &mut Vec<u8>, key: &str) {
    write_text(bytes, key);
    bytes.push(b':');
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(bytes, text).expect("writing to memory cannot fail");
}

/// Writes a value as compact JSON.
pub(crate) fn write_value(bytes: &mut Vec<u8>, value: &Value) {
    serde_json::to_writer(bytes, value).expect("a JSON value has text keys only");
}

fn write_managed(bytes: &mut Vec<u8>, entries: &Value) {
    let Some(entries) = entries.as_array() else {
        return write_value(bytes, entries);
    };
    bytes.push(b'[');
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        let Some(map) = entry.as_object() else {
            write_value(bytes, entry);
            continue;
        };
        bytes.push(b'{');
        let mut comma = false;
        let others = map
            .keys()
            .map(String::as_str)
            .filter(|key| !ENTRY.contains(key));
        for key in ENTRY.into_iter().chain(others) {
            if let Some(value) = map.get(key) {
                if comma {
                    bytes.push(b',');
                }
                comma = true;
                write_key(bytes, key);
                write_value(bytes, value);
            }
        }
        bytes.push(b'}');
    }
    bytes.push(b']');
}
