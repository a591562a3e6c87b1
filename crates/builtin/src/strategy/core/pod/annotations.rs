//! Annotations that mean something to pods.

use crate::strategy::core::paths::local_descending;
use crate::strategy::node::{Errors, Node};

use super::all_containers;

/// The annotation of a static pod's mirror.
pub(crate) const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
pub(crate) const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
pub(crate) const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
pub(crate) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Whether the cost of a deletion is no whole number of 32 bits.
pub(crate) fn has_bad_deletion_cost(annotations: &Node<'_>) -> bool {
    let cost = annotations.key(DELETION_COST);
    cost.is_set()
        && (cost.text().starts_with('+')
            || is_padded(cost.text())
            || cost.text().parse::<i32>().is_err())
}

fn is_padded(number: &str) -> bool {
    number.len() > 1 && number.starts_with('0')
}

/// The annotations of a pod or template.
pub(crate) fn validate(
    errors: &mut Errors,
    annotations: &Node<'_>,
    spec: &Node<'_>,
    any_deletion_cost: bool,
) {
    let mirror = annotations.key(MIRROR);
    if mirror.is_set() && spec.get("nodeName").is_empty() {
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        errors.invalid(&mirror, mirror.text(), detail);
    }
    if !any_deletion_cost && has_bad_deletion_cost(annotations) {
        let cost = annotations.key(DELETION_COST);
        errors.invalid(&cost, cost.text(), "must be a 32bit integer");
    }
    for (key, profile) in annotations.entries() {
        if key == SECCOMP_POD || key.starts_with(SECCOMP_CONTAINER) {
            seccomp(errors, &profile.placed(annotations.path().child(key)));
        }
        if let Some(name) = key.strip_prefix(APP_ARMOR) {
            if !all_containers(spec).any(|container| container.get("name").is(name)) {
                errors.invalid(&profile, name, "container not found");
            }
            app_armor(errors, &profile);
        }
    }
}

fn seccomp(errors: &mut Errors, profile: &Node<'_>) {
    let text = profile.text();
    if ["runtime/default", "docker/default", "unconfined"].contains(&text) {
        return;
    }
    match text.strip_prefix("localhost/") {
        Some(path) => local_descending(errors, profile, path),
        None => errors.invalid(profile, text, "must be a valid seccomp profile"),
    }
}

fn app_armor(errors: &mut Errors, profile: &Node<'_>) {
    let text = profile.text();
    if !["", "runtime/default", "unconfined"].contains(&text) && !text.starts_with("localhost/") {
        let detail = format!(
            "invalid AppArmor profile name: {}",
            object::field::quote(text)
        );
        errors.invalid(profile, text, detail);
    }
}

/// Profiles that are given by annotation and by field, which have to agree.
pub(crate) fn validate_matching_fields(
    errors: &mut Errors,
    annotations: &Node<'_>,
    spec: &Node<'_>,
) {
    let pod = spec.get("securityContext.seccompProfile");
    matching(errors, &pod, &annotations.key(SECCOMP_POD), "seccomp");
    for container in all_containers(spec) {
        let key = format!("{SECCOMP_CONTAINER}{}", container.get("name").text());
        let profile = container.get("securityContext.seccompProfile");
        matching(errors, &profile, &annotations.key(&key), "seccomp");
    }
    if spec.get("os.name").is("windows") {
        return;
    }
    let pod = spec.get("securityContext.appArmorProfile");
    for container in all_containers(spec) {
        let own = container.get("securityContext.appArmorProfile");
        let value = if own.is_set() { own.raw() } else { pod.raw() };
        let profile = Node::at(value, own.path().clone());
        let key = format!("{APP_ARMOR}{}", container.get("name").text());
        matching(errors, &profile, &annotations.key(&key), "apparmor");
    }
}

fn matching(errors: &mut Errors, profile: &Node<'_>, annotation: &Node<'_>, what: &str) {
    if !profile.is_set() || !annotation.is_set() {
        return;
    }
    let kind = profile.get("type");
    let text = annotation.text();
    let is_type = match kind.text() {
        "Unconfined" => text == "unconfined",
        "RuntimeDefault" => {
            text == "runtime/default" || (what == "seccomp" && text == "docker/default")
        }
        "Localhost" => text.starts_with("localhost/"),
        _ => true,
    };
    if !is_type {
        errors.forbidden(
            &kind,
            &format!("{what} type in annotation and field must match"),
        );
    } else if kind.is("Localhost") {
        let file = profile.get("localhostProfile");
        if file.opt_text() != text.strip_prefix("localhost/") {
            errors.forbidden(
                &file,
                &format!("{what} profile in annotation and field must match"),
            );
        }
    }
}

/// Annotations that an update may not add, change or remove.
pub(crate) fn validate_update(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    for (key, value) in old.entries() {
        if new.key(key).opt_text() == value.opt_text() {
            continue;
        }
        let place = new.key(key);
        if key.starts_with(APP_ARMOR) {
            errors.forbidden(&place, "may not remove or update AppArmor annotations");
        }
        if key == MIRROR {
            errors.forbidden(&place, "may not remove or update mirror pod annotation");
        }
    }
    for (key, place) in new.entries() {
        if old.has(key) {
            continue;
        }
        if key.starts_with(APP_ARMOR) {
            errors.forbidden(&place, "may not add AppArmor annotations");
        }
        if key == MIRROR {
            errors.forbidden(&place, "may not add mirror pod annotation");
        }
    }
}
