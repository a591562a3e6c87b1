//! How the server reaches a webhook.
//!
//! Source: apiserver `util/webhook`.

use object::names;

use super::node::{Errors, Node};

const FORM: &str = "; desired format: https://host[/path]";

/// A URL with nothing but a host and a path.
pub(crate) fn url(errors: &mut Errors, url: &Node<'_>) {
    let text = url.text();
    if let Some(problem) = malformed(text) {
        let shown = object::field::quote(text);
        let detail = format!("url must be a valid URL: parse {shown}: {problem}{FORM}");
        return errors.required(url, &detail);
    }
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (scheme, rest) = split_scheme(text);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = rest
        .strip_prefix("//")
        .map_or("", |rest| rest.split('/').next().unwrap_or_default());
    let (user, host) = authority
        .rsplit_once('@')
        .map_or((None, authority), |(user, host)| (Some(user), host));
    let scheme = scheme.to_lowercase();
    if scheme != "https" {
        let detail = format!("'https' is the only allowed URL scheme{FORM}");
        errors.invalid(url, scheme, detail);
    }
    if host.is_empty() {
        errors.invalid(url, "", format!("host must be specified{FORM}"));
    }
    if let Some(user) = user {
        errors.invalid(url, user, "user information is not permitted in the URL");
    }
    if !fragment.is_empty() {
        errors.invalid(url, fragment, "fragments are not permitted in the URL");
    }
    if !query.is_empty() {
        errors.invalid(url, query, "query parameters are not permitted in the URL");
    }
}

fn split_scheme(text: &str) -> (&str, &str) {
    match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme, rest),
        _ => ("", text),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// The commonest complaints of Go's `url.Parse`.
fn malformed(text: &str) -> Option<String> {
    if text.chars().any(|c| c.is_ascii_control()) {
        return Some("net/url: invalid control character in URL".to_owned());
    }
    if text.starts_with(':') {
        return Some("missing protocol scheme".to_owned());
    }
    let (scheme, rest) = split_scheme(text);
    let first = rest.split('/').next().unwrap_or_default();
    if scheme.is_empty() && !rest.starts_with('/') && first.contains(':') {
        return Some("first path segment in URL cannot contain colon".to_owned());
    }
    let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if let Some(bad) = host
        .chars()
        .find(|c| *c == ' ' || "<>\"\\^`{}|".contains(*c))
    {
        return Some(format!(
            "invalid character {} in host name",
            object::field::quote(&bad.to_string())
        ));
    }
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    if !host.ends_with(']') && !port.chars().all(|c| c.is_ascii_digit()) {
        let shown = object::field::quote(&format!(":{port}"));
        return Some(format!("invalid port {shown} after host"));
    }
    None
}

/// A service in the cluster; name and namespace are given by the caller.
pub(crate) fn service(
    errors: &mut Errors,
    service: &Node<'_>,
    name: &Node<'_>,
    namespace: &Node<'_>,
) {
    errors.present(name);
    errors.present(namespace);
    let port = service.get("port");
    let problems = names::port_number(port.int());
    if !problems.is_empty() {
        let detail = format!("port is not valid: {}", problems.join(", "));
        errors.invalid(&port, port.int(), detail);
    }
    let path = service.get("path");
    let text = path.text();
    match text {
        "" | "/" => return,
        "//" => return errors.invalid(&path, text, "segment[0] may not be empty"),
        _ => {}
    }
    if !text.starts_with('/') {
        errors.invalid(&path, text, "must start with a '/'");
    }
    let rest = text.get(1..).unwrap_or_default();
    for (index, step) in rest
        .strip_suffix('/')
        .unwrap_or(rest)
        .split('/')
        .enumerate()
    {
        if step.is_empty() {
            errors.invalid(&path, text, format!("segment[{index}] may not be empty"));
            continue;
        }
        for failure in names::dns1123_subdomain(step) {
            errors.invalid(&path, text, format!("segment[{index}]: {failure}"));
        }
    }
}
