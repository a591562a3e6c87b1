//! The paths of an OpenAPI document under which the objects of a version are served.
//!
//! Source: apiextensions-apiserver `pkg/controller/openapi/builder`; apiserver
//! `pkg/endpoints/openapi` for the names of operations.

mod parameters;

use serde_json::{Map, Value, json};

use super::{OpenApi, model_name};
use crate::compiled::{Compiled, VersionSchema};
use parameters::Parameter;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const SCALE: &str = "io.k8s.api.autoscaling.v1.Scale";
const MEDIA_TYPES: [&str; 2] = ["application/json", "application/yaml"];
const PATCH_TYPES: [&str; 3] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
];

struct Operations<'a> {
    definition: &'a Compiled,
    version: &'a VersionSchema,
    form: OpenApi,
}

/// What can be done with a path: the method, the action and the verb of its name.
type Action = (&'static str, &'static str, &'static str);

const LIST: Action = ("get", "list", "list");
const COLLECTION: [Action; 3] = [
    LIST,
    ("post", "post", "create"),
    ("delete", "deletecollection", "deletecollection"),
];
const ITEM: [Action; 4] = [
    ("get", "get", "read"),
    ("put", "put", "replace"),
    ("delete", "delete", "delete"),
    ("patch", "patch", "patch"),
];
const SUBRESOURCE: [Action; 3] = [
    ("get", "get", "read"),
    ("put", "put", "replace"),
    ("patch", "patch", "patch"),
];

/// The paths and their operations. They refer to the schemas of [`super::definitions`] and to those of
/// `ObjectMeta`, `Status`, `Patch`, `DeleteOptions` and `Scale`, which are the document's to give.
pub fn paths(definition: &Compiled, version: &VersionSchema, form: OpenApi) -> Map<String, Value> {
    let operations = Operations {
        definition,
        version,
        form,
    };
    let root = format!("/apis/{}/{}", definition.group, version.name);
    let plural = &definition.plural;
    let mut paths = Map::new();
    let collection = if definition.namespaced {
        let path = format!("{root}/{plural}");
        let item = operations.path(&path, "", &[LIST], true);
        paths.insert(path, item);
        format!("{root}/namespaces/{{namespace}}/{plural}")
    } else {
        format!("{root}/{plural}")
    };
    let item = format!("{collection}/{{name}}");
    let collection_item = operations.path(&collection, "", &COLLECTION, false);
    paths.insert(collection, collection_item);
    paths.insert(item.clone(), operations.path(&item, "", &ITEM, false));
    for (is_there, subresource) in [
        (version.has_status, "status"),
        (version.scale.is_some(), "scale"),
    ] {
        if is_there {
            let path = format!("{item}/{subresource}");
            let item = operations.path(&path, subresource, &SUBRESOURCE, false);
            paths.insert(path, item);
        }
    }
    paths
}

/// A text as part of the name of an operation: letters and digits, with capitals where others stood.
/// Source: apiserver `pkg/endpoints/openapi`, `ToValidOperationID`.
fn identifier(text: &str, capitalized: bool) -> String {
    let mut out = String::new();
    let mut capital = capitalized;
    for (index, character) in text.char_indices() {
        if character.is_alphabetic() || character == '_' || index > 0 && character.is_numeric() {
            if capital {
                out.extend(character.to_uppercase());
                capital = false;
            } else {
                out.push(character);
            }
        } else {
            capital = true;
        }
    }
    out
}

/// The article of a noun with spaces around it; plurals have none.
fn article(noun: &str) -> &'static str {
    if noun.ends_with('s') && !noun.ends_with("ss") {
        " "
    } else if noun.starts_with(|first: char| "aeiou".contains(first.to_ascii_lowercase())) {
        " an "
    } else {
        " a "
    }
}

