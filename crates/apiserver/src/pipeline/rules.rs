//! The rules of a resource: what is prepared, demanded and warned of around a write.
//!
//! Built-in kinds have theirs in `builtin::strategy`, custom resources in [`super::custom_rules`].
//! Objects are in the storage version.

use builtin::strategy::{self, Context, ResetFields, Strategy};
use object::Value;
use object::field::ErrorList;

use super::Call;
use super::custom_rules::CustomRules;
use super::definition_rules;
use crate::registry::{ResourceKind, ServedResource};

/// The rules for a request.
pub(super) struct Rules<'a> {
    kind: Kind<'a>,
    now: String,
    api_version: String,
    user: strategy::User,
}

enum Kind<'a> {
    Builtin(&'static dyn Strategy),
    Custom(CustomRules<'a>),
    /// CustomResourceDefinitions.
    Definition,
    /// What has no rules: reviews and the like.
    None,
}

impl<'a> Rules<'a> {
    /// The rules for a call.
    pub(super) fn of(call: &'a Call) -> Self {
        let kind = match &call.resource.kind {
            ResourceKind::Builtin if call.resource.storage.group == "apiextensions.k8s.io" => {
                Kind::Definition
            }
            ResourceKind::Builtin => {
                strategy::strategy(&call.resource.storage).map_or(Kind::None, Kind::Builtin)
            }
            ResourceKind::Custom(custom) => Kind::Custom(CustomRules::new(call, custom)),
        };
        let user = &call.context.user;
        let extra = user.extra.iter();
        Self {
            kind,
            now: call.core.now(),
            api_version: call.resource.gvk.api_version(),
            user: strategy::User {
                name: user.name.clone(),
                uid: user.uid.clone(),
                groups: user.groups.clone(),
                extra: extra
                    .map(|(key, values)| (key.clone(), values.clone()))
                    .collect(),
            },
        }
    }

    fn context(&self) -> Context<'_> {
        Context {
            now: &self.now,
            user: &self.user,
            api_version: &self.api_version,
        }
    }

    pub(super) fn prepare_for_create(&self, object: &mut Value) {
        match &self.kind {
            Kind::Builtin(rules) => rules.prepare_for_create(&self.context(), object),
            Kind::Custom(rules) => rules.prepare_for_create(object),
            Kind::Definition => definition_rules::prepare_for_create(object),
            Kind::None => {}
        }
    }

    pub(super) fn prepare_for_update(&self, subresource: &str, new: &mut Value, old: &Value) {
        match &self.kind {
            Kind::Builtin(rules) => {
                rules.prepare_for_update(&self.context(), subresource, new, old);
            }
            Kind::Custom(rules) => rules.prepare_for_update(subresource, new, old),
            Kind::Definition => definition_rules::prepare_for_update(subresource, new, old),
            Kind::None => {}
        }
    }

    pub(super) fn validate_create(&self, object: &Value) -> ErrorList {
        match &self.kind {
            Kind::Builtin(rules) => rules.validate_create(&self.context(), object),
            Kind::Custom(rules) => rules.validate_create(object),
            Kind::Definition => definition_rules::validate_create(object),
            Kind::None => Vec::new(),
        }
    }

    pub(super) fn validate_update(&self, subresource: &str, new: &Value, old: &Value) -> ErrorList {
        match &self.kind {
            Kind::Builtin(rules) => rules.validate_update(&self.context(), subresource, new, old),
            Kind::Custom(rules) => rules.validate_update(subresource, new, old),
            Kind::Definition => definition_rules::validate_update(subresource, new, old),
            Kind::None => Vec::new(),
        }
    }

    pub(super) fn warnings_on_create(&self, object: &Value) -> Vec<String> {
        match &self.kind {
            Kind::Builtin(rules) => rules.warnings_on_create(&self.context(), object),
            Kind::Definition => definition_rules::warnings(object, &Value::Null),
            Kind::Custom(_) | Kind::None => Vec::new(),
        }
    }

    pub(super) fn warnings_on_update(
        &self,
        subresource: &str,
        new: &Value,
        old: &Value,
    ) -> Vec<String> {
        match &self.kind {
            Kind::Builtin(rules) => {
                rules.warnings_on_update(&self.context(), subresource, new, old)
            }
            Kind::Definition if subresource.is_empty() => definition_rules::warnings(new, old),
            _ => Vec::new(),
        }
    }

    pub(super) fn canonicalize(&self, object: &mut Value) {
        if let Kind::Builtin(rules) = &self.kind {
            rules.canonicalize(object);
        }
    }

    pub(super) fn allow_create_on_update(&self) -> bool {
        match &self.kind {
            Kind::Builtin(rules) => rules.allow_create_on_update(),
            _ => false,
        }
    }

    pub(super) fn allow_unconditional_update(&self) -> bool {
        match &self.kind {
            Kind::Builtin(rules) => rules.allow_unconditional_update(),
            _ => false,
        }
    }

    /// The grace period of a deletion, for kinds that go gracefully.
    pub(super) fn grace_period(&self, object: &Value, requested: Option<i64>) -> Option<i64> {
        match &self.kind {
            Kind::Builtin(rules) => rules.grace_period(object, requested),
            _ => None,
        }
    }
}

/// What nobody comes to own through a built-in resource or subresource.
pub(super) fn reset_fields(resource: &ServedResource, subresource: &str) -> Option<ResetFields> {
    if resource.storage.group == "apiextensions.k8s.io" {
        return Some(ResetFields::Except(match subresource {
            "status" => &[&["spec"]],
            _ => &[&["status"]],
        }));
    }
    strategy::strategy(&resource.storage)?.reset_fields(subresource)
}
