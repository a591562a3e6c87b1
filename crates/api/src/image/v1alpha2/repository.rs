//! ImageRepository.

use api_derive::shape;

use crate::image::v1beta1::ScanResult;
use crate::meta::{Condition, Duration, LocalObjectReference, Object};

/// An image in a registry.
pub type ImageRepository = Object<ImageRepositorySpec>;

/// An image in a registry whose tags are listed at an interval.
#[shape]
pub struct ImageRepositorySpec {
    /// A Secret with the registry's CA, or a client certificate, under `ca.crt`, `tls.crt` and `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// The image without tag.
    pub image: Option<String>,
    /// How often to list the tags.
    pub interval: Option<Duration>,
    /// A Secret of type kubernetes.io/dockerconfigjson with the login.
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How long an operation on the registry may take; by default the interval.
    pub timeout: Option<Duration>,
}

/// The tags that were seen last.
#[shape]
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
