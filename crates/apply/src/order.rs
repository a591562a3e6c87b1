//! In which order objects are applied, and in which stage.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use api::meta::ObjectId;
use object::{GroupKind, Value};

/// Kinds that come before all others, in order. Source: fluxcd/pkg, `ssa/sort.go`.
const FIRST: [&str; 23] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
/// Kinds that come after all others, in order.
const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// The place of a kind: negative for the first ones, positive for the last ones.
fn rank(kind: &str) -> i32 {
    let place = |kinds: &[&str]| {
        let place = kinds.iter().position(|known| *known == kind)?;
        i32::try_from(place).ok()
    };
    match (place(&FIRST), place(&LAST)) {
        (Some(place), _) => place - FIRST.len() as i32,
        (None, Some(place)) => place + 1,
        (None, None) => 0,
    }
}

/// The order of applying: by kind, then group, kind, namespace and name.
pub fn compare(left: &ObjectId, right: &ObjectId) -> Ordering {
    rank(&left.kind)
        .cmp(&rank(&right.kind))
        .then_with(|| left.group.cmp(&right.group))
        .then_with(|| left.kind.cmp(&right.kind))
        .then_with(|| left.namespace.cmp(&right.namespace))
        .then_with(|| left.name.cmp(&right.name))
}

/// The part of a stage in which an object is sent: those of one part go out at once, after those of the part before.
///
/// Flux sends one object after the other. What has to come earlier is kept: accounts, rights and configuration before
/// services, those before workloads, webhooks at the end and one by one.
pub(crate) fn wave(id: &ObjectId) -> i32 {
    let rank = rank(&id.kind);
    let service = place_of("Service");
    match rank {
        rank if rank > 0 => rank + 2,
        rank if rank >= place_of("Deployment") => 2,
        rank if rank >= service => 1,
        _ => 0,
    }
}

fn place_of(kind: &str) -> i32 {
    rank(kind)
}

/// The stages of applying; each is complete before the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// CustomResourceDefinitions, Namespaces and ClusterRoles.
    Definitions,
    /// Kinds whose name ends in `Class`.
    Classes,
    /// Kinds that the user has named.
    Custom,
    /// All others.
    Rest,
}

impl Stage {
    pub(crate) const ALL: [Self; 4] = [Self::Definitions, Self::Classes, Self::Custom, Self::Rest];

    /// The stage of an object. Source: fluxcd/pkg, `ApplyAllStaged` and `utils/is.go`.
    pub(crate) fn of(object: &Value, custom: &BTreeSet<GroupKind>) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let lower = kind.to_lowercase();
        let is_definition = is_crd(object)
            || (lower == "namespace" && api_version == "v1")
            || (lower == "clusterrole" && api_version.starts_with("rbac.authorization.k8s.io/"));
        if is_definition {
            return Self::Definitions;
        }
        if kind.ends_with("Class") {
            return Self::Classes;
        }
        let gvk = object::GroupVersionKind::of(object);
        if custom.contains(&gvk.group_kind()) {
            return Self::Custom;
        }
        Self::Rest
    }

    /// Whether the next stage has to wait until the objects of this one are ready.
    pub(crate) fn is_awaited(self) -> bool {
        matches!(self, Self::Definitions | Self::Classes)
    }
}

/// Whether the object is a CustomResourceDefinition.
pub(crate) fn is_crd(object: &Value) -> bool {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    text("kind").to_lowercase() == "customresourcedefinition"
        && text("apiVersion").starts_with("apiextensions.k8s.io/")
}

/// The kinds of `--custom-apply-stage-kinds`: `group/Kind,…`, or `Kind` for the core group.
///
/// Source: fluxcd/pkg, `utils.ParseGroupKindSet`.
pub fn parse_kinds(text: &str) -> BTreeSet<GroupKind> {
    if text.is_empty() {
        return BTreeSet::new();
    }
    text.split(',')
        .map(|item| match item.trim().split_once('/') {
            Some((group, kind)) => GroupKind::new(group, kind),
            None => GroupKind::new("", item.trim()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_are_applied_in_the_order_of_flux() {
        let mut ids: Vec<ObjectId> = [
            "a_v_admissionregistration.k8s.io_ValidatingWebhookConfiguration",
            "a_m_admissionregistration.k8s.io_MutatingWebhookConfiguration",
            "a_x_example.test_Thing",
            "a_x_apps_DaemonSet",
            "b_a_apps_Deployment",
            "a_b_apps_Deployment",
            "a_x__LimitRange",
            "a_x__Service",
            "a_x__Secret",
            "a_x__ServiceAccount",
            "_x_storage.k8s.io_StorageClass",
            "_x__Namespace",
            "_x_apiextensions.k8s.io_CustomResourceDefinition",
        ]
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
        let expected: Vec<ObjectId> = [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
            .map(|place: usize| ids[place].clone())
            .to_vec();
        ids.sort_by(compare);
        assert_eq!(ids, expected);
        assert!(ids.windows(2).all(|pair| wave(&pair[0]) <= wave(&pair[1])));
        let waves: Vec<i32> = ids.iter().map(wave).collect();
        assert_eq!(waves, [0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4]);
    }

    #[test]
    fn stages_are_told_by_kind_and_group() {
        let custom = parse_kinds("example.test/Early, ConfigMap");
        for (api_version, kind, stage) in [
            (
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                Stage::Definitions,
            ),
            ("v1", "Namespace", Stage::Definitions),
            (
                "rbac.authorization.k8s.io/v1",
                "ClusterRole",
                Stage::Definitions,
            ),
            (
                "rbac.authorization.k8s.io/v1",
                "ClusterRoleBinding",
                Stage::Rest,
            ),
            ("example.test/v1", "Namespace", Stage::Rest),
            (
                "gateway.networking.k8s.io/v1",
                "GatewayClass",
                Stage::Classes,
            ),
            ("example.test/v1", "Early", Stage::Custom),
            ("v1", "ConfigMap", Stage::Custom),
            ("v1", "Secret", Stage::Rest),
        ] {
            let object = json!({"apiVersion": api_version, "kind": kind});
            assert_eq!(Stage::of(&object, &custom), stage, "{kind}");
        }
    }
}
