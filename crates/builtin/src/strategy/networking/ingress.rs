//! Ingresses and their classes.

use object::names;

use super::GROUP;
use crate::strategy::ResetFields;
use crate::strategy::core::load_balancer_hosts;
use crate::strategy::kind::{Generation, Kind, Subresource, keep_spec};
use crate::strategy::metadata;
use crate::strategy::node::{Errors, Node};

const CLASS: &str = "kubernetes.io/ingress.class";
const INVALID_PARTS: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];
const INVALID_ENDS: &[&str] = &["/..", "/."];

pub(crate) const INGRESS: Kind = Kind {
    status: Some(r#"{"loadBalancer":{}}"#),
    generation: Generation::On(&["spec"]),
    validate: |_, ingress, errors| {
        validate(errors, ingress, Options::default());
        let (class, annotation) = (
            ingress.get("spec.ingressClassName"),
            ingress.get("metadata.annotations").key(CLASS),
        );
        if annotation.is_set() && class.is_set() && !class.is(annotation.text()) {
            let place = ingress.path().child("annotations").child(CLASS);
            let detail = "must match `ingressClassName` when both are specified";
            errors.invalid(&place, annotation.text(), detail);
        }
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        validate(errors, new, Options::updating(old));
    },
    warn: |ingress, warnings| {
        let is_annotated = ingress.get("metadata.annotations").has(CLASS);
        if is_annotated && !ingress.get("spec.ingressClassName").is_set() {
            warnings.push(format!(
                "annotation \"{CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"
            ));
        }
    },
    subresources: &[Subresource {
        name: "status",
        prepare: keep_spec,
        validate: |_, new, old, errors| {
            metadata::validate_update(errors, new, old);
            let hosts = "status.loadBalancer.ingress";
            load_balancer_hosts(errors, &new.get(hosts), &old.get(hosts), false);
        },
        warn: |new, _, warnings| {
            for host in new.get("status.loadBalancer.ingress").items() {
                if !host.get("ip").is_empty() {
                    warnings.extend(names::ip::ip_warnings(host.path(), host.get("ip").text()));
                }
            }
        },
        reset: ResetFields::Except(&[&["spec"]]),
    }],
    ..Kind::new(GROUP, "ingresses")
};

pub(crate) const INGRESS_CLASS: Kind = Kind {
    namespaced: false,
    generation: Generation::On(&["spec"]),
    validate: |_, class, errors| validate_class(errors, class),
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        errors.immutable(&new.get("spec.controller"), &old.get("spec.controller"));
        validate_class(errors, new);
    },
    ..Kind::new(GROUP, "ingressclasses")
};

/// What an update may leave as it was.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    any_secret_name: bool,
    any_wildcard_rule: bool,
    relaxed_service_names: bool,
}

impl Options {
    fn updating(old: &Node<'_>) -> Self {
        let spec = old.get("spec");
        let is_relaxed = |backend: Node<'_>| {
            let name = backend.get("service.name");
            names::name_is_dns_label(name.text(), false).is_empty()
                && !names::name_is_dns1035_label(name.text(), false).is_empty()
        };
        Self {
            any_secret_name: spec.get("tls").items().any(|tls| {
                let name = tls.get("secretName");
                !name.is_empty() && !names::name_is_dns_subdomain(name.text(), false).is_empty()
            }),
            any_wildcard_rule: spec.get("rules").items().any(|rule| {
                rule.get("host").text().contains('*')
                    && !Errors::of(|errors| rule_value(errors, &rule, Self::default())).is_empty()
            }),
            relaxed_service_names: is_relaxed(spec.get("defaultBackend"))
                || spec.get("rules").items().any(|rule| {
                    rule.get("http.paths")
                        .items()
                        .any(|path| is_relaxed(path.get("backend")))
                }),
        }
    }
}

fn validate(errors: &mut Errors, ingress: &Node<'_>, options: Options) {
    metadata::validate(errors, ingress, true, names::name_is_dns_subdomain);
    let spec = ingress.get("spec");
    let (rules, default) = (spec.get("rules"), spec.get("defaultBackend"));
    if rules.is_empty() && !default.is_set() {
        let shown = if rules.is_set() { "[]" } else { "null" };
        errors.invalid_shown(
            &spec,
            shown,
            "either `defaultBackend` or `rules` must be specified",
        );
    }
    if default.is_set() {
        backend(errors, &default, options);
    }
    for rule in rules.items() {
        let host = rule.get("host");
        if !host.is_empty() && names::ip::parse_sloppy(host.text()).is_some() {
            errors.invalid(&host, host.text(), "must be a DNS name, not an IP address");
        }
        if !host.is_empty() {
            domain(errors, &host);
        }
        if !host.text().contains('*') || !options.any_wildcard_rule {
            rule_value(errors, &rule, options);
        }
    }
    for tls in spec.get("tls").items() {
        for host in tls.get("hosts").items() {
            domain(errors, &host);
        }
        let name = tls.get("secretName");
        if !name.is_empty() && !options.any_secret_name {
            errors.name(&name, names::name_is_dns_subdomain);
        }
    }
    let class = spec.get("ingressClassName");
    if class.is_set() {
        errors.name(&class, names::name_is_dns_subdomain);
    }
}

