//! Security contexts of pods and containers.

use object::names;
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

use super::{all_containers, windows};
use crate::strategy::core::paths::local_descending;
use crate::strategy::internal;
use crate::strategy::node::{Errors, Node, peek};

const SYSCTL: &str = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
static SYSCTL_RULE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SYSCTL).ok());

/// A number that has to be a user or a group, if given.
fn id(errors: &mut Errors, node: &Node<'_>) {
    if let Some(number) = node.opt_int() {
        errors.messages(node, number, names::user_or_group_id(number));
    }
}

/// The security context of a pod.
pub(crate) fn validate_pod(errors: &mut Errors, spec: &Node<'_>, any_host_sysctl: bool) {
    let context = spec.get("securityContext");
    if !context.is_set() {
        return;
    }
    id(errors, &context.get("fsGroup"));
    id(errors, &context.get("runAsUser"));
    id(errors, &context.get("runAsGroup"));
    for group in context.get("supplementalGroups").items() {
        errors.messages(&group, group.int(), names::user_or_group_id(group.int()));
    }
    if spec.get("shareProcessNamespace").truth() && spec.get("hostPID").truth() {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&context.path().child("shareProcessNamespace"), true, detail);
    }
    sysctls(errors, &context.get("sysctls"), spec.raw(), any_host_sysctl);
    errors.opt_one_of(
        &context.get("fsGroupChangePolicy"),
        &["Always", "OnRootMismatch"],
    );
    seccomp(errors, &context.get("seccompProfile"));
    windows::options(errors, &context.get("windowsOptions"));
    app_armor(errors, &context.get("appArmorProfile"));
    errors.opt_one_of(
        &context.get("supplementalGroupsPolicy"),
        &["Merge", "Strict"],
    );
    errors.opt_one_of(
        &context.get("seLinuxChangePolicy"),
        &["MountOption", "Recursive"],
    );
}

fn sysctls(errors: &mut Errors, sysctls: &Node<'_>, spec: &Value, any_host_sysctl: bool) {
    let mut seen: Vec<&str> = Vec::new();
    for sysctl in sysctls.items() {
        let name = sysctl.get("name");
        let text = name.text();
        let is_valid =
            text.len() <= 253 && SYSCTL_RULE.as_ref().is_some_and(|rule| rule.is_match(text));
        if name.is_empty() {
            errors.required(&name, "");
        } else if !is_valid {
            let detail = format!("must have at most 253 characters and match regex {SYSCTL}");
            errors.invalid(&name, text, detail);
        } else if seen.contains(&text) {
            errors.duplicate(&name, text);
        }
        if !any_host_sysctl {
            host_sysctl(errors, &name, spec);
        }
        seen.push(text);
    }
}

/// A sysctl of a namespace that the pod shares with its host.
pub(crate) fn host_sysctl(errors: &mut Errors, name: &Node<'_>, spec: &Value) {
    const IPC: &[&str] = &["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."];
    let text = name.text().replace('/', ".");
    let truth = |field| peek(spec, field).as_bool().unwrap_or_default();
    if truth("hostNetwork") && text.starts_with("net.") {
        errors.invalid(
            name,
            name.text(),
            "may not be specified when 'hostNetwork' is true",
        );
    } else if truth("hostIPC") && IPC.iter().any(|prefix| text.starts_with(prefix)) {
        errors.invalid(
            name,
            name.text(),
            "may not be specified when 'hostIPC' is true",
        );
    }
}

/// The security context of a container.
pub(crate) fn validate_container(errors: &mut Errors, context: &Node<'_>, host_users: bool) {
    if !context.is_set() {
        return;
    }
    id(errors, &context.get("runAsUser"));
    id(errors, &context.get("runAsGroup"));
    let mount = context.get("procMount");
    if mount.is_set() {
        errors.one_of(&mount, &["Default", "Unmasked"]);
        if host_users && mount.is("Unmasked") {
            let detail = "`hostUsers` must be false to use `Unmasked`";
            errors.invalid(&mount, mount.text(), detail);
        }
    }
    seccomp(errors, &context.get("seccompProfile"));
    if context.get("allowPrivilegeEscalation").raw() == &Value::Bool(false) {
        let shown = || internal::json("core.SecurityContext", context.raw());
        if context.get("privileged").truth() {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.invalid_shown(context, &shown(), detail);
        }
        if context
            .get("capabilities.add")
            .texts()
            .contains(&"CAP_SYS_ADMIN")
        {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.invalid_shown(context, &shown(), detail);
        }
    }
    windows::options(errors, &context.get("windowsOptions"));
    app_armor(errors, &context.get("appArmorProfile"));
}

fn seccomp(errors: &mut Errors, profile: &Node<'_>) {
    if !profile.is_set() {
        return;
    }
    let (kind, file) = (profile.get("type"), profile.get("localhostProfile"));
    if kind.is_empty() {
        errors.required(&kind, "type is required when seccompProfile is set");
    } else {
        errors.one_of(&kind, &["Localhost", "RuntimeDefault", "Unconfined"]);
    }
    if !kind.is("Localhost") {
        if file.is_set() {
            let shown = internal::json("core.SeccompProfile", profile.raw());
            errors.invalid_shown(
                &file,
                &shown,
                "can only be set when seccomp type is Localhost",
            );
        }
    } else if file.is_set() {
        local_descending(errors, &file, file.text());
    } else {
        errors.required(&file, "must be set when seccomp type is Localhost");
    }
}

/// An AppArmor profile, if there is one.
pub(crate) fn app_armor(errors: &mut Errors, profile: &Node<'_>) {
    const MISSING: &str = "must be set when AppArmor type is Localhost";
    if !profile.is_set() {
        return;
    }
    let (kind, file) = (profile.get("type"), profile.get("localhostProfile"));
    match kind.text() {
        "Localhost" => {
            if !file.is_set() {
                return errors.required(&file, MISSING);
            }
            let trimmed = file.text().trim();
            if trimmed != file.text() {
                errors.invalid(&file, file.text(), "must not be padded with whitespace");
            } else if trimmed.is_empty() {
                errors.required(&file, MISSING);
            }
            if file.len() > 4095 {
                errors.too_long(&file, 4095);
            }
        }
        "RuntimeDefault" | "Unconfined" => {
            if file.is_set() {
                let detail = "can only be set when AppArmor type is Localhost";
                errors.invalid(&file, file.text(), detail);
            }
        }
        "" => errors.required(&kind, "type is required when appArmorProfile is set"),
        other => {
            errors.unsupported(&kind, other, &["Localhost", "RuntimeDefault", "Unconfined"]);
        }
    }
}

/// What a pod without the host's users may not have.
pub(crate) fn validate_host_users(errors: &mut Errors, spec: &Node<'_>) {
    const DETAIL: &str = "when `hostUsers` is false";
    if spec.get("hostUsers").raw() != &Value::Bool(false) {
        return;
    }
    for (field, shown) in [
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ] {
        if spec.get(field).truth() {
            errors.forbidden(&spec.path().child(shown), DETAIL);
        }
    }
    for container in all_containers(spec) {
        let devices = container.get("volumeDevices");
        if !devices.is_empty() {
            errors.forbidden(&devices, DETAIL);
        }
    }
}
