//! The grammar of label selectors: `key`, `!key`, `key=value`, `key in (a,b)` … with commas between.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::field::{self, Path};

use super::label::{LabelSelector, Operator, Requirement, RequirementError, label_key};
use super::lexer::{Lexer, Token};

/// Why a text is no label selector; prints as upstream's errors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SelectorError {
    /// Something else was found than may stand there.
    #[error("found '{found}', expected: {expected}")]
    Unexpected {
        /// What was found; empty at the end.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// One requirement is wrong.
    #[error("unable to parse requirement: {0}")]
    Requirement(Box<PartError>),
}

/// What is wrong within a requirement.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PartError {
    /// Something else was found than may stand there.
    #[error("found '{found}', expected: {expected}")]
    Unexpected {
        /// What was found; empty at the end.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// No parenthesis opens after `in` or `notin`.
    #[error("found '{found}' expected: '('")]
    NoList {
        /// What was found; empty at the end.
        found: String,
    },
    /// The label cannot be one.
    #[error("{0}")]
    Key(field::Error),
    /// A value cannot be one.
    #[error("{0}")]
    Values(RequirementError),
}

fn unexpected(found: &str, expected: &'static str) -> PartError {
    PartError::Unexpected {
        found: found.to_owned(),
        expected,
    }
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Self::parse(text)
    }
}

impl LabelSelector {
    /// Reads a selector such as `app=web,tier in (a,b),!old`.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        Self::parse_at(text, &Path::root())
    }

    /// Reads a selector; field errors are named from `path`.
    pub fn parse_at(text: &str, path: &Path) -> Result<Self, SelectorError> {
        let mut lexer = Lexer::new(text);
        let ahead = lexer.next();
        Parser { lexer, ahead, path }.selector().map(Self::new)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: (Token, &'a str),
    path: &'a Path,
}

/// `in` and `notin` are words like others where no operator can stand.
fn as_value((token, text): (Token, &str)) -> (Token, &str) {
    match token {
        Token::In | Token::NotIn => (Token::Identifier, text),
        token => (token, text),
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token {
        as_value(self.ahead).0
    }

    fn take(&mut self) -> (Token, &'a str) {
        let taken = self.ahead;
        self.ahead = self.lexer.next();
        taken
    }

    fn take_value(&mut self) -> (Token, &'a str) {
        as_value(self.take())
    }

    fn selector(&mut self) -> Result<Vec<Requirement>, SelectorError> {
        let unexpected = |found: &str, expected| {
            Err(SelectorError::Unexpected {
                found: found.to_owned(),
                expected,
            })
        };
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::Identifier | Token::Not => {
                    let requirement = self.requirement();
                    requirements.push(
                        requirement.map_err(|error| SelectorError::Requirement(error.into()))?,
                    );
                    match self.take_value() {
                        (Token::End, _) => return Ok(requirements),
                        (Token::Comma, _) => {
                            if !matches!(self.peek(), Token::Identifier | Token::Not) {
                                return unexpected(self.ahead.1, "identifier after ','");
                            }
                        }
                        (_, found) => return unexpected(found, "',' or 'end of string'"),
                    }
                }
                Token::End => return Ok(requirements),
                _ => return unexpected(self.ahead.1, "!, identifier, or 'end of string'"),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, PartError> {
        let mut operator = Operator::Exists;
        let (mut token, mut key) = self.take_value();
        if token == Token::Not {
            operator = Operator::DoesNotExist;
            (token, key) = self.take_value();
        }
        if token != Token::Identifier {
            return Err(unexpected(key, "identifier"));
        }
        if let Some(error) = label_key(self.path, key) {
            return Err(PartError::Key(error));
        }
        // Upstream quirk, kept: after `!key` nothing is read, so that `!a=b` fails at the `=`.
        let is_alone = matches!(self.peek(), Token::End | Token::Comma);
        let values = if is_alone || operator == Operator::DoesNotExist {
            BTreeSet::new()
        } else {
            operator = self.operator()?;
            match operator {
                Operator::In | Operator::NotIn => self.values()?,
                _ => BTreeSet::from([self.exact_value()?]),
            }
        };
        let values = values.into_iter().map(str::to_owned).collect();
        Requirement::at(self.path, key, operator, values).map_err(PartError::Values)
    }

    fn operator(&mut self) -> Result<Operator, PartError> {
        let (token, text) = self.take();
        Ok(match token {
            Token::In => Operator::In,
            Token::NotIn => Operator::NotIn,
            Token::Equals => Operator::Equals,
            Token::DoubleEquals => Operator::DoubleEquals,
            Token::NotEquals => Operator::NotEquals,
            Token::Greater => Operator::GreaterThan,
            Token::Less => Operator::LessThan,
            _ => return Err(unexpected(text, "in, notin, =, ==, !=, gt, lt")),
        })
    }

    fn exact_value(&mut self) -> Result<&'a str, PartError> {
        if matches!(self.peek(), Token::End | Token::Comma) {
            return Ok("");
        }
        match self.take_value() {
            (Token::Identifier, text) => Ok(text),
            (_, text) => Err(unexpected(text, "identifier")),
        }
    }

    /// The values in parentheses. They are a set: sorted, each once.
    fn values(&mut self) -> Result<BTreeSet<&'a str>, PartError> {
        let (token, found) = self.take_value();
        if token != Token::Open {
            return Err(PartError::NoList {
                found: found.to_owned(),
            });
        }
        match self.peek() {
            Token::Identifier | Token::Comma => {
                let values = self.list()?;
                // The list ends where the parenthesis closes.
                self.take_value();
                Ok(values)
            }
            Token::Close => {
                self.take_value();
                Ok(BTreeSet::from([""]))
            }
            _ => Err(unexpected(self.ahead.1, "',', ')' or identifier")),
        }
    }

    fn list(&mut self) -> Result<BTreeSet<&'a str>, PartError> {
        let mut values = BTreeSet::new();
        loop {
            match self.take_value() {
                (Token::Identifier, text) => {
                    values.insert(text);
                    match self.peek() {
                        Token::Comma => {}
                        Token::Close => return Ok(values),
                        _ => return Err(unexpected(self.ahead.1, "',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.insert("");
                    }
                    match self.peek() {
                        Token::Close => {
                            values.insert("");
                            return Ok(values);
                        }
                        Token::Comma => {
                            values.insert("");
                        }
                        _ => {}
                    }
                }
                (_, text) => return Err(unexpected(text, "',', or identifier")),
            }
        }
    }
}
