//! Installing a chart.
//!
//! Source: Helm `pkg/action/install.go`.

use std::collections::BTreeMap;

use gotemplate::Map;
use helm::chart::{Chart, check_release_name};
use helm::engine::ReleaseOptions;
use helm::release::{Info, Release, Status};
use object::GroupVersionKind;
use serde_json::json;

use crate::actions::{
    Actions, Common, DryRun, Rendering, ServerSide, apply_method, check_hide_secret, check_labels,
    hooks, now,
};
use crate::change;
use crate::cluster::{Call, Cluster, Content, Verb};
use crate::error::ActionError;
use crate::objects::{self, Object};
use crate::ownership;
use crate::uninstall::Uninstall;
use crate::wait::{self, Until};

/// How long definitions have to be taken up.
const DEFINITIONS: std::time::Duration = std::time::Duration::from_secs(60);

/// An installation.
#[derive(Clone, Default)]
pub struct Install {
    /// The name of the release.
    pub name: String,
    /// What all actions can be told.
    pub common: Common,
    /// How the chart is rendered.
    pub rendering: Rendering,
    /// Labels for the stored release.
    pub labels: BTreeMap<String, String>,
    /// Whether the namespace is made if it is not there.
    pub create_namespace: bool,
    /// Whether the definitions below `crds/` are left out.
    pub skip_crds: bool,
    /// Whether the name of a release that failed or was removed may be used again.
    pub replace: bool,
    /// For dry runs: whether definitions are part of the manifest.
    pub include_crds: bool,
}

impl<C: Cluster> Actions<C> {
    /// Installs `chart` with `values`.
    ///
    /// # Errors
    /// Nothing was stored when the error is about the name, the chart, or objects of others. Later the release is stored as
    /// failed, or removed again if that was asked for.
    pub async fn install(
        &self,
        chart: Chart,
        values: Map,
        options: &Install,
    ) -> Result<Release, ActionError> {
        let common = &options.common;
        check_hide_secret(common)?;
        let last = self.available(options).await?;
        check_labels(options.labels.keys())?;
        let crds = chart.crds();
        if common.dry_run == DryRun::Off && !options.skip_crds && !crds.is_empty() {
            self.install_crds(&crds, common).await?;
        }
        let server_side = common.server_side != ServerSide::Off && !self.compat.is_v3();
        let (mut release, rendered_objects) = self
            .prepare_install(chart, values, options, server_side)
            .await?;
        if common.dry_run != DryRun::Off {
            "Dry run complete".clone_into(&mut release.info.description);
            return Ok(release);
        }
        let (objects, adopted) = rendered_objects;
        if options.create_namespace {
            self.make_namespace(server_side).await?;
        }
        if let Some(mut last) = last {
            release.version = last.version + 1;
            if last.info.status != Status::Failed {
                last.set_status(Status::Superseded, "superseded by new release");
                self.storage().update(&last).await?;
            }
        }
        self.storage().create(&release, common.max_history).await?;
        match self
            .perform_install(&mut release, &objects, &adopted, server_side, common)
            .await
        {
            Ok(()) => Ok(release),
            Err(error) => Err(self.fail_install(release, error, common).await),
        }
    }

    /// Checks that the name may be used; gives the revision whose place is taken.
    async fn available(&self, options: &Install) -> Result<Option<Release>, ActionError> {
        let failed = |error: ActionError| error.within("release name check failed");
        check_release_name(&options.name).map_err(|error| {
            failed(ActionError::Invalid(format!(
                "release name {:?}: {error}",
                options.name
            )))
        })?;
        if options.common.dry_run != DryRun::Off {
            return Ok(None);
        }
        let last = self.storage().history(&options.name).await?.pop();
        match last {
            None => Ok(None),
            Some(last)
                if options.replace
                    && matches!(last.info.status, Status::Uninstalled | Status::Failed) =>
            {
                Ok(Some(last))
            }
            Some(_) => Err(failed(ActionError::Invalid(
                "cannot reuse a name that is still in use".to_owned(),
            ))),
        }
    }

