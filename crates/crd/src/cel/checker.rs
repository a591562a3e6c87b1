//! Finding the types of an expression, and what is wrong with it.
//!
//! Source: cel-go `checker/{checker,errors}.go`.

use std::collections::HashMap;
use std::sync::Arc;

use super::assign::{Mapping, most_general};
use super::ast::{Expr, Fold, Id, Kind, Literal, with_stack};
use super::declarations::{self, Overload};
use super::parser::Parsed;
use super::shape::ShapeKind;
use super::source::Issue;
use super::types::Type;

/// An expression with its types.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) root: Expr,
    pub(crate) offsets: Vec<usize>,
    /// The type of each node, by its id.
    pub(crate) types: Vec<Type>,
    /// The overloads that each call may be, by its id.
    pub(crate) overloads: HashMap<Id, Vec<&'static str>>,
    /// The variables of the environment that are used.
    pub(crate) variables: Vec<String>,
}

impl Checked {
    pub(crate) fn type_of(&self, id: Id) -> &Type {
        self.types.get(id as usize).unwrap_or(&Type::Dyn)
    }

    pub(crate) fn overloads_of(&self, id: Id) -> &[&'static str] {
        self.overloads.get(&id).map_or(&[], Vec::as_slice)
    }
}

struct Checker<'e> {
    variables: &'e [(String, Type)],
    scopes: Vec<HashMap<String, Type>>,
    offsets: Vec<usize>,
    types: Vec<Type>,
    overloads: HashMap<Id, Vec<&'static str>>,
    used: Vec<String>,
    mapping: Mapping,
    issues: Vec<Issue>,
}

/// Checks a parsed expression in which `variables` may be used.
pub(crate) fn check(parsed: Parsed, variables: &[(String, Type)]) -> Result<Checked, Vec<Issue>> {
    let Parsed { mut root, offsets } = parsed;
    let mut checker = Checker {
        variables,
        scopes: Vec::new(),
        types: vec![Type::Dyn; offsets.len()],
        offsets,
        overloads: HashMap::new(),
        used: Vec::new(),
        mapping: Mapping::default(),
        issues: Vec::new(),
    };
    checker.check(&mut root);
    if !checker.issues.is_empty() {
        return Err(checker.issues);
    }
    let mapping = &checker.mapping;
    let types = checker
        .types
        .iter()
        .map(|of| mapping.resolve(of, true))
        .collect();
    Ok(Checked {
        root,
        offsets: checker.offsets,
        types,
        overloads: checker.overloads,
        variables: checker.used,
    })
}

