//! The sources of volumes, of pods and of PersistentVolumes.
//!
//! Source: `pkg/apis/core/validation` (`validateVolumeSource`, `ValidatePersistentVolumeSpec`).

use object::names;
use regex::Regex;
use std::sync::LazyLock;

use super::paths::{file_mode, local_descending, local_non_reserved, no_backsteps};
use crate::strategy::node::{Errors, Node};

/// One kind of source: its field, how errors name it if there is another, where its own errors are, its check.
pub(crate) struct Source {
    pub(crate) field: &'static str,
    /// The name in "may not specify more than 1 volume type".
    pub(crate) shown: &'static str,
    /// The name in the paths of its errors.
    pub(crate) inner: &'static str,
    pub(crate) validate: fn(&mut Errors, &Node<'_>),
}

const fn source(field: &'static str, validate: fn(&mut Errors, &Node<'_>)) -> Source {
    Source {
        field,
        shown: field,
        inner: field,
        validate,
    }
}

const HOST_PATH: Source = source("hostPath", host_path);
/// Upstream names the disk otherwise in its errors.
const GCE: Source = Source {
    field: "gcePersistentDisk",
    shown: "gcePersistentDisk",
    inner: "persistentDisk",
    validate: |errors, node| {
        required(errors, node, &["pdName"]);
        partition(errors, node);
    },
};
const AWS: Source = source("awsElasticBlockStore", |errors, node| {
    required(errors, node, &["volumeID"]);
    partition(errors, node);
});
const CEPHFS: Source = Source {
    field: "cephfs",
    shown: "cephFS",
    inner: "cephfs",
    validate: |errors, node| required(errors, node, &["monitors"]),
};
const NFS: Source = source("nfs", nfs);
const RBD: Source = source("rbd", |errors, node| {
    required(errors, node, &["monitors", "image"])
});
const FLOCKER: Source = source("flocker", flocker);
const QUOBYTE: Source = source("quobyte", quobyte);
const FC: Source = source("fc", fc);
const FLEX: Source = source("flexVolume", flex);
const AZURE_DISK: Source = source("azureDisk", azure_disk);
const VSPHERE: Source = source("vsphereVolume", |errors, node| {
    required(errors, node, &["volumePath"])
});
const PHOTON: Source = source("photonPersistentDisk", |errors, node| {
    required(errors, node, &["pdID"])
});
const PORTWORX: Source = source("portworxVolume", |errors, node| {
    required(errors, node, &["volumeID"])
});
const SCALE_IO: Source = source("scaleIO", |errors, node| {
    required(errors, node, &["gateway", "system", "volumeName"]);
});

/// The sources of a pod's volumes in the order of upstream's checks; `emptyDir`, `projected`, `ephemeral` and
/// `image` are checked by the caller.
pub(crate) const POD: &[Source] = &[
    HOST_PATH,
    source("gitRepo", |errors, node| {
        required(errors, node, &["repository"]);
        let directory = node.get("directory");
        local_descending(errors, &directory, directory.text());
    }),
    GCE,
    AWS,
    source("secret", |errors, node| {
        required(errors, node, &["secretName"]);
        mode_and_items(errors, node);
    }),
    NFS,
    source("iscsi", |errors, node| {
        iscsi(
            errors,
            node,
            "must be valid format starting with iqn, eui, or naa",
        )
    }),
    source("glusterfs", |errors, node| {
        required(errors, node, &["endpoints", "path"])
    }),
    FLOCKER,
    source("persistentVolumeClaim", |errors, node| {
        required(errors, node, &["claimName"])
    }),
    RBD,
    source("cinder", |errors, node| {
        required(errors, node, &["volumeID"]);
        secret_name(errors, node, "secretRef");
    }),
    CEPHFS,
    QUOBYTE,
    // Upstream's spelling, kept.
    Source {
        field: "downwardAPI",
        shown: "downwarAPI",
        inner: "downwardAPI",
        validate: super::pod::projected::downward_api,
    },
    FC,
    FLEX,
    source("configMap", |errors, node| {
        required(errors, node, &["name"]);
        mode_and_items(errors, node);
    }),
    source("azureFile", |errors, node| {
        required(errors, node, &["secretName", "shareName"])
    }),
    VSPHERE,
    PHOTON,
    PORTWORX,
    AZURE_DISK,
    source("storageos", |errors, node| {
        storage_os(errors, node);
        secret_name(errors, node, "secretRef");
    }),
    source("projected", super::pod::projected::validate),
    SCALE_IO,
    source("csi", |errors, node| {
        csi_driver_name(errors, &node.get("driver"));
        let secret = node.get("nodePublishSecretRef");
        if secret.is_set() {
            let name = secret.get("name");
            if name.is_empty() {
                errors.required(&name, "");
            } else {
                errors.name(
                    &name.placed(node.path().child("name")),
                    names::name_is_dns_subdomain,
                );
            }
        }
    }),
];

