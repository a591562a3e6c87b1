//! Post-renderers: what changes manifests between templates and sorting.
//! Source: Helm 4.2 `annotateAndMerge`, `splitAndDeannotate`; helm-controller `postrender.Kustomize`.

use std::collections::BTreeMap;

use gotemplate::unicode::is_space;
use serde_json::{Value as Json, json};
use yaml::{Document, Node, SequenceIndent, Style};

use crate::Compat;
use crate::manifest::{Order, sort, split};
use crate::render::{PostRenderStrategy, PostRenderer};

/// The annotation that says which template an object came from while it is with post-renderers.
const FILE_NAME: &str = "postrenderer.helm.sh/postrender-filename";

type Files = BTreeMap<String, String>;

/// What `post_renderer` makes of rendered files. The error is Helm's text.
pub(crate) fn run(
    files: Files,
    post_renderer: &dyn PostRenderer,
    strategy: PostRenderStrategy,
    compat: Compat,
) -> Result<Files, String> {
    if strategy == PostRenderStrategy::Combined {
        let merged = annotate_and_merge(&files, compat)
            .map_err(|error| format!("error merging manifests: {error}"))?;
        let changed = post_renderer
            .run(&merged)
            .map_err(|error| format!("error while running post render on files: {error}"))?;
        return split_and_restore(&changed, "")
            .map_err(|error| format!("error while parsing post rendered output: {error}"));
    }
    let sorted = sort(&files, Order::Install, compat)?;
    let mut hooks = Files::new();
    for hook in &sorted.hooks {
        append(&mut hooks, &hook.path, &hook.manifest);
    }
    let mut manifests = Files::new();
    for manifest in &sorted.manifests {
        append(&mut manifests, &manifest.path, &manifest.content);
    }
    let mut result = Files::new();
    let with_hooks = strategy == PostRenderStrategy::Separate;
    for (name, group, is_changed) in [("hooks", hooks, with_hooks), ("manifests", manifests, true)]
    {
        let group = if is_changed && !group.is_empty() {
            let merged = annotate_and_merge(&group, compat)
                .map_err(|error| format!("error merging {name}: {error}"))?;
            let changed = post_renderer
                .run(&merged)
                .map_err(|error| format!("error while running post render on {name}: {error}"))?;
            split_and_restore(&changed, name).map_err(|error| {
                format!("error while parsing post rendered output for {name}: {error}")
            })?
        } else {
            group
        };
        for (path, text) in group {
            append(&mut result, &path, &text);
        }
    }
    Ok(result)
}

fn append(files: &mut Files, path: &str, text: &str) {
    let place = files.entry(path.to_owned()).or_default();
    if !place.is_empty() {
        place.push_str("\n---\n");
    }
    place.push_str(text);
}

fn documents(text: &str) -> Result<Vec<Document>, String> {
    let mut documents =
        yaml::parse_documents(text.as_bytes()).map_err(|error| error.to_string())?;
    documents.retain(|document| !document.root.is_null());
    Ok(documents)
}

fn write(out: &mut String, document: &Document) -> Result<(), String> {
    if !out.is_empty() {
        out.push_str("---\n");
    }
    let text = yaml::document_to_string(document, SequenceIndent::Compact)
        .map_err(|error| error.to_string())?;
    out.push_str(&text);
    Ok(())
}

/// All files as one stream, each object with the name of its file.
fn annotate_and_merge(files: &Files, compat: Compat) -> Result<String, String> {
    let mut merged = String::new();
    for (path, content) in files {
        let base = path.rsplit('/').next().unwrap_or_default();
        if base.starts_with('_') || content.trim_matches(is_space).is_empty() {
            continue;
        }
        for part in split(content, compat) {
            let parsed = documents(part).map_err(|error| format!("parsing {path}: {error}"))?;
            for mut document in parsed {
                annotate(&mut document.root, path)
                    .map_err(|error| format!("annotating {path}: {error}"))?;
                write(&mut merged, &document)
                    .map_err(|error| format!("writing merged docs: {error}"))?;
            }
        }
    }
    Ok(merged)
}

/// The mapping below `key`, which is made if there is none.
fn mapping_at<'a>(node: &'a mut Node, key: &str) -> Result<&'a mut Node, String> {
    if node.get(key).is_none_or(Node::is_null) {
        node.insert(key, Node::mapping());
    }
    node.get_mut(key)
        .filter(|inner| inner.kind == yaml::Kind::Mapping)
        .ok_or_else(|| format!("wrong node kind: expected MappingNode at {key}"))
}

