//! `Chart.yaml`: read, checked, and as templates see it.

use std::collections::BTreeMap;

use gotemplate::sprig::{Constraints, Version};
use gotemplate::unicode::{is_print, is_space};
use gotemplate::{Map, MapType, Str, Value};
use serde_json::Value as Json;

use crate::Compat;
use crate::values::{from_json, string_form};

/// Who maintains a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// The name.
    pub name: String,
    /// The address for mail.
    pub email: String,
    /// A page.
    pub url: String,
}

/// Values of a dependency that its parent takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportValues {
    /// Where they are, below the dependency.
    pub child: String,
    /// Where they go; `.` for the top.
    pub parent: String,
    /// Whether it was written as a name of `exports`.
    pub is_export: bool,
}

/// A chart that another depends on.
#[derive(Clone, Debug, Default)]
pub struct Dependency {
    /// Its name; its alias once dependencies have been processed.
    pub name: String,
    /// A constraint on its version.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Paths of values that enable it, with commas between.
    pub condition: String,
    /// Tags that enable it.
    pub tags: Vec<String>,
    /// Whether it takes part.
    pub enabled: bool,
    /// What its parent takes over.
    pub import_values: Vec<ImportValues>,
    /// Another name for it.
    pub alias: String,
}

/// What `Chart.yaml` says.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// `name`
    pub name: String,
    /// `home`
    pub home: String,
    /// `sources`
    pub sources: Vec<String>,
    /// `version`
    pub version: String,
    /// `description`
    pub description: String,
    /// `keywords`
    pub keywords: Vec<String>,
    /// `maintainers`
    pub maintainers: Vec<Maintainer>,
    /// `icon`
    pub icon: String,
    /// `apiVersion`
    pub api_version: String,
    /// `condition`
    pub condition: String,
    /// `tags`
    pub tags: String,
    /// `appVersion`
    pub app_version: String,
    /// `deprecated`
    pub deprecated: bool,
    /// `annotations`
    pub annotations: Option<BTreeMap<String, String>>,
    /// `kubeVersion`
    pub kube_version: String,
    /// `dependencies`
    pub dependencies: Vec<Dependency>,
    /// `type`
    pub chart_type: String,
}

/// A text that is one line and can be shown. Source: Helm `sanitizeString`.
fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|char| match char {
            _ if is_space(char) => Some(' '),
            _ if is_print(char) => Some(char),
            _ => None,
        })
        .collect()
}

/// The error of Go's decoder for a value of the wrong kind.
fn mismatch(value: &Json, field: &str, wanted: &str) -> String {
    let got = crate::values::from_json(value);
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go struct field {field} of type {wanted}",
        crate::values::json_kind(&got)
    )
}

fn text(object: &Json, kind: &str, key: &str) -> Result<String, String> {
    match object.get(key) {
        None => Ok(String::new()),
        Some(value) => {
            string_form(value).ok_or_else(|| mismatch(value, &format!("{kind}.{key}"), "string"))
        }
    }
}

fn texts(object: &Json, kind: &str, key: &str) -> Result<Vec<String>, String> {
    match object.get(key) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(items)) => items
            .iter()
            .map(|item| {
                string_form(item).ok_or_else(|| mismatch(item, &format!("{kind}.{key}"), "string"))
            })
            .collect(),
        Some(value) => Err(mismatch(value, &format!("{kind}.{key}"), "[]string")),
    }
}

fn boolean(object: &Json, kind: &str, key: &str) -> Result<bool, String> {
    match object.get(key) {
        None | Some(Json::Null) => Ok(false),
        Some(Json::Bool(value)) => Ok(*value),
        Some(value) => Err(mismatch(value, &format!("{kind}.{key}"), "bool")),
    }
}

impl Dependency {
    fn from_json(value: &Json) -> Result<Dependency, String> {
        let kind = "Dependency";
        let mut import_values = Vec::new();
        for item in value
            .get("import-values")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            match item {
                Json::String(name) => import_values.push(ImportValues {
                    child: format!("exports.{name}"),
                    parent: ".".to_owned(),
                    is_export: true,
                }),
                Json::Object(entry) => {
                    let part = |key: &str| {
                        let value = entry.get(key).map(from_json).unwrap_or_default();
                        gotemplate::lossy(&value.print()).into_owned()
                    };
                    import_values.push(ImportValues {
                        child: part("child"),
                        parent: part("parent"),
                        is_export: false,
                    });
                }
                _ => {}
            }
        }
        Ok(Dependency {
            name: text(value, kind, "name")?,
            version: text(value, kind, "version")?,
            repository: text(value, kind, "repository")?,
            condition: text(value, kind, "condition")?,
            tags: texts(value, kind, "tags")?,
            enabled: boolean(value, kind, "enabled")?,
            import_values,
            alias: text(value, kind, "alias")?,
        })
    }
}

