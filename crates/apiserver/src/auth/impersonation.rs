//! Acting as another: the `Impersonate-*` headers.
//!
//! Source: apiserver, `endpoints/filters/impersonation`.

use http::HeaderMap;
use object::GroupResource;

use super::{Attributes, Decision};
use crate::context::User;
use crate::core::Core;
use crate::error::ApiError;

const AUTHENTICATION: &str = "authentication.k8s.io";

/// One thing that is asked to be impersonated.
struct Wish {
    kind: &'static str,
    namespace: String,
    name: String,
    api_version: &'static str,
    /// The key of an extra.
    field: String,
}

/// How Go prints an object reference in the message about a missing user.
impl std::fmt::Display for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{{{} {} {}  {}  {}}}",
            self.kind, self.namespace, self.name, self.api_version, self.field
        )
    }
}

/// The user that the headers ask to act as; the same user if they ask for none.
///
/// # Errors
/// 400 for headers without a user, 403 where the user may not impersonate one of them.
pub(super) fn act_as(core: &Core, user: User, headers: &HeaderMap) -> Result<User, ApiError> {
    let wishes = wishes(headers);
    if wishes.is_empty() {
        return Ok(user);
    }
    if !wishes
        .iter()
        .any(|wish| matches!(wish.kind, "User" | "ServiceAccount"))
    {
        let wishes: Vec<String> = wishes.iter().map(Wish::to_string).collect();
        return Err(ApiError::bad_request(format!(
            "requested [{}] without impersonating a user",
            wishes.join(" ")
        )));
    }
    let mut target = User::default();
    for wish in &wishes {
        let attributes = attributes(wish);
        if let Decision::Deny(why) = super::authorize(core, &user, &attributes) {
            return Err(refusal(&user, &attributes, &why));
        }
        grant(&mut target, wish);
    }
    add_standard_groups(&mut target);
    Ok(target)
}

fn text(value: &http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn wishes(headers: &HeaderMap) -> Vec<Wish> {
    let wish = |kind, name: String| Wish {
        kind,
        namespace: String::new(),
        name,
        api_version: "",
        field: String::new(),
    };
    let mut wishes = Vec::new();
    let user = headers
        .get("impersonate-user")
        .map(text)
        .unwrap_or_default();
    if !user.is_empty() {
        match user
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'))
        {
            Some((namespace, name))
                if !namespace.is_empty() && !name.is_empty() && !name.contains(':') =>
            {
                wishes.push(Wish {
                    namespace: namespace.to_owned(),
                    ..wish("ServiceAccount", name.to_owned())
                });
            }
            _ => wishes.push(wish("User", user)),
        }
    }
    wishes.extend(
        headers
            .get_all("impersonate-group")
            .iter()
            .map(|group| wish("Group", text(group))),
    );
    for (name, value) in headers {
        if let Some(key) = name.as_str().strip_prefix("impersonate-extra-") {
            let key = crate::http::unescape(key, false).unwrap_or_else(|| key.to_owned());
            let key = key.to_ascii_lowercase();
            let extra = wish("UserExtra", text(value));
            wishes.push(Wish {
                api_version: "authentication.k8s.io/v1",
                field: key,
                ..extra
            });
        }
    }
    let uid = headers.get("impersonate-uid").map(text).unwrap_or_default();
    if !uid.is_empty() {
        wishes.push(Wish {
            api_version: "authentication.k8s.io/v1",
            ..wish("UID", uid)
        });
    }
    wishes
}

fn attributes(wish: &Wish) -> Attributes {
    let (group, resource, subresource) = match wish.kind {
        "ServiceAccount" => ("", "serviceaccounts", ""),
        "User" => ("", "users", ""),
        "Group" => ("", "groups", ""),
        "UserExtra" => (AUTHENTICATION, "userextras", wish.field.as_str()),
        _ => (AUTHENTICATION, "uids", ""),
    };
    Attributes {
        verb: "impersonate".to_owned(),
        is_resource: true,
        group: group.to_owned(),
        version: if group.is_empty() {
            String::new()
        } else {
            "v1".to_owned()
        },
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        namespace: wish.namespace.clone(),
        name: wish.name.clone(),
        path: String::new(),
    }
}

fn refusal(user: &User, attributes: &Attributes, why: &str) -> ApiError {
    let mut message = super::denial(&user.name, attributes);
    if !why.is_empty() {
        message = format!("{message}: {why}");
    }
    let resource = GroupResource::new(attributes.group.as_str(), attributes.resource.as_str());
    ApiError::forbidden(&resource, &attributes.name, &message)
}

fn grant(target: &mut User, wish: &Wish) {
    match wish.kind {
        "ServiceAccount" => {
            target.name = format!("system:serviceaccount:{}:{}", wish.namespace, wish.name);
            target.groups = vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{}", wish.namespace),
            ];
        }
        "User" => target.name.clone_from(&wish.name),
        "Group" => {
            // Groups that are asked for replace those of the service account.
            if target
                .groups
                .first()
                .is_some_and(|group| group == "system:serviceaccounts")
            {
                target.groups.clear();
            }
            target.groups.push(wish.name.clone());
        }
        "UserExtra" => target
            .extra
            .entry(wish.field.clone())
            .or_default()
            .push(wish.name.clone()),
        _ => target.uid.clone_from(&wish.name),
    }
}

fn add_standard_groups(target: &mut User) {
    let group = if target.name == "system:anonymous" {
        "system:unauthenticated"
    } else {
        "system:authenticated"
    };
    let known = target.is_in("system:authenticated") || target.is_in("system:unauthenticated");
    if !known {
        target.groups.push(group.to_owned());
    }
}
