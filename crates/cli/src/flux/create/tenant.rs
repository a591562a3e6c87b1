//! `create tenant`.

use serde_json::{Map, Value, json};

use super::{ensure, labels};
use crate::flux::cluster::Cluster;
use crate::flux::cluster::kinds::{Kind, NAMESPACE, ROLE_BINDING, SERVICE_ACCOUNT};
use crate::flux::invocation::Invocation;
use crate::flux::{Outcome, Stop, output};

const LABEL: &str = "toolkit.fluxcd.io/tenant";

/// What a tenant has in one namespace.
struct Tenancy {
    namespace: Value,
    account: Value,
    binding: Value,
}

pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    let tenant = invocation.name();
    check("invalid tenant name", tenant)?;
    if invocation.text("cluster-role").is_empty() {
        return Err("cluster-role is required".into());
    }
    if !invocation.is_set("with-namespace") {
        return Err("with-namespace is required".into());
    }
    let tenancies: Vec<Tenancy> = invocation
        .list("with-namespace")
        .iter()
        .map(|namespace| tenancy(invocation, tenant, namespace))
        .collect::<Result<_, Stop>>()?;
    let skip = invocation.boolean("skip-namespace");
    if invocation.boolean("export") {
        for tenancy in &tenancies {
            if !skip {
                output::document(&tenancy.namespace)?;
            }
            output::document(&tenancy.account)?;
            output::document(&tenancy.binding)?;
        }
        return Ok(());
    }
    let cluster = invocation.cluster()?;
    for tenancy in &tenancies {
        let name = object::meta::name;
        if !skip {
            output::action(format_args!(
                "applying namespace {}",
                name(&tenancy.namespace)
            ));
            upsert_labels(&cluster, &NAMESPACE, &tenancy.namespace)?;
        }
        output::action(format_args!(
            "applying service account {}",
            name(&tenancy.account)
        ));
        upsert_labels(&cluster, &SERVICE_ACCOUNT, &tenancy.account)?;
        output::action(format_args!(
            "applying role binding {}",
            name(&tenancy.binding)
        ));
        upsert_binding(&cluster, &tenancy.binding)?;
    }
    output::success("tenant setup completed");
    Ok(())
}

fn check(what: &str, name: &str) -> Outcome {
    let problems = object::names::qualified_name(name);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{what} '{name}': [{}]", problems.join(" ")).into())
}

fn tenancy(invocation: &Invocation<'_>, tenant: &str, namespace: &str) -> Result<Tenancy, Stop> {
    check("invalid namespace", namespace)?;
    let mut labels = labels(invocation)?;
    labels.insert(LABEL.to_owned(), tenant.into());
    let account = invocation
        .some_text("with-service-account")
        .unwrap_or(tenant);
    check("invalid service-account name", account)?;
    let metadata = |name: &str, namespace: &str| {
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), name.into());
        if !namespace.is_empty() {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
        metadata.insert("labels".to_owned(), labels.clone().into());
        Value::Object(metadata)
    };
    Ok(Tenancy {
        namespace: json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(namespace, "")}),
        account: json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(account, namespace),
        }),
        binding: json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata(&format!("{tenant}-reconciler"), namespace),
            "subjects": [
                {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "User",
                    "name": format!("gotk:{namespace}:reconciler"),
                },
                {"kind": "ServiceAccount", "name": account, "namespace": namespace},
            ],
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": invocation.text("cluster-role"),
            },
        }),
    })
}

/// All of `wanted` is in `found`.
fn contains(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| contains(found, value))),
        (found, wanted) => found == wanted,
    }
}

fn upsert_labels(cluster: &Cluster, kind: &Kind, object: &Value) -> Outcome {
    ensure(cluster, kind, object, |mut existing| {
        let labels = &object["metadata"]["labels"];
        if !contains(&existing["metadata"]["labels"], labels) {
            existing["metadata"]["labels"] = labels.clone();
            cluster.replace(kind, &existing)?;
        }
        Ok(())
    })
}

fn upsert_binding(cluster: &Cluster, binding: &Value) -> Outcome {
    ensure(cluster, &ROLE_BINDING, binding, |existing| {
        let same = existing["subjects"] == binding["subjects"]
            && existing["roleRef"] == binding["roleRef"]
            && contains(
                &existing["metadata"]["labels"],
                &binding["metadata"]["labels"],
            );
        if !same {
            // What a binding refers to cannot be changed.
            let namespace = object::meta::namespace(binding);
            cluster.delete(&ROLE_BINDING, namespace, object::meta::name(binding), None)?;
            cluster.create(&ROLE_BINDING, binding)?;
        }
        Ok(())
    })
}
