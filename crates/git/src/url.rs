//! The address of a repository.

use std::fmt;

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http://`
    Http,
    /// `https://`
    Https,
    /// `ssh://`
    Ssh,
}

impl Scheme {
    /// The name, as in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ssh => "ssh",
        }
    }

    /// The port where none is given.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Ssh => 22,
        }
    }
}

/// The address of a repository. Printed without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct RepositoryUrl {
    /// How it is reached.
    pub scheme: Scheme,
    /// Who asks, if the address says so.
    pub user: Option<String>,
    /// The password in the address.
    pub password: Option<String>,
    /// The host, an IPv6 address without brackets.
    pub host: String,
    /// The port, if the address says so.
    pub port: Option<u16>,
    /// The path, with its first slash.
    pub path: String,
}

impl RepositoryUrl {
    /// Reads an address of the form `<scheme>://[user[:password]@]host[:port]/path`, or `[user@]host:path` for SSH.
    ///
    /// # Errors
    /// Another form or another scheme: the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(char::is_control) {
            return Err("invalid control character in URL".to_owned());
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Self::scp(text).ok_or_else(|| "missing protocol scheme".to_owned());
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "ssh" | "git+ssh" | "ssh+git" => Scheme::Ssh,
            other => return Err(format!("unsupported scheme \"{other}\"")),
        };
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
        {
            Some((user, "")) => (Some(decoded(user)?), None),
            Some((user, password)) => (Some(decoded(user)?), Some(decoded(password)?)),
            None => (None, None),
        };
        let (host, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match host.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (host, None),
            },
        };
        let port = match port {
            None | Some("") => None,
            Some(port) => Some(
                port.parse()
                    .map_err(|_| format!("invalid port \":{port}\" after host"))?,
            ),
        };
        // A host or path that starts with a dash could be taken for an option of a program.
        if host.is_empty() || host.starts_with('-') {
            return Err("no host in request URL".to_owned());
        }
        Ok(Self {
            scheme,
            user,
            password,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }

    fn scp(text: &str) -> Option<Self> {
        let (login, path) = text.split_once(':')?;
        let (user, host) = match login.split_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, login),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_host = !host.is_empty()
            && !host.starts_with('-')
            && host.chars().all(is_name)
            && !path.is_empty()
            && !path.starts_with([':', '\\']);
        is_host.then(|| Self {
            scheme: Scheme::Ssh,
            user,
            password: None,
            host: host.to_owned(),
            port: None,
            path: path.to_owned(),
        })
    }

    /// The port that is connected to.
    pub fn effective_port(&self) -> u16 {
        self.port.unwrap_or(self.scheme.default_port())
    }

    /// Whether credentials for one may be shown to the other.
    pub fn same_host(&self, other: &Self) -> bool {
        let is_ssh = |url: &Self| url.scheme == Scheme::Ssh;
        self.host.eq_ignore_ascii_case(&other.host)
            && is_ssh(self) == is_ssh(other)
            && !(self.scheme == Scheme::Https && other.scheme == Scheme::Http)
    }

    /// `<scheme>://host[:port]`
    pub fn origin(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match self.port {
            Some(port) => format!("{}://{host}:{port}", self.scheme.as_str()),
            None => format!("{}://{host}", self.scheme.as_str()),
        }
    }

    /// The address without user and password, as requests name it.
    pub fn without_login(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }

    /// Where `relative`, such as `../other.git`, leads from here.
    pub fn join(&self, relative: &str) -> Self {
        let mut parts: Vec<&str> = self
            .path
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        Self {
            path: format!("/{}", parts.join("/")),
            ..self.clone()
        }
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let invalid = || "net/url: invalid userinfo".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [
                rest.next().ok_or_else(invalid)?,
                rest.next().ok_or_else(invalid)?,
            ];
            let digits = std::str::from_utf8(&digits).map_err(|_| invalid())?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| invalid())?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

impl fmt::Display for RepositoryUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = (self.scheme.as_str(), self.without_login());
        let rest = rest.split_once("://").map_or("", |(_, rest)| rest);
        match (&self.user, &self.password) {
            (None, _) => write!(formatter, "{scheme}://{rest}"),
            (Some(user), None) => write!(formatter, "{scheme}://{user}@{rest}"),
            (Some(user), Some(_)) => write!(formatter, "{scheme}://{user}:***@{rest}"),
        }
    }
}

impl fmt::Debug for RepositoryUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_passwords_not_shown() {
        let url = RepositoryUrl::parse("https://me:p%40ss@example.com:8443/a/b.git").unwrap();
        assert_eq!(
            (url.password.as_deref(), url.effective_port()),
            (Some("p@ss"), 8443)
        );
        assert_eq!(
            format!("{url:?}"),
            "https://me:***@example.com:8443/a/b.git"
        );
        assert_eq!(url.without_login(), "https://example.com:8443/a/b.git");
        let scp = RepositoryUrl::parse("git@example.com:a/b.git").unwrap();
        assert_eq!((scp.scheme, scp.path.as_str()), (Scheme::Ssh, "a/b.git"));
        let six = RepositoryUrl::parse("ssh://git@[::1]:2222/a").unwrap();
        assert_eq!(
            (six.host.as_str(), six.port, six.origin().as_str()),
            ("::1", Some(2222), "ssh://[::1]:2222")
        );
        for text in [
            "file:///etc",
            "/etc",
            "ext::sh -c x",
            "git://h/x",
            "https:///x",
            "ssh://-oProxyCommand=x/y",
            "http://h:x/",
        ] {
            assert!(RepositoryUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn relative_addresses_stay_on_the_host() {
        let url = RepositoryUrl::parse("https://example.com/a/b.git").unwrap();
        assert_eq!(
            url.join("../c.git").without_login(),
            "https://example.com/a/c.git"
        );
        assert_eq!(
            url.join("../../../../../c.git").without_login(),
            "https://example.com/c.git"
        );
    }

    #[test]
    fn credentials_do_not_go_from_one_host_to_another_or_to_plain_http() {
        let same = |a: &str, b: &str| {
            RepositoryUrl::parse(a)
                .unwrap()
                .same_host(&RepositoryUrl::parse(b).unwrap())
        };
        assert!(same("https://a/x", "https://a/y"));
        assert!(same("http://a/x", "https://a/y"));
        assert!(!same("https://a/x", "http://a/y"));
        assert!(!same("https://a/x", "https://b/x"));
        assert!(!same("https://a/x", "ssh://a/x"));
    }
}
