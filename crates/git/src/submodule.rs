//! Repositories in repositories: what `.gitmodules` says of them.

use crate::{GitError, RepositoryUrl};

/// A submodule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Submodule {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) url: String,
}

impl Submodule {
    /// Where it is fetched from.
    ///
    /// # Errors
    /// It would be read from this machine, or by a program.
    pub(crate) fn remote(&self, parent: &RepositoryUrl) -> Result<RepositoryUrl, GitError> {
        if self.url.starts_with("./") || self.url.starts_with("../") {
            return Ok(parent.join(&self.url));
        }
        RepositoryUrl::parse(&self.url).map_err(|_| GitError::LocalSubmodule {
            name: self.name.clone(),
            url: self.url.clone(),
        })
    }
}

/// Reads the form of Git's configuration files as far as submodules need it.
pub(crate) fn parse(text: &str) -> Vec<Submodule> {
    let mut submodules: Vec<Submodule> = Vec::new();
    let mut is_submodule = false;
    for line in text.lines() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default().trim();
            let name = header
                .strip_prefix("submodule")
                .map(|name| unquoted(name.trim()));
            is_submodule = name.is_some();
            if let Some(name) = name {
                submodules.push(Submodule {
                    name,
                    path: String::new(),
                    url: String::new(),
                });
            }
        } else if is_submodule
            && let Some((key, value)) = line.split_once('=')
            && let Some(last) = submodules.last_mut()
        {
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => last.path = unquoted(value.trim()),
                "url" => last.url = unquoted(value.trim()),
                _ => {}
            }
        }
    }
    submodules
}

fn unquoted(text: &str) -> String {
    let mut plain = String::new();
    let mut in_quotes = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => in_quotes = !in_quotes,
            '\\' => plain.extend(chars.next()),
            '#' | ';' if !in_quotes => break,
            c => plain.push(c),
        }
    }
    if in_quotes || text.ends_with('"') {
        plain
    } else {
        plain.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_read() {
        let text = "[core]\n\turl = no\n[submodule \"lib/a b\"]\n\tpath = lib/a\n\turl = ../a.git # note\n[submodule \"b\"]\npath=\"b c\"\nurl=https://x/y\n";
        let parsed = parse(text);
        assert_eq!(parsed.len(), 2);
        assert_eq!(
            (parsed[0].name.as_str(), parsed[0].url.as_str()),
            ("lib/a b", "../a.git")
        );
        assert_eq!(
            (parsed[1].path.as_str(), parsed[1].url.as_str()),
            ("b c", "https://x/y")
        );
        let parent = RepositoryUrl::parse("https://h/x/y.git").unwrap();
        assert_eq!(
            parsed[0].remote(&parent).unwrap().without_login(),
            "https://h/x/a.git"
        );
        for url in [
            "/etc",
            "file:///etc",
            "ext::sh -c id",
            "C:\\x",
            "--upload-pack=x",
        ] {
            let local = Submodule {
                url: url.to_owned(),
                ..parsed[0].clone()
            };
            let refused = local.remote(&parent);
            assert!(
                matches!(refused, Err(GitError::LocalSubmodule { .. })),
                "{url} {refused:?}"
            );
        }
    }
}
