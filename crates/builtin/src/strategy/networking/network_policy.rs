//! NetworkPolicies.

use object::names;
use object::names::ip::Cidr;

use super::GROUP;
use crate::strategy::kind::{Generation, Kind};
use crate::strategy::node::{Errors, Node};
use crate::strategy::{labels, metadata};

pub(crate) const KIND: Kind = Kind {
    generation: Generation::On(&["spec"]),
    validate: |_, policy, errors| {
        metadata::validate(errors, policy, true, names::name_is_dns_subdomain);
        validate(errors, policy, &Options::default());
    },
    validate_update: |_, new, old, errors| {
        let mut options = Options {
            any_label_value: !labels::is_valid(old.get("spec.podSelector").raw()),
            known_ranges: Vec::new(),
        };
        metadata::validate(errors, new, true, names::name_is_dns_subdomain);
        validate(errors, new, &options);
        for block in blocks(old) {
            options.known_ranges.push(block.get("cidr").text());
            options.known_ranges.extend(block.get("except").texts());
        }
        metadata::validate_update(errors, new, old);
        validate(errors, new, &options);
    },
    warn,
    warn_update: |new, _, warnings| warn(new, warnings),
    ..Kind::new(GROUP, "networkpolicies")
};

#[derive(Debug, Default)]
struct Options<'a> {
    any_label_value: bool,
    known_ranges: Vec<&'a str>,
}

/// The two directions of rules, with what their peers are called.
const DIRECTIONS: [(&str, &str); 2] = [("ingress", "from"), ("egress", "to")];

fn rules<'a>(policy: &Node<'a>) -> impl Iterator<Item = (Node<'a>, &'static str)> + use<'a> {
    let spec = policy.get("spec");
    DIRECTIONS.into_iter().flat_map(move |(direction, peers)| {
        spec.get(direction).items().map(move |rule| (rule, peers))
    })
}

fn blocks<'a>(policy: &Node<'a>) -> impl Iterator<Item = Node<'a>> + use<'a> {
    rules(policy).flat_map(|(rule, peers)| {
        rule.get(peers)
            .items()
            .map(|peer| peer.get("ipBlock"))
            .filter(Node::is_set)
    })
}

fn validate(errors: &mut Errors, policy: &Node<'_>, options: &Options<'_>) {
    let spec = policy.get("spec");
    labels::validate_selector_with(errors, &spec.get("podSelector"), options.any_label_value);
    for (rule, peers) in rules(policy) {
        for port in rule.get("ports").items() {
            validate_port(errors, &port);
        }
        for peer in rule.get(peers).items() {
            validate_peer(errors, &peer, options);
        }
    }
    let types = spec.get("policyTypes");
    if types.len() > 2 {
        let detail = "may not specify more than two policyTypes";
        return errors.invalid(&types, types.raw().clone(), detail);
    }
    for kind in types.items() {
        errors.one_of(&kind, &["Ingress", "Egress"]);
    }
}

fn validate_port(errors: &mut Errors, rule: &Node<'_>) {
    errors.opt_one_of(&rule.get("protocol"), &["TCP", "UDP", "SCTP"]);
    let (port, end) = (rule.get("port"), rule.get("endPort"));
    let misplaced = |errors: &mut Errors, why: &str| {
        if end.is_set() {
            errors.invalid(
                &end,
                end.int(),
                format!("may not be specified when `port` is {why}"),
            );
        }
    };
    if let Some(number) = port.opt_int() {
        errors.messages(&port, number, names::port_number(number));
        if end.is_set() {
            if end.int() < number {
                errors.invalid(&end, number, "must be greater than or equal to `port`");
            }
            errors.messages(&end, end.int(), names::port_number(end.int()));
        }
    } else if port.is_set() {
        misplaced(errors, "non-numeric");
        errors.format(&port, names::port_name);
    } else {
        misplaced(errors, "not specified");
    }
}

fn validate_peer(errors: &mut Errors, peer: &Node<'_>, options: &Options<'_>) {
    let mut count = 0;
    for selector in [peer.get("podSelector"), peer.get("namespaceSelector")] {
        if selector.is_set() {
            count += 1;
            labels::validate_selector_with(errors, &selector, options.any_label_value);
        }
    }
    let block = peer.get("ipBlock");
    if block.is_set() {
        validate_block(errors, &block, options);
        if count > 0 {
            errors.forbidden(peer, "may not specify both ipBlock and another peer");
        }
    } else if count == 0 {
        errors.required(peer, "must specify a peer");
    }
}

fn validate_block(errors: &mut Errors, block: &Node<'_>, options: &Options<'_>) {
    let range = block.get("cidr");
    if range.is_empty() {
        return errors.required(&range, "");
    }
    let legacy = |errors: &mut Errors, node: &Node<'_>| {
        let known = &options.known_ranges;
        errors.extend(names::ip::legacy_cidr(
            node.path(),
            node.text(),
            false,
            known,
        ));
        Cidr::parse_sloppy(node.text())
    };
    let Some(outer) = legacy(errors, &range) else {
        return;
    };
    for except in block.get("except").items() {
        let Some(inner) = legacy(errors, &except) else {
            continue;
        };
        if !is_strictly_within(inner, outer) {
            errors.invalid(&except, except.text(), "must be a strict subset of `cidr`");
        }
    }
}

fn is_strictly_within(inner: Cidr, outer: Cidr) -> bool {
    let start = Cidr {
        ip: inner.network(),
        bits: outer.bits,
    };
    inner.ip.is_ipv4() == outer.ip.is_ipv4()
        && inner.bits > outer.bits
        && start.network() == outer.network()
}

fn warn(policy: &Node<'_>, warnings: &mut Vec<String>) {
    for block in blocks(policy) {
        let ranges = std::iter::once(block.get("cidr")).chain(block.get("except").items());
        for range in ranges {
            warnings.extend(names::ip::cidr_warnings(range.path(), range.text()));
        }
    }
}
