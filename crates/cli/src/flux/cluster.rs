//! The cluster that a command talks to, one request after the other.

mod connect;
pub(crate) mod kinds;

use std::time::{Duration, Instant};

use apply::escape;
use object::time::Time;
use serde_json::Value;

use super::Stop;
use super::parse::Arguments;
use kinds::Kind;

pub(crate) use connect::{context_names, context_namespace};

/// A connection to an API server.
pub(crate) struct Cluster {
    runtime: tokio::runtime::Runtime,
    client: kube::Client,
    server: String,
    deadline: Instant,
}

/// What an API server answered, or why it did not.
#[derive(Debug)]
pub(crate) struct ClusterError {
    /// In the words of Go's client.
    pub(crate) message: String,
    /// What kind of failure it is.
    pub(crate) reason: Reason,
}

/// The failures that commands tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no such object.
    NotFound,
    /// There is no such kind.
    NoMatch,
    /// The object has changed in between.
    Conflict,
    /// Any other answer.
    Refused,
    /// No answer.
    Unreachable,
}

impl std::fmt::Display for ClusterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ClusterError> for Stop {
    fn from(error: ClusterError) -> Self {
        Self::Failed(error.message)
    }
}

/// Which objects to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// A label selector.
    pub(crate) labels: String,
    /// A field selector.
    pub(crate) fields: String,
}

impl Selection {
    /// The one of that name.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            fields: format!("metadata.name={name}"),
            ..Self::default()
        }
    }

    /// Those with the labels.
    pub(crate) fn labelled(labels: impl Into<String>) -> Self {
        Self {
            labels: labels.into(),
            ..Self::default()
        }
    }

    fn query(&self) -> String {
        let pairs = [
            ("labelSelector", &self.labels),
            ("fieldSelector", &self.fields),
        ];
        let pairs: Vec<String> = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        }
    }
}

impl Cluster {
    /// Connects to what the flags and the kubeconfig name; nothing is asked of the server yet.
    ///
    /// # Errors
    /// A kubeconfig that cannot be used.
    pub(crate) fn connect(arguments: &Arguments<'_>) -> Result<Self, Stop> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start the runtime: {error}"))?;
        let (config, server) = runtime.block_on(connect::config(arguments))?;
        let client = {
            let _entered = runtime.enter();
            kube::Client::try_from(config).map_err(|error| error.to_string())?
        };
        let timeout = arguments.duration("timeout").to_std().unwrap_or_default();
        Ok(Self {
            runtime,
            client,
            server,
            deadline: Instant::now() + timeout,
        })
    }

    /// The path of a kind's objects.
    fn path(kind: &Kind, namespace: Option<&str>) -> String {
        let base = if kind.group.is_empty() {
            format!("/api/{}", kind.version)
        } else {
            format!("/apis/{}/{}", kind.group, kind.version)
        };
        match namespace.filter(|namespace| kind.namespaced && !namespace.is_empty()) {
            Some(namespace) => format!("{base}/namespaces/{}/{}", escape(namespace), kind.plural),
            None => format!("{base}/{}", kind.plural),
        }
    }

    fn object_path(kind: &Kind, namespace: &str, name: &str) -> String {
        format!("{}/{}", Self::path(kind, Some(namespace)), escape(name))
    }

