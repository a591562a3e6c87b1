//! What merges and scopes need of OpenAPI schemas: the built-in one and those of `openapi.path`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::Value;

use crate::Profile;
use crate::error::{BuildError, Result};
use crate::resource::default_scope;

/// A field of a type.
#[derive(Debug, Clone)]
enum Field {
    Object(String),
    Inline(Arc<Type>),
    List {
        strategy: Option<String>,
        keys: Vec<String>,
        element: Option<Box<Field>>,
    },
    Plain,
}

#[derive(Debug, Default)]
struct Type {
    fields: HashMap<String, Field>,
    any: Option<Field>,
}

#[derive(Debug, Default)]
struct Layer {
    types: HashMap<String, Arc<Type>>,
    by_kind: HashMap<(String, String), String>,
    scopes: HashMap<(String, String), bool>,
}

/// What is known of a node.
#[derive(Debug, Clone)]
pub(crate) enum Schema {
    Object(Arc<TypeHandle>),
    List {
        strategy: Option<String>,
        keys: Vec<String>,
        element: Option<Box<Schema>>,
    },
    Plain,
}

/// A type, opaque to callers.
#[derive(Debug)]
pub(crate) struct TypeHandle(Arc<Type>);

/// `data/merge-keys.txt`
static BUILT_IN: LazyLock<Arc<Layer>> = LazyLock::new(|| Arc::new(read_built_in()));

fn read_built_in() -> Layer {
    let mut layer = Layer::default();
    let mut current: Option<(String, Type)> = None;
    for line in include_str!("../data/merge-keys.txt").lines() {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let field = |word: &str| (word != "-").then(|| Field::Object(word.to_owned()));
        match words.as_slice() {
            ["type", name, kinds @ ..] => {
                if let Some((name, finished)) = current.take() {
                    layer.types.insert(name, Arc::new(finished));
                }
                for (api_version, kind) in kinds.iter().filter_map(|kind| kind.split_once(',')) {
                    let key = (api_version.to_owned(), kind.to_owned());
                    layer.by_kind.insert(key, (*name).to_owned());
                }
                current = Some(((*name).to_owned(), Type::default()));
            }
            [name, rest @ ..] if line.starts_with(' ') => {
                let value = match rest {
                    ["[]", element, merge @ ..] => Field::List {
                        strategy: merge.first().map(|strategy| (*strategy).to_owned()),
                        keys: merge.iter().skip(1).map(|key| (*key).to_owned()).collect(),
                        element: field(element).map(Box::new),
                    },
                    [object] => Field::Object((*object).to_owned()),
                    _ => Field::Plain,
                };
                if let Some((_, current)) = &mut current {
                    if *name == "*" {
                        current.any = Some(value);
                    } else {
                        current.fields.insert((*name).to_owned(), value);
                    }
                }
            }
            _ => {}
        }
    }
    if let Some((name, finished)) = current {
        layer.types.insert(name, Arc::new(finished));
    }
    layer
}

#[derive(Debug, Default)]
struct State {
    layers: Vec<Arc<Layer>>,
    custom: Option<Value>,
    version_set: bool,
    ready: bool,
    /// A scope was asked for before any schema was needed.
    delayed: bool,
    built_in_loaded: bool,
}

/// The schemas of one build. Which schemas apply depends on the order of events, as in kyaml, where they
/// are global: a custom schema replaces the built-in one unless that was in use before.
#[derive(Debug)]
pub(crate) struct OpenApi {
    profile: Profile,
    state: Mutex<State>,
}

impl OpenApi {
    pub(crate) fn new(profile: Profile) -> Self {
        let mut state = State::default();
        if profile == Profile::Flux {
            // The controller loads the built-in schema before each build.
            state.load_built_in();
            state.ready = true;
        }
        Self {
            profile,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a kustomization's `openapi` field.
    pub(crate) fn set(
        &self,
        version: Option<&str>,
        custom: Option<&[u8]>,
        reset: bool,
    ) -> Result<()> {
        let mut state = self.state();
        if (state.version_set || state.custom.is_some()) && !reset {
            return Ok(());
        }
        if let Some(custom) = custom {
            if version.is_some() {
                return Err("builtin version and custom schema provided, cannot use both".into());
            }
            let value = yaml::to_json(custom)
                .map_err(|error| BuildError::new(format!("invalid schema file: {error}")))?;
            state.custom = Some(value);
            state.version_set = true;
            state.ready = false;
            return Ok(());
        }
        match version {
            None | Some("") => Ok(()),
            Some("v1.21.2") => {
                state.version_set = true;
                state.custom = None;
                state.ready = false;
                Ok(())
            }
            Some(_) => Err("the specified OpenAPI version is not built in".into()),
        }
    }

    /// Whether the kind certainly has no namespace.
    pub(crate) fn is_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        self.is_namespaced(api_version, kind) == Some(false)
    }

    fn is_namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        if let Some(known) = default_scope(api_version, kind, self.profile) {
            return Some(known);
        }
        let mut state = self.state();
        if !state.ready {
            if state.custom.is_none() {
                state.delayed |= !state.built_in_loaded;
            } else {
                state.prepare();
            }
        }
        let key = (api_version.to_owned(), kind.to_owned());
        state
            .layers
            .iter()
            .rev()
            .find_map(|layer| layer.scopes.get(&key).copied())
    }

