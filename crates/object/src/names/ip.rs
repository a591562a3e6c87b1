//! IP addresses and CIDR blocks, with the strictness of Kubernetes 1.35.
//!
//! Fields that are older than strict validation still accept leading zeros and IPv4-mapped IPv6
//! addresses ("sloppy"); new fields want the canonical form. Sources: apimachinery
//! `util/validation/ip.go` (v0.35), `k8s.io/utils/net` and Go's `net` and `net/netip`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::field::{Error, ErrorList, Path, quote};

/// Reads an address; octets may have leading zeros. An IPv4-mapped IPv6 address stays an IPv6 address
/// here, but see [`canonical`]. There are no zones.
pub fn parse_sloppy(text: &str) -> Option<IpAddr> {
    match text.bytes().find(|byte| matches!(byte, b'.' | b':'))? {
        b'.' => parse_v4(text).map(IpAddr::V4),
        _ => parse_v6(text).map(IpAddr::V6),
    }
}

fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        *octet = decimal(parts.next()?, 0xff)?.try_into().ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

/// Digits alone, of any length, whose value is at most `limit`.
fn decimal(digits: &str, limit: u32) -> Option<u32> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let value = match digits {
        "" => 0,
        digits if digits.len() > 6 => return None,
        digits => digits.parse().ok()?,
    };
    (value <= limit).then_some(value)
}

fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    let mut groups: Vec<u16> = Vec::with_capacity(8);
    let mut ellipsis = None;
    let mut rest = text;
    if let Some(after) = rest.strip_prefix("::") {
        ellipsis = Some(0);
        rest = after;
    }
    while !rest.is_empty() && groups.len() < 8 {
        let end = rest
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        let group = hexadecimal(&rest[..end])?;
        if rest[end..].starts_with('.') {
            // An IPv4 address may stand for the last two groups.
            if (ellipsis.is_none() && groups.len() != 6) || groups.len() > 6 {
                return None;
            }
            let octets = parse_v4(rest)?.octets();
            groups.push(u16::from_be_bytes([octets[0], octets[1]]));
            groups.push(u16::from_be_bytes([octets[2], octets[3]]));
            rest = "";
            break;
        }
        groups.push(group);
        rest = &rest[end..];
        if rest.is_empty() {
            break;
        }
        rest = rest.strip_prefix(':').filter(|rest| !rest.is_empty())?;
        if let Some(after) = rest.strip_prefix(':') {
            if ellipsis.replace(groups.len()).is_some() {
                return None;
            }
            rest = after;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    match ellipsis {
        None if groups.len() < 8 => return None,
        Some(_) if groups.len() == 8 => return None,
        Some(at) => {
            let missing = 8 - groups.len();
            groups.splice(at..at, std::iter::repeat_n(0, missing));
        }
        None => {}
    }
    let groups: [u16; 8] = groups.try_into().ok()?;
    Some(Ipv6Addr::from(groups))
}

/// Hexadecimal digits alone, of any length, whose value is at most 0xFFFF.
fn hexadecimal(digits: &str) -> Option<u16> {
    if digits.is_empty() {
        return None;
    }
    match digits.trim_start_matches('0') {
        "" => Some(0),
        digits => u16::from_str_radix(digits, 16).ok(),
    }
}

/// An address as Go's `net.IP` prints it: IPv4-mapped IPv6 addresses as IPv4.
pub fn canonical(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => ip
            .to_ipv4_mapped()
            .map_or_else(|| v6_text(ip), |ip| ip.to_string()),
    }
}

/// RFC 5952, without the special case of IPv4-compatible addresses (`::1.2.3.4`) that Rust has.
fn v6_text(ip: Ipv6Addr) -> String {
    let groups = ip.segments();
    let (mut start, mut length) = (0, 0);
    let mut at = 0;
    while at < 8 {
        let run = groups[at..].iter().take_while(|group| **group == 0).count();
        if run > length && run > 1 {
            (start, length) = (at, run);
        }
        at += run.max(1);
    }
    let hex = |groups: &[u16]| {
        let groups: Vec<String> = groups.iter().map(|group| format!("{group:x}")).collect();
        groups.join(":")
    };
    if length == 0 {
        return hex(&groups);
    }
    format!(
        "{}::{}",
        hex(&groups[..start]),
        hex(&groups[start + length..])
    )
}

