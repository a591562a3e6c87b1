//! Running conformance cases of Helm 4.2.4: engine, strvals, coalesce, yaml, misc.

#![expect(
    unreachable_pub,
    reason = "shared by an example and a test, each with its own crate"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gotemplate::json::{EncodeOptions, Numbers, decode, encode};
use gotemplate::{FixedEnvironment, Limits, Map, Str, Time, Value, lossy};
use helm::chart::{File, load_files, process_dependencies};
use helm::engine::{Capabilities, Engine, KubeVersion, Mode, ReleaseOptions, render_values};
use helm::values::{self, ChartValues, SetKind};

/// What one case came to.
pub struct Outcome {
    /// The case's name.
    pub name: String,
    /// What differed; `None` when all is as recorded.
    pub difference: Option<String>,
    /// An error was expected and came, with another text.
    pub only_text_differs: bool,
    /// The kind is not handled here.
    pub skipped: bool,
}

type Ran = Result<Value, String>;

/// Runs all cases of a file of JSON lines.
pub fn run_file(file: &Path) -> Result<Vec<Outcome>, String> {
    let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let defaults = default_versions(file);
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    Ok(lines.map(|line| run_line(line, &defaults)).collect())
}

/// The API versions that Helm 4.2.4 assumes without a cluster.
fn default_versions(file: &Path) -> Arc<Vec<String>> {
    let path = file.with_file_name("default-capabilities.json");
    let (all, _) = decode(&fs::read(path).unwrap_or_default(), Numbers::Float);
    let versions = get(&get(&all, "4.2.4"), "api_versions");
    Arc::new(strings(&versions))
}

fn strings(list: &Value) -> Vec<String> {
    let items = list.as_list().unwrap_or_default().iter();
    items
        .filter_map(|item| item.as_str().map(Str::to_string))
        .collect()
}

fn get(case: &Value, key: &str) -> Value {
    case.as_map()
        .and_then(|map| map.get(key))
        .unwrap_or_default()
}

fn has(case: &Value, key: &str) -> bool {
    case.as_map().is_some_and(|map| map.contains_key(key))
}

fn text(case: &Value, key: &str) -> String {
    get(case, key)
        .as_str()
        .map(Str::to_string)
        .unwrap_or_default()
}

fn json(value: &Value) -> String {
    let out = encode(&floats(value), EncodeOptions::default());
    out.map_or_else(|error| error, |out| lossy(&out).into_owned())
}

/// With all integers as floats: the recorded results keep them apart only in spelling.
fn floats(value: &Value) -> Value {
    match value {
        Value::Int(_, number) => Value::Float(*number as f64),
        Value::Uint(_, number) => Value::Float(*number as f64),
        Value::List(list) => Value::list(list.items().iter().map(floats).collect()),
        Value::Map(map) => Value::map(
            map.entries()
                .into_iter()
                .map(|(key, value)| (key, floats(&value))),
        ),
        other => other.clone(),
    }
}

fn run_line(line: &[u8], defaults: &Arc<Vec<String>>) -> Outcome {
    let (case, _) = decode(line, Numbers::Int);
    let kind = text(&case, "kind");
    let ran = match kind.as_str() {
        "engine" => run_engine(&case, defaults),
        "strvals" => run_strvals(&case),
        "coalesce" => run_coalesce(&case),
        "yaml" => run_yaml(&case),
        "yaml_encode" => run_encode(&case, line),
        "chartload" => run_load(&case),
        "compat" => run_compat(&case),
        _ => {
            return Outcome {
                name: text(&case, "name"),
                difference: None,
                only_text_differs: false,
                skipped: true,
            };
        }
    };
    let over = get(&case, "helm4.2.4");
    let expected = if over.is_nil() { &case } else { &over };
    let (difference, only_text_differs) = if has(expected, "want_error") {
        let want = text(expected, "want_error");
        match ran {
            Ok(got) => (
                Some(format!("gave {}, want the error {want:?}", json(&got))),
                false,
            ),
            Err(error) if error == want => (None, false),
            Err(error) => (Some(format!("error {error:?}, want {want:?}")), true),
        }
    } else {
        let want = json(&get(expected, "want"));
        match ran {
            Ok(got) if json(&got) == want => (None, false),
            Ok(got) => (Some(format!("gave {}, want {want}", json(&got))), false),
            Err(error) => (Some(format!("error {error:?}, want {want}")), false),
        }
    };
    Outcome {
        name: text(&case, "name"),
        difference,
        only_text_differs,
        skipped: false,
    }
}

