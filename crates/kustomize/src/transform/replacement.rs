//! Replacements: a value from one resource put into others.

mod structured;

use regex::Regex;
use yaml::{Kind, Node};

use super::Scene;
use crate::error::{BuildError, Context as _, Result};
use crate::field::{self, node_text, split_path_smartly};
use crate::kustomization::{FieldOptions, Replacement, SourceSelector, TargetSelector};
use crate::lookup::{self, atoi, is_match};
use crate::resid::ResId;
use crate::resmap::ResMap;
use crate::resource::{Resource, plain_id};
use crate::selector::{self, Matcher};

pub(super) fn apply_to_all(
    map: &mut ResMap,
    replacements: &[Replacement],
    scene: &Scene<'_>,
) -> Result<()> {
    for replacement in replacements {
        let has_source = replacement.source.is_some() || replacement.source_value.is_some();
        let (true, Some(targets)) = (has_source, &replacement.targets) else {
            return Err("replacements must specify a source and at least one target".into());
        };
        let value = source_value(map.resources(), replacement)?;
        for target in targets {
            put(map.resources_mut(), &value, target, scene)?;
            map.align_shared();
        }
    }
    map.drop_gone();
    Ok(())
}

/// The identities by which replacements know a resource.
fn ids(resource: &Resource) -> Vec<ResId> {
    std::iter::once(plain_id(&resource.node))
        .chain(resource.previous_ids())
        .collect()
}

fn source_value(resources: &[Resource], replacement: &Replacement) -> Result<Node> {
    let source = match (&replacement.source_value, &replacement.source) {
        (Some(_), Some(_)) => {
            return Err("value and resource selectors are mutually exclusive".into());
        }
        (Some(value), None) => return Ok(field::untagged(value.as_str())),
        (None, Some(source)) => source,
        (None, None) => {
            return Err("replacements must specify a source and at least one target".into());
        }
    };
    let resource = select_source(resources, source)?;
    let path = if source.field_path.is_empty() {
        "metadata.name"
    } else {
        &source.field_path
    };
    let parts = split_path_smartly(path, '.');
    let with_history;
    let node = if may_see_history(path) {
        let mut copy = resource.clone();
        copy.materialize()?;
        with_history = copy.node;
        &with_history
    } else {
        &resource.node
    };
    let found = lookup::get(node, &parts).context("error looking up replacement source")?;
    let Some(found) = found.filter(|found| !found.is_nil_or_empty()) else {
        return Err(format!(
            "fieldPath `{path}` is missing for replacement source {}",
            source.id()
        )
        .into());
    };
    refine(found, source.options.as_ref())
}

/// Whether a path can lead to the annotations in which Kustomize keeps its notes.
fn may_see_history(path: &str) -> bool {
    path == "metadata"
        || path == "metadata.annotations"
        || path.starts_with("metadata.annotations.internal")
}

fn select_source<'a>(resources: &'a [Resource], source: &SourceSelector) -> Result<&'a Resource> {
    let wanted = source.id();
    let mut found = None;
    for resource in resources {
        if ids(resource).iter().any(|id| id.is_selected_by(&wanted)) {
            if found.is_some() {
                return Err(
                    format!("multiple matches for selector {}", source_text(source)).into(),
                );
            }
            found = Some(resource);
        }
    }
    found.ok_or_else(|| BuildError::new(format!("nothing selected by {}", source_text(source))))
}

fn source_text(source: &SourceSelector) -> String {
    let mut text = source.id().to_string();
    if !source.field_path.is_empty() {
        text = format!("{text}:{}", source.field_path);
    }
    match &source.options {
        Some(options) if !options.delimiter.is_empty() || options.create => {
            format!(
                "{text}:{}({}), create={}",
                options.delimiter, options.index, options.create
            )
        }
        _ => text,
    }
}

/// Takes the part between delimiters.
fn refine(node: &Node, options: Option<&FieldOptions>) -> Result<Node> {
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else {
        return Ok(node.clone());
    };
    if node.kind != Kind::Scalar {
        return Err("delimiter option can only be used with scalar nodes".into());
    }
    let parts: Vec<&str> = node.value.split(options.delimiter.as_str()).collect();
    let part = usize::try_from(options.index)
        .ok()
        .and_then(|index| parts.get(index));
    let Some(part) = part else {
        return Err(format!(
            "options.index {} is out of bounds for value {}",
            options.index, node.value
        )
        .into());
    };
    let mut refined = node.clone();
    refined.value = (*part).into();
    Ok(refined)
}

