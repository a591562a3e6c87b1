//! From a kind to where it is served, as the API server's discovery says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, header};
use object::{GroupKind, GroupVersionKind};
use parking_lot::RwLock;
use serde::Deserialize;

use crate::rest::{Failure, Resource};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
/// What is asked for again although it was just read is asked for at most this often.
const PAUSE: Duration = Duration::from_millis(500);

/// The kinds that an API server serves; read when first needed, and again when a kind is unknown.
#[derive(Clone)]
pub struct Mapper(Arc<Inner>);

struct Inner {
    client: kube::Client,
    known: RwLock<Arc<Known>>,
    // Held while the discovery is read, so that it is read once for all that wait.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    resources: HashMap<GroupVersionKind, Arc<Resource>>,
    /// By group and kind, in the server's order of preference.
    preferred: HashMap<GroupKind, Arc<Resource>>,
    read: Option<Instant>,
}

impl Mapper {
    /// A mapper that reads through `client`.
    pub fn new(client: kube::Client) -> Self {
        Self(Arc::new(Inner {
            client,
            known: RwLock::default(),
            reading: tokio::sync::Mutex::new(()),
        }))
    }

    /// Where a kind is served.
    ///
    /// # Errors
    /// It is not served, or the discovery cannot be read.
    pub async fn resource(&self, gvk: &GroupVersionKind) -> Result<Arc<Resource>, Failure> {
        let find = |known: &Known| known.resources.get(gvk).cloned();
        self.find(find).await?.ok_or_else(|| Failure::NoKind {
            kind: gvk.kind.clone(),
            place: format!("version {:?}", gvk.api_version()),
        })
    }

    /// Where a kind is served in the version that the server prefers.
    ///
    /// # Errors
    /// It is not served, or the discovery cannot be read.
    pub async fn preferred(&self, kind: &GroupKind) -> Result<Arc<Resource>, Failure> {
        let find = |known: &Known| known.preferred.get(kind).cloned();
        self.find(find).await?.ok_or_else(|| Failure::NoKind {
            kind: kind.kind.clone(),
            place: format!("group {:?}", kind.group),
        })
    }

    /// Forgets what is known, since the kinds may have changed (a CustomResourceDefinition was applied).
    pub fn forget(&self) {
        *self.0.known.write() = Arc::default();
    }

    async fn find(
        &self,
        find: impl Fn(&Known) -> Option<Arc<Resource>>,
    ) -> Result<Option<Arc<Resource>>, Failure> {
        let known = Arc::clone(&self.0.known.read());
        if let Some(found) = find(&known) {
            return Ok(Some(found));
        }
        let seen = known.read;
        let _reading = self.0.reading.lock().await;
        let known = Arc::clone(&self.0.known.read());
        // Another one has read it meanwhile, or it was read a moment ago.
        if known.read != seen || known.read.is_some_and(|read| read.elapsed() < PAUSE) {
            return Ok(find(&known));
        }
        let known = Arc::new(self.read().await?);
        *self.0.known.write() = Arc::clone(&known);
        Ok(find(&known))
    }

    async fn read(&self) -> Result<Known, Failure> {
        let (core, groups) =
            futures::future::try_join(self.list("/api"), self.list("/apis")).await?;
        let mut known = Known {
            read: Some(Instant::now()),
            ..Known::default()
        };
        for group in core.items.into_iter().chain(groups.items) {
            for version in group.versions {
                for resource in version.resources {
                    known.add(&group.metadata.name, &version.version, resource);
                }
            }
        }
        Ok(known)
    }

    async fn list(&self, path: &str) -> Result<Groups, Failure> {
        let request = Request::get(path)
            .header(header::ACCEPT, AGGREGATED)
            .body(Vec::new())
            .map_err(|error| Failure::Local(format!("not a request: {error}")))?;
        Ok(self.0.client.request(request).await?)
    }
}

impl Known {
    fn add(&mut self, group: &str, version: &str, served: Served) {
        let Some(kind) = served.response_kind else {
            return;
        };
        // Empty where they are those of the path.
        let or = |own: String, path: &str| if own.is_empty() { path.to_owned() } else { own };
        let gvk =
            GroupVersionKind::new(or(kind.group, group), or(kind.version, version), kind.kind);
        let resource = Arc::new(Resource {
            gvk: gvk.clone(),
            plural: served.resource,
            is_namespaced: served.scope == "Namespaced",
        });
        self.preferred
            .entry(gvk.group_kind())
            .or_insert_with(|| Arc::clone(&resource));
        self.resources.entry(gvk).or_insert(resource);
    }
}

#[derive(Deserialize)]
struct Groups {
    #[serde(default)]
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Name,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize, Default)]
struct Name {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<Served>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Served {
    resource: String,
    response_kind: Option<Response>,
    #[serde(default)]
    scope: String,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    group: String,
    #[serde(default)]
    version: String,
    kind: String,
}
