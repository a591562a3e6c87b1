//! Updates of a pod's `resize`: the CPU and memory of its containers.

use serde_json::Value;

use super::spec::validate_metadata_and_spec;
use super::{Options, annotations, drop_disabled, raise_generation, resources};
use crate::strategy::edit::{existing, items, keep, remove, set};
use crate::strategy::equality::equal;
use crate::strategy::kind::keep_metadata;
use crate::strategy::node::{Errors, Node, peek, peek_items, peek_text};
use crate::strategy::{Context, metadata};

const LISTS: [&str; 2] = ["containers", "initContainers"];

/// Keeps everything but resources and resize policies.
pub(crate) fn prepare(_: &Context<'_>, new: &mut Value, old: &Value) {
    let (spec, before) = (peek(new, "spec").clone(), peek(old, "spec"));
    let same_number = LISTS
        .iter()
        .all(|list| peek_items(&spec, list).len() == peek_items(before, list).len());
    if same_number {
        keep(new, old, "spec");
        keep(new, old, "status");
        keep_metadata(new, old);
        if let Some(kept) = existing(new, "spec") {
            for list in LISTS {
                resized(kept, &spec, list);
            }
        }
    }
    if let Some(spec) = existing(new, "spec") {
        drop_disabled(spec, before);
    }
    raise_generation(new, old);
}

fn resized(kept: &mut Value, asked: &Value, list: &str) {
    let asked = peek_items(asked, list);
    if asked.is_empty() {
        return;
    }
    let same_names = peek_items(kept, list)
        .iter()
        .zip(asked)
        .all(|(old, new)| peek_text(old, "name") == peek_text(new, "name"));
    if !same_names {
        return set(kept, list, asked.to_vec());
    }
    for (container, asked) in items(kept, list).zip(asked) {
        keep(container, asked, "resources");
        keep(container, asked, "resizePolicy");
    }
}

/// The errors of an update.
pub(crate) fn validate(_: &Context<'_>, new: &Node<'_>, old: &Node<'_>, errors: &mut Errors) {
    if old.get("metadata.annotations").has(annotations::MIRROR) {
        return errors.forbidden(
            &object::field::Path::new("[]"),
            "static pods cannot be resized",
        );
    }
    if old.get("spec.os.name").is("windows") {
        return errors.forbidden(
            &object::field::Path::new("[]"),
            "windows pods cannot be resized",
        );
    }
    metadata::validate_update(errors, new, old);
    validate_metadata_and_spec(errors, new, Options::pod().updating(old.raw()));
    let (spec, before) = (new.get("spec"), old.get("spec"));
    let class = old.get("status.qosClass");
    let old_class = class
        .opt_text()
        .unwrap_or_else(|| resources::quality_of_service(before.raw()));
    if old_class != resources::quality_of_service(spec.raw()) {
        let detail = "Pod QOS Class may not change as a result of resizing";
        errors.invalid(&spec, new.get("status.qosClass").text(), detail);
    }
    let running = old
        .get("status.containerStatuses")
        .items()
        .find(|status| status.get("state.running").is_set());
    if running.is_some_and(|status| !status.get("resources").is_set()) {
        errors.forbidden(&spec, "Pod running on node without support for resize");
    }
    if !spec.get("resources").is_empty() || !before.get("resources").is_empty() {
        let detail = "resize of pods with pod-level resources is forbidden when InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled";
        return errors.forbidden(&object::field::Path::new("[]"), detail);
    }
    let count = errors.len();
    for list in LISTS {
        same_order(errors, &spec.get(list), &before.get(list), list);
    }
    if errors.len() > count {
        return;
    }
    changes(errors, &spec, &before);
}

fn same_order(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>, list: &str) {
    if new.len() != old.len() {
        return errors.forbidden(
            new,
            &format!("{list} may not be added or removed on resize"),
        );
    }
    for (new, old) in new.items().zip(old.items()) {
        let name = new.get("name");
        if !name.is(old.get("name").text()) {
            errors.forbidden(
                &name,
                &format!("{list} may not be renamed or reordered on resize"),
            );
        }
    }
}

fn is_sidecar(container: &Node<'_>) -> bool {
    container.get("restartPolicy").is("Always")
}

fn changes(errors: &mut Errors, spec: &Node<'_>, before: &Node<'_>) {
    for list in ["initContainers", "containers"] {
        for (new, old) in spec.get(list).items().zip(before.get(list).items()) {
            if list == "initContainers" && !is_sidecar(&old) {
                continue;
            }
            for kind in ["requests", "limits"] {
                let (new, old) = (
                    new.get("resources").get(kind),
                    old.get("resources").get(kind),
                );
                if old.len() > new.len() || old.entries().any(|(name, _)| !new.has(name)) {
                    errors.forbidden(&new, &format!("resource {kind} cannot be removed"));
                }
            }
        }
    }
    for list in LISTS {
        for (new, old) in spec.get(list).items().zip(before.get(list).items()) {
            let is_init = list == "initContainers";
            let mut munged = new.raw().clone();
            if !is_init || is_sidecar(&new) {
                take_back(&mut munged, old.raw());
            }
            if equal(&munged, old.raw()) {
                continue;
            }
            let detail = match (is_init, is_sidecar(&new)) {
                (false, _) => "only cpu and memory resources are mutable",
                (true, true) => "only cpu and memory resources for sidecar containers are mutable",
                (true, false) => "resources for non-sidecar init containers are immutable",
            };
            errors.forbidden(spec, detail);
        }
    }
}

/// Gives CPU and memory the values they had.
fn take_back(container: &mut Value, old: &Value) {
    for kind in ["requests", "limits"] {
        for name in ["cpu", "memory"] {
            keep(container, old, &format!("resources.{kind}.{name}"));
        }
    }
    remove(container, "resources.claims");
}
