//! `helm show`: what is in a chart.

use std::io::Write;

use helm::chart::Chart;
use helm::flags::{Flag, Takes, parse};
use helm::template::{CHART_FLAGS, GLOBAL_FLAGS};

use super::flags::{compat, load};
use super::{HelmError, exactly, said};

const FLAGS: &[Flag] = &[
    Flag::new("devel", Takes::Bool),
    Flag::new("jsonpath", Takes::One),
];
const README: [&str; 3] = ["readme.md", "readme.txt", "readme"];

pub(super) fn run(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let given = parse(&[GLOBAL_FLAGS, CHART_FLAGS, FLAGS], words)?;
    let Some((what, rest)) = given.words.split_first() else {
        out.write_all(b"Usage:\n  sluice helm show [all|chart|crds|readme|values] CHART\n")?;
        return Ok(());
    };
    let mut given = given.clone();
    given.words = rest.to_vec();
    let reference = &exactly(&given, &format!("show {what}"), "[CHART]", 1)?[0];
    let chart = load(reference, compat(&given)?)?;
    let all = what == "all";
    let known = ["all", "chart", "crds", "readme", "values"];
    if !known.contains(&what.as_str()) {
        return Err(said(format!(
            "unknown command {what:?} for \"helm show\"\nRun 'helm show --help' for usage."
        )));
    }
    if all || what == "chart" {
        writeln!(out, "{}", metadata(&chart)?)?;
    }
    if all || what == "values" {
        if let Some(template) = given.get("jsonpath") {
            return values_at(&chart, template, out);
        }
        values(&chart, all, out)?;
    }
    if all || what == "readme" {
        readme(&chart, all, out)?;
    }
    if all || what == "crds" {
        crds(&chart, all, out)?;
    }
    Ok(())
}

/// `Chart.yaml` as Helm writes it: keys sorted.
fn metadata(chart: &Chart) -> Result<String, HelmError> {
    let record = helm::release::MetadataRecord::from(&chart.metadata);
    let value = serde_json::to_value(record).map_err(said)?;
    Ok(yaml::from_json(&value))
}

fn file<'a>(chart: &'a Chart, name: &str) -> Option<std::borrow::Cow<'a, str>> {
    let mut files = chart.raw.iter();
    files
        .find(|file| file.name == name)
        .map(|file| file.data.to_text())
}

fn values(chart: &Chart, all: bool, out: &mut dyn Write) -> Result<(), HelmError> {
    let Some(text) = file(chart, "values.yaml") else {
        return Ok(());
    };
    if all {
        writeln!(out, "---")?;
    }
    writeln!(out, "{text}")?;
    Ok(())
}

fn values_at(chart: &Chart, template: &str, out: &mut dyn Write) -> Result<(), HelmError> {
    let value =
        helm::values::to_yaml(&gotemplate::Value::Map(chart.values.clone())).map_err(said)?;
    let value = yaml::to_json(value.as_bytes()).map_err(said)?;
    let path = object::jsonpath::JsonPath::parse(template)
        .map_err(|error| said(format!("error parsing jsonpath {template}: {error}")))?;
    let text = path
        .execute(&value)
        .map_err(|error| said(format!("error parsing jsonpath {template}: {error}")))?;
    write!(out, "{text}")?;
    Ok(())
}

fn readme(chart: &Chart, all: bool, out: &mut dyn Write) -> Result<(), HelmError> {
    let found = README.iter().find_map(|name| {
        chart
            .files
            .iter()
            .find(|file| file.name.eq_ignore_ascii_case(name))
    });
    let Some(file) = found else {
        return Ok(());
    };
    if all {
        writeln!(out, "---")?;
    }
    writeln!(out, "{}", file.data.to_text())?;
    Ok(())
}

fn crds(chart: &Chart, all: bool, out: &mut dyn Write) -> Result<(), HelmError> {
    for crd in chart.crds() {
        let text = crd.data.to_text();
        if all || !text.starts_with("---") {
            writeln!(out, "---")?;
        }
        writeln!(out, "{text}")?;
    }
    Ok(())
}
