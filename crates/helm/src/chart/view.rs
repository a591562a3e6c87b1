//! `.Chart` as Helm 3 has it: structs, not maps. Source: Helm 3 `recAllTpls`, `chart.Metadata`.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use gotemplate::json::{EncodeOptions, encode};
use gotemplate::{Kind, List, ListType, Map, MapType, Object, Str, Value};

use super::metadata::{Dependency, Maintainer, Metadata};

/// `struct { chart.Metadata; IsRoot bool }`
struct ChartView {
    metadata: Metadata,
    is_root: bool,
}

/// `chart.Metadata`, as the struct above prints it.
struct MetadataView(Metadata);

/// `*chart.Maintainer`
struct MaintainerView(Maintainer);

/// `*chart.Dependency`
struct DependencyView(Dependency);

pub(super) fn chart(metadata: &Metadata, is_root: bool) -> Value {
    Value::Object(Arc::new(ChartView {
        metadata: metadata.clone(),
        is_root,
    }))
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn texts(items: &[String]) -> Value {
    let items: Vec<Value> = items.iter().map(|item| text(item)).collect();
    Value::List(Arc::new(List::new(ListType::String, items)))
}

/// The metadata by the keys of `Chart.yaml`, with structs for maintainers and dependencies.
fn plain(metadata: &Metadata) -> Map {
    let map = metadata.to_plain_map();
    let fields = metadata_fields(metadata);
    for (key, field) in [
        ("maintainers", "Maintainers"),
        ("dependencies", "Dependencies"),
    ] {
        let value = fields.iter().find(|(name, _)| *name == field);
        if map.contains_key(key)
            && let Some((_, value)) = value
        {
            map.insert(key, value.clone());
        }
    }
    map
}

fn metadata_fields(metadata: &Metadata) -> Vec<(&'static str, Value)> {
    let maintainers = metadata.maintainers.iter();
    let maintainers = maintainers.map(|one| Value::Object(Arc::new(MaintainerView(one.clone()))));
    let dependencies = metadata.dependencies.iter();
    let dependencies = dependencies.map(|one| Value::Object(Arc::new(DependencyView(one.clone()))));
    let annotations = match &metadata.annotations {
        None => Map::nil(MapType::String),
        Some(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| (Str::from(key.as_str()), text(value)));
            Map::typed(MapType::String, entries.collect())
        }
    };
    let list =
        |name, items: Vec<Value>| Value::List(Arc::new(List::new(ListType::Named(name), items)));
    vec![
        ("Name", text(&metadata.name)),
        ("Home", text(&metadata.home)),
        ("Sources", texts(&metadata.sources)),
        ("Version", text(&metadata.version)),
        ("Description", text(&metadata.description)),
        ("Keywords", texts(&metadata.keywords)),
        (
            "Maintainers",
            list("[]*chart.Maintainer", maintainers.collect()),
        ),
        ("Icon", text(&metadata.icon)),
        ("APIVersion", text(&metadata.api_version)),
        ("Condition", text(&metadata.condition)),
        ("Tags", text(&metadata.tags)),
        ("AppVersion", text(&metadata.app_version)),
        ("Deprecated", Value::Bool(metadata.deprecated)),
        ("Annotations", Value::Map(annotations)),
        ("KubeVersion", text(&metadata.kube_version)),
        (
            "Dependencies",
            list("[]*chart.Dependency", dependencies.collect()),
        ),
        ("Type", text(&metadata.chart_type)),
    ]
}

/// The entries of `map` in the order of `keys`, as JSON.
fn json_in_order(map: &Map, keys: &[&str], more: &[(&str, Value)]) -> Result<Vec<u8>, String> {
    let options = EncodeOptions {
        escape_html: true,
        pretty: false,
    };
    let mut out = vec![b'{'];
    let own = keys.iter().filter_map(|key| Some((*key, map.get(key)?)));
    for (key, value) in own.chain(more.iter().cloned()) {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend(encode(&text(key), options)?);
        out.push(b':');
        out.extend(encode(&value, options)?);
    }
    out.push(b'}');
    Ok(out)
}

const METADATA_KEYS: [&str; 17] = [
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];

impl Object for ChartView {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("struct { chart.Metadata; IsRoot bool }")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "IsRoot" => Some(Value::Bool(self.is_root)),
            "Metadata" => Some(Value::Object(Arc::new(MetadataView(self.metadata.clone())))),
            // The fields that are used most, without making the others.
            "Name" => Some(text(&self.metadata.name)),
            "Version" => Some(text(&self.metadata.version)),
            "AppVersion" => Some(text(&self.metadata.app_version)),
            _ => find(metadata_fields(&self.metadata), name),
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            (
                "Metadata",
                Value::Object(Arc::new(MetadataView(self.metadata.clone()))),
            ),
            ("IsRoot", Value::Bool(self.is_root)),
        ]
    }

    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        let map = plain(&self.metadata);
        let more = [("IsRoot", Value::Bool(self.is_root))];
        Some(json_in_order(&map, &METADATA_KEYS, &more))
    }
}

fn find(fields: Vec<(&'static str, Value)>, name: &str) -> Option<Value> {
    let found = fields.into_iter().find(|(field, _)| *field == name);
    found.map(|(_, value)| value)
}

impl Object for MetadataView {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("chart.Metadata")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        find(metadata_fields(&self.0), name)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        metadata_fields(&self.0)
    }

    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        Some(json_in_order(&plain(&self.0), &METADATA_KEYS, &[]))
    }
}

impl Object for MaintainerView {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("*chart.Maintainer")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, name: &str) -> Option<Value> {
        find(self.fields(), name)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Name", text(&self.0.name)),
            ("Email", text(&self.0.email)),
            ("URL", text(&self.0.url)),
        ]
    }

    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        let fields = [
            ("name", &self.0.name),
            ("email", &self.0.email),
            ("url", &self.0.url),
        ];
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        let given: Vec<(&str, Value)> = given.map(|(key, value)| (*key, text(value))).collect();
        Some(json_in_order(&Map::new(), &[], &given))
    }
}

impl Object for DependencyView {
    fn type_name(&self) -> Cow<'_, str> {
        Cow::Borrowed("*chart.Dependency")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, name: &str) -> Option<Value> {
        find(self.fields(), name)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let dependency = &self.0;
        let imports = dependency.import_values.iter().map(|import| {
            let pairs = [("child", &import.child), ("parent", &import.parent)];
            let pairs = pairs.map(|(key, value)| (Str::from(key), text(value)));
            Value::Map(Map::typed(MapType::String, pairs.into_iter().collect()))
        });
        vec![
            ("Name", text(&dependency.name)),
            ("Version", text(&dependency.version)),
            ("Repository", text(&dependency.repository)),
            ("Condition", text(&dependency.condition)),
            ("Tags", texts(&dependency.tags)),
            ("Enabled", Value::Bool(dependency.enabled)),
            ("ImportValues", Value::list(imports.collect())),
            ("Alias", text(&dependency.alias)),
        ]
    }

    fn json(&self) -> Option<Result<Vec<u8>, String>> {
        const KEYS: [&str; 8] = [
            "name",
            "version",
            "repository",
            "condition",
            "tags",
            "enabled",
            "import-values",
            "alias",
        ];
        let map = self.0.to_yaml_value();
        let map = map.as_map().cloned().unwrap_or_default();
        Some(json_in_order(&map, &KEYS, &[]))
    }
}