    /// One object.
    pub(crate) fn get(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Value, ClusterError> {
        self.send(
            "GET",
            &Self::object_path(kind, namespace, name),
            None,
            "",
            Some(kind),
        )
    }

    /// One object, if it is there.
    pub(crate) fn find(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, ClusterError> {
        match self.get(kind, namespace, name) {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.reason == Reason::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The objects of a kind; without a namespace those of all.
    pub(crate) fn list(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selection: &Selection,
    ) -> Result<Vec<Value>, ClusterError> {
        let path = format!("{}{}", Self::path(kind, namespace), selection.query());
        let mut list = self.send("GET", &path, None, "", Some(kind))?;
        let items = match list["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        // The items of a list do not say what they are.
        Ok(items
            .into_iter()
            .map(|mut item| {
                item["apiVersion"] = kind.api_version().into();
                item["kind"] = kind.kind.into();
                item
            })
            .collect())
    }

    /// Creates an object.
    pub(crate) fn create(&self, kind: &Kind, object: &Value) -> Result<Value, ClusterError> {
        let namespace = object::meta::namespace(object);
        let path = Self::path(kind, Some(namespace));
        self.send("POST", &path, Some(object), "application/json", Some(kind))
    }

    /// Replaces an object.
    pub(crate) fn replace(&self, kind: &Kind, object: &Value) -> Result<Value, ClusterError> {
        let path = Self::object_path(
            kind,
            object::meta::namespace(object),
            object::meta::name(object),
        );
        self.send("PUT", &path, Some(object), "application/json", Some(kind))
    }

    /// Changes an object by a merge patch.
    pub(crate) fn patch(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, ClusterError> {
        let path = Self::object_path(kind, namespace, name);
        self.send(
            "PATCH",
            &path,
            Some(patch),
            "application/merge-patch+json",
            Some(kind),
        )
    }

    /// Deletes an object; `options` are DeleteOptions.
    pub(crate) fn delete(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        options: Option<&Value>,
    ) -> Result<Value, ClusterError> {
        let path = Self::object_path(kind, namespace, name);
        self.send("DELETE", &path, options, "application/json", Some(kind))
    }

    /// Any request with a JSON answer.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        content_type: &str,
        kind: Option<&Kind>,
    ) -> Result<Value, ClusterError> {
        let mut request = http::Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header("content-type", content_type);
        }
        let bytes = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        let request = request.body(bytes).map_err(|error| ClusterError {
            message: error.to_string(),
            reason: Reason::Refused,
        })?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(left, self.client.request::<Value>(request)).await
        });
        match answer {
            Ok(answer) => answer.map_err(|error| self.explain(error, kind)),
            Err(_) => Err(ClusterError {
                message: "context deadline exceeded".to_owned(),
                reason: Reason::Unreachable,
            }),
        }
    }

    /// Calls `line` with each line of a streamed answer, until it says that it is enough.
    pub(crate) fn follow(
        &self,
        path: &str,
        line: &mut dyn FnMut(&str) -> bool,
    ) -> Result<(), ClusterError> {
        use futures::{AsyncBufReadExt as _, TryStreamExt as _};
        let request = http::Request::get(path).body(Vec::new());
        let request = request.map_err(|error| ClusterError {
            message: error.to_string(),
            reason: Reason::Refused,
        })?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let following = async {
            let stream = self.client.request_stream(request).await;
            let mut lines = stream.map_err(|error| self.explain(error, None))?.lines();
            // A cut stream has ended.
            while let Ok(Some(text)) = lines.try_next().await {
                if !line(&text) {
                    break;
                }
            }
            Ok(())
        };
        self.runtime.block_on(async {
            tokio::time::timeout(left, following)
                .await
                .unwrap_or(Ok(()))
        })
    }

    /// The data of a ConfigMap or Secret, decoded; none if there is no such object.
    pub(crate) fn data(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<std::collections::BTreeMap<String, String>>, ClusterError> {
        use base64::Engine as _;
        let secret = kind == "Secret";
        let kind = if secret {
            &kinds::SECRET
        } else {
            &kinds::CONFIG_MAP
        };
        let Some(object) = self.find(kind, namespace, name)? else {
            return Ok(None);
        };
        let decode = |text: &str| {
            if !secret {
                return text.to_owned();
            }
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(text)
                .unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let data = object["data"].as_object().into_iter().flatten();
        Ok(Some(
            data.map(|(key, value)| (key.clone(), decode(value.as_str().unwrap_or_default())))
                .collect(),
        ))
    }

    /// The resources that the server has in a group and version.
    pub(crate) fn resources(&self, api_version: &str) -> Result<Vec<Value>, ClusterError> {
        let path = if api_version.contains('/') {
            format!("/apis/{api_version}")
        } else {
            format!("/api/{api_version}")
        };
        let mut list = self.send("GET", &path, None, "", None)?;
        Ok(match list["resources"].take() {
            Value::Array(resources) => resources,
            _ => Vec::new(),
        })
    }

    /// The path of an object, in the namespace `default` if it needs one and has none.
    pub(crate) fn path_of(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<String, ClusterError> {
        let no_match = || ClusterError {
            reason: Reason::NoMatch,
            message: format!("no matches for kind \"{kind}\" in version \"{api_version}\""),
        };
        let resources = self
            .resources(api_version)
            .map_err(|error| match error.reason {
                Reason::NotFound | Reason::NoMatch => no_match(),
                _ => error,
            })?;
        let plural = |resource: &Value| {
            let plural = resource["name"].as_str()?;
            (resource["kind"] == kind && !plural.contains('/')).then(|| plural.to_owned())
        };
        let (plural, resource) = resources
            .iter()
            .find_map(|resource| Some((plural(resource)?, resource)))
            .ok_or_else(no_match)?;
        let root = if api_version.contains('/') {
            "apis"
        } else {
            "api"
        };
        let folder = match (&resource["namespaced"], namespace) {
            (Value::Bool(true), "") => "namespaces/default/".to_owned(),
            (Value::Bool(true), namespace) => format!("namespaces/{}/", escape(namespace)),
            _ => String::new(),
        };
        Ok(format!(
            "/{root}/{api_version}/{folder}{plural}/{}",
            escape(name)
        ))
    }

    /// Whether objects of a kind are in namespaces; none if the server has no such kind.
    pub(crate) fn is_namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        let resources = self.resources(api_version).ok()?;
        let resource = resources.iter().find(|resource| resource["kind"] == kind)?;
        resource["namespaced"].as_bool()
    }

    /// Calls `changed` with each object that is there or changes, until it says that it is enough.
    pub(crate) fn watch(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selection: &Selection,
        changed: &mut dyn FnMut(&Value) -> bool,
    ) -> Result<(), ClusterError> {
        let query = selection.query();
        let joint = if query.is_empty() { '?' } else { '&' };
        let path = format!("{}{query}{joint}watch=true", Self::path(kind, namespace));
        self.follow(&path, &mut |line| {
            let Ok(event) = serde_json::from_str::<Value>(line) else {
                return true;
            };
            event["type"] == "BOOKMARK" || changed(&event["object"])
        })
    }

    fn explain(&self, error: kube::Error, kind: Option<&Kind>) -> ClusterError {
        if let kube::Error::Api(status) = &error {
            let unknown_kind = status.code == 404
                && status
                    .details
                    .as_ref()
                    .is_none_or(|details| details.name.is_empty());
            let reason = match (status.code, status.reason.as_str()) {
                (404, _) if unknown_kind => Reason::NoMatch,
                (404, _) => Reason::NotFound,
                (409, "Conflict") => Reason::Conflict,
                _ => Reason::Refused,
            };
            let message = match kind {
                Some(kind) if reason == Reason::NoMatch => format!(
                    "no matches for kind \"{}\" in version \"{}\"",
                    kind.kind,
                    kind.api_version()
                ),
                _ => status.message.clone(),
            };
            return ClusterError { message, reason };
        }
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let problem = match cause.downcast_ref::<std::io::Error>() {
            Some(io) => format!(
                "dial tcp {}: connect: {}",
                self.host(),
                super::go::errno(io)
            ),
            None => cause.to_string(),
        };
        let base = self.server.trim_end_matches('/');
        ClusterError {
            message: format!("failed to get server groups: Get \"{base}/api\": {problem}"),
            reason: Reason::Unreachable,
        }
    }

    fn host(&self) -> &str {
        let rest = self
            .server
            .split_once("://")
            .map_or(self.server.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// Asks again and again, until there is an answer or the time is up.
    ///
    /// # Errors
    /// That of `check`, or that the time is up.
    pub(crate) fn poll<T>(
        &self,
        mut check: impl FnMut() -> Result<Option<T>, Stop>,
    ) -> Result<T, Stop> {
        loop {
            if let Some(value) = check()? {
                return Ok(value);
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            std::thread::sleep(POLL.min(left));
            if left.is_zero() {
                return Err("context deadline exceeded".into());
            }
        }
    }
}

/// How often to ask whether something has happened.
const POLL: Duration = Duration::from_millis(500);

/// Now, in the form of the API.
pub(crate) fn now() -> Time {
    let now = jiff::Timestamp::now();
    Time::from_unix(now.as_second(), now.subsec_nanosecond().unsigned_abs())
}
