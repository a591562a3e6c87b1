//! A finished build may be taken again exactly as long as building anew would give the same.

use std::path::{Path, PathBuf};

use kustomize::{Memory, Options, Profile};
use proptest::prelude::*;

const FILES: [(&str, &str); 8] = [
    (
        "over/kustomization.yaml",
        "resources: [../base, more.yaml]\ncomponents: [../part]\nnamePrefix: p-\npatches:\n- path: patch.yaml\n",
    ),
    (
        "over/more.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n",
    ),
    (
        "over/patch.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: 'y'}\n",
    ),
    (
        "base/kustomization.yaml",
        "resources: [c.yaml]\nconfigMapGenerator:\n- name: g\n  files: [data.txt]\n",
    ),
    (
        "base/c.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
    ),
    ("base/data.txt", "text"),
    (
        "part/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -s\n",
    ),
    ("README.md", "not a part of it"),
];

fn tree() -> Memory {
    let mut tree = Memory::default();
    for (path, text) in FILES {
        tree.insert(path, text.as_bytes());
    }
    tree
}

fn build(tree: &Memory, profile: Profile) -> Result<kustomize::Output, String> {
    let options = Options {
        profile,
        source_root: Some(PathBuf::from("/")),
        ..Options::default()
    };
    kustomize::build(tree, Path::new("/over"), &options).map_err(|errors| errors.to_string())
}

/// Paths of the tree, and paths that could matter if they came into being.
fn paths() -> impl Strategy<Value = String> {
    let known = FILES.map(|(path, _)| path.to_owned()).to_vec();
    let new = [
        "over/kustomization.yml",
        "base/Kustomization",
        "part/x.yaml",
        "base/x",
    ];
    let new: Vec<String> = new.into_iter().map(str::to_owned).collect();
    prop_oneof![prop::sample::select(known), prop::sample::select(new)]
}

proptest! {
    #[test]
    fn a_result_is_kept_only_if_a_new_build_gives_it(
        path in paths(),
        content in prop_oneof![
            Just(None),
            Just(Some("resources: []\nnamePrefix: q-\n".to_owned())),
            Just(Some("apiVersion: v1\nkind: Service\nmetadata: {name: other}\n".to_owned())),
            "[a-z: \n]{0,12}".prop_map(Some),
        ],
        flux in any::<bool>(),
    ) {
        let profile = if flux { Profile::Flux } else { Profile::Command };
        let before = build(&tree(), profile).unwrap();
        prop_assert!(before.reads.hold_for(&tree()));
        let mut changed = tree();
        match &content {
            Some(content) => changed.insert(&path, content.as_bytes()),
            None => drop(changed.remove(&path)),
        }
        let after = build(&changed, profile);
        let same = after.as_ref().is_ok_and(|after| *after == before);
        if before.reads.hold_for(&changed) {
            prop_assert!(same, "{path} matters");
        }
        let absolute = Path::new("/").join(&path);
        if before.reads.are_untouched_by([absolute.as_path()]) {
            prop_assert!(same, "{path} matters");
            prop_assert!(before.reads.hold_for(&changed));
        }
    }
}

#[test]
fn what_is_not_read_does_not_matter() {
    let built = build(&tree(), Profile::Command).unwrap();
    assert!(built.reads.are_untouched_by([Path::new("/README.md")]));
    assert!(!built.reads.are_untouched_by([Path::new("/base/data.txt")]));
    assert!(!built.reads.are_untouched_by([Path::new("/base")]));
}

/// Blobs of a Git tree that count how often they are read.
struct Counted(
    std::collections::HashMap<tree::ContentId, std::sync::Arc<[u8]>>,
    std::sync::Arc<std::sync::atomic::AtomicUsize>,
);

impl tree::Blobs for Counted {
    fn read(&self, id: &tree::ContentId) -> std::io::Result<std::sync::Arc<[u8]>> {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let content = self.0.get(id).cloned();
        content.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
    }
}

#[test]
fn a_git_tree_is_compared_without_reading() {
    let reads = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let git_tree = |readme: u8| {
        let mut entries = std::collections::BTreeMap::new();
        let mut blobs = std::collections::HashMap::new();
        for (at, (path, text)) in FILES.iter().enumerate() {
            let number = if *path == "README.md" {
                readme
            } else {
                at as u8
            };
            let id = tree::ContentId::git_sha1([number; 20]);
            blobs.insert(id, text.as_bytes().into());
            let entry = tree::Entry::File {
                id,
                size: None,
                executable: false,
            };
            entries.insert(PathBuf::from(path), entry);
        }
        tree::Tree::new(entries, std::sync::Arc::new(Counted(blobs, reads.clone())))
    };
    let options = Options {
        profile: Profile::Flux,
        source_root: Some(PathBuf::from("/")),
        ..Options::default()
    };
    let built = kustomize::build(&git_tree(100), Path::new("/over"), &options).unwrap();
    let before = reads.load(std::sync::atomic::Ordering::Relaxed);
    assert!(before > 0);
    assert!(built.reads.hold_for(&git_tree(101)));
    assert_eq!(reads.load(std::sync::atomic::Ordering::Relaxed), before);
}
