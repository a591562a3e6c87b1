//! The kinds of the group `admissionregistration.k8s.io`.
//!
//! Source: `pkg/apis/admissionregistration` and its registry.

use serde_json::{Map, Value};

use super::edit::{existing, field, items, unset_default};
use super::kind::Kind;

mod expressions;
mod policies;
mod rules;
mod webhooks;

const GROUP: &str = "admissionregistration.k8s.io";

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[
    webhooks::VALIDATING,
    webhooks::MUTATING,
    policies::POLICY,
    policies::BINDING,
];

/// Fills in the defaults of a kind of the group.
pub(crate) fn default(kind: &str, object: &mut Value) {
    match kind {
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            for webhook in items(object, "webhooks") {
                unset_default(webhook, "failurePolicy", "Fail");
                match_defaults(webhook, "rules");
                unset_default(webhook, "timeoutSeconds", 10);
                if kind.starts_with("Mutating") {
                    unset_default(webhook, "reinvocationPolicy", "Never");
                }
                if let Some(service) = existing(webhook, "clientConfig.service") {
                    unset_default(service, "port", 443);
                }
            }
        }
        "ValidatingAdmissionPolicy" => {
            let Some(spec) = field(object, "spec") else {
                return;
            };
            unset_default(spec, "failurePolicy", "Fail");
            if let Some(constraints) = existing(spec, "matchConstraints") {
                resource_defaults(constraints);
            }
        }
        "ValidatingAdmissionPolicyBinding" => {
            if let Some(resources) = existing(object, "spec.matchResources") {
                resource_defaults(resources);
            }
        }
        _ => {}
    }
}

fn resource_defaults(resources: &mut Value) {
    match_defaults(resources, "resourceRules");
    for rule in items(resources, "excludeResourceRules") {
        unset_default(rule, "scope", "*");
    }
}

fn match_defaults(object: &mut Value, rules: &str) {
    unset_default(object, "matchPolicy", "Equivalent");
    unset_default(object, "namespaceSelector", Map::new());
    unset_default(object, "objectSelector", Map::new());
    for rule in items(object, rules) {
        unset_default(rule, "scope", "*");
    }
}
