//! The CRDs made from the types are Flux's.
//!
//! Needs the tables of Flux's CRDs: `$SLUICE_FLUX_DATA`, else `shared/flux` beside the checkout.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

mod flux;

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

fn read_yaml(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

/// Without descriptions: they are in words of our own.
fn without_prose(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("description", Value::String(_)) => {}
                    // Here a name is a property's, also if it is `description`.
                    ("properties", Value::Object(properties)) => {
                        let properties = properties
                            .iter()
                            .map(|(n, p)| (n.clone(), without_prose(p)));
                        kept.insert(name.clone(), Value::Object(properties.collect()));
                    }
                    _ => {
                        kept.insert(name.clone(), without_prose(field));
                    }
                }
            }
            Value::Object(kept)
        }
        Value::Array(items) => Value::Array(items.iter().map(without_prose).collect()),
        other => other.clone(),
    }
}

fn differences(ours: &Value, theirs: &Value, path: &str, found: &mut Vec<String>) {
    if let (Value::Object(ours), Value::Object(theirs)) = (ours, theirs) {
        for name in theirs.keys().filter(|name| !ours.contains_key(*name)) {
            found.push(format!("{path}/{name}: missing"));
        }
        for (name, value) in ours {
            let path = format!("{path}/{name}");
            match theirs.get(name) {
                Some(theirs) => differences(value, theirs, &path, found),
                None => found.push(format!("{path}: Flux has none")),
            }
        }
    } else if let (Value::Array(ours), Value::Array(theirs)) = (ours, theirs)
        && ours.len() == theirs.len()
    {
        for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            differences(ours, theirs, &format!("{path}/{index}"), found);
        }
    } else if ours != theirs {
        found.push(format!("{path}: {ours} instead of {theirs}"));
    }
}

fn assert_same(ours: &Value, theirs: &Value, what: &str) {
    let mut found = Vec::new();
    differences(&without_prose(ours), &without_prose(theirs), "", &mut found);
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn current_versions_are_those_of_flux() {
    let Some(data) = flux::data() else { return };
    let ours = api::current_crds();
    let mut count = 0;
    for entry in fs::read_dir(data.join("crds")).unwrap() {
        let theirs = read_yaml(&entry.unwrap().path());
        let name = &theirs["metadata"]["name"];
        let own = ours.iter().find(|crd| &crd["metadata"]["name"] == name);
        assert_same(own.unwrap_or(&Value::Null), &theirs, &name.to_string());
        count += 1;
    }
    assert_eq!((count, ours.len()), (15, 15));
}

#[test]
fn old_versions_are_those_of_flux() {
    let Some(data) = flux::data() else { return };
    let table = fs::read_to_string(data.join("crd-versions.tsv")).unwrap();
    let mut count = 0;
    for line in table.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let [group, kind, version] = columns[..3] else {
            panic!("{line}")
        };
        let file = columns[columns.len() - 1];
        if !file.starts_with("crds-old/") || !group.contains(".toolkit.") {
            continue;
        }
        let theirs = read_yaml(&data.join(file));
        let versions = theirs["spec"]["versions"].as_array().unwrap();
        let theirs = versions.iter().find(|v| v["name"] == version).unwrap();
        let kind_data = api::crd::kind(group, kind).unwrap();
        let own = kind_data
            .version(version)
            .unwrap_or_else(|| panic!("no {kind} {version}"));
        let what = format!("{kind} {version}");
        assert_same(
            &(own.schema)().into(),
            &theirs["schema"]["openAPIV3Schema"],
            &what,
        );

        let served = api::crd::definition(kind_data);
        let served = served["spec"]["versions"].as_array().unwrap();
        let served = served.iter().find(|v| v["name"] == version).unwrap();
        for part in ["additionalPrinterColumns", "subresources"] {
            assert_same(&served[part], &theirs[part], &what);
        }
        if let Some(warning) = theirs["deprecationWarning"].as_str() {
            // Flux once named a version that is old itself by now.
            let warning = warning.replace("upgrade to v1beta2", "upgrade to v1");
            let own = served["deprecationWarning"].as_str().unwrap();
            assert!(own.starts_with(&warning), "{what}: {own}");
        }
        count += 1;
    }
    assert_eq!(count, 40);
}

