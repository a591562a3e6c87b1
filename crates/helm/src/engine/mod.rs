//! Rendering charts. Source: Helm 4.2 `pkg/engine`.

mod capabilities;
mod duration;
mod error;
mod files;
mod functions;
mod toml;

pub use capabilities::{Capabilities, KubeVersion, VersionError};
pub use functions::{Lookup, Mode};

use std::collections::BTreeMap;
use std::sync::Arc;

use gotemplate::{
    CallError, Context, Environment, Limits, Map, MapType, MissingKey, NamedMap, Param, Signature,
    Str, Templates, Value, replace_all,
};

use crate::chart::Chart;
use crate::values::{coalesce_values, path_value, table, to_yaml};
use crate::{Compat, parallel};
use files::Files;

/// Why a chart cannot be rendered: Helm's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(pub String);

/// What a release is, as `.Release` shows it.
#[derive(Clone, Debug)]
pub struct ReleaseOptions {
    /// The name.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// The number of the revision.
    pub revision: i64,
    /// Whether this is an upgrade or rollback.
    pub is_upgrade: bool,
    /// Whether this is an installation.
    pub is_install: bool,
}

impl ReleaseOptions {
    /// The first revision of a release.
    pub fn install(name: &str, namespace: &str) -> ReleaseOptions {
        ReleaseOptions {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            revision: 1,
            is_upgrade: false,
            is_install: true,
        }
    }
}

/// How to render.
pub struct Engine<'a> {
    /// Which Helm is followed.
    pub compat: Compat,
    /// What the templates may do and learn.
    pub mode: Mode,
    /// Reads objects of a cluster for `lookup`.
    pub lookup: Option<Arc<dyn Lookup>>,
    /// Time and chance.
    pub environment: &'a dyn Environment,
    /// How much rendering may use.
    pub limits: Limits,
}

/// A template of a chart and what it sees.
struct Renderable {
    text: Str,
    dot: Map,
    base_path: String,
}

/// Helm 4's type for values, with its methods. Source: Helm 4 `common.Values`.
static VALUES: NamedMap = NamedMap {
    name: "common.Values",
    method: values_method,
    call: |values, name, args| values_call(values, name, args, Compat::V4),
};

/// Helm 3's type for values. Source: Helm 3 `chartutil.Values`.
static VALUES_V3: NamedMap = NamedMap {
    name: "chartutil.Values",
    method: values_method,
    call: |values, name, args| values_call(values, name, args, Compat::V3),
};

fn values_type(compat: Compat) -> MapType {
    MapType::NamedAny(if compat.is_v3() { &VALUES_V3 } else { &VALUES })
}

fn values_method(name: &str) -> Option<&'static Signature> {
    const NONE: Signature = Signature::new(&[]);
    const TEXT: Signature = Signature::new(&[Param::String]);
    const TEXT_ANY: Signature = TEXT.any();
    match name {
        "AsMap" | "YAML" => Some(&NONE),
        "Table" => Some(&TEXT),
        "PathValue" => Some(&TEXT_ANY),
        _ => None,
    }
}

fn values_call(
    values: &Map,
    name: &str,
    args: &[Value],
    compat: Compat,
) -> Result<Value, CallError> {
    let path = args
        .first()
        .and_then(Value::as_str)
        .map(Str::to_string)
        .unwrap_or_default();
    match name {
        "AsMap" => Ok(Value::Map(Map::from_entries(values.entries()))),
        "YAML" => to_yaml(&Value::Map(values.clone()))
            .map(Value::from)
            .map_err(CallError::new),
        "Table" => match table(values, &path) {
            Some(found) => Ok(Value::Map(named(&found, compat))),
            None => Err(CallError::new(format!("{path:?} is not a table"))),
        },
        _ => path_value(values, &path)
            .ok_or_else(|| CallError::new(format!("{path:?} is not a value"))),
    }
}

/// The values a chart is rendered with: those of users over its own, and what it may know of the release.
///
/// They are checked against schemas apart, see [`crate::values::check_schemas`]. Source: Helm `ToRenderValues`.
pub fn render_values(
    chart: &Chart,
    values: &Map,
    release: &ReleaseOptions,
    capabilities: &Capabilities,
) -> Result<Map, RenderError> {
    let compat = capabilities.compat;
    let release = Map::from_entries([
        (Str::from("Name"), Value::from(release.name.as_str())),
        (
            Str::from("Namespace"),
            Value::from(release.namespace.as_str()),
        ),
        (Str::from("IsUpgrade"), Value::Bool(release.is_upgrade)),
        (Str::from("IsInstall"), Value::Bool(release.is_install)),
        (Str::from("Revision"), Value::int(release.revision)),
        (Str::from("Service"), Value::from("Helm")),
    ]);
    let values = coalesce_values(chart, values, compat).map_err(RenderError)?;
    Ok(Map::from_entries([
        (Str::from("Chart"), chart.metadata.to_value(true, compat)),
        (Str::from("Capabilities"), capabilities.to_value()),
        (Str::from("Release"), Value::Map(release)),
        (Str::from("Values"), Value::Map(named(&values, compat))),
    ]))
}

