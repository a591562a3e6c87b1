//! Label and field selectors of lists and watches.

use std::borrow::Cow;
use std::collections::BTreeMap;

use object::field::quote;
use object::selector::{FieldSelector, LabelSelector};
use object::{GroupResource, Value};
use serde::Deserialize;

use super::Call;
use crate::error::ApiError;
use crate::store::Stored;

/// What an object must have to be shown.
pub(super) struct Selection {
    labels: LabelSelector,
    fields: FieldSelector,
    resource: GroupResource,
}

/// The labels of an object, read without the rest of it.
#[derive(Deserialize)]
struct Labelled<'a> {
    #[serde(borrow)]
    metadata: Option<LabelMap<'a>>,
}

#[derive(Deserialize)]
struct LabelMap<'a> {
    #[serde(borrow)]
    labels: Option<BTreeMap<String, Cow<'a, str>>>,
}

impl Selection {
    /// Reads the selectors of a request.
    pub(super) fn read(call: &Call) -> Result<Self, ApiError> {
        let labels = LabelSelector::parse(call.query.text("labelSelector"))
            .map_err(|error| ApiError::bad_request(error.to_string()))?;
        let fields = FieldSelector::parse(call.query.text("fieldSelector"))
            .map_err(|error| ApiError::bad_request(error.to_string()))?;
        let resource = call.group_resource();
        let fields = fields.transform(|field, value| {
            let known = known_field(call, &resource, &field);
            known.map(|name| (name.to_owned(), value))
        })?;
        Ok(Self {
            labels,
            fields,
            resource,
        })
    }

    /// Whether everything is selected.
    pub(super) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// The name that is demanded, if one is.
    pub(super) fn name(&self) -> Option<&str> {
        self.fields.required_value("metadata.name")
    }

    /// Whether an object is selected.
    pub(super) fn matches(&self, stored: &Stored) -> bool {
        self.matches_labels(stored) && self.matches_fields(stored)
    }

    fn matches_labels(&self, stored: &Stored) -> bool {
        if self.labels.is_everything() {
            return true;
        }
        let Ok(read) = serde_json::from_slice::<Labelled<'_>>(&stored.raw) else {
            return false;
        };
        let labels = read.metadata.and_then(|metadata| metadata.labels);
        self.labels.matches(&labels)
    }

    fn matches_fields(&self, stored: &Stored) -> bool {
        if self.fields.is_everything() {
            return true;
        }
        let only_key = self
            .fields
            .requirements()
            .iter()
            .all(|one| matches!(one.field.as_str(), "metadata.name" | "metadata.namespace"));
        if only_key {
            return self.fields.matches(|field| match field {
                "metadata.name" => stored.name(),
                _ => stored.namespace(),
            });
        }
        let object = stored.value();
        let values: BTreeMap<String, String> = self
            .fields
            .requirements()
            .iter()
            .map(|one| {
                (
                    one.field.clone(),
                    value_of(&self.resource, &object, &one.field),
                )
            })
            .collect();
        self.fields
            .matches(|field| values.get(field).map_or("", String::as_str))
    }
}

/// The fields by which objects can be selected, besides name and namespace.
///
/// Source: `pkg/apis/*/*/conversion.go` (`AddFieldLabelConversionFunc`) and the resources' `ToSelectableFields`.
fn extra_fields(resource: &GroupResource) -> Option<&'static [&'static str]> {
    Some(
        match (resource.group.as_str(), resource.resource.as_str()) {
            ("", "pods") => &[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "spec.hostNetwork",
                "status.phase",
                "status.podIP",
                "status.podIPs",
                "status.nominatedNodeName",
            ],
            ("", "nodes") => &["spec.unschedulable"],
            ("", "namespaces") => &["status.phase", "name"],
            ("", "secrets") => &["type"],
            ("", "services") => &["spec.clusterIP", "spec.type"],
            ("", "replicationcontrollers") => &["status.replicas"],
            ("", "events") => &[
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "involvedObject.apiVersion",
                "involvedObject.resourceVersion",
                "involvedObject.fieldPath",
                "reason",
                "reportingComponent",
                "source",
                "type",
            ],
            ("events.k8s.io", "events") => &[
                "regarding.kind",
                "regarding.namespace",
                "regarding.name",
                "regarding.uid",
                "regarding.apiVersion",
                "regarding.resourceVersion",
                "regarding.fieldPath",
                "reason",
                "reportingController",
                "type",
            ],
            ("batch", "jobs") => &["status.successful"],
            ("certificates.k8s.io", "certificatesigningrequests") => &["spec.signerName"],
            ("resource.k8s.io", "resourceslices") => &["spec.nodeName", "spec.driver"],
            _ => return None,
        },
    )
}

fn known_field<'a>(
    call: &Call,
    resource: &GroupResource,
    field: &'a str,
) -> Result<&'a str, ApiError> {
    if matches!(field, "metadata.name" | "metadata.namespace") {
        return Ok(field);
    }
    if let Some(custom) = call.resource.custom() {
        if custom
            .selectable_fields()
            .iter()
            .any(|known| known == field)
        {
            return Ok(field);
        }
        return Err(ApiError::bad_request(format!(
            "field label not supported: {field}"
        )));
    }
    match extra_fields(resource) {
        Some(known) if known.contains(&field) => Ok(field),
        Some(_) => Err(ApiError::bad_request(format!(
            "field label not supported: {field}"
        ))),
        None => Err(ApiError::bad_request(format!(
            "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            quote(field)
        ))),
    }
}

/// The text a field is compared as.
fn value_of(resource: &GroupResource, object: &Value, field: &str) -> String {
    let text = |path: &str| text_at(object, path);
    match (resource.resource.as_str(), field) {
        ("pods", "status.podIPs") => text("status.podIP"),
        ("pods", "spec.hostNetwork") | ("nodes", "spec.unschedulable") => {
            let found = text(field);
            if found.is_empty() {
                "false".to_owned()
            } else {
                found
            }
        }
        ("namespaces", "name") => text("metadata.name"),
        ("jobs", "status.successful") => number(text("status.succeeded")),
        ("replicationcontrollers", _) if field == "status.replicas" => number(text(field)),
        ("events", "source") => {
            let found = text("source.component");
            if found.is_empty() {
                text("reportingComponent")
            } else {
                found
            }
        }
        ("events", "reportingController") => text("reportingComponent"),
        ("events", _) => match field.strip_prefix("regarding.") {
            Some(rest) => text(&format!("involvedObject.{rest}")),
            None => text(field),
        },
        _ => text(field),
    }
}

fn number(text: String) -> String {
    if text.is_empty() {
        "0".to_owned()
    } else {
        text
    }
}

fn text_at(object: &Value, path: &str) -> String {
    let mut value = object;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        match value.get(part) {
            Some(below) => value = below,
            None => return String::new(),
        }
    }
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => String::new(),
    }
}
