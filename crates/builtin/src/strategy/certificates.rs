//! The kinds of the group `certificates.k8s.io`.
//!
//! Requests and certificates are looked at as PEM only, not as ASN.1. Source: `pkg/apis/certificates` and
//! `pkg/registry/certificates`.

use base64::Engine as _;
use object::names;
use serde_json::{Value, json};

use super::core::pem_types;
use super::edit::{field, items, keep, set, unset_default};
use super::equality::equal;
use super::kind::{Kind, Subresource, keep_spec};
use super::node::{Errors, Node, peek, peek_items, peek_text};
use super::{Context, ResetFields, metadata};

const LEGACY_SIGNER: &str = "kubernetes.io/legacy-unknown";
const DECISIONS: [&str; 2] = ["Approved", "Denied"];
const USAGES: &[&str] = &[
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

/// The strategies of the group.
pub(crate) const KINDS: &[Kind] = &[Kind {
    namespaced: false,
    status: Some("{}"),
    prepare_create: name_requester,
    prepare_update: keep_spec,
    reset: &[&["spec"], &["status"]],
    validate: |_, request, errors| validate(errors, request, None),
    validate_update: |_, new, old, errors| update(errors, new, old, Allowed::default()),
    subresources: &[
        Subresource {
            name: "status",
            prepare: prepare_status,
            validate: |_, new, old, errors| {
                let allowed = Allowed {
                    certificate: true,
                    ..Allowed::default()
                };
                update(errors, new, old, allowed);
            },
            warn: |_, _, _| {},
            reset: ResetFields::Except(&[&["spec"], &["status", "conditions"]]),
        },
        Subresource {
            name: "approval",
            prepare: prepare_approval,
            validate: |_, new, old, errors| {
                let allowed = Allowed {
                    decision: true,
                    ..Allowed::default()
                };
                update(errors, new, old, allowed);
            },
            warn: |_, _, _| {},
            reset: ResetFields::Except(&[&["spec"], &["status", "certificate"]]),
        },
    ],
    ..Kind::new("certificates.k8s.io", "certificatesigningrequests")
}];

/// Fills in the defaults of a kind of the group; there are none.
pub(crate) fn default(_: &str, _: &mut Value) {}

fn name_requester(cx: &Context<'_>, request: &mut Value) {
    let Some(spec) = field(request, "spec") else {
        return;
    };
    let extra: serde_json::Map<String, Value> = cx
        .user
        .extra
        .iter()
        .map(|(key, values)| (key.clone(), json!(values)))
        .collect();
    for (name, value) in [
        ("username", json!(cx.user.name)),
        ("uid", json!(cx.user.uid)),
        ("groups", json!(cx.user.groups)),
        ("extra", Value::Object(extra)),
    ] {
        set(spec, name, value);
    }
}

fn prepare_status(cx: &Context<'_>, new: &mut Value, old: &Value) {
    keep_spec(cx, new, old);
    for kind in DECISIONS {
        let before: Vec<Value> = of_kind(old, kind).cloned().collect();
        if before.len() != of_kind(new, kind).count() {
            continue;
        }
        let now = items(new, "status.conditions").filter(|item| peek_text(item, "type") == kind);
        for (now, before) in now.zip(before) {
            *now = before;
        }
    }
    stamp(cx, new, old);
}

fn prepare_approval(cx: &Context<'_>, new: &mut Value, old: &Value) {
    stamp(cx, new, old);
    let conditions = peek(new, "status.conditions").clone();
    keep(new, old, "spec");
    keep(new, old, "status");
    if let Some(status) = field(new, "status") {
        set(status, "conditions", conditions);
    }
}

/// Conditions get the times that they lack.
fn stamp(cx: &Context<'_>, new: &mut Value, old: &Value) {
    for condition in items(new, "status.conditions") {
        unset_default(condition, "lastUpdateTime", cx.now);
        let same = peek_items(old, "status.conditions").iter().find(|before| {
            peek(before, "type") == peek(condition, "type")
                && peek(before, "status") == peek(condition, "status")
                && !peek(before, "lastTransitionTime").is_null()
        });
        let time = same.map_or(json!(cx.now), |same| {
            peek(same, "lastTransitionTime").clone()
        });
        unset_default(condition, "lastTransitionTime", time);
    }
}

fn of_kind<'a>(request: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    peek_items(request, "status.conditions")
        .iter()
        .filter(move |condition| peek_text(condition, "type") == kind)
}

