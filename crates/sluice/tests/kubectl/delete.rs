//! `delete` and what goes with the deleted.

use super::{SETTINGS, WEB, with_kubectl};

#[test]
fn delete_waits_and_reports() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(SETTINGS);
        assert_eq!(
            kubectl.ok(&["delete", "cm", "settings"]),
            "configmap \"settings\" deleted from default namespace\n"
        );
        let text = kubectl.run(&["delete", "cm", "settings"]).failed();
        assert_eq!(
            text,
            "Error from server (NotFound): configmaps \"settings\" not found\n"
        );
        kubectl.ok(&["delete", "cm", "settings", "--ignore-not-found"]);
        kubectl.apply(SETTINGS);
        kubectl.run_with(&["delete", "-f", "-"], SETTINGS).ok();
        kubectl.ok(&["create", "cm", "one"]);
        kubectl.ok(&["label", "cm", "one", "sweep=yes"]);
        assert_eq!(
            kubectl.ok(&["delete", "cm", "-l", "sweep=yes", "-o", "name"]),
            "configmap/one\n"
        );
    });
}

#[test]
fn background_deletion_takes_the_dependents_along() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        kubectl.ok(&["rollout", "status", "deployment/web"]);
        kubectl.ok(&["delete", "deployment", "web"]);
        kubectl.until(&["get", "replicasets,pods", "-o", "name"], str::is_empty);
    });
}

#[test]
fn foreground_deletion_ends_with_the_owner() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        kubectl.ok(&["rollout", "status", "deployment/web"]);
        kubectl.ok(&["delete", "deployment", "web", "--cascade=foreground"]);
        assert_eq!(kubectl.ok(&["get", "replicasets", "-o", "name"]), "");
    });
}

#[test]
fn orphans_stay() {
    with_kubectl(|kubectl, _| {
        kubectl.apply(WEB);
        kubectl.ok(&["rollout", "status", "deployment/web"]);
        kubectl.ok(&["delete", "deployment", "web", "--cascade=orphan"]);
        let owners = kubectl.ok(&[
            "get",
            "replicasets",
            "-l",
            "app=web",
            "-o",
            "jsonpath={range .items[*]}{.metadata.name}{.metadata.ownerReferences}{end}",
        ]);
        assert!(
            owners.starts_with("web-") && !owners.contains("uid"),
            "{owners}"
        );
        let pods = kubectl.ok(&["get", "pods", "-l", "app=web", "-o", "name"]);
        assert_eq!(pods.lines().count(), 2, "{pods}");
    });
}

#[test]
fn a_namespace_goes_with_its_content_and_waits_for_finalizers() {
    with_kubectl(|kubectl, _| {
        kubectl.ok(&["create", "namespace", "shop"]);
        let shop = kubectl.namespace("shop");
        shop.apply(&SETTINGS.replace(
            "name: settings",
            "name: settings, finalizers: [example.com/hold]",
        ));
        kubectl.ok(&["delete", "namespace", "shop", "--wait=false"]);
        kubectl.until(&["get", "namespace", "shop", "-o", "jsonpath={.status.phase} {.status.conditions[?(@.type==\"NamespaceFinalizersRemaining\")].status}"], |text| text == "Terminating True");
        let text = shop.run(&["create", "configmap", "late"]).failed();
        assert!(
            text.contains(
                "unable to create new content in namespace shop because it is being terminated"
            ),
            "{text}"
        );
        shop.ok(&[
            "patch",
            "cm",
            "settings",
            "--type=merge",
            "-p",
            r#"{"metadata":{"finalizers":null}}"#,
        ]);
        kubectl.ok(&["wait", "--for=delete", "--timeout=60s", "namespace/shop"]);
    });
}
