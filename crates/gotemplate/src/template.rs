//! Sets of templates that can call each other by name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::function::Functions;
use crate::parse::{ParseError, ParseOptions, Tree, parse};
use crate::text::Str;

/// What a map gives for a key it has not: the template option `missingkey`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value, printed `<no value>`.
    #[default]
    Invalid,
    /// The zero value of the element type; nil for `interface {}`.
    Zero,
    /// An error.
    Error,
}

/// A parsed text: its template and those it defines.
#[derive(Debug)]
pub struct Parsed {
    name: Str,
    trees: BTreeMap<Str, Tree>,
}

/// A set of named templates.
///
/// A set can lie on top of another ([`Templates::on_top_of`]): it sees the other's templates and adds or
/// replaces without changing it, which is what Helm's `tpl` does to a clone.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    name: Str,
    base: Option<Arc<Templates>>,
    trees: HashMap<Str, Arc<Tree>>,
    missing_key: MissingKey,
    left: String,
    right: String,
}

impl Templates {
    /// An empty set.
    pub fn new() -> Templates {
        Templates::default()
    }

    /// An empty set that also sees the templates of `base`, with its options.
    pub fn on_top_of(base: &Arc<Templates>) -> Templates {
        Templates {
            name: base.name.clone(),
            base: Some(Arc::clone(base)),
            trees: HashMap::new(),
            missing_key: base.missing_key,
            left: base.left.clone(),
            right: base.right.clone(),
        }
    }

    /// Names the set after its first template, for messages about templates it has not.
    pub fn set_name(&mut self, name: impl Into<Str>) {
        self.name = name.into();
    }

    /// The name of the set.
    pub fn name(&self) -> &Str {
        &self.name
    }

    /// Sets what missing keys give.
    pub fn set_missing_key(&mut self, missing_key: MissingKey) {
        self.missing_key = missing_key;
    }

    /// What missing keys give.
    pub fn missing_key(&self) -> MissingKey {
        self.missing_key
    }

    /// Sets the delimiters for what is parsed from now on; empty ones mean `{{` and `}}`.
    pub fn set_delimiters(&mut self, left: &str, right: &str) {
        left.clone_into(&mut self.left);
        right.clone_into(&mut self.right);
    }

    /// Parses `text` as template `name` and takes it and those it defines into the set.
    ///
    /// One that is only space, comments and definitions does not replace one that has more; the tree
    /// given back is that of `text` all the same.
    /// Source: text/template `Template.Parse`, `associate`.
    pub fn parse(
        &mut self,
        name: impl Into<Str>,
        text: impl Into<Str>,
        functions: &Functions,
    ) -> Result<Arc<Tree>, ParseError> {
        let parsed = self.read(name, text, functions)?;
        let line = ParseError {
            template: parsed.name.to_string(),
            line: 1,
            message: "the text gives no template".to_owned(),
        };
        self.adopt(parsed).ok_or(line)
    }

    /// Parses `text` as [`Templates::parse`] does, without taking it into the set: several threads can do so at once.
    pub fn read(
        &self,
        name: impl Into<Str>,
        text: impl Into<Str>,
        functions: &Functions,
    ) -> Result<Parsed, ParseError> {
        let options = ParseOptions {
            left: &self.left,
            right: &self.right,
            has_function: &|name| functions.contains(name),
        };
        let name = name.into();
        let trees = parse(&name, &text.into(), &options)?;
        Ok(Parsed { name, trees })
    }

    /// Takes what has been parsed into the set; gives the tree of the text itself.
    pub fn adopt(&mut self, parsed: Parsed) -> Option<Arc<Tree>> {
        let mut own = None;
        for (name, tree) in parsed.trees {
            let tree = Arc::new(tree);
            if name == parsed.name {
                own = Some(Arc::clone(&tree));
            }
            if !tree.is_empty() || self.lookup(name.as_bytes()).is_none() {
                self.trees.insert(name, tree);
            }
        }
        own
    }

    /// Adds a tree parsed before, under its own name.
    pub fn insert(&mut self, tree: Arc<Tree>) {
        self.trees.insert(tree.name.clone(), tree);
    }

    /// The template of a name.
    pub fn lookup(&self, name: &[u8]) -> Option<&Arc<Tree>> {
        let mut set = self;
        loop {
            if let Some(tree) = set.trees.get(name) {
                return Some(tree);
            }
            set = set.base.as_deref()?;
        }
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> Vec<Str> {
        let mut names = self
            .base
            .as_ref()
            .map_or_else(Vec::new, |base| base.names());
        names.extend(self.trees.keys().cloned());
        names.sort();
        names.dedup();
        names
    }
}