fn has_leading_zeros(text: &str) -> bool {
    // Only dotted octets matter: groups of an IPv6 address may have zeros before their digits, but
    // not more than four characters in all.
    text.split(['.', ':', '/'])
        .zip(separators(text))
        .any(|(part, (before, after))| {
            let dotted = before == Some('.') || after == Some('.');
            (dotted && part.len() > 1 && part.starts_with('0')) || (!dotted && part.len() > 4)
        })
}

/// The separators before and after each part of an address.
fn separators(text: &str) -> impl Iterator<Item = (Option<char>, Option<char>)> {
    let found: Vec<char> = text
        .chars()
        .filter(|c| matches!(c, '.' | ':' | '/'))
        .collect();
    (0..=found.len()).map(move |at| {
        let before = at.checked_sub(1).and_then(|at| found.get(at)).copied();
        (before, found.get(at).copied())
    })
}

fn parse_ip(path: &Path, value: &str, strict: bool) -> (Option<IpAddr>, ErrorList) {
    let mut errors = Vec::new();
    let Some(ip) = parse_sloppy(value) else {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        return (None, vec![Error::invalid(path, value, detail)]);
    };
    if strict {
        if has_leading_zeros(value) {
            errors.push(Error::invalid(path, value, "must not have leading 0s"));
        } else if is_mapped(ip) {
            let detail = "must not be an IPv4-mapped IPv6 address";
            errors.push(Error::invalid(path, value, detail));
        }
    }
    (Some(ip), errors)
}

fn is_mapped(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some())
}

/// An address in canonical form (`IsValidIP`).
pub fn ip(path: &Path, value: &str) -> ErrorList {
    let (parsed, mut errors) = parse_ip(path, value, true);
    if let Some(parsed) = parsed
        && errors.is_empty()
    {
        errors.extend(not_canonical(path, value, &canonical(parsed)));
    }
    errors
}

fn not_canonical(path: &Path, value: &str, canonical: &str) -> Option<Error> {
    let detail = format!("must be in canonical form ({})", quote(canonical));
    (value != canonical).then(|| Error::invalid(path, value, detail))
}

/// An address in a field that is older than strict validation (`IsValidIPForLegacyField`); `old` are
/// values that are accepted because they were there before.
pub fn legacy_ip(path: &Path, value: &str, strict: bool, old: &[&str]) -> ErrorList {
    if old.contains(&value) {
        return Vec::new();
    }
    parse_ip(path, value, strict).1
}

/// Warnings about an address that is accepted but not in canonical form (`GetWarningsForIP`).
pub fn ip_warnings(path: &Path, value: &str) -> Vec<String> {
    let Some(ip) = parse_sloppy(value) else {
        return Vec::new();
    };
    if has_leading_zeros(value) || is_mapped(ip) {
        return vec![format!(
            "{path}: non-standard IP address {} will be considered invalid in a future Kubernetes \
             release: use {}",
            quote(value),
            quote(&canonical(ip))
        )];
    }
    if ip.is_ipv6() && canonical(ip) != value {
        return vec![format!(
            "{path}: IPv6 address {} should be in RFC 5952 canonical format ({})",
            quote(value),
            quote(&canonical(ip))
        )];
    }
    Vec::new()
}

/// An address block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The address as written, bits beyond the prefix included.
    pub ip: IpAddr,
    /// The length of the prefix in bits, of 32 or 128.
    pub bits: u8,
}

impl Cidr {
    /// Reads an address and a prefix length; both may have leading zeros.
    pub fn parse_sloppy(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let ip = match parse_v4(address) {
            Some(ip) => IpAddr::V4(ip),
            None => IpAddr::V6(parse_v6(address)?),
        };
        let width = if ip.is_ipv4() { 32 } else { 128 };
        let bits = decimal(bits, width)?.try_into().ok()?;
        Some(Self { ip, bits })
    }

