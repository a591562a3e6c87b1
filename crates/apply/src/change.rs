//! What became of objects: the words and lines of Flux's change sets.

use std::fmt;

use api::meta::{ObjectId, ResourceRef};
use object::{Value, meta};

use crate::error::ObjectError;

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// It was not there.
    Created,
    /// It was changed.
    Configured,
    /// It was as it should be.
    Unchanged,
    /// It was deleted, or is gone.
    Deleted,
    /// It was left alone on purpose.
    Skipped,
    /// Nobody knows: the request failed.
    Unknown,
}

impl Action {
    /// Whether something was done.
    pub fn has_changed(self) -> bool {
        !matches!(self, Self::Unchanged | Self::Skipped)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
        })
    }
}

/// What became of one object. Prints as Flux's change log: `Deployment/apps/web configured`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub id: ObjectId,
    /// The API version in which it was applied, without the group.
    pub version: String,
    /// What was done.
    pub action: Action,
    /// Whether the object had been changed by someone else since it was last applied, the manifest being the same.
    pub is_drift: bool,
    /// Which fields had drifted, as `.spec.replicas`; never their values. Known only for drift.
    pub fields: Vec<String>,
}

impl Change {
    /// A change of the object with this manifest.
    pub fn of(object: &Value, action: Action) -> Self {
        Self::new(
            id_of(object),
            object::GroupVersionKind::of(object).version,
            action,
        )
    }

    /// A change of an object.
    pub fn new(id: ObjectId, version: impl Into<String>, action: Action) -> Self {
        Self {
            id,
            version: version.into(),
            action,
            is_drift: false,
            fields: Vec::new(),
        }
    }

    /// `Deployment/apps/web`
    pub fn subject(&self) -> String {
        subject(&self.id)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject(), self.action)
    }
}

/// Which object a manifest or a live object is.
pub fn id_of(object: &Value) -> ObjectId {
    let gvk = object::GroupVersionKind::of(object);
    ObjectId {
        namespace: meta::namespace(object).to_owned(),
        name: meta::name(object).to_owned(),
        group: gvk.group,
        kind: gvk.kind,
    }
}

/// An object as messages name it: `Deployment/apps/web`, `Namespace/apps`.
pub fn subject(id: &ObjectId) -> String {
    if id.namespace.is_empty() {
        format!("{}/{}", id.kind, id.name)
    } else {
        format!("{}/{}/{}", id.kind, id.namespace, id.name)
    }
}

/// What became of a set of objects.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every object that was dealt with, in the order of applying or deleting.
    pub changes: Vec<Change>,
    /// What went wrong, all of it; the first is what Flux would report.
    pub errors: Vec<ObjectError>,
    /// How many of the changes belong to stages that are complete; Flux reports only these beside an error.
    pub(crate) complete: usize,
}

impl Outcome {
    /// Whether nothing went wrong.
    pub fn is_ok(&self) -> bool {
        self.errors.is_empty()
    }

    /// The objects to which something was done.
    pub fn changed(&self) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(|change| change.action.has_changed())
    }

    /// The lines of Flux's event about what was applied or deleted; empty if nothing was done.
    pub fn change_log(&self) -> String {
        lines(self.changed())
    }

    /// All changes, one a line; what Flux says of a deletion.
    pub fn log(&self) -> String {
        lines(self.changes.iter())
    }

    /// The text of Flux's error for a failed apply: the first failure, a line break, and what stages before it did.
    pub fn apply_error(&self) -> Option<String> {
        let first = self.errors.first()?;
        let done = self.changes[..self.complete.min(self.changes.len())].iter();
        let mut text = format!("{first}\n");
        for change in done.filter(|change| change.action.has_changed()) {
            text.push_str(&format!("{change}\n"));
        }
        Some(text)
    }

    /// The text of Flux's error for a failed deletion.
    pub fn delete_error(&self) -> Option<String> {
        if self.errors.is_empty() {
            return None;
        }
        let mut texts = String::new();
        for error in &self.errors {
            texts.push_str(&format!("{error};"));
        }
        Some(format!("delete failed, errors: {texts}"))
    }

    /// All failures, one a line, each with where its object comes from and what to do about it.
    pub fn detailed_errors(&self) -> String {
        let texts: Vec<String> = self.errors.iter().map(ObjectError::detailed).collect();
        texts.join("\n")
    }

    /// The inventory entries of the objects, in order.
    pub fn entries(&self) -> Vec<ResourceRef> {
        self.changes
            .iter()
            .map(|change| change.id.to_entry(&change.version))
            .collect()
    }
}

fn lines<'a>(changes: impl Iterator<Item = &'a Change>) -> String {
    let lines: Vec<String> = changes.map(ToString::to_string).collect();
    lines.join("\n")
}
