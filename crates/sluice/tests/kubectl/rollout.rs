//! `rollout`, `wait`, and the simulator's failing workloads.

use super::{WEB, with_kubectl};

#[test]
fn rollouts_progress_restart_and_go_back() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        let text = kubectl.ok(&["rollout", "status", "deployment/web", "--timeout=60s"]);
        assert!(
            text.ends_with("deployment \"web\" successfully rolled out\n"),
            "{text}"
        );
        kubectl.ok(&["set", "image", "deployment/web", "web=nginx:1.28"]);
        kubectl.ok(&[
            "annotate",
            "deployment/web",
            "kubernetes.io/change-cause=newer",
        ]);
        kubectl.ok(&["rollout", "status", "deployment/web", "--timeout=60s"]);
        let history = kubectl.until(&["rollout", "history", "deployment/web"], |text| {
            text.contains("newer")
        });
        assert!(
            history.starts_with(
                "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         newer\n"
            ),
            "{history}"
        );
        let one = kubectl.ok(&["rollout", "history", "deployment/web", "--revision=1"]);
        assert!(one.contains("Image:\tnginx:1.27"), "{one}");
        assert_eq!(
            kubectl.ok(&["rollout", "undo", "deployment/web"]),
            "deployment.apps/web rolled back\n"
        );
        kubectl.ok(&["rollout", "status", "deployment/web", "--timeout=60s"]);
        assert_eq!(
            kubectl.ok(&[
                "get",
                "deployment",
                "web",
                "-o",
                "jsonpath={.spec.template.spec.containers[0].image}"
            ]),
            "nginx:1.27"
        );
        let old = kubectl.ok(&["get", "pods", "-l", "app=web", "-o", "name"]);
        assert_eq!(
            kubectl.ok(&["rollout", "restart", "deployment/web"]),
            "deployment.apps/web restarted\n"
        );
        kubectl.ok(&["rollout", "status", "deployment/web", "--timeout=60s"]);
        kubectl.until(&["get", "pods", "-l", "app=web", "-o", "name"], |text| {
            text.lines().count() == 2 && old.lines().all(|pod| !text.contains(pod))
        });
        assert_eq!(
            kubectl.ok(&["rollout", "pause", "deployment/web"]),
            "deployment.apps/web paused\n"
        );
        assert_eq!(
            kubectl.ok(&["rollout", "resume", "deployment/web"]),
            "deployment.apps/web resumed\n"
        );
    });
}

#[test]
fn stateful_and_daemon_sets_roll_out() {
    with_kubectl(|kubectl, _| {
        let stateful = WEB
            .replace("kind: Deployment", "kind: StatefulSet")
            .replace("replicas: 2", "replicas: 2\n  serviceName: web");
        kubectl.apply(&stateful);
        let text = kubectl.ok(&["rollout", "status", "statefulset/web", "--timeout=60s"]);
        assert!(text.contains("roll"), "{text}");
        assert_eq!(
            kubectl.ok(&["get", "pods", "-o", "name"]),
            "pod/web-0\npod/web-1\n"
        );
        let daemons = WEB
            .replace("kind: Deployment", "kind: DaemonSet")
            .replace("web", "agent")
            .replace("  replicas: 2\n", "");
        kubectl.apply(&daemons);
        let text = kubectl.ok(&["rollout", "status", "daemonset/agent", "--timeout=60s"]);
        assert!(text.contains("successfully rolled out"), "{text}");
    });
}

#[test]
fn wait_for_conditions_fields_and_deletion() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        let wait =
            |what: &str, condition: &str| kubectl.ok(&["wait", "--timeout=60s", what, condition]);
        assert_eq!(
            wait("deployment/web", "--for=condition=Available"),
            "deployment.apps/web condition met\n"
        );
        wait("deployment/web", "--for=jsonpath={.status.readyReplicas}=2");
        kubectl.ok(&["create", "job", "once", "--image=busybox"]);
        assert_eq!(
            wait("job/once", "--for=condition=Complete"),
            "job.batch/once condition met\n"
        );
        kubectl.ok(&["delete", "job", "once", "--wait=false"]);
        kubectl.ok(&["wait", "--timeout=60s", "--for=delete", "job/once"]);
        let text = kubectl
            .run(&[
                "wait",
                "--timeout=1s",
                "deployment/web",
                "--for=condition=Nothing",
            ])
            .failed();
        assert_eq!(
            text,
            "error: timed out waiting for the condition on deployments/web\n"
        );
    });
}

#[test]
fn a_workload_can_be_told_to_fail() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(&WEB.replace("nginx:1.27", "example.com/simulate-crash-loop:1"));
        kubectl.until(&["get", "pods", "-l", "app=web"], |text| {
            text.contains("CrashLoopBackOff")
        });
        let text = kubectl
            .run(&["rollout", "status", "deployment/web", "--timeout=1s"])
            .failed();
        assert!(
            text.contains("timed out waiting for the condition"),
            "{text}"
        );
        kubectl.apply(
            &WEB.replace("name: web", "name: slow")
                .replace("app: web", "app: slow")
                .replace("nginx:1.27", "simulate-image-pull-error"),
        );
        kubectl.until(&["get", "pods", "-l", "app=slow"], |text| {
            text.contains("ImagePullBackOff")
        });
        kubectl.ok(&["create", "job", "bad", "--image=simulate-fail"]);
        kubectl.ok(&[
            "wait",
            "--timeout=60s",
            "job/bad",
            "--for=jsonpath={.status.failed}",
        ]);
    });
}
