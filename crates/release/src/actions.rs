//! What all actions share.

use std::sync::Arc;
use std::time::Duration;

use gotemplate::{Environment, Map};
use helm::chart::Chart;
use helm::engine::{Capabilities, Lookup, ReleaseOptions};
use helm::release::{ApplyMethod, Hook, Release, SYSTEM_LABELS};
use helm::{Compat, PostRenderStrategy, PostRenderer, RenderOptions, Rendered};

use crate::cluster::Cluster;
use crate::error::ActionError;
use crate::objects::Object;
use crate::storage::Storage;
use crate::wait::{self, Until};

/// Whether anything is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DryRun {
    /// Do it.
    #[default]
    Off,
    /// Only tell what would be done; nothing is asked of the API server.
    Client,
    /// The same, with what the API server knows.
    Server,
}

/// Who merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerSide {
    /// The server.
    On,
    /// The client: Helm 3.
    Off,
    /// As the release was applied before; the server for new ones.
    #[default]
    Auto,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitStrategy {
    /// Hooks only.
    #[default]
    HookOnly,
    /// All objects, by their status.
    Watcher,
}

/// What the actions that apply objects can be told.
#[derive(Clone)]
pub struct Common {
    /// How long each wait may take.
    pub timeout: Duration,
    /// What is waited for.
    pub wait: WaitStrategy,
    /// Whether Jobs have to end.
    pub wait_for_jobs: bool,
    /// Whether hooks do not run.
    pub disable_hooks: bool,
    /// Who merges.
    pub server_side: ServerSide,
    /// Whether fields of others are taken.
    pub force_conflicts: bool,
    /// Whether objects are replaced instead of changed.
    pub force_replace: bool,
    /// Whether objects of nobody and of others are taken.
    pub take_ownership: bool,
    /// Whether anything is stored.
    pub dry_run: DryRun,
    /// Whether Secrets are left out of what a dry run shows.
    pub hide_secret: bool,
    /// Whether objects that were made are removed when the action fails.
    pub cleanup_on_fail: bool,
    /// Whether a failure is undone: an installation is removed, an upgrade rolled back.
    pub rollback_on_failure: bool,
    /// How many revisions are kept; 0 for all.
    pub max_history: usize,
    /// The last word in the record; Helm's own if empty.
    pub description: String,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(300),
            wait: WaitStrategy::default(),
            wait_for_jobs: false,
            disable_hooks: false,
            server_side: ServerSide::default(),
            force_conflicts: false,
            force_replace: false,
            take_ownership: false,
            dry_run: DryRun::default(),
            hide_secret: false,
            cleanup_on_fail: false,
            rollback_on_failure: false,
            max_history: 10,
            description: String::new(),
        }
    }
}

/// How charts are rendered by actions.
#[derive(Clone, Default)]
pub struct Rendering {
    /// Whether values are not checked against schemas.
    pub skip_schema_validation: bool,
    /// Whether the notes of dependencies are shown too.
    pub sub_notes: bool,
    /// Whether `getHostByName` asks.
    pub dns: bool,
    /// What changes the result.
    pub post_renderer: Option<Arc<dyn PostRenderer + Send + Sync>>,
    /// How that sees hooks.
    pub post_render_strategy: PostRenderStrategy,
}

/// How objects are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applying<'a> {
    pub(crate) server_side: bool,
    pub(crate) force_conflicts: bool,
    pub(crate) replace: bool,
    pub(crate) three_way: bool,
    /// Whether fields of earlier updates become ours.
    pub(crate) upgrade_manager: bool,
    pub(crate) manager: &'a str,
}

impl Common {
    pub(crate) fn applying<'a>(&self, server_side: bool, manager: &'a str) -> Applying<'a> {
        Applying {
            server_side,
            force_conflicts: self.force_conflicts && server_side,
            replace: self.force_replace && !server_side,
            three_way: false,
            upgrade_manager: false,
            manager,
        }
    }

    /// What is waited for; a failure that is to be undone must be seen.
    pub(crate) fn strategy(&self) -> WaitStrategy {
        if self.rollback_on_failure {
            WaitStrategy::Watcher
        } else {
            self.wait
        }
    }

    pub(crate) fn describe(&self, own: &str) -> String {
        if self.description.is_empty() {
            own.to_owned()
        } else {
            self.description.clone()
        }
    }
}

/// Takes lines of what hooks print.
pub type HookLog = Arc<dyn Fn(&str) + Send + Sync>;

/// All actions, for the releases of one namespace.
pub struct Actions<C> {
    pub(crate) cluster: C,
    pub(crate) namespace: String,
    pub(crate) storage_namespace: String,
    pub(crate) manager: String,
    pub(crate) compat: Compat,
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) lookup: Option<Arc<dyn Lookup>>,
    pub(crate) hook_log: Option<HookLog>,
}

