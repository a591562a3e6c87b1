//! A resource, and what a build has to remember of it.
//!
//! Kustomize remembers earlier names, prefixes and the like in annotations of the resource itself. Here
//! they are fields beside it; [`Resource::materialize`] writes them as annotations for the few operations
//! that can see (and remove) them, such as JSON patches.

use std::collections::BTreeMap;

use yaml::{Node, Style, Text};

use crate::Profile;
use crate::error::{BuildError, Result};
use crate::field;
use crate::openapi::OpenApi;
use crate::resid::{Gvk, ResId, meta_text, root_text};
use crate::shared::Shared;

const DOMAIN: &str = "internal.config.kubernetes.io/";
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
pub(crate) const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";
pub(crate) const HELM_GENERATED: &str = "internal.config.kubernetes.io/helm-generated";

/// Annotations that a build may leave and that are removed at its end.
const REMOVED: [&str; 9] = [
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
    HELM_GENERATED,
];

/// An identity that a resource had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) kind: Text,
    pub(crate) name: Text,
    pub(crate) namespace: Text,
}

/// What a generator may do with a resource that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Behavior {
    #[default]
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            "create" => Self::Create,
            _ => Self::Unspecified,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

/// What is remembered during a build.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct History {
    pub(crate) previous: Vec<Previous>,
    pub(crate) prefixes: Vec<Text>,
    pub(crate) suffixes: Vec<Text>,
    pub(crate) behavior: Option<Behavior>,
    pub(crate) needs_hash: bool,
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
}

/// Where a resource was read or generated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The file it was read from, or the kustomization file that generates it; empty if unknown.
    pub file: String,
    /// The line it begins at, from 1; 0 if unknown.
    pub line: u32,
    /// What changed it, in order: `<transformer> <file>`.
    pub touched_by: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    pub(crate) node: Node,
    pub(crate) history: History,
    pub(crate) provenance: Provenance,
    /// Names of the vars that read this resource.
    pub(crate) vars: Vec<String>,
    /// Values of the node that are one in several places.
    pub(crate) shared: Shared,
}

/// The identity of an object regardless of its scope, as messages print it.
pub(crate) fn plain_id(node: &Node) -> ResId {
    ResId {
        gvk: Gvk::new(root_text(node, "apiVersion"), root_text(node, "kind")),
        name: meta_text(node, "name").into(),
        namespace: meta_text(node, "namespace").into(),
        cluster: false,
    }
}

impl Resource {
    pub(crate) fn new(node: Node) -> Self {
        let mut resource = Self {
            provenance: Provenance {
                line: node.line,
                ..Provenance::default()
            },
            node,
            history: History::default(),
            vars: Vec::new(),
            shared: Shared::default(),
        };
        resource.absorb();
        resource
    }

    pub(crate) fn kind(&self) -> &str {
        root_text(&self.node, "kind")
    }

    pub(crate) fn api_version(&self) -> &str {
        root_text(&self.node, "apiVersion")
    }

    pub(crate) fn gvk(&self) -> Gvk {
        Gvk::new(self.api_version(), self.kind())
    }

    pub(crate) fn name(&self) -> &str {
        meta_text(&self.node, "name")
    }

    pub(crate) fn namespace(&self) -> &str {
        meta_text(&self.node, "namespace")
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.node.is_nil_or_empty()
    }

    /// The identity now.
    pub(crate) fn id(&self, openapi: &OpenApi) -> ResId {
        let mut id = plain_id(&self.node);
        id.cluster = openapi.is_cluster_scoped(self.api_version(), self.kind());
        id
    }

