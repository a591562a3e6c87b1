//! Resources that come from CustomResourceDefinitions.

use std::sync::Arc;

use crate::core::Core;

/// One version of a definition: what is known of its objects.
#[derive(Debug)]
pub struct CustomVersion {
    /// The definition's name, such as `kustomizations.kustomize.toolkit.fluxcd.io`.
    pub definition: String,
}

impl CustomVersion {
    /// The structured merge type; `None` if the schema has problems.
    pub fn merge_type(&self) -> Option<object::smd::schema::Type> {
        None
    }

    /// The errors of a new object, or of one that has changed.
    pub fn validate(
        &self,
        object: &object::Value,
        old: Option<&object::Value>,
    ) -> object::field::ErrorList {
        let _ = (object, old);
        Vec::new()
    }

    /// The fields by which objects can be selected, besides name and namespace: `spec.color`.
    pub fn selectable_fields(&self) -> &[String] {
        &[]
    }
}

/// Reads all definitions from the store and serves what is established.
pub fn load(core: &Arc<Core>) {
    let _ = core;
}

/// Takes notice of a write: one of a definition changes what is served.
pub(crate) fn changed(core: &Arc<Core>, resource: &super::ServedResource) {
    let _ = (core, resource);
}
