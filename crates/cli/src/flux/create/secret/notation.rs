//! `create secret notation`: a trust policy and the certificates it trusts.

use std::collections::{BTreeMap, BTreeSet};

use gotemplate::sprig::Regexp;
use serde_json::Value;

use super::{Data, finish, labelled};
use crate::flux::invocation::Invocation;
use crate::flux::{Outcome, go};

pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let authorities = invocation.list("ca-cert-file");
    if authorities.is_empty() {
        return Err("--ca-cert-file is required".into());
    }
    let file = invocation
        .some_text("trust-policy-file")
        .ok_or("--trust-policy-file is required")?;
    super::labels(invocation)?;
    let policy = go::read_file(file)
        .map_err(|error| format!("unable to read trust policy file: {error}"))?;
    let document: Value = gotemplate_json(&policy)
        .map_err(|error| format!("failed to unmarshal trust policy {file}: {error}"))?;
    if !document.is_object() && !document.is_null() {
        let found = match document {
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Bool(_) => "bool",
            _ => "number",
        };
        return Err(format!(
            "failed to unmarshal trust policy {file}: json: cannot unmarshal {found} into Go value of type \
             trustpolicy.Document"
        )
        .into());
    }
    check(&document).map_err(|error| format!("invalid trust policy: {error}"))?;
    let mut data = Data::default();
    let mut problems = Vec::new();
    for file in authorities {
        let name = file.rsplit('/').next().unwrap_or(file);
        if !name.ends_with(".crt") && !name.ends_with(".pem") {
            problems.push(format!("{name} must end with either .crt or .pem"));
            continue;
        }
        match go::read_file(file) {
            Ok(bytes) => data.bytes(name, &bytes),
            Err(error) => problems.push(format!("unable to read TLS CA file: {error}")),
        }
    }
    if !problems.is_empty() {
        return Err(problems.join("\n").into());
    }
    data.bytes("trustpolicy.json", &policy);
    let secret = labelled(invocation, data, None)?;
    finish(invocation, &secret, "notation configuration")
}

/// The JSON; an error for the end of the text is Go's.
fn gotemplate_json(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text).map_err(|error| {
        if error.is_eof() {
            "unexpected end of JSON input".to_owned()
        } else {
            let at = text
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())
                .unwrap_or_default();
            let byte = text.get(at).copied().unwrap_or_default();
            format!(
                "invalid character '{}' looking for beginning of value",
                char::from(byte)
            )
        }
    })
}

fn texts<'v>(value: &'v Value, field: &str) -> Vec<&'v str> {
    value[field]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// The rules of notation-go's trust policy 1.0.
