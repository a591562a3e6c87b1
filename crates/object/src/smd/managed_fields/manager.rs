//! The field manager of a resource.
//!
//! Source: apimachinery `pkg/util/managedfields/internal` (`fieldmanager.go` and the managers that it
//! wraps: version check, last applied, skipping what was never applied, capping, manager info, times,
//! stripping metadata, structured merge).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::cap::MAX_UPDATE_MANAGERS;
use super::entries::{Managed, ManagerId, Operation, remove_managed_fields};
use super::error::ApplyError;
use super::last_applied::{KUBECTL, allowed_conflicts, update_annotation};
use super::versions::{VersionConverter, Versions};
use crate::smd::fieldset::{Filter, Set};
use crate::smd::merge::{Conflicts, UpdateError, Updater};
use crate::smd::path::Path;
use crate::smd::schema::Type;
use crate::smd::typed::{Duplicates, TypedValue};
use crate::{GroupVersion, GroupVersionKind, meta};

/// The manager of what an object had before its first apply.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// The identifier of the manager of an update while it is computed.
const CURRENT_OPERATION: &str = "current-operation";

/// The fields that nobody owns: the server sets them, or they name the object.
static STRIPPED: LazyLock<Set> = LazyLock::new(|| {
    let mut set = Set::new();
    for name in ["apiVersion", "kind", "metadata"] {
        set.insert(&Path::of_fields(&[name]));
    }
    for name in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set.insert(&Path::of_fields(&["metadata", name]));
    }
    set
});

/// Updates the managed fields of the objects of one kind, version and subresource, and merges what is
/// applied to them.
///
/// See the [module](super) for how an API server uses it.
#[derive(Debug)]
pub struct FieldManager {
    kind: GroupVersionKind,
    api_version: String,
    type_: Type,
    subresource: String,
    empty: Value,
    updater: Updater<VersionConverter>,
}

impl FieldManager {
    /// A manager for requests in the version `kind`, whose type is `type_`, of `subresource` (empty
    /// for the resource itself).
    pub fn new(
        kind: GroupVersionKind,
        type_: Type,
        subresource: &str,
        versions: Arc<dyn Versions>,
    ) -> Self {
        let api_version = kind.api_version();
        let empty = json!({"apiVersion": api_version, "kind": kind.kind});
        Self {
            kind,
            api_version,
            type_,
            subresource: subresource.to_owned(),
            empty,
            updater: Updater::new(VersionConverter(versions)),
        }
    }

    /// Sets the object that is compared to what is created: by default it has `apiVersion` and `kind`
    /// alone, which is right for custom resources.
    #[must_use]
    pub fn with_empty_object(mut self, mut empty: Value) -> Self {
        if let Value::Object(fields) = &mut empty {
            fields.insert("apiVersion".to_owned(), json!(self.api_version));
            fields.insert("kind".to_owned(), json!(self.kind.kind));
            self.empty = empty;
        }
        self
    }

    /// Sets what requests do not change, by the version of the fields: the strategy of the resource
    /// resets it, so that nobody comes to own it.
    #[must_use]
    pub fn with_reset_fields(mut self, filters: BTreeMap<String, Filter>) -> Self {
        self.updater = self.updater.with_filters(filters);
        self
    }

    /// The kind and version of the requests.
    pub fn kind(&self) -> &GroupVersionKind {
        &self.kind
    }

    /// Records in `new` that `manager` changed `live` into it.
    ///
    /// `live` is the stored object, or `Value::Null` if `new` is created; `now` is the time in RFC
    /// 3339 with seconds. It never fails: if the fields cannot be computed, `new` has no entries.
    pub fn update(&self, live: &Value, new: &mut Value, manager: &str, now: &str) {
        let live = self.or_empty(live);
        let managed = self.managed_before(live, new);
        remove_managed_fields(new);
        // What was never applied to and is not tracked yet stays so.
        if managed.fields.is_empty() && !meta::uid(live).is_empty() {
            return;
        }
        if let Ok(managed) = self.update_managed(live, new, managed, manager, now) {
            managed.store(new);
        }
    }

    fn or_empty<'a>(&'a self, live: &'a Value) -> &'a Value {
        match live {
            Value::Object(fields) if !fields.is_empty() => live,
            _ => &self.empty,
        }
    }

