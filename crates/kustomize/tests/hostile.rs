//! Trees made to hurt: they must end in an error, soon, and without much memory.

#![expect(clippy::unwrap_used, reason = "a test")]

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

/// What a reader of the wrong encoding, of another system, or of another editor leaves in files.
#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let plain = format!("{HEAD}data:\n  a: b\n");
    let expected = resource(plain.clone()).unwrap();
    assert_eq!(resource(plain.replace('\n', "\r\n")).unwrap(), expected);
    assert_eq!(resource(format!("\u{feff}{plain}")).unwrap(), expected);
    let kustomization = "\u{feff}resources:\r\n- r.yaml\r\n".to_owned();
    let found = build(&[("kustomization.yaml", kustomization), ("r.yaml", plain)]);
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn invalid_utf_8_is_refused() {
    for broken in ["kustomization.yaml", "r.yaml"] {
        let mut tree = Memory::default();
        tree.insert("kustomization.yaml", *b"resources: [r.yaml]\n");
        tree.insert("r.yaml", HEAD.as_bytes());
        let mut content = if broken == "r.yaml" {
            HEAD.as_bytes().to_vec()
        } else {
            b"resources: [r.yaml]\n".to_vec()
        };
        content.extend(b"# \xff\xfe\n");
        tree.insert(broken, content);
        let found = kustomize::build(&tree, Path::new("/"), &Options::default());
        let text = found.expect_err(broken).to_string();
        assert!(text.contains("UTF-8"), "{broken}: {text}");
    }
}

/// Such a file is data like any other for a generator.
#[test]
fn generators_take_bytes_that_are_no_text() {
    let mut tree = Memory::default();
    tree.insert(
        "kustomization.yaml",
        *b"configMapGenerator:\n- name: c\n  files: [x.bin]\ngeneratorOptions: {disableNameSuffixHash: true}\n",
    );
    tree.insert("x.bin", *b"\xff\xfe\x00");
    let found = kustomize::build(&tree, Path::new("/"), &Options::default()).unwrap();
    // As kustomize prints it.
    assert_eq!(
        found.yaml,
        "apiVersion: v1\nbinaryData:\n  x.bin: //4A\nkind: ConfigMap\nmetadata:\n  name: c\n"
    );
}

