//! Every built-in resource that is stored has a strategy.

use builtin::facts::facts;
use builtin::strategy::strategy;

#[test]
fn stored_resources_have_strategies() {
    for resource in facts().resources() {
        // Definitions of custom resources are the business of another crate.
        let is_ours = resource.gvr.group != "apiextensions.k8s.io";
        if is_ours && !resource.storage_version_hash.is_empty() {
            let of = resource.gvr.group_resource();
            assert!(strategy(&of).is_some(), "{of:?} has no strategy");
        }
    }
}

#[test]
fn namespaces_are_known() {
    for resource in facts().resources() {
        if let Some(rules) = strategy(&resource.gvr.group_resource()) {
            assert_eq!(
                rules.namespaced(),
                resource.namespaced,
                "{:?}",
                resource.gvr
            );
        }
    }
}
