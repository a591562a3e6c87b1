//! Templates that would eat all memory, stack or time end in a clear error instead.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gotemplate::{
    Context, ExecError, FixedEnvironment, Functions, Limits, MissingKey, Str, Templates, Time,
    Value,
};

/// What a bomb may take: generous for a build without optimisation on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn environment() -> FixedEnvironment {
    FixedEnvironment::new(Time::unix(1_700_000_000, 0), 7)
}

fn render_with(text: &str, data: Value, limits: Limits) -> Result<String, String> {
    let functions = Arc::new(Functions::sprig());
    let mut templates = Templates::new();
    templates.set_missing_key(MissingKey::Zero);
    templates
        .parse("t", text, &functions)
        .map_err(|error| error.to_string())?;
    let environment = environment();
    let mut context = Context::new(&Arc::new(templates), &functions, &environment, limits);
    let mut out = Vec::new();
    context
        .execute(b"t", data, &mut out)
        .map_err(|error: ExecError| error.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn check_fails(text: &str, want: &str) {
    let start = Instant::now();
    let limits = Limits {
        steps: 2_000_000,
        ..Limits::default()
    };
    let error = render_with(text, Value::Nil, limits).expect_err(text);
    assert!(error.contains(want), "{text}: {error}");
    assert!(
        start.elapsed() < PATIENCE,
        "{text} took {:?}",
        start.elapsed()
    );
}

#[test]
fn recursion_without_end() {
    check_fails(
        r#"{{template "t" .}}"#,
        "exceeded maximum template depth (100000)",
    );
    check_fails(
        r#"{{define "x"}}{{range until 1}}{{with 1}}{{if true}}{{template "x"}}{{end}}{{end}}{{end}}{{end}}{{template "x"}}"#,
        "exceeded",
    );
}

#[test]
fn text_without_end() {
    check_fails(r#"{{repeat 1000000000 "x"}}"#, "exceeds the limit");
    check_fails(
        r#"{{repeat 9223372036854775807 "xx"}}"#,
        "strings: Repeat output length overflow",
    );
    check_fails(
        r#"{{"x" | repeat 60000000 | replace "x" "yyyyyyyyyy"}}"#,
        "exceeds the limit",
    );
    check_fails(r#"{{indent 60000000 "a\nb\nc"}}"#, "exceeds the limit");
    check_fails(
        r#"{{printf "%999999d%999999d%999999d" 1 2 3 | repeat 100}}"#,
        "exceeds the limit",
    );
    check_fails(
        r#"{{range until 200}}{{repeat 1000000 "x"}}{{end}}"#,
        "exceeded the limit",
    );
    check_fails(
        r#"{{$x := "x"}}{{range until 60}}{{$x = print $x $x}}{{end}}"#,
        "limit",
    );
    check_fails(
        r#"{{$x := "x"}}{{range until 60}}{{$x = cat $x $x}}{{end}}"#,
        "limit",
    );
    check_fails(
        r#"{{regexReplaceAll "a*" (repeat 1000000 "b") (repeat 1000 "c")}}"#,
        "limit",
    );
}

#[test]
fn lists_and_loops_without_end() {
    check_fails("{{until 1000000000000}}", "exceeds the limit");
    check_fails("{{untilStep 0 9223372036854775807 1}}", "exceeds the limit");
    check_fails("{{seq 1 1000000000}}", "exceeds the limit");
    check_fails(
        "{{range 1000000000000}}{{end}}",
        "exceeded the limit of 2000000 steps",
    );
    check_fails(
        "{{$l := list 1 2}}{{range until 60}}{{$l = concat $l $l}}{{end}}",
        "limit",
    );
    check_fails(
        "{{$x := list 1}}{{range 100000000}}{{$x = list $x}}{{end}}",
        "limit",
    );
}

#[test]
fn values_that_hold_themselves() {
    let start = Instant::now();
    let limits = Limits::default();
    let cycle = r#"{{$d := dict}}{{$_ := set $d "self" $d}}"#;
    for use_of_it in [
        "{{$d}}",
        "{{toJson $d}}",
        "{{toPrettyJson $d}}",
        "{{deepEqual $d (dict \"self\" $d)}}",
    ] {
        let out = render_with(&format!("{cycle}{use_of_it}"), Value::Nil, limits).unwrap();
        assert!(out.len() < 10_000_000);
    }
    check_fails(&format!("{cycle}{{{{deepCopy $d}}}}"), "nest too deep");
    check_fails(
        &format!("{cycle}{{{{mustToJson $d}}}}"),
        "encountered a cycle",
    );
    // Twice itself: without a bound the output would double with each level.
    check_fails(
        r#"{{$d := dict}}{{$_ := set $d "a" $d}}{{$_ := set $d "b" $d}}{{mustToJson $d}}"#,
        "encountered a cycle",
    );
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn a_long_chain_of_maps_is_dropped_without_recursion() {
    let text = r#"{{$m := dict}}{{range 200000}}{{$m = dict "m" $m}}{{end}}{{len $m}}"#;
    assert_eq!(
        render_with(text, Value::Nil, Limits::default()),
        Ok("1".to_owned())
    );
    let lists = "{{$l := list}}{{range 200000}}{{$l = list $l}}{{end}}{{len $l}}";
    assert_eq!(
        render_with(lists, Value::Nil, Limits::default()),
        Ok("1".to_owned())
    );
}

#[test]
fn text_that_nests_without_end_is_refused() {
    let parens = format!("{{{{{}1{}}}}}", "(".repeat(20_000), ")".repeat(20_000));
    check_fails(&parens, "max expression depth exceeded");
    check_fails(&"{{if 1}}".repeat(200_000), "max block depth exceeded");
    let fine = format!("{}x{}", "{{if 1}}".repeat(5000), "{{end}}".repeat(5000));
    assert_eq!(
        render_with(&fine, Value::Nil, Limits::default()),
        Ok("x".to_owned())
    );
    let json = "[".repeat(9000);
    let data = Value::map([(Str::from("j"), Value::from(json + &"]".repeat(9000)))]);
    assert!(
        render_with(
            "{{ .j | mustFromJson | toJson | len }}",
            data,
            Limits::default()
        )
        .is_ok()
    );
}

#[test]
fn the_caller_can_end_it() {
    let functions = Arc::new(Functions::sprig());
    let mut templates = Templates::new();
    templates
        .parse("t", "{{range 1000000000}}{{end}}", &functions)
        .unwrap();
    let environment = environment();
    let asked = Cell::new(0);
    let is_cancelled = || {
        asked.set(asked.get() + 1);
        asked.get() > 3
    };
    let mut context = Context::new(
        &Arc::new(templates),
        &functions,
        &environment,
        Limits::default(),
    )
    .cancel_when(&is_cancelled);
    let error = context
        .execute(b"t", Value::Nil, &mut Vec::new())
        .unwrap_err();
    assert!(error.is_limit, "{error}");
    assert_eq!(asked.get(), 4);
}
