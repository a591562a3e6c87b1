//! What Helm prints about releases.

use std::io::Write;

use helm::flags::Parsed;
use helm::release::{Hook, HookPhase, Release};
use serde_json::{Value, json};

use super::{HelmError, said};

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Table,
    Json,
    Yaml,
}

impl Form {
    pub(super) fn of(given: &Parsed) -> Result<Self, HelmError> {
        match given.get("output") {
            None | Some("table") => Ok(Self::Table),
            Some("json") => Ok(Self::Json),
            Some("yaml") => Ok(Self::Yaml),
            Some(_) => Err(said("invalid format type")),
        }
    }
}

/// Prints a value as JSON or YAML.
pub(super) fn print_value(form: Form, value: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    match form {
        Form::Yaml => write!(out, "{}", yaml::from_json(value)),
        _ => writeln!(out, "{value}"),
    }
}

/// A time in RFC 3339 as Go's `time.ANSIC`.
pub(super) fn ansic(time: &str) -> String {
    match zoned(time) {
        Some(time) => time.strftime("%a %b %e %H:%M:%S %Y").to_string(),
        None => String::new(),
    }
}

/// A time in RFC 3339 as Go prints times.
pub(super) fn go_time(time: &str) -> String {
    let Some(zoned) = zoned(time) else {
        return "-".to_owned();
    };
    let fraction = match zoned.subsec_nanosecond() {
        0 => String::new(),
        nanoseconds => format!(".{}", format!("{nanoseconds:09}").trim_end_matches('0')),
    };
    let offset = zoned.strftime("%z").to_string();
    let zone = if offset == "+0000" { "UTC" } else { &offset };
    format!(
        "{}{fraction} {offset} {zone}",
        zoned.strftime("%Y-%m-%d %H:%M:%S")
    )
}

fn zoned(time: &str) -> Option<jiff::Zoned> {
    let pieces = jiff::fmt::temporal::Pieces::parse(time).ok()?;
    let timestamp: jiff::Timestamp = time.parse().ok()?;
    let zone = match pieces.to_numeric_offset() {
        Some(offset) => jiff::tz::TimeZone::fixed(offset),
        None => jiff::tz::TimeZone::UTC,
    };
    Some(timestamp.to_zoned(zone))
}

fn phase(phase: HookPhase) -> &'static str {
    match phase {
        HookPhase::None => "",
        HookPhase::Unknown => "Unknown",
        HookPhase::Running => "Running",
        HookPhase::Succeeded => "Succeeded",
        HookPhase::Failed => "Failed",
    }
}

/// What of a release is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown {
    pub(super) debug: bool,
    pub(super) metadata: bool,
    pub(super) hide_notes: bool,
    /// Helm 3 shows no description.
    pub(super) hide_description: bool,
}

/// A release as JSON; without its chart for `status`.
pub(super) fn release_value(release: &Release, with_chart: bool) -> Result<Value, HelmError> {
    let text = release.to_json().map_err(said)?;
    let mut value: Value = serde_json::from_str(&text).map_err(said)?;
    if !with_chart && let Some(fields) = value.as_object_mut() {
        fields.remove("chart");
    }
    Ok(value)
}

