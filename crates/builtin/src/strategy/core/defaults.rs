//! Defaults of the core group.
//!
//! Source: `pkg/apis/core/v1/defaults.go`, the generated functions that call them, and the parts of
//! `conversion.go` that fill in one field from another.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::pod::resources::aggregate;
use super::quantities::{is_huge_page, is_overcommit_allowed, quantity};
use crate::strategy::edit::{existing, field, items, remove, set, unset_default, zero_default};
use crate::strategy::node::{peek, peek_items, peek_text};

mod image_reference;
mod volumes;

pub(crate) use volumes::source as volume_source;

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    match kind {
        "Pod" => pod(object),
        "PodTemplate" => in_field(object, "template", pod_template),
        "ReplicationController" => replication_controller(object),
        "Service" => service(object),
        "Secret" => secret(object),
        "Namespace" => {
            super::namespace::label_with_name(object);
            in_field(object, "status", |status| {
                zero_default(status, "phase", "Active")
            });
        }
        "PersistentVolume" => persistent_volume(object),
        "PersistentVolumeClaim" => {
            in_field(object, "status", |status| {
                zero_default(status, "phase", "Pending")
            });
            in_field(object, "spec", claim_spec);
            for list in ["capacity", "allocatedResources"] {
                round_in(object, &format!("status.{list}"));
            }
        }
        "Endpoints" => {
            for subset in items(object, "subsets") {
                for port in items(subset, "ports") {
                    zero_default(port, "protocol", "TCP");
                }
            }
        }
        "Node" => node(object),
        "LimitRange" => limit_range(object),
        "ResourceQuota" => {
            for path in ["spec.hard", "status.hard", "status.used"] {
                round_in(object, path);
            }
        }
        _ => {}
    }
}

/// Works on a field that is made if absent.
fn in_field(object: &mut Value, name: &str, work: fn(&mut Value)) {
    if let Some(inner) = field(object, name) {
        work(inner);
        if inner.is_null() {
            remove(object, name);
        }
    }
}

/// Amounts are rounded up to thousandths and written in canonical form.
pub(crate) fn round(list: &mut Value) {
    for amount in list.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let mut rounded = quantity(amount);
        rounded.round_up(-3);
        *amount = rounded.to_json();
    }
}

fn round_in(object: &mut Value, path: &str) {
    if let Some(list) = existing(object, path) {
        round(list);
    }
}

fn pod(object: &mut Value) {
    if let Some(status) = existing(object, "status") {
        first_of_list(
            status,
            "podIP",
            "podIPs",
            |ip| json!([{ "ip": ip }]),
            |list| peek(list.first()?, "ip").as_str().map(str::to_owned),
        );
    }
    let Some(spec) = field(object, "spec") else {
        return;
    };
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            requests_from_limits(container);
        }
    }
    pod_resources(spec);
    unset_default(spec, "enableServiceLinks", true);
    if peek(spec, "hostNetwork") == true {
        for list in ["containers", "initContainers"] {
            for container in items(spec, list) {
                for port in items(container, "ports") {
                    let number = peek(port, "containerPort").clone();
                    if !number.is_null() {
                        zero_default(port, "hostPort", number);
                    }
                }
            }
        }
    }
    pod_spec(spec);
    if peek(spec, "terminationGracePeriodSeconds")
        .as_i64()
        .is_some_and(|seconds| seconds < 0)
    {
        set(spec, "terminationGracePeriodSeconds", 1);
    }
}

/// A field that stands for the first item of a list: it counts where they differ.
fn first_of_list(
    object: &mut Value,
    single: &str,
    list: &str,
    wrap: fn(&str) -> Value,
    first: fn(&[Value]) -> Option<String>,
) {
    let one = peek_text(object, single).to_owned();
    let listed = first(peek_items(object, list));
    if !one.is_empty() && listed.as_deref() != Some(&one) {
        set(object, list, wrap(&one));
    } else if let (true, Some(listed)) = (one.is_empty(), listed) {
        set(object, single, listed);
    }
}

fn requests_from_limits(container: &mut Value) {
    let limits = peek(container, "resources.limits").clone();
    let Value::Object(limits) = limits else {
        return;
    };
    let Some(resources) = existing(container, "resources") else {
        return;
    };
    if let Some(requests) = field(resources, "requests") {
        for (name, amount) in limits {
            unset_default(requests, &name, amount);
        }
    }
}

