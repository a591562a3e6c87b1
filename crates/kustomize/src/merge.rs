//! Strategic merges: kyaml's `merge2` with list items of the patch put first.
//!
//! Nodes are merged in place. [`Outcome`] says which of the two nodes carries the result: kyaml returns one
//! of two pointers, and some of its results depend on which.

mod list;

use yaml::{Kind, Node, Tag};

use crate::error::{BuildError, Result};
use crate::field::{expect_kind, node_text, put_field};
use crate::openapi::{OpenApi, Schema};
use crate::resid::root_text;

/// Which node holds the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is none: the field is to go.
    Clear,
    Dest,
    Origin,
}

/// What `$patch` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Merges `patch` into `dest`; false means that `dest` is to be deleted.
///
/// # Errors
/// Nodes of different kinds, an unknown `$patch`.
pub(crate) fn merge(dest: &mut Node, patch: &mut Node, openapi: &OpenApi) -> Result<bool> {
    let merger = Merger { openapi };
    match merger.walk(Some(dest), Some(patch), None)? {
        Outcome::Clear => Ok(false),
        Outcome::Dest => Ok(true),
        Outcome::Origin => {
            std::mem::swap(dest, patch);
            Ok(true)
        }
    }
}

struct Merger<'a> {
    openapi: &'a OpenApi,
}

fn is_missing(node: Option<&Node>) -> bool {
    node.is_none_or(Node::is_null)
}

