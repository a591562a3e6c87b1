//! `delete`.

use super::cluster::kinds;
use super::invocation::Invocation;
use super::{Outcome, output, prompt};

/// Runs `delete WHAT`.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    let kind = kinds::of_words(what).ok_or_else(|| format!("unsupported type {what}"))?;
    let name = invocation
        .first()
        .ok_or_else(|| format!("{} name is required", kind.human))?;
    let cluster = invocation.cluster()?;
    let namespace = &invocation.namespace;
    cluster.get(kind, namespace, name)?;
    if !invocation.boolean("silent") {
        prompt::confirm(&format!(
            "Are you sure you want to delete this {}",
            kind.human
        ))?;
    }
    output::action(format_args!(
        "deleting {} {name} in {namespace} namespace",
        kind.human
    ));
    cluster.delete(kind, namespace, name, None)?;
    output::success(format_args!("{} deleted", kind.human));
    Ok(())
}