/// What a pod as a whole limits and requests, from what its containers do.
fn pod_resources(spec: &mut Value) {
    let Some(resources) = existing(spec, "resources") else {
        return;
    };
    let (mut limits, requests) = (
        peek(resources, "limits").clone(),
        peek(resources, "requests").clone(),
    );
    let has = |list: &Value| list.as_object().is_some_and(|map| !map.is_empty());
    let names = container_resources(spec);
    if has(&limits) || has(&requests) {
        for name in names.iter().filter(|name| is_huge_page(name)) {
            if requests.get(name).is_none()
                && let Some(total) = aggregate(spec, "limits", name)
            {
                unset_default(&mut limits, name, total.to_json());
            }
        }
    }
    let mut wanted = requests;
    if has(&limits) {
        for name in names
            .iter()
            .filter(|name| ["cpu", "memory"].contains(&name.as_str()))
        {
            if is_overcommit_allowed(name)
                && let Some(total) = aggregate(spec, "requests", name)
            {
                unset_default(&mut wanted, name, total.to_json());
            }
        }
        for (name, amount) in limits.as_object().into_iter().flatten() {
            if ["cpu", "memory"].contains(&name.as_str()) || is_huge_page(name) {
                unset_default(&mut wanted, name, amount.clone());
            }
        }
    }
    if let Some(resources) = existing(spec, "resources") {
        for (name, mut list) in [("limits", limits), ("requests", wanted)] {
            if has(&list) {
                round(&mut list);
                set(resources, name, list);
            }
        }
    }
}

fn container_resources(spec: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for list in ["containers", "initContainers"] {
        for container in peek_items(spec, list) {
            for kind in ["limits", "requests"] {
                let map = peek(container, "resources")
                    .get(kind)
                    .and_then(Value::as_object);
                for name in map.into_iter().flat_map(Map::keys) {
                    if !names.contains(name) {
                        names.push(name.clone());
                    }
                }
            }
        }
    }
    names
}

/// The defaults of a template of pods.
pub(crate) fn pod_template(template: &mut Value) {
    if let Some(spec) = field(template, "spec") {
        pod_spec(spec);
    }
}

fn pod_spec(spec: &mut Value) {
    zero_default(spec, "dnsPolicy", "ClusterFirst");
    zero_default(spec, "restartPolicy", "Always");
    unset_default(spec, "securityContext", Map::new());
    unset_default(spec, "terminationGracePeriodSeconds", 30);
    zero_default(spec, "schedulerName", "default-scheduler");
    let account = match peek_text(spec, "serviceAccountName") {
        "" => peek_text(spec, "serviceAccount").to_owned(),
        name => name.to_owned(),
    };
    if account.is_empty() {
        remove(spec, "serviceAccount");
    } else {
        // The deprecated field always repeats the other.
        set(spec, "serviceAccountName", account.as_str());
        set(spec, "serviceAccount", account);
    }
    for volume in items(spec, "volumes") {
        volumes::pod_volume(volume);
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in items(spec, list) {
            self::container(container);
        }
    }
    round_in(spec, "overhead");
    for list in ["limits", "requests"] {
        round_in(spec, &format!("resources.{list}"));
    }
}

/// How an image is pulled if nothing is said: always when its tag is `latest`, which is also the tag of an
/// image without tag and digest.
fn pull_policy(image: &str) -> &'static str {
    let (name, has_digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    let last = name.rsplit('/').next().unwrap_or_default();
    let tag = last.split_once(':').map(|(_, tag)| tag);
    // A text that is no reference has no tag.
    let is_reference = image_reference::is_valid(image);
    match (tag, has_digest) {
        (Some("latest"), _) | (None, false) if is_reference => "Always",
        _ => "IfNotPresent",
    }
}

fn container(container: &mut Value) {
    let policy = pull_policy(peek_text(container, "image"));
    zero_default(container, "imagePullPolicy", policy);
    zero_default(container, "terminationMessagePath", "/dev/termination-log");
    zero_default(container, "terminationMessagePolicy", "File");
    for port in items(container, "ports") {
        zero_default(port, "protocol", "TCP");
    }
    for variable in items(container, "env") {
        if let Some(reference) = existing(variable, "valueFrom.fieldRef") {
            zero_default(reference, "apiVersion", "v1");
        }
        if let Some(reference) = existing(variable, "valueFrom.fileKeyRef") {
            unset_default(reference, "optional", false);
        }
    }
    for list in ["limits", "requests"] {
        round_in(container, &format!("resources.{list}"));
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = existing(container, probe) {
            for (name, value) in [
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ] {
                zero_default(probe, name, value);
            }
            http_get(probe);
            if let Some(grpc) = existing(probe, "grpc") {
                unset_default(grpc, "service", "");
            }
        }
    }
    for hook in ["lifecycle.postStart", "lifecycle.preStop"] {
        if let Some(hook) = existing(container, hook) {
            http_get(hook);
        }
    }
}

fn http_get(handler: &mut Value) {
    if let Some(http) = existing(handler, "httpGet") {
        zero_default(http, "path", "/");
        zero_default(http, "scheme", "HTTP");
    }
}

