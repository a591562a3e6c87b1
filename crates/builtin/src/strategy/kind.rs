//! The strategy of one kind as a table: what differs between kinds, with what they share applied around it.
//!
//! Source: apiserver `registry/rest` (`BeforeCreate`, `BeforeUpdate`) and `pkg/registry/*/*/strategy.go`.

use object::field::ErrorList;
use object::names;
use serde_json::Value;

use super::edit::{keep, remove, set};
use super::equality::equal;
use super::node::{Errors, Node, peek};
use super::{Context, ResetFields, Strategy, metadata};

pub(crate) type Edit = fn(&Context<'_>, &mut Value);
pub(crate) type EditUpdate = fn(&Context<'_>, &mut Value, &Value);
pub(crate) type Check = fn(&Context<'_>, &Node<'_>, &mut Errors);
pub(crate) type CheckUpdate = fn(&Context<'_>, &Node<'_>, &Node<'_>, &mut Errors);
pub(crate) type Warn = fn(&Node<'_>, &mut Vec<String>);
pub(crate) type WarnUpdate = fn(&Node<'_>, &Node<'_>, &mut Vec<String>);
/// Paths of fields.
pub(crate) type Fields = &'static [&'static [&'static str]];

/// When `metadata.generation` rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// Never; the kind has none.
    None,
    /// From 1, when one of these fields changes. (A path may be of fields joined by dots.)
    On(&'static [&'static str]),
    /// The same from 0.
    FromZero(&'static [&'static str]),
}

/// How updates of a subresource differ from those of the object.
pub(crate) struct Subresource {
    pub(crate) name: &'static str,
    pub(crate) prepare: EditUpdate,
    pub(crate) validate: CheckUpdate,
    pub(crate) warn: WarnUpdate,
    pub(crate) reset: ResetFields,
}

/// What is particular to a kind.
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) namespaced: bool,
    pub(crate) create_on_update: bool,
    pub(crate) unconditional_update: bool,
    /// For a status that belongs to a subresource (dropped on creation, kept on update): its zero value as
    /// JSON, as Go writes it.
    pub(crate) status: Option<&'static str>,
    pub(crate) generation: Generation,
    pub(crate) prepare_create: Edit,
    pub(crate) prepare_update: EditUpdate,
    pub(crate) validate: Check,
    pub(crate) validate_update: CheckUpdate,
    pub(crate) warn: Warn,
    /// Warnings on update; upstream often warns only if the generation rose.
    pub(crate) warn_update: WarnUpdate,
    pub(crate) canonicalize: fn(&mut Value),
    pub(crate) subresources: &'static [Subresource],
    /// Fields that apply to the main resource does not own, besides the status.
    pub(crate) reset: Fields,
    pub(crate) grace_period: Option<fn(&Value, Option<i64>) -> i64>,
}

const STATUS: Fields = &[&["status"]];
const SPEC: Fields = &[&["spec"]];

impl Kind {
    /// A namespaced kind without status or generation that only has metadata to validate.
    pub(crate) const fn new(group: &'static str, resource: &'static str) -> Self {
        Self {
            group,
            resource,
            namespaced: true,
            create_on_update: false,
            unconditional_update: true,
            status: None,
            generation: Generation::None,
            prepare_create: |_, _| {},
            prepare_update: |_, _, _| {},
            validate: |_, _, _| {},
            validate_update: |_, _, _, _| {},
            warn: |_, _| {},
            warn_update: |_, _, _| {},
            canonicalize: |_| {},
            subresources: &[],
            reset: &[],
            grace_period: None,
        }
    }

    fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| sub.name == name)
    }

    fn spec_changed(&self, new: &Value, old: &Value) -> bool {
        match self.generation {
            Generation::None => false,
            Generation::On(fields) | Generation::FromZero(fields) => fields
                .iter()
                .any(|field| !equal(peek(new, field), peek(old, field))),
        }
    }
}

/// The status subresource of most kinds: the spec stays.
pub(crate) const fn status(validate: CheckUpdate) -> Subresource {
    Subresource {
        name: "status",
        prepare: keep_spec,
        validate,
        warn: |_, _, _| {},
        reset: ResetFields::Except(SPEC),
    }
}

/// Keeps the spec.
pub(crate) fn keep_spec(_: &Context<'_>, new: &mut Value, old: &Value) {
    keep(new, old, "spec");
}

/// Keeps spec and all metadata that a status update may not change (`ResetObjectMetaForStatus`).
pub(crate) fn keep_spec_and_metadata(_: &Context<'_>, new: &mut Value, old: &Value) {
    keep(new, old, "spec");
    keep_metadata(new, old);
}

/// `metav1.ResetObjectMetaForStatus`.
pub(crate) fn keep_metadata(new: &mut Value, old: &Value) {
    for field in [
        "deletionTimestamp",
        "generation",
        "selfLink",
        "labels",
        "annotations",
        "finalizers",
        "ownerReferences",
    ] {
        keep(new, old, &format!("metadata.{field}"));
    }
}

