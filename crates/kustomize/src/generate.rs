//! ConfigMaps and Secrets from literals and files, and the hash of their content.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use yaml::{Kind, Node, Style, Tag};

use crate::error::{BuildError, Context as _, Result};
use crate::field;
use crate::kustomization::{GeneratorArgs, GeneratorOptions, StringMap};
use crate::load::Loader;
use crate::output;
use crate::resource::{Behavior, Resource};
use crate::secret;

/// Which of the two is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generated {
    ConfigMap,
    Secret,
}

/// Global options fill in what the local ones leave open.
pub(crate) fn merge_options(
    local: &mut Option<GeneratorOptions>,
    global: Option<&GeneratorOptions>,
) {
    let Some(global) = global else { return };
    let local = local.get_or_insert_default();
    let fill = |local: &mut Option<StringMap>, global: &Option<StringMap>| {
        let Some(global) = global else { return };
        let local = local.get_or_insert_default();
        for (key, value) in global {
            local.entry(key.clone()).or_insert_with(|| value.clone());
        }
    };
    fill(&mut local.labels, &global.labels);
    fill(&mut local.annotations, &global.annotations);
    local.disable_name_suffix_hash |= global.disable_name_suffix_hash;
    local.immutable |= global.immutable;
}

/// Makes the resource.
///
/// # Errors
/// No name, a bad source, a repeated key.
pub(crate) fn generate(
    what: Generated,
    args: &GeneratorArgs,
    loader: &Loader<'_>,
) -> Result<Resource> {
    let mut node = Node::mapping();
    let kind = match what {
        Generated::ConfigMap => "ConfigMap",
        Generated::Secret => "Secret",
    };
    node.insert("apiVersion", Node::string("v1"));
    node.insert("kind", Node::string(kind));
    if args.name.is_empty() {
        return Err("a configmap must have a name".into());
    }
    field::set_meta(&mut node, "name", field::string_node(&args.name))?;
    if !args.namespace.is_empty() {
        field::set_meta(&mut node, "namespace", field::string_node(&args.namespace))?;
    }
    if what == Generated::Secret {
        let kind = if args.secret_type.is_empty() {
            "Opaque"
        } else {
            &args.secret_type
        };
        field::set_field(&mut node, "type", field::string_node(kind))?;
    }
    let data = data(args, loader)?;
    if what == Generated::Secret {
        field::get_or_create(&mut node, "data", Kind::Mapping)?;
    }
    for (key, value) in data {
        let (section, text) = match (what, std::str::from_utf8(&value)) {
            (Generated::Secret, _) => ("data", secret::encode(&value)),
            (Generated::ConfigMap, Ok(text)) => ("data", text.to_owned()),
            (Generated::ConfigMap, Err(_)) => ("binaryData", secret::encode(&value)),
        };
        if let Some(section) = field::get_or_create(&mut node, section, Kind::Mapping)? {
            field::set_field(section, &key, field::string_node(&text))?;
        }
    }
    if let Some(options) = &args.options {
        apply_options(&mut node, options)?;
    }
    let mut resource = Resource::new(node);
    let hash = !args
        .options
        .as_ref()
        .is_some_and(|options| options.disable_name_suffix_hash);
    resource.history.needs_hash = hash;
    resource.history.behavior = Some(Behavior::parse(&args.behavior));
    Ok(resource)
}

fn apply_options(node: &mut Node, options: &GeneratorOptions) -> Result<()> {
    for (section, map) in [
        ("labels", &options.labels),
        ("annotations", &options.annotations),
    ] {
        for (key, value) in map.iter().flatten() {
            let Some(metadata) = field::get_or_create(node, "metadata", Kind::Mapping)? else {
                continue;
            };
            let mut value = field::string_node(value);
            value.style = Style::SINGLE_QUOTED;
            if let Some(section) = field::get_or_create(metadata, section, Kind::Mapping)? {
                field::set_field(section, key, value)?;
            }
        }
    }
    if options.immutable {
        field::set_field(node, "immutable", Node::scalar(Tag::Bool, "true"))?;
    }
    Ok(())
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(" "))
}

fn data(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut data = BTreeMap::new();
    for (key, value) in pairs(args, loader).context("loading KV pairs")? {
        if data.insert(key.clone(), value).is_some() {
            let name = &args.name;
            return Err(BuildError::new(format!(
                "configmap {name} illegally repeats the key `{key}`"
            )));
        }
    }
    Ok(data)
}

type Pairs = Vec<(String, Vec<u8>)>;

