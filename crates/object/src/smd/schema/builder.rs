//! Putting a schema together: naming types before they are known, and linking references.

use std::collections::HashMap;
use std::sync::Arc;

use super::{
    Atom, List, Map, Relationship, Scalar, Schema, TypeDef, TypeId, UNTYPED_ATOMIC, UNTYPED_DEDUCED,
};

/// A schema in the making.
#[derive(Debug, Default)]
pub(super) struct Builder {
    types: Vec<TypeDef>,
    names: HashMap<Arc<str>, TypeId>,
    /// References that override the relationship of what they refer to.
    overrides: Vec<Override>,
}

#[derive(Debug)]
struct Override {
    id: TypeId,
    target: TypeId,
    relationship: Relationship,
}

impl Builder {
    fn push(&mut self, definition: TypeDef) -> TypeId {
        let id = TypeId(u32::try_from(self.types.len()).unwrap_or(u32::MAX));
        self.types.push(definition);
        id
    }

    /// The index of a named type, which may be defined later or never.
    pub(super) fn reference(&mut self, name: &str) -> TypeId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let name: Arc<str> = name.into();
        let id = self.push(TypeDef {
            name: Some(Arc::clone(&name)),
            atom: None,
        });
        self.names.insert(name, id);
        id
    }

    /// Defines a named type.
    pub(super) fn define(&mut self, name: &str, atom: Atom) -> TypeId {
        let id = self.reference(name);
        self.types[id.0 as usize].atom = Some(atom);
        id
    }

    /// Adds a type without a name.
    pub(super) fn inline(&mut self, atom: Atom) -> TypeId {
        self.push(TypeDef {
            name: None,
            atom: Some(atom),
        })
    }

    /// A type like `target` whose container has another relationship.
    pub(super) fn overridden(&mut self, target: TypeId, relationship: Relationship) -> TypeId {
        let known = self
            .overrides
            .iter()
            .find(|known| known.target == target && known.relationship == relationship);
        if let Some(known) = known {
            return known.id;
        }
        let name = self.types[target.0 as usize].name.clone();
        let id = self.push(TypeDef { name, atom: None });
        self.overrides.push(Override {
            id,
            target,
            relationship,
        });
        id
    }

    /// Defines the two types that are deduced from values, unless they are there.
    pub(super) fn add_untyped(&mut self) {
        let atomic = self.reference(UNTYPED_ATOMIC);
        let deduced = self.reference(UNTYPED_DEDUCED);
        let list = List {
            element: Some(atomic),
            relationship: Relationship::Atomic,
            keys: Vec::new(),
        };
        let map = |element, relationship| Map {
            element: Some(element),
            relationship,
            ..Map::default()
        };
        for (id, map) in [
            (atomic, map(atomic, Relationship::Atomic)),
            (deduced, map(deduced, Relationship::Separable)),
        ] {
            self.types[id.0 as usize].atom.get_or_insert(Atom {
                scalar: Some(Scalar::Untyped),
                list: Some(list.clone()),
                map: Some(map),
            });
        }
    }

    /// Links the overriding references. One to a scalar leads nowhere, as upstream.
    pub(super) fn finish(mut self) -> Arc<Schema> {
        for link in &self.overrides {
            let mut atom = self.types[link.target.0 as usize].atom.clone();
            atom = match atom {
                Some(mut atom) if atom.map.is_some() || atom.list.is_some() => {
                    if let Some(map) = &mut atom.map {
                        map.relationship = link.relationship;
                    } else if let Some(list) = &mut atom.list {
                        list.relationship = link.relationship;
                    }
                    Some(atom)
                }
                _ => None,
            };
            self.types[link.id.0 as usize].atom = atom;
        }
        Arc::new(Schema {
            types: self.types,
            names: self.names,
        })
    }
}
