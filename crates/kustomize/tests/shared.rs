//! Values that upstream holds as one in several places. Expectations are what kustomize v5.8.1 prints.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use kustomize::{Memory, Options};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c}]}}}\n";

fn labels(over: &str) -> Vec<String> {
    let mut tree = Memory::default();
    tree.insert(
        "base/kustomization.yaml",
        *b"resources: [d.yaml]\ncommonLabels: {app: base}\n",
    );
    tree.insert("base/d.yaml", DEPLOYMENT.as_bytes());
    let over = format!("resources: [../base]\n{over}");
    tree.insert("over/kustomization.yaml", over.as_bytes());
    let output = kustomize::build(&tree, Path::new("/over"), &Options::default()).unwrap();
    let lines = output.yaml.lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix("app: "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_label_of_an_overlay_changes_selectors_made_with_it() {
    assert_eq!(labels(""), ["base"; 3]);
    assert_eq!(labels("labels: [{pairs: {app: over}}]\n"), ["over"; 3]);
}

#[test]
fn so_do_patches_and_replacements() {
    let patch = "patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, labels: {app: over}}}'}]\n";
    assert_eq!(labels(patch), ["over"; 3]);
    let replacement = "replacements: [{sourceValue: over, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.labels.app]}]}]\n";
    assert_eq!(labels(replacement), ["over"; 3]);
}

#[test]
fn json_patches_read_all_places_anew() {
    let patch = "patches: [{target: {kind: Deployment}, patch: '[{\"op\": \"replace\", \"path\": \"/metadata/labels/app\", \"value\": \"over\"}]'}]\n";
    assert_eq!(labels(patch), ["over", "base", "base"]);
    let both = format!("{patch}labels: [{{pairs: {{app: last}}}}]\n");
    assert_eq!(labels(&both), ["last", "base", "base"]);
}
