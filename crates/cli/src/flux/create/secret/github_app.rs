//! `create secret githubapp`.

use super::{Data, finish, object, required};
use crate::flux::invocation::Invocation;
use crate::flux::{Outcome, go};

pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let key = go::read_file(invocation.text("app-private-key"))
        .map_err(|error| format!("unable to read private key file: {error}"))?;
    let key = String::from_utf8_lossy(&key);
    let id = invocation.text("app-id");
    required(id, "githubAppID")?;
    required(&key, "githubAppPrivateKey")?;
    let mut data = Data::default();
    data.set("githubAppID", id);
    data.set("githubAppPrivateKey", &key);
    let (owner, installation) = (
        invocation.some_text("app-installation-owner"),
        invocation.some_text("app-installation-id"),
    );
    if owner.is_some() == installation.is_some() {
        return Err(
            "exactly one of githubAppInstallationOwner or githubAppInstallationID must be provided"
                .into(),
        );
    }
    let others = [
        ("githubAppInstallationOwner", owner),
        ("githubAppInstallationID", installation),
        ("githubAppBaseURL", invocation.some_text("app-base-url")),
    ];
    for (key, value) in others {
        if let Some(value) = value {
            data.set(key, value);
        }
    }
    // Upstream passes over the labels here.
    let secret = object(
        invocation.name(),
        &invocation.namespace,
        data,
        Some("Opaque"),
    );
    finish(invocation, &secret, "githubapp")
}
