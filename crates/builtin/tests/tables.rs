//! Rows as a real server printed them (the data beside the conformance corpora).

use object::time::Time;
use object::{GroupVersion, GroupVersionResource, Value};

/// Whether a printed cell is the recorded one; `${age}` stands for any age, `${time}` for any time.
fn matches(expected: &Value, printed: &Value) -> bool {
    match expected.as_str() {
        Some(text) if text.contains("${") => printed.is_string(),
        _ => expected == printed,
    }
}

/// Puts a time where the recording has a placeholder for one.
fn fill(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("${time") || text.starts_with("${mtime") => {
            "2024-01-02T03:04:05Z".clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::Object(entries) => entries.values_mut().for_each(fill),
        _ => {}
    }
}

#[test]
fn recorded_rows_are_printed() {
    let Some(corpus) = testkit::conformance("apiserver") else {
        return;
    };
    let file = corpus.join("../../kubernetes/tables.json");
    let tables: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let now = Time::parse("2024-01-02T03:14:05Z").unwrap();
    let mut tally = testkit::Tally::default();
    for table in &tables {
        let version = GroupVersion::parse(table["groupVersion"].as_str().unwrap()).unwrap();
        let gvr = GroupVersionResource::new(
            version.group,
            version.version,
            table["resource"].as_str().unwrap(),
        );
        // CRDs are printed by the crate that knows them.
        if gvr.group == "apiextensions.k8s.io" {
            continue;
        }
        // The server prints autoscalers of any version in the form of v2.
        if gvr.group == "autoscaling" && gvr.version == "v1" {
            continue;
        }
        let mut object = table["object"].clone();
        fill(&mut object);
        for row in table["rows"].as_array().into_iter().flatten() {
            let expected = row["cells"].as_array().unwrap();
            let printed = builtin::table::row(&gvr, &object, now).cells;
            let same = expected.len() == printed.len()
                && expected.iter().zip(&printed).all(|(e, p)| matches(e, p));
            let outcome = if same {
                Ok(())
            } else {
                Err(format!(
                    "{} is not {}",
                    Value::from(printed),
                    Value::from(expected.clone())
                ))
            };
            tally.record(&gvr.to_string(), outcome);
        }
    }
    assert!(tally.total() > 40, "only {} rows", tally.total());
    assert!(tally.failures().is_empty(), "{}", tally.report());
}