    /// The entries that a request starts from: those it brings, else those of the live object. An
    /// empty list, or one with an empty entry, starts anew.
    fn managed_before(&self, live: &Value, new: &Value) -> Managed {
        let of_live = || Managed::of_object(live).unwrap_or_default();
        if !self.subresource.is_empty() {
            return of_live();
        }
        let entries = new.pointer("/metadata/managedFields");
        if let Some(Value::Array(entries)) = entries {
            let is_reset = match entries.as_slice() {
                [] => true,
                [single] => is_empty_entry(single),
                _ => false,
            };
            if is_reset {
                return Managed::default();
            }
        }
        match Managed::of_object(new) {
            Ok(managed) if !managed.fields.is_empty() => managed,
            _ => of_live(),
        }
    }

    fn update_managed(
        &self,
        live: &Value,
        new: &Value,
        managed: Managed,
        manager: &str,
        now: &str,
    ) -> Result<Managed, UpdateError> {
        let manager = self.identify(manager, Operation::Update);
        let typed = |value, what: &str| {
            TypedValue::new(Cow::Borrowed(value), &self.type_, Duplicates::Allowed).map_err(|why| {
                UpdateError::Failed(format!(
                    "failed to convert {what} object ({}) to smd typed: {why}",
                    describe(value)
                ))
            })
        };
        let new = typed(new, "new")?;
        let live = typed(live, "live")?;
        let fields = self.updater.update(
            &live,
            &new,
            &self.api_version,
            managed.fields,
            CURRENT_OPERATION,
        )?;
        let mut managed = Managed {
            fields,
            times: managed.times,
        };
        strip(&mut managed, CURRENT_OPERATION);
        // If the request changed anything, it adds to what the manager owned before.
        if let Some(mut owned) = managed.fields.remove(CURRENT_OPERATION) {
            if let Some(previous) = managed.fields.get(&manager) {
                owned.set = Arc::new(owned.set.union(&previous.set));
            }
            managed.fields.insert(manager.clone(), owned);
            managed.times.insert(manager, now.to_owned());
        }
        managed.cap_update_managers(MAX_UPDATE_MANAGERS);
        Ok(managed)
    }

    /// Merges `applied`, which `manager` declares, into `live`, and returns the object with its
    /// entries. With `force`, others lose the fields that they own and that change.
    ///
    /// `live` is the stored object, or `Value::Null` if it is to be created; `now` is the time in RFC
    /// 3339 with seconds. Defaults are not set in the result.
    ///
    /// # Errors
    /// The patch is of another kind, does not conform to the schema, or changes what others own.
    pub fn apply(
        &self,
        live: &Value,
        applied: &Value,
        manager: &str,
        force: bool,
        now: &str,
    ) -> Result<Value, ApplyError> {
        let live = self.or_empty(live);
        let mut managed = Managed::of_object(live)
            .map_err(|why| ApplyError::Failed(format!("failed to decode managed fields: {why}")))?;
        self.check_kind(applied)?;
        if managed.fields.is_empty() && !std::ptr::eq(live, &raw const self.empty) {
            managed = self
                .update_managed(&self.empty, live, managed, BEFORE_FIRST_APPLY, now)
                .map_err(|why| {
                    ApplyError::Failed(format!(
                        "failed to create manager for existing fields: {why}"
                    ))
                })?;
        }
        let request = Apply {
            live,
            applied,
            id: self.identify(manager, Operation::Apply),
            now,
        };
        let before = (manager == KUBECTL && !force).then(|| managed.clone());
        let mut object = match (self.apply_managed(&request, managed, force), before) {
            (Err(UpdateError::Conflicts(conflicts)), Some(before)) => {
                self.take_over(&request, before, conflicts)
            }
            (outcome, _) => outcome,
        }
        .map_err(|error| match error {
            UpdateError::Conflicts(conflicts) => ApplyError::from(conflicts),
            UpdateError::Failed(why) => ApplyError::Failed(why),
        })?;
        if manager == KUBECTL {
            update_annotation(&mut object, applied);
        }
        Ok(object)
    }

