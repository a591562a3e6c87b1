//! The history of releases, in Secrets of the namespace.
//!
//! Source: Helm `pkg/storage`, `pkg/storage/driver/secrets.go`.

use std::collections::BTreeMap;

use apply::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use helm::release::{self, Release, Status};
use object::GroupVersionKind;
use serde_json::{Value, json};

use crate::cluster::{Call, Cluster, Verb};
use crate::error::ActionError;

/// The releases of one namespace.
pub struct Storage<'a, C> {
    cluster: &'a C,
    namespace: String,
}

fn secrets() -> GroupVersionKind {
    GroupVersionKind::new("", "v1", "Secret")
}

fn record(error: impl std::fmt::Display) -> ActionError {
    ActionError::Record(error.to_string())
}

impl<'a, C: Cluster> Storage<'a, C> {
    /// The releases stored in `namespace`; in all namespaces if it is empty.
    pub fn new(cluster: &'a C, namespace: impl Into<String>) -> Self {
        Self {
            cluster,
            namespace: namespace.into(),
        }
    }

    async fn send(&self, name: &str, verb: Verb) -> Result<Value, Failure> {
        let resource = self.cluster.resource(&secrets()).await?;
        let call = Call {
            resource: &resource,
            namespace: &self.namespace,
            name,
            verb,
            dry_run: false,
        };
        self.cluster.call(call).await
    }

    async fn query(&self, labels: String) -> Result<Vec<Release>, ActionError> {
        let list = self
            .send("", Verb::List { labels })
            .await
            .map_err(|failure| {
                ActionError::from(failure).within("query: failed to query with labels")
            })?;
        let mut releases = Vec::new();
        for secret in list["items"].as_array().into_iter().flatten() {
            match read(secret) {
                Ok(release) => releases.push(release),
                // One record that cannot be read must not hide the others.
                Err(error) => tracing::warn!(
                    secret = secret["metadata"]["name"].as_str().unwrap_or_default(),
                    %error,
                    "cannot read a stored release"
                ),
            }
        }
        releases.sort_by_key(|release| release.version);
        Ok(releases)
    }

    /// The revisions of a release, the oldest first; empty if there is none.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn history(&self, name: &str) -> Result<Vec<Release>, ActionError> {
        self.query(format!("name={name},owner=helm")).await
    }

    /// All revisions of all releases.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn list(&self, selector: &str) -> Result<Vec<Release>, ActionError> {
        let more = if selector.is_empty() {
            String::new()
        } else {
            format!(",{selector}")
        };
        self.query(format!("owner=helm{more}")).await
    }

    /// One revision; the newest for 0.
    ///
    /// # Errors
    /// [`ActionError::NotFound`], or the API server refuses.
    pub async fn get(&self, name: &str, version: i64) -> Result<Release, ActionError> {
        if version == 0 {
            return self.history(name).await?.pop().ok_or(ActionError::NotFound);
        }
        match self.send(&release::key(name, version), Verb::Get).await {
            Ok(secret) => read(&secret).map_err(record),
            Err(failure) if failure.is_not_found() => Err(ActionError::NotFound),
            Err(failure) => Err(failure.into()),
        }
    }

    fn secret(&self, release: &Release, stamp: &str) -> Result<Value, ActionError> {
        let labels = release::labels(release, stamp, jiff::Timestamp::now().as_second());
        let text = release::encode(release).map_err(record)?;
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": release::key(&release.name, release.version),
                "namespace": self.namespace,
                "labels": labels,
            },
            "type": release::SECRET_TYPE,
            "data": {"release": STANDARD.encode(text)},
        }))
    }

    /// Stores a new revision. With `max_history` above 0, the oldest ones make room for it.
    ///
    /// # Errors
    /// The revision is there already, or the API server refuses.
    pub async fn create(&self, release: &Release, max_history: usize) -> Result<(), ActionError> {
        if max_history > 0 {
            let history = self.history(&release.name).await?;
            for version in release::to_remove(&history, max_history - 1) {
                self.delete(&release.name, version).await?;
            }
        }
        match self
            .send("", Verb::Create(self.secret(release, "createdAt")?))
            .await
        {
            Ok(_) => Ok(()),
            Err(failure) if failure.reason() == "AlreadyExists" => {
                Err(ActionError::Record("release: already exists".to_owned()))
            }
            Err(failure) => Err(ActionError::from(failure).within("create: failed to create")),
        }
    }

    /// Stores what became of a revision.
    ///
    /// # Errors
    /// It is not stored yet, or the API server refuses.
    pub async fn update(&self, release: &Release) -> Result<(), ActionError> {
        let key = release::key(&release.name, release.version);
        self.send(&key, Verb::Replace(self.secret(release, "modifiedAt")?))
            .await
            .map(drop)
            .map_err(|failure| ActionError::from(failure).within("update: failed to update"))
    }

    /// Forgets a revision; that it is gone already is no failure.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn delete(&self, name: &str, version: i64) -> Result<(), ActionError> {
        let verb = Verb::Delete {
            propagation: "Background",
        };
        match self.send(&release::key(name, version), verb).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.is_not_found() => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Marks all deployed revisions but `except` as superseded.
    pub(crate) async fn supersede(&self, name: &str, except: i64) -> Result<(), ActionError> {
        for mut release in self.history(name).await? {
            if release.info.status == Status::Deployed && release.version != except {
                release.info.status = Status::Superseded;
                self.update(&release).await?;
            }
        }
        Ok(())
    }
}

fn read(secret: &Value) -> Result<Release, ActionError> {
    let data = secret["data"]["release"].as_str().unwrap_or_default();
    let text = STANDARD.decode(data).map_err(record)?;
    let text = String::from_utf8(text).map_err(record)?;
    let labels: BTreeMap<String, String> = secret["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    let mut release = release::decode(&text, &labels).map_err(record)?;
    if release.namespace.is_empty() {
        release.namespace = object::meta::namespace(secret).to_owned();
    }
    Ok(release)
}
