use serde_json::json;

use super::*;
use crate::options::Options;

struct Fixture {
    state: State,
    owner: Arc<Owner>,
    resource: Resource,
    policy: Arc<Policy>,
    exclusions: Selection,
    place: usize,
}

fn object(version: u64, owned: &Value, more: &Value) -> Value {
    let mut object = json!({"metadata": {"name": "a", "namespace": "ns", "uid": "u", "resourceVersion": version.to_string(),
        "managedFields": [{"manager": "kustomize-controller", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": owned}]}});
    for (key, value) in more.as_object().into_iter().flatten() {
        if key == "managedFields" {
            object["metadata"][key]
                .as_array_mut()
                .unwrap()
                .push(value.clone());
        } else {
            object["metadata"][key] = value.clone();
        }
    }
    object
}

fn metadata(object: &Value) -> ObjectMeta {
    serde_json::from_value(object["metadata"].clone()).unwrap()
}

impl Fixture {
    fn new() -> Self {
        let options = Options::for_kustomizations(&[]);
        let resource = Resource {
            gvk: object::GroupVersionKind::new("", "v1", "ConfigMap"),
            plural: "configmaps".to_owned(),
            is_namespaced: true,
        };
        let mut state = State::default();
        let (_, start) = state.open(&resource);
        let (place, _) = start.unwrap();
        state.begin_list(place);
        assert_eq!(state.end_list(place), vec![]);
        Self {
            state,
            owner: Arc::new(Owner::kustomization("ns", "owner")),
            resource,
            policy: Arc::new(Policy {
                field_manager: "kustomize-controller".to_owned(),
                cleanup: options.cleanup,
            }),
            exclusions: options.exclusions,
            place,
        }
    }

    fn begin(&mut self, manifest: &str) -> (Known, Option<(usize, Arc<Key>)>) {
        let key = Key {
            namespace: "ns".into(),
            name: "a".into(),
        };
        let digest = Digest::of(&json!(manifest), b"");
        self.state.begin(
            &self.owner,
            &self.resource,
            &key,
            digest,
            &self.exclusions,
            &self.policy,
            true,
        )
    }

    /// Applies a manifest; the API server answers with the version.
    fn apply(&mut self, manifest: &str, version: u64) -> Told {
        let (_, place) = self.begin(manifest);
        let (place, key) = place.expect("something is to be done");
        self.state.done(
            place,
            &key,
            &object(version, &json!({"f:a": {}}), &json!({})),
            false,
        )
    }

    fn observe(&mut self, version: u64, owned: &Value, more: &Value) -> Told {
        self.state
            .observe(self.place, &metadata(&object(version, owned, more)))
    }
}

#[test]
fn only_changes_of_what_we_apply_are_told() {
    let ours = json!({"f:a": {}});
    let none = json!({});
    let by = |manager: &str, operation: &str, subresource: &str| {
        let mut entry = json!({"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": {"f:b": {}}});
        if !subresource.is_empty() {
            entry["subresource"] = subresource.into();
        }
        json!({ "managedFields": entry })
    };
    for (version, owned, more, is_told) in [
        (10, &ours, none.clone(), false),     // our own write
        (9, &json!({}), none.clone(), false), // something before it
        (11, &ours, none.clone(), false),     // a field that nobody applies
        (
            11,
            &ours,
            by("kube-controller-manager", "Update", "status"),
            false,
        ),
        (11, &ours, by("kubectl", "Update", "status"), false),
        (11, &ours, by("helm", "Update", ""), false),
        (
            11,
            &ours,
            json!({"annotations": {"x": "y"}, "generation": 7}),
            false,
        ),
        (11, &json!({}), none.clone(), true), // our field was changed
        (11, &ours, by("kubectl-edit", "Update", ""), true), // what kubectl adds is removed
        (11, &ours, json!({"uid": "other"}), true), // made anew
        (
            11,
            &ours,
            json!({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}),
            true,
        ),
        (
            11,
            &ours,
            json!({"labels": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}),
            true,
        ),
    ] {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.apply("1", 10), None);
        let told = fixture.observe(version, owned, &more);
        assert_eq!(told.is_some(), is_told, "{version} {owned} {more}");
        let (known, place) = fixture.begin("1");
        let is_left = known.is_clean || known.is_excluded;
        assert_eq!(
            (is_left, place.is_none()),
            (!is_told || known.is_excluded, is_left)
        );
        assert_eq!(known.is_drift, is_told, "{more}");
        assert_eq!(known.is_excluded, more.pointer("/labels").is_some());
    }
}

#[test]
fn events_wait_while_an_object_is_being_applied() {
    for (version, is_told) in [(10, false), (9, false), (12, true)] {
        let mut fixture = Fixture::new();
        let (known, place) = fixture.begin("1");
        assert_eq!((known.exists, known.is_clean), (Some(false), false));
        let (place, key) = place.unwrap();
        assert_eq!(fixture.observe(version, &json!({}), &json!({})), None);
        let answer = object(10, &json!({"f:a": {}}), &json!({}));
        let told = fixture.state.done(place, &key, &answer, false);
        assert_eq!(told.is_some(), is_told, "{version}");
    }
}

#[test]
fn an_end_while_an_object_is_being_applied_is_told_if_it_is_newer() {
    for (version, is_told) in [(9, false), (12, true)] {
        let mut fixture = Fixture::new();
        fixture.apply("1", 5);
        let (place, key) = fixture.begin("2").1.unwrap();
        let end = metadata(&object(version, &json!({}), &json!({})));
        assert_eq!(fixture.state.remove(fixture.place, &end), None);
        let answer = object(10, &json!({"f:a": {}}), &json!({}));
        let told = fixture.state.done(place, &key, &answer, false);
        assert_eq!(told.is_some_and(|(drift, _)| drift.is_deleted), is_told);
        assert_eq!(fixture.begin("2").0.exists, Some(!is_told));
    }
}

#[test]
fn an_end_is_told_unless_the_object_is_there_again() {
    let mut fixture = Fixture::new();
    fixture.apply("1", 10);
    let old = metadata(&object(8, &json!({}), &json!({})));
    assert_eq!(fixture.state.remove(fixture.place, &old), None);
    let end = metadata(&object(11, &json!({}), &json!({})));
    let (drift, _) = fixture.state.remove(fixture.place, &end).unwrap();
    assert!(drift.is_deleted);
    let (known, _) = fixture.begin("1");
    assert_eq!((known.exists, known.is_drift), (Some(false), true));
}

#[test]
fn a_list_tells_what_is_gone_but_not_what_was_applied_meanwhile() {
    let mut fixture = Fixture::new();
    fixture.state.begin_list(fixture.place);
    fixture.apply("1", 10);
    assert_eq!(fixture.state.end_list(fixture.place), vec![]);
    fixture.state.begin_list(fixture.place);
    assert_eq!(fixture.state.end_list(fixture.place).len(), 1);
}

#[test]
fn other_manifests_are_updates_until_nobody_knows() {
    let mut fixture = Fixture::new();
    fixture.apply("1", 10);
    let (known, place) = fixture.begin("2");
    assert_eq!(
        (known.is_update, known.is_drift, known.version),
        (true, false, 10)
    );
    // It was refused: the object is as it was.
    let (place, key) = place.unwrap();
    assert_eq!(fixture.state.failed(place, &key, true), None);
    assert!(fixture.begin("1").0.is_clean);
    let (known, place) = fixture.begin("2");
    assert!(known.is_update);
    let (place, key) = place.unwrap();
    assert_eq!(fixture.state.failed(place, &key, false), None);
    for manifest in ["1", "2"] {
        let (known, place) = fixture.begin(manifest);
        assert_eq!((known.is_clean, known.is_update), (false, false));
        let (place, key) = place.unwrap();
        fixture.state.failed(place, &key, false);
    }
}

#[test]
fn drift_during_a_failed_apply_is_told_after_it() {
    let mut fixture = Fixture::new();
    fixture.apply("1", 10);
    let (place, key) = fixture.begin("2").1.unwrap();
    assert_eq!(fixture.observe(11, &json!({}), &json!({})), None);
    assert!(fixture.state.failed(place, &key, true).is_some());
    assert!(fixture.begin("1").0.is_drift);
}

#[test]
fn who_keeps_changing_an_object_is_answered_slower_and_slower() {
    let mut fixture = Fixture::new();
    fixture.apply("1", 1);
    let mut pauses = Vec::new();
    for round in 1..=7 {
        let (_, pause) = fixture.observe(round * 10, &json!({}), &json!({})).unwrap();
        pauses.push(pause.as_secs());
        let (place, key) = fixture.begin("1").1.unwrap();
        let answer = object(round * 10 + 1, &json!({"f:a": {}}), &json!({}));
        fixture.state.done(place, &key, &answer, true);
    }
    assert_eq!(pauses, [0, 0, 0, 1, 2, 4, 8]);
}

#[test]
fn owners_forget_what_they_no_longer_have() {
    let mut fixture = Fixture::new();
    fixture.apply("1", 10);
    let id: ObjectId = "ns_a__ConfigMap".parse().unwrap();
    let owner = Arc::clone(&fixture.owner);
    fixture.state.add(&owner, &[&id]);
    fixture.state.keep(&owner, &[&id]);
    assert_eq!(fixture.state.size().0, 1);
    fixture.state.ready(&id);
    assert!(fixture.state.is_ready(&id));
    assert_eq!(fixture.state.unused(), Vec::<usize>::new());
    fixture.state.keep(&owner, &[]);
    assert_eq!(fixture.state.size(), (0, 1));
    assert_eq!(fixture.state.unused(), [fixture.place]);
    assert_eq!(fixture.state.unused(), Vec::<usize>::new());
    fixture.state.close(&[fixture.place]);
    assert_eq!(fixture.state.size(), (0, 0));
}
