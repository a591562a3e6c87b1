//! The versions of a kind.
//!
//! Source: apimachinery `pkg/util/managedfields/internal/versionconverter.go`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::smd::merge::{ConvertError, Converter};
use crate::smd::schema::Type;
use crate::smd::typed::{Duplicates, TypedValue};
use crate::{GroupVersion, GroupVersionKind};

/// Knows the versions of a kind: their types, and how to convert between them.
///
/// An API server implements it over its conversions; managers may own fields in any version that is
/// still served.
pub trait Versions: Send + Sync {
    /// The type of a kind; `None` if there is none.
    fn type_of(&self, kind: &GroupVersionKind) -> Option<Type>;

    /// The object in another version.
    ///
    /// # Errors
    /// The version is not known, or the conversion fails.
    fn convert(&self, object: &Value, to: &GroupVersion) -> Result<Value, VersionError>;
}

/// An object that has no other version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// There is no such version, or it is gone.
    #[error("no kind is registered for version {0}")]
    NotRegistered(GroupVersion),
    /// The conversion fails.
    #[error("{0}")]
    Failed(String),
}

/// A kind that has one version.
#[derive(Debug, Clone)]
pub struct SingleVersion {
    /// The version and kind.
    pub kind: GroupVersionKind,
    /// Its type.
    pub type_: Type,
}

impl Versions for SingleVersion {
    fn type_of(&self, kind: &GroupVersionKind) -> Option<Type> {
        (*kind == self.kind).then(|| self.type_.clone())
    }

    fn convert(&self, _: &Value, to: &GroupVersion) -> Result<Value, VersionError> {
        Err(VersionError::NotRegistered(to.clone()))
    }
}

/// Converts typed values between versions.
#[derive(Clone)]
pub(super) struct VersionConverter(pub(super) Arc<dyn Versions>);

impl fmt::Debug for VersionConverter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VersionConverter")
    }
}

impl Converter for VersionConverter {
    fn convert<'a>(
        &self,
        object: TypedValue<'a>,
        version: &str,
    ) -> Result<TypedValue<'a>, ConvertError> {
        let Some(fields) = object.value().as_object() else {
            return Err(ConvertError::Failed(format!(
                "failed to convert value to unstructured for type {}",
                crate::smd::value::go_type(object.value())
            )));
        };
        let from = fields.get("apiVersion").and_then(Value::as_str);
        if from == Some(version) {
            return Ok(object);
        }
        let Some(version) = GroupVersion::parse(version) else {
            return Err(ConvertError::Failed(format!(
                "unexpected GroupVersion string: {version}"
            )));
        };
        let converted = self
            .0
            .convert(object.value(), &version)
            .map_err(|error| match error {
                VersionError::NotRegistered(_) => ConvertError::MissingVersion(error.to_string()),
                VersionError::Failed(why) => ConvertError::Failed(why),
            })?;
        let kind = GroupVersionKind::of(&converted);
        let Some(type_) = self.0.type_of(&kind) else {
            let why = format!("no corresponding type for {kind}");
            return Err(ConvertError::MissingVersion(why));
        };
        TypedValue::new(Cow::Owned(converted), &type_, Duplicates::Forbidden)
            .map_err(|why| ConvertError::Failed(why.to_string()))
    }
}
