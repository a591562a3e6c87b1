//! `sluice helm` and stock helm take turns on the same releases.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use testkit::peers;
use testkit::process::{Finished, run};
use testkit::server::Server;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/chart");

/// A server with both programs.
struct Both {
    server: Server,
    helm: std::path::PathBuf,
}

impl Both {
    fn start() -> Option<Self> {
        let helm = peers::find("helm")?;
        let server = Server::in_memory(env!("CARGO_BIN_EXE_sluice"));
        Some(Self { server, helm })
    }

    fn ours(&self, arguments: &[&str]) -> Finished {
        let mut command = self.server.client(Path::new(env!("CARGO_BIN_EXE_sluice")));
        run(
            command.arg("helm").args(arguments),
            "",
            Duration::from_secs(180),
        )
    }

    fn theirs(&self, arguments: &[&str]) -> Finished {
        let mut command = self.server.client(&self.helm);
        run(command.args(arguments), "", Duration::from_secs(180))
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        let kubectl = self.server.kubectl().expect("kubectl is built with helm");
        kubectl.ok(arguments)
    }

    /// The stored record of a revision, as JSON.
    fn record(&self, name: &str, revision: u32) -> Value {
        let secret = format!("sh.helm.release.v1.{name}.v{revision}");
        let data = self.kubectl(&["get", "secret", &secret, "-o", "jsonpath={.data.release}"]);
        let text = decode(&decode_text(&data));
        serde_json::from_slice(&text).expect("a record is JSON")
    }
}

fn decode_text(data: &str) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(data)
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap();
    let mut out = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut out).unwrap();
    out
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The states of the revisions that `helm history -o json` prints.
fn states(history: &str) -> Vec<Value> {
    let history = json(history);
    let revisions = history.as_array().unwrap().iter();
    revisions
        .map(|revision| revision["status"].clone())
        .collect()
}

/// What differs between two runs of the same: times.
fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for key in [
                "first_deployed",
                "last_deployed",
                "started_at",
                "completed_at",
                "deleted",
                "modtime",
                "schemamodtime",
            ] {
                fields.remove(key);
            }
            fields.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

#[test]
fn what_we_install_helm_goes_on_with() {
    let Some(both) = Both::start() else { return };
    let text = both
        .ours(&["install", "shop", CHART, "--wait", "--timeout=90s"])
        .ok();
    assert!(
        text.contains("STATUS: deployed\nREVISION: 1\nDESCRIPTION: Install complete\n"),
        "{text}"
    );
    assert!(text.ends_with("NOTES:\nhello from shop\n"), "{text}");

    let list = json(&both.theirs(&["list", "-o", "json"]).ok());
    assert_eq!(list[0]["name"], "shop");
    assert_eq!(list[0]["status"], "deployed");
    assert_eq!(
        both.theirs(&["get", "manifest", "shop"]).ok(),
        both.ours(&["get", "manifest", "shop"]).ok()
    );
    assert_eq!(
        both.theirs(&["get", "hooks", "shop"]).ok(),
        both.ours(&["get", "hooks", "shop"]).ok()
    );
    let text = both.theirs(&["test", "shop", "--timeout=90s"]).ok();
    assert!(text.contains("Phase:          Succeeded"), "{text}");

    both.theirs(&[
        "upgrade",
        "shop",
        CHART,
        "--set",
        "replicas=2",
        "--wait",
        "--timeout=90s",
    ])
    .ok();
    both.theirs(&["rollback", "shop", "1", "--wait", "--timeout=90s"])
        .ok();
    assert_eq!(
        both.kubectl(&[
            "get",
            "deployment",
            "shop",
            "-o",
            "jsonpath={.spec.replicas}"
        ]),
        "1"
    );
    let history = both.ours(&["history", "shop", "-o", "json"]).ok();
    assert_eq!(states(&history), ["superseded", "superseded", "deployed"]);
    assert_eq!(
        both.theirs(&["uninstall", "shop", "--wait"]).ok(),
        "release \"shop\" uninstalled\n"
    );
    assert!(
        both.ours(&["status", "shop"])
            .failed()
            .contains("Error: release: not found")
    );
}

