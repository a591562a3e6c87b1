//! The resources of a build, in order, with an index by identity.

use std::collections::{BTreeMap, HashMap};

use yaml::{Node, Text};

use crate::error::{BuildError, Result};
use crate::field;
use crate::openapi::OpenApi;
use crate::resid::{IdKey, ResId};
use crate::resource::{Behavior, ORIGIN, Resource};
use crate::secret;

#[derive(Debug, Default)]
struct Index {
    current: HashMap<IdKey, usize>,
    /// Current and earlier identities. An entry may be out of date; whoever uses it looks again.
    any: HashMap<IdKey, Vec<usize>>,
}

/// Resources with distinct identities.
#[derive(Debug, Default)]
pub(crate) struct ResMap {
    list: Vec<Resource>,
    index: Option<Index>,
}

impl ResMap {
    pub(crate) fn resources(&self) -> &[Resource] {
        &self.list
    }

    /// The resources for changes; what is known of their identities is forgotten.
    pub(crate) fn resources_mut(&mut self) -> &mut Vec<Resource> {
        self.index = None;
        &mut self.list
    }

    /// One resource for a change; the caller says with [`Self::renew`] when its identity changed.
    pub(crate) fn resource_mut(&mut self, at: usize) -> &mut Resource {
        &mut self.list[at]
    }

    /// Notes that the resource at `at` has another identity.
    pub(crate) fn renew(&mut self, at: usize, openapi: &OpenApi) {
        let Some(index) = &mut self.index else { return };
        let resource = &self.list[at];
        *index.current.entry(resource.id(openapi).key()).or_default() += 1;
        index_any(index, at, resource, openapi);
    }

    pub(crate) fn into_resources(self) -> Vec<Resource> {
        self.list
    }

    fn index(&mut self, openapi: &OpenApi) -> &mut Index {
        let list = &self.list;
        self.index.get_or_insert_with(|| {
            let mut index = Index::default();
            for (at, resource) in list.iter().enumerate() {
                *index.current.entry(resource.id(openapi).key()).or_default() += 1;
                index_any(&mut index, at, resource, openapi);
            }
            index
        })
    }

    /// Adds a resource.
    ///
    /// # Errors
    /// One with the same identity is there.
    pub(crate) fn append(&mut self, resource: Resource, openapi: &OpenApi) -> Result<()> {
        let id = resource.id(openapi);
        let index = self.index(openapi);
        let count = index.current.entry(id.key()).or_default();
        if *count > 0 {
            return Err(BuildError::new(format!(
                "may not add resource with an already registered id: {id}"
            ))
            .at(&resource.provenance.file, resource.provenance.line as usize));
        }
        *count = 1;
        self.push(resource, openapi);
        Ok(())
    }

    fn push(&mut self, resource: Resource, openapi: &OpenApi) {
        let at = self.list.len();
        if let Some(index) = &mut self.index {
            index_any(index, at, &resource, openapi);
        }
        self.list.push(resource);
    }

    pub(crate) fn append_all(&mut self, resources: Vec<Resource>, openapi: &OpenApi) -> Result<()> {
        if self.list.is_empty() && self.index.is_none() && resources.len() == 1 {
            // Asking for the scope matters: see `OpenApi`.
            let _ = resources[0].id(openapi);
            self.list = resources;
            return Ok(());
        }
        resources
            .into_iter()
            .try_for_each(|resource| self.append(resource, openapi))
    }

    /// A map of resources that must have distinct identities.
    pub(crate) fn from_resources(resources: Vec<Resource>, openapi: &OpenApi) -> Result<Self> {
        let mut map = Self::default();
        map.append_all(resources, openapi)?;
        Ok(map)
    }

