//! `stats`: how many objects of each kind there are, and how they stand.

use super::cluster::Selection;
use super::cluster::kinds;
use super::invocation::Invocation;
use super::{Outcome, output};

/// Runs `stats`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let cluster = invocation.cluster()?;
    let namespace =
        (!invocation.boolean("all-namespaces")).then_some(invocation.namespace.as_str());
    let kinds = [
        &kinds::GIT_REPOSITORY,
        &kinds::OCI_REPOSITORY,
        &kinds::HELM_REPOSITORY,
        &kinds::HELM_CHART,
        &kinds::BUCKET,
        &kinds::KUSTOMIZATION,
        &kinds::HELM_RELEASE,
        &kinds::ALERT,
        &kinds::PROVIDER,
        &kinds::RECEIVER,
        &kinds::IMAGE_UPDATE_AUTOMATION,
        &kinds::IMAGE_POLICY,
        &kinds::IMAGE_REPOSITORY,
    ];
    let mut rows = Vec::new();
    for kind in kinds {
        // What cannot be listed counts as nothing.
        let objects = cluster
            .list(kind, namespace, &Selection::default())
            .unwrap_or_default();
        let (mut suspended, mut failing, mut size) = (0, 0, 0);
        for object in &objects {
            suspended += usize::from(object["spec"]["suspend"] == true);
            let conditions = object["status"]["conditions"].as_array();
            failing += conditions
                .into_iter()
                .flatten()
                .filter(|condition| condition["type"] == "Ready" && condition["status"] == "False")
                .count();
            size += object["status"]["artifact"]["size"]
                .as_u64()
                .unwrap_or_default();
        }
        rows.push(vec![
            kind.kind.to_owned(),
            (objects.len() - suspended).to_string(),
            failing.to_string(),
            suspended.to_string(),
            format_size(size),
        ]);
    }
    let header = ["Reconcilers", "Running", "Failing", "Suspended", "Storage"];
    output::out(output::table(&header, &rows));
    Ok(())
}

fn format_size(bytes: u64) -> String {
    if bytes == 0 {
        return "-".to_owned();
    }
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut divisor, mut unit) = (1024_u64, 0);
    let mut rest = bytes / 1024;
    while rest >= 1024 {
        divisor *= 1024;
        unit += 1;
        rest /= 1024;
    }
    let unit = char::from(b"KMGTPE"[unit]);
    format!("{:.1} {unit}iB", bytes as f64 / divisor as f64)
}
