//! Pods, whose one-word status sums up all their containers.

use object::Value;
use object::time::Time;
use serde_json::json;

use super::view::View;
use super::{Printer, human};

/// What is summed up over the containers.
#[derive(Default)]
struct Summary {
    reason: String,
    ready: usize,
    restarts: i64,
    last_restart: Option<Time>,
}

impl Summary {
    /// Counts the restarts of a container.
    fn count_restarts(&mut self, status: View<'_>) {
        self.restarts += status.integer("/restartCount");
        if let Some(finished) = status.time("/lastState/terminated/finishedAt")
            && self.last_restart.is_none_or(|known| known < finished)
        {
            self.last_restart = Some(finished);
        }
    }
}

pub(super) fn cells(printer: Printer<'_>) -> Vec<Value> {
    let pod = printer.object;
    let sidecars = pod
        .list("/spec/initContainers")
        .filter(|container| is_sidecar(*container))
        .count();
    let total = pod.length("/spec/containers") + sidecars;
    let summary = summary(pod);
    let mut restarts = summary.restarts.to_string();
    if let Some(time) = summary
        .last_restart
        .filter(|time| summary.restarts != 0 && !time.is_zero())
    {
        restarts = format!("{restarts} ({} ago)", human(printer.now.since(time)));
    }
    vec![
        printer.name(),
        Value::from(format!("{}/{total}", summary.ready)),
        Value::from(summary.reason),
        Value::from(restarts),
        printer.age(),
        printer.text_or("/status/podIPs/0/ip", "<none>"),
        printer.text_or("/spec/nodeName", "<none>"),
        printer.text_or("/status/nominatedNodeName", "<none>"),
        readiness_gates(pod),
    ]
}

/// Ended pods are marked, so that clients can dim them.
pub(super) fn row_conditions(pod: View<'_>) -> Vec<Value> {
    let (reason, message) = match pod.text("/status/phase") {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return Vec::new(),
    };
    vec![json!({"type": "Completed", "status": "True", "reason": reason, "message": message})]
}

/// An init container that keeps running.
fn is_sidecar(container: View<'_>) -> bool {
    container.text("/restartPolicy") == "Always"
}

fn summary(pod: View<'_>) -> Summary {
    let phase = pod.text("/status/phase");
    let status_reason = pod.text("/status/reason");
    let reason = if status_reason.is_empty() {
        phase
    } else {
        status_reason
    };
    let mut summary = Summary {
        reason: reason.to_owned(),
        ..Summary::default()
    };
    let gated = |condition: View<'_>| {
        condition.text("/type") == "PodScheduled" && condition.text("/reason") == "SchedulingGated"
    };
    if pod.list("/status/conditions").any(gated) {
        "SchedulingGated".clone_into(&mut summary.reason);
    }
    let mut of_sidecars = Summary::default();
    let initializing = init_containers(pod, &mut summary, &mut of_sidecars);
    if !initializing || pod.has_condition("/status/conditions", "Initialized") {
        summary.restarts = of_sidecars.restarts;
        summary.last_restart = of_sidecars.last_restart;
        main_containers(pod, &mut summary);
    }
    if pod.is_set("/metadata/deletionTimestamp") {
        if status_reason == "NodeLost" {
            "Unknown".clone_into(&mut summary.reason);
        } else if !matches!(phase, "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut summary.reason);
        }
    }
    summary
}

/// Whether an init container is still to end; the reason then tells which.
fn init_containers(pod: View<'_>, summary: &mut Summary, of_sidecars: &mut Summary) -> bool {
    let total = pod.length("/spec/initContainers");
    for (index, status) in pod.list("/status/initContainerStatuses").enumerate() {
        let name = status.text("/name");
        let sidecar = pod
            .list("/spec/initContainers")
            .any(|container| container.text("/name") == name && is_sidecar(container));
        summary.count_restarts(status);
        if sidecar {
            of_sidecars.count_restarts(status);
        }
        let terminated = status.at("/state/terminated");
        let waiting = status.text("/state/waiting/reason");
        if !terminated.0.is_null() && terminated.integer("/exitCode") == 0 {
            continue;
        }
        if sidecar && status.truth("/started") {
            summary.ready += usize::from(status.truth("/ready"));
            continue;
        }
        summary.reason = if !terminated.0.is_null() {
            format!("Init:{}", end_of(terminated))
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{index}/{total}")
        };
        return true;
    }
    false
}

/// Why a container ended: its reason, signal or exit code.
fn end_of(terminated: View<'_>) -> String {
    let reason = terminated.text("/reason");
    let signal = terminated.integer("/signal");
    if !reason.is_empty() {
        reason.to_owned()
    } else if signal != 0 {
        format!("Signal:{signal}")
    } else {
        format!("ExitCode:{}", terminated.integer("/exitCode"))
    }
}

fn main_containers(pod: View<'_>, summary: &mut Summary) {
    let mut running = false;
    let mut failure = None;
    for status in pod.list("/status/containerStatuses").rev() {
        summary.count_restarts(status);
        let waiting = status.text("/state/waiting/reason");
        let terminated = status.at("/state/terminated");
        if !waiting.is_empty() {
            waiting.clone_into(&mut summary.reason);
        } else if !terminated.0.is_null() {
            summary.reason = end_of(terminated);
            if terminated.integer("/exitCode") != 0 {
                failure = Some(summary.reason.clone());
            }
        } else if status.truth("/ready") && status.is_set("/state/running") {
            running = true;
            summary.ready += 1;
        }
    }
    // An ended container does not make the pod ended while another runs.
    if summary.reason == "Completed" {
        if running
            && pod
                .list("/status/conditions")
                .any(|c| c.text("/type") == "Ready" && c.text("/status") == "True")
        {
            "Running".clone_into(&mut summary.reason);
        } else if let Some(failure) = failure {
            summary.reason = failure;
        } else if running {
            "NotReady".clone_into(&mut summary.reason);
        }
    }
}

fn readiness_gates(pod: View<'_>) -> Value {
    let total = pod.length("/spec/readinessGates");
    if total == 0 {
        return Value::from("<none>");
    }
    let met = pod
        .list("/spec/readinessGates")
        .filter(|gate| pod.has_condition("/status/conditions", gate.text("/conditionType")))
        .count();
    Value::from(format!("{met}/{total}"))
}
