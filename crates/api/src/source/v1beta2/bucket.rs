//! Bucket.

use api_derive::shape;

use crate::kind::{HOURS, MINUTES};
use crate::meta::{AccessFrom, Artifact, Condition, Duration, LocalObjectReference, Object};
use crate::source::v1::BucketStsSpec;

/// A bucket of object storage.
pub type Bucket = Object<BucketSpec>;

/// A bucket of object storage, fetched at an interval and kept as an artifact.
#[shape(
    rule(
        "self.provider == 'aws' || self.provider == 'generic' || !has(self.sts)",
        "STS configuration is only supported for the 'aws' and 'generic' Bucket providers"
    ),
    rule(
        "self.provider != 'aws' || !has(self.sts) || self.sts.provider == 'aws'",
        "'aws' is the only supported STS provider for the 'aws' Bucket provider"
    ),
    rule(
        "self.provider != 'generic' || !has(self.sts) || self.sts.provider == 'ldap'",
        "'ldap' is the only supported STS provider for the 'generic' Bucket provider"
    ),
    rule(
        "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.secretRef)",
        "spec.sts.secretRef is not required for the 'aws' STS provider"
    ),
    rule(
        "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.certSecretRef)",
        "spec.sts.certSecretRef is not required for the 'aws' STS provider"
    )
)]
pub struct BucketSpec {
    /// Which other namespaces may refer to this object. It never had an effect.
    pub access_from: Option<AccessFrom>,
    /// The bucket's name.
    pub bucket_name: String,
    /// A Secret with the server's CA, or a client certificate, under `ca.crt`, `tls.crt` and `tls.key`.
    /// Only for the provider `generic`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// The host, with port if needed, of the object storage.
    pub endpoint: String,
    /// Patterns in the form of .gitignore for what is left out of the artifact, in place of the default
    /// ones.
    pub ignore: Option<String>,
    /// Whether to talk HTTP, without TLS.
    pub insecure: Option<bool>,
    /// How often to look for changes.
    #[shape(pattern = HOURS)]
    pub interval: Duration,
    /// Only objects whose name begins like this are fetched.
    pub prefix: Option<String>,
    /// The kind of object storage, which also says how to log in.
    #[shape(one_of("generic", "aws", "gcp", "azure"), default("generic"))]
    pub provider: Option<String>,
    /// A Secret with the address of a proxy and, if needed, the login for it.
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// The region of the bucket.
    pub region: Option<String>,
    /// A Secret with the login.
    pub secret_ref: Option<LocalObjectReference>,
    /// How to get temporary credentials from a security token service.
    pub sts: Option<BucketStsSpec>,
    /// Whether reconciliation is paused.
    pub suspend: Option<bool>,
    /// How long fetching may take.
    #[shape(pattern = MINUTES, default("60s"))]
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
    /// The patterns the artifact was made with.
    pub observed_ignore: Option<String>,
    /// The address at which the latest artifact is served.
    pub url: Option<String>,
}
