//! Cases in files of JSON lines.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gotemplate::json::{EncodeOptions, Numbers, decode, encode};
use gotemplate::{FixedEnvironment, Limits, Map, Str, Time, Value, lossy};
use helm::Compat;
use helm::chart::{File, IgnoreRules, check_release_name, load_files, process_dependencies};
use helm::engine::{Capabilities, Engine, KubeVersion, Mode, ReleaseOptions, render_values};
use helm::manifest::{Order, sort, split};
use helm::values::{self, ChartValues, SetKind};

use super::{Outcome, VERSIONS, get, has, strings, text};

type Ran = Result<Value, String>;

const DEFAULT_CHART: &str = "apiVersion: v2\nname: mychart\nversion: 0.1.0\nappVersion: \"1.16.0\"\ndescription: A test chart\n";

/// Runs all cases of a file of JSON lines.
pub fn run_file(file: &Path) -> Result<Vec<Outcome>, String> {
    let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    Ok(lines.flat_map(run_line).collect())
}

/// A value as JSON in which integers and floats differ, as the recorded results have it.
fn json(value: &Value) -> String {
    match value {
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            let sign = if number.is_sign_negative() { "-" } else { "" };
            format!("{sign}{:.1}", number.abs())
        }
        Value::List(list) => {
            let items: Vec<String> = list.items().iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(map) if map.is_nil() => "null".to_owned(),
        Value::Map(map) => {
            let entries: Vec<String> = map
                .entries()
                .into_iter()
                .map(|(key, value)| format!("{:?}:{}", key.to_text(), json(&value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        other => {
            let out = encode(other, EncodeOptions::default());
            out.map_or_else(|error| error, |out| lossy(&out).into_owned())
        }
    }
}

/// What a version gave, as the file records it: each version's difference from the one before.
fn expected(case: &Value, version: &str) -> Value {
    let mut found = case.clone();
    for key in ["helm4.2.4", "helm4.3.1"] {
        if version == "3.22.0" {
            break;
        }
        let over = get(case, key);
        if !over.is_nil() {
            found = over;
        }
        if key.ends_with(version) {
            break;
        }
    }
    found
}

fn run_line(line: &[u8]) -> Vec<Outcome> {
    VERSIONS
        .into_iter()
        .map(|(compat, version)| {
            // Cases are read anew: what runs may change the values.
            let (case, _) = decode(line, Numbers::Int);
            let ran = run(&case, line, compat);
            let (difference, only_text_differs) = compare(ran, &expected(&case, version));
            Outcome {
                name: format!("{} @{compat}", text(&case, "name")),
                difference,
                only_text_differs,
            }
        })
        .collect()
}

fn run(case: &Value, line: &[u8], compat: Compat) -> Ran {
    match text(case, "kind").as_str() {
        "engine" => run_engine(case, compat),
        "strvals" => run_strvals(case, compat),
        "coalesce" => run_coalesce(case, compat),
        "yaml" => run_yaml(case),
        "yaml_encode" => run_encode(case, line),
        "manifests" => run_manifests(case, compat),
        "split" => Ok(Value::strings(split(&text(case, "input"), compat))),
        "schema" => run_schema(case),
        "chartload" => run_load(case, compat),
        "kubeversion" => run_kube_version(case, compat),
        "compat" => run_compat(case),
        "relname" => check_release_name(&text(case, "input"))
            .map(|()| Value::from("valid"))
            .map_err(|error| error.to_string()),
        "ignore" => run_ignore(case),
        other => Err(format!("cases of kind {other} are not known")),
    }
}

fn compare(ran: Ran, expected: &Value) -> (Option<String>, bool) {
    if has(expected, "want_error") {
        let want = text(expected, "want_error");
        return match ran {
            Ok(got) => (
                Some(format!("gave {}, want the error {want:?}", json(&got))),
                false,
            ),
            Err(error) if error == want => (None, false),
            Err(error) => (Some(format!("error {error:?}, want {want:?}")), true),
        };
    }
    let want = json(&get(expected, "want"));
    match ran {
        Ok(got) if json(&got) == want => (None, false),
        Ok(got) => (Some(format!("gave {}, want {want}", json(&got))), false),
        Err(error) => (Some(format!("error {error:?}, want {want}")), false),
    }
}

fn chart_files(case: &Value) -> Vec<File> {
    let chart = if has(case, "chart") {
        text(case, "chart")
    } else {
        DEFAULT_CHART.to_owned()
    };
    let mut files = vec![File::new("Chart.yaml", chart)];
    if has(case, "values") {
        files.push(File::new("values.yaml", text(case, "values")));
    }
    if has(case, "template") {
        files.push(File::new("templates/t.yaml", text(case, "template")));
    }
    for group in ["templates", "files"] {
        for (name, data) in get(case, group)
            .as_map()
            .map(Map::entries)
            .unwrap_or_default()
        {
            files.push(File::new(
                name.to_string(),
                data.as_str().cloned().unwrap_or_default(),
            ));
        }
    }
    files
}

fn run_load(case: &Value, compat: Compat) -> Ran {
    let chart = load_files(chart_files(case), compat).map_err(|error| error.to_string())?;
    Ok(Value::from(chart.metadata.to_yaml()))
}

fn user_values(case: &Value, compat: Compat) -> Result<Map, String> {
    let user = if has(case, "user_values") {
        values::read_values(text(case, "user_values").as_bytes(), compat)?
    } else {
        Map::new()
    };
    for (key, kind) in [
        ("set_json", SetKind::Json),
        ("set", SetKind::Typed),
        ("set_string", SetKind::String),
        ("set_literal", SetKind::Literal),
    ] {
        let given = get(case, key);
        let list = if let Value::String(one) = &given {
            vec![one.to_string()]
        } else {
            strings(&given)
        };
        for one in list {
            values::set(&one, kind, None, &user, compat).map_err(|error| error.to_string())?;
        }
    }
    Ok(user)
}

fn run_engine(case: &Value, compat: Compat) -> Ran {
    let mut chart = load_files(chart_files(case), compat).map_err(|error| error.to_string())?;
    let user = user_values(case, compat)?;
    let release = get(case, "release");
    let or = |key: &str, default: &str| {
        if has(&release, key) {
            text(&release, key)
        } else {
            default.to_owned()
        }
    };
    let options = ReleaseOptions {
        name: or("name", "rel"),
        namespace: or("namespace", "ns"),
        revision: match get(&release, "revision") {
            Value::Int(_, number) => number,
            _ => 1,
        },
        is_upgrade: matches!(get(&release, "is_upgrade"), Value::Bool(true)),
        is_install: !matches!(get(&release, "is_install"), Value::Bool(false)),
    };
    let version = if has(case, "kube_version") {
        text(case, "kube_version")
    } else {
        "v1.34.0".to_owned()
    };
    let mut capabilities = Capabilities::assumed(compat);
    capabilities.kube_version =
        KubeVersion::parse(&version, compat).map_err(|error| error.to_string())?;
    Arc::make_mut(&mut capabilities.api_versions).extend(strings(&get(case, "api_versions")));
    process_dependencies(&mut chart, &user, compat).map_err(|error| error.to_string())?;
    let top =
        render_values(&chart, &user, &options, &capabilities).map_err(|error| error.to_string())?;
    if let Some(Value::Map(values)) = top.get("Values") {
        values::check_schemas(&chart, &values, None)?;
    }
    let environment = FixedEnvironment::new(Time::unix(1_700_000_000, 0), 1);
    let engine = Engine {
        compat,
        mode: Mode {
            strict: matches!(get(case, "strict"), Value::Bool(true)),
            lint: matches!(get(case, "lint"), Value::Bool(true)),
            dns: false,
        },
        lookup: None,
        environment: &environment,
        limits: Limits::default(),
    };
    let rendered = engine
        .render(&chart, &top)
        .map_err(|error| error.to_string())?;
    let has_one = !has(case, "templates") && rendered.len() == 1;
    if has_one || matches!(get(case, "want"), Value::String(_)) && rendered.len() == 1 {
        return Ok(rendered
            .into_values()
            .next()
            .map(Value::string)
            .unwrap_or_default());
    }
    Ok(Value::map(
        rendered
            .into_iter()
            .map(|(name, out)| (Str::from(name), Value::string(out))),
    ))
}

fn run_strvals(case: &Value, compat: Compat) -> Ran {
    let map = get(case, "base").as_map().cloned().unwrap_or_default();
    let input = text(case, "input");
    let files = get(case, "files");
    let read = |path: &str| {
        let found = files.as_map().and_then(|files| files.get(path));
        found
            .and_then(|data| data.as_str().map(Str::to_string))
            .ok_or_else(|| format!("open {path}: no such file or directory"))
    };
    let (kind, read): (SetKind, Option<values::ReadFile<'_>>) = match text(case, "func").as_str() {
        "parse_file" => (SetKind::String, Some(&read)),
        "parse_string" => (SetKind::String, None),
        "parse_json" => (SetKind::Json, None),
        "parse_literal" => (SetKind::Literal, None),
        _ => (SetKind::Typed, None),
    };
    values::set(&input, kind, read, &map, compat).map_err(|error| error.to_string())?;
    Ok(Value::Map(map))
}

struct Tree {
    name: String,
    values: Map,
    children: Vec<Tree>,
}

impl ChartValues for Tree {
    fn name(&self) -> &str {
        &self.name
    }
    fn values(&self) -> &Map {
        &self.values
    }
    fn dependencies(&self) -> &[Tree] {
        &self.children
    }
}

fn tree(value: &Value) -> Tree {
    Tree {
        name: text(value, "name"),
        values: get(value, "values").as_map().cloned().unwrap_or_default(),
        children: get(value, "dependencies")
            .as_list()
            .unwrap_or_default()
            .iter()
            .map(tree)
            .collect(),
    }
}

fn run_coalesce(case: &Value, compat: Compat) -> Ran {
    let map = |key: &str| match get(case, key) {
        Value::Map(map) => map,
        _ => Map::nil(gotemplate::MapType::Any),
    };
    let chart = tree(&get(case, "chart_tree"));
    match text(case, "func").as_str() {
        "coalesce_tables" => Ok(Value::Map(values::coalesce_tables(
            &map("dst"),
            &map("src"),
        ))),
        "merge_tables" => Ok(Value::Map(values::merge_tables(&map("dst"), &map("src")))),
        "merge_values" => values::merge_values(&chart, &map("vals"), compat).map(Value::Map),
        _ => values::coalesce_values(&chart, &map("vals"), compat).map(Value::Map),
    }
}

fn run_yaml(case: &Value) -> Ran {
    let value = values::from_yaml(text(case, "input").as_bytes())?;
    let again = values::to_yaml(&value)?;
    Ok(Value::map([
        (Str::from("value"), value),
        (Str::from("yaml"), Value::from(again)),
    ]))
}

fn run_encode(case: &Value, line: &[u8]) -> Ran {
    let numbers = match text(case, "func").as_str() {
        "int" => Numbers::Int,
        "int64" => Numbers::Int64,
        _ => Numbers::Float,
    };
    let (again, _) = decode(line, numbers);
    values::to_yaml(&get(&again, "data")).map(Value::from)
}

fn run_manifests(case: &Value, compat: Compat) -> Ran {
    let files = get(case, "manifests");
    let files = files.as_map().cloned().unwrap_or_default().entries();
    let files = files
        .into_iter()
        .map(|(path, text)| {
            let text = text.as_str().map(Str::to_string).unwrap_or_default();
            (path.to_string(), text)
        })
        .collect();
    let order = if text(case, "func") == "uninstall" {
        Order::Uninstall
    } else {
        Order::Install
    };
    let sorted = sort(&files, order, compat)?;
    let words =
        |words: &[String]| Value::list(words.iter().map(|word| word.as_str().into()).collect());
    let hooks = sorted.hooks.iter().map(|hook| {
        Value::map([
            (Str::from("delete_policies"), words(&hook.delete_policies)),
            (Str::from("events"), words(&hook.events)),
            (Str::from("kind"), Value::from(hook.kind.as_str())),
            (Str::from("manifest"), Value::from(hook.manifest.as_str())),
            (Str::from("name"), Value::from(hook.name.as_str())),
            (
                Str::from("output_log_policies"),
                words(&hook.output_log_policies),
            ),
            (Str::from("path"), Value::from(hook.path.as_str())),
            (Str::from("weight"), Value::int(hook.weight)),
        ])
    });
    let manifests = sorted.manifests.iter().map(|manifest| {
        Value::map([
            (Str::from("content"), Value::from(manifest.content.as_str())),
            (Str::from("kind"), Value::from(manifest.kind.as_str())),
            (Str::from("path"), Value::from(manifest.path.as_str())),
        ])
    });
    Ok(Value::map([
        (Str::from("hooks"), Value::list(hooks.collect())),
        (Str::from("manifests"), Value::list(manifests.collect())),
    ]))
}

fn run_schema(case: &Value) -> Ran {
    let values = if has(case, "values") {
        values::from_yaml(text(case, "values").as_bytes())?
    } else {
        get(case, "vals")
    };
    let values = values.as_map().cloned().unwrap_or_default();
    values::check_schema(&values, text(case, "schema").as_bytes(), None)?;
    Ok(Value::from("valid"))
}

fn run_kube_version(case: &Value, compat: Compat) -> Ran {
    let version =
        KubeVersion::parse(&text(case, "version"), compat).map_err(|error| error.to_string())?;
    Ok(Value::map([
        (
            Str::from("git_version"),
            Value::from(version.version.as_str()),
        ),
        (Str::from("major"), Value::from(version.major.as_str())),
        (Str::from("minor"), Value::from(version.minor.as_str())),
        (
            Str::from("string"),
            Value::from(version.normalized.as_str()),
        ),
        (Str::from("version"), Value::from(version.version.as_str())),
    ]))
}

fn run_compat(case: &Value) -> Ran {
    use gotemplate::sprig::{Constraints, Version};
    let constraint = Constraints::parse(&text(case, "constraint"));
    let version = Version::parse(&text(case, "version"));
    Ok(Value::Bool(match (constraint, version) {
        (Ok(constraint), Ok(version)) => constraint.check(&version),
        _ => false,
    }))
}

fn run_ignore(case: &Value) -> Ran {
    let rules = strings(&get(case, "rules")).join("\n");
    let rules = IgnoreRules::parse_lines(&rules).map_err(|error| error.to_string())?;
    let is_folder = matches!(get(case, "is_dir"), Value::Bool(true));
    Ok(Value::Bool(rules.ignores(&text(case, "path"), is_folder)))
}
