//! `source.toolkit.fluxcd.io`: where manifests and charts come from.

use crate::kind::{AGE, Column, Kind, Names, READY, STATUS, Version};

pub mod v1;
pub mod v1alpha1;
pub mod v1beta1;
pub mod v1beta2;

/// The API group.
pub const GROUP: &str = "source.toolkit.fluxcd.io";

const CATEGORIES: &[&str] = &["all", "fluxcd", "fluxcd-sources"];

/// The names of [`v1::GitRepository`].
pub const GIT_REPOSITORY: Names = names("GitRepository", "gitrepositories", &["gitrepo"]);
/// The names of [`v1::OciRepository`].
pub const OCI_REPOSITORY: Names = names("OCIRepository", "ocirepositories", &["ocirepo"]);
/// The names of [`v1::HelmRepository`].
pub const HELM_REPOSITORY: Names = names("HelmRepository", "helmrepositories", &["helmrepo"]);
/// The names of [`v1::HelmChart`].
pub const HELM_CHART: Names = names("HelmChart", "helmcharts", &["hc"]);
/// The names of [`v1::Bucket`].
pub const BUCKET: Names = names("Bucket", "buckets", &[]);
/// The names of [`v1::ExternalArtifact`].
pub const EXTERNAL_ARTIFACT: Names = names("ExternalArtifact", "externalartifacts", &["ea"]);

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
        categories: CATEGORIES,
    }
}

const URL: Column = Column::text("URL", ".spec.url");

/// The kinds of the group.
pub const KINDS: &[Kind] = &[
    Kind {
        names: &GIT_REPOSITORY,
        versions: &[
            Version::of::<v1::GitRepositorySpec>(&[URL, AGE, READY, STATUS]),
            Version::of::<v1beta2::GitRepositorySpec>(&[URL, AGE, READY, STATUS]),
            Version::of::<v1beta1::GitRepositorySpec>(&[URL, READY, STATUS, AGE]),
            Version::of::<v1alpha1::GitRepositorySpec>(&[URL, READY, STATUS, AGE]),
        ],
    },
    Kind {
        names: &OCI_REPOSITORY,
        versions: &[
            Version::of::<v1::OciRepositorySpec>(&[URL, READY, STATUS, AGE]),
            Version::of::<v1beta2::OciRepositorySpec>(&[URL, READY, STATUS, AGE]),
        ],
    },
    Kind {
        names: &HELM_REPOSITORY,
        versions: &[
            Version::of::<v1::HelmRepositorySpec>(&[URL, AGE, READY, STATUS]),
            Version::of::<v1beta2::HelmRepositorySpec>(&[URL, AGE, READY, STATUS]),
            Version::of::<v1beta1::HelmRepositorySpec>(&[URL, READY, STATUS, AGE]),
            Version::of::<v1alpha1::HelmRepositorySpec>(&[URL, READY, STATUS, AGE]),
        ],
    },
    Kind {
        names: &HELM_CHART,
        versions: &[
            Version::of::<v1::HelmChartSpec>(CHART),
            Version::of::<v1beta2::HelmChartSpec>(CHART),
            Version::of::<v1beta1::HelmChartSpec>(OLD_CHART),
            Version::of::<v1alpha1::HelmChartSpec>(OLD_CHART),
        ],
    },
    Kind {
        names: &BUCKET,
        versions: &[
            Version::of::<v1::BucketSpec>(&[ENDPOINT, AGE, READY, STATUS]),
            Version::of::<v1beta2::BucketSpec>(&[ENDPOINT, AGE, READY, STATUS]),
            Version::of::<v1beta1::BucketSpec>(&[ENDPOINT, READY, STATUS, AGE]),
            Version::of::<v1alpha1::BucketSpec>(&[URL, READY, STATUS, AGE]),
        ],
    },
    Kind {
        names: &EXTERNAL_ARTIFACT,
        versions: &[Version::of::<v1::ExternalArtifactSpec>(&[
            AGE,
            READY,
            STATUS,
            Column::text("Source", ".spec.sourceRef.name"),
        ])],
    },
];

const ENDPOINT: Column = Column::text("Endpoint", ".spec.endpoint");
const CHART: &[Column] = &[
    CHART_NAME,
    CHART_VERSION,
    SOURCE_KIND,
    SOURCE_NAME,
    AGE,
    READY,
    STATUS,
];
const OLD_CHART: &[Column] = &[
    CHART_NAME,
    CHART_VERSION,
    SOURCE_KIND,
    SOURCE_NAME,
    READY,
    STATUS,
    AGE,
];
const CHART_NAME: Column = Column::text("Chart", ".spec.chart");
const CHART_VERSION: Column = Column::text("Version", ".spec.version");
const SOURCE_KIND: Column = Column::text("Source Kind", ".spec.sourceRef.kind");
const SOURCE_NAME: Column = Column::text("Source Name", ".spec.sourceRef.name");