    async fn prepare_install(
        &self,
        chart: Chart,
        values: Map,
        options: &Install,
        server_side: bool,
    ) -> Result<(Release, (Vec<Object>, Vec<Object>)), ActionError> {
        let common = &options.common;
        let capabilities = self.capabilities(common.dry_run).await?;
        let about = ReleaseOptions::install(&options.name, &self.namespace);
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
        let crds = if options.include_crds {
            chart.crds()
        } else {
            Vec::new()
        };
        let time = now();
        let mut release = Release {
            name: options.name.clone(),
            info: Info {
                first_deployed: time.clone(),
                last_deployed: time,
                notes: rendered.notes.clone(),
                ..Info::default()
            },
            chart: (&chart).into(),
            config: values,
            manifest: rendered.manifest(&crds, common.hide_secret),
            hooks: hooks(&rendered),
            version: 1,
            namespace: self.namespace.clone(),
            labels: options.labels.clone(),
            apply_method: apply_method(server_side),
        };
        release.set_status(Status::PendingInstall, "Initial install underway");
        if common.dry_run == DryRun::Client {
            return Ok((release, (Vec::new(), Vec::new())));
        }
        let mut objects = objects::build(&self.cluster, &release.manifest, &self.namespace)
            .await
            .map_err(|error| {
                error.within("unable to build kubernetes objects from release manifest")
            })?;
        ownership::mark(&mut objects, &release.name, &release.namespace);
        let existing = ownership::existing(
            &self.cluster,
            &objects,
            &release.name,
            &release.namespace,
            common.take_ownership,
        )
        .await
        .map_err(|error| error.within("unable to continue with install"))?;
        Ok((release, (objects, existing)))
    }

    async fn perform_install(
        &self,
        release: &mut Release,
        objects: &[Object],
        adopted: &[Object],
        server_side: bool,
        common: &Common,
    ) -> Result<(), ActionError> {
        if !common.disable_hooks {
            self.run_hooks(release, "pre-install", server_side, common.timeout)
                .await
                .map_err(|error| error.within("failed pre-install"))?;
        }
        let mut applying = common.applying(server_side, &self.manager);
        if adopted.is_empty() {
            applying.force_conflicts = false;
            change::create(&self.cluster, objects, applying).await?;
        } else {
            applying.three_way = common.take_ownership && !server_side;
            applying.upgrade_manager = true;
            change::update(&self.cluster, adopted, objects, applying)
                .await
                .map_err(|(_, error)| error)?;
        }
        self.wait(
            objects,
            common.strategy(),
            common.wait_for_jobs,
            common.timeout,
        )
        .await?;
        if !common.disable_hooks {
            self.run_hooks(release, "post-install", server_side, common.timeout)
                .await
                .map_err(|error| error.within("failed post-install"))?;
        }
        release.set_status(Status::Deployed, common.describe("Install complete"));
        self.record(release).await;
        Ok(())
    }

    async fn fail_install(
        &self,
        mut release: Release,
        error: ActionError,
        common: &Common,
    ) -> ActionError {
        let name = release.name.clone();
        release.set_status(Status::Failed, format!("Release {name:?} failed: {error}"));
        if !common.rollback_on_failure {
            self.record(&release).await;
            return error;
        }
        let options = Uninstall {
            disable_hooks: common.disable_hooks,
            timeout: common.timeout,
            wait: common.strategy(),
            ..Uninstall::default()
        };
        match self.uninstall(&name, &options).await {
            Ok(_) => error.within(format!(
                "release {name} failed, and has been uninstalled due to rollback-on-failure being set"
            )),
            Err(second) => ActionError::Several(vec![error, second], ": ")
                .within("an error occurred while uninstalling the release. original install error"),
        }
    }

    async fn install_crds(
        &self,
        crds: &[helm::chart::Crd],
        common: &Common,
    ) -> Result<(), ActionError> {
        let mut made = Vec::new();
        for crd in crds {
            let failed =
                |error: ActionError| error.within(format!("failed to install CRD {}", crd.name));
            let text = crd.data.to_text();
            let objects = objects::build(&self.cluster, &text, &self.namespace)
                .await
                .map_err(failed)?;
            if objects.is_empty() {
                return Err(failed(ActionError::Invalid(
                    "resources are empty".to_owned(),
                )));
            }
            for object in objects {
                let verb = if self.compat.is_v3() || common.server_side == ServerSide::Off {
                    Verb::Create(object.value.clone())
                } else {
                    Verb::Patch(
                        Content::Apply {
                            force: common.force_conflicts,
                        },
                        object.value.clone(),
                    )
                };
                match self.cluster.call(object.call(verb)).await {
                    Ok(_) => made.push(object),
                    Err(failure) if failure.reason() == "AlreadyExists" => {}
                    Err(failure) => return Err(failed(failure.into())),
                }
            }
        }
        if !made.is_empty() {
            wait::ready(&self.cluster, &made, Until::Ready, DEFINITIONS).await?;
            self.cluster.forget_kinds();
        }
        Ok(())
    }

    async fn make_namespace(&self, server_side: bool) -> Result<(), ActionError> {
        let kind = GroupVersionKind::new("", "v1", "Namespace");
        let resource = self.cluster.resource(&kind).await?;
        let body = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": self.namespace, "labels": {"name": self.namespace}},
        });
        let verb = if server_side {
            Verb::Patch(Content::Apply { force: false }, body)
        } else {
            Verb::Create(body)
        };
        let call = Call {
            resource: &resource,
            namespace: "",
            name: &self.namespace,
            verb,
            dry_run: false,
        };
        match self.cluster.call(call).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.reason() == "AlreadyExists" => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }
}
