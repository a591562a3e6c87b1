//! `sluice kustomize build`: what `kustomize build` prints.

mod charts;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use helm::Compat;
use kustomize::{BuildErrors, Disk, LoadRestrictor, Options, Profile, RenderChart, Reorder};

use charts::LocalCharts;

/// The flags of `sluice kustomize`.
#[derive(Args)]
pub(crate) struct Kustomize {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build a kustomization and print its objects
    Build(Build),
}

#[derive(Args)]
struct Build {
    /// The folder of the kustomization
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Whose behaviour to follow: the kustomize command's, or that of Flux's controller
    #[arg(long, value_enum, default_value = "command")]
    profile: ProfileName,
    /// Write here instead of standard output; a folder gets a file for each object
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// The order of the objects where sortOptions says nothing
    #[arg(long, value_enum, default_value = "legacy")]
    reorder: ReorderName,
    /// Where files may come from
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly")]
    load_restrictor: RestrictorName,
    /// Label the objects with app.kubernetes.io/managed-by
    #[arg(long)]
    enable_managedby_label: bool,
    #[command(flatten)]
    charts: ChartFlags,
    #[command(flatten)]
    ignored: Ignored,
}

/// How `helmCharts` are rendered.
#[derive(Args)]
struct ChartFlags {
    /// Render helmCharts; charts are taken from the chartHome
    #[arg(long)]
    enable_helm: bool,
    /// Not needed: no helm command is run
    #[arg(long, value_name = "PATH", hide = true)]
    helm_command: Option<String>,
    /// The Helm whose output charts have: 3, 4 or 4.3
    #[arg(long, value_name = "VERSION", default_value = "4")]
    helm_compat: Compat,
    /// A version for .Capabilities.APIVersions of charts without apiVersions; may be repeated
    #[arg(long, value_name = "VERSION")]
    helm_api_versions: Vec<String>,
    /// The version for .Capabilities.KubeVersion of charts without kubeVersion
    #[arg(long, value_name = "VERSION", default_value = "")]
    helm_kube_version: String,
    /// Show what was rendered when a chart fails
    #[arg(long)]
    helm_debug: bool,
}

impl ChartFlags {
    fn renderer(&self) -> Option<LocalCharts> {
        if self.helm_command.is_some() {
            tracing::debug!("--helm-command has no effect: charts are rendered without a command");
        }
        self.enable_helm.then(|| LocalCharts {
            compat: self.helm_compat,
            api_versions: self.helm_api_versions.clone(),
            kube_version: self.helm_kube_version.clone(),
            debug: self.helm_debug,
        })
    }
}

/// kustomize's flags for functions that are containers, programs or Go plugins. They are taken so that
/// scripts go on working; such functions are refused.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Ignored {
    #[arg(long, hide = true)]
    enable_alpha_plugins: bool,
    #[arg(long, hide = true)]
    enable_exec: bool,
    #[arg(long, hide = true)]
    enable_star: bool,
    #[arg(long, hide = true)]
    as_current_user: bool,
    #[arg(long, hide = true)]
    network: bool,
    #[arg(long, hide = true)]
    network_name: Option<String>,
    #[arg(short, long, hide = true)]
    env: Vec<String>,
    #[arg(long, hide = true)]
    mount: Vec<String>,
}

impl Ignored {
    fn tell(&self) {
        let is_given = self.enable_alpha_plugins
            || self.enable_exec
            || self.enable_star
            || self.as_current_user
            || self.network
            || self.network_name.is_some()
            || !self.env.is_empty()
            || !self.mount.is_empty();
        if is_given {
            tracing::debug!(
                "flags for functions have no effect: containers, programs and Go plugins are refused"
            );
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum ProfileName {
    Command,
    Flux,
}

#[derive(Clone, Copy, ValueEnum)]
enum ReorderName {
    Legacy,
    None,
}

#[derive(Clone, Copy, ValueEnum)]
enum RestrictorName {
    #[value(name = "LoadRestrictionsRootOnly")]
    RootOnly,
    #[value(name = "LoadRestrictionsNone")]
    None,
}

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KustomizeError {
    /// The kustomization is not right; in kustomize's words.
    #[error("{0}")]
    Build(BuildErrors),
    #[error("cannot write {path}")]
    Write { path: String, source: io::Error },
}

/// Does what the subcommand says.
pub(crate) fn run(kustomize: &Kustomize) -> Result<(), KustomizeError> {
    let Command::Build(build) = &kustomize.command;
    let current = std::env::current_dir().unwrap_or_default();
    let path = std::path::absolute(&build.dir).unwrap_or_else(|_| build.dir.clone());
    let flux = matches!(build.profile, ProfileName::Flux);
    build.ignored.tell();
    let charts = build.charts.renderer();
    let options = Options {
        profile: if flux {
            Profile::Flux
        } else {
            Profile::Command
        },
        reorder: match build.reorder {
            ReorderName::Legacy => Reorder::Legacy,
            ReorderName::None => Reorder::None,
        },
        load_restrictor: match build.load_restrictor {
            RestrictorName::RootOnly => LoadRestrictor::RootOnly,
            RestrictorName::None => LoadRestrictor::None,
        },
        managed_by_label: build.enable_managedby_label,
        // What the controller takes for the root of the source is the folder the command runs in.
        helm: charts.as_ref().map(|charts| charts as &dyn RenderChart),
        source_root: (flux && path.starts_with(&current)).then_some(current),
        ..Options::default()
    };
    let shown = build.dir.display().to_string();
    let output =
        kustomize::build_as(&Disk, &path, &shown, &options).map_err(KustomizeError::Build)?;
    for warning in &output.warnings {
        tracing::warn!("{warning}");
    }
    match &build.output {
        Some(target) if target.is_dir() => write_each(target, &output),
        Some(target) => fs::write(target, &output.yaml).map_err(failed(target)),
        None => match io::stdout().lock().write_all(output.yaml.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(failed(Path::new("standard output"))(error))
            }
            _ => Ok(()),
        },
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> KustomizeError + '_ {
    move |source| KustomizeError::Write {
        path: path.display().to_string(),
        source,
    }
}

/// One file for each object: `[<namespace>_]<group>_<version>_<kind>_<name>.yaml`, as kustomize names them.
fn write_each(folder: &Path, output: &kustomize::Output) -> Result<(), KustomizeError> {
    for object in &output.objects {
        let version = object.api_version.replace('/', "_");
        let name = format!("{version}_{}_{}.yaml", object.kind, object.name).to_lowercase();
        let name = if object.namespace.is_empty() {
            name
        } else {
            format!("{}_{name}", object.namespace)
        };
        let file = folder.join(name);
        fs::write(&file, &object.yaml).map_err(failed(&file))?;
    }
    Ok(())
}
