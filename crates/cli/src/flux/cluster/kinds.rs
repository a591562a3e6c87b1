//! The kinds that commands know.

/// A kind of the API.
#[derive(Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_field_names,
    reason = "the kind of a kind is its word in the API"
)]
pub(crate) struct Kind {
    /// Its name, such as `GitRepository`.
    pub(crate) kind: &'static str,
    /// What messages call it, such as `source git`.
    pub(crate) human: &'static str,
    /// Its API group; empty for the core.
    pub(crate) group: &'static str,
    /// The version that is used.
    pub(crate) version: &'static str,
    /// Its name in paths.
    pub(crate) plural: &'static str,
    /// Whether its objects are in namespaces.
    pub(crate) namespaced: bool,
}

impl Kind {
    /// The group and version as objects name them.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

const fn kind(
    kind: &'static str,
    human: &'static str,
    group: &'static str,
    version: &'static str,
    plural: &'static str,
) -> Kind {
    Kind {
        kind,
        human,
        group,
        version,
        plural,
        namespaced: true,
    }
}

const fn cluster_kind(name: &'static str, group: &'static str, plural: &'static str) -> Kind {
    Kind {
        namespaced: false,
        ..kind(name, "", group, "v1", plural)
    }
}

const SOURCE: &str = "source.toolkit.fluxcd.io";
const NOTIFICATION: &str = "notification.toolkit.fluxcd.io";
const IMAGE: &str = "image.toolkit.fluxcd.io";

pub(crate) static GIT_REPOSITORY: Kind = kind(
    "GitRepository",
    "source git",
    SOURCE,
    "v1",
    "gitrepositories",
);
pub(crate) static OCI_REPOSITORY: Kind = kind(
    "OCIRepository",
    "source oci",
    SOURCE,
    "v1",
    "ocirepositories",
);
pub(crate) static HELM_REPOSITORY: Kind = kind(
    "HelmRepository",
    "source helm",
    SOURCE,
    "v1",
    "helmrepositories",
);
pub(crate) static HELM_CHART: Kind = kind("HelmChart", "source chart", SOURCE, "v1", "helmcharts");
pub(crate) static BUCKET: Kind = kind("Bucket", "source bucket", SOURCE, "v1", "buckets");
pub(crate) static EXTERNAL_ARTIFACT: Kind = kind(
    "ExternalArtifact",
    "source external-artifact",
    SOURCE,
    "v1",
    "externalartifacts",
);
pub(crate) static KUSTOMIZATION: Kind = kind(
    "Kustomization",
    "kustomization",
    "kustomize.toolkit.fluxcd.io",
    "v1",
    "kustomizations",
);
pub(crate) static HELM_RELEASE: Kind = kind(
    "HelmRelease",
    "helmrelease",
    "helm.toolkit.fluxcd.io",
    "v2",
    "helmreleases",
);
pub(crate) static ALERT: Kind = kind("Alert", "alert", NOTIFICATION, "v1beta3", "alerts");
pub(crate) static PROVIDER: Kind = kind(
    "Provider",
    "alert provider",
    NOTIFICATION,
    "v1beta3",
    "providers",
);
pub(crate) static RECEIVER: Kind = kind("Receiver", "receiver", NOTIFICATION, "v1", "receivers");
pub(crate) static IMAGE_REPOSITORY: Kind = kind(
    "ImageRepository",
    "image repository",
    IMAGE,
    "v1",
    "imagerepositories",
);
pub(crate) static IMAGE_POLICY: Kind =
    kind("ImagePolicy", "image policy", IMAGE, "v1", "imagepolicies");
pub(crate) static IMAGE_UPDATE_AUTOMATION: Kind = kind(
    "ImageUpdateAutomation",
    "image update automation",
    IMAGE,
    "v1",
    "imageupdateautomations",
);
pub(crate) static ARTIFACT_GENERATOR: Kind = kind(
    "ArtifactGenerator",
    "artifactgenerator",
    "source.extensions.fluxcd.io",
    "v1beta1",
    "artifactgenerators",
);

pub(crate) static SECRET: Kind = kind("Secret", "", "", "v1", "secrets");
pub(crate) static CONFIG_MAP: Kind = kind("ConfigMap", "", "", "v1", "configmaps");
pub(crate) static POD: Kind = kind("Pod", "", "", "v1", "pods");
pub(crate) static EVENT: Kind = kind("Event", "", "", "v1", "events");
pub(crate) static SERVICE: Kind = kind("Service", "", "", "v1", "services");
pub(crate) static SERVICE_ACCOUNT: Kind = kind("ServiceAccount", "", "", "v1", "serviceaccounts");
pub(crate) static DEPLOYMENT: Kind = kind("Deployment", "", "apps", "v1", "deployments");
pub(crate) static NETWORK_POLICY: Kind = kind(
    "NetworkPolicy",
    "",
    "networking.k8s.io",
    "v1",
    "networkpolicies",
);
pub(crate) static ROLE_BINDING: Kind = kind(
    "RoleBinding",
    "",
    "rbac.authorization.k8s.io",
    "v1",
    "rolebindings",
);
pub(crate) static NAMESPACE: Kind = cluster_kind("Namespace", "", "namespaces");
pub(crate) static CLUSTER_ROLE: Kind =
    cluster_kind("ClusterRole", "rbac.authorization.k8s.io", "clusterroles");
pub(crate) static CLUSTER_ROLE_BINDING: Kind = cluster_kind(
    "ClusterRoleBinding",
    "rbac.authorization.k8s.io",
    "clusterrolebindings",
);
pub(crate) static DEFINITION: Kind = cluster_kind(
    "CustomResourceDefinition",
    "apiextensions.k8s.io",
    "customresourcedefinitions",
);

/// The kinds of Flux.
pub(crate) static FLUX: [&Kind; 15] = [
    &GIT_REPOSITORY,
    &OCI_REPOSITORY,
    &HELM_REPOSITORY,
    &HELM_CHART,
    &BUCKET,
    &EXTERNAL_ARTIFACT,
    &KUSTOMIZATION,
    &HELM_RELEASE,
    &ALERT,
    &PROVIDER,
    &RECEIVER,
    &IMAGE_REPOSITORY,
    &IMAGE_POLICY,
    &IMAGE_UPDATE_AUTOMATION,
    &ARTIFACT_GENERATOR,
];

/// The Flux kind of a verb's words, such as `source git` below `export`.
pub(crate) fn of_words(words: &str) -> Option<&'static Kind> {
    Some(match words {
        "alert" | "alerts" => &ALERT,
        "alert-provider" | "alert-providers" => &PROVIDER,
        "receiver" | "receivers" => &RECEIVER,
        "kustomization" | "kustomizations" => &KUSTOMIZATION,
        "helmrelease" | "helmreleases" => &HELM_RELEASE,
        "source git" | "sources git" => &GIT_REPOSITORY,
        "source oci" | "sources oci" => &OCI_REPOSITORY,
        "source helm" | "sources helm" => &HELM_REPOSITORY,
        "source chart" | "sources chart" => &HELM_CHART,
        "source bucket" | "sources bucket" => &BUCKET,
        "source external" | "sources external" => &EXTERNAL_ARTIFACT,
        "image repository" | "images repository" => &IMAGE_REPOSITORY,
        "image policy" | "images policy" => &IMAGE_POLICY,
        "image update" | "images update" => &IMAGE_UPDATE_AUTOMATION,
        "artifact generator" | "artifacts generators" => &ARTIFACT_GENERATOR,
        _ => return None,
    })
}
