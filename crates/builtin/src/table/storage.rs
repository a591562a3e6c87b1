//! Volumes, claims and classes.

use object::Value;

use super::Printer;
use super::view::View;

/// Access modes in their short forms, in the order of strength.
fn access_modes(modes: View<'_>) -> String {
    let shown: Vec<&str> = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ]
    .into_iter()
    .filter(|(mode, _)| modes.items().any(|item| item.as_text() == *mode))
    .map(|(_, short)| short)
    .collect();
    shown.join(",")
}

/// The storage class: the annotation of old wins over the field.
fn class(object: View<'_>) -> Value {
    let annotation = object
        .at("/metadata/annotations")
        .key("volume.beta.kubernetes.io/storage-class");
    let class = if annotation.0.is_string() {
        annotation
    } else {
        object.at("/spec/storageClassName")
    };
    Value::from(class.as_text())
}

fn phase(object: View<'_>) -> Value {
    let terminating = object.is_set("/metadata/deletionTimestamp");
    Value::from(if terminating {
        "Terminating"
    } else {
        object.text("/status/phase")
    })
}

pub(super) fn persistent_volume(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let claim = object.at("/spec/claimRef");
    let claim = if claim.0.is_null() {
        String::new()
    } else {
        format!("{}/{}", claim.text("/namespace"), claim.text("/name"))
    };
    vec![
        printer.name(),
        Value::from(object.printed_or("/spec/capacity/storage", "0")),
        Value::from(access_modes(object.at("/spec/accessModes"))),
        printer.text("/spec/persistentVolumeReclaimPolicy"),
        phase(object),
        Value::from(claim),
        class(object),
        Value::from(object.printed_or("/spec/volumeAttributesClassName", "<unset>")),
        printer.text("/status/reason"),
        printer.age(),
        Value::from(object.printed_or("/spec/volumeMode", "<unset>")),
    ]
}

pub(super) fn persistent_volume_claim(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let bound = !object.text("/spec/volumeName").is_empty();
    let (capacity, modes) = if bound {
        (
            object.printed_or("/status/capacity/storage", "0"),
            access_modes(object.at("/status/accessModes")),
        )
    } else {
        (String::new(), String::new())
    };
    vec![
        printer.name(),
        phase(object),
        printer.text("/spec/volumeName"),
        Value::from(capacity),
        Value::from(modes),
        class(object),
        Value::from(object.printed_or("/spec/volumeAttributesClassName", "<unset>")),
        printer.age(),
        Value::from(object.printed_or("/spec/volumeMode", "<unset>")),
    ]
}

pub(super) fn storage_class(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let annotations = object.at("/metadata/annotations");
    let is_default = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ]
    .into_iter()
    .any(|key| annotations.key(key).as_text() == "true");
    let name = object.text("/metadata/name");
    vec![
        Value::from(if is_default {
            format!("{name} (default)")
        } else {
            name.to_owned()
        }),
        printer.text("/provisioner"),
        Value::from(object.printed_or("/reclaimPolicy", "Delete")),
        Value::from(object.printed_or("/volumeBindingMode", "Immediate")),
        Value::from(object.truth("/allowVolumeExpansion")),
        printer.age(),
    ]
}

pub(super) fn csi_driver(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let modes: Vec<&str> = object
        .list("/spec/volumeLifecycleModes")
        .map(View::as_text)
        .collect();
    let tokens = if object.is_set("/spec/tokenRequests") {
        let audiences: Vec<&str> = object
            .list("/spec/tokenRequests")
            .map(|request| request.text("/audience"))
            .collect();
        audiences.join(",")
    } else {
        "<unset>".to_owned()
    };
    vec![
        printer.name(),
        Value::from(
            object
                .at("/spec/attachRequired")
                .0
                .as_bool()
                .unwrap_or(true),
        ),
        Value::from(object.truth("/spec/podInfoOnMount")),
        Value::from(object.truth("/spec/storageCapacity")),
        Value::from(tokens),
        Value::from(object.truth("/spec/requiresRepublish")),
        Value::from(if modes.is_empty() {
            "<none>".to_owned()
        } else {
            modes.join(",")
        }),
        printer.age(),
    ]
}

pub(super) fn volume_attachment(printer: Printer<'_>) -> Vec<Value> {
    vec![
        printer.name(),
        printer.text("/spec/attacher"),
        printer.text("/spec/source/persistentVolumeName"),
        printer.text("/spec/nodeName"),
        Value::from(printer.object.truth("/status/attached")),
        printer.age(),
    ]
}
