//! ValidatingAdmissionPolicies: rules in CEL.
//!
//! A binding puts a policy in force; what its rules say of a write is refused, told as a warning, or
//! (audit) passed over. Policies are compiled once and kept until one of them changes.
//!
//! Source: apiserver `admission/plugin/policy/validating`.

mod compiled;
mod input;
mod parameters;

use std::sync::Arc;

use object::{GroupResource, Value, meta};
use parking_lot::RwLock;

use super::matching::{self, Matched};
use super::{Attributes, aggregate};
use crate::core::Core;
use crate::error::{ApiError, Cause};
use crate::store::Range;
use compiled::{Compiled, Verdict};
use input::Input;

const GROUP: &str = "admissionregistration.k8s.io";

/// The policies that are in force.
#[derive(Default)]
pub struct Policies {
    known: RwLock<Option<([i64; 2], Arc<Vec<Policy>>)>>,
}

/// A policy, its bindings and its rules.
struct Policy {
    name: String,
    spec: Value,
    bindings: Vec<Value>,
    rules: Compiled,
}

/// The conditions under which a webhook is asked.
pub(super) struct Conditions(Option<Compiled>);

impl Conditions {
    /// Compiles the `matchConditions` of a webhook.
    pub(super) fn of(webhook: &Value) -> Self {
        let is_bound = webhook["matchConditions"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        Self(is_bound.then(|| Compiled::of(webhook)))
    }

    /// Whether all hold; the error is what is wrong with those that cannot be told.
    pub(super) fn hold(
        &self,
        attributes: &Attributes<'_>,
        object: Option<&Value>,
        matched: &Matched,
    ) -> Result<bool, String> {
        match &self.0 {
            None => Ok(true),
            Some(compiled) => compiled.matches(&Input::of(attributes, object, matched)),
        }
    }
}

/// Why a write is refused.
struct Denial {
    message: String,
    reason: Option<String>,
}

impl Policies {
    fn current(&self, core: &Core) -> Arc<Vec<Policy>> {
        let policies = core
            .store
            .bucket(&GroupResource::new(GROUP, "validatingadmissionpolicies"));
        let bindings = core.store.bucket(&GroupResource::new(
            GROUP,
            "validatingadmissionpolicybindings",
        ));
        let revisions = [policies.last_change(), bindings.last_change()];
        if let Some((known, policies)) = &*self.known.read()
            && *known == revisions
        {
            return Arc::clone(policies);
        }
        let bindings: Vec<Value> = bindings
            .list(&Range::all())
            .objects
            .into_iter()
            .map(|stored| stored.value())
            .collect();
        let made = policies
            .list(&Range::all())
            .objects
            .into_iter()
            .filter_map(|stored| Policy::of(&stored.value(), &bindings))
            .collect();
        let made = Arc::new(made);
        *self.known.write() = Some((revisions, Arc::clone(&made)));
        made
    }
}

impl Policy {
    /// A policy that is bound; others do nothing.
    fn of(policy: &Value, bindings: &[Value]) -> Option<Self> {
        let name = meta::name(policy);
        let bindings: Vec<Value> = bindings
            .iter()
            .filter(|binding| binding["spec"]["policyName"] == name)
            .map(|binding| {
                let spec = &binding["spec"];
                serde_json::json!({"name": meta::name(binding), "spec": spec})
            })
            .collect();
        if bindings.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            rules: Compiled::of(&policy["spec"]),
            spec: policy["spec"].clone(),
            bindings,
        })
    }

    fn ignores_failures(&self) -> bool {
        self.spec["failurePolicy"] == "Ignore"
    }
}

/// Whether the write meets the constraints of a policy or binding.
fn meets(
    attributes: &Attributes<'_>,
    constraints: &Value,
    object: Option<&Value>,
) -> Result<Option<Matched>, String> {
    let in_namespace =
        matching::namespace_matches(attributes, &constraints["namespaceSelector"], object);
    let selected = matching::object_matches(attributes, &constraints["objectSelector"], object);
    if in_namespace == Ok(false) || selected == Ok(false) {
        return Ok(None);
    }
    let policy = &constraints["matchPolicy"];
    if matching::by_rules(attributes, &constraints["excludeResourceRules"], policy).is_some() {
        return Ok(None);
    }
    let rules = &constraints["resourceRules"];
    let matched = if rules.as_array().is_none_or(Vec::is_empty) {
        Some(Matched {
            resource: attributes.call.resource.gvr.clone(),
            kind: attributes.call.resource.gvk.clone(),
        })
    } else {
        matching::by_rules(attributes, rules, policy)
    };
    if matched.is_some() {
        in_namespace?;
        selected?;
    }
    Ok(matched)
}

