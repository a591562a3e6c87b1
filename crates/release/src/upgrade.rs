//! Upgrading a release.
//!
//! Source: Helm `pkg/action/upgrade.go`.

use std::collections::{BTreeMap, HashSet};

use gotemplate::Map;
use helm::chart::{Chart, check_release_name};
use helm::engine::ReleaseOptions;
use helm::release::{self, ApplyMethod, Info, Release, Status};
use helm::values::{ChartValues, coalesce_tables, coalesce_values};

use crate::actions::{
    Actions, Common, DryRun, Rendering, ServerSide, apply_method, check_hide_secret, check_labels,
    hooks, now,
};
use crate::change;
use crate::cluster::Cluster;
use crate::error::ActionError;
use crate::objects::{self, Object};
use crate::ownership;
use crate::rollback::Rollback;

/// What becomes of the values of the revision before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// They stay if no values are given.
    #[default]
    IfNoneGiven,
    /// They are forgotten.
    Reset,
    /// They stay, with those of the old chart, below those given.
    All,
    /// They stay below those given, with the new chart's.
    ResetThenReuse,
}

/// An upgrade.
#[derive(Clone, Default)]
pub struct Upgrade {
    /// The name of the release.
    pub name: String,
    /// What all actions can be told.
    pub common: Common,
    /// How the chart is rendered.
    pub rendering: Rendering,
    /// Labels for the stored release; the value `null` removes one.
    pub labels: BTreeMap<String, String>,
    /// What becomes of the old values.
    pub reuse: Reuse,
    /// Whether a revision that is still pending is taken for given up: who made it is known to be gone.
    pub unlock: bool,
}

/// Whether the server merges, after what was done before. Source: `getUpgradeServerSideValue`.
pub(crate) fn server_side(asked: ServerSide, before: ApplyMethod) -> bool {
    match asked {
        ServerSide::On => true,
        ServerSide::Off => false,
        ServerSide::Auto => before == ApplyMethod::Server,
    }
}

/// The values of a stored chart.
struct Stored<'a>(&'a Release);

impl ChartValues for Stored<'_> {
    fn name(&self) -> &str {
        &self.0.chart.metadata.name
    }

    fn values(&self) -> &Map {
        &self.0.chart.values
    }

    fn dependencies(&self) -> &[Self] {
        &[]
    }
}

impl<C: Cluster> Actions<C> {
    /// Upgrades a release to `chart` with `values`.
    ///
    /// # Errors
    /// Nothing was stored when the error is about the release, the chart, or objects of others. Later the revision is
    /// stored as failed, and rolled back if that was asked for.
    pub async fn upgrade(
        &self,
        chart: Chart,
        values: Map,
        options: &Upgrade,
    ) -> Result<Release, ActionError> {
        let common = &options.common;
        check_release_name(&options.name).map_err(|_| {
            ActionError::Invalid(format!("release name is invalid: {}", options.name))
        })?;
        check_hide_secret(common)?;
        let (last, mut current) = self.present(options).await?;
        let server_side = server_side(common.server_side, last.apply_method);
        let mut upgraded = self
            .prepare_upgrade(chart, values, options, &last, &current, server_side)
            .await?;
        let (before, target) = self.plan_upgrade(&current, &upgraded, common).await?;
        if common.dry_run != DryRun::Off {
            upgraded.info.description = common.describe("Dry run complete");
            return Ok(upgraded);
        }
        self.storage().create(&upgraded, common.max_history).await?;
        let performed = self
            .perform_upgrade(
                &mut upgraded,
                &mut current,
                &before,
                &target,
                server_side,
                common,
            )
            .await;
        match performed {
            Ok(()) => Ok(upgraded),
            Err((created, error)) => Err(self.fail_upgrade(upgraded, created, error, common).await),
        }
    }

