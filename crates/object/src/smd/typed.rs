//! Values of a known type.
//!
//! Source: structured-merge-diff `typed`.

mod compare;
mod error;
mod field_set;
mod form;
mod item;
mod merge;
mod reconcile;
mod remove;
mod validate;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

pub use compare::Comparison;
pub use error::{ValidationError, ValidationErrors};

use super::fieldset::Set;
use super::path::{Path, PathElement};
use super::schema::{Schema, Type};

/// Whether an item of a list may appear twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// The items of sets and of lists with keys must be unique: what users declare.
    Forbidden,
    /// They need not be: what is stored.
    Allowed,
}

/// A value that conforms to a type.
#[derive(Debug, Clone)]
pub struct TypedValue<'a> {
    value: Cow<'a, Value>,
    type_: Type,
}

impl<'a> TypedValue<'a> {
    /// Checks `value` against `type_`.
    ///
    /// # Errors
    /// All the places where it does not conform.
    pub fn new(
        value: Cow<'a, Value>,
        type_: &Type,
        duplicates: Duplicates,
    ) -> Result<Self, ValidationErrors> {
        validate::validate(&value, type_, duplicates)?;
        Ok(Self::unchecked(value, type_))
    }

    fn unchecked(value: Cow<'a, Value>, type_: &Type) -> Self {
        Self {
            value,
            type_: type_.clone(),
        }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value, without its type.
    pub fn into_value(self) -> Cow<'a, Value> {
        self.value
    }

    /// Its type.
    pub fn type_(&self) -> &Type {
        &self.type_
    }

    fn schema(&self) -> &Arc<Schema> {
        self.type_.schema()
    }

    /// The same value, borrowed.
    pub fn by_ref(&self) -> TypedValue<'_> {
        TypedValue {
            value: Cow::Borrowed(&*self.value),
            type_: self.type_.clone(),
        }
    }

    /// The same value, independent of what it was borrowed from.
    pub fn into_owned(self) -> TypedValue<'static> {
        TypedValue {
            value: Cow::Owned(self.value.into_owned()),
            type_: self.type_,
        }
    }

    /// The set of all leaf fields and items of the value.
    ///
    /// # Errors
    /// The value does not conform to the schema after all.
    pub fn to_field_set(&self) -> Result<Set, ValidationErrors> {
        field_set::field_set(&self.value, &self.type_)
    }

    /// Merges `declared` into this value.
    ///
    /// Nothing is removed; where both have a leaf, that of `declared` is kept. The items of a list are
    /// in the order of `declared` where it says something about them. The result borrows from this
    /// value where nothing changes, and from `declared` where there is nothing else.
    ///
    /// # Errors
    /// The types differ, or a value does not conform to its type after all.
    pub fn merge<'s>(
        &'s self,
        declared: &'s TypedValue<'_>,
    ) -> Result<TypedValue<'s>, ValidationErrors> {
        self.check_same_type(declared)?;
        let value = merge::merge(&self.value, &declared.value, &self.type_)?;
        Ok(TypedValue::unchecked(value, &self.type_))
    }

    /// What it takes to get from this value to `other`.
    ///
    /// # Errors
    /// The types differ, or a value does not conform to its type after all.
    pub fn compare(&self, other: &TypedValue<'_>) -> Result<Comparison, ValidationErrors> {
        self.check_same_type(other)?;
        compare::compare(&self.value, &other.value, &self.type_)
    }

    fn check_same_type(&self, other: &TypedValue<'_>) -> Result<(), ValidationErrors> {
        if !Arc::ptr_eq(self.schema(), other.schema()) {
            return Err(ValidationErrors::message(
                "expected objects with types from the same schema".to_owned(),
            ));
        }
        if self.type_ != other.type_ {
            return Err(ValidationErrors::message(format!(
                "expected objects of the same type, but got {} and {}",
                self.type_.name().unwrap_or("inlined type"),
                other.type_.name().unwrap_or("inlined type"),
            )));
        }
        Ok(())
    }

    /// The value without the fields and items in `items`, and without all that is below them.
    pub fn remove_items(&self, items: &Set) -> TypedValue<'static> {
        let value = remove::remove(&self.value, items, &self.type_);
        TypedValue::unchecked(Cow::Owned(value), &self.type_)
    }

    /// The fields and items in `items` alone.
    pub fn extract_items(&self, items: &Set) -> TypedValue<'static> {
        let value = remove::extract(&self.value, items, &self.type_);
        TypedValue::unchecked(Cow::Owned(value), &self.type_)
    }

    /// The fields and items in `items` alone, and the key fields of the list items they are in.
    pub fn extract_items_with_keys(&self, items: &Set) -> TypedValue<'static> {
        let Ok(present) = self.to_field_set() else {
            return self.extract_items(items);
        };
        let mut keys = Set::new();
        for path in items.paths() {
            if !present.has(&path) {
                continue;
            }
            let elements = path.elements();
            for (index, element) in elements.iter().enumerate() {
                let PathElement::Key(fields) = element else {
                    continue;
                };
                for field in fields.iter() {
                    let mut key = elements[..=index].to_vec();
                    key.push(PathElement::Field(Arc::clone(&field.name)));
                    keys.insert(&Path::from(key));
                }
            }
        }
        self.extract_items(&items.union(&keys))
    }

    /// Adapts a set of owned fields, written when the schema was another one, to this value's schema:
    /// the owner of something below what is now atomic owns the whole of it.
    ///
    /// `None` if nothing changes.
    ///
    /// # Errors
    /// The type leads nowhere.
    pub fn reconcile_field_set(&self, set: &Set) -> Result<Option<Set>, ValidationErrors> {
        reconcile::reconcile(set, &self.type_)
    }
}

#[cfg(test)]
mod tests;