fn pairs(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<Pairs> {
    let mut all =
        env_files(&args.envs, loader).context(format!("env source files: {}", list(&args.envs)))?;
    for source in &args.literals {
        let pair = literal(source).context(format!("literal sources {}", list(&args.literals)))?;
        all.push(pair);
    }
    for source in &args.files {
        let pair = file(source, loader).context(format!("file sources: {}", list(&args.files)))?;
        all.push(pair);
    }
    Ok(all)
}

fn literal(source: &str) -> Result<(String, Vec<u8>)> {
    match source.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            Ok((key.to_owned(), unquote(value).as_bytes().to_vec()))
        }
        _ => Err(format!("invalid literal source {source}, expected key=value").into()),
    }
}

fn unquote(text: &str) -> &str {
    let quoted = |quote: char| text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
    if quoted('"') || quoted('\'') {
        &text[1..text.len() - 1]
    } else {
        text
    }
}

fn file(source: &str, loader: &Loader<'_>) -> Result<(String, Vec<u8>)> {
    let (key, path) = match source.split('=').collect::<Vec<_>>().as_slice() {
        [path] => (
            path.trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or(path),
            *path,
        ),
        ["", path] => {
            return Err(
                format!("missing key name for file path {path:?} in source {source:?}").into(),
            );
        }
        [key, ""] => {
            return Err(
                format!("missing file path for key name {key:?} in source {source:?}").into(),
            );
        }
        [key, path] => (*key, *path),
        _ => return Err(format!("source {source:?} key name or file path contains '='").into()),
    };
    Ok((key.to_owned(), loader.load(path)?.to_vec()))
}

fn env_files(paths: &[String], loader: &Loader<'_>) -> Result<Pairs> {
    let mut pairs = Vec::new();
    for path in paths {
        let content = loader.load(path)?;
        let mut lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
        if lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        for (number, line) in lines.into_iter().enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // bufio.Scanner gives up silently at lines that are too long.
            if line.len() >= 64 * 1024 {
                break;
            }
            let Ok(text) = std::str::from_utf8(line) else {
                let bytes: Vec<_> = line.iter().map(u8::to_string).collect();
                let shown = String::from_utf8_lossy(line);
                return Err(BuildError::new(format!(
                    "line [{}] has invalid utf8 bytes : {shown}",
                    bytes.join(" ")
                )));
            };
            let text = if number == 0 {
                text.strip_prefix('\u{FEFF}').unwrap_or(text)
            } else {
                text
            };
            let text = text.trim_start();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            if !key.is_empty() {
                pairs.push((key.to_owned(), value.as_bytes().to_vec()));
            }
        }
    }
    Ok(pairs)
}

/// The suffix for the content of a resource.
pub(crate) fn hash(node: &Node) -> Result<String> {
    let kind = crate::resid::root_text(node, "kind");
    let (fields, optional): (&[&str], &str) = match kind {
        "ConfigMap" => (&["data"], "binaryData"),
        "Secret" => (&["data", "type"], "stringData"),
        _ => {
            return Ok(shorten(
                &serde_json::to_string(&output::to_json(node)?).unwrap_or_default(),
            ));
        }
    };
    let mut content = Map::new();
    content.insert("kind".to_owned(), Value::String(kind.to_owned()));
    // Upstream looks for one field called `metadata/name`, which there is not.
    content.insert("name".to_owned(), Value::String(String::new()));
    for field in fields {
        content.insert((*field).to_owned(), hashed_value(node, field)?);
    }
    if node
        .get(optional)
        .is_some_and(|value| value.kind != Kind::Scalar)
    {
        content.insert(optional.to_owned(), hashed_value(node, optional)?);
    }
    let text = serde_json::to_string(&Value::Object(content)).unwrap_or_default();
    Ok(shorten(&go_escape(&text)))
}

fn hashed_value(node: &Node, field: &str) -> Result<Value> {
    match node.get(field) {
        None => Ok(Value::String(String::new())),
        Some(value) if value.kind == Kind::Scalar => Ok(Value::String(value.value.to_string())),
        Some(value) => Ok(as_floats(output::to_json(value)?)),
    }
}

/// encoding/json reads every number as a float64.
pub(crate) fn as_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or(0.0);
            serde_json::from_str(&yaml::json_float(float)).unwrap_or(Value::Number(number))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(as_floats).collect()),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, as_floats(value)))
                .collect(),
        ),
        other => other,
    }
}

/// The escapes that Go's JSON has beyond the needful.
pub(crate) fn go_escape(json: &str) -> String {
    if !json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len() + 16);
    let mut escaped = false;
    for c in json.chars() {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            '\\' if !was_escaped => {
                escaped = true;
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn shorten(content: &str) -> String {
    let digest = Sha256::digest(content.as_bytes());
    let digits = digest
        .iter()
        .take(5)
        .flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .map(|c| match c {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            other => other,
        })
        .collect()
}
