//! The hosts that are trusted over SSH: the content of a `known_hosts` file.
//!
//! Source: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", and Flux's `pkg/ssh/knownhosts`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::{Algorithm, HashAlg, PublicKey};
use sha1::Sha1;

use crate::GitError;

/// Keys of hosts.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    is_revoked: bool,
    hosts: Hosts,
    key: PublicKey,
}

#[derive(Debug, Clone)]
enum Hosts {
    Patterns(Vec<Pattern>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

#[derive(Debug, Clone)]
struct Pattern {
    is_negated: bool,
    host: String,
    port: u16,
}

impl KnownHosts {
    /// Reads the content of a `known_hosts` file. Keys of unknown kinds and certificate authorities are passed over.
    ///
    /// # Errors
    /// A line has a wrong form.
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let mut lines = Vec::new();
        for (at, text) in text.lines().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let wrong = |what: &str| GitError::Auth(format!("knownhosts: line {}: {what}", at + 1));
            let mut words = text.split_whitespace();
            let mut first = words.next().unwrap_or_default();
            let marker = first.starts_with('@').then_some(first);
            if marker.is_some() {
                first = words.next().ok_or_else(|| wrong("missing host pattern"))?;
            }
            let kind = words
                .next()
                .ok_or_else(|| wrong("missing key type pattern"))?;
            let key = words.next().ok_or_else(|| wrong("missing key blob"))?;
            let Ok(key) = PublicKey::from_openssh(&format!("{kind} {key}")) else {
                continue;
            };
            if marker == Some("@cert-authority") {
                continue;
            }
            let hosts = Hosts::parse(first).ok_or_else(|| wrong("invalid host pattern"))?;
            lines.push(Line {
                is_revoked: marker == Some("@revoked"),
                hosts,
                key,
            });
        }
        Ok(Self { lines })
    }

    /// Whether no host is known.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The kinds of keys that are known: no others are asked for.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        let mut algorithms = Vec::new();
        for line in &self.lines {
            let kinds = match line.key.algorithm() {
                Algorithm::Rsa { .. } => vec![
                    Algorithm::Rsa {
                        hash: Some(HashAlg::Sha512),
                    },
                    Algorithm::Rsa {
                        hash: Some(HashAlg::Sha256),
                    },
                ],
                other => vec![other],
            };
            for kind in kinds {
                if !algorithms.contains(&kind) {
                    algorithms.push(kind);
                }
            }
        }
        algorithms
    }

    /// Checks the key that a host shows.
    ///
    /// # Errors
    /// The host or the key is not known, in the words of Go's `knownhosts`.
    pub(crate) fn check(&self, host: &str, port: u16, key: &PublicKey) -> Result<(), &'static str> {
        let is_this = |line: &Line| line.key.key_data() == key.key_data();
        if self
            .lines
            .iter()
            .any(|line| line.is_revoked && is_this(line))
        {
            return Err("knownhosts: key is revoked");
        }
        let mut of_host = self
            .lines
            .iter()
            .filter(|line| !line.is_revoked && line.hosts.matches(host, port))
            .peekable();
        if of_host.peek().is_none() {
            return Err("knownhosts: key is unknown");
        }
        if of_host.any(is_this) {
            Ok(())
        } else {
            Err("knownhosts: key mismatch")
        }
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        if let Some(hashed) = text.strip_prefix("|1|") {
            let (salt, hash) = hashed.split_once('|')?;
            return Some(Self::Hashed {
                salt: STANDARD.decode(salt).ok()?,
                hash: STANDARD.decode(hash).ok()?,
            });
        }
        text.split(',')
            .filter(|part| !part.is_empty())
            .map(Pattern::parse)
            .collect::<Option<_>>()
            .map(Self::Patterns)
    }

    fn matches(&self, host: &str, port: u16) -> bool {
        match self {
            Self::Patterns(patterns) => {
                let mut matching = patterns
                    .iter()
                    .filter(|pattern| pattern.matches(host, port))
                    .peekable();
                matching.peek().is_some() && !matching.any(|pattern| pattern.is_negated)
            }
            Self::Hashed { salt, hash } => {
                let name = if port == 22 {
                    host.to_owned()
                } else {
                    format!("[{host}]:{port}")
                };
                let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else {
                    return false;
                };
                mac.update(name.as_bytes());
                mac.verify_slice(hash).is_ok()
            }
        }
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (is_negated, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (
                    host,
                    port.strip_prefix(':')
                        .map_or(Some(22), |port| port.parse().ok())?,
                )
            }
            None => (text, 22),
        };
        Some(Self {
            is_negated,
            host: host.to_owned(),
            port,
        })
    }

    fn matches(&self, host: &str, port: u16) -> bool {
        self.port == port && wildcard(self.host.as_bytes(), host.as_bytes())
    }
}

/// `*` and `?` as sshd has them.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            // Stars in a row are one; without this a pattern of many stars takes for ever.
            let rest = &rest[rest.iter().take_while(|byte| **byte == b'*').count()..];
            rest.is_empty() || (0..=text.len()).any(|at| wildcard(rest, &text[at..]))
        }
        (Some((b'?', rest)), Some((_, left))) => wildcard(rest, left),
        (Some((own, rest)), Some((other, left))) => own == other && wildcard(rest, left),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const B: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

    fn check(file: &str, host: &str, port: u16) -> Result<(), &'static str> {
        KnownHosts::parse(file)
            .unwrap()
            .check(host, port, &PublicKey::from_openssh(A).unwrap())
    }

    #[test]
    fn hosts_are_found_by_name_pattern_and_hash() {
        assert_eq!(
            check(&format!("example.com {A}"), "example.com", 22),
            Ok(())
        );
        assert_eq!(
            check(
                &format!("# note\n[example.com]:2222,x {A} me@here"),
                "example.com",
                2222
            ),
            Ok(())
        );
        assert_eq!(
            check(
                &format!("*.example.com,!b.example.com {A}"),
                "a.example.com",
                22
            ),
            Ok(())
        );
        let unknown = Err("knownhosts: key is unknown");
        assert_eq!(
            check(
                &format!("*.example.com,!b.example.com {A}"),
                "b.example.com",
                22
            ),
            unknown
        );
        assert_eq!(
            check(&format!("example.com {A}"), "example.com", 2222),
            unknown
        );
        assert_eq!(check("", "example.com", 22), unknown);
        assert_eq!(
            check(&format!("example.com {B}"), "example.com", 22),
            Err("knownhosts: key mismatch")
        );
        assert_eq!(
            check(
                &format!("example.com {B}\nexample.com {A}"),
                "example.com",
                22
            ),
            Ok(())
        );
        let revoked = format!("example.com {A}\n@revoked * {A}");
        assert_eq!(
            check(&revoked, "example.com", 22),
            Err("knownhosts: key is revoked")
        );
    }

    #[test]
    fn hashed_names_match() {
        let mut mac = Hmac::<Sha1>::new_from_slice(b"salt").unwrap();
        mac.update(b"[example.com]:2222");
        let hash = STANDARD.encode(mac.finalize().into_bytes());
        let line = format!("|1|{}|{hash} {A}", STANDARD.encode("salt"));
        assert_eq!(check(&line, "example.com", 2222), Ok(()));
        assert!(check(&line, "example.com", 22).is_err());
    }

    #[test]
    fn broken_lines_are_errors() {
        for line in [
            "example.com",
            "example.com ssh-ed25519",
            &format!("[a]:x {A}"),
        ] {
            assert!(KnownHosts::parse(line).is_err(), "{line}");
        }
    }
}
