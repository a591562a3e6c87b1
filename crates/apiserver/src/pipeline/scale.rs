//! The scale subresource: the replicas of a workload as an `autoscaling/v1` `Scale`.
//!
//! Sources: Kubernetes `pkg/registry/apps/*/storage`, apiextensions-apiserver `registry/customresource`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use object::field::{self, Path};
use object::smd::managed_fields::ScaleHandler;
use object::smd::path::Path as FieldPath;
use object::{GroupKind, GroupResource, GroupVersionKind, GroupVersionResource, Value, meta};
use serde_json::json;

use super::options::WriteOptions;
use super::patch::{Kind, Patch, bytes_of};
use super::write::{self, Creates, Update};
use super::{Body, Call, Object, Outcome, decode, get, managed, metadata, read};
use crate::error::ApiError;
use crate::registry::{ResourceKind, ServedResource};

/// The resource that stands for scales: it has a kind and field managers, but is not served.
static SCALES: LazyLock<Arc<ServedResource>> = LazyLock::new(|| {
    let gvk = GroupVersionKind::new("autoscaling", "v1", "Scale");
    Arc::new(ServedResource {
        gvr: GroupVersionResource::new("autoscaling", "v1", "scales"),
        list_kind: "ScaleList".to_owned(),
        singular: "scale".to_owned(),
        namespaced: true,
        short_names: Vec::new(),
        categories: Vec::new(),
        verbs: Vec::new(),
        subresources: Vec::new(),
        storage: GroupResource::new("autoscaling", "scales"),
        storage_gvk: gvk.clone(),
        storage_hash: String::new(),
        kind: ResourceKind::Builtin,
        managers: Arc::default(),
        gvk,
    })
});

/// Where a workload has its replicas and its selector.
struct ScalePaths {
    spec: String,
    status: String,
    selector: String,
}

/// The paths of the replicas and so on in the objects of a call.
fn paths_of(call: &Call) -> ScalePaths {
    let schema = call.resource.custom().and_then(|custom| custom.schema());
    match schema.and_then(|schema| schema.scale.as_ref()) {
        Some(scale) => ScalePaths {
            spec: scale.spec_replicas.clone(),
            status: scale.status_replicas.clone(),
            selector: scale.label_selector.clone().unwrap_or_default(),
        },
        None => ScalePaths {
            spec: ".spec.replicas".to_owned(),
            status: ".status.replicas".to_owned(),
            selector: ".spec.selector".to_owned(),
        },
    }
}

fn pointer(path: &str) -> String {
    path.replace('.', "/")
}

/// The scale of an object.
fn scale_of(call: &Call, object: &Value) -> Result<Value, ApiError> {
    let paths = paths_of(call);
    let number = |path: &str| object.pointer(&pointer(path)).and_then(Value::as_i64);
    let replicas = match number(&paths.spec) {
        Some(replicas) => replicas,
        None if call.resource.custom().is_some() => {
            return Err(ApiError::internal(format!(
                "the spec replicas field \"{}\" does not exist",
                paths.spec
            )));
        }
        None => 0,
    };
    let mut scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {},
        "spec": {},
        "status": {"replicas": number(&paths.status).unwrap_or(0)},
    });
    for key in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
    ] {
        if let Some(value) = object.pointer("/metadata").and_then(|own| own.get(key)) {
            scale["metadata"][key] = value.clone();
        }
    }
    if replicas != 0 {
        scale["spec"]["replicas"] = Value::from(replicas);
    }
    let selector = selector_text(call, object, &paths);
    if !selector.is_empty() {
        scale["status"]["selector"] = Value::from(selector);
    }
    Ok(scale)
}

fn selector_text(call: &Call, object: &Value, paths: &ScalePaths) -> String {
    if paths.selector.is_empty() {
        return String::new();
    }
    let Some(selector) = object.pointer(&pointer(&paths.selector)) else {
        return String::new();
    };
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    // Replication controllers have a plain map.
    let whole = if call.resource.gvr.resource == "replicationcontrollers" {
        json!({"matchLabels": selector})
    } else {
        selector.clone()
    };
    object::selector::from_object(&whole).map_or_else(|_| String::new(), |found| found.to_string())
}

/// Does what a request on a scale asks for.
pub(super) async fn handle(call: &Call, verb: &str, body: Body) -> Result<Outcome, ApiError> {
    match verb {
        "get" => {
            let object = get::object(call)?.into_value();
            Ok(Outcome::Object(
                200,
                Object::Value(scale_of(call, &object)?),
            ))
        }
        "update" => replace(call, body).await,
        "patch" => patch(call, body).await,
        _ => Err(ApiError::method_not_allowed()),
    }
}

/// The call as one on the scale.
fn scale_call(call: &Call) -> Call {
    Call {
        resource: Arc::clone(&SCALES),
        ..call.clone()
    }
}