    /// The resources that have or had the identity.
    pub(crate) fn with_any_id(&mut self, id: &ResId, openapi: &OpenApi) -> Vec<usize> {
        let candidates = self
            .index(openapi)
            .any
            .get(&id.key())
            .cloned()
            .unwrap_or_default();
        let mut found: Vec<usize> = candidates
            .into_iter()
            .filter(|&at| {
                let resource = &self.list[at];
                !resource.is_gone()
                    && (resource
                        .previous_ids_in(openapi)
                        .any(|known| known.same(id))
                        || resource.id(openapi).same(id))
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The one resource that has or had the identity.
    pub(crate) fn by_any_id(&mut self, id: &ResId, openapi: &OpenApi) -> Result<usize> {
        let failure = |what: &str| {
            BuildError::new(format!(
                "{what} for Id {id}; failed to find unique target for patch {id}"
            ))
        };
        match self.with_any_id(id, openapi).as_slice() {
            [only] => Ok(*only),
            [] => Err(failure("no matches")),
            _ => Err(failure("multiple matches")),
        }
    }

    /// Carries changes of shared values to all their places.
    pub(crate) fn align_shared(&mut self) {
        self.list.iter_mut().for_each(Resource::align_shared);
    }

    pub(crate) fn drop_gone(&mut self) {
        if self.list.iter().any(Resource::is_gone) {
            self.index = None;
            self.list.retain(|resource| !resource.is_gone());
        }
    }

    /// Fails if two resources have the same identity.
    pub(crate) fn check_distinct(&mut self, openapi: &OpenApi) -> Result<()> {
        let list = std::mem::take(&mut self.list);
        self.index = None;
        list.into_iter()
            .try_for_each(|resource| self.append(resource, openapi))
    }

    /// Takes in generated resources, which may replace or merge with those that are there.
    pub(crate) fn absorb(
        &mut self,
        resource: Resource,
        openapi: &OpenApi,
        normalize_secrets: bool,
    ) -> Result<()> {
        let id = resource.id(openapi);
        let behavior = resource.history.behavior.unwrap_or_default();
        match self.with_any_id(&id, openapi).as_slice() {
            [] if matches!(behavior, Behavior::Merge | Behavior::Replace) => {
                Err(BuildError::new(format!(
                    "id {} does not exist; cannot merge or replace",
                    id.go_syntax()
                )))
            }
            [] => self.append(resource, openapi),
            [at] => {
                let at = *at;
                let merged =
                    merge_generated(resource, &self.list[at], behavior, &id, normalize_secrets)?;
                if !merged.id(openapi).same(&self.list[at].id(openapi)) {
                    return Err("unexpected target index in replacement".into());
                }
                self.list[at] = merged;
                self.renew(at, openapi);
                Ok(())
            }
            found => {
                let found: Vec<_> = found
                    .iter()
                    .map(|at| self.list[*at].id(openapi).to_string())
                    .collect();
                Err(BuildError::new(format!(
                    "found multiple objects [{}] that could accept merge of {id}",
                    found.join(" ")
                )))
            }
        }
    }
}

fn index_any(index: &mut Index, at: usize, resource: &Resource, openapi: &OpenApi) {
    let current = std::iter::once(resource.id(openapi));
    for id in resource.previous_ids_in(openapi).chain(current) {
        let places = index.any.entry(id.key()).or_default();
        if places.last() != Some(&at) {
            places.push(at);
        }
    }
}

impl Resource {
    /// The earlier identities with their scopes.
    pub(crate) fn previous_ids_in<'a>(
        &'a self,
        openapi: &'a OpenApi,
    ) -> impl Iterator<Item = ResId> + 'a {
        let api_version = self.api_version();
        self.previous_ids().map(move |mut id| {
            id.cluster = openapi.is_cluster_scoped(api_version, &id.gvk.kind);
            id
        })
    }
}

fn merge_generated(
    mut new: Resource,
    old: &Resource,
    behavior: Behavior,
    id: &ResId,
    normalize_secrets: bool,
) -> Result<Resource> {
    match behavior {
        Behavior::Replace => copy_metadata(&mut new, old)?,
        Behavior::Merge => {
            let origin = old.annotation(ORIGIN).map(str::to_owned);
            let normalized;
            let mut data_source = &old.node;
            if normalize_secrets && new.api_version() == "v1" && new.kind() == "Secret" {
                normalized = secret::with_encoded_string_data(&old.node).map_err(|error| {
                    error.wrap(format!("failed to normalize stringData for {id}"))
                })?;
                data_source = &normalized;
            }
            copy_metadata(&mut new, old)?;
            merge_data(&mut new.node, data_source, "data")?;
            merge_data(&mut new.node, &old.node, "binaryData")?;
            if origin.is_some() {
                new.set_annotation(ORIGIN, origin.as_deref())?;
            }
        }
        Behavior::Unspecified | Behavior::Create => {
            return Err(BuildError::new(format!(
                "id {} exists; can not use behavior: '{}', behavior must be merge or replace",
                id.go_syntax(),
                behavior.name()
            )));
        }
    }
    Ok(new)
}

/// Labels and annotations of both (the new ones win); name, namespace and history of the old one.
pub(crate) fn copy_metadata(new: &mut Resource, old: &Resource) -> Result<()> {
    for field in ["labels", "annotations"] {
        let mut merged = old.meta_map(field);
        merged.extend(new.meta_map(field));
        new.set_meta_map(field, &merged)?;
    }
    let needs_hash = new.history.needs_hash && old.history.needs_hash;
    new.history = old.history.clone();
    new.history.needs_hash = needs_hash;
    new.set_name(old.name())?;
    new.set_namespace(old.namespace())?;
    new.vars.clone_from(&old.vars);
    Ok(())
}

fn merge_data(new: &mut Node, old: &Node, field: &str) -> Result<()> {
    let map = |node: &Node| -> BTreeMap<Text, Text> {
        let pairs = node.get(field).into_iter().flat_map(Node::pairs);
        pairs
            .map(|(key, value)| {
                (
                    key.value.clone(),
                    if value.is_null() {
                        Text::default()
                    } else {
                        value.value.clone()
                    },
                )
            })
            .collect()
    };
    let mut merged = map(old);
    merged.extend(map(new));
    new.remove(field);
    for (key, value) in merged {
        if let Some(data) = field::get_or_create(new, field, yaml::Kind::Mapping)? {
            field::set_field(data, &key, field::string_node(&value))?;
        }
    }
    Ok(())
}
