//! Resources that come from CustomResourceDefinitions.

use std::sync::Arc;

use crate::core::Core;

/// One version of a definition: what is known of its objects.
#[derive(Debug)]
pub struct CustomVersion {
    /// The definition's name, such as `kustomizations.kustomize.toolkit.fluxcd.io`.
    pub definition: String,
}

/// Reads all definitions from the store and serves what is established.
pub fn load(core: &Arc<Core>) {
    let _ = core;
}
