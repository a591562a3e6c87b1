//! The options of requests: `CreateOptions`, `UpdateOptions`, `PatchOptions`, `DeleteOptions`.

use object::field::{self, Path};
use object::{GroupKind, Value};

use super::Call;
use crate::error::ApiError;
use crate::http::Query;

/// What happens to unknown and duplicate fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Validation {
    /// They are dropped.
    Ignore,
    /// They are dropped with a warning, which is the default.
    #[default]
    Warn,
    /// They are errors.
    Strict,
}

/// The options of create, update and patch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Nothing is stored.
    pub dry_run: bool,
    /// The field manager named in the request; may be empty.
    pub field_manager: String,
    /// What happens to unknown fields.
    pub validation: Validation,
    /// Server-side apply: take fields from other managers.
    pub force: Option<bool>,
}

impl WriteOptions {
    /// Reads and checks the query. `kind` is `CreateOptions`, `UpdateOptions` or `PatchOptions`;
    /// `apply` says whether a patch is a server-side apply.
    ///
    /// Source: apimachinery, `apis/meta/v1/validation`.
    pub fn read(query: &Query, kind: &str, apply: Option<bool>) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let manager = query.text("fieldManager");
        let force = query.has("force").then(|| query.is_true("force"));
        match apply {
            Some(true) if manager.is_empty() => errors.push(field::Error::required(
                &Path::new("fieldManager"),
                "is required for apply patch",
            )),
            Some(false) if force.is_some() => errors.push(field::Error::forbidden(
                &Path::new("force"),
                "may not be specified for non-apply patch",
            )),
            _ => {}
        }
        errors.extend(check_manager(manager));
        let dry_run: Vec<&str> = query.all("dryRun").collect();
        errors.extend(check_dry_run(&dry_run));
        let validation = match query.text("fieldValidation") {
            "" | "Warn" => Validation::Warn,
            "Ignore" => Validation::Ignore,
            "Strict" => Validation::Strict,
            other => {
                errors.push(field::Error::not_supported(
                    &Path::new("fieldValidation"),
                    other,
                    &["", "Ignore", "Strict", "Warn"],
                ));
                Validation::Warn
            }
        };
        invalid(kind, &errors)?;
        Ok(Self {
            dry_run: !dry_run.is_empty(),
            field_manager: manager.to_owned(),
            validation,
            force,
        })
    }

    /// The manager's name: the one given, else the user agent up to its first slash, cut to 128 bytes.
    ///
    /// Source: apiserver, `handlers/create.go`, `managerOrUserAgent`.
    pub fn manager(&self, call: &Call) -> String {
        if !self.field_manager.is_empty() {
            return self.field_manager.clone();
        }
        let agent = &call.context.user_agent;
        let agent = agent.split('/').next().unwrap_or_default();
        let mut name = String::new();
        for character in agent.chars() {
            if name.len() + character.len_utf8() > 128 {
                break;
            }
            if is_printable(character) {
                name.push(character);
            }
        }
        name
    }
}

/// Go's `unicode.IsPrint`, as far as names of managers can show it.
fn is_printable(character: char) -> bool {
    character == ' '
        || !(character.is_control()
            || character.is_whitespace()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}'))
}

fn check_manager(manager: &str) -> Vec<field::Error> {
    let path = Path::new("fieldManager");
    let mut errors = Vec::new();
    if manager.len() > 128 {
        errors.push(field::Error::too_long(&path, 128));
    }
    for (index, character) in manager.char_indices() {
        if !is_printable(character) {
            errors.push(field::Error::invalid(
                &path,
                manager,
                format!(
                    "invalid character U+{:04X} (at position {index})",
                    character as u32
                ),
            ));
        }
    }
    errors
}

fn check_dry_run(values: &[&str]) -> Option<field::Error> {
    let supported = values.iter().all(|value| *value == "All");
    (!supported).then(|| {
        field::Error::not_supported(
            &Path::new("dryRun"),
            values.iter().copied().map(Value::from).collect::<Vec<_>>(),
            &["All"],
        )
    })
}

fn invalid(kind: &str, errors: &[field::Error]) -> Result<(), ApiError> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid(
            &GroupKind::new("meta.k8s.io", kind),
            "",
            errors,
        ))
    }
}

/// What happens to the objects that an object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They stay.
    Orphan,
    /// They go later.
    Background,
    /// They go first.
    Foreground,
}

/// `DeleteOptions`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Nothing is stored.
    pub dry_run: bool,
    /// Seconds until the object goes.
    pub grace: Option<i64>,
    /// The uid it must have.
    pub uid: Option<String>,
    /// The resource version it must have.
    pub resource_version: Option<String>,
    /// What happens to what it owns.
    pub propagation: Option<Propagation>,
    /// The old form of `propagation`.
    pub orphan_dependents: Option<bool>,
}

