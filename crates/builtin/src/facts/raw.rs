//! Reading the generated file.

use std::collections::HashMap;

use object::{GroupVersionKind, GroupVersionResource, Value};
use serde::Deserialize;

use super::{Column, Description, Facts, Field, FieldType, Group, Resource, Type, TypeId};

#[derive(Deserialize)]
struct File {
    version: Value,
    groups: Vec<RawGroup>,
    resources: Vec<RawResource>,
    types: Vec<RawType>,
    columns: Vec<RawColumns>,
}

#[derive(Deserialize)]
struct RawGroup {
    group: String,
    versions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct RawResource {
    group: String,
    version: String,
    resource: String,
    kind: String,
    kind_group: Option<String>,
    kind_version: Option<String>,
    r#type: Option<String>,
    singular: String,
    namespaced: bool,
    verbs: Vec<String>,
    short_names: Vec<String>,
    categories: Vec<String>,
    storage_version_hash: String,
    subresources: Vec<RawResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawType {
    name: String,
    go: String,
    #[serde(default)]
    custom: bool,
    #[serde(default)]
    gvk: Vec<(String, String, String)>,
    map_type: Option<String>,
    fields: Vec<RawField>,
}

/// The keys are short because there are thousands of them.
#[derive(Deserialize)]
struct RawField {
    #[serde(default)]
    n: String,
    t: String,
    g: Option<String>,
    #[serde(default)]
    p: bool,
    #[serde(default)]
    o: bool,
    #[serde(default)]
    z: bool,
    #[serde(default)]
    i: bool,
    #[serde(default)]
    b: u32,
    #[serde(default)]
    r: bool,
    f: Option<String>,
    lt: Option<String>,
    #[serde(default)]
    lk: Vec<String>,
    mt: Option<String>,
    ps: Option<String>,
    pk: Option<String>,
    #[serde(default)]
    e: Vec<Value>,
    #[serde(default)]
    ei: Vec<Value>,
    d: Option<Value>,
    di: Option<Value>,
}

#[derive(Deserialize)]
struct RawColumns {
    group: String,
    version: String,
    resource: String,
    columns: Vec<(String, String, String, i64, RawDescription)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawDescription {
    Text(String),
    Field { doc: String },
}

/// Reads the embedded file.
pub(super) fn load() -> Facts {
    let file: File = serde_json::from_str(include_str!("../../data/kubernetes.json"))
        .expect("the embedded file is generated, and read by a test");
    let type_index: HashMap<String, TypeId> = file
        .types
        .iter()
        .enumerate()
        .map(|(index, raw)| (raw.name.clone(), TypeId(index as u32)))
        .collect();
    let types = resolve_types(file.types, &type_index);
    let mut kind_index = HashMap::new();
    for (index, described) in types.iter().enumerate() {
        for kind in &described.kinds {
            kind_index.insert(kind.clone(), TypeId(index as u32));
        }
    }
    // Kinds that no resource is of. Options are sent as of the core group.
    for (group, kind) in [
        ("", "DeleteOptions"),
        ("meta.k8s.io", "PartialObjectMetadata"),
        ("meta.k8s.io", "PartialObjectMetadataList"),
    ] {
        if let Some(id) = type_index.get(&format!("io.k8s.apimachinery.pkg.apis.meta.v1.{kind}")) {
            kind_index.insert(GroupVersionKind::new(group, "v1", kind), *id);
        }
    }
    let mut columns: HashMap<GroupVersionResource, Vec<Column>> =
        file.columns.into_iter().map(columns_of).collect();
    let mut resources: Vec<Resource> = file
        .resources
        .into_iter()
        .map(|raw| resource(raw, &type_index))
        .collect();
    for resource in &mut resources {
        resource.columns = columns.remove(&resource.gvr).unwrap_or_default();
    }
    let resource_index = resources
        .iter()
        .enumerate()
        .map(|(index, resource)| (resource.gvr.clone(), index))
        .collect();
    let groups = file
        .groups
        .into_iter()
        .map(|raw| Group {
            name: raw.group,
            versions: raw.versions,
        })
        .collect();
    Facts {
        version: file.version,
        groups,
        resources,
        resource_index,
        types,
        type_index,
        kind_index,
    }
}

fn columns_of(raw: RawColumns) -> (GroupVersionResource, Vec<Column>) {
    let columns = raw
        .columns
        .into_iter()
        .map(|(name, column_type, format, priority, description)| {
            let description = match description {
                RawDescription::Text(text) => Description::Text(text),
                RawDescription::Field { doc } => {
                    let (name, field) = doc.split_once('#').unwrap_or((&doc, ""));
                    Description::Field(name.to_owned(), field.to_owned())
                }
            };
            Column {
                name,
                column_type,
                format,
                priority,
                description,
            }
        })
        .collect();
    (
        GroupVersionResource::new(raw.group, raw.version, raw.resource),
        columns,
    )
}

fn resource(raw: RawResource, types: &HashMap<String, TypeId>) -> Resource {
    let kind_group = raw.kind_group.unwrap_or_else(|| raw.group.clone());
    let kind_version = raw.kind_version.unwrap_or_else(|| raw.version.clone());
    Resource {
        gvk: GroupVersionKind::new(kind_group, kind_version, raw.kind),
        gvr: GroupVersionResource::new(raw.group, raw.version, raw.resource),
        type_id: raw.r#type.and_then(|name| types.get(&name).copied()),
        singular: raw.singular,
        namespaced: raw.namespaced,
        verbs: raw.verbs,
        short_names: raw.short_names,
        categories: raw.categories,
        storage_version_hash: raw.storage_version_hash,
        subresources: raw
            .subresources
            .into_iter()
            .map(|raw| resource(raw, types))
            .collect(),
        columns: Vec::new(),
    }
}

fn resolve_types(raw: Vec<RawType>, index: &HashMap<String, TypeId>) -> Vec<Type> {
    let mut types: Vec<Type> = raw
        .into_iter()
        .map(|raw| Type {
            name: raw.name,
            go_name: raw.go,
            kinds: raw
                .gvk
                .into_iter()
                .map(|(g, v, k)| GroupVersionKind::new(g, v, k))
                .collect(),
            custom: raw.custom,
            map_type: raw.map_type,
            declared: raw
                .fields
                .into_iter()
                .map(|raw| field(raw, index))
                .collect(),
            fields: Vec::new(),
            index: HashMap::new(),
        })
        .collect();
    for position in 0..types.len() {
        let mut fields = Vec::new();
        flatten(&types, position, &mut fields);
        let names = fields
            .iter()
            .enumerate()
            .map(|(index, field): (usize, &Field)| (field.name.clone(), index));
        types[position].index = names.collect();
        types[position].fields = fields;
    }
    types
}

fn flatten(types: &[Type], position: usize, out: &mut Vec<Field>) {
    for field in &types[position].declared {
        match &field.field_type {
            FieldType::Struct(id) if field.inline => flatten(types, id.0 as usize, out),
            _ => out.push(field.clone()),
        }
    }
}

fn field(raw: RawField, types: &HashMap<String, TypeId>) -> Field {
    Field {
        field_type: field_type(&raw.t, types),
        name: raw.n,
        go_type: raw.g,
        pointer: raw.p,
        omit_empty: raw.o,
        omit_zero: raw.z,
        inline: raw.i,
        proto: raw.b,
        required: raw.r,
        format: raw.f,
        list_type: raw.lt,
        list_map_keys: raw.lk,
        map_type: raw.mt,
        patch_strategy: raw.ps,
        patch_merge_key: raw.pk,
        enumeration: raw.e,
        item_enumeration: raw.ei,
        default: raw.d,
        item_default: raw.di,
    }
}

fn field_type(text: &str, types: &HashMap<String, TypeId>) -> FieldType {
    const INTEGERS: [&str; 7] = ["int32", "int64", "int", "uint16", "uint32", "uint8", "uint"];
    if let Some(element) = text.strip_prefix("[]") {
        return FieldType::List(Box::new(field_type(element, types)));
    }
    if let Some(element) = text.strip_prefix("map[string]") {
        return FieldType::Map(Box::new(field_type(element, types)));
    }
    match text {
        "string" => FieldType::String,
        "bool" => FieldType::Bool,
        "float64" => FieldType::Float,
        "bytes" => FieldType::Bytes,
        _ => match INTEGERS.iter().find(|name| **name == text) {
            Some(name) => FieldType::Int(name),
            None => types
                .get(text)
                .map_or(FieldType::Any, |id| FieldType::Struct(*id)),
        },
    }
}
