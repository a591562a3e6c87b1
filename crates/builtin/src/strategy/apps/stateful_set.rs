//! StatefulSets.

use object::names;
use serde_json::{Value, json};

use super::{
    collision_count, drop_disabled, not_above, shown_selector, validate_endless,
    validate_labels_match, validate_selector, warn_of_new_template,
};
use crate::strategy::core::claim;
use crate::strategy::core::pod::{Options, annotations, validate_template, warnings};
use crate::strategy::edit::{keep, remove, set};
use crate::strategy::equality::equal;
use crate::strategy::kind::{Generation, Kind, status};
use crate::strategy::labels::{self, validate_labels};
use crate::strategy::node::{Errors, Node, peek, peek_items, peek_text};
use crate::strategy::{int_or_percent, internal, metadata};

const UNAVAILABLE: &str = "spec.updateStrategy.rollingUpdate.maxUnavailable";

pub(crate) const KIND: Kind = Kind {
    status: Some(r#"{"replicas":0,"availableReplicas":0}"#),
    generation: Generation::On(&["spec"]),
    prepare_create: |_, object| {
        remove(object, UNAVAILABLE);
        drop_disabled(object, &Value::Null);
    },
    prepare_update: |_, new, old| {
        if peek(old, UNAVAILABLE).is_null() {
            remove(new, UNAVAILABLE);
        }
        drop_disabled(new, old);
    },
    validate: |_, object, errors| {
        metadata::validate(errors, object, true, names::name_is_dns_label);
        validate_spec(
            errors,
            &object.get("spec"),
            Options::template(),
            Checks::ALL,
        );
    },
    validate_update: |_, new, old, errors| validate_update(errors, new, old),
    warn: |object, all| {
        warnings::of_template(&object.get("spec.template"), all);
        for claim in object.get("spec.volumeClaimTemplates").items() {
            claim::warn_of_spec(&claim.get("spec").placed(claim.path().clone()), all);
        }
        history_warning(object, all);
    },
    warn_update: |new, old, all| {
        warn_of_new_template(new, old, all);
        for claim in new.get("spec.volumeClaimTemplates").items() {
            claim::warn_of_spec(&claim.get("spec").placed(claim.path().child("Spec")), all);
        }
        history_warning(new, all);
    },
    subresources: &[status(|_, new, old, errors| {
        validate_status(errors, &new.get("status"));
        metadata::validate_update(errors, new, old);
        collision_count(errors, new, old);
    })],
    ..Kind::new("apps", "statefulsets")
};

fn history_warning(object: &Node<'_>, all: &mut Vec<String>) {
    if object.get("spec.revisionHistoryLimit").int() < 0 {
        all.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
                .to_owned(),
        );
    }
}

/// What is checked; an update leaves out what was accepted before.
#[derive(Clone, Copy)]
struct Checks {
    service_name: bool,
    claims: bool,
    template: bool,
}

impl Checks {
    const ALL: Self = Self {
        service_name: true,
        claims: true,
        template: true,
    };
}

fn validate_spec(errors: &mut Errors, spec: &Node<'_>, options: Options, checks: Checks) {
    let policy = spec.get("podManagementPolicy");
    match policy.text() {
        "" => errors.required(&policy, ""),
        "OrderedReady" | "Parallel" => {}
        other => errors.invalid(&policy, other, "must be 'OrderedReady' or 'Parallel'"),
    }
    validate_strategy(errors, &spec.get("updateStrategy"));
    let retention = spec.get("persistentVolumeClaimRetentionPolicy");
    if retention.is_set() {
        for field in ["whenDeleted", "whenScaled"] {
            errors.one_of(&retention.get(field), &["Retain", "Delete"]);
        }
    }
    if checks.claims {
        for claim in spec.get("volumeClaimTemplates").items() {
            claim::validate_spec(errors, &claim.get("spec"));
        }
    }
    errors.non_negative(&spec.get("replicas"));
    errors.non_negative(&spec.get("minReadySeconds"));
    errors.non_negative(&spec.get("ordinals.start"));
    let service = spec.get("serviceName");
    if checks.service_name && !service.is_empty() {
        errors.format(&service, names::dns1123_label);
    }
    let selector = spec.get("selector");
    validate_selector(errors, &selector, "statefulset");
    if labels::is_valid(selector.raw()) {
        let template = with_claims(spec.raw());
        let node = Node::at(&template, spec.path().child("template"));
        validate_set_template(errors, &node, &selector, options, checks.template);
    } else {
        errors.invalid_shown(&selector, &shown_selector(selector.raw()), "");
    }
    validate_endless(errors, &spec.get("template"), "StatefulSet");
}

