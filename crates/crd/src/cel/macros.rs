//! Calls that become comprehensions and tests.
//!
//! Source: cel-go `parser/macro.go`, `ext/{comprehensions,lists}.go`, `cel/library.go`.

use super::ast::{ACCUMULATOR, Expr, Fold, Id, Kind, Literal, with_stack};
use super::parser::{Parser, call, literal};

/// A range with a loop variable that is never used: what binds a name to a value.
const UNUSED: &str = "#unused";
const SORT_INPUT: &str = "@__sortBy_input__";

/// Makes nodes at the place of a macro's call.
struct Maker<'p, 'a> {
    parser: &'p mut Parser<'a>,
    offset: usize,
}

type Expanded = Result<Expr, (Id, String)>;

/// The call of `function`, or what it stands for if it is a macro.
pub(super) fn expand(
    parser: &mut Parser<'_>,
    id: Id,
    function: &str,
    target: Option<Expr>,
    args: Vec<Expr>,
) -> Expr {
    let offset = parser.offset_of(id);
    let is_macro = matches!(
        (target.is_some(), function, args.len()),
        (false, "has", 1)
            | (
                true,
                "all" | "exists" | "exists_one" | "existsOne" | "map",
                2 | 3
            )
            | (true, "filter" | "optMap" | "optFlatMap" | "sortBy", 2)
            | (
                true,
                "transformList" | "transformMap" | "transformMapEntry",
                3 | 4
            )
    );
    if !is_macro {
        return Expr::new(
            id,
            Kind::Call {
                function: function.to_owned(),
                target: target.map(Box::new),
                args,
            },
        );
    }
    let mut maker = Maker { parser, offset };
    let expanded = match target {
        None => maker.has(args),
        Some(target) => maker.receiver(function, target, args),
    };
    expanded.unwrap_or_else(|(at, message)| {
        let offset = parser.offset_of(at);
        parser.report(offset, message);
        literal(id, Literal::Null)
    })
}

fn name_of(arg: &Expr, message: &str) -> Result<String, (Id, String)> {
    match &arg.kind {
        Kind::Ident(name) => Ok(name.clone()),
        _ => Err((arg.id, message.to_owned())),
    }
}

fn check_accumulator(name: &str, id: Id) -> Result<(), (Id, String)> {
    if name == ACCUMULATOR || name == "__result__" {
        return Err((
            id,
            "iteration variable overwrites accumulator variable".to_owned(),
        ));
    }
    Ok(())
}

/// One or two loop variables.
type Vars = (String, Option<String>);

fn two_vars(first: &Expr, second: &Expr) -> Result<Vars, (Id, String)> {
    let var = name_of(first, "argument must be a simple name")?;
    let var2 = name_of(second, "argument must be a simple name")?;
    if var == var2 {
        return Err((second.id, format!("duplicate variable name: {var}")));
    }
    check_accumulator(&var, first.id)?;
    check_accumulator(&var2, second.id)?;
    Ok((var, Some(var2)))
}

fn one_var(first: &Expr, message: &str) -> Result<Vars, (Id, String)> {
    let var = name_of(first, message)?;
    check_accumulator(&var, first.id)?;
    Ok((var, None))
}

impl Maker<'_, '_> {
    fn id(&mut self) -> Id {
        self.parser.id_at(self.offset)
    }

    fn accu(&mut self) -> Expr {
        self.ident(ACCUMULATOR)
    }

    fn ident(&mut self, name: &str) -> Expr {
        let id = self.id();
        Expr::new(id, Kind::Ident(name.to_owned()))
    }

    fn call(&mut self, function: &str, args: Vec<Expr>) -> Expr {
        let id = self.id();
        call(id, function, args)
    }

    fn member(&mut self, function: &str, target: Expr, args: Vec<Expr>) -> Expr {
        let id = self.id();
        Expr::new(
            id,
            Kind::Call {
                function: function.to_owned(),
                target: Some(Box::new(target)),
                args,
            },
        )
    }

    fn literal(&mut self, value: Literal) -> Expr {
        let id = self.id();
        literal(id, value)
    }

    fn list(&mut self, items: Vec<Expr>) -> Expr {
        let id = self.id();
        Expr::new(
            id,
            Kind::List(items.into_iter().map(|item| (item, false)).collect()),
        )
    }

    fn fold(
        &mut self,
        range: Expr,
        vars: Vars,
        init: Expr,
        condition: Expr,
        step: Expr,
        result: Expr,
    ) -> Expr {
        let id = self.id();
        Expr::new(
            id,
            Kind::Fold(Box::new(Fold {
                range,
                var: vars.0,
                var2: vars.1,
                accu: ACCUMULATOR.to_owned(),
                init,
                condition,
                step,
                result,
            })),
        )
    }

