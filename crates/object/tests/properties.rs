//! What holds for all inputs: reading what was printed, and patches that do what they were made for.

use object::json_patch::JsonPatch;
use object::quantity::{Format, Quantity};
use object::selector::{FieldRequirement, FieldSelector, LabelSelector, Operator, Requirement};
use object::strategic::{self, PatchTypes};
use object::time::{Duration, Time};
use object::{Map, Value, merge_patch};
use proptest::prelude::*;
use serde_json::json;

fn label_key() -> impl Strategy<Value = String> {
    let prefix = prop_oneof![Just(String::new()), "[a-z]([-a-z0-9]{0,5}[a-z0-9])?\\.io/"];
    (prefix, "[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?")
        .prop_map(|(prefix, name)| format!("{prefix}{name}"))
}

fn label_value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?"
    ]
}

fn requirement() -> impl Strategy<Value = Requirement> {
    let set = proptest::collection::btree_set(label_value(), 1..4)
        .prop_map(|values| values.into_iter().collect::<Vec<_>>());
    let one = label_value().prop_map(|value| vec![value]);
    let number = (0..i64::MAX).prop_map(|number| vec![number.to_string()]);
    let operators = |operators: &'static [Operator]| proptest::sample::select(operators);
    let comparison = prop_oneof![
        (operators(&[Operator::In, Operator::NotIn]), set),
        (
            operators(&[
                Operator::Equals,
                Operator::DoubleEquals,
                Operator::NotEquals
            ]),
            one
        ),
        (
            operators(&[Operator::GreaterThan, Operator::LessThan]),
            number
        ),
        (
            operators(&[Operator::Exists, Operator::DoesNotExist]),
            Just(Vec::new())
        ),
    ];
    (label_key(), comparison).prop_map(|(key, (operator, values))| {
        Requirement::new(key, operator, values).expect("all parts are valid")
    })
}

fn field_requirement() -> impl Strategy<Value = FieldRequirement> {
    ("[a-z.]{1,8}", any::<bool>(), "[a-z,=\\\\é ]{0,8}").prop_map(|(field, is_equal, value)| {
        FieldRequirement {
            field,
            is_equal,
            value,
        }
    })
}

proptest! {
    #[test]
    fn label_selectors_are_read_as_printed(
        requirements in proptest::collection::vec(requirement(), 0..5)
    ) {
        let selector = LabelSelector::new(requirements);
        let printed = selector.to_string();
        prop_assert_eq!(LabelSelector::parse(&printed).unwrap(), selector, "{}", printed);
    }

    #[test]
    fn a_selector_and_its_negation_never_agree(
        key in label_key(), values in proptest::collection::btree_set(label_value(), 1..4),
        labels in proptest::collection::btree_map("[a-c]", label_value(), 0..4)
    ) {
        let values: Vec<String> = values.into_iter().collect();
        let within = Requirement::new(key.clone(), Operator::In, values.clone()).unwrap();
        let without = Requirement::new(key, Operator::NotIn, values).unwrap();
        prop_assert_ne!(within.matches(&labels), without.matches(&labels));
    }

    #[test]
    fn field_selectors_are_read_as_printed(
        requirements in proptest::collection::vec(field_requirement(), 0..5)
    ) {
        let printed = FieldSelector::new(requirements.clone()).to_string();
        let mut read = FieldSelector::parse(&printed).unwrap().requirements().to_vec();
        let mut requirements = requirements;
        // Terms are sorted when they are read.
        read.sort_by_key(ToString::to_string);
        requirements.sort_by_key(ToString::to_string);
        prop_assert_eq!(read, requirements, "{}", printed);
    }

    #[test]
    fn quantities_are_read_as_printed(
        number in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,12})?",
        suffix in prop_oneof!["n|u|m|k|M|G|T|P", "[KMGTP]i", "e-?[0-9]"]
    ) {
        let quantity = Quantity::parse(&format!("{number}{suffix}")).unwrap();
        let printed = quantity.to_string();
        let again = Quantity::parse(&printed).unwrap();
        // Beyond the largest suffix upstream prints none, and the number changes.
        prop_assume!(quantity.value().unsigned_abs() < 1 << 60);
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(&again, &quantity);
    }

    #[test]
    fn adding_and_subtracting_quantities_cancel(
        left in any::<i64>(), right in any::<i64>(), scale in -9..9_i32, other in -9..9_i32
    ) {
        let start = Quantity::scaled(left, scale, Format::DecimalSi);
        let step = Quantity::scaled(right, other, Format::BinarySi);
        let mut sum = start.clone();
        sum.add(&step);
        prop_assert_eq!(sum.cmp(&start) as i32, step.sign());
        sum.sub(&step);
        prop_assert_eq!(sum, start);
    }

    #[test]
    fn durations_are_read_as_printed(nanoseconds in any::<i64>()) {
        let duration = Duration::from_nanoseconds(nanoseconds);
        prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
    }

    #[test]
    fn times_are_read_as_printed(seconds in -62_167_219_200..253_402_300_799_i64, micro in 0..1_000_000_u32) {
        let time = Time::from_unix(seconds, micro * 1000);
        prop_assert_eq!(Time::parse_micro(&time.to_micro_text()), Ok(time));
        prop_assert_eq!(Time::parse(&time.to_string()), Ok(Time::from_unix(seconds, 0)));
    }
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-3..3_i64).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ]
}