impl Checker<'_> {
    fn report(&mut self, id: Id, message: String) {
        self.issues.push(Issue {
            offset: Some(self.offsets.get(id as usize).copied().unwrap_or_default()),
            message,
        });
    }

    fn set(&mut self, id: Id, to: Type) {
        if let Some(slot) = self.types.get_mut(id as usize) {
            *slot = to;
        }
    }

    fn type_of(&self, id: Id) -> Type {
        self.types.get(id as usize).cloned().unwrap_or(Type::Dyn)
    }

    fn mismatch(&mut self, id: Id, expected: &Type, actual: &Type) {
        self.report(
            id,
            format!("expected type '{expected}' but found '{actual}'"),
        );
    }

    fn undeclared(&mut self, id: Id, name: &str) {
        self.report(
            id,
            format!("undeclared reference to '{name}' (in container '')"),
        );
        self.set(id, Type::Error);
    }

    fn lookup(&mut self, name: &str) -> Option<Type> {
        let name = name.strip_prefix('.').unwrap_or(name);
        for scope in self.scopes.iter().rev() {
            if let Some(found) = scope.get(name) {
                return Some(found.clone());
            }
        }
        if let Some((_, found)) = self.variables.iter().find(|(variable, _)| variable == name) {
            if !self.used.iter().any(|used| used == name) {
                self.used.push(name.to_owned());
            }
            return Some(found.clone());
        }
        declarations::named_type(name).map(|of| Type::Kind(Arc::new(of)))
    }

    fn check(&mut self, expr: &mut Expr) {
        with_stack(|| self.check_node(expr));
    }

    fn check_node(&mut self, expr: &mut Expr) {
        let id = expr.id;
        match &mut expr.kind {
            Kind::Literal(literal) => self.set(
                id,
                match literal {
                    Literal::Null => Type::Null,
                    Literal::Bool(_) => Type::Bool,
                    Literal::Int(_) => Type::Int,
                    Literal::Uint(_) => Type::Uint,
                    Literal::Double(_) => Type::Double,
                    Literal::Text(_) => Type::Text,
                    Literal::Bytes(_) => Type::Bytes,
                },
            ),
            Kind::Ident(name) => match self.lookup(name) {
                Some(found) => {
                    if let Some(bare) = name.strip_prefix('.') {
                        *name = bare.to_owned();
                    }
                    self.set(id, found);
                }
                None => {
                    let name = name.clone();
                    self.undeclared(id, &name);
                }
            },
            Kind::Select { .. } => self.check_select(expr),
            Kind::Call { .. } => self.check_call(expr),
            Kind::List(items) => {
                let mut joined: Option<Type> = None;
                for (item, optional) in items {
                    self.check(item);
                    let of = self.item_type(item.id, *optional);
                    joined = Some(self.join(joined, of));
                }
                let items = joined.unwrap_or_else(|| self.mapping.fresh());
                self.set(id, Type::list(items));
            }
            Kind::Map(entries) => {
                let mut joined: Option<(Type, Type)> = None;
                for entry in entries {
                    self.check(&mut entry.key);
                    let key = self.type_of(entry.key.id);
                    let (old_key, old_value) = joined.unzip();
                    let key = self.join(old_key, key);
                    self.check(&mut entry.value);
                    let value = self.item_type(entry.value.id, entry.optional);
                    let value = self.join(old_value, value);
                    joined = Some((key, value));
                }
                let (key, value) =
                    joined.unwrap_or_else(|| (self.mapping.fresh(), self.mapping.fresh()));
                self.set(id, Type::map(key, value));
            }
            Kind::Struct { name, fields } => {
                let name = name.clone();
                for field in fields.iter_mut() {
                    self.check(field);
                }
                if self.lookup(&name).is_some() {
                    self.report(id, format!("'{name}' is not a message type"));
                    self.set(id, Type::Error);
                } else {
                    self.undeclared(id, &name);
                }
            }
            Kind::Fold(fold) => {
                let of = self.check_fold(fold);
                self.set(id, of);
            }
        }
    }

    fn item_type(&mut self, id: Id, optional: bool) -> Type {
        let of = self.type_of(id);
        if !optional {
            return of;
        }
        let resolved = self.mapping.resolve(&of, false);
        if let Some(inner) = resolved.unwrap_optional() {
            return inner.clone();
        }
        if !resolved.is_dyn() {
            self.mismatch(id, &Type::optional(resolved.clone()), &resolved);
        }
        resolved
    }

    fn join(&mut self, previous: Option<Type>, current: Type) -> Type {
        let Some(previous) = previous else {
            return current;
        };
        if self.mapping.assign(&previous, &current) {
            return most_general(&previous, &current);
        }
        // Whether items may differ is checked afterwards.
        Type::Dyn
    }

    fn check_select(&mut self, expr: &mut Expr) {
        let id = expr.id;
        if let Some(name) = expr.qualified_name()
            && let Some(found) = self.lookup(&name)
        {
            expr.kind = Kind::Ident(name);
            self.set(id, found);
            return;
        }
        let Kind::Select {
            operand,
            field,
            test,
        } = &mut expr.kind
        else {
            return;
        };
        let (field, test) = (field.clone(), *test);
        let found = self.field_type(id, operand, &field, false);
        let of = if test {
            Type::Bool
        } else {
            self.mapping.resolve(&found, false)
        };
        self.set(id, of);
    }

    fn field_type(&mut self, id: Id, operand: &mut Expr, field: &str, optional: bool) -> Type {
        self.check(operand);
        let operand_type = self.mapping.resolve(&self.type_of(operand.id), false);
        let (target, is_optional) = match operand_type.unwrap_optional() {
            Some(inner) => (inner.clone(), true),
            None => (operand_type, false),
        };
        let found = match &target {
            Type::Map(entry) => entry.1.clone(),
            Type::Object(object) => {
                let fields = match object.shape.as_ref().map(|shape| &shape.kind) {
                    Some(ShapeKind::Object(fields)) => Some(fields),
                    _ => None,
                };
                match fields.and_then(|fields| fields.declared(field)) {
                    Some(shape) => Type::of_shape(shape, &format!("{}.{field}", object.name)),
                    None => {
                        self.report(id, format!("undefined field '{field}'"));
                        Type::Error
                    }
                }
            }
            Type::Variable(_) => {
                self.mapping.assign(&Type::Dyn, &target);
                Type::Dyn
            }
            other => {
                if !other.is_dyn_or_error() {
                    self.report(
                        id,
                        format!("type '{other}' does not support field selection"),
                    );
                }
                Type::Dyn
            }
        };
        if is_optional || optional {
            Type::optional(found)
        } else {
            found
        }
    }

    fn check_call(&mut self, expr: &mut Expr) {
        let id = expr.id;
        let Kind::Call {
            function,
            target,
            args,
        } = &mut expr.kind
        else {
            return;
        };
        if function == "_?._" {
            if let [operand, field] = args.as_mut_slice()
                && let Kind::Literal(Literal::Text(name)) = &field.kind
            {
                let name = Arc::clone(name);
                self.set(field.id, Type::Text);
                let found = self.field_type(id, operand, &name, true);
                let of = self.mapping.resolve(&found, false);
                self.set(id, of);
                self.overloads.insert(id, vec!["select_optional_field"]);
            }
            return;
        }
        for arg in args.iter_mut() {
            self.check(arg);
        }
        let mut is_member = false;
        if let Some(target) = target {
            let qualified = target
                .qualified_name()
                .map(|prefix| format!("{prefix}.{function}"));
            match qualified.as_deref().and_then(declarations::lookup) {
                Some((name, _)) => name.clone_into(function),
                None => {
                    self.check(target);
                    is_member = true;
                }
            }
        }
        if !is_member {
            *target = None;
        }
        let name = function.strip_prefix('.').unwrap_or(function).to_owned();
        let Some((name, overloads)) = declarations::lookup(&name) else {
            self.undeclared(id, &name);
            return;
        };
        name.clone_into(function);
        let mut arg_ids: Vec<Id> = target.iter().map(|target| target.id).collect();
        arg_ids.extend(args.iter().map(|arg| arg.id));
        self.resolve_overload(id, name, overloads, is_member, &arg_ids);
    }

    fn resolve_overload(
        &mut self,
        id: Id,
        name: &str,
        overloads: &'static [Overload],
        is_member: bool,
        arg_ids: &[Id],
    ) {
        let arg_types: Vec<Type> = arg_ids.iter().map(|id| self.type_of(*id)).collect();
        if matches!(name, "_&&_" | "_||_") {
            let mut is_right = true;
            for (arg, of) in arg_ids.iter().zip(&arg_types) {
                if !self.mapping.assign(of, &Type::Bool) {
                    let actual = self.mapping.resolve(of, false);
                    self.mismatch(*arg, &Type::Bool, &actual);
                    is_right = false;
                }
            }
            self.set(id, if is_right { Type::Bool } else { Type::Error });
            self.overloads.insert(id, vec![overloads[0].id]);
            return;
        }
        let mut found: Option<Type> = None;
        let mut ids = Vec::new();
        for overload in overloads
            .iter()
            .filter(|overload| overload.member == is_member)
        {
            let variables: Vec<Type> = (0..overload.parameters)
                .map(|_| self.mapping.fresh())
                .collect();
            let wanted: Vec<Type> = overload
                .args
                .iter()
                .map(|arg| Mapping::instantiate(arg, &variables))
                .collect();
            let from: Vec<&Type> = arg_types.iter().collect();
            let to: Vec<&Type> = wanted.iter().collect();
            if !self.mapping.assign_all(&from, &to) {
                continue;
            }
            ids.push(overload.id);
            let result = Mapping::instantiate(&overload.result, &variables);
            let result = self.mapping.resolve(&result, false);
            found = Some(match found {
                None => result,
                Some(found) if found.is_dyn() || found == result => found,
                Some(_) => Type::Dyn,
            });
        }
        if let Some(found) = found {
            self.set(id, found);
            self.overloads.insert(id, ids);
            return;
        }
        let mut texts: Vec<String> = arg_types
            .iter()
            .map(|of| self.mapping.resolve(of, true).to_string())
            .collect();
        let target = if is_member {
            format!("{}.", texts.remove(0))
        } else {
            String::new()
        };
        self.report(
            id,
            format!(
                "found no matching overload for '{name}' applied to '{target}({})'",
                texts.join(", ")
            ),
        );
        self.set(id, Type::Error);
    }

    fn check_fold(&mut self, fold: &mut Fold) -> Type {
        self.check(&mut fold.range);
        self.check(&mut fold.init);
        let range = self.mapping.resolve(&self.type_of(fold.range.id), false);
        let accu = self.type_of(fold.init.id);
        self.scopes
            .push(HashMap::from([(fold.accu.clone(), accu.clone())]));
        let (var, var2) = match &range {
            Type::List(items) if fold.var2.is_some() => (Type::Int, items.as_ref().clone()),
            Type::List(items) => (items.as_ref().clone(), Type::Dyn),
            Type::Map(entry) => (entry.0.clone(), entry.1.clone()),
            Type::Dyn | Type::Error | Type::Variable(_) => {
                self.mapping.assign(&Type::Dyn, &range);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let message = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.report(fold.range.id, message);
                (Type::Error, Type::Error)
            }
        };
        let mut scope = HashMap::from([(fold.var.clone(), var)]);
        if let Some(name) = &fold.var2 {
            scope.insert(name.clone(), var2);
        }
        self.scopes.push(scope);
        self.check(&mut fold.condition);
        self.assert_type(fold.condition.id, &Type::Bool);
        self.check(&mut fold.step);
        self.assert_type(fold.step.id, &accu);
        self.scopes.pop();
        self.check(&mut fold.result);
        self.scopes.pop();
        self.mapping.resolve(&self.type_of(fold.result.id), false)
    }

    fn assert_type(&mut self, id: Id, wanted: &Type) {
        let actual = self.type_of(id);
        if !self.mapping.assign(wanted, &actual) {
            let wanted = self.mapping.resolve(wanted, false);
            let actual = self.mapping.resolve(&actual, false);
            self.mismatch(id, &wanted, &actual);
        }
    }
}
