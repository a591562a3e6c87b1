//! All that lies between a loaded chart and the objects of a release.
//! Source: Helm `Install.RunWithContext`, `Configuration.renderResources`.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotemplate::unicode::is_space;
use gotemplate::{Environment, Limits, Map, lossy};

use crate::chart::{Chart, Crd, is_compatible, process_dependencies};
use crate::engine::{Capabilities, Engine, Lookup, Mode, ReleaseOptions, render_values};
use crate::manifest::{Hook, Manifest, Order, sort};
use crate::values::{FetchSchema, check_schemas};

/// What the file with words for the user is called.
const NOTES: &str = "NOTES.txt";

/// Changes what has been rendered before it is sorted: Helm's post-renderers.
pub trait PostRenderer: Sync {
    /// The manifests in place of `manifests`, a stream of YAML documents. The error is a text.
    fn run(&self, manifests: &str) -> Result<String, String>;
}

/// How post-renderers see hooks. Source: Helm 4 `PostRenderStrategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PostRenderStrategy {
    /// With everything else, in one stream: Helm 4.
    #[default]
    Combined,
    /// In a stream of their own.
    Separate,
    /// Not at all: as in Helm 3.
    NoHooks,
}

/// How a chart is rendered.
pub struct RenderOptions<'a> {
    /// What `.Release` says.
    pub release: ReleaseOptions,
    /// What `.Capabilities` says; also which Helm is followed.
    pub capabilities: Capabilities,
    /// Reads objects of a cluster; without it `lookup` finds nothing.
    pub lookup: Option<Arc<dyn Lookup>>,
    /// Fetches schemas that others refer to.
    pub schemas: Option<Arc<dyn FetchSchema>>,
    /// Time and chance.
    pub environment: &'a dyn Environment,
    /// How much rendering may use.
    pub limits: Limits,
    /// Whether `getHostByName` asks the environment.
    pub dns: bool,
    /// Whether values are not checked against schemas.
    pub skip_schema_validation: bool,
    /// Whether the notes of dependencies are part of the notes.
    pub sub_notes: bool,
    /// What changes the result.
    pub post_renderer: Option<&'a dyn PostRenderer>,
    /// How that sees hooks.
    pub post_render_strategy: PostRenderStrategy,
}

impl<'a> RenderOptions<'a> {
    /// Options that do what Helm does by itself.
    pub fn new(
        release: ReleaseOptions,
        capabilities: Capabilities,
        environment: &'a dyn Environment,
    ) -> RenderOptions<'a> {
        RenderOptions {
            release,
            capabilities,
            lookup: None,
            schemas: None,
            environment,
            limits: Limits::default(),
            dns: false,
            skip_schema_validation: false,
            sub_notes: false,
            post_renderer: None,
            post_render_strategy: PostRenderStrategy::default(),
        }
    }
}

/// A rendered chart.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// What runs at certain moments, in the order of kinds.
    pub hooks: Vec<Hook>,
    /// All else, in the order of installation.
    pub manifests: Vec<Manifest>,
    /// The words for the user.
    pub notes: String,
}

/// Why a chart is not rendered: Helm's message, and how far rendering came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderFailure {
    /// The chart or its values are not right.
    #[error("{0}")]
    Chart(String),
    /// Templates failed, or the cluster is of the wrong version.
    #[error("{0}")]
    Template(String),
    /// What came out is no YAML. With `--debug` Helm prints it all the same.
    #[error("{message}")]
    Manifest {
        /// The message.
        message: String,
        /// All that was rendered.
        output: String,
    },
}

impl Rendered {
    /// The text that a release keeps as its manifest: definitions if given, then all but hooks.
    pub fn manifest(&self, crds: &[Crd], hide_secrets: bool) -> String {
        let mut out = String::new();
        for crd in crds {
            document(&mut out, &crd.path, &crd.data.to_text());
        }
        for manifest in &self.manifests {
            let hidden = hide_secrets && manifest.kind == "Secret" && manifest.api_version == "v1";
            document(
                &mut out,
                &manifest.path,
                if hidden {
                    "# HIDDEN: The Secret output has been suppressed"
                } else {
                    &manifest.content
                },
            );
        }
        out
    }
}

