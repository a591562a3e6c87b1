//! `create secret oci`, `proxy` and `receiver`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotemplate::sprig::Address;
use sha2::{Digest as _, Sha256};

use super::{Data, finish, labelled, object};
use crate::flux::invocation::Invocation;
use crate::flux::{Outcome, go, hex, image_name};

pub(super) fn oci(invocation: &Invocation<'_>) -> Outcome {
    let text = |flag| invocation.some_text(flag);
    let url = text("url").ok_or("--url is required")?;
    let user = text("username").ok_or("--username is required")?;
    let password = text("password").ok_or("--password is required")?;
    image_name::Reference::parse(url).map_err(|error| format!("error parsing url: '{error}'"))?;
    let login = STANDARD.encode(format!("{user}:{password}"));
    let json = go::json_string;
    let config = format!(
        "{{\n  \"auths\": {{\n    {}: {{\n      \"username\": {},\n      \"password\": {},\n      \"auth\": {}\n    }}\n  }}\n}}",
        json(url),
        json(user),
        json(password),
        json(&login)
    );
    let mut data = Data::default();
    data.set(".dockerconfigjson", &config);
    let kind = Some("kubernetes.io/dockerconfigjson");
    // Upstream passes over the labels here.
    let secret = object(invocation.name(), &invocation.namespace, data, kind);
    finish(invocation, &secret, "oci")
}

pub(super) fn proxy(invocation: &Invocation<'_>) -> Outcome {
    super::labels(invocation)?;
    let address = invocation
        .some_text("address")
        .ok_or("address is required")?;
    Address::parse(address).map_err(|error| format!("invalid proxy address: {error}"))?;
    let mut data = Data::default();
    data.set("address", address);
    for key in ["username", "password"] {
        if let Some(value) = invocation.some_text(key) {
            data.set(key, value);
        }
    }
    finish(
        invocation,
        &labelled(invocation, data, Some("Opaque"))?,
        "proxy",
    )
}

pub(super) fn receiver(invocation: &Invocation<'_>) -> Outcome {
    let kind = invocation.some_text("type").ok_or("--type is required")?;
    let host = invocation
        .some_text("hostname")
        .ok_or("--hostname is required")?;
    let email = invocation.text("email-claim");
    if kind == "gcr" && email.is_empty() {
        return Err("--email-claim is required for gcr receiver type".into());
    }
    let token = match invocation.some_text("token") {
        Some(token) => token.to_owned(),
        None => [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()]
            .iter()
            .map(|random| hex(&Sha256::digest(random.as_bytes())[..16]))
            .collect(),
    };
    let path = webhook_path(&token, invocation.name(), &invocation.namespace);
    let url = format!("https://{host}{path}");
    let mut data = Data::default();
    data.set("token", &token);
    if kind == "gcr" {
        data.set("email", email);
        data.set(
            "audience",
            invocation.some_text("audience-claim").unwrap_or(&url),
        );
    }
    let mut secret = labelled(invocation, data, None)?;
    secret["metadata"]["annotations"]["notification.toolkit.fluxcd.io/webhook"] = url.into();
    finish(invocation, &secret, "receiver")
}

/// The path that a Receiver is called at.
pub(in crate::flux) fn webhook_path(token: &str, name: &str, namespace: &str) -> String {
    format!(
        "/hook/{}",
        hex(&Sha256::digest(format!("{token}{name}{namespace}")))
    )
}
