//! Time, chance and the cluster, for templates.

use ::release::{Call, Cluster as _, KubeCluster, Verb};
use gotemplate::{Environment, Map, Time};
use helm::engine::Lookup;
use object::GroupVersionKind;

/// This machine's clock and random source.
pub(crate) struct System;

impl Environment for System {
    fn now(&self) -> Time {
        let now = jiff::Timestamp::now();
        Time::unix(now.as_second(), now.subsec_nanosecond().unsigned_abs())
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(16) {
            // A version 4 UUID has six fixed bits; two of them give a block without any.
            let (a, b) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
            let (a, b) = (a.into_bytes(), b.into_bytes());
            let whole: Vec<u8> = a[..6]
                .iter()
                .chain(&a[9..])
                .chain(&b[..3])
                .copied()
                .collect();
            chunk.copy_from_slice(&whole[..chunk.len()]);
        }
    }
}

/// Looks objects up in the cluster. Templates run on a thread of their own, which may wait.
pub(super) struct ClusterLookup {
    cluster: KubeCluster,
    runtime: tokio::runtime::Handle,
}

impl ClusterLookup {
    pub(super) fn new(cluster: KubeCluster, runtime: tokio::runtime::Handle) -> Self {
        Self { cluster, runtime }
    }
}

impl Lookup for ClusterLookup {
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Map, String> {
        self.runtime.block_on(async {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            let gvk = GroupVersionKind::new(group, version, kind);
            let resource = match self.cluster.resource(&gvk).await {
                Ok(resource) => resource,
                // A kind that is not served has no objects.
                Err(apply::Failure::NoKind { .. }) => return Ok(Map::new()),
                Err(failure) => return Err(failure.to_string()),
            };
            let verb = if name.is_empty() {
                Verb::List {
                    labels: String::new(),
                }
            } else {
                Verb::Get
            };
            let call = Call {
                resource: &resource,
                namespace,
                name,
                verb,
                dry_run: false,
            };
            match self.cluster.call(call).await {
                Ok(found) => Ok(helm::values::from_json(&found)
                    .as_map()
                    .cloned()
                    .unwrap_or_default()),
                Err(failure) if failure.is_not_found() => Ok(Map::new()),
                Err(failure) => Err(failure.to_string()),
            }
        })
    }
}
