//! The rules in a schema: their form, whether they compile, and what they can cost.

use object::field::{Error, ErrorList, Path};
use serde_json::Value;

use super::super::spec::invalid_shown;
use super::{Json, Place, Walk, go, is_set, list, text};
use crate::cel::shape::MAX_REQUEST;
use crate::rules::{compile_rule, resolve_field_path, shape_of};
use crate::schema::Schema;

const KEY: &str = "x-kubernetes-validations";
/// The most that a rule may cost by its estimate.
const MAX_COST: u64 = 10_000_000;
/// Rules below this are not named when all together cost too much.
const NOTABLE_COST: u64 = 1_000_000;
const REASONS: [&str; 4] = [
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
];

/// How often a schema can apply to parts of one object; `None` if there is no bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cardinality(Option<u64>);

impl Cardinality {
    pub(super) fn root() -> Self {
        Self(Some(1))
    }

    /// The cardinality of what is below `schema`.
    pub(super) fn below(self, schema: &Json) -> Self {
        let bound = |key: &str| {
            schema
                .get(key)
                .and_then(Value::as_i64)
                .map(|bound| bound.max(0) as u64)
        };
        let elements = match text(schema, "type") {
            "object" if is_set(schema, "additionalProperties") => bound("maxProperties"),
            "array" => bound("maxItems"),
            _ => Some(1),
        };
        Self(
            self.0
                .zip(elements)
                .map(|(own, elements)| own.saturating_mul(elements)),
        )
    }
}

/// The cost of all rules of a schema.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    pub(crate) total: u64,
    /// The places of the most expensive rules, at most four.
    pub(crate) most_expensive: Vec<Path>,
    costs: Vec<u64>,
}

impl Cost {
    fn observe(&mut self, path: Path, cost: u64) {
        self.total = self.total.saturating_add(cost);
        if cost < NOTABLE_COST {
            return;
        }
        let at = self
            .costs
            .iter()
            .position(|other| *other < cost)
            .unwrap_or(self.costs.len());
        self.costs.insert(at, cost);
        self.most_expensive.insert(at, path);
        self.costs.truncate(4);
        self.most_expensive.truncate(4);
    }
}