fn replication_controller(object: &mut Value) {
    let labels = peek(object, "spec.template.metadata.labels").clone();
    let Some(spec) = field(object, "spec") else {
        return;
    };
    unset_default(spec, "replicas", 1);
    if labels.is_object() {
        zero_default(spec, "selector", labels.clone());
    }
    if let Some(template) = existing(spec, "template") {
        pod_template(template);
    }
    if labels.is_object()
        && let Some(metadata) = field(object, "metadata")
    {
        zero_default(metadata, "labels", labels);
    }
}

fn service(object: &mut Value) {
    let Some(spec) = field(object, "spec") else {
        return;
    };
    zero_default(spec, "sessionAffinity", "None");
    match peek_text(spec, "sessionAffinity") {
        "None" => remove(spec, "sessionAffinityConfig"),
        "ClientIP" if peek(spec, "sessionAffinityConfig.clientIP.timeoutSeconds").is_null() => {
            set(
                spec,
                "sessionAffinityConfig",
                json!({ "clientIP": { "timeoutSeconds": 10800 } }),
            );
        }
        _ => {}
    }
    zero_default(spec, "type", "ClusterIP");
    for port in items(spec, "ports") {
        zero_default(port, "protocol", "TCP");
        let number = peek(port, "port").clone();
        let number = if number.is_null() { 0.into() } else { number };
        zero_default(port, "targetPort", number);
    }
    let kind = peek_text(spec, "type").to_owned();
    let is_open = ["NodePort", "LoadBalancer"].contains(&kind.as_str())
        || (kind == "ClusterIP" && !peek_items(spec, "externalIPs").is_empty());
    if is_open {
        zero_default(spec, "externalTrafficPolicy", "Cluster");
    }
    if ["NodePort", "LoadBalancer", "ClusterIP"].contains(&kind.as_str()) {
        unset_default(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        unset_default(spec, "allocateLoadBalancerNodePorts", true);
        for host in items(object, "status.loadBalancer.ingress") {
            if !peek_text(host, "ip").is_empty() {
                unset_default(host, "ipMode", "VIP");
            }
        }
    }
}

/// `stringData` becomes part of `data`.
fn secret(object: &mut Value) {
    zero_default(object, "type", "Opaque");
    let texts = peek(object, "stringData").clone();
    remove(object, "stringData");
    let Value::Object(texts) = texts else {
        return;
    };
    if texts.is_empty() {
        return;
    }
    if let Some(data) = field(object, "data") {
        for (key, text) in texts {
            let bytes = text.as_str().unwrap_or_default();
            let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
            set(data, &key, encoded);
        }
    }
}

fn persistent_volume(object: &mut Value) {
    in_field(object, "status", |status| {
        zero_default(status, "phase", "Pending")
    });
    let Some(spec) = field(object, "spec") else {
        return;
    };
    zero_default(spec, "persistentVolumeReclaimPolicy", "Retain");
    unset_default(spec, "volumeMode", "Filesystem");
    volume_source(spec);
    round_in(spec, "capacity");
}

/// The defaults of a volume that is part of an attachment.
pub(crate) fn inline_volume(spec: &mut Value) {
    volume_source(spec);
    round_in(spec, "capacity");
}

/// The defaults of the spec of a claim.
pub(crate) fn claim_spec(spec: &mut Value) {
    for list in ["limits", "requests"] {
        round_in(spec, &format!("resources.{list}"));
    }
    unset_default(spec, "volumeMode", "Filesystem");
}

fn node(object: &mut Value) {
    if let Some(spec) = existing(object, "spec") {
        first_of_list(
            spec,
            "podCIDR",
            "podCIDRs",
            |range| json!([range]),
            |list| list.first()?.as_str().map(str::to_owned),
        );
    }
    let capacity = peek(object, "status.capacity").clone();
    if capacity.is_object()
        && let Some(status) = existing(object, "status")
    {
        unset_default(status, "allocatable", capacity);
    }
    for list in ["status.capacity", "status.allocatable"] {
        round_in(object, list);
    }
}

fn limit_range(object: &mut Value) {
    for item in items(object, "spec.limits") {
        if peek_text(item, "type") == "Container" {
            for (from, to) in [
                ("max", "default"),
                ("default", "defaultRequest"),
                ("min", "defaultRequest"),
            ] {
                let source = peek(item, from).clone();
                if let Some(target) = field(item, to) {
                    for (name, amount) in source.as_object().into_iter().flatten() {
                        unset_default(target, name, amount.clone());
                    }
                    if target.is_null() {
                        remove(item, to);
                    }
                }
            }
        }
        for list in [
            "max",
            "min",
            "default",
            "defaultRequest",
            "maxLimitRequestRatio",
        ] {
            round_in(item, list);
        }
    }
}
