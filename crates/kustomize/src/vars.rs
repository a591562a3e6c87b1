//! `vars`: texts of the form `$(NAME)` replaced by values of fields.

use std::collections::BTreeMap;

use yaml::{Kind, Node, Style, Tag};

use crate::error::{BuildError, Result};
use crate::field::split_path_smartly;
use crate::fieldspec::{FieldSpec, apply};
use crate::kustomization::Var;
use crate::lookup;
use crate::openapi::OpenApi;
use crate::resid::ResId;
use crate::resmap::ResMap;
use crate::resource::Resource;

/// The vars of a build by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct VarSet(BTreeMap<String, Var>);

impl VarSet {
    fn add(&mut self, mut var: Var) -> Result<()> {
        if self.0.contains_key(&var.name) {
            return Err(format!("var '{}' already encountered", var.name).into());
        }
        if var.fieldref.field_path.is_empty() {
            "metadata.name".clone_into(&mut var.fieldref.field_path);
        }
        self.0.insert(var.name.clone(), var);
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: Self) -> Result<()> {
        other.0.into_values().try_for_each(|var| self.add(var))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in a kustomization's vars and marks the resources they read.
    pub(crate) fn declare(
        &mut self,
        vars: &[Var],
        map: &mut ResMap,
        openapi: &OpenApi,
    ) -> Result<()> {
        for var in vars {
            let gvk = var.objref.gvk();
            let cluster = false;
            let wanted = ResId {
                gvk,
                name: var.objref.name.as_str().into(),
                namespace: var.objref.namespace.as_str().into(),
                cluster,
            };
            let exact = !wanted.namespace.is_empty();
            let fits = |id: &ResId| {
                if exact {
                    id.same(&wanted)
                } else {
                    id.gvk == wanted.gvk && id.name == wanted.name
                }
            };
            let matched: Vec<usize> = map
                .resources()
                .iter()
                .enumerate()
                .filter(|(_, resource)| {
                    resource.previous_ids_in(openapi).any(|id| fits(&id))
                        || fits(&resource.id(openapi))
                })
                .map(|(at, _)| at)
                .collect();
            match matched.as_slice() {
                [] => {}
                [at] => map.resource_mut(*at).vars.push(var.name.clone()),
                many => {
                    return Err(BuildError::new(format!(
                        "found {} resId matches for var {} (unable to disambiguate)",
                        many.len(),
                        var.go_value()
                    )));
                }
            }
        }
        vars.iter().try_for_each(|var| self.add(var.clone()))
    }
}

fn value_of(var: &Var, resources: &[Resource]) -> Result<Value> {
    let Some(resource) = resources
        .iter()
        .find(|resource| resource.vars.contains(&var.name))
    else {
        return Err(BuildError::new(format!(
            "var '{}' cannot be mapped to a field in the set of known resources",
            var.go_value()
        )));
    };
    read(&resource.node, &var.fieldref.field_path).ok_or_else(|| {
        BuildError::new(format!(
            "field specified in var '{}' not found in corresponding resource",
            var.go_value()
        ))
    })
}

/// What a var stands for.
#[derive(Debug, Clone)]
enum Value {
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    /// A list or mapping, which is not put anywhere.
    Other,
}

impl Value {
    fn text(&self, name: &str) -> String {
        match self {
            Self::Int(value) => value.to_string(),
            Self::Float(value) => yaml::go_float(*value),
            Self::Bool(value) => value.to_string(),
            Self::Text(value) => value.clone(),
            Self::Other => format!("$({name})"),
        }
    }

