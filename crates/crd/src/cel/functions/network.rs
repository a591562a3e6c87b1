//! IP addresses and networks. Source: apiserver `pkg/cel/library/{ip,cidr}.go`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use object::field::quote;

use super::super::error::EvalError;
use super::super::value::{Outcome, Val};
use super::mismatch;

fn parse_ip(text: &str) -> Result<IpAddr, EvalError> {
    if let Some((address, _)) = text.split_once('%')
        && address.parse::<Ipv6Addr>().is_ok()
    {
        return Err(EvalError::new(format!(
            "IP address {} with zone value is not allowed",
            quote(text)
        )));
    }
    let address: IpAddr = text.parse().map_err(|_| {
        let quoted = quote(text);
        EvalError::new(format!(
            "IP Address {quoted} parse error during conversion from string: ParseAddr({quoted}): {}",
            why_not_an_address(text)
        ))
    })?;
    if matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
        return Err(EvalError::new(format!(
            "IPv4-mapped IPv6 address {} is not allowed",
            quote(text)
        )));
    }
    Ok(address)
}

/// The words of Go's `netip.ParseAddr` for the common mistakes.
fn why_not_an_address(text: &str) -> String {
    if !text.contains([':', '.']) {
        return "unable to parse IP".to_owned();
    }
    if text.contains(':') {
        return "each colon-separated field must have at least one digit".to_owned();
    }
    let parts: Vec<&str> = text.split('.').collect();
    for part in &parts {
        if let Some(at) = part.find(|c: char| !c.is_ascii_digit()) {
            return format!("unexpected character (at {})", quote(&part[at..]));
        }
        if part.is_empty() {
            return "IPv4 field must have at least one digit".to_owned();
        }
        if part.len() > 1 && part.starts_with('0') {
            return "IPv4 field has octet with leading zero".to_owned();
        }
        if part.parse::<u32>().is_ok_and(|number| number > 255) {
            return "IPv4 field has value >255".to_owned();
        }
    }
    if parts.len() > 4 {
        "IPv4 address too long"
    } else {
        "IPv4 address too short"
    }
    .to_owned()
}

fn parse_cidr(text: &str) -> Result<(IpAddr, u8), EvalError> {
    let fail = |why: String| {
        EvalError::new(format!(
            "network address parse error during conversion from string: {why}"
        ))
    };
    let quoted = quote(text);
    let Some((address, bits)) = text.rsplit_once('/') else {
        return Err(fail(format!("netip.ParsePrefix({quoted}): no '/'")));
    };
    let address: IpAddr = address.parse().map_err(|_| {
        fail(format!(
            "netip.ParsePrefix({quoted}): ParseAddr({}): {}",
            quote(address),
            why_not_an_address(address)
        ))
    })?;
    let limit = if address.is_ipv4() { 32 } else { 128 };
    let is_number = !bits.is_empty()
        && bits.bytes().all(|byte| byte.is_ascii_digit())
        && (bits.len() == 1 || !bits.starts_with('0'));
    let bits: u8 = match bits.parse() {
        Ok(bits) if is_number && bits <= limit => bits,
        Ok(_) if is_number => {
            return Err(fail(format!(
                "netip.ParsePrefix({quoted}): prefix length out of range"
            )));
        }
        _ => {
            let bits = quote(bits);
            return Err(fail(format!(
                "netip.ParsePrefix({quoted}): bad bits after slash: {bits}"
            )));
        }
    };
    if matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
        return Err(EvalError::new(format!(
            "IPv4-mapped IPv6 address {quoted} is not allowed"
        )));
    }
    Ok((address, bits))
}

/// The address with all bits after the prefix cleared.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    network.is_ipv4() == address.is_ipv4() && masked(network, bits) == masked(address, bits)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

fn is_global_unicast(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || is_broadcast
        || is_link_local(address))
}

pub(super) fn call<'a>(function: &str, args: &[Val<'a>]) -> Outcome<'a> {
    match (function, args) {
        ("ip", [Val::Text(text)]) => parse_ip(text).map(Val::Ip),
        ("ip", [Val::Cidr(address, _)]) => Ok(Val::Ip(*address)),
        ("isIP", [Val::Text(text)]) => Ok(Val::Bool(parse_ip(text).is_ok())),
        ("ip.isCanonical", [Val::Text(text)]) => {
            Ok(Val::Bool(parse_ip(text)?.to_string() == **text))
        }
        ("family", [Val::Ip(address)]) => Ok(Val::Int(if address.is_ipv4() { 4 } else { 6 })),
        ("isUnspecified", [Val::Ip(address)]) => Ok(Val::Bool(address.is_unspecified())),
        ("isLoopback", [Val::Ip(address)]) => Ok(Val::Bool(address.is_loopback())),
        ("isLinkLocalMulticast", [Val::Ip(address)]) => {
            Ok(Val::Bool(is_link_local_multicast(*address)))
        }
        ("isLinkLocalUnicast", [Val::Ip(address)]) => Ok(Val::Bool(is_link_local(*address))),
        ("isGlobalUnicast", [Val::Ip(address)]) => Ok(Val::Bool(is_global_unicast(*address))),
        ("cidr", [Val::Text(text)]) => match parse_cidr(text) {
            Ok((address, bits)) => Ok(Val::Cidr(address, bits)),
            Err(error) => Err(EvalError::new(format!(
                "network address parse error during conversion from string: {error}"
            ))),
        },
        ("isCIDR", [Val::Text(text)]) => Ok(Val::Bool(parse_cidr(text).is_ok())),
        ("containsIP", [Val::Cidr(network, bits), Val::Text(text)]) => {
            Ok(Val::Bool(contains(*network, *bits, parse_ip(text)?)))
        }
        ("containsIP", [Val::Cidr(network, bits), Val::Ip(address)]) => {
            Ok(Val::Bool(contains(*network, *bits, *address)))
        }
        ("containsCIDR", [Val::Cidr(network, bits), Val::Text(text)]) => {
            let (other, other_bits) = parse_cidr(text)?;
            Ok(Val::Bool(
                *bits <= other_bits && contains(*network, *bits, other),
            ))
        }
        ("containsCIDR", [Val::Cidr(network, bits), Val::Cidr(other, other_bits)]) => Ok(
            Val::Bool(bits <= other_bits && contains(*network, *bits, *other)),
        ),
        ("prefixLength", [Val::Cidr(_, bits)]) => Ok(Val::Int(i64::from(*bits))),
        ("masked", [Val::Cidr(address, bits)]) => Ok(Val::Cidr(masked(*address, *bits), *bits)),
        _ => Err(mismatch(function, args)),
    }
}
