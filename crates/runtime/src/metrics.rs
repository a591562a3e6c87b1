//! The metrics of Flux's controllers, by the names that dashboards use.

mod process;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus::{
    CounterVec, Encoder as _, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec,
    Opts, Registry, TextEncoder,
};

use crate::{Failure, ObjectKey, Outcome, Queue};

/// The metrics of a process; a handle that is cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    reconcile_duration: HistogramVec,
    active_workers: IntGaugeVec,
    max_concurrent: IntGaugeVec,
    errors: IntCounterVec,
    terminal_errors: IntCounterVec,
    panics: IntCounterVec,
    timeouts: IntCounterVec,
    reconcile_time: HistogramVec,
    reconcile_total: IntCounterVec,
    requests: IntCounterVec,
    leader: IntGaugeVec,
    queue_duration: HistogramVec,
    work_duration: HistogramVec,
    depth: IntGaugeVec,
    adds: CounterVec,
    retries: CounterVec,
    longest: GaugeVec,
    unfinished: GaugeVec,
    queues: Mutex<BTreeMap<String, Queue>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// client-go's buckets for the times of a work queue: 10 ns to 1000 s.
const QUEUE_BUCKETS: [f64; 12] = [
    1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0,
];
/// controller-runtime's buckets for the time of a reconciliation.
const RECONCILE_BUCKETS: [f64; 37] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9,
    1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0,
    30.0, 40.0,
];

/// Ten steps from 10 ms to half an hour, each the same factor from the last.
fn duration_buckets() -> Vec<f64> {
    let (least, most, count) = (10e-3_f64, 1800.0_f64, 10);
    let factor = (most / least).powf(1.0 / f64::from(count - 1));
    (0..count).map(|step| least * factor.powi(step)).collect()
}

