//! The types of a Kustomization's fields, so that a wrong one is told of as Go's decoder tells it.

use serde_json::Value;

#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A text; numbers and booleans are turned into one. The Go type is named where it is not `string`.
    Text(&'static str),
    Bool,
    Duration,
    List(&'static Shape, &'static str),
    Map(&'static str),
    Struct(&'static str, &'static str, &'static [(&'static str, Shape)]),
}

use Shape::{Bool, Duration, List, Map, Struct, Text};

const STRING: Shape = Text("string");
const STRINGS: Shape = List(&STRING, "[]string");
const STRING_MAP: Shape = Map("map[string]string");

const SELECTOR: Shape = Struct(
    "Selector",
    "kustomize.Selector",
    &[
        ("group", STRING),
        ("version", STRING),
        ("kind", STRING),
        ("namespace", STRING),
        ("name", STRING),
        ("annotationSelector", STRING),
        ("labelSelector", STRING),
    ],
);
const PATCH: Shape = Struct(
    "Patch",
    "kustomize.Patch",
    &[("patch", STRING), ("target", SELECTOR)],
);
const IMAGE: Shape = Struct(
    "Image",
    "kustomize.Image",
    &[
        ("name", STRING),
        ("newName", STRING),
        ("newTag", STRING),
        ("digest", STRING),
    ],
);
const LOCAL_REFERENCE: Shape = Struct(
    "LocalObjectReference",
    "meta.LocalObjectReference",
    &[("name", STRING)],
);
const DEPENDENCY: Shape = Struct(
    "DependencyReference",
    "v1.DependencyReference",
    &[
        ("name", STRING),
        ("namespace", STRING),
        ("readyExpr", STRING),
    ],
);
const HEALTH_CHECK: Shape = Struct(
    "NamespacedObjectKindReference",
    "meta.NamespacedObjectKindReference",
    &[
        ("apiVersion", STRING),
        ("kind", STRING),
        ("name", STRING),
        ("namespace", STRING),
    ],
);
const SUBSTITUTE_REFERENCE: Shape = Struct(
    "SubstituteReference",
    "v1.SubstituteReference",
    &[("kind", STRING), ("name", STRING), ("optional", Bool)],
);
const POST_BUILD: Shape = Struct(
    "PostBuild",
    "v1.PostBuild",
    &[
        ("substituteStrategy", Text("v1.SubstituteStrategy")),
        ("substitute", STRING_MAP),
        (
            "substituteFrom",
            List(&SUBSTITUTE_REFERENCE, "[]v1.SubstituteReference"),
        ),
    ],
);
const SPEC: &[(&str, Shape)] = &[
    (
        "commonMetadata",
        Struct(
            "CommonMetadata",
            "v1.CommonMetadata",
            &[("annotations", STRING_MAP), ("labels", STRING_MAP)],
        ),
    ),
    ("dependsOn", List(&DEPENDENCY, "[]v1.DependencyReference")),
    (
        "decryption",
        Struct(
            "Decryption",
            "v1.Decryption",
            &[
                ("provider", STRING),
                ("serviceAccountName", STRING),
                ("secretRef", LOCAL_REFERENCE),
            ],
        ),
    ),
    ("interval", Duration),
    ("retryInterval", Duration),
    ("path", STRING),
    ("postBuild", POST_BUILD),
    ("prune", Bool),
    ("deletionPolicy", STRING),
    (
        "healthChecks",
        List(&HEALTH_CHECK, "[]meta.NamespacedObjectKindReference"),
    ),
    ("namePrefix", STRING),
    ("nameSuffix", STRING),
    ("patches", List(&PATCH, "[]kustomize.Patch")),
    ("images", List(&IMAGE, "[]kustomize.Image")),
    ("serviceAccountName", STRING),
    (
        "sourceRef",
        Struct(
            "CrossNamespaceSourceReference",
            "v1.CrossNamespaceSourceReference",
            &[
                ("apiVersion", STRING),
                ("kind", STRING),
                ("name", STRING),
                ("namespace", STRING),
            ],
        ),
    ),
    ("suspend", Bool),
    ("targetNamespace", STRING),
    ("timeout", Duration),
    ("force", Bool),
    ("wait", Bool),
    (
        "buildMetadata",
        List(&Text("v1.BuildMetadataOption"), "[]v1.BuildMetadataOption"),
    ),
    ("components", STRINGS),
    ("ignoreMissingComponents", Bool),
];
const METADATA: Shape = Struct(
    "ObjectMeta",
    "v1.ObjectMeta",
    &[
        ("name", STRING),
        ("namespace", STRING),
        ("labels", STRING_MAP),
        ("annotations", STRING_MAP),
    ],
);
const KUSTOMIZATION: Shape = Struct(
    "Kustomization",
    "v1.Kustomization",
    &[
        ("apiVersion", STRING),
        ("kind", STRING),
        ("metadata", METADATA),
        (
            "spec",
            Struct("KustomizationSpec", "v1.KustomizationSpec", SPEC),
        ),
    ],
);

/// Checks the fields, and turns numbers into texts where texts are wanted (sigs.k8s.io/yaml does so).
///
/// # Errors
/// The first mismatch, in encoding/json's words.
pub(super) fn check(object: &mut Value) -> Result<(), String> {
    walk(object, KUSTOMIZATION, "", "")
}

fn walk(value: &mut Value, shape: Shape, structure: &str, path: &str) -> Result<(), String> {
    let mismatch = |value: &Value, go_type: &str| Err(mismatch(value, go_type, structure, path));
    match (shape, &mut *value) {
        (_, Value::Null) | (Text(_), Value::String(_)) | (Bool, Value::Bool(_)) => Ok(()),
        (Text(_), Value::Number(_) | Value::Bool(_)) => {
            *value = Value::String(value.to_string());
            Ok(())
        }
        (Duration, Value::String(text)) => check_duration(text),
        (Duration, other) => Err(format!(
            "json: cannot unmarshal {} into Go value of type string",
            kind(other)
        )),
        (Map(_), Value::Object(map)) => map
            .iter_mut()
            .try_for_each(|(_, value)| walk(value, STRING, structure, path)),
        (List(item, _), Value::Array(items)) => items
            .iter_mut()
            .try_for_each(|value| walk(value, *item, structure, path)),
        (Struct(name, _, fields), Value::Object(map)) => {
            for (key, value) in map.iter_mut() {
                let field = fields.iter().find(|(field, _)| field == key).or_else(|| {
                    fields
                        .iter()
                        .find(|(field, _)| field.eq_ignore_ascii_case(key))
                });
                if let Some((field, shape)) = field {
                    let path = if path.is_empty() {
                        (*field).to_owned()
                    } else {
                        format!("{path}.{field}")
                    };
                    walk(value, *shape, name, &path)?;
                }
            }
            Ok(())
        }
        (Bool, other) => mismatch(other, "bool"),
        (Text(go_type) | Map(go_type) | List(_, go_type) | Struct(_, go_type, _), other) => {
            mismatch(other, go_type)
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn mismatch(value: &Value, go_type: &str, structure: &str, path: &str) -> String {
    let found = kind(value);
    if structure.is_empty() {
        format!("json: cannot unmarshal {found} into Go value of type {go_type}")
    } else {
        format!(
            "json: cannot unmarshal {found} into Go struct field {structure}.{path} of type {go_type}"
        )
    }
}

fn check_duration(text: &str) -> Result<(), String> {
    let parsed = object::time::duration::Duration::parse(text);
    parsed.map(drop).map_err(|error| error.to_string())
}
