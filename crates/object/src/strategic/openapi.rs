//! Types from OpenAPI documents, versions 2 and 3.

use std::collections::HashMap;

use serde_json::Value;

use super::schema::{PatchField, PatchSchema};
use crate::GroupVersionKind;

/// The types of an OpenAPI document, with what patches have to know about them
/// (`x-kubernetes-patch-strategy`, `x-kubernetes-patch-merge-key`).
///
/// A definition counts as the Go type it was generated from: the last part of its name, a `struct`
/// unless it says otherwise. Made once, it is shared by all patches.
#[derive(Debug, Clone, Default)]
pub struct PatchTypes {
    types: Vec<Type>,
    names: HashMap<Box<str>, usize>,
    kinds: HashMap<GroupVersionKind, usize>,
}

#[derive(Debug, Clone)]
struct Type {
    kind: &'static str,
    name: Box<str>,
    fields: HashMap<Box<str>, Field>,
    element: Option<usize>,
}

#[derive(Debug, Clone)]
struct Field {
    strategies: Box<str>,
    merge_key: Box<str>,
    type_index: usize,
}

/// A type of [`PatchTypes`].
#[derive(Debug, Clone, Copy)]
pub struct TypeRef<'a> {
    types: &'a PatchTypes,
    index: usize,
}

impl PatchTypes {
    /// Reads the definitions of a document (`definitions`, or `components.schemas`).
    pub fn from_openapi(document: &Value) -> Self {
        let definitions = document
            .get("definitions")
            .or_else(|| document.get("components")?.get("schemas"))
            .and_then(Value::as_object);
        let mut types = Self::default();
        for (index, name) in definitions
            .into_iter()
            .flat_map(|map| map.keys())
            .enumerate()
        {
            types.names.insert(name.as_str().into(), index);
            types.types.push(Type::new("struct", go_name(name)));
        }
        let schemas = definitions.into_iter().flat_map(|map| map.values());
        for (index, schema) in schemas.enumerate() {
            types.define(index, schema);
            let kinds = schema
                .get("x-kubernetes-group-version-kind")
                .and_then(Value::as_array);
            for kind in kinds.into_iter().flatten() {
                let text = |key: &str| kind.get(key).and_then(Value::as_str).unwrap_or_default();
                let kind = GroupVersionKind::new(text("group"), text("version"), text("kind"));
                types.kinds.entry(kind).or_insert(index);
            }
        }
        types
    }

    /// The type of a definition, such as `io.k8s.api.apps.v1.Deployment`.
    pub fn definition(&self, name: &str) -> Option<TypeRef<'_>> {
        self.names.get(name).map(|index| self.at(*index))
    }

    /// The type of a kind.
    pub fn kind(&self, kind: &GroupVersionKind) -> Option<TypeRef<'_>> {
        self.kinds.get(kind).map(|index| self.at(*index))
    }

    fn at(&self, index: usize) -> TypeRef<'_> {
        TypeRef { types: self, index }
    }

    /// Fills in a definition, whose place is there already.
    fn define(&mut self, index: usize, schema: &Value) {
        let mut defined = self.describe(schema);
        // A definition that is a text, a number or an alias is a Go struct that marshals so.
        if !matches!(defined.kind, "map" | "slice") {
            defined.kind = "struct";
        }
        defined.name = std::mem::take(&mut self.types[index].name);
        self.types[index] = defined;
    }

    /// The place of a schema's type, which is made if it is no definition.
    fn place(&mut self, schema: &Value) -> usize {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            if let Some(index) = self.names.get(name) {
                return *index;
            }
        }
        if let Some(first) = schema.get("allOf").and_then(|all| all.get(0)) {
            return self.place(first);
        }
        let described = self.describe(schema);
        self.types.push(described);
        self.types.len() - 1
    }

    fn describe(&mut self, schema: &Value) -> Type {
        let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        let properties = schema.get("properties").and_then(Value::as_object);
        let kind = match (text("type"), text("format")) {
            ("array", _) => "slice",
            ("", _) if schema.get("items").is_some() => "slice",
            ("string", "int-or-string") => "struct",
            ("string", _) => "string",
            ("boolean", _) => "bool",
            ("integer", "int64") => "int64",
            ("integer", "int32") => "int32",
            ("integer", _) => "int",
            ("number", "float") => "float32",
            ("number", _) => "float64",
            _ if properties.is_none() && schema.get("additionalProperties").is_some() => "map",
            _ => "struct",
        };
        let mut described = Type::new(kind, String::new());
        if kind == "slice" {
            let items = schema.get("items").unwrap_or(&Value::Null);
            described.element = Some(self.place(items));
        }
        for (name, property) in properties.into_iter().flatten() {
            let extension = |key| {
                property
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let field = Field {
                strategies: extension("x-kubernetes-patch-strategy").into(),
                merge_key: extension("x-kubernetes-patch-merge-key").into(),
                type_index: self.place(property),
            };
            described.fields.insert(name.as_str().into(), field);
        }
        described
    }
}

impl Type {
    fn new(kind: &'static str, name: String) -> Self {
        Self {
            kind,
            name: name.into(),
            fields: HashMap::new(),
            element: None,
        }
    }
}

/// The Go type behind a definition: the last part of its name, which begins with a capital.
fn go_name(definition: &str) -> String {
    let name = definition.rsplit('.').next().unwrap_or_default();
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

impl PatchSchema for TypeRef<'_> {
    fn kind(&self) -> &'static str {
        self.types.types[self.index].kind
    }

    fn type_name(&self) -> &str {
        &self.types.types[self.index].name
    }

    fn field(&self, name: &str) -> Option<PatchField<'_, Self>> {
        let fields = &self.types.types[self.index].fields;
        let field = fields.get(name).or_else(|| {
            // As Go's decoder, and so the lookup of patches, falls back to other capitals.
            let mut found: Vec<_> = fields.iter().filter(|(key, _)| folds(key, name)).collect();
            found.sort_unstable_by_key(|(key, _)| *key);
            found.first().map(|(_, field)| *field)
        })?;
        Some(PatchField {
            strategies: &field.strategies,
            merge_key: &field.merge_key,
            schema: self.types.at(field.type_index),
        })
    }

    fn element(&self) -> Option<Self> {
        let element = self.types.types[self.index].element?;
        Some(self.types.at(element))
    }
}

/// Equal but for the case of letters; a long s and the Kelvin sign count as letters too.
fn folds(left: &str, right: &str) -> bool {
    let fold = |c: char| match c {
        'ſ' => 's',
        'K' => 'k',
        c => c.to_ascii_lowercase(),
    };
    left.chars().map(fold).eq(right.chars().map(fold))
}