    fn node(&self, name: &str) -> Node {
        let (tag, text) = match self {
            Self::Int(value) => (Tag::Int, value.to_string()),
            Self::Float(value) => (Tag::Float, value.to_string()),
            Self::Bool(value) => (Tag::Bool, value.to_string()),
            Self::Text(_) | Self::Other => (Tag::Str, self.text(name)),
        };
        Node::scalar(tag, text)
    }
}

fn read(node: &Node, path: &str) -> Option<Value> {
    let mut parts = Vec::new();
    for part in split_path_smartly(path, '.') {
        let indexed = part
            .strip_suffix(']')
            .and_then(|inner| inner.rsplit_once('['))
            .filter(|(_, index)| {
                !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())
            });
        match indexed {
            Some((field, index)) => {
                if !field.is_empty() {
                    parts.push(field.to_owned());
                }
                parts.push(index.to_owned());
            }
            None => parts.push(part.clone()),
        }
    }
    let found = lookup::get(node, &parts).ok()??;
    if found.kind != Kind::Scalar {
        return Some(Value::Other);
    }
    let text = found.value.as_str();
    match found.tag {
        Tag::Int => lookup::atoi(text).map(Value::Int),
        Tag::Float => text.parse().ok().map(Value::Float),
        Tag::Bool => match text {
            "true" | "True" | "TRUE" | "t" | "T" | "1" => Some(Value::Bool(true)),
            "false" | "False" | "FALSE" | "f" | "F" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        _ => Some(Value::Text(text.to_owned())),
    }
}

/// Replaces all vars in all fields that may hold them.
pub(crate) fn resolve(map: &mut ResMap, vars: &VarSet, specs: &[FieldSpec]) -> Result<()> {
    if vars.is_empty() {
        return Ok(());
    }
    let mut values = BTreeMap::new();
    for (name, var) in &vars.0 {
        values.insert(name.as_str(), value_of(var, map.resources())?);
    }
    for resource in map.resources_mut() {
        for spec in specs {
            apply(&mut resource.node, spec, None, &mut |node| {
                replace(node, &values)
            })?;
            resource.align_shared();
        }
    }
    Ok(())
}

type Values<'a> = BTreeMap<&'a str, Value>;

fn is_text(node: &Node) -> bool {
    node.kind == Kind::Scalar && matches!(node.tag, Tag::Str | Tag::None)
}

fn replace(node: &mut Node, values: &Values<'_>) -> Result<()> {
    if node.is_null() {
        return Ok(());
    }
    match node.kind {
        Kind::Scalar if is_text(node) => replace_text(node, values),
        Kind::Scalar => {}
        Kind::Mapping => {
            for pair in node.content.chunks_exact_mut(2) {
                if !is_text(&pair[0]) {
                    return Err(BuildError::new(format!(
                        "invalid map key: value='{}', tag='{}'",
                        pair[0].value,
                        pair[0].tag.short()
                    )));
                }
                if is_text(&pair[1]) {
                    replace_text(&mut pair[1], values);
                }
            }
        }
        Kind::Sequence => {
            for item in &mut node.content {
                if !is_text(item) {
                    return Err("invalid value type expect a string".into());
                }
                replace_text(item, values);
            }
        }
        Kind::Alias => return Err("invalid type encountered".into()),
    }
    Ok(())
}

fn replace_text(node: &mut Node, values: &Values<'_>) {
    let new = expand(&node.value, values);
    node.tag = new.tag;
    node.value = new.value;
    node.style = Style::PLAIN;
}

/// Expands `$(NAME)`; `$$` stands for `$`. A text that is one var takes the var's type.
fn expand(text: &str, values: &Values<'_>) -> Node {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$').filter(|at| at + 1 < rest.len()) {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = after
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(')'))
        {
            match values.get(name) {
                Some(value) => {
                    if text == format!("$({name})") {
                        return value.node(name);
                    }
                    out.push_str(&value.text(name));
                }
                None => out.push_str(&format!("$({name})")),
            }
            rest = tail;
        } else {
            let width = after.chars().next().map_or(0, char::len_utf8);
            out.push('$');
            out.push_str(&after[..width]);
            rest = &after[width..];
        }
    }
    out.push_str(rest);
    Node::string(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vars_expand_in_texts() {
        let values = Values::from([("A", Value::Text("x".to_owned())), ("N", Value::Int(5))]);
        for (text, expected, tag) in [
            ("$(A)-$(N)", "x-5", Tag::Str),
            ("$(N)", "5", Tag::Int),
            ("$$(A) $(B) $x $", "$(A) $(B) $x $", Tag::Str),
            ("$(A", "$(A", Tag::Str),
        ] {
            let node = expand(text, &values);
            assert_eq!((node.value.as_str(), node.tag), (expected, tag), "{text}");
        }
    }
}
