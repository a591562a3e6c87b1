use serde_json::{Value, json};

use super::*;

fn set(fields: &Value) -> Set {
    Set::from_value(fields).unwrap()
}

fn check_json(fields: &Value, text: &str) {
    assert_eq!(set(fields).to_json(), text);
    assert_eq!(&set(fields).to_value(), fields);
}

#[test]
fn json_has_the_order_of_the_elements() {
    check_json(
        &json!({"v:10": {}, "v:9": {}, "k:{\"a\":1}": {".": {}, "f:a": {}}, "f:b": {"f:c": {}}, "i:0": {}}),
        r#"{"f:b":{"f:c":{}},"k:{\"a\":1}":{".":{},"f:a":{}},"v:9":{},"v:10":{},"i:0":{}}"#,
    );
    assert_eq!(Set::new().to_json(), "{}");
}

#[test]
fn unknown_elements_are_dropped() {
    let read = set(&json!({"x:new": {"f:a": {}}, "f:b": {"x:new": {}}}));
    assert_eq!(read.to_json(), r#"{"f:b":{}}"#);
    assert_eq!(set(&json!({".": {}})), Set::new());
    assert_eq!(set(&json!(null)), Set::new());
}

#[test]
fn broken_fields_are_refused() {
    for fields in [
        json!([]),
        json!({"f:a": 1}),
        json!({"a": {}}),
        json!({"k:1": {}}),
    ] {
        assert!(Set::from_value(&fields).is_err(), "{fields}");
    }
    let mut deep = json!({});
    for _ in 0..=crate::smd::MAX_DEPTH {
        deep = json!({"f:a": deep});
    }
    assert_eq!(Set::from_value(&deep), Err(FieldsError::TooDeep));
}

#[test]
fn difference_keeps_parents_and_children_apart() {
    let both = set(&json!({"f:a": {".": {}, "f:b": {}}}));
    let parent = set(&json!({"f:a": {}}));
    let child = set(&json!({"f:a": {"f:b": {}}}));
    assert_eq!(both.difference(&parent), child);
    assert_eq!(both.difference(&child), parent);
    assert_eq!(child.difference(&parent), child);
    assert_eq!(child.recursive_difference(&parent), Set::new());
    assert_eq!(parent.union(&child), both);
    assert_eq!(both.intersection(&child), child);
    assert_eq!(both.leaves(), child);
    assert!(parent.is_subset(&both) && !both.is_subset(&parent));
}

#[test]
fn paths_are_inserted_found_and_listed() {
    let path = Path::from(vec![
        PathElement::field("spec"),
        PathElement::key([("name", json!("a"))]),
        PathElement::value(json!(1)),
    ]);
    let mut set = Set::of([&path]);
    set.insert(&Path::default());
    assert_eq!(set.len(), 1);
    assert!(set.has(&path));
    assert!(!set.has(&Path::of_fields(&["spec"])));
    assert!(!set.has(&Path::default()));
    assert_eq!(set.to_string(), r#".spec[name="a"][=1]"#);
}

#[test]
fn filters_exclude_and_include() {
    let fields =
        set(&json!({"f:spec": {"f:a": {}, "f:b": {"f:c": {}}}, "f:status": {".": {}, "f:d": {}}}));
    let exclude = Filter::Exclude(Arc::new(set(&json!({"f:status": {}}))));
    assert_eq!(
        exclude.apply(&fields),
        set(&json!({"f:spec": {"f:a": {}, "f:b": {"f:c": {}}}}))
    );
    let is = |name: &str| PatternElement::Is(PathElement::field(name));
    let spec_any_c = Pattern::prefix([is("spec"), PatternElement::Any, is("c")]);
    let status = Pattern::prefix([is("status")]);
    assert_eq!(
        Filter::Include(spec_any_c.merge(status)).apply(&fields),
        set(&json!({"f:spec": {"f:a": {}, "f:b": {"f:c": {}}}, "f:status": {".": {}, "f:d": {}}}))
    );
    assert_eq!(
        Filter::Include(Pattern::prefix([is("spec"), is("b")]))
            .apply(&fields)
            .to_json(),
        r#"{"f:spec":{"f:b":{"f:c":{}}}}"#
    );
    assert_eq!(Filter::Include(Pattern::Any).apply(&fields), fields);
}