    /// The newest revision, and the one that is upgraded.
    async fn present(&self, options: &Upgrade) -> Result<(Release, Release), ActionError> {
        let mut history = self.storage().history(&options.name).await?;
        if let Some(last) = history.last_mut()
            && last.info.status.is_pending()
        {
            if !options.unlock {
                return Err(ActionError::Pending);
            }
            let status = last.info.status;
            last.set_status(
                Status::Failed,
                format!("Release was left {status} by a program that is gone"),
            );
            self.storage().update(last).await?;
        }
        let Some(last) = history.last() else {
            return Err(ActionError::NoDeployed(options.name.clone()));
        };
        let current = if last.info.status == Status::Deployed {
            last
        } else {
            match release::deployed(&history) {
                Some(deployed) => deployed,
                None if matches!(last.info.status, Status::Failed | Status::Superseded) => last,
                None => return Err(ActionError::NoDeployed(options.name.clone())),
            }
        };
        Ok((last.clone(), current.clone()))
    }

    fn values(
        &self,
        chart: &mut Chart,
        current: &Release,
        values: Map,
        reuse: Reuse,
    ) -> Result<Map, ActionError> {
        Ok(match reuse {
            Reuse::Reset => values,
            Reuse::All => {
                let old = coalesce_values(&Stored(current), &current.config, self.compat).map_err(
                    |error| ActionError::Invalid(format!("failed to rebuild old values: {error}")),
                )?;
                chart.values = old;
                coalesce_tables(&values, &current.config)
            }
            Reuse::ResetThenReuse => coalesce_tables(&values, &current.config),
            Reuse::IfNoneGiven if values.is_empty() => current.config.clone(),
            Reuse::IfNoneGiven => values,
        })
    }

    async fn prepare_upgrade(
        &self,
        mut chart: Chart,
        values: Map,
        options: &Upgrade,
        last: &Release,
        current: &Release,
        server_side: bool,
    ) -> Result<Release, ActionError> {
        let common = &options.common;
        let values = self.values(&mut chart, current, values, options.reuse)?;
        let revision = last.version + 1;
        let about = ReleaseOptions {
            name: options.name.clone(),
            namespace: current.namespace.clone(),
            revision,
            is_upgrade: true,
            is_install: false,
        };
        let capabilities = self.capabilities(common.dry_run).await?;
        let (chart, rendered) = self
            .render(
                chart,
                values.clone(),
                about,
                capabilities,
                &options.rendering,
                common.dry_run,
            )
            .await?;
        check_labels(options.labels.keys())?;
        let mut labels = last.labels.clone();
        labels.extend(options.labels.clone());
        labels.retain(|_, value| value != "null");
        Ok(Release {
            name: options.name.clone(),
            info: Info {
                first_deployed: current.info.first_deployed.clone(),
                last_deployed: now(),
                description: "Preparing upgrade".to_owned(),
                status: Status::PendingUpgrade,
                notes: rendered.notes.clone(),
                ..Info::default()
            },
            chart: (&chart).into(),
            config: values,
            manifest: rendered.manifest(&[], common.hide_secret),
            hooks: hooks(&rendered),
            version: revision,
            namespace: current.namespace.clone(),
            labels,
            apply_method: apply_method(server_side),
        })
    }

