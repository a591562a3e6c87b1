//! The spec of a pod.

use object::names;

use super::containers::{Surroundings, image_padding, pull_policy};
use super::{Options, affinity, annotations, containers, env, security, windows};
use crate::strategy::core::claim;
use crate::strategy::core::quantities::{
    is_huge_page, quantity, validate_container_name, validate_pod_name, validate_requirements,
};
use crate::strategy::core::volume_source::{POD, only_one, validate_sources};
use crate::strategy::labels::validate_labels;
use crate::strategy::metadata;
use crate::strategy::node::{Errors, Node};
use crate::strategy::{internal, kind};

/// Metadata and spec of a pod.
pub(crate) fn validate_metadata_and_spec(errors: &mut Errors, pod: &Node<'_>, options: Options) {
    metadata::validate(errors, pod, true, names::name_is_dns_subdomain);
    let (meta, spec) = (pod.get("metadata"), pod.get("spec"));
    annotations::validate(
        errors,
        &meta.get("annotations"),
        &spec,
        options.any_deletion_cost,
    );
    validate_spec(errors, &spec, Some(&meta), options);
    if spec.get("serviceAccountName").is_empty() {
        for volume in spec.get("volumes").items() {
            for source in volume.get("projected").get("sources").items() {
                let token = source.get("serviceAccountToken");
                if token.is_set() {
                    let detail = "must not be specified when serviceAccountName is not set";
                    errors.forbidden(&token, detail);
                }
            }
        }
    }
    for field in ["containers", "initContainers"] {
        for container in spec.get(field).items() {
            image_padding(errors, &container);
        }
    }
}

/// A template of pods.
pub(crate) fn validate_template(errors: &mut Errors, template: &Node<'_>, options: Options) {
    let (meta, spec) = (template.get("metadata"), template.get("spec"));
    // Upstream leaves "metadata" out of these places, kept.
    let labels = meta.get("labels").placed(template.path().child("labels"));
    let annotated = meta
        .get("annotations")
        .placed(template.path().child("annotations"));
    validate_labels(errors, &labels);
    metadata::validate_annotations(errors, &annotated);
    annotations::validate(errors, &annotated, &spec, options.any_deletion_cost);
    validate_spec(errors, &spec, None, options);
    annotations::validate_matching_fields(errors, &meta.get("annotations"), &spec);
    let ephemeral = spec.get("ephemeralContainers");
    if !ephemeral.is_empty() {
        errors.forbidden(
            &ephemeral,
            "ephemeral containers not allowed in pod template",
        );
    }
}

fn validate_spec(errors: &mut Errors, spec: &Node<'_>, meta: Option<&Node<'_>>, options: Options) {
    let grace = spec.get("terminationGracePeriodSeconds");
    if !grace.is_set() {
        errors.required(&grace, "");
    }
    let volumes = volumes(errors, &spec.get("volumes"), meta, options);
    let claims = spec.get("resourceClaims");
    let around = Surroundings {
        volumes,
        claims: claims
            .items()
            .map(|claim| claim.get("name").text())
            .filter(|name| !name.is_empty())
            .collect(),
        grace_period: grace.opt_int(),
        restart_policy: spec.get("restartPolicy").text(),
        host_users: spec.get("hostUsers").raw() != &serde_json::Value::Bool(false),
    };
    resource_claims(errors, &claims, meta);
    containers::validate(errors, &spec.get("containers"), &around);
    containers::validate_init(errors, spec, &around);
    containers::validate_ephemeral(errors, spec, &around);
    pod_resources(errors, spec);
    host_network_ports(errors, spec, options);
    errors.choice(
        &spec.get("restartPolicy"),
        &["Always", "OnFailure", "Never"],
    );
    errors.choice(
        &spec.get("dnsPolicy"),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    );
    validate_labels(errors, &spec.get("nodeSelector"));
    security::validate_pod(errors, spec, options.any_host_sysctl);
    affinity::validate(errors, &spec.get("affinity"), options);
    dns_config(errors, spec);
    for gate in spec.get("readinessGates").items() {
        errors.format(&gate.get("conditionType"), names::qualified_name);
    }
    scheduling_gates(errors, &spec.get("schedulingGates"));
    affinity::topology_spread(errors, &spec.get("topologySpreadConstraints"), options);
    windows::host_process(errors, spec);
    security::validate_host_users(errors, spec);
    names_and_numbers(errors, spec);
    windows::validate_os(errors, spec);
    env::validate_file_volumes(errors, spec);
}

