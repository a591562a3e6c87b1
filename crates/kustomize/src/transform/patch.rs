//! Strategic merge and JSON patches.

use yaml::Node;

use super::{Scene, Transformer};
use crate::error::{BuildError, Context as _, Result};
use crate::generate;
use crate::json_patch::JsonPatch;
use crate::kustomization::{Patch, PatchOptions, Selector};
use crate::load::Loader;
use crate::merge;
use crate::output;
use crate::read;
use crate::resmap::{ResMap, copy_metadata};
use crate::resource::Resource;
use crate::selector;

/// A strategic merge named by path, or given inline.
pub(crate) enum PatchSource<'a> {
    Any(&'a str),
    Inline(&'a str),
}

/// Reads `patchesStrategicMerge`.
pub(crate) fn load_strategic(
    sources: &[PatchSource<'_>],
    loader: &Loader<'_>,
) -> Result<Transformer> {
    let mut patches = Vec::new();
    for source in sources {
        match source {
            PatchSource::Inline(text) => patches.extend(read::resources(text.as_bytes())?),
            PatchSource::Any(text) => match read::resources(text.as_bytes()) {
                Ok(found) => patches.extend(found),
                Err(_) => {
                    let content = loader.load(text)?;
                    patches.extend(read::file(&content, text, &loader.full_path(text))?);
                }
            },
        }
    }
    if patches.is_empty() {
        let (mut paths, mut inline) = (Vec::new(), "");
        for source in sources {
            match source {
                PatchSource::Any(path) => paths.push(*path),
                PatchSource::Inline(text) => inline = text,
            }
        }
        return Err(BuildError::new(format!(
            "patch appears to be empty; files=[{}], Patch={inline}",
            paths.join(" ")
        )));
    }
    Ok(Transformer::StrategicMerges(patches))
}

/// Reads an entry of `patches`.
pub(crate) fn load_patch(
    entry: &Patch,
    loader: &Loader<'_>,
    shown: &str,
) -> Result<Option<Transformer>> {
    let inline = entry.patch.trim();
    let (text, source, file) = match (inline.is_empty(), entry.path.is_empty()) {
        (true, true) => {
            return Err(format!("must specify one of patch and path in\n{shown}").into());
        }
        (false, false) => {
            return Err(format!("patch and path can't be set at the same time\n{shown}").into());
        }
        (false, true) => (
            inline.to_owned(),
            format!("[patch: {}]", output::go_quote(inline)),
            String::new(),
        ),
        (true, false) => {
            let path = &entry.path;
            let loaded = loader
                .load(path)
                .context(format!("failed to get the patch file from path({path})"))?;
            let text = String::from_utf8_lossy(&loaded).into_owned();
            (
                text,
                format!("[path: {}]", output::go_quote(path)),
                loader.full_path(path),
            )
        }
    };
    let strategic = read::resources(text.as_bytes());
    let json = if text.is_empty() {
        Err(BuildError::new("empty json patch operations"))
    } else {
        JsonPatch::parse(&text)
    };
    let has_json = matches!(&json, Ok(Some(patch)) if !patch.is_empty());
    match (strategic, json) {
        (Ok(patches), _) if has_json && !patches.is_empty() => {
            Err(format!("illegally qualifies as both an SM and JSON patch: {source}").into())
        }
        (Ok(patches), _) => {
            let options = entry.options.clone().unwrap_or_default();
            Ok(strategic_patch(
                patches,
                &options,
                entry.target.clone(),
                source,
                &file,
            ))
        }
        (Err(_), Ok(None)) => Ok(None),
        (Err(_), Ok(Some(patch))) => Ok(Some(Transformer::JsonPatch {
            patch,
            target: entry.target.clone(),
            source,
            stores_id: true,
        })),
        (Err(strategic), Err(_)) => {
            let error = BuildError::new(format!("unable to parse SM or JSON patch from {source}"));
            let line = strategic
                .location
                .as_ref()
                .map_or(0, |location| location.line);
            Err(if file.is_empty() {
                error
            } else {
                error.at(&file, line)
            })
        }
    }
}

fn strategic_patch(
    mut patches: Vec<Resource>,
    options: &PatchOptions,
    target: Option<Selector>,
    source: String,
    file: &str,
) -> Option<Transformer> {
    if patches.is_empty() {
        return None;
    }
    for patch in &mut patches {
        file.clone_into(&mut patch.provenance.file);
        patch.history.allow_name_change |= options.allow_name_change;
        patch.history.allow_kind_change |= options.allow_kind_change;
    }
    Some(Transformer::Patch {
        patches,
        target,
        source,
    })
}

/// Reads an entry of `patchesJson6902`.
pub(crate) fn load_json6902(
    target: Option<&Selector>,
    path: &str,
    inline: &str,
    loader: &Loader<'_>,
) -> Result<Transformer> {
    // Upstream panics without a target.
    if target.is_none_or(|target| target.name.is_empty()) {
        return Err("must specify the target name".into());
    }
    let text = match (path.is_empty(), inline.is_empty()) {
        (true, true) => return Err("empty file path and empty jsonOp".into()),
        (false, false) => return Err("must specify a file path or jsonOp, not both".into()),
        (true, false) => inline.to_owned(),
        (false, true) => {
            let loaded = loader.load(path)?;
            if loaded.is_empty() {
                return Err(format!("patch file '{path}' empty seems to be empty").into());
            }
            String::from_utf8_lossy(&loaded).into_owned()
        }
    };
    let patch = if text.starts_with('[') {
        JsonPatch::parse(&text).context(format!("decoding {text}"))?
    } else {
        let json = yaml::to_json(text.as_bytes())?.to_string();
        JsonPatch::parse(&text).context(format!("decoding {json}"))?
    };
    match patch {
        Some(patch) if !patch.is_empty() => Ok(Transformer::JsonPatch {
            patch,
            target: target.cloned(),
            source: text,
            stores_id: false,
        }),
        _ => {
            let json = yaml::to_json(text.as_bytes())?;
            Err(format!("patch appears to be empty; file={path}, JsonOp={json}").into())
        }
    }
}

pub(super) fn strategic_merges(
    map: &mut ResMap,
    patches: &[Resource],
    scene: &Scene<'_>,
) -> Result<()> {
    for patch in patches {
        let id = patch.original_id(scene.openapi);
        let at = map.by_any_id(&id, scene.openapi)?;
        apply_to_selected(map, &[at], patch, scene)?;
    }
    Ok(())
}

pub(super) fn patch(
    map: &mut ResMap,
    patches: &[Resource],
    target: Option<&Selector>,
    source: &str,
    scene: &Scene<'_>,
) -> Result<()> {
    let Some(target) = target else {
        for patch in patches {
            let id = patch.original_id(scene.openapi);
            let at = map.by_any_id(&id, scene.openapi).map_err(|error| {
                error
                    .wrap(format!(
                        "no resource matches strategic merge patch \"{id}\""
                    ))
                    .at(&patch.provenance.file, patch.provenance.line as usize)
            })?;
            let before = map.resources()[at].id(scene.openapi);
            merge_patch(map.resource_mut(at), patch.clone(), scene)?;
            if map.resources()[at].is_gone() || map.resources()[at].id(scene.openapi) != before {
                map.renew(at, scene.openapi);
            }
        }
        return Ok(());
    };
    let [patch] = patches else {
        return Err(format!(
            "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: {source}"
        )
        .into());
    };
    let selected = selector::select(map.resources(), target, scene.openapi).map_err(|error| {
        error.wrap(format!(
            "unable to find patch target {:?} in `resources`",
            selector_text(target)
        ))
    })?;
    apply_to_selected(map, &selected, patch, scene)
}

fn selector_text(selector: &Selector) -> String {
    let id = crate::resid::ResId {
        gvk: crate::resid::Gvk {
            group: selector.group.as_str().into(),
            version: selector.version.as_str().into(),
            kind: selector.kind.as_str().into(),
        },
        name: selector.name.as_str().into(),
        namespace: selector.namespace.as_str().into(),
        cluster: false,
    };
    format!(
        "{id}:a={}:l={}",
        selector.annotation_selector, selector.label_selector
    )
}

/// Applies a patch to each selected resource, as if it were written for it.
fn apply_to_selected(
    map: &mut ResMap,
    selected: &[usize],
    patch: &Resource,
    scene: &Scene<'_>,
) -> Result<()> {
    let mut renamed = false;
    let mut gone = false;
    for &at in selected {
        let resource = map.resource_mut(at);
        let mut copy = patch.clone();
        copy_metadata(&mut copy, patch)?;
        copy.history = patch.history.clone();
        copy.set_root("kind", patch.kind())?;
        let api_version = resource.gvk().api_version();
        copy.set_root("apiVersion", &api_version)?;
        let before = resource.id(scene.openapi);
        merge_patch(resource, copy, scene)?;
        gone |= resource.is_gone();
        renamed |= resource.id(scene.openapi) != before;
    }
    if gone {
        map.resources_mut();
        map.drop_gone();
    }
    if renamed {
        map.check_distinct(scene.openapi)?;
    }
    Ok(())
}

/// Whether the patch can remove what is remembered in annotations.
fn touches_annotations(patch: &Node) -> bool {
    let directs = |node: &Node| node.get("$patch").is_some();
    patch.get("metadata").is_some_and(|metadata| {
        metadata.is_null() || directs(metadata) || metadata.get("annotations").is_some()
    }) || directs(patch)
}

/// Merges one patch into one resource; kind, name and namespace stay unless the patch may change them.
fn merge_patch(resource: &mut Resource, mut patch: Resource, scene: &Scene<'_>) -> Result<()> {
    let (name, namespace) = (resource.name().to_owned(), resource.namespace().to_owned());
    let kind = resource.kind().to_owned();
    let (new_name, new_kind) = (
        patch.history.allow_name_change,
        patch.history.allow_kind_change,
    );
    if new_name || new_kind {
        resource.store_previous_id(scene.openapi);
    }
    resource.history.allow_name_change |= new_name;
    resource.history.allow_kind_change |= new_kind;
    let touches = touches_annotations(&patch.node);
    if touches {
        resource.materialize()?;
    }
    let file = patch.provenance.file.clone();
    let line = patch.provenance.line as usize;
    let kept =
        merge::merge(&mut resource.node, &mut patch.node, scene.openapi).map_err(|error| {
            if file.is_empty() {
                error
            } else {
                error.at(&file, line)
            }
        })?;
    if !kept {
        resource.node = Node::null();
        return Ok(());
    }
    if touches {
        resource.history = crate::resource::History::default();
        resource.absorb();
    }
    if resource.is_gone() {
        return Ok(());
    }
    if !file.is_empty() {
        resource.provenance.touched_by.push(format!("patch {file}"));
    }
    if !new_kind {
        resource.set_root("kind", &kind)?;
    }
    if !new_name {
        resource.set_name(&name)?;
    }
    resource.set_namespace(&namespace)
}

pub(super) fn json_patch(
    map: &mut ResMap,
    patch: &JsonPatch,
    target: Option<&Selector>,
    source: &str,
    stores_id: bool,
    scene: &Scene<'_>,
) -> Result<()> {
    let Some(target) = target else {
        return Err(format!("must specify a target for JSON patch {source}").into());
    };
    let selected = selector::select(map.resources(), target, scene.openapi)?;
    if selected.is_empty() {
        return Ok(());
    }
    let resources = map.resources_mut();
    for at in selected {
        let resource = &mut resources[at];
        if stores_id {
            resource.store_previous_id(scene.openapi);
        }
        resource.materialize()?;
        let mut value = output::to_json(&resource.node)?;
        patch.apply(&mut value).map_err(|error| {
            error.at(&resource.provenance.file, resource.provenance.line as usize)
        })?;
        if !value.is_object() {
            return Err(
                "json: cannot unmarshal array into Go value of type map[string]interface {}".into(),
            );
        }
        let line = resource.node.line;
        let remembered = resource.history.clone();
        resource.node = read::from_map(&generate::as_floats(value));
        resource.shared = crate::shared::Shared::default();
        resource.node.line = line;
        resource.absorb();
        // What is remembered is written back over whatever the patch made of it.
        resource.history = remembered;
    }
    Ok(())
}