    /// The identities it had, oldest first.
    pub(crate) fn previous_ids(&self) -> impl Iterator<Item = ResId> + '_ {
        let gvk = self.gvk();
        self.history.previous.iter().map(move |previous| ResId {
            gvk: Gvk {
                kind: previous.kind.clone(),
                ..gvk.clone()
            },
            name: previous.name.clone(),
            namespace: previous.namespace.clone(),
            cluster: false,
        })
    }

    /// The identity it was read with.
    pub(crate) fn original_id(&self, openapi: &OpenApi) -> ResId {
        self.previous_ids()
            .next()
            .unwrap_or_else(|| self.id(openapi))
    }

    /// Remembers the identity before it changes.
    pub(crate) fn store_previous_id(&mut self, openapi: &OpenApi) {
        let id = self.id(openapi);
        self.push_previous(id.effective_namespace(), &id.name, &id.gvk.kind);
    }

    pub(crate) fn push_previous(&mut self, namespace: &str, name: &str, kind: &str) {
        if name.is_empty() {
            return;
        }
        self.unshare_annotations();
        self.history.previous.push(Previous {
            kind: kind.into(),
            name: name.into(),
            namespace: namespace.into(),
        });
    }

    /// Sets `kind`, keeping how it is written.
    pub(crate) fn set_root(&mut self, name: &str, value: &str) -> Result<()> {
        field::set_field(&mut self.node, name, field::untagged(value))
    }

    pub(crate) fn set_name(&mut self, name: &str) -> Result<()> {
        field::set_meta(&mut self.node, "name", field::untagged(name))
    }

    pub(crate) fn set_namespace(&mut self, namespace: &str) -> Result<()> {
        if !namespace.is_empty() {
            return field::set_meta(&mut self.node, "namespace", field::untagged(namespace));
        }
        if let Some(metadata) = self.node.get_mut("metadata") {
            field::expect_kind(metadata, yaml::Kind::Mapping)?;
            metadata.remove("namespace");
        }
        Ok(())
    }

    /// `labels` or `annotations` as texts.
    pub(crate) fn meta_map(&self, field: &str) -> BTreeMap<String, String> {
        meta_map(&self.node, field)
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        let metadata = self
            .node
            .get("metadata")
            .filter(|node| !node.is_nil_or_empty())?;
        let value = metadata.get("annotations")?.get(key)?;
        Some(&value.value)
    }

    /// Sets `labels` or `annotations` to texts; an empty map removes the field.
    pub(crate) fn set_meta_map(
        &mut self,
        field: &str,
        map: &BTreeMap<String, String>,
    ) -> Result<()> {
        let Some(metadata) = field::get_or_create(&mut self.node, "metadata", yaml::Kind::Mapping)?
        else {
            return Ok(());
        };
        field::expect_kind(metadata, yaml::Kind::Mapping)?;
        metadata.remove(field);
        if map.is_empty() {
            return Ok(());
        }
        let mut node = Node::mapping();
        for (key, value) in map {
            node.content.push(field::untagged(key.as_str()));
            let mut value = field::string_node(value);
            if value.style == Style::PLAIN {
                value.style = Style::DOUBLE_QUOTED;
            }
            node.content.push(value);
        }
        metadata.content.push(field::untagged(field));
        metadata.content.push(node);
        Ok(())
    }

    pub(crate) fn set_annotation(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        let mut annotations = self.meta_map("annotations");
        match value {
            Some(value) => {
                annotations.insert(key.to_owned(), value.to_owned());
            }
            None => {
                annotations.remove(key);
            }
        }
        self.set_meta_map("annotations", &annotations)
    }

    /// Writes what is remembered as annotations.
    pub(crate) fn materialize(&mut self) -> Result<()> {
        let annotations = self.history.annotations();
        if annotations.is_empty() {
            return Ok(());
        }
        let mut all = self.meta_map("annotations");
        all.extend(annotations);
        self.set_meta_map("annotations", &all)
    }

    /// Takes what annotations remember out of them.
    pub(crate) fn absorb(&mut self) {
        let Some(annotations) = self
            .node
            .get_mut("metadata")
            .and_then(|meta| meta.get_mut("annotations"))
        else {
            return;
        };
        let any = annotations
            .pairs()
            .any(|(key, _)| key.value.starts_with(DOMAIN));
        if !any {
            return;
        }
        let mut take = |name: &str| {
            annotations
                .remove(&format!("{DOMAIN}{name}"))
                .map(|value| value.value.to_string())
        };
        let list = |text: Option<String>| -> Vec<Text> {
            text.map_or_else(Vec::new, |text| text.split(',').map(Text::from).collect())
        };
        let names = list(take("previousNames"));
        let namespaces = list(take("previousNamespaces"));
        let kinds = list(take("previousKinds"));
        self.history = History {
            previous: names
                .into_iter()
                .zip(namespaces)
                .zip(kinds)
                .map(|((name, namespace), kind)| Previous {
                    kind,
                    name,
                    namespace,
                })
                .collect(),
            prefixes: list(take("prefixes")),
            suffixes: list(take("suffixes")),
            behavior: take("generatorBehavior").map(|text| Behavior::parse(&text)),
            needs_hash: take("needsHashSuffix").as_deref() == Some("enabled"),
            allow_name_change: take("allowNameChange").as_deref() == Some("enabled"),
            allow_kind_change: take("allowKindChange").as_deref() == Some("enabled"),
        };
        take("refBy");
    }

    /// The end of a build: what is only for it goes, annotations become plain texts.
    pub(crate) fn clean_annotations(
        &mut self,
        keep_origin: bool,
        keep_transformations: bool,
    ) -> Result<()> {
        let rewrites = !(keep_origin && keep_transformations);
        let metadata = self.node.get("metadata");
        if metadata.is_some_and(|meta| meta.kind == yaml::Kind::Mapping)
            && metadata.and_then(|meta| meta.get("annotations")).is_none()
        {
            return Ok(());
        }
        let mut annotations = self.meta_map("annotations");
        for key in REMOVED {
            annotations.remove(key);
        }
        if !keep_origin {
            annotations.remove(ORIGIN);
        }
        if !keep_transformations {
            annotations.remove(TRANSFORMATIONS);
        }
        if annotations.is_empty() && !rewrites {
            // Nothing rewrites an empty map then.
            return Ok(());
        }
        self.set_meta_map("annotations", &annotations)
    }

    /// The metadata that a resource must have.
    pub(crate) fn validate(&self) -> Result<()> {
        validate(&self.node)
    }
}

