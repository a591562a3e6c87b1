//! `image.toolkit.fluxcd.io`: new images, and writing them to Git.

use crate::kind::{AGE, Column, Kind, Names, READY, STATUS, Version};

pub mod v1;
pub mod v1alpha1;
pub mod v1alpha2;
pub mod v1beta1;
pub mod v1beta2;

/// The API group.
pub const GROUP: &str = "image.toolkit.fluxcd.io";

/// The names of [`v1::ImagePolicy`].
pub const IMAGE_POLICY: Names = names("ImagePolicy", "imagepolicies", &["imgpol", "imagepol"]);
/// The names of [`v1::ImageRepository`].
pub const IMAGE_REPOSITORY: Names = names(
    "ImageRepository",
    "imagerepositories",
    &["imgrepo", "imagerepo"],
);
/// The names of [`v1::ImageUpdateAutomation`].
pub const IMAGE_UPDATE_AUTOMATION: Names = names(
    "ImageUpdateAutomation",
    "imageupdateautomations",
    &["iua", "imgupd", "imgauto"],
);

const fn names(
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
) -> Names {
    Names {
        group: GROUP,
        kind,
        plural,
        short_names,
        categories: &["all", "fluxcd", "fluxcd-images"],
    }
}

/// The kinds of the group.
pub const KINDS: &[Kind] = &[
    Kind {
        names: &IMAGE_POLICY,
        versions: &[
            Version::of::<v1::ImagePolicySpec>(POLICY),
            Version::of::<v1beta2::ImagePolicySpec>(POLICY),
            Version::of::<v1beta1::ImagePolicySpec>(LATEST),
            Version::of::<v1alpha2::ImagePolicySpec>(LATEST),
            Version::of::<v1alpha1::ImagePolicySpec>(LATEST),
        ],
    },
    Kind {
        names: &IMAGE_REPOSITORY,
        versions: &[
            Version::of::<v1::ImageRepositorySpec>(REPOSITORY),
            Version::of::<v1beta2::ImageRepositorySpec>(REPOSITORY),
            Version::of::<v1beta1::ImageRepositorySpec>(&[LAST_SCAN, TAGS]),
            Version::of::<v1alpha2::ImageRepositorySpec>(&[LAST_SCAN, TAGS]),
            Version::of::<v1alpha1::ImageRepositorySpec>(&[LAST_SCAN, TAGS]),
        ],
    },
    Kind {
        names: &IMAGE_UPDATE_AUTOMATION,
        versions: &[
            Version::of::<v1::ImageUpdateAutomationSpec>(AUTOMATION),
            Version::of::<v1beta2::ImageUpdateAutomationSpec>(AUTOMATION),
            Version::of::<v1beta1::ImageUpdateAutomationSpec>(&[LAST_RUN]),
            Version::of::<v1alpha2::ImageUpdateAutomationSpec>(&[LAST_RUN]),
            Version::of::<v1alpha1::ImageUpdateAutomationSpec>(&[LAST_RUN]),
        ],
    },
];

const POLICY: &[Column] = &[
    Column::text("Image", ".status.latestRef.name"),
    Column::text("Tag", ".status.latestRef.tag"),
    READY,
    STATUS,
    AGE,
];
const LATEST: &[Column] = &[Column::text("LatestImage", ".status.latestImage")];
const REPOSITORY: &[Column] = &[
    Column::text("Image", ".spec.image"),
    TAGS,
    READY,
    STATUS,
    LAST_SCAN.wide(),
    AGE,
];
const AUTOMATION: &[Column] = &[READY, STATUS, LAST_RUN.wide(), AGE];
const TAGS: Column = Column::text("Tags", ".status.lastScanResult.tagCount");
const LAST_SCAN: Column = Column::text("Last scan", ".status.lastScanResult.scanTime");
const LAST_RUN: Column = Column::text("Last run", ".status.lastAutomationRunTime");
