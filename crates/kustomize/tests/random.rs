//! Texts that nobody would write: whatever they are, a build ends with an output or an error.

use std::path::Path;

use kustomize::{Memory, Options, Profile};
use proptest::prelude::*;

const SEEDS: [&str; 5] = [
    "resources: [r.yaml]\nnamePrefix: p-\nlabels: [{pairs: {a: b}, includeSelectors: true}]\nimages: [{name: x, newTag: '1'}]\n",
    "resources: [r.yaml]\npatches:\n- path: p.yaml\n  target: {kind: Deployment}\nreplacements:\n- source: {kind: Deployment, fieldPath: metadata.name}\n  targets: [{select: {kind: Deployment}, fieldPaths: ['spec.template.spec.containers.[name=c].image'], options: {delimiter: ':', index: 1}}]\n",
    "configMapGenerator: [{name: c, literals: [a=b], files: [r.yaml]}]\nvars: [{name: V, objref: {kind: ConfigMap, name: c, apiVersion: v1}}]\nsortOptions: {order: fifo}\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: &m {name: d, labels: {x: y}}\nspec:\n  template:\n    metadata: *m\n    spec:\n      containers:\n      - {name: c, image: 'x:1', args: [\"$(V)\", |-\n",
    "- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: [1, ~, 0x1F, 1e400, '\\u2028']\n",
];

/// A seed with some of its bytes changed.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0..4u8, any::<[u8; 3]>());
    (
        prop::sample::select(SEEDS.to_vec()),
        prop::collection::vec(change, 0..6),
    )
        .prop_map(|(seed, changes)| {
            let mut bytes = seed.as_bytes().to_vec();
            for (at, what, new) in changes {
                let at = at.index(bytes.len().max(1));
                match what {
                    0 => drop(bytes.drain(at..(at + 1).min(bytes.len()))),
                    1 => bytes.insert(at.min(bytes.len()), new[0]),
                    2 => drop(bytes.splice(at..(at + 1).min(bytes.len()), new)),
                    _ => {
                        let part = bytes[at..].to_vec();
                        bytes.extend(part);
                    }
                }
            }
            bytes
        })
}

proptest! {
    // More with PROPTEST_CASES.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(400),
        ..ProptestConfig::default()
    })]

    #[test]
    fn builds_end(kustomization in text(), resource in text(), patch in text(), flux in any::<bool>()) {
        let mut tree = Memory::default();
        tree.insert("kustomization.yaml", kustomization);
        tree.insert("r.yaml", resource);
        tree.insert("p.yaml", patch);
        let profile = if flux { Profile::Flux } else { Profile::Command };
        let options = Options { profile, ..Options::default() };
        let _ = kustomize::build(&tree, Path::new("/"), &options);
    }

    #[test]
    fn substitutions_end(text in "[${}:=/#%^,a-c\\\\*\\[\\]-]{0,40}") {
        let lookup = |name: &str| (name != "c").then(|| name.repeat(3).into_bytes());
        let _ = kustomize::envsubst::substitute(text.as_bytes(), &lookup, true);
    }
}
