//! The `sops` entry of an encrypted file.

use std::collections::BTreeMap;

use crate::key::{KeyGroup, KeyKind, MasterKey};
use crate::value::{Branch, Item, Value, get};

/// The key of the metadata, and what flat ones start with.
pub(crate) const KEY: &str = "sops";
/// What every metadata entry starts with in stores without nesting.
pub(crate) const PREFIX: &str = "sops_";

/// Why metadata cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// There is none.
    #[error("sops metadata not found")]
    NotFound,
    /// It stands there twice.
    #[error("Found duplicate sops entry")]
    Duplicate,
    /// It is not a mapping.
    #[error("Found sops entry that is not a mapping")]
    NotAMapping,
    /// A time that is not RFC 3339.
    #[error("parsing time {value:?} of {field}: it is not in the form 2006-01-02T15:04:05Z")]
    Time {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: String,
    },
    /// More than one rule about what is encrypted.
    #[error(
        "Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file"
    )]
    Rules,
    /// Nothing says who can decrypt it.
    #[error("No keys found in file")]
    NoKeys,
}

/// Which values of a file are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// All but those below a key that ends so.
    UnencryptedSuffix(String),
    /// Only those below a key that ends so.
    EncryptedSuffix(String),
    /// All but those below a key that matches.
    UnencryptedRegex(String),
    /// Only those below a key that matches.
    EncryptedRegex(String),
    /// All but those after a comment that matches.
    UnencryptedCommentRegex(String),
    /// Only those after a comment that matches.
    EncryptedCommentRegex(String),
}

impl Rule {
    /// The key in the metadata.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnencryptedSuffix(_) => "unencrypted_suffix",
            Self::EncryptedSuffix(_) => "encrypted_suffix",
            Self::UnencryptedRegex(_) => "unencrypted_regex",
            Self::EncryptedRegex(_) => "encrypted_regex",
            Self::UnencryptedCommentRegex(_) => "unencrypted_comment_regex",
            Self::EncryptedCommentRegex(_) => "encrypted_comment_regex",
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::UnencryptedSuffix(text)
            | Self::EncryptedSuffix(text)
            | Self::UnencryptedRegex(text)
            | Self::EncryptedRegex(text)
            | Self::UnencryptedCommentRegex(text)
            | Self::EncryptedCommentRegex(text) => text,
        }
    }

    fn all(get: impl Fn(&str) -> String) -> Vec<Self> {
        let rules: [fn(String) -> Self; 6] = [
            Self::UnencryptedSuffix,
            Self::EncryptedSuffix,
            Self::UnencryptedRegex,
            Self::EncryptedRegex,
            Self::UnencryptedCommentRegex,
            Self::EncryptedCommentRegex,
        ];
        let named = rules.into_iter().map(|rule| {
            let name = rule(String::new()).name();
            rule(get(name))
        });
        named.filter(|rule| !rule.text().is_empty()).collect()
    }
}

impl Default for Rule {
    fn default() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }
}

/// What a file says of its own encryption.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Who can decrypt it.
    pub groups: Vec<KeyGroup>,
    /// How many groups are needed; 0 where there is one.
    pub shamir_threshold: usize,
    /// Which values are encrypted.
    pub rule: Rule,
    /// The authentication code covers the encrypted values only.
    pub mac_only_encrypted: bool,
    /// The authentication code, encrypted.
    pub mac: String,
    /// In RFC 3339; the authentication code is bound to it.
    pub last_modified: String,
    /// Of the program that wrote the file.
    pub version: String,
}

/// The kinds of keys in upstream's order: as they are tried and named.
const KINDS: [&str; 7] = [
    "kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp", "age",
];

fn text(branch: &[Item], key: &str) -> String {
    match get(branch, key) {
        Some(Value::Null) | None => String::new(),
        Some(value) => value.plaintext().unwrap_or_default(),
    }
}

fn number(branch: &[Item], key: &str) -> usize {
    text(branch, key).parse().unwrap_or(0)
}

fn flag(branch: &[Item], key: &str) -> bool {
    matches!(text(branch, key).as_str(), "True" | "true" | "1")
}

fn is_rfc3339(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

fn branches<'a>(branch: &'a [Item], key: &str) -> Vec<&'a Branch> {
    match get(branch, key) {
        Some(Value::List(items)) => items
            .iter()
            .filter_map(|item| match item {
                Value::Branch(branch) => Some(branch),
                _ => None,
            })
            .collect(),
        // Weak typing: one mapping stands for a list of one.
        Some(Value::Branch(branch)) if !branch.is_empty() => vec![branch],
        _ => Vec::new(),
    }
}

fn kind(name: &str, entry: &[Item]) -> KeyKind {
    let of = |key: &str| text(entry, key);
    match name {
        "kms" => KeyKind::AwsKms {
            arn: of("arn"),
            role: of("role"),
            profile: of("aws_profile"),
            context: match get(entry, "context") {
                Some(Value::Branch(pairs)) => pairs
                    .iter()
                    .filter_map(|pair| match pair {
                        Item::Entry(key, value) => Some((key.clone(), value.plaintext()?)),
                        Item::Comment(_) => None,
                    })
                    .collect(),
                _ => BTreeMap::new(),
            },
        },
        "gcp_kms" => KeyKind::GcpKms {
            resource_id: of("resource_id"),
        },
        "hckms" => KeyKind::HuaweiKms {
            key_id: of("key_id"),
        },
        "azure_kv" => KeyKind::AzureKeyVault {
            vault_url: of("vault_url"),
            name: of("name"),
            version: of("version"),
        },
        "hc_vault" => KeyKind::Vault {
            address: of("vault_address"),
            engine_path: of("engine_path"),
            key_name: of("key_name"),
        },
        "pgp" => KeyKind::Pgp {
            fingerprint: of("fp"),
        },
        _ => KeyKind::Age {
            recipient: of("recipient"),
        },
    }
}

