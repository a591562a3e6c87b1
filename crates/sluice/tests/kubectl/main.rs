//! Stock kubectl against `sluice up`: what it prints and what the server holds afterwards.
//!
//! Each test has a server of its own. Without kubectl they are skipped, unless `SLUICE_E2E=required`.

mod apply;
mod change;
mod cluster;
mod delete;
mod read;
mod rollout;

use testkit::server::{Kubectl, Server};

/// Runs a test with a fresh server and kubectl, or skips it.
fn with_kubectl(test: impl FnOnce(&Kubectl<'_>, &Server)) {
    let server = Server::in_memory(env!("CARGO_BIN_EXE_sluice"));
    if let Some(kubectl) = server.kubectl() {
        test(&kubectl, &server);
    }
}

/// A Deployment that most tests start from.
const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        ports: [{containerPort: 80}]
";

/// A small ConfigMap.
const SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue, size: small}
";
