//! Stock helm against `sluice up`, with a chart that has hooks, a test and a definition.

use std::time::Duration;

use testkit::peers;
use testkit::process::{Finished, run};
use testkit::server::Server;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/chart");

/// Runs a test with a fresh server, helm and kubectl, or skips it.
fn with_helm(test: impl FnOnce(&dyn Fn(&[&str]) -> Finished, &dyn Fn(&[&str]) -> Finished)) {
    let server = Server::in_memory(env!("CARGO_BIN_EXE_sluice"));
    let (Some(helm), Some(kubectl)) = (peers::find("helm"), server.kubectl()) else {
        return;
    };
    let helm = |arguments: &[&str]| {
        run(
            server.client(&helm).args(arguments),
            "",
            Duration::from_secs(180),
        )
    };
    test(&helm, &|arguments| kubectl.run(arguments));
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("helm printed JSON")
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, step by step")]
fn the_life_of_a_release() {
    with_helm(|helm, kubectl| {
        let text = helm(&["install", "shop", CHART, "--wait", "--timeout=90s"]).ok();
        assert!(text.contains("STATUS: deployed\nREVISION: 1\n"), "{text}");
        assert!(text.ends_with("NOTES:\nhello from shop\n"), "{text}");
        assert_eq!(
            kubectl(&["get", "order", "shop-first", "-o", "jsonpath={.spec.item}"]).ok(),
            "book"
        );
        let hooks = kubectl(&[
            "get",
            "jobs",
            "-o",
            "jsonpath={range .items[*]}{.metadata.name} {.status.succeeded} {end}",
        ])
        .ok();
        assert_eq!(hooks, "shop-post-install 1 shop-pre-install 1 ");

        let list = json(&helm(&["list", "-o", "json"]).ok());
        assert_eq!(
            (
                list[0]["name"].as_str(),
                list[0]["status"].as_str(),
                list[0]["chart"].as_str()
            ),
            (Some("shop"), Some("deployed"), Some("shop-1.0.0"))
        );

        let text = helm(&["test", "shop", "--timeout=90s"]).ok();
        assert!(
            text.contains("TEST SUITE:     shop-greeting")
                && text.contains("Phase:          Succeeded"),
            "{text}"
        );

        let text = helm(&[
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
            text.contains("Release \"shop\" has been upgraded. Happy Helming!")
                && text.contains("REVISION: 2"),
            "{text}"
        );
        assert_eq!(
            kubectl(&[
                "get",
                "deployment",
                "shop",
                "-o",
                "jsonpath={.status.availableReplicas}"
            ])
            .ok(),
            "3"
        );
        assert_eq!(
            kubectl(&[
                "get",
                "cm",
                "shop-settings",
                "-o",
                "jsonpath={.data.greeting} {.data.revision}"
            ])
            .ok(),
            "bye 2"
        );

        assert_eq!(
            helm(&["get", "values", "shop"]).ok(),
            "USER-SUPPLIED VALUES:\ngreeting: bye\nreplicas: 3\n"
        );
        assert!(
            helm(&["get", "manifest", "shop"])
                .ok()
                .contains("greeting: \"bye\"")
        );
        assert!(
            helm(&["get", "hooks", "shop"])
                .ok()
                .contains("helm.sh/hook: pre-install")
        );
        assert_eq!(
            helm(&["get", "notes", "shop"]).ok().trim(),
            "NOTES:\nbye from shop"
        );
        let status = json(&helm(&["status", "shop", "-o", "json"]).ok());
        assert_eq!(
            (
                status["info"]["status"].as_str(),
                status["version"].as_i64()
            ),
            (Some("deployed"), Some(2))
        );

        let text = helm(&["rollback", "shop", "1", "--wait", "--timeout=90s"]).ok();
        assert_eq!(text, "Rollback was a success! Happy Helming!\n");
        assert_eq!(
            kubectl(&[
                "get",
                "deployment",
                "shop",
                "-o",
                "jsonpath={.spec.replicas}"
            ])
            .ok(),
            "1"
        );
        let history = json(&helm(&["history", "shop", "-o", "json"]).ok());
        let states: Vec<_> = history
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["status"].as_str().unwrap())
            .collect();
        assert_eq!(states, ["superseded", "superseded", "deployed"]);

        assert_eq!(
            helm(&["uninstall", "shop", "--wait"]).ok(),
            "release \"shop\" uninstalled\n"
        );
        assert_eq!(
            kubectl(&[
                "get",
                "deployments,services,secrets,orders",
                "-l",
                "owner=helm",
                "-o",
                "name"
            ])
            .ok(),
            ""
        );
        assert!(
            kubectl(&["get", "deployment", "shop"])
                .failed()
                .contains("NotFound")
        );
        // Helm leaves definitions where they are.
        kubectl(&["get", "crd", "orders.shop.example.com"]).ok();
    });
}

#[test]
fn failures_are_seen() {
    with_helm(|helm, kubectl| {
        let text = helm(&[
            "install",
            "bad",
            CHART,
            "--set",
            "failHook=true",
            "--timeout=60s",
        ])
        .failed();
        assert!(text.contains("failed pre-install: "), "{text}");
        let list = json(&helm(&["list", "--all", "-o", "json"]).ok());
        assert_eq!(list[0]["status"], "failed");
        assert!(
            kubectl(&["get", "deployment", "bad"])
                .failed()
                .contains("NotFound")
        );

        helm(&[
            "install",
            "rude",
            CHART,
            "--set",
            "greeting=rude",
            "--skip-crds",
            "--timeout=60s",
        ])
        .ok();
        let text = helm(&["test", "rude", "--timeout=60s"]);
        assert!(
            !text.status.success() && text.stderr.contains("rude-greeting failed"),
            "{text}"
        );

        // --atomic takes a release back whose workload does not become ready.
        let text = helm(&[
            "upgrade",
            "rude",
            CHART,
            "--set",
            "image=simulate-crash-loop",
            "--atomic",
            "--timeout=5s",
        ])
        .failed();
        assert!(
            text.contains("has been rolled back due to atomic being set"),
            "{text}"
        );
        let images = kubectl(&[
            "get",
            "deployment",
            "rude",
            "-o",
            "jsonpath={.spec.template.spec.containers[0].image}",
        ])
        .ok();
        assert_eq!(images, "nginx:1.27");
    });
}
