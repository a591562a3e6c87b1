//! The way every write takes, from an object in the version asked for to the store.
//!
//! Source: apiserver, `registry/generic/registry/store.go` and `registry/rest`.

use std::sync::Arc;

use object::field::{self, Path};
use object::smd::managed_fields::keep_times_of_noop;
use object::{GroupKind, Value, meta};

use super::options::WriteOptions;
use super::rules::Rules;
use super::{Call, Object, managed, metadata, read, services};
use crate::admission::{self, Operation, Turn};
use crate::auth::escalation;
use crate::error::ApiError;
use crate::registry::{defaults, definitions};
use crate::store::{Encoded, Expected, Pending, StoreError, Stored, WriteError, key_of};

/// How often a write is tried again when another one came first.
const MAX_TRIES: usize = 100;
/// How many generated names are tried (registry/generic/registry/store.go, `maxNameGenerationCreateAttempts`).
const MAX_NAMES: usize = 8;

/// The error for a store that cannot be written.
pub(super) fn store_failed(error: &StoreError) -> ApiError {
    ApiError::internal(error.to_string())
}

async fn committed(pending: Pending) -> Result<Arc<Stored>, ApiError> {
    pending.committed().await.map_err(|error| match error {
        WriteError::Store(error) => store_failed(&error),
        WriteError::Mismatch(_) => ApiError::internal("the write was lost"),
    })
}

/// Stores a new object, which is in the version asked for and has its defaults.
pub(super) async fn create(
    call: &Call,
    options: &WriteOptions,
    mut object: Value,
) -> Result<Object, ApiError> {
    metadata::ensure(&mut object);
    metadata::deduplicate_owners(call, &mut object, false);
    metadata::fit_namespace(call, &mut object)?;
    metadata::fill_system_fields(call, &mut object);
    let has_base = meta::name(&object).is_empty();
    metadata::generate_name(call, &mut object);
    let manager = options.manager(call);
    managed::on_update(call, &Value::Null, &mut object, &manager);
    let mut tries = 0;
    loop {
        tries += 1;
        let (prepared, _turn) = prepare_create(call, options, object.clone()).await?;
        match store_new(call, options, &prepared).await {
            Err(error) if error.is_already_exists() && has_base && tries < MAX_NAMES => {
                metadata::remove(&mut object, "name");
                metadata::generate_name(call, &mut object);
            }
            other => return other,
        }
    }
}

/// Admission, preparation and validation of a new object; gives it in the storage version, with what is
/// to be held until it is stored.
async fn prepare_create<'a>(
    call: &'a Call,
    options: &WriteOptions,
    object: Value,
) -> Result<(Value, Turn<'a>), ApiError> {
    let core = &call.core;
    let mut object = read::to_storage_version(&call.resource, object);
    let call = &call.named(meta::name(&object));
    let attributes = admission::Attributes {
        call,
        operation: Operation::Create,
        old: None,
        dry_run: options.dry_run,
        deletion: None,
    };
    admission::mutate(&attributes, &mut object).await?;
    let mut turn = admission::turn(core, &attributes).await;
    check_escalation(call, None, &object)?;
    if services::concerns(call) {
        services::allocate(call, &mut object, None)?;
    }
    let rules = Rules::of(call);
    rules.prepare_for_create(&mut object);
    let errors = rules.validate_create(&object);
    if !errors.is_empty() {
        return Err(invalid(call, &object, &errors));
    }
    for warning in rules.warnings_on_create(&object) {
        call.context.warn(warning);
    }
    rules.canonicalize(&mut object);
    admission::validate(core, &attributes, Some(&object), &mut turn).await?;
    // What is read back from etcd gets its defaults, too: those that follow from what was filled in.
    default_stored(call, &mut object);
    settle(call, &mut object);
    Ok((object, turn))
}

/// What is read back from the store tells an empty list of a built-in kind from none no more.
fn settle(call: &Call, object: &mut Value) {
    if call.resource.custom().is_none()
        && let Some(id) = builtin::facts::facts().type_of(&call.resource.storage_gvk)
    {
        builtin::decode::settle(id, object);
    }
}