/// Prints a release as `install`, `status` and the like do.
pub(super) fn print_release(
    release: &Release,
    shown: Shown,
    out: &mut dyn Write,
) -> Result<(), HelmError> {
    writeln!(out, "NAME: {}", release.name)?;
    if !release.info.last_deployed.is_empty() {
        writeln!(out, "LAST DEPLOYED: {}", ansic(&release.info.last_deployed))?;
    }
    writeln!(out, "NAMESPACE: {}", release.namespace)?;
    writeln!(out, "STATUS: {}", release.info.status)?;
    writeln!(out, "REVISION: {}", release.version)?;
    if shown.metadata {
        let metadata = &release.chart.metadata;
        writeln!(out, "CHART: {}", metadata.name)?;
        writeln!(out, "VERSION: {}", metadata.version)?;
        writeln!(out, "APP_VERSION: {}", metadata.app_version)?;
    }
    if !shown.hide_description {
        writeln!(out, "DESCRIPTION: {}", release.info.description)?;
    }
    print_tests(release, out)?;
    if shown.debug {
        writeln!(out, "USER-SUPPLIED VALUES:")?;
        writeln!(out, "{}", values_yaml(&release.config)?)?;
        writeln!(out, "COMPUTED VALUES:")?;
        writeln!(out, "{}", values_yaml(&computed(release)?)?)?;
    }
    let is_dry_run = release
        .info
        .description
        .eq_ignore_ascii_case("Dry run complete");
    if is_dry_run || shown.debug {
        writeln!(out, "HOOKS:")?;
        for hook in &release.hooks {
            print_hook(hook, out)?;
        }
        writeln!(out, "MANIFEST:\n{}", release.manifest)?;
    }
    if !shown.hide_notes && !release.info.notes.is_empty() {
        writeln!(out, "NOTES:\n{}", release.info.notes.trim())?;
    }
    Ok(())
}

pub(super) fn print_hook(hook: &Hook, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "---\n# Source: {}\n{}", hook.path, hook.manifest)
}

fn print_tests(release: &Release, out: &mut dyn Write) -> std::io::Result<()> {
    let is_test = |hook: &&Hook| hook.events.iter().any(|event| event == "test");
    let tests: Vec<&Hook> = release.hooks.iter().filter(is_test).collect();
    if tests.is_empty() {
        return writeln!(out, "TEST SUITE: None");
    }
    for test in tests {
        let run = &test.last_run;
        if run.started_at.is_empty() {
            continue;
        }
        writeln!(
            out,
            "TEST SUITE:     {}\nLast Started:   {}\nLast Completed: {}\nPhase:          {}",
            test.name,
            ansic(&run.started_at),
            ansic(&run.completed_at),
            phase(run.phase),
        )?;
    }
    Ok(())
}

/// Values as YAML, as Go prints them.
pub(super) fn values_yaml(values: &gotemplate::Map) -> Result<String, HelmError> {
    if values.is_empty() {
        return Ok("{}\n".to_owned());
    }
    let text = helm::values::to_yaml(&gotemplate::Value::Map(values.clone())).map_err(said)?;
    Ok(if text.ends_with('\n') {
        text
    } else {
        text + "\n"
    })
}

/// The values of the chart with those of the users over them.
pub(super) fn computed(release: &Release) -> Result<gotemplate::Map, HelmError> {
    Ok(helm::values::coalesce_tables(
        &release.config,
        &release.chart.values,
    ))
}

/// `name-version` of a release's chart.
pub(super) fn chart_name(release: &Release) -> String {
    let metadata = &release.chart.metadata;
    if metadata.name.is_empty() {
        return "MISSING".to_owned();
    }
    format!("{}-{}", metadata.name, metadata.version)
}

/// The elements of `list`.
pub(super) fn list_element(release: &Release) -> Value {
    json!({
        "name": release.name,
        "namespace": release.namespace,
        "revision": release.version.to_string(),
        "updated": go_time(&release.info.last_deployed),
        "status": release.info.status.as_str(),
        "chart": chart_name(release),
        "app_version": release.chart.metadata.app_version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_go_does() {
        assert_eq!(ansic("2026-12-01T03:04:05.5Z"), "Tue Dec  1 03:04:05 2026");
        assert_eq!(
            go_time("2026-12-01T03:04:05.120Z"),
            "2026-12-01 03:04:05.12 +0000 UTC"
        );
        assert_eq!(
            go_time("2026-12-01T03:04:05+02:00"),
            "2026-12-01 03:04:05 +0200 +0200"
        );
        assert_eq!(go_time(""), "-");
    }
}
