//! What names may look like: DNS labels and subdomains, qualified names, label values and the other
//! formats of Kubernetes, with its messages.
//!
//! Each check gives the list of what is wrong, empty for a good value. Sources: apimachinery
//! `util/validation`, `api/validate/content`, `api/validation` and `api/validation/path` (v0.35). Two
//! generations of the same messages live side by side there: label keys and values count bytes,
//! the DNS names count "characters" (bytes too).

mod domain;
pub mod ip;

pub use domain::{
    domain_prefixed_key, domain_prefixed_path, fully_qualified_domain_name, fully_qualified_name,
};

const DNS1123_LABEL_FORMAT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const DNS1123_SUBDOMAIN_FORMAT: &str =
    "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const DNS1123_SUBDOMAIN_MESSAGE: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
    alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const LABEL_KEY_FORMAT: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_KEY_MESSAGE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must \
    start and end with an alphanumeric character";

/// The longest DNS label and the longest name part of a label key, in bytes.
pub const LABEL_MAX_LENGTH: usize = 63;
/// The longest DNS subdomain, in bytes.
pub const SUBDOMAIN_MAX_LENGTH: usize = 253;

/// `must be no more than … characters`.
pub fn max_length_message(length: usize) -> String {
    format!("must be no more than {length} characters")
}

/// `must be no more than … bytes`.
pub fn max_bytes_message(length: usize) -> String {
    format!("must be no more than {length} bytes")
}

/// The message of a value that does not match a format.
pub fn regex_message(message: &str, format: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{message} (regex used for validation is '{format}')");
    }
    let examples: Vec<String> = examples.iter().map(|text| format!("'{text}', ")).collect();
    format!(
        "{message} (e.g. {}regex used for validation is '{format}')",
        examples.join(" or ")
    )
}

/// `must be between … and …, inclusive`.
pub fn range_message(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// Letters and digits at both ends, and also `inner` characters between.
fn is_word(text: &str, edge: fn(u8) -> bool, inner: &[u8]) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [] => false,
        [only] => edge(*only),
        [first, middle @ .., last] => {
            edge(*first)
                && edge(*last)
                && middle
                    .iter()
                    .all(|byte| edge(*byte) || inner.contains(byte))
        }
    }
}

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn matches_dns1123_label(text: &str) -> bool {
    is_word(text, is_lower_alphanumeric, b"-")
}

fn matches_dns1123_subdomain(text: &str) -> bool {
    text.split('.').all(matches_dns1123_label)
}

fn matches_label_key_name(text: &str) -> bool {
    is_word(text, is_alphanumeric, b"-_.")
}

/// A DNS label (RFC 1123): lower case letters, digits and `-`, 63 bytes at most.
pub fn dns1123_label(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > LABEL_MAX_LENGTH {
        errors.push(max_length_message(LABEL_MAX_LENGTH));
    }
    if !matches_dns1123_label(value) {
        errors.push(if matches_dns1123_subdomain(value) {
            "must not contain dots".to_owned()
        } else {
            regex_message(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
                 '-', and must start and end with an alphanumeric character",
                DNS1123_LABEL_FORMAT,
                &["my-name", "123-abc"],
            )
        });
    }
    errors
}

/// A DNS subdomain (RFC 1123): labels and dots, 253 bytes at most.
pub fn dns1123_subdomain(value: &str) -> Vec<String> {
    subdomain(value, max_length_message)
}

fn subdomain(value: &str, too_long: fn(usize) -> String) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > SUBDOMAIN_MAX_LENGTH {
        errors.push(too_long(SUBDOMAIN_MAX_LENGTH));
    }
    if !matches_dns1123_subdomain(value) {
        errors.push(regex_message(
            DNS1123_SUBDOMAIN_MESSAGE,
            DNS1123_SUBDOMAIN_FORMAT,
            &["example.com"],
        ));
    }
    errors
}

