//! `tree`: what an object has made.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::cluster::kinds::{
    self, ARTIFACT_GENERATOR, DEFINITION, HELM_RELEASE, KUSTOMIZATION, SECRET,
};
use super::cluster::{Cluster, Selection};
use super::invocation::Invocation;
use super::{Outcome, Stop, go, output};

/// An object and what it has made.
struct Node {
    namespace: String,
    name: String,
    group: String,
    kind: String,
    children: Vec<Node>,
}

impl Node {
    fn new(namespace: &str, name: &str, group: &str, kind: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            group: group.to_owned(),
            kind: kind.to_owned(),
            children: Vec::new(),
        }
    }

    fn text(&self) -> String {
        if self.namespace.is_empty() {
            format!("{}/{}", self.kind, self.name)
        } else {
            format!("{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }

    fn print(&self, before: &str, out: &mut String) {
        for (index, child) in self.children.iter().enumerate() {
            let last = index + 1 == self.children.len();
            out.push_str(&format!(
                "{before}{}{}\n",
                if last { "└── " } else { "├── " },
                child.text()
            ));
            child.print(
                &format!("{before}{}", if last { "    " } else { "│   " }),
                out,
            );
        }
    }

    fn value(&self) -> Value {
        let mut value = json!({"resource": {
            "Namespace": self.namespace,
            "Name": self.name,
            "GroupKind": {"Group": self.group, "Kind": self.kind},
        }});
        if !self.children.is_empty() {
            value["resources"] = self.children.iter().map(Self::value).collect();
        }
        value
    }

    /// JSON with the fields in the order of Go's structs.
    fn json(&self, indent: usize, out: &mut String) {
        let pad = " ".repeat(indent);
        let text = go::json_string;
        out.push_str(&format!(
            "{{\n{pad}  \"resource\": {{\n{pad}    \"Namespace\": {},\n{pad}    \"Name\": {},\n\
             {pad}    \"GroupKind\": {{\n{pad}      \"Group\": {},\n{pad}      \"Kind\": {}\n{pad}    }}\n\
             {pad}  }}",
            text(&self.namespace),
            text(&self.name),
            text(&self.group),
            text(&self.kind)
        ));
        if !self.children.is_empty() {
            out.push_str(&format!(",\n{pad}  \"resources\": [\n"));
            for (index, child) in self.children.iter().enumerate() {
                out.push_str(&format!("{pad}    "));
                child.json(indent + 4, out);
                out.push_str(if index + 1 == self.children.len() {
                    "\n"
                } else {
                    ",\n"
                });
            }
            out.push_str(&format!("{pad}  ]"));
        }
        out.push_str(&format!("\n{pad}}}"));
    }
}

/// Runs `tree WHAT`.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    let node = if what == "artifact generator" {
        generator(invocation)?
    } else {
        let name = invocation.first().ok_or("kustomization name is required")?;
        let cluster = invocation.cluster()?;
        let object = cluster.get(&KUSTOMIZATION, &invocation.namespace, name)?;
        let mut node = Node::new(
            &invocation.namespace,
            name,
            KUSTOMIZATION.group,
            KUSTOMIZATION.kind,
        );
        let walk = Walk {
            cluster: &cluster,
            compact: invocation.boolean("compact"),
        };
        walk.kustomization(&mut node, &object, &mut BTreeSet::new())?;
        node
    };
    let text = match invocation.text("output") {
        "json" => {
            let mut text = String::new();
            node.json(0, &mut text);
            text
        }
        "yaml" => yaml::from_json(&node.value()),
        _ => {
            let mut text = format!("{}\n", node.text());
            node.print("", &mut text);
            text
        }
    };
    output::out(format!("{text}\n"));
    Ok(())
}

fn generator(invocation: &Invocation<'_>) -> Result<Node, Stop> {
    let name = invocation.name();
    let cluster = invocation.cluster()?;
    let object = cluster.get(&ARTIFACT_GENERATOR, &invocation.namespace, name)?;
    let kind = &ARTIFACT_GENERATOR;
    let mut node = Node::new(&invocation.namespace, name, kind.group, kind.kind);
    for entry in object["status"]["inventory"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let text = |field: &str| entry[field].as_str().unwrap_or_default();
        let kind = &kinds::EXTERNAL_ARTIFACT;
        node.children.push(Node::new(
            text("namespace"),
            text("name"),
            kind.group,
            kind.kind,
        ));
    }
    Ok(node)
}

struct Walk<'a> {
    cluster: &'a Cluster,
    compact: bool,
}

