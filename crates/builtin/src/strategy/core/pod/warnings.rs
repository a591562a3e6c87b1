//! Warnings about pods and templates.
//!
//! Source: `pkg/api/pod/warnings.go`, `pkg/api/node`.

use object::field::{Path, quote};
use object::names;

use super::{all_containers, annotations, app_armor_field};
use crate::strategy::core::claim;
use crate::strategy::core::quantities::quantity;
use crate::strategy::node::Node;

mod overlaps;
mod ports;

const DEPRECATED_ANNOTATIONS: &[(&str, &str)] = &[
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];

const DEPRECATED_LABELS: &[(&str, &str)] = &[
    (
        "beta.kubernetes.io/arch",
        "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
    ),
    (
        "beta.kubernetes.io/os",
        "deprecated since v1.14; use \"kubernetes.io/os\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
    (
        "node-role.kubernetes.io/master",
        "use \"node-role.kubernetes.io/control-plane\" instead",
    ),
];

/// Volumes that are going or gone, with the words for it.
const DEPRECATED_VOLUMES: &[(&str, &str, &str)] = &[
    (
        "photonPersistentDisk",
        "photonPersistentDisk",
        "deprecated in v1.11, non-functional in v1.16+",
    ),
    (
        "gitRepo",
        "gitRepo",
        "deprecated in v1.11, and disabled by default in v1.33+",
    ),
    (
        "scaleIO",
        "scaleIO",
        "deprecated in v1.16, non-functional in v1.22+",
    ),
    (
        "flocker",
        "flocker",
        "deprecated in v1.22, non-functional in v1.25+",
    ),
    (
        "storageos",
        "storageOS",
        "deprecated in v1.22, non-functional in v1.25+",
    ),
    (
        "quobyte",
        "quobyte",
        "deprecated in v1.22, non-functional in v1.25+",
    ),
    (
        "glusterfs",
        "glusterfs",
        "deprecated in v1.25, non-functional in v1.26+",
    ),
    (
        "cephfs",
        "cephfs",
        "deprecated in v1.28, non-functional in v1.31+",
    ),
    (
        "rbd",
        "rbd",
        "deprecated in v1.28, non-functional in v1.31+",
    ),
];

/// Why a label of nodes is deprecated.
pub(crate) fn deprecated_label(key: &str) -> Option<&'static str> {
    DEPRECATED_LABELS
        .iter()
        .find(|(label, _)| *label == key)
        .map(|(_, message)| *message)
}

/// Warnings about a pod.
pub(crate) fn of_pod(pod: &Node<'_>, warnings: &mut Vec<String>) {
    of_spec_and_meta(&pod.get("spec"), &pod.get("metadata"), false, warnings);
}

/// Warnings about a template.
pub(crate) fn of_template(template: &Node<'_>, warnings: &mut Vec<String>) {
    of_spec_and_meta(
        &template.get("spec"),
        &template.get("metadata"),
        true,
        warnings,
    );
}

/// A warning that a name is used for the hosts of pods and is no DNS label.
pub(crate) fn of_workload_name(object: &Node<'_>, warnings: &mut Vec<String>) {
    let messages = names::dns1123_label(object.get("metadata.name").text());
    if !messages.is_empty() {
        warnings.push(format!(
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [{}]",
            messages.join(" ")
        ));
    }
}

fn of_spec_and_meta(
    spec: &Node<'_>,
    meta: &Node<'_>,
    is_template: bool,
    warnings: &mut Vec<String>,
) {
    scheduling(spec, warnings);
    let notes = meta.get("annotations");
    for (key, message) in DEPRECATED_ANNOTATIONS {
        if notes.has(key) {
            warnings.push(format!("{}: {message}", notes.path().key(key)));
        }
    }
    volumes(&spec.get("volumes"), warnings);
    overlaps::warn(&spec.get("volumes"), warnings);
    repeated(&spec.get("hostAliases"), "ip", warnings);
    repeated(&spec.get("imagePullSecrets"), "name", warnings);
    for secret in spec.get("imagePullSecrets").items() {
        let name = secret.get("name");
        if name.is_empty() {
            warnings.push(format!("{}: invalid empty name \"\"", name.path()));
        }
    }
    fractions(&spec.get("overhead"), warnings);
    if !spec.get("securityContext.seccompProfile").is_set() {
        seccomp(&notes, annotations::SECCOMP_POD, warnings);
    }
    for container in all_containers(spec) {
        of_container(&container, spec, &notes, is_template, warnings);
    }
    ports::warn(spec, warnings);
    let grace = spec.get("terminationGracePeriodSeconds");
    if grace.int() < 0 {
        warnings.push(format!(
            "{}: must be >= 0; negative values are invalid and will be treated as 1",
            grace.path()
        ));
    }
    pod_affinities(&spec.get("affinity"), warnings);
    for server in spec.get("dnsConfig.nameservers").items() {
        warnings.extend(names::ip::ip_warnings(server.path(), server.text()));
    }
    for alias in spec.get("hostAliases").items() {
        let ip = alias.get("ip");
        warnings.extend(names::ip::ip_warnings(ip.path(), ip.text()));
    }
}

fn scheduling(spec: &Node<'_>, warnings: &mut Vec<String>) {
    for (key, place) in spec.get("nodeSelector").entries() {
        if let Some(message) = deprecated_label(key) {
            warnings.push(format!("{}: {message}", place.path()));
        }
    }
    let affinity = spec.get("affinity.nodeAffinity");
    let required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution");
    for term in required.get("nodeSelectorTerms").items() {
        of_node_term(&term, false, warnings);
    }
    for term in affinity
        .get("preferredDuringSchedulingIgnoredDuringExecution")
        .items()
    {
        of_node_term(&term.get("preference"), true, warnings);
    }
    for constraint in spec.get("topologySpreadConstraints").items() {
        let key = constraint.get("topologyKey");
        if let Some(message) = deprecated_label(key.text()) {
            warnings.push(format!("{}: {} is {message}", key.path(), key.text()));
        }
        null_selector(&constraint, warnings);
    }
}

