//! How traffic reaches a service.

use object::names;

use crate::strategy::node::{Errors, Node};

/// Whether a service can be reached from outside.
pub(crate) fn is_externally_accessible(service: &Node<'_>) -> bool {
    match service.get("spec.type").text() {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !service.get("spec.externalIPs").is_empty(),
        _ => false,
    }
}

/// Whether nodes tell a load balancer if they have endpoints.
pub(crate) fn needs_health_check(service: &Node<'_>) -> bool {
    service.get("spec.type").is("LoadBalancer")
        && service.get("spec.externalTrafficPolicy").is("Local")
}

/// Traffic policies and what depends on them.
pub(crate) fn validate(errors: &mut Errors, service: &Node<'_>) {
    let external = service.get("spec.externalTrafficPolicy");
    if is_externally_accessible(service) {
        errors.choice(&external, &["Cluster", "Local"]);
    } else if !external.is_empty() {
        let detail = "may only be set for externally-accessible services";
        errors.invalid(&external, external.text(), detail);
    }
    let port = service.get("spec.healthCheckNodePort");
    if !needs_health_check(service) {
        if port.int() != 0 {
            let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            errors.invalid(&port, port.int(), detail);
        }
    } else if port.int() == 0 {
        errors.required(&port, "");
    } else {
        errors.messages(&port, port.int(), names::port_number(port.int()));
    }
    let internal = service.get("spec.internalTrafficPolicy");
    if internal.is_set() {
        errors.one_of(&internal, &["Cluster", "Local"]);
    } else if ["NodePort", "LoadBalancer", "ClusterIP"].contains(&service.get("spec.type").text()) {
        errors.required(&internal, "");
    }
    errors.opt_one_of(
        &service.get("spec.trafficDistribution"),
        &["PreferClose", "PreferSameZone", "PreferSameNode"],
    );
}

/// The class of the load balancer.
pub(crate) fn load_balancer_class(errors: &mut Errors, service: &Node<'_>, old: Option<&Node<'_>>) {
    let class = service.get("spec.loadBalancerClass");
    let is_balanced = service.get("spec.type").is("LoadBalancer");
    if let Some(old) = old
        && is_balanced
        && old.get("spec.type").is("LoadBalancer")
        && class.opt_text() != old.get("spec.loadBalancerClass").opt_text()
    {
        errors.invalid(&class, class.raw().clone(), "may not change once set");
    }
    if !class.is_set() {
        return;
    }
    if is_balanced {
        errors.format(&class, names::qualified_name);
    } else {
        errors.forbidden(&class, "may only be used when `type` is 'LoadBalancer'");
    }
}
