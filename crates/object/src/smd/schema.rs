//! Types: what is atomic, which lists have keys, which fields there are.
//!
//! A [`Schema`] is built once, by [`Schema::from_openapi`], [`Schema::of_custom_resource`] or
//! [`Schema::parse`], and then shared. Its types refer to each other by index, so that walking an
//! object along its type looks up nothing but the names of fields.
//!
//! Source: structured-merge-diff `schema/elements.go`.

mod builder;
mod custom_resource;
mod openapi;
mod parse;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

pub use custom_resource::CustomResource;
pub use openapi::type_names;

/// The name of the type whose containers are all atomic.
pub(crate) const UNTYPED_ATOMIC: &str = "__untyped_atomic_";
/// The name of the type that is deduced from the value: maps are granular, lists atomic.
pub(crate) const UNTYPED_DEDUCED: &str = "__untyped_deduced_";

/// A schema that cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct SchemaError(pub Vec<String>);

/// The index of a type in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeId(u32);

/// All types that belong together.
#[derive(Debug)]
pub struct Schema {
    types: Vec<TypeDef>,
    names: HashMap<Arc<str>, TypeId>,
}

/// A type, named or inlined.
#[derive(Debug, Clone)]
struct TypeDef {
    /// Its name; for a reference that overrides the relationship, the name of what it refers to.
    name: Option<Arc<str>>,
    /// `None` if a reference leads nowhere.
    atom: Option<Atom>,
}

/// What a value may be: each part that is set is one possibility.
#[derive(Debug, Clone, Default)]
pub struct Atom {
    /// A number, text or boolean.
    pub scalar: Option<Scalar>,
    /// A list.
    pub list: Option<List>,
    /// A map or struct.
    pub map: Option<Map>,
}

/// The kinds of scalars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A number.
    Numeric,
    /// A text.
    String,
    /// True or false.
    Boolean,
    /// Any of them.
    Untyped,
    /// Something that no value conforms to.
    Unknown(Arc<str>),
}

impl Scalar {
    fn parse(name: &str) -> Self {
        match name {
            "numeric" => Self::Numeric,
            "string" => Self::String,
            "boolean" => Self::Boolean,
            "untyped" => Self::Untyped,
            other => Self::Unknown(other.into()),
        }
    }
}

/// How the items of a container belong together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Relationship {
    /// Not stated: granular for maps; lists must state theirs.
    #[default]
    Unset,
    /// A list whose items have an identity: keys, or their value.
    Associative,
    /// All items belong together, like a scalar.
    Atomic,
    /// The items are independent.
    Separable,
}

impl Relationship {
    fn parse(name: &str) -> Self {
        match name {
            "associative" => Self::Associative,
            "atomic" => Self::Atomic,
            "separable" => Self::Separable,
            _ => Self::Unset,
        }
    }
}

/// A map, with declared fields (a struct), free ones, or both.
#[derive(Debug, Clone, Default)]
pub struct Map {
    /// Sorted by the length of the name and then by the name: to find one takes comparisons of
    /// lengths for the most part.
    fields: Vec<Field>,
    /// The type of the fields that are not declared; `None` if there may be none.
    pub element: Option<TypeId>,
    /// Granular unless it is atomic.
    pub relationship: Relationship,
}

impl Map {
    /// The declared field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let index = self
            .fields
            .binary_search_by(|field| compare_names(&field.name, name))
            .ok()?;
        Some(&self.fields[index])
    }

    /// The declared fields.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Sorts the fields; of several with the same name the last one counts.
    fn set_fields(&mut self, fields: Vec<Field>) {
        self.fields = fields;
        self.fields.reverse();
        self.fields
            .sort_by(|left, right| compare_names(&left.name, &right.name));
        self.fields
            .dedup_by(|later, first| later.name == first.name);
    }
}

/// The order of the fields of a map.
fn compare_names(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// A declared field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub type_id: TypeId,
    /// Its default, which counts where the field is a key of a list.
    pub default: Option<Value>,
}

/// A list.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// The type of the items.
    pub element: Option<TypeId>,
    /// Whether items have an identity.
    pub relationship: Relationship,
    /// The fields that identify an item; none if it is a set.
    pub keys: Vec<Arc<str>>,
}

impl Schema {
    /// The type of that name.
    pub fn type_named(self: &Arc<Self>, name: &str) -> Option<Type> {
        let id = *self.names.get(name)?;
        Some(Type {
            schema: Arc::clone(self),
            id,
        })
    }

    /// What a type may be; the error is the name of the type that is missing.
    pub fn resolve(&self, id: TypeId) -> Result<&Atom, &str> {
        let definition = &self.types[id.0 as usize];
        definition
            .atom
            .as_ref()
            .ok_or_else(|| definition.name.as_deref().unwrap_or("inlined type"))
    }

    /// The name of a type; `None` if it is inlined.
    pub fn name_of(&self, id: TypeId) -> Option<&str> {
        self.types[id.0 as usize].name.as_deref()
    }

    /// Whether nothing is known of the type but that it is deduced from the value.
    pub(crate) fn is_untyped(&self, id: TypeId) -> bool {
        let definition = &self.types[id.0 as usize];
        match &definition.name {
            Some(name) => &**name == UNTYPED_DEDUCED,
            None => definition
                .atom
                .as_ref()
                .is_some_and(|atom| atom.scalar == Some(Scalar::Untyped)),
        }
    }
}

/// A type in its schema.
#[derive(Debug, Clone)]
pub struct Type {
    schema: Arc<Schema>,
    id: TypeId,
}

impl Type {
    /// The schema it belongs to.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Its index there.
    pub fn id(&self) -> TypeId {
        self.id
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.schema.name_of(self.id)
    }

    /// The type that is deduced from the value: for objects whose definition has no schema.
    pub fn deduced() -> Self {
        static DEDUCED: LazyLock<Type> = LazyLock::new(|| {
            let mut builder = builder::Builder::default();
            builder.add_untyped();
            builder
                .finish()
                .type_named(UNTYPED_DEDUCED)
                .expect("it has just been added")
        });
        DEDUCED.clone()
    }
}

/// Types are the same if they are the same entry of the same schema.
impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.schema, &other.schema) && self.id == other.id
    }
}

impl Eq for Type {}

#[cfg(test)]
mod tests;
