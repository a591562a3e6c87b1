//! `kustomize.toolkit.fluxcd.io`: applying a path of manifests.

use crate::kind::{AGE, Kind, Names, READY, STATUS, Version};

pub mod v1;
pub mod v1alpha1;
pub mod v1beta1;
pub mod v1beta2;

/// The API group.
pub const GROUP: &str = "kustomize.toolkit.fluxcd.io";

/// The names of [`v1::Kustomization`].
pub const KUSTOMIZATION: Names = Names {
    group: GROUP,
    kind: "Kustomization",
    plural: "kustomizations",
    short_names: &["ks"],
    categories: &["all", "fluxcd", "fluxcd-appliers"],
};

/// The kinds of the group.
pub const KINDS: &[Kind] = &[Kind {
    names: &KUSTOMIZATION,
    versions: &[
        Version::of::<v1::KustomizationSpec>(&[AGE, READY, STATUS]),
        Version::of::<v1beta2::KustomizationSpec>(&[AGE, READY, STATUS]),
        Version::of::<v1beta1::KustomizationSpec>(&[READY, STATUS, AGE]),
        Version::of::<v1alpha1::KustomizationSpec>(&[READY, STATUS, AGE]),
    ],
}];
