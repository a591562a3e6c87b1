//! What a cluster can do, as `.Capabilities` shows it.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use gotemplate::{CallError, Kind, Object, Param, Signature, Str, Value};

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
    /// Reads a version such as `v1.34.0-gke.1`. `None` if it is none.
    ///
    /// Source: Helm 4 `ParseKubeVersion`, apimachinery `version.ParseGeneric`.
    pub fn parse(text: &str) -> Option<KubeVersion> {
        let digits = text.trim_start_matches('v');
        let end = digits
            .find(|char: char| !(char.is_ascii_digit() || char == '.'))
            .unwrap_or(digits.len());
        let numbers: Vec<&str> = digits[..end].trim_end_matches('.').split('.').collect();
        let is_number = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && (part.len() == 1 || !part.starts_with('0'))
        };
        if numbers.len() < 2 || !numbers.iter().all(is_number) {
            return None;
        }
        let version = if text.starts_with('v') {
            text.to_owned()
        } else {
            format!("v{text}")
        };
        Some(KubeVersion {
            version,
            normalized: format!("v{}", numbers.join(".")),
            major: numbers[0].to_owned(),
            minor: numbers[1].to_owned(),
        })
    }
}

/// What a cluster can do.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// Its version.
    pub kube_version: KubeVersion,
    /// The groups and versions (and kinds) it serves.
    pub api_versions: Arc<Vec<String>>,
    /// The version of Helm, as templates are told.
    pub helm_version: String,
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
        Cow::Borrowed("*common.Capabilities")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(Value::Object(Arc::new(self.kube_version.clone()))),
            "APIVersions" => Some(Value::Object(Arc::new(VersionSet(Arc::clone(
                &self.api_versions,
            ))))),
            "HelmVersion" => Some(Value::Object(Arc::new(HelmVersion(
                self.helm_version.clone(),
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

impl Object for KubeVersion {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("common.KubeVersion")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(Value::from(self.version.as_str())),
            "Major" => Some(Value::from(self.major.as_str())),
            "Minor" => Some(Value::from(self.minor.as_str())),
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
            self.version.as_str()
        } else {
            self.normalized.as_str()
        }))
    }

    fn text(&self) -> Option<Str> {
        Some(Str::from(self.normalized.as_str()))
    }
}

/// `common.VersionSet`
struct VersionSet(Arc<Vec<String>>);

impl Object for VersionSet {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("common.VersionSet")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(
            self.0
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
        Ok(Value::Bool(self.0.contains(&wanted)))
    }
}

/// `version.BuildInfo`
struct HelmVersion(String);

impl Object for HelmVersion {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("version.BuildInfo")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(Value::from(self.0.as_str())),
            "GitCommit" | "GitTreeState" | "GoVersion" | "KubeClientVersion" => {
                Some(Value::from(""))
            }
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Version", Value::from(self.0.as_str()))]
    }
}