/// The sources of a PersistentVolume in the order of upstream's checks.
pub(crate) const PERSISTENT: &[Source] = &[
    HOST_PATH,
    GCE,
    AWS,
    source("glusterfs", |errors, node| {
        required(errors, node, &["endpoints", "path"]);
        let namespace = node.get("endpointsNamespace");
        if namespace.is_set() && namespace.is_empty() {
            let detail = "if the endpointnamespace is set, it must be a valid namespace name";
            errors.invalid(&namespace, "", detail);
        } else if namespace.is_set() {
            errors.name(&namespace, names::name_is_dns_label);
        }
    }),
    FLOCKER,
    NFS,
    RBD,
    QUOBYTE,
    CEPHFS,
    source("iscsi", |errors, node| {
        iscsi(errors, node, "must be valid format");
        secret_name(errors, node, "secretRef");
    }),
    source("cinder", |errors, node| {
        required(errors, node, &["volumeID"]);
        secret_name(errors, node, "secretRef");
        secret_namespace(errors, node, "secretRef");
    }),
    FC,
    FLEX,
    source("azureFile", |errors, node| {
        required(errors, node, &["secretName", "shareName"]);
        let namespace = node.get("secretNamespace");
        if namespace.is_set() {
            errors.present(&namespace);
        }
    }),
    VSPHERE,
    PHOTON,
    PORTWORX,
    AZURE_DISK,
    SCALE_IO,
    source("local", |errors, node| {
        let path = node.get("path");
        errors.present(&path);
        no_backsteps(errors, &path, path.text());
    }),
    source("storageos", |errors, node| {
        storage_os(errors, node);
        secret_name(errors, node, "secretRef");
        secret_namespace(errors, node, "secretRef");
    }),
    source("csi", persistent_csi),
];

/// Checks the sources of a volume of which at most one may be set; gives how many count.
pub(crate) fn validate_sources(
    errors: &mut Errors,
    volume: &Node<'_>,
    sources: &[Source],
    mut count: usize,
) -> usize {
    for source in sources {
        let node = volume.get(source.field);
        if !node.is_set() {
            continue;
        }
        // Upstream does not check this one against the others, kept.
        let alone =
            count == 0 || (source.field == "flexVolume" && std::ptr::eq(sources, PERSISTENT));
        if alone {
            count += 1;
            (source.validate)(errors, &node.placed(volume.path().child(source.inner)));
        } else {
            only_one(errors, volume, source.shown);
        }
    }
    count
}

/// The error about a second source.
pub(crate) fn only_one(errors: &mut Errors, volume: &Node<'_>, shown: &str) {
    errors.forbidden(
        &volume.path().child(shown),
        "may not specify more than 1 volume type",
    );
}

fn required(errors: &mut Errors, node: &Node<'_>, fields: &[&str]) {
    for field in fields {
        errors.present(&node.get(field));
    }
}

fn secret_name(errors: &mut Errors, node: &Node<'_>, field: &str) {
    if node.get(field).is_set() {
        errors.present(&node.get(field).get("name"));
    }
}

fn secret_namespace(errors: &mut Errors, node: &Node<'_>, field: &str) {
    if node.get(field).is_set() {
        errors.present(&node.get(field).get("namespace"));
    }
}

