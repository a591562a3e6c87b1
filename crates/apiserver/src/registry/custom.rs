//! Resources that come from CustomResourceDefinitions: what is known of their objects.
//!
//! Sources: apiextensions-apiserver, `pkg/apiserver/customresource_handler.go`,
//! `pkg/registry/customresource`.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crd::objectmeta::CoerceOptions;
use crd::prune::PruneOptions;
use crd::rules::{Budget, OBJECT_BUDGET, Rules};
use crd::schema::Schema;
use crd::value::{Correlation, Validator};
use object::field::{self, ErrorKind, ErrorList, Path};
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
    preserve_unknown: bool,
    versions: BTreeMap<String, VersionSchema>,
}

/// What a version says of objects.
#[derive(Debug)]
struct VersionSchema {
    raw: Option<Value>,
    schema: Option<Schema>,
    rules: OnceLock<Option<Rules>>,
    merge: OnceLock<Option<Type>>,
}

/// The paths of a scale subresource.
#[derive(Debug, Clone, Default)]
pub struct ScalePaths {
    /// `specReplicasPath`.
    pub spec: String,
    /// `statusReplicasPath`.
    pub status: String,
    /// `labelSelectorPath`; may be empty.
    pub selector: String,
}

/// One version of a definition, as it is served.
#[derive(Debug)]
pub struct CustomVersion {
    /// The definition.
    pub definition: Arc<Definition>,
    /// The version.
    pub version: String,
    /// `additionalPrinterColumns`.
    pub columns: Vec<Value>,
    /// The scale subresource, if there is one.
    pub scale: Option<ScalePaths>,
    /// What requests are warned of: the version is deprecated.
    pub deprecation: Option<String>,
    selectable: Vec<String>,
}

impl Definition {
    /// Reads a stored definition, which has been validated.
    pub fn read(definition: &Value, since: i64) -> Self {
        let spec = &definition["spec"];
        let group = spec["group"].as_str().unwrap_or_default();
        let kind = definition["status"]["acceptedNames"]["kind"]
            .as_str()
            .unwrap_or_default();
        let mut storage = String::new();
        let mut versions = BTreeMap::new();
        for version in spec["versions"].as_array().into_iter().flatten() {
            let name = version["name"].as_str().unwrap_or_default();
            if version["storage"] == true {
                name.clone_into(&mut storage);
            }
            versions.insert(name.to_owned(), VersionSchema::read(version));
        }
        Self {
            name: meta::name(definition).to_owned(),
            storage_kind: GroupVersionKind::new(group, storage, kind),
            is_terminating: meta::is_terminating(definition),
            since,
            preserve_unknown: spec["preserveUnknownFields"] == true,
            versions,
        }
    }
}

impl VersionSchema {
    fn read(version: &Value) -> Self {
        let raw = version.pointer("/schema/openAPIV3Schema").cloned();
        let schema = raw.as_ref().and_then(|raw| {
            Schema::read(raw)
                .inspect_err(|error| tracing::warn!(%error, "a stored schema cannot be read"))
                .ok()
        });
        Self {
            raw,
            schema,
            rules: OnceLock::new(),
            merge: OnceLock::new(),
        }
    }

    fn rules(&self) -> Option<&Rules> {
        self.rules
            .get_or_init(|| {
                self.schema
                    .as_ref()
                    .and_then(|schema| Rules::compile(schema, true))
            })
            .as_ref()
    }
}

