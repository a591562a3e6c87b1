//! Writing to a world that holds what the recorded server held.

use std::collections::HashMap;

use builtin::decode::decode_value;
use builtin::facts::{Resource, facts};
use builtin::strategy::{self, Context, Strategy, User};
use object::field::ErrorList;
use object::json_patch::JsonPatch as Patch;
use object::{Value, merge_patch};
use serde_json::json;

use crate::compare::Outcome;
use crate::step::{NOW, Target, body};

pub(crate) struct World {
    pub(crate) stored: HashMap<String, Value>,
}

impl World {
    pub(crate) fn write(
        &self,
        target: &Target,
        resource: &Resource,
        rules: &dyn Strategy,
        step: &Value,
    ) -> Option<Outcome> {
        let user = User {
            name: "system:admin".to_owned(),
            groups: vec![
                "system:masters".to_owned(),
                "system:authenticated".to_owned(),
            ],
            ..User::default()
        };
        let api_version = target.gvr.group_version().to_string();
        let cx = Context {
            now: NOW,
            user: &user,
            api_version: &api_version,
        };
        let old = self.stored.get(&target.key(&target.name));
        let body = body(step)?;
        let wanted = match step["method"].as_str()? {
            "POST" if target.subresource.is_empty() => body,
            "PUT" => body,
            "PATCH" => patched(&resource.gvk, old?, step)?,
            _ => return None,
        };
        let gvk = &resource.gvk;
        let id = facts().type_of(gvk)?;
        let Ok(decoded) = decode_value(id, wanted) else {
            return Some(Outcome::Undecodable);
        };
        let mut new = decoded.object;
        new["apiVersion"] = json!(gvk.api_version());
        new["kind"] = json!(gvk.kind);
        new["metadata"]
            .as_object_mut()
            .map(|map| map.remove("managedFields"));
        strategy::default(gvk, &mut new);
        builtin::convert::to_storage(&mut new);
        if rules.namespaced() {
            new["metadata"]["namespace"] = json!(target.namespace);
        }
        if gvk.kind == "Pod" {
            tolerate(&mut new);
        }
        let creating = step["method"] == "POST" || old.is_none();
        if creating {
            begin(&mut new, &step["expect"]["body"]);
            if gvk.kind == "Service"
                && let Err(errors) = allocated(&mut new, &Value::Null)
            {
                return Some(Outcome::Errors(errors));
            }
            rules.prepare_for_create(&cx, &mut new);
            let errors = rules.validate_create(&cx, &new);
            if !errors.is_empty() {
                return Some(Outcome::Errors(errors));
            }
            let warnings = rules.warnings_on_create(&cx, &new);
            rules.canonicalize(&mut new);
            builtin::convert::convert(&mut new, gvk);
            return Some(Outcome::Object(finished(id, new), warnings));
        }
        let mut old = old?.clone();
        builtin::convert::to_storage(&mut old);
        old["metadata"]["resourceVersion"] = json!("1");
        new["metadata"]["resourceVersion"] = json!("1");
        let subresource = target.subresource.as_str();
        if gvk.kind == "Service"
            && subresource.is_empty()
            && let Err(errors) = allocated(&mut new, &old)
        {
            return Some(Outcome::Errors(errors));
        }
        rules.prepare_for_update(&cx, subresource, &mut new, &old);
        let errors = rules.validate_update(&cx, subresource, &new, &old);
        if !errors.is_empty() {
            return Some(Outcome::Errors(errors));
        }
        let warnings = rules.warnings_on_update(&cx, subresource, &new, &old);
        rules.canonicalize(&mut new);
        builtin::convert::convert(&mut new, gvk);
        Some(Outcome::Object(finished(id, new), warnings))
    }
}

/// What the server writes of an object.
fn finished(id: builtin::facts::TypeId, object: Value) -> Value {
    match decode_value(id, object.clone()) {
        Ok(decoded) => decoded.object,
        Err(error) => panic!("{error}: {object}"),
    }
}

/// A service with what the server allocates.
fn allocated(service: &mut Value, old: &Value) -> Result<(), ErrorList> {
    if old.is_null() {
        strategy::begin_service_create(service)?;
    } else {
        strategy::begin_service_update(service, old)?;
    }
    let spec = &mut service["spec"];
    if spec["type"] != "ExternalName" && spec["clusterIPs"].as_array().is_none_or(Vec::is_empty) {
        spec["clusterIP"] = json!("10.96.0.7");
        spec["clusterIPs"] = json!(["10.96.0.7"]);
    }
    if spec["type"] == "LoadBalancer"
        && spec["externalTrafficPolicy"] == "Local"
        && spec["healthCheckNodePort"].is_null()
    {
        spec["healthCheckNodePort"] = json!(30999);
    }
    Ok(())
}

/// The tolerations that admission adds to pods.
fn tolerate(pod: &mut Value) {
    let tolerations = &mut pod["spec"]["tolerations"];
    if tolerations.is_null() {
        *tolerations = json!([]);
    }
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        let Some(list) = tolerations.as_array_mut() else {
            return;
        };
        if list.iter().all(|toleration| toleration["key"] != key) {
            list.push(json!({
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }));
        }
    }
}

/// Bookkeeping and admission.
fn begin(new: &mut Value, expected: &Value) {
    let metadata = &mut new["metadata"];
    metadata["uid"] = match &expected["metadata"]["uid"] {
        Value::String(uid) => json!(uid),
        // A uid that only a message tells.
        _ => {
            let told = expected["message"].as_str().unwrap_or_default();
            let uid = told
                .split_once("uid-")
                .map(|(_, rest)| rest.split(|c: char| !c.is_numeric()).next());
            json!(format!("uid-{}", uid.flatten().unwrap_or("0")))
        }
    };
    metadata["creationTimestamp"] = json!(NOW);
    if metadata["name"].as_str().unwrap_or_default().is_empty()
        && let Some(prefix) = metadata["generateName"].as_str()
    {
        metadata["name"] = json!(format!("{prefix}abcde"));
    }
    if new["kind"] == "Node" && expected["spec"]["taints"].is_array() {
        new["spec"]["taints"] = expected["spec"]["taints"].clone();
    }
}

fn patched(gvk: &object::GroupVersionKind, old: &Value, step: &Value) -> Option<Value> {
    let mut document = old.clone();
    builtin::convert::convert(&mut document, gvk);
    let kind = step["headers"]["Content-Type"].as_str()?;
    let patch = step["body"].clone();
    if kind == "application/merge-patch+json" {
        merge_patch::apply(document, patch).ok()
    } else if kind.contains("json-patch") {
        Patch::decode(patch).ok()?.apply(document).ok()
    } else {
        None
    }
}