impl Operations<'_> {
    fn path(&self, path: &str, subresource: &str, actions: &[Action], all: bool) -> Value {
        let mut shared = Vec::new();
        if path.contains("{name}") {
            shared.push(Parameter::name(&self.definition.kind));
        }
        if path.contains("{namespace}") {
            shared.push(Parameter::namespace());
        }
        shared.push(Parameter::pretty());
        let mut item = Map::new();
        for action in actions {
            let mut own = parameters::of_action(action.1);
            if actions.len() == 1 {
                // What all operations have stands beside them.
                shared.append(&mut own);
            }
            let operation = self.operation(subresource, *action, all, &own);
            item.insert(action.0.to_owned(), operation);
        }
        shared.sort_by(|one, other| one.name.cmp(&other.name));
        let shared: Vec<Value> = shared.iter().map(|one| one.to_json(self.form)).collect();
        item.insert("parameters".to_owned(), shared.into());
        Value::Object(item)
    }

    /// The description. Source: `builder.descriptionFor`.
    fn description(&self, subresource: &str, verb: &str) -> String {
        let kind = &self.definition.kind;
        let of = if subresource.is_empty() {
            String::new()
        } else {
            format!(" {subresource} of")
        };
        match verb {
            "list" => format!("list objects of kind {kind}"),
            "patch" => format!("partially update{of} the specified {kind}"),
            "deletecollection" => format!("delete collection of {kind}"),
            "read" | "replace" => format!("{verb}{of} the specified {kind}"),
            _ => format!("{verb}{}{kind}", article(kind)),
        }
    }

    fn group_parts(&self) -> (String, String) {
        let group = self.definition.group.as_str();
        let group = group.strip_suffix(".k8s.io").unwrap_or(group);
        let version = &self.version.name;
        let tag = format!(
            "{}_{}",
            identifier(group, false),
            identifier(version, false)
        );
        let prefix = identifier(group, true) + &identifier(version, true);
        (prefix, tag)
    }

    fn operation(
        &self,
        subresource: &str,
        (_, action, verb): Action,
        all: bool,
        parameters: &[Parameter],
    ) -> Value {
        let kind = &self.definition.kind;
        let (prefix, tag) = self.group_parts();
        let (start, rest) = if verb == "deletecollection" {
            ("delete", "Collection")
        } else {
            (verb, "")
        };
        let namespaced = if self.definition.namespaced && !all {
            "Namespaced"
        } else {
            ""
        };
        let end = if all { "ForAllNamespaces" } else { "" };
        let sub = identifier(subresource, true);
        let id = format!("{start}{prefix}{rest}{namespaced}{kind}{sub}{end}");
        let mut operation = Map::from_iter([
            (
                "description".to_owned(),
                self.description(subresource, verb).into(),
            ),
            ("operationId".to_owned(), id.into()),
            ("tags".to_owned(), json!([tag])),
            ("responses".to_owned(), self.responses(subresource, action)),
            ("x-kubernetes-action".to_owned(), action.into()),
            (
                "x-kubernetes-group-version-kind".to_owned(),
                json!({"group": self.definition.group, "version": self.version.name, "kind": kind}),
            ),
        ]);
        let mut written: Vec<Value> = parameters
            .iter()
            .map(|one| one.to_json(self.form))
            .collect();
        let consumes: &[&str] = if action == "patch" {
            &PATCH_TYPES
        } else {
            &MEDIA_TYPES
        };
        let body = self.body(subresource, action);
        if self.form == OpenApi::V2 {
            operation.insert("consumes".to_owned(), consumes.into());
            operation.insert("produces".to_owned(), MEDIA_TYPES.into());
            operation.insert("schemes".to_owned(), json!(["https"]));
            if let Some((model, required)) = body {
                let mut body =
                    json!({"name": "body", "in": "body", "schema": self.reference(&model)});
                if required {
                    body["required"] = true.into();
                }
                written.insert(0, body);
            }
        } else if let Some((model, required)) = body {
            let mut body = json!({"content": self.content(consumes, &model)});
            if required {
                body["required"] = true.into();
            }
            operation.insert("requestBody".to_owned(), body);
        }
        if !written.is_empty() {
            operation.insert("parameters".to_owned(), written.into());
        }
        Value::Object(operation)
    }

    /// The model of what is answered or, but for patches and deletions, sent.
    fn model(&self, subresource: &str, action: &str) -> String {
        let kind = match (subresource, action) {
            (_, "delete" | "deletecollection") => return format!("{META}Status"),
            ("scale", _) => return SCALE.to_owned(),
            (_, "list") => &self.definition.list_kind,
            _ => &self.definition.kind,
        };
        model_name(&self.definition.group, &self.version.name, kind)
    }

    /// The model of what is sent, and whether it must be.
    fn body(&self, subresource: &str, action: &str) -> Option<(String, bool)> {
        match action {
            "post" | "put" => Some((self.model(subresource, action), true)),
            "patch" => Some((format!("{META}Patch"), true)),
            "delete" => Some((format!("{META}DeleteOptions"), false)),
            _ => None,
        }
    }

    fn responses(&self, subresource: &str, action: &str) -> Value {
        let codes: &[(&str, &str)] = match action {
            "post" => &[("200", "OK"), ("201", "Created"), ("202", "Accepted")],
            "put" => &[("200", "OK"), ("201", "Created")],
            "delete" => &[("200", "OK"), ("202", "Accepted")],
            _ => &[("200", "OK")],
        };
        let model = self.model(subresource, action);
        let mut responses = Map::new();
        for (code, description) in codes {
            let response = if self.form == OpenApi::V2 {
                json!({"description": description, "schema": self.reference(&model)})
            } else {
                json!({"description": description, "content": self.content(&MEDIA_TYPES, &model)})
            };
            responses.insert((*code).to_owned(), response);
        }
        responses.insert("401".to_owned(), json!({"description": "Unauthorized"}));
        Value::Object(responses)
    }

    fn reference(&self, model: &str) -> Value {
        json!({"$ref": format!("{}{model}", self.form.prefix())})
    }

    fn content(&self, media_types: &[&str], model: &str) -> Value {
        media_types
            .iter()
            .map(|name| ((*name).to_owned(), json!({"schema": self.reference(model)})))
            .collect::<Map<_, _>>()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widgets(scope: &str) -> Compiled {
        crate::compile(&json!({"spec": {
            "group": "example.test",
            "scope": scope,
            "names": {"plural": "widgets", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}},
                "subresources": {"status": {}},
            }],
        }}))
        .expect("the schema can be read")
    }

    #[test]
    fn operations_are_named_after_group_and_kind() {
        let compiled = widgets("Namespaced");
        let paths = paths(&compiled, &compiled.versions["v1"], OpenApi::V3);
        let names: Vec<&str> = paths
            .values()
            .flat_map(|item| item.as_object().into_iter().flat_map(Map::values))
            .filter_map(|operation| operation.get("operationId")?.as_str())
            .collect();
        for expected in [
            "listExampleTestV1WidgetForAllNamespaces",
            "deleteExampleTestV1CollectionNamespacedWidget",
            "createExampleTestV1NamespacedWidget",
            "patchExampleTestV1NamespacedWidgetStatus",
        ] {
            assert!(names.contains(&expected), "{expected} is not in {names:?}");
        }
        assert_eq!(names.len(), 11);
    }

    #[test]
    fn patches_take_the_validation_of_fields() {
        let compiled = widgets("Cluster");
        let paths = paths(&compiled, &compiled.versions["v1"], OpenApi::V3);
        let patch = &paths["/apis/example.test/v1/widgets/{name}"]["patch"];
        let parameters = patch["parameters"].as_array().expect("it has parameters");
        assert!(
            parameters
                .iter()
                .any(|one| one["name"] == "fieldValidation")
        );
        assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Widget");
        assert!(
            patch["requestBody"]["content"]
                .get("application/strategic-merge-patch+json")
                .is_none()
        );
    }

    #[test]
    fn version_2_gives_bodies_as_parameters() {
        let compiled = widgets("Cluster");
        let paths = paths(&compiled, &compiled.versions["v1"], OpenApi::V2);
        let create = &paths["/apis/example.test/v1/widgets"]["post"];
        assert_eq!(create["description"], "create a Widget");
        assert_eq!(
            create["parameters"][0]["schema"]["$ref"],
            "#/definitions/test.example.v1.Widget"
        );
    }
}
