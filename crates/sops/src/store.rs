//! The forms that files have: YAML, JSON, dotenv, INI, and anything else inside JSON.

mod dotenv;
mod ini;
mod json;
mod yaml;

use crate::flatten::{FlattenError, flatten, unflatten};
use crate::metadata::{KEY, Metadata, MetadataError, PREFIX};
use crate::value::{Branch, Item, Value};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Any bytes; encrypted as JSON with one entry `data`.
    Binary,
    /// `KEY=value` lines.
    Dotenv,
    /// Sections.
    Ini,
    /// One JSON object.
    Json,
    /// YAML, also of several documents.
    Yaml,
}

impl std::fmt::Display for Format {
    /// As Flux names it in messages.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Binary => "binary",
            Self::Dotenv => "dotenv",
            Self::Ini => "INI",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        })
    }
}

impl Format {
    /// The form that a file name promises, as Flux takes it: `.dockerconfigjson` is JSON.
    pub fn of_path(path: &str) -> Self {
        let ends = |suffix: &str| path.ends_with(suffix);
        if ends(".yaml") || ends(".yml") {
            Self::Yaml
        } else if ends(".json") || ends(".dockerconfigjson") {
            Self::Json
        } else if ends(".env") {
            Self::Dotenv
        } else if ends(".ini") {
            Self::Ini
        } else {
            Self::Binary
        }
    }

    /// The bytes that tell an encrypted file of this form.
    pub fn marker(self) -> &'static [u8] {
        match self {
            Self::Binary | Self::Json => b"\"mac\": \"ENC[",
            Self::Dotenv => b"sops_mac=ENC[",
            Self::Ini => b"[sops]",
            Self::Yaml => b"mac: ENC[",
        }
    }

    /// Whether `data` looks like an encrypted file of this form.
    pub fn marks(self, data: &[u8]) -> bool {
        let marker = self.marker();
        data.windows(marker.len()).any(|window| window == marker)
    }

    /// The form of an encrypted file, by what is in it; none if it does not look encrypted.
    pub fn detect(data: &[u8]) -> Option<Self> {
        [Self::Json, Self::Dotenv, Self::Ini, Self::Yaml]
            .into_iter()
            .find(|format| format.marks(data))
    }
}

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not in this form.
    #[error("{0}")]
    Syntax(String),
    /// The metadata are missing or wrong.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Flat metadata that make no tree.
    #[error(transparent)]
    Flatten(#[from] FlattenError),
    /// A document that the form cannot hold.
    #[error("{0}")]
    Emit(String),
    /// The document has a key that SOPS needs for itself.
    #[error("Found key {0:?} in encrypted data, which is a reserved key used for SOPS metadata")]
    Reserved(String),
}

/// Reads a plain file.
pub(crate) fn load(data: &[u8], format: Format) -> Result<Vec<Branch>, StoreError> {
    match format {
        Format::Yaml => yaml::load(data),
        Format::Json => json::load(data),
        Format::Dotenv => dotenv::load(data),
        Format::Ini => ini::load(data),
        Format::Binary => {
            let text = std::str::from_utf8(data)
                .map_err(|_| StoreError::Syntax("the data is not text in UTF-8".to_owned()))?;
            let entry = Item::Entry("data".to_owned(), Value::Text(text.to_owned()));
            Ok(vec![vec![entry]])
        }
    }
}

/// Writes a plain file.
pub(crate) fn emit(branches: &[Branch], format: Format) -> Result<Vec<u8>, StoreError> {
    match format {
        Format::Yaml => yaml::emit(branches),
        Format::Json => json::emit(branches),
        Format::Dotenv => dotenv::emit(branches),
        Format::Ini => ini::emit(branches),
        Format::Binary => binary(branches),
    }
}

