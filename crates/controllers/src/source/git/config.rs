//! What of a spec decides about the content of an artifact, and whether it has changed.

use api::meta::Artifact;
use api::source::v1::{GitRepository, GitVerificationMode};
use git::{Reference, Revision};

/// The revision as it is told: with the whole name of the reference where the spec names one.
pub(super) fn revision(object: &GitRepository, revision: &Revision) -> String {
    let names_reference = object
        .spec
        .reference
        .as_ref()
        .is_some_and(|r| r.name.as_ref().is_some_and(|n| !n.is_empty()));
    if names_reference {
        revision.absolute()
    } else {
        revision.to_string()
    }
}

/// What the spec asks for.
pub(super) fn reference(object: &GitRepository) -> Reference {
    let Some(reference) = &object.spec.reference else {
        return Reference::default();
    };
    let given = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
    if let Some(id) = given(&reference.commit) {
        return Reference::Commit {
            id,
            branch: given(&reference.branch),
        };
    }
    given(&reference.name)
        .map(Reference::Name)
        .or_else(|| given(&reference.tag).map(Reference::Tag))
        .or_else(|| given(&reference.semver).map(Reference::SemVer))
        .or_else(|| given(&reference.branch).map(Reference::Branch))
        .unwrap_or_default()
}

/// A revision in today's form: `main/<id>` was written before. Source: fluxcd/pkg `git`, `TransformRevision`.
pub(super) fn modern(revision: &str) -> String {
    if revision.contains(':') {
        return revision.to_owned();
    }
    match revision.rsplit_once('/') {
        Some(("HEAD", id)) => format!("sha1:{id}"),
        Some((name, id)) => format!("{name}@sha1:{id}"),
        None => format!("sha1:{revision}"),
    }
}

/// Whether two sets of artifacts have different revisions.
pub(super) fn differ(some: &[Artifact], others: &[Artifact]) -> bool {
    some.len() != others.len()
        || some
            .iter()
            .any(|one| !others.iter().any(|other| other.has_revision(&one.revision)))
}

/// The mode of verification that is asked for, if any.
pub(super) fn mode(object: &GitRepository) -> Option<&'static str> {
    Some(match object.spec.verify.as_ref()?.mode.as_ref()? {
        GitVerificationMode::OldHead | GitVerificationMode::Head => "HEAD",
        GitVerificationMode::Tag => "Tag",
        GitVerificationMode::TagAndHead => "TagAndHEAD",
        GitVerificationMode::Other(_) => return None,
    })
}

fn needs_verification(object: &GitRepository) -> bool {
    if object.spec.verify.is_none() {
        return false;
    }
    let mode = mode(object).unwrap_or("HEAD");
    match object
        .status
        .as_ref()
        .and_then(|status| status.source_verification_mode.as_deref())
    {
        None => true,
        Some("Tag") => matches!(mode, "HEAD" | "TagAndHEAD"),
        Some("HEAD") => matches!(mode, "Tag" | "TagAndHEAD"),
        Some(_) => false,
    }
}

/// Whether the artifact has to be made anew though the revision is the same.
pub(super) fn has_changed(object: &GitRepository, includes: &[Artifact]) -> bool {
    let (spec, status) = (&object.spec, object.status.clone().unwrap_or_default());
    let include = spec.include.as_deref().unwrap_or_default();
    let observed = status.observed_include.as_deref().unwrap_or_default();
    let included = status.included_artifacts.as_deref().unwrap_or_default();
    spec.ignore != status.observed_ignore
        || spec.recurse_submodules.unwrap_or(false)
            != status.observed_recurse_submodules.unwrap_or(false)
        || include.len() != observed.len()
        || needs_verification(object)
        || spec.sparse_checkout.as_deref().unwrap_or_default()
            != status
                .observed_sparse_checkout
                .as_deref()
                .unwrap_or_default()
        || include.len() != includes.len()
        || include.len() != included.len()
        || include != observed
        || included
            .iter()
            .zip(includes)
            .any(|(old, new)| !old.has_revision(&new.revision) || !old.has_digest(&new.digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::source::v1::{GitRepositoryRef, GitRepositorySpec};

    fn with(change: impl FnOnce(&mut GitRepositoryRef)) -> Reference {
        let mut reference = GitRepositoryRef::default();
        change(&mut reference);
        let spec = GitRepositorySpec {
            reference: Some(reference),
            ..GitRepositorySpec::default()
        };
        super::reference(&GitRepository::new("ns", "app", spec))
    }

    #[test]
    fn references_have_an_order() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            super::reference(&GitRepository::new("ns", "a", GitRepositorySpec::default())),
            Reference::default()
        );
        assert_eq!(with(|_| {}), Reference::Branch("master".to_owned()));
        assert_eq!(
            with(|r| {
                r.branch = text("b");
                r.tag = text("t")
            }),
            Reference::Tag("t".to_owned())
        );
        assert_eq!(
            with(|r| {
                r.semver = text("s");
                r.tag = text("t")
            }),
            Reference::Tag("t".to_owned())
        );
        assert_eq!(
            with(|r| {
                r.name = text("n");
                r.tag = text("t")
            }),
            Reference::Name("n".to_owned())
        );
        let commit = with(|r| {
            r.commit = text("c");
            r.name = text("n");
            r.branch = text("b")
        });
        assert_eq!(
            commit,
            Reference::Commit {
                id: "c".to_owned(),
                branch: text("b")
            }
        );
    }

    #[test]
    fn old_revisions_are_understood() {
        assert_eq!(modern("main@sha1:5394"), "main@sha1:5394");
        assert_eq!(modern("feature/x/5394"), "feature/x@sha1:5394");
        assert_eq!(modern("HEAD/5394"), "sha1:5394");
    }

    #[test]
    fn a_change_of_what_is_in_the_artifact_is_seen() {
        let mut object = GitRepository::new("ns", "app", GitRepositorySpec::default());
        assert!(!has_changed(&object, &[]));
        object.spec.ignore = Some("*.md".to_owned());
        assert!(has_changed(&object, &[]));
        object.status_mut().observed_ignore = Some("*.md".to_owned());
        assert!(!has_changed(&object, &[]));
        object.spec.recurse_submodules = Some(true);
        assert!(has_changed(&object, &[]));
        object.spec.recurse_submodules = Some(false);
        object.spec.sparse_checkout = Some(vec!["a".to_owned()]);
        assert!(has_changed(&object, &[]));
    }
}
