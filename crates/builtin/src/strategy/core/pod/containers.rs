//! Containers of all three kinds.

use object::names;

use super::mounts::{Volumes, validate_devices, validate_mounts};
use super::probes::{validate_lifecycle, validate_probes};
use super::{env, security};
use crate::strategy::core::quantities::{validate_container_name, validate_requirements};
use crate::strategy::node::{Errors, Node};

/// What containers are checked against.
pub(crate) struct Surroundings<'a> {
    pub(crate) volumes: Volumes<'a>,
    /// The names of the pod's resource claims.
    pub(crate) claims: Vec<&'a str>,
    pub(crate) grace_period: Option<i64>,
    pub(crate) restart_policy: &'a str,
    pub(crate) host_users: bool,
}

/// `containers` of a pod.
pub(crate) fn validate(errors: &mut Errors, containers: &Node<'_>, around: &Surroundings<'_>) {
    if containers.is_empty() {
        return errors.required(containers, "");
    }
    let mut seen: Vec<&str> = Vec::new();
    for container in containers.items() {
        validate_common(errors, &container, around);
        let name = container.get("name");
        if seen.contains(&name.text()) {
            errors.duplicate(&name, name.text());
        } else {
            seen.push(name.text());
        }
        validate_lifecycle(errors, &container.get("lifecycle"), around.grace_period);
        validate_probes(errors, &container, around.grace_period);
        restart_rules(errors, &container);
    }
    host_ports(errors, containers.items(), containers);
}

/// `initContainers` of a pod.
pub(crate) fn validate_init(errors: &mut Errors, spec: &Node<'_>, around: &Surroundings<'_>) {
    const DETAIL: &str = "may not be set for init containers without restartPolicy=Always";
    let containers = spec.get("initContainers");
    let mut seen: Vec<&str> = spec
        .get("containers")
        .items()
        .map(|container| container.get("name").text())
        .collect();
    for container in containers.items() {
        validate_common(errors, &container, around);
        let restarts = container.get("restartPolicy").is("Always");
        if restarts {
            let rules = container.get("restartPolicyRules");
            if !rules.is_empty() {
                let detail = "restartPolicyRules are not allowed for init containers with restart policy Always";
                errors.forbidden(&rules, detail);
            }
        } else {
            restart_rules(errors, &container);
        }
        let name = container.get("name");
        if seen.contains(&name.text()) {
            errors.duplicate(&name, name.text());
        } else if !name.is_empty() {
            seen.push(name.text());
        }
        host_ports(errors, std::iter::once(container.clone()), &containers);
        if restarts {
            validate_lifecycle(errors, &container.get("lifecycle"), around.grace_period);
            validate_probes(errors, &container, around.grace_period);
            continue;
        }
        for field in [
            "lifecycle",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
        ] {
            let node = container.get(field);
            if node.is_set() {
                errors.forbidden(&node, DETAIL);
            }
        }
    }
}

/// `ephemeralContainers` of a pod.
pub(crate) fn validate_ephemeral(errors: &mut Errors, spec: &Node<'_>, around: &Surroundings<'_>) {
    const DETAIL: &str = "cannot be set for an Ephemeral Container";
    let other: Vec<&str> = ["containers", "initContainers"]
        .into_iter()
        .flat_map(|field| spec.get(field).items())
        .map(|container| container.get("name").text())
        .collect();
    let mut seen = other.clone();
    for container in spec.get("ephemeralContainers").items() {
        validate_common(errors, &container, around);
        image_padding(errors, &container);
        let (name, target) = (container.get("name"), container.get("targetContainerName"));
        if seen.contains(&name.text()) {
            errors.duplicate(&name, name.text());
        } else {
            seen.push(name.text());
        }
        if !target.is_empty() && !other.contains(&target.text()) {
            errors.not_found(&target, target.text());
        }
        for field in [
            "ports",
            "resources",
            "resizePolicy",
            "restartPolicy",
            "restartPolicyRules",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle",
        ] {
            let node = container.get(field);
            let is_empty_struct = field == "resources" && node.is_empty();
            if node.is_set() && !is_empty_struct {
                errors.forbidden(&node, DETAIL);
            }
        }
        for mount in container.get("volumeMounts").items() {
            for field in ["subPath", "subPathExpr"] {
                if !mount.get(field).is_empty() {
                    errors.forbidden(&mount.get(field), DETAIL);
                }
            }
        }
    }
}

/// Spaces around the image, which only pods are checked for.
pub(crate) fn image_padding(errors: &mut Errors, container: &Node<'_>) {
    let image = container.get("image");
    if image.text().trim() != image.text() {
        errors.invalid(
            &image,
            image.text(),
            "must not have leading or trailing whitespace",
        );
    }
}