fn generation(object: &Value) -> i64 {
    peek(object, "metadata.generation")
        .as_i64()
        .unwrap_or_default()
}

pub(crate) fn set_generation(object: &mut Value, generation: i64) {
    if let Some(metadata) = super::edit::field(object, "metadata") {
        set(metadata, "generation", generation);
    }
}

/// What no update can change, and what it may leave out.
fn keep_system_fields(new: &mut Value, old: &Value) {
    let metadata = peek(old, "metadata");
    if peek(new, "metadata.uid")
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        keep(new, old, "metadata.uid");
    }
    if !metadata
        .get("creationTimestamp")
        .unwrap_or(&Value::Null)
        .is_null()
    {
        keep(new, old, "metadata.creationTimestamp");
    }
    if !metadata
        .get("deletionTimestamp")
        .unwrap_or(&Value::Null)
        .is_null()
    {
        keep(new, old, "metadata.deletionTimestamp");
    }
    if !peek(old, "metadata.deletionGracePeriodSeconds").is_null()
        && peek(new, "metadata.deletionGracePeriodSeconds").is_null()
    {
        keep(new, old, "metadata.deletionGracePeriodSeconds");
    }
}

impl Strategy for Kind {
    fn namespaced(&self) -> bool {
        self.namespaced
    }

    fn prepare_for_create(&self, cx: &Context<'_>, object: &mut Value) {
        if let Some(zero) = self.status {
            let zero: Value = serde_json::from_str(zero).unwrap_or_default();
            set(object, "status", zero);
        }
        (self.prepare_create)(cx, object);
        if matches!(self.generation, Generation::On(_)) {
            set_generation(object, 1);
        }
    }

    fn prepare_for_update(
        &self,
        cx: &Context<'_>,
        subresource: &str,
        new: &mut Value,
        old: &Value,
    ) {
        keep(new, old, "metadata.generation");
        match self.subresource(subresource) {
            Some(sub) => (sub.prepare)(cx, new, old),
            None => {
                if self.status.is_some() {
                    keep(new, old, "status");
                }
                (self.prepare_update)(cx, new, old);
                if self.spec_changed(new, old) {
                    set_generation(new, generation(old) + 1);
                }
            }
        }
        keep_system_fields(new, old);
    }

    fn validate_create(&self, cx: &Context<'_>, object: &Value) -> ErrorList {
        let node = Node::root(object);
        let errors = Errors::of(|errors| (self.validate)(cx, &node, errors));
        if !errors.is_empty() {
            return errors;
        }
        metadata::validate_object_meta(object, self.namespaced, names::name_is_path_segment)
    }

    fn validate_update(
        &self,
        cx: &Context<'_>,
        subresource: &str,
        new: &Value,
        old: &Value,
    ) -> ErrorList {
        let validate = self
            .subresource(subresource)
            .map_or(self.validate_update, |sub| sub.validate);
        let mut errors =
            metadata::validate_object_meta(new, self.namespaced, names::name_is_path_segment);
        errors.extend(metadata::validate_object_meta_update(new, old));
        errors.extend(Errors::of(|errors| {
            validate(cx, &Node::root(new), &Node::root(old), errors);
        }));
        errors
    }

    fn warnings_on_create(&self, _: &Context<'_>, object: &Value) -> Vec<String> {
        let mut warnings = Vec::new();
        (self.warn)(&Node::root(object), &mut warnings);
        warnings
    }

    fn warnings_on_update(
        &self,
        _: &Context<'_>,
        subresource: &str,
        new: &Value,
        old: &Value,
    ) -> Vec<String> {
        let mut warnings = Vec::new();
        let warn = self
            .subresource(subresource)
            .map_or(self.warn_update, |sub| sub.warn);
        warn(&Node::root(new), &Node::root(old), &mut warnings);
        warnings
    }

    fn canonicalize(&self, object: &mut Value) {
        super::default(&object::meta::gvk(object), object);
        (self.canonicalize)(object);
        remove(object, "metadata.selfLink");
    }

    fn reset_fields(&self, subresource: &str) -> Option<ResetFields> {
        if let Some(sub) = self.subresource(subresource) {
            return Some(sub.reset);
        }
        if !self.reset.is_empty() {
            return Some(ResetFields::Except(self.reset));
        }
        self.status.map(|_| ResetFields::Except(STATUS))
    }

    fn allow_create_on_update(&self) -> bool {
        self.create_on_update
    }

    fn allow_unconditional_update(&self) -> bool {
        self.unconditional_update
    }

    fn grace_period(&self, object: &Value, requested: Option<i64>) -> Option<i64> {
        self.grace_period.map(|rule| rule(object, requested))
    }
}

/// Drops a field that a disabled feature gate hides, unless the object used it before.
pub(crate) fn drop_unless_used(new: &mut Value, old: &Value, path: &str) {
    if peek(old, path).is_null() {
        remove(new, path);
    }
}