/// What a subresource may set.
#[derive(Debug, Clone, Copy, Default)]
struct Allowed {
    decision: bool,
    certificate: bool,
}

fn validate(errors: &mut Errors, request: &Node<'_>, old: Option<&Node<'_>>) {
    metadata::validate(errors, request, false, |_, _| Vec::new());
    let spec = request.get("spec");
    let bytes = decoded(&spec.get("request"));
    if pem_types(&bytes).first().map(String::as_str) != Some("CERTIFICATE REQUEST") {
        let detail = "PEM block type must be CERTIFICATE REQUEST";
        errors.invalid(
            &spec.get("request"),
            spec.get("request").raw().clone(),
            detail,
        );
    }
    validate_usages(errors, &spec.get("usages"), old);
    let signer = spec.get("signerName");
    let was_legacy = old.is_some_and(|old| old.get("spec.signerName").is(LEGACY_SIGNER));
    if signer.is(LEGACY_SIGNER) && !was_legacy {
        let detail = "the legacy signerName is not allowed via this API version";
        errors.invalid(&signer, signer.text(), detail);
    } else {
        validate_signer(errors, &signer);
    }
    let seconds = spec.get("expirationSeconds");
    if seconds.is_set() && seconds.int() < 600 {
        let detail = "may not specify a duration less than 600 seconds (10 minutes)";
        errors.invalid(&seconds, seconds.int(), detail);
    }
    validate_conditions(errors, &request.get("status").get("conditions"), old);
    let certificate = request.get("status").get("certificate");
    let is_arbitrary = old.is_some_and(|old| {
        let before = old.get("status.certificate");
        before.raw() == certificate.raw() || certificate_problem(&before).is_some()
    });
    if let (false, Some(problem)) = (is_arbitrary, certificate_problem(&certificate)) {
        errors.invalid(&certificate, "<certificate data>", problem);
    }
}

fn decoded(node: &Node<'_>) -> Vec<u8> {
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(node.text()).unwrap_or_default()
}

fn certificate_problem(certificate: &Node<'_>) -> Option<String> {
    let bytes = decoded(certificate);
    if bytes.is_empty() {
        return None;
    }
    let types = pem_types(&bytes);
    if let Some(other) = types.iter().find(|kind| *kind != "CERTIFICATE") {
        let shown = object::field::quote(other);
        return Some(format!(
            "only CERTIFICATE PEM blocks are allowed, found {shown}"
        ));
    }
    types
        .is_empty()
        .then(|| "must contain at least one CERTIFICATE PEM block".to_owned())
}

fn validate_usages(errors: &mut Errors, usages: &Node<'_>, old: Option<&Node<'_>>) {
    if usages.is_empty() {
        errors.required(usages, "");
    }
    let before = old
        .map(|old| old.get("spec.usages").texts())
        .unwrap_or_default();
    let any_known = before.iter().all(|usage| USAGES.contains(usage));
    let is_unique = (1..before.len()).all(|index| !before[..index].contains(&before[index]));
    let texts = usages.texts();
    for (index, usage) in usages.items().enumerate() {
        if any_known {
            errors.one_of(&usage, USAGES);
        }
        if is_unique && texts[..index].contains(&usage.text()) {
            errors.duplicate(&usage, usage.text());
        }
    }
}