/// The map as Helm's type for values.
fn named(map: &Map, compat: Compat) -> Map {
    Map::typed(values_type(compat), map.entries().into_iter().collect())
}

impl Engine<'_> {
    /// Renders all templates of a chart and its dependencies: the results by their paths.
    pub fn render(
        &self,
        chart: &Chart,
        top: &Map,
    ) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
        let mut templates = BTreeMap::new();
        collect(chart, top, None, self.compat, &mut templates);
        let mut names: Vec<&String> = templates.keys().collect();
        // Deeper paths first, so that a parent's named templates win over those of its dependencies.
        names.sort_by(|left, right| depth(right).cmp(&depth(left)).then_with(|| right.cmp(left)));

        let functions = Arc::new(functions::functions(self));
        let mut set = Templates::new();
        set.set_name("gotpl");
        set.set_missing_key(if self.mode.strict {
            MissingKey::Error
        } else {
            MissingKey::Zero
        });
        let total = templates.values().map(|one| one.text.len()).sum();
        let parsed = parallel::map(&names, total, |name| {
            set.read(name.as_str(), templates[*name].text.clone(), &functions)
        });
        for (name, parsed) in names.iter().zip(parsed) {
            let parsed = parsed
                .map_err(|error| RenderError(error::parse_error(name, &error.to_string())))?;
            set.adopt(parsed);
        }
        let mut context = Context::new(&Arc::new(set), &functions, self.environment, self.limits);
        let mut rendered = BTreeMap::new();
        for name in names {
            if name
                .rsplit('/')
                .next()
                .is_some_and(|base| base.starts_with('_'))
            {
                continue;
            }
            let template = &templates[name];
            let about = [
                (Str::from("Name"), Value::from(name.as_str())),
                (
                    Str::from("BasePath"),
                    Value::from(template.base_path.as_str()),
                ),
            ];
            let about = Map::typed(values_type(self.compat), about.into_iter().collect());
            template.dot.insert("Template", Value::Map(about));
            let mut out = Vec::new();
            context
                .execute(name.as_bytes(), Value::Map(template.dot.clone()), &mut out)
                .map_err(|error| RenderError(error::exec_error(name, &error, self.compat)))?;
            rendered.insert(name.clone(), without_no_value(out));
        }
        Ok(rendered)
    }
}

/// Output without the words that Go prints for what is missing.
fn without_no_value(out: Vec<u8>) -> Vec<u8> {
    if gotemplate::find(&out, b"<no value>").is_none() {
        return out;
    }
    replace_all(&out, b"<no value>", b"")
}

fn depth(name: &str) -> usize {
    name.bytes().filter(|byte| *byte == b'/').count()
}

/// Gathers the templates of a chart and its dependencies, each with what it sees; gives what this chart sees.
fn collect(
    chart: &Chart,
    parent: &Map,
    parent_path: Option<&str>,
    compat: Compat,
    templates: &mut BTreeMap<String, Renderable>,
) -> Map {
    let is_root = parent_path.is_none();
    let values = if is_root {
        parent.get("Values").unwrap_or_default()
    } else {
        let found = table(parent, &format!("Values.{}", chart.metadata.name)).unwrap_or_default();
        Value::Map(named(&found, compat))
    };
    let subcharts = Map::new();
    let dot = Map::typed(
        values_type(compat),
        [
            (Str::from("Chart"), chart.metadata.to_value(is_root, compat)),
            (
                Str::from("Files"),
                Files::of(&chart.files, compat).into_value(),
            ),
            (
                Str::from("Release"),
                parent.get("Release").unwrap_or_default(),
            ),
            (
                Str::from("Capabilities"),
                parent.get("Capabilities").unwrap_or_default(),
            ),
            (Str::from("Values"), values),
            (Str::from("Subcharts"), Value::Map(subcharts.clone())),
        ]
        .into_iter()
        .collect(),
    );
    let path = chart.path_below(parent_path);
    for child in &chart.dependencies {
        let seen = collect(child, &dot, Some(&path), compat, templates);
        subcharts.insert(child.metadata.name.as_str(), Value::Map(seen));
    }
    for file in &chart.templates {
        let base = file.name.rsplit('/').next().unwrap_or_default();
        if chart.is_library() && !base.starts_with('_') {
            continue;
        }
        templates.insert(
            format!("{path}/{}", file.name),
            Renderable {
                text: file.data.clone(),
                dot: dot.clone(),
                base_path: format!("{path}/templates"),
            },
        );
    }
    dot
}
