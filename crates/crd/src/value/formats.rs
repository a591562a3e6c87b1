//! The formats of texts that the API server checks.
//!
//! Source: kube-openapi `pkg/validation/strfmt`, govalidator, apiextensions-apiserver
//! `pkg/apiserver/validation/formats.go` (Kubernetes 1.35).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::cel::time;
use crate::cel::url;
use crate::goregex;

/// All formats that CRDs of Kubernetes 1.35 support, without dashes.
const SUPPORTED: &[&str] = &[
    "bsonobjectid",
    "uri",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "byte",
    "password",
    "date",
    "duration",
    "datetime",
    "k8sshortname",
    "k8slongname",
];

fn normalized(format: &str) -> String {
    format.replace('-', "")
}

/// Whether a format means something in a CRD; others are ignored.
pub fn is_supported(format: &str) -> bool {
    SUPPORTED.contains(&normalized(format).as_str())
}

fn matches(pattern: &str, text: &str) -> bool {
    goregex::compile(pattern).is_ok_and(|regex| regex.is_match(text))
}

/// Whether `text` has the format; true for a format without a check.
pub fn validates(format: &str, text: &str) -> bool {
    match normalized(format).as_str() {
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "uri" => url::Url::parse_request_uri(text).is_ok(),
        "email" => is_email(text),
        "hostname" => is_hostname(text),
        "ipv4" => is_sloppy_ipv4(text) || text.contains('.') && text.parse::<Ipv6Addr>().is_ok(),
        "ipv6" => text.contains(':') && text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => is_mac(text),
        "uuid" => is_uuid(text, None),
        "uuid3" => is_uuid(text, Some('3')),
        "uuid4" => is_uuid(text, Some('4')),
        "uuid5" => is_uuid(text, Some('5')),
        "isbn" => is_isbn10(text) || is_isbn13(text),
        "isbn10" => is_isbn10(text),
        "isbn13" => is_isbn13(text),
        "creditcard" => is_credit_card(text),
        "ssn" => text.len() == 11 && matches(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$", text),
        "hexcolor" => matches("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", text),
        "rgbcolor" => matches(
            r"^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$",
            text,
        ),
        "byte" => matches(
            "^(?:[A-Za-z0-9+\\/]{4})*(?:[A-Za-z0-9+\\/]{2}==|[A-Za-z0-9+\\/]{3}=|[A-Za-z0-9+\\/]{4})$",
            text,
        ),
        "date" => time::Timestamp::parse_date(text).is_some(),
        "duration" => time::parse_open_api_duration(text).is_some(),
        "datetime" => is_date_time(text),
        "k8sshortname" => is_short_name(text),
        "k8slongname" => text.len() <= 253 && text.split('.').all(is_name_part),
        _ => true,
    }
}

fn is_name_part(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(is_inner)
        && bytes.last().copied().is_some_and(is_inner)
        && bytes.iter().all(|&byte| is_inner(byte) || byte == b'-')
}

fn is_short_name(text: &str) -> bool {
    text.len() <= 63 && is_name_part(text)
}

/// An IPv4 address in which leading zeros are allowed, as old Go allowed them.
fn is_sloppy_ipv4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 4
        && parts.iter().all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && part.parse::<u64>().is_ok_and(|number| number <= 255)
        })
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let limit = if is_sloppy_ipv4(address) {
        32
    } else if address.parse::<Ipv6Addr>().is_ok() {
        128
    } else {
        return false;
    };
    !bits.is_empty()
        && bits.bytes().all(|byte| byte.is_ascii_digit())
        && bits.parse::<u32>().is_ok_and(|bits| bits <= limit)
}

fn is_mac(text: &str) -> bool {
    let groups = |separator: char, size: usize| {
        let parts: Vec<&str> = text.split(separator).collect();
        let is_right = parts
            .iter()
            .all(|part| part.len() == size && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
        is_right.then_some(parts.len() * size / 2)
    };
    [groups(':', 2), groups('-', 2), groups('.', 4)]
        .into_iter()
        .flatten()
        .any(|bytes| matches!(bytes, 6 | 8 | 20))
}

fn is_uuid(text: &str, version: Option<char>) -> bool {
    let third = match version {
        Some(version) => format!("{version}[0-9a-f]{{3}}"),
        None => "[0-9a-f]{4}".to_owned(),
    };
    let fourth = match version {
        Some('4' | '5') => "[89ab][0-9a-f]{3}",
        _ => "[0-9a-f]{4}",
    };
    matches(
        &format!("(?i)^[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{third}-?{fourth}-?[0-9a-f]{{12}}$"),
        text,
    )
}

fn is_isbn10(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let bytes = digits.as_bytes();
    if bytes.len() != 10 || !bytes[..9].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let mut sum: u32 = bytes[..9]
        .iter()
        .zip(1..)
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    sum += match bytes[9] {
        b'X' => 100,
        byte if byte.is_ascii_digit() => u32::from(byte - b'0') * 10,
        _ => return false,
    };
    sum.is_multiple_of(11)
}

fn is_isbn13(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let bytes = digits.as_bytes();
    if bytes.len() != 13 || !bytes.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = bytes[..12]
        .iter()
        .enumerate()
        .map(|(index, byte)| u32::from(byte - b'0') * if index % 2 == 0 { 1 } else { 3 })
        .sum();
    (10 - sum % 10) % 10 == u32::from(bytes[12] - b'0')
}

fn is_credit_card(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if !matches(
        r"^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11}|6[27][0-9]{14})$",
        &digits,
    ) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0');
            match (index % 2, digit * 2) {
                (0, _) => digit,
                (_, double) if double > 9 => double - 9,
                (_, double) => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_hostname(text: &str) -> bool {
    let pattern = r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$";
    matches(pattern, text) && text.len() <= 255 && text.split('.').all(|part| part.len() <= 63)
}

/// `name <local@domain>` or `local@domain`, as Go's `net/mail` reads it, without comments and groups.
fn is_email(text: &str) -> bool {
    let text = text.trim();
    let address = match text
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    {
        Some((_, address)) => address,
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_atom = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| {
                !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
            })
    };
    let is_dotted = |text: &str| text.split('.').all(is_atom);
    let is_quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let is_literal = domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|literal| literal.parse::<Ipv4Addr>().is_ok());
    (is_dotted(local) || is_quoted) && (is_dotted(domain) || is_literal)
}

fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(clock)) = (parts.next(), parts.next()) else {
        return false;
    };
    if time::Timestamp::parse_date(date).is_none() {
        return false;
    }
    let pattern = "^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$";
    let Ok(regex) = goregex::compile(pattern) else {
        return false;
    };
    regex
        .captures(clock)
        .is_some_and(|found| &found[1] <= "23" && &found[2] <= "59" && &found[3] <= "59")
}