/// Checks the volumes and gives those that are sound.
fn volumes<'a>(
    errors: &mut Errors,
    volumes: &Node<'a>,
    meta: Option<&Node<'_>>,
    options: Options,
) -> super::mounts::Volumes<'a> {
    let pod_name = meta.map(|meta| meta.get("name").text()).unwrap_or_default();
    let created: Vec<String> = volumes
        .items()
        .filter(|volume| !pod_name.is_empty() && volume.get("ephemeral").is_set())
        .map(|volume| format!("{pod_name}-{}", volume.get("name").text()))
        .collect();
    let mut sound = super::mounts::Volumes::new();
    for volume in volumes.items() {
        let name = volume.get("name");
        let found = Errors::of(|errors| {
            volume_source(errors, &volume, pod_name, options);
            if name.is_empty() {
                errors.required(&name, "");
            } else {
                errors.format(&name, names::dns1123_label);
            }
            if sound.contains_key(name.text()) {
                errors.duplicate(&name, name.text());
            }
        });
        if found.is_empty() {
            let is_claim =
                volume.get("persistentVolumeClaim").is_set() || volume.get("ephemeral").is_set();
            sound.insert(name.text(), is_claim);
        }
        errors.extend(found);
        let claim = volume.get("persistentVolumeClaim").get("claimName");
        if created.iter().any(|created| claim.is(created)) && claim.is_set() {
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            errors.invalid(&claim, claim.text(), detail);
        }
    }
    sound
}

fn volume_source(errors: &mut Errors, volume: &Node<'_>, pod_name: &str, options: Options) {
    let empty = volume.get("emptyDir");
    let limit = empty.get("sizeLimit");
    if limit.is_set() && quantity(limit.raw()).sign() < 0 {
        errors.forbidden(&limit, "SizeLimit field must be a valid resource quantity");
    }
    let name = volume.get("name");
    let mut count = validate_sources(errors, volume, POD, usize::from(empty.is_set()));
    let iscsi = volume.get("iscsi");
    let target = iscsi.get("targetPortal");
    if iscsi.get("initiatorName").is_set() && name.len() + 1 + target.len() > 64 {
        let detail = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
        errors.invalid(&name, name.text(), detail);
    }
    for field in ["ephemeral", "image"] {
        let node = volume.get(field);
        if !node.is_set() {
            continue;
        }
        count += 1;
        if count > 1 {
            only_one(errors, volume, field);
        } else if field == "image" {
            if options.is_pod {
                errors.present(&node.get("reference"));
            }
            pull_policy(errors, &node.get("pullPolicy"));
        } else {
            ephemeral(errors, &node, &name, pod_name);
        }
    }
    if count == 0 {
        errors.required(volume, "must specify a volume type");
    }
}

fn ephemeral(errors: &mut Errors, source: &Node<'_>, name: &Node<'_>, pod_name: &str) {
    let template = source.get("volumeClaimTemplate");
    if template.is_set() {
        claim::validate_template(errors, &template);
    } else {
        errors.required(&template, "");
    }
    if !pod_name.is_empty() && !name.is_empty() {
        let claim = format!("{pod_name}-{}", name.text());
        for message in names::name_is_dns_subdomain(&claim, false) {
            let detail = format!("PVC name {}: {message}", object::field::quote(&claim));
            errors.invalid(name, name.text(), detail);
        }
    }
}

