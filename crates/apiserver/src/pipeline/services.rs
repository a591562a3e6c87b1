//! What services get from the cluster: addresses and node ports.
//!
//! Source: Kubernetes `pkg/registry/core/service/storage` (`alloc.go`, `storage.go`).

use std::collections::HashSet;
use std::net::Ipv4Addr;

use object::field::{self, Path};
use object::{Value, meta};
use rand::Rng as _;
use serde_json::json;

use super::Call;
use crate::error::ApiError;
use crate::store::Range;

/// The ports that nodes give to services.
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;

/// Whether the call is about services.
pub(super) fn concerns(call: &Call) -> bool {
    call.resource.gvr.resource == "services"
        && call.resource.gvr.group.is_empty()
        && call.subresource.is_empty()
}

/// What other services have.
#[derive(Default)]
struct Taken {
    addresses: HashSet<String>,
    ports: HashSet<i64>,
}

impl Taken {
    fn by_others(call: &Call, own: &str) -> Self {
        let mut taken = Self::default();
        for stored in call.bucket().list(&Range::all()).objects {
            let service = stored.value();
            if meta::uid(&service) == own {
                continue;
            }
            let addresses = service["spec"]["clusterIPs"].as_array();
            taken.addresses.extend(
                addresses
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned),
            );
            let ports = service["spec"]["ports"].as_array().into_iter().flatten();
            taken
                .ports
                .extend(ports.filter_map(|port| port["nodePort"].as_i64()));
            taken
                .ports
                .extend(service["spec"]["healthCheckNodePort"].as_i64());
        }
        taken
    }

    fn free_port(&mut self) -> Option<i64> {
        for _ in 0..10_000 {
            let port = rand::rng().random_range(NODE_PORTS);
            if self.ports.insert(port) {
                return Some(port);
            }
        }
        None
    }
}

/// A range of addresses.
struct Block {
    text: String,
    base: u32,
    size: u32,
}

impl Block {
    fn of(cidr: &str) -> Self {
        let (address, bits) = cidr.split_once('/').unwrap_or((cidr, "32"));
        let bits: u32 = bits.parse().unwrap_or(32).min(32);
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let base = address.parse::<Ipv4Addr>().map_or(0, u32::from) & mask;
        Self {
            text: cidr.to_owned(),
            base,
            size: 1_u32.checked_shl(32 - bits).unwrap_or(u32::MAX),
        }
    }

    fn contains(&self, address: Ipv4Addr) -> bool {
        let offset = u32::from(address).wrapping_sub(self.base);
        offset > 0 && offset < self.size - 1
    }

    fn free(&self, taken: &HashSet<String>) -> Option<String> {
        // The lower part is left to addresses that are asked for by number.
        let reserved = (self.size / 16).clamp(16, 256).min(self.size / 2).max(1);
        for _ in 0..10_000 {
            let offset = rand::rng().random_range(reserved..self.size.max(reserved + 2) - 1);
            let address = Ipv4Addr::from(self.base + offset).to_string();
            if !taken.contains(&address) {
                return Some(address);
            }
        }
        None
    }
}

/// Upstream's allocators do not look at what is taken when nothing will be stored.
fn is_dry_run(call: &Call) -> bool {
    call.query.get("dryRun").is_some_and(|value| value == "All")
}

fn kind_of(service: &Value) -> &str {
    service["spec"]["type"].as_str().unwrap_or("ClusterIP")
}

fn needs_address(service: &Value) -> bool {
    matches!(kind_of(service), "ClusterIP" | "NodePort" | "LoadBalancer")
}

fn needs_ports(service: &Value) -> bool {
    match kind_of(service) {
        "NodePort" => true,
        "LoadBalancer" => service["spec"]["allocateLoadBalancerNodePorts"] != false,
        _ => false,
    }
}

fn needs_health_port(service: &Value) -> bool {
    kind_of(service) == "LoadBalancer" && service["spec"]["externalTrafficPolicy"] == "Local"
}

fn text<'a>(service: &'a Value, key: &str) -> &'a str {
    service["spec"][key].as_str().unwrap_or_default()
}

