//! The namespace transformer.

use std::collections::HashMap;

use yaml::{Kind, Node, Tag};

use super::Scene;
use crate::error::{BuildError, Context as _, Result};
use crate::field;
use crate::fieldspec::{Create, FieldSpec, apply};
use crate::resid::root_text;
use crate::resmap::ResMap;
use crate::resource::HELM_GENERATED;

/// Which subjects of role bindings get the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SubjectMode {
    /// Those named `default`.
    #[default]
    Default,
    /// All service accounts.
    AllServiceAccounts,
    /// None.
    None,
}

impl SubjectMode {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "" | "defaultOnly" => Ok(Self::Default),
            "allServiceAccounts" => Ok(Self::AllServiceAccounts),
            "none" => Ok(Self::None),
            other => Err(format!(
                "invalid value {other:?} for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \"allServiceAccounts\""
            )
            .into()),
        }
    }
}

/// Moves all resources into a namespace.
///
/// # Errors
/// Two resources become the same.
pub(super) fn apply_to_all(
    map: &mut ResMap,
    namespace: &str,
    specs: &[FieldSpec],
    unset_only: bool,
    subjects: SubjectMode,
    scene: &Scene<'_>,
) -> Result<()> {
    if namespace.is_empty() {
        return Ok(());
    }
    let openapi = scene.openapi;
    let resources = map.resources_mut();
    let mut counts: HashMap<_, usize> = HashMap::with_capacity(resources.len());
    for resource in resources.iter() {
        *counts.entry(resource.id(openapi).key()).or_default() += 1;
    }
    for at in 0..resources.len() {
        let resource = &mut resources[at];
        if resource.is_gone() || resource.annotation(HELM_GENERATED) == Some("true") {
            continue;
        }
        if let Some(count) = counts.get_mut(&resource.id(openapi).key()) {
            *count -= 1;
        }
        resource.store_previous_id(openapi);
        apply_to_one(
            &mut resource.node,
            namespace,
            specs,
            unset_only,
            subjects,
            scene,
        )?;
        let id = resource.id(openapi);
        let count = counts.entry(id.key()).or_default();
        *count += 1;
        if *count != 1 {
            let same: Vec<_> = resources
                .iter()
                .filter(|other| other.id(openapi).same(&id))
                .map(|other| {
                    crate::output::to_json(&other.node)
                        .map_or_else(|error| error.message, |json| json.to_string())
                })
                .collect();
            return Err(BuildError::new(format!(
                "namespace transformation produces ID conflict: [{}]",
                same.join(" ")
            )));
        }
    }
    Ok(())
}

fn is_role_binding(kind: &str) -> bool {
    kind == "RoleBinding" || kind == "ClusterRoleBinding"
}

pub(super) fn apply_to_one(
    node: &mut Node,
    namespace: &str,
    specs: &[FieldSpec],
    unset_only: bool,
    subjects: SubjectMode,
    scene: &Scene<'_>,
) -> Result<()> {
    let api_version = root_text(node, "apiVersion").to_owned();
    let kind = root_text(node, "kind").to_owned();
    let mut set = |target: &mut Node| {
        if unset_only
            && !target.is_nil_or_empty()
            && target.kind == Kind::Scalar
            && !target.value.is_empty()
        {
            return Ok(());
        }
        field::set_scalar(target, Node::string(namespace))
    };
    let mut create = Create {
        kind: Kind::Scalar,
        tag: Tag::None,
    };
    if !scene.openapi.is_cluster_scoped(&api_version, &kind) {
        let own = FieldSpec::anywhere("metadata/namespace", true);
        apply(node, &own, Some(&create), &mut set)?;
    }
    let binding = is_role_binding(&kind);
    if binding {
        set_subjects(node, subjects, &mut set)?;
    }
    create.tag = Tag::Str;
    for spec in specs {
        let own = spec.path == "metadata/namespace"
            || (spec.path == "metadata/name" && api_version != "v1");
        let subject =
            binding && is_role_binding(&spec.gvk.kind) && spec.path == "subjects/namespace";
        if own || subject {
            continue;
        }
        apply(node, spec, Some(&create), &mut set).map_err(|error| {
            if error
                .message
                .contains("wrong node kind: expected ScalarNode")
            {
                error.wrap("namespace field specs must target scalar nodes")
            } else {
                error.wrap("namespace transformation failed")
            }
        })?;
    }
    Ok(())
}

fn set_subjects(
    node: &mut Node,
    mode: SubjectMode,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let (field, wanted) = match mode {
        SubjectMode::None => return Ok(()),
        SubjectMode::Default => ("name", "default"),
        SubjectMode::AllServiceAccounts => ("kind", "ServiceAccount"),
    };
    let Some(subjects) = node
        .get_mut("subjects")
        .filter(|subjects| !subjects.is_null())
    else {
        return Ok(());
    };
    let context = "setting namespace on (cluster)role binding subjects";
    field::expect_kind(subjects, Kind::Sequence).context(context)?;
    for subject in &mut subjects.content {
        let found = field::get(subject, field)
            .context(format!(
                "looking up {field} on (cluster)role binding subject"
            ))
            .context(context)?;
        if let Some(found) = found.filter(|found| !found.is_null()) {
            field::expect_kind(found, Kind::Scalar)
                .context(format!(
                    "looking up {field} on (cluster)role binding subject"
                ))
                .context(context)?;
        }
        if !found.is_some_and(|found| !found.is_null() && found.value == wanted) {
            continue;
        }
        if let Some(target) = field::get_or_create(subject, "namespace", Kind::Scalar)? {
            if target.is_null() {
                *target = field::untagged("");
            }
            set(target).context(context)?;
        }
    }
    Ok(())
}
