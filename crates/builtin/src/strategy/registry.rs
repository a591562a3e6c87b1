//! Which module knows which kind.

use object::GroupVersionKind;
use serde_json::Value;

use super::kind::Kind;
use super::{
    admissionregistration, apiregistration, apps, authentication, autoscaling, batch, certificates,
    coordination, core, discovery, flowcontrol, networking, node_group, policy, rbac, resource,
    scheduling, storage,
};

static KINDS: &[&[Kind]] = &[
    core::KINDS,
    apps::KINDS,
    batch::KINDS,
    admissionregistration::KINDS,
    apiregistration::KINDS,
    autoscaling::KINDS,
    certificates::KINDS,
    coordination::KINDS,
    discovery::KINDS,
    flowcontrol::KINDS,
    networking::KINDS,
    node_group::KINDS,
    policy::KINDS,
    rbac::KINDS,
    resource::KINDS,
    scheduling::KINDS,
    storage::KINDS,
];

/// The strategy of a resource.
pub(crate) fn find(group: &str, resource: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .flat_map(|kinds| kinds.iter())
        .find(|kind| kind.group == group && kind.resource == resource)
}

/// Fills in the defaults of an object of a kind.
pub(crate) fn default(gvk: &GroupVersionKind, object: &mut Value) {
    let work: fn(&str, &mut Value) = match gvk.group.as_str() {
        "" => core::default,
        "apps" => apps::default,
        "batch" => batch::default,
        "admissionregistration.k8s.io" => admissionregistration::default,
        "apiregistration.k8s.io" => apiregistration::default,
        "authentication.k8s.io" => authentication::default,
        "autoscaling" if gvk.version == "v1" => autoscaling::default_v1,
        "autoscaling" => autoscaling::default,
        "certificates.k8s.io" => certificates::default,
        "discovery.k8s.io" => discovery::default,
        "flowcontrol.apiserver.k8s.io" => flowcontrol::default,
        "networking.k8s.io" => networking::default,
        "rbac.authorization.k8s.io" => rbac::default,
        "resource.k8s.io" => resource::default,
        "scheduling.k8s.io" => scheduling::default,
        "storage.k8s.io" => storage::default,
        _ => return,
    };
    work(&gvk.kind, object);
}
