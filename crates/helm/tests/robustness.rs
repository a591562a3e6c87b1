//! Hostile charts, archives and values: a clear error, soon, in bounded memory.

use std::time::{Duration, Instant};

use gotemplate::{FixedEnvironment, Map, Time};
use helm::chart::{self, File};
use helm::engine::{Capabilities, ReleaseOptions};
use helm::values::{self, SetKind, ValueOptions};
use helm::{Compat, RenderOptions, Rendered, render};
use proptest::prelude::*;

const CHART: &str = "apiVersion: v2\nname: c\nversion: 1.0.0\n";

fn chart_of(files: &[(&str, &str)]) -> Result<chart::Chart, String> {
    let mut all = vec![File::new("Chart.yaml", CHART)];
    all.extend(files.iter().map(|(name, text)| File::new(*name, *text)));
    chart::load_files(all, Compat::V4).map_err(|error| error.to_string())
}

fn rendered(files: &[(&str, &str)], values: &Map) -> Result<Rendered, String> {
    let mut chart = chart_of(files)?;
    let environment = FixedEnvironment::new(Time::unix(0, 0), 1);
    let options = RenderOptions::new(
        ReleaseOptions::install("r", "ns"),
        Capabilities::assumed(Compat::V4),
        &environment,
    );
    render(&mut chart, values, &options).map_err(|error| error.to_string())
}

/// Renders one template, which has to fail in time with a message that has `wanted` in it.
fn fails(template: &str, wanted: &str) {
    let start = Instant::now();
    let error = rendered(&[("templates/t.yaml", template)], &Map::new()).expect_err(template);
    assert!(error.contains(wanted), "{template}: {error}");
    // Without optimisation everything takes ten times as long.
    assert!(start.elapsed() < Duration::from_secs(20), "{template}");
}

#[test]
fn recursion_ends() {
    fails(
        "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}",
        "nested reference name",
    );
    fails(
        "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}",
        "exceeded",
    );
    fails(
        "{{ $t := \"{{ tpl .t . }}\" }}{{ tpl $t (dict \"t\" $t) }}",
        "",
    );
    let nested = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    fails(&format!("{{{{ {nested} }}}}"), "");
}

#[test]
fn output_is_bounded() {
    fails("{{ repeat 2000000000 \"x\" }}", "");
    fails(
        "{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}",
        "",
    );
    fails(
        "{{ $x := \"0123456789\" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}{{ $x }}",
        "",
    );
    fails("{{ until 2000000000 | len }}", "");
}

#[test]
fn values_are_bounded() {
    let set = |text: &str| values::set(text, SetKind::Typed, None, &Map::new(), Compat::V4);
    assert!(set("a[99999999]=1").is_err());
    assert!(set(&format!("{}=1", "a.".repeat(100))).is_err());
    // Aliases that would be a billion values.
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (level, before) in ('b'..='j').zip('a'..='i') {
        bomb.push_str(&format!(
            "{level}: &{level} [{}]\n",
            vec![format!("*{before}"); 10].join(", ")
        ));
    }
    assert!(values::read_values(bomb.as_bytes(), Compat::V4).is_err());
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(values::read_values(deep.as_bytes(), Compat::V4).is_err());
}

#[test]
fn charts_do_not_nest_for_ever() {
    let mut path = String::new();
    let mut files = Vec::new();
    for _ in 0..60 {
        path.push_str("charts/c/");
        files.push((format!("{path}Chart.yaml"), CHART));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    let error = chart_of(&files).unwrap_err();
    assert!(
        error.contains("charts nest deeper than 50 levels"),
        "{error}"
    );
}

#[test]
fn schemas_read_no_files_and_end() {
    let schema = |text: &str| values::check_schema(&Map::new(), text.as_bytes(), None);
    let error = schema("{\"$ref\": \"file:///etc/passwd\"}").unwrap_err();
    assert!(error.contains("schemas are not read from files"), "{error}");
    assert!(schema("{\"$ref\": \"#\"}").is_err());
    assert!(schema("{\"pattern\": \"(a+)+$\"}").is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_a_chart_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = chart::load_archive(&bytes, Compat::V4);
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zipped, &bytes).unwrap();
        let _ = chart::load_archive(&zipped.finish().unwrap(), Compat::V3);
    }

    #[test]
    fn any_text_is_a_template_or_an_error(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("{{".to_owned()), Just("}}".to_owned()), Just(" .Values ".to_owned()),
                Just("range ".to_owned()), Just("end".to_owned()), Just("include \"t\" .".to_owned()),
                Just("toYaml".to_owned()), Just("|".to_owned()), Just("\n---\n".to_owned()),
                Just("helm.sh/hook: test".to_owned()), Just("metadata: {".to_owned()), ".{0,5}",
            ],
            0..20,
        )
    ) {
        let _ = rendered(&[("templates/t.yaml", &pieces.concat())], &Map::new());
    }

    #[test]
    fn any_flag_is_values_or_an_error(text in "[a-c\\[\\]{}=,.0-9\\\\ -]{0,30}") {
        for flags in [
            ValueOptions { typed: vec![text.clone()], ..ValueOptions::default() },
            ValueOptions { json: vec![text.clone()], ..ValueOptions::default() },
            ValueOptions { literals: vec![text.clone()], ..ValueOptions::default() },
        ] {
            let _ = flags.merge(&|_| Err("no files".to_owned()), Compat::V4);
        }
    }

    #[test]
    fn splitting_loses_no_document(names in proptest::collection::vec("[a-z]{1,5}", 1..6)) {
        let text = format!("---\nname: {}\n", names.join("\n---\nname: "));
        for compat in [Compat::V3, Compat::V4] {
            prop_assert_eq!(helm::manifest::split(&text, compat).len(), names.len());
        }
    }
}
