//! What the spec of a Kustomization says of its build.

use std::collections::BTreeMap;

use serde_json::Value;

use super::FluxError;
use crate::decode::{self, Decode as _};
use crate::kustomization::Selector;

/// A patch with what it applies to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpecPatch {
    /// A strategic merge patch, or a list of JSON patch operations.
    pub patch: String,
    pub(crate) target: Option<Selector>,
}

/// An image to replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageOverride {
    /// The name it has in the manifests.
    pub name: String,
    /// Its new name; empty keeps it.
    pub new_name: String,
    /// Its new tag; empty keeps it.
    pub new_tag: String,
    /// Its new digest, which wins over the tag; empty keeps it.
    pub digest: String,
}

/// What to substitute after the build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostBuild {
    /// Variables and their values.
    pub substitute: BTreeMap<String, String>,
    /// Whether to substitute also where there are no variables (`substituteStrategy: Always`).
    pub always: bool,
}

/// The fields of `spec` that the build follows. Texts that are empty count as not given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spec {
    /// The namespace of all objects.
    pub target_namespace: String,
    /// Before all names.
    pub name_prefix: String,
    /// After all names.
    pub name_suffix: String,
    /// After those of the kustomization file.
    pub patches: Vec<SpecPatch>,
    /// Folders of components, relative to the folder that is built.
    pub components: Vec<String>,
    /// Whether components that are not there are passed over.
    pub ignore_missing_components: bool,
    /// Over those of the kustomization file.
    pub images: Vec<ImageOverride>,
    /// In place of that of the kustomization file.
    pub build_metadata: Vec<String>,
    /// What to substitute; none substitutes nothing.
    pub post_build: Option<PostBuild>,
}

decode::go_struct! {
    struct PatchField = "Patch" {
        patch: String = "patch",
        target: Option<Selector> = "target",
    }
}

decode::go_struct! {
    struct ImageField = "Image" {
        name: String = "name",
        new_name: String = "newName",
        new_tag: String = "newTag",
        digest: String = "digest",
    }
}

decode::go_struct! {
    struct PostBuildField = "PostBuild" {
        substitute: BTreeMap<String, String> = "substitute",
        strategy: String = "substituteStrategy",
    }
}

decode::go_struct! {
    struct SpecField = "KustomizationSpec" {
        target_namespace: String = "targetNamespace",
        name_prefix: String = "namePrefix",
        name_suffix: String = "nameSuffix",
        patches: Vec<PatchField> = "patches",
        components: Vec<String> = "components",
        ignore_missing_components: bool = "ignoreMissingComponents",
        images: Vec<ImageField> = "images",
        build_metadata: Vec<String> = "buildMetadata",
        post_build: Option<PostBuildField> = "postBuild",
    }
}

impl Spec {
    /// The spec of a Kustomization of the current version, as JSON.
    ///
    /// # Errors
    /// A field has another type.
    pub fn from_object(object: &Value) -> Result<Self, FluxError> {
        let Some(spec) = object.get("spec") else {
            return Ok(Self::default());
        };
        debug_assert_eq!(SpecField::go_type(), "types.KustomizationSpec");
        let field: SpecField =
            decode::decode(spec, decode::Mode::Lenient).map_err(|error| FluxError::Generate {
                message: error.message,
                created: false,
            })?;
        let patches = field.patches.into_iter().map(|patch| SpecPatch {
            patch: patch.patch,
            target: patch.target,
        });
        let images = field.images.into_iter().map(|image| ImageOverride {
            name: image.name,
            new_name: image.new_name,
            new_tag: image.new_tag,
            digest: image.digest,
        });
        Ok(Self {
            target_namespace: field.target_namespace,
            name_prefix: field.name_prefix,
            name_suffix: field.name_suffix,
            patches: patches.collect(),
            components: field.components,
            ignore_missing_components: field.ignore_missing_components,
            images: images.collect(),
            build_metadata: field.build_metadata,
            post_build: field.post_build.map(|post_build| PostBuild {
                substitute: post_build.substitute,
                always: post_build.strategy == "Always",
            }),
        })
    }
}