fn domain(errors: &mut Errors, host: &Node<'_>) {
    if host.text().contains('*') {
        errors.format(host, names::wildcard_dns1123_subdomain);
    } else {
        errors.format(host, names::dns1123_subdomain);
    }
}

fn rule_value(errors: &mut Errors, rule: &Node<'_>, options: Options) {
    let http = rule.get("http");
    if !http.is_set() {
        return;
    }
    if http.get("paths").is_empty() {
        errors.required(&http.get("paths"), "");
    }
    for path in http.get("paths").items() {
        validate_path(errors, &path, options);
    }
}

fn validate_path(errors: &mut Errors, rule: &Node<'_>, options: Options) {
    let (kind, path) = (rule.get("pathType"), rule.get("path"));
    if !kind.is_set() {
        return errors.required(&kind, "pathType must be specified");
    }
    let is_absolute = path.text().starts_with('/');
    match kind.text() {
        "Exact" | "Prefix" => {
            if !is_absolute {
                errors.invalid(&path, path.text(), "must be an absolute path");
            }
            for part in INVALID_PARTS
                .iter()
                .filter(|part| path.text().contains(**part))
            {
                errors.invalid(&path, path.text(), format!("must not contain '{part}'"));
            }
            for end in INVALID_ENDS
                .iter()
                .filter(|end| path.text().ends_with(**end))
            {
                errors.invalid(&path, path.text(), format!("cannot end with '{end}'"));
            }
        }
        "ImplementationSpecific" => {
            if !path.is_empty() && !is_absolute {
                errors.invalid(&path, path.text(), "must be an absolute path");
            }
        }
        _ => errors.one_of(&kind, &["Exact", "ImplementationSpecific", "Prefix"]),
    }
    backend(errors, &rule.get("backend"), options);
}

fn backend(errors: &mut Errors, backend: &Node<'_>, options: Options) {
    let (resource, service) = (backend.get("resource"), backend.get("service"));
    match (resource.is_set(), service.is_set()) {
        (true, true) => {
            errors.invalid(backend, "", "cannot set both resource and service backends");
        }
        (true, false) => typed_reference(errors, &resource),
        (false, true) => service_backend(errors, backend, options),
        (false, false) => errors.invalid(backend, "", "resource or service backend is required"),
    }
}

fn service_backend(errors: &mut Errors, backend: &Node<'_>, options: Options) {
    let name = placed(backend, &["service", "name"]);
    if name.is_empty() {
        errors.required(&name, "");
    } else if options.relaxed_service_names {
        errors.name(&name, names::name_is_dns_label);
    } else {
        errors.name(&name, names::name_is_dns1035_label);
    }
    let port_name = placed(backend, &["service", "port", "name"]);
    let port_number = placed(backend, &["service", "port", "number"]);
    match (port_name.is_empty(), port_number.int()) {
        (false, 0) => errors.format(&port_name, names::port_name),
        (false, _) => errors.invalid(backend, "", "cannot set both port name & port number"),
        (true, 0) => errors.required(backend, "port name or number is required"),
        (true, port) => errors.messages(&port_number, port, names::port_number(port)),
    }
}

fn placed<'a>(node: &Node<'a>, path: &[&str]) -> Node<'a> {
    path.iter().fold(node.clone(), |node, name| node.get(name))
}

fn typed_reference(errors: &mut Errors, reference: &Node<'_>) {
    let group = reference.get("apiGroup");
    if group.is_set() {
        errors.format(&group, names::dns1123_subdomain);
    }
    for field in ["kind", "name"] {
        let node = reference.get(field);
        if node.is_empty() {
            errors.required(&node, "");
        } else {
            errors.format(&node, names::path_segment_name);
        }
    }
}

fn validate_class(errors: &mut Errors, class: &Node<'_>) {
    metadata::validate(errors, class, false, names::name_is_dns_subdomain);
    let controller = class.get("spec.controller");
    if controller.len() > 250 {
        errors.too_long(&controller, 250);
    }
    errors.extend(names::domain_prefixed_path(
        controller.path(),
        controller.text(),
    ));
    let parameters = class.get("spec.parameters");
    if !parameters.is_set() {
        return;
    }
    typed_reference(errors, &parameters);
    let (scope, namespace) = (parameters.get("scope"), parameters.get("namespace"));
    match scope.opt_text() {
        None => errors.required(&scope, ""),
        Some("Namespace") => {
            if namespace.is_set() {
                errors.name(&namespace, names::name_is_dns_label);
            } else {
                errors.required(&namespace, "`parameters.scope` is set to 'Namespace'");
            }
        }
        Some("Cluster") => {
            if namespace.is_set() {
                errors.forbidden(&namespace, "`parameters.scope` is set to 'Cluster'");
            }
        }
        Some(_) => errors.one_of(&scope, &["Cluster", "Namespace"]),
    }
}