/// A value without nulls, which merge patches cannot say.
fn tree() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a-d]", tree(), 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #[test]
    fn merge_patches_lead_from_one_object_to_another(original in object(), modified in object()) {
        let patch = merge_patch::create(&original, &modified).unwrap();
        prop_assert_eq!(merge_patch::apply(original.clone(), patch).unwrap(), modified.clone());
        prop_assert_eq!(merge_patch::create(&modified, &modified).unwrap(), json!({}));
        // With the original as the current object, three versions are two.
        let three = merge_patch::create_three_way(&original, &modified, &original, &[]).unwrap();
        prop_assert_eq!(merge_patch::apply(original, three).unwrap(), modified);
    }

    #[test]
    fn json_patches_undo_each_other(document in object(), value in tree()) {
        let patch = json!([
            {"op": "add", "path": "/new", "value": value.clone()},
            {"op": "test", "path": "/new", "value": value.clone()},
            {"op": "copy", "from": "/new", "path": "/other"},
            {"op": "move", "from": "/other", "path": "/third"},
            {"op": "test", "path": "/third", "value": value},
            {"op": "remove", "path": "/third"},
            {"op": "remove", "path": "/new"},
        ]);
        let patch = JsonPatch::decode(patch).unwrap();
        prop_assert_eq!(patch.apply(document.clone()).unwrap(), document);
    }
}

/// A type with a list of maps that contains itself, lists of scalars, a map and a replaced field.
fn types() -> PatchTypes {
    let item = json!({"$ref": "#/definitions/Item"});
    PatchTypes::from_openapi(
        &json!({"definitions": {"Item": {"type": "object", "properties": {
            "name": {"type": "string"},
            "value": {"type": "string"},
            "items": {"type": "array", "items": item, "x-kubernetes-patch-strategy": "merge",
                "x-kubernetes-patch-merge-key": "name"},
            "kept": {"type": "array", "items": item, "x-kubernetes-patch-strategy": "merge,retainKeys",
                "x-kubernetes-patch-merge-key": "name"},
            "words": {"type": "array", "items": {"type": "string"}, "x-kubernetes-patch-strategy": "merge"},
            "list": {"type": "array", "items": {"type": "string"}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
            "whole": {"type": "object", "x-kubernetes-patch-strategy": "replace"},
        }}}}),
    )
}

/// An object of that type. In lists that are merged, each key and each word is there once.
fn item() -> impl Strategy<Value = Value> {
    let leaf = proptest::option::of("[a-c]").prop_map(|value| match value {
        Some(value) => json!({"value": value}),
        None => json!({}),
    });
    leaf.prop_recursive(3, 24, 4, |inner| {
        let items = proptest::collection::btree_map("[a-f]", inner, 0..5);
        let items = items.prop_flat_map(|items| {
            let items = items.into_iter().map(|(name, mut item)| {
                item["name"] = name.into();
                item
            });
            Just(items.collect::<Vec<Value>>()).prop_shuffle()
        });
        let words = proptest::collection::btree_set("[a-f]", 0..5)
            .prop_flat_map(|words| Just(words.into_iter().collect::<Vec<_>>()).prop_shuffle());
        let list = proptest::collection::vec("[a-c]", 0..4);
        let map = proptest::collection::btree_map("[a-c]", "[a-c]", 0..3);
        let field = prop_oneof![
            (Just("items"), items.clone().prop_map(Value::from)),
            (Just("kept"), items.prop_map(Value::from)),
            (Just("words"), words.prop_map(Value::from)),
            (Just("list"), list.prop_map(Value::from)),
            (Just("map"), map.clone().prop_map(|map| json!(map))),
            (Just("whole"), map.prop_map(|map| json!(map))),
            (Just("value"), "[a-c]".prop_map(Value::from)),
        ];
        proptest::collection::vec(field, 0..5).prop_map(|fields| {
            let fields = fields
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value));
            Value::Object(fields.collect())
        })
    })
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// The object with the words of all lists in order. A patch does not always restore theirs: upstream
/// sorts the original's words before it looks whether their order has changed.
fn with_sorted_words(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let mut value = with_sorted_words(value);
                if let (true, Value::Array(words)) = (key == "words", &mut value) {
                    words.sort_by_key(ToString::to_string);
                }
                (key.clone(), value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(with_sorted_words).collect(),
        scalar => scalar.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn strategic_patches_lead_from_one_object_to_another(original in item(), modified in item()) {
        let types = types();
        let schema = types.definition("Item").unwrap();
        let expected = with_sorted_words(&modified);
        let (original, modified) = (map(original), map(modified));
        let two = strategic::create_two_way(original.clone(), &modified, schema, &[]).unwrap();
        let three = strategic::create_three_way(
            original.clone(), &modified, original.clone(), schema, true, &[],
        ).unwrap();
        for patch in [two, three] {
            let patched = strategic::apply(original.clone(), patch.clone(), schema).unwrap();
            prop_assert_eq!(with_sorted_words(&patched.into()), expected.clone(), "{:?}", patch);
        }
    }
}
