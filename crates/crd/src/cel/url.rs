//! URLs as Go's `net/url` reads them.

use std::collections::BTreeMap;

/// A parsed URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Url {
    /// In lower case; empty if absent.
    pub scheme: String,
    /// Host and port.
    pub host: String,
    /// The path, decoded.
    pub path: String,
    /// The path as it was written, if that is not the usual encoding.
    raw_path: String,
    raw_query: String,
    fragment: String,
    user: Option<String>,
    opaque: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Query,
    Other,
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn unescape(text: &str, part: Part) -> Result<String, String> {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let pair = bytes
                    .get(at + 1..at + 3)
                    .filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
                let Some(pair) = pair else {
                    let end = (at + 3).min(bytes.len());
                    let shown = String::from_utf8_lossy(&bytes[at..end]).into_owned();
                    return Err(format!(
                        "invalid URL escape {}",
                        object::field::quote(&shown)
                    ));
                };
                let hex = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default() as u8;
                let value = hex(pair[0]) << 4 | hex(pair[1]);
                if part == Part::Host && value < 0x80 && value != b'%' {
                    let shown = String::from_utf8_lossy(&bytes[at..at + 3]).into_owned();
                    return Err(format!(
                        "invalid URL escape {}",
                        object::field::quote(&shown)
                    ));
                }
                out.push(value);
                at += 3;
            }
            b'+' if part == Part::Query => {
                out.push(b' ');
                at += 1;
            }
            byte => {
                let is_allowed = is_unreserved(byte) || b"!$&'()*+,;=:[]<>\"".contains(&byte);
                if part == Part::Host && byte < 0x80 && !is_allowed {
                    let shown = object::field::quote(&char::from(byte).to_string());
                    return Err(format!("invalid character {shown} in host name"));
                }
                out.push(byte);
                at += 1;
            }
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// The encoding that Go gives a path.
fn escape_path(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if is_unreserved(byte) || b"$&+,/:;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn scheme_of(text: &str) -> Result<(&str, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => return Ok(("", text)),
        }
    }
    Ok(("", text))
}

fn check_port(port: &str) -> Result<(), String> {
    let is_port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    if is_port {
        Ok(())
    } else {
        Err(format!(
            "invalid port {} after host",
            object::field::quote(port)
        ))
    }
}

fn parse_host(host: &str) -> Result<String, String> {
    if host.starts_with('[') {
        let Some(end) = host.rfind(']') else {
            return Err("missing ']' in host".to_owned());
        };
        check_port(&host[end + 1..])?;
        return unescape(host, Part::Host);
    }
    if let Some(colon) = host.rfind(':') {
        check_port(&host[colon..])?;
    }
    unescape(host, Part::Host)
}

impl Url {
    /// Reads an absolute URL or path, as `url.ParseRequestURI`. The error is Go's text.
    pub fn parse_request_uri(text: &str) -> Result<Self, String> {
        Self::read(text, true).map_err(|reason| wrap(text, &reason))
    }

    /// Reads a URL or reference, as `url.Parse`. The error is Go's text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = Self::read(rest, false).map_err(|reason| wrap(rest, &reason))?;
        url.fragment = unescape(fragment, Part::Other).map_err(|reason| wrap(text, &reason))?;
        Ok(url)
    }

    fn read(text: &str, via_request: bool) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if text.is_empty() && via_request {
            return Err("empty url".to_owned());
        }
        let mut url = Self::default();
        if text == "*" {
            url.path = "*".to_owned();
            return Ok(url);
        }
        let (scheme, mut rest) = scheme_of(text)?;
        url.scheme = scheme.to_lowercase();
        if let Some((before, query)) = rest.split_once('?') {
            url.raw_query = query.to_owned();
            rest = before;
        }
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_owned();
                return Ok(url);
            }
            if via_request {
                return Err("invalid URI for request".to_owned());
            }
            let segment = rest.split('/').next().unwrap_or_default();
            if segment.contains(':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let is_authority = rest.starts_with("//")
            && (!url.scheme.is_empty() || !via_request && !rest.starts_with("///"));
        if is_authority {
            let after = &rest[2..];
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at(end);
            rest = path;
            match authority.rsplit_once('@') {
                Some((user, host)) => {
                    url.host = parse_host(host)?;
                    url.user = Some(unescape(user, Part::Other)?);
                }
                None => url.host = parse_host(authority)?,
            }
        }
        url.path = unescape(rest, Part::Path)?;
        if escape_path(&url.path) != rest {
            url.raw_path = rest.to_owned();
        }
        Ok(url)
    }

    /// The user information, decoded.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// What follows `#`, decoded.
    pub fn fragment(&self) -> &str {
        &self.fragment
    }

    /// What follows `?`.
    pub fn raw_query(&self) -> &str {
        &self.raw_query
    }

    /// The host without its port and brackets.
    pub fn hostname(&self) -> &str {
        self.split_host().0
    }

    /// The port; empty if absent.
    pub fn port(&self) -> &str {
        self.split_host().1
    }

    fn split_host(&self) -> (&str, &str) {
        let host = self.host.as_str();
        if let Some(inner) = host.strip_prefix('[')
            && let Some((name, after)) = inner.split_once(']')
        {
            return (name, after.strip_prefix(':').unwrap_or_default());
        }
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
            _ => (host, ""),
        }
    }

    /// The path, encoded.
    pub fn escaped_path(&self) -> String {
        let is_valid = |text: &str| {
            text.bytes()
                .all(|byte| is_unreserved(byte) || b"!$&'()*+,;=:@[]/%".contains(&byte))
        };
        if !self.raw_path.is_empty()
            && is_valid(&self.raw_path)
            && unescape(&self.raw_path, Part::Path).is_ok_and(|path| path == self.path)
        {
            return self.raw_path.clone();
        }
        if self.path == "*" {
            return "*".to_owned();
        }
        escape_path(&self.path)
    }

    /// The parameters of the query; malformed ones are left out.
    pub fn query(&self) -> BTreeMap<String, Vec<String>> {
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in self.raw_query.split('&') {
            if pair.is_empty() || pair.contains(';') {
                continue;
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let (Ok(key), Ok(value)) = (unescape(key, Part::Query), unescape(value, Part::Query))
            {
                parameters.entry(key).or_default().push(value);
            }
        }
        parameters
    }
}

fn wrap(text: &str, reason: &str) -> String {
    format!("parse {}: {reason}", object::field::quote(text))
}