    /// The objects before and after.
    async fn plan_upgrade(
        &self,
        current: &Release,
        upgraded: &Release,
        common: &Common,
    ) -> Result<(Vec<Object>, Vec<Object>), ActionError> {
        if common.dry_run == DryRun::Client {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut before = objects::build(&self.cluster, &current.manifest, &current.namespace)
            .await
            .map_err(|error| {
                error.within("unable to build kubernetes objects from current release manifest")
            })?;
        let mut target = objects::build(&self.cluster, &upgraded.manifest, &upgraded.namespace)
            .await
            .map_err(|error| {
                error.within("unable to build kubernetes objects from new release manifest")
            })?;
        ownership::mark(&mut target, &upgraded.name, &upgraded.namespace);
        let known: HashSet<_> = before.iter().map(Object::key).collect();
        let new: Vec<Object> = target
            .iter()
            .filter(|object| !known.contains(&object.key()))
            .cloned()
            .collect();
        let adopted = ownership::existing(
            &self.cluster,
            &new,
            &upgraded.name,
            &upgraded.namespace,
            common.take_ownership,
        )
        .await
        .map_err(|error| error.within("unable to continue with update"))?;
        before.extend(adopted);
        Ok((before, target))
    }

    async fn perform_upgrade(
        &self,
        upgraded: &mut Release,
        original: &mut Release,
        before: &[Object],
        target: &[Object],
        server_side: bool,
        common: &Common,
    ) -> Result<(), (Vec<Object>, ActionError)> {
        let nothing = |error: ActionError| (Vec::new(), error);
        if !common.disable_hooks {
            self.run_hooks(upgraded, "pre-upgrade", server_side, common.timeout)
                .await
                .map_err(|error| nothing(error.within("pre-upgrade hooks failed")))?;
        }
        let mut applying = common.applying(server_side, &self.manager);
        applying.upgrade_manager = server_side && original.apply_method != ApplyMethod::Server;
        let created = match change::update(&self.cluster, before, target, applying).await {
            Ok(created) => created,
            Err(failed) => {
                self.record(original).await;
                return Err(failed);
            }
        };
        let waited = self
            .wait(
                target,
                common.strategy(),
                common.wait_for_jobs,
                common.timeout,
            )
            .await;
        if let Err(error) = waited {
            self.record(original).await;
            return Err((created, error));
        }
        if !common.disable_hooks {
            let ran = self
                .run_hooks(upgraded, "post-upgrade", server_side, common.timeout)
                .await;
            if let Err(error) = ran {
                return Err((created, error.within("post-upgrade hooks failed")));
            }
        }
        original.info.status = Status::Superseded;
        self.record(original).await;
        upgraded.set_status(Status::Deployed, common.describe("Upgrade complete"));
        self.record(upgraded).await;
        Ok(())
    }

    async fn fail_upgrade(
        &self,
        mut upgraded: Release,
        created: Vec<Object>,
        error: ActionError,
        common: &Common,
    ) -> ActionError {
        let name = upgraded.name.clone();
        upgraded.set_status(Status::Failed, format!("Upgrade {name:?} failed: {error}"));
        self.record(&upgraded).await;
        if common.cleanup_on_fail && !created.is_empty() {
            let errors = change::delete(&self.cluster, &created, "Background").await;
            if let Err(second) = ActionError::join(errors, ", ") {
                let second = second.within("unable to cleanup resources");
                return ActionError::Several(vec![error, second], ": ").within(
                    "an error occurred while cleaning up resources. original upgrade error",
                );
            }
        }
        if !common.rollback_on_failure {
            return error;
        }
        match self.undo_upgrade(&name, common).await {
            Ok(()) => error.within(format!(
                "release {name} failed, and has been rolled back due to rollback-on-failure being set"
            )),
            Err(second) => ActionError::Several(vec![error, second], ": ")
                .within("an error occurred while rolling back the release. original upgrade error"),
        }
    }

    async fn undo_upgrade(&self, name: &str, common: &Common) -> Result<(), ActionError> {
        let history = self.storage().history(name).await?;
        let good = |release: &&Release| {
            matches!(release.info.status, Status::Superseded | Status::Deployed)
        };
        let Some(previous) = history.iter().rev().find(good) else {
            return Err(ActionError::Invalid(
                "unable to find a previously successful release when attempting to rollback"
                    .to_owned(),
            ));
        };
        let options = Rollback {
            version: previous.version,
            common: Common {
                rollback_on_failure: false,
                wait: common.strategy(),
                description: String::new(),
                ..common.clone()
            },
        };
        self.rollback(name, &options).await.map(drop)
    }
}