    fn has(&mut self, args: Vec<Expr>) -> Expanded {
        let id = self.id();
        match args.into_iter().next() {
            Some(Expr {
                kind: Kind::Select { operand, field, .. },
                ..
            }) => Ok(Expr::new(
                id,
                Kind::Select {
                    operand,
                    field,
                    test: true,
                },
            )),
            Some(other) => Err((other.id, "invalid argument to has() macro".to_owned())),
            None => Err((id, "invalid argument to has() macro".to_owned())),
        }
    }

    fn receiver(&mut self, function: &str, target: Expr, args: Vec<Expr>) -> Expanded {
        match (function, args.as_slice()) {
            ("all" | "exists" | "exists_one" | "existsOne", [var, body]) => {
                let vars = one_var(var, "argument must be a simple name")?;
                Ok(self.quantifier(function, target, vars, body.clone()))
            }
            ("all" | "exists" | "exists_one" | "existsOne", [var, var2, body]) => {
                let vars = two_vars(var, var2)?;
                Ok(self.quantifier(function, target, vars, body.clone()))
            }
            ("map", [var, body]) => {
                let vars = one_var(var, "argument is not an identifier")?;
                Ok(self.collect(target, vars, None, body.clone()))
            }
            ("map", [var, filter, body]) => {
                let vars = one_var(var, "argument is not an identifier")?;
                Ok(self.collect(target, vars, Some(filter.clone()), body.clone()))
            }
            ("filter", [var, filter]) => {
                let vars = one_var(var, "argument is not an identifier")?;
                Ok(self.collect(target, vars, Some(filter.clone()), var.clone()))
            }
            ("transformList", [var, var2, rest @ ..]) => {
                let vars = two_vars(var, var2)?;
                let (filter, body) = filter_and_body(rest);
                Ok(self.collect(target, vars, filter, body))
            }
            ("transformMap" | "transformMapEntry", [var, var2, rest @ ..]) => {
                let vars = two_vars(var, var2)?;
                let (filter, body) = filter_and_body(rest);
                Ok(self.collect_map(target, vars, filter, body, function == "transformMap"))
            }
            ("optMap" | "optFlatMap", [var, body]) => {
                let message = format!("{function}() variable name must be a simple identifier");
                let name = name_of(var, &message)?;
                Ok(self.optional_map(target, &name, body.clone(), function == "optFlatMap"))
            }
            ("sortBy", [var, body]) => self.sort_by(target, var, body),
            _ => Err((target.id, "unknown macro".to_owned())),
        }
    }

    fn quantifier(&mut self, function: &str, target: Expr, vars: Vars, body: Expr) -> Expr {
        let accu = self.accu();
        match function {
            "all" => {
                let init = self.literal(Literal::Bool(true));
                let condition = self.call("@not_strictly_false", vec![accu]);
                let accu = self.accu();
                let step = self.call("_&&_", vec![accu, body]);
                let result = self.accu();
                self.fold(target, vars, init, condition, step, result)
            }
            "exists" => {
                let init = self.literal(Literal::Bool(false));
                let negated = self.call("!_", vec![accu]);
                let condition = self.call("@not_strictly_false", vec![negated]);
                let accu = self.accu();
                let step = self.call("_||_", vec![accu, body]);
                let result = self.accu();
                self.fold(target, vars, init, condition, step, result)
            }
            _ => {
                let init = self.literal(Literal::Int(0));
                let condition = self.literal(Literal::Bool(true));
                let one = self.literal(Literal::Int(1));
                let more = self.call("_+_", vec![accu, one]);
                let accu = self.accu();
                let step = self.call("_?_:_", vec![body, more, accu]);
                let accu = self.accu();
                let one = self.literal(Literal::Int(1));
                let result = self.call("_==_", vec![accu, one]);
                self.fold(target, vars, init, condition, step, result)
            }
        }
    }

    fn collect(&mut self, target: Expr, vars: Vars, filter: Option<Expr>, body: Expr) -> Expr {
        let init = self.list(Vec::new());
        let condition = self.literal(Literal::Bool(true));
        let accu = self.accu();
        let item = self.list(vec![body]);
        let mut step = self.call("_+_", vec![accu, item]);
        if let Some(filter) = filter {
            let accu = self.accu();
            step = self.call("_?_:_", vec![filter, step, accu]);
        }
        let result = self.accu();
        self.fold(target, vars, init, condition, step, result)
    }

