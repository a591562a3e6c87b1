//! Names of images, by the rules of go-containerregistry's `name` package.

use gotemplate::sprig::Address;

/// Where names without a registry live.
const DEFAULT_REGISTRY: &str = "index.docker.io";
const REPOSITORY_LETTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789_-./";
const TAG_LETTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A registry and a repository in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    /// The host of the registry, with its port.
    pub(crate) registry: String,
    /// The path of the repository.
    pub(crate) path: String,
}

/// An image by tag or digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Where it is.
    pub(crate) repository: Repository,
    /// The tag, or the digest `sha256:…`.
    pub(crate) identifier: String,
}

fn check_element(
    what: &str,
    text: &str,
    letters: &str,
    least: usize,
    most: usize,
) -> Result<(), String> {
    let count = text.chars().count();
    if count < least || count > most {
        return Err(format!(
            "{what} must be between {least} and {most} characters in length: {text}"
        ));
    }
    if text.chars().all(|letter| letters.contains(letter)) {
        Ok(())
    } else {
        Err(format!(
            "{what} can only contain the characters `{letters}`: {text}"
        ))
    }
}

impl Repository {
    /// Reads `[registry/]path`; the first part is a registry if it has a dot or a colon.
    ///
    /// # Errors
    /// In the library's words.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("a repository name must be specified".to_owned());
        }
        let (registry, path) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) => (first, rest),
            _ => ("", name),
        };
        check_element("repository", path, REPOSITORY_LETTERS, 2, 255)?;
        if Address::parse(&format!("//{registry}")).is_ok_and(|url| url.host == registry) {
            let registry = match registry {
                "" | "docker.io" => DEFAULT_REGISTRY,
                registry => registry,
            };
            return Ok(Self {
                registry: registry.to_owned(),
                path: path.to_owned(),
            });
        }
        Err(format!(
            "registries must be valid RFC 3986 URI authorities: {registry}"
        ))
    }

    /// The full name.
    pub(crate) fn name(&self) -> String {
        if !self.path.contains('/') && self.registry == DEFAULT_REGISTRY {
            return format!("{}/library/{}", self.registry, self.path);
        }
        format!("{}/{}", self.registry, self.path)
    }

    /// Whether the registry is spoken to in plain HTTP without being told to.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.registry.split(':').next().unwrap_or_default();
        let private = host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|ip| ip.is_private());
        let end = host.ends_with(".local") || host.ends_with(".localhost");
        private
            || end
            || self.registry.starts_with("localhost:")
            || self.registry.contains("127.0.0.1")
            || self.registry.contains("::1")
    }
}

impl Reference {
    /// Reads `repository[:tag]` or `repository[:tag]@digest`.
    ///
    /// # Errors
    /// In the library's words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::tag(text)
            .or_else(|_| Self::digest(text))
            .map_err(|_| format!("could not parse reference: {text}"))
    }

    /// Reads `repository[:tag]`.
    ///
    /// # Errors
    /// In the library's words.
    pub(crate) fn tag(text: &str) -> Result<Self, String> {
        let (base, tag) = match text.rsplit_once(':') {
            Some((base, tag)) if !tag.contains('/') => (base, Some(tag)),
            _ => (text, None),
        };
        if tag == Some("") {
            return Err(format!("{text} must specify a tag name after the colon"));
        }
        if let Some(tag) = tag {
            check_element("tag", tag, TAG_LETTERS, 1, 128)?;
        }
        Ok(Self {
            repository: Repository::parse(base)?,
            identifier: tag.unwrap_or("latest").to_owned(),
        })
    }

    fn digest(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('@').collect();
        let [base, digest] = parts[..] else {
            return Err("a digest must contain exactly one '@' separator".to_owned());
        };
        let hash = digest
            .strip_prefix("sha256:")
            .filter(|hash| {
                hash.len() == 64
                    && hash
                        .bytes()
                        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            })
            .ok_or_else(|| format!("unsupported digest algorithm: {digest}"))?;
        let repository = match Self::tag(base) {
            Ok(tagged) => tagged.repository,
            Err(_) => Repository::parse(base)?,
        };
        Ok(Self {
            repository,
            identifier: format!("sha256:{hash}"),
        })
    }
}

/// The image of an `oci://` address.
///
/// # Errors
/// In Flux's words.
pub(crate) fn artifact_url(url: &str) -> Result<(&str, Reference), String> {
    let name = url
        .strip_prefix("oci://")
        .ok_or("URL must be in format 'oci://<domain>/<org>/<repo>'")?;
    let reference =
        Reference::parse(name).map_err(|error| format!("'{url}' invalid URL: {error}"))?;
    Ok((name, reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let parsed = Reference::parse("registry.example.com:5000/acme/web:1.0").unwrap();
        assert_eq!(parsed.repository.registry, "registry.example.com:5000");
        assert_eq!(
            (parsed.repository.path.as_str(), parsed.identifier.as_str()),
            ("acme/web", "1.0")
        );
        assert_eq!(
            Reference::parse("alpine").unwrap().repository.name(),
            "index.docker.io/library/alpine"
        );
        assert_eq!(
            Reference::parse("X/y").unwrap_err(),
            "could not parse reference: X/y"
        );
        assert!(Repository::parse("127.0.0.1:5000/web").unwrap().is_local());
    }
}
