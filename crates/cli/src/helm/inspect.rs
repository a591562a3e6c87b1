//! The commands that look at releases: `list`, `history`, `status`, `get`.

use std::collections::BTreeMap;
use std::io::Write;

use helm::flags::{Flag, Parsed, Takes, parse};
use helm::release::{ApplyMethod, Release, Status};
use helm::template::GLOBAL_FLAGS;
use serde_json::{Value, json};

use super::flags::{OUTPUT_FLAGS, number};
use super::output::{
    Form, Shown, ansic, chart_name, computed, list_element, print_hook, print_release, print_value,
    release_value, values_yaml,
};
use super::{HelmError, exactly, said, table, with_cluster};

const LIST_FLAGS: &[Flag] = &[
    Flag::new("short", Takes::Bool).short('q'),
    Flag::new("no-headers", Takes::Bool),
    Flag::new("time-format", Takes::One),
    Flag::new("date", Takes::Bool).short('d'),
    Flag::new("reverse", Takes::Bool).short('r'),
    Flag::new("all", Takes::Bool).short('a'),
    Flag::new("uninstalled", Takes::Bool),
    Flag::new("superseded", Takes::Bool),
    Flag::new("uninstalling", Takes::Bool),
    Flag::new("deployed", Takes::Bool),
    Flag::new("failed", Takes::Bool),
    Flag::new("pending", Takes::Bool),
    Flag::new("all-namespaces", Takes::Bool).short('A'),
    Flag::new("max", Takes::One).short('m'),
    Flag::new("offset", Takes::One),
    Flag::new("filter", Takes::One).short('f'),
    Flag::new("selector", Takes::One).short('l'),
];

/// The states that the flags ask for; all in Helm 4 if they name none.
fn wanted(given: &Parsed, is_v3: bool) -> Vec<Status> {
    let named: [(&str, &[Status]); 6] = [
        ("uninstalled", &[Status::Uninstalled]),
        ("superseded", &[Status::Superseded]),
        ("uninstalling", &[Status::Uninstalling]),
        ("deployed", &[Status::Deployed]),
        ("failed", &[Status::Failed]),
        (
            "pending",
            &[
                Status::PendingInstall,
                Status::PendingUpgrade,
                Status::PendingRollback,
            ],
        ),
    ];
    let chosen: Vec<Status> = named
        .iter()
        .filter(|(flag, _)| given.is_set(flag))
        .flat_map(|(_, statuses)| statuses.iter().copied())
        .collect();
    if !chosen.is_empty() && !given.is_set("all") {
        return chosen;
    }
    if is_v3 && !given.is_set("all") {
        return vec![Status::Deployed, Status::Failed];
    }
    let mut all: Vec<Status> = named
        .iter()
        .flat_map(|(_, statuses)| statuses.iter().copied())
        .collect();
    all.push(Status::Unknown);
    all
}

pub(super) fn list(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let given = parse(&[GLOBAL_FLAGS, LIST_FLAGS, OUTPUT_FLAGS], words)?;
    exactly(&given, "list", "", 0)?;
    let form = Form::of(&given)?;
    if given.get("time-format").is_some() {
        return Err(said("--time-format is not supported yet"));
    }
    let filter = given
        .get("filter")
        .map(regex::Regex::new)
        .transpose()
        .map_err(|error| said(format!("error parsing regexp: {error}")))?;
    with_cluster(&given, async |actions, settings| {
        let actions = if given.is_set("all-namespaces") {
            actions.store_in("")
        } else {
            actions
        };
        let selector = given.text("selector");
        let all = actions.storage().list(&selector).await?;
        let states = wanted(&given, settings.compat.is_v3());
        let mut shown = newest(all, &states);
        shown.retain(|release| {
            states.contains(&release.info.status)
                && filter
                    .as_ref()
                    .is_none_or(|filter| filter.is_match(&release.name))
        });
        sort(&mut shown, &given);
        let page = page(shown, &given)?;
        print_list(&page, form, &given, out)
    })
}

