//! What a cluster can do, as `.Capabilities` shows it.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use gotemplate::{CallError, Kind, Object, Param, Signature, Str, Value};

use crate::Compat;

/// The version of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// The version in full, with a leading `v`.
    pub version: String,
    /// The numbers alone, for constraints.
    pub normalized: String,
    /// The first number.
    pub major: String,
    /// The second number.
    pub minor: String,
}

impl KubeVersion {
    /// Reads a version such as `v1.34.0-gke.1`; Helm 3 leaves out what follows the numbers.
    ///
    /// Source: Helm `ParseKubeVersion`, apimachinery `version.ParseGeneric`.
    pub fn parse(text: &str, compat: Compat) -> Result<KubeVersion, VersionError> {
        let wrong = |problem: String| Err(VersionError(problem));
        let trimmed = text.trim_start_matches(|char| matches!(char, '\t'..='\r' | ' '));
        let digits = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let mut parts: Vec<&str> = Vec::new();
        let mut rest = digits;
        loop {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            if length == 0 {
                break;
            }
            parts.push(&rest[..length]);
            match rest[length..].strip_prefix('.') {
                Some(after) => rest = after,
                None => break,
            }
        }
        if parts.is_empty() {
            return wrong(format!("could not parse {text:?} as version"));
        }
        if parts.len() < 2 {
            return wrong(format!("illegal version string {text:?}"));
        }
        if parts[0].len() > 1 && parts[0].starts_with('0') {
            let part = parts[0];
            return wrong(format!(
                "illegal zero-prefixed version component {part:?} in {text:?}"
            ));
        }
        let mut numbers = Vec::new();
        for part in parts {
            match part.parse::<u64>() {
                Ok(number) => numbers.push(number.to_string()),
                Err(_) => {
                    return wrong(format!(
                        "illegal non-numeric version component {part:?} in {text:?}: strconv.ParseUint: parsing {part:?}: value out of range"
                    ));
                }
            }
        }
        let normalized = format!("v{}", numbers.join("."));
        let version = if compat.is_v3() {
            normalized.clone()
        } else if text.starts_with('v') {
            text.to_owned()
        } else {
            format!("v{text}")
        };
        Ok(KubeVersion {
            version,
            normalized,
            major: numbers[0].clone(),
            minor: numbers[1].clone(),
        })
    }

    /// A version as a cluster tells it, which is taken as it is.
    pub fn of_cluster(git_version: &str, major: &str, minor: &str) -> KubeVersion {
        KubeVersion {
            version: git_version.to_owned(),
            normalized: git_version.to_owned(),
            major: major.to_owned(),
            minor: minor.to_owned(),
        }
    }
}

/// A text that is no version: Helm's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct VersionError(String);

/// What a cluster can do.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// Its version.
    pub kube_version: KubeVersion,
    /// The groups and versions (and kinds) it serves.
    pub api_versions: Arc<Vec<String>>,
    /// Whose types templates see, and the version of Helm they are told.
    pub compat: Compat,
}

impl Capabilities {
    /// What Helm assumes without a cluster.
    pub fn assumed(compat: Compat) -> Capabilities {
        let version = compat.kube_version();
        let mut parts = version.trim_start_matches('v').split('.');
        let mut part = || parts.next().unwrap_or_default();
        Capabilities {
            kube_version: KubeVersion::of_cluster(version, part(), part()),
            api_versions: compat.api_versions(),
            compat,
        }
    }

    /// The name of the package that Helm has these types in.
    fn package(&self) -> &'static str {
        if self.compat.is_v3() {
            "chartutil"
        } else {
            "common"
        }
    }
}

const NONE: Signature = Signature::new(&[]);
const TEXT: Signature = Signature::new(&[Param::String]);

impl Capabilities {
    /// The capabilities as a template's value.
    pub(super) fn to_value(&self) -> Value {
        Value::Object(Arc::new(self.clone()))
    }
}

impl Object for Capabilities {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Owned(format!("*{}.Capabilities", self.package()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(Value::Object(Arc::new(Version {
                version: self.kube_version.clone(),
                package: self.package(),
            }))),
            "APIVersions" => Some(Value::Object(Arc::new(VersionSet {
                versions: Arc::clone(&self.api_versions),
                package: self.package(),
            }))),
            "HelmVersion" => Some(Value::Object(Arc::new(HelmVersion(
                self.compat.helm_version(),
            )))),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        ["KubeVersion", "APIVersions", "HelmVersion"]
            .into_iter()
            .map(|name| (name, self.field(name).unwrap_or_default()))
            .collect()
    }
}

/// `common.KubeVersion`
struct Version {
    version: KubeVersion,
    package: &'static str,
}

impl Object for Version {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}.KubeVersion", self.package))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(Value::from(self.version.version.as_str())),
            "Major" => Some(Value::from(self.version.major.as_str())),
            "Minor" => Some(Value::from(self.version.minor.as_str())),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        ["Version", "Major", "Minor"]
            .into_iter()
            .map(|name| (name, self.field(name).unwrap_or_default()))
            .collect()
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        matches!(name, "String" | "GitVersion").then_some(&NONE)
    }

    fn call(&self, name: &str, _args: &[Value]) -> Result<Value, CallError> {
        Ok(Value::from(if name == "GitVersion" {
            self.version.version.as_str()
        } else {
            self.version.normalized.as_str()
        }))
    }

    fn text(&self) -> Option<Str> {
        Some(Str::from(self.version.normalized.as_str()))
    }
}

/// `common.VersionSet`
struct VersionSet {
    versions: Arc<Vec<String>>,
    package: &'static str,
}

impl Object for VersionSet {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}.VersionSet", self.package))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(
            self.versions
                .iter()
                .map(|version| Value::from(version.as_str()))
                .collect(),
        )
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        (name == "Has").then_some(&TEXT)
    }

    fn call(&self, _name: &str, args: &[Value]) -> Result<Value, CallError> {
        let wanted = args[0].as_str().map(Str::to_string).unwrap_or_default();
        Ok(Value::Bool(self.versions.contains(&wanted)))
    }
}

/// `version.BuildInfo`
struct HelmVersion(&'static str);

impl Object for HelmVersion {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("version.BuildInfo")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(Value::from(self.0)),
            "GitCommit" | "GitTreeState" | "GoVersion" | "KubeClientVersion" => {
                Some(Value::from(""))
            }
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Version", Value::from(self.0))]
    }
}