impl History {
    fn annotations(&self) -> BTreeMap<String, String> {
        let mut annotations = BTreeMap::new();
        let mut put = |name: &str, value: String| {
            if !value.is_empty() {
                annotations.insert(format!("{DOMAIN}{name}"), value);
            }
        };
        let previous = |pick: fn(&Previous) -> &str| {
            self.previous.iter().map(pick).collect::<Vec<_>>().join(",")
        };
        put("previousKinds", previous(|previous| &previous.kind));
        put("previousNames", previous(|previous| &previous.name));
        put(
            "previousNamespaces",
            previous(|previous| &previous.namespace),
        );
        put("prefixes", self.prefixes.join(","));
        put("suffixes", self.suffixes.join(","));
        if let Some(behavior) = self.behavior {
            put("generatorBehavior", behavior.name().to_owned());
        }
        for (name, set) in [
            ("needsHashSuffix", self.needs_hash),
            ("allowNameChange", self.allow_name_change),
            ("allowKindChange", self.allow_kind_change),
        ] {
            if set {
                put(name, "enabled".to_owned());
            }
        }
        annotations
    }
}

pub(crate) fn meta_map(node: &Node, field: &str) -> BTreeMap<String, String> {
    let metadata = node.get("metadata").filter(|node| !node.is_nil_or_empty());
    let Some(map) = metadata.and_then(|metadata| metadata.get(field)) else {
        return BTreeMap::new();
    };
    // As kyaml does, without a look at the kind of the node.
    map.content
        .chunks_exact(2)
        .map(|pair| (pair[0].value.to_string(), pair[1].value.to_string()))
        .collect()
}

/// Refuses an object without kind or name; lists need no name.
pub(crate) fn validate(node: &Node) -> Result<()> {
    let field = |parent: Option<&Node>, name: &str| -> String {
        let value = parent
            .and_then(|parent| parent.get(name))
            .filter(|value| !value.is_nil_or_empty());
        value.map_or_else(String::new, |value| value.value.to_string())
    };
    let metadata = node
        .get("metadata")
        .filter(|metadata| !metadata.is_nil_or_empty());
    let (api_version, kind) = (field(Some(node), "apiVersion"), field(Some(node), "kind"));
    let (name, namespace) = (field(metadata, "name"), field(metadata, "namespace"));
    let present = |name: &str| {
        metadata
            .and_then(|meta| meta.get(name))
            .is_some_and(|node| !node.is_nil_or_empty())
    };
    let nothing = api_version.is_empty() && kind.is_empty();
    if nothing
        && !["name", "namespace", "labels", "annotations"]
            .into_iter()
            .any(present)
    {
        return Err("missing Resource metadata".into());
    }
    let printed = || {
        let map = |name: &str| {
            let entries: Vec<_> = meta_map(node, name)
                .into_iter()
                .map(|(key, value)| format!("{key}:{value}"))
                .collect();
            format!("map[{}]", entries.join(" "))
        };
        format!(
            "{{{{{api_version} {kind}}} {{{{{name} {namespace}}} {} {}}}}}",
            map("labels"),
            map("annotations")
        )
    };
    if kind.is_empty() {
        return Err(BuildError::new(format!(
            "missing kind in object {}",
            printed()
        )));
    }
    if name.is_empty() && !kind.ends_with("List") {
        return Err(BuildError::new(format!(
            "missing metadata.name in object {}",
            printed()
        )));
    }
    Ok(())
}

/// Whether one list ends in the other; two empty ones do.
pub(crate) fn same_ending(a: &[Text], b: &[Text]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return long.is_empty();
    }
    long.ends_with(short)
}

/// Prefixes and suffixes that show two resources to come from the same layer.
pub(crate) fn same_affixes(a: &History, b: &History, allow_empty: bool) -> bool {
    let matches = |a: &[Text], b: &[Text]| {
        (allow_empty && (a.is_empty() || b.is_empty())) || same_ending(a, b)
    };
    matches(&a.prefixes, &b.prefixes) && matches(&a.suffixes, &b.suffixes)
}

/// The scope of a kind for profiles where the OpenAPI schema has no say.
pub(crate) fn default_scope(api_version: &str, kind: &str, profile: Profile) -> Option<bool> {
    crate::resid::built_in_scope(api_version, kind, profile)
}