/// The newest revision of each release; where superseded ones are wanted, all of them.
fn newest(all: Vec<Release>, states: &[Status]) -> Vec<Release> {
    if states == [Status::Superseded] {
        return all;
    }
    let mut newest: BTreeMap<(String, String), Release> = BTreeMap::new();
    for release in all {
        let key = (release.namespace.clone(), release.name.clone());
        match newest.get(&key) {
            Some(known) if known.version >= release.version => {}
            _ => {
                newest.insert(key, release);
            }
        }
    }
    newest.into_values().collect()
}

fn sort(releases: &mut [Release], given: &Parsed) {
    if given.is_set("date") {
        releases.sort_by_key(|release| release.info.last_deployed.parse::<jiff::Timestamp>().ok());
    } else {
        releases.sort_by(|a, b| a.name.cmp(&b.name).then(a.namespace.cmp(&b.namespace)));
    }
    if given.is_set("reverse") {
        releases.reverse();
    }
}

fn page(releases: Vec<Release>, given: &Parsed) -> Result<Vec<Release>, HelmError> {
    let max = number(given, "max")?.unwrap_or(256);
    let offset = usize::try_from(number(given, "offset")?.unwrap_or(0)).unwrap_or(0);
    let count = match usize::try_from(max) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(max) => max,
    };
    Ok(releases.into_iter().skip(offset).take(count).collect())
}

fn print_list(
    releases: &[Release],
    form: Form,
    given: &Parsed,
    out: &mut dyn Write,
) -> Result<(), HelmError> {
    if given.is_set("short") {
        let names: Vec<&str> = releases
            .iter()
            .map(|release| release.name.as_str())
            .collect();
        if form != Form::Table {
            return Ok(print_value(form, &json!(names), out)?);
        }
        for name in names {
            writeln!(out, "{name}")?;
        }
        return Ok(());
    }
    let elements: Vec<Value> = releases.iter().map(list_element).collect();
    if form != Form::Table {
        return print_ordered(&elements, &LIST_COLUMNS, form, out);
    }
    let mut rows = Vec::new();
    if !given.is_set("no-headers") {
        let headers = [
            "NAME",
            "NAMESPACE",
            "REVISION",
            "UPDATED",
            "STATUS",
            "CHART",
            "APP VERSION",
        ];
        rows.push(headers.map(str::to_owned).to_vec());
    }
    for element in &elements {
        let cell = |key: &&str| element[*key].as_str().unwrap_or_default().to_owned();
        rows.push(LIST_COLUMNS.iter().map(cell).collect());
    }
    write!(out, "{}", table::print(&rows))?;
    Ok(())
}

const LIST_COLUMNS: [&str; 7] = [
    "name",
    "namespace",
    "revision",
    "updated",
    "status",
    "chart",
    "app_version",
];
const HISTORY_COLUMNS: [&str; 6] = [
    "revision",
    "updated",
    "status",
    "chart",
    "app_version",
    "description",
];

/// Prints records; in JSON the fields stand in the order of Go's structs.
fn print_ordered(
    records: &[Value],
    order: &[&str],
    form: Form,
    out: &mut dyn Write,
) -> Result<(), HelmError> {
    if form == Form::Yaml {
        return Ok(print_value(form, &json!(records), out)?);
    }
    let texts: Vec<String> = records
        .iter()
        .map(|record| {
            let fields: Vec<String> = order
                .iter()
                .filter(|key| !record[**key].is_null())
                .map(|key| format!("{}:{}", json!(key), record[*key]))
                .collect();
            format!("{{{}}}", fields.join(","))
        })
        .collect();
    writeln!(out, "[{}]", texts.join(","))?;
    Ok(())
}

