//! What is checked of constants after types are known.
//!
//! Source: cel-go `cel/validator.go`, `ext/formatting.go`.

use super::ast::{Expr, Kind, Literal};
use super::checker::Checked;
use super::functions::{self, check_format};
use super::plan::literal;
use super::source::Issue;
use super::types::Type;
use crate::goregex;

struct Validator<'c> {
    checked: &'c Checked,
    issues: Vec<Issue>,
}

/// What is wrong with constants in a checked expression.
pub(super) fn validate(checked: &Checked) -> Vec<Issue> {
    let mut validator = Validator {
        checked,
        issues: Vec::new(),
    };
    checked
        .root
        .visit(&mut |expr, parents| validator.node(expr, parents));
    validator.issues
}

impl Validator<'_> {
    fn report(&mut self, expr: &Expr, message: String) {
        let offset = self.checked.offsets.get(expr.id as usize).copied();
        self.issues.push(Issue {
            offset: Some(offset.unwrap_or_default()),
            message,
        });
    }

    fn node(&mut self, expr: &Expr, parents: &[&Expr]) {
        match &expr.kind {
            Kind::Call {
                function,
                target,
                args,
            } => self.call(expr, function, target.as_deref(), args),
            Kind::List(items) if !is_in_format(parents) => {
                let mut first: Option<Type> = None;
                for (item, optional) in items {
                    let of = self.item_type(item, *optional);
                    match &first {
                        None => first = Some(of),
                        Some(first) if is_equivalent(first, &of) => {}
                        Some(first) => {
                            let message = format!("expected type '{first}' but found '{of}'");
                            self.report(item, message);
                            return;
                        }
                    }
                }
            }
            Kind::Map(entries) if !is_in_format(parents) => {
                let mut first: Option<(Type, Type)> = None;
                for entry in entries {
                    let key = self.item_type(&entry.key, false);
                    let value = self.item_type(&entry.value, entry.optional);
                    let Some((first_key, first_value)) = &first else {
                        first = Some((key, value));
                        continue;
                    };
                    for (expected, found, at) in [
                        (first_key, &key, &entry.key),
                        (first_value, &value, &entry.value),
                    ] {
                        if !is_equivalent(expected, found) {
                            self.report(
                                at,
                                format!("expected type '{expected}' but found '{found}'"),
                            );
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn item_type(&self, item: &Expr, optional: bool) -> Type {
        let of = self.checked.type_of(item.id);
        match of.unwrap_optional() {
            Some(inner) if optional => inner.clone(),
            _ => of.clone(),
        }
    }

    fn call(&mut self, expr: &Expr, function: &str, target: Option<&Expr>, args: &[Expr]) {
        match (function, args) {
            ("duration" | "timestamp", [arg]) => {
                if let Kind::Literal(value) = &arg.kind
                    && functions::native(function)(function, &[literal(value)]).is_err()
                {
                    self.report(arg, format!("invalid {function} argument"));
                }
            }
            ("matches", [arg, ..]) => {
                if let Kind::Literal(Literal::Text(pattern)) = &arg.kind
                    && goregex::compile(pattern).is_err()
                {
                    self.report(arg, "invalid matches argument".to_owned());
                }
            }
            ("format", [list]) => {
                if let (Some(Kind::Literal(Literal::Text(text))), Kind::List(items)) =
                    (target.map(|target| &target.kind), &list.kind)
                {
                    self.format(expr, text, items);
                }
            }
            _ => {}
        }
    }

    fn format(&mut self, expr: &Expr, text: &str, items: &[(Expr, bool)]) {
        let types: Vec<Type> = items
            .iter()
            .map(|(item, _)| self.checked.type_of(item.id).clone())
            .collect();
        match check_format(text, &types) {
            Ok(taken) if items.len() > taken => {
                let given = items.len();
                let message = format!(
                    "too many arguments supplied to string.format (expected {taken}, got {given})"
                );
                self.report(expr, message);
            }
            Ok(_) => {}
            Err(issue) => {
                let at = issue
                    .argument
                    .and_then(|index| items.get(index))
                    .map_or(expr, |(item, _)| item);
                self.report(at, issue.message);
            }
        }
    }
}

fn is_in_format(parents: &[&Expr]) -> bool {
    parents
        .iter()
        .any(|parent| matches!(&parent.kind, Kind::Call { function, .. } if function == "format"))
}

/// Whether two types are the same but for unknown parts.
fn is_equivalent(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::List(left), Type::List(right)) => is_equivalent(left, right),
        (Type::Map(left), Type::Map(right)) => {
            is_equivalent(&left.0, &right.0) && is_equivalent(&left.1, &right.1)
        }
        (Type::Opaque(left, left_args), Type::Opaque(right, right_args)) => {
            left == right
                && left_args
                    .iter()
                    .zip(right_args.iter())
                    .all(|(left, right)| is_equivalent(left, right))
        }
        (Type::Kind(_), Type::Kind(_)) => true,
        (left, right) => left == right,
    }
}
