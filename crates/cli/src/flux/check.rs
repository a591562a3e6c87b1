//! `check`: what is needed, and what is installed.

use object::status::Status;

use super::cluster::kinds::{DEFINITION, DEPLOYMENT};
use super::cluster::{Cluster, Selection, now};
use super::invocation::Invocation;
use super::version::{PART_OF, installation};
use super::{Outcome, Stop, output};

/// The oldest minor version of Kubernetes that is supported.
const OLDEST: (u64, u64) = (1, 33);

/// Runs `check`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    output::action("checking prerequisites");
    let cluster = invocation.cluster()?;
    let mut good = kubernetes(&cluster);
    if invocation.boolean("pre") {
        if !good {
            return Err(Stop::Quiet(1));
        }
        output::success("prerequisites checks passed");
        return Ok(());
    }
    output::action("checking version in cluster");
    good &= version(&cluster);
    output::action("checking controllers");
    good &= controllers(&cluster, &invocation.namespace);
    output::action("checking crds");
    good &= definitions(&cluster);
    if !good {
        output::failure("check failed");
        return Err(Stop::Quiet(1));
    }
    output::success("all checks passed");
    Ok(())
}

fn kubernetes(cluster: &Cluster) -> bool {
    let version = match cluster.send("GET", "/version", None, "", None) {
        Ok(version) => version,
        Err(error) => {
            output::failure(format_args!(
                "Kubernetes API call failed: {}",
                error
                    .message
                    .replace("failed to get server groups: ", "")
                    .replace("/api\"", "/version\"")
            ));
            return false;
        }
    };
    let text = version["gitVersion"].as_str().unwrap_or_default();
    let numbers = text.trim_start_matches('v');
    let mut parts = numbers
        .split(['.', '-', '+'])
        .map(|part| part.parse::<u64>().ok());
    let (Some(Some(major)), Some(Some(minor))) = (parts.next(), parts.next()) else {
        output::failure("Kubernetes version can't be determined");
        return false;
    };
    if (major, minor) < OLDEST {
        output::failure(format_args!(
            "Kubernetes version {text} does not match >=1.33.0-0"
        ));
        return false;
    }
    output::success(format_args!("Kubernetes {numbers} >=1.33.0-0"));
    true
}

fn version(cluster: &Cluster) -> bool {
    match installation(cluster) {
        Ok(Some(found)) => {
            if !found.distribution.is_empty() {
                output::success(format_args!("distribution: {}", found.distribution));
            }
            output::success(format_args!("bootstrapped: {}", found.bootstrapped));
            true
        }
        Ok(None) => {
            output::failure(
                "checking failed: customresourcedefinitions.apiextensions.k8s.io \
                 \"gitrepositories.source.toolkit.fluxcd.io\" not found",
            );
            false
        }
        Err(Stop::Failed(text)) => {
            output::failure(format_args!("checking failed: {text}"));
            false
        }
        Err(_) => false,
    }
}

fn controllers(cluster: &Cluster, namespace: &str) -> bool {
    let list = cluster.list(&DEPLOYMENT, Some(namespace), &Selection::labelled(PART_OF));
    let Ok(list) = list else {
        return true;
    };
    if list.is_empty() {
        output::failure(format_args!(
            "no controllers found in the '{namespace}' namespace with the label selector '{PART_OF}'"
        ));
        return false;
    }
    let mut good = true;
    for deployment in &list {
        let name = object::meta::name(deployment);
        let ready = cluster.poll(|| {
            let deployment = cluster.get(&DEPLOYMENT, namespace, name)?;
            Ok((object::status::of(&deployment, now()).status == Status::Current).then_some(()))
        });
        if ready.is_ok() {
            output::success(format_args!("{name}: deployment ready"));
        } else {
            output::failure(format_args!("{name}: deployment not ready"));
            good = false;
        }
        let containers = deployment["spec"]["template"]["spec"]["containers"].as_array();
        for container in containers.into_iter().flatten() {
            output::action(container["image"].as_str().unwrap_or_default());
        }
    }
    good
}

fn definitions(cluster: &Cluster) -> bool {
    let Ok(list) = cluster.list(&DEFINITION, None, &Selection::labelled(PART_OF)) else {
        return true;
    };
    if list.is_empty() {
        output::failure(format_args!(
            "no crds found with the label selector '{PART_OF}'"
        ));
        return false;
    }
    let mut good = true;
    for definition in &list {
        let name = object::meta::name(definition);
        let stored = definition["status"]["storedVersions"].as_array();
        match stored
            .and_then(|versions| versions.last())
            .and_then(|version| version.as_str())
        {
            Some(version) => output::success(format_args!("{name}/{version}")),
            None => {
                good = false;
                output::failure(format_args!("no stored versions for {name}"));
            }
        }
    }
    good
}
