//! Bases and files from elsewhere: what is asked for, what may be read, what is remembered.

use std::path::Path;
use std::sync::Arc;

use kustomize::{FetchFileError, FetchRemote, FileSystem, Memory, Options, Profile, Repository};

const CM: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";

/// Holds one repository, whatever its URL, and one file.
struct Elsewhere(Memory);

impl FetchRemote for Elsewhere {
    fn file(&self, url: &str) -> Result<Vec<u8>, FetchFileError> {
        match url {
            "https://example.com/cm.yaml" => Ok(CM.as_bytes().to_vec()),
            _ => Err(FetchFileError::Status("404 (Not Found)".to_owned())),
        }
    }

    fn base(&self, repository: &Repository) -> Result<Arc<dyn FileSystem + Send + Sync>, String> {
        assert_eq!(repository.url, "https://github.com/org/repo");
        assert_eq!(repository.reference, "v1");
        Ok(Arc::new(self.0.clone()))
    }
}

fn build(kustomization: &str, remote: bool, profile: Profile) -> Result<kustomize::Output, String> {
    let mut tree = Memory::default();
    tree.insert("app/kustomization.yaml", kustomization.as_bytes());
    tree.insert("secret.txt", *b"hidden");
    let mut repository = Memory::default();
    repository.insert(
        "app/kustomization.yaml",
        *b"resources: [../base]\nnamePrefix: p-\n",
    );
    repository.insert("base/kustomization.yaml", *b"resources: [cm.yaml]\n");
    repository.insert("base/cm.yaml", CM.as_bytes());
    repository.insert(
        "greedy/kustomization.yaml",
        *b"configMapGenerator:\n- {name: g, files: [../secret.txt]}\n",
    );
    repository.insert(
        "circle/kustomization.yaml",
        *b"resources: ['github.com/org/repo/circle?ref=v1']\n",
    );
    let elsewhere = Elsewhere(repository);
    let options = Options {
        profile,
        source_root: (profile == Profile::Flux).then(|| "/".into()),
        remote: remote.then_some(&elsewhere as &dyn FetchRemote),
        ..Options::default()
    };
    kustomize::build(&tree, Path::new("/app"), &options).map_err(|errors| errors.to_string())
}

const BASE: &str = "resources: ['github.com/org/repo/app?ref=v1']\n";

#[test]
fn bases_are_fetched() {
    for profile in [Profile::Command, Profile::Flux] {
        let output = build(BASE, true, profile).unwrap();
        assert!(output.yaml.contains("name: p-c"), "{}", output.yaml);
        assert_eq!(
            output.objects[0].provenance.file,
            "https://github.com/org/repo//base/cm.yaml"
        );
        assert!(output.reads.are_remote());
        assert!(!output.reads.hold_for(&Memory::default()));
    }
}

#[test]
fn their_origin_names_the_repository() {
    let kustomization = format!("{BASE}buildMetadata: [originAnnotations]\n");
    let output = build(&kustomization, true, Profile::Command).unwrap();
    let wanted = "config.kubernetes.io/origin: |\n      path: base/cm.yaml\n      repo: https://github.com/org/repo\n      ref: v1\n";
    assert!(output.yaml.contains(wanted), "{}", output.yaml);
}

#[test]
fn nothing_is_fetched_unasked() {
    let error = build(BASE, false, Profile::Flux).unwrap_err();
    assert!(error.contains("remote bases are not allowed"), "{error}");
    let file = "resources: ['https://example.com/cm.yaml']\n";
    assert!(build(file, false, Profile::Flux).is_err());
}

#[test]
fn a_fetched_base_reads_only_its_own_folder() {
    let kustomization = "resources: ['github.com/org/repo//greedy?ref=v1']\n";
    let error = build(kustomization, true, Profile::Flux).unwrap_err();
    assert!(
        error.contains("../secret.txt") && error.contains("lstat"),
        "{error}"
    );
}

#[test]
fn circles_are_refused() {
    let kustomization = "resources: ['github.com/org/repo/circle?ref=v1']\n";
    let error = build(kustomization, true, Profile::Command).unwrap_err();
    assert!(error.contains("cycle detected: URI"), "{error}");
}

#[test]
fn files_are_fetched() {
    let file = |name: &str| format!("resources: ['https://example.com/{name}']\n");
    let output = build(&file("cm.yaml"), true, Profile::Command).unwrap();
    assert_eq!(
        output.yaml,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n"
    );
    assert_eq!(
        build(&file("no.yaml"), true, Profile::Command).unwrap_err(),
        "accumulating resources: accumulating resources from 'https://example.com/no.yaml': HTTP Error: status code 404 (Not Found)"
    );
}
