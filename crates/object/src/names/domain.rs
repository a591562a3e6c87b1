//! Names that begin with a domain, with errors about the field they stand in.

use super::{dns1123_label, dns1123_subdomain, qualified_name, regex_message};
use crate::field::{Error, ErrorList, Path};

/// A DNS subdomain of at least three labels (`IsFullyQualifiedName`).
pub fn fully_qualified_name(path: &Path, name: &str) -> ErrorList {
    if name.is_empty() {
        return vec![Error::required(path, "")];
    }
    let errors = dns1123_subdomain(name);
    if !errors.is_empty() {
        return vec![Error::invalid(path, name, errors.join(","))];
    }
    if name.split('.').count() < 3 {
        let detail = "should be a domain with at least three segments separated by dots";
        return vec![Error::invalid(path, name, detail)];
    }
    Vec::new()
}

/// A DNS subdomain of at least two labels, with or without a dot at its end
/// (`IsFullyQualifiedDomainName`).
pub fn fully_qualified_domain_name(path: &Path, name: &str) -> ErrorList {
    if name.is_empty() {
        return vec![Error::required(path, "")];
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let errors = dns1123_subdomain(name);
    if !errors.is_empty() {
        return vec![Error::invalid(path, name, errors.join(","))];
    }
    if name.split('.').count() < 2 {
        let detail = "should be a domain with at least two segments separated by dots";
        return vec![Error::invalid(path, name, detail)];
    }
    for label in name.split('.') {
        let errors = dns1123_label(label);
        if !errors.is_empty() {
            return vec![Error::invalid(path, label, errors.join(","))];
        }
    }
    Vec::new()
}

/// A DNS subdomain, a slash and an HTTP path (`IsDomainPrefixedPath`).
pub fn domain_prefixed_path(path: &Path, value: &str) -> ErrorList {
    if value.is_empty() {
        return vec![Error::required(path, "")];
    }
    let Some((host, rest)) = value
        .split_once('/')
        .filter(|(host, rest)| !host.is_empty() && !rest.is_empty())
    else {
        let detail = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        return vec![Error::invalid(path, value, detail)];
    };
    let mut errors: ErrorList = dns1123_subdomain(host)
        .into_iter()
        .map(|text| Error::invalid(path, host, text))
        .collect();
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !rest.bytes().all(is_good) {
        let message = regex_message("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+", &[]);
        errors.push(Error::invalid(path, rest, message));
    }
    errors
}

/// A qualified name with its prefix (`IsDomainPrefixedKey`).
pub fn domain_prefixed_key(path: &Path, key: &str) -> ErrorList {
    if key.is_empty() {
        return vec![Error::required(path, "")];
    }
    let errors: ErrorList = qualified_name(key)
        .into_iter()
        .map(|text| Error::invalid(path, key, text))
        .collect();
    if errors.is_empty() && !key.contains('/') {
        let detail = "must be a domain-prefixed key (such as \"acme.io/foo\")";
        return vec![Error::invalid(path, key, detail)];
    }
    errors
}
