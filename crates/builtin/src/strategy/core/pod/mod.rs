//! Pods and templates of pods.
//!
//! Source: `pkg/registry/core/pod`, `pkg/api/pod`, `pkg/apis/core/validation`.

mod affinity_terms;
mod update;

pub(crate) mod affinity;
pub(crate) mod annotations;
pub(crate) mod containers;
pub(crate) mod env;
pub(crate) mod mounts;
mod options;
pub(crate) mod probes;
pub(crate) mod projected;
mod resize;
pub(crate) mod resources;
pub(crate) mod security;
pub(crate) mod spec;
mod status;
pub(crate) mod warnings;
mod windows;

pub(crate) use options::Options;
pub(crate) use spec::{drop_disabled, validate_template};

use serde_json::{Value, json};

use crate::strategy::edit::{existing, keep, set};
use crate::strategy::equality::equal;
use crate::strategy::kind::{Kind, Subresource, keep_metadata, set_generation};
use crate::strategy::node::{Errors, Node, peek, peek_items, peek_text};
use crate::strategy::{Context, ResetFields};

/// The strategy of pods.
pub(crate) const KIND: Kind = Kind {
    status: Some("{}"),
    prepare_create,
    prepare_update,
    validate: |_, pod, errors| {
        spec::validate_metadata_and_spec(errors, pod, Options::pod());
        validate_new(errors, pod);
    },
    validate_update: update::validate,
    warn: |pod, warnings| {
        let messages = object::names::dns1123_label(pod.get("metadata.name").text());
        if !messages.is_empty() {
            warnings.push(format!(
                "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [{}]",
                messages.join(" ")
            ));
        }
        app_armor_warnings(pod, warnings);
        warnings::of_pod(pod, warnings);
    },
    subresources: &[
        Subresource {
            name: "status",
            prepare: status::prepare,
            validate: status::validate,
            warn: status::warn,
            reset: ResetFields::Except(&[
                &["spec"],
                &["metadata", "deletionTimestamp"],
                &["metadata", "ownerReferences"],
            ]),
        },
        Subresource {
            name: "ephemeralcontainers",
            prepare: prepare_ephemeral,
            validate: update::validate_ephemeral,
            warn: |_, _, _| {},
            reset: ResetFields::Only(&[&["spec", "ephemeralContainers"]]),
        },
        Subresource {
            name: "resize",
            prepare: resize::prepare,
            validate: resize::validate,
            warn: |_, _, _| {},
            reset: ResetFields::Only(&[
                &["spec", "containers", "*", "resources"],
                &["spec", "containers", "*", "resizePolicy"],
                &["spec", "initContainers", "*", "resources"],
                &["spec", "initContainers", "*", "resizePolicy"],
            ]),
        },
    ],
    grace_period: Some(grace_period),
    ..Kind::new("", "pods")
};

/// The containers of a pod's spec in the order in which upstream visits them.
pub(crate) fn all_containers<'a>(spec: &Node<'a>) -> impl Iterator<Item = Node<'a>> + use<'a> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    lists
        .map(|field| spec.get(field))
        .into_iter()
        .flat_map(|list| list.items())
}

/// Whether the annotation of an object's deletion cost is no number.
fn has_bad_deletion_cost(object: &Value) -> bool {
    annotations::has_bad_deletion_cost(&Node::root(object).get("metadata.annotations"))
}

fn prepare_create(_: &Context<'_>, pod: &mut Value) {
    let class = resources::quality_of_service(peek(pod, "spec"));
    set(
        pod,
        "status",
        json!({ "phase": "Pending", "qosClass": class }),
    );
    set_generation(pod, 1);
    if let Some(spec) = existing(pod, "spec") {
        drop_disabled(spec, &Value::Null);
    }
    if !peek_items(pod, "spec.schedulingGates").is_empty()
        && let Some(status) = existing(pod, "status")
    {
        let condition = json!({
            "type": "PodScheduled",
            "status": "False",
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        });
        set(status, "conditions", vec![condition]);
    }
    affinity_terms::merge_label_keys(pod);
    fields_of_app_armor_annotations(pod);
}

fn prepare_update(_: &Context<'_>, new: &mut Value, old: &Value) {
    if let Some(spec) = existing(new, "spec") {
        drop_disabled(spec, peek(old, "spec"));
    }
    raise_generation(new, old);
}

