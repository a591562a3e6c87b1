//! Fields that stand twice in a JSON text. The last one counts; strict decoding tells of the others.
//!
//! Source: sigs.k8s.io/json, `kjson.UnmarshalStrict`, which tells of at most 100.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// How many are told.
const LIMIT: usize = 100;

/// The paths of the fields that stand twice, in the order of the document, as `spec.ports[0].name`.
/// A text that is no JSON has none.
pub(super) fn duplicates(text: &[u8]) -> Vec<String> {
    let found = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let node = Node {
        path: "",
        found: &found,
    };
    // Errors of the text are told by whoever decodes it.
    let _ = deserializer.deserialize_any(node);
    found.into_inner()
}

#[derive(Clone, Copy)]
struct Node<'a> {
    path: &'a str,
    found: &'a RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() {
                key.clone()
            } else {
                format!("{}.{key}", self.path)
            };
            if !seen.insert(key) && self.found.borrow().len() < LIMIT {
                self.found.borrow_mut().push(path.clone());
            }
            map.next_value_seed(Node {
                path: &path,
                found: self.found,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let path = format!("{}[{index}]", self.path);
            let node = Node {
                path: &path,
                found: self.found,
            };
            if list.next_element_seed(node)?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(IgnoredAny).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_twice_is_found_with_its_path() {
        let text = br#"{"spec":{"a":1,"a":2,"l":[{"x":1,"x":2}]},"spec":{}}"#;
        assert_eq!(duplicates(text), ["spec.a", "spec.l[0].x", "spec"]);
        assert_eq!(duplicates(br#"[{"op":"add","op":"x"}]"#), ["[0].op"]);
        assert!(duplicates(b"{").is_empty());
    }
}
