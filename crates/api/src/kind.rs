//! What an API server is told about a kind besides its schema: names, versions, printed columns.

use serde_json::{Value, json};

use crate::meta::{Object, Spec};
use crate::schema::{Schema, Shape};

/// The names of a kind. All Flux kinds are namespaced.
#[derive(Debug, PartialEq, Eq)]
pub struct Names {
    /// The API group.
    pub group: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The resource, as in URLs.
    pub plural: &'static str,
    /// Abbreviations for kubectl.
    pub short_names: &'static [&'static str],
    /// The sets that `kubectl get <category>` lists.
    pub categories: &'static [&'static str],
}

impl Names {
    /// `<group>/<version>`.
    pub fn api_version(&self, version: &str) -> String {
        format!("{}/{version}", self.group)
    }

    /// The name of the CustomResourceDefinition.
    pub fn crd_name(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }

    /// The kind of a list of this kind.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    /// The kind in small letters.
    pub fn singular(&self) -> String {
        self.kind.to_lowercase()
    }
}

/// A kind with all its versions, the current one first, then from the youngest to the oldest.
#[derive(Debug)]
pub struct Kind {
    /// The names.
    pub names: &'static Names,
    /// The versions.
    pub versions: &'static [Version],
}

impl Kind {
    /// The version that is stored, and that controllers read.
    pub fn current(&self) -> &'static Version {
        &self.versions[0]
    }

    /// The version with the given name.
    pub fn version(&self, name: &str) -> Option<&'static Version> {
        self.versions.iter().find(|version| version.name == name)
    }
}

/// One version of a kind.
#[derive(Debug)]
pub struct Version {
    /// The name, such as `v1beta2`.
    pub name: &'static str,
    /// The columns that `kubectl get` prints.
    pub columns: &'static [Column],
    /// Whether the status is written through a subresource.
    pub has_status: bool,
    /// The schema of an object, exactly as Flux has it.
    pub schema: fn() -> Schema,
    /// Reads an object into the type of this version and writes it again: durations and times come out as
    /// Flux prints them, fields that the version does not know are gone.
    pub normalize: fn(Value) -> serde_json::Result<Value>,
}

impl Version {
    /// The version whose desired state is `S`.
    pub const fn of<S: Spec>(columns: &'static [Column]) -> Self {
        Self {
            name: S::VERSION,
            columns,
            has_status: !S::Status::ABSENT,
            schema: Object::<S>::schema,
            normalize: |object| serde_json::to_value(serde_json::from_value::<Object<S>>(object)?),
        }
    }
}

/// A printed column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    name: &'static str,
    r#type: &'static str,
    path: &'static str,
    is_wide: bool,
}

impl Column {
    /// A column of text.
    pub const fn text(name: &'static str, path: &'static str) -> Self {
        Self {
            name,
            r#type: "string",
            path,
            is_wide: false,
        }
    }

    /// This column only with `-o wide`.
    pub const fn wide(self) -> Self {
        Self {
            is_wide: true,
            ..self
        }
    }

    /// The column as CustomResourceDefinitions have it.
    pub(crate) fn to_json(self) -> Value {
        let mut column = json!({"name": self.name, "type": self.r#type, "jsonPath": self.path});
        if self.is_wide {
            column["priority"] = json!(1);
        }
        column
    }
}

/// The age of the object.
pub(crate) const AGE: Column = Column {
    name: "Age",
    r#type: "date",
    path: ".metadata.creationTimestamp",
    is_wide: false,
};
/// The status of the Ready condition.
pub(crate) const READY: Column =
    Column::text("Ready", ".status.conditions[?(@.type==\"Ready\")].status");
/// The message of the Ready condition.
pub(crate) const STATUS: Column =
    Column::text("Status", ".status.conditions[?(@.type==\"Ready\")].message");

/// Says which kind, version and status a spec belongs to.
macro_rules! specs {
    ($($spec:ty => $names:expr, $version:literal, $status:ty;)+) => {
        $(impl crate::meta::Spec for $spec {
            type Status = $status;
            const NAMES: &'static crate::kind::Names = &$names;
            const VERSION: &'static str = $version;
        })+
    };
}
pub(crate) use specs;

/// The pattern of an interval or timeout that may be hours.
pub(crate) const HOURS: &str = "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$";
/// The pattern of a timeout that is shorter than an hour.
pub(crate) const MINUTES: &str = "^([0-9]+(\\.[0-9]+)?(ms|s|m))+$";
