//! What an installation consists of: the CRDs, and one Deployment that runs all controllers.

use serde_json::{Value, json};

use super::super::invocation::Invocation;
use super::super::{FLUX_VERSION, Stop};

const NAME: &str = "sluice";

/// All objects, in the order of applying.
pub(super) fn all(invocation: &Invocation<'_>, components: &[String]) -> Result<Vec<Value>, Stop> {
    let namespace = invocation.namespace.as_str();
    if let Some(twice) = components
        .iter()
        .enumerate()
        .find(|(index, component)| components[..*index].contains(component))
        .map(|(_, component)| component)
    {
        return Err(format!(
            "install failed: accumulating resources: component {twice} is named twice: may not add resource \
             with an already registered id: {}",
            first_definition(twice)
        )
        .into());
    }
    let labels = json!({
        "app.kubernetes.io/instance": namespace,
        "app.kubernetes.io/part-of": "flux",
        "app.kubernetes.io/version": format!("v{FLUX_VERSION}"),
    });
    let mut objects = vec![json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "labels": labels},
    })];
    for definition in api::crds() {
        let mut definition = definition.clone();
        for (key, value) in labels.as_object().into_iter().flatten() {
            definition["metadata"]["labels"][key] = value.clone();
        }
        objects.push(definition);
    }
    let metadata = |name: &str| json!({"name": name, "namespace": namespace, "labels": labels});
    objects.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(NAME)}));
    objects.extend(roles(namespace, &labels));
    if let (login, Some(secret)) = (
        invocation.text("registry-creds"),
        invocation.some_text("image-pull-secret"),
    ) {
        objects.extend(pull_secret(
            invocation.text("registry"),
            login,
            secret,
            metadata(secret),
        ));
    }
    objects.push(service(metadata(NAME)));
    objects.push(deployment(invocation, components, metadata(NAME)));
    if invocation.boolean("network-policy") {
        objects.extend(network_policies(&metadata));
    }
    Ok(objects)
}

/// The first object of a component's own manifests, as Flux names the one that comes twice.
fn first_definition(component: &str) -> String {
    let name = match component {
        "source-controller" => "buckets.source",
        "kustomize-controller" => "kustomizations.kustomize",
        "helm-controller" => "helmreleases.helm",
        "notification-controller" => "alerts.notification",
        "image-reflector-controller" => "imagepolicies.image",
        "image-automation-controller" => "imageupdateautomations.image",
        _ => return "CustomResourceDefinition.v1.apiextensions.k8s.io/artifactgenerators.source.extensions.fluxcd.io.[noNs]".to_owned(),
    };
    format!("CustomResourceDefinition.v1.apiextensions.k8s.io/{name}.toolkit.fluxcd.io.[noNs]")
}

/// The controllers act for tenants by impersonation; what they reconcile themselves they may change.
fn roles(namespace: &str, labels: &Value) -> Vec<Value> {
    let name = format!("{NAME}-{namespace}");
    let binding = |role: &str, suffix: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("{name}-{suffix}"), "labels": labels},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role,
            },
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
        })
    };
    let groups = [
        "source.toolkit.fluxcd.io",
        "kustomize.toolkit.fluxcd.io",
        "helm.toolkit.fluxcd.io",
        "notification.toolkit.fluxcd.io",
        "image.toolkit.fluxcd.io",
        "source.extensions.fluxcd.io",
    ];
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": labels},
        "rules": [
            {"apiGroups": groups, "resources": ["*"], "verbs": ["*"]},
            {
                "apiGroups": [""],
                "resources": ["namespaces", "secrets", "configmaps", "serviceaccounts"],
                "verbs": ["get", "list", "watch"],
            },
            {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
            {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]},
        ],
    });
    vec![
        role,
        binding(&name, "controllers"),
        binding("cluster-admin", "reconciler"),
    ]
}

