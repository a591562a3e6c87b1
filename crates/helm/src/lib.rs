//! Helm charts: loading, values, rendering, sorting.
//!
//! ```text
//! folder, .tgz ──chart::load──► Chart ──────────┐
//!                                               ├──render──► Rendered { hooks, manifests, notes }
//! -f, --set… ──ValueOptions::merge──► values ───┘                 │
//!                                                   Rendered::manifest(Chart::crds()) ──► text
//! ```
//!
//! [`chart::load`] reads through a [`tree::FileSystem`], [`chart::load_archive`] takes bytes. [`render`] does what
//! an installation does up to the first request: dependencies, schemas, templates, hooks, the order of kinds.
//! [`Compat`] says which Helm is followed; results and messages are those of Helm 4.2.4 unless told otherwise.
//!
//! [`template::template`] is `helm template`, from its words to its output.
//!
//! The crate reads no file, clock or cluster itself: files come through a file system, objects through
//! [`engine::Lookup`], time and chance through [`gotemplate::Environment`].
//!
//! ```
//! use gotemplate::{FixedEnvironment, Time};
//! use helm::engine::{Capabilities, ReleaseOptions};
//! use helm::values::ValueOptions;
//! use helm::{Compat, RenderOptions, chart, render};
//!
//! let mut files = tree::Memory::default();
//! files.insert("web/Chart.yaml", *b"apiVersion: v2\nname: web\nversion: 1.0.0\n");
//! files.insert("web/values.yaml", *b"port: 80\n");
//! files.insert("web/templates/a.yaml", *b"kind: Service\nmetadata: {name: {{ .Release.Name }}}\nspec: {port: {{ .Values.port }}}\n");
//!
//! let compat = Compat::default();
//! let mut chart = chart::load(&files, "/web".as_ref(), compat)?;
//! let flags = ValueOptions { typed: vec!["port=81".to_owned()], ..ValueOptions::default() };
//! let values = flags.merge(&|path| Err(format!("open {path}: no such file or directory")), compat)?;
//! let release = ReleaseOptions::install("my", "default");
//! let environment = FixedEnvironment::new(Time::unix(0, 0), 1);
//! let options = RenderOptions::new(release, Capabilities::assumed(compat), &environment);
//! let rendered = render(&mut chart, &values, &options)?;
//! assert_eq!(
//!     rendered.manifest(&chart.crds(), false),
//!     "---\n# Source: web/templates/a.yaml\nkind: Service\nmetadata: {name: my}\nspec: {port: 81}\n\n"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod chart;
mod compat;
pub mod engine;
pub mod flags;
pub mod manifest;
mod parallel;
pub mod post_render;
pub mod release;
mod render;
pub mod template;
pub mod values;

pub use compat::{Compat, UnknownCompat};
pub use render::{
    PostRenderStrategy, PostRenderer, RenderFailure, RenderOptions, Rendered, render,
};
