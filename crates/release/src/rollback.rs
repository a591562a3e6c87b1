//! Rolling a release back.
//!
//! Source: Helm `pkg/action/rollback.go`.

use helm::chart::check_release_name;
use helm::release::{Info, Release, Status};

use crate::actions::{Actions, Common, DryRun, apply_method, now};
use crate::change;
use crate::cluster::Cluster;
use crate::error::ActionError;
use crate::objects::{self, Object};
use crate::ownership;
use crate::upgrade::server_side;

/// A rollback.
#[derive(Clone, Default)]
pub struct Rollback {
    /// The revision to go back to; 0 for the one before.
    pub version: i64,
    /// What all actions can be told.
    pub common: Common,
}

impl<C: Cluster> Actions<C> {
    /// Rolls a release back, as a new revision.
    ///
    /// # Errors
    /// There is no such revision, or the objects cannot be brought back; then the new revision is stored as failed.
    pub async fn rollback(&self, name: &str, options: &Rollback) -> Result<Release, ActionError> {
        let common = &options.common;
        let (mut current, mut target, server_side) = self.prepare_rollback(name, options).await?;
        if common.dry_run != DryRun::Off {
            return Ok(target);
        }
        self.storage().create(&target, common.max_history).await?;
        self.perform_rollback(&mut current, &mut target, server_side, common)
            .await?;
        self.record(&target).await;
        Ok(target)
    }

    async fn prepare_rollback(
        &self,
        name: &str,
        options: &Rollback,
    ) -> Result<(Release, Release, bool), ActionError> {
        check_release_name(name).map_err(|_| {
            ActionError::Invalid(format!("prepareRollback: Release name is invalid: {name}"))
        })?;
        if options.version < 0 {
            return Err(ActionError::Invalid("invalid release revision".to_owned()));
        }
        let history = self.storage().history(name).await?;
        let current = history.last().ok_or(ActionError::NotFound)?.clone();
        let version = match options.version {
            0 => current.version - 1,
            version => version,
        };
        let previous = history
            .into_iter()
            .find(|release| release.version == version)
            .ok_or_else(|| ActionError::Invalid(format!("release has no {version} version")))?;
        let common = &options.common;
        let server_side = server_side(common.server_side, previous.apply_method);
        let target = Release {
            name: name.to_owned(),
            info: Info {
                first_deployed: current.info.first_deployed.clone(),
                last_deployed: now(),
                description: common.describe(&format!("Rollback to {version}")),
                status: Status::PendingRollback,
                notes: previous.info.notes.clone(),
                ..Info::default()
            },
            version: current.version + 1,
            namespace: current.namespace.clone(),
            apply_method: apply_method(server_side),
            ..previous
        };
        Ok((current, target, server_side))
    }

    async fn perform_rollback(
        &self,
        current: &mut Release,
        target: &mut Release,
        server_side: bool,
        common: &Common,
    ) -> Result<(), ActionError> {
        let before = objects::build(&self.cluster, &current.manifest, &current.namespace)
            .await
            .map_err(|error| {
                error.within("unable to build kubernetes objects from current release manifest")
            })?;
        let mut after = objects::build(&self.cluster, &target.manifest, &target.namespace)
            .await
            .map_err(|error| {
                error.within("unable to build kubernetes objects from new release manifest")
            })?;
        if !common.disable_hooks {
            self.run_hooks(target, "pre-rollback", server_side, common.timeout)
                .await?;
        }
        ownership::mark(&mut after, &target.name, &target.namespace);
        let mut applying = common.applying(server_side, &self.manager);
        applying.upgrade_manager = true;
        if let Err((created, error)) =
            change::update(&self.cluster, &before, &after, applying).await
        {
            return Err(self
                .fail_rollback(current, target, created, error, common)
                .await);
        }
        let waited = self
            .wait(
                &after,
                common.strategy(),
                common.wait_for_jobs,
                common.timeout,
            )
            .await;
        if let Err(error) = waited {
            let name = &target.name;
            let description = format!("Release {name:?} failed: {error}");
            let error = error.within(format!("release {name} failed"));
            target.set_status(Status::Failed, description);
            self.record(current).await;
            self.record(target).await;
            return Err(error);
        }
        if !common.disable_hooks {
            self.run_hooks(target, "post-rollback", server_side, common.timeout)
                .await?;
        }
        self.storage()
            .supersede(&target.name, target.version)
            .await?;
        target.info.status = Status::Deployed;
        Ok(())
    }

    async fn fail_rollback(
        &self,
        current: &mut Release,
        target: &mut Release,
        created: Vec<Object>,
        error: ActionError,
        common: &Common,
    ) -> ActionError {
        let description = format!("Rollback {:?} failed: {error}", target.name);
        current.info.status = Status::Superseded;
        target.set_status(Status::Failed, description);
        self.record(current).await;
        self.record(target).await;
        if common.cleanup_on_fail && !created.is_empty() {
            let errors = change::delete(&self.cluster, &created, "Background").await;
            if let Err(second) = ActionError::join(errors, ", ") {
                return second.within("unable to cleanup resources").within(
                    "an error occurred while cleaning up resources. original rollback error",
                );
            }
        }
        error
    }
}
