use std::path::Path;

use serde_json::json;

use super::*;
use crate::Memory;

fn files(files: &[(&str, &str)]) -> Memory {
    let mut tree = Memory::default();
    for (path, text) in files {
        tree.insert(path, text.as_bytes());
    }
    tree
}

const CM: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";

fn run(tree: &Memory, spec: &Value) -> Result<Built, FluxError> {
    let spec = Spec::from_object(&json!({ "spec": spec }))?;
    build(&Request::new(tree, Path::new("/app"), &spec))
}

fn names(built: &Built) -> Vec<&str> {
    let name = |object: &'_ Object| object.value["metadata"]["name"].as_str().map(str::len);
    assert!(built.objects.iter().all(|object| name(object).is_some()));
    built
        .objects
        .iter()
        .filter_map(|object| object.value["metadata"]["name"].as_str())
        .collect()
}

#[test]
fn a_folder_without_a_file_gets_one_with_all_manifests() {
    let tree = files(&[
        ("app/b.yml", &CM.replace("name: c", "name: b")),
        ("app/a/z.yaml", &CM.replace("name: c", "name: z")),
        (
            "app/whole/kustomization.yaml",
            "resources: [x.txt]\nnamePrefix: p-\n",
        ),
        ("app/whole/x.txt", CM),
        ("app/whole/not-taken.yaml", "nonsense: true\n"),
        ("app/notes.md", "# no"),
    ]);
    let built = run(&tree, &json!({})).unwrap();
    assert_eq!(names(&built), ["z", "b", "p-c"]);
    assert_eq!(built.objects[1].provenance.file, "/app/b.yml");
    assert_eq!(built.yaml().matches("---\n").count(), 2);
}

#[test]
fn an_empty_folder_gives_nothing() {
    let tree = files(&[("app/README.md", "")]);
    assert!(run(&tree, &json!({})).unwrap().objects.is_empty());
}

#[test]
fn a_file_without_objects_is_named() {
    let tree = files(&[("app/cm.yaml", CM), ("app/values.yaml", "replicas: 2\n")]);
    let error = run(&tree, &json!({})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to decode Kubernetes YAML from /app/values.yaml: missing Resource metadata"
    );
}

#[test]
fn the_spec_is_put_over_the_kustomization() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c, image: 'a/b:1'}]}}}\n";
    let kustomization = "resources: [d.yaml]\nunknown: {x: 1}\nimages:\n- {name: a/b, newName: c/d, digest: 'sha256:0'}\n";
    let tree = files(&[
        ("app/kustomization.yaml", kustomization),
        ("app/d.yaml", deployment),
    ]);
    let spec = json!({
        "targetNamespace": "n",
        "namePrefix": "p-",
        "nameSuffix": "-s",
        "images": [{"name": "a/b", "newTag": "2"}],
        "components": ["missing"],
        "ignoreMissingComponents": true,
        "patches": [{
            "patch": "- {op: add, path: /spec/replicas, value: 2}",
            "target": {"kind": "Deployment"},
        }],
    });
    let built = run(&tree, &spec).unwrap();
    let value = &built.objects[0].value;
    assert_eq!(
        value["metadata"],
        json!({"name": "p-d-s", "namespace": "n"})
    );
    assert_eq!(value["spec"]["replicas"], 2);
    assert_eq!(
        value["spec"]["template"]["spec"]["containers"][0]["image"],
        "c/d:2"
    );
}

#[test]
fn components_must_be_local() {
    let tree = files(&[("app/cm.yaml", CM)]);
    let spec = json!({"components": ["https://example.com/x"]});
    assert_eq!(
        run(&tree, &spec).unwrap_err().to_string(),
        "component path 'https://example.com/x' must be local and relative"
    );
}