fn resource_claims(errors: &mut Errors, claims: &Node<'_>, meta: Option<&Node<'_>>) {
    let mut seen: Vec<&str> = Vec::new();
    let is_mirror = meta.is_some_and(|meta| meta.get("annotations").has(annotations::MIRROR));
    for claim in claims.items() {
        if is_mirror {
            let detail = "static pods do not support resource claims";
            errors.forbidden(&object::field::Path::new("[]"), detail);
            continue;
        }
        let name = claim.get("name");
        if name.is_empty() {
            errors.required(&name, "");
        } else if seen.contains(&name.text()) {
            errors.duplicate(&name, name.text());
        } else {
            errors.format(&name, names::dns1123_label);
            seen.push(name.text());
        }
        let (own, template) = (
            claim.get("resourceClaimName"),
            claim.get("resourceClaimTemplateName"),
        );
        let detail = match (own.is_set(), template.is_set()) {
            (true, true) => Some(
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
            ),
            (false, false) => {
                Some("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
            }
            _ => None,
        };
        if let Some(detail) = detail {
            let shown = internal::json("core.PodResourceClaim", claim.raw());
            errors.invalid_shown(&claim, &shown, detail);
        }
        for name in [own, template] {
            if name.is_set() {
                errors.name(&name, names::name_is_dns_subdomain);
            }
        }
    }
}

/// `resources` of the pod as a whole.
fn pod_resources(errors: &mut Errors, spec: &Node<'_>) {
    let resources = spec.get("resources");
    if !resources.is_set() {
        return;
    }
    if spec.get("os.name").is("windows") {
        return errors.forbidden(&resources, "may not be set for a windows pod");
    }
    if resources.get("claims").is_set() {
        let detail = "claims may not be set for Resources at pod-level";
        errors.forbidden(&resources.get("claims"), detail);
    }
    validate_requirements(errors, &resources, validate_pod_name, &[]);
    for (name, request) in resources.get("requests").entries() {
        let total = super::resources::aggregate(spec.raw(), "requests", name);
        if total
            .as_ref()
            .is_some_and(|total| *total > quantity(request.raw()))
        {
            let total = total.unwrap_or_default();
            let detail =
                format!("must be greater than or equal to aggregate container requests of {total}");
            errors.invalid(&request, quantity(request.raw()).to_string(), detail);
        }
    }
    for (name, limit) in resources.get("limits").entries() {
        if is_huge_page(name)
            && let Some(total) = super::resources::aggregate(spec.raw(), "limits", name)
            && total > quantity(limit.raw())
        {
            let detail =
                format!("must be greater than or equal to aggregate container limits of {total}");
            errors.invalid(&limit, quantity(limit.raw()).to_string(), detail);
        }
        for (index, container) in spec.get("containers").items().enumerate() {
            let own = container.get("resources.limits").key(name);
            if own.is_set() && quantity(own.raw()) > quantity(limit.raw()) {
                let place = resources.path().child("containers").index(index).key(name);
                let detail = format!(
                    "must be less than or equal to pod limits of {}",
                    quantity(limit.raw())
                );
                errors.invalid(
                    &place.child("limits"),
                    quantity(own.raw()).to_string(),
                    detail,
                );
            }
        }
    }
}

fn host_network_ports(errors: &mut Errors, spec: &Node<'_>, options: Options) {
    if !spec.get("hostNetwork").truth() {
        return;
    }
    for container in spec.get("containers").items() {
        for port in container.get("ports").items() {
            let (host, own) = (port.get("hostPort"), port.get("containerPort").int());
            if (options.is_pod || host.int() != 0) && host.int() != own {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                errors.invalid(&host, host.int(), detail);
            }
        }
    }
}

fn dns_config(errors: &mut Errors, spec: &Node<'_>) {
    let config = spec.get("dnsConfig");
    let servers = config.get("nameservers");
    if spec.get("dnsPolicy").is("None") {
        if !config.is_set() {
            let detail = "must provide `dnsConfig` when `dnsPolicy` is None";
            return errors.required(&config, detail);
        }
        if servers.is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return errors.required(&servers, detail);
        }
    }
    if servers.len() > 3 {
        errors.invalid(
            &servers,
            servers.raw().clone(),
            "must not have more than 3 nameservers",
        );
    }
    for server in servers.items() {
        errors.extend(names::ip::legacy_ip(
            server.path(),
            server.text(),
            false,
            &[],
        ));
    }
    let searches = config.get("searches");
    if searches.len() > 32 {
        errors.invalid(
            &searches,
            searches.raw().clone(),
            "must not have more than 32 search paths",
        );
    }
    if searches.texts().join(" ").len() > 2048 {
        let detail =
            "must not have more than 2048 characters (including spaces) in the search list";
        errors.invalid(&searches, searches.raw().clone(), detail);
    }
    for search in searches.items() {
        if !search.is(".") {
            let text = search.text().strip_suffix('.').unwrap_or(search.text());
            errors.messages(
                &search,
                text,
                names::dns1123_subdomain_with_underscore(text),
            );
        }
    }
    for option in config.get("options").items() {
        if option.get("name").is_empty() {
            errors.required(&option, "must not be empty");
        }
    }
}