/// Removes the property at `path` below a schema; `[]` is the items of a list, `{}` the values of a map.
fn remove(schema: &mut Value, path: &str) {
    let mut here = schema;
    let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
    for step in parents.split('.').filter(|step| !step.is_empty()) {
        let property = step.trim_end_matches(['[', ']', '{', '}']);
        here = &mut here["properties"][property];
        for suffix in step.as_bytes()[property.len()..].chunks(2) {
            here = &mut here[if suffix == b"[]" {
                "items"
            } else {
                "additionalProperties"
            }];
        }
    }
    let properties = here["properties"].as_object_mut().unwrap();
    assert!(properties.remove(name).is_some(), "{path}");
    if properties.is_empty() {
        here.as_object_mut().unwrap().remove("properties");
    }
}

#[test]
fn served_versions_differ_only_by_what_is_documented() {
    for kind in api::kinds() {
        for version in kind.versions {
            let own = Value::from((version.schema)());
            let mut served = api::stored::schema(kind, version);
            for path in api::stored::additions(kind, version) {
                remove(&mut served, &path);
            }
            assert_eq!(served, own, "{} {}", kind.names.kind, version.name);
        }
    }
}

#[test]
fn current_versions_gain_only_fields_of_old_specs() {
    let of = |group: &str, kind: &str| {
        let kind = api::crd::kind(group, kind).unwrap();
        api::stored::additions(kind, kind.current())
    };
    assert_eq!(
        of("kustomize.toolkit.fluxcd.io", "Kustomization"),
        [
            "spec.patchesJson6902",
            "spec.patchesStrategicMerge",
            "spec.serviceAccount",
            "spec.validation"
        ]
    );
    assert_eq!(
        of("helm.toolkit.fluxcd.io", "HelmRelease"),
        [
            "spec.chart.spec.valuesFile",
            "spec.postRenderers[].kustomize.patchesJson6902",
            "spec.postRenderers[].kustomize.patchesStrategicMerge",
        ]
    );
    assert_eq!(
        of("source.toolkit.fluxcd.io", "GitRepository"),
        ["spec.accessFrom", "spec.gitImplementation"]
    );
    assert_eq!(
        of("source.toolkit.fluxcd.io", "HelmChart"),
        ["spec.accessFrom", "spec.valuesFile"]
    );
    assert_eq!(
        of("source.toolkit.fluxcd.io", "Bucket"),
        ["spec.accessFrom"]
    );
    assert_eq!(
        of("image.toolkit.fluxcd.io", "ImageUpdateAutomation"),
        ["spec.checkout", "spec.commit", "spec.push"]
    );
    let all: usize = api::kinds()
        .into_iter()
        .map(|kind| api::stored::additions(kind, kind.current()).len())
        .sum();
    assert_eq!(all, 15, "a kind that is not in this list has additions");
}

#[test]
fn definitions_are_sorted_and_fit_the_api_servers_limits() {
    let crds = api::crds();
    assert_eq!(crds, api::crds());
    let keys: Vec<_> = crds
        .iter()
        .map(|crd| {
            (
                crd["spec"]["group"].to_string(),
                crd["spec"]["names"]["plural"].to_string(),
            )
        })
        .collect();
    assert!(keys.is_sorted());
    for crd in &crds {
        let name = &crd["metadata"]["name"];
        // The limit of an annotation, in which client-side apply keeps a copy.
        assert!(crd.to_string().len() < 256 * 1024, "{name}");
        let versions = crd["spec"]["versions"].as_array().unwrap();
        let stored = versions
            .iter()
            .filter(|version| version["storage"] == json!(true));
        assert_eq!(stored.count(), 1, "{name}");
        for version in versions {
            let warning = version["deprecationWarning"].as_str().unwrap_or_default();
            assert!(warning.len() <= 256, "{name}: {warning}");
            assert_eq!(
                warning.is_empty(),
                version["storage"] == json!(true),
                "{name}"
            );
        }
    }
}
