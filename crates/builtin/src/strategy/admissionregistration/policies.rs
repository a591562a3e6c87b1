//! ValidatingAdmissionPolicies and their bindings.

use object::names;

use super::expressions::{Result, Scope};
use super::{GROUP, rules};
use crate::strategy::kind::{Generation, Kind, Subresource, keep_spec_and_metadata, status};
use crate::strategy::node::{Errors, Node};
use crate::strategy::{ResetFields, conditions, labels, metadata};

const CEL_RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

pub(crate) const POLICY: Kind = Kind {
    namespaced: false,
    unconditional_update: false,
    status: Some("{}"),
    generation: Generation::On(&["spec"]),
    validate: |_, policy, errors| validate_policy(errors, policy, None),
    validate_update: |_, new, old, errors| validate_policy(errors, new, Some(old)),
    subresources: &[Subresource {
        prepare: keep_spec_and_metadata,
        reset: ResetFields::Except(&[&["spec"], &["metadata"]]),
        ..status(|_, new, _, errors| {
            for warning in new.get("status.typeChecking.expressionWarnings").items() {
                errors.present(&warning.get("warning"));
                if warning.get("fieldRef").text().trim().is_empty() {
                    errors.required(&warning.get("fieldRef"), "");
                }
            }
            conditions::validate(errors, &new.get("status.conditions"));
        })
    }],
    ..Kind::new(GROUP, "validatingadmissionpolicies")
};

pub(crate) const BINDING: Kind = Kind {
    namespaced: false,
    unconditional_update: false,
    generation: Generation::On(&["spec"]),
    validate: |_, binding, errors| validate_binding(errors, binding),
    validate_update: |_, new, _, errors| validate_binding(errors, new),
    ..Kind::new(GROUP, "validatingadmissionpolicybindings")
};

fn object_meta(errors: &mut Errors, object: &Node<'_>) {
    let rule = names::name_is_dns_subdomain;
    metadata::object_meta(errors, &object.get("metadata"), false, rule);
}

fn validate_policy(errors: &mut Errors, policy: &Node<'_>, old: Option<&Node<'_>>) {
    object_meta(errors, policy);
    let spec = policy.get("spec");
    let failure = spec.get("failurePolicy");
    if failure.is_set() {
        errors.one_of(&failure, rules::FAILURE_POLICIES);
    } else {
        errors.required(&failure, "");
    }
    let params = spec.get("paramKind");
    let scope = Scope::new(params.is_set());
    if params.is_set() {
        validate_param_kind(errors, &params);
    }
    let constraints = spec.get("matchConstraints");
    if constraints.is_set() {
        validate_match(errors, &constraints);
        if constraints.get("resourceRules").is_empty() {
            errors.required(&constraints.get("resourceRules"), "");
        }
    } else {
        errors.required(&constraints, "");
    }
    let is_same = |field: &str| {
        old.is_some_and(|old| old.get("spec").get(field).raw() == spec.get(field).raw())
    };
    if !is_same("paramKind") || !is_same("matchConditions") {
        rules::validate_conditions(errors, &spec.get("matchConditions"), &scope);
    }
    let mut scope = scope;
    for variable in spec.get("variables").items() {
        validate_variable(errors, &variable, &mut scope);
    }
    let (validations, annotations) = (spec.get("validations"), spec.get("auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        let detail = "validations or auditAnnotations must contain at least one item";
        errors.required(&validations, detail);
        return errors.required(&annotations, detail);
    }
    for validation in validations.items() {
        validate_validation(errors, &validation, &scope);
    }
    audit_annotations(
        errors,
        &annotations,
        policy.get("metadata.name").text(),
        &scope,
    );
}

fn validate_param_kind(errors: &mut Errors, params: &Node<'_>) {
    let (version, kind) = (params.get("apiVersion"), params.get("kind"));
    match version.text().split('/').collect::<Vec<_>>()[..] {
        [""] => errors.required(&version, ""),
        [number] => version_number(errors, &version, number),
        ["", ""] => errors.invalid(&version, version.text(), "version must be specified"),
        [group, number] => {
            let problems = names::dns1123_subdomain(group);
            if !group.is_empty() && !problems.is_empty() {
                errors.invalid(&version, group, problems.join(","));
            }
            version_number(errors, &version, number);
        }
        _ => {
            let detail = format!("unexpected GroupVersion string: {}", version.text());
            errors.invalid(&version, version.text(), detail);
        }
    }
    let problems = names::dns1035_label(&kind.text().to_lowercase());
    if kind.is_empty() {
        errors.required(&kind, "");
    } else if !problems.is_empty() {
        let detail = format!(
            "may have mixed case, but should otherwise match: {}",
            problems.join(",")
        );
        errors.invalid(&kind, kind.text(), detail);
    }
}

fn version_number(errors: &mut Errors, version: &Node<'_>, number: &str) {
    let problems = names::dns1035_label(number);
    if number.is_empty() {
        errors.invalid(version, version.text(), "version must be specified");
    } else if !problems.is_empty() {
        errors.invalid(version, number, problems.join(","));
    }
}

fn validate_match(errors: &mut Errors, resources: &Node<'_>) {
    let policy = resources.get("matchPolicy");
    if policy.is_set() {
        errors.one_of(&policy, rules::MATCH_POLICIES);
    } else {
        errors.required(&policy, "");
    }
    for selector in ["namespaceSelector", "objectSelector"] {
        let selector = resources.get(selector);
        if selector.is_set() {
            labels::validate_selector(errors, &selector);
        } else {
            errors.required(&selector, "");
        }
    }
    for list in ["resourceRules", "excludeResourceRules"] {
        for rule in resources.get(list).items() {
            let mut seen: Vec<&str> = Vec::new();
            for name in rule.get("resourceNames").items() {
                errors.format(&name, names::path_segment_name);
                if seen.contains(&name.text()) {
                    errors.duplicate(&name, name.text());
                }
                seen.push(name.text());
            }
            rules::validate(errors, &rule);
        }
    }
}

fn validate_variable(errors: &mut Errors, variable: &Node<'_>, scope: &mut Scope) {
    let (name, expression) = (variable.get("name"), variable.get("expression"));
    if name.text().trim().is_empty() {
        errors.required(&name, "name is not specified");
    } else if !is_cel_identifier(name.text()) {
        errors.invalid(&name, name.text(), "must be a valid CEL identifier");
    }
    if expression.text().trim().is_empty() {
        errors.required(&expression, "expression is not specified");
    } else {
        scope.compile(errors, &expression, expression.text(), Result::Any);
    }
    scope.declare(name.text());
}

fn is_cel_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
        && !CEL_RESERVED.contains(&name)
}

