//! URLs. Source: sprig `url.go`, net/url.

use super::args::{map, text};
use super::{Result, Row, row};
use crate::function::{CallError, Param, Signature};
use crate::strconv::quote;
use crate::text::{Str, find, lossy};
use crate::value::{Map, Value};

pub(super) fn functions() -> Vec<Row> {
    vec![
        row("urlParse", Signature::new(&[Param::String]), |_, args| {
            let url = Url::parse(text(args, 0))
                .map_err(|error| CallError::new(format!("unable to parse url: {error}")))?;
            let host_name = url.host_name().to_vec();
            let entries = [
                ("scheme", url.scheme),
                ("host", url.host),
                ("hostname", host_name),
                ("path", url.path),
                ("query", url.query),
                ("opaque", url.opaque),
                ("fragment", url.fragment),
                (
                    "userinfo",
                    url.user.map(|user| user.text()).unwrap_or_default(),
                ),
            ];
            let entries = entries
                .into_iter()
                .map(|(name, part)| (Str::from(name), Value::string(part)));
            Ok(Value::Map(Map::from_entries(entries)))
        }),
        row("urlJoin", Signature::new(&[Param::Map]), |_, args| {
            join(&map(args, 0))
        }),
    ]
}

/// What of a URL is escaped: the part it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

/// Whether a byte has to be escaped in a part. Source: net/url `shouldEscape`.
fn must_escape(byte: u8, part: Part) -> bool {
    match byte {
        b'a'..=b'z'
        | b'A'..=b'Z'
        | b'0'..=b'9'
        | b'-'
        | b'_'
        | b'.'
        | b'~'
        | b'$'
        | b'&'
        | b'+'
        | b','
        | b'='
        | b';' => false,
        b'!' | b'(' | b')' | b'*' => !matches!(part, Part::Host | Part::Zone | Part::Fragment),
        b'\'' | b'[' | b']' | b'<' | b'>' | b'"' => !matches!(part, Part::Host | Part::Zone),
        b'/' | b'@' | b'?' => match part {
            Part::Path => byte == b'?',
            Part::Fragment => false,
            Part::User | Part::Host | Part::Zone => true,
        },
        b':' => part == Part::User,
        _ => true,
    }
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if must_escape(*byte, part) {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(*byte);
        }
    }
    out
}

type Parsed<T> = std::result::Result<T, String>;

fn quoted(text: &[u8]) -> String {
    lossy(&quote(text)).into_owned()
}

fn unescape(text: &[u8], part: Part) -> Parsed<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let bad = |sequence: &[u8]| Err(format!("invalid URL escape {}", quoted(sequence)));
    let mut rest = text;
    while let Some(byte) = rest.first().copied() {
        if byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && byte < 0x80 && must_escape(byte, part) {
                return Err(format!(
                    "invalid character {} in host name",
                    quoted(&[byte])
                ));
            }
            out.push(byte);
            rest = &rest[1..];
            continue;
        }
        let digits = rest.get(1..3).and_then(|digits| {
            let digit = |at: usize| char::from(digits[at]).to_digit(16);
            Some((digit(0)? as u8, digit(1)? as u8))
        });
        let Some((high, low)) = digits else {
            return bad(&rest[..rest.len().min(3)]);
        };
        let value = high << 4 | low;
        let is_percent = rest.starts_with(b"%25");
        // In host names only bytes beyond ASCII may be escaped; in zones what a host could not hold.
        let refused = match part {
            Part::Host => high < 8 && !is_percent,
            Part::Zone => !is_percent && value != b' ' && must_escape(value, Part::Host),
            _ => false,
        };
        if refused {
            return bad(&rest[..3]);
        }
        out.push(value);
        rest = &rest[3..];
    }
    Ok(out)
}

/// User name and password.
struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl User {
    fn text(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Part::User);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend(escape(password, Part::User));
        }
        out
    }
}

#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

/// An address, split as Go's `net/url` splits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Before the first colon, in small letters.
    pub scheme: String,
    /// The user's name, unescaped.
    pub user: Option<String>,
    /// The host, with its port.
    pub host: String,
    /// The path, unescaped.
    pub path: String,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// In Go's words, with the address.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let url = Url::parse(text.as_bytes())?;
        Ok(Self {
            scheme: lossy(&url.scheme).into_owned(),
            user: url.user.map(|user| lossy(&user.name).into_owned()),
            host: lossy(&url.host).into_owned(),
            path: lossy(&url.path).into_owned(),
        })
    }
}

/// `text` before and after the first `separator`; all before if there is none.
fn cut<'a>(text: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    match find(text, separator) {
        Some(at) => (&text[..at], &text[at + separator.len()..]),
        None => (text, b""),
    }
}

fn scheme(text: &[u8]) -> Parsed<(&[u8], &[u8])> {
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok((b"", text))
}

impl Url {
    fn parse(text: &[u8]) -> Parsed<Url> {
        let (before, fragment) = cut(text, b"#");
        let failed = |shown: &[u8], error: String| format!("parse {}: {error}", quoted(shown));
        let mut url = Url::parse_before_fragment(before).map_err(|error| failed(before, error))?;
        url.fragment = unescape(fragment, Part::Fragment).map_err(|error| failed(text, error))?;
        Ok(url)
    }

