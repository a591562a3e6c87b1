//! `create secret`.

pub(in crate::flux) mod git;
mod github_app;
pub(in crate::flux) mod helm;
mod notation;
mod simple;

pub(in crate::flux) use simple::webhook_path;

use serde_json::{Map, Value, json};

use super::{labels, upsert_secret};
use crate::flux::invocation::Invocation;
use crate::flux::{Outcome, Stop, go, output};

/// Runs `create secret KIND`.
pub(super) fn run(invocation: &Invocation<'_>, kind: &str) -> Outcome {
    match kind {
        "git" => git::run(invocation),
        "githubapp" => github_app::run(invocation),
        "helm" => helm::run(invocation),
        "notation" => notation::run(invocation),
        "oci" => simple::oci(invocation),
        "proxy" => simple::proxy(invocation),
        "receiver" => simple::receiver(invocation),
        "tls" => helm::tls(invocation),
        _ => Err(format!("unknown command {}", go::quote(kind)).into()),
    }
}

/// The data of a Secret. Values are never printed by anything but the export.
#[derive(Default)]
pub(in crate::flux) struct Data(Map<String, Value>);

impl Data {
    pub(in crate::flux) fn set(&mut self, key: &str, value: &str) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Bytes that are text; others have their bad parts replaced, as Go's encoder does.
    pub(in crate::flux) fn bytes(&mut self, key: &str, value: &[u8]) {
        self.set(key, &String::from_utf8_lossy(value));
    }

    pub(in crate::flux) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    pub(in crate::flux) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A Secret.
pub(in crate::flux) fn object(
    name: &str,
    namespace: &str,
    data: Data,
    kind: Option<&str>,
) -> Value {
    let mut secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
    });
    if !namespace.is_empty() {
        secret["metadata"]["namespace"] = namespace.into();
    }
    if !data.is_empty() {
        secret["stringData"] = Value::Object(data.0);
    }
    if let Some(kind) = kind {
        secret["type"] = kind.into();
    }
    secret
}

/// The Secret of the command line, with the labels of `--label`.
fn labelled(invocation: &Invocation<'_>, data: Data, kind: Option<&str>) -> Result<Value, Stop> {
    let labels = labels(invocation)?;
    let mut secret = object(invocation.name(), &invocation.namespace, data, kind);
    if !labels.is_empty() {
        secret["metadata"]["labels"] = labels.into();
    }
    Ok(secret)
}

/// Prints the Secret, or applies it.
fn finish(invocation: &Invocation<'_>, secret: &Value, what: &str) -> Outcome {
    if invocation.boolean("export") {
        // One kind of Secret ends without the empty line of the others.
        let end = if what == "tls" { "" } else { "\n" };
        output::out(format!("---\n{}{end}", output::yaml_text(secret)?));
        return Ok(());
    }
    let cluster = invocation.cluster()?;
    upsert_secret(&cluster, secret)?;
    output::action(format_args!(
        "{what} secret '{}' created in '{}' namespace",
        invocation.name(),
        invocation.namespace
    ));
    Ok(())
}

/// A value that has to be there.
fn required(value: &str, field: &str) -> Outcome {
    if value.is_empty() {
        Err(format!("{field} is required").into())
    } else {
        Ok(())
    }
}
