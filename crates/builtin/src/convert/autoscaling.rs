//! Autoscalers: v1 knows one metric only and keeps the rest in annotations.
//!
//! Source: `pkg/apis/autoscaling/v1/conversion.go`.

use serde_json::{Map, Value, json};

use crate::strategy::autoscaling::cpu_metric;
use crate::strategy::edit::{existing, field, remove, set};
use crate::strategy::internal;
use crate::strategy::node::{peek, peek_items, peek_text};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const STATUSES: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

pub(super) fn v2_to_v1(scaler: &mut Value) {
    drop_annotations(scaler);
    let metrics = peek_items(scaler, "spec.metrics").to_vec();
    let others: Vec<String> = metrics
        .iter()
        .filter(|metric| cpu_percent(metric).is_none())
        .map(|metric| old_metric(metric, &SPEC))
        .collect();
    if !others.is_empty() {
        annotate(scaler, METRICS, list(&others));
    }
    let statuses = peek_items(scaler, "status.currentMetrics").to_vec();
    if !statuses.is_empty() {
        let old: Vec<String> = statuses
            .iter()
            .map(|metric| old_metric(metric, &STATUS))
            .collect();
        annotate(scaler, STATUSES, list(&old));
    }
    let behavior = peek(scaler, "spec.behavior").clone();
    if !behavior.is_null() {
        let text = internal::json("autoscaling.HorizontalPodAutoscalerBehavior", &behavior);
        annotate(scaler, BEHAVIOR, text);
    }
    let conditions = peek_items(scaler, "status.conditions").to_vec();
    if !conditions.is_empty() {
        let texts: Vec<String> = conditions.iter().map(condition).collect();
        annotate(scaler, CONDITIONS, list(&texts));
    }
    if let Some(spec) = existing(scaler, "spec") {
        remove(spec, "metrics");
        remove(spec, "behavior");
        if let Some(percent) = metrics.iter().find_map(cpu_percent) {
            set(spec, "targetCPUUtilizationPercentage", percent);
        }
    }
    if let Some(status) = existing(scaler, "status") {
        remove(status, "currentMetrics");
        remove(status, "conditions");
        // The old version writes these even when they are zero.
        for count in ["currentReplicas", "desiredReplicas"] {
            if peek(status, count).is_null() {
                set(status, count, 0);
            }
        }
        let is_cpu = |metric: &&Value| is_cpu(metric);
        let used = |metric: &Value| peek(metric, "resource.current.averageUtilization").as_i64();
        if let Some(percent) = statuses.iter().filter(is_cpu).filter_map(used).next_back() {
            set(status, "currentCPUUtilizationPercentage", percent);
        }
    }
}

pub(super) fn v1_to_v2(scaler: &mut Value) {
    let annotation = |key: &str| -> Option<Value> {
        let text = peek(scaler, "metadata.annotations").get(key)?.as_str()?;
        serde_json::from_str(text).ok()
    };
    let items = |value: Option<Value>| match value {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    };
    let metrics = items(annotation(METRICS));
    let statuses = items(annotation(STATUSES));
    let conditions = items(annotation(CONDITIONS));
    let behavior = annotation(BEHAVIOR).map(lower_keys);
    drop_annotations(scaler);
    if let Some(spec) = field(scaler, "spec") {
        let percent = peek(spec, "targetCPUUtilizationPercentage").as_i64();
        remove(spec, "targetCPUUtilizationPercentage");
        let mut all: Vec<Value> = metrics
            .into_iter()
            .flatten()
            .map(|metric| new_metric(&metric, &SPEC))
            .collect();
        all.extend(percent.map(cpu_metric));
        if all.is_empty() {
            all.push(cpu_metric(80));
        }
        set(spec, "metrics", all);
        if let Some(behavior) = behavior
            && behavior
                .as_object()
                .is_some_and(|map| map.values().any(|rules| !rules.is_null()))
        {
            set(spec, "behavior", behavior);
        }
    }
    let used = peek(scaler, "status.currentCPUUtilizationPercentage").as_i64();
    remove(scaler, "status.currentCPUUtilizationPercentage");
    let current: Option<Vec<Value>> = match (statuses, used) {
        (Some(statuses), _) => Some(
            statuses
                .iter()
                .map(|metric| new_metric(metric, &STATUS))
                .collect(),
        ),
        (None, Some(percent)) => Some(vec![json!({
            "type": "Resource",
            "resource": { "name": "cpu", "current": { "averageUtilization": percent } },
        })]),
        (None, None) => None,
    };
    for (name, value) in [("currentMetrics", current), ("conditions", conditions)] {
        if let Some(value) = value
            && let Some(status) = field(scaler, "status")
        {
            set(status, name, value);
        }
    }
}