fn annotate(root: &mut Node, path: &str) -> Result<(), String> {
    if root.kind != yaml::Kind::Mapping {
        return Err("wrong node kind: expected MappingNode".to_owned());
    }
    let annotations = mapping_at(mapping_at(root, "metadata")?, "annotations")?;
    let mut name = Node::string(path);
    name.style = Style::SINGLE_QUOTED;
    annotations.insert(FILE_NAME, name);
    Ok(())
}

/// Takes the name of the file out of an object, and maps that hold nothing any more.
fn take_name(root: &mut Node) -> Option<String> {
    let metadata = root.get_mut("metadata")?;
    let annotations = metadata.get_mut("annotations")?;
    let name = annotations
        .remove(FILE_NAME)
        .map(|node| node.value.to_string());
    if annotations.is_nil_or_empty() {
        metadata.remove("annotations");
    }
    if metadata.is_nil_or_empty() {
        root.remove("metadata");
    }
    name.filter(|name| !name.is_empty())
}

/// The files that the objects of a stream came from; those without a name get one.
fn split_and_restore(text: &str, group: &str) -> Result<Files, String> {
    let mut files = Files::new();
    let parsed = documents(text).map_err(|error| format!("error parsing YAML: {error}"))?;
    for (place, mut document) in parsed.into_iter().enumerate() {
        let name = take_name(&mut document.root).unwrap_or_else(|| {
            let group = if group.is_empty() {
                String::new()
            } else {
                format!("{group}-")
            };
            format!("generated-by-postrender-{group}{place}.yaml")
        });
        let file = files.entry(name.clone()).or_default();
        write(file, &document).map_err(|error| format!("re-writing {name}: {error}"))?;
    }
    Ok(files)
}

/// Runs post-renderers one after the other.
#[derive(Default)]
pub struct Chain<'a>(pub Vec<&'a dyn PostRenderer>);

impl PostRenderer for Chain<'_> {
    fn run(&self, manifests: &str) -> Result<String, String> {
        let mut text = manifests.to_owned();
        for post_renderer in &self.0 {
            text = post_renderer.run(&text)?;
        }
        Ok(text)
    }
}

/// Patches and images of Kustomize: a HelmRelease's `spec.postRenderers[].kustomize`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kustomize {
    /// The entries of `patches`: `patch` and `target`, as a kustomization has them.
    pub patches: Vec<Json>,
    /// The entries of `images`: `name`, `newName`, `newTag`, `digest`.
    pub images: Vec<Json>,
}

impl PostRenderer for Kustomize {
    fn run(&self, manifests: &str) -> Result<String, String> {
        kustomize(manifests, &self.patches, &self.images)
    }
}

/// What `kustomize build` makes of manifests with patches and images. The error is Kustomize's text.
pub fn kustomize(manifests: &str, patches: &[Json], images: &[Json]) -> Result<String, String> {
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["helm-output.yaml"],
        "patches": patches,
        "images": images,
    });
    let mut files = kustomize::Memory::default();
    files.insert("helm-output.yaml", manifests.as_bytes());
    files.insert("kustomization.yaml", kustomization.to_string().as_bytes());
    let options = kustomize::Options {
        profile: kustomize::Profile::Flux,
        ..kustomize::Options::default()
    };
    kustomize::build(&files, "/".as_ref(), &options)
        .map(|output| output.yaml)
        .map_err(|errors| errors.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        [
            (
                "c/templates/a.yaml",
                "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: a\n---apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
            ),
            (
                "c/templates/hook.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: h\n  annotations: {helm.sh/hook: test}\nspec:\n  containers:\n  - name: c\n    image: busybox:1\n",
            ),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into()
    }

    fn patched(strategy: PostRenderStrategy) -> Files {
        let kustomize = Kustomize {
            patches: vec![json!({
                "patch": "- {op: add, path: /metadata/labels, value: {x: z}}",
                "target": {"kind": "ConfigMap"},
            })],
            images: vec![json!({"name": "busybox", "newTag": "2"})],
        };
        run(files(), &kustomize, strategy, Compat::V4).unwrap()
    }

    #[test]
    fn patches_and_images_are_applied_file_by_file() {
        let files = patched(PostRenderStrategy::Combined);
        assert_eq!(
            files["c/templates/a.yaml"],
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    x: z\n  name: a\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: s\n"
        );
        assert!(files["c/templates/hook.yaml"].contains("image: busybox:2\n"));
        assert_eq!(files.len(), 2);
    }

    #[test]
    fn hooks_may_be_left_alone() {
        let files = patched(PostRenderStrategy::NoHooks);
        assert!(files["c/templates/hook.yaml"].contains("image: busybox:1\n"));
        assert!(files["c/templates/a.yaml"].contains("x: z"));
    }
}