fn check(document: &Value) -> Result<(), String> {
    match document["version"].as_str().unwrap_or_default() {
        "" => {
            return Err(
                "trust policy document has empty version, version must be specified".to_owned(),
            );
        }
        "1.0" => {}
        other => {
            return Err(format!(
                "trust policy document uses unsupported version {}",
                go::quote(other)
            ));
        }
    }
    let statements = document["trustPolicies"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if statements.is_empty() {
        return Err("trust policy document can not have zero trust policy statements".to_owned());
    }
    let mut names = BTreeSet::new();
    for statement in statements {
        let name = statement["name"].as_str().unwrap_or_default();
        if names.contains(name) {
            return Err(format!(
                "multiple trust policy statements use the same name {}, statement names must be unique",
                go::quote(name)
            ));
        }
        check_statement(name, statement).map_err(|error| format!("trust policy: {error}"))?;
        names.insert(name);
    }
    check_scopes(statements)
}

fn check_statement(name: &str, statement: &Value) -> Result<(), String> {
    if name.is_empty() {
        return Err(
            "a trust policy statement is missing a name, every statement requires a name"
                .to_owned(),
        );
    }
    let quoted = go::quote(name);
    let verification = &statement["signatureVerification"];
    let level = check_level(verification).map_err(|error| {
        format!("trust policy statement {quoted} has invalid signatureVerification: {error}")
    })?;
    let timestamp = verification["verifyTimestamp"].as_str().unwrap_or_default();
    if !["", "always", "afterCertExpiry"].contains(&timestamp) {
        return Err(format!(
            "trust policy statement {quoted} has invalid signatureVerification: verifyTimestamp must be \
             \"always\" or \"afterCertExpiry\", but got {}",
            go::quote(timestamp)
        ));
    }
    let (stores, identities) = (
        texts(statement, "trustStores"),
        texts(statement, "trustedIdentities"),
    );
    if level == "skip" {
        if stores.is_empty() && identities.is_empty() {
            return Ok(());
        }
        return Err(format!(
            "trust policy statement {quoted} is set to skip signature verification but configured with \
             trust stores and/or trusted identities, remove them if signature verification needs to be skipped"
        ));
    }
    if stores.is_empty() || identities.is_empty() {
        return Err(format!(
            "trust policy statement {quoted} is either missing trust stores or trusted identities, both \
             must be specified"
        ));
    }
    check_stores(&quoted, &stores)?;
    check_identities(&quoted, &identities)
}

fn check_level(verification: &Value) -> Result<&str, String> {
    let level = verification["level"].as_str().unwrap_or_default();
    match level {
        "" => {
            return Err(
                "signature verification level is empty or missing in the trust policy statement"
                    .to_owned(),
            );
        }
        "strict" | "permissive" | "audit" | "skip" => {}
        other => {
            return Err(format!(
                "invalid signature verification level {}",
                go::quote(other)
            ));
        }
    }
    let overrides = verification["override"].as_object();
    let Some(overrides) = overrides.filter(|overrides| !overrides.is_empty()) else {
        return Ok(level);
    };
    if level == "skip" {
        return Err(format!(
            "signature verification level {} can't be used to customize signature verification",
            go::quote(level)
        ));
    }
    for (kind, action) in overrides {
        let (kind_quoted, action) = (go::quote(kind), action.as_str().unwrap_or_default());
        let kinds = [
            "integrity",
            "authenticity",
            "authenticTimestamp",
            "expiry",
            "revocation",
        ];
        if !kinds.contains(&kind.as_str()) {
            return Err(format!(
                "verification type {kind_quoted} in custom signature verification is not supported, \
                 supported values are [{}]",
                kinds.map(go::quote).join(" ")
            ));
        }
        let actions = ["enforce", "log", "skip"];
        if !actions.contains(&action) {
            return Err(format!(
                "verification action {} in custom signature verification is not supported, supported \
                 values are [{}]",
                go::quote(action),
                actions.map(go::quote).join(" ")
            ));
        }
        if kind == "integrity" {
            return Err(format!(
                "{kind_quoted} verification can not be overridden in custom signature verification"
            ));
        }
        if kind != "revocation" && action == "skip" {
            return Err(format!(
                "{kind_quoted} verification can not be skipped in custom signature verification"
            ));
        }
    }
    Ok("custom")
}

fn check_stores(statement: &str, stores: &[&str]) -> Result<(), String> {
    for store in stores {
        let quoted = go::quote(store);
        let Some((kind, name)) = store.split_once(':') else {
            return Err(format!(
                "trust policy statement {statement} has malformed trust store value {quoted}. The required \
                 format is <TrustStoreType>:<TrustStoreName>"
            ));
        };
        if !["ca", "signingAuthority", "tsa"].contains(&kind) {
            return Err(format!(
                "trust policy statement {statement} uses an unsupported trust store type {} in trust store \
                 value {quoted}",
                go::quote(kind)
            ));
        }
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if name.is_empty() || !name.bytes().all(good) {
            return Err(format!(
                "trust policy statement {statement} uses an unsupported trust store name {} in trust store \
                 value {quoted}. Named store name needs to follow [a-zA-Z0-9_.-]+ format",
                go::quote(name)
            ));
        }
    }
    Ok(())
}

fn check_identities(statement: &str, identities: &[&str]) -> Result<(), String> {
    if identities.len() > 1 && identities.contains(&"*") {
        return Err(format!(
            "trust policy statement {statement} uses a wildcard trusted identity '*', a wildcard identity \
             cannot be used in conjunction with other values"
        ));
    }
    for identity in identities.iter().filter(|identity| **identity != "*") {
        let quoted = go::quote(identity);
        if identity.is_empty() {
            return Err(format!(
                "trust policy statement {statement} has an empty trusted identity"
            ));
        }
        let Some((prefix, value)) = identity.split_once(':') else {
            return Err(format!(
                "trust policy statement {statement} has trusted identity {quoted} missing separator"
            ));
        };
        if prefix == "x509.subject" && value.is_empty() {
            return Err(format!(
                "trust policy statement {statement} has trusted identity {quoted} without an identity value"
            ));
        }
    }
    Ok(())
}

fn check_scopes(statements: &[Value]) -> Result<(), String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for statement in statements {
        let name = go::quote(statement["name"].as_str().unwrap_or_default());
        let scopes = texts(statement, "registryScopes");
        if scopes.is_empty() {
            return Err(format!(
                "trust policy statement {name} has zero registry scopes, it must specify registry scopes \
                 with at least one value"
            ));
        }
        if scopes.len() > 1 && scopes.contains(&"*") {
            return Err(format!(
                "trust policy statement {name} uses wildcard registry scope '*', a wildcard scope cannot be \
                 used in conjunction with other scope values"
            ));
        }
        for scope in scopes {
            check_scope(scope)?;
            *counts.entry(scope).or_default() += 1;
        }
    }
    match counts.iter().find(|(_, count)| **count > 1) {
        Some((scope, _)) => Err(format!(
            "registry scope {} is present in multiple trust policy statements, one registry scope value can \
             only be associated with one statement",
            go::quote(scope)
        )),
        None => Ok(()),
    }
}

const DOMAIN: &str = r"^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))+)?(?::[0-9]+)?$";
const REPOSITORY: &str = r"^[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?(?:(?:/[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?)+)?$";

fn check_scope(scope: &str) -> Result<(), String> {
    if scope == "*" {
        return Ok(());
    }
    let advice = "make sure it is a fully qualified repository without the scheme, protocol or tag. For \
                  example domain.com/my/repository or a local scope like local/myOCILayout";
    let quoted = go::quote(scope);
    if scope.contains('*') {
        return Err(format!(
            "registry scope {quoted} with wild card(s) is not valid, {advice}"
        ));
    }
    let matches = |pattern: &str, text: &str| {
        Regexp::new(pattern.as_bytes()).is_ok_and(|pattern| pattern.is_match(text.as_bytes()))
    };
    match scope.split_once('/') {
        Some((domain, repository))
            if matches(DOMAIN, domain) && matches(REPOSITORY, repository) =>
        {
            Ok(())
        }
        _ => Err(format!("registry scope {quoted} is not valid, {advice}")),
    }
}
