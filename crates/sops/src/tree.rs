//! Walks over documents: which values are encrypted, and the code that authenticates them all.

use regex::Regex;
use sha2::{Digest as _, Sha512};

use crate::cipher::{self, CipherError, DataKey};
use crate::metadata::{Metadata, Rule};
use crate::value::{Branch, Comment, Item, Value};

/// What the code of `mac_only_encrypted` files starts with: SHA-256 of `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// Why a document cannot be walked.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A value cannot be decrypted or encrypted.
    #[error("Error walking tree: Could not {verb} value: {source}")]
    Value {
        /// `decrypt` or `encrypt`.
        verb: &'static str,
        /// The keys that lead to it, joined by dots.
        path: String,
        /// Why.
        source: CipherError,
    },
    /// A value stands in the clear where the file's rule says that it is encrypted.
    #[error("Error walking tree: Expected encrypted value as string, but got {kind} at {path}")]
    NotEncrypted {
        /// Its type, as Go names it.
        kind: &'static str,
        /// The keys that lead to it, joined by dots.
        path: String,
    },
    /// The rule of the file is no regular expression.
    #[error("the expression of {rule} cannot be read: {source}")]
    Expression {
        /// The key in the metadata.
        rule: &'static str,
        /// Why.
        source: Box<regex::Error>,
    },
}

/// Which values a file's rule means.
enum Chosen {
    WithSuffix { suffix: String, encrypted: bool },
    Matching { expression: Regex, encrypted: bool },
    Commented { expression: Regex, encrypted: bool },
}

impl Chosen {
    fn new(rule: &Rule) -> Result<Self, TreeError> {
        let compile = |text: &str| {
            Regex::new(text).map_err(|source| TreeError::Expression {
                rule: rule.name(),
                source: Box::new(source),
            })
        };
        Ok(match rule {
            Rule::UnencryptedSuffix(suffix) => Self::WithSuffix {
                suffix: suffix.clone(),
                encrypted: false,
            },
            Rule::EncryptedSuffix(suffix) => Self::WithSuffix {
                suffix: suffix.clone(),
                encrypted: true,
            },
            Rule::UnencryptedRegex(text) => Self::Matching {
                expression: compile(text)?,
                encrypted: false,
            },
            Rule::EncryptedRegex(text) => Self::Matching {
                expression: compile(text)?,
                encrypted: true,
            },
            Rule::UnencryptedCommentRegex(text) => Self::Commented {
                expression: compile(text)?,
                encrypted: false,
            },
            Rule::EncryptedCommentRegex(text) => Self::Commented {
                expression: compile(text)?,
                encrypted: true,
            },
        })
    }

    fn is_encrypted(&self, path: &[String], comments: &[Vec<String>], is_comment: bool) -> bool {
        match self {
            Self::WithSuffix { suffix, encrypted } => {
                path.iter().any(|key| key.ends_with(suffix.as_str())) == *encrypted
            }
            Self::Matching {
                expression,
                encrypted,
            } => path.iter().any(|key| expression.is_match(key)) == *encrypted,
            Self::Commented {
                expression,
                encrypted,
            } => {
                // The comment that asks for encryption is itself not encrypted, later ones are.
                let own = is_comment && *encrypted;
                let skipped = comments.last().filter(|_| own).and_then(|last| last.last());
                let found = comments.iter().flatten().any(|comment| {
                    !skipped.is_some_and(|skipped| std::ptr::eq(skipped, comment))
                        && expression.is_match(comment)
                });
                found == *encrypted
            }
        }
    }
}

/// What is done with each value.
trait Visit {
    /// The value instead of `value`. `path` has the keys, each followed by a colon.
    fn leaf(&mut self, value: Value, path: &[String], encrypted: bool) -> Result<Value, TreeError>;
}

struct Walk<'a, V> {
    chosen: Chosen,
    comments: Vec<Vec<String>>,
    path: Vec<String>,
    visitor: &'a mut V,
}

impl<V: Visit> Walk<'_, V> {
    fn leaf(&mut self, value: Value) -> Result<Value, TreeError> {
        let is_comment = matches!(value, Value::Comment(_));
        let encrypted = self
            .chosen
            .is_encrypted(&self.path, &self.comments, is_comment);
        self.visitor.leaf(value, &self.path, encrypted)
    }

    fn note(&mut self, comment: &Comment) {
        if let Some(active) = self.comments.last_mut() {
            active.push(comment.text.clone());
        }
    }

    fn forget(&mut self) {
        if let Some(active) = self.comments.last_mut() {
            active.clear();
        }
    }

    fn value(&mut self, value: Value) -> Result<Value, TreeError> {
        Ok(match value {
            Value::Null => Value::Null,
            Value::List(items) => Value::List(self.list(items)?),
            Value::Branch(branch) => Value::Branch(self.branch(branch)?),
            leaf => self.leaf(leaf)?,
        })
    }

    fn list(&mut self, items: Vec<Value>) -> Result<Vec<Value>, TreeError> {
        self.comments.push(Vec::new());
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            if let Value::Comment(comment) = &item {
                self.note(comment);
                out.push(self.leaf(item)?);
            } else {
                out.push(self.value(item)?);
                self.forget();
            }
        }
        self.comments.pop();
        Ok(out)
    }

    fn branch(&mut self, branch: Branch) -> Result<Branch, TreeError> {
        self.comments.push(Vec::new());
        let mut out = Vec::with_capacity(branch.len());
        for item in branch {
            match item {
                Item::Comment(comment) => {
                    self.note(&comment);
                    let inline = comment.inline;
                    out.push(Item::Comment(match self.leaf(Value::Comment(comment))? {
                        Value::Comment(comment) => comment,
                        other => Comment {
                            text: other.plaintext().unwrap_or_default(),
                            inline,
                        },
                    }));
                }
                Item::Entry(key, value) => {
                    self.path.push(key);
                    let value = self.value(value)?;
                    let key = self.path.pop().unwrap_or_default();
                    out.push(Item::Entry(key, value));
                    self.forget();
                }
            }
        }
        self.comments.pop();
        Ok(out)
    }
}

