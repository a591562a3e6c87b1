//! `helm.toolkit.fluxcd.io`: releases of Helm charts.

use crate::kind::{AGE, Kind, Names, READY, STATUS, Version};

pub mod v2;
pub mod v2alpha1;
pub mod v2beta1;
pub mod v2beta2;

/// The API group.
pub const GROUP: &str = "helm.toolkit.fluxcd.io";

/// The names of [`v2::HelmRelease`].
pub const HELM_RELEASE: Names = Names {
    group: GROUP,
    kind: "HelmRelease",
    plural: "helmreleases",
    short_names: &["hr"],
    categories: &["all", "fluxcd", "fluxcd-appliers"],
};

/// The kinds of the group.
pub const KINDS: &[Kind] = &[Kind {
    names: &HELM_RELEASE,
    versions: &[
        Version::of::<v2::HelmReleaseSpec>(&[AGE, READY, STATUS]),
        Version::of::<v2beta2::HelmReleaseSpec>(&[AGE, READY, STATUS]),
        Version::of::<v2beta1::HelmReleaseSpec>(&[AGE, READY, STATUS]),
        Version::of::<v2alpha1::HelmReleaseSpec>(&[READY, STATUS, AGE]),
    ],
}];