fn validate_common(errors: &mut Errors, container: &Node<'_>, around: &Surroundings<'_>) {
    let name = container.get("name");
    if name.is_empty() {
        errors.required(&name, "");
    } else {
        errors.format(&name, names::dns1123_label);
    }
    errors.present(&container.get("image"));
    errors.choice(
        &container.get("terminationMessagePolicy"),
        &["File", "FallbackToLogsOnError"],
    );
    ports(errors, &container.get("ports"));
    env::validate(errors, &container.get("env"));
    env::validate_from(errors, &container.get("envFrom"));
    validate_mounts(errors, container, &around.volumes);
    validate_devices(errors, container, &around.volumes);
    pull_policy(errors, &container.get("imagePullPolicy"));
    let resources = container.get("resources");
    validate_requirements(errors, &resources, validate_container_name, &around.claims);
    resize_policy(
        errors,
        &container.get("resizePolicy"),
        around.restart_policy,
    );
    security::validate_container(errors, &container.get("securityContext"), around.host_users);
}

/// When an image is pulled.
pub(crate) fn pull_policy(errors: &mut Errors, policy: &Node<'_>) {
    errors.choice(policy, &["Always", "IfNotPresent", "Never"]);
}

fn ports(errors: &mut Errors, ports: &Node<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for port in ports.items() {
        let (name, number) = (port.get("name"), port.get("containerPort"));
        if !name.is_empty() {
            let messages = names::port_name(name.text());
            if !messages.is_empty() {
                errors.messages(&name, name.text(), messages);
            } else if seen.contains(&name.text()) {
                errors.duplicate(&name, name.text());
            } else {
                seen.push(name.text());
            }
        }
        if number.int() == 0 {
            errors.required(&number, "");
        } else {
            errors.messages(&number, number.int(), names::port_number(number.int()));
        }
        let host = port.get("hostPort");
        if host.int() != 0 {
            errors.messages(&host, host.int(), names::port_number(host.int()));
        }
        errors.choice(&port.get("protocol"), &["SCTP", "TCP", "UDP"]);
    }
}

/// Two ports of one host; places are counted within `containers` as upstream counts them.
fn host_ports<'a>(errors: &mut Errors, of: impl Iterator<Item = Node<'a>>, containers: &Node<'_>) {
    let mut seen: Vec<String> = Vec::new();
    for (index, container) in of.enumerate() {
        for (position, port) in container.get("ports").items().enumerate() {
            let number = port.get("hostPort").int();
            if number == 0 {
                continue;
            }
            let key = format!(
                "{}/{}/{number}",
                port.get("protocol").text(),
                port.get("hostIP").text()
            );
            if seen.contains(&key) {
                let place = containers
                    .path()
                    .index(index)
                    .child("ports")
                    .index(position);
                errors.duplicate(&place.child("hostPort"), key);
            } else {
                seen.push(key);
            }
        }
    }
}

fn resize_policy(errors: &mut Errors, policies: &Node<'_>, pod_restart: &str) {
    let mut seen: Vec<&str> = Vec::new();
    for policy in policies.items() {
        let (name, restart) = (
            policy.get("resourceName").text(),
            policy.get("restartPolicy").text(),
        );
        if seen.contains(&name) {
            errors.duplicate(&policy, name);
        }
        seen.push(name);
        match name {
            "cpu" | "memory" => {}
            "" => errors.required(policies, ""),
            other => errors.unsupported(policies, other, &["cpu", "memory"]),
        }
        match restart {
            "NotRequired" | "RestartContainer" => {}
            "" => errors.required(policies, ""),
            other => errors.unsupported(policies, other, &["NotRequired", "RestartContainer"]),
        }
        if pod_restart == "Never" && restart != "NotRequired" {
            let detail = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.invalid(policies, restart, detail);
        }
    }
}

fn restart_rules(errors: &mut Errors, container: &Node<'_>) {
    let (policy, rules) = (
        container.get("restartPolicy"),
        container.get("restartPolicyRules"),
    );
    if policy.is_set() {
        errors.one_of(&policy, &["Always", "Never", "OnFailure"]);
    } else if !rules.is_empty() {
        errors.required(
            &policy,
            "must specify restartPolicy when restart rules are used",
        );
    }
    if rules.len() > 20 {
        errors.too_long(&rules, 20);
    }
    for rule in rules.items() {
        errors.one_of(&rule.get("action"), &["Restart"]);
        let codes = rule.get("exitCodes");
        if !codes.is_set() {
            errors.required(&codes, "must be specified");
            continue;
        }
        errors.one_of(&codes.get("operator"), &["In", "NotIn"]);
        if codes.get("values").len() > 255 {
            errors.too_long(&codes.get("values"), 255);
        }
    }
}