/// The name of a signer: a domain and a path.
pub(crate) fn validate_signer(errors: &mut Errors, signer: &Node<'_>) {
    if signer.is_empty() {
        return errors.required(signer, "");
    }
    let parts: Vec<&str> = signer.text().split('/').collect();
    let [domain, path] = parts[..] else {
        let detail =
            "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        return errors.invalid(signer, signer.text(), detail);
    };
    if domain.len() > names::SUBDOMAIN_MAX_LENGTH {
        errors.too_long(signer, names::SUBDOMAIN_MAX_LENGTH);
    }
    first_bad_label(errors, signer, domain, names::dns1123_label);
    if !domain.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        errors.invalid(signer, domain, detail);
    }
    first_bad_label(errors, signer, path, names::dns1123_subdomain);
    // The path also has to fit into the name of an object that has the domain in front.
    let path_limit = names::SUBDOMAIN_MAX_LENGTH + names::LABEL_MAX_LENGTH + 1;
    let limit = names::SUBDOMAIN_MAX_LENGTH + path_limit + 1;
    if signer.len() > limit {
        errors.too_long(signer, limit);
    }
}

fn first_bad_label(errors: &mut Errors, at: &Node<'_>, text: &str, rule: fn(&str) -> Vec<String>) {
    let bad = text
        .split('.')
        .map(|label| (label, rule(label)))
        .find(|(_, found)| !found.is_empty());
    for (label, problem) in bad
        .iter()
        .flat_map(|(label, found)| found.iter().map(move |p| (label, p)))
    {
        let label = object::field::quote(label);
        errors.invalid(at, text, format!("validating label {label}: {problem}"));
    }
}

fn validate_conditions(errors: &mut Errors, conditions: &Node<'_>, old: Option<&Node<'_>>) {
    let before = old.map(|old| old.get("status").get("conditions"));
    let kinds = |list: &Node<'_>| -> Vec<String> {
        list.items()
            .map(|item| item.get("type").text().to_owned())
            .collect()
    };
    let before = before.as_ref().map(kinds).unwrap_or_default();
    let had_both = DECISIONS
        .iter()
        .all(|kind| before.iter().any(|known| known == kind));
    let had_empty = before.iter().any(String::is_empty);
    let had_twice = (1..before.len()).any(|index| before[..index].contains(&before[index]));
    let all = kinds(conditions);
    for (index, condition) in conditions.items().enumerate() {
        let kind = condition.get("type");
        if kind.is_empty() && !had_empty {
            errors.required(&kind, "");
        }
        let is_final = DECISIONS.contains(&kind.text()) || kind.is("Failed");
        let statuses: &[&str] = if is_final {
            &["True"]
        } else {
            &["False", "True", "Unknown"]
        };
        errors.choice(&condition.get("status"), statuses);
        let is_other = |known: &String| DECISIONS.contains(&known.as_str()) && !kind.is(known);
        if !had_both && DECISIONS.contains(&kind.text()) && all[..index].iter().any(is_other) {
            let detail = "Approved and Denied conditions are mutually exclusive";
            errors.invalid(conditions, kind.text(), detail);
        }
        if !had_twice && all[..index].iter().any(|known| kind.is(known)) {
            errors.duplicate(&kind, kind.text());
        }
    }
}

fn update(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>, allowed: Allowed) {
    validate(errors, new, Some(old));
    let conditions = new.get("status").get("conditions");
    for kind in ["Approved", "Denied", "Failed"] {
        let now: Vec<&Value> = of_kind(new.raw(), kind).collect();
        let before: Vec<&Value> = of_kind(old.raw(), kind).collect();
        let verb = if now.len() < before.len() {
            "remove"
        } else if allowed.decision || kind == "Failed" {
            continue;
        } else if now.len() > before.len() {
            "add"
        } else if now
            .iter()
            .zip(&before)
            .all(|(now, before)| equal(now, before))
        {
            continue;
        } else {
            "modify"
        };
        let detail = format!("updates may not {verb} a condition of type \"{kind}\"");
        errors.forbidden(&conditions, &detail);
    }
    let certificate = new.get("status").get("certificate");
    let before = old.get("status.certificate");
    if certificate.text() != before.text() {
        if !allowed.certificate {
            errors.forbidden(&certificate, "updates may not set certificate content");
        } else if !before.is_empty() {
            let detail = "updates may not modify existing certificate content";
            errors.forbidden(&certificate, detail);
        }
    }
    metadata::validate_update(errors, new, old);
}