impl Merger<'_> {
    fn walk(
        &self,
        dest: Option<&mut Node>,
        origin: Option<&mut Node>,
        schema: Option<Schema>,
    ) -> Result<Outcome> {
        let kind = [dest.as_deref(), origin.as_deref()]
            .into_iter()
            .find(|node| !is_missing(*node))
            .flatten()
            .map(|node| node.kind);
        if let Some(kind) = kind {
            for node in [dest.as_deref(), origin.as_deref()].into_iter().flatten() {
                expect_kind(node, kind)?;
            }
        }
        let schema = schema.or_else(|| self.schema_of(dest.as_deref(), origin.as_deref()));
        match kind {
            None | Some(Kind::Mapping) => self.walk_map(dest, origin, schema.as_ref()),
            Some(Kind::Sequence) => self.walk_list(dest, origin, schema.as_ref()),
            Some(Kind::Scalar | Kind::Alias) => Ok(match (origin, dest) {
                (Some(_), _) => Outcome::Origin,
                (None, Some(_)) => Outcome::Dest,
                (None, None) => Outcome::Clear,
            }),
        }
    }

    fn schema_of(&self, dest: Option<&Node>, origin: Option<&Node>) -> Option<Schema> {
        [dest, origin]
            .into_iter()
            .flatten()
            .filter(|node| !node.is_null())
            .find_map(|node| {
                let (api_version, kind) = (root_text(node, "apiVersion"), root_text(node, "kind"));
                if api_version.is_empty() || kind.is_empty() {
                    return None;
                }
                self.openapi.of_kind(api_version, kind)
            })
    }

    fn walk_map(
        &self,
        dest: Option<&mut Node>,
        origin: Option<&mut Node>,
        schema: Option<&Schema>,
    ) -> Result<Outcome> {
        if is_missing(dest.as_deref()) {
            return match (origin, dest) {
                // A null that the patch says nothing of stays, if it is written out.
                (None, Some(null)) if !null.value.is_empty() => Ok(Outcome::Dest),
                (None, _) => Ok(Outcome::Clear),
                (Some(origin), _) => {
                    if matches!(directive(origin), Ok(Directive::Delete)) {
                        return Ok(Outcome::Clear);
                    }
                    self.walk_added(origin, schema)?;
                    Ok(Outcome::Origin)
                }
            };
        }
        let Some(dest) = dest else {
            return Ok(Outcome::Clear);
        };
        let Some(origin) = origin else {
            self.walk_fields(dest, None, schema)?;
            return Ok(Outcome::Dest);
        };
        if origin.is_null() {
            return Ok(Outcome::Clear);
        }
        match directive(origin)? {
            Directive::Delete => Ok(Outcome::Clear),
            Directive::Replace => {
                self.walk_added(origin, schema)?;
                Ok(Outcome::Origin)
            }
            Directive::Merge => {
                self.walk_fields(dest, Some(origin), schema)?;
                Ok(Outcome::Dest)
            }
        }
    }

    /// The schema of a field: what a comment at it says, else what the type says.
    fn field_schema(
        &self,
        schema: Option<&Schema>,
        key: &str,
        nodes: [Option<&Node>; 2],
    ) -> Option<Schema> {
        for node in nodes.into_iter().flatten() {
            let Some(at) = node.position(key) else {
                continue;
            };
            let extras = [&node.content[at + 1], &node.content[at]]
                .into_iter()
                .filter_map(|node| node.extras.as_deref());
            for extras in extras {
                let found = [&extras.line_comment, &extras.head_comment]
                    .into_iter()
                    .find_map(|comment| self.openapi.of_comment(comment));
                if found.is_some() {
                    return found;
                }
            }
        }
        schema.and_then(|schema| self.openapi.field(schema, key))
    }

    /// Merges every field of either mapping into `dest`.
    fn walk_fields(
        &self,
        dest: &mut Node,
        mut origin: Option<&mut Node>,
        schema: Option<&Schema>,
    ) -> Result<()> {
        let mut keys: Vec<yaml::Text> = [Some(&*dest), origin.as_deref()]
            .into_iter()
            .flatten()
            .flat_map(|node| node.pairs().map(|(key, _)| key.value.clone()))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let field_schema = self.field_schema(schema, &key, [Some(&*dest), origin.as_deref()]);
            let from = origin
                .as_deref_mut()
                .and_then(|origin| origin.get_mut(&key));
            let outcome = match (dest.get_mut(&key), from) {
                // Nothing is asked of a scalar that the patch does not have.
                (Some(to), None) if to.kind == Kind::Scalar && !to.is_null() => {
                    quote_untagged(to);
                    continue;
                }
                (to, from) => self.walk(to, from, field_schema)?,
            };
            match outcome {
                Outcome::Clear => {
                    dest.remove(&key);
                }
                Outcome::Dest => {
                    if let Some(to) = dest.get_mut(&key) {
                        quote_untagged(to);
                    }
                }
                Outcome::Origin => {
                    let taken = origin.as_deref_mut().and_then(|origin| take(origin, &key));
                    if let Some((name, mut value)) = taken {
                        quote_untagged(&mut value);
                        if value.is_null() {
                            dest.remove(&key);
                        } else if dest.get(&key).is_some() {
                            put_field(dest, &key, value);
                        } else {
                            dest.content.extend([name, value]);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Merges a node of the patch with itself, as kyaml does with what has no counterpart: nulls go, and
    /// directives inside are obeyed.
    fn walk_added(&self, node: &mut Node, schema: Option<&Schema>) -> Result<()> {
        let keys: Vec<yaml::Text> = node.pairs().map(|(key, _)| key.value.clone()).collect();
        for key in keys {
            let field_schema = self.field_schema(schema, &key, [Some(&*node), None]);
            let keep = match node.get_mut(&key) {
                Some(value) => self.walk_self(value, field_schema)? && !value.is_null(),
                None => continue,
            };
            if !keep {
                node.remove(&key);
            } else if let Some(value) = node.get_mut(&key) {
                quote_untagged(value);
            }
        }
        Ok(())
    }

    /// Both sources are the same node; false means that it is to go.
    fn walk_self(&self, node: &mut Node, schema: Option<Schema>) -> Result<bool> {
        if node.is_null() {
            return Ok(true);
        }
        let schema = schema.or_else(|| self.schema_of(Some(node), None));
        match node.kind {
            Kind::Scalar | Kind::Alias => Ok(true),
            Kind::Mapping => {
                if directive(node)? == Directive::Delete {
                    return Ok(false);
                }
                self.walk_added(node, schema.as_ref())?;
                Ok(true)
            }
            Kind::Sequence => match list::merge_keys(schema.as_ref()) {
                None => Ok(true),
                Some(_) => {
                    if directive(node)? == Directive::Delete {
                        return Ok(false);
                    }
                    self.merge_list_with_itself(node, schema.as_ref())
                }
            },
        }
    }
}

/// kyaml's field setter quotes an untagged string that YAML 1.1 would read as something else.
fn quote_untagged(node: &mut Node) {
    let string = node.kind == Kind::Scalar && matches!(node.tag, Tag::Str | Tag::None);
    if string && node.style == yaml::Style::PLAIN && yaml::is_non_string(&node.value) {
        node.style = yaml::Style::DOUBLE_QUOTED;
    }
}

fn take(node: &mut Node, key: &str) -> Option<(Node, Node)> {
    let at = node.position(key)?;
    let value = node.content.remove(at + 1);
    Some((node.content.remove(at), value))
}

const DIRECTIVE: &str = "$patch";

/// Reads `$patch` and takes it out.
fn directive(patch: &mut Node) -> Result<Directive> {
    match patch.kind {
        Kind::Mapping => match patch.get(DIRECTIVE) {
            None => Ok(Directive::Merge),
            Some(value) => {
                let found = parse_directive(&value.value)?;
                patch.remove(DIRECTIVE);
                Ok(found)
            }
        },
        Kind::Sequence => list_directive(patch),
        Kind::Scalar | Kind::Alias => Err(BuildError::new(format!(
            "no implemented strategic merge patch strategy for '{}' ('{}')",
            patch.short_tag().short(),
            node_text(patch)
        ))),
    }
}

fn parse_directive(text: &str) -> Result<Directive> {
    match text {
        "delete" => Ok(Directive::Delete),
        "replace" => Ok(Directive::Replace),
        "merge" => Ok(Directive::Merge),
        other => Err(format!("unknown patch strategy '{other}'").into()),
    }
}

/// A list is directed by an element that holds nothing but `$patch`.
fn list_directive(patch: &mut Node) -> Result<Directive> {
    let found = patch
        .content
        .iter()
        .find(|element| element.kind == Kind::Mapping && element.get(DIRECTIVE).is_some());
    let Some(element) = found.filter(|element| element.content.len() <= 2) else {
        return Ok(Directive::Merge);
    };
    let text = element
        .get(DIRECTIVE)
        .map_or_else(Default::default, |value| value.value.clone());
    let directive = parse_directive(&text)?;
    patch.content.retain(|element| {
        let empty =
            element.is_null() || (element.kind == Kind::Mapping && element.content.is_empty());
        let directs = element.kind == Kind::Mapping
            && element
                .get(DIRECTIVE)
                .is_some_and(|value| value.value == text);
        !empty && !directs
    });
    Ok(directive)
}
