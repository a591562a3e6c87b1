//! Whatever the resource and the patch, a build ends. The two are parted by a zero byte.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let mut parts = text.splitn(2, |byte| *byte == 0);
    let (resource, patch) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut tree = kustomize::Memory::default();
    tree.insert("kustomization.yaml", *b"resources: [r.yaml]\npatches: [{path: p.yaml}, {path: p.yaml, target: {kind: '.*'}}]\n");
    tree.insert("r.yaml", resource);
    tree.insert("p.yaml", patch);
    let _ = kustomize::build(&tree, Path::new("/"), &kustomize::Options::default());
});
