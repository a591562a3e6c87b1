//! Which Helm is followed.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

/// The version of Helm whose results are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compat {
    /// Helm 3.22.0
    V3,
    /// Helm 4.2.4, which Flux 2.9 embeds.
    #[default]
    V4,
    /// Helm 4.3.1
    V4_3,
}

/// What a text names that is no version of Helm followed here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no version of Helm that can be followed; known are 3, 4 and 4.3")]
pub struct UnknownCompat(pub String);

impl FromStr for Compat {
    type Err = UnknownCompat;

    /// Reads `3`, `4`, `4.2`, `4.3` or a full version of these.
    fn from_str(text: &str) -> Result<Compat, UnknownCompat> {
        let number = text.trim_start_matches('v');
        let mut parts = number.split('.');
        match (parts.next(), parts.next()) {
            (Some("3"), _) => Ok(Compat::V3),
            (Some("4"), None | Some("0" | "1" | "2")) => Ok(Compat::V4),
            (Some("4"), Some("3")) => Ok(Compat::V4_3),
            _ => Err(UnknownCompat(text.to_owned())),
        }
    }
}

impl fmt::Display for Compat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compat::V3 => "3",
            Compat::V4 => "4",
            Compat::V4_3 => "4.3",
        })
    }
}

/// The groups and versions that client-go knows: what Helm assumes without a cluster.
const API_VERSIONS: [&str; 58] = [
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha2",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

/// Those that only the client-go of Helm 4.2 knows.
const ONLY_1_36: [&str; 1] = ["scheduling.k8s.io/v1alpha2"];
/// Those that the client-go of Helm 4.2 does not know yet.
const SINCE_1_37: [&str; 3] = [
    "lifecycle.k8s.io/v1alpha1",
    "scheduling.k8s.io/v1alpha3",
    "storagemigration.k8s.io/v1",
];

static V4_VERSIONS: LazyLock<Arc<Vec<String>>> = LazyLock::new(|| without(&SINCE_1_37));
static OTHER_VERSIONS: LazyLock<Arc<Vec<String>>> = LazyLock::new(|| without(&ONLY_1_36));

fn without(unknown: &[&str]) -> Arc<Vec<String>> {
    let known = API_VERSIONS
        .iter()
        .filter(|version| !unknown.contains(version));
    Arc::new(known.map(|version| (*version).to_owned()).collect())
}

impl Compat {
    /// Whether this is Helm 3.
    pub fn is_v3(self) -> bool {
        self == Compat::V3
    }

    /// The version of Helm, as `.Capabilities.HelmVersion.Version` has it.
    pub fn helm_version(self) -> &'static str {
        match self {
            Compat::V3 => "v3.22.0",
            Compat::V4 => "v4.2.4",
            Compat::V4_3 => "v4.3.1",
        }
    }

    /// The version of Kubernetes that is assumed without a cluster: that of the release's client-go.
    pub fn kube_version(self) -> &'static str {
        match self {
            Compat::V4 => "v1.36.0",
            Compat::V3 | Compat::V4_3 => "v1.37.0",
        }
    }

    /// The groups and versions that are assumed without a cluster, in Helm's order.
    pub fn api_versions(self) -> Arc<Vec<String>> {
        Arc::clone(match self {
            Compat::V4 => &V4_VERSIONS,
            Compat::V3 | Compat::V4_3 => &OTHER_VERSIONS,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (text, compat) in [
            ("3", Compat::V3),
            ("v3.22.0", Compat::V3),
            ("4", Compat::V4),
            ("4.2.4", Compat::V4),
            ("4.3", Compat::V4_3),
        ] {
            assert_eq!(text.parse(), Ok(compat));
        }
        assert!("2".parse::<Compat>().is_err());
        assert!("4.9".parse::<Compat>().is_err());
    }
}
