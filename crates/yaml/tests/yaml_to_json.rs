//! The cases recorded from sigs.k8s.io/yaml.

use serde_json::Value;

fn outcome(result: Result<Value, yaml::Error>) -> (Option<Value>, Option<String>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error.to_string())),
    }
}

#[test]
fn yaml_becomes_the_same_json() {
    let Some(folder) = testkit::conformance("apiserver/lib") else {
        return;
    };
    let cases = testkit::read_jsonl(&folder.join("yaml-to-json.jsonl")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let text = case["yaml"].as_str().unwrap();
        let expected = case["json"]
            .as_str()
            .map(|json| serde_json::from_str::<Value>(json).unwrap());
        let loose = outcome(yaml::to_json(text.as_bytes()));
        let wanted = (expected.clone(), case["error"].as_str().map(str::to_owned));
        if loose != wanted {
            failures.push(format!(
                "{}: {text:?}: {loose:?}, not {wanted:?}",
                case["name"]
            ));
        }
        let strict = outcome(yaml::to_json_strict(text.as_bytes()));
        let wanted = case["strictError"].as_str().map(str::to_owned);
        if strict.1 != wanted {
            failures.push(format!(
                "{}: {text:?}: strict {strict:?}, not {wanted:?}",
                case["name"]
            ));
        }
    }
    println!("{} cases", cases.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
