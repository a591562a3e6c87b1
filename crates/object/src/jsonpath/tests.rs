use serde_json::json;

use super::*;

fn check(template: &str, data: &Value, expected: Result<&str, &str>) {
    let result = JsonPath::parse(template)
        .map_err(|error| error.to_string())
        .and_then(|path| path.execute(data).map_err(|error| error.to_string()));
    assert_eq!(
        result.as_deref().map_err(String::as_str),
        expected,
        "{template}"
    );
}

#[test]
fn numbers_are_integers_by_default() {
    let data = json!({"items": [{"n": 1}, {"n": 2_000_000}, {"n": 1.5}]});
    check(
        "{.items[?(@.n==2000000)].n}",
        &data,
        Err("incompatible types for comparison"),
    );
    let data = json!({"items": [{"n": 1}, {"n": 2_000_000}]});
    check("{.items[?(@.n>1)].n}", &data, Ok("2000000"));
    let floats = JsonPath::parse("{.items[*].n}").unwrap().only_floats(true);
    assert_eq!(floats.execute(&data).unwrap(), "1 2e+06");
}

#[test]
fn ranges_nest() {
    let data = json!({"a": [{"n": "x", "b": [1, 2]}, {"n": "y", "b": []}], "n": "top"});
    check(
        "{range .a[*]}{.n}:{range .b[*]}{@},{end};{end}{.n}",
        &data,
        Ok("x:1,2,;y:;top"),
    );
    check("{range .a[*]}{.c}{end}", &data, Err("c is not found"));
}

#[test]
fn json_output() {
    let data = json!({"a": ["<x>"]});
    let path = JsonPath::parse("{.a}").unwrap().print_json(true);
    assert_eq!(
        path.execute(&data).unwrap(),
        "[\n    [\n        \"\\u003cx\\u003e\"\n    ]\n]\n"
    );
}

#[test]
fn escapes() {
    let data = json!({"a.b": {"c d": 1}});
    check(r"{.a\.b.c\ d}", &data, Ok("1"));
    check(r#"{"\u00e9\x41\101\n"}"#, &data, Ok("éAA\n"));
    check(
        r#"{"\q"}"#,
        &data,
        Err("unquote string \"\\q\" error invalid syntax"),
    );
    check(r"{'it\'s'}", &data, Ok("it's"));
}

#[test]
fn parse_errors() {
    let data = json!({});
    for (template, expected) in [
        ("{.a[1:2:3:4]}", "invalid array index 1:2:3:4"),
        ("{.a[-]}", "array index - is not a number"),
        ("{....a}", "invalid multiple recursive descent"),
        ("{1.2.3}", "cannot parse number 1.2.3"),
        ("{'a}", "unterminated quoted string"),
        ("{.a[?(@.b)}", "unclosed array expect ]"),
        ("{~}", "unrecognized character in action: U+007E '~'"),
        ("{\u{7}}", "unrecognized character in action: U+0007"),
        ("{foo}", "unrecognized identifier foo"),
    ] {
        check(template, &data, Err(expected));
    }
}

#[test]
fn work_is_bounded() {
    let data = json!({"a": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]});
    let ranges = "{range $.a[*]}".repeat(200);
    assert!(JsonPath::parse(&ranges).unwrap().execute(&data).is_err());
    let nested = json!([data.clone(), data]);
    let deep = "{range [*]}{..}".repeat(30);
    let _ = JsonPath::parse(&deep).unwrap().execute(&nested);
}
