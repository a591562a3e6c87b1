//! What the functions do.
//!
//! Source: cel-go `common/stdlib`, `ext`; apiserver `pkg/cel/library`.

pub(crate) mod formats;
mod lists;
mod network;
mod operators;
mod printing;
mod texts;
mod times;

use std::sync::Arc;

use super::error::EvalError;
use super::quantity::Quantity;
use super::semver::Semver;
use super::types::Type;
use super::url::Url;
use super::value::{Entries, Outcome, Val, equal};

pub(crate) use lists::append;
pub(crate) use printing::check_format;

/// A function with its arguments evaluated.
pub(crate) type Native = for<'a> fn(&str, &[Val<'a>]) -> Outcome<'a>;

/// The implementation of a function that was declared.
pub(crate) fn native(function: &str) -> Native {
    match function {
        "!_"
        | "@not_strictly_false"
        | "_+_"
        | "_-_"
        | "_*_"
        | "_/_"
        | "_%_"
        | "-_"
        | "_<_"
        | "_<=_"
        | "_>_"
        | "_>=_"
        | "@in"
        | "size" => operators::call,
        "contains" | "endsWith" | "startsWith" | "matches" | "charAt" | "lowerAscii"
        | "upperAscii" | "replace" | "split" | "substring" | "trim" | "format"
        | "strings.quote" | "join" | "find" | "findAll" => texts::call,
        "isSorted"
        | "sum"
        | "min"
        | "max"
        | "indexOf"
        | "lastIndexOf"
        | "slice"
        | "flatten"
        | "lists.range"
        | "reverse"
        | "distinct"
        | "sort"
        | "@sortByAssociatedKeys"
        | "sets.contains"
        | "sets.equivalent"
        | "sets.intersects"
        | "last"
        | "first" => lists::call,
        "ip"
        | "isIP"
        | "ip.isCanonical"
        | "family"
        | "isUnspecified"
        | "isLoopback"
        | "isLinkLocalMulticast"
        | "isLinkLocalUnicast"
        | "isGlobalUnicast"
        | "cidr"
        | "isCIDR"
        | "containsIP"
        | "containsCIDR"
        | "prefixLength"
        | "masked" => network::call,
        "validate" => formats::call,
        name if name.starts_with("format.") => formats::call,
        name if name.starts_with("get")
            && !matches!(
                name,
                "getScheme" | "getHost" | "getHostname" | "getPort" | "getEscapedPath" | "getQuery"
            ) =>
        {
            times::call
        }
        name if name.starts_with("optional.") => optional,
        "value" | "hasValue" | "or" | "orValue" | "unwrapOpt" => optional,
        "bool" | "bytes" | "double" | "duration" | "dyn" | "int" | "string" | "timestamp"
        | "type" | "uint" => convert,
        _ => library,
    }
}

/// No overload of `function` takes these arguments.
pub(super) fn mismatch(function: &str, args: &[Val<'_>]) -> EvalError {
    let types: Vec<String> = args.iter().map(Val::type_name).collect();
    EvalError::new(format!(
        "no such overload: {function}({})",
        types.join(", ")
    ))
}

fn convert<'a>(function: &str, args: &[Val<'a>]) -> Outcome<'a> {
    let [value] = args else {
        return Err(mismatch(function, args));
    };
    let converted = match function {
        "bool" => value.to_bool(),
        "bytes" => value.to_bytes(),
        "double" => value.to_double(),
        "duration" => value.to_duration(),
        "int" => value.to_int(),
        "string" => value.to_string_value(),
        "timestamp" => value.to_timestamp(),
        "uint" => value.to_uint(),
        "type" => Ok(Val::Type(value.type_of())),
        _ => Ok(value.clone()),
    };
    converted.map_err(|error| {
        if error == EvalError::no_such_overload() {
            mismatch(function, args)
        } else {
            error
        }
    })
}

