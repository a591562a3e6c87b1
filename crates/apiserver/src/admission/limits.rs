//! LimitRanger: what containers, pods and claims may ask for at least and at most in a namespace, and
//! what they ask for when they say nothing.
//!
//! Source: Kubernetes `plugin/pkg/admission/limitranger`.

use std::collections::BTreeMap;

use object::quantity::Quantity;
use object::{GroupResource, Map, Value, meta};

use super::{Attributes, Operation};
use crate::error::ApiError;
use crate::store::Range;

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Amounts by the name of the resource.
type Amounts = BTreeMap<String, Quantity>;

/// The limits of the namespace, if the write is one that they concern.
fn limits(attributes: &Attributes<'_>) -> Vec<Value> {
    let call = attributes.call;
    let is_ending = attributes.old.is_some_and(meta::is_terminating);
    let concerned = matches!(
        (
            call.resource.gvr.resource.as_str(),
            call.subresource.as_str(),
            attributes.operation,
        ),
        ("pods", "", Operation::Create)
            | ("pods", "resize", Operation::Update)
            | (
                "persistentvolumeclaims",
                "",
                Operation::Create | Operation::Update
            )
    );
    if !concerned || is_ending || !call.resource.gvr.group.is_empty() {
        return Vec::new();
    }
    let bucket = call
        .core
        .store
        .bucket(&GroupResource::new("", "limitranges"));
    let listed = bucket.list(&Range::namespace(&call.namespace));
    listed
        .objects
        .into_iter()
        .map(|stored| stored.value())
        .collect()
}

fn items(range: &Value) -> impl Iterator<Item = &Value> {
    range
        .pointer("/spec/limits")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn containers<'a>(pod: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    pod.get("spec")
        .and_then(|spec| spec.get(list))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Gives containers that ask for nothing what the namespace gives them.
pub(super) fn mutate(attributes: &Attributes<'_>, object: &mut Value) {
    if attributes.call.resource.gvr.resource != "pods" {
        return;
    }
    for range in limits(attributes) {
        let defaults = |key: &str| -> Map<String, Value> {
            items(&range)
                .filter(|item| item["type"] == "Container")
                .filter_map(|item| item.get(key).and_then(Value::as_object))
                .flatten()
                .map(|(name, amount)| (name.clone(), amount.clone()))
                .collect()
        };
        let (requests, limits) = (defaults("defaultRequest"), defaults("default"));
        let mut told = Vec::new();
        for (list, title) in [
            ("containers", "container"),
            ("initContainers", "init container"),
        ] {
            let all = object
                .get_mut("spec")
                .and_then(|spec| spec.get_mut(list))
                .and_then(Value::as_array_mut);
            for container in all.into_iter().flatten() {
                let name = container["name"].as_str().unwrap_or_default().to_owned();
                for (key, wanted, word) in [
                    ("requests", &requests, "request"),
                    ("limits", &limits, "limit"),
                ] {
                    let set = fill(container, key, wanted);
                    if !set.is_empty() {
                        told.push(format!("{} {word} for {title} {name}", set.join(", ")));
                    }
                }
            }
        }
        if !told.is_empty() {
            if !object["metadata"]["annotations"].is_object() {
                object["metadata"]["annotations"] = Value::Object(Map::new());
            }
            object["metadata"]["annotations"][ANNOTATION] =
                Value::from(format!("LimitRanger plugin set: {}", told.join("; ")));
        }
    }
}

/// Fills in the amounts that are not given; gives their names.
fn fill(container: &mut Value, key: &str, wanted: &Map<String, Value>) -> Vec<String> {
    let mut set = Vec::new();
    for (name, amount) in wanted {
        if container["resources"][key]
            .get(name)
            .is_some_and(|own| !own.is_null())
        {
            continue;
        }
        for part in [None, Some(key)] {
            let place = match part {
                None => &mut container["resources"],
                Some(key) => &mut container["resources"][key],
            };
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
        }
        container["resources"][key][name] = amount.clone();
        set.push(name.clone());
    }
    set.sort();
    set
}

/// Refuses what asks for too little or too much.
pub(super) fn validate(attributes: &Attributes<'_>, object: &Value) -> Result<(), ApiError> {
    let call = attributes.call;
    for range in limits(attributes) {
        let mut errors = Vec::new();
        for item in items(&range) {
            let kind = item["type"].as_str().unwrap_or_default();
            match (call.resource.gvr.resource.as_str(), kind) {
                ("pods", "Container") => {
                    for container in
                        containers(object, "containers").chain(containers(object, "initContainers"))
                    {
                        let requests = amounts(&container["resources"]["requests"]);
                        let limits = amounts(&container["resources"]["limits"]);
                        check(item, kind, &requests, &limits, &mut errors);
                    }
                }
                ("pods", "Pod") => {
                    let requests = of_pod(object, "requests");
                    let limits = of_pod(object, "limits");
                    check(item, kind, &requests, &limits, &mut errors);
                }
                ("persistentvolumeclaims", "PersistentVolumeClaim") => {
                    let requests = amounts(&object["spec"]["resources"]["requests"]);
                    check_claim(item, kind, &requests, &mut errors);
                }
                _ => {}
            }
        }
        if !errors.is_empty() {
            return Err(attributes.forbidden(object, &super::aggregate(&errors)));
        }
    }
    Ok(())
}

/// Reads a list of amounts.
pub(super) fn amounts(list: &Value) -> Amounts {
    list.as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, amount)| Some((name.clone(), Quantity::from_json(amount).ok()?)))
        .collect()
}