impl Metadata {
    /// Reads the fields of `document` over these; what it does not mention stays.
    /// `type_name` is what Helm calls the type.
    pub(crate) fn read(&mut self, document: &Json, type_name: &str) -> Result<(), String> {
        let kind = "Metadata";
        if document.is_null() {
            return Ok(());
        }
        if !document.is_object() {
            let value = from_json(document);
            return Err(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type {type_name}",
                crate::values::json_kind(&value)
            ));
        }
        let given = |key: &str| document.get(key).is_some();
        for (key, place) in [
            ("name", &mut self.name),
            ("home", &mut self.home),
            ("version", &mut self.version),
            ("description", &mut self.description),
            ("icon", &mut self.icon),
            ("apiVersion", &mut self.api_version),
            ("condition", &mut self.condition),
            ("tags", &mut self.tags),
            ("appVersion", &mut self.app_version),
            ("kubeVersion", &mut self.kube_version),
            ("type", &mut self.chart_type),
        ] {
            if given(key) {
                *place = text(document, kind, key)?;
            }
        }
        if given("sources") {
            self.sources = texts(document, kind, "sources")?;
        }
        if given("keywords") {
            self.keywords = texts(document, kind, "keywords")?;
        }
        if given("deprecated") {
            self.deprecated = boolean(document, kind, "deprecated")?;
        }
        self.read_lists(document)
    }

    fn read_lists(&mut self, document: &Json) -> Result<(), String> {
        let items = |key: &str| match document.get(key) {
            None => Ok(None),
            Some(Json::Null) => Ok(Some(Vec::new())),
            Some(Json::Array(items)) => Ok(Some(items.clone())),
            Some(value) => Err(mismatch(value, &format!("Metadata.{key}"), "[]")),
        };
        if let Some(items) = items("maintainers")? {
            self.maintainers.clear();
            for item in items {
                if item.is_null() {
                    return Err(
                        "validation: maintainers must not contain empty or null nodes".to_owned(),
                    );
                }
                self.maintainers.push(Maintainer {
                    name: text(&item, "Maintainer", "name")?,
                    email: text(&item, "Maintainer", "email")?,
                    url: text(&item, "Maintainer", "url")?,
                });
            }
        }
        if let Some(items) = items("dependencies")? {
            self.dependencies.clear();
            for item in items {
                if item.is_null() {
                    return Err(
                        "validation: dependencies must not contain empty or null nodes".to_owned(),
                    );
                }
                self.dependencies.push(Dependency::from_json(&item)?);
            }
        }
        match document.get("annotations") {
            None => {}
            Some(Json::Object(entries)) => {
                let mut annotations = BTreeMap::new();
                for (key, value) in entries {
                    let value = string_form(value)
                        .ok_or_else(|| mismatch(value, "Metadata.annotations", "string"))?;
                    annotations.insert(key.clone(), value);
                }
                self.annotations = Some(annotations);
            }
            Some(Json::Null) => self.annotations = None,
            Some(value) => {
                return Err(mismatch(value, "Metadata.annotations", "map[string]string"));
            }
        }
        Ok(())
    }

    /// Cleans and checks the fields. Source: Helm `Metadata.Validate`.
    pub(crate) fn validate(&mut self) -> Result<(), String> {
        for place in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            *place = clean(place);
        }
        for place in self.sources.iter_mut().chain(&mut self.keywords) {
            *place = clean(place);
        }
        let wrong = |what: String| Err(format!("validation: {what}"));
        if self.api_version.is_empty() {
            return wrong("chart.metadata.apiVersion is required".to_owned());
        }
        if self.name.is_empty() {
            return wrong("chart.metadata.name is required".to_owned());
        }
        if self.name == "." || self.name == ".." {
            return wrong(format!(
                "chart.metadata.name {:?} is not allowed",
                self.name
            ));
        }
        if self.name.contains('/') {
            return wrong(format!("chart.metadata.name {:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return wrong("chart.metadata.version is required".to_owned());
        }
        if Version::parse(&self.version).is_err() {
            return wrong(format!(
                "chart.metadata.version {:?} is invalid",
                self.version
            ));
        }
        if !matches!(self.chart_type.as_str(), "" | "application" | "library") {
            return wrong("chart.metadata.type must be application or library".to_owned());
        }
        for maintainer in &mut self.maintainers {
            for place in [
                &mut maintainer.name,
                &mut maintainer.email,
                &mut maintainer.url,
            ] {
                *place = clean(place);
            }
        }
        self.validate_dependencies()
    }

    fn validate_dependencies(&mut self) -> Result<(), String> {
        let mut seen: Vec<String> = Vec::new();
        for dependency in &mut self.dependencies {
            for place in [
                &mut dependency.name,
                &mut dependency.version,
                &mut dependency.repository,
                &mut dependency.condition,
            ] {
                *place = clean(place);
            }
            let fits = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
            if !dependency.alias.chars().all(fits) {
                return Err(format!(
                    "validation: dependency {:?} has disallowed characters in the alias",
                    dependency.name
                ));
            }
            let key = if dependency.alias.is_empty() {
                &dependency.name
            } else {
                &dependency.alias
            };
            if seen.contains(key) {
                return Err(format!(
                    "validation: more than one dependency with name or alias {key:?}"
                ));
            }
            seen.push(key.clone());
        }
        Ok(())
    }

    /// The metadata as `Chart.yaml`: what is empty is left out.
    pub fn to_yaml(&self) -> String {
        crate::values::to_yaml(&Value::Map(self.to_plain_map())).unwrap_or_default()
    }

    /// The metadata by the keys of `Chart.yaml`: what is empty is left out.
    pub fn to_plain_map(&self) -> Map {
        let map = Map::new();
        for (key, value) in [
            ("name", &self.name),
            ("home", &self.home),
            ("version", &self.version),
            ("description", &self.description),
            ("icon", &self.icon),
            ("apiVersion", &self.api_version),
            ("condition", &self.condition),
            ("tags", &self.tags),
            ("appVersion", &self.app_version),
            ("kubeVersion", &self.kube_version),
            ("type", &self.chart_type),
        ] {
            put_text(&map, key, value);
        }
        put_list(
            &map,
            "sources",
            self.sources
                .iter()
                .map(|item| Value::from(item.as_str()))
                .collect(),
        );
        put_list(
            &map,
            "keywords",
            self.keywords
                .iter()
                .map(|item| Value::from(item.as_str()))
                .collect(),
        );
        if self.deprecated {
            map.insert("deprecated", Value::Bool(true));
        }
        let maintainers = self.maintainers.iter().map(|maintainer| {
            let map = Map::new();
            put_text(&map, "name", &maintainer.name);
            put_text(&map, "email", &maintainer.email);
            put_text(&map, "url", &maintainer.url);
            Value::Map(map)
        });
        put_list(&map, "maintainers", maintainers.collect());
        if let Some(annotations) = self
            .annotations
            .as_ref()
            .filter(|annotations| !annotations.is_empty())
        {
            let pairs = annotations.iter();
            let pairs =
                pairs.map(|(key, value)| (Str::from(key.as_str()), Value::from(value.as_str())));
            map.insert("annotations", Value::map(pairs));
        }
        put_list(
            &map,
            "dependencies",
            self.dependencies
                .iter()
                .map(Dependency::to_yaml_value)
                .collect(),
        );
        map
    }

    /// The metadata as `.Chart`: a struct in Helm 3, a map in Helm 4.
    pub(crate) fn to_value(&self, is_root: bool, compat: Compat) -> Value {
        if compat.is_v3() {
            super::view::chart(self, is_root)
        } else {
            Value::Map(self.to_map(is_root))
        }
    }

    /// The metadata by the names of Helm's fields. Source: Helm 4 `structToMap`.
    fn to_map(&self, is_root: bool) -> Map {
        let strings = |items: &[String]| {
            Value::list(
                items
                    .iter()
                    .map(|item| Value::from(item.as_str()))
                    .collect(),
            )
        };
        let maintainers = self.maintainers.iter().map(|maintainer| {
            entries([
                ("Name", Value::from(maintainer.name.as_str())),
                ("Email", Value::from(maintainer.email.as_str())),
                ("URL", Value::from(maintainer.url.as_str())),
            ])
        });
        let dependencies = self.dependencies.iter().map(Dependency::to_value);
        let annotations = match &self.annotations {
            None => Map::nil(MapType::String),
            Some(annotations) => {
                let pairs = annotations.iter();
                let pairs = pairs
                    .map(|(key, value)| (Str::from(key.as_str()), Value::from(value.as_str())));
                Map::typed(MapType::String, pairs.collect())
            }
        };
        let fields = [
            ("Name", Value::from(self.name.as_str())),
            ("Home", Value::from(self.home.as_str())),
            ("Sources", strings(&self.sources)),
            ("Version", Value::from(self.version.as_str())),
            ("Description", Value::from(self.description.as_str())),
            ("Keywords", strings(&self.keywords)),
            ("Maintainers", Value::list(maintainers.collect())),
            ("Icon", Value::from(self.icon.as_str())),
            ("APIVersion", Value::from(self.api_version.as_str())),
            ("Condition", Value::from(self.condition.as_str())),
            ("Tags", Value::from(self.tags.as_str())),
            ("AppVersion", Value::from(self.app_version.as_str())),
            ("Deprecated", Value::Bool(self.deprecated)),
            ("Annotations", Value::Map(annotations)),
            ("KubeVersion", Value::from(self.kube_version.as_str())),
            ("Dependencies", Value::list(dependencies.collect())),
            ("Type", Value::from(self.chart_type.as_str())),
            ("IsRoot", Value::Bool(is_root)),
        ];
        Map::from_entries(
            fields
                .into_iter()
                .map(|(name, value)| (Str::from(name), value)),
        )
    }
}