fn validate_validation(errors: &mut Errors, validation: &Node<'_>, scope: &Scope) {
    let expression = validation.get("expression");
    if expression.text().trim().is_empty() {
        errors.required(&expression, "expression is not specified");
    } else {
        scope.compile(errors, &expression, expression.text(), Result::Bool);
    }
    let message = validation.get("messageExpression");
    if !message.text().trim().is_empty() {
        scope.compile(errors, &message, message.text(), Result::Text);
    }
    for field in ["messageExpression", "message"] {
        let node = validation.get(field);
        if !node.is_empty() && node.text().trim().is_empty() {
            errors.invalid(&node, node.text(), "must be non-empty if specified");
        }
    }
    let message = validation.get("message");
    if message.text().trim().contains(['\n', '\r']) {
        errors.invalid(&message, message.text(), "must not contain line breaks");
    }
    errors.opt_one_of(
        &validation.get("reason"),
        &["Forbidden", "Invalid", "RequestEntityTooLarge"],
    );
}

fn audit_annotations(errors: &mut Errors, annotations: &Node<'_>, policy: &str, scope: &Scope) {
    const COUNT: usize = 20;
    const LENGTH: usize = 5 * 1024;
    if annotations.len() > COUNT {
        let detail = format!("must not have more than {COUNT} auditAnnotations");
        errors.invalid(annotations, annotations.raw().clone(), detail);
    }
    let mut seen: Vec<&str> = Vec::new();
    for annotation in annotations.items() {
        let (key, value) = (annotation.get("key"), annotation.get("valueExpression"));
        if policy.is_empty() {
            errors.invalid(&key, key.text(), "requires metadata.name be non-empty");
        } else {
            let full = format!("{policy}/{}", key.text());
            errors.messages(&key, full.as_str(), names::qualified_name(&full));
        }
        let expression = value.text().trim();
        if expression.is_empty() {
            errors.required(&value, "valueExpression is not specified");
        } else if expression.len() > LENGTH {
            errors.required(&value, &format!("must not exceed {LENGTH} bytes in length"));
        } else {
            scope.compile(errors, &value, expression, Result::TextOrNull);
        }
        if seen.contains(&key.text()) {
            errors.duplicate(&key, key.text());
        }
        seen.push(key.text());
    }
}

fn validate_binding(errors: &mut Errors, binding: &Node<'_>) {
    object_meta(errors, binding);
    let spec = binding.get("spec");
    let policy = spec.get("policyName");
    if policy.is_empty() {
        errors.required(&policy, "");
    } else {
        errors.name(&policy, names::name_is_dns_subdomain);
    }
    validate_param_ref(errors, &spec.get("paramRef"));
    if spec.get("matchResources").is_set() {
        validate_match(errors, &spec.get("matchResources"));
    }
    let actions = spec.get("validationActions");
    let texts = actions.texts();
    for (index, action) in actions.items().enumerate() {
        errors.one_of(&action, &["Audit", "Deny", "Warn"]);
        if texts[..index].contains(&action.text()) {
            errors.duplicate(&action, action.text());
        }
    }
    if texts.contains(&"Deny") && texts.contains(&"Warn") {
        let detail = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
        errors.invalid(&actions, actions.raw().clone(), detail);
    }
    if texts.is_empty() {
        errors.required(&actions, "at least one validation action is required");
    }
}

fn validate_param_ref(errors: &mut Errors, params: &Node<'_>) {
    const EXCLUSIVE: &str = "name and selector are mutually exclusive";
    if !params.is_set() {
        return;
    }
    let (name, selector) = (params.get("name"), params.get("selector"));
    let action = params.get("parameterNotFoundAction");
    if !name.is_empty() {
        errors.format(&name, names::path_segment_name);
        if selector.is_set() {
            errors.forbidden(&name, EXCLUSIVE);
        }
    }
    if selector.is_set() {
        labels::validate_selector(errors, &selector);
        if !name.is_empty() {
            errors.forbidden(&selector, EXCLUSIVE);
        }
    } else if name.is_empty() {
        errors.required(params, "one of name or selector must be specified");
    }
    errors.choice(&action, &["Deny", "Allow"]);
}