fn validate_set_template(
    errors: &mut Errors,
    template: &Node<'_>,
    selector: &Node<'_>,
    options: Options,
    check_template: bool,
) {
    validate_labels_match(errors, selector, template);
    if check_template {
        validate_template(errors, template, options);
    }
    let labels = template
        .get("metadata.labels")
        .placed(template.path().child("labels"));
    let notes = template
        .get("metadata.annotations")
        .placed(template.path().child("annotations"));
    validate_labels(errors, &labels);
    metadata::validate_annotations(errors, &notes);
    annotations::validate(
        errors,
        &notes,
        &template.get("spec"),
        options.any_deletion_cost,
    );
}

/// The template with the volumes that its claims will give, and without the host names that the set decides.
fn with_claims(spec: &Value) -> Value {
    let mut template = peek(spec, "template").clone();
    remove(&mut template, "spec.subdomain");
    remove(&mut template, "spec.hostname");
    let claims = peek_items(spec, "volumeClaimTemplates");
    if claims.is_empty() {
        return template;
    }
    let names: Vec<&str> = claims
        .iter()
        .map(|claim| peek_text(claim, "metadata.name"))
        .collect();
    let mut volumes: Vec<Value> = names
        .iter()
        .map(|name| json!({ "name": name, "persistentVolumeClaim": { "claimName": name } }))
        .collect();
    let own = peek_items(&template, "spec.volumes").iter();
    volumes.extend(
        own.filter(|volume| !names.contains(&peek_text(volume, "name")))
            .cloned(),
    );
    if let Some(spec) = crate::strategy::edit::field(&mut template, "spec") {
        set(spec, "volumes", volumes);
    }
    template
}

fn validate_strategy(errors: &mut Errors, strategy: &Node<'_>) {
    let update = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "" => errors.required(strategy, ""),
        "OnDelete" => {
            if update.is_set() {
                let shown = internal::json("apps.RollingUpdateStatefulSetStrategy", update.raw());
                let detail = "only allowed for updateStrategy 'RollingUpdate'";
                errors.invalid_shown(&update, &shown, detail);
            }
        }
        "RollingUpdate" => {
            errors.non_negative(&update.get("partition"));
            let unavailable = update.get("maxUnavailable");
            if unavailable.is_set() {
                int_or_percent::validate(errors, &unavailable);
                if int_or_percent::amount(unavailable.raw()) == 0 {
                    errors.invalid(&unavailable, unavailable.raw().clone(), "cannot be 0");
                }
                int_or_percent::at_most_all(errors, &unavailable);
            }
        }
        _ => {
            let shown = internal::json("apps.StatefulSetUpdateStrategy", strategy.raw());
            errors.invalid_shown(strategy, &shown, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

fn validate_update(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    metadata::validate_update(errors, new, old);
    let options = Options::template().updating(old.get("spec.template").raw());
    let mut checks = Checks {
        service_name: false,
        claims: false,
        template: true,
    };
    let was_sound =
        Errors::of(|errors| validate_spec(errors, &old.get("spec"), options, checks)).is_empty();
    checks.template = was_sound;
    validate_spec(errors, &new.get("spec"), options, checks);
    let mut spec = new.get("spec").raw().clone();
    for field in [
        "replicas",
        "template",
        "updateStrategy",
        "minReadySeconds",
        "ordinals",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
    ] {
        keep(&mut spec, old.get("spec").raw(), field);
    }
    if !equal(&spec, old.get("spec").raw()) {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        errors.forbidden(&new.get("spec"), detail);
    }
}

fn validate_status(errors: &mut Errors, status: &Node<'_>) {
    for field in [
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "observedGeneration",
        "collisionCount",
    ] {
        errors.non_negative(&status.get(field));
    }
    let fields = [
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
    ];
    not_above(errors, status, &fields, "replicas", "status.replicas");
    not_above(
        errors,
        status,
        &["availableReplicas"],
        "readyReplicas",
        "status.readyReplicas",
    );
}
