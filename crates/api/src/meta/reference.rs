//! References to other objects.

use std::fmt;

use api_derive::shape;

/// A reference to an object of a known kind in the same namespace.
#[shape]
pub struct LocalObjectReference {
    /// The name of the object.
    pub name: String,
}

/// A reference to an object of a known kind in the same namespace, of the first versions of 2020.
#[shape]
pub struct LooseObjectReference {
    /// The name of the object.
    pub name: Option<String>,
}

/// A reference to an object of a known kind.
#[shape]
pub struct NamespacedObjectReference {
    /// The name of the object.
    pub name: String,
    /// The namespace of the object; by default that of the object that refers to it.
    pub namespace: Option<String>,
}

/// A reference to an object of any kind.
#[shape]
pub struct NamespacedObjectKindReference {
    /// The group and version of the object; by default the version that the server prefers.
    pub api_version: Option<String>,
    /// The kind of the object.
    pub kind: String,
    /// The name of the object.
    pub name: String,
    /// The namespace of the object; by default that of the object that refers to it.
    pub namespace: Option<String>,
}

/// A reference to an object that has to be ready first.
#[shape]
pub struct DependencyReference {
    /// The name of the dependency.
    pub name: String,
    /// The namespace of the dependency; by default that of the object that depends on it.
    pub namespace: Option<String>,
    /// A CEL expression over `self` and `dep` that says whether the dependency is ready. It takes the
    /// place of the built-in check, or adds to it where the feature gate AdditiveCELDependencyCheck is on.
    pub ready_expr: Option<String>,
}

/// A reference to a key of a Secret in the same namespace.
#[shape]
pub struct SecretKeyReference {
    /// The key; by default the one that the use implies.
    pub key: Option<String>,
    /// The name of the Secret.
    pub name: String,
}

/// How to reach another cluster.
#[shape(
    rule(
        "has(self.configMapRef) || has(self.secretRef)",
        "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"
    ),
    rule(
        "!has(self.configMapRef) || !has(self.secretRef)",
        "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"
    )
)]
pub struct KubeConfigReference {
    /// A ConfigMap that says how to log in without a stored secret. Keys: `provider` (`aws`, `azure`,
    /// `gcp` or `generic`), `cluster`, `address`, `ca.crt`, `audiences`, `serviceAccountName`.
    pub config_map_ref: Option<LocalObjectReference>,
    /// A Secret that holds a kubeconfig file, by default under the key `value`, else `value.yaml`.
    /// Programs for logging in that it names are not available to the controller.
    pub secret_ref: Option<SecretKeyReference>,
}

impl fmt::Display for NamespacedObjectReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = self.namespace.as_deref().filter(|n| !n.is_empty()) {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

impl fmt::Display for DependencyReference {
    /// `[<namespace>/]<name>[@<expression>]`, as Flux names a dependency in messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = self.namespace.as_deref().filter(|n| !n.is_empty()) {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)?;
        if let Some(expression) = self.ready_expr.as_deref().filter(|e| !e.is_empty()) {
            write!(f, "@{expression}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_print_as_in_messages() {
        let dependency = |namespace: Option<&str>, expression: Option<&str>| {
            DependencyReference {
                name: "infra".to_owned(),
                namespace: namespace.map(str::to_owned),
                ready_expr: expression.map(str::to_owned),
            }
            .to_string()
        };
        assert_eq!(dependency(None, None), "infra");
        assert_eq!(dependency(Some("flux-system"), None), "flux-system/infra");
        assert_eq!(dependency(Some("a"), Some("dep.ok")), "a/infra@dep.ok");
    }
}
