//! The steps of a recording.

use object::{GroupVersionResource, Value};

/// The time that stands for any.
pub(crate) const NOW: &str = "2024-01-02T03:04:05Z";

/// The place of a request's object.
pub(crate) struct Target {
    pub(crate) gvr: GroupVersionResource,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
}

impl Target {
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let mut parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let is_core = parts.remove(0) == "api";
        if parts.len() < 3 - usize::from(is_core) {
            return None;
        }
        let group = if is_core { "" } else { parts.remove(0) };
        let version = parts.remove(0);
        let mut namespace = "";
        if parts.first() == Some(&"namespaces")
            && parts.len() > 2
            && !["status", "finalize"].contains(&parts[2])
        {
            namespace = parts[1];
            parts.drain(..2);
        }
        let mut parts = parts.into_iter();
        Some(Self {
            gvr: GroupVersionResource::new(group, version, parts.next()?),
            namespace: namespace.to_owned(),
            name: parts.next().unwrap_or_default().to_owned(),
            subresource: parts.next().unwrap_or_default().to_owned(),
        })
    }

    pub(crate) fn key(&self, name: &str) -> String {
        let group = if self.gvr.group == "events.k8s.io" {
            ""
        } else {
            &self.gvr.group
        };
        format!("{group}/{}/{}/{name}", self.gvr.resource, self.namespace)
    }
}

/// Puts values where the recording has placeholders.
pub(crate) fn fill(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("${mtime") => {
            "2024-01-02T03:04:05.000000Z".clone_into(text)
        }
        Value::String(text) if text.starts_with("${time") => NOW.clone_into(text),
        Value::String(text) if text.contains("${uid") || text.contains("${rv") => {
            for number in 1..60 {
                *text = text
                    .replace(&format!("${{uid{number}}}"), &format!("uid-{number}"))
                    .replace(&format!("${{rv{number}}}"), &number.to_string());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::Object(entries) => entries.values_mut().for_each(fill),
        _ => {}
    }
}

/// The body of a step; large ones are described by how they repeat.
pub(crate) fn body(step: &Value) -> Option<Value> {
    let recipe = &step["bodyGen"];
    if recipe.is_null() {
        return Some(step["body"].clone());
    }
    let text = |name: &str| recipe[name].as_str().unwrap_or_default();
    let count = usize::try_from(recipe["count"].as_u64()?).ok()?;
    let repeated = text("repeat").repeat(count);
    let whole = format!("{}{repeated}{}", text("prefix"), text("suffix"));
    serde_json::from_str(&whole).ok()
}