/// Adds amounts to others.
pub(super) fn add(to: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match to.get_mut(name) {
            Some(known) => known.add(amount),
            None => {
                to.insert(name.clone(), amount.clone());
            }
        }
    }
}

fn raise(to: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        match to.get(name) {
            Some(known) if known.milli_value() >= amount.milli_value() => {}
            _ => {
                to.insert(name.clone(), amount.clone());
            }
        }
    }
}

/// What a pod asks for (`requests`) or is limited to (`limits`) as a whole: the sum of its containers,
/// or what an init container needs if that is more; what the pod itself says comes first.
pub(super) fn of_pod(pod: &Value, key: &str) -> Amounts {
    let of = |container: &Value| amounts(&container["resources"][key]);
    let mut sum = Amounts::new();
    for container in containers(pod, "containers") {
        add(&mut sum, &of(container));
    }
    let (mut sidecars, mut most) = (Amounts::new(), Amounts::new());
    for container in containers(pod, "initContainers") {
        let mut own = of(container);
        if container["restartPolicy"] == "Always" {
            add(&mut sum, &own);
            add(&mut sidecars, &own);
            own.clone_from(&sidecars);
        } else {
            add(&mut own, &sidecars);
        }
        raise(&mut most, &own);
    }
    raise(&mut sum, &most);
    for (name, amount) in amounts(&pod["spec"]["resources"][key]) {
        if matches!(name.as_str(), "cpu" | "memory") {
            sum.insert(name, amount);
        }
    }
    sum
}

/// Two amounts, in thousandths where those can be told.
fn compare(left: &Quantity, right: &Quantity) -> std::cmp::Ordering {
    const MOST: i64 = i64::MAX / 1000;
    if left.value() <= MOST && right.value() <= MOST {
        left.milli_value().cmp(&right.milli_value())
    } else {
        left.value().cmp(&right.value())
    }
}

fn check(item: &Value, kind: &str, requests: &Amounts, limits: &Amounts, errors: &mut Vec<String>) {
    for (name, least) in amounts(&item["min"]) {
        check_least(kind, &name, &least, requests, limits, errors);
    }
    for (name, most) in amounts(&item["max"]) {
        let prefix = format!("maximum {name} usage per {kind} is {most}");
        match (limits.get(&name), requests.get(&name)) {
            (None, _) => errors.push(format!("{prefix}.  No limit is specified")),
            (Some(limit), _) if compare(limit, &most).is_gt() => {
                errors.push(format!("{prefix}, but limit is {limit}"));
            }
            (_, Some(request)) if compare(request, &most).is_gt() => {
                errors.push(format!("{prefix}, but request is {request}"));
            }
            _ => {}
        }
    }
    for (name, ratio) in amounts(&item["maxLimitRequestRatio"]) {
        check_ratio(kind, &name, &ratio, requests, limits, errors);
    }
}

fn check_least(
    kind: &str,
    name: &str,
    least: &Quantity,
    requests: &Amounts,
    limits: &Amounts,
    errors: &mut Vec<String>,
) {
    let prefix = format!("minimum {name} usage per {kind} is {least}");
    match (requests.get(name), limits.get(name)) {
        (None, _) => errors.push(format!("{prefix}.  No request is specified")),
        (Some(request), _) if compare(request, least).is_lt() => {
            errors.push(format!("{prefix}, but request is {request}"));
        }
        (_, Some(limit)) if compare(limit, least).is_lt() => {
            errors.push(format!("{prefix}, but limit is {limit}"));
        }
        _ => {}
    }
}

fn check_ratio(
    kind: &str,
    name: &str,
    most: &Quantity,
    requests: &Amounts,
    limits: &Amounts,
    errors: &mut Vec<String>,
) {
    let prefix = format!("{name} max limit to request ratio per {kind} is {most}");
    let milli = |amounts: &Amounts| {
        amounts
            .get(name)
            .map(Quantity::milli_value)
            .filter(|value| *value != 0)
    };
    let Some(request) = milli(requests) else {
        errors.push(format!(
            "{prefix}, but no request is specified or request is 0"
        ));
        return;
    };
    let Some(limit) = milli(limits) else {
        errors.push(format!("{prefix}, but no limit is specified or limit is 0"));
        return;
    };
    let ratio = limit as f64 / request as f64;
    if ratio * 1000.0 > most.milli_value() as f64 {
        errors.push(format!("{prefix}, but provided ratio is {ratio:.6}"));
    }
}

fn check_claim(item: &Value, kind: &str, requests: &Amounts, errors: &mut Vec<String>) {
    for (name, least) in amounts(&item["min"]) {
        check_least(kind, &name, &least, requests, &Amounts::new(), errors);
    }
    for (name, most) in amounts(&item["max"]) {
        let prefix = format!("maximum {name} usage per {kind} is {most}");
        match requests.get(&name) {
            None => errors.push(format!("{prefix}.  No request is specified")),
            Some(request) if compare(request, &most).is_gt() => {
                errors.push(format!("{prefix}, but request is {request}"));
            }
            _ => {}
        }
    }
}
