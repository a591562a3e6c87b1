//! Substitution of `${variables}` in texts, with the operators of a shell that Flux knows.
//!
//! ```
//! let lookup = |name: &str| (name == "env").then(|| b"prod".to_vec());
//! let text = kustomize::envsubst::substitute(b"${env}-${region:=eu} $${kept}", &lookup, false)?;
//! assert_eq!(text, b"prod-eu ${kept}");
//! # Ok::<(), kustomize::envsubst::SubstituteError>(())
//! ```
//!
//! Source: Flux, `pkg/envsubst` v1.7. Its deviations from a shell are kept: `${x-d}` is an error, `${x:?e}`
//! and `${x:+y}` mean the same as `${x:-y}`, lengths and offsets count bytes, `$x` is text, and a NUL ends
//! the text.

mod functions;
mod parse;

/// Why a text cannot be substituted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubstituteError {
    /// An operator is not well formed.
    #[error("bad substitution")]
    BadSubstitution,
    /// A `${name` without its end, or with an operator that there is not.
    #[error("missing closing brace")]
    MissingClosingBrace,
    /// No name after `${`.
    #[error("unable to parse variable name")]
    VariableName,
    /// An argument of an operator is missing or not well formed.
    #[error("unable to parse substitution within function")]
    Argument,
    /// A default without an operator.
    #[error("unable to parse default function")]
    Default,
    /// The variable has no value, and no default is given.
    #[error("variable not set (strict mode): {0:?}")]
    NotSet(String),
    /// A length that ends before its offset (upstream panics).
    #[error("slice bounds out of range")]
    Bounds,
    /// Substitutions within substitutions beyond what anyone writes.
    #[error("substitutions are nested too deeply")]
    TooDeep,
}

/// A part of a text.
#[derive(Debug)]
enum Node {
    Text(Vec<u8>),
    Call {
        variable: String,
        /// The operator; empty for none.
        operator: String,
        arguments: Vec<Node>,
    },
}

/// Replaces `${…}` in `text` by what `lookup` gives. Without `strict`, what is not set is empty.
///
/// # Errors
/// A substitution is not well formed, or a variable without a default is not set although `strict`.
pub fn substitute(
    text: &[u8],
    lookup: &dyn Fn(&str) -> Option<Vec<u8>>,
    strict: bool,
) -> Result<Vec<u8>, SubstituteError> {
    let nodes = parse::parse(text)?;
    let mut output = Vec::with_capacity(text.len());
    for node in &nodes {
        evaluate(node, lookup, strict, &mut output)?;
    }
    Ok(output)
}

fn evaluate(
    node: &Node,
    lookup: &dyn Fn(&str) -> Option<Vec<u8>>,
    strict: bool,
    output: &mut Vec<u8>,
) -> Result<(), SubstituteError> {
    let (variable, operator, arguments) = match node {
        Node::Text(text) => {
            output.extend_from_slice(text);
            return Ok(());
        }
        Node::Call {
            variable,
            operator,
            arguments,
        } => (variable, operator, arguments),
    };
    let mut values = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let mut value = Vec::new();
        evaluate(argument, lookup, strict, &mut value)?;
        values.push(value);
    }
    let value = lookup(variable);
    if value.is_none() && strict && !gives_default(operator) {
        return Err(SubstituteError::NotSet(variable.clone()));
    }
    output.extend(functions::apply(
        operator,
        value.unwrap_or_default(),
        &values,
    )?);
    Ok(())
}

/// Whether the operator says what an unset variable is.
fn gives_default(operator: &str) -> bool {
    matches!(operator, "-" | "+" | "=" | "?" | ":-" | ":+" | ":=" | ":?")
}

#[cfg(test)]
mod tests;