#[expect(
    clippy::expect_used,
    reason = "names and labels are fixed, and every family is registered once"
)]
impl Metrics {
    /// All families, at zero.
    #[expect(clippy::too_many_lines, reason = "a list of families")]
    pub fn new() -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let family = IntCounterVec::new(Opts::new(name, help), labels).expect("a fixed name");
            registry
                .register(Box::new(family.clone()))
                .expect("registered once");
            family
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            let family = IntGaugeVec::new(Opts::new(name, help), labels).expect("a fixed name");
            registry
                .register(Box::new(family.clone()))
                .expect("registered once");
            family
        };
        let float = |name: &str, help: &str| {
            let family = GaugeVec::new(Opts::new(name, help), &["controller", "name"])
                .expect("a fixed name");
            registry
                .register(Box::new(family.clone()))
                .expect("registered once");
            family
        };
        let total = |name: &str, help: &str| {
            let family = CounterVec::new(Opts::new(name, help), &["controller", "name"])
                .expect("a fixed name");
            registry
                .register(Box::new(family.clone()))
                .expect("registered once");
            family
        };
        let histogram = |name: &str, help: &str, labels: &[&str], buckets: Vec<f64>| {
            let family = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets), labels)
                .expect("a fixed name");
            registry
                .register(Box::new(family.clone()))
                .expect("registered once");
            family
        };
        let inner = Inner {
            reconcile_duration: histogram(
                "gotk_reconcile_duration_seconds",
                "The duration in seconds of a GitOps Toolkit resource reconciliation.",
                &["kind", "name", "namespace"],
                duration_buckets(),
            ),
            active_workers: gauge(
                "controller_runtime_active_workers",
                "Number of currently used workers per controller",
                &["controller"],
            ),
            max_concurrent: gauge(
                "controller_runtime_max_concurrent_reconciles",
                "Maximum number of concurrent reconciles per controller",
                &["controller"],
            ),
            errors: counter(
                "controller_runtime_reconcile_errors_total",
                "Total number of reconciliation errors per controller",
                &["controller"],
            ),
            terminal_errors: counter(
                "controller_runtime_terminal_reconcile_errors_total",
                "Total number of terminal reconciliation errors per controller",
                &["controller"],
            ),
            panics: counter(
                "controller_runtime_reconcile_panics_total",
                "Total number of reconciliation panics per controller",
                &["controller"],
            ),
            timeouts: counter(
                "controller_runtime_reconcile_timeouts_total",
                "Total number of reconciliation timeouts per controller",
                &["controller"],
            ),
            reconcile_time: histogram(
                "controller_runtime_reconcile_time_seconds",
                "Length of time per reconciliation per controller",
                &["controller"],
                [&RECONCILE_BUCKETS[..], &[50.0, 60.0]].concat(),
            ),
            reconcile_total: counter(
                "controller_runtime_reconcile_total",
                "Total number of reconciliations per controller",
                &["controller", "result"],
            ),
            requests: counter(
                "rest_client_requests_total",
                "Number of HTTP requests, partitioned by status code, method, and host.",
                &["code", "host", "method"],
            ),
            leader: gauge(
                "leader_election_master_status",
                "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
                &["name"],
            ),
            queue_duration: histogram(
                "workqueue_queue_duration_seconds",
                "How long in seconds an item stays in workqueue before being requested",
                &["controller", "name"],
                QUEUE_BUCKETS.to_vec(),
            ),
            work_duration: histogram(
                "workqueue_work_duration_seconds",
                "How long in seconds processing an item from workqueue takes.",
                &["controller", "name"],
                QUEUE_BUCKETS.to_vec(),
            ),
            depth: gauge(
                "workqueue_depth",
                "Current depth of workqueue by workqueue and priority",
                &["controller", "name", "priority"],
            ),
            adds: total(
                "workqueue_adds_total",
                "Total number of adds handled by workqueue",
            ),
            retries: total(
                "workqueue_retries_total",
                "Total number of items added to the workqueue with a non-zero delay (rate-limited requeues, explicit RequeueAfter or AddAfter calls)",
            ),
            longest: float(
                "workqueue_longest_running_processor_seconds",
                "How many seconds has the longest running processor for workqueue been running.",
            ),
            unfinished: float(
                "workqueue_unfinished_work_seconds",
                "How many seconds of work has been done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
            ),
            queues: Mutex::default(),
            registry,
        };
        Self(Arc::new(inner))
    }

    /// Further families go in here.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Records how long a reconciliation of an object took.
    pub fn reconciled(&self, kind: &str, key: &ObjectKey, duration: Duration) {
        let labels = [kind, &key.name, &key.namespace];
        self.0
            .reconcile_duration
            .with_label_values(&labels)
            .observe(duration.as_secs_f64());
    }

    /// Drops what was recorded of an object that is gone.
    pub fn forget(&self, kind: &str, key: &ObjectKey) {
        // There may be nothing to drop.
        let _ = self
            .0
            .reconcile_duration
            .remove_label_values(&[kind, &key.name, &key.namespace]);
    }

    /// Records whether this process holds the lease.
    pub fn leads(&self, lease: &str, leads: bool) {
        self.0
            .leader
            .with_label_values(&[lease])
            .set(i64::from(leads));
    }

    pub(crate) fn requested(&self, code: &str, host: &str, method: &str) {
        self.0
            .requests
            .with_label_values(&[code, host, method])
            .inc();
    }

    pub(crate) fn register_queue(&self, controller: &str, queue: Queue, concurrent: usize) {
        self.0
            .max_concurrent
            .with_label_values(&[controller])
            .set(concurrent as i64);
        self.0
            .active_workers
            .with_label_values(&[controller])
            .set(0);
        for family in [
            &self.0.errors,
            &self.0.terminal_errors,
            &self.0.panics,
            &self.0.timeouts,
        ] {
            family.with_label_values(&[controller]).inc_by(0);
        }
        for result in ["success", "error", "requeue", "requeue_after"] {
            self.0
                .reconcile_total
                .with_label_values(&[controller, result])
                .inc_by(0);
        }
        self.0.queues.lock().insert(controller.to_owned(), queue);
    }

    pub(crate) fn begin(&self, controller: &str, queued_for: Duration) -> Active {
        self.0
            .queue_duration
            .with_label_values(&[controller, controller])
            .observe(queued_for.as_secs_f64());
        self.0.active_workers.with_label_values(&[controller]).inc();
        Active {
            metrics: self.clone(),
            controller: controller.to_owned(),
        }
    }

    pub(crate) fn panicked(&self, controller: &str) {
        self.0.panics.with_label_values(&[controller]).inc();
    }

    /// All metrics in Prometheus' text form.
    pub fn render(&self) -> String {
        for (controller, queue) in self.0.queues.lock().iter() {
            self.refresh(controller, queue);
        }
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.0.registry.gather(), &mut text) {
            tracing::warn!(%error, "metrics cannot be encoded");
        }
        let mut text = String::from_utf8_lossy(&text).into_owned();
        text.push_str(&process::render());
        text
    }

    fn refresh(&self, controller: &str, queue: &Queue) {
        let figures = queue.figures();
        let labels = [controller, controller];
        let depth = |priority: &str, depth: usize| {
            self.0
                .depth
                .with_label_values(&[controller, controller, priority])
                .set(depth as i64)
        };
        depth("0", figures.depth_normal);
        depth("-100", figures.depth_low);
        let catch_up = |family: &CounterVec, value: u64| {
            let counter = family.with_label_values(&labels);
            counter.inc_by((value as f64 - counter.get()).max(0.0));
        };
        catch_up(&self.0.adds, figures.adds);
        catch_up(&self.0.retries, figures.retries);
        self.0
            .longest
            .with_label_values(&labels)
            .set(figures.longest_running.as_secs_f64());
        self.0
            .unfinished
            .with_label_values(&labels)
            .set(figures.unfinished.as_secs_f64());
    }
}

