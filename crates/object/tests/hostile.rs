//! Nothing that comes from outside makes this crate panic, hang or run out of stack.

use std::hint::black_box;

use object::json_patch::JsonPatch;
use object::jsonpath::JsonPath;
use object::quantity::Quantity;
use object::selector::{self, FieldSelector, LabelSelector};
use object::strategic::{self, PatchTypes};
use object::time::{Duration, Time};
use object::{Map, Value, field::Path, goprint, merge_patch, names};
use proptest::prelude::*;
use serde_json::json;

/// Any text, and texts of pieces that mean something to a parser.
fn text(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let soup = proptest::collection::vec(proptest::sample::select(pieces), 0..12);
    prop_oneof![
        1 => any::<String>(),
        3 => soup.prop_map(|pieces| pieces.concat()),
    ]
}

const SELECTOR: &[&str] = &[
    "a", "in", "notin", "=", "==", "!=", "!", "(", ")", ",", " ", "\0", "/", "é", "\\", ">", "<",
    "5",
];
const QUANTITY: &[&str] = &[
    "0",
    "1",
    "9999999999",
    "-",
    "+",
    ".",
    "e",
    "E",
    "Ki",
    "Ei",
    "m",
    "n",
    "e2147483647",
    "e-2147483648",
    "é",
    " ",
];
const TIME: &[&str] = &[
    "2024",
    "-",
    "01",
    "02",
    "T",
    ":",
    "03",
    "Z",
    "+",
    "24",
    "60",
    ".",
    ",",
    "123456",
    "h",
    "m",
    "s",
    "ns",
    "µs",
    "9223372036854775807",
    "é",
];
const TEMPLATE: &[&str] = &[
    "{",
    "}",
    "range ",
    "end",
    ".",
    "..",
    "a",
    "*",
    "[",
    "]",
    "[?(",
    ")]",
    "@",
    "$",
    "==",
    "<",
    "'",
    "\"",
    "\\",
    ",",
    ":",
    "-",
    "1",
    "99999999999999999999",
    "é",
    "\n",
    " ",
    "true",
];
const NAME: &[&str] = &[
    "a", "A", "0", "-", ".", "/", "*", ":", "::", "255", "%", "é", "_", "ffff", "\n",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(&["", "a", "name", "delete", "replace", "merge"][..])
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let keys = &[
        "name",
        "items",
        "words",
        "map",
        "$patch",
        "$retainKeys",
        "$setElementOrder/items",
        "$setElementOrder/words",
        "$deleteFromPrimitiveList/words",
        "$setElementOrder",
        "$deleteFromPrimitiveList/",
        "op",
        "path",
        "from",
        "value",
        "",
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(proptest::sample::select(&keys[..]), inner, 0..6)
                .prop_map(|map| {
                    let entries = map.into_iter().map(|(key, value)| (key.to_owned(), value));
                    Value::Object(entries.collect())
                }),
        ]
    })
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn types() -> PatchTypes {
    let item = json!({"$ref": "#/definitions/Item"});
    PatchTypes::from_openapi(
        &json!({"definitions": {"Item": {"type": "object", "properties": {
            "name": {"type": "string"},
            "items": {"type": "array", "items": item, "x-kubernetes-patch-strategy": "merge,retainKeys",
                "x-kubernetes-patch-merge-key": "name"},
            "words": {"type": "array", "items": {"type": "string"}, "x-kubernetes-patch-strategy": "merge"},
            "map": item,
        }}}}),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn selectors(text in text(SELECTOR), value in value()) {
        if let Ok(selector) = LabelSelector::parse(&text) {
            black_box(selector.matches(&value));
            let printed = selector.to_string();
            prop_assert_eq!(LabelSelector::parse(&printed).map(|read| read.to_string()), Ok(printed));
        }
        let _ = black_box(FieldSelector::parse(&text));
        let _ = black_box((selector::from_object(&value), selector::to_object(&text)));
    }

    #[test]
    fn quantities(left in text(QUANTITY), right in text(QUANTITY), scale in any::<i32>()) {
        let (Ok(left), Ok(right)) = (Quantity::parse(&left), Quantity::parse(&right)) else {
            return Ok(());
        };
        black_box((left.value(), left.milli_value(), left.scaled_value(scale), left.to_string()));
        black_box((left.as_approximate_f64(), left.cmp(&right)));
        let mut sum = left.clone();
        sum.add(&right);
        sum.sub(&left);
        sum.multiply(i64::from(scale));
        sum.round_up(scale % 100);
        black_box(sum.to_string());
    }

    #[test]
    fn times(text in text(TIME)) {
        let _ = black_box((Time::parse(&text), Time::parse_micro(&text)));
        if let Ok(duration) = Duration::parse(&text) {
            prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
        }
    }

    #[test]
    fn templates(text in text(TEMPLATE), value in value(), allow in any::<bool>()) {
        if let Ok(path) = JsonPath::parse(&text) {
            let _ = black_box(path.allow_missing_keys(allow).execute(&value));
        }
    }

    #[test]
    fn names_and_addresses(text in text(NAME)) {
        let path = Path::root();
        for rule in [
            names::qualified_name, names::label_value, names::dns1123_label, names::dns1035_label,
            names::wildcard_dns1123_subdomain, names::env_var_name, names::config_map_key,
            names::port_name, names::decimal_integer, names::relaxed_env_var_name,
        ] {
            black_box(rule(&text));
        }
        black_box(names::name_is_dns_subdomain(&text, true));
        black_box((names::ip::ip(&path, &text), names::ip::cidr(&path, &text)));
        black_box((names::ip::ip_warnings(&path, &text), names::ip::cidr_warnings(&path, &text)));
        black_box(names::ip::interface_address(&path, &text));
    }

    #[test]
    fn patches(document in value(), patch in value(), other in value()) {
        let _ = black_box(merge_patch::apply(document.clone(), patch.clone()));
        let _ = black_box(merge_patch::create_three_way(&document, &patch, &other, &[]));
        if let Ok(patch) = JsonPatch::decode(patch.clone()) {
            let _ = black_box(patch.apply(document.clone()));
        }
        black_box((goprint::verb_v(&patch), goprint::verb_s(&patch)));
        prop_assert_eq!(goprint::json(&patch).len(), goprint::json_len(&patch));
    }

    #[test]
    fn strategic_patches(document in value(), patch in value(), other in value()) {
        let types = types();
        let schema = types.definition("Item").unwrap();
        let (document, patch, other) = (map(&document), map(&patch), map(&other));
        let _ = black_box(strategic::apply(document.clone(), patch.clone(), schema));
        let _ = black_box(strategic::have_conflicts(&document, &patch, schema));
        let _ = black_box(strategic::merge_patches([patch.clone(), other.clone()], schema));
        let made = strategic::create_three_way(document, &patch, other, schema, false, &[]);
        if let Err(error) = made {
            black_box(error.to_string());
        }
    }
}

#[test]
fn large_lists_are_merged_in_time() {
    let types = types();
    let schema = types.definition("Item").unwrap();
    let names = |from: usize| (from..from + 30_000).map(|name| json!({"name": name.to_string()}));
    let items = |from| names(from).collect::<Vec<Value>>();
    let document = map(&json!({"items": items(0), "words": vec!["a"; 30_000]}));
    let patch = map(&json!({
        "items": items(15_000),
        "$setElementOrder/items": items(15_000),
        "words": (0..30_000).map(|word| (word % 7).to_string()).collect::<Vec<_>>(),
    }));
    let patched = strategic::apply(document, patch, schema).unwrap();
    assert_eq!(patched["items"].as_array().map(Vec::len), Some(45_000));
    assert_eq!(patched["words"].as_array().map(Vec::len), Some(8));
}

#[test]
fn deep_templates_end() {
    for piece in ["[?(", "{", "[", "..", "{range .a[*]}", "('", "\\"] {
        let text = format!("{{{}}}", piece.repeat(50_000));
        if let Ok(path) = JsonPath::parse(&text) {
            let _ = black_box(path.execute(&json!({"a": [[1, 2], [3, 4]]})));
        }
    }
}
