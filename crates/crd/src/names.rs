//! The forms of names, with the messages that Kubernetes gives for wrong ones.
//!
//! Source: apimachinery `pkg/util/validation` and `pkg/api/validation` (v0.35).

/// The longest DNS-1123 and DNS-1035 label.
pub const LABEL_MAX: usize = 63;
/// The longest DNS-1123 subdomain.
pub const SUBDOMAIN_MAX: usize = 253;

const LABEL_1123: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_1123_MESSAGE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const SUBDOMAIN_MESSAGE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const LABEL_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035_MESSAGE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const QUALIFIED_MESSAGE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const LABEL_VALUE_MESSAGE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

fn too_long(limit: usize) -> String {
    format!("must be no more than {limit} bytes")
}

/// `message (e.g. 'a',  or 'b', regex used for validation is 'pattern')`.
fn with_examples(message: &str, pattern: &str, examples: &[&str]) -> String {
    let mut text = format!("{message} (e.g. ");
    for (index, example) in examples.iter().enumerate() {
        if index > 0 {
            text.push_str(" or ");
        }
        text.push_str(&format!("'{example}', "));
    }
    text.push_str(&format!("regex used for validation is '{pattern}')"));
    text
}

fn is_lower_alnum(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label_shape(text: &str, first: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(&start), Some(&end)) => {
            first(start)
                && is_lower_alnum(end)
                && bytes
                    .iter()
                    .all(|&byte| is_lower_alnum(byte) || byte == b'-')
        }
        _ => false,
    }
}

/// What is wrong with `text` as a DNS-1123 label.
pub fn dns1123_label(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > LABEL_MAX {
        errors.push(too_long(LABEL_MAX));
    }
    if !is_label_shape(text, is_lower_alnum) {
        if is_subdomain_shape(text) {
            // A subdomain was given: only the dots are wrong.
            errors.push("must not contain dots".to_owned());
        } else {
            errors.push(with_examples(
                LABEL_1123_MESSAGE,
                LABEL_1123,
                &["my-name", "123-abc"],
            ));
        }
    }
    errors
}

fn is_subdomain_shape(text: &str) -> bool {
    text.split('.')
        .all(|part| is_label_shape(part, is_lower_alnum))
}

/// What is wrong with `text` as a DNS-1123 subdomain.
pub fn dns1123_subdomain(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > SUBDOMAIN_MAX {
        errors.push(too_long(SUBDOMAIN_MAX));
    }
    if !is_subdomain_shape(text) {
        let pattern = format!("{LABEL_1123}(\\.{LABEL_1123})*");
        errors.push(with_examples(SUBDOMAIN_MESSAGE, &pattern, &["example.com"]));
    }
    errors
}

/// What is wrong with `text` as a DNS-1035 label.
pub fn dns1035_label(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > LABEL_MAX {
        errors.push(too_long(LABEL_MAX));
    }
    if !is_label_shape(text, |byte| byte.is_ascii_lowercase()) {
        errors.push(with_examples(
            LABEL_1035_MESSAGE,
            LABEL_1035,
            &["my-name", "abc-123"],
        ));
    }
    errors
}

/// A trailing dash or dot of a prefix, as in `generateName`, does not count.
pub fn mask_trailing_dash(text: &str) -> String {
    if text.len() > 1 && text.ends_with('-') {
        // Upstream bug, kept: the character before the dash is lost too.
        format!("{}a", text.get(..text.len() - 2).unwrap_or_default())
    } else {
        text.to_owned()
    }
}

fn is_qualified_shape(text: &str) -> bool {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => {
            first.is_ascii_alphanumeric()
                && last.is_ascii_alphanumeric()
                && bytes
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        }
        _ => false,
    }
}

/// What is wrong with `text` as a qualified name: `name` or `prefix/name`.
pub fn qualified_name(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts.as_slice() {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".to_owned());
            } else {
                errors.extend(
                    dns1123_subdomain(prefix)
                        .into_iter()
                        .map(|text| format!("prefix part {text}")),
                );
            }
            name
        }
        _ => {
            let message = with_examples(
                QUALIFIED_MESSAGE,
                QUALIFIED,
                &["MyName", "my.name", "123-abc"],
            );
            return vec![format!(
                "a qualified name {message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_MAX {
        errors.push(format!("name part {}", too_long(LABEL_MAX)));
    }
    if !is_qualified_shape(name) {
        let message = with_examples(
            QUALIFIED_MESSAGE,
            QUALIFIED,
            &["MyName", "my.name", "123-abc"],
        );
        errors.push(format!("name part {message}"));
    }
    errors
}

/// What is wrong with `text` as the value of a label.
pub fn label_value(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if text.len() > LABEL_MAX {
        errors.push(too_long(LABEL_MAX));
    }
    if !text.is_empty() && !is_qualified_shape(text) {
        errors.push(with_examples(
            LABEL_VALUE_MESSAGE,
            "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
            &["MyValue", "my_value", "12345"],
        ));
    }
    errors
}

/// What is wrong with `text` as one segment of a path in a URL; with `prefix` as the start of one.
pub fn path_segment(text: &str, prefix: bool) -> Vec<String> {
    if !prefix && (text == "." || text == "..") {
        return vec![format!("may not be '{text}'")];
    }
    ["/", "%"]
        .into_iter()
        .filter(|part| text.contains(part))
        .map(|part| format!("may not contain '{part}'"))
        .collect()
}
