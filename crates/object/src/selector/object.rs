//! The `LabelSelector` object of specs, and its text form.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::field::quote;
use crate::goprint::sorted;

use super::label::{LabelSelector, Operator, Requirement, RequirementError};
use super::parser::SelectorError;

/// Why a `LabelSelector` object is no selector.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ObjectError {
    /// An expression's operator is none.
    #[error("{} is not a valid label selector operator", quote(.0))]
    Operator(String),
    /// A label or a value cannot be one.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
}

/// Why a selector cannot be written in a simpler form.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TextError {
    /// The text is no selector.
    #[error("couldn't parse the selector string \"{text}\": {source}")]
    Parse {
        /// The text.
        text: String,
        /// What is wrong.
        source: SelectorError,
    },
    /// Objects know no comparison of numbers.
    #[error("{} isn't supported in label selectors", quote(.0))]
    NotSupported(&'static str),
    /// Objects know no `!=`.
    #[error("{} is not a valid label selector operator", quote(.0))]
    LabelOperator(&'static str),
    /// An `In` of several values is no plain label.
    #[error("operator {} without a single value cannot be converted into the old label selector format", quote(.0))]
    NotSingle(String),
    /// The operator cannot be a plain label.
    #[error("operator {} cannot be converted into the old label selector format", quote(.0))]
    NotPlain(String),
    /// An expression's operator is none.
    #[error("{} is not a valid selector operator", quote(.0))]
    Operator(String),
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn expressions(selector: &Value) -> &[Value] {
    let list = selector.get("matchExpressions").and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn match_labels(selector: &Value) -> Vec<(&str, &str)> {
    let Some(labels) = selector.get("matchLabels").and_then(Value::as_object) else {
        return Vec::new();
    };
    let entries = sorted(labels).into_iter();
    entries
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
        .collect()
}

fn values(expression: &Value) -> Vec<String> {
    let list = expression.get("values").and_then(Value::as_array);
    let texts = list.into_iter().flatten();
    texts
        .map(|value| value.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The selector of a `LabelSelector` object: an empty one selects everything, and `null` nothing
/// (`LabelSelectorAsSelector`).
pub fn from_object(selector: &Value) -> Result<LabelSelector, ObjectError> {
    if selector.is_null() {
        return Ok(LabelSelector::nothing());
    }
    let mut requirements = Vec::new();
    for (key, value) in match_labels(selector) {
        let values = vec![value.to_owned()];
        requirements.push(Requirement::new(key, Operator::Equals, values)?);
    }
    for expression in expressions(selector) {
        let operator = match text(expression, "operator") {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return Err(ObjectError::Operator(other.to_owned())),
        };
        let key = text(expression, "key");
        requirements.push(Requirement::new(key, operator, values(expression))?);
    }
    Ok(LabelSelector::new(requirements))
}

/// A `LabelSelector` object in a line, as `kubectl describe` shows it (`FormatLabelSelector`).
pub fn format_label_selector(selector: &Value) -> String {
    match from_object(selector) {
        Err(_) => "<error>".to_owned(),
        Ok(selector) => {
            let text = selector.to_string();
            if text.is_empty() {
                "<none>".to_owned()
            } else {
                text
            }
        }
    }
}

/// The plain labels that a `LabelSelector` object wants (`LabelSelectorAsMap`).
pub fn to_map(selector: &Value) -> Result<BTreeMap<String, String>, TextError> {
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let mut labels: BTreeMap<_, _> = match_labels(selector).into_iter().map(owned).collect();
    for expression in expressions(selector) {
        let operator = text(expression, "operator");
        match operator {
            "In" => {
                let mut values = values(expression);
                if values.len() != 1 {
                    return Err(TextError::NotSingle(operator.to_owned()));
                }
                labels.insert(text(expression, "key").to_owned(), values.remove(0));
            }
            "NotIn" | "Exists" | "DoesNotExist" => {
                return Err(TextError::NotPlain(operator.to_owned()));
            }
            other => return Err(TextError::Operator(other.to_owned())),
        }
    }
    Ok(labels)
}

/// The `LabelSelector` object of a selector in text form (`ParseToLabelSelector`).
pub fn to_object(text: &str) -> Result<Value, TextError> {
    let selector = LabelSelector::parse(text).map_err(|source| TextError::Parse {
        text: text.to_owned(),
        source,
    })?;
    let mut labels = Map::new();
    let mut expressions = Vec::new();
    for one in selector.requirements() {
        let operator = match one.operator() {
            Operator::Equals | Operator::DoubleEquals => {
                let value = one.values().first().cloned().unwrap_or_default();
                labels.insert(one.key().to_owned(), value.into());
                continue;
            }
            Operator::In => "In",
            Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            Operator::GreaterThan | Operator::LessThan => {
                return Err(TextError::NotSupported(one.operator().name()));
            }
            Operator::NotEquals => {
                return Err(TextError::LabelOperator(one.operator().name()));
            }
        };
        let mut expression = json!({"key": one.key(), "operator": operator});
        if !one.values().is_empty() {
            expression["values"] = json!(one.values());
        }
        expressions.push(expression);
    }
    let mut object = Map::new();
    if !labels.is_empty() {
        object.insert("matchLabels".to_owned(), labels.into());
    }
    if !expressions.is_empty() {
        object.insert("matchExpressions".to_owned(), expressions.into());
    }
    Ok(object.into())
}
