//! Manifests in the form in which Flux applies them.
//!
//! Flux reads manifests of built-in kinds into Go's types and writes them again before it applies them. So unknown fields
//! are dropped, empty mandatory fields appear (`resources: {}`), quantities become canonical, and which fields are
//! owned follows from that. Source: fluxcd/pkg, `ssa/normalize`.

use std::sync::Arc;

use base64::Engine as _;
use builtin::facts::facts;
use object::{GroupVersionKind, Map, Value};

use crate::manifest::Manifest;
use crate::order::is_crd;

const PODS: &[&str] = &["spec"];
const TEMPLATES: &[&str] = &["spec", "template", "spec"];
const JOB_TEMPLATES: &[&str] = &["spec", "jobTemplate", "spec", "template", "spec"];

/// Brings manifests into the form in which they are applied.
pub fn normalize(manifests: &mut [Manifest]) {
    for manifest in manifests {
        manifest.is_doubtful = !normalize_object(Arc::make_mut(&mut manifest.object));
    }
}

/// Returns whether the values of a built-in kind are of the right types.
fn normalize_object(object: &mut Value) -> bool {
    let gvk = GroupVersionKind::of(object);
    // Go's encoder would change rules without resources. Source: fluxcd/kustomize-controller#1041.
    if gvk.api_version() == "rbac.authorization.k8s.io/v1"
        && matches!(gvk.kind.as_str(), "Role" | "ClusterRole")
    {
        return true;
    }
    let is_readable = match as_go(&gvk, object) {
        Some(mut typed) => {
            fill(&gvk, &mut typed);
            *object = typed;
            true
        }
        None => !is_in_scheme(&gvk),
    };
    let is_crd = is_crd(object);
    let Some(fields) = object.as_object_mut() else {
        return false;
    };
    if let Some(metadata) = fields
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()))
        .as_object_mut()
    {
        metadata.insert("creationTimestamp".to_owned(), Value::Null);
    }
    // Whether a definition is established is read from its status.
    if !is_crd {
        fields.remove("status");
    }
    is_readable
}

/// Whether client-go knows the kind.
fn is_in_scheme(gvk: &GroupVersionKind) -> bool {
    // These are served by every API server, but not in client-go's scheme.
    let is_left_out = matches!(
        gvk.group.as_str(),
        "apiextensions.k8s.io" | "apiregistration.k8s.io"
    );
    !is_left_out && facts().type_of(gvk).is_some()
}

/// The manifest as Go writes it after reading it, if its kind is one that client-go knows and its values are of the right
/// types. Else Flux leaves it as it is, and the API server says what is wrong.
fn as_go(gvk: &GroupVersionKind, object: &Value) -> Option<Value> {
    if !is_in_scheme(gvk) {
        return None;
    }
    let type_id = facts().type_of(gvk)?;
    let decoded = builtin::decode::decode_value(type_id, object.clone()).ok()?;
    Some(decoded.object)
}

fn fill(gvk: &GroupVersionKind, object: &mut Value) {
    let pods = match (gvk.group.as_str(), gvk.version.as_str(), gvk.kind.as_str()) {
        ("", "v1", "Pod") => PODS,
        ("apps", "v1", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "v1", "Job") => TEMPLATES,
        ("batch", "v1", "CronJob") => JOB_TEMPLATES,
        ("", "v1", "Service") => return fill_protocols(object.get_mut("spec")),
        ("", "v1", "Secret") => return fold_string_data(object),
        _ => return,
    };
    let spec = pods
        .iter()
        .try_fold(object, |value, key| value.get_mut(key));
    let containers = spec
        .and_then(|spec| spec.get_mut("containers"))
        .and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        fill_protocols(Some(container));
    }
}

/// Ports without a protocol are for TCP; the protocol is part of their key, so leaving it out breaks merging.
fn fill_protocols(parent: Option<&mut Value>) {
    let ports = parent
        .and_then(|parent| parent.get_mut("ports"))
        .and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        let protocol = port.entry("protocol").or_insert(Value::Null);
        if protocol.as_str().unwrap_or_default().is_empty() {
            *protocol = "TCP".into();
        }
    }
}

