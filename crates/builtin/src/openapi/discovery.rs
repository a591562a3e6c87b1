//! The schemas of what discovery answers, which the facts do not know because no resource is of these
//! types. Source: apimachinery `pkg/apis/meta/v1/types.go`, `pkg/version/types.go`.

use object::{Map, Value};
use serde_json::json;

use super::Form;
use crate::prose::prose;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const INFO: &str = "io.k8s.apimachinery.pkg.version.Info";

/// What a field holds.
#[derive(Clone, Copy)]
enum Holds {
    Text,
    Flag,
    /// A list of texts.
    Texts,
    /// A list of texts that is not declared to be atomic.
    Verbs,
    /// Another of these types.
    One(&'static str),
    /// A list of another of these types.
    Many(&'static str),
}

struct Shape {
    name: &'static str,
    required: &'static [&'static str],
    fields: &'static [(&'static str, Holds)],
    /// Whether it is a kind of its own.
    is_kind: bool,
}

use Holds::{Flag, Many, One, Text, Texts, Verbs};

const SHAPES: [Shape; 8] = [
    Shape {
        name: "APIGroup",
        required: &["name", "versions"],
        fields: &[
            ("name", Text),
            ("preferredVersion", One("GroupVersionForDiscovery")),
            (
                "serverAddressByClientCIDRs",
                Many("ServerAddressByClientCIDR"),
            ),
            ("versions", Many("GroupVersionForDiscovery")),
        ],
        is_kind: true,
    },
    Shape {
        name: "APIGroupList",
        required: &["groups"],
        fields: &[("groups", Many("APIGroup"))],
        is_kind: true,
    },
    Shape {
        name: "APIResource",
        required: &["name", "singularName", "namespaced", "kind", "verbs"],
        fields: &[
            ("categories", Texts),
            ("group", Text),
            ("kind", Text),
            ("name", Text),
            ("namespaced", Flag),
            ("shortNames", Texts),
            ("singularName", Text),
            ("storageVersionHash", Text),
            ("verbs", Verbs),
            ("version", Text),
        ],
        is_kind: false,
    },
    Shape {
        name: "APIResourceList",
        required: &["groupVersion", "resources"],
        fields: &[("groupVersion", Text), ("resources", Many("APIResource"))],
        is_kind: true,
    },
    Shape {
        name: "APIVersions",
        required: &["versions", "serverAddressByClientCIDRs"],
        fields: &[
            (
                "serverAddressByClientCIDRs",
                Many("ServerAddressByClientCIDR"),
            ),
            ("versions", Texts),
        ],
        is_kind: true,
    },
    Shape {
        name: "GroupVersionForDiscovery",
        required: &["groupVersion", "version"],
        fields: &[("groupVersion", Text), ("version", Text)],
        is_kind: false,
    },
    Shape {
        name: "ServerAddressByClientCIDR",
        required: &["clientCIDR", "serverAddress"],
        fields: &[("clientCIDR", Text), ("serverAddress", Text)],
        is_kind: false,
    },
    Shape {
        name: INFO,
        required: &[
            "major",
            "minor",
            "gitVersion",
            "gitCommit",
            "gitTreeState",
            "buildDate",
            "goVersion",
            "compiler",
            "platform",
        ],
        fields: &[
            ("buildDate", Text),
            ("compiler", Text),
            ("emulationMajor", Text),
            ("emulationMinor", Text),
            ("gitCommit", Text),
            ("gitTreeState", Text),
            ("gitVersion", Text),
            ("goVersion", Text),
            ("major", Text),
            ("minCompatibilityMajor", Text),
            ("minCompatibilityMinor", Text),
            ("minor", Text),
            ("platform", Text),
        ],
        is_kind: false,
    },
];

