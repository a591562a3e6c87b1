//! The image transformer.

use regex::Regex;
use yaml::{Kind, Node};

use super::Scene;
use crate::error::Result;
use crate::field;
use crate::fieldspec::{FieldSpec, apply};
use crate::kustomization::Image;
use crate::resid::root_text;
use crate::resmap::ResMap;
use crate::selector;

pub(super) fn apply_to_all(
    map: &mut ResMap,
    image: &Image,
    specs: &[FieldSpec],
    scene: &Scene<'_>,
) -> Result<()> {
    let pattern = pattern(&image.name, scene.newest)?;
    let mut set = |node: &mut Node| set_image(node, image, pattern.as_ref());
    for resource in map.resources_mut() {
        if root_text(&resource.node, "kind") == "CustomResourceDefinition" {
            continue;
        }
        walk(&mut resource.node, &mut set)?;
    }
    for resource in map.resources_mut() {
        if root_text(&resource.node, "kind") == "CustomResourceDefinition" {
            continue;
        }
        for spec in specs {
            apply(&mut resource.node, spec, None, &mut set)?;
        }
    }
    Ok(())
}

/// What an image that is called `name` looks like. The name is a regular expression, as upstream has it.
fn pattern(name: &str, newest: bool) -> Result<Option<Regex>> {
    let digest = if newest {
        "(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?"
    } else {
        "(@sha256:[a-zA-Z0-9_.{}-]*)?"
    };
    match selector::compile(&format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?{digest}$")) {
        Ok(regex) => Ok(Some(regex)),
        Err(_) if newest => Ok(None),
        Err(_) => Err("recovered from kustomize build panic: runtime error: invalid memory address or nil pointer dereference".into()),
    }
}

/// Changes the `image` of every item of every `containers` and `initContainers`, wherever they are.
fn walk(node: &mut Node, set: &mut dyn FnMut(&mut Node) -> Result<()>) -> Result<()> {
    match node.kind {
        Kind::Sequence => node.content.iter_mut().try_for_each(|item| walk(item, set)),
        Kind::Mapping => {
            for pair in node.content.chunks_exact_mut(2) {
                let [key, value] = pair else { continue };
                walk(value, set)?;
                let holds = matches!(key.value.as_str(), "containers" | "initContainers");
                if !holds || value.kind != Kind::Sequence {
                    continue;
                }
                for container in &mut value.content {
                    if container.is_null() {
                        continue;
                    }
                    field::expect_kind(container, Kind::Mapping)?;
                    if let Some(image) = container.get_mut("image") {
                        set(image)?;
                    }
                }
            }
            Ok(())
        }
        Kind::Scalar | Kind::Alias => Ok(()),
    }
}

fn set_image(node: &mut Node, image: &Image, pattern: Option<&Regex>) -> Result<()> {
    field::expect_kind(node, Kind::Scalar)?;
    if !pattern.is_some_and(|pattern| pattern.is_match(&node.value)) {
        return Ok(());
    }
    let (name, mut tag, mut digest) = split(&node.value);
    let mut name = if image.new_name.is_empty() {
        name
    } else {
        image.new_name.clone()
    };
    if !image.new_tag.is_empty() {
        tag.clone_from(&image.new_tag);
        digest.clone_from(&image.digest);
    } else if !image.digest.is_empty() {
        tag.clear();
        digest.clone_from(&image.digest);
    } else if !image.tag_suffix.is_empty() {
        tag.push_str(&image.tag_suffix);
        digest.clear();
    }
    if !tag.is_empty() {
        name = format!("{name}:{tag}");
    }
    if !digest.is_empty() {
        name = format!("{name}@{digest}");
    }
    field::set_scalar(node, field::untagged(name))
}

/// Name, tag and digest of an image.
fn split(image: &str) -> (String, String, String) {
    let start = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let at = image[start..].find('@').map(|at| at + start);
    let colon = image[start..].find(':').map(|at| at + start);
    let own = str::to_owned;
    match (at, colon) {
        (None, None) => (own(image), String::new(), String::new()),
        (Some(at), colon) if colon.is_none_or(|colon| at < colon) => {
            (own(&image[..at]), String::new(), own(&image[at + 1..]))
        }
        (Some(at), Some(colon)) => (
            own(&image[..colon]),
            own(&image[colon + 1..at]),
            own(&image[at + 1..]),
        ),
        (None, Some(colon)) => (
            own(&image[..colon]),
            own(&image[colon + 1..]),
            String::new(),
        ),
        (Some(at), None) => (own(&image[..at]), String::new(), own(&image[at + 1..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_split_at_tag_and_digest() {
        for (image, expected) in [
            ("nginx", ("nginx", "", "")),
            ("nginx:1.2", ("nginx", "1.2", "")),
            (
                "host:5000/nginx:1@sha256:ab",
                ("host:5000/nginx", "1", "sha256:ab"),
            ),
            ("a/b@sha256:ab", ("a/b", "", "sha256:ab")),
        ] {
            let (name, tag, digest) = split(image);
            assert_eq!((&*name, &*tag, &*digest), expected, "{image}");
        }
    }
}
