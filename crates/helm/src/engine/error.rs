//! Helm's forms of template errors.

use gotemplate::{CallError, ExecError};

use crate::Compat;

/// What marks a message of `fail` and `required` within an error.
pub(super) const WARN_START: &str = "HELM_ERR_START";
/// The end of such a message.
pub(super) const WARN_END: &str = "HELM_ERR_END";

/// Source: Helm `cleanupParseError`.
pub(super) fn parse_error(name: &str, error: &str) -> String {
    let parts: Vec<&str> = error.split(": ").collect();
    match parts.as_slice() {
        [_] | [] => format!("parse error in ({name}): {error}"),
        [_, location, ..] => format!("parse error at ({location}): {}", parts[parts.len() - 1]),
    }
}

/// One place on the way to an error.
#[derive(PartialEq)]
struct Place {
    location: String,
    executing: String,
    message: String,
}

impl Place {
    fn text(&self) -> String {
        let mut out = String::new();
        if !self.location.is_empty() {
            out.push_str(&self.location);
            out.push_str("\n  ");
        }
        if !self.executing.is_empty() {
            out.push_str(&self.executing);
            out.push_str("\n    ");
        }
        if !self.message.is_empty() {
            out.push_str(&self.message);
            out.push('\n');
        }
        out
    }
}

/// The message up to an error of another template within it.
fn own_message(message: &str) -> String {
    message
        .split(" template:")
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn place(error: &str) -> Option<Place> {
    let rest = error.strip_prefix("template: ")?;
    if rest.starts_with("no template ") {
        return Some(Place {
            location: String::new(),
            executing: String::new(),
            message: error.to_owned(),
        });
    }
    if let Some(place) = executing_place(rest) {
        return Some(place);
    }
    let (location, message) = rest.rsplit_once(": ")?;
    Some(Place {
        location: location.to_owned(),
        executing: String::new(),
        message: own_message(message),
    })
}

fn executing_place(rest: &str) -> Option<Place> {
    let (location, after) = rest.split_once(": executing ")?;
    let (function, after) = after.strip_prefix('"')?.split_once('"')?;
    let (node, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
    Some(Place {
        location: location.to_owned(),
        executing: format!("executing \"{function}\" at <{node}>:"),
        message: own_message(message),
    })
}

/// The error of a template with the places on the way to it. Source: Helm `reformatExecErrorMsg`.
///
/// Helm 3 gives Go's error as it is.
pub(super) fn exec_error(name: &str, error: &ExecError, compat: Compat) -> String {
    let whole = error.to_string();
    let mut parts = whole.splitn(3, ": ");
    let (Some(_), Some(location), Some(message)) = (parts.next(), parts.next(), parts.next())
    else {
        return format!("execution error in ({name}): {whole}");
    };
    if let Some(start) = message.find(WARN_START)
        && let Some(end) = message.rfind(WARN_END)
        && start + WARN_START.len() <= end
    {
        return format!(
            "execution error at ({location}): {}",
            &message[start + WARN_START.len()..end]
        );
    }
    if compat.is_v3() {
        return whole;
    }
    let mut places: Vec<Place> = Vec::new();
    let mut current = Some(whole.clone());
    let mut cause: Option<&CallError> = error.cause.as_deref();
    while let Some(text) = current {
        let Some(place) = place(&text) else {
            return whole;
        };
        if places.last() != Some(&place) {
            places.push(place);
        }
        current = cause.map(CallError::to_string);
        cause = cause.and_then(CallError::cause);
    }
    let text: String = places.iter().map(Place::text).collect();
    text.trim().to_owned()
}
