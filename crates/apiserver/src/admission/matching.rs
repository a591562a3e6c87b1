//! Which writes a policy or webhook is about.
//!
//! Sources: apiserver `admission/plugin/policy/matching`, `admission/plugin/webhook/predicates`.

use object::{GroupResource, GroupVersionKind, GroupVersionResource, Map, Value, meta, selector};

use super::{Attributes, Operation};
use crate::core::Core;
use crate::registry::convert;

/// The resource and kind under which a write matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matched {
    pub(super) resource: GroupVersionResource,
    pub(super) kind: GroupVersionKind,
}

impl Operation {
    /// As rules name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

pub(super) fn is_namespace(attributes: &Attributes<'_>) -> bool {
    let gvr = &attributes.call.resource.gvr;
    gvr.group.is_empty() && gvr.resource == "namespaces"
}

/// The namespace a write is in, as the store has it.
pub(super) fn namespace_of(core: &Core, name: &str) -> Option<Value> {
    let namespaces = GroupResource::new("", "namespaces");
    let stored = core.store.bucket(&namespaces).get(name)?;
    Some(stored.value())
}

fn labels(object: &Value) -> Map<String, Value> {
    object
        .pointer("/metadata/labels")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

/// Whether a namespace selector lets the write through; an error is a selector that cannot be read.
pub(super) fn namespace_matches(
    attributes: &Attributes<'_>,
    selector: &Value,
    object: Option<&Value>,
) -> Result<bool, String> {
    if selector.is_null() {
        return Ok(true);
    }
    let selector = selector::from_object(selector).map_err(|error| error.to_string())?;
    if selector.is_everything() {
        return Ok(true);
    }
    let call = attributes.call;
    if is_namespace(attributes) {
        // A namespace is matched by its own labels.
        let own = object.or(attributes.old);
        return Ok(own.is_none_or(|namespace| selector.matches(&labels(namespace))));
    }
    if call.namespace.is_empty() {
        return Ok(true);
    }
    Ok(namespace_of(&call.core, &call.namespace)
        .is_some_and(|namespace| selector.matches(&labels(&namespace))))
}

/// Whether an object selector matches the object as it was or as it shall be.
pub(super) fn object_matches(
    attributes: &Attributes<'_>,
    selector: &Value,
    object: Option<&Value>,
) -> Result<bool, String> {
    if selector.is_null() {
        return Ok(true);
    }
    let selector = selector::from_object(selector).map_err(|error| error.to_string())?;
    if selector.is_everything() {
        return Ok(true);
    }
    let matches =
        |object: Option<&Value>| object.is_some_and(|object| selector.matches(&labels(object)));
    Ok(matches(object) || matches(attributes.old))
}

/// The first rule that the write matches, in the version it is made in or (unless the match has to be
/// exact) in another one.
pub(super) fn by_rules(
    attributes: &Attributes<'_>,
    rules: &Value,
    match_policy: &Value,
) -> Option<Matched> {
    let rules = rules.as_array()?;
    let served = &attributes.call.resource;
    let own = Matched {
        resource: served.gvr.clone(),
        kind: served.gvk.clone(),
    };
    if rules
        .iter()
        .any(|rule| is_match(attributes, rule, &own.resource))
    {
        return Some(own);
    }
    if match_policy == "Exact" {
        return None;
    }
    let registry = attributes.call.core.registry();
    let others: Vec<Matched> = registry
        .resources()
        .filter(|other| other.storage == served.storage && other.gvr != served.gvr)
        .map(|other| Matched {
            resource: other.gvr.clone(),
            kind: other.gvk.clone(),
        })
        .collect();
    rules.iter().find_map(|rule| {
        others
            .iter()
            .find(|other| is_match(attributes, rule, &other.resource))
            .cloned()
    })
}

fn texts<'a>(rule: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    rule[key]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn is_match(attributes: &Attributes<'_>, rule: &Value, resource: &GroupVersionResource) -> bool {
    let call = attributes.call;
    let has = |key: &str, value: &str| texts(rule, key).any(|item| item == "*" || item == value);
    let in_namespace = !is_namespace(attributes) && !call.namespace.is_empty();
    let fits_scope = match rule["scope"].as_str().unwrap_or("*") {
        "Namespaced" => in_namespace,
        "Cluster" => !in_namespace,
        _ => true,
    };
    let fits_resource = texts(rule, "resources").any(|item| {
        let (parent, sub) = item.split_once('/').unwrap_or((item, ""));
        (parent == "*" || parent == resource.resource) && (sub == "*" || sub == call.subresource)
    });
    let fits_name = texts(rule, "resourceNames").next().is_none()
        || texts(rule, "resourceNames").any(|name| name == call.name);
    fits_scope
        && fits_resource
        && fits_name
        && has("operations", attributes.operation.name())
        && has("apiGroups", &resource.group)
        && has("apiVersions", &resource.version)
}

/// Kinds that no policy or webhook is asked about: those that decide on policies, and questions.
pub(super) fn is_exempt(attributes: &Attributes<'_>) -> bool {
    let gvr = &attributes.call.resource.gvr;
    match gvr.group.as_str() {
        "admissionregistration.k8s.io" => matches!(
            gvr.resource.as_str(),
            "validatingadmissionpolicies"
                | "validatingadmissionpolicybindings"
                | "mutatingadmissionpolicies"
                | "mutatingadmissionpolicybindings"
                | "validatingwebhookconfigurations"
                | "mutatingwebhookconfigurations"
        ),
        "authentication.k8s.io" | "authorization.k8s.io" => true,
        _ => false,
    }
}

/// The object in the version that matched.
pub(super) fn in_version(object: &Value, kind: &GroupVersionKind) -> Value {
    if meta::gvk(object) == *kind {
        return object.clone();
    }
    convert::convert(object.clone(), kind)
}
