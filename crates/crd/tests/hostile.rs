//! Foreign schemas, objects and expressions: no panic and no hang.

use crd::cel::{Environment, PER_CALL_LIMIT, Shape, from_json};
use crd::definition;
use crd::schema::Schema;
use crd::value::Validator;
use object::field::Path;
use proptest::prelude::*;
use serde_json::{Value, json};

fn evaluate(text: &str) {
    let shape = Shape::json();
    let environment = Environment::new()
        .with_shape("self", &shape, "object")
        .with_estimates_of(&shape);
    if let Ok(program) = environment.compile(text) {
        let value = json!({"a": [1, 2, 3], "b": "text", "c": {"d": 1.5, "e": null}});
        let _ = program.evaluate(&[from_json(&value, &shape)], PER_CALL_LIMIT);
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "self",
        "self.a",
        "self.b",
        "self.c",
        "e",
        "1",
        "2u",
        "1.5",
        "'x'",
        "b'x'",
        "null",
        "true",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "?",
        ".",
        "==",
        "!=",
        "<",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "in",
        ".map(e, ",
        ".filter(e, ",
        ".all(e, ",
        ".exists(e, ",
        ".size()",
        ".sortBy(e, ",
        "has(",
        "size(",
        "[?0]",
        ".?f",
        ".optMap(e, ",
        "optional.of(",
        "duration('1s')",
        "timestamp('2000-01-01T00:00:00Z')",
        ".matches('a*')",
        ".replace('', 'aaaa')",
        "lists.range(100000)",
        "quantity('1Gi')",
        "ip('::1')",
        "url('http://a/')",
        ".format([1])",
        "'%s'",
        "\\",
        "\"",
        "é",
        "@",
        "//",
        "\n",
    ])
    .prop_map(str::to_owned)
}

fn keyword() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!("object"),
        json!("array"),
        json!("string"),
        json!("integer"),
        json!(true),
        json!(false),
        json!(-1),
        json!(3),
        json!(1.5),
        json!(null),
        json!([]),
        json!({}),
        json!(["a"]),
        json!("a*["),
        json!([{"rule": "self.a == 1"}]),
        json!([{"rule": "self.all(x, x)", "messageExpression": "'a'"}]),
        json!("map"),
        json!("set"),
        json!("date-time"),
    ])
}

fn schema() -> impl Strategy<Value = Value> {
    let keys = vec![
        "type",
        "format",
        "pattern",
        "maxLength",
        "minItems",
        "maxItems",
        "multipleOf",
        "maximum",
        "enum",
        "required",
        "nullable",
        "default",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-validations",
        "x-kubernetes-map-type",
        "additionalProperties",
    ];
    let leaf = prop::collection::btree_map(prop::sample::select(keys), keyword(), 0..5)
        .prop_map(|map| json!(map));
    leaf.prop_recursive(4, 24, 4, |inner| {
        let below = vec!["items", "not", "additionalProperties"];
        let lists = vec!["allOf", "anyOf", "oneOf"];
        prop_oneof![
            (inner.clone(), prop::sample::select(below), inner.clone()).prop_map(
                |(mut outer, key, below)| {
                    outer[key] = below;
                    outer
                }
            ),
            (inner.clone(), prop::sample::select(lists), inner.clone()).prop_map(
                |(mut outer, key, below)| {
                    outer[key] = json!([below]);
                    outer
                }
            ),
            (inner.clone(), inner).prop_map(|(mut outer, below)| {
                outer["properties"] = json!({"a": below, "metadata": {"type": "object"}});
                outer
            }),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    keyword().prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]|metadata|kind", inner, 0..3)
                .prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn expressions_end(words in prop::collection::vec(word(), 1..14)) {
        evaluate(&words.concat());
    }

    #[test]
    fn texts_end(text in ".{0,40}") {
        evaluate(&text);
    }

    #[test]
    fn schemas_end(schema in schema(), mut object in object(), old in object()) {
        let definition = json!({
            "metadata": {"name": "as.example.org"},
            "spec": {
                "group": "example.org",
                "scope": "Namespaced",
                "names": {"plural": "as", "singular": "a", "kind": "A", "listKind": "AList"},
                "versions": [{
                    "name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": schema},
                }],
            },
            "status": {"storedVersions": ["v1"]},
        });
        definition::validate_create(&definition);
        definition::validate_update(&definition, &definition);
        if let Ok(schema) = Schema::read(&schema) {
            Validator::of_definition(&schema).validate(&Path::root(), &object);
        }
        if let Ok(compiled) = crd::compile(&definition) {
            let version = &compiled.versions["v1"];
            let _ = version.prune(&mut object);
            version.default(&mut object);
            version.validate_create(&object);
            version.validate_update(&object, &old);
            version.validate_status_update(&object, &old);
        }
    }
}

#[test]
fn deep_and_wide_expressions_end() {
    for text in [
        "(".repeat(10_000),
        "[".repeat(10_000),
        "!".repeat(10_000) + "true",
        "-".repeat(10_000) + "1",
        "1".to_owned() + &"+1".repeat(10_000),
        "self".to_owned() + &".a".repeat(10_000),
        "self".to_owned() + &"[0]".repeat(10_000),
        "true".to_owned() + &"&&true".repeat(10_000),
        "true".to_owned() + &"?true:true".repeat(5_000),
        "self".to_owned() + &".optMap(e, e)".repeat(200),
        "[1]".to_owned() + &".map(e, [1, 2].map(f, f))".repeat(200),
        "'a'".to_owned() + &".replace('', 'aaaaaaaaaaaaaaaaaaaaaa')".repeat(100),
        "lists.range(1000000000).size() > 0".to_owned(),
        "[1,2,3,4,5,6,7,8,9,10].all(a, ".repeat(100) + "true" + &")".repeat(100),
    ] {
        evaluate(&text);
    }
}

#[test]
fn deep_schemas_end() {
    let mut schema = json!({"type": "string"});
    for _ in 0..120 {
        schema = json!({"type": "object", "properties": {"a": schema}});
    }
    let mut too_deep = schema.clone();
    for _ in 0..5 {
        too_deep = json!({"allOf": [too_deep.clone()], "not": too_deep["properties"]["a"].clone()});
    }
    for schema in [schema, too_deep] {
        if let Ok(schema) = Schema::read(&schema) {
            Validator::of_definition(&schema).validate(&Path::root(), &json!({"a": {"a": 1}}));
        }
    }
}
