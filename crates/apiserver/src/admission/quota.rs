//! ResourceQuota: how much there may be in a namespace.
//!
//! The hard limits are those of the quota's status, as upstream's; what is used is counted in the store at
//! the moment of the write, and the status is brought up to date by the quota controller.
//!
//! Sources: apiserver `admission/plugin/resourcequota`, Kubernetes `pkg/quota/v1/evaluator/core`.

use std::collections::BTreeMap;
use std::sync::Arc;

use object::quantity::{Format, Quantity};
use object::{GroupResource, Value, meta};

use super::limits::{add, amounts, of_pod};
use super::{Attributes, Operation};
use crate::core::Core;
use crate::error::ApiError;
use crate::pipeline::Call;
use crate::store::{Range, Stored};

type Amounts = BTreeMap<String, Quantity>;

/// Reads the limits of a quota.
pub(crate) fn limits_of(hard: &Value) -> BTreeMap<String, Quantity> {
    amounts(hard)
}

fn count(number: i64) -> Quantity {
    Quantity::new(number, Format::DecimalSi)
}

/// The name under which objects of a resource are counted: `count/deployments.apps`.
fn count_name(resource: &GroupResource) -> String {
    if resource.group.is_empty() {
        format!("count/{}", resource.resource)
    } else {
        format!("count/{}.{}", resource.resource, resource.group)
    }
}

/// What one object uses.
pub(crate) fn usage(resource: &GroupResource, object: &Value) -> Amounts {
    let mut used = Amounts::from([(count_name(resource), count(1))]);
    if !resource.group.is_empty() {
        return used;
    }
    match resource.resource.as_str() {
        "configmaps" | "secrets" | "replicationcontrollers" | "resourcequotas" => {
            used.insert(resource.resource.clone(), count(1));
        }
        "services" => services(object, &mut used),
        "persistentvolumeclaims" => claims(object, &mut used),
        "pods" => pods(object, &mut used),
        _ => {}
    }
    used
}

fn services(service: &Value, used: &mut Amounts) {
    let spec = &service["spec"];
    let ports = spec["ports"].as_array().map_or(&[][..], Vec::as_slice);
    let given = ports
        .iter()
        .filter(|port| port["nodePort"].as_i64().is_some_and(|port| port != 0))
        .count();
    let kind = spec["type"].as_str().unwrap_or_default();
    let node_ports = match kind {
        "NodePort" => ports.len(),
        "LoadBalancer" if spec["allocateLoadBalancerNodePorts"] == false => given,
        "LoadBalancer" => ports.len(),
        _ => 0,
    };
    used.insert("services".to_owned(), count(1));
    used.insert("services.nodeports".to_owned(), count(node_ports as i64));
    let balancers = i64::from(kind == "LoadBalancer");
    used.insert("services.loadbalancers".to_owned(), count(balancers));
}

fn claims(claim: &Value, used: &mut Amounts) {
    used.insert("persistentvolumeclaims".to_owned(), count(1));
    let class = claim["spec"]["storageClassName"]
        .as_str()
        .unwrap_or_default();
    let suffix = format!("{class}.storageclass.storage.k8s.io");
    if !class.is_empty() {
        used.insert(format!("{suffix}/persistentvolumeclaims"), count(1));
    }
    if let Some(storage) = amounts(&claim["spec"]["resources"]["requests"]).remove("storage") {
        if !class.is_empty() {
            used.insert(format!("{suffix}/requests.storage"), storage.clone());
        }
        used.insert("requests.storage".to_owned(), storage);
    }
}

fn pods(pod: &Value, used: &mut Amounts) {
    // A pod that has ended only counts as an object.
    if matches!(
        pod["status"]["phase"].as_str(),
        Some("Failed" | "Succeeded")
    ) {
        return;
    }
    used.insert("pods".to_owned(), count(1));
    for (name, amount) in of_pod(pod, "requests") {
        match name.as_str() {
            "cpu" | "memory" | "ephemeral-storage" => {
                used.insert(format!("requests.{name}"), amount.clone());
                used.insert(name, amount);
            }
            _ if name.starts_with("hugepages-") => {
                used.insert(format!("requests.{name}"), amount.clone());
                used.insert(name, amount);
            }
            _ if name.contains('/') => {
                used.insert(format!("requests.{name}"), amount);
            }
            _ => {}
        }
    }
    for (name, amount) in of_pod(pod, "limits") {
        if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            used.insert(format!("limits.{name}"), amount);
        }
    }
}

