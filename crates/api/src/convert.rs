//! Conversions between the versions of a kind.
//!
//! ```text
//! old object ──move fields that were renamed──► prune by the target's schema ──► object, ignored fields
//! ```
//!
//! Objects are JSON values here, because what is converted may not be valid in any version: a field of
//! v1beta1 in an object that the API server hands out as v1 (see [`crate::stored`]). So controllers decode
//! what they read with [`read`], which converts first.
//!
//! Fields that have no equivalent in the target are dropped and named in [`Converted::ignored`].
//! Only desired state is named: what an old controller observed is observed again.

mod helm;
mod image;
mod kustomize;
mod notification;
mod patches;
mod path;
mod prune;
mod source;

use serde_json::{Map, Value};

use crate::crd;
use crate::kind::{Kind, Version};
use crate::meta::{Object, Spec};

/// An object in another version.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// The object.
    pub object: Value,
    /// The fields that were set and have no equivalent, such as `spec.validation`, sorted.
    pub ignored: Vec<String>,
}

/// Why an object cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// It has no `apiVersion` and `kind`, or they are not text.
    #[error("the object has no apiVersion and kind")]
    NoKind,
    /// It is not of a Flux kind.
    #[error("{kind} of {group} is not a Flux kind")]
    UnknownKind {
        /// The API group.
        group: String,
        /// The kind.
        kind: String,
    },
    /// The kind never had that version.
    #[error("{kind} has no version {version}")]
    UnknownVersion {
        /// The kind.
        kind: String,
        /// The version.
        version: String,
    },
}

/// Why an object cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be converted.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// It is of another kind.
    #[error("expected a {expected}, found {found}")]
    OtherKind {
        /// Its kind.
        found: String,
        /// The kind that was asked for.
        expected: &'static str,
    },
    /// A field has a value of the wrong type or form.
    #[error("cannot decode {kind} {name}")]
    Decode {
        /// Its kind.
        kind: &'static str,
        /// Its name, with the namespace.
        name: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// The moves of one kind.
#[derive(Clone, Copy)]
struct Moves {
    /// Old fields that have an equivalent today.
    carried: &'static [&'static str],
    /// Old fields that have none, and the value that is worth no warning because it was the default.
    ignored: &'static [(&'static str, Option<&'static str>)],
    /// Old fields to current ones, wherever they are found.
    up: fn(&mut Map<String, Value>, &mut Vec<String>),
    /// Current fields to those of the named old version.
    down: fn(&mut Map<String, Value>, &str, &mut Vec<String>),
}

const NONE: Moves = Moves {
    carried: &[],
    ignored: &[],
    up: |_, _| (),
    down: |_, _, _| (),
};

/// Converts an object to the current version of its kind.
///
/// An object that says it is of the current version is also looked at: fields of old versions in it are
/// carried over, everything else stays as it is.
pub fn to_current(object: Value) -> Result<Converted, ConvertError> {
    let (kind, version, mut fields) = identify(object)?;
    let mut ignored = Vec::new();
    let moves = moves(kind);
    (moves.up)(&mut fields, &mut ignored);
    for (path, default) in moves.ignored {
        if let Some(value) = path::take(&mut fields, path)
            && default.is_none_or(|default| value != default)
        {
            ignored.push((*path).to_owned());
        }
    }
    let current = kind.current();
    if version.name != current.name {
        fields.insert(
            "apiVersion".to_owned(),
            Value::String(kind.names.api_version(current.name)),
        );
        prune::prune(
            &mut fields,
            &(current.schema)(),
            &(version.schema)(),
            &mut ignored,
        );
    }
    Ok(converted(fields, ignored))
}

