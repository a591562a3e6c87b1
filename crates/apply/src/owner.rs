//! Who applies objects.

/// Who applies objects: the Kustomization or HelmRelease, and the field manager that acts for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// The field manager, as `kustomize-controller`.
    pub field_manager: String,
    /// The group of the ownership labels, as `kustomize.toolkit.fluxcd.io`.
    pub group: String,
    /// The namespace of the Kustomization or HelmRelease.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Owner {
    /// A Kustomization.
    pub fn kustomization(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            field_manager: api::constants::managers::KUSTOMIZE_CONTROLLER.to_owned(),
            group: "kustomize.toolkit.fluxcd.io".to_owned(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The label that holds its name.
    pub fn name_label(&self) -> String {
        format!("{}/name", self.group)
    }

    /// The label that holds its namespace.
    pub fn namespace_label(&self) -> String {
        format!("{}/namespace", self.group)
    }
}
