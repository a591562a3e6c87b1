//! `source.extensions.fluxcd.io`: artifacts made of artifacts.

use api_derive::shape;

use crate::kind::{AGE, Kind, Names, READY, STATUS, Version};
use crate::meta::{CommonMetadata, Condition, Object};

/// The API group.
pub const GROUP: &str = "source.extensions.fluxcd.io";

/// The names of [`ArtifactGenerator`].
pub const ARTIFACT_GENERATOR: Names = Names {
    group: GROUP,
    kind: "ArtifactGenerator",
    plural: "artifactgenerators",
    short_names: &["ag"],
    categories: &["all", "fluxcd", "fluxcd-sources"],
};

/// The kinds of the group.
pub const KINDS: &[Kind] = &[Kind {
    names: &ARTIFACT_GENERATOR,
    versions: &[Version::of::<ArtifactGeneratorSpec>(&[AGE, READY, STATUS])],
}];

crate::kind::specs! {
    ArtifactGeneratorSpec => ARTIFACT_GENERATOR, "v1beta1", ArtifactGeneratorStatus;
}

/// A composition of sources.
pub type ArtifactGenerator = Object<ArtifactGeneratorSpec>;

/// Makes ExternalArtifacts out of the files of several sources.
#[shape(rule(
    "has(self.pathPattern) && size(self.pathPattern) > 0 || self.artifacts.all(a, a.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'))",
    "artifact names must be valid Kubernetes object names when pathPattern is not set"
))]
pub struct ArtifactGeneratorSpec {
    /// The artifacts to make.
    #[shape(min_items = 1, max_items = 1000)]
    pub artifacts: Vec<OutputArtifact>,
    /// Labels and annotations of the ExternalArtifacts.
    pub common_metadata: Option<CommonMetadata>,
    /// A pattern of folders in a source, as `@<alias>/<pattern>`; the artifacts are made once for each
    /// folder that matches.
    #[shape(
        pattern = "^@([a-z0-9]([a-z0-9_-]*[a-z0-9])?)/(.*)$",
        max_length = 1024
    )]
    pub path_pattern: Option<String>,
    /// The sources to take files from.
    #[shape(min_items = 1, max_items = 1000)]
    pub sources: Vec<SourceReference>,
}

/// A source under the name that the copy operations use.
#[shape]
pub struct SourceReference {
    /// The name within this generator.
    #[shape(pattern = "^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$", max_length = 63)]
    pub alias: String,
    /// The kind of the source.
    #[shape(one_of(
        "Bucket",
        "GitRepository",
        "OCIRepository",
        "HelmChart",
        "ExternalArtifact"
    ))]
    pub kind: String,
    /// The name of the source.
    #[shape(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length = 253)]
    pub name: String,
    /// The namespace of the source; by default that of the generator.
    #[shape(
        pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        min_length = 1,
        max_length = 63
    )]
    pub namespace: Option<String>,
}

/// An artifact to make.
#[shape]
pub struct OutputArtifact {
    /// What goes into the artifact, in this order.
    #[shape(min_items = 1)]
    pub copy: Vec<CopyOperation>,
    /// The name of the ExternalArtifact; may be a template where pathPattern is set.
    #[shape(min_length = 1, max_length = 253)]
    pub name: String,
    /// The source, as `@<alias>`, whose origin revision the artifact carries on.
    #[shape(pattern = "^@([a-z0-9]([a-z0-9_-]*[a-z0-9])?)$", max_length = 64)]
    pub origin_revision: Option<String>,
    /// The source, as `@<alias>`, whose revision the artifact takes; by default a digest of its content.
    #[shape(pattern = "^@([a-z0-9]([a-z0-9_-]*[a-z0-9])?)$", max_length = 64)]
    pub revision: Option<String>,
}

/// Copies files from a source to an artifact.
#[shape]
pub struct CopyOperation {
    /// Patterns of what is left out.
    #[shape(max_items = 100, items(max_length = 1024))]
    pub exclude: Option<Vec<String>>,
    /// What to copy, as `@<alias>/<pattern>`.
    #[shape(
        pattern = "^@([a-z0-9]([a-z0-9_-]*[a-z0-9])?)/(.*)$",
        min_length = 1,
        max_length = 1024
    )]
    pub from: String,
    /// What to do with a file that is there already, or with an archive.
    pub strategy: Option<CopyStrategy>,
    /// Where to copy it, as `@artifact/<path>`.
    #[shape(
        pattern = "^@artifact/([^/]{0,1}|[^./][^/]|[.][^./]|[^/]{3,})(/([^/]{0,1}|[^./][^/]|[.][^./]|[^/]{3,}))*$",
        min_length = 1,
        max_length = 1024
    )]
    pub to: String,
}

/// How files are copied.
#[shape]
pub enum CopyStrategy {
    /// The later file takes the place of the earlier one. The default.
    Overwrite,
    /// The later YAML file is merged into the earlier one.
    Merge,
    /// An archive is unpacked.
    Extract,
}

/// What was made last.
#[shape]
pub struct ArtifactGeneratorStatus {
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The ExternalArtifacts that were made.
    pub inventory: Option<Vec<ExternalArtifactReference>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// A digest of the revisions of all sources.
    pub observed_sources_digest: Option<String>,
}

/// An ExternalArtifact that a generator made.
#[shape]
pub struct ExternalArtifactReference {
    /// The digest of the file.
    pub digest: String,
    /// The name of the file.
    pub filename: String,
    /// The name of the ExternalArtifact.
    pub name: String,
    /// The namespace of the ExternalArtifact.
    pub namespace: String,
}
