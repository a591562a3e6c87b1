//! ControllerRevisions.

use object::names;

use crate::strategy::kind::Kind;
use crate::strategy::metadata;
use crate::strategy::node::{Errors, Node};

pub(crate) const KIND: Kind = Kind {
    validate: |_, object, errors| {
        validate(errors, object);
        let data = object.get("data");
        if !data.is_set() {
            errors.required(&data, "data is mandatory");
        } else if !data.raw().is_object() {
            errors.required(&data, "data must be a valid JSON object");
        }
    },
    validate_update: |_, new, old, errors| {
        metadata::validate_update(errors, new, old);
        validate(errors, new);
        let (data, before) = (new.get("data"), old.get("data"));
        if data.raw() != before.raw() {
            errors.invalid(&data, data.raw().clone(), metadata::IMMUTABLE);
        }
    },
    ..Kind::new("apps", "controllerrevisions")
};

fn validate(errors: &mut Errors, object: &Node<'_>) {
    metadata::validate(errors, object, true, names::name_is_dns_subdomain);
    errors.non_negative(&object.get("revision"));
}
