//! The rows of `kubectl get`: what the server prints of an object of a built-in kind.
//!
//! The columns are in [`crate::facts::Resource::columns`]; [`cells`] gives the cells for all of them,
//! those of `-o wide` included, as the server does. Source: Kubernetes `pkg/printers/internalversion`.

mod autoscaling;
mod cluster;
mod network;
mod pod;
mod storage;
mod view;
mod workload;

use object::time::{Duration, Time};
use object::{GroupVersionResource, Value};

use view::View;

/// A row of a table: its cells, and the conditions that some rows carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One cell per column.
    pub cells: Vec<Value>,
    /// `TableRowCondition`s; only ended pods have one.
    pub conditions: Vec<Value>,
}

/// The row of an object of the resource; `now` is what ages are counted from.
///
/// The object is in the version in which the server prints its kind: the preferred one, so
/// `autoscaling/v2` for autoscalers.
pub fn row(resource: &GroupVersionResource, object: &Value, now: Time) -> Row {
    let printer = Printer {
        object: View(object),
        now,
    };
    let conditions = if resource.resource == "pods" {
        pod::row_conditions(printer.object)
    } else {
        Vec::new()
    };
    Row {
        cells: printer.cells(resource),
        conditions,
    }
}

/// An object with the time at which it is printed.
#[derive(Clone, Copy)]
struct Printer<'a> {
    object: View<'a>,
    now: Time,
}

