//! What a changed pod may keep although it would not be accepted anew.
//!
//! Source: `pkg/api/pod` (`GetValidationOptionsFromPodSpecAndMeta`).

use serde_json::Value;

use super::{affinity, security};
use crate::strategy::labels;
use crate::strategy::node::{Errors, Node, peek, peek_items};

/// Which rules are relaxed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    /// The object is a pod, not a template.
    pub(crate) is_pod: bool,
    /// The annotation of the deletion cost may be no number.
    pub(crate) any_deletion_cost: bool,
    /// Selectors of affinities may have values that are no label values.
    pub(crate) any_selector_value: bool,
    /// Required node affinities may have such values.
    pub(crate) any_node_affinity_value: bool,
    /// Topology spread constraints may have ill-formed selectors.
    pub(crate) any_spread_selector: bool,
    /// Sysctls of a namespace that the pod shares with its host are accepted.
    pub(crate) any_host_sysctl: bool,
}

impl Options {
    /// The options for a new template.
    pub(crate) fn template() -> Self {
        Self::default()
    }

    /// The options for a new pod.
    pub(crate) fn pod() -> Self {
        Self {
            is_pod: true,
            ..Self::default()
        }
    }

    /// The same options for what replaces `old`, a pod or a template.
    pub(crate) fn updating(self, old: &Value) -> Self {
        let spec = peek(old, "spec");
        let context = Node::root(spec).get("securityContext");
        let host_sysctl = Errors::of(|errors| {
            for sysctl in context.get("sysctls").items() {
                security::host_sysctl(errors, &sysctl.get("name"), spec);
            }
        });
        Self {
            is_pod: self.is_pod,
            any_deletion_cost: super::has_bad_deletion_cost(old),
            any_selector_value: affinity::pod_terms(spec)
                .any(|term| labels::has_invalid_value(peek(term, "labelSelector"))),
            any_node_affinity_value: has_bad_node_affinity(spec),
            any_spread_selector: peek_items(spec, "topologySpreadConstraints")
                .iter()
                .any(|constraint| !labels::is_valid(peek(constraint, "labelSelector"))),
            any_host_sysctl: !host_sysctl.is_empty(),
        }
    }
}

fn has_bad_node_affinity(spec: &Value) -> bool {
    let terms =
        "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    peek_items(spec, terms)
        .iter()
        .any(labels::has_invalid_value)
}
