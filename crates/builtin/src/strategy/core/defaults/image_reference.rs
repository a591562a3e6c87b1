//! Whether a text is a reference of a container image.
//!
//! Source: github.com/distribution/reference, `ParseNormalizedNamed`.

use std::sync::LazyLock;

use regex::Regex;

/// A domain, a path and possibly a tag and a digest.
static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const LABEL: &str = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    const PART: &str = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*";
    Regex::new(&format!(
        r"^(?:(?:{LABEL}(?:\.{LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?{PART}(?:/{PART})*(?::[0-9A-Za-z_][0-9A-Za-z_.-]{{0,127}})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{{32,}})?$"
    ))
    .ok()
});

/// Whether Docker would read it: what has no domain is one of Docker's own.
pub(super) fn is_valid(text: &str) -> bool {
    if text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        // An identifier, not a name.
        return false;
    }
    let has_domain = text.split_once('/').is_some_and(|(first, _)| {
        first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first
    });
    let whole = if has_domain {
        text.to_owned()
    } else {
        format!("docker.io/{text}")
    };
    let path = whole.split_once('/').map_or("", |(_, path)| path);
    path.len() <= 255 + 1024
        && REFERENCE
            .as_ref()
            .is_some_and(|reference| reference.is_match(&whole))
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn references_are_told_from_other_texts() {
        for image in [
            "nginx",
            "nginx:1.27",
            "library/nginx",
            "ghcr.io/stefanprodan/podinfo:6.9.0",
            "localhost:5000/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "a__b/c-d.e",
            "UPPER/x",
        ] {
            assert!(is_valid(image), "{image}");
        }
        for image in [
            "",
            " nginx",
            "Bad_Value!",
            "1Gi",
            "/etc/x",
            "a//b",
            "nginx:",
            "../x",
        ] {
            assert!(!is_valid(image), "{image}");
        }
    }
}