impl Printer<'_> {
    fn cells(self, resource: &GroupVersionResource) -> Vec<Value> {
        match (resource.group.as_str(), resource.resource.as_str()) {
            ("", "pods") => pod::cells(self),
            ("", "podtemplates") => workload::pod_template(self),
            ("", "replicationcontrollers") => workload::replication_controller(self),
            ("", "services") => network::service(self),
            ("", "endpoints") => network::endpoints(self),
            ("", "nodes") => cluster::node(self),
            ("", "namespaces") => vec![self.name(), self.text("/status/phase"), self.age()],
            ("", "secrets") => vec![
                self.name(),
                self.text("/type"),
                self.count(&["/data"]),
                self.age(),
            ],
            ("", "configmaps") => vec![
                self.name(),
                self.count(&["/data", "/binaryData"]),
                self.age(),
            ],
            ("", "serviceaccounts") => vec![self.name(), self.age()],
            ("", "persistentvolumes") => storage::persistent_volume(self),
            ("", "persistentvolumeclaims") => storage::persistent_volume_claim(self),
            ("", "events") => cluster::event(self),
            ("events.k8s.io", "events") => cluster::new_event(self),
            ("", "resourcequotas") => cluster::resource_quota(self),
            ("", "componentstatuses") => cluster::component_status(self),
            ("apps", "deployments") => workload::deployment(self),
            ("apps", "replicasets") => workload::replica_set(self),
            ("apps", "statefulsets") => workload::stateful_set(self),
            ("apps", "daemonsets") => workload::daemon_set(self),
            ("apps", "controllerrevisions") => workload::controller_revision(self),
            ("batch", "jobs") => workload::job(self),
            ("batch", "cronjobs") => workload::cron_job(self),
            ("autoscaling", "horizontalpodautoscalers") => {
                autoscaling::horizontal_pod_autoscaler(self)
            }
            ("policy", "poddisruptionbudgets") => workload::pod_disruption_budget(self),
            ("networking.k8s.io", "ingresses") => network::ingress(self),
            ("networking.k8s.io", "ingressclasses") => network::ingress_class(self),
            ("networking.k8s.io", "networkpolicies") => network::network_policy(self),
            ("networking.k8s.io", "servicecidrs") => {
                vec![self.name(), self.joined("/spec/cidrs", ","), self.age()]
            }
            ("networking.k8s.io", "ipaddresses") => network::ip_address(self),
            ("discovery.k8s.io", "endpointslices") => network::endpoint_slice(self),
            ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
                cluster::role_binding(self)
            }
            ("storage.k8s.io", "storageclasses") => storage::storage_class(self),
            ("storage.k8s.io", "csidrivers") => storage::csi_driver(self),
            ("storage.k8s.io", "csinodes") => {
                vec![self.name(), self.count(&["/spec/drivers"]), self.age()]
            }
            ("storage.k8s.io", "volumeattachments") => storage::volume_attachment(self),
            ("storage.k8s.io", "volumeattributesclasses") => {
                vec![self.name(), self.text("/driverName"), self.age()]
            }
            ("certificates.k8s.io", "certificatesigningrequests") => {
                cluster::certificate_signing_request(self)
            }
            ("coordination.k8s.io", "leases") => {
                vec![self.name(), self.text("/spec/holderIdentity"), self.age()]
            }
            ("scheduling.k8s.io", "priorityclasses") => cluster::priority_class(self),
            ("node.k8s.io", "runtimeclasses") => {
                vec![self.name(), self.text("/handler"), self.age()]
            }
            (
                "admissionregistration.k8s.io",
                "mutatingwebhookconfigurations" | "validatingwebhookconfigurations",
            ) => {
                vec![self.name(), self.count(&["/webhooks"]), self.age()]
            }
            ("admissionregistration.k8s.io", "validatingadmissionpolicies") => {
                cluster::admission_policy(self)
            }
            ("admissionregistration.k8s.io", "validatingadmissionpolicybindings") => {
                cluster::admission_policy_binding(self)
            }
            ("flowcontrol.apiserver.k8s.io", "flowschemas") => cluster::flow_schema(self),
            ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations") => {
                cluster::priority_level(self)
            }
            ("apiregistration.k8s.io", "apiservices") => cluster::api_service(self),
            ("resource.k8s.io", "deviceclasses" | "resourceclaimtemplates") => {
                vec![self.name(), self.age()]
            }
            ("resource.k8s.io", "resourceclaims") => cluster::resource_claim(self),
            ("resource.k8s.io", "resourceslices") => vec![
                self.name(),
                self.text("/spec/nodeName"),
                self.text("/spec/driver"),
                self.text("/spec/pool/name"),
                self.age(),
            ],
            // Kinds without a printer of their own show when they were made.
            _ => vec![self.name(), self.text("/metadata/creationTimestamp")],
        }
    }

    fn name(self) -> Value {
        self.text("/metadata/name")
    }

    fn text(self, path: &str) -> Value {
        Value::from(self.object.text(path))
    }

    fn integer(self, path: &str) -> Value {
        Value::from(self.object.integer(path))
    }

    /// A text, or `default` where there is none.
    fn text_or(self, path: &str, default: &str) -> Value {
        let text = self.object.text(path);
        Value::from(if text.is_empty() { default } else { text })
    }

    /// The texts of a list in one.
    fn joined(self, path: &str, separator: &str) -> Value {
        let texts: Vec<&str> = self.object.list(path).map(View::as_text).collect();
        Value::from(texts.join(separator))
    }

    /// How many entries the lists or maps at the paths hold together.
    fn count(self, paths: &[&str]) -> Value {
        Value::from(
            paths
                .iter()
                .map(|path| self.object.length(path))
                .sum::<usize>(),
        )
    }

    /// The time since the object was made.
    fn age(self) -> Value {
        Value::from(self.since("/metadata/creationTimestamp"))
    }

    /// The time since the one at the path, `<unknown>` if there is none.
    fn since(self, path: &str) -> String {
        self.since_time(self.object.time(path))
    }

    fn since_time(self, time: Option<Time>) -> String {
        match time {
            Some(time) if !time.is_zero() => human(self.now.since(time)),
            _ => "<unknown>".to_owned(),
        }
    }
}

fn human(duration: Duration) -> String {
    object::time::human::human(duration)
}

/// The names and images of containers, for `-o wide`.
fn containers(containers: View<'_>) -> [Value; 2] {
    ["/name", "/image"].map(|path| {
        let texts: Vec<&str> = containers
            .items()
            .map(|container| container.text(path))
            .collect();
        Value::from(texts.join(","))
    })
}

/// Labels as `k=v,k=v`, `<none>` if there are none.
fn labels(map: View<'_>) -> Value {
    let texts: Vec<String> = map
        .entries()
        .map(|(key, value)| format!("{key}={}", value.as_text()))
        .collect();
    Value::from(if texts.is_empty() {
        "<none>".to_owned()
    } else {
        texts.join(",")
    })
}

/// A label selector object as text, `<none>` if it selects everything or is absent.
fn label_selector(selector: View<'_>) -> Value {
    Value::from(object::selector::format_label_selector(selector.0))
}

/// A label selector object as text; `None` if it is invalid.
fn selector_text(selector: View<'_>) -> Option<String> {
    object::selector::from_object(selector.0)
        .ok()
        .map(|selector| selector.to_string())
}

#[cfg(test)]
mod tests;
