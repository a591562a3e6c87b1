//! The environment of containers.

use object::names;
use object::quantity::Quantity;

use super::projected::volume_name;
use crate::strategy::core::paths::no_backsteps;
use crate::strategy::core::quantities::quantity;
use crate::strategy::node::{Errors, Node};

/// Paths of fields that may be referred to, sorted.
pub(crate) type FieldPaths = &'static [&'static str];

const FIELDS: FieldPaths = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// What a pod's fields are called when they are referred to.
const KNOWN_FIELDS: FieldPaths = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// The variables of a container.
pub(crate) fn validate(errors: &mut Errors, variables: &Node<'_>) {
    for variable in variables.items() {
        let name = variable.get("name");
        if name.is_empty() {
            errors.required(&name, "");
        } else {
            errors.format(&name, names::relaxed_env_var_name);
        }
        value_from(errors, &variable);
    }
}

fn value_from(errors: &mut Errors, variable: &Node<'_>) {
    let source = variable.get("valueFrom");
    if !source.is_set() {
        return;
    }
    let mut count = 0;
    let mut check = |name: &str, check: fn(&mut Errors, &Node<'_>)| {
        let node = source.get(name);
        if node.is_set() {
            count += 1;
            check(errors, &node);
        }
    };
    check("fieldRef", |errors, node| {
        field_selector(errors, node, FIELDS)
    });
    check("resourceFieldRef", |errors, node| {
        resource_selector(errors, node, false)
    });
    check("configMapKeyRef", key_selector);
    check("secretKeyRef", key_selector);
    check("fileKeyRef", file_key_selector);
    let detail = if count == 0 {
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
    } else if !variable.get("value").is_empty() {
        "may not be specified when `value` is not empty"
    } else if count > 1 {
        "may not have more than one field specified at a time"
    } else {
        return;
    };
    errors.invalid(&source, "", detail);
}

/// A path with an optional key in brackets: `metadata.labels['app']`.
fn split_subscript(path: &str) -> Option<(&str, &str)> {
    let inner = path.strip_suffix("']")?;
    let (path, key) = inner.split_once("['")?;
    (!path.is_empty()).then_some((path, key))
}

/// A reference to a field of the pod.
pub(crate) fn field_selector(errors: &mut Errors, selector: &Node<'_>, fields: FieldPaths) {
    let (version, path) = (selector.get("apiVersion"), selector.get("fieldPath"));
    if version.is_empty() {
        return errors.required(&version, "");
    }
    if path.is_empty() {
        return errors.required(&path, "");
    }
    let text = path.text();
    let subscript = split_subscript(text);
    let bare = subscript.map_or(text, |(path, _)| path);
    let problem = if !version.is("v1") {
        Some(format!("unsupported pod version: {}", version.text()))
    } else if subscript.is_some() && !["metadata.annotations", "metadata.labels"].contains(&bare) {
        Some(format!("field label does not support subscript: {text}"))
    } else if subscript.is_none() && bare != "spec.host" && !KNOWN_FIELDS.contains(&bare) {
        Some(format!("field label not supported: {text}"))
    } else {
        None
    };
    if let Some(problem) = problem {
        return errors.invalid(
            &path,
            text,
            format!("error converting fieldPath: {problem}"),
        );
    }
    let resolved = if bare == "spec.host" {
        "spec.nodeName"
    } else {
        bare
    };
    match subscript {
        Some(("metadata.annotations", key)) => {
            let key = key.to_lowercase();
            errors.messages(selector, key.as_str(), names::qualified_name(&key));
        }
        Some((_, key)) => errors.messages(selector, key, names::qualified_name(key)),
        None if !fields.contains(&resolved) => errors.unsupported(&path, resolved, fields),
        None => {}
    }
}

