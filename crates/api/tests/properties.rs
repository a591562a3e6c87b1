//! What holds for any input.

use api::convert::{to_current, to_version};
use api::meta::{Digest, Duration, ObjectId, Revision, Time};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Names that conversions look for, so that random objects run into them.
const NAMES: &[&str] = &[
    "apiVersion",
    "artifact",
    "author",
    "branch",
    "chart",
    "checkout",
    "checksum",
    "commit",
    "digest",
    "git",
    "gitImplementation",
    "gitRepositoryRef",
    "kind",
    "kustomize",
    "latestImage",
    "latestRef",
    "metadata",
    "name",
    "namespace",
    "patch",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "postRenderers",
    "push",
    "ref",
    "revision",
    "serviceAccount",
    "serviceAccountName",
    "signingKey",
    "sourceRef",
    "spec",
    "tag",
    "target",
    "url",
    "validation",
    "valuesFile",
    "valuesFiles",
    "webhookPath",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z:/@.0-9]{0,70}".prop_map(Value::from),
        Just(json!("")),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES), inner), 0..8).prop_map(|fields| {
                let fields = fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(fields.collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn converting_twice_changes_nothing(spec in any_json(), status in any_json(), pick in any::<prop::sample::Index>()) {
        let kinds = api::kinds();
        let versions: Vec<_> = kinds.iter().flat_map(|kind| kind.versions.iter().map(move |v| (kind, v))).collect();
        let (kind, version) = versions[pick.index(versions.len())];
        let object = json!({
            "apiVersion": kind.names.api_version(version.name), "kind": kind.names.kind,
            "metadata": {"name": "a", "namespace": "b"}, "spec": spec, "status": status,
        });
        let once = to_current(object).unwrap();
        let twice = to_current(once.object.clone()).unwrap();
        prop_assert_eq!(&twice.object, &once.object);
        prop_assert!(twice.ignored.is_empty());
        let down = to_version(once.object, version.name).unwrap();
        prop_assert_eq!(&down.object["apiVersion"], &json!(kind.names.api_version(version.name)));
        // Decoding may fail, but does not panic.
        let _ = (version.normalize)(down.object);
    }

    #[test]
    fn durations_are_read_as_written(nanoseconds in any::<i64>()) {
        let duration = Duration::from_nanoseconds(nanoseconds);
        let read: Duration = duration.to_string().parse().unwrap();
        prop_assert_eq!(read, duration);
    }

    #[test]
    fn times_are_read_as_written(seconds in -62_135_596_800_i64..253_402_207_200) {
        let time = Time::from_unix(seconds);
        prop_assert_eq!(time.to_string().parse::<Time>().unwrap(), time);
    }

    #[test]
    fn no_text_breaks_a_parser(text in "\\PC{0,40}|[0-9a-z.µ:_@/+-]{0,40}") {
        let _ = text.parse::<Duration>();
        let _ = text.parse::<Time>();
        let _ = text.parse::<Digest>();
        let _ = Revision::parse(&text).to_git();
        if let Ok(id) = text.parse::<ObjectId>() {
            let _ = id.to_string();
        }
    }
}