/// Sets the defaults of the storage version.
fn default_stored(call: &Call, object: &mut Value) {
    match call.resource.custom() {
        None => defaults::apply(&call.resource.storage_gvk, object),
        Some(custom) => {
            if let Some(schema) = custom.definition.storage() {
                schema.default(object);
            }
        }
    }
}

/// Roles and bindings grant no more than their author holds.
fn check_escalation(call: &Call, old: Option<&Value>, new: &Value) -> Result<(), ApiError> {
    let resource = call.group_resource();
    if resource.group != "rbac.authorization.k8s.io" {
        return Ok(());
    }
    let write = escalation::Write {
        user: &call.context.user,
        resource: &resource,
        namespace: &call.namespace,
        name: if old.is_some() { &call.name } else { "" },
        old,
        new,
    };
    escalation::check(&call.core, &write)
}

/// The 422 of validation.
fn invalid(call: &Call, object: &Value, errors: &[field::Error]) -> ApiError {
    let mut kind = call.resource.storage_gvk.group_kind();
    if call.resource.custom().is_some() {
        // Unstructured objects are called what they say they are.
        kind.kind = meta::gvk(object).kind;
    }
    ApiError::invalid(&kind, meta::name(object), errors)
}

async fn store_new(
    call: &Call,
    options: &WriteOptions,
    object: &Value,
) -> Result<Object, ApiError> {
    let name = meta::name(object);
    let key = key_of(&call.namespace, name);
    let bucket = call.bucket();
    let exists = |current: &Stored| {
        let error = ApiError::already_exists(&call.group_resource(), name);
        if meta::is_terminating(&current.value()) {
            let message = format!("object is being deleted: {}", error.message());
            let details = error.details().cloned().unwrap_or_default();
            return ApiError::new(409, "AlreadyExists", message).with_details(details);
        }
        error
    };
    if options.dry_run {
        return match bucket.get(&key) {
            Some(current) => Err(exists(&current)),
            None => Ok(Object::Value(read::to_request_version(
                &call.resource,
                object.clone(),
            ))),
        };
    }
    // Upstream's store finds this, and a dry run does not get there.
    if metadata::resource_version(object).is_ok_and(|version| version != 0) {
        return Err(ApiError::new(
            500,
            "",
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let pending = call
        .core
        .store
        .put(&bucket, &key, Expected::Absent, &Encoded::of(object))
        .map_err(|error| match error {
            WriteError::Mismatch(Some(current)) => exists(&current),
            WriteError::Mismatch(None) => ApiError::already_exists(&call.group_resource(), name),
            WriteError::Store(error) => store_failed(&error),
        })?;
    let stored = committed(pending).await?;
    stored_changed(call).await;
    Ok(read::view(&call.resource, stored))
}

/// Definitions change what is served.
async fn stored_changed(call: &Call) {
    if call.resource.gvr.group == "apiextensions.k8s.io" {
        // Boxed, for it writes the definition's status on this very way.
        Box::pin(definitions::changed(&call.core, &call.resource)).await;
    }
}

/// Whether an update creates what is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Creates {
    /// Never: patches.
    Never,
    /// Always: server-side apply.
    Always,
    /// Where the kind's rules allow it: PUT.
    IfAllowed,
}

/// What an update is made with.
pub(super) struct Update<'a> {
    pub(super) call: &'a Call,
    pub(super) options: &'a WriteOptions,
    /// The subresource whose rules count; empty for the object itself.
    pub(super) subresource: &'a str,
    /// The uid the object must have.
    pub(super) uid: Option<String>,
    /// Whether an absent object is created.
    pub(super) creates: Creates,
}

/// Changes an object. `change` gets the object as it is, in the storage version (null if there is
/// none and it may be created), and gives it as it shall be, in the storage version, with its managed
/// fields. It is called again when another write came first.
///
/// Gives the HTTP status and the object.
pub(super) async fn update(
    update: &Update<'_>,
    mut change: impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<(u16, Object), ApiError> {
    let call = update.call;
    let bucket = call.bucket();
    let key = call.key();
    for _ in 0..MAX_TRIES {
        let Some(stored) = bucket.get(&key) else {
            match absent(update, &mut change).await {
                // Somebody else created it meanwhile.
                Err(error) if error.is_already_exists() => continue,
                other => return other,
            }
        };
        let old = read::stored_value(&call.resource, &stored);
        check_uid(update, &old)?;
        let mut new = change(&old)?;
        fit_version(update, &mut new, stored.revision)?;
        let (prepared, _turn) = prepare_update(update, &old, new).await?;
        if let Some(answer) = finish(update, &stored, &old, prepared).await? {
            return Ok((200, answer));
        }
    }
    Err(ApiError::modified(&call.group_resource(), &call.name))
}

/// An update of what is not there.
async fn absent(
    update: &Update<'_>,
    change: &mut impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<(u16, Object), ApiError> {
    let call = update.call;
    let creates = match update.creates {
        Creates::Never => false,
        Creates::Always => true,
        Creates::IfAllowed => Rules::of(call).allow_create_on_update(),
    };
    if !creates || !update.subresource.is_empty() {
        return Err(call.not_found());
    }
    let mut object = change(&Value::Null)?;
    metadata::fit_namespace(call, &mut object)?;
    let uid = meta::uid(&object);
    if !uid.is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(ApiError::conflict(&call.group_resource(), &call.name, &why));
    }
    metadata::remove(&mut object, "resourceVersion");
    let managed = object.pointer("/metadata/managedFields").cloned();
    metadata::fill_system_fields(call, &mut object);
    if let Some(managed) = managed {
        object["metadata"]["managedFields"] = managed;
    }
    let object = read::to_request_version(&call.resource, object);
    let (prepared, _turn) = prepare_create(call, update.options, object).await?;
    let object = store_new(call, update.options, &prepared).await?;
    Ok((201, object))
}

fn check_uid(update: &Update<'_>, old: &Value) -> Result<(), ApiError> {
    match &update.uid {
        Some(uid) if uid != meta::uid(old) => Err(uid_conflict(update, uid, meta::uid(old))),
        _ => Ok(()),
    }
}

/// The conflict of storage preconditions, with etcd's key. Source: apiserver, `storage/interfaces.go`.
fn uid_conflict(update: &Update<'_>, wanted: &str, found: &str) -> ApiError {
    let call = update.call;
    // A dry run compares before the key has its prefix.
    let key = etcd_key(call);
    let key = if update.options.dry_run {
        key.trim_start_matches("/registry")
    } else {
        &key
    };
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
    );
    ApiError::conflict(&call.group_resource(), &call.name, &why)
}

/// Where etcd would have the object.
fn etcd_key(call: &Call) -> String {
    let storage = &call.resource.storage;
    let group = if call.resource.custom().is_some() {
        format!("{}/", storage.group)
    } else {
        String::new()
    };
    format!("/registry/{group}{}/{}", storage.resource, call.key())
}

/// Compares, or fills in, the resource version.
fn fit_version(update: &Update<'_>, new: &mut Value, revision: i64) -> Result<(), ApiError> {
    let call = update.call;
    let version = metadata::resource_version(new)?;
    if version == 0 {
        if !Rules::of(call).allow_unconditional_update() && update.subresource != "scale" {
            let resource = call.group_resource();
            let error = field::Error::invalid(
                &Path::new("metadata").child("resourceVersion"),
                0,
                "must be specified for an update",
            );
            return Err(ApiError::invalid(
                &GroupKind::new(resource.group, resource.resource),
                &call.name,
                &[error],
            ));
        }
        new["metadata"]["resourceVersion"] = Value::from(revision.to_string());
    } else if version != revision {
        return Err(ApiError::modified(&call.group_resource(), &call.name));
    }
    Ok(())
}

async fn prepare_update<'a>(
    update: &Update<'a>,
    old: &Value,
    mut new: Value,
) -> Result<(Value, Turn<'a>), ApiError> {
    let call = update.call;
    if call.resource.namespaced {
        if meta::namespace(&new) != call.namespace {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    } else {
        metadata::remove(&mut new, "namespace");
    }
    let attributes = admission::Attributes {
        call,
        operation: Operation::Update,
        old: Some(old),
        dry_run: update.options.dry_run,
        deletion: None,
    };
    admission::mutate(&attributes, &mut new).await?;
    let mut turn = admission::turn(&call.core, &attributes).await;
    check_escalation(call, Some(old), &new)?;
    if services::concerns(call) {
        services::allocate(call, &mut new, Some(old))?;
    }
    let rules = Rules::of(call);
    rules.prepare_for_update(update.subresource, &mut new, old);
    let errors = rules.validate_update(update.subresource, &new, old);
    if !errors.is_empty() {
        return Err(invalid(call, &new, &errors));
    }
    for warning in rules.warnings_on_update(update.subresource, &new, old) {
        call.context.warn(warning);
    }
    rules.canonicalize(&mut new);
    admission::validate(&call.core, &attributes, Some(&new), &mut turn).await?;
    if call.resource.custom().is_some() {
        default_stored(call, &mut new);
    }
    settle(call, &mut new);
    keep_times_of_noop(old, &mut new);
    Ok((new, turn))
}

/// Stores what an update made; `None` if another write came first.
async fn finish(
    update: &Update<'_>,
    stored: &Arc<Stored>,
    old: &Value,
    new: Value,
) -> Result<Option<Object>, ApiError> {
    let call = update.call;
    let encoded = Encoded::of(&new);
    if is_released(old, &new) {
        // Watchers see it as it was before its last finalizer went.
        let last = Encoded::of(old);
        if !update.options.dry_run && remove(call, stored, &last).await?.is_none() {
            return Ok(None);
        }
        return Ok(Some(Object::Value(read::to_request_version(
            &call.resource,
            new,
        ))));
    }
    if encoded.is_same_as(stored) {
        return Ok(Some(read::view(&call.resource, Arc::clone(stored))));
    }
    if update.options.dry_run {
        return Ok(Some(Object::Value(read::to_request_version(
            &call.resource,
            new,
        ))));
    }
    let written = put(call, stored, &encoded).await?;
    Ok(written.map(|stored| read::view(&call.resource, stored)))
}

/// Whether the update took the last finalizer of an object that is being deleted.
///
/// Sources: `store.go`, `ShouldDeleteDuringUpdate`; the namespace storage's `ShouldDeleteNamespaceDuringUpdate`.
fn is_released(old: &Value, new: &Value) -> bool {
    let is_free = |place: &str| {
        let finalizers = new[place]["finalizers"].as_array();
        finalizers.is_none_or(Vec::is_empty)
    };
    let grace = old["metadata"]["deletionGracePeriodSeconds"].as_i64();
    let is_namespace = old["kind"] == "Namespace" && old["apiVersion"] == "v1";
    is_free("metadata")
        && (!is_namespace || is_free("spec"))
        && grace.unwrap_or(0) == 0
        && meta::is_terminating(old)
}

/// Overwrites an object; `None` if another write came first.
pub(super) async fn put(
    call: &Call,
    stored: &Stored,
    encoded: &Encoded,
) -> Result<Option<Arc<Stored>>, ApiError> {
    let expected = Expected::Revision(stored.revision);
    let bucket = call.bucket();
    match call.core.store.put(&bucket, &stored.key, expected, encoded) {
        Ok(pending) => {
            let stored = committed(pending).await?;
            stored_changed(call).await;
            Ok(Some(stored))
        }
        Err(WriteError::Mismatch(_)) => Ok(None),
        Err(WriteError::Store(error)) => Err(store_failed(&error)),
    }
}

/// Removes an object, whose last state is given; `None` if another write came first.
pub(super) async fn remove(
    call: &Call,
    stored: &Stored,
    last: &Encoded,
) -> Result<Option<Arc<Stored>>, ApiError> {
    let expected = Expected::Revision(stored.revision);
    let bucket = call.bucket();
    match call.core.store.remove(&bucket, &stored.key, expected, last) {
        Ok(pending) => {
            let stored = committed(pending).await?;
            stored_changed(call).await;
            Ok(Some(stored))
        }
        Err(WriteError::Mismatch(_)) => Ok(None),
        Err(WriteError::Store(error)) => Err(store_failed(&error)),
    }
}