pub(super) fn history(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    const FLAGS: &[Flag] = &[Flag::new("max", Takes::One)];
    let given = parse(&[GLOBAL_FLAGS, FLAGS, OUTPUT_FLAGS], words)?;
    let name = &exactly(&given, "history", "RELEASE_NAME", 1)?[0];
    let form = Form::of(&given)?;
    let max = usize::try_from(number(&given, "max")?.unwrap_or(256)).unwrap_or(0);
    with_cluster(&given, async |actions, _| {
        let history = actions.storage().history(name).await?;
        if history.is_empty() {
            return Err(said("release: not found"));
        }
        let shown = &history[history.len().saturating_sub(max)..];
        if form == Form::Table {
            let headers = [
                "REVISION",
                "UPDATED",
                "STATUS",
                "CHART",
                "APP VERSION",
                "DESCRIPTION",
            ];
            let mut rows = vec![headers.map(str::to_owned).to_vec()];
            rows.extend(shown.iter().map(|release| {
                vec![
                    release.version.to_string(),
                    ansic(&release.info.last_deployed),
                    release.info.status.to_string(),
                    chart_name(release),
                    release.chart.metadata.app_version.clone(),
                    release.info.description.clone(),
                ]
            }));
            write!(out, "{}", table::print(&rows))?;
            return Ok(());
        }
        let records: Vec<Value> = shown.iter().map(history_element).collect();
        print_ordered(&records, &HISTORY_COLUMNS, form, out)
    })
}

fn history_element(release: &Release) -> Value {
    json!({
        "revision": release.version,
        "updated": release.info.last_deployed,
        "status": release.info.status.as_str(),
        "chart": chart_name(release),
        "app_version": release.chart.metadata.app_version,
        "description": release.info.description,
    })
}

const REVISION_FLAGS: &[Flag] = &[Flag::new("revision", Takes::One)];

pub(super) fn status(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let given = parse(&[GLOBAL_FLAGS, REVISION_FLAGS, OUTPUT_FLAGS], words)?;
    let name = &exactly(&given, "status", "RELEASE_NAME", 1)?[0];
    let form = Form::of(&given)?;
    let revision = number(&given, "revision")?.unwrap_or(0);
    with_cluster(&given, async |actions, settings| {
        let release = actions.storage().get(name, revision).await?;
        if form != Form::Table {
            return Ok(print_value(form, &release_value(&release, false)?, out)?);
        }
        let shown = Shown {
            hide_description: settings.compat.is_v3(),
            ..Shown::default()
        };
        print_release(&release, shown, out)
    })
}

const GET_FLAGS: &[Flag] = &[
    Flag::new("revision", Takes::One),
    Flag::new("all", Takes::Bool).short('a'),
];

pub(super) fn get(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let mut given = parse(&[GLOBAL_FLAGS, GET_FLAGS, OUTPUT_FLAGS], words)?;
    if given.words.is_empty() {
        out.write_all(
            b"Usage:\n  sluice helm get [all|hooks|manifest|metadata|notes|values] RELEASE_NAME\n",
        )?;
        return Ok(());
    }
    let what = given.words.remove(0);
    let known = ["all", "hooks", "manifest", "metadata", "notes", "values"];
    if !known.contains(&what.as_str()) {
        return Err(said(format!(
            "unknown command {what:?} for \"helm get\"\nRun 'helm get --help' for usage."
        )));
    }
    let name = &exactly(&given, &format!("get {what}"), "RELEASE_NAME", 1)?[0];
    let form = Form::of(&given)?;
    let revision = number(&given, "revision")?.unwrap_or(0);
    with_cluster(&given, async |actions, settings| {
        let release = actions.storage().get(name, revision).await?;
        match what.as_str() {
            "hooks" => {
                for hook in &release.hooks {
                    print_hook(hook, out)?;
                }
            }
            "manifest" => writeln!(out, "{}", release.manifest)?,
            "notes" if release.info.notes.is_empty() => {}
            "notes" => writeln!(out, "NOTES:\n{}", release.info.notes)?,
            "values" => print_values(&release, &given, form, out)?,
            "metadata" => print_metadata(&release, form, out)?,
            _ => {
                let shown = Shown {
                    debug: true,
                    metadata: true,
                    hide_description: settings.compat.is_v3(),
                    ..Shown::default()
                };
                print_release(&release, shown, out)?;
            }
        }
        Ok(())
    })
}

