//! CustomResourceDefinitions themselves: their defaults, their rules and whether their names are free.
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/{validation,v1}`, `pkg/controller/status`.

mod conversion;
mod defaults;
mod internal;
mod naming;
mod openapi;
mod spec;

use object::GroupVersion;
use object::field::{Error, ErrorList, Path};
use serde_json::{Map, Value};

use crate::cel::url::Url;
use crate::names;
use crate::objectmeta;
use internal::Definition;
use spec::Options;

pub use defaults::set_defaults;
pub use naming::{Acceptance, AcceptedNames, Condition, Names, accept};

/// The annotation by which definitions of protected groups are approved.
const APPROVED: &str = "api-approved.kubernetes.io";

/// What is wrong with a new definition, in version `v1`.
pub fn validate_create(definition: &Value) -> ErrorList {
    let crd = Definition::new(definition);
    let mut errors = Vec::new();
    let metadata = object_at(definition, "metadata");
    let path = Path::new("metadata");
    create_metadata(&crd, metadata, &path, &mut errors);
    spec::validate(&crd, &Options::for_create(), &mut errors);
    status(&crd, &mut errors);
    approval(definition, None, &crd, &mut errors);
    preserve_unknown(&crd, None, &mut errors);
    errors
}

/// What is wrong with a definition that takes the place of `old`.
pub fn validate_update(definition: &Value, old: &Value) -> ErrorList {
    let crd = Definition::new(definition);
    let old_crd = Definition::new(old);
    let mut errors = Vec::new();
    objectmeta::validate_update(definition, old, &mut errors);
    let options = Options::for_update(&crd, &old_crd);
    spec::validate(&crd, &options, &mut errors);
    immutable_fields(&crd, &old_crd, options.immutable_names, &mut errors);
    status(&crd, &mut errors);
    approval(definition, Some(old), &crd, &mut errors);
    preserve_unknown(&crd, Some(&old_crd), &mut errors);
    errors
}

/// What is wrong with a new status of a definition.
pub fn validate_status_update(definition: &Value, old: &Value) -> ErrorList {
    let crd = Definition::new(definition);
    let mut errors = Vec::new();
    objectmeta::validate_update(definition, old, &mut errors);
    accepted_names(&crd, &mut errors);
    errors
}

pub(crate) fn object_at<'a>(value: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
    value.get(key).and_then(Value::as_object)
}

fn create_metadata(
    crd: &Definition<'_>,
    metadata: Option<&Map<String, Value>>,
    path: &Path,
    errors: &mut ErrorList,
) {
    let empty = Map::new();
    let metadata = metadata.unwrap_or(&empty);
    let text = |key: &str| {
        metadata
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let required = format!("{}.{}", crd.names.text("plural"), crd.group);
    let check = |name: &str, prefix: bool| {
        let masked = if prefix {
            names::mask_trailing_dash(name)
        } else {
            name.to_owned()
        };
        let mut found = names::dns1123_subdomain(&masked);
        if name != required {
            found.push("must be spec.names.plural+\".\"+spec.group".to_owned());
        }
        found
    };
    let generate_name = text("generateName");
    if !generate_name.is_empty() {
        for detail in check(generate_name, true) {
            errors.push(Error::invalid(
                &path.child("generateName"),
                generate_name,
                detail,
            ));
        }
    }
    let name = text("name");
    if name.is_empty() {
        errors.push(Error::required(
            &path.child("name"),
            "name or generateName is required",
        ));
    } else {
        for detail in check(name, false) {
            errors.push(Error::invalid(&path.child("name"), name, detail));
        }
    }
    if !text("namespace").is_empty() {
        errors.push(Error::forbidden(
            &path.child("namespace"),
            "not allowed on this type",
        ));
    }
    objectmeta::validate_new(path, metadata, errors);
}

fn immutable_fields(
    crd: &Definition<'_>,
    old: &Definition<'_>,
    names: bool,
    errors: &mut ErrorList,
) {
    let spec = Path::new("spec");
    let mut check = |path: Path, new: &str, old: &str| {
        if new != old {
            errors.push(Error::invalid(&path, new, "field is immutable"));
        }
    };
    let place = spec.child("names");
    if names {
        check(spec.child("scope"), crd.scope, old.scope);
        check(
            place.child("kind"),
            crd.names.text("kind"),
            old.names.text("kind"),
        );
    }
    check(spec.child("group"), crd.group, old.group);
    check(
        place.child("plural"),
        crd.names.text("plural"),
        old.names.text("plural"),
    );
}

fn accepted_names(crd: &Definition<'_>, errors: &mut ErrorList) {
    spec::validate_names(
        &crd.accepted,
        &Path::new("status").child("acceptedNames"),
        errors,
    );
}

fn status(crd: &Definition<'_>, errors: &mut ErrorList) {
    accepted_names(crd, errors);
    let path = Path::new("status").child("storedVersions");
    if crd.stored_versions.is_empty() {
        let shown = crd.raw_stored_versions.cloned().unwrap_or_default();
        errors.push(Error::invalid(
            &path,
            shown,
            "must have at least one stored version",
        ));
        return;
    }
    let stored = || Value::from(crd.stored_versions.clone());
    // A second version of the same name does not find it again.
    let mut left = crd.stored_versions.clone();
    for version in &crd.versions {
        if version.storage && !left.contains(&version.name) {
            let detail = format!("must have the storage version {}", version.name);
            errors.push(Error::invalid(&path, stored(), detail));
        }
        left.retain(|name| *name != version.name);
    }
    for (index, name) in crd.stored_versions.iter().enumerate() {
        if left.contains(name) {
            let detail = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            errors.push(Error::invalid(&path.index(index), *name, detail));
        }
    }
}

#[derive(PartialEq)]
enum Approval {
    Missing,
    Bypassed,
    Approved,
    Invalid,
}

fn approval_of(definition: &Value) -> (Approval, &str) {
    let annotation = object::meta::annotation(definition, APPROVED).unwrap_or_default();
    let is_url = || {
        Url::parse_request_uri(annotation)
            .is_ok_and(|url| !url.host.is_empty() && !url.scheme.is_empty())
    };
    let state = if annotation.is_empty() {
        Approval::Missing
    } else if annotation.starts_with("unapproved") {
        Approval::Bypassed
    } else if is_url() {
        Approval::Approved
    } else {
        Approval::Invalid
    };
    (state, annotation)
}

fn approval(definition: &Value, old: Option<&Value>, crd: &Definition<'_>, errors: &mut ErrorList) {
    const SEE: &str = "see https://github.com/kubernetes/enhancements/pull/1111";
    let is_protected = ["k8s.io", "kubernetes.io"].iter().any(|domain| {
        crd.group == *domain
            || crd
                .group
                .strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.'))
    });
    let (state, annotation) = approval_of(definition);
    if !is_protected || old.is_some_and(|old| approval_of(old).0 == state) {
        return;
    }
    let path = Path::new("metadata").child("annotations").key(APPROVED);
    let head = format!("protected groups must have approval annotation \"{APPROVED}\"");
    match state {
        Approval::Missing => errors.push(Error::required(&path, format!("{head}, {SEE}"))),
        Approval::Invalid => {
            let detail =
                format!("{head} with either a URL or a reason starting with \"unapproved\", {SEE}");
            errors.push(Error::invalid(&path, annotation, detail));
        }
        Approval::Approved | Approval::Bypassed => {}
    }
}

fn preserve_unknown(crd: &Definition<'_>, old: Option<&Definition<'_>>, errors: &mut ErrorList) {
    if crd.preserve_unknown && !old.is_some_and(|old| old.preserve_unknown) {
        errors.push(Error::invalid(
            &Path::new("spec").child("preserveUnknownFields"),
            true,
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        ));
    }
}

/// The `apiVersion` of a version of a definition.
pub fn api_version(definition: &Value, version: &str) -> String {
    let group = definition
        .pointer("/spec/group")
        .and_then(Value::as_str)
        .unwrap_or_default();
    GroupVersion::new(group, version).to_string()
}
