//! Manifests of old tutorials mean today what they meant then.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

use std::fs;
use std::path::Path;

use api::convert::{ConvertError, ignored_fields, read, to_current, to_version};
use api::image::v1::ImageUpdateAutomationSpec;
use api::kustomize::v1::KustomizationSpec;
use serde::Deserialize;
use serde_json::{Value, json};

/// A manifest of an old version, and the spec and the warning it has today.
#[derive(Deserialize)]
struct Case {
    old: Value,
    current: Value,
    ignored: Vec<String>,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for group in ["helm", "image", "kustomize", "notification", "source"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/old/{group}.yaml"));
        let text = fs::read_to_string(file).unwrap();
        cases.extend(
            serde_yaml_ng::Deserializer::from_str(&text)
                .map(|document| Case::deserialize(document).unwrap()),
        );
    }
    cases
}

fn version_of(object: &Value) -> (&'static api::kind::Kind, &'static api::kind::Version) {
    let (group, version) = object["apiVersion"]
        .as_str()
        .unwrap()
        .split_once('/')
        .unwrap();
    let kind = api::crd::kind(group, object["kind"].as_str().unwrap()).unwrap();
    (kind, kind.version(version).unwrap())
}

#[test]
fn there_is_a_case_for_every_old_version() {
    let covered: Vec<_> = cases()
        .iter()
        .map(|case| format!("{} {}", case.old["kind"], case.old["apiVersion"]))
        .collect();
    let mut count = 0;
    for kind in api::kinds() {
        for version in &kind.versions[1..] {
            let name = json!(kind.names.api_version(version.name));
            assert!(
                covered.contains(&format!("{} {name}", json!(kind.names.kind))),
                "{name}"
            );
            count += 1;
        }
    }
    assert_eq!(count, 40);
}

#[test]
fn old_manifests_become_current_ones() {
    for Case {
        old,
        current,
        ignored,
    } in cases()
    {
        let (kind, _) = version_of(&old);
        let what = format!("{} {}", old["apiVersion"], old["kind"]);
        let converted = to_current(old.clone()).unwrap();
        assert_eq!(converted.object["spec"], current, "{what}");
        assert_eq!(converted.ignored, ignored, "{what}");
        assert_eq!(converted.object["metadata"], old["metadata"], "{what}");
        let api_version = kind.names.api_version(kind.current().name);
        assert_eq!(converted.object["apiVersion"], json!(api_version), "{what}");
        // What a real API server hands out: the old object under the name of the current version.
        let mut stored = old;
        stored["apiVersion"] = json!(api_version);
        assert_eq!(to_current(stored).unwrap(), converted, "{what} as stored");
        // And nothing is left to do.
        let again = to_current(converted.object.clone()).unwrap();
        assert_eq!(
            (again.object, again.ignored.len()),
            (converted.object, 0),
            "{what} again"
        );
    }
}

#[test]
fn current_objects_survive_the_way_through_an_old_version() {
    let mut lossless = 0;
    for Case { old, .. } in cases() {
        let (_, version) = version_of(&old);
        let current = to_current(old.clone()).unwrap().object;
        let back = to_version(current.clone(), version.name).unwrap();
        assert_eq!(back.object["apiVersion"], old["apiVersion"]);
        if back.ignored.is_empty() {
            assert_eq!(to_current(back.object).unwrap().object, current);
            lossless += 1;
        }
    }
    assert_eq!(lossless, 40);
}

/// Fields that have one form only today.
const ONE_WAY: &[&str] = &[
    "patchesStrategicMerge",
    "patchesJson6902",
    "gitImplementation",
];

#[test]
fn old_objects_survive_the_way_through_the_current_version() {
    let mut lossless = 0;
    for Case { old, ignored, .. } in cases() {
        let (_, version) = version_of(&old);
        let text = old.to_string();
        let has_one_form = ONE_WAY.iter().any(|field| text.contains(field))
            || (text.contains("valuesFile\"")
                && version.name != "v1alpha1"
                && version.name != "v2alpha1");
        if !ignored.is_empty() || has_one_form {
            continue;
        }
        let current = to_current(old.clone()).unwrap().object;
        assert_eq!(to_version(current, version.name).unwrap().object, old);
        lossless += 1;
    }
    assert!(lossless > 25, "{lossless}");
}

