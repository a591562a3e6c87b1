//! Who asks, and whether they may.

mod tokens;

use http::HeaderMap;

use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;
use crate::http::RequestInfo;

pub use tokens::{StaticTokens, TokenFileError};

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

/// Finds the user of a request: a static token, or nobody.
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
        Some(token) => core
            .config
            .tokens
            .user(token)
            .ok_or_else(ApiError::unauthorized),
    }
}

/// Acts on the `Impersonate-*` headers: gives the user that the request acts as.
pub fn impersonate(core: &Core, user: User, headers: &HeaderMap) -> Result<User, ApiError> {
    let _ = (core, headers);
    Ok(user)
}

/// Decides whether a user may.
pub fn authorize(core: &Core, user: &User, attributes: &Attributes) -> Decision {
    let _ = core;
    if user.is_in("system:masters") {
        return Decision::Allow(String::new());
    }
    let open = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
    if !attributes.is_resource && attributes.verb == "get" && open.contains(&&*attributes.path) {
        return Decision::Allow(String::new());
    }
    Decision::Deny(String::new())
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