/// Refuses what the policies refuse, and gives their warnings.
pub(super) fn validate(
    attributes: &Attributes<'_>,
    object: Option<&Value>,
) -> Result<(), ApiError> {
    let core = &attributes.call.core;
    let policies = core.admission.policies.current(core);
    if policies.is_empty() || matching::is_exempt(attributes) {
        return Ok(());
    }
    let mut denials = Vec::new();
    for policy in policies.iter() {
        apply(policy, attributes, object, &mut denials);
    }
    match denials.into_iter().next() {
        None => Ok(()),
        Some(denial) => Err(refusal(attributes, object, denial)),
    }
}

fn apply(
    policy: &Policy,
    attributes: &Attributes<'_>,
    object: Option<&Value>,
    denials: &mut Vec<Denial>,
) {
    let mut misconfigured = |binding: Option<&str>, why: &str| {
        if policy.ignores_failures() {
            return;
        }
        let (part, by) = match binding {
            None => ("policy", String::new()),
            Some(binding) => ("binding", format!(" with binding '{binding}'")),
        };
        denials.push(Denial {
            message: format!(
                "ValidatingAdmissionPolicy '{}'{by} denied request: failed to configure {part}: {why}",
                policy.name
            ),
            reason: None,
        });
    };
    let matched = match meets(attributes, &policy.spec["matchConstraints"], object) {
        Ok(Some(matched)) => matched,
        Ok(None) => return,
        Err(why) => return misconfigured(None, &why),
    };
    let mut input: Option<Input> = None;
    let mut found = Vec::new();
    for binding in &policy.bindings {
        let name = binding["name"].as_str().unwrap_or_default();
        match meets(attributes, &binding["spec"]["matchResources"], object) {
            Ok(Some(_)) => {}
            Ok(None) => continue,
            Err(why) => {
                misconfigured(Some(name), &why);
                continue;
            }
        }
        let parameters = match parameters::of(attributes, &policy.spec, &binding["spec"]) {
            Ok(parameters) => parameters,
            Err(why) => {
                misconfigured(Some(name), &why);
                continue;
            }
        };
        let input = input.get_or_insert_with(|| Input::of(attributes, object, &matched));
        for parameter in &parameters {
            for verdict in policy
                .rules
                .evaluate(input, parameter, policy.ignores_failures())
            {
                found.push((binding, verdict));
            }
        }
    }
    for (binding, verdict) in found {
        act(policy, binding, verdict, attributes, denials);
    }
}

/// Does with a violated rule what the binding says.
fn act(
    policy: &Policy,
    binding: &Value,
    verdict: Verdict,
    attributes: &Attributes<'_>,
    denials: &mut Vec<Denial>,
) {
    let name = binding["name"].as_str().unwrap_or_default();
    let by = format!(
        "ValidatingAdmissionPolicy '{}' with binding '{name}'",
        policy.name
    );
    let actions = binding["spec"]["validationActions"].as_array();
    for action in actions.into_iter().flatten().filter_map(Value::as_str) {
        match action {
            "Deny" => denials.push(Denial {
                message: format!("{by} denied request: {}", verdict.message),
                reason: verdict.reason.clone(),
            }),
            "Warn" => attributes
                .call
                .context
                .warn(format!("Validation failed for {by}: {}", verdict.message)),
            // There is no audit log to annotate.
            _ => {}
        }
    }
}

fn refusal(attributes: &Attributes<'_>, object: Option<&Value>, denial: Denial) -> ApiError {
    let plain = attributes.forbidden(object.unwrap_or(&Value::Null), &denial.message);
    let (code, reason) = match denial.reason.as_deref() {
        Some("Forbidden") => (403, "Forbidden"),
        Some("Unauthorized") => (401, "Unauthorized"),
        Some("RequestEntityTooLarge") => (413, "RequestEntityTooLarge"),
        _ => (422, "Invalid"),
    };
    let mut details = plain.details().cloned().unwrap_or_default();
    details.causes.push(Cause {
        message: denial.message,
        ..Cause::default()
    });
    ApiError::new(code, reason, plain.message()).with_details(details)
}

/// Joins the errors of several match conditions.
fn joined(errors: &[String]) -> String {
    aggregate(errors)
}
