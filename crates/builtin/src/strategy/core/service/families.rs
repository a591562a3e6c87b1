//! What comes before the preparation of a service: its addresses and IP families are made complete.
//!
//! The cluster has the family IPv4 only. Source: `pkg/registry/core/service/storage`.

use object::field::ErrorList;
use serde_json::{Value, json};

use super::{addresses, traffic};
use crate::strategy::edit::{items, remove, set};
use crate::strategy::node::{Errors, Node, peek, peek_items, peek_text};

const UNCONFIGURED: &str = "not configured on this cluster";

/// Completes a new service, before [`crate::strategy::Strategy::prepare_for_create`].
///
/// What is left to the server, right after: cluster IPs (one per family, unless the type is
/// `ExternalName` or the first is `None`), node ports, the health check's node port.
///
/// # Errors
/// Those of addresses and families, alone.
pub fn begin_service_create(service: &mut Value) -> Result<(), ErrorList> {
    normalize(service, &Value::Null);
    init_families(service, &Value::Null)
}

/// Completes a changed service, before [`crate::strategy::Strategy::prepare_for_update`]: what was
/// allocated and is not mentioned stays.
///
/// # Errors
/// Those of addresses and families, alone.
pub fn begin_service_update(service: &mut Value, old: &Value) -> Result<(), ErrorList> {
    keep_allocated(service, old);
    normalize(service, old);
    init_families(service, old)
}

fn has_cluster_ip(service: &Value) -> bool {
    ["ClusterIP", "NodePort", "LoadBalancer"].contains(&peek_text(service, "spec.type"))
}

fn has_node_ports(service: &Value) -> bool {
    match peek_text(service, "spec.type") {
        "NodePort" => true,
        "LoadBalancer" => {
            peek(service, "spec.allocateLoadBalancerNodePorts") != &Value::Bool(false)
        }
        _ => false,
    }
}

fn spec(service: &mut Value) -> &mut Value {
    &mut service["spec"]
}

fn copy(service: &mut Value, old: &Value, field: &str) {
    let value = peek(old, "spec").get(field).cloned().unwrap_or_default();
    set(spec(service), field, value);
}

fn keep_allocated(service: &mut Value, old: &Value) {
    if has_cluster_ip(old) && has_cluster_ip(service) {
        if peek_text(service, "spec.clusterIP").is_empty() {
            copy(service, old, "clusterIP");
        }
        if peek_items(service, "spec.clusterIPs").is_empty()
            && !peek_items(old, "spec.clusterIPs").is_empty()
        {
            copy(service, old, "clusterIPs");
        }
    }
    if has_node_ports(old) && has_node_ports(service) {
        keep_node_ports(service, old);
    }
    let checks = |service: &Value| traffic::needs_health_check(&Node::root(service));
    if checks(old)
        && checks(service)
        && peek(service, "spec.healthCheckNodePort")
            .as_i64()
            .unwrap_or_default()
            == 0
    {
        copy(service, old, "healthCheckNodePort");
    }
}

fn node_port(port: &Value) -> i64 {
    peek(port, "nodePort").as_i64().unwrap_or_default()
}

fn keep_node_ports(service: &mut Value, old: &Value) {
    let now: Vec<i64> = peek_items(service, "spec.ports")
        .iter()
        .map(node_port)
        .collect();
    let former = peek_items(old, "spec.ports");
    let mut used: Vec<i64> = former
        .iter()
        .map(node_port)
        .filter(|port| now.contains(port))
        .collect();
    for port in items(service, "spec.ports") {
        if node_port(port) != 0 {
            continue;
        }
        let same = former.iter().rfind(|old| {
            peek(old, "protocol") == peek(port, "protocol")
                && peek(old, "port") == peek(port, "port")
        });
        if let Some(number) = same.map(node_port)
            && number != 0
            && !used.contains(&number)
        {
            set(port, "nodePort", number);
            used.push(number);
        }
    }
}

/// `clusterIP` and `clusterIPs` say the same, whichever of them a client knows.
fn normalize(service: &mut Value, old: &Value) {
    let single = peek_text(service, "spec.clusterIP").to_owned();
    let is_bare = peek_items(service, "spec.clusterIPs").is_empty();
    if old.is_null() {
        if !single.is_empty() && is_bare {
            set(spec(service), "clusterIPs", json!([single]));
        }
        return;
    }
    let before = peek_text(old, "spec.clusterIP");
    if !peek_items(old, "spec.clusterIPs").is_empty() && is_bare && before == single {
        copy(service, old, "clusterIPs");
    }
    if before == single || !same_list(service, old, "spec.clusterIPs") {
        return;
    }
    if single.is_empty() {
        remove(spec(service), "clusterIPs");
    } else {
        set(spec(service), "clusterIPs", json!([single]));
    }
}

fn same_list(new: &Value, old: &Value, path: &str) -> bool {
    peek_items(new, path) == peek_items(old, path)
}

fn is_reduced(new: &Value, old: &Value, path: &str) -> bool {
    let (now, before) = (peek_items(new, path), peek_items(old, path));
    now.is_empty() || (now.len() == 1 && before.len() == 2 && now[0] == before[0])
}