fn binary(branches: &[Branch]) -> Result<Vec<u8>, StoreError> {
    let fail = |why: &str| StoreError::Emit(format!("error emitting binary store: {why}"));
    let [branch] = branches else {
        return Err(fail("there must be exactly one tree branch"));
    };
    match crate::value::get(branch, "data") {
        Some(Value::Text(text)) => Ok(text.clone().into_bytes()),
        Some(_) => Err(fail("'data' key in tree does not have a string value")),
        None => Err(fail("no binary data found in tree")),
    }
}

/// Reads an encrypted file: the documents without metadata, and the metadata.
pub(crate) fn load_encrypted(
    data: &[u8],
    format: Format,
) -> Result<(Vec<Branch>, Metadata), StoreError> {
    let stored = if format == Format::Binary {
        Format::Json
    } else {
        format
    };
    let mut branches = load(data, stored)?;
    let entry = match format {
        Format::Dotenv => take_flat(&mut branches)?,
        _ => take(&mut branches)?,
    };
    let entry = match format {
        Format::Ini => unflatten(unescape(entry))?,
        Format::Dotenv => unflatten(entry)?,
        _ => entry,
    };
    let metadata = Metadata::from_branch(&entry)?;
    Ok((branches, metadata))
}

fn take(branches: &mut [Branch]) -> Result<Branch, StoreError> {
    let mut found = None;
    for (number, branch) in branches.iter_mut().enumerate() {
        let (own, rest) = std::mem::take(branch)
            .into_iter()
            .partition(|item| item.value_of(KEY).is_some());
        *branch = rest;
        if number > 0 {
            continue;
        }
        let mut own: Vec<Item> = own;
        if own.len() > 1 {
            return Err(MetadataError::Duplicate.into());
        }
        found = own.pop();
    }
    match found {
        Some(Item::Entry(_, Value::Branch(branch))) => Ok(branch),
        Some(_) => Err(MetadataError::NotAMapping.into()),
        None => Err(MetadataError::NotFound.into()),
    }
}

fn take_flat(branches: &mut [Branch]) -> Result<Branch, StoreError> {
    let mut found = Branch::new();
    if let Some(first) = branches.first_mut() {
        for item in std::mem::take(first) {
            match item {
                Item::Entry(key, value) if key.starts_with(PREFIX) => {
                    found.push(Item::Entry(key[PREFIX.len()..].to_owned(), value));
                }
                other => first.push(other),
            }
        }
    }
    if found.is_empty() {
        return Err(MetadataError::NotFound.into());
    }
    Ok(found)
}

/// INI keeps newlines of metadata as `\n`.
fn unescape(branch: Branch) -> Branch {
    map_texts(branch, |text| text.replace("\\n", "\n"))
}

fn map_texts(branch: Branch, change: impl Fn(&str) -> String) -> Branch {
    let items = branch.into_iter().map(|item| match item {
        Item::Entry(key, Value::Text(text)) => Item::Entry(key, Value::Text(change(&text))),
        other => other,
    });
    items.collect()
}

/// Writes an encrypted file with its metadata.
pub(crate) fn emit_encrypted(
    mut branches: Vec<Branch>,
    metadata: &Metadata,
    format: Format,
) -> Result<Vec<u8>, StoreError> {
    let entry = metadata.to_branch();
    let items = match format {
        Format::Dotenv => flatten(&entry, PREFIX),
        Format::Ini => {
            let flat = map_texts(flatten(&entry, ""), |text| text.replace('\n', "\\n"));
            vec![Item::Entry(KEY.to_owned(), Value::Branch(flat))]
        }
        _ => vec![Item::Entry(KEY.to_owned(), Value::Branch(entry))],
    };
    for branch in &mut branches {
        for item in branch.iter() {
            if let Item::Entry(key, _) = item
                && (key == KEY || (format == Format::Dotenv && key.starts_with(PREFIX)))
            {
                return Err(StoreError::Reserved(key.clone()));
            }
        }
        branch.extend(items.iter().cloned());
    }
    let stored = if format == Format::Binary {
        Format::Json
    } else {
        format
    };
    emit(&branches, stored)
}
