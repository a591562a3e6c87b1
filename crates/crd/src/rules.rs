//! `x-kubernetes-validations`: compiling the rules of a schema and running them.
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/cel/{compilation,validation}.go`.

mod field_path;
mod shapes;

use std::collections::BTreeMap;
use std::sync::Arc;

use object::field::{Error, ErrorKind, ErrorList, Path};
use serde_json::Value;

use crate::cel::{self, Environment, PER_CALL_LIMIT, Program, Shape, Type, Val, from_json};
use crate::schema::{Rule, Schema};
use crate::value::{Correlation, MapList};

pub use field_path::{FieldPathError, resolve as resolve_field_path, resolve_without_brackets};
pub use shapes::shape_of;

/// The cost that all rules of one object may have. Source: apiserver `pkg/apis/cel/config.go`.
pub const OBJECT_BUDGET: i64 = 10_000_000;
/// The longest message that an expression may give, in bytes.
const MAX_MESSAGE: usize = 5 * 1024;
/// The name of the type of `self`; upstream adds a number that is never the same.
const SELF_TYPE: &str = "selfType1";

/// What is left of the cost that the rules of an object may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Budget(i64);

impl Budget {
    /// A budget of `cost`.
    pub fn new(cost: i64) -> Self {
        Self(cost)
    }

    /// Whether more was spent than there was; then no further rule runs.
    pub fn is_exhausted(self) -> bool {
        self.0 < 0
    }

    fn exhaust(&mut self) {
        self.0 = -1;
    }

    /// Takes `cost`; false if that is more than is left.
    fn spend(&mut self, cost: u64) -> bool {
        match i64::try_from(cost) {
            Ok(cost) if cost <= self.0 => {
                self.0 -= cost;
                true
            }
            _ => false,
        }
    }
}

/// One compiled rule.
#[derive(Debug)]
pub struct CompiledRule {
    /// The rule as it was written.
    pub rule: Rule,
    /// Its program; `None` if the rule is empty, an error if it does not compile.
    pub program: Result<Option<Program>, String>,
    /// The program of its message expression, if it has one.
    pub message: Option<Result<Program, String>>,
    /// Whether it looks at the old value.
    pub uses_old_self: bool,
    /// The path to which errors are reported, in the usual form; empty for the node itself.
    field_path: String,
}

/// The compiled rules of a schema and of all below it.
#[derive(Debug)]
pub struct Rules {
    schema: Arc<Schema>,
    shape: Arc<Shape>,
    /// The rules of the node, or why none can be compiled.
    own: Result<Vec<CompiledRule>, String>,
    uses_old_self: bool,
    items: Option<Box<Rules>>,
    additional: Option<Box<Rules>>,
    properties: BTreeMap<String, Rules>,
    all_of: Vec<Rules>,
}

fn has_rules(schema: &Schema) -> bool {
    !schema.rules.is_empty()
        || schema.items.as_deref().is_some_and(has_rules)
        || schema
            .additional_schema()
            .is_some_and(|values| has_rules(values))
        || schema.properties.values().any(|field| has_rules(field))
        || schema.value.all_of.iter().any(has_rules)
}

/// Compiles one rule of a schema whose values have `shape`.
pub fn compile_rule(schema: &Schema, shape: &Arc<Shape>, rule: &Rule) -> CompiledRule {
    let mut compiled = CompiledRule {
        rule: rule.clone(),
        program: Ok(None),
        message: None,
        uses_old_self: false,
        field_path: String::new(),
    };
    if rule.rule.trim().is_empty() {
        return compiled;
    }
    let of = Type::of_shape(shape, SELF_TYPE);
    let old = if rule.optional_old_self == Some(true) {
        Type::optional(of.clone())
    } else {
        of.clone()
    };
    let environment = Environment::new()
        .with_variable("self", of)
        .with_variable("oldSelf", old)
        .with_estimates_of(shape);
    let checked = match environment.check(&rule.rule) {
        Ok(checked) => checked,
        Err(error) => {
            compiled.program = Err(format!("compilation failed: {error}"));
            return compiled;
        }
    };
    if !matches!(output_of(&checked), Type::Bool) {
        compiled.program = Err("cel expression must evaluate to a bool".to_owned());
        return compiled;
    }
    compiled.uses_old_self = checked.variables.iter().any(|name| name == "oldSelf");
    match environment.program(&checked) {
        Ok(program) => compiled.program = Ok(Some(program)),
        Err(reason) => {
            compiled.program = Err(format!("program instantiation failed: {reason}"));
            return compiled;
        }
    }
    if !rule.message_expression.is_empty() {
        let message = compile_message(&environment, &rule.message_expression);
        let failed = message.is_err();
        compiled.message = Some(message);
        if failed {
            return compiled;
        }
    }
    if !rule.field_path.is_empty()
        && let Ok((path, _)) = field_path::resolve(&rule.field_path, schema)
    {
        compiled.field_path = path.to_string();
    }
    compiled
}

fn output_of(checked: &cel::Checked) -> &Type {
    checked.type_of(checked.root.id)
}

fn compile_message(environment: &Environment, text: &str) -> Result<Program, String> {
    let checked = environment
        .check(text)
        .map_err(|error| format!("messageExpression compilation failed: {error}"))?;
    if !matches!(output_of(&checked), Type::Text) {
        return Err("messageExpression must evaluate to a string".to_owned());
    }
    environment
        .program(&checked)
        .map_err(|reason| format!("messageExpression instantiation failed: {reason}"))
}

impl Rules {
    /// Compiles the rules of `schema`; `None` if it has none. With `is_root` the schema is that of a
    /// resource, whose type and name rules may use.
    pub fn compile(schema: &Schema, is_root: bool) -> Option<Self> {
        if !has_rules(schema) {
            return None;
        }
        let schema = Arc::new(schema.clone());
        let shape = shape_of(&schema, is_root);
        Self::node(&schema, &schema, &shape)
    }

    fn node(validation: &Schema, node: &Arc<Schema>, shape: &Arc<Shape>) -> Option<Self> {
        let rules = if !validation.rules.is_empty() && !shape.declared {
            Err("failed to convert to declType for CEL validation rules".to_owned())
        } else {
            let rules = validation.rules.iter();
            Ok(rules
                .map(|rule| compile_rule(node, shape, rule))
                .collect::<Vec<_>>())
        };
        let items = match (&validation.items, &node.items, shapes::items(shape)) {
            (Some(validation), Some(node), Some(shape)) => Self::node(validation, node, shape),
            _ => None,
        };
        let mut properties = BTreeMap::new();
        for (name, validation) in &validation.properties {
            let (Some(node), Some(shape)) =
                (node.properties.get(name), shapes::property(shape, name))
            else {
                continue;
            };
            if let Some(rules) = Self::node(validation, node, shape) {
                properties.insert(name.clone(), rules);
            }
        }
        let additional = match (
            validation.additional_schema(),
            node.additional_schema(),
            shapes::values(shape),
        ) {
            (Some(validation), Some(node), Some(shape)) => Self::node(validation, node, shape),
            _ => None,
        };
        let all_of: Vec<Rules> = validation
            .value
            .all_of
            .iter()
            .filter_map(|branch| Self::node(branch, node, shape))
            .collect();
        let has_own = rules.as_ref().map_or(true, |rules| !rules.is_empty());
        if !has_own
            && items.is_none()
            && additional.is_none()
            && properties.is_empty()
            && all_of.is_empty()
        {
            return None;
        }
        let uses_old_self = rules
            .as_ref()
            .is_ok_and(|rules| rules.iter().any(|rule| rule.uses_old_self));
        Some(Self {
            schema: Arc::clone(node),
            shape: Arc::clone(shape),
            own: rules,
            uses_old_self,
            items: items.map(Box::new),
            additional: additional.map(Box::new),
            properties,
            all_of,
        })
    }

    /// Runs the rules over `value`, and its old value if there is one. With a correlation, failures of
    /// what has not changed are left out.
    pub fn validate(
        &self,
        path: &Path,
        value: &Value,
        old: Option<&Value>,
        correlation: Option<&Correlation<'_>>,
        budget: &mut Budget,
    ) -> ErrorList {
        let mut errors = Vec::new();
        let ratchet = Ratchet {
            current: correlation.cloned(),
            parent: None,
        };
        self.visit(path, value, old, &ratchet, budget, &mut errors);
        errors
    }

    fn visit(
        &self,
        path: &Path,
        value: &Value,
        old: Option<&Value>,
        ratchet: &Ratchet<'_>,
        budget: &mut Budget,
        errors: &mut ErrorList,
    ) {
        if value.is_null() || budget.is_exhausted() {
            return;
        }
        let old = old.filter(|old| !old.is_null());
        self.expressions(path, value, old, ratchet, budget, errors);
        for branch in &self.all_of {
            if budget.is_exhausted() {
                return;
            }
            let ratchet = Ratchet {
                current: None,
                parent: ratchet.parent.clone(),
            };
            branch.visit(path, value, old, &ratchet, budget, errors);
        }
        match value {
            Value::Array(items) => {
                let Some(rules) = &self.items else { return };
                let old_items = old.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let old_items = MapList::new(&self.schema, old_items);
                for (index, item) in items.iter().enumerate() {
                    let ratchet = ratchet.index(index);
                    rules.visit(
                        &path.index(index),
                        item,
                        old_items.get(item),
                        &ratchet,
                        budget,
                        errors,
                    );
                }
            }
            Value::Object(map) => {
                let is_known_type = matches!(
                    self.schema.map_type.as_deref(),
                    None | Some("granular" | "atomic")
                );
                let old = old.filter(|_| is_known_type).and_then(Value::as_object);
                let old_field = |name: &str| old.and_then(|old| old.get(name));
                if let Some(rules) = &self.additional {
                    for (name, value) in map {
                        let ratchet = ratchet.key(name);
                        rules.visit(
                            &path.key(name),
                            value,
                            old_field(name),
                            &ratchet,
                            budget,
                            errors,
                        );
                    }
                }
                for (name, rules) in &self.properties {
                    if let Some(value) = map.get(name) {
                        let ratchet = ratchet.key(name);
                        rules.visit(
                            &path.child(name),
                            value,
                            old_field(name),
                            &ratchet,
                            budget,
                            errors,
                        );
                    }
                }
            }
            _ => {}
        }
    }

    fn expressions(
        &self,
        path: &Path,
        value: &Value,
        old: Option<&Value>,
        ratchet: &Ratchet<'_>,
        budget: &mut Budget,
        errors: &mut ErrorList,
    ) {
        let kind = self.schema.kind.as_str();
        let rules = match &self.own {
            Ok(rules) if rules.is_empty() => return,
            Ok(rules) => rules,
            Err(reason) => {
                let detail = format!("rule compiler initialization error: {reason}");
                errors.push(Error::invalid(path, kind, detail));
                return;
            }
        };
        if budget.0 <= 0 {
            let detail = "validation failed due to running out of cost budget, no further validation rules will be run";
            errors.push(Error::invalid(path, kind, detail));
            budget.exhaust();
            return;
        }
        let this = from_json(value, &self.shape);
        let old_value = old
            .filter(|_| self.uses_old_self)
            .map(|old| from_json(old, &self.shape));
        let optional = vec![this.clone(), Val::Optional(old_value.clone().map(Arc::new))];
        let plain: Vec<Val<'_>> = [this].into_iter().chain(old_value).collect();
        let context = Context {
            path,
            kind,
            value,
            is_unchanged: ratchet.is_unchanged(),
        };
        for rule in rules {
            let is_optional = rule.rule.optional_old_self == Some(true);
            if rule.uses_old_self && old.is_none() && !is_optional {
                continue;
            }
            let variables = if is_optional { &optional } else { &plain };
            if !rule.run(&context, variables, &plain, budget, errors) {
                budget.exhaust();
                return;
            }
        }
    }
}

/// Where a rule runs.
struct Context<'a> {
    path: &'a Path,
    kind: &'a str,
    value: &'a Value,
    is_unchanged: bool,
}

impl CompiledRule {
    fn text(&self) -> &str {
        if self.rule.message.is_empty() {
            self.rule.rule.trim()
        } else {
            self.rule.message.trim()
        }
    }

    /// Runs the rule; false ends the run of all rules.
    fn run<'a>(
        &'a self,
        context: &Context<'_>,
        variables: &[Val<'a>],
        message_variables: &[Val<'a>],
        budget: &mut Budget,
        errors: &mut ErrorList,
    ) -> bool {
        let invalid = |detail: String| Error::invalid(context.path, context.kind, detail);
        let program = match &self.program {
            Ok(Some(program)) => program,
            Ok(None) => return true,
            Err(reason) => {
                errors.push(invalid(format!("rule compile error: {reason}")));
                return true;
            }
        };
        let evaluation = program.evaluate(variables, PER_CALL_LIMIT);
        if !budget.spend(evaluation.cost) {
            errors.push(invalid(
                "validation failed due to running out of cost budget, no further validation rules will be run".to_owned(),
            ));
            return false;
        }
        match evaluation.value {
            Ok(Val::Bool(true)) => return true,
            Ok(_) => {}
            Err(error) if error.is_limit() => {
                errors.push(invalid(format!(
                    "'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {}",
                    self.text()
                )));
                return false;
            }
            Err(error) => {
                let text = error.to_string();
                errors.push(invalid(if text.starts_with("no such overload") {
                    format!(
                        "'{text}': call arguments did not match a supported operator, function or macro signature for rule: {}",
                        self.text()
                    )
                } else {
                    format!("{text} evaluating rule: {}", self.text())
                }));
                return true;
            }
        }
        let is_ratcheted = !self.uses_old_self && context.is_unchanged;
        let path = if self.field_path.is_empty() {
            context.path.clone()
        } else {
            context.path.child(&self.field_path)
        };
        let detail = match self.message_text(message_variables, budget) {
            Ok(Some(text)) => text,
            Ok(None) if self.rule.message.is_empty() => format!("failed rule: {}", self.text()),
            Ok(None) => self.rule.message.trim().to_owned(),
            Err(detail) => {
                if !is_ratcheted {
                    errors.push(Error::invalid(&path, context.kind, detail));
                }
                return false;
            }
        };
        if !is_ratcheted {
            errors.push(self.failure(&path, context, detail));
        }
        true
    }

    fn failure(&self, path: &Path, context: &Context<'_>, detail: String) -> Error {
        let is_shown = !matches!(context.kind, "object" | "array");
        let value = is_shown.then(|| context.value.clone());
        match self.rule.reason.as_deref() {
            Some("FieldValueForbidden") => Error::forbidden(path, detail),
            Some("FieldValueRequired") => Error::required(path, detail),
            Some("FieldValueDuplicate") => Error {
                kind: ErrorKind::Duplicate,
                field: path.to_string(),
                value,
                detail: String::new(),
            },
            _ => Error {
                kind: ErrorKind::Invalid,
                field: path.to_string(),
                value,
                detail,
            },
        }
    }

    /// The text that the message expression gives, if it has a usable one. An error ends the run.
    fn message_text<'a>(
        &'a self,
        variables: &[Val<'a>],
        budget: &mut Budget,
    ) -> Result<Option<String>, String> {
        let Some(Ok(program)) = &self.message else {
            return Ok(None);
        };
        let quoted = || object::field::quote(&self.rule.message_expression);
        let evaluation = program.evaluate(variables, PER_CALL_LIMIT);
        if !budget.spend(evaluation.cost) {
            return Err(
                "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run"
                    .to_owned(),
            );
        }
        match evaluation.value {
            Ok(Val::Text(text)) => {
                let text = text.trim();
                let is_usable =
                    !text.is_empty() && text.len() <= MAX_MESSAGE && !text.contains('\n');
                Ok(is_usable.then(|| text.to_owned()))
            }
            Err(error) if error.is_limit() => Err(format!(
                "no further validation rules will be run due to call cost exceeds limit for messageExpression: {}",
                quoted()
            )),
            _ => Ok(None),
        }
    }
}

/// The correlation of the node and of the nearest node above that has one.
#[derive(Clone)]
struct Ratchet<'a> {
    current: Option<Correlation<'a>>,
    parent: Option<Correlation<'a>>,
}

impl Ratchet<'_> {
    fn is_unchanged(&self) -> bool {
        let nearest = self.current.as_ref().or(self.parent.as_ref());
        nearest.is_some_and(Correlation::is_unchanged)
    }

    fn key(&self, name: &str) -> Self {
        let Some(current) = &self.current else {
            return self.clone();
        };
        if self.parent.is_none() && matches!(name, "apiVersion" | "kind") {
            // Changes of the version cannot be seen: both objects were converted to the same one.
            return Self {
                current: None,
                parent: None,
            };
        }
        Self {
            current: current.key(name),
            parent: Some(current.clone()),
        }
    }

    fn index(&self, index: usize) -> Self {
        let Some(current) = &self.current else {
            return self.clone();
        };
        Self {
            current: current.index(index),
            parent: Some(current.clone()),
        }
    }
}
