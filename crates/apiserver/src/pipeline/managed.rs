//! `metadata.managedFields`: who owns which field.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use builtin::strategy::ResetFields;
use object::smd::fieldset::{Filter, Pattern, PatternElement, Set};
use object::smd::managed_fields::{ApplyError, FieldManager};
use object::smd::path::{Path, PathElement};
use object::smd::schema::Type;
use object::{GroupVersionKind, Value};
use parking_lot::RwLock;

use super::{Call, rules};
use crate::error::{ApiError, Cause, Details};
use crate::registry::custom::CustomVersions;
use crate::registry::{ResourceKind, ServedResource, schema};

/// The field managers of a resource, by subresource; each is made on first use.
#[derive(Default)]
pub struct Managers(RwLock<HashMap<String, Option<Arc<FieldManager>>>>);

impl std::fmt::Debug for Managers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Managers")
    }
}

impl Managers {
    fn of(&self, resource: &ServedResource, subresource: &str) -> Option<Arc<FieldManager>> {
        if let Some(known) = self.0.read().get(subresource) {
            return known.clone();
        }
        let made = make(resource, subresource).map(Arc::new);
        self.0.write().insert(subresource.to_owned(), made.clone());
        made
    }
}

fn make(resource: &ServedResource, subresource: &str) -> Option<FieldManager> {
    let kind = &resource.gvk;
    let manager = match &resource.kind {
        ResourceKind::Builtin => FieldManager::new(
            kind.clone(),
            schema::merge_type(kind)?,
            subresource,
            schema::versions(),
        )
        .with_empty_object(schema::empty_object(kind)),
        ResourceKind::Custom(custom) => FieldManager::new(
            kind.clone(),
            custom.merge_type().unwrap_or_else(Type::deduced),
            subresource,
            Arc::new(CustomVersions(Arc::clone(&custom.definition))),
        ),
    };
    Some(manager.with_reset_fields(reset_fields(resource, subresource)))
}

/// What nobody comes to own through the resource or subresource.
fn reset_fields(resource: &ServedResource, subresource: &str) -> BTreeMap<String, Filter> {
    let filter = match &resource.kind {
        ResourceKind::Builtin => rules::reset_fields(resource, subresource).map(filter_of),
        ResourceKind::Custom(_) => custom_filter(resource, subresource),
    };
    let Some(filter) = filter else {
        return BTreeMap::new();
    };
    BTreeMap::from([
        (resource.gvk.api_version(), filter.clone()),
        (resource.storage_gvk.api_version(), filter),
    ])
}

fn filter_of(fields: ResetFields) -> Filter {
    match fields {
        ResetFields::Except(paths) => {
            let paths: Vec<Path> = paths.iter().map(|path| Path::of_fields(path)).collect();
            Filter::Exclude(Arc::new(Set::of(paths.iter())))
        }
        ResetFields::Only(paths) => {
            let pattern = |path: &[&str]| {
                Pattern::prefix(path.iter().map(|name| {
                    if *name == "*" {
                        PatternElement::Any
                    } else {
                        PatternElement::Is(PathElement::field(name))
                    }
                }))
            };
            let merged = paths
                .iter()
                .map(|path| pattern(path))
                .reduce(Pattern::merge);
            Filter::Include(merged.unwrap_or(Pattern::OneOf(Vec::new())))
        }
    }
}

/// Through the resource, nobody owns the status if it is apart; through the status, not the spec.
/// (Upstream means to leave out the metadata, too, but its entries show that it does not.)
fn custom_filter(resource: &ServedResource, subresource: &str) -> Option<Filter> {
    resource.subresource("status")?;
    let except = |name: &str| Filter::Exclude(Arc::new(Set::of([&Path::of_fields(&[name])])));
    match subresource {
        "" => Some(except("status")),
        "status" => Some(except("spec")),
        _ => None,
    }
}

/// The subresource as it shows in the entries: the resource's own rules for those that only read.
fn subresource_of(call: &Call) -> &str {
    &call.subresource
}

/// Records in `new` what changed between it and `live` (null for a new object); both are in the
/// version asked for.
pub(super) fn on_update(call: &Call, live: &Value, new: &mut Value, manager: &str) {
    if let Some(fields) = call
        .resource
        .managers
        .of(&call.resource, subresource_of(call))
    {
        fields.update(live, new, manager, &call.core.now());
    }
}

/// Records who made an object of another kind than the resource's, as a token request has.
pub(super) fn on_create_of(call: &Call, kind: &GroupVersionKind, new: &mut Value, manager: &str) {
    if let Some(type_) = schema::merge_type(kind) {
        let fields = FieldManager::new(kind.clone(), type_, &call.subresource, schema::versions())
            .with_empty_object(schema::empty_object(kind));
        fields.update(&Value::Null, new, manager, &call.core.now());
    }
}

/// Merges what a manager declares into `live` (null if it is to be created).
pub(super) fn apply(
    call: &Call,
    live: &Value,
    applied: &Value,
    manager: &str,
    force: bool,
) -> Result<Value, ApiError> {
    let fields = call
        .resource
        .managers
        .of(&call.resource, subresource_of(call))
        .ok_or_else(|| ApiError::internal("the resource has no field manager"))?;
    fields
        .apply(live, applied, manager, force, &call.core.now())
        .map_err(|error| apply_error(&error))
}

fn apply_error(error: &ApplyError) -> ApiError {
    match error {
        ApplyError::BadRequest(message) => ApiError::bad_request(message.as_str()),
        ApplyError::Conflict { message, conflicts } => {
            let causes = conflicts
                .iter()
                .map(|conflict| Cause {
                    reason: "FieldManagerConflict".to_owned(),
                    message: conflict.message(),
                    field: conflict.field.clone(),
                })
                .collect();
            ApiError::new(409, "Conflict", message.as_str()).with_details(Details {
                causes,
                ..Details::default()
            })
        }
        ApplyError::Failed(message) => ApiError::new(500, "", message.as_str()),
    }
}