    /// The first address of the block.
    pub fn network(self) -> IpAddr {
        match self.ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.bits))
                    .unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
            }
        }
    }

    /// The block as Go's `net.IPNet` prints it, whose prefix of a mapped IPv4 network counts from 96.
    pub fn canonical(self) -> String {
        let network = self.network();
        if is_mapped(network) && self.bits >= 96 {
            return format!("{}/{}", canonical(network), self.bits - 96);
        }
        format!("{}/{}", canonical(network), self.bits)
    }

    /// Whether the address has no bits beyond the prefix.
    pub fn is_masked(self) -> bool {
        self.ip == self.network()
    }
}

fn parse_cidr(path: &Path, value: &str, strict: bool) -> (Option<Cidr>, ErrorList) {
    let Some(cidr) = Cidr::parse_sloppy(value) else {
        let detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
        return (None, vec![Error::invalid(path, value, detail)]);
    };
    let detail = if !strict {
        None
    } else if cidr_has_leading_zeros(value) {
        Some("must not have leading 0s in IP or prefix length")
    } else if is_mapped(cidr.ip) {
        Some("must not have an IPv4-mapped IPv6 address")
    } else if !cidr.is_masked() {
        Some("must not have bits set beyond the prefix length")
    } else {
        None
    };
    let errors = detail.map(|detail| Error::invalid(path, value, detail));
    (Some(cidr), errors.into_iter().collect())
}

fn cidr_has_leading_zeros(value: &str) -> bool {
    let (address, bits) = value.split_once('/').unwrap_or((value, ""));
    has_leading_zeros(address) || (bits.len() > 1 && bits.starts_with('0'))
}

/// A block in canonical form (`IsValidCIDR`).
pub fn cidr(path: &Path, value: &str) -> ErrorList {
    let (parsed, mut errors) = parse_cidr(path, value, true);
    if let Some(parsed) = parsed
        && errors.is_empty()
    {
        errors.extend(not_canonical(path, value, &parsed.canonical()));
    }
    errors
}

/// A block in a field that is older than strict validation (`IsValidCIDRForLegacyField`).
pub fn legacy_cidr(path: &Path, value: &str, strict: bool, old: &[&str]) -> ErrorList {
    if old.contains(&value) {
        return Vec::new();
    }
    parse_cidr(path, value, strict).1
}

/// Warnings about a block that is accepted but not in canonical form (`GetWarningsForCIDR`).
pub fn cidr_warnings(path: &Path, value: &str) -> Vec<String> {
    let Some(cidr) = Cidr::parse_sloppy(value) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    if !cidr.is_masked() {
        let width = if cidr.ip.is_ipv4() { 32 } else { 128 };
        warnings.push(format!(
            "{path}: CIDR value {} is ambiguous in this context (should be {} or {}?)",
            quote(value),
            quote(&cidr.canonical()),
            quote(&format!("{}/{width}", canonical(cidr.ip)))
        ));
    }
    if cidr_has_leading_zeros(value) || is_mapped(cidr.ip) {
        warnings.push(format!(
            "{path}: non-standard CIDR value {} will be considered invalid in a future Kubernetes \
             release: use {}",
            quote(value),
            quote(&cidr.canonical())
        ));
    }
    if warnings.is_empty() && cidr.ip.is_ipv6() && cidr.canonical() != value {
        warnings.push(format!(
            "{path}: IPv6 CIDR value {} should be in RFC 5952 canonical format ({})",
            quote(value),
            quote(&cidr.canonical())
        ));
    }
    warnings
}

/// An address with the length of its network's prefix (`IsValidInterfaceAddress`).
pub fn interface_address(path: &Path, value: &str) -> ErrorList {
    let Some(cidr) = Cidr::parse_sloppy(value) else {
        let detail = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)";
        return vec![Error::invalid(path, value, detail)];
    };
    let mut bits = i16::from(cidr.bits);
    if is_mapped(cidr.ip) && bits > 32 {
        // Upstream quirk, kept: a prefix from 33 to 95 gives a negative length in the message.
        bits -= 96;
    }
    let expected = format!("{}/{bits}", canonical(cidr.ip));
    not_canonical(path, value, &expected).into_iter().collect()
}

#[cfg(test)]
mod tests;
