//! What a call costs when it is run.
//!
//! Source: cel-go `interpreter/runtimecost.go`, `ext/{lists,sets}.go`; apiserver
//! `pkg/cel/library/cost.go`.

use super::super::functions::{self, formats};
use super::super::value::Val;

const TRAVERSAL: f64 = 0.1;
const REGEX: f64 = 0.25;

fn scaled(size: u64, factor: f64) -> u64 {
    (size as f64 * factor).ceil() as u64
}

fn size(args: &[Val<'_>], index: usize) -> u64 {
    args.get(index).map_or(1, Val::size)
}

/// The cost of going over a value with all that is in it.
fn traversal(value: &Val<'_>) -> u64 {
    match value {
        Val::Text(text) => (text.len() as f64 * TRAVERSAL) as u64,
        Val::Bytes(bytes) => (bytes.len() as f64 * TRAVERSAL) as u64,
        Val::List(list) => list.items.iter().map(traversal).sum(),
        Val::Map(_) | Val::Object(..) => value
            .items()
            .unwrap_or_default()
            .iter()
            .map(|key| traversal(key) + value.get(key).map_or(1, |value| traversal(&value)))
            .sum(),
        _ => 1,
    }
}

/// The cost of `==` and `!=`.
pub(super) fn of_equality(left: &Val<'_>, right: &Val<'_>, negated: bool) -> u64 {
    let is_library = matches!(
        left,
        Val::Quantity(_)
            | Val::Ip(_)
            | Val::Cidr(..)
            | Val::Format(_)
            | Val::Url(_)
            | Val::Semver(_)
    );
    if is_library && !negated {
        return 1;
    }
    scaled(left.size().min(right.size()), TRAVERSAL)
}

/// The cost of a call that its arguments tell, if they do.
pub(super) fn before(function: &str, overload: &str, args: &[Val<'_>]) -> Option<u64> {
    let made = |factor: f64, size: u64| Some((size as f64 * factor) as u64 + 11);
    match overload {
        "list_flatten" => return made(1.0, size(args, 0)),
        "list_flatten_int" => {
            let depth = match args.get(1) {
                Some(Val::Int(depth)) => *depth as f64,
                _ => 1.0,
            };
            return made(depth.max(0.0), size(args, 0));
        }
        "list_distinct" => return self_compare(&args[0]),
        "list_sets_contains_list" | "list_sets_intersects_list" | "list_sets_equivalent_list" => {
            let factor = if overload == "list_sets_equivalent_list" {
                2
            } else {
                1
            };
            return Some(
                1 + size(args, 0)
                    .saturating_mul(size(args, 1))
                    .saturating_mul(factor),
            );
        }
        id if id.ends_with("_sortByAssociatedKeys") => return self_compare(&args[1]),
        id if id.starts_with("list_") && id.ends_with("_sort") => return self_compare(&args[0]),
        _ => {}
    }
    library(function, overload, args)
}

fn self_compare(list: &Val<'_>) -> Option<u64> {
    let count = list.size();
    let is_text = matches!(list, Val::List(list) if list.items.first().is_some_and(|item| functions::is_text_type(&item.type_of())));
    let factor = if is_text { 2.0 + TRAVERSAL } else { 2.0 };
    Some((count.saturating_mul(count) as f64 * factor) as u64 + 11)
}

/// The functions of Kubernetes and of the string library.
fn library(function: &str, overload: &str, args: &[Val<'_>]) -> Option<u64> {
    Some(match function {
        "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" => {
            args.first().map_or(0, traversal)
        }
        "replace" | "split" | "ip.isCanonical" => scaled(size(args, 0), 2.0 * TRAVERSAL),
        "find" | "findAll" => {
            let text = ((1.0 + size(args, 0) as f64) * TRAVERSAL).ceil() as u64;
            text.saturating_mul(scaled(size(args, 1), REGEX))
        }
        "ip" if overload == "cidr_ip" => 1,
        "url" | "lowerAscii" | "upperAscii" | "substring" | "trim" | "cidr" | "isIP" | "isCIDR"
        | "ip" | "quantity" | "isQuantity" | "semver" | "isSemver" => {
            scaled(size(args, 0), TRAVERSAL)
        }
        "containsIP" | "containsCIDR" => {
            let network = size(args, 0);
            let mut cost = scaled(network * 2, TRAVERSAL);
            if function == "containsCIDR" {
                cost += scaled(network, TRAVERSAL) + 1;
            }
            if overload.ends_with("_string") {
                cost += scaled(size(args, 1), TRAVERSAL);
            }
            cost
        }
        "validate" => {
            let Some(Val::Format(format)) = args.first() else {
                return None;
            };
            let text = ((1.0 + size(args, 1) as f64) * TRAVERSAL).ceil() as u64;
            text.saturating_mul(scaled(formats::regex_size(format), REGEX))
        }
        "masked"
        | "prefixLength"
        | "family"
        | "isUnspecified"
        | "isLoopback"
        | "isLinkLocalMulticast"
        | "isLinkLocalUnicast"
        | "isGlobalUnicast"
        | "format.named"
        | "sign"
        | "asInteger"
        | "isInteger"
        | "asApproximateFloat"
        | "isGreaterThan"
        | "isLessThan"
        | "compareTo"
        | "add"
        | "sub"
        | "major"
        | "minor"
        | "patch"
        | "getScheme"
        | "getHostname"
        | "getHost"
        | "getPort"
        | "getEscapedPath"
        | "getQuery" => 1,
        _ => return None,
    })
}

/// The cost of a call, when it is done.
pub(super) fn after(
    function: &str,
    overload: &str,
    args: &[Val<'_>],
    result: Option<&Val<'_>>,
) -> u64 {
    let result_size = result.map_or(1, Val::size);
    if function == "join" {
        return scaled(result_size, 2.0 * TRAVERSAL);
    }
    match overload {
        "list_slice" | "lists_range" | "list_reverse" => result_size + 11,
        "starts_with_string" | "ends_with_string" | "string_to_bytes" | "bytes_to_string"
        | "strings_quote" | "string_format" => scaled(size(args, 0), TRAVERSAL),
        "in_list" => size(args, 1),
        "less_string"
        | "greater_string"
        | "less_equals_string"
        | "greater_equals_string"
        | "less_bytes"
        | "greater_bytes"
        | "less_equals_bytes"
        | "greater_equals_bytes" => scaled(size(args, 0).min(size(args, 1)), TRAVERSAL),
        "add_string" | "add_bytes" => scaled(size(args, 0) + size(args, 1), TRAVERSAL),
        "matches_string" => {
            let text = ((1.0 + size(args, 0) as f64) * TRAVERSAL).ceil() as u64;
            text * scaled(size(args, 1), REGEX)
        }
        "contains_string" => scaled(size(args, 0), TRAVERSAL) * scaled(size(args, 1), TRAVERSAL),
        _ => 1,
    }
}

/// How much a call makes at most, by its arguments.
pub(super) fn made_by(function: &str, args: &[Val<'_>]) -> u64 {
    match function {
        "_+_" => match args.first() {
            Some(Val::Text(_) | Val::Bytes(_) | Val::List(_)) => size(args, 0) + size(args, 1),
            _ => 0,
        },
        "replace" => {
            let places = match args.get(1) {
                Some(Val::Text(from)) if !from.is_empty() => size(args, 0) / from.len() as u64 + 1,
                _ => size(args, 0) + 1,
            };
            places
                .saturating_mul(size(args, 2))
                .saturating_add(size(args, 0))
        }
        "join" => size(args, 0).saturating_mul(if args.len() > 1 { size(args, 1) } else { 1 }),
        "split" | "reverse" | "slice" | "flatten" | "distinct" | "sort" | "findAll" => {
            size(args, 0)
        }
        _ => 0,
    }
}