/// Gives a service what it needs and lacks; `old` is the service before an update.
pub(super) fn allocate(
    call: &Call,
    service: &mut Value,
    old: Option<&Value>,
) -> Result<(), ApiError> {
    if !service.get("spec").is_some_and(Value::is_object) {
        return Ok(());
    }
    let begun = match old {
        None => builtin::strategy::begin_service_create(service),
        Some(old) => builtin::strategy::begin_service_update(service, old),
    };
    let refused = |service: &Value, errors: &[field::Error]| {
        let kind = call.resource.gvk.group_kind();
        ApiError::invalid(&kind, meta::name(service), errors)
    };
    begun.map_err(|errors| refused(service, &errors))?;
    if !needs_address(service) {
        return Ok(());
    }
    let mut errors = Vec::new();
    let mut taken = Taken::by_others(call, meta::uid(service));
    // An address that is there already does not change: validation says so.
    if !old.is_some_and(needs_address) {
        address(call, service, &taken, &mut errors);
    }
    if errors.is_empty() && needs_ports(service) {
        ports(service, is_dry_run(call), &mut taken, &mut errors);
    }
    if errors.is_empty()
        && needs_health_port(service)
        && service["spec"]["healthCheckNodePort"].as_i64().unwrap_or(0) == 0
        && let Some(port) = free_port(&mut taken, is_dry_run(call), &[])
    {
        service["spec"]["healthCheckNodePort"] = Value::from(port);
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(refused(service, &errors))
}

/// A node port that is free; in a dry run one beyond the range, or after the operation's own.
///
/// Source: Kubernetes `pkg/registry/core/service/portallocator/operation.go`.
fn free_port(taken: &mut Taken, is_dry_run: bool, own: &[i64]) -> Option<i64> {
    if is_dry_run {
        return Some(
            own.iter()
                .max()
                .map_or(NODE_PORTS.end() + 2, |last| last + 1),
        );
    }
    taken.free_port()
}

fn address(call: &Call, service: &mut Value, taken: &Taken, errors: &mut Vec<field::Error>) {
    let path = Path::new("spec").child("clusterIPs");
    if text(service, "clusterIP") == "None" {
        return;
    }
    let block = Block::of(&call.core.config.service_cidr);
    let asked = text(service, "clusterIP").to_owned();
    if asked.is_empty() && is_dry_run(call) {
        // Nothing is looked for: the first address of the range stands in.
        let base = Ipv4Addr::from(block.base).to_string();
        service["spec"]["clusterIP"] = Value::from(base.as_str());
        service["spec"]["clusterIPs"] = json!([base]);
        return;
    }
    if asked.is_empty() {
        match block.free(&taken.addresses) {
            Some(free) => {
                service["spec"]["clusterIP"] = Value::from(free.as_str());
                service["spec"]["clusterIPs"] = json!([free]);
            }
            None => errors.push(field::Error::internal(&path, "range is full")),
        }
        return;
    }
    // What is no address at all is left to validation.
    let Ok(parsed) = asked.parse::<Ipv4Addr>() else {
        return;
    };
    let why = if !block.contains(parsed) {
        format!(
            "the provided IP ({asked}) is not in the valid range. The range of valid IPs is {}",
            block.text
        )
    } else if taken.addresses.contains(&asked) && !is_dry_run(call) {
        "provided IP is already allocated".to_owned()
    } else {
        return;
    };
    errors.push(field::Error::invalid(
        &path,
        service["spec"]["clusterIPs"].clone(),
        format!("failed to allocate IP {asked}: {why}"),
    ));
}

fn ports(service: &mut Value, is_dry_run: bool, taken: &mut Taken, errors: &mut Vec<field::Error>) {
    let Some(ports) = service
        .pointer_mut("/spec/ports")
        .and_then(Value::as_array_mut)
    else {
        return;
    };
    let mut own: Vec<i64> = Vec::new();
    for (index, port) in ports.iter_mut().enumerate() {
        let asked = port["nodePort"].as_i64().unwrap_or(0);
        if asked != 0 {
            if taken.ports.contains(&asked) && !own.contains(&asked) && !is_dry_run {
                errors.push(field::Error::invalid(
                    &Path::new("spec")
                        .child("ports")
                        .index(index)
                        .child("nodePort"),
                    asked,
                    "provided port is already allocated",
                ));
            }
            own.push(asked);
            taken.ports.insert(asked);
            continue;
        }
        if let Some(found) = free_port(taken, is_dry_run, &own) {
            own.push(found);
            port["nodePort"] = Value::from(found);
        }
    }
}