#[test]
fn what_an_old_version_cannot_say_is_named() {
    let object = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "a", "namespace": "apps"},
        "spec": {
            "interval": "1m", "prune": true, "path": "./", "deletionPolicy": "Orphan", "force": false,
            "sourceRef": {"kind": "GitRepository", "name": "a"}, "serviceAccountName": "deployer",
            "dependsOn": [{"name": "b", "readyExpr": "true"}],
            "patches": [{"patch": "a: b"}],
        },
    });
    let converted = to_version(object, "v1alpha1").unwrap();
    assert_eq!(
        converted.ignored,
        [
            "spec.deletionPolicy",
            "spec.dependsOn[].readyExpr",
            "spec.patches"
        ]
    );
    assert_eq!(
        converted.object["spec"],
        json!({
            "interval": "1m", "prune": true, "path": "./", "sourceRef": {"kind": "GitRepository", "name": "a"},
            "serviceAccount": {"name": "deployer", "namespace": "apps"}, "dependsOn": [{"name": "b"}],
        })
    );
}

#[test]
fn an_account_of_another_namespace_does_not_become_the_controllers_own_rights() {
    let object = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1alpha1", "kind": "Kustomization",
        "metadata": {"name": "a", "namespace": "apps"},
        "spec": {"serviceAccount": {"name": "deployer", "namespace": "elsewhere"}},
    });
    let converted = to_current(object).unwrap();
    assert_eq!(
        converted.object["spec"],
        json!({"serviceAccountName": "deployer"})
    );
    assert_eq!(converted.ignored, ["spec.serviceAccount.namespace"]);
}

#[test]
fn observed_state_is_carried_over() {
    let check = |kind: &str, old: Value, current: Value| {
        let (group, version) = match kind {
            "Receiver" => ("notification.toolkit.fluxcd.io", "v1beta1"),
            "ImagePolicy" => ("image.toolkit.fluxcd.io", "v1beta1"),
            _ => ("source.toolkit.fluxcd.io", "v1beta1"),
        };
        let object =
            json!({"apiVersion": format!("{group}/{version}"), "kind": kind, "status": old});
        let converted = to_current(object).unwrap();
        assert_eq!(converted.object["status"], current, "{kind}");
        assert_eq!(
            to_version(converted.object, version).unwrap().object["status"],
            old,
            "{kind}"
        );
    };
    let (sha1, sha256) = ("5394cb7f48332b2de7c17dd8b8384bbc84b7e738", "a".repeat(64));
    check(
        "GitRepository",
        json!({"artifact": {"checksum": sha256, "revision": format!("main/{sha1}"), "path": "p"}}),
        json!({"artifact": {
            "digest": format!("sha256:{sha256}"), "revision": format!("main@sha1:{sha1}"), "path": "p",
        }}),
    );
    check(
        "Bucket",
        json!({"artifact": {"checksum": sha256, "revision": sha256}}),
        json!({"artifact": {"digest": format!("sha256:{sha256}"), "revision": format!("sha256:{sha256}")}}),
    );
    check(
        "HelmChart",
        json!({"artifact": {"checksum": sha256, "revision": "6.0.0"}}),
        json!({"artifact": {"digest": format!("sha256:{sha256}"), "revision": "6.0.0"}}),
    );
    check(
        "ImagePolicy",
        json!({"latestImage": "localhost:5000/app:v1"}),
        json!({"latestRef": {"name": "localhost:5000/app", "tag": "v1"}}),
    );
    check(
        "Receiver",
        json!({"url": "/hook/abc"}),
        json!({"webhookPath": "/hook/abc"}),
    );
}