fn null_selector(holder: &Node<'_>, warnings: &mut Vec<String>) {
    let selector = holder.get("labelSelector");
    if !selector.is_set() {
        warnings.push(format!(
            "{}: a null labelSelector results in matching no pod",
            selector.path()
        ));
    }
}

/// Warnings about a term that selects nodes.
pub(crate) fn of_node_term(term: &Node<'_>, check_values: bool, warnings: &mut Vec<String>) {
    for expression in term.get("matchExpressions").items() {
        let key = expression.get("key");
        if let Some(message) = deprecated_label(key.text()) {
            warnings.push(format!("{}: {} is {message}", key.path(), key.text()));
        }
        if !check_values {
            continue;
        }
        for value in expression.get("values").items() {
            for message in names::label_value(value.text()) {
                warnings.push(format!(
                    "{}: {} is invalid, {message}",
                    value.path(),
                    value.text()
                ));
            }
        }
    }
}

fn volumes(volumes: &Node<'_>, warnings: &mut Vec<String>) {
    for volume in volumes.items() {
        let place = volume.path();
        for (field, shown, message) in DEPRECATED_VOLUMES {
            // Upstream looks at this one between two of the table.
            if *field == "cephfs" {
                let template = volume.get("ephemeral").get("volumeClaimTemplate");
                if template.is_set() {
                    claim::warn_of_spec(&template.get("spec"), warnings);
                }
            }
            if volume.get(field).is_set() {
                warnings.push(format!("{}: {message}", place.child(shown)));
            }
        }
    }
}

fn repeated(list: &Node<'_>, field: &str, warnings: &mut Vec<String>) {
    let mut seen: Vec<&str> = Vec::new();
    for item in list.items() {
        let node = item.get(field);
        if seen.contains(&node.text()) {
            warnings.push(format!(
                "{}: duplicate {field} {}",
                node.path(),
                quote(node.text())
            ));
        } else {
            seen.push(node.text());
        }
    }
}

/// Bytes that are not whole.
fn fractions(list: &Node<'_>, warnings: &mut Vec<String>) {
    for name in ["memory", "ephemeral-storage"] {
        fraction(list, name, list.path(), warnings);
    }
}

/// One amount of bytes.
pub(crate) fn fraction(list: &Node<'_>, name: &str, place: &Path, warnings: &mut Vec<String>) {
    let amount = quantity(list.key(name).raw());
    if amount.milli_value() % 1000 != 0 {
        warnings.push(format!(
            "{}: fractional byte value {} is invalid, must be an integer",
            place.key(name),
            quote(&amount.to_string())
        ));
    }
}

fn seccomp(notes: &Node<'_>, key: &str, warnings: &mut Vec<String>) {
    if notes.has(key) {
        warnings.push(format!(
            "{}: non-functional in v1.27+; use the \"seccompProfile\" field instead",
            notes.path().key(key)
        ));
    }
}

fn of_container(
    container: &Node<'_>,
    spec: &Node<'_>,
    notes: &Node<'_>,
    is_template: bool,
    warnings: &mut Vec<String>,
) {
    let name = container.get("name").text();
    if !container.get("securityContext.seccompProfile").is_set() {
        seccomp(
            notes,
            &format!("{}{name}", annotations::SECCOMP_CONTAINER),
            warnings,
        );
    }
    let key = format!("{}{name}", annotations::APP_ARMOR);
    let has_field = container.get("securityContext.appArmorProfile").is_set();
    if is_template && !has_field && notes.has(&key) {
        let of_pod = spec.get("securityContext.appArmorProfile");
        let stands_for = app_armor_field(notes.key(&key).text());
        if !of_pod.is_set() || stands_for.as_ref() != Some(of_pod.raw()) {
            warnings.push(format!(
                "{}: deprecated since v1.30; use the \"appArmorProfile\" field instead",
                notes.path().key(&key)
            ));
        }
    }
    let (limits, requests) = (
        container.get("resources.limits"),
        container.get("resources.requests"),
    );
    for name in ["memory", "ephemeral-storage"] {
        fraction(&limits, name, limits.path(), warnings);
        fraction(&requests, name, requests.path(), warnings);
    }
    let mut seen: Vec<&str> = Vec::new();
    for variable in container.get("env").items() {
        let name = variable.get("name").text();
        if !seen.contains(&name) {
            seen.push(name);
            continue;
        }
        let reference = format!("$({name})");
        let value = variable.get("value").text();
        let is_bad =
            variable.get("valueFrom").is_set() || value == reference || !value.contains(&reference);
        if is_bad {
            warnings.push(format!(
                "{}: hides previous definition of {}, which may be dropped when using apply",
                variable.path(),
                quote(name)
            ));
        }
    }
}

fn pod_affinities(affinity: &Node<'_>, warnings: &mut Vec<String>) {
    for field in ["podAffinity", "podAntiAffinity"] {
        let affinity = affinity.get(field);
        for term in affinity
            .get("requiredDuringSchedulingIgnoredDuringExecution")
            .items()
        {
            null_selector(&term, warnings);
        }
        for term in affinity
            .get("preferredDuringSchedulingIgnoredDuringExecution")
            .items()
        {
            null_selector(&term.get("podAffinityTerm"), warnings);
        }
    }
}
