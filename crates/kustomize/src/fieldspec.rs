//! Field specs: where transformers look, and walking a resource along one.

use yaml::{Kind, Node, Tag};

use crate::Profile;
use crate::error::{BuildError, Context as _, Result};
use crate::field::{self, get_or_create};
use crate::kustomization::FieldSpecEntry;
use crate::lookup;
use crate::resid::{Gvk, root_text, split_api_version};
use crate::resource;

/// A kind and a path in it. A part that ends in `[]` must be a list; other parts go through lists too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    pub(crate) gvk: Gvk,
    pub(crate) path: String,
    pub(crate) parts: Vec<String>,
    pub(crate) create: bool,
}

impl FieldSpec {
    pub(crate) fn new(gvk: Gvk, path: &str, create: bool) -> Self {
        Self {
            gvk,
            path: path.to_owned(),
            parts: field::split_path(path, '/'),
            create,
        }
    }

    pub(crate) fn anywhere(path: &str, create: bool) -> Self {
        Self::new(Gvk::default(), path, create)
    }

    fn equals(&self, other: &Self) -> bool {
        self.gvk.is_selected(&other.gvk) && self.path == other.path
    }

    /// Whether the spec is for this object.
    pub(crate) fn matches(&self, object: &Node) -> bool {
        if !self.gvk.kind.is_empty() && self.gvk.kind != root_text(object, "kind") {
            return false;
        }
        if self.gvk.group.is_empty() && self.gvk.version.is_empty() {
            return true;
        }
        let (group, version) = split_api_version(root_text(object, "apiVersion"));
        (self.gvk.group.is_empty() || self.gvk.group == group)
            && (self.gvk.version.is_empty() || self.gvk.version == version)
    }
}

impl From<&FieldSpecEntry> for FieldSpec {
    fn from(entry: &FieldSpecEntry) -> Self {
        let gvk = Gvk {
            group: entry.group.as_str().into(),
            version: entry.version.as_str().into(),
            kind: entry.kind.as_str().into(),
        };
        Self::new(gvk, &entry.path, entry.create)
    }
}

/// Adds `spec` unless there is one that covers it.
pub(crate) fn merge_one(specs: &mut Vec<FieldSpec>, spec: FieldSpec) -> Result<()> {
    match specs.iter().find(|known| known.equals(&spec)) {
        Some(known) if known.create != spec.create => Err("conflicting fieldspecs".into()),
        Some(_) => Ok(()),
        None => {
            specs.push(spec);
            Ok(())
        }
    }
}

pub(crate) fn merge_all(specs: &mut Vec<FieldSpec>, more: &[FieldSpec]) -> Result<()> {
    more.iter()
        .try_for_each(|spec| merge_one(specs, spec.clone()))
}

/// What is made at the end of a path that is missing.
#[derive(Debug, Clone)]
pub(crate) struct Create {
    pub(crate) kind: Kind,
    /// The tag that a null there gets.
    pub(crate) tag: Tag,
}

type Setter<'a> = dyn FnMut(&mut Node) -> Result<()> + 'a;

/// Calls `set` on every node that `spec` leads to in `object`, if the spec is for this object.
pub(crate) fn apply(
    object: &mut Node,
    spec: &FieldSpec,
    create: Option<&Create>,
    set: &mut Setter<'_>,
) -> Result<()> {
    if !spec.matches(object) {
        return Ok(());
    }
    let walk = Walk { spec, create };
    walk.visit(object, &spec.parts, set).map_err(|error| {
        let id = resource::plain_id(object);
        error.wrap(format!("considering field '{}' of object {id}", spec.path))
    })
}

struct Walk<'a> {
    spec: &'a FieldSpec,
    create: Option<&'a Create>,
}

impl Walk<'_> {
    fn visit(&self, node: &mut Node, path: &[String], set: &mut Setter<'_>) -> Result<()> {
        let Some((first, rest)) = path.split_first() else {
            return set(node);
        };
        if node.is_null() {
            return Ok(());
        }
        match node.kind {
            Kind::Mapping => self.visit_field(node, first, rest, set),
            Kind::Sequence => {
                for element in &mut node.content {
                    self.visit(element, path, set)
                        .context(format!("visit traversal on path: [{}]", path.join(" ")))?;
                }
                Ok(())
            }
            Kind::Scalar | Kind::Alias => Err("expected sequence or mapping node".into()),
        }
    }

    fn visit_field(
        &self,
        node: &mut Node,
        first: &str,
        rest: &[String],
        set: &mut Setter<'_>,
    ) -> Result<()> {
        let (name, is_list) = match first.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (first, false),
        };
        if name.is_empty() {
            return Err("cannot set or create an empty field name".into());
        }
        let creates = self.create.filter(|_| self.spec.create && !is_list);
        let (found, becomes) = match creates {
            None => {
                let found = lookup::step_mut(node, name).context(format!("fieldName: {name}"))?;
                (found, is_list.then_some((Kind::Sequence, Tag::None)))
            }
            Some(create) => {
                let (kind, tag) = if rest.is_empty() {
                    (create.kind, create.tag.clone())
                } else {
                    (Kind::Mapping, Tag::Map)
                };
                let found =
                    get_or_create(node, name, kind).context(format!("fieldName: {name}"))?;
                (found, Some((kind, tag)))
            }
        };
        let Some(field) = found else {
            return Ok(());
        };
        if let (true, Some((kind, tag))) = (field.is_null(), becomes) {
            field.kind = kind;
            field.tag = tag;
        }
        self.visit(field, rest, set)
    }
}

