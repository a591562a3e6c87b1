//! The cost of calls, by function and overload.

use super::super::ast::{Expr, Kind, Literal};
use super::super::types::Type;
use super::{Coster, EntrySize, Range};

/// What going over a character costs.
const TRAVERSAL: f64 = 0.1;
/// What a character of a regular expression costs.
const REGEX: f64 = 0.25;
/// The longest regular expression of a named format.
const FORMAT_REGEX: f64 = 128.0;

/// The cost of a call without that of its arguments, and the size of its result.
type Estimate = (Range, Option<Range>);

struct Call<'e> {
    target: Option<&'e Expr>,
    args: &'e [Expr],
    arg_costs: &'e [Range],
}

impl Coster<'_> {
    pub(super) fn call(
        &mut self,
        expr: &Expr,
        function: &str,
        target: Option<&Expr>,
        args: &[Expr],
    ) -> Range {
        if function == "dyn"
            && let [arg] = args
        {
            let cost = self.cost(arg);
            self.copy_sizes(expr.id, arg);
            return cost.plus(Range::fixed(1));
        }
        let arg_costs: Vec<Range> = args.iter().map(|arg| self.cost(arg)).collect();
        let overloads = self.checked.overloads_of(expr.id).to_vec();
        if overloads.is_empty() {
            return Range::fixed(0);
        }
        let target_cost = target.map_or(Range::fixed(0), |target| self.cost(target));
        let call = Call {
            target,
            args,
            arg_costs: &arg_costs,
        };
        let mut cost = Range::none();
        let mut size: Option<Range> = None;
        for overload in overloads {
            let (overload_cost, overload_size) = self.overload(expr, function, overload, &call);
            cost = cost.union(overload_cost);
            if let Some(overload_size) = overload_size {
                size = Some(size.map_or(overload_size, |size| size.union(overload_size)));
            }
            if let (Some(first), "index_list" | "index_map") = (args.first(), overload) {
                size = self.entry(first).map(|entry| entry.value);
                let mut path = self.path(first).unwrap_or_default();
                path.push(
                    if overload == "index_list" {
                        "@items"
                    } else {
                        "@values"
                    }
                    .to_owned(),
                );
                self.set_path(expr.id, Some(path));
            }
            if size.is_none() {
                size = self.size(expr);
            }
        }
        self.set_size(expr.id, size);
        target_cost.plus(cost)
    }

    fn overload(
        &mut self,
        expr: &Expr,
        function: &str,
        overload: &str,
        call: &Call<'_>,
    ) -> Estimate {
        let arg_sum = call
            .arg_costs
            .iter()
            .fold(Range::fixed(0), |sum, cost| sum.plus(*cost));
        let estimate = self
            .list_call(overload, call)
            .or_else(|| self.text_call(function, call))
            .or_else(|| self.library_call(function, overload, call))
            .or_else(|| self.conversion(overload, call));
        if let Some((cost, size)) = estimate {
            return (cost.plus(arg_sum), size);
        }
        match (overload, call.target, call.args) {
            ("string_format", Some(target), _) => (
                self.size_or_unknown(target).scaled(TRAVERSAL).plus(arg_sum),
                None,
            ),
            ("starts_with_string" | "ends_with_string", _, [arg]) => (
                self.size_or_unknown(arg).scaled(TRAVERSAL).plus(arg_sum),
                None,
            ),
            ("in_list", _, [_, list]) => (self.size_or_unknown(list).plus(arg_sum), None),
            ("matches_string", Some(target), [regex]) => {
                let text = self
                    .size_or_unknown(target)
                    .plus(Range::fixed(1))
                    .scaled(TRAVERSAL);
                let regex = self.size_or_unknown(regex).scaled(REGEX);
                (text.times(regex).plus(arg_sum), None)
            }
            ("contains_string", Some(target), [part]) => {
                let text = self.size_or_unknown(target).scaled(TRAVERSAL);
                let part = self.size_or_unknown(part).scaled(TRAVERSAL);
                (text.times(part).plus(arg_sum), None)
            }
            ("logical_or" | "logical_and", _, _) => {
                let cost = Range {
                    min: call.arg_costs[0].min,
                    max: arg_sum.max,
                };
                (cost, None)
            }
            ("conditional", _, [_, yes, no]) => {
                let size = self.size_or_unknown(yes).union(self.size_or_unknown(no));
                self.set_joined_entry(expr, yes, no);
                let branches = call.arg_costs[1].union(call.arg_costs[2]);
                (call.arg_costs[0].plus(branches), Some(size))
            }
            ("add_string" | "add_bytes" | "add_list", _, [left, right]) => {
                let size = self.size_or_unknown(left).plus(self.size_or_unknown(right));
                self.set_joined_entry(expr, left, right);
                let cost = if overload == "add_list" {
                    Range::fixed(1)
                } else {
                    size.scaled(TRAVERSAL)
                };
                (cost.plus(arg_sum), Some(size))
            }
            (
                "less_string"
                | "greater_string"
                | "less_equals_string"
                | "greater_equals_string"
                | "less_bytes"
                | "greater_bytes"
                | "less_equals_bytes"
                | "greater_equals_bytes"
                | "equals"
                | "not_equals",
                _,
                [left, right],
            ) => {
                let max = self
                    .size_or_unknown(left)
                    .max
                    .min(self.size_or_unknown(right).max);
                let compared = Range {
                    min: u64::from(max > 0),
                    max,
                };
                (compared.scaled(TRAVERSAL).plus(arg_sum), None)
            }
            _ => (Range::fixed(1).plus(arg_sum), None),
        }
    }

    /// What makes a text or bytes of another size out of its argument.
    fn conversion(&mut self, overload: &str, call: &Call<'_>) -> Option<Estimate> {
        match (overload, call.target, call.args) {
            ("string_to_bytes", _, [arg]) => {
                let size = self.size_or_unknown(arg);
                let result = Range {
                    min: size.min,
                    max: size.max.saturating_mul(4),
                };
                Some((size.scaled(TRAVERSAL), Some(result)))
            }
            ("bytes_to_string", _, [arg]) => {
                let size = self.size_or_unknown(arg);
                let result = Range {
                    min: size.min / 4,
                    max: size.max,
                };
                Some((size.scaled(TRAVERSAL), Some(result)))
            }
            ("strings_quote", _, [arg]) => {
                let size = self.size_or_unknown(arg);
                let result = Range {
                    min: size.min + 2,
                    max: size.max.saturating_mul(2).saturating_add(2),
                };
                Some((size.scaled(TRAVERSAL), Some(result)))
            }
            _ => None,
        }
    }

    fn set_joined_entry(&mut self, expr: &Expr, left: &Expr, right: &Expr) {
        if let (Some(left), Some(right)) = (self.entry(left), self.entry(right)) {
            let entry = EntrySize {
                is_list: left.is_list,
                key: left.key.union(right.key),
                value: left.value.union(right.value),
            };
            self.entries.insert(expr.id, entry);
        }
    }

    /// The size as libraries see it.
    fn visible_size(&mut self, expr: &Expr) -> Range {
        if let Some(size) = self.size(expr) {
            return size;
        }
        let path = self.visible_path(expr);
        path.and_then(|path| self.size_at(&path))
            .unwrap_or(Range::UNKNOWN)
    }

    /// The size of the items of a list.
    fn item_size(&mut self, list: &Expr) -> Range {
        let Some(mut path) = self.visible_path(list) else {
            return Range::UNKNOWN;
        };
        path.push("@items".to_owned());
        self.size_at(&path).unwrap_or(Range::UNKNOWN)
    }

    /// Functions on lists and sets that count what they make.
    fn list_call(&mut self, overload: &str, call: &Call<'_>) -> Option<Estimate> {
        let allocating = |factor: f64, size: Range| {
            Some((size.scaled(factor).plus(Range::fixed(11)), Some(size)))
        };
        match (overload, call.target, call.args) {
            ("list_slice", Some(target), [start, end]) => {
                let size = self.visible_size(target);
                let (start, end) = (int_or(start, 0), int_or(end, size.max));
                allocating(1.0, Range::fixed(end.wrapping_sub(start)))
            }
            ("lists_range", None, [count]) => {
                allocating(1.0, Range::fixed(int_or(count, u64::MAX)))
            }
            ("list_reverse", Some(target), []) => allocating(1.0, self.visible_size(target)),
            ("list_flatten" | "list_flatten_int", Some(target), args) => {
                let depth = args.first().map_or(1, |depth| int_or(depth, u64::MAX));
                allocating(depth as f64, self.visible_size(target))
            }
            ("list_distinct", Some(target), []) => {
                let size = self.visible_size(target);
                allocating(2.0, size.times(size))
            }
            (
                "list_sets_contains_list"
                | "list_sets_intersects_list"
                | "list_sets_equivalent_list",
                None,
                [left, right],
            ) => {
                let factor = if overload == "list_sets_equivalent_list" {
                    2.0
                } else {
                    1.0
                };
                let size = self.visible_size(left).times(self.visible_size(right));
                Some((size.scaled(factor).plus(Range::fixed(1)), None))
            }
            (id, Some(target), args)
                if id.ends_with("_sort") || id.ends_with("_sortByAssociatedKeys") =>
            {
                let sorted = args.first().unwrap_or(target);
                let size = self.visible_size(sorted);
                let is_text = id.starts_with("list_string") || id.starts_with("list_bytes");
                let factor = if is_text { 2.0 + TRAVERSAL } else { 2.0 };
                allocating(factor, size.times(size))
            }
            _ => None,
        }
    }

    /// The functions of the string library and the search for regular expressions.
    fn text_call(&mut self, function: &str, call: &Call<'_>) -> Option<Estimate> {
        match (function, call.target, call.args) {
            ("lowerAscii" | "upperAscii" | "substring" | "trim", Some(target), _) => {
                let size = self.visible_size(target);
                Some((size.scaled(TRAVERSAL), Some(size)))
            }
            ("replace", Some(target), [from, to, ..]) => {
                let size = self.visible_size(target);
                let result = replaced(size, self.visible_size(from), self.visible_size(to));
                Some((size.scaled(2.0 * TRAVERSAL), Some(result)))
            }
            ("split", Some(target), args) => {
                let size = self.visible_size(target);
                let max = args.get(1).map_or(size.max, |limit| match &limit.kind {
                    Kind::Literal(Literal::Int(limit)) => *limit as u64,
                    _ => size.max,
                });
                Some((size.scaled(2.0 * TRAVERSAL), Some(Range { min: 0, max })))
            }
            ("join", Some(target), args) => {
                let count = self.visible_size(target);
                let mut size = count.times(self.item_size(target));
                if let Some(separator) = args.first() {
                    let separators = Range {
                        min: count.min.saturating_sub(1),
                        max: count.max.saturating_sub(1),
                    };
                    size = size.plus(self.visible_size(separator).times(separators));
                }
                Some((size.scaled(TRAVERSAL), Some(size)))
            }
            ("find" | "findAll", Some(target), [regex, ..]) => {
                let size = self.visible_size(target);
                let text = size.plus(Range::fixed(1)).scaled(TRAVERSAL);
                let regex = self.visible_size(regex).scaled(REGEX);
                Some((
                    text.times(regex),
                    Some(Range {
                        min: 0,
                        max: size.max,
                    }),
                ))
            }
            _ => None,
        }
    }

    /// The functions of Kubernetes.
    fn library_call(
        &mut self,
        function: &str,
        overload: &str,
        call: &Call<'_>,
    ) -> Option<Estimate> {
        let one = Some((Range::fixed(1), None));
        match (function, call.target, call.args) {
            ("isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf", Some(target), _) => {
                let size = self.visible_size(target);
                let Type::List(items) = self.checked.type_of(target.id).clone() else {
                    return Some((size.scaled(TRAVERSAL), None));
                };
                let mut cost = Range::fixed(1);
                if matches!(*items, Type::Text | Type::Bytes) {
                    cost = cost.plus(self.item_size(target).scaled(TRAVERSAL));
                }
                Some((size.times(cost), None))
            }
            ("url", _, [arg]) => {
                let size = self.visible_size(arg);
                Some((size.scaled(TRAVERSAL), Some(size)))
            }
            ("ip", _, _) if overload == "cidr_ip" => one,
            (
                "cidr" | "isIP" | "isCIDR" | "ip" | "quantity" | "isQuantity" | "semver"
                | "isSemver",
                _,
                [arg, ..],
            ) => Some((self.visible_size(arg).scaled(TRAVERSAL), None)),
            ("ip.isCanonical", _, [arg]) => {
                Some((self.visible_size(arg).scaled(2.0 * TRAVERSAL), None))
            }
            ("containsIP" | "containsCIDR", _, [arg]) => {
                let address = Range { min: 4, max: 16 };
                let mut cost = address.plus(address).scaled(TRAVERSAL);
                if function == "containsCIDR" {
                    cost = cost.plus(address.scaled(TRAVERSAL)).plus(Range::fixed(1));
                }
                if overload.ends_with("_string") {
                    cost = cost.plus(self.visible_size(arg).scaled(TRAVERSAL));
                }
                Some((cost, None))
            }
            ("validate", _, [arg]) => {
                let cost = self
                    .visible_size(arg)
                    .scaled(TRAVERSAL)
                    .scaled(FORMAT_REGEX * REGEX);
                Some((cost, None))
            }
            ("_==_", _, [left, right]) => self.library_equality(left, right),
            (
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
                | "getQuery",
                _,
                _,
            ) => one,
            _ => None,
        }
    }

    fn library_equality(&mut self, left: &Expr, right: &Expr) -> Option<Estimate> {
        let of = self.checked.type_of(left.id);
        if of != self.checked.type_of(right.id) {
            return None;
        }
        match of.name() {
            "net.IP" | "net.CIDR" | "kubernetes.Quantity" | "kubernetes.Semver" => {
                Some((Range::fixed(1), None))
            }
            "kubernetes.NamedFormat" => Some((Range { min: 1, max: 64 }.scaled(TRAVERSAL), None)),
            "kubernetes.URL" => {
                let size = self.size(right).map_or(1, |size| size.max);
                Some((Range { min: 1, max: size }.scaled(TRAVERSAL), None))
            }
            _ => None,
        }
    }
}

fn int_or(expr: &Expr, otherwise: u64) -> u64 {
    match &expr.kind {
        Kind::Literal(Literal::Int(number)) => (*number).max(0) as u64,
        _ => otherwise,
    }
}

/// The size of a text in which parts are replaced.
fn replaced(size: Range, from: Range, to: Range) -> Range {
    let (mut count, mut kept) = (Range::fixed(0), Range::fixed(0));
    if from.min == 0 {
        count.max = size.max.saturating_add(1);
        kept.max = size.max;
    } else if to.max <= from.min {
        kept.max = size.max;
    } else {
        count.max = (size.max as f64 / from.min as f64).ceil() as u64;
    }
    if from.max == 0 {
        count.min = size.min.saturating_add(1);
        kept.min = size.min;
    } else if from.max <= to.min {
        kept.min = size.min;
    } else {
        count.min = (size.min as f64 / from.max as f64).ceil() as u64;
    }
    count.times(to).plus(kept)
}
