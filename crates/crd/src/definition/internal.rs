//! A definition in the form in which it is checked: what all versions share stands above them.
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/v1/conversion.go`.

use serde_json::{Map, Value};

/// One version.
pub(super) struct Version<'a> {
    pub(super) name: &'a str,
    pub(super) served: bool,
    pub(super) storage: bool,
    pub(super) deprecated: bool,
    pub(super) warning: Option<&'a str>,
    /// `schema`, if not all versions have the same.
    pub(super) schema: Option<&'a Value>,
    pub(super) subresources: Option<&'a Value>,
    pub(super) columns: &'a [Value],
    pub(super) selectable: &'a [Value],
}

/// Names, in the spec or the status.
pub(super) struct NameFields<'a>(Option<&'a Value>);

impl<'a> NameFields<'a> {
    pub(super) fn text(&self, key: &str) -> &'a str {
        self.0
            .and_then(|names| names.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(super) fn texts(&self, key: &str) -> Vec<&'a str> {
        texts(self.0.and_then(|names| names.get(key)))
    }
}

/// A definition.
pub(super) struct Definition<'a> {
    pub(super) group: &'a str,
    pub(super) scope: &'a str,
    pub(super) preserve_unknown: bool,
    pub(super) names: NameFields<'a>,
    pub(super) accepted: NameFields<'a>,
    pub(super) versions: Vec<Version<'a>>,
    /// Whether there is a list of versions, if only an empty one.
    pub(super) has_versions: bool,
    /// The schema of all versions.
    pub(super) schema: Option<&'a Value>,
    pub(super) subresources: Option<&'a Value>,
    pub(super) columns: &'a [Value],
    pub(super) selectable: &'a [Value],
    pub(super) conversion: Option<&'a Value>,
    pub(super) stored_versions: Vec<&'a str>,
    pub(super) raw_stored_versions: Option<&'a Value>,
    pub(super) established: bool,
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

impl<'a> Definition<'a> {
    pub(super) fn new(definition: &'a Value) -> Self {
        let spec = definition.get("spec").unwrap_or(&Value::Null);
        let status = definition.get("status").unwrap_or(&Value::Null);
        let versions = list(spec.get("versions")).iter().map(|version| Version {
            name: version
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default(),
            served: flag(version, "served"),
            storage: flag(version, "storage"),
            deprecated: flag(version, "deprecated"),
            warning: version.get("deprecationWarning").and_then(Value::as_str),
            schema: present(version.get("schema")),
            subresources: present(version.get("subresources")),
            columns: list(version.get("additionalPrinterColumns")),
            selectable: list(version.get("selectableFields")),
        });
        let text = |key: &str| spec.get(key).and_then(Value::as_str).unwrap_or_default();
        let mut crd = Self {
            group: text("group"),
            scope: text("scope"),
            preserve_unknown: flag(spec, "preserveUnknownFields"),
            names: NameFields(spec.get("names")),
            accepted: NameFields(status.get("acceptedNames")),
            versions: versions.collect(),
            has_versions: present(spec.get("versions")).is_some(),
            schema: None,
            subresources: None,
            columns: &[],
            selectable: &[],
            conversion: present(spec.get("conversion")),
            stored_versions: texts(status.get("storedVersions")),
            raw_stored_versions: status.get("storedVersions"),
            established: list(status.get("conditions")).iter().any(|condition| {
                condition["type"] == "Established" && condition["status"] == "True"
            }),
        };
        crd.hoist();
        crd
    }

    /// Takes what all versions share out of them.
    fn hoist(&mut self) {
        let Some(first) = self.versions.first() else {
            return;
        };
        let (schema, subresources, columns, selectable) = (
            first.schema,
            first.subresources,
            first.columns,
            first.selectable,
        );
        if self.versions.iter().all(|version| version.schema == schema) {
            self.schema = schema;
            self.versions
                .iter_mut()
                .for_each(|version| version.schema = None);
        }
        if self
            .versions
            .iter()
            .all(|version| version.subresources == subresources)
        {
            self.subresources = subresources;
            self.versions
                .iter_mut()
                .for_each(|version| version.subresources = None);
        }
        if self
            .versions
            .iter()
            .all(|version| version.columns == columns)
        {
            self.columns = columns;
            self.versions
                .iter_mut()
                .for_each(|version| version.columns = &[]);
        }
        if self
            .versions
            .iter()
            .all(|version| version.selectable == selectable)
        {
            self.selectable = selectable;
            self.versions
                .iter_mut()
                .for_each(|version| version.selectable = &[]);
        }
    }

    /// The schemas of all versions.
    pub(super) fn schemas(&self) -> impl Iterator<Item = &'a Map<String, Value>> {
        let own = self.versions.iter().filter_map(|version| version.schema);
        self.schema.into_iter().chain(own).filter_map(open_api)
    }

    /// The schema of a version.
    pub(super) fn schema_of(&self, name: &str) -> Option<&'a Value> {
        let version = self.versions.iter().find(|version| version.name == name)?;
        version.schema.or(self.schema)
    }

    /// The subresources of a version.
    pub(super) fn subresources_of(&self, version: &Version<'a>) -> Option<&'a Value> {
        if self
            .versions
            .iter()
            .all(|version| version.subresources.is_none())
        {
            return self.subresources;
        }
        version.subresources
    }
}

/// The `openAPIV3Schema` of a `schema`.
pub(super) fn open_api(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("openAPIV3Schema").and_then(Value::as_object)
}

/// Whether subresources have a status.
pub(super) fn has_status(subresources: Option<&Value>) -> bool {
    subresources
        .and_then(|subresources| present(subresources.get("status")))
        .is_some()
}