/// A DNS subdomain whose labels may begin with `_` and contain it.
pub fn dns1123_subdomain_with_underscore(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > SUBDOMAIN_MAX_LENGTH {
        errors.push(max_length_message(SUBDOMAIN_MAX_LENGTH));
    }
    let label = |text: &str| {
        let text = text.strip_prefix('_').unwrap_or(text);
        is_word(text, is_lower_alphanumeric, b"-_")
    };
    if !value.split('.').all(label) {
        errors.push(regex_message(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', \
             '-' or '.', and must start and end with an alphanumeric character",
            "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    errors
}

/// A DNS label (RFC 1035): as [`dns1123_label`], but it begins with a letter.
pub fn dns1035_label(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > LABEL_MAX_LENGTH {
        errors.push(max_length_message(LABEL_MAX_LENGTH));
    }
    if !(matches_dns1123_label(value) && value.starts_with(|c: char| c.is_ascii_lowercase())) {
        errors.push(regex_message(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with \
             an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    errors
}

/// A DNS subdomain behind `*.`.
pub fn wildcard_dns1123_subdomain(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > SUBDOMAIN_MAX_LENGTH {
        errors.push(max_length_message(SUBDOMAIN_MAX_LENGTH));
    }
    if !value
        .strip_prefix("*.")
        .is_some_and(matches_dns1123_subdomain)
    {
        errors.push(regex_message(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, \
             which must consist of lower case alphanumeric characters, '-' or '.' and end with an \
             alphanumeric character",
            &format!("\\*\\.{DNS1123_SUBDOMAIN_FORMAT}"),
            &["*.example.com"],
        ));
    }
    errors
}

/// A qualified name, which is also what a label or annotation key is: a name of at most 63 bytes,
/// with an optional DNS subdomain and a slash before it.
pub fn qualified_name(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let mut parts = value.split('/');
    let (first, second, more) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let examples = &["MyName", "my.name", "123-abc"];
    if more.is_some() {
        return vec![format!(
            "a valid label key {} with an optional DNS subdomain prefix and '/' \
             (e.g. 'example.com/MyName')",
            regex_message(LABEL_KEY_MESSAGE, LABEL_KEY_FORMAT, examples)
        )];
    }
    let name = match second {
        None => first,
        Some(name) => {
            if first.is_empty() {
                errors.push("prefix part must be non-empty".to_owned());
            } else {
                let wrong = subdomain(first, max_bytes_message);
                errors.extend(wrong.into_iter().map(|text| format!("prefix part {text}")));
            }
            name
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > LABEL_MAX_LENGTH {
        errors.push(format!("name part {}", max_bytes_message(LABEL_MAX_LENGTH)));
    }
    if !matches_label_key_name(name) {
        errors.push(format!(
            "name part {}",
            regex_message(LABEL_KEY_MESSAGE, LABEL_KEY_FORMAT, examples)
        ));
    }
    errors
}

/// The value of a label: empty, or a name of at most 63 bytes.
pub fn label_value(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > LABEL_MAX_LENGTH {
        errors.push(max_bytes_message(LABEL_MAX_LENGTH));
    }
    if !value.is_empty() && !matches_label_key_name(value) {
        errors.push(regex_message(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' \
             or '.', and must start and end with an alphanumeric character",
            &format!("({LABEL_KEY_FORMAT})?"),
            &["MyValue", "my_value", "12345"],
        ));
    }
    errors
}

/// An identifier of the C language.
pub fn c_identifier(value: &str) -> Vec<String> {
    let good = value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if good {
        return Vec::new();
    }
    vec![regex_message(
        "a valid C identifier must start with alphabetic character or '_', followed by a string of \
         alphanumeric characters or '_'",
        "[A-Za-z_][A-Za-z0-9_]*",
        &["my_name", "MY_NAME", "MyName"],
    )]
}

/// A key of a ConfigMap's or Secret's data.
pub fn config_map_key(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > SUBDOMAIN_MAX_LENGTH {
        errors.push(max_length_message(SUBDOMAIN_MAX_LENGTH));
    }
    if value.is_empty() || !value.bytes().all(is_key_byte) {
        errors.push(regex_message(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    errors.extend(parent_folder(value));
    errors
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

/// A value that is, or begins with, the name of the parent folder.
fn parent_folder(value: &str) -> Option<String> {
    match value {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        value if value.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}

/// The name of an environment variable, by the strict rule.
pub fn env_var_name(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let good = !value.is_empty()
        && !value.starts_with(|c: char| c.is_ascii_digit())
        && value.bytes().all(is_key_byte);
    if !good {
        errors.push(regex_message(
            "a valid environment variable name must consist of alphabetic characters, digits, '_', \
             '-', or '.', and must not start with a digit",
            "[-._a-zA-Z][-._a-zA-Z0-9]*",
            &["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
        ));
    }
    errors.extend(parent_folder(value));
    errors
}

/// The name of an environment variable, by the relaxed rule (the default since 1.34): printable
/// ASCII without `=`.
pub fn relaxed_env_var_name(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.is_empty() {
        errors.push("environment variable name must be non-empty".to_owned());
    }
    if value.chars().any(|c| !(' '..='~').contains(&c) || c == '=') {
        errors.push(
            "a valid environment variable name must consist only of printable ASCII characters \
             other than '='"
                .to_owned(),
        );
    }
    errors
}

/// The name of a port (an IANA service name).
pub fn port_name(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > 15 {
        errors.push(max_length_message(15));
    }
    let is_good = |byte: u8| is_lower_alphanumeric(byte) || byte == b'-';
    if value.is_empty() || !value.bytes().all(is_good) {
        errors.push(
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned(),
        );
    }
    if !value.bytes().any(|byte| byte.is_ascii_lowercase()) {
        errors.push("must contain at least one letter (a-z)".to_owned());
    }
    if value.contains("--") {
        errors.push("must not contain consecutive hyphens".to_owned());
    }
    if value.starts_with('-') || value.ends_with('-') {
        errors.push("must not begin or end with a hyphen".to_owned());
    }
    errors
}

/// A port number from 1 to 65535.
pub fn port_number(port: i64) -> Vec<String> {
    in_range(port, 1, 65_535)
}

/// A number within bounds, which belong to the range.
pub fn in_range(value: i64, low: i64, high: i64) -> Vec<String> {
    if (low..=high).contains(&value) {
        return Vec::new();
    }
    vec![range_message(low, high)]
}

/// A Unix user or group, from 0 to 2³¹−1.
pub fn user_or_group_id(id: i64) -> Vec<String> {
    in_range(id, 0, i64::from(i32::MAX))
}

/// Digits and a percent sign.
pub fn percent(value: &str) -> Vec<String> {
    let good = value.strip_suffix('%').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if good {
        return Vec::new();
    }
    vec![regex_message(
        "a valid percent string must be a numeric string followed by an ending '%'",
        "[0-9]+%",
        &["1%", "93%"],
    )]
}

/// The name of an HTTP header.
pub fn http_header_name(value: &str) -> Vec<String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !value.is_empty() && value.bytes().all(good) {
        return Vec::new();
    }
    vec![regex_message(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// A whole number in its one canonical form.
pub fn decimal_integer(value: &str) -> Vec<String> {
    if value.is_empty() {
        return vec!["must be non-empty".to_owned()];
    }
    let digits = value.strip_prefix('-').unwrap_or(value);
    let canonical = value == "0"
        || (digits.starts_with(|c: char| ('1'..='9').contains(&c))
            && digits.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical {
        return Vec::new();
    }
    vec!["must be a valid decimal integer in canonical form".to_owned()]
}

/// The name of an object as a segment of a path.
pub fn path_segment_name(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    path_segment_prefix(name)
}

/// The beginning of an object's name (`generateName`) as a segment of a path.
pub fn path_segment_prefix(name: &str) -> Vec<String> {
    let illegal = ["/", "%"].into_iter().filter(|text| name.contains(text));
    illegal
        .map(|text| format!("may not contain '{text}'"))
        .collect()
}

/// A rule for the names of a kind: the name (or its prefix, `generateName`) and whether it is a prefix.
pub type NameRule = fn(&str, bool) -> Vec<String>;

/// Names that are DNS subdomains (`NameIsDNSSubdomain`). A prefix may end in `-`.
pub fn name_is_dns_subdomain(name: &str, prefix: bool) -> Vec<String> {
    dns1123_subdomain(&mask_trailing_dash(name, prefix))
}

/// Names that are DNS labels (`NameIsDNSLabel`). A prefix may end in `-`.
pub fn name_is_dns_label(name: &str, prefix: bool) -> Vec<String> {
    dns1123_label(&mask_trailing_dash(name, prefix))
}

/// Names that are RFC 1035 labels (`NameIsDNS1035Label`). A prefix may end in `-`.
pub fn name_is_dns1035_label(name: &str, prefix: bool) -> Vec<String> {
    dns1035_label(&mask_trailing_dash(name, prefix))
}

/// Names that only have to fit in a path (`ValidatePathSegmentName`).
pub fn name_is_path_segment(name: &str, prefix: bool) -> Vec<String> {
    if prefix {
        path_segment_prefix(name)
    } else {
        path_segment_name(name)
    }
}

/// A prefix that ends in a dash has it, and what stands before it, replaced by a letter.
fn mask_trailing_dash(name: &str, prefix: bool) -> std::borrow::Cow<'_, str> {
    if !prefix || name.len() <= 1 || !name.ends_with('-') {
        return name.into();
    }
    // Upstream quirk, kept: it cuts two bytes and adds one, so `a_-` is judged as `aa`.
    let bytes = &name.as_bytes()[..name.len() - 2];
    format!("{}a", String::from_utf8_lossy(bytes)).into()
}

#[cfg(test)]
mod tests;