const DEFAULT_CHART: &str = "apiVersion: v2\nname: mychart\nversion: 0.1.0\nappVersion: \"1.16.0\"\ndescription: A test chart\n";

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

fn no_archives(_: &[u8]) -> Result<Vec<File>, String> {
    Err("gzip: invalid header".to_owned())
}

fn run_load(case: &Value) -> Ran {
    let chart = load_files(chart_files(case), &no_archives).map_err(|error| error.to_string())?;
    Ok(Value::from(chart.metadata.to_yaml()))
}

fn run_engine(case: &Value, defaults: &Arc<Vec<String>>) -> Ran {
    let mut chart =
        load_files(chart_files(case), &no_archives).map_err(|error| error.to_string())?;
    let user = if has(case, "user_values") {
        values::read_values(text(case, "user_values").as_bytes())?
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
            values::set(&one, kind, None, &user).map_err(|error| error.to_string())?;
        }
    }
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
    let mut api_versions = (**defaults).clone();
    api_versions.extend(strings(&get(case, "api_versions")));
    let capabilities = Capabilities {
        kube_version: KubeVersion::parse(&version).ok_or("bad kube version")?,
        api_versions: Arc::new(api_versions),
        helm_version: "v4.2.4".to_owned(),
    };
    process_dependencies(&mut chart, &user).map_err(|error| error.to_string())?;
    let top =
        render_values(&chart, &user, &options, &capabilities).map_err(|error| error.to_string())?;
    let environment = FixedEnvironment {
        now: Time::unix(1_700_000_000, 0),
        seed: 1,
    };
    let engine = Engine {
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
    let over = get(case, "helm4.2.4");
    let expected = if has(&over, "want") {
        get(&over, "want")
    } else {
        get(case, "want")
    };
    if matches!(expected, Value::String(_)) && rendered.len() == 1 {
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

fn run_strvals(case: &Value) -> Ran {
    let map = get(case, "base").as_map().cloned().unwrap_or_default();
    let input = text(case, "input");
    let files = get(case, "files");
    let read = |path: &str| {
        let found = files.as_map().and_then(|files| files.get(path));
        found
            .and_then(|data| data.as_str().map(Str::to_string))
            .ok_or_else(|| format!("open {path}: no such file or directory"))
    };
    let result = match text(case, "func").as_str() {
        "parse_file" => values::set(&input, SetKind::String, Some(&read), &map),
        "parse_string" => values::set(&input, SetKind::String, None, &map),
        "parse_json" => values::set(&input, SetKind::Json, None, &map),
        "parse_literal" => values::set(&input, SetKind::Literal, None, &map),
        _ => values::set(&input, SetKind::Typed, None, &map),
    };
    result.map_err(|error| error.to_string())?;
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

fn run_coalesce(case: &Value) -> Ran {
    let map = |key: &str| match get(case, key) {
        Value::Map(map) => map,
        _ => Map::nil(gotemplate::MapType::Any),
    };
    match text(case, "func").as_str() {
        "coalesce_tables" => Ok(Value::Map(values::coalesce_tables(
            &map("dst"),
            &map("src"),
        ))),
        "merge_tables" => Ok(Value::Map(values::merge_tables(&map("dst"), &map("src")))),
        "merge_values" => {
            values::merge_values(&tree(&get(case, "chart_tree")), &map("vals")).map(Value::Map)
        }
        _ => values::coalesce_values(&tree(&get(case, "chart_tree")), &map("vals")).map(Value::Map),
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

fn run_compat(case: &Value) -> Ran {
    use gotemplate::sprig::{Constraints, Version};
    let constraint = Constraints::parse(&text(case, "constraint"));
    let version = Version::parse(&text(case, "version"));
    Ok(Value::Bool(match (constraint, version) {
        (Ok(constraint), Ok(version)) => constraint.check(&version),
        _ => false,
    }))
}

/// Runs the cases of a folder of `real/` or `charts/`: those whose chart can be given here.
pub fn run_folder(folder: &Path, defaults_from: &Path) -> Result<Vec<Outcome>, String> {
    let bytes = fs::read(folder.join("case.json"))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let (case, _) = decode(&bytes, Numbers::Int);
    let defaults = default_versions(defaults_from);
    let id = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut outcomes = Vec::new();
    if let Some(cases) = get(&case, "cases").as_list() {
        for one in cases {
            let out = text(&get(one, "out"), "4.2.4");
            let want = gunzip(&fs::read(folder.join(&out)).unwrap_or_default());
            outcomes.push(compare(
                &format!("{id}/{}", text(one, "name")),
                helm_template(folder, &get(one, "argv"), &defaults),
                Ok(want),
            ));
        }
        return Ok(outcomes);
    }
    let name = text(&get(&case, "files"), "4.2.4");
    let recorded = fs::read_to_string(folder.join(&name)).unwrap_or_default();
    let want = if name.starts_with("error") {
        Err(recorded)
    } else {
        Ok(recorded)
    };
    let cwd = folder.join(text(&case, "cwd"));
    outcomes.push(compare(
        &id,
        helm_template(&cwd, &get(&case, "argv"), &defaults),
        want,
    ));
    Ok(outcomes)
}

fn gunzip(bytes: &[u8]) -> String {
    let mut out = String::new();
    let _ = std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(bytes), &mut out);
    out
}

fn compare(name: &str, got: Result<String, String>, want: Result<String, String>) -> Outcome {
    let difference = match (got, want) {
        (Ok(got), Ok(want)) if got == want => None,
        (Err(_), Err(_)) => None,
        (Ok(got), Ok(want)) => {
            let at = got
                .lines()
                .zip(want.lines())
                .position(|(got, want)| got != want);
            let line = at.unwrap_or_else(|| got.lines().count().min(want.lines().count()));
            Some(format!(
                "line {}: gave {:?}, want {:?}",
                line + 1,
                got.lines().nth(line),
                want.lines().nth(line)
            ))
        }
        (Ok(_), Err(want)) => Some(format!("gave output, want the error {want:?}")),
        (Err(error), Ok(_)) => Some(format!("error {error:?}")),
    };
    Outcome {
        name: name.to_owned(),
        difference,
        only_text_differs: false,
        skipped: false,
    }
}

fn folder_files(root: &Path, folder: &Path, files: &mut Vec<File>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            folder_files(root, &path, files);
        } else if let (Ok(name), Ok(data)) = (path.strip_prefix(root), fs::read(&path)) {
            files.push(File::new(name.to_string_lossy(), data));
        }
    }
}

/// The values of files, and over them what flags set.
fn user_values(
    cwd: &Path,
    files: &[String],
    sets: &[(usize, SetKind, String)],
) -> Result<Map, String> {
    let mut merged = Map::new();
    for file in files {
        let data = fs::read(cwd.join(file)).map_err(|error| error.to_string())?;
        match values::from_yaml(&data)? {
            Value::Map(map) => merged = values::merge_maps(&merged, &map),
            Value::Nil => {}
            _ => return Err(format!("{file} is no map")),
        }
    }
    for (_, kind, text) in sets {
        values::set(text, *kind, None, &merged).map_err(|error| error.to_string())?;
    }
    Ok(merged)
}

/// What `helm template` prints, for the flags that the cases use.
fn helm_template(cwd: &Path, argv: &Value, defaults: &Arc<Vec<String>>) -> Result<String, String> {
    let argv = strings(argv);
    let mut words = argv.iter().skip(2);
    let mut plain = Vec::new();
    let (mut files, mut sets) = (Vec::new(), Vec::new());
    let (mut namespace, mut version) = ("default".to_owned(), "v1.34.0".to_owned());
    let mut api_versions = (**defaults).clone();
    let (mut crds, mut upgrade, mut no_hooks, mut skip_tests) = (false, false, false, false);
    while let Some(word) = words.next() {
        let (flag, given) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                (flag.to_owned(), Some(value.to_owned()))
            }
            _ => (word.clone(), None),
        };
        let mut value = || {
            given
                .clone()
                .or_else(|| words.next().cloned())
                .unwrap_or_default()
        };
        match flag.as_str() {
            "--namespace" | "-n" => namespace = value(),
            "--kube-version" => version = value(),
            "-f" | "--values" => files.extend(value().split(',').map(str::to_owned)),
            "--set" => sets.push((1, SetKind::Typed, value())),
            "--set-string" => sets.push((2, SetKind::String, value())),
            "--set-json" => sets.push((0, SetKind::Json, value())),
            "--set-literal" => sets.push((4, SetKind::Literal, value())),
            "--api-versions" | "-a" => api_versions.extend(value().split(',').map(str::to_owned)),
            "--include-crds" => crds = true,
            "--is-upgrade" => upgrade = true,
            "--no-hooks" => no_hooks = true,
            "--skip-tests" => skip_tests = true,
            "--skip-schema-validation" => {}
            _ if flag.starts_with('-') => return Err(format!("the flag {flag} is not handled")),
            _ => plain.push(word.clone()),
        }
    }
    sets.sort_by_key(|(place, ..)| *place);
    let user = user_values(cwd, &files, &sets)?;
    let [release, chart] = plain.as_slice() else {
        return Err("not a name and a chart".to_owned());
    };
    let path = cwd.join(chart);
    let files = if path.is_dir() {
        let mut files = Vec::new();
        folder_files(&path, &path, &mut files);
        files
    } else {
        helm::chart::unpack(&fs::read(&path).map_err(|error| error.to_string())?)?
    };
    let mut chart = load_files(files, &helm::chart::unpack).map_err(|error| error.to_string())?;
    process_dependencies(&mut chart, &user).map_err(|error| error.to_string())?;
    let options = ReleaseOptions {
        name: release.clone(),
        namespace,
        revision: 1,
        is_upgrade: upgrade,
        is_install: !upgrade,
    };
    let capabilities = Capabilities {
        kube_version: KubeVersion::parse(&version).ok_or("bad kube version")?,
        api_versions: Arc::new(api_versions),
        helm_version: "v4.2.4".to_owned(),
    };
    let top =
        render_values(&chart, &user, &options, &capabilities).map_err(|error| error.to_string())?;
    let environment = FixedEnvironment {
        now: Time::unix(1_700_000_000, 0),
        seed: 1,
    };
    let engine = Engine {
        mode: Mode::default(),
        lookup: None,
        environment: &environment,
        limits: Limits::default(),
    };
    let rendered = engine
        .render(&chart, &top)
        .map_err(|error| error.to_string())?;
    let texts = rendered
        .into_iter()
        .filter(|(name, _)| !name.ends_with("NOTES.txt"))
        .map(|(name, out)| (name, lossy(&out).into_owned()))
        .collect();
    let mut sorted = helm::manifest::sort(&texts, helm::manifest::Order::Install)?;
    sorted.hooks.retain(|hook| {
        !(no_hooks || skip_tests && hook.events.iter().any(|event| event == "test"))
    });
    let crds = if crds { chart.crds() } else { Vec::new() };
    Ok(helm::manifest::print(&sorted, &crds))
}
