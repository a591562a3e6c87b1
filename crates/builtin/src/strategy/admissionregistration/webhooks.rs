//! Configurations of webhooks.

use object::names;

use super::expressions::Scope;
use super::{GROUP, rules};
use crate::strategy::kind::{Generation, Kind};
use crate::strategy::node::{Errors, Node};
use crate::strategy::{labels, metadata, webhook_client};

const REVIEW_VERSIONS: &[&str] = &["v1", "v1beta1"];
const NO_EFFECTS: &[&str] = &["None", "NoneOnDryRun"];
const EFFECTS: &[&str] = &["None", "NoneOnDryRun", "Some", "Unknown"];

pub(crate) const VALIDATING: Kind = kind("validatingwebhookconfigurations");
pub(crate) const MUTATING: Kind = kind("mutatingwebhookconfigurations");

const fn kind(resource: &'static str) -> Kind {
    Kind {
        namespaced: false,
        unconditional_update: false,
        generation: Generation::On(&["webhooks"]),
        validate: |_, config, errors| validate(errors, config, &Options::default()),
        validate_update: |_, new, old, errors| validate(errors, new, &Options::updating(new, old)),
        ..Kind::new(GROUP, resource)
    }
}

/// What an update may leave as it was.
#[derive(Debug, Default)]
struct Options {
    same_conditions: bool,
    any_effects: bool,
    any_review_version: bool,
    same_names: bool,
    any_label_value: bool,
}

impl Options {
    fn updating(new: &Node<'_>, old: &Node<'_>) -> Self {
        let hooks: Vec<Node<'_>> = old.get("webhooks").items().collect();
        let conditions = |config: &Node<'_>| -> Vec<_> {
            config
                .get("webhooks")
                .items()
                .map(|hook| hook.get("matchConditions").raw().clone())
                .collect()
        };
        let mut names: Vec<&str> = hooks.iter().map(|hook| hook.get("name").text()).collect();
        names.sort_unstable();
        Self {
            same_conditions: conditions(new) == conditions(old),
            any_effects: hooks
                .iter()
                .any(|hook| !NO_EFFECTS.contains(&hook.get("sideEffects").text())),
            any_review_version: hooks.iter().any(|hook| {
                let versions = hook.get("admissionReviewVersions").texts();
                !versions.is_empty()
                    && !versions.iter().any(|known| REVIEW_VERSIONS.contains(known))
            }),
            same_names: names.windows(2).any(|pair| pair[0] == pair[1]),
            any_label_value: hooks.iter().any(|hook| {
                ["namespaceSelector", "objectSelector"]
                    .iter()
                    .any(|selector| !labels::is_valid(hook.get(selector).raw()))
            }),
        }
    }
}

fn validate(errors: &mut Errors, config: &Node<'_>, options: &Options) {
    let rule = names::name_is_dns_subdomain;
    metadata::object_meta(errors, &config.get("metadata"), false, rule);
    let mut seen: Vec<&str> = Vec::new();
    for hook in config.get("webhooks").items() {
        validate_webhook(errors, &hook, options);
        review_versions(errors, &hook.get("admissionReviewVersions"), options);
        let name = hook.get("name");
        if !options.same_names && !name.is_empty() {
            if seen.contains(&name.text()) {
                errors.duplicate(&name, name.text());
            }
            seen.push(name.text());
        }
    }
}

fn validate_webhook(errors: &mut Errors, hook: &Node<'_>, options: &Options) {
    let name = hook.get("name");
    errors.extend(names::fully_qualified_name(name.path(), name.text()));
    for rule in hook.get("rules").items() {
        rules::validate(errors, &rule);
    }
    errors.opt_one_of(&hook.get("failurePolicy"), rules::FAILURE_POLICIES);
    errors.opt_one_of(&hook.get("matchPolicy"), rules::MATCH_POLICIES);
    let effects = hook.get("sideEffects");
    let allowed = if options.any_effects {
        EFFECTS
    } else {
        NO_EFFECTS
    };
    if effects.is_set() {
        errors.one_of(&effects, allowed);
    } else {
        errors.required(
            &effects,
            &format!("must specify one of {}", allowed.join(", ")),
        );
    }
    let timeout = hook.get("timeoutSeconds");
    if timeout.is_set() && !(1..=30).contains(&timeout.int()) {
        let detail = "the timeout value must be between 1 and 30 seconds";
        errors.invalid(&timeout, timeout.int(), detail);
    }
    for selector in ["namespaceSelector", "objectSelector"] {
        labels::validate_selector_with(errors, &hook.get(selector), options.any_label_value);
    }
    errors.opt_one_of(&hook.get("reinvocationPolicy"), &["IfNeeded", "Never"]);
    let client = hook.get("clientConfig");
    let (url, service) = (client.get("url"), client.get("service"));
    if url.is_set() == service.is_set() {
        errors.required(&client, "exactly one of url or service is required");
    } else if url.is_set() {
        webhook_client::url(errors, &url);
    } else {
        // Upstream takes the name for the namespace.
        let (name, namespace) = (service.get("name"), service.get("namespace"));
        let name = name.placed(service.path().child("namespace"));
        let namespace = namespace.placed(service.path().child("name"));
        webhook_client::service(errors, &service, &namespace, &name);
    }
    if !options.same_conditions {
        rules::validate_conditions(errors, &hook.get("matchConditions"), &Scope::new(false));
    }
}

fn review_versions(errors: &mut Errors, versions: &Node<'_>, options: &Options) {
    let texts = versions.texts();
    if texts.is_empty() {
        let detail = format!("must specify one of {}", REVIEW_VERSIONS.join(", "));
        return errors.required(versions, &detail);
    }
    for (index, version) in versions.items().enumerate() {
        if texts[..index].contains(&version.text()) {
            errors.invalid(&version, version.text(), "duplicate version");
        } else {
            errors.format(&version, names::dns1035_label);
        }
    }
    if !options.any_review_version && !texts.iter().any(|text| REVIEW_VERSIONS.contains(text)) {
        let detail = format!(
            "must include at least one of {}",
            REVIEW_VERSIONS.join(", ")
        );
        errors.invalid(versions, versions.raw().clone(), detail);
    }
}
