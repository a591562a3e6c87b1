//! A definition made ready for serving: what an API server asks of each version.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/customresource_handler.go`,
//! `pkg/registry/customresource`.

mod objects;
mod scale;

use std::collections::BTreeMap;

use object::field::{Error, ErrorList, Path};
use serde_json::Value;

use crate::default;
use crate::rules::Rules;
use crate::schema::Schema;

pub use scale::Scale;

/// A definition made ready for serving.
#[derive(Debug)]
pub struct Compiled {
    /// The group of its objects.
    pub group: String,
    /// The kind of its objects.
    pub kind: String,
    /// The kind of lists of them.
    pub list_kind: String,
    /// The resource, as in URLs.
    pub plural: String,
    /// The singular name.
    pub singular: String,
    /// Abbreviations.
    pub short_names: Vec<String>,
    /// The groups of resources to which it belongs, such as `all`.
    pub categories: Vec<String>,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// The version in which objects are stored.
    pub storage_version: String,
    /// All versions by their names.
    pub versions: BTreeMap<String, VersionSchema>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// `integer`, `number`, `string`, `boolean` or `date`.
    pub kind: String,
    /// The format of its values; empty if none.
    pub format: String,
    /// What it shows.
    pub description: String,
    /// Columns above 0 are only shown when more is asked for.
    pub priority: i64,
    /// The path of its values, beginning with a dot.
    pub json_path: String,
}

/// One version of a definition.
#[derive(Debug)]
pub struct VersionSchema {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespaced: bool,
    /// Its name, such as `v1`.
    pub name: String,
    /// Whether it is served.
    pub served: bool,
    /// Whether objects are stored in it.
    pub storage: bool,
    /// The warning for its users, if it is deprecated.
    pub deprecation: Option<String>,
    /// Whether it has a status subresource.
    pub has_status: bool,
    /// Its scale subresource.
    pub scale: Option<Scale>,
    /// Its columns; the age if it gives none.
    pub columns: Vec<Column>,
    /// The paths by which objects can be selected, without the leading dot.
    pub selectable_fields: Vec<String>,
    pub(crate) schema: Schema,
    rules: Option<Rules>,
    preserve_unknown: bool,
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    let list = value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// Makes a definition in version `v1` ready. It should have been validated; the errors are those of
/// schemas that cannot be read.
pub fn compile(definition: &Value) -> Result<Compiled, ErrorList> {
    let spec = definition.get("spec").unwrap_or(&Value::Null);
    let names = spec.get("names").unwrap_or(&Value::Null);
    let mut compiled = Compiled {
        group: text(spec, "group"),
        kind: text(names, "kind"),
        list_kind: text(names, "listKind"),
        plural: text(names, "plural"),
        singular: text(names, "singular"),
        short_names: texts(names, "shortNames"),
        categories: texts(names, "categories"),
        namespaced: text(spec, "scope") == "Namespaced",
        storage_version: String::new(),
        versions: BTreeMap::new(),
    };
    let mut errors = Vec::new();
    let path = Path::new("spec").child("versions");
    let versions = spec
        .get("versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for (index, version) in versions.enumerate() {
        match VersionSchema::read(&compiled, version, flag(spec, "preserveUnknownFields")) {
            Ok(version) => {
                if version.storage {
                    compiled.storage_version.clone_from(&version.name);
                }
                compiled.versions.insert(version.name.clone(), version);
            }
            Err(error) => {
                let place = path.index(index).child("schema").child("openAPIV3Schema");
                errors.push(Error::invalid(&place, "", error.to_string()));
            }
        }
    }
    if errors.is_empty() {
        Ok(compiled)
    } else {
        Err(errors)
    }
}

fn columns(version: &Value) -> Vec<Column> {
    let columns: Vec<Column> = version
        .get("additionalPrinterColumns")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|column| Column {
            name: text(column, "name"),
            kind: text(column, "type"),
            format: text(column, "format"),
            description: text(column, "description"),
            priority: column
                .get("priority")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            json_path: text(column, "jsonPath"),
        })
        .collect();
    if !columns.is_empty() {
        return columns;
    }
    vec![Column {
        name: "Age".to_owned(),
        kind: "date".to_owned(),
        format: String::new(),
        description: "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata".to_owned(),
        priority: 0,
        json_path: ".metadata.creationTimestamp".to_owned(),
    }]
}

impl VersionSchema {
    fn read(
        definition: &Compiled,
        version: &Value,
        preserve_unknown: bool,
    ) -> Result<Self, crate::schema::SchemaError> {
        let schema = version
            .pointer("/schema/openAPIV3Schema")
            .unwrap_or(&Value::Null);
        let schema = default::prune_defaults(&Schema::read(schema)?);
        let rules = Rules::compile(&schema, true);
        let name = text(version, "name");
        let warning = version.get("deprecationWarning").and_then(Value::as_str);
        let deprecation = flag(version, "deprecated").then(|| {
            warning.map_or_else(
                || {
                    format!(
                        "{}/{name} {} is deprecated",
                        definition.group, definition.kind
                    )
                },
                str::to_owned,
            )
        });
        let subresource = |name: &str| {
            version
                .pointer(&format!("/subresources/{name}"))
                .filter(|value| !value.is_null())
        };
        let selectable = version
            .get("selectableFields")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        Ok(Self {
            group: definition.group.clone(),
            kind: definition.kind.clone(),
            namespaced: definition.namespaced,
            served: flag(version, "served"),
            storage: flag(version, "storage"),
            deprecation,
            has_status: subresource("status").is_some(),
            scale: subresource("scale").map(Scale::read),
            columns: columns(version),
            selectable_fields: selectable
                .map(|field| text(field, "jsonPath").trim_start_matches('.').to_owned())
                .collect(),
            schema,
            rules,
            preserve_unknown,
            name,
        })
    }

    /// The schema of the version.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}