/// A reconciliation that is under way.
pub(crate) struct Active {
    metrics: Metrics,
    controller: String,
}

impl Active {
    pub(crate) fn end(self, duration: Duration, ended: &Result<Outcome, Failure>) {
        let inner = &self.metrics.0;
        let controller = self.controller.as_str();
        let result = match ended {
            Ok(Outcome::Settled) => "success",
            Ok(Outcome::After(_)) => "requeue_after",
            Ok(Outcome::Again) => "requeue",
            Err(failure) => {
                inner.errors.with_label_values(&[controller]).inc();
                if matches!(failure, Failure::Terminal(_)) {
                    inner.terminal_errors.with_label_values(&[controller]).inc();
                }
                "error"
            }
        };
        inner
            .reconcile_total
            .with_label_values(&[controller, result])
            .inc();
        inner
            .reconcile_time
            .with_label_values(&[controller])
            .observe(duration.as_secs_f64());
        inner
            .work_duration
            .with_label_values(&[controller, controller])
            .observe(duration.as_secs_f64());
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.metrics
            .0
            .active_workers
            .with_label_values(&[&self.controller])
            .dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_what_was_recorded() {
        let metrics = Metrics::new();
        metrics.register_queue("kustomization", Queue::default(), 4);
        let key = ObjectKey::new("ns", "app");
        metrics.reconciled("Kustomization", &key, Duration::from_millis(20));
        metrics
            .begin("kustomization", Duration::ZERO)
            .end(Duration::from_secs(1), &Ok(Outcome::After(Duration::ZERO)));
        let text = metrics.render();
        for line in [
            r#"gotk_reconcile_duration_seconds_count{kind="Kustomization",name="app",namespace="ns"} 1"#,
            r#"controller_runtime_reconcile_total{controller="kustomization",result="requeue_after"} 1"#,
            r#"controller_runtime_reconcile_total{controller="kustomization",result="error"} 0"#,
            r#"controller_runtime_active_workers{controller="kustomization"} 0"#,
            r#"controller_runtime_max_concurrent_reconciles{controller="kustomization"} 4"#,
            r#"workqueue_depth{controller="kustomization",name="kustomization",priority="0"} 0"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.contains("process_resident_memory_bytes "));
        metrics.forget("Kustomization", &key);
        assert!(
            !metrics
                .render()
                .contains("gotk_reconcile_duration_seconds_count")
        );
    }

    #[test]
    fn buckets_are_flux_ones() {
        let buckets = duration_buckets();
        assert_eq!(buckets.len(), 10);
        assert!((buckets[0] - 0.01).abs() < 1e-9 && (buckets[9] - 1800.0).abs() < 1e-6);
    }
}
