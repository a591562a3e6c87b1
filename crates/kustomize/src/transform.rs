//! The built-in transformers, from kustomization fields or from configuration files.

mod image;
mod namespace;
mod patch;
mod replacement;
mod sort;

pub(crate) use namespace::SubjectMode;
pub(crate) use patch::{PatchSource, load_json6902, load_patch, load_strategic};
pub(crate) use sort::sort;

use yaml::{Kind, Node, Tag};

use crate::error::{BuildError, Result};
use crate::field;
use crate::fieldspec::{Create, FieldSpec, apply};
use crate::generate;
use crate::json_patch::JsonPatch;
use crate::kustomization::{Image, Replacement, Replica, Selector, StringMap};
use crate::openapi::OpenApi;
use crate::resid::{Gvk, ResId};
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::selector;
use crate::shared;

/// What all transformers get.
pub(crate) struct Scene<'a> {
    pub(crate) openapi: &'a OpenApi,
    /// Kustomize v5.8.2 rather than v5.8.1.
    pub(crate) newest: bool,
}

/// A transformer, configured.
#[derive(Debug, Clone)]
pub(crate) enum Transformer {
    Namespace {
        namespace: String,
        specs: Vec<FieldSpec>,
        unset_only: bool,
        subjects: SubjectMode,
    },
    Prefix(String, Vec<FieldSpec>),
    Suffix(String, Vec<FieldSpec>),
    Labels(StringMap, Vec<FieldSpec>),
    Annotations(StringMap, Vec<FieldSpec>),
    Images(Image, Vec<FieldSpec>),
    Replicas(Replica, Vec<FieldSpec>),
    /// Patches without a target, each applied to the resource it names.
    StrategicMerges(Vec<Resource>),
    /// An entry of `patches` that is a strategic merge.
    Patch {
        patches: Vec<Resource>,
        target: Option<Selector>,
        source: String,
    },
    JsonPatch {
        patch: JsonPatch,
        target: Option<Selector>,
        source: String,
        /// Remembers the identity before the patch (`patches`, not `patchesJson6902`).
        stores_id: bool,
    },
    Replacements(Vec<Replacement>),
    ValueAdd {
        value: String,
        targets: Vec<ValueTarget>,
    },
    Hash,
    /// Several in turn.
    Both(Box<Transformer>, Box<Transformer>),
}

/// Where a `ValueAddTransformer` puts its value.
#[derive(Debug, Clone)]
pub(crate) struct ValueTarget {
    pub(crate) selector: Option<Selector>,
    pub(crate) field_path: String,
    pub(crate) position: i64,
}

impl Transformer {
    pub(crate) fn apply(&self, map: &mut ResMap, scene: &Scene<'_>) -> Result<()> {
        match self {
            Self::Namespace {
                namespace,
                specs,
                unset_only,
                subjects,
            } => namespace::apply_to_all(map, namespace, specs, *unset_only, *subjects, scene),
            Self::Prefix(prefix, specs) => affix(map, specs, scene, Affix::Prefix(prefix)),
            Self::Suffix(suffix, specs) => affix(map, specs, scene, Affix::Suffix(suffix)),
            Self::Labels(pairs, specs) | Self::Annotations(pairs, specs) => {
                if pairs.is_empty() {
                    return Ok(());
                }
                map.resources_mut()
                    .iter_mut()
                    .try_for_each(|resource| set_pairs(resource, pairs, specs))
            }
            Self::Images(image, specs) => image::apply_to_all(map, image, specs, scene),
            Self::Replicas(replica, specs) => replicas(map, replica, specs, scene),
            Self::StrategicMerges(patches) => {
                patch::strategic_merges(map, patches, scene)?;
                map.align_shared();
                Ok(())
            }
            Self::Patch {
                patches,
                target,
                source,
            } => {
                patch::patch(map, patches, target.as_ref(), source, scene)?;
                map.align_shared();
                Ok(())
            }
            Self::JsonPatch {
                patch,
                target,
                source,
                stores_id,
            } => patch::json_patch(map, patch, target.as_ref(), source, *stores_id, scene),
            Self::Replacements(replacements) => replacement::apply_to_all(map, replacements, scene),
            Self::ValueAdd { value, targets } => {
                value_add(map, value, targets, scene)?;
                map.align_shared();
                Ok(())
            }
            Self::Hash => add_hashes(map, scene),
            Self::Both(first, second) => {
                first.apply(map, scene)?;
                second.apply(map, scene)
            }
        }
    }
}

