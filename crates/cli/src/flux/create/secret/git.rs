//! `create secret git`: passwords, tokens and SSH keys.

use gotemplate::sprig::Address;

use super::{Data, finish, labelled, labels};
use crate::flux::invocation::Invocation;
use crate::flux::{Outcome, Stop, go, output, ssh};

pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let url = invocation.some_text("url").ok_or("url is required")?;
    let address = Address::parse(url).map_err(|error| format!("git URL parse failed: {error}"))?;
    labels(invocation)?;
    let data = match address.scheme.as_str() {
        "ssh" => ssh_keys(invocation, &address)?,
        "http" | "https" => login(invocation)?,
        scheme => {
            return Err(format!(
                "git URL scheme '{scheme}' not supported, can be: ssh, http and https"
            )
            .into());
        }
    };
    let key = data.get("identity.pub").map(str::to_owned);
    let secret = labelled(invocation, data, None)?;
    if let Some(key) = key.filter(|_| !invocation.boolean("export")) {
        output::generate(format_args!("deploy key: {key}"));
    }
    finish(invocation, &secret, "git")
}

fn login(invocation: &Invocation<'_>) -> Result<Data, Stop> {
    let (user, password, token) = (
        invocation.text("username"),
        invocation.text("password"),
        invocation.text("bearer-token"),
    );
    let has_login = !user.is_empty() && !password.is_empty();
    if !has_login && token.is_empty() {
        return Err(
            "for Git over HTTP/S the username and password, or a bearer token is required".into(),
        );
    }
    if has_login && !token.is_empty() {
        return Err("user credentials and bearer token cannot be used together".into());
    }
    let mut data = Data::default();
    if let Some(file) = invocation.some_text("ca-crt-file") {
        let authority =
            go::read_file(file).map_err(|error| format!("unable to read TLS CA file: {error}"))?;
        if !authority.is_empty() {
            data.bytes("ca.crt", &authority);
        }
    }
    if has_login {
        data.set("username", user);
        data.set("password", password);
    }
    if !token.is_empty() {
        data.set("bearerToken", token);
    }
    Ok(data)
}

/// The key pair of `--private-key-file`, or a new one, with the host's key.
pub(in crate::flux) fn ssh_keys(
    invocation: &Invocation<'_>,
    address: &Address,
) -> Result<Data, Stop> {
    let password = invocation.text("password");
    let mut data = Data::default();
    let pair = match invocation.some_text("private-key-file") {
        Some(file) => {
            let text = go::read_file(file)
                .map_err(|error| format!("failed to open private key file: {error}"))?;
            Some(ssh::KeyPair::load(&text, password)?)
        }
        None => None,
    };
    let pair = match pair {
        Some(pair) => pair,
        None => ssh::KeyPair::generate(
            invocation.text("ssh-key-algorithm"),
            invocation.text("ssh-rsa-bits"),
            invocation.text("ssh-ecdsa-curve"),
        )?,
    };
    let hosts = ssh::scan_host_key(&address.host)?;
    data.bytes("identity", &pair.private);
    data.set("identity.pub", &pair.public);
    data.set("known_hosts", hosts.trim());
    if !password.is_empty() {
        data.set("password", password);
    }
    Ok(data)
}
