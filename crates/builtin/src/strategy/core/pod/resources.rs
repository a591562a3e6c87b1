//! What a pod's containers need together, and the quality of service that follows.
//!
//! Source: `pkg/apis/core/helper/qos`, `component-helpers/resource`.

use std::collections::BTreeMap;

use object::quantity::Quantity;
use serde_json::Value;

use crate::strategy::core::quantities::quantity;
use crate::strategy::node::{peek, peek_items, peek_text};

/// The sum that containers need of a resource (`kind` is `requests` or `limits`): those that run side by
/// side together, or the most demanding init container; `None` if none needs it.
pub(crate) fn aggregate(spec: &Value, kind: &str, name: &str) -> Option<Quantity> {
    let need = |container: &Value| {
        let value = peek(peek(container, "resources"), kind).get(name)?;
        Some(quantity(value))
    };
    let mut total: Option<Quantity> = None;
    for container in peek_items(spec, "containers") {
        add(&mut total, need(container));
    }
    let mut sidecars: Option<Quantity> = None;
    let mut peak: Option<Quantity> = None;
    for container in peek_items(spec, "initContainers") {
        let mut now = need(container);
        if peek_text(container, "restartPolicy") == "Always" {
            add(&mut total, now.clone());
            add(&mut sidecars, now);
            now = sidecars.clone();
        } else {
            add(&mut now, sidecars.clone());
        }
        if now > peak {
            peak = now;
        }
    }
    total.max(peak)
}

fn add(total: &mut Option<Quantity>, more: Option<Quantity>) {
    match (total.as_mut(), more) {
        (Some(total), Some(more)) => total.add(&more),
        (None, more) => *total = more,
        (Some(_), None) => {}
    }
}

type Amounts = BTreeMap<&'static str, Quantity>;

const COMPUTE: [&str; 2] = ["cpu", "memory"];

fn positive(list: &Value, into: &mut Amounts) -> usize {
    let mut count = 0;
    for name in COMPUTE {
        let Some(amount) = list
            .get(name)
            .map(quantity)
            .filter(|amount| amount.sign() > 0)
        else {
            continue;
        };
        count += 1;
        into.entry(name)
            .and_modify(|sum| sum.add(&amount))
            .or_insert(amount);
    }
    count
}

/// The quality of service class of a pod with this spec.
pub(crate) fn quality_of_service(spec: &Value) -> &'static str {
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    let mut is_guaranteed = true;
    let pod = peek(spec, "resources");
    if pod.is_null() {
        for container in peek_items(spec, "containers")
            .iter()
            .chain(peek_items(spec, "initContainers"))
        {
            positive(peek(container, "resources.requests"), &mut requests);
            let limited = positive(peek(container, "resources.limits"), &mut limits);
            is_guaranteed &= limited == COMPUTE.len();
        }
    } else {
        positive(peek(pod, "requests"), &mut requests);
        let limited = positive(peek(pod, "limits"), &mut limits);
        let has_limits = peek(pod, "limits")
            .as_object()
            .is_some_and(|map| !map.is_empty());
        is_guaranteed &= !has_limits || limited == COMPUTE.len();
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if is_guaranteed
        && requests.len() == limits.len()
        && requests
            .iter()
            .all(|(name, amount)| limits.get(name) == Some(amount))
    {
        "Guaranteed"
    } else {
        "Burstable"
    }
}