fn init_families(service: &mut Value, old: &Value) -> Result<(), ErrorList> {
    if peek_text(service, "spec.type") == "ExternalName" || is_settled(service, old) {
        return Ok(());
    }
    let is_headless = peek_text(service, "spec.clusterIP") == "None";
    let selects = peek(service, "spec.selector")
        .as_object()
        .is_some_and(|map| !map.is_empty());
    if peek(service, "spec.ipFamilyPolicy").is_null() {
        let policy = match peek(old, "spec.ipFamilyPolicy").as_str() {
            Some(policy) => policy,
            None if is_headless && !selects => "RequireDualStack",
            None => "SingleStack",
        };
        set(spec(service), "ipFamilyPolicy", policy);
    }
    checked(|errors| {
        let old = (!old.is_null()).then(|| Node::root(old));
        addresses::validate(errors, &Node::root(service), old.as_ref());
    })?;
    let is_single = peek_text(service, "spec.ipFamilyPolicy") == "SingleStack";
    let mut errors = Errors::default();
    if !old.is_null() {
        release_secondary(&mut errors, service, old, is_single);
    }
    derive(&mut errors, service, is_single);
    let found = errors.list();
    if !found.is_empty() {
        return Err(found);
    }
    if is_headless && !selects {
        headless_families(service, is_single);
        return Ok(());
    }
    checked(|errors| unconfigured(errors, &Node::root(service).get("spec")))?;
    if peek_items(service, "spec.ipFamilies").is_empty() {
        set(spec(service), "ipFamilies", json!(["IPv4"]));
    }
    Ok(())
}

fn checked(check: impl FnOnce(&mut Errors)) -> Result<(), ErrorList> {
    let errors = Errors::of(check);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Whether an update leaves a service with `PreferDualStack` as it was.
fn is_settled(service: &Value, old: &Value) -> bool {
    !old.is_null()
        && peek_text(service, "spec.type") == peek_text(old, "spec.type")
        && same_list(service, old, "spec.clusterIPs")
        && same_list(service, old, "spec.ipFamilies")
        && peek_text(service, "spec.ipFamilyPolicy") == "PreferDualStack"
        && peek_text(old, "spec.ipFamilyPolicy") == "PreferDualStack"
}

fn release_secondary(errors: &mut Errors, service: &mut Value, old: &Value, is_single: bool) {
    let lists = [
        (
            "clusterIPs",
            "spec.clusterIPs",
            "must be 'SingleStack' to release the secondary cluster IP",
        ),
        (
            "ipFamilies",
            "spec.ipFamilies",
            "must be 'SingleStack' to release the secondary IP family",
        ),
    ];
    for (field, path, detail) in lists {
        if !is_single {
            let had_two = peek_items(old, path).len() == 2;
            if had_two && is_reduced(service, old, path) && !peek_items(service, path).is_empty() {
                let policy = Node::root(service).get("spec.ipFamilyPolicy");
                errors.invalid(&policy, policy.raw().clone(), detail);
            }
        } else if same_list(service, old, path)
            && let Some(first) = peek_items(service, path).first().cloned()
        {
            set(spec(service), field, json!([first]));
        }
    }
}

/// Families that follow from the IPs.
fn derive(errors: &mut Errors, service: &mut Value, is_single: bool) {
    let node = Node::root(service);
    let policy = node.get("spec.ipFamilyPolicy");
    let ips = node.get("spec.clusterIPs");
    let mut families: Vec<Value> = peek_items(service, "spec.ipFamilies").to_vec();
    for (list, what) in [
        (&ips, "cluster IPs"),
        (&node.get("spec.ipFamilies"), "IP families"),
    ] {
        if is_single && list.len() == 2 {
            let detail = format!(
                "must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
            );
            errors.invalid(&policy, policy.raw().clone(), detail);
        }
    }
    for (index, ip) in ips.items().enumerate() {
        if ip.is("None") {
            break;
        }
        if index < families.len() {
            continue;
        }
        if addresses::is_ipv6(ip.text()) {
            errors.invalid(&ip, ips.raw().clone(), format!("IPv6 is {UNCONFIGURED}"));
        } else {
            families.push(json!("IPv4"));
        }
    }
    if !families.is_empty() {
        set(spec(service), "ipFamilies", families);
    }
}

/// A headless service without selector may have any families.
fn headless_families(service: &mut Value, is_single: bool) {
    let mut families = peek_items(service, "spec.ipFamilies").to_vec();
    if families.is_empty() {
        families.push(json!("IPv4"));
    }
    if families.len() < 2 && !is_single {
        let other = if families[0] == "IPv4" {
            "IPv6"
        } else {
            "IPv4"
        };
        families.push(json!(other));
    }
    set(spec(service), "ipFamilies", families);
}

fn unconfigured(errors: &mut Errors, spec: &Node<'_>) {
    let policy = spec.get("ipFamilyPolicy");
    if policy.is("RequireDualStack") {
        let detail = "this cluster is not configured for dual-stack services";
        errors.invalid(&policy, policy.text(), detail);
    }
    for family in spec.get("ipFamilies").items() {
        if !family.is("IPv4") {
            errors.invalid(&family, family.text(), UNCONFIGURED);
        }
    }
}
