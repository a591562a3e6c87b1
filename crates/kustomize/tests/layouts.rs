//! The layouts that Flux's documentation teaches, built here and by the real `kustomize`.

use std::fs;
use std::path::Path;
use std::process::Command;

use kustomize::{Disk, Options};

/// One repository for several clusters, and tenants with their own namespaces: paths and contents.
const FILES: [(&str, &str); 19] = [
    (
        "apps/base/podinfo/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: podinfo\nresources:\n  - namespace.yaml\n  - repository.yaml\n  - release.yaml\n",
    ),
    (
        "apps/base/podinfo/namespace.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: podinfo\n",
    ),
    (
        "apps/base/podinfo/repository.yaml",
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata:\n  name: podinfo\nspec:\n  interval: 5m\n  url: https://charts.example.com/podinfo\n",
    ),
    (
        "apps/base/podinfo/release.yaml",
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: podinfo\nspec:\n  releaseName: podinfo\n  chart:\n    spec:\n      chart: podinfo\n      sourceRef:\n        kind: HelmRepository\n        name: podinfo\n  interval: 50m\n  install:\n    remediation:\n      retries: 3\n  # Defaults\n  values:\n    redis:\n      enabled: true\n    ingress:\n      enabled: true\n      className: nginx\n",
    ),
    (
        "apps/staging/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ../base/podinfo\npatches:\n  - path: podinfo-values.yaml\n    target:\n      kind: HelmRelease\n",
    ),
    (
        "apps/staging/podinfo-values.yaml",
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: podinfo\nspec:\n  chart:\n    spec:\n      version: \">=1.0.0-alpha\"\n  test:\n    enable: true\n  values:\n    ingress:\n      hosts:\n        - host: podinfo.staging\n          paths:\n            - path: /\n              pathType: ImplementationSpecific\n",
    ),
    (
        "apps/production/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ../base/podinfo\npatches:\n  - patch: |-\n      - op: add\n        path: /spec/chart/spec/version\n        value: '>=1.0.0'\n    target:\n      kind: HelmRelease\n      name: podinfo\nlabels:\n  - pairs:\n      environment: production\n",
    ),
    (
        "infrastructure/controllers/kustomization.yaml",
        "resources: [cert-manager.yaml]\nconfigMapGenerator:\n  - name: values\n    namespace: cert-manager\n    files: [values.yaml=cert-values.yaml]\nconfigurations: [names.yaml]\n",
    ),
    (
        "infrastructure/controllers/names.yaml",
        "nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - path: spec/valuesFrom/name\n    kind: HelmRelease\n",
    ),
    (
        "infrastructure/controllers/cert-values.yaml",
        "installCRDs: true\nreplicas: 1\n",
    ),
    (
        "infrastructure/controllers/cert-manager.yaml",
        "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: cert-manager\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: cert-manager\n  namespace: cert-manager\nspec:\n  interval: 30m\n  valuesFrom:\n  - kind: ConfigMap\n    name: values\n",
    ),
    (
        "tenants/base/dev-team/kustomization.yaml",
        "resources:\n- rbac.yaml\n- sync.yaml\n",
    ),
    (
        "tenants/base/dev-team/rbac.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  labels:\n    toolkit.fluxcd.io/tenant: dev-team\n  name: apps\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: dev-team\n  namespace: apps\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: dev-team-reconciler\n  namespace: apps\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: cluster-admin\nsubjects:\n- apiGroup: rbac.authorization.k8s.io\n  kind: User\n  name: gotk:apps:reconciler\n- kind: ServiceAccount\n  name: dev-team\n  namespace: apps\n",
    ),
    (
        "tenants/base/dev-team/sync.yaml",
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: dev-team\n  namespace: apps\nspec:\n  interval: 1m\n  url: https://git.example.com/dev-team\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: dev-team\n  namespace: apps\nspec:\n  interval: 5m\n  serviceAccountName: dev-team\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: dev-team\n",
    ),
    (
        "tenants/staging/kustomization.yaml",
        "resources:\n- ../base/dev-team\npatches:\n- path: dev-team-patch.yaml\ncomponents:\n- ../../components/team\n",
    ),
    (
        "tenants/staging/dev-team-patch.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: dev-team\n  namespace: apps\nspec:\n  path: ./staging\n",
    ),
    (
        "components/team/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations:\n  contact: team@example.com\nsecretGenerator:\n- name: webhook\n  namespace: apps\n  literals: [token=x]\n",
    ),
    (
        "clusters/all/kustomization.yaml",
        "resources:\n- ../../apps/production\n- ../../infrastructure/controllers\n- ../../tenants/staging\nnamePrefix: all-\nsortOptions: {order: legacy}\n",
    ),
    ("clusters/all/README.md", "Everything at once.\n"),
];

const BUILT: [&str; 6] = [
    "apps/base/podinfo",
    "apps/staging",
    "apps/production",
    "infrastructure/controllers",
    "tenants/staging",
    "clusters/all",
];

#[test]
fn layouts_are_built_as_kustomize_builds_them() {
    let Some(peer) = testkit::peers::find("kustomize") else {
        return;
    };
    let folder = std::env::temp_dir().join(format!("kustomize-layouts-{}", std::process::id()));
    for (path, content) in FILES {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(file, content).unwrap();
    }
    for path in BUILT {
        let root = folder.join(path);
        let theirs = Command::new(&peer)
            .arg("build")
            .arg(&root)
            .output()
            .unwrap();
        let wanted = String::from_utf8(theirs.stdout).unwrap();
        assert!(
            !wanted.is_empty(),
            "{path}: {}",
            String::from_utf8_lossy(&theirs.stderr)
        );
        let found = kustomize::build(&Disk, &root, &Options::default()).unwrap();
        assert_eq!(found.yaml, wanted, "{path}");
        assert!(
            found
                .objects
                .iter()
                .all(|object| object.provenance.file.starts_with('/'))
        );
    }
    let _ = fs::remove_dir_all(&folder);
}