/// A reference to a resource of a container; in volumes the container has to be named.
pub(crate) fn resource_selector(errors: &mut Errors, selector: &Node<'_>, in_volume: bool) {
    let (container, resource) = (selector.get("containerName"), selector.get("resource"));
    let name = resource.text();
    let is_huge_page =
        name.starts_with("requests.hugepages-") || name.starts_with("limits.hugepages-");
    if in_volume && container.is_empty() {
        errors.required(&container, "");
    } else if resource.is_empty() {
        errors.required(&resource, "");
    } else if !RESOURCES.contains(&name) && !is_huge_page {
        errors.unsupported(&resource, name, RESOURCES);
    }
    divisor(errors, &selector.get("divisor"), name);
}

fn divisor(errors: &mut Errors, divisor: &Node<'_>, resource: &str) {
    const SIZES: &[&str] = &[
        "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
    ];
    let amount: Quantity = quantity(divisor.raw());
    if amount.is_zero() {
        return;
    }
    let kind = match resource {
        "limits.cpu" | "requests.cpu" => {
            if !["1m", "1"].contains(&amount.to_string().as_str()) {
                let detail = "only divisor's values 1m and 1 are supported with the cpu resource";
                errors.invalid(divisor, resource, detail);
            }
            return;
        }
        "limits.memory" | "requests.memory" => "memory",
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => "local ephemeral storage",
        _ if resource.starts_with("requests.hugepages-")
            || resource.starts_with("limits.hugepages-") =>
        {
            "hugepages"
        }
        _ => return,
    };
    if !SIZES.contains(&amount.to_string().as_str()) {
        let sizes = SIZES.join(", ");
        let detail =
            format!("only divisor's values {sizes} are supported with the {kind} resource");
        errors.invalid(divisor, resource, detail);
    }
}

fn key_selector(errors: &mut Errors, selector: &Node<'_>) {
    errors.name(&selector.get("name"), names::name_is_dns_subdomain);
    let key = selector.get("key");
    if key.is_empty() {
        errors.required(&key, "");
    } else {
        errors.format(&key, names::config_map_key);
    }
}

fn file_key_selector(errors: &mut Errors, selector: &Node<'_>) {
    let (key, path) = (selector.get("key"), selector.get("path"));
    if key.is_empty() {
        errors.required(&key, "");
    } else {
        errors.format(&key, names::relaxed_env_var_name);
    }
    volume_name(errors, &selector.get("volumeName"));
    if path.is_empty() {
        errors.required(&path, "");
    } else {
        no_backsteps(errors, &path, path.text());
    }
}

/// What a container's environment takes over whole.
pub(crate) fn validate_from(errors: &mut Errors, sources: &Node<'_>) {
    for source in sources.items() {
        let prefix = source.get("prefix");
        if !prefix.is_empty() {
            errors.format(&prefix, names::relaxed_env_var_name);
        }
        let mut count = 0;
        for field in ["configMapRef", "secretRef"] {
            let reference = source.get(field);
            if !reference.is_set() {
                continue;
            }
            count += 1;
            let name = reference.get("name");
            if name.is_empty() {
                errors.required(&name, "");
            } else {
                errors.messages(
                    &name,
                    name.text(),
                    names::name_is_dns_subdomain(name.text(), true),
                );
            }
        }
        if count == 0 {
            errors.invalid(
                sources,
                "",
                "must specify one of: `configMapRef` or `secretRef`",
            );
        } else if count > 1 {
            errors.invalid(
                sources,
                "",
                "may not have more than one field specified at a time",
            );
        }
    }
}

/// Files that variables come from have to lie in volumes of type emptyDir.
pub(crate) fn validate_file_volumes(errors: &mut Errors, spec: &Node<'_>) {
    for container in super::all_containers(spec) {
        for variable in container.get("env").items() {
            let reference = variable.get("valueFrom").get("fileKeyRef");
            if !reference.is_set() {
                continue;
            }
            let name = reference.get("volumeName");
            let volume = spec
                .get("volumes")
                .items()
                .filter(|volume| volume.get("name").is(name.text()))
                .last();
            match volume {
                None => errors.not_found(&name, name.text()),
                Some(volume) if !volume.get("emptyDir").is_set() => {
                    let detail = "referenced volume must be of type emptyDir";
                    errors.invalid(&name, name.text(), detail);
                }
                Some(_) => {}
            }
        }
    }
}