/// Whether an object is one of those a quota's scopes speak of.
fn is_in_scope(quota: &Value, resource: &GroupResource, object: &Value) -> bool {
    let named = quota["spec"]["scopes"].as_array().into_iter().flatten();
    let named = named.map(|scope| (scope.as_str().unwrap_or_default(), "Exists", &Value::Null));
    let selected = quota
        .pointer("/spec/scopeSelector/matchExpressions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|term| {
            let text = |key: &str| term[key].as_str().unwrap_or_default();
            (text("scopeName"), text("operator"), &term["values"])
        });
    let is_pod = resource.group.is_empty() && resource.resource == "pods";
    named
        .chain(selected)
        .all(|(scope, operator, values)| is_pod && pod_is_in(object, scope, operator, values))
}

fn pod_is_in(pod: &Value, scope: &str, operator: &str, values: &Value) -> bool {
    let is_ending = pod["spec"]["activeDeadlineSeconds"]
        .as_i64()
        .is_some_and(|seconds| seconds >= 0);
    let is_best_effort = of_pod(pod, "requests").is_empty() && of_pod(pod, "limits").is_empty();
    match scope {
        "Terminating" => is_ending,
        "NotTerminating" => !is_ending,
        "BestEffort" => is_best_effort,
        "NotBestEffort" => !is_best_effort,
        "PriorityClass" => {
            let class = pod["spec"]["priorityClassName"]
                .as_str()
                .unwrap_or_default();
            let is_listed = values
                .as_array()
                .is_some_and(|values| values.iter().any(|value| value == class));
            match operator {
                "In" => is_listed,
                "NotIn" => !is_listed,
                "DoesNotExist" => class.is_empty(),
                _ => !class.is_empty(),
            }
        }
        _ => false,
    }
}

/// What a quota's hard limits are compared with: the sum over all objects of the namespace.
pub(crate) fn used(core: &Core, quota: &Value, hard: &Amounts) -> Amounts {
    let namespace = meta::namespace(quota);
    let mut sum: Amounts = hard.keys().map(|name| (name.clone(), count(0))).collect();
    for resource in core.store.resources() {
        let prefix = count_name(&resource);
        let concerned = hard.contains_key(&prefix)
            || (resource.group.is_empty()
                && hard
                    .keys()
                    .any(|name| counted_in(name) == resource.resource));
        if !concerned {
            continue;
        }
        let bucket = core.store.bucket(&resource);
        for stored in bucket.list(&Range::namespace(namespace)).objects {
            let object = stored.value();
            if !is_in_scope(quota, &resource, &object) {
                continue;
            }
            let mut own = usage(&resource, &object);
            own.retain(|name, _| hard.contains_key(name));
            add(&mut sum, &own);
        }
    }
    sum
}

/// The resource of the core group by whose objects an amount is used.
fn counted_in(name: &str) -> &str {
    match name {
        "configmaps" | "secrets" | "replicationcontrollers" | "resourcequotas" => name,
        _ if name.starts_with("services") => "services",
        "persistentvolumeclaims" | "requests.storage" => "persistentvolumeclaims",
        _ if name.contains(".storageclass.storage.k8s.io/") => "persistentvolumeclaims",
        _ if name.starts_with("count/") => "",
        _ => "pods",
    }
}

/// Whether a write may be refused because of a quota of its namespace.
pub(super) fn concerns(attributes: &Attributes<'_>) -> bool {
    let call = attributes.call;
    let concerned = match (call.resource.gvr.resource.as_str(), attributes.operation) {
        ("pods", Operation::Update) => call.subresource == "resize",
        (_, Operation::Create) => call.subresource.is_empty(),
        ("services" | "persistentvolumeclaims", Operation::Update) => call.subresource.is_empty(),
        _ => false,
    };
    concerned && !call.namespace.is_empty() && !of_namespace(call).is_empty()
}

