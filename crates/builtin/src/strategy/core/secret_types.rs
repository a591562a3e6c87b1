//! What the types of Secrets demand of their data.

use base64::Engine as _;

use crate::strategy::node::{Errors, Node};

/// The demands of a Secret's type.
pub(crate) fn validate(errors: &mut Errors, secret: &Node<'_>) {
    let data = secret.get("data");
    let mut require = |keys: &[&str]| {
        for key in keys {
            if !data.has(key) {
                errors.required(&data.key(key), "");
            }
        }
    };
    match secret.get("type").text() {
        "kubernetes.io/service-account-token" => {
            let name = secret
                .get("metadata.annotations")
                .key("kubernetes.io/service-account.name");
            errors.present(&name);
        }
        "kubernetes.io/dockercfg" => docker_config(errors, &data, ".dockercfg"),
        "kubernetes.io/dockerconfigjson" => docker_config(errors, &data, ".dockerconfigjson"),
        "kubernetes.io/basic-auth" if !data.has("username") && !data.has("password") => {
            require(&["username", "password"]);
        }
        "kubernetes.io/ssh-auth" => errors.present(&data.key("ssh-privatekey")),
        "kubernetes.io/tls" => require(&["tls.crt", "tls.key"]),
        _ => {}
    }
}

fn docker_config(errors: &mut Errors, data: &Node<'_>, key: &str) {
    let node = data.key(key);
    if !data.has(key) {
        return errors.required(&node, "");
    }
    let bytes = decode(node.text());
    if let Some(problem) = crate::go_json::object_problem(&bytes) {
        errors.invalid(&node, "<secret contents redacted>", problem);
    }
}

fn decode(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap_or_default()
}

/// Warns of a certificate and key that Go's `tls.X509KeyPair` does not take.
///
/// Known difference: a pair whose PEM blocks are there is not looked into any further.
pub(crate) fn warn_of_key_pair(secret: &Node<'_>, warnings: &mut Vec<String>) {
    if !secret.get("type").is("kubernetes.io/tls") {
        return;
    }
    let data = secret.get("data");
    if let Some(problem) = key_pair_problem(
        &decode(data.key("tls.crt").text()),
        &decode(data.key("tls.key").text()),
    ) {
        warnings.push(problem);
    }
}

fn key_pair_problem(certificate: &[u8], key: &[u8]) -> Option<String> {
    let found = pem_types(certificate);
    if !found.iter().any(|kind| kind == "CERTIFICATE") {
        return Some(if found.is_empty() {
            "tls: failed to find any PEM data in certificate input".to_owned()
        } else if found.len() == 1 && is_private_key(&found[0]) {
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched".to_owned()
        } else {
            format!(
                "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the following types: [{}]",
                found.join(" ")
            )
        });
    }
    let found = pem_types(key);
    if found.iter().any(|kind| is_private_key(kind)) {
        return None;
    }
    Some(if found.is_empty() {
        "tls: failed to find any PEM data in key input".to_owned()
    } else if found.len() == 1 && found[0] == "CERTIFICATE" {
        "tls: found a certificate rather than a key in the PEM for the private key".to_owned()
    } else {
        format!(
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks of the following types: [{}]",
            found.join(" ")
        )
    })
}

fn is_private_key(kind: &str) -> bool {
    kind == "PRIVATE KEY" || kind.ends_with(" PRIVATE KEY")
}

/// The types of the PEM blocks in a text.
pub(crate) fn pem_types(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    let mut rest = text.as_ref();
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let Some((kind, body)) = after.split_once("-----") else {
            break;
        };
        rest = body;
        if let Some((_, after)) = body.split_once(&format!("-----END {kind}-----")) {
            found.push(kind.to_owned());
            rest = after;
        }
    }
    found
}
