//! Cluster IPs and IP families of a service.

use object::names;

use super::is_headless;
use crate::strategy::node::{Errors, Node};

const CHANGED: &str = "may not change once set";

pub(super) fn is_ipv6(text: &str) -> bool {
    names::ip::parse_sloppy(text).is_some_and(|ip| ip.is_ipv6())
}

/// Cluster IPs, families and policy together.
pub(crate) fn validate(errors: &mut Errors, service: &Node<'_>, old: Option<&Node<'_>>) {
    let spec = service.get("spec");
    if spec.get("type").is("ExternalName") {
        return;
    }
    let (single, ips) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    let all = ips.texts();
    if single.is_empty() {
        if !all.is_empty() {
            let detail = "must be empty when `clusterIP` is not specified";
            errors.invalid(&ips, ips.raw().clone(), detail);
        }
    } else if all.is_empty() {
        errors.required(&ips, "");
    } else if all[0] != single.text() {
        errors.invalid(
            &ips,
            ips.raw().clone(),
            "first value must match `clusterIP`",
        );
    }
    families(errors, &spec);
    errors.opt_one_of(
        &spec.get("ipFamilyPolicy"),
        &["PreferDualStack", "RequireDualStack", "SingleStack"],
    );
    if !cluster_ips(errors, &ips, old) {
        return;
    }
    if all.len() > 1 && all.iter().all(|ip| is_ipv6(ip) == is_ipv6(all[0])) {
        let detail = "may specify no more than one IP for each IP family";
        errors.invalid(&ips, ips.raw().clone(), detail);
    }
    if is_headless(service) {
        return;
    }
    for ((index, ip), family) in ips.items().enumerate().zip(spec.get("ipFamilies").texts()) {
        let expected = match (family, is_ipv6(ip.text())) {
            ("IPv4", true) => "IPv4",
            ("IPv6", false) => "IPv6",
            _ => continue,
        };
        let detail = format!("expected an {expected} value as indicated by `ipFamilies[{index}]`");
        errors.invalid(&ip, ip.text(), detail);
    }
}

fn families(errors: &mut Errors, spec: &Node<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for family in spec.get("ipFamilies").items() {
        errors.one_of(&family, &["IPv4", "IPv6"]);
        if seen.contains(&family.text()) {
            errors.duplicate(&family, family.text());
        }
        seen.push(family.text());
    }
}

/// The IPs by themselves; whether they are sound.
fn cluster_ips(errors: &mut Errors, ips: &Node<'_>, old: Option<&Node<'_>>) -> bool {
    let known = old
        .map(|old| old.get("spec.clusterIPs").texts())
        .unwrap_or_default();
    let mut is_sound = true;
    for (index, ip) in ips.items().enumerate() {
        if index == 0 && ip.is("None") {
            if ips.len() > 1 {
                is_sound = false;
                let detail = "'None' must be the first and only value";
                errors.invalid(ips, ips.raw().clone(), detail);
            }
            continue;
        }
        let problems = names::ip::legacy_ip(ip.path(), ip.text(), false, &known);
        is_sound &= problems.is_empty();
        errors.extend(problems);
    }
    if ips.len() > 2 {
        errors.invalid(ips, ips.raw().clone(), "may only hold up to 2 values");
    }
    is_sound
}

/// What an update may do to IPs and families.
pub(crate) fn validate_change(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    let is_external = |service: &Node<'_>| service.get("spec.type").is("ExternalName");
    if is_external(new) || is_external(old) {
        return;
    }
    let (headless, was_headless) = (is_headless(new), is_headless(old));
    if !(headless && was_headless) {
        change(errors, new, old, "clusterIPs", "clusterIP");
    }
    if !headless && !was_headless {
        change(errors, new, old, "ipFamilies", "ipFamily");
    }
}

fn change(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>, field: &str, one: &str) {
    let list = new.get("spec").get(field);
    let (now, before) = (list.texts(), old.get("spec").get(field).texts());
    let first = list.path().index(0);
    // Upstream shows the IPs also when families change in number, kept.
    let shown = if field == "ipFamilies" {
        new.get("spec.clusterIPs")
    } else {
        list.clone()
    };
    if now.len() == before.len() {
        for (index, (now, before)) in now.iter().zip(&before).enumerate() {
            if now != before {
                let index = if field == "ipFamilies" { 0 } else { index };
                errors.invalid(&list.path().index(index), list.raw().clone(), CHANGED);
            }
        }
        return;
    }
    if now.len() > before.len() {
        if !before.is_empty() && now[0] != before[0] {
            errors.invalid(&first, shown.raw().clone(), CHANGED);
        }
        return;
    }
    if new.get("spec.clusterIPs").is_empty() {
        errors.invalid(
            &first,
            list.raw().clone(),
            format!("primary {one} can not be unset"),
        );
    }
    if !now.is_empty() && now[0] != before[0] {
        errors.invalid(&first, shown.raw().clone(), CHANGED);
    }
    let policy = new.get("spec.ipFamilyPolicy");
    if now.len() == 1 && !policy.is("SingleStack") {
        let detail = format!("must be set to 'SingleStack' when releasing the secondary {one}");
        errors.invalid(&policy, policy.raw().clone(), detail);
    }
}
