//! Who asks, and what the answer should carry besides the object.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// An authenticated user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The name RBAC knows, such as `system:serviceaccount:flux-system:kustomize-controller`.
    pub name: String,
    /// The uid; may be empty.
    pub uid: String,
    /// The groups, `system:authenticated` included.
    pub groups: Vec<String>,
    /// What the authenticator says besides.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user of the control plane itself, who may do everything.
    pub fn system(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            groups: vec![
                "system:masters".to_owned(),
                "system:authenticated".to_owned(),
            ],
            ..Self::default()
        }
    }

    /// The user of a request without credentials.
    pub fn anonymous() -> Self {
        Self {
            name: "system:anonymous".to_owned(),
            groups: vec!["system:unauthenticated".to_owned()],
            ..Self::default()
        }
    }

    /// Whether the user is in a group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}

/// One request: the user, the client's name, and the warnings gathered on the way.
#[derive(Debug, Default)]
pub struct Context {
    /// Who asks (after impersonation).
    pub user: User,
    /// The `User-Agent` header: the field manager's default name comes from it.
    pub user_agent: String,
    warnings: Mutex<Vec<String>>,
}

impl Context {
    /// The context of a request.
    pub fn new(user: User, user_agent: impl Into<String>) -> Self {
        Self {
            user,
            user_agent: user_agent.into(),
            warnings: Mutex::default(),
        }
    }

    /// Adds a warning for the client; one that was given before is not repeated.
    ///
    /// Source: apiserver, `endpoints/filters/warning.go`.
    pub fn warn(&self, text: impl Into<String>) {
        let text = text.into();
        let mut warnings = self.warnings.lock();
        if !text.is_empty() && !warnings.contains(&text) {
            warnings.push(text);
        }
    }

    /// Takes the warnings gathered so far.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock())
    }
}