fn group(branch: &[Item]) -> Result<KeyGroup, MetadataError> {
    let mut group = KeyGroup::new();
    for name in KINDS {
        for entry in branches(branch, name) {
            let created_at = text(entry, "created_at");
            if name != "age" && !is_rfc3339(&created_at) {
                return Err(MetadataError::Time {
                    field: "created_at",
                    value: created_at,
                });
            }
            group.push(MasterKey {
                kind: kind(name, entry),
                encrypted: text(entry, "enc"),
                created_at,
            });
        }
    }
    Ok(group)
}

impl Metadata {
    /// Reads the entry.
    ///
    /// # Errors
    /// Times, rules or keys that are not as SOPS writes them.
    pub(crate) fn from_branch(branch: &[Item]) -> Result<Self, MetadataError> {
        let last_modified = text(branch, "lastmodified");
        if !is_rfc3339(&last_modified) {
            return Err(MetadataError::Time {
                field: "lastmodified",
                value: last_modified,
            });
        }
        let own = group(branch)?;
        let groups = if own.is_empty() {
            let groups = branches(branch, "key_groups");
            groups
                .into_iter()
                .map(|branch| group(branch))
                .collect::<Result<Vec<_>, _>>()?
        } else {
            vec![own]
        };
        if groups.is_empty() {
            return Err(MetadataError::NoKeys);
        }
        let mut rules = Rule::all(|name| text(branch, name));
        if rules.len() > 1 {
            return Err(MetadataError::Rules);
        }
        Ok(Self {
            groups,
            shamir_threshold: number(branch, "shamir_threshold"),
            rule: rules.pop().unwrap_or_default(),
            mac_only_encrypted: flag(branch, "mac_only_encrypted"),
            mac: text(branch, "mac"),
            last_modified,
            version: text(branch, "version"),
        })
    }

    /// The entry, keys sorted as SOPS writes them.
    pub(crate) fn to_branch(&self) -> Branch {
        let mut entries = match &self.groups[..] {
            [group] => group_entries(group),
            groups => {
                let groups = groups.iter().map(|group| {
                    let entries = group_entries(group).into_iter();
                    Value::Branch(
                        entries
                            .map(|(key, value)| Item::Entry(key, value))
                            .collect(),
                    )
                });
                BTreeMap::from([("key_groups".to_owned(), Value::List(groups.collect()))])
            }
        };
        let mut put = |key: &str, value: Value| entries.insert(key.to_owned(), value);
        put("lastmodified", Value::Text(self.last_modified.clone()));
        put("mac", Value::Text(self.mac.clone()));
        put("version", Value::Text(self.version.clone()));
        put(self.rule.name(), Value::Text(self.rule.text().to_owned()));
        if self.mac_only_encrypted {
            put("mac_only_encrypted", Value::Bool(true));
        }
        if self.shamir_threshold > 0 {
            put("shamir_threshold", Value::Int(self.shamir_threshold as i64));
        }
        entries
            .into_iter()
            .map(|(key, value)| Item::Entry(key, value))
            .collect()
    }
}

fn group_entries(group: &KeyGroup) -> BTreeMap<String, Value> {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for key in group {
        let (name, fields) = key_fields(&key.kind);
        let mut fields: BTreeMap<&str, Value> = fields
            .into_iter()
            .map(|(name, text)| (name, Value::Text(text)))
            .collect();
        if let KeyKind::AwsKms { context, .. } = &key.kind
            && !context.is_empty()
        {
            let pairs = context
                .iter()
                .map(|(key, value)| Item::Entry(key.clone(), Value::Text(value.clone())));
            fields.insert("context", Value::Branch(pairs.collect()));
        }
        fields.insert("enc", Value::Text(key.encrypted.clone()));
        if name != "age" {
            fields.insert("created_at", Value::Text(key.created_at.clone()));
        }
        let entry = fields
            .into_iter()
            .map(|(key, value)| Item::Entry(key.to_owned(), value));
        lists
            .entry(name.to_owned())
            .or_default()
            .push(Value::Branch(entry.collect()));
    }
    lists
        .into_iter()
        .map(|(name, list)| (name, Value::List(list)))
        .collect()
}

fn key_fields(kind: &KeyKind) -> (&'static str, Vec<(&'static str, String)>) {
    match kind {
        KeyKind::Age { recipient } => ("age", vec![("recipient", recipient.clone())]),
        KeyKind::Pgp { fingerprint } => ("pgp", vec![("fp", fingerprint.clone())]),
        KeyKind::AwsKms {
            arn, role, profile, ..
        } => {
            let mut fields = vec![("arn", arn.clone()), ("aws_profile", profile.clone())];
            if !role.is_empty() {
                fields.push(("role", role.clone()));
            }
            ("kms", fields)
        }
        KeyKind::GcpKms { resource_id } => ("gcp_kms", vec![("resource_id", resource_id.clone())]),
        KeyKind::AzureKeyVault {
            vault_url,
            name,
            version,
        } => (
            "azure_kv",
            vec![
                ("vault_url", vault_url.clone()),
                ("name", name.clone()),
                ("version", version.clone()),
            ],
        ),
        KeyKind::Vault {
            address,
            engine_path,
            key_name,
        } => (
            "hc_vault",
            vec![
                ("vault_address", address.clone()),
                ("engine_path", engine_path.clone()),
                ("key_name", key_name.clone()),
            ],
        ),
        KeyKind::HuaweiKms { key_id } => ("hckms", vec![("key_id", key_id.clone())]),
    }
}
