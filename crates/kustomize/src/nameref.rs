//! Following renames: fields that hold the name of another resource.

use std::cell::RefCell;
use std::collections::HashMap;

use yaml::{Kind, Node, Text};

use crate::error::{BuildError, Result};
use crate::field;
use crate::fieldspec::{FieldSpec, NameReference, apply};
use crate::openapi::OpenApi;
use crate::output;
use crate::resid::{Gvk, ResId, plain_names};
use crate::resmap::ResMap;
use crate::resource::{Resource, same_affixes};

/// What references need to know of a resource, so that it need not be borrowed.
struct Target {
    id: ResId,
    previous: Vec<ResId>,
    name: Text,
    namespace: Text,
    is_service_account: bool,
}

/// Updates all name references.
pub(crate) fn fix(map: &mut ResMap, references: &[NameReference], openapi: &OpenApi) -> Result<()> {
    let targets: Vec<Target> = map
        .resources()
        .iter()
        .map(|resource| Target {
            id: resource.id(openapi),
            previous: resource.previous_ids_in(openapi).collect(),
            name: resource.name().into(),
            namespace: resource.namespace().into(),
            is_service_account: resource.kind() == "ServiceAccount",
        })
        .collect();
    let mut by_name: HashMap<Text, Vec<usize>> = HashMap::new();
    for (at, target) in targets.iter().enumerate() {
        for name in plain_names(&target.previous) {
            by_name.entry(name).or_default().push(at);
        }
    }
    let mut rules: HashMap<Gvk, Vec<(&Gvk, FieldSpec)>> = HashMap::new();
    let referred = RefCell::default();
    for at in 0..targets.len() {
        let original = targets[at].previous.first().unwrap_or(&targets[at].id);
        let gvk = original.gvk.clone();
        let current = targets[at].id.gvk.clone();
        let rules = rules
            .entry(gvk.clone())
            .or_insert_with(|| rules_for(&gvk, references));
        if rules.is_empty() {
            continue;
        }
        let namespaces = binding_namespaces(&map.resources()[at], &targets[at].id)?;
        // Upstream compares what it reads of the object in two ways.
        let written = map.resources()[at].node.get("apiVersion");
        if let Some(null) = written.filter(|node| node.is_null()) {
            return Err(BuildError::new(format!(
                "node-referrerOriginal 'APIVersion' mismatch '' != '{}'",
                null.value
            )));
        }
        let mut node = std::mem::replace(&mut map.resource_mut(at).node, Node::null());
        let result = {
            let fixer = Fixer {
                targets: &targets,
                by_name: &by_name,
                resources: map.resources(),
                referrer: at,
                current: &current,
                binding_namespaces: &namespaces,
                role: role_of(&node),
                referred: &referred,
            };
            rules
                .iter()
                .try_for_each(|(target, spec)| fixer.apply(&mut node, spec, target))
        };
        map.resource_mut(at).node = node;
        result.map_err(|error| {
            let provenance = &map.resources()[at].provenance;
            error.at(&provenance.file, provenance.line as usize)
        })?;
    }
    // Who refers to it is noted among the annotations.
    for at in referred.into_inner() {
        map.resource_mut(at).unshare_annotations();
    }
    Ok(())
}

fn rules_for<'a>(gvk: &Gvk, references: &'a [NameReference]) -> Vec<(&'a Gvk, FieldSpec)> {
    let mut rules = Vec::new();
    for reference in references {
        for spec in &reference.referrers {
            if gvk.is_selected(&spec.gvk) {
                let mut spec = spec.clone();
                // The kind was compared with the original one; the walk shall not compare again.
                spec.gvk = Gvk::default();
                rules.push((&reference.target, spec));
            }
        }
    }
    rules
}