/// Unlike other kinds' the generation of a pod counts from what it was, even if it was 0.
fn raise_generation(new: &mut Value, old: &Value) {
    if !equal(peek(new, "spec"), peek(old, "spec")) {
        let before = peek(old, "metadata.generation")
            .as_i64()
            .unwrap_or_default();
        set_generation(new, before + 1);
    }
}

fn prepare_ephemeral(_: &Context<'_>, new: &mut Value, old: &Value) {
    let containers = peek(new, "spec.ephemeralContainers").clone();
    keep(new, old, "spec");
    keep(new, old, "status");
    keep_metadata(new, old);
    if let Some(spec) = existing(new, "spec") {
        if containers.is_null() {
            crate::strategy::edit::remove(spec, "ephemeralContainers");
        } else {
            set(spec, "ephemeralContainers", containers);
        }
        drop_disabled(spec, peek(old, "spec"));
    }
    raise_generation(new, old);
}

fn validate_new(errors: &mut Errors, pod: &Node<'_>) {
    let spec = pod.get("spec");
    let ephemeral = spec.get("ephemeralContainers");
    if !ephemeral.is_empty() {
        errors.forbidden(&ephemeral, "cannot be set on create");
    }
    let node = spec.get("nodeName");
    if !node.is_empty() && !spec.get("schedulingGates").is_empty() {
        errors.forbidden(
            &node,
            "cannot be set until all schedulingGates have been cleared",
        );
    }
    annotations::validate_matching_fields(errors, &pod.get("metadata.annotations"), &spec);
}

/// `CheckGracefulDelete`: pods that no kubelet runs go at once.
fn grace_period(pod: &Value, requested: Option<i64>) -> i64 {
    let own = peek(pod, "spec.terminationGracePeriodSeconds").as_i64();
    let is_over = ["Failed", "Succeeded"].contains(&peek_text(pod, "status.phase"));
    if peek_text(pod, "spec.nodeName").is_empty() || is_over {
        return 0;
    }
    match requested.or(own).unwrap_or_default() {
        negative if negative < 0 => 1,
        seconds => seconds,
    }
}

/// The profile that an AppArmor annotation stands for.
pub(crate) fn app_armor_field(annotation: &str) -> Option<Value> {
    match annotation {
        "unconfined" => Some(json!({ "type": "Unconfined" })),
        "runtime/default" => Some(json!({ "type": "RuntimeDefault" })),
        _ => {
            let file = annotation
                .strip_prefix("localhost/")
                .filter(|file| !file.is_empty())?;
            Some(json!({ "type": "Localhost", "localhostProfile": file }))
        }
    }
}

/// `applyAppArmorVersionSkew`: annotations become fields.
fn fields_of_app_armor_annotations(pod: &mut Value) {
    if peek_text(pod, "spec.os.name") == "windows" {
        return;
    }
    let annotations = peek(pod, "metadata.annotations").clone();
    let of_pod = peek(pod, "spec.securityContext.appArmorProfile").clone();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in existing(pod, "spec")
            .map(|spec| crate::strategy::edit::items(spec, list))
            .into_iter()
            .flatten()
        {
            let key = format!("{}{}", annotations::APP_ARMOR, peek_text(container, "name"));
            let Some(profile) = annotations.get(&key).and_then(Value::as_str) else {
                continue;
            };
            let has_own = !peek(container, "securityContext.appArmorProfile").is_null();
            if let Some(profile) = app_armor_field(profile)
                && !has_own
                && profile != of_pod
                && let Some(context) = crate::strategy::edit::field(container, "securityContext")
            {
                set(context, "appArmorProfile", profile);
            }
        }
    }
}

/// Upstream warns of annotations whose field it has set or could not set.
fn app_armor_warnings(pod: &Node<'_>, warnings: &mut Vec<String>) {
    let annotations = pod.get("metadata.annotations");
    let of_pod = pod.get("spec.securityContext.appArmorProfile");
    for container in all_containers(&pod.get("spec")) {
        let key = format!("{}{}", annotations::APP_ARMOR, container.get("name").text());
        let annotation = annotations.key(&key);
        if !annotation.is_set() {
            continue;
        }
        let field = app_armor_field(annotation.text());
        let own = container.get("securityContext.appArmorProfile");
        let is_taken_over = field.as_ref() == Some(own.raw());
        if field.is_none() || (is_taken_over && field.as_ref() != Some(of_pod.raw())) {
            warnings.push(format!(
                "{}: deprecated since v1.30; use the \"appArmorProfile\" field instead",
                annotation.path()
            ));
        }
    }
}
