//! Bucket.

use api_derive::shape;

use super::Artifact;
use crate::meta::{AccessFrom, Condition, Duration, LocalObjectReference, Object};

/// A bucket of object storage.
pub type Bucket = Object<BucketSpec>;

/// A bucket of object storage, fetched at an interval and kept as an artifact.
#[shape]
pub struct BucketSpec {
    /// Which other namespaces may refer to this object. It never had an effect.
    pub access_from: Option<AccessFrom>,
    /// The bucket's name.
    pub bucket_name: String,
    /// The host, with port if needed, of the object storage.
    pub endpoint: String,
    /// Patterns in the form of .gitignore for what is left out of the artifact, in place of the default
    /// ones.
    pub ignore: Option<String>,
    /// Whether to talk HTTP, without TLS.
    pub insecure: Option<bool>,
    /// How often to look for changes.
    pub interval: Duration,
    /// The kind of object storage, which also says how to log in.
    #[shape(one_of("generic", "aws", "gcp"), default("generic"))]
    pub provider: Option<String>,
    /// The region of the bucket.
    pub region: Option<String>,
    /// A Secret with the login.
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How long fetching may take.
    #[shape(default("60s"))]
    pub timeout: Option<Duration>,
}

/// What was fetched last.
#[shape(default({"observedGeneration": -1}))]
pub struct BucketStatus {
    /// The last artifact.
    pub artifact: Option<Artifact>,
    /// The conditions.
    pub conditions: Option<Vec<Condition>>,
    /// The last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.
    pub last_handled_reconcile_at: Option<String>,
    /// The generation of the object that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The address at which the latest artifact is served.
    pub url: Option<String>,
}
