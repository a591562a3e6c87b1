//! ImageRepository.

use api_derive::shape;

use crate::kind::{HOURS, MINUTES};
use crate::meta::{AccessFrom, Condition, Duration, LocalObjectReference, Object, Time};

/// An image in a registry.
pub type ImageRepository = Object<ImageRepositorySpec>;

/// An image in a registry whose tags are listed at an interval.
#[shape]
pub struct ImageRepositorySpec {
    /// Which other namespaces may refer to this object.
    pub access_from: Option<AccessFrom>,
    /// A Secret with the registry's CA, or a client certificate, under `ca.crt`, `tls.crt` and `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Regular expressions for tags that are left out.
    pub exclusion_list: Option<Vec<String>>,
    /// The image without tag.
    pub image: String,
    /// How often to list the tags.
    #[shape(pattern = HOURS)]
    pub interval: Duration,
    /// A Secret of type kubernetes.io/dockerconfigjson with the login.
    pub secret_ref: Option<LocalObjectReference>,
    /// The ServiceAccount whose image pull secrets, or cloud identity, log in.
    #[shape(max_length = 253)]
    pub service_account_name: Option<String>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How long an operation on the registry may take; by default the interval.
    #[shape(pattern = MINUTES)]
    pub timeout: Option<Duration>,
}

/// The tags that were seen last.
#[shape(default({"observedGeneration": -1}))]
pub struct ImageRepositoryStatus {
    /// The image by its full name, registry included.
    pub canonical_image_name: Option<String>,
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The last listing.
    pub last_scan_result: Option<ScanResult>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
}

/// A listing of tags.
#[shape]
pub struct ScanResult {
    /// When the tags were listed.
    pub scan_time: Option<Time>,
    /// How many tags there are.
    #[shape(int)]
    pub tag_count: i64,
}
