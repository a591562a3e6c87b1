//! What the built-in kinds and their fields mean, in the words of Kubernetes' own documentation.
//!
//! The texts are those of the OpenAPI documents. The facts hold none; these come with the generated
//! types of the `k8s-openapi` crate, and are read on first use, so that a server that nobody asks to
//! explain anything never holds them.

mod roots;

use std::collections::HashMap;
use std::sync::LazyLock;

use object::Value;
use schemars::SchemaGenerator;

/// The texts of all described types.
#[derive(Debug, Default)]
pub struct Prose {
    types: HashMap<Box<str>, TypeProse>,
    texts: Vec<Box<str>>,
}

/// Places in [`Prose::texts`]; the same text stands in many types.
#[derive(Debug, Default)]
struct TypeProse {
    own: Option<u32>,
    fields: HashMap<Box<str>, u32>,
}

/// The texts, read on first use.
pub fn prose() -> &'static Prose {
    static PROSE: LazyLock<Prose> = LazyLock::new(Prose::read);
    &PROSE
}

impl Prose {
    /// What the type of that OpenAPI name is.
    pub fn of_type(&self, type_name: &str) -> Option<&str> {
        self.text(self.types.get(type_name)?.own?)
    }

    /// What a field of the type is.
    pub fn of_field(&self, type_name: &str, field: &str) -> Option<&str> {
        self.text(*self.types.get(type_name)?.fields.get(field)?)
    }

    fn text(&self, place: u32) -> Option<&str> {
        self.texts.get(place as usize).map(AsRef::as_ref)
    }

    fn read() -> Self {
        let mut generator = SchemaGenerator::default();
        roots::visit(&mut generator);
        let mut prose = Self::default();
        let mut known: HashMap<Box<str>, u32> = HashMap::new();
        for (name, schema) in generator.take_definitions(false) {
            let entry = prose.entry(&schema, &mut known);
            prose.types.insert(name.into(), entry);
        }
        prose
    }

    fn entry(&mut self, schema: &Value, known: &mut HashMap<Box<str>, u32>) -> TypeProse {
        let mut place = |value: &Value| -> Option<u32> {
            let text = value.get("description")?.as_str()?;
            if let Some(place) = known.get(text) {
                return Some(*place);
            }
            let place = u32::try_from(self.texts.len()).ok()?;
            self.texts.push(text.into());
            known.insert(text.into(), place);
            Some(place)
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        TypeProse {
            own: place(schema),
            fields: properties
                .into_iter()
                .flatten()
                .filter_map(|(name, field)| Some((name.as_str().into(), place(field)?)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::facts;

    #[test]
    fn fields_are_described() {
        let text = prose().of_field("io.k8s.api.core.v1.ContainerPort", "containerPort");
        assert_eq!(
            text,
            Some(
                "Number of port to expose on the pod's IP address. This must be a valid port number, 0 < x < 65536."
            )
        );
        assert!(prose().of_type("io.k8s.api.apps.v1.Deployment").is_some());
        assert_eq!(prose().of_field("io.k8s.api.core.v1.Pod", "nothing"), None);
    }

    #[test]
    fn what_is_served_is_described() {
        let missing: Vec<&str> = facts()
            .resources()
            .iter()
            .filter_map(|resource| resource.type_id)
            .map(|id| facts().type_at(id).name.as_str())
            .filter(|name| prose().of_type(name).is_none())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
