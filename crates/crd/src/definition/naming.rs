//! Which of a definition's names are free, and the conditions that follow.
//!
//! Source: apiextensions-apiserver `pkg/controller/status/naming_controller.go`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The names of one definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The resource, such as `widgets`.
    pub plural: String,
    /// The singular of it.
    pub singular: String,
    /// Abbreviations.
    pub short_names: Vec<String>,
    /// The kind.
    pub kind: String,
    /// The kind of lists.
    pub list_kind: String,
    /// The groups of resources to which it belongs.
    pub categories: Vec<String>,
}

/// The names that others in the group have accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcceptedNames {
    /// Resources, singulars and abbreviations.
    pub resources: BTreeSet<String>,
    /// Kinds and kinds of lists.
    pub kinds: BTreeSet<String>,
}

/// A condition of a definition, without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `NamesAccepted` or `Established`.
    pub kind: &'static str,
    /// Whether it holds.
    pub status: bool,
    /// Why, in one word.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub message: String,
}

/// The outcome of asking for names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The names that the definition has now.
    pub accepted: Names,
    /// Whether all were accepted, and why not.
    pub names_accepted: Condition,
    /// Whether the definition can be served; `None` leaves the condition as it is.
    pub established: Option<Condition>,
}

impl Names {
    /// Reads `spec.names` or `status.acceptedNames`.
    pub fn read(names: &Value) -> Self {
        let text = |key: &str| {
            names
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let texts = |key: &str| {
            let list = names
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            plural: text("plural"),
            singular: text("singular"),
            short_names: texts("shortNames"),
            kind: text("kind"),
            list_kind: text("listKind"),
            categories: texts("categories"),
        }
    }

    /// The names as `status.acceptedNames` has them.
    pub fn to_json(&self) -> Value {
        let mut names = json!({"plural": self.plural, "kind": self.kind});
        for (key, value) in [("singular", &self.singular), ("listKind", &self.list_kind)] {
            if !value.is_empty() {
                names[key] = value.as_str().into();
            }
        }
        for (key, value) in [
            ("shortNames", &self.short_names),
            ("categories", &self.categories),
        ] {
            if !value.is_empty() {
                names[key] = json!(value);
            }
        }
        names
    }
}

impl AcceptedNames {
    /// Adds the accepted names of another definition.
    pub fn add(&mut self, names: &Names) {
        self.resources.insert(names.plural.clone());
        self.resources.insert(names.singular.clone());
        self.resources.extend(names.short_names.iter().cloned());
        self.kinds.insert(names.kind.clone());
        self.kinds.insert(names.list_kind.clone());
    }
}

fn taken(requested: &str, name: &str, others: &BTreeSet<String>) -> Result<(), String> {
    if requested != name && others.contains(requested) {
        Err(format!(
            "{} is already in use",
            object::field::quote(requested)
        ))
    } else {
        Ok(())
    }
}

/// Decides which of the `requested` names a definition gets that has `current` ones, when `others` of
/// its group have theirs. `was_established` tells whether it is served already.
pub fn accept(
    requested: &Names,
    current: &Names,
    others: &AcceptedNames,
    was_established: bool,
) -> Acceptance {
    let mut accepted = current.clone();
    let mut failure: Option<(&'static str, String)> = None;
    let mut refuse = |reason: &'static str, message: String| {
        failure = Some((reason, message));
    };
    match taken(&requested.plural, &current.plural, &others.resources) {
        Ok(()) => accepted.plural.clone_from(&requested.plural),
        Err(message) => refuse("PluralConflict", message),
    }
    match taken(&requested.singular, &current.singular, &others.resources) {
        Ok(()) => accepted.singular.clone_from(&requested.singular),
        Err(message) => refuse("SingularConflict", message),
    }
    if requested.short_names != current.short_names {
        let problems: Vec<String> = requested
            .short_names
            .iter()
            .filter(|name| !current.short_names.contains(name))
            .filter_map(|name| taken(name, "", &others.resources).err())
            .collect();
        match problems.as_slice() {
            [] => accepted.short_names.clone_from(&requested.short_names),
            [one] => refuse("ShortNamesConflict", one.clone()),
            many => refuse("ShortNamesConflict", format!("[{}]", many.join(", "))),
        }
    }
    match taken(&requested.kind, &current.kind, &others.kinds) {
        Ok(()) => accepted.kind.clone_from(&requested.kind),
        Err(message) => refuse("KindConflict", message),
    }
    match taken(&requested.list_kind, &current.list_kind, &others.kinds) {
        Ok(()) => accepted.list_kind.clone_from(&requested.list_kind),
        Err(message) => refuse("ListKindConflict", message),
    }
    accepted.categories.clone_from(&requested.categories);
    let is_accepted = failure.is_none();
    let (reason, message) = failure.unwrap_or(("NoConflicts", "no conflicts found".to_owned()));
    let established = match (was_established, is_accepted) {
        (true, _) => None,
        (false, true) => Some(Condition {
            kind: "Established",
            status: true,
            reason: "InitialNamesAccepted",
            message: "the initial names have been accepted".to_owned(),
        }),
        (false, false) => Some(Condition {
            kind: "Established",
            status: false,
            reason: "NotAccepted",
            message: "not all names are accepted".to_owned(),
        }),
    };
    Acceptance {
        accepted,
        names_accepted: Condition {
            kind: "NamesAccepted",
            status: is_accepted,
            reason,
            message,
        },
        established,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_is_refused() {
        let requested = Names {
            plural: "widgets".to_owned(),
            kind: "Widget".to_owned(),
            ..Names::default()
        };
        let mut others = AcceptedNames::default();
        let free = accept(&requested, &Names::default(), &others, false);
        assert!(
            free.names_accepted.status
                && free.established.is_some_and(|condition| condition.status)
        );
        others.add(&Names {
            plural: "widgets".to_owned(),
            ..Names::default()
        });
        let refused = accept(&requested, &Names::default(), &others, false);
        assert_eq!(refused.names_accepted.reason, "PluralConflict");
        assert_eq!(
            refused.names_accepted.message,
            "\"widgets\" is already in use"
        );
        assert_eq!(refused.accepted.plural, "");
    }
}
