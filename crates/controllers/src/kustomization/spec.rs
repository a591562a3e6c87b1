//! What a spec says, with its defaults.

use api::kustomize::v1::{CrossNamespaceSourceReference, DeletionPolicy, Kustomization};
use api::meta::{DependencyReference, Duration};
use runtime::ObjectKey;

/// The shortest timeout.
const SHORTEST: Duration = Duration::from_seconds(30);

/// How long a reconciliation may take: what the spec says, else half a minute less than the interval; never
/// less than half a minute.
pub(super) fn timeout(object: &Kustomization) -> Duration {
    let interval = object.spec.interval.as_nanoseconds();
    let default = Duration::from_nanoseconds(interval.saturating_sub(SHORTEST.as_nanoseconds()));
    object.spec.timeout.unwrap_or(default).max(SHORTEST)
}

/// How long to wait after a failure.
pub(super) fn retry_interval(object: &Kustomization) -> Duration {
    object.spec.retry_interval.unwrap_or(object.spec.interval)
}

/// What happens to the objects when the Kustomization goes.
pub(super) fn deletion_policy(object: &Kustomization) -> DeletionPolicy {
    object
        .spec
        .deletion_policy
        .clone()
        .unwrap_or(DeletionPolicy::MirrorPrune)
}

/// The namespace of the object.
pub(super) fn namespace(object: &Kustomization) -> &str {
    object.metadata.namespace.as_deref().unwrap_or_default()
}

/// The name of the object.
pub(super) fn name(object: &Kustomization) -> &str {
    object.metadata.name.as_deref().unwrap_or_default()
}

/// Whether reconciliation is paused.
pub(super) fn is_suspended(object: &Kustomization) -> bool {
    object.spec.suspend == Some(true)
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The source, in full.
pub(super) fn source_key(object: &Kustomization) -> ObjectKey {
    let reference = &object.spec.source_ref;
    ObjectKey::new(
        given(reference.namespace.as_ref()).unwrap_or_else(|| namespace(object)),
        &reference.name,
    )
}

/// `<kind>/[<namespace>/]<name>`, as Flux's logs name a source.
pub(super) fn source_text(reference: &CrossNamespaceSourceReference) -> String {
    match given(reference.namespace.as_ref()) {
        Some(namespace) => format!("{}/{namespace}/{}", reference.kind, reference.name),
        None => format!("{}/{}", reference.kind, reference.name),
    }
}

/// A dependency, in full.
pub(super) fn dependency_key(
    object: &Kustomization,
    dependency: &DependencyReference,
) -> ObjectKey {
    ObjectKey::new(
        given(dependency.namespace.as_ref()).unwrap_or_else(|| namespace(object)),
        &dependency.name,
    )
}

/// All dependencies, in full.
pub(super) fn dependency_keys(object: &Kustomization) -> Vec<ObjectKey> {
    let dependencies = object.spec.depends_on.iter().flatten();
    dependencies
        .map(|dependency| dependency_key(object, dependency))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::kustomize::v1::KustomizationSpec;

    #[test]
    fn timeouts_have_a_default_and_a_least() {
        for (interval, given, expected) in [
            ("10m", None, "9m30s"),
            ("1m", None, "30s"),
            ("10s", None, "30s"),
            ("1m", Some("2m"), "2m0s"),
            ("1h", Some("1s"), "30s"),
        ] {
            let spec = KustomizationSpec {
                interval: interval.parse().unwrap(),
                timeout: given.map(|text: &str| text.parse().unwrap()),
                ..Default::default()
            };
            let object = Kustomization::new("ns", "app", spec);
            assert_eq!(
                timeout(&object).to_string(),
                expected,
                "{interval} {given:?}"
            );
        }
    }
}