/// The present time as Go writes it.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().to_string()
}

impl<C: Cluster> Actions<C> {
    /// Actions in `namespace`, with releases stored there too. `manager` is the field manager, `helm` for the command.
    pub fn new(
        cluster: C,
        namespace: impl Into<String>,
        manager: impl Into<String>,
        compat: Compat,
        environment: Arc<dyn Environment>,
    ) -> Self {
        let namespace = namespace.into();
        Self {
            cluster,
            storage_namespace: namespace.clone(),
            namespace,
            manager: manager.into(),
            compat,
            environment,
            lookup: None,
            hook_log: None,
        }
    }

    /// Stores releases in another namespace.
    pub fn store_in(mut self, namespace: impl Into<String>) -> Self {
        self.storage_namespace = namespace.into();
        self
    }

    /// Lets templates look objects up.
    pub fn look_up_with(mut self, lookup: Arc<dyn Lookup>) -> Self {
        self.lookup = Some(lookup);
        self
    }

    /// Shows what hooks print, where they ask for it.
    pub fn log_hooks_to(mut self, log: HookLog) -> Self {
        self.hook_log = Some(log);
        self
    }

    /// The stored releases.
    pub fn storage(&self) -> Storage<'_, C> {
        Storage::new(&self.cluster, &*self.storage_namespace)
    }

    /// What charts may ask about the cluster.
    pub(crate) async fn capabilities(&self, dry_run: DryRun) -> Result<Capabilities, ActionError> {
        if dry_run == DryRun::Client {
            return Ok(Capabilities::assumed(self.compat));
        }
        Ok(self.cluster.capabilities(self.compat).await?)
    }

    /// Renders a chart. Runs on a thread of its own, since templates may look objects up and take their time.
    pub(crate) async fn render(
        &self,
        mut chart: Chart,
        values: Map,
        release: ReleaseOptions,
        capabilities: Capabilities,
        rendering: &Rendering,
        dry_run: DryRun,
    ) -> Result<(Chart, Rendered), ActionError> {
        let environment = Arc::clone(&self.environment);
        let lookup = self.lookup.clone().filter(|_| dry_run != DryRun::Client);
        let rendering = rendering.clone();
        let task = tokio::task::spawn_blocking(move || {
            let mut options = RenderOptions::new(release, capabilities, &*environment);
            options.lookup = lookup;
            options.dns = rendering.dns;
            options.skip_schema_validation = rendering.skip_schema_validation;
            options.sub_notes = rendering.sub_notes;
            let post_renderer = rendering.post_renderer.clone();
            options.post_renderer = post_renderer
                .as_deref()
                .map(|post_renderer| post_renderer as &dyn PostRenderer);
            options.post_render_strategy = rendering.post_render_strategy;
            let rendered = helm::render(&mut chart, &values, &options)?;
            Ok::<_, helm::RenderFailure>((chart, rendered))
        });
        task.await
            .map_err(|error| ActionError::Invalid(format!("rendering was ended: {error}")))?
            .map_err(ActionError::from)
    }

    /// Waits for objects as the strategy says.
    pub(crate) async fn wait(
        &self,
        objects: &[Object],
        strategy: WaitStrategy,
        jobs: bool,
        timeout: Duration,
    ) -> Result<(), ActionError> {
        if strategy == WaitStrategy::HookOnly {
            return Ok(());
        }
        let until = if jobs { Until::JobsToo } else { Until::Ready };
        wait::ready(&self.cluster, objects, until, timeout).await
    }

    /// Stores what became of a revision; a failure to do so is told and does not end the action.
    pub(crate) async fn record(&self, release: &Release) {
        if let Err(error) = self.storage().update(release).await {
            tracing::warn!(release = release.name, %error, "cannot record the release");
        }
    }
}

pub(crate) fn hooks(rendered: &Rendered) -> Vec<Hook> {
    rendered.hooks.iter().map(Into::into).collect()
}

pub(crate) fn apply_method(server_side: bool) -> ApplyMethod {
    if server_side {
        ApplyMethod::Server
    } else {
        ApplyMethod::Client
    }
}

/// Refuses labels that are Helm's own.
pub(crate) fn check_labels<'a>(
    mut labels: impl Iterator<Item = &'a String>,
) -> Result<(), ActionError> {
    if labels.any(|label| SYSTEM_LABELS.contains(&label.as_str())) {
        return Err(ActionError::Invalid(format!(
            "user supplied labels contains system reserved label name. System labels: [{}]",
            SYSTEM_LABELS.join(" ")
        )));
    }
    Ok(())
}

pub(crate) fn check_hide_secret(common: &Common) -> Result<(), ActionError> {
    if common.hide_secret && common.dry_run == DryRun::Off {
        return Err(ActionError::Invalid(
            "hiding Kubernetes secrets requires a dry-run mode".to_owned(),
        ));
    }
    Ok(())
}