impl Walk<'_> {
    fn is_shown(&self, group: &str) -> bool {
        !self.compact || group.contains("toolkit.fluxcd.io")
    }

    /// `above` are the Kustomizations on the way here, so that a circle ends.
    fn kustomization(
        &self,
        node: &mut Node,
        object: &Value,
        above: &mut BTreeSet<String>,
    ) -> Outcome {
        for entry in object["status"]["inventory"]["entries"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let id = entry["id"].as_str().unwrap_or_default();
            let mut child = entry_node(id)?;
            let own = child.group == KUSTOMIZATION.group
                && child.kind == "Kustomization"
                && child.namespace == object::meta::namespace(object)
                && child.name == object::meta::name(object);
            if own || !self.is_shown(&child.group) {
                continue;
            }
            if child.group == HELM_RELEASE.group && child.kind == "HelmRelease" {
                let made = self.release(&child.namespace, &child.name)?;
                child.children = made
                    .into_iter()
                    .filter(|made| self.is_shown(&made.group))
                    .collect();
            }
            let nested = child.group == KUSTOMIZATION.group && child.kind == "Kustomization";
            // What lives in another cluster cannot be asked for here.
            if nested && object["spec"]["kubeConfig"].is_null() && above.insert(child.text()) {
                let inner = self
                    .cluster
                    .get(&KUSTOMIZATION, &child.namespace, &child.name)
                    .map_err(|error| format!("failed to find object: {error}"))?;
                let text = child.text();
                self.kustomization(&mut child, &inner, above)?;
                above.remove(&text);
            }
            node.children.push(child);
        }
        Ok(())
    }

    /// The objects of a release, from Helm's storage.
    fn release(&self, namespace: &str, name: &str) -> Result<Vec<Node>, Stop> {
        let release = self.cluster.get(&HELM_RELEASE, namespace, name)?;
        let status = &release["status"];
        let storage = status["storageNamespace"].as_str().unwrap_or_default();
        let latest = &status["history"][0];
        if !release["spec"]["kubeConfig"].is_null() || storage.is_empty() || latest.is_null() {
            return Ok(Vec::new());
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = format!(
            "sh.helm.release.v1.{}.v{}",
            text(&latest["name"]),
            latest["version"]
        );
        let Some(secret) = self.cluster.find(&SECRET, storage, &key).map_err(|error| {
            format!("failed to find the Helm storage object for HelmRelease '{namespace}/{name}': {error}")
        })?
        else {
            return Ok(Vec::new());
        };
        let undecodable = || {
            format!("failed to decode the Helm storage object for HelmRelease '{namespace}/{name}'")
        };
        let manifest = manifest(&secret).ok_or_else(undecodable)?;
        let objects = yaml::to_json_documents(manifest.as_bytes())
            .map_err(|error| format!("{}: {error}", undecodable()))?;
        let release_namespace = text(&latest["namespace"]);
        let mut nodes = Vec::new();
        for object in objects.iter().filter(|object| object.is_object()) {
            let gvk = object::meta::gvk(object);
            let mut object_namespace = object::meta::namespace(object).to_owned();
            if object_namespace.is_empty() && self.is_namespaced(object) {
                object_namespace.clone_from(&release_namespace);
            }
            nodes.push(Node::new(
                &object_namespace,
                object::meta::name(object),
                &gvk.group,
                &gvk.kind,
            ));
        }
        nodes.extend(self.definitions(&release, namespace, name));
        Ok(nodes)
    }

    /// The CRDs that a release brings, where its spec handles them.
    fn definitions(&self, release: &Value, namespace: &str, name: &str) -> Vec<Node> {
        let handled = ["install", "upgrade"].iter().any(|action| {
            let policy = release["spec"][*action]["crds"]
                .as_str()
                .unwrap_or_default();
            !policy.is_empty() && policy != "Skip"
        });
        if !handled {
            return Vec::new();
        }
        let group = HELM_RELEASE.group;
        let labels = format!("{group}/name={name},{group}/namespace={namespace}");
        let found = self
            .cluster
            .list(&DEFINITION, None, &Selection::labelled(labels));
        let nodes = found.unwrap_or_default();
        nodes
            .iter()
            .map(|found| {
                Node::new(
                    "",
                    object::meta::name(found),
                    DEFINITION.group,
                    DEFINITION.kind,
                )
            })
            .collect()
    }

    fn is_namespaced(&self, object: &Value) -> bool {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        let kind = object["kind"].as_str().unwrap_or_default();
        self.cluster.is_namespaced(version, kind).unwrap_or(false)
    }
}

/// The manifest of a release record: base64 of gzip of JSON.
fn manifest(secret: &Value) -> Option<String> {
    let data = STANDARD.decode(secret["data"]["release"].as_str()?).ok()?;
    let mut bytes = STANDARD.decode(data).ok()?;
    if bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        let mut unpacked = Vec::new();
        // Secrets hold a mebibyte at most; what unpacks to more than this is not Helm's.
        let limited = std::io::Read::take(flate2::read::GzDecoder::new(&bytes[..]), 256 << 20);
        std::io::Read::read_to_end(&mut { limited }, &mut unpacked).ok()?;
        bytes = unpacked;
    }
    let release: Value = serde_json::from_slice(&bytes).ok()?;
    release["manifest"].as_str().map(str::to_owned)
}

/// `<namespace>_<name>_<group>_<kind>`; a name's colons are written as `__`.
fn entry_node(id: &str) -> Result<Node, Stop> {
    let malformed = || Stop::Failed(format!("unable to parse stored object metadata: {id}"));
    let (namespace, rest) = id.split_once('_').ok_or_else(malformed)?;
    let (rest, kind) = rest.rsplit_once('_').ok_or_else(malformed)?;
    let (name, group) = rest.rsplit_once('_').ok_or_else(malformed)?;
    Ok(Node::new(namespace, &name.replace("__", ":"), group, kind))
}
