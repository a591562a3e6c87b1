//! `Table` answers.
//!
//! Sources: Kubernetes `pkg/printers`, apiextensions-apiserver
//! `pkg/registry/customresource/tableconvertor`.

use builtin::facts::Description;
use builtin::prose::prose;
use crd::compiled::Column;
use object::jsonpath::JsonPath;
use object::time::Time;
use object::{GroupVersionKind, GroupVersionResource, Value};
use serde_json::json;

use crate::core::Core;
use crate::registry::{ServedResource, custom::CustomVersion};

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Which part of the objects a table carries in its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IncludeObject {
    /// Nothing.
    None,
    /// The metadata, which is the default.
    #[default]
    Metadata,
    /// The whole object.
    Object,
}

/// The error for an `includeObject` that is not known.
pub fn bad_include(text: &str) -> crate::ApiError {
    crate::ApiError::bad_request(format!(
        "Unable to convert to Table as requested: includeObject: Invalid value: {}: must be 'Metadata', 'Object', 'None', or empty",
        object::field::quote(text)
    ))
}

/// Makes the column definitions of a resource.
pub fn columns(resource: &ServedResource) -> Vec<Value> {
    if let Some(custom) = resource.custom() {
        return custom_columns(custom);
    }
    let facts = builtin::facts::facts();
    let known = facts.resource(&resource.gvr);
    known
        .map(|resource| resource.columns.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|column| {
            let description = match &column.description {
                Description::Text(text) => text.as_str(),
                Description::Field(name, field) => {
                    prose().of_field(name, field).unwrap_or_default()
                }
            };
            json!({
                "name": column.name,
                "type": column.column_type,
                "format": column.format,
                "description": description,
                "priority": column.priority,
            })
        })
        .collect()
}

fn custom_columns(custom: &CustomVersion) -> Vec<Value> {
    let mut columns = vec![json!({
        "name": "Name",
        "type": "string",
        "format": "name",
        "description": prose().of_field(OBJECT_META, "name").unwrap_or_default(),
        "priority": 0,
    })];
    for column in printed(custom) {
        let description = if column.description.is_empty() {
            format!(
                "Custom resource definition column (in JSONPath format): {}",
                column.json_path
            )
        } else {
            column.description.clone()
        };
        columns.push(json!({
            "name": column.name,
            "type": column.kind,
            "format": column.format,
            "description": description,
            "priority": column.priority,
        }));
    }
    columns
}

fn printed(custom: &CustomVersion) -> &[Column] {
    custom
        .schema()
        .map(|version| version.columns.as_slice())
        .unwrap_or_default()
}

/// Makes the rows of a table.
pub struct Rows<'a> {
    resource: &'a ServedResource,
    /// The paths of the columns of a custom resource; `None` for one that cannot be read.
    paths: Vec<Option<JsonPath>>,
    now: Time,
}

impl<'a> Rows<'a> {
    /// Prepares for objects of the resource.
    pub fn new(core: &Core, resource: &'a ServedResource) -> Self {
        let columns = resource.custom().map(|custom| printed(custom));
        let paths = columns
            .unwrap_or_default()
            .iter()
            .map(|column| {
                let path = JsonPath::parse(&format!("{{{}}}", column.json_path));
                Some(path.ok()?.allow_missing_keys(true))
            })
            .collect();
        let seconds = crate::clock::unix_seconds(core.clock.now());
        Self {
            resource,
            paths,
            now: Time::from_unix(seconds, 0),
        }
    }

    /// The row of an object in the requested version, without the object.
    pub fn row(&self, object: &Value) -> Value {
        if let Some(custom) = self.resource.custom() {
            return json!({"cells": self.custom_cells(custom, object)});
        }
        let row = match self.printed_version() {
            Some((resource, kind)) => {
                let mut object = object.clone();
                builtin::convert::convert(&mut object, &kind);
                builtin::table::row(&resource, &object, self.now)
            }
            None => builtin::table::row(&self.resource.gvr, object, self.now),
        };
        let mut out = json!({"cells": row.cells});
        if !row.conditions.is_empty() {
            out["conditions"] = Value::from(row.conditions);
        }
        out
    }

    /// The version in which objects are printed, where it is not the requested one: the server prints
    /// its internal form, to which the newest version of autoscalers and the core one of events are
    /// the nearest.
    fn printed_version(&self) -> Option<(GroupVersionResource, GroupVersionKind)> {
        let gvk = &self.resource.gvk;
        let kind = builtin::convert::storage_version(gvk);
        (kind != *gvk).then(|| {
            let resource = &self.resource.gvr.resource;
            let gvr = GroupVersionResource::new(
                kind.group.as_str(),
                kind.version.as_str(),
                resource.as_str(),
            );
            (gvr, kind)
        })
    }

    fn custom_cells(&self, custom: &CustomVersion, object: &Value) -> Vec<Value> {
        let mut cells = vec![Value::from(object::meta::name(object))];
        for (column, path) in printed(custom).iter().zip(&self.paths) {
            let cell = path
                .as_ref()
                .and_then(|path| self.custom_cell(column, path, object));
            cells.push(cell.unwrap_or(Value::Null));
        }
        cells
    }

    fn custom_cell(&self, column: &Column, path: &JsonPath, object: &Value) -> Option<Value> {
        let found = path.find(object).ok()?.into_iter().next()?;
        // Paths of columns are simple: there is one value at most.
        let value = found.into_iter().next()?;
        match column.kind.as_str() {
            "string" => Some(Value::from(printed_text(&value))),
            "integer" => whole(&value),
            "number" => value.as_f64().map(Value::from),
            "boolean" => value.as_bool().map(Value::from),
            "date" => Some(Value::from(self.age(value.as_str()?))),
            _ => None,
        }
    }

    /// How long ago a time was.
    fn age(&self, text: &str) -> String {
        if text.is_empty() || text == "null" {
            return "<unknown>".to_owned();
        }
        match Time::parse(text) {
            Ok(time) if time.is_zero() => "<unknown>".to_owned(),
            Ok(time) => object::time::human::human(self.now.since(time)),
            Err(_) => "<invalid>".to_owned(),
        }
    }
}

/// A value as a path expression prints it.
fn printed_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => {
            let object = json!({"value": other});
            JsonPath::parse("{.value}")
                .ok()
                .and_then(|path| path.execute(&object).ok())
                .unwrap_or_default()
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "fractions are cut off, as Go does"
)]
fn whole(value: &Value) -> Option<Value> {
    let number = value.as_i64();
    number
        .or_else(|| value.as_f64().map(|number| number as i64))
        .map(Value::from)
}
