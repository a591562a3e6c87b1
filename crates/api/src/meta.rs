//! What all kinds share: times, metadata, references, conditions, inventories.

mod artifact;
mod condition;
mod duration;
mod history;
mod inventory;
mod object;
mod object_meta;
mod patch;
mod reference;
mod revision;
mod selector;
mod time;

pub use artifact::Artifact;
pub use condition::{Condition, ConditionStatus, Conditions, EarlyCondition, MAX_MESSAGE_LENGTH};
pub use duration::{Duration, DurationError};
pub use history::{HISTORY_MAX_SIZE, Snapshot, record};
pub use inventory::{EntryError, Inventory, ObjectId, ResourceRef};
pub use object::{NoStatus, Object, Spec};
pub use object_meta::{ManagedFields, ObjectMeta, OwnerReference};
pub use patch::{
    CustomHealthCheck, IgnoreRule, Image, JsonPatch, JsonPatchOperation, Patch, Selector,
};
pub use reference::{
    DependencyReference, KubeConfigReference, LocalObjectReference, LooseObjectReference,
    NamespacedObjectKindReference, NamespacedObjectReference, SecretKeyReference,
};
pub use revision::{Digest, DigestError, Revision};
pub use selector::{
    AccessFrom, CommonMetadata, LabelSelector, LabelSelectorRequirement, NamespaceSelector,
};
pub use time::{Time, TimeError};