/// The namespaces of the service accounts that a RoleBinding names.
fn binding_namespaces(resource: &Resource, id: &ResId) -> Result<Vec<Text>> {
    if resource.kind() != "RoleBinding" || id.cluster {
        return Ok(Vec::new());
    }
    let mut namespaces = Vec::new();
    let subjects = resource
        .node
        .get("subjects")
        .filter(|node| node.kind == Kind::Sequence);
    for subject in subjects.into_iter().flat_map(|node| &node.content) {
        let (Some(namespace), Some(kind)) = (subject.get("namespace"), subject.get("kind")) else {
            continue;
        };
        if kind.value != "ServiceAccount" {
            continue;
        }
        if namespace.is_null() || !matches!(namespace.plain_value(), Ok(yaml::Plain::Text(_))) {
            return Err(BuildError::new(format!(
                "Invalid Input: namespace is blank for resource \"{id}\"\n"
            )));
        }
        namespaces.push(namespace.value.clone());
    }
    Ok(namespaces)
}

/// Group and kind of the `roleRef`, where there is one.
fn role_of(node: &Node) -> Option<Gvk> {
    let role = node.get("roleRef")?;
    Some(Gvk {
        group: role.get("apiGroup")?.value.clone(),
        version: Text::default(),
        kind: role.get("kind")?.value.clone(),
    })
}

struct Fixer<'a> {
    targets: &'a [Target],
    by_name: &'a HashMap<Text, Vec<usize>>,
    resources: &'a [Resource],
    referrer: usize,
    current: &'a Gvk,
    binding_namespaces: &'a [Text],
    role: Option<Gvk>,
    referred: &'a RefCell<Vec<usize>>,
}

