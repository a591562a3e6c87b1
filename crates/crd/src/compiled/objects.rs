//! What is done with the objects of a version.

use object::field::{Error, ErrorKind, ErrorList, Path};
use serde_json::{Map, Value};

use super::VersionSchema;
use crate::prune::PruneOptions;
use crate::rules::{Budget, OBJECT_BUDGET};
use crate::schema::Schema;
use crate::value::{Correlation, Validator};
use crate::{default, listtype, names, objectmeta, prune};

impl VersionSchema {
    /// Removes what the schema does not know, and brings metadata into form. Gives the paths of the
    /// removed fields as errors about unknown fields name them.
    ///
    /// The error is that of metadata that cannot be read, in the words of the API server.
    pub fn prune(&self, object: &mut Value) -> Result<Vec<String>, String> {
        let options = objectmeta::CoerceOptions {
            drop_invalid: false,
            track_unknown: true,
        };
        let Some(map) = object.as_object_mut() else {
            return Ok(Vec::new());
        };
        let mut unknown = objectmeta::decode_root(map)?;
        let metadata = map.get("metadata").cloned();
        if !self.preserve_unknown {
            let options = PruneOptions {
                track_unknown: true,
            };
            unknown.extend(prune::prune(object, Some(&self.schema), true, options));
            default::prune_nulls(object, Some(&self.schema));
        }
        let coerced = objectmeta::coerce(&Path::root(), object, Some(&self.schema), false, options);
        unknown.extend(coerced.map_err(|error| error.to_string())?);
        if let (Some(metadata), Some(map)) = (metadata, object.as_object_mut()) {
            map.insert("metadata".to_owned(), metadata);
        }
        Ok(unknown)
    }

    /// Sets the defaults of the schema.
    pub fn default(&self, object: &mut Value) {
        default::default(object, &self.schema);
    }

    /// What is wrong with a new object.
    pub fn validate_create(&self, object: &Value) -> ErrorList {
        let mut errors = self.validate_type(object);
        if errors.is_empty() {
            self.create_metadata(object, &mut errors);
            errors.extend(Validator::of_definition(&self.schema).validate(&Path::root(), object));
            if let Some(scale) = &self.scale {
                scale.check_spec(object, &mut errors);
                scale.check_status(object, &mut errors);
            }
        }
        errors.extend(objectmeta::validate(
            &Path::root(),
            object,
            Some(&self.schema),
            false,
        ));
        errors.extend(listtype::validate(&Path::root(), &self.schema, object));
        self.run_rules(object, None, &mut errors);
        errors
    }

    /// What is wrong with an object that takes the place of `old`, but for what was so before.
    pub fn validate_update(&self, object: &Value, old: &Value) -> ErrorList {
        let mut errors = self.validate_type(object);
        if errors.is_empty() {
            objectmeta::validate_update(object, old, &mut errors);
            let correlation = Correlation::new(object, old, &self.schema);
            let validator = Validator::of_definition(&self.schema);
            errors.extend(validator.validate_update(&Path::root(), object, &correlation));
            if let Some(scale) = &self.scale {
                scale.check_spec(object, &mut errors);
                scale.check_status(object, &mut errors);
            }
        }
        errors.extend(objectmeta::validate(
            &Path::root(),
            object,
            Some(&self.schema),
            false,
        ));
        self.list_types(object, old, &mut errors);
        self.run_rules(object, Some(old), &mut errors);
        errors
    }

    /// What is wrong with an object whose status is changed.
    pub fn validate_status_update(&self, object: &Value, old: &Value) -> ErrorList {
        let mut errors = self.validate_type(object);
        if errors.is_empty() {
            objectmeta::validate_update(object, old, &mut errors);
            if let Some(status) = object.get("status") {
                self.status(status, object, old, &mut errors);
            }
            if let Some(scale) = &self.scale {
                scale.check_status(object, &mut errors);
            }
        }
        self.list_types(object, old, &mut errors);
        self.run_rules(object, Some(old), &mut errors);
        errors
    }

    fn status(&self, status: &Value, object: &Value, old: &Value, errors: &mut ErrorList) {
        let any = Schema::default();
        let schema = self
            .schema
            .properties
            .get("status")
            .map_or(&any, AsRef::as_ref);
        let validator = Validator::of_definition(schema);
        let path = Path::new("status");
        let correlation = Correlation::new(object, old, &self.schema).key("status");
        errors.extend(match correlation {
            Some(correlation) => validator.validate_update(&path, status, &correlation),
            None => validator.validate(&path, status),
        });
    }

    fn validate_type(&self, object: &Value) -> ErrorList {
        let mut errors = Vec::new();
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let api_version = format!("{}/{}", self.group, self.name);
        for (key, wanted) in [("kind", &self.kind), ("apiVersion", &api_version)] {
            if text(key) != wanted {
                let detail = format!("must be {wanted}");
                errors.push(Error::invalid(&Path::new(key), text(key), detail));
            }
        }
        errors
    }

    fn create_metadata(&self, object: &Value, errors: &mut ErrorList) {
        let empty = Map::new();
        let metadata = object
            .get("metadata")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let text = |key: &str| {
            metadata
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let path = Path::new("metadata");
        let generate_name = text("generateName");
        if !generate_name.is_empty() {
            for detail in names::dns1123_subdomain(&names::mask_trailing_dash(generate_name)) {
                errors.push(Error::invalid(
                    &path.child("generateName"),
                    generate_name,
                    detail,
                ));
            }
        }
        let name = text("name");
        if name.is_empty() {
            errors.push(Error::required(
                &path.child("name"),
                "name or generateName is required",
            ));
        } else {
            for detail in names::dns1123_subdomain(name) {
                errors.push(Error::invalid(&path.child("name"), name, detail));
            }
        }
        let namespace = text("namespace");
        let place = path.child("namespace");
        match (self.namespaced, namespace.is_empty()) {
            (true, true) => errors.push(Error::required(&place, "")),
            (true, false) => {
                for detail in names::dns1123_label(namespace) {
                    errors.push(Error::invalid(&place, namespace, detail));
                }
            }
            (false, false) => errors.push(Error::forbidden(&place, "not allowed on this type")),
            (false, true) => {}
        }
        objectmeta::validate_new(&path, metadata, errors);
    }

    /// Lists that were wrong before may stay so.
    fn list_types(&self, object: &Value, old: &Value, errors: &mut ErrorList) {
        let found = listtype::validate(&Path::root(), &self.schema, object);
        if !found.is_empty() && listtype::validate(&Path::root(), &self.schema, old).is_empty() {
            errors.extend(found);
        }
    }

    fn run_rules(&self, object: &Value, old: Option<&Value>, errors: &mut ErrorList) {
        let Some(rules) = &self.rules else { return };
        let is_blocking = |error: &Error| {
            matches!(
                error.kind,
                ErrorKind::NotSupported
                    | ErrorKind::Required
                    | ErrorKind::TooLong
                    | ErrorKind::TooMany
                    | ErrorKind::TypeInvalid
            )
        };
        if errors.iter().any(is_blocking) {
            errors.push(Error::invalid(
                &Path::root(),
                Value::Null,
                "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
            ));
            return;
        }
        let correlation = old.map(|old| Correlation::new(object, old, &self.schema));
        let mut budget = Budget::new(OBJECT_BUDGET);
        errors.extend(rules.validate(
            &Path::root(),
            object,
            old,
            correlation.as_ref(),
            &mut budget,
        ));
    }
}