fn put_text(map: &Map, key: &str, value: &str) {
    if !value.is_empty() {
        map.insert(key, Value::from(value));
    }
}

fn put_list(map: &Map, key: &str, items: Vec<Value>) {
    if !items.is_empty() {
        map.insert(key, Value::list(items));
    }
}

fn entries<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::map(
        fields
            .into_iter()
            .map(|(name, value)| (Str::from(name), value)),
    )
}

impl Dependency {
    /// The dependency as `Chart.yaml` has it.
    pub(super) fn to_yaml_value(&self) -> Value {
        let map = Map::new();
        map.insert("name", Value::from(self.name.as_str()));
        map.insert("repository", Value::from(self.repository.as_str()));
        put_text(&map, "version", &self.version);
        put_text(&map, "condition", &self.condition);
        put_text(&map, "alias", &self.alias);
        put_list(
            &map,
            "tags",
            self.tags
                .iter()
                .map(|tag| Value::from(tag.as_str()))
                .collect(),
        );
        if self.enabled {
            map.insert("enabled", Value::Bool(true));
        }
        let imports = self.import_values.iter().map(|import| {
            if import.is_export {
                return Value::from(import.child.trim_start_matches("exports."));
            }
            entries([
                ("child", Value::from(import.child.as_str())),
                ("parent", Value::from(import.parent.as_str())),
            ])
        });
        put_list(&map, "import-values", imports.collect());
        Value::Map(map)
    }

    fn to_value(&self) -> Value {
        let imports = self.import_values.iter().map(|import| {
            let pairs = [("child", &import.child), ("parent", &import.parent)];
            let pairs = pairs.map(|(key, value)| (Str::from(key), Value::from(value.as_str())));
            Value::Map(Map::typed(MapType::String, pairs.into_iter().collect()))
        });
        entries([
            ("Name", Value::from(self.name.as_str())),
            ("Version", Value::from(self.version.as_str())),
            ("Repository", Value::from(self.repository.as_str())),
            ("Condition", Value::from(self.condition.as_str())),
            (
                "Tags",
                Value::list(
                    self.tags
                        .iter()
                        .map(|tag| Value::from(tag.as_str()))
                        .collect(),
                ),
            ),
            ("Enabled", Value::Bool(self.enabled)),
            ("ImportValues", Value::list(imports.collect())),
            ("Alias", Value::from(self.alias.as_str())),
        ])
    }
}

/// Whether a version satisfies a constraint; false if either cannot be read.
pub(crate) fn is_compatible(constraint: &str, version: &str) -> bool {
    match (Version::parse(version), Constraints::parse(constraint)) {
        (Ok(version), Ok(constraints)) => constraints.check(&version),
        _ => false,
    }
}
