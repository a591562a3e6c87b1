//! Releases as Helm stores them: what was installed, from which chart, with which values.
//!
//! ```text
//! Release ── to_json ──► Go's JSON ── gzip, base64 ──► Secret sh.helm.release.v1.NAME.vN, field `release`
//! ```
//!
//! Source: Helm 4.2 `pkg/release/v1`, `pkg/storage`. Fields stand in the order in which Go writes them, since digests
//! are made of the text.

mod chart;
mod history;
mod storage;
mod text;

pub use chart::{ChartRecord, DependencyRecord, FileRecord, MaintainerRecord, MetadataRecord};
pub use history::{History, deployed, latest, to_remove};
pub use storage::{
    DecodeError, OWNER, SECRET_TYPE, SYSTEM_LABELS, StoredRelease, decode, encode, key, labels,
};

use serde::{Deserialize, Serialize};

use crate::manifest;

/// The state of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nothing is known.
    #[default]
    Unknown,
    /// It runs.
    Deployed,
    /// It was removed; its history is kept.
    Uninstalled,
    /// A later revision took its place.
    Superseded,
    /// It could not be brought about.
    Failed,
    /// It is being removed.
    Uninstalling,
    /// It is being installed.
    PendingInstall,
    /// It is being upgraded.
    PendingUpgrade,
    /// It is being rolled back.
    PendingRollback,
}

impl Status {
    /// As Helm writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Deployed => "deployed",
            Self::Uninstalled => "uninstalled",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Uninstalling => "uninstalling",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
        }
    }

    /// Whether an operation is under way, or was when its program ended.
    pub fn is_pending(self) -> bool {
        matches!(
            self,
            Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback
        )
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// When a release came to be, and how it fares. Times are in RFC 3339; empty for none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Info {
    /// When its first revision was deployed.
    #[serde(
        skip_serializing_if = "text::is_zero_time",
        deserialize_with = "text::time"
    )]
    pub first_deployed: String,
    /// When this revision was deployed.
    #[serde(
        skip_serializing_if = "text::is_zero_time",
        deserialize_with = "text::time"
    )]
    pub last_deployed: String,
    /// When it was removed.
    #[serde(
        skip_serializing_if = "text::is_zero_time",
        deserialize_with = "text::time"
    )]
    pub deleted: String,
    /// The last word about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its state.
    pub status: Status,
    /// The words of the chart for its users.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

/// How the run of a hook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum HookPhase {
    /// It never ran.
    #[default]
    #[serde(rename = "")]
    None,
    /// It was about to run.
    Unknown,
    /// It runs.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed.
    Failed,
}

/// The last run of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HookExecution {
    /// When it started, in RFC 3339; empty for never.
    #[serde(
        skip_serializing_if = "text::is_zero_time",
        deserialize_with = "text::time"
    )]
    pub started_at: String,
    /// When it ended, in RFC 3339; empty for never.
    #[serde(
        skip_serializing_if = "text::is_zero_time",
        deserialize_with = "text::time"
    )]
    pub completed_at: String,
    /// How it ended.
    pub phase: HookPhase,
}

/// An object that is made at certain moments.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// The name of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The kind of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The template it comes from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The object as YAML.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// When it runs.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    pub events: Vec<String>,
    /// How it last ran.
    pub last_run: HookExecution,
    /// Its place among the hooks of a moment.
    #[serde(skip_serializing_if = "text::is_zero")]
    pub weight: i64,
    /// When the object is deleted.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    pub delete_policies: Vec<String>,
    /// When the log of its pods is shown.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    pub output_log_policies: Vec<String>,
}

impl From<&manifest::Hook> for Hook {
    fn from(hook: &manifest::Hook) -> Self {
        Self {
            name: hook.name.clone(),
            kind: hook.kind.clone(),
            path: hook.path.clone(),
            manifest: hook.manifest.clone(),
            events: hook.events.clone(),
            last_run: HookExecution::default(),
            weight: hook.weight,
            delete_policies: hook.delete_policies.clone(),
            output_log_policies: hook.output_log_policies.clone(),
        }
    }
}

/// How objects were applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum ApplyMethod {
    /// It is not known: a release of Helm 3, which applied on the client's side.
    #[default]
    #[serde(rename = "")]
    Unset,
    /// By the server.
    #[serde(rename = "ssa")]
    Server,
    /// By patches of the client.
    #[serde(rename = "csa")]
    Client,
}

impl ApplyMethod {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_unset(&self) -> bool {
        *self == Self::Unset
    }
}

/// One revision of a release.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Release {
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Times and state.
    pub info: Info,
    /// The chart that was installed.
    pub chart: ChartRecord,
    /// The values of its users.
    #[serde(
        skip_serializing_if = "text::is_empty_map",
        serialize_with = "text::write_map",
        deserialize_with = "text::read_map"
    )]
    pub config: gotemplate::Map,
    /// All objects but hooks, as YAML.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// The objects of certain moments.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "text::or_default"
    )]
    pub hooks: Vec<Hook>,
    /// The revision, from 1.
    #[serde(skip_serializing_if = "text::is_zero")]
    pub version: i64,
    /// The namespace it was installed into.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Labels of its users, which stand on the stored object.
    #[serde(skip)]
    pub labels: std::collections::BTreeMap<String, String>,
    /// How its objects were applied.
    #[serde(skip_serializing_if = "ApplyMethod::is_unset")]
    pub apply_method: ApplyMethod,
}

impl Release {
    /// The release as Go's encoder writes it.
    ///
    /// # Errors
    /// A value that JSON cannot hold, such as an infinite number.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        text::to_go_json(self)
    }

    /// Sets state and description.
    pub fn set_status(&mut self, status: Status, description: impl Into<String>) {
        self.info.status = status;
        self.info.description = description.into();
    }
}

#[cfg(test)]
mod tests;
