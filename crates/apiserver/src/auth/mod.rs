//! Who asks, and whether they may.

pub mod escalation;
mod impersonation;
mod rbac;
pub mod review;
pub mod service_account;
mod tokens;

use std::path::Path;

use http::HeaderMap;

use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::http::RequestInfo;

pub use rbac::{Rbac, Rule};
pub use service_account::{KeyError, TokenIssuer};
pub use tokens::{StaticTokens, TokenFileError};

/// What authentication and authorization keep between requests.
pub struct Auth {
    /// Roles and bindings, indexed.
    pub rbac: Rbac,
    /// Signs and checks the tokens of service accounts.
    pub issuer: TokenIssuer,
}

impl Auth {
    /// With the signing key of a directory; see [`TokenIssuer::open`].
    pub fn open(directory: Option<&Path>) -> Result<Self, KeyError> {
        Ok(Self {
            rbac: Rbac::default(),
            issuer: TokenIssuer::open(directory)?,
        })
    }
}

/// What a request wants to do, as RBAC sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `get`, `list`, `watch`, `create` …; for other paths the method in small letters.
    pub verb: String,
    /// Whether it is about a resource.
    pub is_resource: bool,
    /// The group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The resource.
    pub resource: String,
    /// The subresource; may be empty.
    pub subresource: String,
    /// The namespace; empty for the cluster.
    pub namespace: String,
    /// The object's name; may be empty.
    pub name: String,
    /// The path of a request that is not about a resource.
    pub path: String,
}

impl Attributes {
    /// The attributes of a request.
    pub fn of(info: &RequestInfo) -> Self {
        Self {
            verb: info.verb.clone(),
            is_resource: info.is_resource,
            group: info.group.clone(),
            version: info.version.clone(),
            resource: info.resource.clone(),
            subresource: info.subresource.clone(),
            namespace: info.namespace.clone(),
            name: info.name.clone(),
            path: info.path.clone(),
        }
    }
}

/// What authorization answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead, and why.
    Allow(String),
    /// No; what the authorizer has to say besides (may be empty).
    Deny(String),
}

/// Finds the user of a request: a static token, a service account's token, or nobody.
pub fn authenticate(core: &Core, headers: &HeaderMap) -> Result<User, ApiError> {
    let Some(header) = headers.get(http::header::AUTHORIZATION) else {
        return Ok(User::anonymous());
    };
    let token = header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match token {
        // Other schemes are not looked at by any authenticator.
        None | Some("") => Ok(User::anonymous()),
        Some(token) => authenticate_token(core, token, std::slice::from_ref(&core.config.issuer))
            .map(|(user, _)| user)
            .ok_or_else(ApiError::unauthorized),
    }
}

/// The user of a token and the audiences it is good for, if it is good for one of `audiences`.
///
/// Static tokens are good for the server itself, whose only audience is its issuer.
pub fn authenticate_token(
    core: &Core,
    token: &str,
    audiences: &[String],
) -> Option<(User, Vec<String>)> {
    if let Some(user) = core.config.tokens.user(token) {
        return audiences
            .contains(&core.config.issuer)
            .then(|| (user, vec![core.config.issuer.clone()]));
    }
    service_account::authenticate(core, token, audiences)
}

/// Acts on the `Impersonate-*` headers: gives the user that the request acts as.
pub fn impersonate(core: &Core, user: User, headers: &HeaderMap) -> Result<User, ApiError> {
    impersonation::act_as(core, user, headers)
}

/// Decides whether a user may.
pub fn authorize(core: &Core, user: &User, attributes: &Attributes) -> Decision {
    if user.is_in("system:masters") {
        return Decision::Allow(String::new());
    }
    core.auth.rbac.authorize(core, user, attributes)
}

/// All rules that apply to a user in a namespace, and what went wrong while looking for them.
pub fn rules_for(core: &Core, user: &User, namespace: &str) -> (Vec<Rule>, String) {
    let (mut rules, errors) = core.auth.rbac.rules_for(core, user, namespace);
    if user.is_in("system:masters") {
        let all = || vec!["*".to_owned()];
        let resources = Rule {
            verbs: all(),
            api_groups: all(),
            resources: all(),
            ..Rule::default()
        };
        let paths = Rule {
            verbs: all(),
            non_resource_urls: all(),
            ..Rule::default()
        };
        rules.splice(0..0, [resources, paths]);
    }
    (rules, errors)
}

/// What the answer says to a user who may not. Source: apiserver, `responsewriters.forbiddenMessage`.
pub fn denial(user: &str, attributes: &Attributes) -> String {
    let user = object::field::quote(user);
    let verb = &attributes.verb;
    if !attributes.is_resource {
        return format!("User {user} cannot {verb} path \"{}\"", attributes.path);
    }
    let slash = if attributes.subresource.is_empty() {
        ""
    } else {
        "/"
    };
    let scope = if attributes.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", attributes.namespace)
    };
    format!(
        "User {user} cannot {verb} resource \"{}{slash}{}\" in API group \"{}\" {scope}",
        attributes.resource, attributes.subresource, attributes.group
    )
}
