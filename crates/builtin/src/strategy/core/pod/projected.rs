//! Volumes that project several sources, and the downward API in volumes.

use object::names;

use super::env::{FieldPaths, field_selector, resource_selector};
use crate::strategy::core::paths::{file_mode, local_non_reserved};
use crate::strategy::core::volume_source::key_to_path;
use crate::strategy::node::{Errors, Node};

/// A `projected` volume.
pub(crate) fn validate(errors: &mut Errors, volume: &Node<'_>) {
    file_mode(errors, &volume.get("defaultMode"));
    let mut paths = Paths {
        volume: volume.clone(),
        seen: Vec::new(),
    };
    for source in volume.get("sources").items() {
        let mut count = 0;
        for (field, check) in SOURCES {
            let node = source.get(field);
            if node.is_set() {
                count += 1;
                check(errors, &node, &mut paths);
            }
        }
        if count > 1 {
            errors.forbidden(
                &source,
                "may not specify more than 1 volume type per source",
            );
        }
    }
}

type Check = fn(&mut Errors, &Node<'_>, &mut Paths<'_>);

const SOURCES: &[(&str, Check)] = &[
    ("secret", keys),
    ("configMap", keys),
    ("downwardAPI", |errors, node, paths| {
        for file in node.get("items").items() {
            downward_file(errors, &file.placed(node.path().clone()));
            let path = file.get("path").text();
            paths.add(errors, path, path);
        }
    }),
    ("serviceAccountToken", token),
];

/// The paths of all sources of a volume, which have to differ.
struct Paths<'a> {
    volume: Node<'a>,
    seen: Vec<String>,
}

impl Paths<'_> {
    fn add(&mut self, errors: &mut Errors, path: &str, shown: &str) {
        if path.is_empty() {
            return;
        }
        if self.seen.iter().any(|seen| seen == path) {
            errors.invalid(&self.volume, shown, "conflicting duplicate paths");
        } else {
            self.seen.push(path.to_owned());
        }
    }
}

fn keys(errors: &mut Errors, node: &Node<'_>, paths: &mut Paths<'_>) {
    let name = node.get("name");
    errors.present(&name);
    for item in node.get("items").items() {
        key_to_path(errors, &item);
        paths.add(errors, item.get("path").text(), name.text());
    }
}

fn token(errors: &mut Errors, node: &Node<'_>, paths: &mut Paths<'_>) {
    let expiration = node.get("expirationSeconds");
    if expiration.int() < 600 {
        errors.invalid(
            &expiration,
            expiration.int(),
            "may not specify a duration less than 10 minutes",
        );
    }
    if expiration.int() > 1 << 32 {
        errors.invalid(
            &expiration,
            expiration.int(),
            "may not specify a duration larger than 2^32 seconds",
        );
    }
    // Upstream reports this path at the volume, kept.
    let path = node.get("path").placed(paths.volume.path().child("path"));
    if path.is_empty() {
        errors.required(&path, "");
    } else {
        local_non_reserved(errors, &path, path.text());
    }
}

/// A `downwardAPI` volume; the volume is the place of its files' errors.
pub(crate) fn downward_api(errors: &mut Errors, volume: &Node<'_>) {
    file_mode(errors, &volume.get("defaultMode"));
    for file in volume.get("items").items() {
        downward_file(errors, &file.placed(volume.path().clone()));
    }
}

fn downward_file(errors: &mut Errors, file: &Node<'_>) {
    const FIELDS: FieldPaths = &[
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
    ];
    let path = file.get("path");
    errors.present(&path);
    local_non_reserved(errors, &path, path.text());
    let (field, resource) = (file.get("fieldRef"), file.get("resourceFieldRef"));
    if field.is_set() {
        field_selector(errors, &field, FIELDS);
        if resource.is_set() {
            let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
            errors.invalid(file, "resource", detail);
        }
    } else if resource.is_set() {
        resource_selector(errors, &resource, true);
    } else {
        errors.required(file, "one of fieldRef and resourceFieldRef is required");
    }
    file_mode(errors, &file.get("mode"));
}

/// The name of a key's file in an environment.
pub(crate) fn volume_name(errors: &mut Errors, node: &Node<'_>) {
    if node.is_empty() {
        errors.required(node, "");
    } else {
        errors.format(node, names::dns1123_label);
    }
}