/// Which kind's names a field holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NameReference {
    pub(crate) target: Gvk,
    pub(crate) referrers: Vec<FieldSpec>,
}

/// All field specs of a build.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    pub(crate) name_prefix: Vec<FieldSpec>,
    pub(crate) name_suffix: Vec<FieldSpec>,
    pub(crate) namespace: Vec<FieldSpec>,
    pub(crate) common_labels: Vec<FieldSpec>,
    pub(crate) labels: Vec<FieldSpec>,
    pub(crate) template_labels: Vec<FieldSpec>,
    pub(crate) volume_claim_template_labels: Vec<FieldSpec>,
    pub(crate) common_annotations: Vec<FieldSpec>,
    pub(crate) name_reference: Vec<NameReference>,
    pub(crate) var_reference: Vec<FieldSpec>,
    pub(crate) images: Vec<FieldSpec>,
    pub(crate) replicas: Vec<FieldSpec>,
}

/// The section names of `data/field-specs.txt` and of `configurations` files.
pub(crate) const SECTIONS: [&str; 11] = [
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "volumeClaimTemplateLabels",
    "commonAnnotations",
    "varReference",
    "images",
    "replicas",
];

impl Config {
    pub(crate) fn section_mut(&mut self, name: &str) -> Option<&mut Vec<FieldSpec>> {
        Some(match name {
            "namePrefix" => &mut self.name_prefix,
            "nameSuffix" => &mut self.name_suffix,
            "namespace" => &mut self.namespace,
            "commonLabels" => &mut self.common_labels,
            "labels" => &mut self.labels,
            "templateLabels" => &mut self.template_labels,
            "volumeClaimTemplateLabels" => &mut self.volume_claim_template_labels,
            "commonAnnotations" => &mut self.common_annotations,
            "varReference" => &mut self.var_reference,
            "images" => &mut self.images,
            "replicas" => &mut self.replicas,
            _ => return None,
        })
    }

    /// What Kustomize has built in.
    pub(crate) fn built_in(profile: Profile) -> Self {
        let version = match profile {
            Profile::Command => "5.8.2",
            Profile::Flux => "5.8.1",
        };
        let none = |word: &str| if word == "-" { "" } else { word }.to_owned();
        let gvk = |kind: &str, group: &str, version: &str| Gvk {
            group: none(group).into(),
            version: none(version).into(),
            kind: none(kind).into(),
        };
        let mut config = Self::default();
        let mut section = "";
        for line in include_str!("../data/field-specs.txt").lines() {
            let words: Vec<_> = line.split_ascii_whitespace().collect();
            match words.as_slice() {
                ["#", ..] | [] => {}
                [name] => section = name,
                [">", kind, group, version] => config.name_reference.push(NameReference {
                    target: gvk(kind, group, version),
                    referrers: Vec::new(),
                }),
                [kind, group, api, create, path, only @ ..] => {
                    if !only.is_empty() && only[0] != version {
                        continue;
                    }
                    let spec = FieldSpec::new(gvk(kind, group, api), path, *create == "create");
                    if section == "nameReference" {
                        if let Some(reference) = config.name_reference.last_mut() {
                            reference.referrers.push(spec);
                        }
                    } else if let Some(specs) = config.section_mut(section) {
                        specs.push(spec);
                    }
                }
                _ => {}
            }
        }
        config.sort();
        config
    }

    pub(crate) fn sort(&mut self) {
        for name in SECTIONS {
            if let Some(specs) = self.section_mut(name) {
                specs.sort_by_cached_key(|spec| spec.gvk.sort_key());
            }
        }
        self.name_reference
            .sort_by_cached_key(|reference| reference.target.sort_key());
    }

    /// Adds what `other` has.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        let mut other = other.clone();
        for name in SECTIONS {
            let more = other
                .section_mut(name)
                .map(std::mem::take)
                .unwrap_or_default();
            if more.is_empty() {
                continue;
            }
            if let Some(specs) = self.section_mut(name) {
                let mut title = name.to_owned();
                title[..1].make_ascii_uppercase();
                if title == "Namespace" {
                    "NameSpace".clone_into(&mut title);
                }
                merge_all(specs, &more).context(format!("failed to merge {title} fieldSpec"))?;
            }
        }
        for reference in other.name_reference {
            self.merge_reference(reference)
                .context("failed to merge NameReference fieldSpec")?;
        }
        self.sort();
        Ok(())
    }

    pub(crate) fn merge_reference(&mut self, reference: NameReference) -> Result<()> {
        let known = self
            .name_reference
            .iter_mut()
            .find(|known| known.target == reference.target);
        match known {
            Some(known) => merge_all(&mut known.referrers, &reference.referrers),
            None => {
                self.name_reference.push(reference);
                Ok(())
            }
        }
    }
}

impl From<BuildError> for String {
    fn from(error: BuildError) -> Self {
        error.message
    }
}
