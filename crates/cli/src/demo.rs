//! `sluice demo`: the whole loop on this machine, with a repository to play with.

mod git_http;
mod repository;
mod show;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ::controllers::process::RunError;
use api::constants::annotations::RECONCILE_REQUEST;
use apiserver::{Server, StartError};
use clap::Args;
use runtime::metrics::Metrics;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::embedded::Embedded;
use crate::gitops::{self, ApplyError, NAMESPACE, Synced};
use crate::signals;
use repository::{ENVIRONMENTS, Repositories, RepositoryError};
use show::{Screen, Standing};

/// The port of the repositories, where it is free.
const GIT_PORT: u16 = 7717;
/// How long it may take until all is ready.
const DEADLINE: Duration = Duration::from_secs(120);
/// How often the state is looked at; it is in the same process.
const PAUSE: Duration = Duration::from_millis(50);
/// The Secret with the key for encrypted Secrets.
const KEYS: &str = "sops-age";

/// The flags of `sluice demo`.
#[derive(Args)]
pub(crate) struct Demo {
    /// Where the repositories, the kubeconfig and the key are put
    #[arg(default_value = "sluice-demo")]
    dir: PathBuf,
    /// End as soon as everything is ready; the exit code is 1 if it is not in time
    #[arg(long)]
    once: bool,
}

/// Why the demo does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error("cannot start the control plane")]
    Start(#[from] StartError),
    #[error("cannot use {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("cannot serve the repositories")]
    Listen(#[source] io::Error),
    #[error("cannot set up the sync")]
    Apply(#[from] ApplyError),
    #[error("the controllers have ended")]
    Controllers(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("not everything is ready after {} s", DEADLINE.as_secs())]
    NotReady,
    #[error("cannot write to standard output")]
    Write(#[from] io::Error),
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
}

impl DemoError {
    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Repository(RepositoryError::NoGit(_)) => {
                Some("install git: the demo makes and serves repositories with it")
            }
            Self::NotReady => Some("the lines above say what each object waits for"),
            _ => None,
        }
    }
}

/// Runs until everything is ready (`--once`), or until SIGTERM or SIGINT.
pub(crate) fn run(demo: &Demo) -> Result<(), DemoError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(DemoError::Runtime)?;
    runtime.block_on(play(demo))
}

async fn play(demo: &Demo) -> Result<(), DemoError> {
    let signal = signals::stop().map_err(DemoError::Runtime)?;
    let screen = Screen::new();
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| DemoError::File { path, source }
    };
    std::fs::create_dir_all(&demo.dir).map_err(file(&demo.dir))?;
    let folder = demo.dir.canonicalize().map_err(file(&demo.dir))?;
    let repositories = Repositories {
        folder: folder.clone(),
    };
    let key = repositories.prepare()?;
    let embedded = Embedded::start().await?;
    let kubeconfig = folder.join("kubeconfig");
    embedded
        .write_kubeconfig(&kubeconfig)
        .map_err(file(&kubeconfig))?;
    screen.step(&format!("control plane at {}", embedded.url))?;
    let stop = CancellationToken::new();
    let (pushed, pushes) = mpsc::channel(1);
    let listener = git_http::bind(GIT_PORT).await.map_err(DemoError::Listen)?;
    let base = format!(
        "http://{}",
        listener.local_addr().map_err(DemoError::Listen)?
    );
    repositories.set_remotes(&base)?;
    tokio::spawn(git_http::serve(
        listener,
        repositories.served(),
        stop.clone(),
        move || {
            // One that is waiting stands for all.
            let _ = pushed.try_send(());
        },
    ));
    screen.step(&format!(
        "repositories at {base}/{ENVIRONMENTS}.git and {base}/{}.git",
        repository::APPLICATION
    ))?;
    let scratch = folder.join("artifacts");
    std::fs::create_dir_all(&scratch).map_err(file(&scratch))?;
    let metrics = Metrics::new();
    gitops::install(&embedded.server).await?;
    let controllers = gitops::run(
        embedded.connection(&metrics),
        &scratch,
        metrics,
        stop.clone(),
    );
    screen.step("controllers for sources and Kustomizations")?;
    sync(
        &embedded.server,
        &format!("{base}/{ENVIRONMENTS}.git"),
        &key,
    )
    .await?;
    let scene = Scene {
        embedded: &embedded,
        screen: &screen,
        folder: &folder,
        base: &base,
        is_once: demo.once,
    };
    let outcome = tokio::select! {
        outcome = scene.follow(pushes) => outcome,
        ended = controllers => Err(ended_early(ended)),
        () = signal => Ok(()),
    };
    stop.cancel();
    embedded.end().await;
    outcome
}

fn ended_early(ended: Result<Result<(), RunError>, tokio::task::JoinError>) -> DemoError {
    DemoError::Controllers(match ended {
        Ok(Ok(())) => "without an error".into(),
        Ok(Err(error)) => Box::new(error),
        Err(error) => Box::new(error),
    })
}

async fn sync(server: &Server, url: &str, key: &str) -> Result<(), ApplyError> {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": KEYS, "namespace": NAMESPACE},
        "stringData": {"demo.agekey": key},
    });
    gitops::apply(server, &secret).await?;
    let sync = Synced {
        name: ENVIRONMENTS,
        url,
        branch: "main",
        path: "./clusters/demo",
        interval: "1m",
        login: None,
        keys: None,
    };
    for object in sync.objects() {
        gitops::apply(server, &object).await?;
    }
    Ok(())
}

/// What is going on, for the one who watches.
struct Scene<'a> {
    embedded: &'a Embedded,
    screen: &'a Screen,
    folder: &'a Path,
    base: &'a str,
    is_once: bool,
}

impl Scene<'_> {
    /// Shows changes as they come; ends when all is ready if that is wanted.
    async fn follow(&self, mut pushes: mpsc::Receiver<()>) -> Result<(), DemoError> {
        let started = Instant::now();
        let mut standing = Standing::new(&self.embedded.server);
        let mut is_first = true;
        loop {
            for line in standing.changes() {
                self.screen.change(&line)?;
            }
            if is_first && standing.is_ready() {
                is_first = false;
                self.screen.done(started.elapsed())?;
                Screen::table(&standing.rows())?;
                if self.is_once {
                    return Ok(());
                }
                Screen::invitation(self.folder, self.base)?;
            }
            if self.is_once && started.elapsed() > DEADLINE {
                Screen::table(&standing.rows())?;
                return Err(DemoError::NotReady);
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                Some(()) = pushes.recv() => self.pushed().await,
            }
        }
    }

    /// A push is synced at once, as a webhook of a Git server would have it.
    async fn pushed(&self) {
        let local = gitops::administrator(&self.embedded.server);
        let resource =
            object::GroupVersionResource::new("source.toolkit.fluxcd.io", "v1", "gitrepositories");
        let now = jiff::Timestamp::now().to_string();
        let patch = json!({"metadata": {"annotations": {RECONCILE_REQUEST: now}}});
        if let Err(error) = local
            .patch(
                &resource,
                (NAMESPACE, ENVIRONMENTS, ""),
                "application/merge-patch+json",
                &patch,
            )
            .await
        {
            tracing::warn!(%error, "cannot ask for a sync");
        }
    }
}
