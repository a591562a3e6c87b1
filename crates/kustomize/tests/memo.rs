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

/// A tree in memory whose contents are known by their SHA-256.
fn hashed(files: &[(String, Node)]) -> tree::Tree {
    let mut entries = std::collections::BTreeMap::new();
    let mut blobs = std::collections::HashMap::new();
    for (path, node) in files {
        let entry = match node {
            Node::File(text) => {
                let id = tree::ContentId::of(text.as_bytes());
                blobs.insert(id, text.as_bytes().into());
                tree::Entry::File {
                    id,
                    size: None,
                    executable: false,
                }
            }
            Node::Link(target) => tree::Entry::Link(PathBuf::from(target)),
            Node::Folder => tree::Entry::Folder,
        };
        entries.insert(PathBuf::from(path), entry);
    }
    tree::Tree::new(
        entries,
        std::sync::Arc::new(Counted(blobs, std::sync::Arc::default())),
    )
}

#[derive(Debug, Clone)]
enum Node {
    File(String),
    Link(String),
    Folder,
}

fn node() -> impl Strategy<Value = Option<Node>> {
    prop_oneof![
        Just(None),
        Just(Some(Node::Folder)),
        Just(Some(Node::File("text".to_owned()))),
        prop::sample::select(vec!["../base/c.yaml", "base", "c.yaml", "nowhere"])
            .prop_map(|target| Some(Node::Link(target.to_owned()))),
    ]
}

fn whole() -> Vec<(String, Node)> {
    let mut files: Vec<(String, Node)> = FILES
        .iter()
        .map(|(path, text)| ((*path).to_owned(), Node::File((*text).to_owned())))
        .collect();
    // A folder that Flux writes the kustomization for, with names that sort differently as bytes.
    for name in [
        "all/c/x.yaml",
        "all/c-d.yaml",
        "all/c.yaml",
        "all/d/e/f.yaml",
    ] {
        let name_of = name.replace(['/', '.'], "-");
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name_of}}}\n");
        files.push((name.to_owned(), Node::File(text)));
    }
    files.push(("linked".to_owned(), Node::Link("over".to_owned())));
    files
}

proptest! {
    #[test]
    fn one_pass_over_a_tree_says_what_look_ups_say(
        path in prop_oneof![
            prop::sample::select(whole().into_iter().map(|(path, _)| path).collect::<Vec<_>>()),
            prop::sample::select(["all/a", "all/c/y.yaml", "all/z/y.yaml", "base/Kustomization", "x"].map(str::to_owned).to_vec()),
        ],
        node in node(),
        start in prop::sample::select(vec!["/over", "/linked", "/all"]),
    ) {
        let before = hashed(&whole());
        let spec = kustomize::flux::Spec::from_object(&serde_json::json!({"spec": {}})).unwrap();
        let request = kustomize::flux::Request::new(&before, Path::new(start), &spec);
        let reads = kustomize::flux::build(&request).unwrap().reads;
        prop_assert!(reads.hold_for(&before), "{reads:?}");
        prop_assert!(reads.hold_for_tree(&before), "{reads:?}");
        let mut changed = whole();
        changed.retain(|(other, _)| *other != path);
        changed.extend(node.map(|node| (path.clone(), node)));
        let changed = hashed(&changed);
        prop_assert_eq!(reads.hold_for_tree(&changed), reads.hold_for(&changed), "{}", path);
    }
}
