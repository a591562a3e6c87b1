//! Whatever the text of a template is, it is answered with output or an error, never with a panic.

use std::sync::Arc;

use gotemplate::parse::{ParseOptions, parse};
use gotemplate::sprig::{Constraints, Regexp, Version};
use gotemplate::{Context, FixedEnvironment, Functions, Limits, Str, Templates, Time, Value};
use proptest::prelude::*;

/// Small, so that a bomb found by chance ends soon.
const LIMITS: Limits = Limits {
    template_depth: 100,
    nesting: 2000,
    steps: 20_000,
    output: 1 << 20,
    value: 1 << 18,
    allocated: 8 << 20,
};

/// Functions that take long by design.
const SLOW: &[&str] = &[
    "genPrivateKey",
    "genCA",
    "genSelfSignedCert",
    "genSignedCert",
    "bcrypt",
    "htpasswd",
    "derivePassword",
];

fn data() -> Value {
    let (value, _) = gotemplate::json::decode(
        br#"{"s":"h\u00e9llo W\u00f6rld","e":"","n":null,"i":3,"f":-1.5,"t":true,"l":["b",1,null,{"k":"v"}],"m":{"a":{"b":[1,2]},"z":""}}"#,
        gotemplate::json::Numbers::Int,
    );
    value
}

/// Parses and executes; the result does not matter.
fn run(text: &[u8]) {
    let functions = Arc::new(Functions::sprig());
    let mut templates = Templates::new();
    if templates.parse("t", text, &functions).is_err() {
        return;
    }
    let environment = FixedEnvironment::new(Time::unix(1_700_000_000, 5), 3);
    let mut context = Context::new(&Arc::new(templates), &functions, &environment, LIMITS);
    let mut out = Vec::new();
    let _ = context.execute(b"t", data(), &mut out);
    assert!(out.len() <= LIMITS.output + LIMITS.value + text.len());
}

fn operand() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        ".",
        ".s",
        ".n",
        ".i",
        ".f",
        ".t",
        ".l",
        ".m",
        ".m.a.b",
        ".zz.y",
        "$",
        "$x",
        "nil",
        "true",
        "0",
        "-1",
        "7",
        "1.5",
        "1e3",
        "'x'",
        "0x1F",
        "\"\"",
        "\"a b\"",
        "\"%d %v\"",
        "\"[a-z]+\"",
        "`\\`",
        "\"2006-01-02\"",
        "\"1.2.3\"",
        "(list 1 2)",
        "(dict \"a\" 1)",
        "now",
    ])
    .prop_map(str::to_owned)
}

fn call() -> impl Strategy<Value = String> {
    let names: Vec<String> = Functions::sprig()
        .names()
        .iter()
        .map(Str::to_string)
        .filter(|name| !SLOW.iter().any(|slow| name.starts_with(slow)))
        .collect();
    (
        prop::sample::select(names),
        prop::collection::vec(operand(), 0..4),
    )
        .prop_map(|(name, operands)| format!("{name} {}", operands.join(" ")))
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        call().prop_map(|call| format!("{{{{ {call} }}}}")),
        (operand(), call()).prop_map(|(operand, call)| format!("{{{{- {operand} | {call} -}}}}")),
        prop::sample::select(vec![
            "{{if .t}}",
            "{{else}}",
            "{{end}}",
            "{{range $i, $x := .l}}",
            "{{range .m}}",
            "{{with .m.a}}",
            "{{break}}",
            "{{continue}}",
            "{{define \"x\"}}",
            "{{template \"x\" .}}",
            "{{block \"y\" .}}",
            "{{/* c */}}",
            "{{$x := 1}}",
            "{{$x = .l}}",
            " text\n",
            "{{else if .s}}",
            "{{else with .n}}",
            "{{",
            "}}",
            "{{.",
            "é",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut text = b"{{".to_vec();
        text.extend(bytes);
        run(&text);
        text.extend_from_slice(b"}}");
        run(&text);
    }

    #[test]
    fn any_pieces_are_executed_or_refused(pieces in prop::collection::vec(piece(), 1..12)) {
        run(pieces.concat().as_bytes());
    }

    #[test]
    fn any_call_answers(call in call()) {
        run(format!("{{{{$x := .m}}}}{{{{ {call} }}}}").as_bytes());
    }

    #[test]
    fn printing_a_tree_gives_a_text_of_the_same_tree(pieces in prop::collection::vec(piece(), 1..8)) {
        let functions = Functions::sprig();
        let options = ParseOptions { left: "", right: "", has_function: &|name| functions.contains(name) };
        let name = Str::from("t");
        let Ok(trees) = parse(&name, &Str::from(pieces.concat()), &options) else {
            return Ok(());
        };
        let printed = trees[&name].print();
        // A definition without body, or a call of it, is not in the text of the tree that uses it.
        if let Ok(again) = parse(&name, &Str::from(printed.clone()), &options) {
            prop_assert_eq!(again[&name].print(), printed);
        }
    }

    #[test]
    fn any_expression_is_compiled_or_refused(pattern in "[a-c\\\\\\[\\](){}*+?|.^$:,<>=!0-9pPLsdwbQE-]{0,24}", text in "[a-c \\n]{0,12}") {
        if let Ok(regexp) = Regexp::new(pattern.as_bytes()) {
            regexp.is_match(text.as_bytes());
        }
    }

    #[test]
    fn any_version_is_read_or_refused(text in "[v0-9.x*~^<>=!|, +a-]{0,20}", version in "[v0-9.+a-]{0,12}") {
        if let (Ok(constraints), Ok(version)) = (Constraints::parse(&text), Version::parse(&version)) {
            constraints.check(&version);
        }
    }
}
