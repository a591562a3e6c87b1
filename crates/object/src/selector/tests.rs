use serde_json::json;

use super::*;

#[test]
fn everything_and_nothing() {
    let labels = json!({"a": "b"});
    assert!(LabelSelector::everything().matches(&labels));
    assert!(!LabelSelector::nothing().matches(&labels));
    assert!(LabelSelector::parse("").unwrap().is_everything());
    assert!(from_object(&json!(null)).unwrap().is_nothing());
    assert!(from_object(&json!({})).unwrap().is_everything());
}

#[test]
fn objects_are_matched_by_their_labels() {
    let object = json!({"metadata": {"labels": {"app": "web", "tier": "a"}}});
    for (text, expected) in [
        ("app=web", true),
        ("app=web,tier notin (b)", true),
        ("!app", false),
        ("other!=x", true),
    ] {
        let selector = LabelSelector::parse(text).unwrap();
        assert_eq!(selector.matches_object(&object), expected, "{text}");
    }
    assert!(
        LabelSelector::parse("!a")
            .unwrap()
            .matches_object(&json!({}))
    );
}

#[test]
fn text_and_object_are_one() {
    let object = json!({
        "matchLabels": {"a": "b"},
        "matchExpressions": [
            {"key": "c", "operator": "In", "values": ["d", "e"]},
            {"key": "f", "operator": "DoesNotExist"},
        ],
    });
    let text = "a=b,c in (d,e),!f";
    assert_eq!(from_object(&object).unwrap().to_string(), text);
    assert_eq!(to_object(text).unwrap(), object);
    assert_eq!(format_label_selector(&object), text);
    assert_eq!(
        to_object("a!=b").unwrap_err().to_string(),
        "\"!=\" is not a valid label selector operator"
    );
    assert_eq!(
        to_object("a>1").unwrap_err().to_string(),
        "\"gt\" isn't supported in label selectors"
    );
}

#[test]
fn plain_labels() {
    let object = json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]});
    assert_eq!(
        to_map(&object).unwrap().get("a").map(String::as_str),
        Some("b")
    );
    let object = json!({"matchExpressions": [{"key": "a", "operator": "Exists"}]});
    assert_eq!(
        to_map(&object).unwrap_err().to_string(),
        "operator \"Exists\" cannot be converted into the old label selector format"
    );
}

#[test]
fn required_values() {
    let selector = LabelSelector::parse("a in (b),c in (d,e),f!=g").unwrap();
    assert_eq!(selector.required_value("a"), Some("b"));
    assert_eq!(selector.required_value("c"), None);
    assert_eq!(selector.required_value("f"), None);
    let selector = FieldSelector::parse("metadata.name=x,a!=b").unwrap();
    assert_eq!(selector.required_value("metadata.name"), Some("x"));
    assert_eq!(selector.required_value("a"), None);
}

#[test]
fn fields_are_looked_up() {
    let selector = FieldSelector::parse("metadata.name=x,status.phase!=Running").unwrap();
    let lookup = |field: &str| match field {
        "metadata.name" => "x",
        "status.phase" => "Pending",
        _ => "",
    };
    assert!(selector.matches(lookup));
    assert!(!selector.matches(|_| "Running"));
    let renamed = selector
        .transform(|field, value| match field.as_str() {
            "metadata.name" => Ok(("name".to_owned(), value)),
            _ => Err(format!("field label not supported: {field}")),
        })
        .unwrap_err();
    assert_eq!(renamed, "field label not supported: status.phase");
}