/// Visits every value of `branches`.
fn walk(
    branches: Vec<Branch>,
    rule: &Rule,
    visitor: &mut impl Visit,
) -> Result<Vec<Branch>, TreeError> {
    let mut walk = Walk {
        chosen: Chosen::new(rule)?,
        comments: Vec::new(),
        path: Vec::new(),
        visitor,
    };
    branches
        .into_iter()
        .map(|branch| walk.branch(branch))
        .collect()
}

/// The path as it authenticates a value; a colon ends it, also the empty one.
fn bound(path: &[String]) -> String {
    format!("{}:", path.join(":"))
}

/// Adds up what the code is made of.
struct Mac {
    hash: Sha512,
    only_encrypted: bool,
}

impl Mac {
    fn new(metadata: &Metadata) -> Self {
        let mut hash = Sha512::new();
        if metadata.mac_only_encrypted {
            hash.update(ONLY_ENCRYPTED);
        }
        Self {
            hash,
            only_encrypted: metadata.mac_only_encrypted,
        }
    }

    fn add(&mut self, value: &Value, encrypted: bool) {
        if (self.only_encrypted && !encrypted) || matches!(value, Value::Comment(_)) {
            return;
        }
        if let Some(bytes) = value.plaintext() {
            self.hash.update(bytes);
        }
    }

    fn finish(self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for byte in self.hash.finalize() {
            let _ = write!(text, "{byte:02X}");
        }
        text
    }
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float64",
        Value::Time(_) => "time.Time",
        _ => "string",
    }
}

struct Decrypt<'a> {
    key: &'a DataKey,
    mac: Mac,
}

impl Visit for Decrypt<'_> {
    fn leaf(&mut self, value: Value, path: &[String], encrypted: bool) -> Result<Value, TreeError> {
        let plain =
            match (encrypted, value) {
                (false, value) => value,
                // A comment may have been written before SOPS encrypted comments.
                (true, Value::Comment(comment)) => {
                    match cipher::decrypt(&comment.text, self.key, &bound(path)) {
                        // Upstream bug, kept: that it stood behind a value is forgotten.
                        Ok(Value::Comment(plain)) => Value::Comment(plain),
                        Ok(Value::Text(text)) => Value::Comment(Comment {
                            text,
                            inline: comment.inline,
                        }),
                        _ => Value::Comment(comment),
                    }
                }
                (true, Value::Text(text)) => cipher::decrypt(&text, self.key, &bound(path))
                    .map_err(|source| TreeError::Value {
                        verb: "decrypt",
                        path: path.join("."),
                        source,
                    })?,
                (true, other) => {
                    return Err(TreeError::NotEncrypted {
                        kind: go_kind(&other),
                        path: path.join("."),
                    });
                }
            };
        self.mac.add(&plain, encrypted);
        Ok(plain)
    }
}

/// Decrypts all values; gives the authentication code of the plaintexts too.
pub(crate) fn decrypt(
    branches: Vec<Branch>,
    metadata: &Metadata,
    key: &DataKey,
) -> Result<(Vec<Branch>, String), TreeError> {
    let mut visitor = Decrypt {
        key,
        mac: Mac::new(metadata),
    };
    let branches = walk(branches, &metadata.rule, &mut visitor)?;
    Ok((branches, visitor.mac.finish()))
}

struct Encrypt<'a> {
    key: &'a DataKey,
    mac: Mac,
    random: &'a mut dyn FnMut(&mut [u8]),
}

impl Visit for Encrypt<'_> {
    fn leaf(&mut self, value: Value, path: &[String], encrypted: bool) -> Result<Value, TreeError> {
        self.mac.add(&value, encrypted);
        if !encrypted {
            return Ok(value);
        }
        let mut nonce = [0; 32];
        (self.random)(&mut nonce);
        let text = cipher::encrypt(&value, self.key, &bound(path), &nonce).map_err(|source| {
            TreeError::Value {
                verb: "encrypt",
                path: path.join("."),
                source,
            }
        })?;
        Ok(match value {
            Value::Comment(comment) => Value::Comment(Comment { text, ..comment }),
            _ => Value::Text(text),
        })
    }
}

/// Encrypts the values that the rule means; gives the authentication code of the plaintexts too.
pub(crate) fn encrypt(
    branches: Vec<Branch>,
    metadata: &Metadata,
    key: &DataKey,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<(Vec<Branch>, String), TreeError> {
    let mut visitor = Encrypt {
        key,
        mac: Mac::new(metadata),
        random,
    };
    let branches = walk(branches, &metadata.rule, &mut visitor)?;
    Ok((branches, visitor.mac.finish()))
}