fn put(
    resources: &mut [Resource],
    value: &Node,
    target: &TargetSelector,
    scene: &Scene<'_>,
) -> Result<()> {
    let Some(select) = &target.select else {
        return Err("target must specify resources to select".into());
    };
    let select = Matcher::new(select).context("error creating target selector")?;
    let mut rejects = Vec::new();
    for reject in target.reject.iter().flatten() {
        let matcher = Matcher::new(reject).context("error creating target selector")?;
        rejects.push((reject, matcher));
    }
    let default = ["metadata.name".to_owned()];
    let paths = if target.field_paths.is_empty() {
        &default[..]
    } else {
        &target.field_paths
    };
    for resource in resources {
        if !select.matches_metadata(resource)? {
            continue;
        }
        let ids = ids(resource);
        if is_rejected(resource, &ids, &rejects)? {
            continue;
        }
        if ids.iter().any(|id| select.matches_id(id)) {
            for path in paths {
                put_at(resource, value, path, target.options.as_ref(), scene).map_err(|error| {
                    error.at(&resource.provenance.file, resource.provenance.line as usize)
                })?;
            }
        }
    }
    Ok(())
}

fn is_rejected(
    resource: &Resource,
    ids: &[ResId],
    rejects: &[(&crate::kustomization::Selector, Matcher)],
) -> Result<bool> {
    for (reject, matcher) in rejects {
        let by_metadata =
            !(reject.annotation_selector.is_empty() && reject.label_selector.is_empty());
        if by_metadata && matcher.matches_metadata(resource)? {
            return Ok(true);
        }
    }
    Ok(rejects.iter().any(|(reject, matcher)| {
        !reject.id_is_empty() && ids.iter().any(|id| matcher.matches_id(id))
    }))
}

fn put_at(
    resource: &mut Resource,
    value: &Node,
    path: &str,
    options: Option<&FieldOptions>,
    scene: &Scene<'_>,
) -> Result<()> {
    let materialized = may_see_history(path);
    if materialized {
        resource.materialize()?;
    }
    let create = options.filter(|options| options.create).map(|_| value.kind);
    let result = put_in_node(&mut resource.node, value, path, options, create, scene);
    if materialized {
        resource.history = crate::resource::History::default();
        resource.absorb();
    }
    result
}

fn put_in_node(
    node: &mut Node,
    value: &Node,
    path: &str,
    options: Option<&FieldOptions>,
    create: Option<Kind>,
    scene: &Scene<'_>,
) -> Result<()> {
    let parts = split_path_smartly(path, '.');
    if structured::put(node, value, &parts, options, create, scene.newest).is_ok() {
        return Ok(());
    }
    let failure = || {
        let path = crate::output::go_quote(path);
        match create {
            Some(_) => format!("unable to find or create field {path} in replacement target"),
            None => format!("unable to find field {path} in replacement target"),
        }
    };
    let mut hits = Hits::default();
    find(node, &parts, create, &mut hits).context(failure())?;
    if hits.places.is_empty() && hits.detached == 0 {
        return Err(BuildError::new(failure()));
    }
    for place in hits.places {
        set(at(node, &place), value, options)?;
    }
    Ok(())
}

fn at<'a>(node: &'a mut Node, place: &[usize]) -> &'a mut Node {
    place
        .iter()
        .fold(node, |node, index| &mut node.content[*index])
}

/// Sets a target; a scalar keeps its tag and style.
fn set(target: &mut Node, value: &Node, options: Option<&FieldOptions>) -> Result<()> {
    let mut text = value.value.to_string();
    if let Some(options) = options.filter(|options| !options.delimiter.is_empty()) {
        if target.kind != Kind::Scalar {
            return Err("delimiter option can only be used with scalar nodes".into());
        }
        let mut parts: Vec<&str> = target.value.split(options.delimiter.as_str()).collect();
        let new = if value.is_null() {
            ""
        } else {
            value.value.as_str()
        };
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, new),
            Ok(index) if index >= parts.len() => parts.push(new),
            Ok(index) => parts[index] = new,
        }
        text = parts.join(&options.delimiter);
    }
    if target.kind == Kind::Scalar {
        target.value = text.into();
    } else {
        *target = value.clone();
        target.value = text.into();
        target.shared = 0;
    }
    Ok(())
}

/// Where a path leads.
#[derive(Default)]
struct Hits {
    /// Indexes into `content`, from the root.
    places: Vec<Vec<usize>>,
    /// Hits in a text that is YAML itself; a change there would be lost.
    detached: usize,
    prefix: Vec<usize>,
}

