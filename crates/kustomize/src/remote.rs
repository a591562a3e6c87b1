//! Bases and files that are not in the tree.

use std::sync::Arc;

use tree::FileSystem;

/// Fetches what is not in the tree.
pub trait FetchRemote: Sync {
    /// The content behind an HTTP URL.
    ///
    /// # Errors
    /// Why there is none.
    fn file(&self, url: &str) -> Result<Vec<u8>, FetchFileError>;

    /// The files of a Git repository at a reference, from its root on.
    ///
    /// # Errors
    /// A text for the message.
    fn base(&self, repository: &Repository) -> Result<Arc<dyn FileSystem + Send + Sync>, String>;
}

/// Why a URL gave no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchFileError {
    /// The server answered with an error, in words like `404 (Not Found)`; the URL is then no base either,
    /// unless it is that of a repository.
    Status(String),
    /// Anything else.
    Other(String),
}

/// A Git repository with the folder in it that is meant.
///
/// Source: kustomize `git.RepoSpec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// What the kustomization says.
    pub raw: String,
    /// What to clone: a URL, `user@host:path`, or a path.
    pub url: String,
    /// The folder of the kustomization in it, relative; empty for its root.
    pub path: String,
    /// A branch, tag or commit; empty for the default branch.
    pub reference: String,
    /// Whether submodules are cloned too.
    pub submodules: bool,
}

const SCHEMES: [&str; 4] = ["ssh://", "https://", "http://", "file://"];

impl Repository {
    /// Reads a path of `resources` or `components`; none if it is no Git URL.
    pub fn parse(raw: &str) -> Option<Self> {
        if raw.starts_with('/') {
            return None;
        }
        let (text, query) = raw.split_once('?').unwrap_or((raw, ""));
        let (host, rest) = split_host(text)?;
        let (repository, path) = split_path(rest, host.starts_with("file://"))?;
        let leaves = crate::load::clean_relative(path.trim_start_matches('/'));
        if repository.is_empty() || leaves.split('/').next() == Some("..") {
            return None;
        }
        let mut parsed = Self {
            raw: raw.to_owned(),
            url: format!("{host}{repository}"),
            path: path.strip_prefix('/').unwrap_or(&path).to_owned(),
            reference: String::new(),
            submodules: true,
        };
        parsed.read_query(query);
        Some(parsed)
    }

    fn read_query(&mut self, query: &str) {
        let value = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let mut values = pairs.filter(|(key, _)| *key == name);
            values.next().map(|(_, value)| unescape(value))
        };
        let set = |name: &str| value(name).filter(|value| !value.is_empty());
        if let Some(reference) = set("ref").or_else(|| set("version")) {
            self.reference = reference;
        }
        match set("submodules").as_deref() {
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => self.submodules = false,
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => self.submodules = true,
            _ => {}
        }
    }
}

/// `%xx` and `+` of a query.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// The host with scheme and user, and what follows it.
fn split_host(text: &str) -> Option<(String, &str)> {
    let text = strip_ignoring_case(text, "git::").unwrap_or(text);
    let found = SCHEMES
        .into_iter()
        .find_map(|scheme| Some((scheme, strip_ignoring_case(text, scheme)?)));
    let (scheme, text) = found.unwrap_or(("", text));
    if scheme == "file://" {
        return Some((scheme.to_owned(), text));
    }
    let (user, text) = match text.split_once('@') {
        Some((user, rest)) if is_user(user) => (format!("{user}@"), rest),
        _ => (String::new(), text),
    };
    let is_github = ["github.com/", "github.com:"]
        .into_iter()
        .any(|host| strip_ignoring_case(text, host).is_some());
    let is_scp = scheme.is_empty() && (!user.is_empty() || is_github);
    if scheme.is_empty() && !is_scp {
        return None;
    }
    let slash = text.find('/');
    let colon = text.find(':').filter(|colon| {
        is_scp && (slash.is_none() || (*colon > 0 && slash.is_some_and(|slash| *colon < slash)))
    });
    let (host, rest) = match if slash.is_none() && is_scp {
        colon
    } else {
        colon.or(slash)
    } {
        Some(end) => text.split_at(end + 1),
        None => (text, ""),
    };
    if host.is_empty() {
        return None;
    }
    let whole = if !is_github {
        format!("{scheme}{user}{host}")
    } else if scheme == "ssh://" || !user.is_empty() {
        format!("{user}github.com:")
    } else {
        "https://github.com/".to_owned()
    };
    Some((whole, rest))
}