#[test]
fn a_warning_names_the_fields_without_effect() {
    let kind = api::crd::kind("source.toolkit.fluxcd.io", "GitRepository").unwrap();
    let version = kind.version("v1beta1").unwrap();
    assert_eq!(
        ignored_fields(kind, version),
        ["spec.accessFrom", "spec.gitImplementation"]
    );
    assert_eq!(
        api::convert::deprecation_warning(kind, version),
        "v1beta1 GitRepository is deprecated, upgrade to v1; \
         ignored fields: spec.accessFrom, spec.gitImplementation"
    );
}

/// An old field is either carried over or named: the lists by hand agree with the schemas.
#[test]
fn every_old_field_is_carried_over_or_named() {
    for kind in api::kinds() {
        for version in &kind.versions[1..] {
            for path in ignored_fields(kind, version) {
                let (_, name) = path.rsplit_once('.').unwrap();
                let object = json!({
                    "apiVersion": kind.names.api_version(kind.current().name),
                    "kind": kind.names.kind,
                    "spec": {name: "set by someone"},
                });
                let converted = to_current(object).unwrap();
                assert_eq!(converted.ignored, [path], "{}", kind.names.kind);
                assert_eq!(converted.object["spec"], json!({}), "{}", kind.names.kind);
            }
        }
    }
}

#[test]
fn what_is_not_flux_is_refused() {
    for (object, error) in [
        (json!(1), "the object has no apiVersion and kind"),
        (
            json!({"kind": "Kustomization"}),
            "the object has no apiVersion and kind",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Secret"}),
            "the object has no apiVersion and kind",
        ),
        (
            json!({"apiVersion": "apps/v1", "kind": "Deployment"}),
            "Deployment of apps is not a Flux kind",
        ),
        (
            json!({"apiVersion": "helm.toolkit.fluxcd.io/v3", "kind": "HelmRelease"}),
            "HelmRelease has no version v3",
        ),
    ] {
        assert_eq!(to_current(object).unwrap_err().to_string(), error);
    }
    let object = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"});
    assert!(matches!(
        to_version(object, "v1"),
        Err(ConvertError::UnknownVersion { .. })
    ));
}

#[test]
fn strange_values_do_no_harm() {
    for spec in [
        json!(null),
        json!("text"),
        json!({"patchesStrategicMerge": "x", "patchesJson6902": [1, {"patch": 2}], "patches": 3}),
        json!({"chart": {"spec": {"valuesFile": 1, "valuesFiles": "x"}}, "postRenderers": [null, {"kustomize": []}]}),
        json!({"checkout": 1, "commit": [], "push": null, "git": "x", "sourceRef": 1}),
        json!({"checkout": {"gitRepositoryRef": 5, "branch": {}}, "git": {"checkout": 7}}),
    ] {
        for kind in api::kinds() {
            for version in kind.versions {
                let object = json!({
                    "apiVersion": kind.names.api_version(version.name),
                    "kind": kind.names.kind,
                    "spec": spec, "status": spec,
                });
                let converted = to_current(object).unwrap();
                let _ = to_version(converted.object, version.name).unwrap();
            }
        }
    }
}

#[test]
fn objects_are_read_into_the_current_type() {
    let object = |interval: &str| {
        json!({
            "apiVersion": "image.toolkit.fluxcd.io/v1alpha1", "kind": "ImageUpdateAutomation",
            "metadata": {"name": "a", "namespace": "b"},
            "spec": {"interval": interval, "checkout": {"branch": "main", "gitRepositoryRef": {"name": "c"}}},
        })
    };
    let (automation, ignored) = read::<ImageUpdateAutomationSpec>(object("90s")).unwrap();
    assert_eq!(automation.spec.source_ref.name, "c");
    assert_eq!(automation.spec.interval.to_string(), "1m30s");
    assert!(ignored.is_empty());
    let error = read::<ImageUpdateAutomationSpec>(object("often")).unwrap_err();
    assert_eq!(error.to_string(), "cannot decode ImageUpdateAutomation b/a");
    let error = read::<KustomizationSpec>(object("90s")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a Kustomization, found ImageUpdateAutomation of image.toolkit.fluxcd.io/v1"
    );
}