    fn collect_map(
        &mut self,
        target: Expr,
        vars: Vars,
        filter: Option<Expr>,
        body: Expr,
        keyed: bool,
    ) -> Expr {
        let id = self.id();
        let init = Expr::new(id, Kind::Map(Vec::new()));
        let condition = self.literal(Literal::Bool(true));
        let accu = self.accu();
        let args = if keyed {
            let key = self.ident(&vars.0);
            vec![accu, key, body]
        } else {
            vec![accu, body]
        };
        let mut step = self.call("cel.@mapInsert", args);
        if let Some(filter) = filter {
            let accu = self.accu();
            step = self.call("_?_:_", vec![filter, step, accu]);
        }
        let result = self.accu();
        self.fold(target, vars, init, condition, step, result)
    }

    /// A name bound to a value in `body`.
    fn bind(&mut self, name: &str, value: Expr, body: Expr) -> Expr {
        let range = self.list(Vec::new());
        let condition = self.literal(Literal::Bool(false));
        let step = self.ident(name);
        let id = self.id();
        Expr::new(
            id,
            Kind::Fold(Box::new(Fold {
                range,
                var: UNUSED.to_owned(),
                var2: None,
                accu: name.to_owned(),
                init: value,
                condition,
                step,
                result: body,
            })),
        )
    }

    fn optional_map(&mut self, target: Expr, name: &str, body: Expr, flat: bool) -> Expr {
        let copy = self.copy(&target);
        let has_value = self.member("hasValue", target, Vec::new());
        let value = self.member("value", copy, Vec::new());
        let mut mapped = self.bind(name, value, body);
        if !flat {
            mapped = self.call("optional.of", vec![mapped]);
        }
        let none = self.call("optional.none", Vec::new());
        self.call("_?_:_", vec![has_value, mapped, none])
    }

    fn sort_by(&mut self, target: Expr, var: &Expr, body: &Expr) -> Expanded {
        if !matches!(
            target.kind,
            Kind::List(_)
                | Kind::Select { .. }
                | Kind::Ident(_)
                | Kind::Fold(_)
                | Kind::Call { .. }
        ) {
            let message = "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
            return Err((target.id, message.to_owned()));
        }
        let vars = one_var(var, "argument is not an identifier")?;
        let input = self.ident(SORT_INPUT);
        let keys = self.collect(input, vars, None, body.clone());
        let input = self.ident(SORT_INPUT);
        let sorted = self.member("@sortByAssociatedKeys", input, vec![keys]);
        Ok(self.bind(SORT_INPUT, target, sorted))
    }

    /// The same tree with ids of its own.
    fn copy(&mut self, expr: &Expr) -> Expr {
        with_stack(|| self.copy_node(expr))
    }

    fn copy_node(&mut self, expr: &Expr) -> Expr {
        let offset = self.parser.offset_of(expr.id);
        if !self.parser.has_room() {
            // Nested copies double; beyond the limit the expression is refused.
            return literal(expr.id, Literal::Null);
        }
        let id = self.parser.id_at(offset);
        let kind = match &expr.kind {
            Kind::Literal(_) | Kind::Ident(_) => expr.kind.clone(),
            Kind::Select {
                operand,
                field,
                test,
            } => Kind::Select {
                operand: Box::new(self.copy(operand)),
                field: field.clone(),
                test: *test,
            },
            Kind::Call {
                function,
                target,
                args,
            } => Kind::Call {
                function: function.clone(),
                target: target.as_ref().map(|target| Box::new(self.copy(target))),
                args: args.iter().map(|arg| self.copy(arg)).collect(),
            },
            Kind::List(items) => Kind::List(
                items
                    .iter()
                    .map(|(item, optional)| (self.copy(item), *optional))
                    .collect(),
            ),
            Kind::Map(entries) => Kind::Map(
                entries
                    .iter()
                    .map(|entry| super::ast::Entry {
                        key: self.copy(&entry.key),
                        value: self.copy(&entry.value),
                        optional: entry.optional,
                    })
                    .collect(),
            ),
            Kind::Struct { name, fields } => Kind::Struct {
                name: name.clone(),
                fields: fields.iter().map(|field| self.copy(field)).collect(),
            },
            Kind::Fold(fold) => Kind::Fold(Box::new(Fold {
                range: self.copy(&fold.range),
                var: fold.var.clone(),
                var2: fold.var2.clone(),
                accu: fold.accu.clone(),
                init: self.copy(&fold.init),
                condition: self.copy(&fold.condition),
                step: self.copy(&fold.step),
                result: self.copy(&fold.result),
            })),
        };
        Expr::new(id, kind)
    }
}

fn filter_and_body(rest: &[Expr]) -> (Option<Expr>, Expr) {
    match rest {
        [filter, body] => (Some(filter.clone()), body.clone()),
        [body, ..] => (None, body.clone()),
        [] => (None, literal(0, Literal::Null)),
    }
}