impl CustomVersion {
    /// Reads a version of a stored definition.
    pub fn read(definition: &Arc<Definition>, stored: &Value, version: &Value) -> Self {
        let name = version["name"].as_str().unwrap_or_default().to_owned();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let scale = version
            .pointer("/subresources/scale")
            .filter(|scale| scale.is_object());
        let paths = version["selectableFields"].as_array().into_iter().flatten();
        Self {
            columns: version["additionalPrinterColumns"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
            scale: scale.map(|scale| ScalePaths {
                spec: text(&scale["specReplicasPath"]),
                status: text(&scale["statusReplicasPath"]),
                selector: text(&scale["labelSelectorPath"]),
            }),
            deprecation: deprecation(stored, version),
            selectable: paths
                .filter_map(|field| field["jsonPath"].as_str())
                .map(|path| path.trim_start_matches('.').to_owned())
                .collect(),
            definition: Arc::clone(definition),
            version: name,
        }
    }

    fn own(&self) -> Option<&VersionSchema> {
        self.definition.versions.get(&self.version)
    }

    /// The schema of this version as the definition has it.
    pub fn raw_schema(&self) -> Option<&Value> {
        self.own()?.raw.as_ref()
    }

    /// The structured merge type; `None` if the schema has problems.
    pub fn merge_type(&self) -> Option<Type> {
        self.definition.merge_type(&self.version)
    }

    /// The fields by which objects can be selected, besides name and namespace: `spec.color`.
    pub fn selectable_fields(&self) -> &[String] {
        &self.selectable
    }

    /// Brings an object of this version into form: prunes, and sets defaults. Gives what strict
    /// decoding objects to.
    pub fn normalize(&self, object: &mut Value) -> Result<Vec<String>, Box<field::Error>> {
        self.definition.normalize(&self.version, object, false)
    }

    /// Sets the defaults of this version.
    pub fn set_defaults(&self, object: &mut Value) {
        if let Some(schema) = self.own().and_then(|own| own.schema.as_ref()) {
            crd::default::default(object, schema);
        }
    }

    /// The errors of a new object, or of one that has changed, in the storage version.
    pub fn validate(&self, object: &Value, old: Option<&Value>) -> ErrorList {
        let version = &self.definition.storage_kind.version;
        match self.definition.versions.get(version) {
            Some(schema) => self.definition.validate(schema, object, old),
            None => Vec::new(),
        }
    }
}

/// What a deprecated version warns of. Source: `customresource_handler.go`.
fn deprecation(stored: &Value, version: &Value) -> Option<String> {
    if version["deprecated"] != true {
        return None;
    }
    if let Some(warning) = version["deprecationWarning"].as_str() {
        return Some(warning.to_owned());
    }
    let name = version["name"].as_str().unwrap_or_default();
    let group = stored["spec"]["group"].as_str().unwrap_or_default();
    let kind = stored["spec"]["names"]["kind"].as_str().unwrap_or_default();
    let newer = stored["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|other| other["served"] == true && other["deprecated"] != true)
        .filter_map(|other| other["name"].as_str())
        .filter(|other| super::definitions::compare_versions(other, name).is_gt())
        .max_by(|left, right| super::definitions::compare_versions(left, right));
    Some(match newer {
        Some(newer) => format!("{group}/{name} {kind} is deprecated; use {group}/{newer} {kind}"),
        None => format!("{group}/{name} {kind} is deprecated"),
    })
}

impl Definition {
    fn merge_type(&self, version: &str) -> Option<Type> {
        let own = self.versions.get(version)?;
        own.merge
            .get_or_init(|| {
                let resource = CustomResource {
                    schema: own.raw.as_ref(),
                    preserve_unknown_fields: self.preserve_unknown,
                    document: schema::definitions(),
                    name: &self.name,
                };
                MergeSchema::of_custom_resource(resource)
                    .inspect_err(
                        |error| tracing::warn!(definition = %self.name, %error, "no merge schema"),
                    )
                    .ok()
            })
            .clone()
    }

    /// Prunes an object in a version, and sets its defaults. With `is_stored`, metadata of the wrong
    /// type is dropped.
    pub fn normalize(
        &self,
        version: &str,
        object: &mut Value,
        is_stored: bool,
    ) -> Result<Vec<String>, Box<field::Error>> {
        let schema = self
            .versions
            .get(version)
            .and_then(|own| own.schema.as_ref());
        let options = CoerceOptions {
            drop_invalid: is_stored,
            track_unknown: !is_stored,
        };
        let mut unknown = Vec::new();
        if !self.preserve_unknown {
            let options = PruneOptions {
                track_unknown: !is_stored,
            };
            unknown = crd::prune::prune(object, schema, true, options);
            crd::default::prune_nulls(object, schema);
        }
        unknown.extend(crd::objectmeta::coerce(
            &Path::root(),
            object,
            schema,
            true,
            options,
        )?);
        if let Some(schema) = schema {
            crd::default::default(object, schema);
        }
        Ok(unknown)
    }

    /// Takes out what a version does not know, after a conversion.
    pub fn prune(&self, version: &str, object: &mut Value) -> Vec<String> {
        let schema = self
            .versions
            .get(version)
            .and_then(|own| own.schema.as_ref());
        if self.preserve_unknown {
            return Vec::new();
        }
        crd::prune::prune(object, schema, true, PruneOptions::default())
    }

    /// An object as it is stored, brought up to what the definition says today.
    pub fn upgrade(&self, object: &mut Value) {
        let version = meta::gvk(object).version;
        // What is wrong with stored metadata is dropped, not told.
        let _ = self.normalize(&version, object, true);
    }

    fn validate(&self, own: &VersionSchema, object: &Value, old: Option<&Value>) -> ErrorList {
        let root = Path::root();
        let mut errors = self.type_errors(object);
        let Some(schema) = &own.schema else {
            return errors;
        };
        let correlation = old.map(|old| Correlation::new(object, old, schema));
        let validator = Validator::of_definition(schema);
        errors.extend(match &correlation {
            None => validator.validate(&root, object),
            Some(correlation) => validator.validate_update(&root, object, correlation),
        });
        errors.extend(crd::objectmeta::validate(
            &root,
            object,
            Some(schema),
            false,
        ));
        let was_wrong =
            old.is_some_and(|old| !crd::listtype::validate(&root, schema, old).is_empty());
        if !was_wrong {
            errors.extend(crd::listtype::validate(&root, schema, object));
        }
        if let Some(rules) = own.rules() {
            if errors.iter().any(|error| blocks_rules(error.kind)) {
                errors.push(field::Error::invalid(
                    &root,
                    Value::Null,
                    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
                ));
            } else {
                let mut budget = Budget::new(OBJECT_BUDGET);
                errors.extend(rules.validate(
                    &root,
                    object,
                    old,
                    correlation.as_ref(),
                    &mut budget,
                ));
            }
        }
        errors
    }

    fn type_errors(&self, object: &Value) -> ErrorList {
        let mut errors = Vec::new();
        let kind = object["kind"].as_str().unwrap_or_default();
        if kind != self.storage_kind.kind {
            errors.push(field::Error::invalid(
                &Path::new("kind"),
                kind,
                format!("must be {}", self.storage_kind.kind),
            ));
        }
        errors
    }
}

/// Whether an error is of a kind that could make rules fail for no reason of their own.
fn blocks_rules(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::Required
            | ErrorKind::TooLong
            | ErrorKind::TooMany
            | ErrorKind::TypeInvalid
    )
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
        if to.group != self.0.storage_kind.group || !self.0.versions.contains_key(&to.version) {
            return Err(VersionError::NotRegistered(to.clone()));
        }
        let mut converted = object.clone();
        converted["apiVersion"] = Value::from(to.to_string());
        Ok(converted)
    }
}
