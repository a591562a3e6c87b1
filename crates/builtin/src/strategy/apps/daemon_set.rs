//! DaemonSets.

use object::names;
use serde_json::Value;

use super::{collision_count, drop_disabled, immutable_selector, shown_selector, validate_endless};
use crate::strategy::core::pod::{Options, validate_template, warnings};
use crate::strategy::edit::{field, set};
use crate::strategy::kind::{Generation, Kind, status};
use crate::strategy::labels;
use crate::strategy::node::{Errors, Node};
use crate::strategy::{int_or_percent, internal, metadata};

const GENERATION: &str = "deprecated.daemonset.template.generation";

pub(crate) const KIND: Kind = Kind {
    status: Some(
        r#"{"currentNumberScheduled":0,"numberMisscheduled":0,"desiredNumberScheduled":0,"numberReady":0}"#,
    ),
    generation: Generation::On(&["spec"]),
    prepare_create: |_, object| {
        set_template_generation(object, template_generation(object).max(1));
        drop_disabled(object, &Value::Null);
    },
    prepare_update: |_, new, old| {
        drop_disabled(new, old);
        let before = template_generation(old);
        let same = crate::strategy::equality::equal(
            crate::strategy::node::peek(new, "spec.template"),
            crate::strategy::node::peek(old, "spec.template"),
        );
        set_template_generation(new, if same { before } else { before + 1 });
    },
    validate: |_, object, errors| {
        metadata::validate(errors, object, true, names::name_is_dns_subdomain);
        validate_spec(errors, &object.get("spec"), Options::template());
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        immutable_selector(errors, new, old);
        let options = Options::template().updating(old.get("spec.template").raw());
        validate_spec(errors, &new.get("spec"), options);
    },
    warn: |object, all| warnings::of_template(&object.get("spec.template"), all),
    warn_update: |new, old, all| {
        if template_generation(new.raw()) != template_generation(old.raw()) {
            warnings::of_template(&new.get("spec.template"), all);
        }
    },
    subresources: &[status(|_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        for field in [
            "currentNumberScheduled",
            "numberMisscheduled",
            "desiredNumberScheduled",
            "numberReady",
            "observedGeneration",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberUnavailable",
            "collisionCount",
        ] {
            errors.non_negative(&new.get("status").get(field));
        }
        collision_count(errors, new, old);
    })],
    ..Kind::new("apps", "daemonsets")
};

/// The generation of the template, which the versioned object keeps in an annotation.
fn template_generation(object: &Value) -> i64 {
    object::meta::annotation(object, GENERATION)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

fn set_template_generation(object: &mut Value, generation: i64) {
    if let Some(metadata) = field(object, "metadata")
        && let Some(annotations) = field(metadata, "annotations")
    {
        set(annotations, GENERATION, generation.to_string());
    }
}

/// Upstream's conversion from its internal form always writes the annotation, so that who sends an
/// object without it comes to own it, too. Source: `pkg/apis/apps/v1/conversion.go`.
pub(in crate::strategy) fn show_template_generation(object: &mut Value) {
    if object::meta::annotation(object, GENERATION).is_none() {
        set_template_generation(object, 0);
    }
}

/// The internal form keeps the template's generation in its spec.
pub(in crate::strategy) fn hide_template_generation(metadata: &mut Value) {
    let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    annotations.remove(GENERATION);
    if annotations.is_empty() {
        crate::strategy::edit::remove(metadata, "annotations");
    }
}

fn validate_spec(errors: &mut Errors, spec: &Node<'_>, options: Options) {
    let (selector, template) = (spec.get("selector"), spec.get("template"));
    labels::validate_selector_with(errors, &selector, options.any_selector_value);
    let own = template.get("metadata.labels");
    if labels::is_valid(selector.raw()) && !labels::matches(selector.raw(), own.raw()) {
        let detail = "`selector` does not match template `labels`";
        errors.invalid(&own, own.raw().clone(), detail);
    }
    if labels::is_empty(selector.raw()) {
        let shown = shown_selector(selector.raw());
        errors.invalid_shown(&selector, &shown, "empty selector is invalid for daemonset");
    }
    validate_template(errors, &template, options);
    validate_endless(errors, &template, "DaemonSet");
    errors.non_negative(&spec.get("minReadySeconds"));
    validate_strategy(errors, &spec.get("updateStrategy"));
    errors.non_negative(&spec.get("revisionHistoryLimit"));
}

fn validate_strategy(errors: &mut Errors, strategy: &Node<'_>) {
    let update = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "OnDelete" => {}
        "RollingUpdate" => {
            if !update.is_set() {
                return errors.required(&update, "");
            }
            let (unavailable, surge) = (update.get("maxUnavailable"), update.get("maxSurge"));
            int_or_percent::validate(errors, &unavailable);
            int_or_percent::validate(errors, &surge);
            int_or_percent::at_most_all(errors, &unavailable);
            int_or_percent::at_most_all(errors, &surge);
            let has = |node: &Node<'_>| int_or_percent::amount(node.raw()) != 0;
            match (has(&unavailable), has(&surge)) {
                (true, true) => {
                    let detail = "may not be set when maxUnavailable is non-zero";
                    errors.invalid(&surge, surge.raw().clone(), detail);
                }
                (false, false) => {
                    errors.required(&unavailable, "cannot be 0 when maxSurge is 0");
                }
                _ => {}
            }
        }
        _ => {
            let shown = internal::json("apps.DaemonSetUpdateStrategy", strategy.raw());
            errors.unsupported_shown(strategy, &shown, &["RollingUpdate", "OnDelete"]);
        }
    }
}