fn optional<'a>(function: &str, args: &[Val<'a>]) -> Outcome<'a> {
    match (function, args) {
        ("optional.ofNonZeroValue", [value]) if value.is_zero() => Ok(Val::Optional(None)),
        ("optional.of" | "optional.ofNonZeroValue", [value]) => Ok(Val::some(value.clone())),
        ("optional.none", []) => Ok(Val::Optional(None)),
        ("value", [Val::Optional(Some(value))]) => Ok(value.as_ref().clone()),
        ("value", [Val::Optional(None)]) => Err(EvalError::new("optional.none() dereference")),
        ("hasValue", [Val::Optional(value)]) => Ok(Val::Bool(value.is_some())),
        ("or", [Val::Optional(value), other]) => Ok(if value.is_some() {
            args[0].clone()
        } else {
            other.clone()
        }),
        ("orValue", [Val::Optional(value), other]) => Ok(value
            .as_ref()
            .map_or_else(|| other.clone(), |value| value.as_ref().clone())),
        ("optional.unwrap" | "unwrapOpt", [Val::List(list)]) => {
            let mut items = Vec::new();
            for item in &list.items {
                match item {
                    Val::Optional(Some(value)) => items.push(value.as_ref().clone()),
                    Val::Optional(None) => {}
                    other => {
                        let shown = super::value::to_text(other);
                        return Err(EvalError::new(format!("value {shown} is not optional")));
                    }
                }
            }
            Ok(Val::list(items))
        }
        _ => Err(mismatch(function, args)),
    }
}

/// URLs, quantities and versions.
fn library<'a>(function: &str, args: &[Val<'a>]) -> Outcome<'a> {
    match (function, args) {
        ("url", [Val::Text(text)]) => {
            let parsed = Url::parse_request_uri(text).and_then(|_| Url::parse(text));
            parsed.map(|url| Val::Url(Arc::new(url))).map_err(|reason| {
                EvalError::new(format!(
                    "URL parse error during conversion from string: {reason}"
                ))
            })
        }
        ("isURL", [Val::Text(text)]) => Ok(Val::Bool(Url::parse_request_uri(text).is_ok())),
        ("getScheme", [Val::Url(url)]) => Ok(Val::text(url.scheme.as_str())),
        ("getHost", [Val::Url(url)]) => Ok(Val::text(url.host.as_str())),
        ("getHostname", [Val::Url(url)]) => Ok(Val::text(url.hostname())),
        ("getPort", [Val::Url(url)]) => Ok(Val::text(url.port())),
        ("getEscapedPath", [Val::Url(url)]) => Ok(Val::text(url.escaped_path())),
        ("getQuery", [Val::Url(url)]) => {
            let mut entries = Entries::new();
            for (key, values) in url.query() {
                let name = Val::text(key.as_str());
                if let Some(key) = name.key() {
                    entries.insert(key, (name, Val::texts(values)));
                }
            }
            Ok(Val::Map(Arc::new(entries)))
        }
        ("quantity", [Val::Text(text)]) => Quantity::parse(text)
            .map(Val::Quantity)
            .map_err(EvalError::new),
        ("isQuantity", [Val::Text(text)]) => Ok(Val::Bool(Quantity::parse(text).is_ok())),
        ("sign", [Val::Quantity(quantity)]) => Ok(Val::Int(quantity.sign())),
        ("asApproximateFloat", [Val::Quantity(quantity)]) => Ok(Val::Double(quantity.as_f64())),
        ("isInteger", [Val::Quantity(quantity)]) => Ok(Val::Bool(quantity.as_i64().is_some())),
        ("asInteger", [Val::Quantity(quantity)]) => quantity
            .as_i64()
            .map(Val::Int)
            .ok_or_else(|| EvalError::new("cannot convert value to integer")),
        ("isGreaterThan", [Val::Quantity(left), Val::Quantity(right)]) => {
            Ok(Val::Bool(left > right))
        }
        ("isLessThan", [Val::Quantity(left), Val::Quantity(right)]) => Ok(Val::Bool(left < right)),
        ("compareTo", [Val::Quantity(left), Val::Quantity(right)]) => {
            Ok(Val::Int(left.compare(*right)))
        }
        ("add", [Val::Quantity(left), Val::Quantity(right)]) => {
            Ok(Val::Quantity(left.plus(*right)))
        }
        ("add", [Val::Quantity(left), Val::Int(right)]) => {
            Ok(Val::Quantity(left.plus(Quantity::from_i64(*right))))
        }
        ("sub", [Val::Quantity(left), Val::Quantity(right)]) => {
            Ok(Val::Quantity(left.minus(*right)))
        }
        ("sub", [Val::Quantity(left), Val::Int(right)]) => {
            Ok(Val::Quantity(left.minus(Quantity::from_i64(*right))))
        }
        ("semver", [Val::Text(text), rest @ ..]) => {
            let version = read_version(text, rest);
            version
                .map(|version| Val::Semver(Arc::new(version)))
                .map_err(EvalError::new)
        }
        ("isSemver", [Val::Text(text), rest @ ..]) => {
            Ok(Val::Bool(read_version(text, rest).is_ok()))
        }
        ("major", [Val::Semver(version)]) => Ok(Val::Int(version.major as i64)),
        ("minor", [Val::Semver(version)]) => Ok(Val::Int(version.minor as i64)),
        ("patch", [Val::Semver(version)]) => Ok(Val::Int(version.patch as i64)),
        ("isGreaterThan", [Val::Semver(left), Val::Semver(right)]) => Ok(Val::Bool(left > right)),
        ("isLessThan", [Val::Semver(left), Val::Semver(right)]) => Ok(Val::Bool(left < right)),
        ("compareTo", [Val::Semver(left), Val::Semver(right)]) => {
            Ok(Val::Int(left.cmp(right) as i64))
        }
        ("cel.@mapInsert", [Val::Map(entries), rest @ ..]) => {
            let mut entries = entries.as_ref().clone();
            insert(&mut entries, rest)?;
            Ok(Val::Map(Arc::new(entries)))
        }
        _ => Err(mismatch(function, args)),
    }
}