impl DeleteOptions {
    /// The object that webhooks see.
    pub fn to_value(&self) -> Value {
        let mut value =
            serde_json::json!({"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"});
        if let Some(grace) = self.grace {
            value["gracePeriodSeconds"] = Value::from(grace);
        }
        for (key, text) in [
            ("uid", &self.uid),
            ("resourceVersion", &self.resource_version),
        ] {
            if let Some(text) = text {
                value["preconditions"][key] = Value::from(text.as_str());
            }
        }
        if let Some(orphan) = self.orphan_dependents {
            value["orphanDependents"] = Value::from(orphan);
        }
        if self.propagation.is_some() {
            value["propagationPolicy"] = Value::from(self.propagation_name());
        }
        if self.dry_run {
            value["dryRun"] = serde_json::json!(["All"]);
        }
        value
    }

    /// Reads a `DeleteOptions` object, or the query if there is none.
    pub fn read(call: &Call, body: Option<&Value>) -> Result<Self, ApiError> {
        let mut options = match body {
            Some(value) => Self::from_value(value),
            None => Self::from_query(&call.query),
        }?;
        if options.propagation.is_some() && options.orphan_dependents.is_some() {
            let error = field::Error::invalid(
                &Path::new("propagationPolicy"),
                Value::from(options.propagation_name()),
                "orphanDependents and deletionPropagation cannot be both set",
            );
            return Err(ApiError::invalid(
                &GroupKind::new("meta.k8s.io", "DeleteOptions"),
                "",
                &[error],
            ));
        }
        // A negative grace period counts as one second (registry/rest/delete.go).
        options.grace = options.grace.map(|grace| if grace < 0 { 1 } else { grace });
        Ok(options)
    }

    fn propagation_name(&self) -> &'static str {
        match self.propagation {
            Some(Propagation::Orphan) => "Orphan",
            Some(Propagation::Foreground) => "Foreground",
            Some(Propagation::Background) => "Background",
            None => "",
        }
    }

    fn from_query(query: &Query) -> Result<Self, ApiError> {
        let grace = match query.get("gracePeriodSeconds") {
            None | Some("") => None,
            Some(text) => Some(text.parse().map_err(|_| {
                ApiError::bad_request(format!(
                    "strconv.ParseInt: parsing {}: invalid syntax",
                    field::quote(text)
                ))
            })?),
        };
        let dry_run: Vec<&str> = query.all("dryRun").collect();
        let mut errors: Vec<field::Error> = Vec::new();
        let propagation = propagation(query.text("propagationPolicy"), &mut errors);
        errors.extend(check_dry_run(&dry_run));
        invalid("DeleteOptions", &errors)?;
        Ok(Self {
            dry_run: !dry_run.is_empty(),
            grace,
            propagation,
            orphan_dependents: query
                .has("orphanDependents")
                .then(|| query.is_true("orphanDependents")),
            uid: query.get("uid").map(str::to_owned),
            resource_version: None,
        })
    }

    fn from_value(value: &Value) -> Result<Self, ApiError> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let dry_run: Vec<&str> = value
            .get("dryRun")
            .and_then(Value::as_array)
            .map(|all| all.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut errors = Vec::new();
        let propagation = propagation(text("/propagationPolicy").unwrap_or_default(), &mut errors);
        errors.extend(check_dry_run(&dry_run));
        invalid("DeleteOptions", &errors)?;
        Ok(Self {
            dry_run: !dry_run.is_empty(),
            grace: value.get("gracePeriodSeconds").and_then(Value::as_i64),
            uid: text("/preconditions/uid").map(str::to_owned),
            resource_version: text("/preconditions/resourceVersion").map(str::to_owned),
            propagation,
            orphan_dependents: value.get("orphanDependents").and_then(Value::as_bool),
        })
    }
}

fn propagation(text: &str, errors: &mut Vec<field::Error>) -> Option<Propagation> {
    match text {
        "" => None,
        "Orphan" => Some(Propagation::Orphan),
        "Foreground" => Some(Propagation::Foreground),
        "Background" => Some(Propagation::Background),
        other => {
            errors.push(field::Error::not_supported(
                &Path::new("propagationPolicy"),
                other,
                &["Background", "Foreground", "Orphan", "nil"],
            ));
            None
        }
    }
}

/// Checks the `timeout` parameter, a Go duration.
pub fn check_timeout(text: &str) -> Result<(), ApiError> {
    if is_duration(text) {
        return Ok(());
    }
    let problem = if text
        .trim_start_matches(['-', '+'])
        .starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && text.ends_with(|last: char| last.is_ascii_digit())
    {
        "missing unit in duration"
    } else {
        "invalid duration"
    };
    Err(ApiError::bad_request(format!(
        "invalid timeout specified in the request URL - time: {problem} {}",
        field::quote(text)
    )))
}

/// Whether Go's `time.ParseDuration` reads a text.
fn is_duration(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if text == "0" {
        return true;
    }
    let mut rest = text;
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        if number == 0 || &rest[..number] == "." {
            return false;
        }
        rest = &rest[number..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        if !matches!(
            &rest[..unit],
            "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h"
        ) {
            return false;
        }
        rest = &rest[unit..];
    }
    !text.is_empty()
}
