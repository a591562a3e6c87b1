//! NamespaceLifecycle: objects live in namespaces that exist and are not on their way out.
//!
//! Source: apiserver, `admission/plugin/namespace/lifecycle`.

use object::GroupResource;

use super::{Attributes, Operation};
use crate::error::{ApiError, Cause};

/// The namespaces that cannot be deleted.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Refuses what has no place.
pub(super) fn check(attributes: &Attributes<'_>) -> Result<(), ApiError> {
    let call = attributes.call;
    let is_namespace =
        call.resource.gvr.group.is_empty() && call.resource.gvr.resource == "namespaces";
    if is_namespace {
        if attributes.operation == Operation::Delete && IMMORTAL.contains(&&*call.name) {
            return Err(ApiError::forbidden(
                &call.group_resource(),
                &call.name,
                "this namespace may not be deleted",
            ));
        }
        return Ok(());
    }
    if call.namespace.is_empty() || attributes.operation == Operation::Delete {
        return Ok(());
    }
    let namespaces = GroupResource::new("", "namespaces");
    let Some(namespace) = call.core.store.bucket(&namespaces).get(&call.namespace) else {
        return Err(ApiError::not_found(&namespaces, &call.namespace));
    };
    if attributes.operation != Operation::Create {
        return Ok(());
    }
    // Phases are short; reading the rest of the object is only needed when it may matter.
    let is_ending = memory_has(&namespace.raw, b"\"Terminating\"")
        && namespace.value()["status"]["phase"] == "Terminating";
    if !is_ending {
        return Ok(());
    }
    let why = format!(
        "unable to create new content in namespace {} because it is being terminated",
        call.namespace
    );
    let error = ApiError::forbidden(&call.group_resource(), &call.name, &why);
    let mut details = error.details().cloned().unwrap_or_default();
    details.causes.push(Cause {
        reason: "NamespaceTerminating".to_owned(),
        message: format!("namespace {} is being terminated", call.namespace),
        field: "metadata.namespace".to_owned(),
    });
    Err(error.with_details(details))
}

fn memory_has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
