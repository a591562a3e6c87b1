//! What a request is about, read from its method and path.

use super::query::Query;

/// A request, as authorization and routing see it. Source: apiserver, `endpoints/request/requestinfo.go`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestInfo {
    /// Whether it is about a resource, not some other path.
    pub is_resource: bool,
    /// The decoded path.
    pub path: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for other
    /// paths the method in small letters; empty for methods that mean nothing.
    pub verb: String,
    /// `api` or `apis`.
    pub prefix: String,
    /// The group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The namespace; empty for the cluster.
    pub namespace: String,
    /// The resource.
    pub resource: String,
    /// The subresource; may be empty.
    pub subresource: String,
    /// The object's name; may be empty.
    pub name: String,
    /// The parts of the path from the resource on.
    pub parts: Vec<String>,
    /// Whether the name comes from a field selector and not from the path.
    pub name_from_selector: bool,
}

impl RequestInfo {
    /// Reads a method, decoded path and query.
    pub fn of(method: &str, path: &str, query: &Query) -> Self {
        let mut info = Self {
            path: path.to_owned(),
            verb: method.to_ascii_lowercase(),
            ..Self::default()
        };
        let trimmed = path.trim_matches('/');
        let mut parts: &[&str] = &trimmed.split('/').collect::<Vec<_>>();
        if parts.len() < 3 || !matches!(parts[0], "api" | "apis") {
            return info;
        }
        parts[0].clone_into(&mut info.prefix);
        parts = &parts[1..];
        if info.prefix == "apis" {
            if parts.len() < 3 {
                return info;
            }
            parts[0].clone_into(&mut info.group);
            parts = &parts[1..];
        }
        info.is_resource = true;
        parts[0].clone_into(&mut info.version);
        parts = &parts[1..];
        info.read_resource(method, parts, query);
        info
    }

    fn read_resource(&mut self, method: &str, mut parts: &[&str], query: &Query) {
        let is_old_watch = parts[0] == "watch" && parts.len() > 1;
        if is_old_watch {
            "watch".clone_into(&mut self.verb);
            parts = &parts[1..];
        } else {
            verb_of(method).clone_into(&mut self.verb);
        }
        if parts[0] == "namespaces" && parts.len() > 1 {
            parts[1].clone_into(&mut self.namespace);
            if parts.len() > 2 && !matches!(parts[2], "status" | "finalize") {
                parts = &parts[2..];
            }
        }
        self.parts = parts.iter().map(|part| (*part).to_owned()).collect();
        if parts.len() > 2 && !is_old_watch {
            parts[2].clone_into(&mut self.subresource);
        }
        if parts.len() > 1 {
            parts[1].clone_into(&mut self.name);
        }
        parts[0].clone_into(&mut self.resource);
        if !self.name.is_empty() {
            return;
        }
        match self.verb.as_str() {
            "get" => {
                let watch = query.is_true("watch");
                if watch { "watch" } else { "list" }.clone_into(&mut self.verb);
            }
            "delete" => "deletecollection".clone_into(&mut self.verb),
            _ => {}
        }
        // RBAC may allow to list or watch one object by name.
        if matches!(self.verb.as_str(), "list" | "watch" | "deletecollection")
            && let Some(name) = query.get("fieldSelector").and_then(single_name)
        {
            name.clone_into(&mut self.name);
            self.name_from_selector = true;
        }
    }
}

fn verb_of(method: &str) -> &'static str {
    match method {
        "POST" => "create",
        "GET" | "HEAD" => "get",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    }
}

/// The name that a field selector demands.
fn single_name(selector: &str) -> Option<&str> {
    selector.split(',').find_map(|term| {
        let (field, value) = term.split_once('=')?;
        let value = value.strip_prefix('=').unwrap_or(value);
        let plain = !value.is_empty() && !value.contains(['/', '%', '=', '!', '\\']);
        (field == "metadata.name" && plain).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, path: &str) -> [String; 6] {
        let info = RequestInfo::of(method, path, &Query::parse(""));
        [
            info.verb,
            info.group,
            info.namespace,
            info.resource,
            info.name,
            info.subresource,
        ]
    }

    #[test]
    fn paths_are_read_as_upstream_reads_them() {
        for (method, path, expected) in [
            (
                "GET",
                "/api/v1/namespaces",
                ["list", "", "", "namespaces", "", ""],
            ),
            (
                "GET",
                "/api/v1/namespaces/a",
                ["get", "", "a", "namespaces", "a", ""],
            ),
            (
                "PUT",
                "/api/v1/namespaces/a/finalize",
                ["update", "", "a", "namespaces", "a", "finalize"],
            ),
            (
                "PATCH",
                "/apis/apps/v1/namespaces/a/deployments/b/scale",
                ["patch", "apps", "a", "deployments", "b", "scale"],
            ),
            (
                "DELETE",
                "/api/v1/namespaces/a/pods",
                ["deletecollection", "", "a", "pods", "", ""],
            ),
            ("GET", "/healthz", ["get", "", "", "", "", ""]),
            ("GET", "/apis/apps/v1", ["get", "", "", "", "", ""]),
        ] {
            assert_eq!(of(method, path), expected, "{method} {path}");
        }
    }
}
