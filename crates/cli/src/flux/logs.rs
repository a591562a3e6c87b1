//! `logs`: the controllers' logs, a line for each entry.

use apply::escape;
use serde_json::Value;

use super::cluster::kinds::{DEPLOYMENT, POD};
use super::cluster::{Cluster, Selection};
use super::invocation::Invocation;
use super::version::PART_OF;
use super::{Outcome, Stop, go, output};

/// Runs `logs`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    if invocation.first().is_some() {
        return Err("no argument required".into());
    }
    let cluster = invocation.cluster()?;
    let namespace = invocation.text("flux-namespace");
    let pods = pods(&cluster, namespace)?;
    let query = query(invocation)?;
    let mut failed = false;
    for pod in &pods {
        let several = pod["spec"]["containers"]
            .as_array()
            .is_some_and(|all| all.len() > 1);
        let container = if several { "&container=manager" } else { "" };
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?{query}{container}",
            escape(namespace),
            escape(object::meta::name(pod))
        );
        let read = cluster.follow(&path, &mut |line| {
            print(invocation, line);
            true
        });
        if let Err(error) = read {
            output::err(format_args!("failed getting logs: {error}\n"));
            failed = true;
        }
    }
    if failed {
        Err("failed to collect logs from all Flux pods".into())
    } else {
        Ok(())
    }
}

fn query(invocation: &Invocation<'_>) -> Result<String, Stop> {
    let mut query = format!("follow={}", invocation.boolean("follow"));
    let tail = invocation.integer("tail");
    if tail > -1 {
        query.push_str(&format!("&tailLines={tail}"));
    }
    let (time, since) = (invocation.text("since-time"), invocation.duration("since"));
    if !time.is_empty() && since.nanoseconds() != 0 {
        return Err("at most one of `sinceTime` or `sinceDuration` may be specified".into());
    }
    if !time.is_empty() {
        object::time::Time::parse(time)
            .map_err(|_| format!("{time} is not a valid (RFC3339) time"))?;
        query.push_str(&format!("&sinceTime={}", escape(time)));
    }
    if since.nanoseconds() != 0 {
        let seconds = (since.nanoseconds() + 500_000_000).div_euclid(1_000_000_000);
        query.push_str(&format!("&sinceSeconds={seconds}"));
    }
    Ok(query)
}

/// One pod of each controller, a running one if there is one.
fn pods(cluster: &Cluster, namespace: &str) -> Result<Vec<Value>, Stop> {
    let deployments = cluster.list(&DEPLOYMENT, Some(namespace), &Selection::labelled(PART_OF))?;
    let mut found = Vec::new();
    for deployment in &deployments {
        let labels = deployment["spec"]["template"]["metadata"]["labels"].as_object();
        let selector: Vec<String> = labels
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect();
        let mut pods = cluster.list(
            &POD,
            Some(namespace),
            &Selection::labelled(selector.join(",")),
        )?;
        pods.sort_by_key(|pod| pod["status"]["phase"] != "Running");
        found.extend(pods.into_iter().next());
    }
    if found.is_empty() {
        return Err(format!("no Flux pods found in namespace {}", go::quote(namespace)).into());
    }
    Ok(found)
}

fn print(invocation: &Invocation<'_>, line: &str) {
    let Some(entry) = line
        .starts_with('{')
        .then(|| serde_json::from_str::<Value>(line).ok())
        .flatten()
    else {
        return;
    };
    let text = |field: &str| entry[field].as_str().unwrap_or_default();
    let wanted = |flag: &str, found: &[&str]| {
        let wanted = invocation.text(flag);
        wanted.is_empty() || found.iter().any(|found| found.eq_ignore_ascii_case(wanted))
    };
    let shown = wanted("level", &[text("level")])
        && wanted("kind", &[text("reconciler kind"), text("controllerKind")])
        && wanted("name", &[text("name")])
        && (invocation.boolean("all-namespaces")
            || text("namespace").eq_ignore_ascii_case(&invocation.namespace));
    if !shown {
        return;
    }
    let kind = match text("reconciler kind") {
        "" => text("controllerKind"),
        kind => kind,
    };
    let object = match text("name") {
        "" => String::new(),
        name => format!("/{name}.{}", text("namespace")),
    };
    output::out(format!(
        "{} {} {kind}{object} - {} {}\n",
        text("ts"),
        text("level"),
        text("msg"),
        text("error")
    ));
}
