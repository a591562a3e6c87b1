//! `get --watch`: a row for each change.

use serde_json::Value;

use super::{header, rows, selection};
use crate::flux::cluster::Cluster;
use crate::flux::cluster::kinds::Kind;
use crate::flux::invocation::Invocation;
use crate::flux::{Outcome, output};

pub(super) fn run(invocation: &Invocation<'_>, cluster: &Cluster, kind: &Kind) -> Outcome {
    let everywhere = invocation.boolean("all-namespaces");
    let namespace = (!everywhere).then_some(invocation.namespace.as_str());
    let selection = selection(invocation)?;
    let mut header = header(invocation, kind);
    let mut failed = None;
    cluster.watch(kind, namespace, &selection, &mut |object: &Value| {
        match rows(invocation, kind, std::slice::from_ref(object), false) {
            Ok(rows) => output::out(output::table(&header, &rows)),
            Err(error) => failed = Some(error),
        }
        header.clear();
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err)
}
