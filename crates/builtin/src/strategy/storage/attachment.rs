//! VolumeAttachments.

use object::names;

use super::GROUP;
use crate::strategy::core::persistent_volume;
use crate::strategy::core::volume_source::csi_driver_name;
use crate::strategy::equality::equal;
use crate::strategy::kind::{Kind, Subresource, keep_spec_and_metadata, status};
use crate::strategy::node::{Errors, Node};
use crate::strategy::{ResetFields, internal, metadata};

const METADATA_LIMIT: usize = 256 * 1024;

pub(crate) const KIND: Kind = Kind {
    namespaced: false,
    unconditional_update: false,
    status: Some(r#"{"attached":false}"#),
    validate: |_, attachment, errors| {
        validate(errors, attachment);
        csi_driver_name(errors, &attachment.get("spec.attacher"));
        let volume = attachment.get("spec.source.persistentVolumeName");
        if volume.is_set() {
            errors.name(&volume, names::name_is_dns_subdomain);
        }
    },
    validate_update: |_, new, old, errors| update(errors, new, old),
    subresources: &[Subresource {
        prepare: keep_spec_and_metadata,
        reset: ResetFields::Except(&[&["metadata"], &["spec"]]),
        ..status(|_, new, old, errors| update(errors, new, old))
    }],
    ..Kind::new(GROUP, "volumeattachments")
};

fn update(errors: &mut Errors, new: &Node<'_>, old: &Node<'_>) {
    validate(errors, new);
    let spec = new.get("spec");
    if !equal(spec.raw(), old.get("spec").raw()) {
        let shown = internal::json("storage.VolumeAttachmentSpec", spec.raw());
        errors.invalid_shown(&spec, &shown, metadata::IMMUTABLE);
    }
}

fn validate(errors: &mut Errors, attachment: &Node<'_>) {
    metadata::validate(errors, attachment, false, names::name_is_dns_subdomain);
    let spec = attachment.get("spec");
    errors.present(&spec.get("attacher"));
    let source = spec.get("source");
    let (inline, name) = (
        source.get("inlineVolumeSpec"),
        source.get("persistentVolumeName"),
    );
    let exactly = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (inline.is_set(), name.is_set()) {
        (false, false) => errors.required(&source, exactly),
        (true, true) => errors.forbidden(&source, exactly),
        (false, true) => {
            if name.is_empty() {
                errors.required(&name, "must specify non empty persistentVolumeName");
            }
        }
        (true, false) => persistent_volume::validate_spec(errors, &inline, "", true),
    }
    errors.name(&spec.get("nodeName"), names::name_is_dns_subdomain);
    let status = attachment.get("status");
    let facts = status.get("attachmentMetadata");
    let size: usize = facts
        .entries()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if size > METADATA_LIMIT {
        errors.too_long(&facts, METADATA_LIMIT);
    }
    for error in [status.get("attachError"), status.get("detachError")] {
        let (message, code) = (error.get("message"), error.get("errorCode"));
        if message.len() > 1024 {
            // The wrong limit is upstream's.
            errors.too_long(&message, METADATA_LIMIT);
        }
        if code.int() < 0 {
            errors.invalid(
                &code,
                code.int(),
                names::range_message(0, i64::from(i32::MAX)),
            );
        }
    }
}