fn print_values(
    release: &Release,
    given: &Parsed,
    form: Form,
    out: &mut dyn Write,
) -> Result<(), HelmError> {
    let all = given.is_set("all");
    let values = if all {
        computed(release)?
    } else {
        release.config.clone()
    };
    match form {
        Form::Json if values.is_empty() && !all => writeln!(out, "null")?,
        Form::Json => {
            let text = gotemplate::json::encode(
                &gotemplate::Value::Map(values),
                gotemplate::json::EncodeOptions::default(),
            )
            .map_err(said)?;
            out.write_all(&text)?;
            writeln!(out)?;
        }
        Form::Table => {
            let title = if all {
                "COMPUTED VALUES:"
            } else {
                "USER-SUPPLIED VALUES:"
            };
            writeln!(out, "{title}")?;
            write!(out, "{}", yaml_or_null(&values, all)?)?;
        }
        Form::Yaml => write!(out, "{}", yaml_or_null(&values, all)?)?,
    }
    Ok(())
}

/// No values at all are `null` in the record.
fn yaml_or_null(values: &gotemplate::Map, all: bool) -> Result<String, HelmError> {
    if values.is_empty() && !all {
        return Ok("null\n".to_owned());
    }
    values_yaml(values)
}

fn print_metadata(release: &Release, form: Form, out: &mut dyn Write) -> Result<(), HelmError> {
    let metadata = &release.chart.metadata;
    let annotations: Vec<String> = metadata
        .annotations
        .iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let method = match release.apply_method {
        ApplyMethod::Server => "server-side apply",
        ApplyMethod::Client => "client-side apply",
        ApplyMethod::Unset => "client-side apply (defaulted)",
    };
    if form != Form::Table {
        let mut value = json!({
            "name": release.name,
            "chart": metadata.name,
            "version": metadata.version,
            "appVersion": metadata.app_version,
            "namespace": release.namespace,
            "revision": release.version,
            "status": release.info.status.as_str(),
            "deployedAt": release.info.last_deployed,
        });
        match release.apply_method {
            ApplyMethod::Server => value["applyMethod"] = json!("ssa"),
            ApplyMethod::Client => value["applyMethod"] = json!("csa"),
            ApplyMethod::Unset => {}
        }
        if let Some(annotations) = &metadata.annotations {
            value["annotations"] = json!(annotations);
        }
        return Ok(print_value(form, &value, out)?);
    }
    writeln!(out, "NAME: {}", release.name)?;
    writeln!(out, "CHART: {}", metadata.name)?;
    writeln!(out, "VERSION: {}", metadata.version)?;
    writeln!(out, "APP_VERSION: {}", metadata.app_version)?;
    writeln!(out, "ANNOTATIONS: {}", annotations.join(","))?;
    writeln!(out, "LABELS: {}", labels(release))?;
    writeln!(
        out,
        "DEPENDENCIES: {}",
        metadata.dependency_names().join(",")
    )?;
    writeln!(out, "NAMESPACE: {}", release.namespace)?;
    writeln!(out, "REVISION: {}", release.version)?;
    writeln!(out, "STATUS: {}", release.info.status)?;
    writeln!(out, "DEPLOYED_AT: {}", release.info.last_deployed)?;
    writeln!(out, "APPLY_METHOD: {method}")?;
    Ok(())
}

fn labels(release: &Release) -> String {
    let pairs: Vec<String> = release
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}