fn is_cpu(metric: &Value) -> bool {
    peek_text(metric, "type") == "Resource" && peek_text(metric, "resource.name") == "cpu"
}

/// The average use of CPU that a metric asks for.
fn cpu_percent(metric: &Value) -> Option<i64> {
    peek(metric, "resource.target.averageUtilization")
        .as_i64()
        .filter(|_| is_cpu(metric))
}

fn drop_annotations(scaler: &mut Value) {
    if let Some(Value::Object(map)) = existing(scaler, "metadata.annotations") {
        for key in [METRICS, STATUSES, CONDITIONS, BEHAVIOR] {
            map.remove(key);
        }
        if map.is_empty() {
            remove(scaler, "metadata.annotations");
        }
    }
}

fn annotate(scaler: &mut Value, key: &str, text: String) {
    if let Some(metadata) = field(scaler, "metadata")
        && let Some(annotations) = field(metadata, "annotations")
    {
        set(annotations, key, text);
    }
}

/// What a metric of v1 calls the numbers that v2 has in `target` or `current`.
struct Form {
    /// The map in v2.
    inner: &'static str,
    value: &'static str,
    average: &'static str,
    utilization: &'static str,
}

const SPEC: Form = Form {
    inner: "target",
    value: "targetValue",
    average: "targetAverageValue",
    utilization: "targetAverageUtilization",
};

const STATUS: Form = Form {
    inner: "current",
    value: "currentValue",
    average: "currentAverageValue",
    utilization: "currentAverageUtilization",
};

const SOURCES: &[&str] = &[
    "object",
    "pods",
    "resource",
    "containerResource",
    "external",
];

/// A metric of v2 as v1 writes it.
fn old_metric(metric: &Value, form: &Form) -> String {
    let mut fields = vec![("type", peek(metric, "type").to_string())];
    for name in SOURCES {
        let source = peek(metric, name);
        if !source.is_null() {
            fields.push((name, old_source(name, source, form)));
        }
    }
    object_of(&fields)
}

fn old_source(name: &str, source: &Value, form: &Form) -> String {
    let is_status = form.inner == "current";
    let inner = peek(source, form.inner);
    let metric = peek(source, "metric.name").to_string();
    let selector = peek(source, "metric.selector");
    let quantity = |field: &str| {
        peek(inner, field)
            .as_str()
            .map(|text| json!(text).to_string())
    };
    let or_zero = |value: Option<String>| Some(value.unwrap_or_else(|| "\"0\"".to_owned()));
    let selector = (!selector.is_null()).then(|| internal::json("*v1.LabelSelector", selector));
    let utilization = peek(inner, "averageUtilization")
        .as_i64()
        .map(|value| value.to_string());
    let average = quantity("averageValue");
    let text = |field: &str| Some(json!(peek_text(source, field)).to_string());
    let fields: Vec<(&str, Option<String>)> = match name {
        "object" => vec![
            ("target", Some(reference(peek(source, "describedObject")))),
            ("metricName", Some(metric)),
            (form.value, or_zero(quantity("value"))),
            ("selector", selector),
            ("averageValue", average),
        ],
        "pods" => vec![
            ("metricName", Some(metric)),
            (form.average, or_zero(average)),
            ("selector", selector),
        ],
        "external" => vec![
            ("metricName", Some(metric)),
            ("metricSelector", selector),
            (
                form.value,
                if is_status {
                    or_zero(quantity("value"))
                } else {
                    quantity("value")
                },
            ),
            (form.average, average),
        ],
        _ => vec![
            ("name", text("name")),
            (form.utilization, utilization),
            (
                form.average,
                if is_status { or_zero(average) } else { average },
            ),
            (
                "container",
                text("container").filter(|_| name == "containerResource"),
            ),
        ],
    };
    let fields: Vec<(&str, String)> = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    object_of(&fields)
}

