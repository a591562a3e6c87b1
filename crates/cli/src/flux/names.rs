//! References to objects as command lines write them, and the names that `create` takes.

/// `<kind>/<name>`; without exactly one slash all of it is the name.
pub(crate) fn object_kind_name(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((kind, name)) if !name.contains('/') => (kind, name),
        _ => ("", text),
    }
}

/// `<kind>/<name>.<namespace>`; the namespace is what follows the last dot of the name.
pub(crate) fn object_kind_name_namespace(text: &str) -> (String, String, String) {
    let (kind, name) = object_kind_name(text);
    let (name, namespace) = name.rsplit_once('.').unwrap_or((name, ""));
    (kind.to_owned(), name.to_owned(), namespace.to_owned())
}

/// `<namespace>/<name>`, or a name.
pub(crate) fn namespaced_name(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((namespace, name)) if !name.contains('/') => (namespace, name),
        _ => ("", text),
    }
}

/// Whether `create` takes the name: 2 to 63 of the characters of a DNS label, no dash at the ends.
pub(crate) fn is_object_name(name: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let [first, inner @ .., last] = bytes else {
        return false;
    };
    bytes.len() <= 63
        && alphanumeric(first)
        && alphanumeric(last)
        && inner.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
}

/// Shortens hashes of 40 to 128 hexadecimal digits in a text to 8.
pub(crate) fn truncate_hashes(text: &str) -> String {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.as_bytes().iter().position(is_word) {
        let length = rest.as_bytes()[start..]
            .iter()
            .take_while(|byte| is_word(byte))
            .count();
        let word = &rest[start..start + length];
        let hash = (40..=128).contains(&length)
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        out.push_str(&rest[..start]);
        out.push_str(if hash { &word[..8] } else { word });
        rest = &rest[start + length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        assert_eq!(object_kind_name("Kind/name"), ("Kind", "name"));
        assert_eq!(object_kind_name("a/b/c"), ("", "a/b/c"));
        let split = object_kind_name_namespace("GitRepository/a.b.apps");
        assert_eq!(split, ("GitRepository".into(), "a.b".into(), "apps".into()));
    }

    #[test]
    fn one_letter_is_no_name() {
        assert!(is_object_name("ab") && is_object_name("a-1"));
        assert!(!is_object_name("a") && !is_object_name("-ab") && !is_object_name("aB"));
        assert!(!is_object_name(&"a".repeat(64)));
    }

    #[test]
    fn hashes_are_cut() {
        let hash = "8c2a1f0e5b7d4c3b2a190f8e7d6c5b4a39281706";
        assert_eq!(
            truncate_hashes(&format!("revision 'main@sha1:{hash}' ü {hash}_x")),
            format!("revision 'main@sha1:8c2a1f0e' ü {hash}_x")
        );
    }
}
