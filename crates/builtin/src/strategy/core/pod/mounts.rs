//! Where containers see volumes: mounts and block devices.

use std::collections::HashMap;

use crate::strategy::core::paths::local_descending;
use crate::strategy::node::{Errors, Node};

/// The volumes of a pod by name, with whether they are claims (which can be used as block devices).
pub(crate) type Volumes<'a> = HashMap<&'a str, bool>;

/// `volumeMounts` of a container.
pub(crate) fn validate_mounts(errors: &mut Errors, container: &Node<'_>, volumes: &Volumes<'_>) {
    let mounts = container.get("volumeMounts");
    let devices = container.get("volumeDevices");
    let mut seen: Vec<&str> = Vec::new();
    for mount in mounts.items() {
        let (name, path) = (mount.get("name"), mount.get("mountPath"));
        errors.present(&name);
        if !volumes.contains_key(name.text()) {
            errors.not_found(&name, name.text());
        }
        errors.present(&path);
        if seen.contains(&path.text()) {
            errors.invalid(&path, path.text(), "must be unique");
        }
        seen.push(path.text());
        if devices
            .items()
            .any(|device| device.get("name").is(name.text()))
        {
            errors.invalid(
                &name,
                name.text(),
                "must not already exist in volumeDevices",
            );
        }
        if devices
            .items()
            .any(|device| device.get("devicePath").is(path.text()))
        {
            let detail = "must not already exist as a path in volumeDevices";
            errors.invalid(&path, path.text(), detail);
        }
        sub_paths(errors, &mounts, &mount);
        propagation(errors, &mounts, &mount, container);
        recursive_read_only(errors, &mounts, &mount);
    }
}

/// Upstream reports these at the list, kept.
fn sub_paths(errors: &mut Errors, mounts: &Node<'_>, mount: &Node<'_>) {
    let (path, expression) = (mount.get("subPath"), mount.get("subPathExpr"));
    if !path.is_empty() {
        local_descending(errors, &mounts.path().child("subPath"), path.text());
    }
    if !expression.is_empty() {
        if !path.is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&expression, expression.text(), detail);
        }
        local_descending(
            errors,
            &mounts.path().child("subPathExpr"),
            expression.text(),
        );
    }
}

fn propagation(errors: &mut Errors, mounts: &Node<'_>, mount: &Node<'_>, container: &Node<'_>) {
    let mode = mount
        .get("mountPropagation")
        .placed(mounts.path().child("mountPropagation"));
    if !mode.is_set() {
        return;
    }
    errors.one_of(&mode, &["Bidirectional", "HostToContainer", "None"]);
    if mode.is("Bidirectional") && !container.get("securityContext.privileged").truth() {
        let detail = "Bidirectional mount propagation is available only to privileged containers";
        errors.forbidden(&mode, detail);
    }
}

fn recursive_read_only(errors: &mut Errors, mounts: &Node<'_>, mount: &Node<'_>) {
    let mode = mount
        .get("recursiveReadOnly")
        .placed(mounts.path().child("recursiveReadOnly"));
    if !mode.is_set() || mode.is("Disabled") {
        return;
    }
    if !mode.is("Enabled") && !mode.is("IfPossible") {
        return errors.unsupported(&mode, mode.text(), &["Disabled", "Enabled", "IfPossible"]);
    }
    if !mount.get("readOnly").truth() {
        errors.forbidden(&mode, "may only be specified when readOnly is true");
    }
    let propagation = mount.get("mountPropagation");
    if propagation.is_set() && !propagation.is("None") {
        let detail = "may only be specified when mountPropagation is None or not specified";
        errors.forbidden(&mode, detail);
    }
}

/// `volumeDevices` of a container.
pub(crate) fn validate_devices(errors: &mut Errors, container: &Node<'_>, volumes: &Volumes<'_>) {
    let mounts = container.get("volumeMounts");
    let (mut names, mut paths): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for device in container.get("volumeDevices").items() {
        let (name, path) = (device.get("name"), device.get("devicePath"));
        errors.present(&name);
        if names.contains(&name.text()) {
            errors.invalid(&name, name.text(), "must be unique");
        }
        match volumes.get(name.text()) {
            Some(false) => errors.invalid(
                &name,
                name.text(),
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
            ),
            None => errors.not_found(&name, name.text()),
            Some(true) => {}
        }
        errors.present(&path);
        if paths.contains(&path.text()) {
            errors.invalid(&path, path.text(), "must be unique");
        }
        if path.text().split('/').any(|part| part == "..") {
            errors.invalid(&path, path.text(), "can not contain backsteps ('..')");
        } else {
            paths.push(path.text());
        }
        if mounts
            .items()
            .any(|mount| mount.get("name").is(name.text()))
        {
            errors.invalid(&name, name.text(), "must not already exist in volumeMounts");
        }
        if mounts
            .items()
            .any(|mount| mount.get("mountPath").is(path.text()))
        {
            let detail = "must not already exist as a path in volumeMounts";
            errors.invalid(&path, path.text(), detail);
        }
        if !name.is_empty() {
            names.push(name.text());
        }
    }
}