#[test]
fn what_helm_installs_we_go_on_with() {
    let Some(both) = Both::start() else { return };
    both.theirs(&["install", "shop", CHART, "--wait", "--timeout=90s"])
        .ok();
    let list = both.ours(&["list"]).ok();
    assert!(
        list.starts_with("NAME\tNAMESPACE\tREVISION\tUPDATED"),
        "{list}"
    );
    assert!(list.contains("shop\tdefault  \t1       \t"), "{list}");
    let text = both
        .ours(&[
            "upgrade",
            "shop",
            CHART,
            "--set",
            "greeting=bye,replicas=3",
            "--wait",
            "--timeout=90s",
        ])
        .ok();
    assert!(
        text.starts_with("Release \"shop\" has been upgraded. Happy Helming!\nNAME: shop\n"),
        "{text}"
    );
    assert_eq!(
        both.kubectl(&[
            "get",
            "cm",
            "shop-settings",
            "-o",
            "jsonpath={.data.greeting} {.data.revision}"
        ]),
        "bye 2"
    );
    assert_eq!(
        both.theirs(&["get", "values", "shop"]).ok(),
        "USER-SUPPLIED VALUES:\ngreeting: bye\nreplicas: 3\n"
    );
    assert_eq!(
        both.ours(&["get", "values", "shop"]).ok(),
        "USER-SUPPLIED VALUES:\ngreeting: bye\nreplicas: 3\n"
    );
    assert_eq!(
        both.ours(&["rollback", "shop", "1", "--wait", "--timeout=90s"])
            .ok(),
        "Rollback was a success! Happy Helming!\n"
    );
    let history = both.theirs(&["history", "shop", "-o", "json"]).ok();
    assert_eq!(states(&history), ["superseded", "superseded", "deployed"]);
    let text = both.ours(&["test", "shop", "--timeout=90s"]).ok();
    assert!(
        text.contains("TEST SUITE:     shop-greeting")
            && text.contains("Phase:          Succeeded"),
        "{text}"
    );
    assert_eq!(
        both.ours(&["uninstall", "shop", "--wait"]).ok(),
        "release \"shop\" uninstalled\n"
    );
    assert_eq!(
        both.kubectl(&[
            "get",
            "deployments,services,secrets,orders",
            "-l",
            "owner=helm",
            "-o",
            "name"
        ]),
        ""
    );
    both.kubectl(&["get", "crd", "orders.shop.example.com"]);
}

#[test]
fn records_are_the_same() {
    let Some(both) = Both::start() else { return };
    both.ours(&[
        "install",
        "a",
        CHART,
        "--compat=3",
        "--timeout=90s",
        "--set",
        "replicas=2",
    ])
    .ok();
    let mut ours = both.record("a", 1);
    both.ours(&["uninstall", "a"]).ok();
    both.theirs(&[
        "install",
        "a",
        CHART,
        "--timeout=90s",
        "--set",
        "replicas=2",
    ])
    .ok();
    let mut theirs = both.record("a", 1);
    without_times(&mut ours);
    without_times(&mut theirs);
    // Helm 3 does not know how objects were applied.
    assert_eq!(
        ours.as_object_mut().unwrap().remove("apply_method"),
        Some("csa".into())
    );
    assert_eq!(ours, theirs);
}

#[test]
fn failures_are_recorded_and_told() {
    let Some(both) = Both::start() else { return };
    let text = both
        .ours(&[
            "install",
            "bad",
            CHART,
            "--set",
            "failHook=true",
            "--timeout=60s",
        ])
        .failed();
    assert!(
        text.starts_with("Error: INSTALLATION FAILED: failed pre-install: "),
        "{text}"
    );
    let list = json(&both.theirs(&["list", "--all", "-o", "json"]).ok());
    assert_eq!(list[0]["status"], "failed");
    let text = both.ours(&["install", "bad", CHART]).failed();
    assert!(
        text.contains("cannot reuse a name that is still in use"),
        "{text}"
    );
    both.ours(&["uninstall", "bad", "--no-hooks"]).ok();

    for (arguments, wanted) in [
        (
            &["install", "x", "./nowhere"][..],
            "Error: INSTALLATION FAILED: path \"./nowhere\" not found\n",
        ),
        (
            &["install", CHART],
            "Error: INSTALLATION FAILED: must either provide a name or specify --generate-name\n",
        ),
        (
            &["upgrade", "none", CHART],
            "Error: UPGRADE FAILED: \"none\" has no deployed releases\n",
        ),
        (
            &["uninstall", "none"],
            "Error: uninstall: Release not loaded: none: release: not found\n",
        ),
        (&["rollback", "none"], "Error: release: not found\n"),
        (
            &["install", "x", CHART, "--nope"],
            "Error: unknown flag: --nope\n",
        ),
    ] {
        assert_eq!(both.ours(arguments).failed(), wanted, "{arguments:?}");
    }
}

#[test]
fn a_failed_installation_can_be_undone() {
    let Some(both) = Both::start() else { return };
    let text = both
        .ours(&[
            "install",
            "bad",
            CHART,
            "--set",
            "image=simulate-crash-loop",
            "--rollback-on-failure",
            "--timeout=5s",
        ])
        .failed();
    let undone =
        "release bad failed, and has been uninstalled due to rollback-on-failure being set: ";
    assert!(text.contains(undone), "{text}");
    assert!(
        text.contains("resource Deployment/default/bad not ready"),
        "{text}"
    );
    assert_eq!(both.theirs(&["list", "--all", "-q"]).ok(), "");

    both.ours(&["install", "good", CHART, "--wait", "--timeout=90s"])
        .ok();
    let text = both
        .ours(&[
            "upgrade",
            "good",
            CHART,
            "--set",
            "image=simulate-crash-loop",
            "--rollback-on-failure",
            "--timeout=5s",
        ])
        .failed();
    let undone =
        "release good failed, and has been rolled back due to rollback-on-failure being set: ";
    assert!(text.contains(undone), "{text}");
    let history = both.theirs(&["history", "good", "-o", "json"]).ok();
    assert_eq!(states(&history), ["superseded", "failed", "deployed"]);
}
