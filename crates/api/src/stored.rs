//! How objects of old versions live in an API server without a conversion webhook.
//!
//! A CRD with several versions and conversion `None` stores every object in one version, the current
//! one, by changing its `apiVersion`, and then prunes it by the schema of the *stored* version: on every
//! write, after the conversion, and again on every read. So a field of v1beta1 that v1 does not know is
//! gone before a controller can see it. (Source: apiextensions-apiserver,
//! `pkg/apiserver/customresource_handler.go`: `crdConversionRESTOptionsGetter` wraps both the decoder of
//! the storage and the converter in a `schemaCoercing…`.)
//!
//! Therefore the schema of the current version also holds the old fields that have an equivalent
//! today: [`LEGACY_FIELDS`]. They are optional, and nothing else in the schema changes, so an object of the
//! current version is checked exactly as Flux checks it. Controllers read the current version and pass what
//! they read through [`crate::convert::to_current`], which moves these fields to their present place in
//! memory; the stored object stays as its author wrote it, so that applying it again is no change.
//!
//! An object that was stored like this may lack a field that the current version requires
//! (`spec.sourceRef` of an ImageUpdateAutomation of v1alpha1). Reading never validates. A write through
//! the current version, of the status or a finalizer, leaves the spec as it is, and what is not changed is
//! not held against the writer (CRD validation ratcheting, stable since Kubernetes 1.33).
//!
//! Fields without an equivalent are not in the list: they are pruned, and the deprecation warning of their
//! version names them ([`crate::convert::deprecation_warning`]).

use serde_json::Value;

use crate::kind::{Kind, Names};
use crate::meta::JsonPatch;
use crate::schema::{Schema, Shape};
use crate::{helm, image, kustomize, source};

/// A field of old versions that is kept in the stored version.
#[derive(Debug)]
pub struct LegacyField {
    /// The kind.
    pub names: &'static Names,
    /// The object that holds the field, such as `spec.postRenderers[].kustomize`.
    pub parent: &'static str,
    /// The field.
    pub name: &'static str,
    /// The versions that have it, and what is used today.
    pub description: &'static str,
    schema: fn() -> Schema,
}

const STRATEGIC: &str = "Of versions before v1: strategic merge patches. Use patches.";
const JSON6902: &str = "Of versions before v1: JSON 6902 patches. Use patches.";
const HELM_STRATEGIC: &str = "Of versions before v2: strategic merge patches. Use patches.";
const HELM_JSON6902: &str = "Of versions before v2: JSON 6902 patches. Use patches.";

/// All such fields.
pub const LEGACY_FIELDS: &[LegacyField] = &[
    field::<Vec<Value>>(
        &kustomize::KUSTOMIZATION,
        "spec",
        "patchesStrategicMerge",
        STRATEGIC,
    ),
    field::<Vec<JsonPatch>>(
        &kustomize::KUSTOMIZATION,
        "spec",
        "patchesJson6902",
        JSON6902,
    ),
    field::<kustomize::v1alpha1::ServiceAccount>(
        &kustomize::KUSTOMIZATION,
        "spec",
        "serviceAccount",
        "Of v1alpha1: the ServiceAccount to act as. Use serviceAccountName.",
    ),
    field::<String>(
        &helm::HELM_RELEASE,
        "spec.chart.spec",
        "valuesFile",
        "Of versions before v2: a values file. Use valuesFiles.",
    ),
    field::<Vec<Value>>(
        &helm::HELM_RELEASE,
        POST_RENDERER,
        "patchesStrategicMerge",
        HELM_STRATEGIC,
    ),
    field::<Vec<JsonPatch>>(
        &helm::HELM_RELEASE,
        POST_RENDERER,
        "patchesJson6902",
        HELM_JSON6902,
    ),
    field::<String>(
        &source::HELM_CHART,
        "spec",
        "valuesFile",
        "Of versions before v1: a values file. Use valuesFiles.",
    ),
    field::<image::v1alpha1::GitCheckoutSpec>(
        &image::IMAGE_UPDATE_AUTOMATION,
        "spec",
        "checkout",
        "Of v1alpha1: what to check out. Use sourceRef and git.checkout.",
    ),
    field::<image::v1alpha1::CommitSpec>(
        &image::IMAGE_UPDATE_AUTOMATION,
        "spec",
        "commit",
        "Of v1alpha1: how to commit. Use git.commit.",
    ),
    field::<image::v1alpha2::PushSpec>(
        &image::IMAGE_UPDATE_AUTOMATION,
        "spec",
        "push",
        "Of v1alpha1: where to push. Use git.push.",
    ),
];

const POST_RENDERER: &str = "spec.postRenderers[].kustomize";

const fn field<T: Shape>(
    names: &'static Names,
    parent: &'static str,
    name: &'static str,
    description: &'static str,
) -> LegacyField {
    LegacyField {
        names,
        parent,
        name,
        description,
        schema: T::schema,
    }
}

impl LegacyField {
    /// The path of the field, such as `spec.chart.spec.valuesFile`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.parent, self.name)
    }
}

/// The schema of the stored version of a kind: that of the current version and the fields of old ones.
pub fn schema(kind: &Kind) -> Value {
    let mut schema = (kind.current().schema)();
    for field in LEGACY_FIELDS
        .iter()
        .filter(|field| field.names == kind.names)
    {
        let mut property = (field.schema)();
        property.describe(field.description);
        if let Some(properties) = schema
            .at_mut(field.parent)
            .and_then(|parent| parent.get_mut("properties"))
        {
            properties[field.name] = property.into();
        }
    }
    schema.into()
}
