//! Resources that come from CustomResourceDefinitions: what is known of their objects.
//!
//! Sources: apiextensions-apiserver, `pkg/apiserver/customresource_handler.go`,
//! `pkg/registry/customresource`.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crd::{Compiled, VersionSchema};
use object::field::ErrorList;
use object::smd::managed_fields::{VersionError, Versions};
use object::smd::schema::{CustomResource, Schema as MergeSchema, Type};
use object::{GroupVersion, GroupVersionKind, Value, meta};

use super::schema;

/// A definition, read once: all its versions.
#[derive(Debug)]
pub struct Definition {
    /// Its name, such as `kustomizations.kustomize.toolkit.fluxcd.io`.
    pub name: String,
    /// The kind of its objects, in the version in which they are stored.
    pub storage_kind: GroupVersionKind,
    /// Whether it is being deleted: nothing can be created any more.
    pub is_terminating: bool,
    /// Objects stored at or before this revision may lack what the schema says now.
    pub since: i64,
    /// What is made of it for serving.
    pub compiled: Compiled,
    preserve_unknown: bool,
    schemas: BTreeMap<String, RawSchema>,
}

/// The schema of a version as it was written, and the structured merge type made of it.
#[derive(Debug)]
struct RawSchema {
    raw: Option<Value>,
    merge: OnceLock<Option<Type>>,
}

/// One version of a definition, as it is served.
#[derive(Debug)]
pub struct CustomVersion {
    /// The definition.
    pub definition: Arc<Definition>,
    /// The version.
    pub version: String,
    /// What requests are warned of: the version is deprecated.
    pub deprecation: Option<String>,
}

impl Definition {
    /// Reads a stored definition, which has been validated. The error says what of its schemas cannot
    /// be read.
    pub fn read(definition: &Value, since: i64) -> Result<Self, ErrorList> {
        let compiled = crd::compile(definition)?;
        let spec = &definition["spec"];
        let mut schemas = BTreeMap::new();
        for version in spec["versions"].as_array().into_iter().flatten() {
            let name = version["name"].as_str().unwrap_or_default();
            let raw = version.pointer("/schema/openAPIV3Schema").cloned();
            let merge = OnceLock::new();
            schemas.insert(name.to_owned(), RawSchema { raw, merge });
        }
        Ok(Self {
            name: meta::name(definition).to_owned(),
            storage_kind: GroupVersionKind::new(
                compiled.group.as_str(),
                compiled.storage_version.as_str(),
                compiled.kind.as_str(),
            ),
            is_terminating: meta::is_terminating(definition),
            since,
            preserve_unknown: spec["preserveUnknownFields"] == true,
            compiled,
            schemas,
        })
    }

    /// A version.
    pub fn version(&self, name: &str) -> Option<&VersionSchema> {
        self.compiled.versions.get(name)
    }

    /// The version in which objects are stored.
    pub fn storage(&self) -> Option<&VersionSchema> {
        self.version(&self.storage_kind.version)
    }

    fn merge_type(&self, version: &str) -> Option<Type> {
        let own = self.schemas.get(version)?;
        own.merge
            .get_or_init(|| {
                let resource = CustomResource {
                    schema: own.raw.as_ref(),
                    preserve_unknown_fields: self.preserve_unknown,
                    document: schema::definitions(),
                    name: &self.name,
                };
                MergeSchema::of_custom_resource(resource)
                    .inspect_err(|error| {
                        tracing::warn!(definition = %self.name, %error, "no merge schema");
                    })
                    .ok()
            })
            .clone()
    }

    /// Takes out what a version does not know, after a conversion.
    pub fn prune(&self, version: &str, object: &mut Value) {
        if let Some(own) = self.version(version) {
            // What is wrong with metadata that was stored is not the reader's business.
            let _ = own.prune(object);
        }
    }

    /// An object as it is stored, brought up to what the definition says today.
    pub fn upgrade(&self, object: &mut Value) {
        let version = meta::gvk(object).version;
        self.prune(&version, object);
        if let Some(own) = self.version(&version) {
            own.default(object);
        }
    }
}

impl CustomVersion {
    /// A version of a definition.
    pub fn new(definition: &Arc<Definition>, stored: &Value, version: &str) -> Self {
        Self {
            deprecation: deprecation(definition, stored, version),
            definition: Arc::clone(definition),
            version: version.to_owned(),
        }
    }

    /// What the definition says of this version.
    pub fn schema(&self) -> Option<&VersionSchema> {
        self.definition.version(&self.version)
    }

    /// The schema of this version as the definition has it.
    pub fn raw_schema(&self) -> Option<&Value> {
        self.definition.schemas.get(&self.version)?.raw.as_ref()
    }

    /// The structured merge type; `None` if the schema has problems.
    pub fn merge_type(&self) -> Option<Type> {
        self.definition.merge_type(&self.version)
    }

    /// The fields by which objects can be selected, besides name and namespace: `spec.color`.
    pub fn selectable_fields(&self) -> &[String] {
        self.schema().map_or(&[], |own| &own.selectable_fields)
    }

    /// Brings an object of this version into form: prunes, and sets defaults. Gives the paths of what
    /// is not known; the error is that of metadata that cannot be read.
    pub fn normalize(&self, object: &mut Value) -> Result<Vec<String>, String> {
        let Some(own) = self.schema() else {
            return Ok(Vec::new());
        };
        let unknown = own.prune(object)?;
        own.default(object);
        Ok(unknown)
    }

    /// Sets the defaults of this version.
    pub fn set_defaults(&self, object: &mut Value) {
        if let Some(own) = self.schema() {
            own.default(object);
        }
    }
}

/// What a deprecated version warns of. Source: `customresource_handler.go`.
fn deprecation(definition: &Definition, stored: &Value, version: &str) -> Option<String> {
    let own = definition.version(version)?;
    let said = own.deprecation.as_ref()?;
    let versions = stored["spec"]["versions"].as_array().into_iter().flatten();
    let has_words = versions
        .clone()
        .any(|known| known["name"] == version && known["deprecationWarning"].is_string());
    if has_words {
        return Some(said.clone());
    }
    let newer = versions
        .filter(|other| other["served"] == true && other["deprecated"] != true)
        .filter_map(|other| other["name"].as_str())
        .filter(|other| super::definitions::compare_versions(other, version).is_gt())
        .max_by(|left, right| super::definitions::compare_versions(left, right));
    Some(match newer {
        Some(newer) => format!(
            "{said}; use {}/{newer} {}",
            definition.compiled.group, definition.compiled.kind
        ),
        None => said.clone(),
    })
}

/// The versions of a definition, for structured merge.
#[derive(Debug)]
pub struct CustomVersions(pub Arc<Definition>);

impl Versions for CustomVersions {
    fn type_of(&self, kind: &GroupVersionKind) -> Option<Type> {
        let known =
            self.0.storage_kind.kind == kind.kind && self.0.storage_kind.group == kind.group;
        known.then(|| {
            self.0
                .merge_type(&kind.version)
                .unwrap_or_else(Type::deduced)
        })
    }

    fn convert(&self, object: &Value, to: &GroupVersion) -> Result<Value, VersionError> {
        if to.group != self.0.storage_kind.group || self.0.version(&to.version).is_none() {
            return Err(VersionError::NotRegistered(to.clone()));
        }
        let mut converted = object.clone();
        converted["apiVersion"] = Value::from(to.to_string());
        Ok(converted)
    }
}