fn reference(of: &Value) -> String {
    let text = |field: &str| json!(peek_text(of, field)).to_string();
    let mut fields = vec![("kind", text("kind")), ("name", text("name"))];
    if !peek_text(of, "apiVersion").is_empty() {
        fields.push(("apiVersion", text("apiVersion")));
    }
    object_of(&fields)
}

fn condition(condition: &Value) -> String {
    let fields: Vec<(&str, String)> = ["type", "status", "lastTransitionTime", "reason", "message"]
        .into_iter()
        .filter(|field| *field == "lastTransitionTime" || !peek(condition, field).is_null())
        .map(|field| (field, peek(condition, field).to_string()))
        .collect();
    object_of(&fields)
}

/// A JSON object with its fields in Go's order.
fn object_of(fields: &[(&str, String)]) -> String {
    let parts: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", parts.join(","))
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

/// A metric of v1 in the form of v2.
fn new_metric(metric: &Value, form: &Form) -> Value {
    let mut out = Map::new();
    out.insert("type".to_owned(), peek(metric, "type").clone());
    for name in SOURCES {
        let source = peek(metric, name);
        if !source.is_null() {
            out.insert((*name).to_owned(), new_source(name, source, form));
        }
    }
    Value::Object(out)
}

fn new_source(name: &str, source: &Value, form: &Form) -> Value {
    let value = peek(source, form.value).clone();
    let average_name = if name == "object" {
        "averageValue"
    } else {
        form.average
    };
    let average = peek(source, average_name).clone();
    let utilization = peek(source, form.utilization).clone();
    let mut out = json!({});
    match name {
        "resource" | "containerResource" => set(&mut out, "name", peek(source, "name").clone()),
        "object" => set(&mut out, "describedObject", peek(source, "target").clone()),
        _ => {}
    }
    if name == "containerResource" {
        set(&mut out, "container", peek(source, "container").clone());
    }
    if !["resource", "containerResource"].contains(&name) {
        let selector = if name == "external" {
            "metricSelector"
        } else {
            "selector"
        };
        let mut metric = json!({ "name": peek(source, "metricName") });
        set_some(&mut metric, "selector", peek(source, selector).clone());
        set(&mut out, "metric", metric);
    }
    let kind = match name {
        "object" if average.is_null() => "Value",
        "external" if !value.is_null() => "Value",
        "resource" | "containerResource" if !utilization.is_null() => "Utilization",
        _ => "AverageValue",
    };
    let mut inner = json!({});
    if form.inner == "target" {
        set(&mut inner, "type", kind);
    }
    if ["object", "external"].contains(&name) {
        set_some(&mut inner, "value", value);
    }
    set_some(&mut inner, "averageValue", average);
    set_some(&mut inner, "averageUtilization", utilization);
    set(&mut out, form.inner, inner);
    out
}

fn set_some(object: &mut Value, name: &str, value: Value) {
    if !value.is_null() {
        set(object, name, value);
    }
}

/// Fields by their Go names become fields of the API.
fn lower_keys(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| {
                let mut chars = key.chars();
                let first = chars.next().map(|c| c.to_ascii_lowercase());
                let key: String = first.into_iter().chain(chars).collect();
                (key, lower_keys(value))
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(lower_keys).collect(),
        other => other,
    }
}
