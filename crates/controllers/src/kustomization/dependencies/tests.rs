use std::sync::Arc;

use api::kustomize::v1::{KustomizationSpec, KustomizationStatus};
use api::meta::{Condition, ConditionStatus, Inventory};

use super::*;

fn artifact() -> Artifact {
    Artifact {
        revision: "main@sha1:2".to_owned(),
        ..Artifact::default()
    }
}

fn object(name: &str, dependencies: &[&str]) -> Kustomization {
    let depends_on = dependencies.iter().map(|name| DependencyReference {
        name: (*name).to_owned(),
        ..Default::default()
    });
    let mut spec = KustomizationSpec {
        depends_on: Some(depends_on.collect()),
        ..Default::default()
    };
    spec.source_ref.kind = "GitRepository".to_owned();
    spec.source_ref.name = "src".to_owned();
    let mut object = Kustomization::new("ns", name, spec);
    object.metadata.generation = Some(3);
    object
}

fn ready(name: &str, revision: &str) -> Kustomization {
    let mut object = object(name, &[]);
    object.status = Some(KustomizationStatus {
        conditions: Some(vec![Condition::new(
            READY,
            ConditionStatus::True,
            "ReconciliationSucceeded",
            "",
        )]),
        observed_generation: Some(3),
        last_applied_revision: Some(revision.to_owned()),
        inventory: Some(Inventory::default()),
        ..Default::default()
    });
    object
}

fn outcome(dependency: &Kustomization, expression: &str, is_additive: bool) -> String {
    let reference = DependencyReference {
        name: "dep".to_owned(),
        namespace: None,
        ready_expr: Some(expression.to_owned()).filter(|text| !text.is_empty()),
    };
    match check(
        &object("app", &["dep"]),
        &reference,
        dependency,
        &artifact(),
        is_additive,
    ) {
        Ok(()) => "ready".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_built_in_check() {
    assert_eq!(outcome(&ready("dep", "main@sha1:2"), "", false), "ready");
    assert_eq!(
        outcome(&ready("dep", "main@sha1:1"), "", false),
        "dependency 'ns/dep' revision is not up to date"
    );
    assert_eq!(
        outcome(&object("dep", &[]), "", false),
        "dependency 'ns/dep' is not ready"
    );
    let mut changed = ready("dep", "main@sha1:2");
    changed.metadata.generation = Some(4);
    assert_eq!(
        outcome(&changed, "", false),
        "dependency 'ns/dep' is not ready"
    );
    let mut elsewhere = ready("dep", "main@sha1:1");
    elsewhere.spec.source_ref.name = "other".to_owned();
    assert_eq!(outcome(&elsewhere, "", false), "ready");
}

#[test]
fn expressions() {
    let old = ready("dep", "main@sha1:1");
    assert_eq!(
        outcome(
            &old,
            "dep.metadata.name == 'dep' && self.metadata.name == 'app'",
            false
        ),
        "ready"
    );
    assert_eq!(
        outcome(
            &old,
            "dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
            true
        ),
        "dependency 'ns/dep' revision is not up to date"
    );
    assert_eq!(
        outcome(&old, "dep.metadata.name == 'x'", false),
        "dependency 'ns/dep' is not ready according to readyExpr eval"
    );
    let missing = outcome(&old, "dep.metadata.labels['a'] == 'b'", false);
    assert_eq!(
        missing,
        "failed to evaluate the CEL expression 'dep.metadata.labels['a'] == 'b'': no such key: labels"
    );
    let wrong = outcome(&old, "nope.x", false);
    assert!(wrong.starts_with("terminal error: failed to evaluate dependency dep: failed to parse the CEL expression 'nope.x': ERROR: <input>:1:1: undeclared reference to 'nope'"), "{wrong}");
    assert_eq!(
        outcome(&old, "'text'", false),
        "terminal error: failed to evaluate dependency dep: CEL expression output type mismatch: expected bool, got string"
    );
}

#[test]
fn dependencies_come_first() {
    let sort = |objects: &[(&str, &[&str])]| {
        let objects: Vec<_> = objects
            .iter()
            .map(|(name, dependencies)| Arc::new(object(name, dependencies)))
            .collect();
        sorted(&objects).map(|keys| {
            keys.into_iter()
                .map(|key| key.name)
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    assert_eq!(
        sort(&[("a", &["b"]), ("b", &["c"]), ("c", &[])]).as_deref(),
        Some("c b a")
    );
    assert_eq!(
        sort(&[
            ("a", &["b", "c"]),
            ("b", &["d"]),
            ("c", &["d"]),
            ("d", &["outside"])
        ])
        .as_deref(),
        Some("d c b a")
    );
    assert_eq!(sort(&[("a", &["b"]), ("b", &["a"])]), None);
    assert_eq!(sort(&[("a", &["a"])]), None);
}