    fn parse_before_fragment(text: &[u8]) -> Parsed<Url> {
        if text.iter().any(|byte| *byte < b' ' || *byte == 0x7F) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Url::default();
        if text == b"*" {
            url.path = b"*".to_vec();
            return Ok(url);
        }
        let (scheme, mut rest) = scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let query;
        (rest, query) = cut(rest, b"?");
        url.query = query.to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b"/").0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        if (!url.scheme.is_empty() || !rest.starts_with(b"///")) && rest.starts_with(b"//") {
            let authority = &rest[2..];
            let end = memchr::memchr(b'/', authority).unwrap_or(authority.len());
            url.set_authority(&authority[..end])?;
            rest = &authority[end..];
        }
        url.path = unescape(rest, Part::Path)?;
        Ok(url)
    }

    fn set_authority(&mut self, authority: &[u8]) -> Parsed<()> {
        let at = memchr::memrchr(b'@', authority);
        self.host = host(&self.scheme, &authority[at.map_or(0, |at| at + 1)..])?;
        let Some(at) = at else {
            return Ok(());
        };
        let user = &authority[..at];
        let allowed =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
        if !user.iter().all(allowed) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        let (name, password) = cut(user, b":");
        let has_password = user.contains(&b':');
        self.user = Some(User {
            name: unescape(name, Part::User)?,
            password: if has_password {
                Some(unescape(password, Part::User)?)
            } else {
                None
            },
        });
        Ok(())
    }

    /// The host without port and brackets.
    fn host_name(&self) -> &[u8] {
        let host = &self.host[..];
        let end = match memchr::memrchr(b':', host) {
            Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) => colon,
            _ => host.len(),
        };
        let name = &host[..end];
        match name
            .strip_prefix(b"[")
            .and_then(|name| name.strip_suffix(b"]"))
        {
            Some(inner) => inner,
            None => name,
        }
    }

    /// The URL as text. Source: net/url `URL.String`.
    fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            self.append_hierarchy(&mut out);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Part::Fragment));
        }
        out
    }

    fn append_hierarchy(&self, out: &mut Vec<u8>) {
        let has_authority = !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some();
        if has_authority {
            if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                out.extend_from_slice(b"//");
            }
            if let Some(user) = &self.user {
                out.extend(user.text());
                out.push(b'@');
            }
            out.extend(escape(&self.host, Part::Host));
        }
        let path = if self.path == b"*" {
            self.path.clone()
        } else {
            escape(&self.path, Part::Path)
        };
        if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() && cut(&path, b"/").0.contains(&b':') {
            out.extend_from_slice(b"./");
        }
        out.extend(path);
    }
}

fn check_port(port: &[u8]) -> Parsed<()> {
    let good = match port.split_first() {
        None => true,
        Some((colon, digits)) => *colon == b':' && digits.iter().all(u8::is_ascii_digit),
    };
    if good {
        Ok(())
    } else {
        Err(format!("invalid port {} after host", quoted(port)))
    }
}

/// Checks and unescapes a host with its port.
fn host(scheme: &[u8], host: &[u8]) -> Parsed<Vec<u8>> {
    match memchr::memrchr(b'[', host) {
        Some(0) => return literal_host(host),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    if let Some(first) = memchr::memchr(b':', host) {
        let web = matches!(scheme, b"http" | b"https");
        let colon = if web {
            first
        } else {
            memchr::memrchr(b':', host).unwrap_or(first)
        };
        check_port(&host[colon..])?;
    }
    unescape(host, Part::Host)
}

/// An address in brackets.
fn literal_host(host: &[u8]) -> Parsed<Vec<u8>> {
    let Some(close) = memchr::memrchr(b']', host) else {
        return Err("missing ']' in host".to_owned());
    };
    let port = &host[close + 1..];
    check_port(port)?;
    let inside = &host[1..close];
    let address = match find(inside, b"%25") {
        Some(zone) => [
            unescape(&inside[..zone], Part::Host)?,
            unescape(&inside[zone..], Part::Zone)?,
        ]
        .concat(),
        None => unescape(inside, Part::Host)?,
    };
    let shown = lossy(&address);
    let plain = shown.split('%').next().unwrap_or_default();
    match plain.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V6(_)) => {}
        Ok(std::net::IpAddr::V4(_)) => return Err("invalid IP-literal".to_owned()),
        Err(_) => {
            return Err(format!(
                "invalid host: ParseAddr({}): unable to parse IP",
                quoted(address.as_slice())
            ));
        }
    }
    let port = unescape(port, Part::Host)?;
    Ok([b"[", &address[..], b"]", &port[..]].concat())
}

/// A URL of the parts that `urlParse` gives.
fn join(parts: &Map) -> Result {
    let part = |name: &str| -> std::result::Result<Vec<u8>, CallError> {
        match parts.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(text.as_bytes().to_vec()),
            Some(Value::Nil) => Err(CallError::new(super::NIL_DEREFERENCE)),
            Some(other) => Err(CallError::new(format!(
                "unable to parse {name} key, must be of type string, but {} found",
                other.kind().name()
            ))),
        }
    };
    let mut url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        user: None,
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let whole = [b"proto://", &user[..], b"@host"].concat();
        let parsed = Url::parse(&whole).map_err(|error| {
            CallError::new(format!("unable to parse userinfo in dict: {error}"))
        })?;
        url.user = parsed.user;
    }
    Ok(Value::string(url.text()))
}
