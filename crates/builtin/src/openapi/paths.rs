//! The paths of the built-in groups.

use object::{GroupVersionKind, Map, Value};
use serde_json::json;

use super::operations::{Action, Endpoint, capital, group_word, path_parameters};
use crate::facts::{Group, Resource, facts};

/// Documents that belong to no group.
pub(super) const FIXED: [&str; 4] = [
    ".well-known/openid-configuration",
    "apis",
    "openid/v1/jwks",
    "version",
];

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
const OBJECTS: [&str; 3] = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
];

/// The path of a group's version without the leading slash: `api/v1`, `apis/apps/v1`.
pub fn group_path(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

pub(super) fn of(document: &str) -> Map<String, Value> {
    let mut paths = Map::new();
    match document {
        "version" => {
            let info = "io.k8s.apimachinery.pkg.version.Info";
            let text = "get the version information for this server";
            let get = plain("version", text, "getCodeVersion", &OBJECTS[..1], Some(info));
            paths.insert("/version/".to_owned(), get);
        }
        ".well-known/openid-configuration" => {
            let get = plain(
                "WellKnown",
                "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
                "getServiceAccountIssuerOpenIDConfiguration",
                &OBJECTS[..1],
                None,
            );
            paths.insert("/.well-known/openid-configuration/".to_owned(), get);
        }
        "openid/v1/jwks" => {
            let get = plain(
                "openid",
                "get service account issuer OpenID JSON Web Key Set (contains public token verification keys)",
                "getServiceAccountIssuerOpenIDKeyset",
                &["application/jwk-set+json"],
                None,
            );
            paths.insert("/openid/v1/jwks/".to_owned(), get);
        }
        "apis" | "api" => {
            let (tag, id, list) = if document == "api" {
                ("core", "getCoreAPIVersions", "APIVersions")
            } else {
                ("apis", "getAPIVersions", "APIGroupList")
            };
            let list = format!("{META}.{list}");
            let get = plain(tag, "get available API versions", id, &OBJECTS, Some(&list));
            paths.insert(format!("/{document}/"), get);
        }
        _ => {
            for group in &facts().groups {
                of_group(document, group, &mut paths);
            }
        }
    }
    paths
}

fn of_group(document: &str, group: &Group, paths: &mut Map<String, Value>) {
    let word = group_word(&group.name);
    if !group.name.is_empty() && document == format!("apis/{}", group.name) {
        let id = format!("get{}APIGroup", capital(&word));
        let list = format!("{META}.APIGroup");
        let get = plain(
            &word,
            "get information of a group",
            &id,
            &OBJECTS,
            Some(&list),
        );
        paths.insert(format!("/{document}/"), get);
    }
    for version in &group.versions {
        if document != group_path(&group.name, version) {
            continue;
        }
        let id = format!("get{}{}APIResources", capital(&word), capital(version));
        let tag = format!("{word}_{version}");
        let list = format!("{META}.APIResourceList");
        let get = plain(&tag, "get available resources", &id, &OBJECTS, Some(&list));
        paths.insert(format!("/{document}/"), get);
        for resource in facts().resources() {
            if resource.gvr.group == group.name && resource.gvr.version == *version {
                of_resource(document, resource, paths);
            }
        }
    }
}

/// A path that only answers GET, without parameters.
fn plain(tag: &str, text: &str, id: &str, produces: &[&str], schema: Option<&str>) -> Value {
    let schema = match schema {
        Some(name) => json!({"$ref": format!("#/components/schemas/{name}")}),
        None => json!({"type": "string"}),
    };
    let content: Map<String, Value> = produces
        .iter()
        .map(|media_type| ((*media_type).to_owned(), json!({"schema": schema})))
        .collect();
    json!({"get": {
        "tags": [tag],
        "description": text,
        "operationId": id,
        "responses": {
            "200": {"description": "OK", "content": content},
            "401": {"description": "Unauthorized"},
        },
    }})
}

fn of_resource(root: &str, resource: &Resource, paths: &mut Map<String, Value>) {
    let Some(id) = resource.type_id else { return };
    let schema = facts().type_at(id).name.as_str();
    let list_schema = format!("{schema}List");
    let name = &resource.gvr.resource;
    let base = Endpoint {
        path: "",
        group: &resource.gvr.group,
        version: &resource.gvr.version,
        kind: &resource.gvk.kind,
        object_kind: &resource.gvk,
        subresource: "",
        schema,
        list_schema: &list_schema,
        is_builtin: true,
        can_watch: resource.has_verb("watch"),
        is_across: false,
    };
    let mut add = |path: String, actions: &[(&str, Action)], is_across: bool| {
        let actions: Vec<Action> = actions
            .iter()
            .filter(|(verb, _)| resource.has_verb(verb))
            .map(|(_, action)| *action)
            .collect();
        if !actions.is_empty() {
            let endpoint = Endpoint {
                path: &path,
                is_across,
                ..base.clone()
            };
            let item = endpoint.item(&actions);
            paths.insert(path, item);
        }
    };
    let space = if resource.namespaced {
        "namespaces/{namespace}/"
    } else {
        ""
    };
    let collection = format!("/{root}/{space}{name}");
    let many = [
        ("list", Action::List),
        ("create", Action::Post),
        ("deletecollection", Action::DeleteCollection),
    ];
    let one = [
        ("get", Action::Get),
        ("update", Action::Put),
        ("patch", Action::Patch),
        ("delete", Action::Delete),
    ];
    add(collection.clone(), &many, false);
    add(format!("{collection}/{{name}}"), &one, false);
    let watched = format!("/{root}/watch/{space}{name}");
    add(watched.clone(), &[("watch", Action::WatchList)], false);
    add(
        format!("{watched}/{{name}}"),
        &[("watch", Action::Watch)],
        false,
    );
    if resource.namespaced {
        add(format!("/{root}/{name}"), &many[..1], true);
        add(
            format!("/{root}/watch/{name}"),
            &[("watch", Action::WatchList)],
            true,
        );
    }
    for subresource in &resource.subresources {
        let path = format!("{collection}/{{name}}/{}", subresource.gvr.resource);
        match subresource.type_id {
            Some(id) => {
                let endpoint = Endpoint {
                    path: &path,
                    object_kind: &subresource.gvk,
                    subresource: &subresource.gvr.resource,
                    schema: &facts().type_at(id).name,
                    ..base.clone()
                };
                paths.insert(path.clone(), of_subresource(&endpoint, subresource));
            }
            None => connections(&base, &path, subresource, paths),
        }
    }
}

fn of_subresource(endpoint: &Endpoint<'_>, subresource: &Resource) -> Value {
    let actions: Vec<Action> = [
        ("get", Action::Get),
        ("create", Action::Post),
        ("update", Action::Put),
        ("patch", Action::Patch),
    ]
    .into_iter()
    .filter(|(verb, _)| subresource.has_verb(verb))
    .map(|(_, action)| action)
    .collect();
    endpoint.item(&actions)
}

/// The subresources that pass a connection on, which nobody but kubelets speaks.
fn connections(
    base: &Endpoint<'_>,
    path: &str,
    subresource: &Resource,
    paths: &mut Map<String, Value>,
) {
    const ALL: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];
    let is_proxy = subresource.gvr.resource == "proxy";
    let methods: &[&str] = if is_proxy { &ALL } else { &["get", "post"] };
    let with_path = format!("{path}/{{path}}");
    let all = [(path, ""), (with_path.as_str(), "WithPath")];
    for (path, suffix) in &all[..if is_proxy { 2 } else { 1 }] {
        let mut item = Map::new();
        for method in methods {
            let operation = connection(base, path, suffix, method, subresource);
            item.insert((*method).to_owned(), operation);
        }
        let parameters = path_parameters(path, &subresource.gvk.kind);
        item.insert("parameters".to_owned(), parameters.into());
        paths.insert((*path).to_owned(), Value::Object(item));
    }
}

fn connection(
    base: &Endpoint<'_>,
    path: &str,
    suffix: &str,
    method: &str,
    subresource: &Resource,
) -> Value {
    let name = &subresource.gvr.resource;
    let GroupVersionKind {
        group,
        version,
        kind,
    } = &subresource.gvk;
    let id = [
        "connect",
        &capital(&group_word(base.group)),
        &capital(base.version),
        &capital(method),
        if path.contains("{namespace}") {
            "Namespaced"
        } else {
            ""
        },
        base.kind,
        &capital(name),
        suffix,
    ]
    .concat();
    json!({
        "tags": [format!("{}_{}", group_word(base.group), base.version)],
        "description": format!("connect {} requests to {name} of {}", method.to_uppercase(), base.kind),
        "operationId": id,
        "responses": {
            "200": {"description": "OK", "content": {"*/*": {"schema": {"type": "string"}}}},
            "401": {"description": "Unauthorized"},
        },
        "x-kubernetes-action": "connect",
        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
    })
}
