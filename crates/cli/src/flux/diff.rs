//! `diff kustomization`: what applying a build would change, by a dry run on the server.

mod compare;

use serde_json::Value;

use super::build;
use super::cluster::Cluster;
use super::cluster::kinds::KUSTOMIZATION;
use super::invocation::Invocation;
use super::{Outcome, Stop, go, output};

/// Runs `diff kustomization`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let name = invocation.first().ok_or("kustomization name is required")?;
    let path = invocation.text("path");
    let failed = |text: String| Stop::Code(2, text);
    if path.is_empty() || !std::path::Path::new(path).is_dir() {
        return Err(failed(format!("invalid resource path {}", go::quote(path))));
    }
    let file = invocation.text("kustomization-file");
    if !file.is_empty() && !std::path::Path::new(file).is_file() {
        return Err(format!("invalid kustomization file {}", go::quote(file)).into());
    }
    let cluster = invocation.cluster()?;
    let run = Run {
        invocation,
        cluster: &cluster,
    };
    let text_of = |error: Stop| match error {
        Stop::Failed(text) => failed(text),
        other => other,
    };
    let (text, changed) = run.compare(name).map_err(text_of)?;
    output::out(text);
    if changed {
        return Err(Stop::Code(
            1,
            "identified at least one change, exiting with non-zero exit code".to_owned(),
        ));
    }
    Ok(())
}

struct Run<'a> {
    invocation: &'a Invocation<'a>,
    cluster: &'a Cluster,
}

impl Run<'_> {
    fn compare(&self, name: &str) -> Result<(String, bool), Stop> {
        let namespace = &self.invocation.namespace;
        let live = match self.cluster.find(&KUSTOMIZATION, namespace, name) {
            Ok(Some(live)) => Some(live),
            Ok(None) if self.invocation.boolean("ignore-not-found") => None,
            Ok(None) => {
                return Err(format!(
                    "failed to get kustomization object: kustomizations.kustomize.toolkit.fluxcd.io \"{name}\" \
                     not found"
                )
                .into());
            }
            Err(error) => {
                return Err(format!("failed to get kustomization object: {error}").into());
            }
        };
        let mut arguments = build::arguments(self.invocation);
        // Without an object in the cluster the file has to do.
        arguments.dry_run = live.is_none();
        let current = std::env::current_dir().unwrap_or_default();
        let built = crate::build::build_kustomization(&arguments, &current, Some(self.cluster))?;
        let documents =
            yaml::to_json_documents(built.as_bytes()).map_err(|error| error.to_string())?;
        let mut objects: Vec<Value> = documents.into_iter().filter(Value::is_object).collect();
        objects.sort_by_key(|object| {
            (
                object["kind"].as_str().unwrap_or_default().to_owned(),
                object::meta::name(object).to_owned(),
            )
        });
        let mut text = String::new();
        let mut changed = false;
        for object in &objects {
            let (part, differs) = compare::object(self.cluster, object)?;
            text.push_str(&part);
            changed |= differs;
        }
        if let Some(live) = live.filter(|live| live["spec"]["prune"] == true) {
            let stale = compare::stale(&live, &objects);
            changed |= !stale.is_empty();
            text.push_str(&stale);
        }
        Ok((text, changed))
    }
}
