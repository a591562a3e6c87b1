//! `create source chart`.

use serde_json::json;

use crate::flux::cluster::kinds::HELM_CHART;
use crate::flux::create::{Spec, fetched, labels, object, upsert, verification, wait};
use crate::flux::invocation::Invocation;
use crate::flux::readiness::Shape;
use crate::flux::{Outcome, output};

pub(in crate::flux::create) fn run(invocation: &Invocation<'_>) -> Outcome {
    let source = invocation.source("source");
    if source.kind.is_empty() || source.name.is_empty() {
        return Err("chart source is required".into());
    }
    let chart_name = invocation
        .some_text("chart")
        .ok_or("chart name or path is required")?;
    output::generate("generating HelmChart source");
    let labels = labels(invocation)?;
    let spec = Spec::default()
        .set("chart", chart_name)
        .text("version", invocation.text("chart-version"))
        .duration("interval", invocation.duration("interval"))
        .text("reconcileStrategy", invocation.text("reconcile-strategy"))
        .set(
            "sourceRef",
            json!({"kind": source.kind, "name": source.name}),
        )
        // Upstream asks the flag of another command for the subject, which is never set: kept.
        .some("verify", verification(invocation, false)?);
    let chart = object(invocation, &HELM_CHART, labels, spec);
    if invocation.boolean("export") {
        output::document(&chart)?;
        return Ok(());
    }
    output::action("applying HelmChart source");
    let cluster = invocation.cluster()?;
    upsert(&cluster, &HELM_CHART, &chart, "source")?;
    output::waiting("waiting for HelmChart source reconciliation");
    let ready = wait(&cluster, &HELM_CHART, &chart, Shape::Dynamic)?;
    output::success("HelmChart source reconciliation completed");
    fetched(
        &ready,
        "HelmChart source reconciliation completed but no artifact was found",
    )
}