/// Each pair of equal keys is a line of the message; a file of 2 MB has millions of pairs.
#[test]
fn repeated_keys_do_not_multiply() {
    let line = format!("  k: {}\n", "x".repeat(1000));
    let error = resource(format!("{HEAD}data:\n{}", line.repeat(2000))).unwrap_err();
    assert!(error.contains("mapping key \"k\" already defined at line "));
    assert!(error.ends_with("more than 100000 mapping keys are repeated"));
    assert!(error.lines().count() < 100_010);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes unless optimised")]
fn a_hundred_mebibytes_are_built_or_refused() {
    let size = 100 << 20;
    let line = format!("  k: {}\n", "x".repeat(1000));
    // One value, many lines that are not valid, and nothing but an open bracket.
    let one_value = format!("{HEAD}data:\n  k: {}\n", "x".repeat(size));
    assert!(resource(one_value).unwrap().len() > size);
    let same_keys = format!("{HEAD}data:\n{}", line.repeat(size / line.len()));
    assert!(resource(same_keys).is_err());
    assert!(resource("[".repeat(size)).is_err());
}

#[cfg(unix)]
mod links {
    use std::fs;
    use std::os::unix::fs::symlink;

    use kustomize::{Disk, LoadRestrictor};

    use super::*;

    /// A folder `app` with `kustomization`, beside a folder `outside` with `secret.yaml`.
    fn folder(kustomization: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["app", "outside"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        fs::write(root.join("app/kustomization.yaml"), kustomization).unwrap();
        fs::write(root.join("outside/secret.yaml"), HEAD).unwrap();
        let base = "resources: [secret.yaml]\n";
        fs::write(root.join("outside/kustomization.yaml"), base).unwrap();
        (folder, root)
    }

    fn build_in(root: &Path, options: &Options<'_>) -> Result<String, String> {
        kustomize::build(&Disk, &root.join("app"), options)
            .map(|output| output.yaml)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn that_lead_in_circles_are_refused() {
        let (_folder, root) = folder("resources: [a.yaml]\n");
        symlink("b.yaml", root.join("app/a.yaml")).unwrap();
        symlink("a.yaml", root.join("app/b.yaml")).unwrap();
        assert!(build_in(&root, &Options::default()).is_err());
        fs::remove_file(root.join("app/a.yaml")).unwrap();
        // A folder within itself.
        symlink(".", root.join("app/a.yaml")).unwrap();
        let error = build_in(&root, &Options::default()).unwrap_err();
        assert!(error.contains("cycle detected"), "{error}");
    }

    #[test]
    fn that_lead_out_are_refused() {
        for (target, name) in [("../outside/secret.yaml", "x.yaml"), ("../outside", "dir")] {
            let entry = if name == "dir" {
                "dir/secret.yaml"
            } else {
                name
            };
            for kustomization in [
                format!("resources: [{entry}]\n"),
                format!("configMapGenerator:\n- name: c\n  files: [{entry}]\n"),
                format!("patches:\n- path: {entry}\n"),
            ] {
                let (_folder, root) = folder(&kustomization);
                symlink(target, root.join("app").join(name)).unwrap();
                let error = build_in(&root, &Options::default()).unwrap_err();
                assert!(
                    error.contains("is not in or below"),
                    "{kustomization}: {error}"
                );
                // What bounds a source holds whatever the restrictor says.
                let options = Options {
                    load_restrictor: LoadRestrictor::None,
                    source_root: Some(root.join("app")),
                    ..Options::default()
                };
                let error = build_in(&root, &options).unwrap_err();
                assert!(
                    error.contains("is not in or below"),
                    "{kustomization}: {error}"
                );
            }
        }
    }

    #[test]
    fn that_lead_to_a_base_outside_of_the_source_are_refused() {
        let (_folder, root) = folder("resources: [dir]\n");
        symlink("../outside", root.join("app/dir")).unwrap();
        // kustomize allows bases from anywhere; a source does not.
        assert!(build_in(&root, &Options::default()).is_ok());
        let options = Options {
            source_root: Some(root.join("app")),
            ..Options::default()
        };
        let error = build_in(&root, &options).unwrap_err();
        assert!(error.contains("is not in or below"), "{error}");
    }
}

#[test]
fn independent_problems_are_told_of_together() {
    let found = build(&[(
        "kustomization.yaml",
        "resources: [one.yaml, two.yaml]\n".to_owned(),
    )]);
    let error = found.unwrap_err();
    let first = error.lines().next().unwrap_or_default();
    assert!(first.contains("one.yaml"), "{error}");
    assert!(error.contains("two.yaml"), "{error}");
}

#[test]
fn objects_know_the_patches_that_touched_them() {
    let mut tree = Memory::default();
    tree.insert(
        "kustomization.yaml",
        *b"resources: [r.yaml, s.yaml]\npatches: [{path: p.yaml}]\n",
    );
    tree.insert("r.yaml", HEAD.as_bytes());
    tree.insert("s.yaml", HEAD.replace("name: c", "name: other").as_bytes());
    tree.insert("p.yaml", format!("{HEAD}data: {{a: b}}\n").as_bytes());
    let built = kustomize::build(&tree, Path::new("/"), &Options::default()).unwrap();
    let touched: Vec<_> = built
        .objects
        .iter()
        .map(|object| (&*object.provenance.file, object.provenance.touched_by.len()))
        .collect();
    assert_eq!(touched, [("/r.yaml", 1), ("/s.yaml", 0)]);
    assert!(built.objects[0].provenance.touched_by[0].contains("p.yaml"));
}