fn pull_secret(registry: &str, login: &str, name: &str, metadata: Value) -> Option<Value> {
    use base64::Engine as _;
    let (user, password) = login.split_once(':')?;
    let auth = base64::engine::general_purpose::STANDARD.encode(login);
    let server = registry.split('/').next().unwrap_or(registry);
    let config = json!({"auths": {server: {"username": user, "password": password, "auth": auth}}});
    let _ = name;
    Some(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": config.to_string()},
    }))
}

fn service(metadata: Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "selector": {"app": NAME},
            "ports": [
                {"name": "artifacts", "port": 80, "targetPort": "artifacts"},
                {"name": "events", "port": 9292, "targetPort": "events"},
                {"name": "webhooks", "port": 9293, "targetPort": "webhooks"},
            ],
        },
    })
}

fn deployment(invocation: &Invocation<'_>, components: &[String], metadata: Value) -> Value {
    let sets: Vec<&str> = components
        .iter()
        .map(|component| component.trim_end_matches("-controller"))
        .collect();
    let namespace = &invocation.namespace;
    let domain = invocation.text("cluster-domain");
    let arguments = json!([
        "controllers",
        format!("--controllers={}", sets.join(",")),
        format!(
            "--watch-all-namespaces={}",
            invocation.boolean("watch-all-namespaces")
        ),
        format!("--log-level={}", invocation.text("log-level")),
        "--log-encoding=json",
        "--enable-leader-election",
        "--storage-path=/data",
        "--storage-addr=:9090",
        format!("--storage-adv-addr={NAME}.{namespace}.svc.{domain}."),
        "--events-addr=:9292",
        "--receiver-addr=:9293",
        "--health-addr=:9440",
        "--metrics-addr=:8080",
    ]);
    let port = |name: &str, port: u16| json!({"name": name, "containerPort": port});
    let probe = |path: &str| json!({"httpGet": {"port": "healthz", "path": path}});
    let container = json!({
        "name": "manager",
        "image": format!("{}/{NAME}:v{}", invocation.text("registry"), env!("CARGO_PKG_VERSION")),
        "args": arguments,
        "env": [{"name": "RUNTIME_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
        "ports": [
            port("artifacts", 9090), port("events", 9292), port("webhooks", 9293),
            port("healthz", 9440), port("http-prom", 8080),
        ],
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/readyz"),
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"}, {"name": "temp", "mountPath": "/tmp"},
        ],
    });
    let mut pod = json!({
        "serviceAccountName": NAME,
        "securityContext": {"fsGroup": 1337},
        "priorityClassName": "system-cluster-critical",
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "temp", "emptyDir": {}}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
    });
    if let Some(secret) = invocation.some_text("image-pull-secret") {
        pod["imagePullSecrets"] = json!([{"name": secret}]);
    }
    let keys = invocation.list("toleration-keys");
    if !keys.is_empty() {
        pod["tolerations"] = keys
            .iter()
            .map(|key| json!({"key": key, "operator": "Exists"}))
            .collect();
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": NAME}},
            "strategy": {"type": "Recreate"},
            "template": {
                "metadata": {
                    "labels": {"app": NAME, "app.kubernetes.io/part-of": "flux"},
                    "annotations": {"prometheus.io/port": "8080", "prometheus.io/scrape": "true"},
                },
                "spec": pod,
            },
        },
    })
}

fn network_policies(metadata: &dyn Fn(&str) -> Value) -> Vec<Value> {
    let policy = |name: &str, spec: Value| {
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata(name),
            "spec": spec,
        })
    };
    vec![
        policy(
            "allow-egress",
            json!({
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": {}}]}],
                "egress": [{}],
            }),
        ),
        policy(
            "allow-scraping",
            json!({
                "podSelector": {},
                "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 8080, "protocol": "TCP"}]}],
            }),
        ),
        policy(
            "allow-webhooks",
            json!({
                "podSelector": {"matchLabels": {"app": NAME}},
                "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 9293, "protocol": "TCP"}]}],
            }),
        ),
    ]
}
