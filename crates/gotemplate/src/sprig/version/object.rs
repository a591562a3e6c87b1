//! Versions as values: `*semver.Version`, and `semver.Version` as its methods return it.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use super::{Version, check_metadata, check_prerelease};
use crate::function::{CallError, Param, Signature};
use crate::text::Str;
use crate::value::{Kind, Object, UintKind, Value};

const NONE: Signature = Signature::new(&[]);
const TEXT: Signature = Signature::new(&[Param::String]);
const OTHER: Signature = Signature::new(&[Param::Object(POINTER)]);
const POINTER: &str = "*semver.Version";

/// A version as a template holds it.
struct VersionValue {
    version: Version,
    /// Whether it is a pointer: only those have the methods that compare.
    is_pointer: bool,
}

/// A `*semver.Version`.
pub(super) fn pointer(version: Version) -> Value {
    Value::Object(Arc::new(VersionValue {
        version,
        is_pointer: true,
    }))
}

fn plain(version: Version) -> Result<Value, CallError> {
    Ok(Value::Object(Arc::new(VersionValue {
        version,
        is_pointer: false,
    })))
}

fn number(value: u64) -> Result<Value, CallError> {
    Ok(Value::Uint(UintKind::Uint64, value))
}

/// One more; an error where it does not fit.
fn next(value: u64, what: &str) -> Result<u64, CallError> {
    value
        .checked_add(1)
        .ok_or_else(|| CallError::new(format!("{what} version increment would overflow uint64")))
}

impl Object for VersionValue {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed(if self.is_pointer {
            POINTER
        } else {
            "semver.Version"
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        if self.is_pointer {
            Kind::Pointer
        } else {
            Kind::Struct
        }
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        Some(match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "String" | "IncMajor"
            | "IncMinor" | "IncPatch" => &NONE,
            "SetPrerelease" | "SetMetadata" => &TEXT,
            "Original" if self.is_pointer => &NONE,
            "Compare" | "LessThan" | "LessThanEqual" | "GreaterThan" | "GreaterThanEqual"
            | "Equal"
                if self.is_pointer =>
            {
                &OTHER
            }
            _ => return None,
        })
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let version = &self.version;
        match name {
            "Major" => number(version.major),
            "Minor" => number(version.minor),
            "Patch" => number(version.patch),
            "Prerelease" => Ok(Value::from(version.prerelease.as_str())),
            "Metadata" => Ok(Value::from(version.metadata.as_str())),
            "String" => Ok(Value::from(version.to_string())),
            "Original" => Ok(Value::from(version.original.as_str())),
            "IncMajor" => plain(version.bumped(next(version.major, "major")?, 0, 0)),
            "IncMinor" => plain(version.bumped(version.major, next(version.minor, "minor")?, 0)),
            "IncPatch" if !version.prerelease.is_empty() => {
                plain(version.bumped(version.major, version.minor, version.patch))
            }
            "IncPatch" => {
                plain(version.bumped(version.major, version.minor, next(version.patch, "patch")?))
            }
            "SetPrerelease" | "SetMetadata" => self.with_part(name, args),
            _ => self.compared(name, args),
        }
    }

    fn text(&self) -> Option<Str> {
        Some(Str::from(self.version.to_string()))
    }

    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        let mut out = Vec::new();
        crate::json::append_string(&mut out, self.version.to_string().as_bytes(), true);
        Some(Ok(out))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other
            .as_any()
            .downcast_ref::<VersionValue>()
            .is_some_and(|other| {
                self.version.to_string() == other.version.to_string()
                    && self.version.original == other.version.original
            })
    }
}

impl VersionValue {
    fn with_part(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let part = args[0].as_str().map(Str::to_string).unwrap_or_default();
        let mut version = self.version.clone();
        let checked = match name {
            _ if part.is_empty() => Ok(()),
            "SetPrerelease" => check_prerelease(&part),
            _ => check_metadata(&part),
        };
        checked.map_err(|error| CallError::new(error.to_string()))?;
        if name == "SetPrerelease" {
            version.prerelease = part;
        } else {
            version.metadata = part;
        }
        version.original = self.version.with_prefix(&version);
        plain(version)
    }

    fn compared(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let Some(other) = args[0].downcast::<VersionValue>() else {
            return Err(CallError::new("not a version"));
        };
        let order = self.version.compare(&other.version);
        Ok(match name {
            "Compare" => Value::int(order as i64),
            "LessThan" => Value::Bool(order.is_lt()),
            "LessThanEqual" => Value::Bool(order.is_le()),
            "GreaterThan" => Value::Bool(order.is_gt()),
            "GreaterThanEqual" => Value::Bool(order.is_ge()),
            _ => Value::Bool(order.is_eq()),
        })
    }
}