fn scheduling_gates(errors: &mut Errors, gates: &Node<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for gate in gates.items() {
        let name = gate.get("name").text();
        errors.messages(&gate, name, names::qualified_name(name));
        if seen.contains(&name) {
            errors.duplicate(&gate, name);
        }
        seen.push(name);
    }
}

fn names_and_numbers(errors: &mut Errors, spec: &Node<'_>) {
    hostname_override(errors, spec);
    for field in ["serviceAccountName", "nodeName", "priorityClassName"] {
        let name = spec.get(field);
        if !name.is_empty() {
            errors.name(&name, names::name_is_dns_subdomain);
        }
    }
    let deadline = spec.get("activeDeadlineSeconds");
    if deadline.is_set() && !(1..=i64::from(i32::MAX)).contains(&deadline.int()) {
        let detail = names::range_message(1, i64::from(i32::MAX));
        errors.invalid(&deadline, deadline.int(), detail);
    }
    for field in ["hostname", "subdomain"] {
        let name = spec.get(field);
        if !name.is_empty() {
            errors.format(&name, names::dns1123_label);
        }
    }
    affinity::tolerations(errors, &spec.get("tolerations"));
    for alias in spec.get("hostAliases").items() {
        let ip = alias.get("ip");
        errors.extend(names::ip::legacy_ip(ip.path(), ip.text(), false, &[]));
        for name in alias.get("hostnames").items() {
            errors.format(&name, names::dns1123_subdomain);
        }
    }
    let runtime = spec.get("runtimeClassName");
    if runtime.is_set() {
        errors.name(&runtime, names::name_is_dns_subdomain);
    }
    let preemption = spec.get("preemptionPolicy");
    if preemption.is_set() {
        errors.choice(&preemption, &["PreemptLowerPriority", "Never"]);
    }
    let overhead = spec.get("overhead");
    if overhead.is_set() {
        let requirements = serde_json::json!({ "limits": overhead.raw() });
        let node = Node::at(&requirements, overhead.path().clone());
        validate_requirements(errors, &node, validate_container_name, &[]);
    }
}

fn hostname_override(errors: &mut Errors, spec: &Node<'_>) {
    let name = spec.get("hostnameOverride");
    if !name.is_set() {
        return;
    }
    if spec.get("setHostnameAsFQDN").truth() {
        errors.forbidden(&name, "may not be specified when setHostnameAsFQDN is true");
    }
    if spec.get("hostNetwork").truth() {
        errors.forbidden(&name, "may not be specified when hostNetwork is true");
    }
    if name.len() > 64 {
        errors.too_long(&name, 64);
    }
    errors.format(&name, names::dns1123_subdomain);
}

/// Drops fields of a pod's or template's spec that disabled feature gates hide.
pub(crate) fn drop_disabled(spec: &mut serde_json::Value, old: &serde_json::Value) {
    kind::drop_unless_used(spec, old, "workloadRef");
    for field in ["containers", "initContainers", "ephemeralContainers"] {
        for container in crate::strategy::edit::items(spec, field) {
            crate::strategy::edit::remove(container, "lifecycle.stopSignal");
        }
    }
    for volume in crate::strategy::edit::items(spec, "volumes") {
        for source in crate::strategy::edit::items(volume, "projected.sources") {
            crate::strategy::edit::remove(source, "clusterTrustBundle");
            crate::strategy::edit::remove(source, "podCertificate");
        }
    }
}
