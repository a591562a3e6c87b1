//! One object against the one in the cluster, and the report of what differs.

use serde_json::{Map, Value, json};

use crate::flux::Stop;
use crate::flux::cluster::{Cluster, Reason};

/// `Kind/namespace/name`.
fn shown(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        format!("{kind}/{name}")
    } else {
        format!("{kind}/{namespace}/{name}")
    }
}

/// The report on an object that was built, and whether it differs.
pub(super) fn object(cluster: &Cluster, object: &Value) -> Result<(String, bool), Stop> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let (namespace, name) = (object::meta::namespace(object), object::meta::name(object));
    let title = shown(kind, namespace, name);
    let path = cluster
        .path_of(version, kind, namespace, name)
        .map_err(|error| match error.reason {
            Reason::NoMatch => format!("{title} not found: {error}"),
            _ => error.to_string(),
        })?;
    let live = match cluster.send("GET", &path, None, "", None) {
        Ok(live) => Some(live),
        Err(error) if matches!(error.reason, Reason::NotFound | Reason::NoMatch) => None,
        Err(error) => return Err(error.into()),
    };
    let Some(live) = live else {
        return Ok((format!("► {title} created\n"), true));
    };
    let apply = format!("{path}?dryRun=All&fieldManager=kustomize-controller&force=true");
    let merged = cluster
        .send(
            "PATCH",
            &apply,
            Some(object),
            "application/apply-patch+yaml",
            None,
        )
        .map_err(|error| format!("{title} dry-run failed: {error}"))?;
    let (mut before, mut after) = (cleaned(&live), cleaned(&merged));
    if kind == "Secret" {
        mask(&mut before, &mut after);
    }
    let mut text = String::new();
    differences(&mut text, "", &before, &after);
    if text.is_empty() {
        return Ok((String::new(), false));
    }
    Ok((format!("► {title} drifted\n\n{text}"), true))
}

/// What the server keeps for itself plays no part.
fn cleaned(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in [
            "managedFields",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "uid",
            "selfLink",
        ] {
            metadata.remove(field);
        }
    }
    object
}

/// Hides the values of Secrets, but not which of them differ.
fn mask(before: &mut Value, after: &mut Value) {
    let keys: Vec<String> = [&*before, &*after]
        .iter()
        .flat_map(|object| object["data"].as_object().into_iter().flatten())
        .map(|(key, _)| key.clone())
        .collect();
    for key in keys {
        let same = before["data"][&key] == after["data"][&key];
        let hidden = |object: &mut Value, text: &str| {
            if object["data"].get(&key).is_some() {
                object["data"][&key] = json!(text);
            }
        };
        hidden(before, if same { "*****" } else { "***** (before)" });
        hidden(after, if same { "*****" } else { "***** (after)" });
    }
}

fn indented(value: &Value, key: &str) -> String {
    let mut map = Map::new();
    map.insert(key.to_owned(), value.clone());
    each_line(&yaml::from_json(&Value::Object(map)), "  ")
}

/// The lines with something before each.
fn each_line(text: &str, before: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(before);
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn entries(count: usize) -> String {
    let number = match count {
        1 => return "one map entry".to_owned(),
        2 => "two",
        3 => "three",
        4 => "four",
        5 => "five",
        6 => "six",
        7 => "seven",
        8 => "eight",
        9 => "nine",
        10 => "ten",
        11 => "eleven",
        12 => "twelve",
        _ => return format!("{count} map entries"),
    };
    format!("{number} map entries")
}

fn path_of(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// The differences in the form of dyff's human report.
fn differences(text: &mut String, path: &str, before: &Value, after: &Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => maps(text, path, before, after),
        (before, after) if before == after => {}
        (Value::Array(_), Value::Array(_)) => {
            let list = |value: &Value, sign: &str| each_line(&yaml::from_json(value), sign);
            text.push_str(&format!(
                "{path}\n± list change\n{}{}\n",
                list(before, "- "),
                list(after, "+ ")
            ));
        }
        (before, after) => {
            let plain = |value: &Value| yaml::from_json(value).trim_end().to_owned();
            text.push_str(&format!(
                "{path}\n± value change\n- {}\n+ {}\n\n",
                plain(before),
                plain(after)
            ));
        }
    }
}

fn maps(text: &mut String, path: &str, before: &Map<String, Value>, after: &Map<String, Value>) {
    let removed: Vec<&String> = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .collect();
    let added: Vec<&String> = after
        .keys()
        .filter(|key| !before.contains_key(*key))
        .collect();
    let shown = if path.is_empty() {
        "(root level)"
    } else {
        path
    };
    if !removed.is_empty() || !added.is_empty() {
        text.push_str(&format!("{shown}\n"));
    }
    if !removed.is_empty() {
        text.push_str(&format!("- {} removed:\n", entries(removed.len())));
        for key in removed {
            text.push_str(&indented(&before[key], key));
        }
        text.push('\n');
    }
    if !added.is_empty() {
        text.push_str(&format!("+ {} added:\n", entries(added.len())));
        for key in added {
            text.push_str(&indented(&after[key], key));
        }
        text.push('\n');
    }
    for (key, value) in before {
        if let Some(new) = after.get(key) {
            differences(text, &path_of(path, key), value, new);
        }
    }
}

/// The objects of the inventory that are built no more.
pub(super) fn stale(live: &Value, objects: &[Value]) -> String {
    let ids: Vec<String> = objects
        .iter()
        .map(|object| {
            let gvk = object::meta::gvk(object);
            format!(
                "{}_{}_{}_{}",
                object::meta::namespace(object),
                object::meta::name(object).replace(':', "__"),
                gvk.group,
                gvk.kind
            )
        })
        .collect();
    let entries = live["status"]["inventory"]["entries"].as_array();
    let mut lines: Vec<String> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["id"].as_str())
        .filter(|id| !ids.iter().any(|known| known == id))
        .filter_map(|id| {
            let (namespace, rest) = id.split_once('_')?;
            let (rest, kind) = rest.rsplit_once('_')?;
            let (name, _) = rest.rsplit_once('_')?;
            Some(format!(
                "► {} deleted\n",
                shown(kind, namespace, &name.replace("__", ":"))
            ))
        })
        .collect();
    lines.sort();
    lines.concat()
}