/// Reads an object of any version, as an API server or a file has it, into the type of the current version
/// whose desired state is `S`; with the fields that have no effect.
pub fn read<S: Spec>(object: Value) -> Result<(Object<S>, Vec<String>), ReadError> {
    let Converted { object, ignored } = to_current(object)?;
    let text = |path: &str| {
        object
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (kind, api_version) = (text("/kind"), text("/apiVersion"));
    if kind != S::NAMES.kind || api_version != S::NAMES.api_version(S::VERSION) {
        return Err(ReadError::OtherKind {
            found: format!("{kind} of {api_version}"),
            expected: S::NAMES.kind,
        });
    }
    let name = format!("{}/{}", text("/metadata/namespace"), text("/metadata/name"));
    let object = serde_json::from_value(object).map_err(|source| ReadError::Decode {
        kind: S::NAMES.kind,
        name,
        source,
    })?;
    Ok((object, ignored))
}

/// Converts an object of any version to the version with the given name, through the current one.
pub fn to_version(object: Value, name: &str) -> Result<Converted, ConvertError> {
    let Converted {
        object,
        mut ignored,
    } = to_current(object)?;
    let (kind, current, mut fields) = identify(object)?;
    let Some(target) = kind.version(name) else {
        return Err(ConvertError::UnknownVersion {
            kind: kind.names.kind.to_owned(),
            version: name.to_owned(),
        });
    };
    if target.name != current.name {
        (moves(kind).down)(&mut fields, name, &mut ignored);
        fields.insert(
            "apiVersion".to_owned(),
            Value::String(kind.names.api_version(name)),
        );
        prune::prune(
            &mut fields,
            &(target.schema)(),
            &(current.schema)(),
            &mut ignored,
        );
    }
    Ok(converted(fields, ignored))
}

/// The fields of an old version that have no equivalent in the current one, such as `spec.validation`.
pub fn ignored_fields(kind: &Kind, version: &Version) -> Vec<String> {
    let mut fields = prune::missing(&(version.schema)(), &(kind.current().schema)());
    fields.retain(|field| !moves(kind).carried.contains(&field.as_str()));
    fields
}

/// What the API server warns of when a request uses an old version: Flux's words, and the fields that
/// have no effect.
pub fn deprecation_warning(kind: &Kind, version: &Version) -> String {
    let warning = format!(
        "{} {} is deprecated, upgrade to {}",
        version.name,
        kind.names.kind,
        kind.current().name
    );
    let ignored = ignored_fields(kind, version);
    if ignored.is_empty() {
        return warning;
    }
    format!("{warning}; ignored fields: {}", ignored.join(", "))
}

fn converted(fields: Map<String, Value>, mut ignored: Vec<String>) -> Converted {
    ignored.sort();
    ignored.dedup();
    Converted {
        object: Value::Object(fields),
        ignored,
    }
}

fn identify(
    object: Value,
) -> Result<(&'static Kind, &'static Version, Map<String, Value>), ConvertError> {
    let Value::Object(fields) = object else {
        return Err(ConvertError::NoKind);
    };
    let text = |name: &str| {
        fields
            .get(name)
            .and_then(Value::as_str)
            .ok_or(ConvertError::NoKind)
    };
    let (group, version) = text("apiVersion")?
        .split_once('/')
        .ok_or(ConvertError::NoKind)?;
    let name = text("kind")?;
    let kind = crd::kind(group, name).ok_or_else(|| ConvertError::UnknownKind {
        group: group.to_owned(),
        kind: name.to_owned(),
    })?;
    let version = kind
        .version(version)
        .ok_or_else(|| ConvertError::UnknownVersion {
            kind: name.to_owned(),
            version: version.to_owned(),
        })?;
    Ok((kind, version, fields))
}

fn moves(kind: &Kind) -> Moves {
    match kind.names.kind {
        "Kustomization" => kustomize::MOVES,
        "HelmRelease" => helm::MOVES,
        "ImagePolicy" => image::POLICY,
        "ImageUpdateAutomation" => image::AUTOMATION,
        "Receiver" => notification::RECEIVER,
        "GitRepository" => source::GIT_REPOSITORY,
        "Bucket" => source::BUCKET,
        "HelmChart" => source::HELM_CHART,
        "HelmRepository" => source::HELM_REPOSITORY,
        _ => NONE,
    }
}
