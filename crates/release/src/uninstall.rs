//! Removing a release.
//!
//! Source: Helm `pkg/action/uninstall.go`.

use std::collections::BTreeMap;
use std::time::Duration;

use helm::chart::check_release_name;
use helm::manifest::{Order, sort};
use helm::release::{Release, Status};

use crate::actions::{Actions, Common, WaitStrategy, now};
use crate::change;
use crate::cluster::Cluster;
use crate::error::ActionError;
use crate::objects::{self, Object};
use crate::wait;

/// A removal.
#[derive(Debug, Clone)]
pub struct Uninstall {
    /// Whether hooks do not run.
    pub disable_hooks: bool,
    /// Whether nothing is removed.
    pub dry_run: bool,
    /// Whether a release that is not there is no failure.
    pub ignore_not_found: bool,
    /// Whether the records stay.
    pub keep_history: bool,
    /// What is waited for.
    pub wait: WaitStrategy,
    /// How long each wait may take.
    pub timeout: Duration,
    /// `Background`, `Foreground` or `Orphan`.
    pub propagation: &'static str,
    /// The last word in the record; Helm's own if empty.
    pub description: String,
}

impl Default for Uninstall {
    fn default() -> Self {
        Self {
            disable_hooks: false,
            dry_run: false,
            ignore_not_found: false,
            keep_history: false,
            wait: WaitStrategy::default(),
            timeout: Common::default().timeout,
            propagation: "Background",
            description: String::new(),
        }
    }
}

/// What was removed.
#[derive(Debug, Clone)]
pub struct Uninstalled {
    /// The release.
    pub release: Release,
    /// What was left because its policy says so, a line each; empty for nothing.
    pub kept: String,
}

impl<C: Cluster> Actions<C> {
    /// Removes a release; `None` if there was none and that is no failure.
    ///
    /// # Errors
    /// There is no such release, a hook failed, or objects could not be removed.
    pub async fn uninstall(
        &self,
        name: &str,
        options: &Uninstall,
    ) -> Result<Option<Uninstalled>, ActionError> {
        if options.dry_run {
            return match self.storage().get(name, 0).await {
                Ok(release) => Ok(Some(Uninstalled {
                    release,
                    kept: String::new(),
                })),
                Err(error) if error.is_not_found() && options.ignore_not_found => Ok(None),
                Err(error) => Err(error),
            };
        }
        check_release_name(name).map_err(|_| {
            ActionError::Invalid(format!("uninstall: Release name is invalid: {name}"))
        })?;
        let mut history = self.storage().history(name).await?;
        let Some(release) = history.pop() else {
            if options.ignore_not_found {
                return Ok(None);
            }
            return Err(
                ActionError::NotFound.within(format!("uninstall: Release not loaded: {name}"))
            );
        };
        let versions: Vec<i64> = history.iter().map(|release| release.version).collect();
        if release.info.status == Status::Uninstalled {
            if options.keep_history {
                return Err(ActionError::Invalid(format!(
                    "the release named {name:?} is already deleted"
                )));
            }
            self.purge(name, &versions, release.version).await?;
            return Ok(Some(Uninstalled {
                release,
                kept: String::new(),
            }));
        }
        self.perform_uninstall(release, &versions, options)
            .await
            .map(Some)
    }

    async fn perform_uninstall(
        &self,
        mut release: Release,
        versions: &[i64],
        options: &Uninstall,
    ) -> Result<Uninstalled, ActionError> {
        let name = release.name.clone();
        release.info.deleted = now();
        release.set_status(
            Status::Uninstalling,
            "Deletion in progress (or silently failed)",
        );
        if !options.disable_hooks {
            self.run_hooks(&mut release, "pre-delete", true, options.timeout)
                .await?;
        }
        self.record(&release).await;
        let (objects, kept) = self.delete_objects(&release, options).await?;
        let mut errors = Vec::new();
        if options.wait == WaitStrategy::Watcher {
            let waited = wait::gone(&self.cluster, &objects, options.timeout).await;
            errors.extend(waited.err());
        }
        if !options.disable_hooks {
            let ran = self
                .run_hooks(&mut release, "post-delete", true, options.timeout)
                .await;
            errors.extend(ran.err());
        }
        let description = if options.description.is_empty() {
            "Uninstallation complete"
        } else {
            &options.description
        };
        release.set_status(Status::Uninstalled, description);
        if options.keep_history {
            self.record(&release).await;
            self.storage().supersede(&name, release.version).await?;
        } else if let Err(error) = self.purge(&name, versions, release.version).await {
            errors.push(error.within("uninstall: Failed to purge the release"));
        }
        let count = errors.len();
        ActionError::join(errors, "; ").map_err(|error| {
            error.within(format!("uninstallation completed with {count} error(s)"))
        })?;
        Ok(Uninstalled { release, kept })
    }

    async fn purge(&self, name: &str, versions: &[i64], last: i64) -> Result<(), ActionError> {
        for version in versions.iter().chain([&last]) {
            self.storage().delete(name, *version).await?;
        }
        Ok(())
    }

    /// Removes the objects of a release in the order for that; gives them and what was kept.
    async fn delete_objects(
        &self,
        release: &Release,
        options: &Uninstall,
    ) -> Result<(Vec<Object>, String), ActionError> {
        // Each document is a file of its own, so that their order is that of kinds alone.
        let documents = helm::manifest::split(&release.manifest, self.compat);
        let files: BTreeMap<String, String> = documents
            .into_iter()
            .enumerate()
            .map(|(number, text)| (format!("manifest-{number:05}"), text.to_owned()))
            .collect();
        let sorted = sort(&files, Order::Uninstall, self.compat).map_err(|error| {
            ActionError::Invalid(format!(
                "corrupted release record. You must manually delete the resources: {error}"
            ))
        })?;
        let (mut kept, mut deleted) = (String::new(), String::new());
        for manifest in &sorted.manifests {
            let value = yaml::to_json(manifest.content.as_bytes()).unwrap_or_default();
            if change::is_kept(object::meta::annotation(&value, "helm.sh/resource-policy")) {
                let name = object::meta::name(&value);
                kept.push_str(&format!("[{}] {name}\n", manifest.kind));
            } else {
                deleted.push_str("\n---\n");
                deleted.push_str(&manifest.content);
            }
        }
        let objects = objects::build(&self.cluster, &deleted, &release.namespace)
            .await
            .map_err(|error| error.within("unable to build kubernetes objects for delete"))?;
        let errors = change::delete(&self.cluster, &objects, options.propagation).await;
        if let Err(error) = ActionError::join(errors, "; ") {
            tracing::debug!(release = release.name, %error, "cannot remove all objects");
            return Err(error.within(format!("failed to delete release: {}", release.name)));
        }
        if !kept.is_empty() {
            kept.insert_str(0, "These resources were kept due to the resource policy:\n");
        }
        Ok((objects, kept))
    }
}