/// One document with its source.
pub(crate) fn document(out: &mut String, path: &str, content: &str) {
    out.push_str("---\n# Source: ");
    out.push_str(path);
    out.push('\n');
    out.push_str(content);
    out.push('\n');
}

/// Renders a chart with the values of its users.
///
/// The chart is changed as Helm changes it: dependencies are enabled, aliased, and their values imported.
/// That is how a release keeps it.
pub fn render(
    chart: &mut Chart,
    values: &Map,
    options: &RenderOptions<'_>,
) -> Result<Rendered, RenderFailure> {
    let compat = options.capabilities.compat;
    process_dependencies(chart, values, compat).map_err(|error| {
        RenderFailure::Chart(if compat.is_v3() {
            error.to_string()
        } else {
            format!("chart dependencies processing failed: {error}")
        })
    })?;
    let top = render_values(chart, values, &options.release, &options.capabilities)
        .map_err(|error| RenderFailure::Chart(error.to_string()))?;
    if !options.skip_schema_validation
        && let Some(values) = top.get("Values")
        && let Some(values) = values.as_map()
    {
        check_schemas(chart, values, options.schemas.as_ref()).map_err(RenderFailure::Chart)?;
    }
    check_kube_version(chart, &options.capabilities).map_err(RenderFailure::Template)?;
    let engine = Engine {
        compat,
        mode: Mode {
            dns: options.dns,
            ..Mode::default()
        },
        lookup: options.lookup.clone(),
        environment: options.environment,
        limits: options.limits,
    };
    let rendered = engine
        .render(chart, &top)
        .map_err(|error| RenderFailure::Template(error.to_string()))?;
    let mut files: BTreeMap<String, String> = rendered
        .into_iter()
        .map(|(name, text)| (name, into_text(text)))
        .collect();
    let notes = take_notes(&mut files, &chart.metadata.name, options.sub_notes);
    if let Some(post_renderer) = options.post_renderer {
        files = crate::post_render::run(files, post_renderer, options.post_render_strategy, compat)
            .map_err(RenderFailure::Template)?;
    }
    let sorted =
        sort(&files, Order::Install, compat).map_err(|message| RenderFailure::Manifest {
            message,
            output: as_output(&files),
        })?;
    Ok(Rendered {
        hooks: sorted.hooks,
        manifests: sorted.manifests,
        notes,
    })
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| lossy(error.as_bytes()).into_owned())
}

fn check_kube_version(chart: &Chart, capabilities: &Capabilities) -> Result<(), String> {
    let needed = &chart.metadata.kube_version;
    let version = &capabilities.kube_version;
    if needed.is_empty() || is_compatible(needed, &version.normalized) {
        return Ok(());
    }
    Err(format!(
        "chart requires kubeVersion: {needed} which is incompatible with Kubernetes {}",
        version.version
    ))
}

/// Takes the notes out of the rendered files.
fn take_notes(files: &mut BTreeMap<String, String>, chart: &str, with_sub_notes: bool) -> String {
    let own = format!("{chart}/templates/{NOTES}");
    let mut notes = String::new();
    files.retain(|path, text| {
        if !path.ends_with(NOTES) {
            return true;
        }
        if with_sub_notes || *path == own {
            if !notes.is_empty() {
                notes.push('\n');
            }
            notes.push_str(text);
        }
        false
    });
    notes
}

/// All files with their sources, for finding out what is wrong.
fn as_output(files: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    for (path, content) in files {
        if !content.trim_matches(is_space).is_empty() {
            document(&mut out, path, content);
        }
    }
    out
}