fn is_user(user: &str) -> bool {
    user.starts_with(|c: char| c.is_ascii_alphabetic())
        && user
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The repository and the folder in it: split at a mark, else after two parts.
fn split_path(text: &str, whole: bool) -> Option<(String, String)> {
    const GIT_ROOT: &str = "_git/";
    if let Some(at) = text.find(GIT_ROOT) {
        let after = at + GIT_ROOT.len();
        let (name, path) = text[after..]
            .split_once('/')
            .unwrap_or((&text[after..], ""));
        return Some((format!("{}{name}", &text[..after]), path.to_owned()));
    }
    if let Some((repository, path)) = text.split_once("//") {
        return Some((repository.to_owned(), path.to_owned()));
    }
    if let Some(at) = text.find(".git") {
        let (repository, path) = text.split_at(at + ".git".len());
        return Some((repository.to_owned(), path.to_owned()));
    }
    if whole {
        return Some((text.to_owned(), String::new()));
    }
    let slashes: Vec<usize> = text.match_indices('/').map(|(at, _)| at).collect();
    match slashes.as_slice() {
        [] => None,
        [_] => Some((text.to_owned(), String::new())),
        [_, second, ..] => Some((text[..*second].to_owned(), text[second + 1..].to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: Option<(&str, &str, &str)>) {
        let found = Repository::parse(raw);
        let found = found.as_ref().map(|found| {
            (
                found.url.as_str(),
                found.path.as_str(),
                found.reference.as_str(),
            )
        });
        assert_eq!(found, expected, "{raw}");
    }

    #[test]
    fn repositories_are_told_from_paths() {
        check("../base", None);
        check("org/repo", None);
        check("/abs/repo.git", None);
        check("https://example.com/file.yaml", None);
        check("https://example.com/org/repo/../../x", None);
        check(
            "github.com/org/repo",
            Some(("https://github.com/org/repo", "", "")),
        );
        check(
            "GITHUB.com/org/repo/a/b?ref=v1",
            Some(("https://github.com/org/repo", "a/b", "v1")),
        );
        check(
            "git@github.com:org/repo.git",
            Some(("git@github.com:org/repo.git", "", "")),
        );
        check(
            "ssh://git@github.com/org/repo",
            Some(("git@github.com:org/repo", "", "")),
        );
        check(
            "git::https://gitlab.com/a/b//c?version=x",
            Some(("https://gitlab.com/a/b", "c", "x")),
        );
        check(
            "https://gitlab.com/a/b/c.git/d?ref=x%2Fy",
            Some(("https://gitlab.com/a/b/c.git", "d", "x/y")),
        );
        check(
            "https://user@dev.azure.com/o/p/_git/r/x/y",
            Some(("https://user@dev.azure.com/o/p/_git/r", "x/y", "")),
        );
        check(
            "file:///srv/repo//over?ref=main",
            Some(("file:///srv/repo", "over", "main")),
        );
        check("file:///srv/repo", Some(("file:///srv/repo", "", "")));
        check("host.xz:org/repo", None);
        check(
            "git@host.xz:org/repo//p",
            Some(("git@host.xz:org/repo", "p", "")),
        );
    }

    #[test]
    fn submodules_may_be_left_out() {
        let parse = |raw: &str| Repository::parse(raw).unwrap().submodules;
        assert!(parse("github.com/a/b"));
        assert!(!parse("github.com/a/b?submodules=false"));
    }
}