/// The server stores `stringData` as `data`; a field manager that owns it would never let go of a removed key.
fn fold_string_data(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else {
        return;
    };
    let Some(Value::Object(plain)) = fields.remove("stringData") else {
        return;
    };
    if plain.is_empty() {
        return;
    }
    let data = fields.entry("data").or_insert(Value::Null);
    if !data.is_object() {
        *data = Value::Object(Map::new());
    }
    if let Some(data) = data.as_object_mut() {
        for (key, value) in plain {
            let text = value.as_str().unwrap_or_default();
            let encoded = base64::engine::general_purpose::STANDARD.encode(text);
            data.insert(key, encoded.into());
        }
    }
}

/// Removes a certificate bundle that the API server would refuse from a CustomResourceDefinition.
///
/// Many charts ship a placeholder that something in the cluster replaces. Source: fluxcd/pkg,
/// `utils.RemoveCABundleFromCRD`.
pub(crate) fn remove_invalid_bundle(object: &mut Value) {
    if !is_crd(object) {
        return;
    }
    let Some(config) = object.pointer_mut("/spec/conversion/webhook/clientConfig") else {
        return;
    };
    let Some(bundle) = config.get("caBundle").and_then(Value::as_str) else {
        return;
    };
    if bundle.is_empty() || is_bundle(bundle) {
        return;
    }
    if let Some(fields) = config.as_object_mut() {
        fields.remove("caBundle");
    }
}

/// Whether the text is base64 of a PEM text with at least one certificate, or of nothing.
fn is_bundle(text: &str) -> bool {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;
    let Ok(pem) = base64::engine::general_purpose::STANDARD.decode(text) else {
        return false;
    };
    if pem.is_empty() {
        return true;
    }
    CertificateDer::pem_slice_iter(&pem)
        .flatten()
        // An X.509 certificate is a sequence whose length is that of the whole.
        .any(|certificate| {
            matches!(&*certificate, [0x30, 0x82, high, low, rest @ ..]
            if rest.len() == usize::from(*high) << 8 | usize::from(*low))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(manifest: Value, expected: Value) {
        let mut object = manifest;
        normalize_object(&mut object);
        assert_eq!(object, expected);
    }

    #[test]
    fn string_data_is_folded_into_data() {
        check(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"x": "MQ==", "y": "MQ=="}, "stringData": {"y": "2"}, "foo": 1}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "creationTimestamp": null}, "data": {"x": "MQ==", "y": "Mg=="}}),
        );
    }

    #[test]
    fn built_in_kinds_look_as_go_writes_them() {
        check(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "status": {"replicas": 1},
                "spec": {"selector": {"matchLabels": {"a": "b"}}, "unknown": true, "template": {"metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1000m"}}}]}}}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "creationTimestamp": null},
                "spec": {"selector": {"matchLabels": {"a": "b"}}, "strategy": {}, "template": {"metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80, "protocol": "TCP"}], "resources": {"limits": {"cpu": "1"}}}]}}}}),
        );
        check(
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "creationTimestamp": null},
                "spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 0}]}}),
        );
    }

    #[test]
    fn what_go_cannot_read_is_left_to_the_server() {
        check(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": 1}, "status": {}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "creationTimestamp": null}, "data": {"x": 1}}),
        );
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "a"}, "rules": []});
        check(role.clone(), role);
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a", "creationTimestamp": null}, "status": {}});
        check(definition.clone(), definition);
    }

    #[test]
    fn bundles_that_hold_no_certificate_are_removed() {
        for (bundle, stays) in [
            ("Cg==", false),
            ("not base64", false),
            ("", true),
            (
                "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=",
                false,
            ),
        ] {
            let mut object = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": bundle}}}}});
            remove_invalid_bundle(&mut object);
            assert_eq!(
                object
                    .pointer("/spec/conversion/webhook/clientConfig/caBundle")
                    .is_some(),
                stays,
                "{bundle}"
            );
        }
    }
}
