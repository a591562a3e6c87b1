//! The annotations `config.kubernetes.io/origin` and `alpha.config.kubernetes.io/transformations`.

use yaml::{Node, SequenceIndent};

use crate::error::Result;
use crate::load::join_relative;
use crate::remote::Repository;
use crate::resource::{ORIGIN, Resource, TRANSFORMATIONS};

/// Where a resource comes from, or what changed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The file, relative to the root of the build.
    pub(crate) path: String,
    /// The repository it was fetched from, and the reference.
    pub(crate) repository: String,
    pub(crate) reference: String,
    pub(crate) configured_in: String,
    pub(crate) configured_by: Vec<(String, String)>,
}

fn string(text: &str) -> Node {
    crate::read::from_map(&serde_json::Value::String(text.to_owned()))
}

impl Origin {
    /// The origin of what lies at `path` from here.
    pub(crate) fn below(&self, path: &str) -> Self {
        if let Some(repository) = Repository::parse(path) {
            return Self {
                path: join_relative("", &repository.path),
                repository: repository.url,
                reference: repository.reference,
                ..self.clone()
            };
        }
        Self {
            path: join_relative(&self.path, path),
            ..self.clone()
        }
    }

    /// The origin that a configuration file gives to what it makes or changes.
    pub(crate) fn of_plugin(file: &Resource) -> Option<Self> {
        let text = file.annotation(ORIGIN)?;
        let value = yaml::to_json(text.as_bytes()).ok()?;
        let fields = [
            ("apiVersion", file.api_version()),
            ("kind", file.kind()),
            ("name", file.name()),
            ("namespace", file.namespace()),
        ];
        let text = |field: &str| {
            let text = value.get(field).and_then(|text| text.as_str());
            text.unwrap_or_default().to_owned()
        };
        Some(Self {
            path: String::new(),
            repository: text("repo"),
            reference: text("ref"),
            configured_in: text("path"),
            configured_by: fields
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        })
    }

    fn node(&self) -> Node {
        let mut node = Node::mapping();
        for (key, value) in [
            ("path", &self.path),
            ("repo", &self.repository),
            ("ref", &self.reference),
            ("configuredIn", &self.configured_in),
        ] {
            if !value.is_empty() {
                node.insert(key, string(value));
            }
        }
        if !self.configured_by.is_empty() {
            let mut by = Node::mapping();
            for (key, value) in &self.configured_by {
                by.insert(key, string(value));
            }
            node.insert("configuredBy", by);
        }
        node
    }

    /// The annotation's text.
    pub(crate) fn text(&self) -> String {
        yaml::node_to_string(&self.node(), SequenceIndent::Compact).unwrap_or_default()
    }

    /// Notes on all resources that this transformer was at work; those without an origin come from it.
    pub(crate) fn note_transformation(&self, resources: &mut [Resource]) -> Result<()> {
        let text = self.text();
        let mut list = Node::sequence();
        list.content.push(self.node());
        let item = yaml::node_to_string(&list, SequenceIndent::Compact)?;
        for resource in resources {
            if resource.annotation(ORIGIN).is_none() {
                resource.set_annotation(ORIGIN, Some(&text))?;
                continue;
            }
            let before = resource.annotation(TRANSFORMATIONS).unwrap_or_default();
            let all = format!("{before}{item}");
            resource.set_annotation(TRANSFORMATIONS, Some(&all))?;
        }
        Ok(())
    }
}
