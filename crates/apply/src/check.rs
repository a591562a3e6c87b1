//! Whether the API server will refuse a new object, as far as that can be seen without asking.
//!
//! Used to choose how to apply a set, never to refuse anything: a set that may well be refused is tried by dry runs first.

use builtin::strategy::{Context, User, default, strategy};
use object::{GroupResource, Value};

use crate::rest::Resource;

/// Whether a new object is invalid by the rules of its built-in kind.
pub(crate) fn is_invalid(object: &Value, resource: &Resource) -> bool {
    let gvk = &resource.gvk;
    // The versions in which the rules are written.
    let is_known = matches!(
        (gvk.group.as_str(), gvk.version.as_str()),
        (
            "" | "apps" | "batch" | "rbac.authorization.k8s.io" | "networking.k8s.io" | "policy",
            "v1"
        )
    );
    // What the server fills in is missing from these.
    let is_left_out = matches!(
        gvk.kind.as_str(),
        "Service" | "Endpoints" | "Node" | "Event"
    );
    if !is_known || is_left_out {
        return false;
    }
    let found = strategy(&GroupResource::new(
        gvk.group.as_str(),
        resource.plural.as_str(),
    ));
    let Some(strategy) = found else {
        return false;
    };
    let mut object = object.clone();
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return true;
    };
    metadata.insert(
        "uid".to_owned(),
        "00000000-0000-4000-8000-000000000000".into(),
    );
    metadata.insert("creationTimestamp".to_owned(), NOW.into());
    default(gvk, &mut object);
    let context = Context {
        now: NOW,
        user: &User::default(),
        api_version: &gvk.api_version(),
    };
    strategy.prepare_for_create(&context, &mut object);
    !strategy.validate_create(&context, &object).is_empty()
}

const NOW: &str = "2026-01-01T00:00:00Z";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::normalize::normalize;
    use object::GroupVersionKind;
    use serde_json::json;

    fn check(api_version: &str, kind: &str, plural: &str, fields: Value, expected: bool) {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "namespace": "ns"}});
        for (key, value) in fields.as_object().unwrap() {
            object[key] = value.clone();
        }
        let mut manifests = [Manifest::new(object)];
        normalize(&mut manifests);
        let resource = Resource {
            gvk: GroupVersionKind::of(&manifests[0].object),
            plural: plural.to_owned(),
            is_namespaced: true,
        };
        assert_eq!(
            is_invalid(&manifests[0].object, &resource),
            expected,
            "{fields}"
        );
    }

    #[test]
    fn only_what_is_wrong_is_doubted() {
        let template = |labels: Value| {
            json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}, "livenessProbe": {"httpGet": {"path": "/", "port": 80}}}]}})
        };
        let deployment = |labels: Value| json!({"spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": template(labels)}});
        let set = json!({"spec": {"serviceName": "x", "selector": {"matchLabels": {"a": "b"}}, "template": template(json!({"a": "b"})),
            "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}});
        let mut job = template(json!({}));
        job["spec"]["restartPolicy"] = json!("Never");
        let job = json!({"template": job});
        check(
            "v1",
            "ConfigMap",
            "configmaps",
            json!({"data": {"a": "b"}}),
            false,
        );
        check(
            "v1",
            "ConfigMap",
            "configmaps",
            json!({"data": {"no key": "b"}}),
            true,
        );
        check(
            "v1",
            "Secret",
            "secrets",
            json!({"stringData": {"a": "b"}}),
            false,
        );
        check("v1", "ServiceAccount", "serviceaccounts", json!({}), false);
        check(
            "v1",
            "Service",
            "services",
            json!({"spec": {"ports": [{"port": 80}]}}),
            false,
        );
        check(
            "v1",
            "PersistentVolumeClaim",
            "persistentvolumeclaims",
            json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
            false,
        );
        check(
            "apps/v1",
            "Deployment",
            "deployments",
            deployment(json!({"a": "b"})),
            false,
        );
        check(
            "apps/v1",
            "Deployment",
            "deployments",
            deployment(json!({"a": "c"})),
            true,
        );
        check("apps/v1", "StatefulSet", "statefulsets", set, false);
        check("batch/v1", "Job", "jobs", json!({"spec": job}), false);
        check(
            "batch/v1",
            "CronJob",
            "cronjobs",
            json!({"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job}}}),
            false,
        );
    }

    #[test]
    fn rights_and_networks_are_not_doubted() {
        check(
            "rbac.authorization.k8s.io/v1",
            "Role",
            "roles",
            json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
            false,
        );
        check(
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            "rolebindings",
            json!({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"}, "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "y"}]}),
            false,
        );
        check(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "networkpolicies",
            json!({"spec": {"podSelector": {}}}),
            false,
        );
        check(
            "networking.k8s.io/v1",
            "Ingress",
            "ingresses",
            json!({"spec": {"rules": [{"host": "x.y", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "x", "port": {"number": 80}}}}]}}]}}),
            false,
        );
        check(
            "policy/v1",
            "PodDisruptionBudget",
            "poddisruptionbudgets",
            json!({"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}),
            false,
        );
    }
}