async fn replace(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let options = WriteOptions::read(&call.query, "UpdateOptions", None)?;
    let on_scale = scale_call(call);
    let mut asked = decode::object(&on_scale, body, &SCALES.gvk, options.validation)?;
    metadata::check_name(call, &asked)?;
    metadata::fit_namespace(call, &mut asked)?;
    let manager = options.manager(call);
    let uid = meta::uid(&asked).to_owned();
    write_scale(call, &options, (!uid.is_empty()).then_some(uid), |live| {
        let mut new = asked.clone();
        managed::on_update(&on_scale, live, &mut new, &manager);
        Ok(new)
    })
    .await
}

async fn patch(call: &Call, body: Body) -> Result<Outcome, ApiError> {
    let (bytes, media_type) = bytes_of(body);
    let kind = Kind::of(call, &media_type)?;
    let options = WriteOptions::read(&call.query, "PatchOptions", Some(kind == Kind::Apply))?;
    let on_scale = scale_call(call);
    let patch = Patch::read(&on_scale, kind, bytes, &options)?;
    let manager = options.manager(call);
    write_scale(call, &options, None, |live| {
        let mut new = patch.apply(&on_scale, live, &manager, &options)?;
        if kind != Kind::Apply {
            managed::on_update(&on_scale, live, &mut new, &manager);
        }
        metadata::check_patched_name(call, &new)?;
        Ok(new)
    })
    .await
}

/// Changes the replicas. `change` makes the new scale out of the current one, whose managed fields are
/// those that concern the replicas.
async fn write_scale(
    call: &Call,
    options: &WriteOptions,
    uid: Option<String>,
    mut change: impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<Outcome, ApiError> {
    let paths = paths_of(call);
    let update = Update {
        call,
        options,
        subresource: "",
        uid,
        creates: Creates::Never,
    };
    let (code, object) = write::update(&update, |old| {
        let old = read::to_request_version(&call.resource, old.clone());
        let handler = scale_handler(call, &old, &paths)?;
        let mut live = scale_of(call, &old)?;
        let entries = handler.to_subresource();
        if !entries.is_empty() {
            live["metadata"]["managedFields"] = Value::from(entries);
        }
        let scale = change(&live)?;
        let mut new = put_replicas(&old, &scale, &paths)?;
        let entries = scale.pointer("/metadata/managedFields").cloned();
        let entries = handler
            .to_parent(&entries.unwrap_or_else(|| json!([])))
            .map_err(|error| ApiError::internal(error.to_string()))?;
        if entries.is_empty() {
            metadata::remove(&mut new, "managedFields");
        } else {
            new["metadata"]["managedFields"] = Value::from(entries);
        }
        Ok(read::to_storage_version(&call.resource, new))
    })
    .await?;
    let scale = scale_of(call, &object.into_value())?;
    Ok(Outcome::Object(code, Object::Value(scale)))
}

fn scale_handler(call: &Call, old: &Value, paths: &ScalePaths) -> Result<ScaleHandler, ApiError> {
    let fields: Vec<&str> = paths
        .spec
        .split('.')
        .filter(|part| !part.is_empty())
        .collect();
    let path = FieldPath::of_fields(&fields);
    let registry = call.core.registry();
    let mut replicas = BTreeMap::new();
    for served in registry.resources() {
        if served.gvr.group == call.resource.gvr.group
            && served.gvr.resource == call.resource.gvr.resource
        {
            let has_scale = served.subresource("scale").is_some();
            replicas.insert(served.gvk.api_version(), has_scale.then(|| path.clone()));
        }
    }
    let entries = old.pointer("/metadata/managedFields").cloned();
    ScaleHandler::new(
        &entries.unwrap_or_else(|| json!([])),
        &call.resource.gvk.api_version(),
        replicas,
    )
    .map_err(|error| ApiError::internal(error.to_string()))
}

/// The object with the replicas and the resource version of a scale.
fn put_replicas(old: &Value, scale: &Value, paths: &ScalePaths) -> Result<Value, ApiError> {
    let replicas = scale
        .pointer("/spec/replicas")
        .and_then(Value::as_i64)
        .unwrap_or(0);
    if replicas < 0 {
        let error = field::Error::invalid(
            &Path::new("spec").child("replicas"),
            replicas,
            "must be greater than or equal to 0",
        );
        let kind = GroupKind::new("autoscaling", "Scale");
        return Err(ApiError::invalid(&kind, meta::name(scale), &[error]));
    }
    let mut new = old.clone();
    let mut place = &mut new;
    for part in paths.spec.split('.').filter(|part| !part.is_empty()) {
        if place.get(part).is_none_or(Value::is_null) {
            place[part] = json!({});
        }
        place = &mut place[part];
    }
    *place = Value::from(replicas);
    match meta::resource_version(scale) {
        "" => new["metadata"]["resourceVersion"] = Value::from(meta::resource_version(old)),
        version => new["metadata"]["resourceVersion"] = Value::from(version),
    }
    Ok(new)
}