/// The message about a cost beyond its limit.
pub(crate) fn cost_message(what: &str, cost: u64, limit: u64) -> String {
    let factor = cost as f64 / limit as f64;
    let factor = if factor > 100.0 {
        "more than 100x".to_owned()
    } else if factor < 1.5 {
        format!("{factor:.6}x")
    } else {
        format!("{factor:.1}x")
    };
    format!(
        "{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
}

fn has_line_break(text: &str) -> bool {
    text.contains(['\n', '\r'])
}

impl Walk<'_> {
    pub(super) fn rules(
        &mut self,
        schema: &Json,
        path: &Path,
        place: &Place,
        is_root: bool,
        is_clean: bool,
        cardinality: Option<Cardinality>,
    ) {
        let rules = list(schema, KEY);
        if rules.is_empty() {
            return;
        }
        let errors_before = self.schema_errors.len();
        let read = Schema::read(&Value::Object(schema.clone()));
        for (index, rule) in rules.iter().enumerate() {
            let path = path.child(KEY).index(index);
            form(rule, read.as_ref().ok(), &path, &mut self.schema_errors);
        }
        let Some(cardinality) = cardinality else {
            return;
        };
        if !is_clean || self.schema_errors.len() != errors_before {
            return;
        }
        let Ok(read) = read else { return };
        let path = path.child(KEY);
        let shape = shape_of(&read, is_root);
        if !shape.declared {
            self.rule_errors.push(Error::internal(
                &path,
                "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations",
            ));
            return;
        }
        let unbounded = (MAX_REQUEST / (shape.min_size + 1)).max(0) as u64;
        let times = cardinality.0.unwrap_or(unbounded);
        for (index, rule) in read.rules.iter().enumerate() {
            let compiled = compile_rule(&read, &shape, rule);
            self.compiled(&compiled, &rules[index], &path.index(index), times, place);
        }
    }

    fn compiled(
        &mut self,
        compiled: &crate::rules::CompiledRule,
        json: &Value,
        path: &Path,
        times: u64,
        place: &Place,
    ) {
        let errors = &mut self.rule_errors;
        let rule_path = path.child("rule");
        let own = match &compiled.program {
            Ok(Some(program)) => program.max_cost(),
            _ => 0,
        };
        let cost = own.saturating_mul(times);
        if !self.suppress_cost && cost > MAX_COST {
            let detail = cost_message("estimated rule cost", cost, MAX_COST);
            errors.push(Error::forbidden(&rule_path, detail));
        }
        self.cost.observe(rule_path.clone(), cost);
        if let Err(detail) = &compiled.program {
            errors.push(invalid_shown(&rule_path, &go::rule(json), detail.as_str()));
        }
        let message_path = path.child("messageExpression");
        match &compiled.message {
            Some(Err(detail)) => errors.push(invalid_shown(
                &message_path,
                &go::rule(json),
                detail.as_str(),
            )),
            Some(Ok(program)) => {
                let cost = program.max_cost();
                if !self.suppress_cost && cost > MAX_COST {
                    let detail = cost_message("estimated messageExpression cost", cost, MAX_COST);
                    errors.push(Error::forbidden(&message_path, detail));
                }
                self.cost.observe(message_path, cost);
            }
            None => {}
        }
        if compiled.uses_old_self {
            if let Some(above) = &place.uncorrelatable {
                let detail = format!(
                    "oldSelf cannot be used on the uncorrelatable portion of the schema within {above}"
                );
                errors.push(Error::invalid(
                    &rule_path,
                    compiled.rule.rule.as_str(),
                    detail,
                ));
            }
        } else if let Some(optional) = compiled.rule.optional_old_self {
            let detail = "may not be set if oldSelf is not used in rule";
            errors.push(Error::invalid(
                &path.child("optionalOldSelf"),
                optional,
                detail,
            ));
        }
    }
}

fn form(rule: &Value, schema: Option<&Schema>, path: &Path, errors: &mut ErrorList) {
    let text = |key: &str| rule.get(key).and_then(Value::as_str).unwrap_or_default();
    let (expression, message) = (text("rule"), text("message"));
    let trimmed_message = message.trim();
    let message_path = path.child("message");
    if expression.trim().is_empty() {
        errors.push(Error::required(
            &path.child("rule"),
            "rule is not specified",
        ));
    } else if !message.is_empty() && trimmed_message.is_empty() {
        errors.push(Error::invalid(
            &message_path,
            message,
            "must be non-empty if specified",
        ));
    } else if has_line_break(trimmed_message) {
        errors.push(Error::invalid(
            &message_path,
            message,
            "must not contain line breaks",
        ));
    } else if has_line_break(expression.trim()) && trimmed_message.is_empty() {
        let detail = "message must be specified if rule contains line breaks";
        errors.push(Error::required(&message_path, detail));
    }
    let message_expression = text("messageExpression");
    if !message_expression.is_empty() && message_expression.trim().is_empty() {
        let detail = "messageExpression must be non-empty if specified";
        errors.push(Error::required(&path.child("messageExpression"), detail));
    }
    if let Some(reason) = rule.get("reason").and_then(Value::as_str)
        && !REASONS.contains(&reason)
    {
        errors.push(Error::not_supported(
            &path.child("reason"),
            reason,
            &REASONS,
        ));
    }
    let field_path = text("fieldPath");
    if field_path.is_empty() {
        return;
    }
    let place = path.child("fieldPath");
    if field_path.trim().is_empty() {
        errors.push(Error::invalid(
            &place,
            field_path,
            "must be non-empty if specified",
        ));
    }
    if has_line_break(field_path) {
        errors.push(Error::invalid(
            &place,
            field_path,
            "must not contain line breaks",
        ));
    }
    if schema.is_some_and(|schema| resolve_field_path(field_path, schema).is_err()) {
        errors.push(Error::invalid(&place, field_path, "must be a valid path"));
    }
}