/// Sets labels or annotations at every place the specs name.
pub(crate) fn set_pairs(
    resource: &mut Resource,
    pairs: &StringMap,
    specs: &[FieldSpec],
) -> Result<()> {
    let create = Create {
        kind: Kind::Mapping,
        tag: Tag::Map,
    };
    for (key, value) in pairs {
        let number = shared::new_number();
        let mut places = 0;
        for spec in specs {
            apply(&mut resource.node, spec, Some(&create), &mut |target| {
                let mut value = Node::string(value.as_str());
                if target.get(key).is_none() {
                    value.shared = number;
                    places += 1;
                }
                field::set_field(target, key, value)
            })?;
        }
        resource.align_shared();
        if places > 1 {
            resource.shared.insert(number, value);
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Affix<'a> {
    Prefix(&'a str),
    Suffix(&'a str),
}

/// Kinds whose names others rely on.
fn keeps_name(gvk: &Gvk) -> bool {
    matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || (gvk.kind == "APIService" && gvk.group == "apiregistration.k8s.io")
}

fn affix(map: &mut ResMap, specs: &[FieldSpec], scene: &Scene<'_>, affix: Affix<'_>) -> Result<()> {
    let create = Create {
        kind: Kind::Scalar,
        tag: Tag::Str,
    };
    for resource in map.resources_mut() {
        let original = resource.original_id(scene.openapi);
        if keeps_name(&original.gvk) {
            continue;
        }
        for spec in specs {
            if !original.gvk.is_selected(&spec.gvk) {
                continue;
            }
            if spec.path == "metadata/name" {
                let (list, text) = match affix {
                    Affix::Prefix(text) => (&mut resource.history.prefixes, text),
                    Affix::Suffix(text) => (&mut resource.history.suffixes, text),
                };
                if !text.is_empty() {
                    list.push(text.into());
                    resource.store_previous_id(scene.openapi);
                }
            }
            apply(&mut resource.node, spec, Some(&create), &mut |target| {
                let text = match affix {
                    Affix::Prefix(prefix) => format!("{prefix}{}", target.value),
                    Affix::Suffix(suffix) => format!("{}{suffix}", target.value),
                };
                field::set_scalar(target, field::untagged(text))
            })?;
        }
    }
    Ok(())
}

fn replicas(
    map: &mut ResMap,
    replica: &Replica,
    specs: &[FieldSpec],
    scene: &Scene<'_>,
) -> Result<()> {
    let create = Create {
        kind: Kind::Scalar,
        tag: Tag::Int,
    };
    let mut found = false;
    for spec in specs {
        for resource in map.resources_mut() {
            let current = resource.id(scene.openapi);
            let is_meant = |id: ResId| id.name == replica.name && id.gvk.is_selected(&spec.gvk);
            if !resource.previous_ids().any(is_meant) && !is_meant(current) {
                continue;
            }
            found = true;
            apply(&mut resource.node, spec, Some(&create), &mut |target| {
                field::set_scalar(target, Node::scalar(Tag::Int, replica.count.to_string()))
            })?;
        }
    }
    if found {
        return Ok(());
    }
    let kinds: Vec<_> = specs.iter().map(|spec| spec.gvk.to_string()).collect();
    Err(BuildError::new(format!(
        "resource with name {} does not match a config with the following GVK [{}]",
        replica.name,
        kinds.join(" ")
    )))
}

fn add_hashes(map: &mut ResMap, scene: &Scene<'_>) -> Result<()> {
    for resource in map.resources_mut() {
        if resource.history.needs_hash {
            let hash = generate::hash(&resource.node)?;
            resource.store_previous_id(scene.openapi);
            let name = format!("{}-{hash}", resource.name());
            resource.set_name(&name)?;
        }
    }
    Ok(())
}

fn value_add(
    map: &mut ResMap,
    value: &str,
    targets: &[ValueTarget],
    scene: &Scene<'_>,
) -> Result<()> {
    for target in targets {
        let selected = match &target.selector {
            None => (0..map.resources().len()).collect(),
            Some(selector) => selector::select(map.resources(), selector, scene.openapi)?,
        };
        for at in selected {
            let resource = &mut map.resources_mut()[at];
            if target.field_path == "metadata/namespace" {
                namespace::apply_to_one(
                    &mut resource.node,
                    value,
                    &[],
                    false,
                    SubjectMode::Default,
                    scene,
                )?;
                continue;
            }
            let path = field::split_path(&format!("x/{}", target.field_path), '/');
            let Some(node) =
                crate::lookup::get_or_create(&mut resource.node, &path[1..], Kind::Scalar)?
            else {
                continue;
            };
            field::expect_kind(node, Kind::Scalar)?;
            let text = if target.position > 0 {
                insert_part(&node.value, target.position - 1, value)
            } else {
                value.to_owned()
            };
            let mut new = field::untagged(text);
            if yaml::is_non_string(&new.value) {
                new.style = yaml::Style::DOUBLE_QUOTED;
            }
            field::set_scalar(node, new)?;
        }
    }
    Ok(())
}

/// Inserts a part into a slash-separated path.
fn insert_part(path: &str, position: i64, part: &str) -> String {
    if part.is_empty() {
        return path.to_owned();
    }
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let position = (position.max(0) as usize).min(parts.len());
    parts.insert(position, part);
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}
