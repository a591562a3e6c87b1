//! Adapting sets of owned fields to a schema that has changed since.
//!
//! Source: structured-merge-diff `typed/reconcile_schema.go`.

use super::error::ValidationErrors;
use super::form::{Form, Forms, invalid_atom};
use crate::smd::fieldset::Set;
use crate::smd::path::PathElement;
use crate::smd::schema::{List, Map, Relationship, Schema, Type, TypeId};

/// `set` as it is with this type; `None` if nothing changes.
pub(super) fn reconcile(set: &Set, type_: &Type) -> Result<Option<Set>, ValidationErrors> {
    let mut walker = Walker {
        schema: type_.schema(),
        errors: ValidationErrors::default(),
    };
    let mut atomic = Set::new();
    walker.value(Some(set), Some(type_.id()), false, &mut atomic);
    if !walker.errors.0.is_empty() {
        return Err(walker.errors);
    }
    if atomic.is_empty() {
        return Ok(None);
    }
    Ok(Some(set.recursive_difference(&atomic).union(&atomic)))
}

struct Walker<'s> {
    schema: &'s Schema,
    errors: ValidationErrors,
}

impl Walker<'_> {
    /// Collects in `atomic` the fields below which something is owned although they are atomic;
    /// returns whether this one is such a field. `is_atomic` says that it is owned as a whole.
    fn value(
        &mut self,
        set: Option<&Set>,
        id: Option<TypeId>,
        is_atomic: bool,
        atomic: &mut Set,
    ) -> bool {
        let Some(id) = id else {
            self.errors.push(invalid_atom(None));
            return false;
        };
        let Ok(atom) = self.schema.resolve(id) else {
            let name = self.schema.name_of(id).unwrap_or("inlined type");
            self.errors.push(format!("could not resolve {name}"));
            return false;
        };
        match Forms::of(atom, None).pick(atom) {
            Some(Form::Scalar(_)) => false,
            Some(Form::List(list)) => {
                if !is_atomic && list.relationship == Relationship::Atomic {
                    return true;
                }
                if let Some(set) = set {
                    self.items(set, list, atomic);
                }
                false
            }
            Some(Form::Map(map)) => {
                // Deduced types do not say what is atomic.
                let is_deduced = map.fields().is_empty()
                    && map.element.is_some_and(|id| self.schema.is_untyped(id));
                if is_deduced {
                    return false;
                }
                if !is_atomic && map.relationship == Relationship::Atomic {
                    return set.is_some_and(|set| !set.is_empty());
                }
                if let Some(set) = set {
                    self.fields(set, map, atomic);
                }
                false
            }
            None => {
                self.errors.push(invalid_atom(self.schema.name_of(id)));
                false
            }
        }
    }

    fn items(&mut self, set: &Set, list: &List, atomic: &mut Set) {
        for (element, is_member) in elements(set) {
            self.element(set, element, is_member, list.element, atomic);
        }
    }

    fn fields(&mut self, set: &Set, map: &Map, atomic: &mut Set) {
        for (element, is_member) in elements(set) {
            let field = element.as_field().and_then(|name| map.field(name));
            let id = field.map_or(map.element, |field| Some(field.type_id));
            // What the schema does not know is passed over.
            if id.is_some() {
                self.element(set, element, is_member, id, atomic);
            }
        }
    }

    fn element(
        &mut self,
        set: &Set,
        element: &PathElement,
        is_member: bool,
        id: Option<TypeId>,
        atomic: &mut Set,
    ) {
        let child = set.child(element);
        let mut below = Set::new();
        if self.value(child, id, is_member && child.is_none(), &mut below) {
            atomic.insert_member(element.clone());
        }
        atomic.insert_child(element.clone(), below);
    }
}

/// The fields of a level, and whether they are members.
fn elements(set: &Set) -> impl Iterator<Item = (&PathElement, bool)> {
    let children = set
        .children()
        .map(|(element, _)| (element, false))
        .filter(|(element, _)| !set.has_member(element));
    children.chain(set.members().iter().map(|element| (element, true)))
}