impl Hits {
    fn count(&self) -> usize {
        self.places.len() + self.detached
    }

    fn below<T>(&mut self, index: usize, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.prefix.push(index);
        let result = inner(self);
        self.prefix.pop();
        result
    }
}

/// Follows a path with wildcards and regular expressions (kyaml `PathMatcher`), creating what is missing.
fn find(node: &mut Node, path: &[String], create: Option<Kind>, hits: &mut Hits) -> Result<()> {
    let Some((first, rest)) = path.split_first() else {
        hits.places.push(hits.prefix.clone());
        return Ok(());
    };
    if let Some(index) = atoi(first).and_then(|index| usize::try_from(index).ok()) {
        return find_index(node, index, rest, create, hits);
    }
    if is_match(first) {
        let (name, pattern) = lookup::split_match(first)?;
        return find_elements(node, name, pattern, rest, create, hits);
    }
    if first == "*" {
        field::expect_kind(node, Kind::Sequence)?;
        for index in 0..node.content.len() {
            hits.below(index, |hits| {
                find(&mut node.content[index], rest, create, hits)
            })?;
        }
        return Ok(());
    }
    find_field(node, first, rest, create, hits)
}

fn next_kind(rest: &[String], last: Kind) -> Kind {
    lookup::kind_for(rest.first().map_or("", String::as_str), last)
}

fn find_field(
    node: &mut Node,
    name: &str,
    rest: &[String],
    create: Option<Kind>,
    hits: &mut Hits,
) -> Result<()> {
    let missing = field::get(node, name)?.is_none();
    if missing {
        let Some(kind) = create else { return Ok(()) };
        field::set_field(node, name, field::created(next_kind(rest, kind)))?;
    }
    let Some(position) = node.position(name) else {
        return Ok(());
    };
    let value = &mut node.content[position + 1];
    if value.kind == Kind::Scalar && !rest.is_empty() {
        return find_in_text(value, rest, create, hits);
    }
    hits.below(position + 1, |hits| find(value, rest, create, hits))
}

fn find_in_text(
    scalar: &Node,
    rest: &[String],
    create: Option<Kind>,
    hits: &mut Hits,
) -> Result<()> {
    let parsed = yaml::parse(scalar.value.as_bytes())?;
    let Some(mut document) = parsed else {
        return Err("wrong node kind: expected MappingNode but got : node contents:\n".into());
    };
    let mut inside = Hits::default();
    find(&mut document.root, rest, create, &mut inside)?;
    hits.detached += inside.count();
    Ok(())
}

fn find_index(
    node: &mut Node,
    index: usize,
    rest: &[String],
    create: Option<Kind>,
    hits: &mut Hits,
) -> Result<()> {
    field::expect_kind(node, Kind::Sequence)?;
    if node.content.len() == index
        && let Some(kind) = create
    {
        node.content.push(field::created(next_kind(rest, kind)));
    }
    let length = node.content.len();
    let Some(element) = node.content.get_mut(index) else {
        return Err(format!("index {index} specified but only {length} elements found").into());
    };
    hits.below(index, |hits| find(element, rest, create, hits))
}

fn find_elements(
    node: &mut Node,
    name: &str,
    pattern: &str,
    rest: &[String],
    create: Option<Kind>,
    hits: &mut Hits,
) -> Result<()> {
    field::expect_kind(node, Kind::Sequence)?;
    let regex = selector::compile(pattern)?;
    let before = hits.count();
    visit_elements(node, name, &regex, rest, create, hits)?;
    if hits.count() > before || create.is_none() {
        return Ok(());
    }
    node.content.push(lookup::new_element(name, pattern));
    let made = hits.count();
    visit_elements(node, name, &regex, rest, create, hits)?;
    if hits.count() == made {
        // Upstream recurses without end when what it makes does not match.
        return Err(format!("failed to create element for \"[{name}={pattern}]\"").into());
    }
    Ok(())
}

fn visit_elements(
    node: &mut Node,
    name: &str,
    regex: &Regex,
    rest: &[String],
    create: Option<Kind>,
    hits: &mut Hits,
) -> Result<()> {
    for index in 0..node.content.len() {
        let element = &mut node.content[index];
        if name.is_empty() {
            if regex.is_match(node_text(element).trim()) {
                hits.below(index, |hits| find(element, &[], create, hits))?;
            }
            continue;
        }
        let matches = element
            .get(name)
            .is_some_and(|value| regex.is_match(node_text(value).trim()));
        if matches {
            hits.below(index, |hits| find(element, rest, create, hits))?;
        }
    }
    Ok(())
}
