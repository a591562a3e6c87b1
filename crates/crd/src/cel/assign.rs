//! Which types may stand for which others, and what that says of unknown types.
//!
//! Source: cel-go `checker/{types,mapping}.go`.

use std::sync::Arc;

use super::types::Type;

/// What is known of type variables. Attempts that fail are undone.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    known: Vec<Option<Type>>,
    journal: Vec<(u32, Option<Type>)>,
}

impl Mapping {
    /// A type variable of which nothing is known.
    pub(super) fn fresh(&mut self) -> Type {
        self.known.push(None);
        Type::Variable(self.known.len() as u32 - 1)
    }

    fn find(&self, variable: u32) -> Option<&Type> {
        self.known.get(variable as usize)?.as_ref()
    }

    fn set(&mut self, variable: u32, to: Type) {
        if let Some(slot) = self.known.get_mut(variable as usize) {
            self.journal.push((variable, slot.replace(to)));
        }
    }

    /// `declared` with its parameters replaced by `variables`.
    pub(super) fn instantiate(declared: &Type, variables: &[Type]) -> Type {
        match declared {
            Type::Parameter(index) => variables
                .get(usize::from(*index))
                .cloned()
                .unwrap_or(Type::Dyn),
            Type::List(items) => Type::list(Self::instantiate(items, variables)),
            Type::Map(entry) => Type::map(
                Self::instantiate(&entry.0, variables),
                Self::instantiate(&entry.1, variables),
            ),
            Type::Kind(of) => Type::Kind(Arc::new(Self::instantiate(of, variables))),
            Type::Opaque(name, parameters) if !parameters.is_empty() => Type::Opaque(
                name,
                parameters
                    .iter()
                    .map(|parameter| Self::instantiate(parameter, variables))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// The type with what is known filled in; with `to_dyn` what is not becomes `dyn`.
    pub(super) fn resolve(&self, of: &Type, to_dyn: bool) -> Type {
        match of {
            Type::Variable(variable) => match self.find(*variable) {
                Some(known) => self.resolve(known, to_dyn),
                None if to_dyn => Type::Dyn,
                None => of.clone(),
            },
            Type::List(items) => Type::list(self.resolve(items, to_dyn)),
            Type::Map(entry) => Type::map(
                self.resolve(&entry.0, to_dyn),
                self.resolve(&entry.1, to_dyn),
            ),
            Type::Kind(of) => Type::Kind(Arc::new(self.resolve(of, to_dyn))),
            Type::Opaque(name, parameters) if !parameters.is_empty() => Type::Opaque(
                name,
                parameters
                    .iter()
                    .map(|parameter| self.resolve(parameter, to_dyn))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// Whether values of type `from` may be where `to` is wanted.
    pub(super) fn assign(&mut self, from: &Type, to: &Type) -> bool {
        self.assign_all(&[from], &[to])
    }

    pub(super) fn assign_all(&mut self, from: &[&Type], to: &[&Type]) -> bool {
        let start = self.journal.len();
        let is_right = from.len() == to.len()
            && from
                .iter()
                .zip(to)
                .all(|(from, to)| self.is_assignable(from, to));
        if is_right {
            self.journal.clear();
        } else {
            while self.journal.len() > start {
                if let Some((variable, old)) = self.journal.pop()
                    && let Some(slot) = self.known.get_mut(variable as usize)
                {
                    *slot = old;
                }
            }
        }
        is_right
    }

    fn is_assignable(&mut self, left: &Type, right: &Type) -> bool {
        if let Type::Variable(variable) = right {
            let (is_valid, has_known) = self.substitute(left, *variable);
            if is_valid || has_known {
                return is_valid;
            }
        }
        if let Type::Variable(variable) = left {
            return self.substitute(right, *variable).0;
        }
        if left.is_dyn_or_error() || right.is_dyn_or_error() {
            return true;
        }
        match (left, right) {
            (Type::Null, other) | (other, Type::Null) => other.takes_null(),
            (Type::Kind(_), Type::Kind(_)) => true,
            (Type::List(left), Type::List(right)) => self.is_assignable(left, right),
            (Type::Map(left), Type::Map(right)) => {
                self.is_assignable(&left.0, &right.0) && self.is_assignable(&left.1, &right.1)
            }
            (Type::Opaque(left, left_args), Type::Opaque(right, right_args)) => {
                left == right
                    && left_args.len() == right_args.len()
                    && left_args
                        .iter()
                        .zip(right_args.iter())
                        .all(|(left, right)| self.is_assignable(left, right))
            }
            (left, right) => left == right,
        }
    }

    /// Whether `value` may be what `variable` stands for, and whether something was known of it.
    fn substitute(&mut self, value: &Type, variable: u32) -> (bool, bool) {
        if *value == Type::Variable(variable) {
            return (true, true);
        }
        if let Some(known) = self.find(variable).cloned() {
            if *value == known {
                return (true, true);
            }
            if self.is_assignable(value, &known) {
                let general = most_general(value, &known);
                if self.is_not_within(variable, &general) {
                    self.set(variable, general);
                }
                return (true, true);
            }
            return (false, true);
        }
        if self.is_not_within(variable, value) {
            self.set(variable, value.clone());
            return (true, false);
        }
        (false, false)
    }

    fn is_not_within(&self, variable: u32, within: &Type) -> bool {
        match within {
            Type::Variable(other) if *other == variable => false,
            Type::Variable(other) => self
                .find(*other)
                .is_none_or(|known| self.is_not_within(variable, known)),
            Type::List(items) => self.is_not_within(variable, items),
            Type::Kind(of) => self.is_not_within(variable, of),
            Type::Map(entry) => {
                self.is_not_within(variable, &entry.0) && self.is_not_within(variable, &entry.1)
            }
            Type::Opaque(_, parameters) => parameters
                .iter()
                .all(|parameter| self.is_not_within(variable, parameter)),
            _ => true,
        }
    }
}

/// The one of two types that says less.
pub(super) fn most_general(left: &Type, right: &Type) -> Type {
    if is_less_specific(left, right) {
        left.clone()
    } else {
        right.clone()
    }
}

fn is_less_specific(left: &Type, right: &Type) -> bool {
    if matches!(left, Type::Dyn | Type::Variable(_)) {
        return true;
    }
    if matches!(right, Type::Dyn | Type::Variable(_)) {
        return false;
    }
    match (left, right) {
        (Type::List(left), Type::List(right)) => is_less_specific(left, right),
        (Type::Map(left), Type::Map(right)) => {
            is_less_specific(&left.0, &right.0) && is_less_specific(&left.1, &right.1)
        }
        (Type::Kind(_), Type::Kind(_)) => true,
        (Type::Opaque(left, left_args), Type::Opaque(right, right_args)) => {
            left == right
                && left_args.len() == right_args.len()
                && left_args
                    .iter()
                    .zip(right_args.iter())
                    .all(|(left, right)| is_less_specific(left, right))
        }
        (left, right) => left == right,
    }
}