fn partition(errors: &mut Errors, node: &Node<'_>) {
    let partition = node.get("partition");
    if !(0..=255).contains(&partition.int()) {
        errors.invalid(&partition, partition.int(), names::range_message(1, 255));
    }
}

fn host_path(errors: &mut Errors, node: &Node<'_>) {
    const TYPES: &[&str] = &[
        "",
        "BlockDevice",
        "CharDevice",
        "Directory",
        "DirectoryOrCreate",
        "File",
        "FileOrCreate",
        "Socket",
    ];
    let path = node.get("path");
    if path.is_empty() {
        return errors.required(&path, "");
    }
    no_backsteps(errors, &path, path.text());
    errors.opt_one_of(&node.get("type"), TYPES);
}

/// Permissions, and which keys become which files.
fn mode_and_items(errors: &mut Errors, node: &Node<'_>) {
    file_mode(errors, &node.get("defaultMode"));
    for item in node.get("items").items() {
        key_to_path(errors, &item);
    }
}

/// Which key becomes which file.
pub(crate) fn key_to_path(errors: &mut Errors, item: &Node<'_>) {
    required(errors, item, &["key", "path"]);
    let path = item.get("path");
    local_non_reserved(errors, &path, path.text());
    file_mode(errors, &item.get("mode"));
}

fn nfs(errors: &mut Errors, node: &Node<'_>) {
    required(errors, node, &["server", "path"]);
    let path = node.get("path");
    if !path.text().starts_with('/') {
        errors.invalid(&path, path.text(), "must be an absolute path");
    }
}

static IQN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"iqn\.\d{4}-\d{2}\.([[:alnum:]-.]+)(:[^,;*&$|\s]+)$").ok());
static EUI: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^eui.[[:alnum:]]{16}$").ok());
static NAA: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^naa.[[:alnum:]]{32}$").ok());

/// Whether an iSCSI name is well-formed; `None` if it has none of the known beginnings.
fn iscsi_name(name: &str) -> Option<bool> {
    let rule = match name.get(..3) {
        Some("iqn") => &IQN,
        Some("eui") => &EUI,
        Some("naa") => &NAA,
        _ => return None,
    };
    Some(rule.as_ref().is_some_and(|rule| rule.is_match(name)))
}

fn iscsi(errors: &mut Errors, node: &Node<'_>, unknown: &str) {
    required(errors, node, &["targetPortal"]);
    let check = |errors: &mut Errors, name: &Node<'_>| match iscsi_name(name.text()) {
        None => errors.invalid(name, name.text(), unknown),
        Some(false) => errors.invalid(name, name.text(), "must be valid format"),
        Some(true) => {}
    };
    let iqn = node.get("iqn");
    if iqn.is_empty() {
        errors.required(&iqn, "");
    } else {
        check(errors, &iqn);
    }
    let lun = node.get("lun");
    if !(0..=255).contains(&lun.int()) {
        errors.invalid(&lun, lun.int(), names::range_message(0, 255));
    }
    let authenticates =
        node.get("chapAuthDiscovery").truth() || node.get("chapAuthSession").truth();
    if authenticates && !node.get("secretRef").is_set() {
        errors.required(&node.get("secretRef"), "");
    }
    let initiator = node.get("initiatorName");
    if initiator.is_set() {
        check(
            errors,
            &initiator.placed(node.path().child("initiatorname")),
        );
    }
}

fn quobyte(errors: &mut Errors, node: &Node<'_>) {
    const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
    let registry = node.get("registry");
    if registry.is_empty() {
        errors.required(&registry, PAIRS);
    } else if node.get("tenant").len() >= 65 {
        let detail = "must be a UUID and may not exceed a length of 64 characters";
        errors.required(&node.get("tenant"), detail);
    } else {
        for pair in registry.text().split(',') {
            let is_pair = pair
                .rsplit_once(':')
                .is_some_and(|(host, _)| host.starts_with('[') || !host.contains(':'));
            if !is_pair {
                errors.invalid(&registry, registry.text(), PAIRS);
            }
        }
    }
    required(errors, node, &["volume"]);
}

