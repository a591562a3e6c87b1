//! A real API server takes the CRDs and manifests of every old version, and loses nothing of them.
//!
//! Needs a cluster and kubectl: `SLUICE_TEST_KUBECONFIG` names the kubeconfig of a cluster that may be
//! written to. It is skipped when the variable is not set.
#![expect(clippy::unwrap_used, reason = "a test that cannot run its tools fails")]

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use api::convert::to_current;
use serde::Deserialize;
use serde_json::{Value, json};

struct Kubectl {
    kubeconfig: OsString,
}

impl Kubectl {
    fn connect() -> Option<Self> {
        let Some(kubeconfig) = std::env::var_os("SLUICE_TEST_KUBECONFIG") else {
            #[expect(clippy::print_stderr, reason = "the report of a test run")]
            {
                eprintln!("SKIPPED: SLUICE_TEST_KUBECONFIG names no cluster");
            }
            return None;
        };
        Some(Self { kubeconfig })
    }

    /// Runs kubectl; standard output and standard error.
    fn run(&self, arguments: &[&str], input: &str) -> (String, String) {
        let mut child = Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert!(output.status.success(), "kubectl {arguments:?}: {err}");
        (out, err)
    }

    fn apply(&self, object: &Value) -> String {
        let arguments = ["apply", "--server-side", "--field-manager=test", "-f", "-"];
        self.run(&arguments, &object.to_string()).1
    }

    fn get(&self, resource: &str, name: &str) -> Value {
        let arguments = ["get", resource, name, "-n", "default", "-o", "json"];
        serde_json::from_str(&self.run(&arguments, "").0).unwrap()
    }
}

#[derive(Deserialize)]
struct Case {
    old: Value,
    current: Value,
    ignored: Vec<String>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let documents = serde_yaml_ng::Deserializer::from_str(&text);
        cases.extend(documents.map(|document| Case::deserialize(document).unwrap()));
    }
    cases
}

/// Whether `whole` has all that `part` has; the server adds defaults.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part))),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len()
                && whole
                    .iter()
                    .zip(part)
                    .all(|(whole, part)| contains(whole, part))
        }
        _ => whole == part,
    }
}

#[test]
fn a_real_api_server_keeps_objects_of_old_versions() {
    let Some(kubectl) = Kubectl::connect() else {
        return;
    };
    let crds = json!({"apiVersion": "v1", "kind": "List", "items": api::crds()});
    kubectl.run(
        &["apply", "--server-side", "--force-conflicts", "-f", "-"],
        &crds.to_string(),
    );
    for kind in api::kinds() {
        let name = format!("crd/{}", kind.names.crd_name());
        kubectl.run(
            &[
                "wait",
                "--for=condition=Established",
                "--timeout=30s",
                &name,
            ],
            "",
        );
    }
    let cases = cases();
    assert_eq!(cases.len(), 40);
    for case in cases {
        check(&kubectl, case);
    }
}

fn check(kubectl: &Kubectl, case: Case) {
    let Case {
        mut old,
        current,
        ignored,
    } = case;
    let (group, version) = old["apiVersion"].as_str().unwrap().split_once('/').unwrap();
    let kind = api::crd::kind(group, old["kind"].as_str().unwrap()).unwrap();
    let what = format!("{version} {}", kind.names.kind);
    let resource = format!("{}.{}.{group}", kind.names.plural, kind.current().name);
    let warning = api::convert::deprecation_warning(kind, kind.version(version).unwrap());
    let name = format!("old-{version}");
    old["metadata"]["name"] = json!(name);
    kubectl.run(
        &[
            "delete",
            &resource,
            &name,
            "-n",
            "default",
            "--ignore-not-found",
        ],
        "",
    );

    let warnings = kubectl.apply(&old);
    assert!(
        warnings.contains(&format!("Warning: {warning}")),
        "{what}: {warnings}"
    );
    let stored = kubectl.get(&resource, &name);
    let converted = to_current(stored).unwrap();
    assert!(
        contains(&converted.object["spec"], &current),
        "{what}: {:#}",
        converted.object["spec"]
    );
    assert_eq!(converted.ignored, ignored, "{what}");

    // What controllers do: metadata and status, through the current version.
    let patch = |more: &[&str], patch: &str| {
        let mut arguments = vec![
            "patch",
            &resource,
            &name,
            "-n",
            "default",
            "--type=merge",
            "-p",
            patch,
        ];
        arguments.extend(more);
        kubectl.run(&arguments, "");
    };
    patch(&[], r#"{"metadata": {"labels": {"a": "b"}}}"#);
    if kind.current().has_status {
        patch(
            &["--subresource=status"],
            r#"{"status": {"observedGeneration": 1}}"#,
        );
    }
    // Applying the same manifest again changes nothing.
    let before = kubectl.get(&resource, &name);
    kubectl.apply(&old);
    let after = kubectl.get(&resource, &name);
    assert_eq!(after["metadata"]["generation"], json!(1), "{what}");
    assert_eq!(
        after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"],
        "{what}"
    );
    // Its author goes over to the current version.
    let mut new = old;
    new["apiVersion"] = json!(kind.names.api_version(kind.current().name));
    new["spec"] = current;
    assert_eq!(kubectl.apply(&new), "", "{what}");
    let migrated = kubectl.get(&resource, &name);
    let converted = to_current(migrated.clone()).unwrap();
    assert_eq!(converted.object, migrated, "{what} has old fields still");
    assert!(converted.ignored.is_empty(), "{what}");
}