#[test]
fn variables_are_substituted() {
    let disabled = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: off, labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}}\ndata: {a: '${a}'}\n";
    let cm = format!("{CM}data: {{a: '${{a}}', n: '${{n}}', d: '${{d:=x}}'}}\n");
    let tree = files(&[("app/a.yaml", &cm), ("app/off.yaml", disabled)]);
    let spec = Spec::from_object(&json!({"spec": {"postBuild": {"substitute": {"a": "1\n2"}}}}));
    let spec = spec.unwrap();
    let mut request = Request::new(&tree, Path::new("/app"), &spec);
    request.variables = [("a", "no"), ("n", "5")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let built = build(&request).unwrap();
    assert_eq!(
        built.objects[0].value["data"],
        json!({"a": 12, "d": "x", "n": 5})
    );
    assert_eq!(built.objects[1].value["data"]["a"], "${a}");
    request.variables.clear();
    assert_eq!(
        build(&request).unwrap_err().to_string(),
        "post build failed for 'ConfigMap.v1.[noGrp]/c': envsubst error: variable substitution failed: variable not set (strict mode): \"n\""
    );
}

#[test]
fn substitution_may_not_make_two_objects_one() {
    let tree = files(&[
        ("app/a.yaml", &CM.replace("name: c", "name: '${x}'")),
        ("app/b.yaml", &CM.replace("name: c", "name: same")),
    ]);
    let spec = json!({"postBuild": {"substitute": {"x": "same"}}});
    assert_eq!(
        run(&tree, &spec).unwrap_err().to_string(),
        "in Replace: id matched 2 resources"
    );
}

/// Takes `enc:` off; fails for `bad:`.
struct Prefix;

impl Decrypt for Prefix {
    fn file(&self, content: &[u8], format: SourceFormat) -> Result<Option<Vec<u8>>, String> {
        assert_eq!(format, SourceFormat::Dotenv);
        if content.starts_with(b"bad:") {
            return Err("no key".to_owned());
        }
        Ok(content.strip_prefix(b"enc:").map(<[u8]>::to_vec))
    }

    fn object(&self, object: &Value) -> Result<Option<Value>, String> {
        let mut object = object.clone();
        let data = object["data"]["secret"].take();
        object["data"]["secret"] = match data.as_str() {
            Some("bad") => return Err("no key".to_owned()),
            Some(text) => text.replace("enc:", "").into(),
            None => return Ok(None),
        };
        Ok(Some(object))
    }
}

#[test]
fn files_and_objects_are_decrypted() {
    let kustomization =
        "secretGenerator:\n- name: s\n  envs: [s.env]\n  options: {disableNameSuffixHash: true}\n";
    let mut tree = files(&[
        ("app/base/kustomization.yaml", kustomization),
        ("app/base/s.env", "enc:A=b\n"),
        ("app/cm.yaml", &format!("{CM}data: {{secret: 'enc:x'}}\n")),
    ]);
    let spec = Spec::default();
    let run = |tree: &Memory| {
        let mut request = Request::new(tree, Path::new("/app"), &spec);
        request.decrypt = Some(&Prefix);
        build(&request)
    };
    let built = run(&tree).unwrap();
    assert_eq!(built.objects[0].value["data"]["A"], "Yg==");
    assert_eq!(built.objects[1].value["data"]["secret"], "x");
    assert!(built.reads.hold_for(&tree));
    tree.insert("app/base/s.env", *b"enc:A=c\n");
    assert!(!built.reads.hold_for(&tree));
    tree.insert("app/base/s.env", *b"bad:A=c\n");
    assert_eq!(
        run(&tree).unwrap_err().to_string(),
        "error decrypting sources: no key"
    );
}

#[test]
fn a_new_manifest_ends_what_is_remembered() {
    let mut tree = files(&[("app/a/cm.yaml", CM), ("other/x.yaml", CM)]);
    let built = run(&tree, &json!({})).unwrap();
    tree.insert("other/y.yaml", CM.as_bytes());
    assert!(built.reads.hold_for(&tree));
    assert!(built.reads.are_untouched_by([Path::new("/other/y.yaml")]));
    tree.insert("app/a/new.yaml", CM.as_bytes());
    assert!(!built.reads.hold_for(&tree));
    assert!(!built.reads.are_untouched_by([Path::new("/app/a/new.yaml")]));
}