fn flocker(errors: &mut Errors, node: &Node<'_>) {
    let (name, uuid) = (node.get("datasetName"), node.get("datasetUUID"));
    if name.is_empty() && uuid.is_empty() {
        errors.required(node, "one of datasetName and datasetUUID is required");
    }
    if !name.is_empty() && !uuid.is_empty() {
        let detail = "datasetName and datasetUUID can not be specified simultaneously";
        errors.invalid(node, "resource", detail);
    }
    if name.text().contains('/') {
        errors.invalid(&name, name.text(), "must not contain '/'");
    }
}

fn fc(errors: &mut Errors, node: &Node<'_>) {
    let (targets, wwids, lun) = (node.get("targetWWNs"), node.get("wwids"), node.get("lun"));
    if targets.is_empty() && wwids.is_empty() {
        errors.required(
            &targets,
            "must specify either targetWWNs or wwids, but not both",
        );
    }
    if !targets.is_empty() && !wwids.is_empty() {
        let detail = "targetWWNs and wwids can not be specified simultaneously";
        errors.invalid(&targets, targets.raw().clone(), detail);
    }
    if targets.is_empty() {
        return;
    }
    match lun.opt_int() {
        None => errors.required(&lun, "lun is required if targetWWNs is specified"),
        Some(number) if !(0..=255).contains(&number) => {
            errors.invalid(&lun, number, names::range_message(0, 255));
        }
        Some(_) => {}
    }
}

fn flex(errors: &mut Errors, node: &Node<'_>) {
    required(errors, node, &["driver"]);
    for (key, option) in node.get("options").entries() {
        let namespace = key.split_once('/').map_or(key, |(namespace, _)| namespace);
        let dotted = format!(".{}", namespace.to_lowercase());
        if dotted.ends_with(".kubernetes.io") || dotted.ends_with(".k8s.io") {
            errors.invalid(
                &option,
                key,
                "kubernetes.io and k8s.io namespaces are reserved",
            );
        }
    }
}

fn azure_disk(errors: &mut Errors, node: &Node<'_>) {
    required(errors, node, &["diskName", "diskURI"]);
    errors.opt_one_of(&node.get("cachingMode"), &["None", "ReadOnly", "ReadWrite"]);
    let (kind, uri) = (node.get("kind"), node.get("diskURI"));
    errors.opt_one_of(&kind, &["Dedicated", "Managed", "Shared"]);
    if !kind.is_set() {
        return;
    }
    let (prefix, form) = if kind.is("Managed") {
        (
            "/subscriptions/",
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
        )
    } else {
        (
            "https://",
            "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd",
        )
    };
    if !uri.text().starts_with(prefix) {
        errors.unsupported(&uri, uri.text(), &[form]);
    }
}

fn storage_os(errors: &mut Errors, node: &Node<'_>) {
    let (name, namespace) = (node.get("volumeName"), node.get("volumeNamespace"));
    if name.is_empty() {
        errors.required(&name, "");
    } else {
        errors.format(&name, names::dns1123_label);
    }
    if !namespace.is_empty() {
        errors.format(&namespace, names::dns1123_label);
    }
}

/// The name of a CSI driver.
pub(crate) fn csi_driver_name(errors: &mut Errors, driver: &Node<'_>) {
    if driver.is_empty() {
        return errors.required(driver, "");
    }
    if driver.len() > 63 {
        errors.too_long(driver, 63);
    }
    let lower = driver.text().to_lowercase();
    errors.messages(driver, driver.text(), names::dns1123_subdomain(&lower));
}

fn persistent_csi(errors: &mut Errors, node: &Node<'_>) {
    csi_driver_name(errors, &node.get("driver"));
    required(errors, node, &["volumeHandle"]);
    for field in [
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
    ] {
        let secret = node.get(field);
        if !secret.is_set() {
            continue;
        }
        let (name, namespace) = (secret.get("name"), secret.get("namespace"));
        if name.is_empty() {
            errors.required(&name, "");
        } else {
            errors.format(&name, names::dns1123_subdomain);
        }
        if namespace.is_empty() {
            errors.required(&namespace, "");
        } else {
            errors.format(&namespace, names::dns1123_label);
        }
    }
}
