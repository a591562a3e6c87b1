//! What is particular to pods for one operating system.

use object::names;
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

use super::all_containers;
use crate::strategy::node::{Errors, Node};

static NET_BIOS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^[^\\/:\*\?"<>|\.][^\\/:\*\?"<>|]{0,14}$"#).ok());
static DNS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
    Regex::new(&format!(r"^{label}(?:\.{label})*$")).ok()
});

fn fits(rule: &LazyLock<Option<Regex>>, text: &str) -> bool {
    rule.as_ref().is_some_and(|rule| rule.is_match(text))
}

/// `windowsOptions` of a pod or container.
pub(crate) fn options(errors: &mut Errors, options: &Node<'_>) {
    let name = options.get("gmsaCredentialSpecName");
    if name.is_set() {
        errors.format(&name, names::dns1123_subdomain);
    }
    let spec = options.get("gmsaCredentialSpec");
    if spec.is_set() && spec.is_empty() {
        errors.invalid(&spec, "", "gmsaCredentialSpec cannot be an empty string");
    } else if spec.len() > 64 * 1024 {
        errors.invalid(
            &spec,
            spec.text(),
            "gmsaCredentialSpec size must be under 64 KiB",
        );
    }
    let user = options.get("runAsUserName");
    if user.is_set() {
        for detail in user_name(user.text()) {
            errors.invalid(&user, user.text(), detail);
        }
    }
}

fn user_name(name: &str) -> Vec<&'static str> {
    if name.is_empty() {
        return vec!["runAsUserName cannot be an empty string"];
    }
    if name.chars().any(|c| c.is_ascii_control()) {
        return vec!["runAsUserName cannot contain control characters"];
    }
    let parts: Vec<&str> = name.split('\\').collect();
    let (domain, user) = match parts[..] {
        [user] => (None, user),
        [domain, user] => (Some(domain), user),
        _ => return vec!["runAsUserName cannot contain more than one backslash"],
    };
    let mut details = Vec::new();
    if let Some(domain) = domain {
        if domain.len() >= 256 {
            details.push("runAsUserName's Domain length must be under 256 characters");
        }
        if !fits(&NET_BIOS, domain) && !fits(&DNS, domain) {
            details.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
        }
    }
    if user.is_empty() {
        details.push("runAsUserName's User cannot be empty");
    } else if user.len() > 104 {
        details.push("runAsUserName's User length must not be longer than 104 characters");
    }
    if !user.is_empty() && user.chars().all(|c| c == '.' || c == ' ') {
        details.push("runAsUserName's User cannot contain only periods or spaces");
    }
    if user.contains([
        '"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']',
    ]) {
        details.push(
            "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]",
        );
    }
    details
}

/// Pods whose containers run as processes of a Windows host.
pub(crate) fn host_process(errors: &mut Errors, spec: &Node<'_>) {
    let pod = spec
        .get("securityContext.windowsOptions.hostProcess")
        .raw()
        .as_bool();
    let (mut all, mut hosted) = (0, 0);
    for container in all_containers(spec) {
        all += 1;
        let node = container.get("securityContext.windowsOptions.hostProcess");
        let own = node.raw().as_bool();
        if let (Some(pod), Some(own)) = (pod, own)
            && pod != own
        {
            let detail =
                format!("pod hostProcess value must be identical if both are specified, was {pod}");
            errors.invalid(&node, own, detail);
        }
        if own.or(pod).unwrap_or_default() {
            hosted += 1;
        }
    }
    if hosted == 0 {
        return;
    }
    if hosted != all {
        let detail = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.invalid(spec, "", detail);
    }
    let network = spec.get("hostNetwork");
    if !network.truth() {
        let detail = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.invalid(&network, false, detail);
    }
}

/// `spec.os` and what does not go with it.
pub(crate) fn validate_os(errors: &mut Errors, spec: &Node<'_>) {
    let os = spec.get("os");
    if !os.is_set() {
        return;
    }
    let name = os.get("name");
    match name.text() {
        "" => errors.required(&name, ""),
        "linux" => linux(errors, spec),
        "windows" => windows(errors, spec),
        other => errors.unsupported(&os, other, &["linux", "windows"]),
    }
}

fn linux(errors: &mut Errors, spec: &Node<'_>) {
    const DETAIL: &str = "windows options cannot be set for a linux pod";
    let options = spec.get("securityContext.windowsOptions");
    if options.is_set() {
        errors.forbidden(&options, DETAIL);
    }
    for container in all_containers(spec) {
        let options = container.get("securityContext.windowsOptions");
        if options.is_set() {
            errors.forbidden(&options, DETAIL);
        }
    }
}

fn windows(errors: &mut Errors, spec: &Node<'_>) {
    const DETAIL: &str = "cannot be set for a windows pod";
    let mut forbid = |node: Node<'_>| {
        let is_flag = matches!(node.raw(), Value::Bool(false))
            && (node.path().to_string().ends_with("hostPID")
                || node.path().to_string().ends_with("hostIPC"));
        if node.is_set() && !is_flag {
            errors.forbidden(&node, DETAIL);
        }
    };
    for field in [
        "securityContext.appArmorProfile",
        "securityContext.seLinuxOptions",
        "hostUsers",
        "hostPID",
        "hostIPC",
        "securityContext.seccompProfile",
        "securityContext.fsGroup",
        "securityContext.fsGroupChangePolicy",
        "securityContext.sysctls",
        "shareProcessNamespace",
        "securityContext.runAsUser",
        "securityContext.runAsGroup",
        "securityContext.supplementalGroups",
        "securityContext.supplementalGroupsPolicy",
        "securityContext.seLinuxChangePolicy",
    ] {
        forbid(spec.get(field));
    }
    for container in all_containers(spec) {
        for field in [
            "appArmorProfile",
            "seLinuxOptions",
            "seccompProfile",
            "capabilities",
            "readOnlyRootFilesystem",
            "privileged",
            "allowPrivilegeEscalation",
            "procMount",
            "runAsUser",
            "runAsGroup",
        ] {
            forbid(container.get("securityContext").get(field));
        }
    }
}