    /// Applies by force if all conflicts are with what client-side apply declared; else returns the
    /// others.
    fn take_over(
        &self,
        request: &Apply<'_>,
        managed: Managed,
        conflicts: Conflicts,
    ) -> Result<Value, UpdateError> {
        let allowed = allowed_conflicts(request.live, &self.type_, &self.kind);
        let Some(allowed) = allowed else {
            return Err(conflicts.into());
        };
        if conflicts.to_set().is_subset(&allowed) {
            return self.apply_managed(request, managed, true);
        }
        let left = conflicts.0.into_iter();
        let left = left.filter(|conflict| !allowed.has(&conflict.path));
        Err(Conflicts(left.collect()).into())
    }

    fn apply_managed(
        &self,
        request: &Apply<'_>,
        managed: Managed,
        force: bool,
    ) -> Result<Value, UpdateError> {
        let typed = |value, duplicates, what: &str| {
            TypedValue::new(Cow::Borrowed(value), &self.type_, duplicates).map_err(|why| {
                let object = describe(value);
                UpdateError::Failed(format!(
                    "failed to create typed {what} object ({object}): {why}"
                ))
            })
        };
        let applied = typed(request.applied, Duplicates::Forbidden, "patch")?;
        let live = typed(request.live, Duplicates::Allowed, "live")?;
        let outcome = self.updater.apply(
            &live,
            &applied,
            &self.api_version,
            managed.fields,
            &request.id,
            force,
        )?;
        let mut managed = Managed {
            fields: outcome.managers,
            times: managed.times,
        };
        strip(&mut managed, &request.id);
        let mut object = match outcome.object {
            Some(object) => {
                managed
                    .times
                    .insert(request.id.clone(), request.now.to_owned());
                copy_without_entries(object.into_value())
            }
            None => copy_without_entries(Cow::Borrowed(request.live)),
        };
        managed.store(&mut object);
        Ok(object)
    }

    /// Refuses patches of another kind or version, and patches that have entries themselves.
    fn check_kind(&self, applied: &Value) -> Result<(), ApplyError> {
        let text = |key: &str| applied.get(key).and_then(Value::as_str).unwrap_or_default();
        let kind = GroupVersion::parse(text("apiVersion"))
            .map(|version| version.with_kind(text("kind")))
            .unwrap_or_default();
        if kind != self.kind {
            return Err(ApplyError::BadRequest(format!(
                "invalid object type: {kind}"
            )));
        }
        match applied.pointer("/metadata/managedFields") {
            Some(Value::Array(_)) => Err(ApplyError::BadRequest(
                "metadata.managedFields must be nil".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// The identifier of a manager; one without a name is `unknown`.
    fn identify(&self, manager: &str, operation: Operation) -> String {
        let manager = if manager.is_empty() {
            "unknown"
        } else {
            manager
        };
        ManagerId::new(manager, operation, &self.api_version, &self.subresource).encode()
    }
}

/// An object for messages: `namespace/name; apps/v1, Kind=Deployment`.
fn describe(object: &Value) -> String {
    format!(
        "{}/{}; {}",
        meta::namespace(object),
        meta::name(object),
        GroupVersionKind::of(object)
    )
}

/// An apply request.
struct Apply<'a> {
    live: &'a Value,
    applied: &'a Value,
    /// The identifier of its manager.
    id: String,
    now: &'a str,
}

/// Takes from a manager the fields that nobody owns.
fn strip(managed: &mut Managed, manager: &str) {
    if let Some(owned) = managed.fields.get_mut(manager) {
        let set = owned.set.difference(&STRIPPED);
        if set.is_empty() {
            managed.fields.remove(manager);
        } else {
            owned.set = Arc::new(set);
        }
    }
}

/// The object to put entries in. Those it has may be the larger part of it, so that they are not
/// copied.
fn copy_without_entries(object: Cow<'_, Value>) -> Value {
    let fields = match object {
        Cow::Owned(object) => return object,
        Cow::Borrowed(Value::Object(fields)) => fields,
        Cow::Borrowed(other) => return other.clone(),
    };
    let copy = fields.iter().map(|(name, value)| {
        let value = match (name.as_str(), value) {
            ("metadata", Value::Object(metadata)) => metadata
                .iter()
                .filter(|(name, _)| *name != "managedFields")
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    copy.collect()
}

/// Whether an entry says nothing: `{}`, or texts that are empty.
fn is_empty_entry(entry: &Value) -> bool {
    match entry {
        Value::Object(fields) => fields
            .values()
            .all(|value| value.is_null() || value.as_str() == Some("")),
        Value::Null => true,
        _ => false,
    }
}