/// The quotas of a request's namespace.
fn of_namespace(call: &Call) -> Vec<Arc<Stored>> {
    let quotas = GroupResource::new("", "resourcequotas");
    let bucket = call.core.store.bucket(&quotas);
    if bucket.is_empty() {
        return Vec::new();
    }
    bucket.list(&Range::namespace(&call.namespace)).objects
}

/// Refuses what would use more than there may be. What is compared does not change until the write is
/// made: see [`super::turn`].
pub(super) fn validate(attributes: &Attributes<'_>, object: &Value) -> Result<(), ApiError> {
    if !concerns(attributes) {
        return Ok(());
    }
    let call = attributes.call;
    let resource = call.group_resource();
    for stored in of_namespace(call) {
        let quota = stored.value();
        let hard = amounts(&quota["status"]["hard"]);
        if hard.is_empty() || !is_in_scope(&quota, &resource, object) {
            continue;
        }
        check(attributes, object, &quota, &hard)?;
    }
    Ok(())
}

fn check(
    attributes: &Attributes<'_>,
    object: &Value,
    quota: &Value,
    hard: &Amounts,
) -> Result<(), ApiError> {
    let resource = attributes.call.group_resource();
    let name = meta::name(quota);
    if resource.group.is_empty() && resource.resource == "pods" {
        let missing = lacking(object, hard);
        if !missing.is_empty() {
            let why = format!("failed quota: {name}: must specify {}", missing.join("; "));
            return Err(attributes.forbidden(object, &why));
        }
    }
    let mut asked = usage(&resource, object);
    if let Some(old) = attributes.old {
        for (name, before) in usage(&resource, old) {
            if let Some(amount) = asked.get_mut(&name) {
                amount.sub(&before);
            }
        }
    }
    asked.retain(|name, amount| hard.contains_key(name) && amount.sign() > 0);
    if asked.is_empty() {
        return Ok(());
    }
    let before = used(&attributes.call.core, quota, hard);
    let mut after = before.clone();
    add(&mut after, &asked);
    let over: Vec<&String> = asked
        .keys()
        .filter(|name| {
            let mut rest = hard[*name].clone();
            rest.sub(&after[*name]);
            rest.sign() < 0
        })
        .collect();
    if over.is_empty() {
        return Ok(());
    }
    let print = |amounts: &Amounts| {
        let parts: Vec<String> = over
            .iter()
            .filter_map(|name| Some(format!("{name}={}", amounts.get(*name)?)))
            .collect();
        parts.join(",")
    };
    let why = format!(
        "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
        print(&asked),
        print(&before),
        print(hard)
    );
    Err(attributes.forbidden(object, &why))
}

/// What a quota limits and a container does not say: `limits.cpu for: app`.
fn lacking(pod: &Value, hard: &Amounts) -> Vec<String> {
    let mut missing = Vec::new();
    for name in hard.keys() {
        let (key, amount) = match name.split_once('.') {
            Some((key @ ("requests" | "limits"), amount)) => (key, amount),
            None => ("requests", name.as_str()),
            Some(_) => continue,
        };
        if !matches!(amount, "cpu" | "memory" | "ephemeral-storage")
            || (amount == "ephemeral-storage" && name == amount)
        {
            continue;
        }
        if !pod["spec"]["resources"][key][amount].is_null() {
            continue;
        }
        let mut containers: Vec<&str> = ["containers", "initContainers"]
            .iter()
            .filter_map(|list| pod["spec"][*list].as_array())
            .flatten()
            .filter(|container| container["resources"][key][amount].is_null())
            .filter_map(|container| container["name"].as_str())
            .collect();
        containers.sort_unstable();
        if !containers.is_empty() {
            missing.push(format!("{name} for: {}", containers.join(",")));
        }
    }
    missing
}
