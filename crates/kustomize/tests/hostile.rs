//! Trees made to hurt: they must end in an error, soon, and without much memory.

use std::path::Path;
use std::time::{Duration, Instant};

use kustomize::{Memory, Options};

/// Far above what a debug build takes, far below what an attack would.
const SOON: Duration = Duration::from_secs(60);

fn build(files: &[(&str, String)]) -> Result<String, String> {
    let mut tree = Memory::default();
    for (path, text) in files {
        tree.insert(path, text.as_bytes());
    }
    let start = Instant::now();
    let result = kustomize::build(&tree, Path::new("/"), &Options::default());
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    result
        .map(|output| output.yaml)
        .map_err(|errors| errors.to_string())
}

fn resource(text: String) -> Result<String, String> {
    let kustomization = "resources: [r.yaml]\n".to_owned();
    build(&[("kustomization.yaml", kustomization), ("r.yaml", text)])
}

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";

#[test]
fn aliases_of_aliases_are_refused() {
    let mut text = format!("{HEAD}data:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("  a{level}: &a{level} [{list}]\n"));
    }
    assert!(resource(text).is_err());
}

#[test]
fn an_alias_within_its_anchor_is_refused() {
    assert!(resource(format!("{HEAD}data: &d {{x: *d}}\n")).is_err());
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let text = format!(
            "{HEAD}data: {}x{}\n",
            open.repeat(100_000),
            close.repeat(100_000)
        );
        assert!(resource(text).is_err(), "{open}");
    }
    assert!(resource(format!("{HEAD}data: {}", "- ".repeat(100_000))).is_err());
}

#[test]
fn kustomizations_that_lead_to_themselves_are_refused() {
    let found = build(&[
        ("kustomization.yaml", "resources: [a]\n".to_owned()),
        ("a/kustomization.yaml", "resources: [../b]\n".to_owned()),
        ("b/kustomization.yaml", "resources: [../a]\n".to_owned()),
    ]);
    assert!(found.unwrap_err().contains("cycle detected"));
}

#[test]
fn a_regular_expression_cannot_stall() {
    let kustomization = format!(
        "resources: [r.yaml]\npatches:\n- target: {{name: '(a*)*{}b'}}\n  patch: '[]'\n",
        "(a|a)".repeat(200)
    );
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\n",
        "a".repeat(5000)
    );
    let _ = build(&[("kustomization.yaml", kustomization), ("r.yaml", text)]);
}

#[test]
fn files_outside_of_the_tree_are_refused() {
    for path in ["/etc/passwd", "../../../etc/passwd"] {
        let kustomization = format!("configMapGenerator:\n- name: c\n  files: ['x={path}']\n");
        assert!(build(&[("app/kustomization.yaml", kustomization)]).is_err());
    }
}