impl Fixer<'_> {
    fn apply(&self, node: &mut Node, spec: &FieldSpec, target: &Gvk) -> Result<()> {
        let role = self
            .role
            .as_ref()
            .filter(|_| spec.path.ends_with("roleRef/name"));
        let result = apply(node, spec, None, &mut |found| self.set(found, target, role));
        result.map_err(|error| {
            let id = &self.targets[self.referrer].id;
            let id = ResId {
                gvk: self.current.clone(),
                ..id.clone()
            };
            error.wrap(format!(
                "updating name reference in '{}' field of '{id}'",
                spec.path
            ))
        })
    }

    fn set(&self, node: &mut Node, target: &Gvk, role: Option<&Gvk>) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        match node.kind {
            Kind::Scalar => self.set_scalar(node, target, role),
            Kind::Mapping => self.set_mapping(node, target, role),
            Kind::Sequence => node
                .content
                .iter_mut()
                .try_for_each(|element| match element.kind {
                    _ if element.is_null() => Ok(()),
                    Kind::Scalar => self.set_scalar(element, target, role),
                    Kind::Mapping => self.set_mapping(element, target, role),
                    _ => Err("expected to be either a string or a map of string".into()),
                }),
            Kind::Alias => Err("node must be a scalar, sequence or map".into()),
        }
    }

    fn set_scalar(&self, node: &mut Node, target: &Gvk, role: Option<&Gvk>) -> Result<()> {
        let found = self.referral(&node.value, target, role, None, |a, b| a.name == b.name)?;
        let Some(found) = found else { return Ok(()) };
        if found.name == node.value {
            return Ok(());
        }
        let mut value = field::untagged(found.name.clone());
        if yaml::is_non_string(&value.value) {
            value.style = yaml::Style::DOUBLE_QUOTED;
        }
        field::set_scalar(node, value)
    }

    fn set_mapping(&self, node: &mut Node, target: &Gvk, role: Option<&Gvk>) -> Result<()> {
        let Some(name) = node.get("name").map(|name| name.value.clone()) else {
            return Err("path config error; no 'name' field in node".into());
        };
        let namespace = node
            .get("namespace")
            .map(|namespace| namespace.value.clone());
        let same = |a: &Target, b: &Target| a.name == b.name && a.namespace == b.namespace;
        let found = self.referral(&name, target, role, namespace.as_ref(), same)?;
        let Some(found) = found else { return Ok(()) };
        if found.name == name && found.namespace.is_empty() {
            return Ok(());
        }
        field::set_field(node, "name", field::untagged(found.name.clone()))?;
        if found.namespace.is_empty() {
            return Ok(());
        }
        field::set_field(node, "namespace", field::untagged(found.namespace.clone()))
    }

    /// Whether the referrer can refer to `target` at all.
    fn is_reachable(&self, target: &Target) -> bool {
        let referrer = &self.targets[self.referrer].id;
        referrer.cluster
            || target.id.cluster
            || target.id.same_namespace(referrer)
            || self.binding_namespaces.contains(&target.namespace)
    }

    /// The resource that was called `name`.
    fn referral(
        &self,
        name: &Text,
        kind: &Gvk,
        role: Option<&Gvk>,
        namespace: Option<&Text>,
        identical: impl Fn(&Target, &Target) -> bool,
    ) -> Result<Option<&Target>> {
        let Some(called) = self.by_name.get(name) else {
            return Ok(None);
        };
        let referrer = &self.targets[self.referrer];
        let mut candidates: Vec<usize> = called
            .iter()
            .copied()
            .filter(|&at| self.is_reachable(&self.targets[at]))
            .collect();
        if let Some(namespace) = namespace {
            candidates = self.in_namespace(candidates, namespace);
        }
        candidates.retain(|&at| {
            let target = &self.targets[at];
            let was = |gvk: &Gvk| target.previous.iter().any(|id| id.gvk.is_selected(gvk));
            was(kind)
                && role.is_none_or(was)
                && (referrer.id.cluster
                    || target.id.cluster
                    || target.is_service_account
                    || target.id.same_namespace(&referrer.id))
        });
        if let [only] = candidates.as_slice() {
            self.referred.borrow_mut().push(*only);
            return Ok(Some(&self.targets[*only]));
        }
        let history = |at: usize| &self.resources[at].history;
        let mine = history(self.referrer);
        candidates.retain(|&at| same_affixes(history(at), mine, true));
        if candidates.len() > 1 {
            candidates.retain(|&at| same_affixes(history(at), mine, false));
        }
        let Some((first, rest)) = candidates.split_first() else {
            return Ok(None);
        };
        self.referred.borrow_mut().push(*first);
        let first = &self.targets[*first];
        if rest.iter().all(|at| identical(first, &self.targets[*at])) {
            return Ok(Some(first));
        }
        Err(self.ambiguous(&candidates))
    }

    /// Candidates by original namespace or, if the namespace held none at first, by the current one.
    fn in_namespace(&self, candidates: Vec<usize>, namespace: &Text) -> Vec<usize> {
        let original = |target: &Target| {
            let id = target.previous.first().unwrap_or(&target.id);
            !id.cluster && id.effective_namespace() == namespace
        };
        let any = self
            .targets
            .iter()
            .any(|target| self.is_reachable(target) && original(target));
        let keep = |at: &usize| {
            let target = &self.targets[*at];
            if any {
                original(target)
            } else {
                !target.id.cluster && target.id.effective_namespace() == namespace
            }
        };
        candidates.into_iter().filter(keep).collect()
    }

    fn ambiguous(&self, candidates: &[usize]) -> BuildError {
        let ids: Vec<_> = candidates
            .iter()
            .map(|at| self.targets[*at].id.to_string())
            .collect();
        let mut message = format!("found multiple possible referrals: {}\n", ids.join(", "));
        message.push_str("\n**** Too many possible referral targets to referrer:\n");
        for (number, at) in candidates.iter().enumerate() {
            let yaml =
                output::to_yaml(&self.resources[*at].node, String::new()).unwrap_or_default();
            message.push_str(&format!("--- possible referral {number}:\n{yaml}\n"));
        }
        BuildError::new(message)
    }
}
