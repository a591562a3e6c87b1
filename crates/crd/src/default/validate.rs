//! Checking the default values in a schema.

use object::field::{self, Error, ErrorList, Path};
use serde_json::Value;

use super::surrounding::{Place, Step};
use crate::objectmeta::{self, CoerceOptions};
use crate::prune::{self, PruneOptions};
use crate::rules::{Budget, Rules};
use crate::schema::Schema;
use crate::value;

/// How defaults are checked.
#[derive(Debug, Clone, Copy)]
pub struct DefaultsContext {
    /// Whether a default with unknown fields is an error.
    pub require_pruned: bool,
    /// The CEL cost that all defaults together may have.
    pub cost_budget: i64,
}

struct Walk<'a> {
    errors: ErrorList,
    require_pruned: bool,
    budget: Budget,
    root: &'a Schema,
    steps: Vec<Step>,
}

/// Checks that the defaults below `schema` are valid and pruned.
pub fn validate_defaults(
    path: &Path,
    schema: &Schema,
    is_root: bool,
    context: DefaultsContext,
) -> ErrorList {
    let resource;
    let schema = if is_root && !schema.embedded {
        resource = schema.as_resource();
        &resource
    } else {
        schema
    };
    let mut walk = Walk {
        errors: Vec::new(),
        require_pruned: context.require_pruned,
        budget: Budget::new(context.cost_budget),
        root: schema,
        steps: Vec::new(),
    };
    walk.visit(schema, path, false);
    walk.errors
}

impl<'a> Walk<'a> {
    fn visit(&mut self, schema: &'a Schema, path: &Path, inside_meta: bool) {
        let (outer_root, outer_steps) = (self.root, std::mem::take(&mut self.steps));
        let mut inside_meta = inside_meta;
        if schema.embedded {
            inside_meta = false;
            self.root = schema;
        } else {
            self.steps.clone_from(&outer_steps);
        }
        self.node(schema, path, inside_meta);
        self.root = outer_root;
        self.steps = outer_steps;
    }

    fn node(&mut self, schema: &'a Schema, path: &Path, inside_meta: bool) {
        if let Some(default) = &schema.default {
            let place = path.child("default");
            if inside_meta {
                self.inside_metadata(schema, default, &place);
            } else {
                self.ordinary(schema, default, &place);
            }
        }
        // Defaults below additionalProperties are forbidden elsewhere.
        if let Some(items) = &schema.items
            && !self.budget.is_exhausted()
        {
            self.steps.push(Step::Index);
            self.visit(items, &path.child("items"), inside_meta);
            self.steps.pop();
        }
        for (name, field) in &schema.properties {
            if self.budget.is_exhausted() {
                return;
            }
            let is_meta =
                schema.embedded && matches!(name.as_str(), "metadata" | "apiVersion" | "kind");
            self.steps.push(Step::Key(name.clone()));
            let place = path.child("properties").key(name);
            self.visit(field, &place, inside_meta || is_meta);
            self.steps.pop();
        }
    }

    fn inside_metadata(&mut self, schema: &'a Schema, default: &Value, path: &Path) {
        let place = Place::new(self.steps.clone());
        let Some(mut object) = place.surround_with_type(default.clone()) else {
            return;
        };
        let strict = CoerceOptions::default();
        let root = Path::root();
        let invalid = |reason: String| {
            Error::invalid(
                path,
                default.clone(),
                format!("must result in valid metadata: {reason}"),
            )
        };
        if let Err(error) = objectmeta::coerce(&root, &mut object, Some(self.root), true, strict) {
            self.errors.push(invalid(error.to_string()));
            return;
        }
        let found = objectmeta::validate(&root, &object, Some(self.root), true);
        if !found.is_empty() {
            self.errors.push(invalid(field::join(&found)));
            return;
        }
        self.values(schema, default, path);
    }

    fn ordinary(&mut self, schema: &'a Schema, default: &Value, path: &Path) {
        // Upstream brings the default itself into form before it is shown.
        let mut coerced = default.clone();
        let strict = CoerceOptions::default();
        let outcome = objectmeta::coerce(path, &mut coerced, Some(schema), schema.embedded, strict);
        if self.require_pruned {
            let mut pruned = default.clone();
            prune::prune(
                &mut pruned,
                Some(schema),
                schema.embedded,
                PruneOptions::default(),
            );
            if pruned != *default {
                let detail = "must not have unknown fields";
                self.errors
                    .push(Error::invalid(path, coerced.clone(), detail));
            }
        }
        if let Err(error) = outcome {
            self.errors.push(*error);
            return;
        }
        let found = objectmeta::validate(path, &coerced, Some(schema), schema.embedded);
        if !found.is_empty() {
            self.errors.extend(found);
            return;
        }
        self.values(schema, &coerced, path);
    }

    fn values(&mut self, schema: &'a Schema, default: &Value, path: &Path) {
        let found = value::Validator::of_structural(schema).validate(path, default);
        if !found.is_empty() {
            self.errors.extend(found);
            return;
        }
        let is_root = std::ptr::eq(schema, self.root);
        let Some(rules) = Rules::compile(schema, is_root) else {
            return;
        };
        let start = self.budget;
        let mut with_old = start;
        let found = rules.validate(path, default, Some(default), None, &mut with_old);
        let is_clean = found.is_empty();
        self.errors.extend(found);
        if is_clean {
            // A rule with an optional oldSelf must hold without an old value too.
            let mut without_old = start;
            let found = rules.validate(path, default, None, None, &mut without_old);
            self.errors.extend(found);
            with_old = with_old.min(without_old);
        }
        self.budget = with_old;
    }
}