fn read_version(text: &str, rest: &[Val<'_>]) -> Result<Semver, String> {
    if matches!(rest, [Val::Bool(true)]) {
        Semver::parse_normalized(text)
    } else {
        Semver::parse(text)
    }
}

/// Puts a key and a value, or all entries of a map, into a map. A key may not be there twice.
pub(crate) fn insert<'a>(entries: &mut Entries<'a>, rest: &[Val<'a>]) -> Result<(), EvalError> {
    let mut put = |name: &Val<'a>, value: Val<'a>| {
        let Some(key) = name.key() else {
            return Err(EvalError::new(format!(
                "unsupported key type: {}",
                name.type_name()
            )));
        };
        if entries.contains_key(&key) {
            let shown = super::value::to_text(name);
            return Err(EvalError::new(format!(
                "insert failed: key {shown} already exists"
            )));
        }
        entries.insert(key, (name.clone(), value));
        Ok(())
    };
    match rest {
        [name, value] => put(name, value.clone()),
        [map] => {
            for name in map.items().unwrap_or_default() {
                let value = map.get(&name)?;
                put(&name, value)?;
            }
            Ok(())
        }
        _ => Err(EvalError::no_such_overload()),
    }
}

/// Whether a type is that of texts or bytes, which cost more to compare.
pub(crate) fn is_text_type(of: &Type) -> bool {
    matches!(of, Type::Text | Type::Bytes)
}

/// `==` between values that may be absent or of other types.
pub(crate) fn are_equal<'a>(left: &Val<'a>, right: &Val<'a>) -> Outcome<'a> {
    equal(left, right).map(Val::Bool)
}
