//! What actions ask of an API server.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use apply::{Failure, Mapper, Resource, escape};
use helm::Compat;
use helm::engine::{Capabilities, KubeVersion};
use http::{Method, Request, header};
use object::GroupVersionKind;
use serde_json::{Value, json};

/// The form of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Fields and their values.
    Merge,
    /// The same, with lists merged by their keys.
    Strategic,
    /// Operations.
    Json,
    /// A configuration for server-side apply; with force, conflicting fields are taken.
    Apply {
        /// Whether fields of others are taken.
        force: bool,
    },
}

/// What is done with an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Read it.
    Get,
    /// Read those that have these labels.
    List {
        /// A label selector.
        labels: String,
    },
    /// Make it.
    Create(Value),
    /// Put another in its place.
    Replace(Value),
    /// Change it.
    Patch(Content, Value),
    /// Remove it, with what it owns as `propagation` says.
    Delete {
        /// `Background`, `Foreground` or `Orphan`.
        propagation: &'static str,
    },
}

/// One request about an object, or about the objects of a kind.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The kind.
    pub resource: &'a Resource,
    /// The namespace; of no meaning to kinds without.
    pub namespace: &'a str,
    /// The name; empty for lists and creations.
    pub name: &'a str,
    /// What is done.
    pub verb: Verb,
    /// Whether nothing is stored.
    pub dry_run: bool,
}

/// An API server, as actions see it.
pub trait Cluster: Send + Sync {
    /// Where a kind is served.
    fn resource(
        &self,
        kind: &GroupVersionKind,
    ) -> impl Future<Output = Result<Arc<Resource>, Failure>> + Send;

    /// Forgets which kinds there are, since definitions were made.
    fn forget_kinds(&self);

    /// Sends a request; gives the object in the answer.
    fn call(&self, call: Call<'_>) -> impl Future<Output = Result<Value, Failure>> + Send;

    /// The log of a container.
    fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
    ) -> impl Future<Output = Result<String, Failure>> + Send;

    /// What charts may ask about it.
    fn capabilities(
        &self,
        compat: Compat,
    ) -> impl Future<Output = Result<Capabilities, Failure>> + Send;
}

/// A real API server, or the embedded one.
#[derive(Clone)]
pub struct KubeCluster {
    client: kube::Client,
    mapper: Mapper,
    manager: String,
}

const JSON: &str = "application/json";
/// How long one request may take.
const DEADLINE: Duration = Duration::from_secs(60);

impl KubeCluster {
    /// Talks through `client`, as the field manager `manager` (`helm` for the command).
    pub fn new(client: kube::Client, mapper: Mapper, manager: impl Into<String>) -> Self {
        Self {
            client,
            mapper,
            manager: manager.into(),
        }
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Value, Failure> {
        match tokio::time::timeout(DEADLINE, self.client.request(request)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Failure::Deadline),
        }
    }

    async fn read(&self, path: &str) -> Result<Value, Failure> {
        self.send(request(Method::GET, path, None, None)?).await
    }
}

fn request(
    method: Method,
    uri: &str,
    content: Option<&str>,
    body: Option<&Value>,
) -> Result<Request<Vec<u8>>, Failure> {
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header(header::ACCEPT, JSON);
    if let Some(content) = content {
        request = request.header(header::CONTENT_TYPE, content);
    }
    let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    request
        .body(body)
        .map_err(|error| Failure::Local(format!("not a request: {error}")))
}

impl Cluster for KubeCluster {
    async fn resource(&self, kind: &GroupVersionKind) -> Result<Arc<Resource>, Failure> {
        self.mapper.resource(kind).await
    }

    fn forget_kinds(&self) {
        self.mapper.forget();
    }

    async fn call(&self, call: Call<'_>) -> Result<Value, Failure> {
        let Call {
            resource,
            namespace,
            name,
            verb,
            dry_run,
        } = call;
        let manager = escape(&self.manager);
        let mut query = format!("fieldManager={manager}&fieldValidation=Strict");
        if dry_run {
            query.push_str("&dryRun=All");
        }
        let item = resource.path(namespace, name);
        let collection = resource.collection(namespace);
        let request = match &verb {
            Verb::Get => request(Method::GET, &item, None, None),
            Verb::List { labels } => {
                let uri = format!("{collection}?labelSelector={}", escape(labels));
                request(Method::GET, &uri, None, None)
            }
            Verb::Create(body) => {
                let uri = format!("{collection}?{query}");
                request(Method::POST, &uri, Some(JSON), Some(body))
            }
            Verb::Replace(body) => {
                let uri = format!("{item}?{query}");
                request(Method::PUT, &uri, Some(JSON), Some(body))
            }
            Verb::Patch(content, body) => {
                let form = match content {
                    Content::Merge => "application/merge-patch+json",
                    Content::Strategic => "application/strategic-merge-patch+json",
                    Content::Json => "application/json-patch+json",
                    Content::Apply { .. } => "application/apply-patch+yaml",
                };
                let force = match content {
                    Content::Apply { force } => format!("&force={force}"),
                    _ => String::new(),
                };
                let uri = format!("{item}?{query}{force}");
                request(Method::PATCH, &uri, Some(form), Some(body))
            }
            Verb::Delete { propagation } => {
                let options = json!({
                    "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation,
                });
                request(Method::DELETE, &item, Some(JSON), Some(&options))
            }
        }?;
        self.send(request).await
    }

    async fn log(&self, namespace: &str, pod: &str, container: &str) -> Result<String, Failure> {
        let uri = format!(
            "/api/v1/namespaces/{namespace}/pods/{pod}/log?container={}",
            escape(container)
        );
        let request = request(Method::GET, &uri, None, None)?;
        let answer = tokio::time::timeout(DEADLINE, self.client.request_text(request)).await;
        Ok(answer.map_err(|_| Failure::Deadline)??)
    }

    async fn capabilities(&self, compat: Compat) -> Result<Capabilities, Failure> {
        let version = self.read("/version").await?;
        let text = |key: &str| version[key].as_str().unwrap_or_default().to_owned();
        let mut capabilities = Capabilities::assumed(compat);
        capabilities.kube_version =
            KubeVersion::of_cluster(&text("gitVersion"), &text("major"), &text("minor"));
        capabilities.api_versions = self.api_versions().await?.into();
        Ok(capabilities)
    }
}

impl KubeCluster {
    /// `v1`, `apps/v1`, `apps/v1/Deployment` …, as Helm's `GetVersionSet` gives them.
    async fn api_versions(&self) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let core = self.read("/api/v1").await?;
        add_version("v1", &core, &mut found);
        let groups = self.read("/apis").await?;
        let versions: Vec<String> = groups["groups"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|group| group["versions"].as_array().into_iter().flatten())
            .filter_map(|version| version["groupVersion"].as_str().map(str::to_owned))
            .collect();
        for version in versions {
            // A group whose server does not answer is left out, as Helm does.
            match self.read(&format!("/apis/{version}")).await {
                Ok(list) => add_version(&version, &list, &mut found),
                Err(error) => tracing::debug!(%version, %error, "cannot read the kinds of a group"),
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

fn add_version(version: &str, list: &Value, found: &mut Vec<String>) {
    found.push(version.to_owned());
    for resource in list["resources"].as_array().into_iter().flatten() {
        let name = resource["name"].as_str().unwrap_or_default();
        if let (Some(kind), false) = (resource["kind"].as_str(), name.contains('/')) {
            found.push(format!("{version}/{kind}"));
        }
    }
}