    /// The schema of a kind.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Schema> {
        let mut state = self.state();
        state.prepare();
        let key = (api_version.to_owned(), kind.to_owned());
        let name = state
            .layers
            .iter()
            .rev()
            .find_map(|layer| layer.by_kind.get(&key))?;
        state
            .find(name)
            .map(|found| Schema::Object(Arc::new(TypeHandle(found))))
    }

    /// The schema that a comment holds, if it is one: `# {"type": "array", …}`.
    pub(crate) fn of_comment(&self, comment: &str) -> Option<Schema> {
        let text = comment.trim_start_matches('#').trim();
        if !text.starts_with('{') {
            return None;
        }
        let value = serde_json::from_str(text).ok()?;
        self.state().resolve(&read_field(&value))
    }

    /// The schema of a field.
    pub(crate) fn field(&self, schema: &Schema, name: &str) -> Option<Schema> {
        let Schema::Object(handle) = schema else {
            return None;
        };
        let field = handle.0.fields.get(name).or(handle.0.any.as_ref())?;
        self.state().resolve(field)
    }
}

impl State {
    fn load_built_in(&mut self) {
        if !self.built_in_loaded {
            self.built_in_loaded = true;
            self.layers.push(Arc::clone(&BUILT_IN));
        }
    }

    fn prepare(&mut self) {
        if self.ready {
            return;
        }
        self.ready = true;
        match self.custom.take() {
            Some(custom) => {
                self.layers.push(Arc::new(read_swagger(&custom)));
                self.custom = Some(custom);
            }
            None => self.load_built_in(),
        }
        if self.delayed {
            self.load_built_in();
        }
    }

    fn find(&self, name: &str) -> Option<Arc<Type>> {
        self.layers
            .iter()
            .rev()
            .find_map(|layer| layer.types.get(name))
            .cloned()
    }

    fn resolve(&self, field: &Field) -> Option<Schema> {
        Some(match field {
            Field::Object(name) => Schema::Object(Arc::new(TypeHandle(self.find(name)?))),
            Field::Inline(inline) => Schema::Object(Arc::new(TypeHandle(Arc::clone(inline)))),
            Field::List {
                strategy,
                keys,
                element,
            } => Schema::List {
                strategy: strategy.clone(),
                keys: keys.clone(),
                element: element
                    .as_ref()
                    .and_then(|element| self.resolve(element))
                    .map(Box::new),
            },
            Field::Plain => Schema::Plain,
        })
    }
}

/// Definitions and scopes of a swagger document.
fn read_swagger(swagger: &Value) -> Layer {
    let mut layer = Layer::default();
    let objects = |value: Option<&Value>| {
        value
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    for (name, definition) in objects(swagger.get("definitions")) {
        let kinds = definition
            .get("x-kubernetes-group-version-kind")
            .and_then(Value::as_array);
        for key in kinds.into_iter().flatten().filter_map(kind_key) {
            layer.by_kind.insert(key, name.clone());
        }
        layer.types.insert(name, Arc::new(read_type(&definition)));
    }
    for (path, item) in objects(swagger.get("paths")) {
        let kind = item
            .pointer("/get/x-kubernetes-group-version-kind")
            .and_then(kind_key);
        let Some(key) = kind else { continue };
        if path.contains("namespaces/{namespace}") {
            layer.scopes.insert(key, true);
        } else {
            layer.scopes.entry(key).or_insert(false);
        }
    }
    layer
}

fn kind_key(value: &Value) -> Option<(String, String)> {
    let version = value.get("version")?.as_str()?;
    let api_version = match value.get("group").and_then(Value::as_str) {
        Some(group) if !group.is_empty() => format!("{group}/{version}"),
        _ => version.to_owned(),
    };
    Some((api_version, value.get("kind")?.as_str()?.to_owned()))
}

fn read_type(definition: &Value) -> Type {
    let mut result = Type::default();
    let properties = definition.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        result.fields.insert(name.clone(), read_field(property));
    }
    if let Some(any @ Value::Object(_)) = definition.get("additionalProperties") {
        result.any = Some(read_field(any));
    }
    result
}

fn read_field(property: &Value) -> Field {
    if let Some(reference) = property.get("$ref").and_then(Value::as_str) {
        let name = reference
            .strip_prefix("#/definitions/")
            .unwrap_or(reference);
        return Field::Object(name.replace("~1", "/").replace("~0", "~"));
    }
    let text = |name: &str| {
        property
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    if text("type").as_deref() == Some("array") {
        let strategy = text("x-kubernetes-patch-strategy");
        let map_keys = property
            .get("x-kubernetes-list-map-keys")
            .and_then(Value::as_array);
        let keys = match (map_keys, text("x-kubernetes-patch-merge-key")) {
            (Some(keys), _) => keys
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            (None, Some(key)) => vec![key],
            (None, None) => Vec::new(),
        };
        return Field::List {
            strategy,
            keys,
            element: property.get("items").map(read_field).map(Box::new),
        };
    }
    if property.get("properties").is_some()
        || property
            .get("additionalProperties")
            .is_some_and(Value::is_object)
    {
        return Field::Inline(Arc::new(read_type(property)));
    }
    Field::Plain
}