/// The groups and versions that the server's code knows, served or not: options and the events of
/// watches are kinds of each.
const KNOWN: [(&str, &str); 26] = [
    ("", "v1"),
    ("admission.k8s.io", "v1 v1beta1"),
    ("admissionregistration.k8s.io", "v1 v1alpha1 v1beta1"),
    ("apiextensions.k8s.io", "v1 v1beta1"),
    ("apiregistration.k8s.io", "v1 v1beta1"),
    ("apps", "v1 v1beta1 v1beta2"),
    ("authentication.k8s.io", "v1 v1alpha1 v1beta1"),
    ("authorization.k8s.io", "v1 v1beta1"),
    ("autoscaling", "v1 v2 v2beta1 v2beta2"),
    ("batch", "v1 v1beta1"),
    ("certificates.k8s.io", "v1 v1alpha1 v1beta1"),
    ("coordination.k8s.io", "v1 v1alpha2 v1beta1"),
    ("discovery.k8s.io", "v1 v1beta1"),
    ("events.k8s.io", "v1 v1beta1"),
    ("extensions", "v1beta1"),
    ("flowcontrol.apiserver.k8s.io", "v1 v1beta1 v1beta2 v1beta3"),
    ("imagepolicy.k8s.io", "v1alpha1"),
    ("internal.apiserver.k8s.io", "v1alpha1"),
    ("networking.k8s.io", "v1 v1beta1"),
    ("node.k8s.io", "v1 v1alpha1 v1beta1"),
    ("policy", "v1 v1beta1"),
    ("rbac.authorization.k8s.io", "v1 v1alpha1 v1beta1"),
    ("resource.k8s.io", "v1 v1alpha3 v1beta1 v1beta2"),
    ("scheduling.k8s.io", "v1 v1alpha1 v1beta1"),
    ("storage.k8s.io", "v1 v1alpha1 v1beta1"),
    ("storagemigration.k8s.io", "v1beta1"),
];

/// The kinds of a type that is one in every group.
pub(super) fn kinds_everywhere(name: &str) -> Option<Value> {
    let kind = name.strip_prefix(META)?;
    if !matches!(kind, "DeleteOptions" | "WatchEvent") {
        return None;
    }
    let kinds = KNOWN.iter().flat_map(|(group, versions)| {
        versions
            .split(' ')
            .map(move |version| json!({"group": group, "kind": kind, "version": version}))
    });
    Some(kinds.collect())
}

/// The schema of the type of that name.
pub(super) fn of_type(name: &str, form: Form) -> Option<Value> {
    let short = name.strip_prefix(META).unwrap_or(name);
    if short == "Patch" {
        let text = prose().of_type(name).unwrap_or_default();
        return Some(json!({"type": "object", "description": text}));
    }
    let shape = SHAPES.iter().find(|shape| shape.name == short)?;
    let mut properties = Map::new();
    if shape.is_kind {
        for field in ["apiVersion", "kind"] {
            properties.insert(
                field.to_owned(),
                described(name, field, json!({"type": "string"})),
            );
        }
    }
    for (field, holds) in shape.fields {
        let is_required = shape.required.contains(field);
        let schema = described(name, field, holds.schema(is_required, form));
        properties.insert((*field).to_owned(), schema);
    }
    let mut schema = json!({
        "type": "object",
        "required": shape.required,
        "properties": properties,
    });
    if let Some(text) = prose().of_type(name) {
        schema["description"] = Value::from(text);
    }
    if shape.is_kind {
        schema["x-kubernetes-group-version-kind"] =
            json!([{"group": "", "kind": shape.name, "version": "v1"}]);
    }
    Some(schema)
}

fn described(type_name: &str, field: &str, mut schema: Value) -> Value {
    if let Some(text) = prose().of_field(type_name, field) {
        schema["description"] = Value::from(text);
    }
    schema
}

impl Holds {
    fn schema(self, is_required: bool, form: Form) -> Value {
        let mut schema = match self {
            Text => json!({"type": "string"}),
            Flag => json!({"type": "boolean"}),
            Texts | Verbs => {
                let mut items = json!({"type": "string"});
                if form == Form::V3 {
                    items["default"] = json!("");
                }
                json!({"type": "array", "items": items})
            }
            One(name) => reference(name, form),
            Many(name) => json!({"type": "array", "items": reference(name, form)}),
        };
        if matches!(self, Texts | Many(_)) {
            schema["x-kubernetes-list-type"] = json!("atomic");
        }
        if form == Form::V3 && is_required {
            match self {
                Text => schema["default"] = json!(""),
                Flag => schema["default"] = json!(false),
                _ => {}
            }
        }
        schema
    }
}

/// A reference to another of these types, which defaults to an empty one.
fn reference(name: &str, form: Form) -> Value {
    let reference = json!({"$ref": format!("{}{META}{name}", form.prefix())});
    match form {
        Form::V2 => reference,
        Form::V3 => json!({"default": {}, "allOf": [reference]}),
    }
}
