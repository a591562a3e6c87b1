//! Whatever the kustomization file, a build ends.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

const RESOURCE: &[u8] = b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c, image: 'x:1'}]}}}\n";

fuzz_target!(|text: &[u8]| {
    let mut tree = kustomize::Memory::default();
    tree.insert("kustomization.yaml", text);
    tree.insert("r.yaml", RESOURCE);
    for profile in [kustomize::Profile::Command, kustomize::Profile::Flux] {
        let options = kustomize::Options { profile, ..kustomize::Options::default() };
        let _ = kustomize::build(&tree, Path::new("/"), &options);
    }
});
