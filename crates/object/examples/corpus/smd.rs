//! Runs the cases of structured merge.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use object::Value;
use object::smd::fieldset::{Filter, Set};
use object::smd::merge::{ConvertError, Converter, Managers, UpdateError, Updater};
use object::smd::schema::{Schema, Type};
use object::smd::typed::{Duplicates, TypedValue};
use object::smd::value::equal;

type Outcome = Result<(), String>;

/// Runs a case whose name begins with `smd/`; `None` for others. `folder` has `smd-schemas.json`.
pub(crate) fn run(name: &str, case: &Value, folder: &Path) -> Option<Outcome> {
    if !name.starts_with("smd/") {
        return None;
    }
    Some(run_case(case, folder))
}

fn run_case(case: &Value, folder: &Path) -> Outcome {
    let schemas = schemas(folder)?;
    if case.get("ops").is_some() {
        return Scenario::new(case, schemas)?.run(case);
    }
    let type_ = Schema::parse_type(schema(schemas, &case["schema"])?, &case["type"])
        .map_err(|error| error.to_string())?;
    if case["op"] == "parse" {
        return run_parse(case, &type_);
    }
    let typed = |key: &str| {
        TypedValue::new(Cow::Borrowed(&case[key]), &type_, Duplicates::Allowed)
            .map_err(|error| error.to_string())
    };
    let object = typed("object")?;
    let items = || Set::from_value(&case["items"]).map_err(|error| error.to_string());
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    match case["op"].as_str().unwrap_or_default() {
        "toFieldSet" => {
            let set = object.to_field_set().map_err(|error| failed(&error))?;
            same("set", &set.to_value(), &case["set"])
        }
        "merge" => {
            let other = typed("other")?;
            let merged = object.merge(&other).map_err(|error| failed(&error))?;
            same("result", merged.value(), &case["result"])
        }
        "compare" => {
            let other = typed("other")?;
            let found = object.compare(&other).map_err(|error| failed(&error))?;
            same("added", &found.added.to_value(), &case["added"])?;
            same("modified", &found.modified.to_value(), &case["modified"])?;
            same("removed", &found.removed.to_value(), &case["removed"])
        }
        "removeItems" => {
            let left = object.remove_items(&items()?);
            same("result", left.value(), &case["result"])
        }
        "extractItems" => {
            let extracted = match case["appendKeyFields"].as_bool() {
                Some(true) => object.extract_items_with_keys(&items()?),
                _ => object.extract_items(&items()?),
            };
            same("result", extracted.value(), &case["result"])
        }
        other => Err(format!("unknown op {other}")),
    }
}

fn same(what: &str, actual: &Value, expected: &Value) -> Outcome {
    if equal(actual, expected) {
        return Ok(());
    }
    Err(format!("{what} is {actual}, not {expected}"))
}

fn schemas(folder: &Path) -> Result<&'static Value, String> {
    static SCHEMAS: OnceLock<Result<Value, String>> = OnceLock::new();
    let read = || {
        let file = folder.join("smd-schemas.json");
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    };
    SCHEMAS.get_or_init(read).as_ref().map_err(Clone::clone)
}

fn schema<'a>(schemas: &'a Value, hash: &Value) -> Result<&'a Value, String> {
    hash.as_str()
        .and_then(|hash| schemas.get(hash))
        .ok_or_else(|| format!("no schema {hash}"))
}

/// The peer of these cases read YAML, whose maps have keys of any type; Kubernetes' have text keys.
fn same_error(actual: Option<String>, expected: &Value) -> Outcome {
    let expected = expected
        .as_str()
        .map(|text| text.replace("map[interface {}]", "map[string]"));
    if actual == expected {
        return Ok(());
    }
    Err(format!("error is {actual:?}, not {expected:?}"))
}

fn run_parse(case: &Value, type_: &Type) -> Outcome {
    let options = case["options"].as_array().into_iter().flatten();
    let duplicates = if options
        .into_iter()
        .any(|option| option == "AllowDuplicates")
    {
        Duplicates::Allowed
    } else {
        Duplicates::Forbidden
    };
    let parsed = TypedValue::new(Cow::Borrowed(&case["object"]), type_, duplicates);
    same_error(parsed.err().map(|error| error.to_string()), &case["error"])
}

/// The types of the versions.
#[derive(Clone, Default)]
struct Types(BTreeMap<String, Type>);

impl Types {
    /// The type of a version. Where that is not recorded it is the type of that name, or else all
    /// versions share one.
    fn of(&self, version: &str) -> Result<Type, String> {
        if let Some(type_) = self.0.get(version) {
            return Ok(type_.clone());
        }
        let any = self.0.values().next().ok_or("no types")?;
        let named = any.schema().type_named(version);
        Ok(named.unwrap_or_else(|| any.clone()))
    }
}

/// The conversions that the peer's tests use.
struct TestConverter {
    kind: String,
    types: Types,
}

impl Converter for TestConverter {
    fn convert<'a>(
        &self,
        object: TypedValue<'a>,
        version: &str,
    ) -> Result<TypedValue<'a>, ConvertError> {
        let missing =
            || ConvertError::MissingVersion("cannot convert to invalid version".to_owned());
        let in_version = object.type_().name().unwrap_or_default().to_owned();
        let converted = match &*self.kind {
            "identity" => return Ok(object),
            "renaming" => rename(object.value(), &in_version, version),
            "repeating" => {
                let count = version
                    .strip_prefix('v')
                    .and_then(|number| number.parse().ok());
                let count = count.ok_or_else(missing)?;
                match object.value() {
                    Value::Object(root) => root
                        .iter()
                        .map(|(key, value)| (key.clone(), repeat(value, count)))
                        .collect(),
                    other => other.clone(),
                }
            }
            _ if in_version == version => return Ok(object),
            "reliant" => {
                let text = object.value().to_string();
                let (old, new) = ("required_field_bar", "field_foo_rely_on_bar");
                let text = match version {
                    "v1" if !text.contains(old) => {
                        return Err(ConvertError::Failed(
                            "missing requried field bar".to_owned(),
                        ));
                    }
                    "v1" => text.replace(old, new),
                    "v2" => text.replace(new, old),
                    _ => return Err(missing()),
                };
                serde_json::from_str(&text)
                    .map_err(|error| ConvertError::Failed(error.to_string()))?
            }
            other => return Err(ConvertError::Failed(format!("unknown converter {other}"))),
        };
        let type_ = self.types.of(version).map_err(ConvertError::Failed)?;
        TypedValue::new(Cow::Owned(converted), &type_, Duplicates::Forbidden)
            .map_err(|error| ConvertError::Failed(error.to_string()))
    }
}

/// Gives fields that end in the old version the new one.
fn rename(value: &Value, old: &str, new: &str) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let name = name
                    .strip_suffix(old)
                    .map_or_else(|| name.clone(), |name| format!("{name}{new}"));
                (name, rename(value, old, new))
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| rename(item, old, new)).collect(),
        other => other.clone(),
    }
}

/// Makes every field name the repetition of its first letter; leaves become null.
fn repeat(value: &Value, count: usize) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                (
                    name.chars().take(1).collect::<String>().repeat(count),
                    repeat(value, count),
                )
            })
            .collect(),
        _ => Value::Null,
    }
}

/// A sequence of operations on one object.
struct Scenario {
    updater: Updater<TestConverter>,
    schemas: &'static Value,
    references: HashMap<String, Value>,
    types: Types,
    live: Option<TypedValue<'static>>,
    managers: Managers,
    filters: BTreeMap<String, Filter>,
    converter: String,
    return_input_on_noop: bool,
}

impl Scenario {
    fn new(case: &Value, schemas: &'static Value) -> Result<Self, String> {
        let mut references = HashMap::new();
        let mut types = Types::default();
        let mut known: Vec<(&Value, Type)> = Vec::new();
        for (version, reference) in case["types"].as_object().into_iter().flatten() {
            // Versions of the same type share it.
            let type_ = match known.iter().find(|(known, _)| *known == reference) {
                Some((_, type_)) => type_.clone(),
                None => {
                    Schema::parse_type(schema(schemas, &reference["schema"])?, &reference["type"])
                        .map_err(|error| error.to_string())?
                }
            };
            known.push((reference, type_.clone()));
            types.0.insert(version.clone(), type_);
            references.insert(version.clone(), reference["type"].clone());
        }
        let mut filters = BTreeMap::new();
        for (version, fields) in case
            .get("ignoredFields")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let set = Set::from_value(fields).map_err(|error| error.to_string())?;
            filters.insert(version.clone(), Filter::Exclude(Arc::new(set)));
        }
        let converter = case["converter"].as_str().unwrap_or_default().to_owned();
        let mut scenario = Self {
            updater: Updater::new(TestConverter {
                kind: String::new(),
                types: Types::default(),
            }),
            schemas,
            references,
            types,
            live: None,
            managers: Managers::new(),
            filters,
            converter,
            return_input_on_noop: case["returnInputOnNoop"] == true,
        };
        scenario.make_updater();
        Ok(scenario)
    }

    fn make_updater(&mut self) {
        let converter = TestConverter {
            kind: self.converter.clone(),
            types: self.types.clone(),
        };
        let mut updater = Updater::new(converter).with_filters(self.filters.clone());
        if self.return_input_on_noop {
            updater = updater.returning_input_on_noop();
        }
        self.updater = updater;
    }

    fn run(mut self, case: &Value) -> Outcome {
        for (index, operation) in case["ops"].as_array().into_iter().flatten().enumerate() {
            let at = |why: String| format!("op {index} ({}): {why}", operation["op"]);
            self.operate(operation).map_err(at)?;
            if let Some(live) = operation.get("live") {
                let actual = self.live.as_ref().map_or(&Value::Null, TypedValue::value);
                same("live", actual, live).map_err(at)?;
            }
            self.check_managers(&operation["managers"], true)
                .map_err(at)?;
        }
        if let Some(expected) = case.get("expectObject") {
            let version = case["expectVersion"].as_str().unwrap_or_default();
            let live = self.live.take().ok_or("no object")?;
            let live = self
                .updater
                .converter()
                .convert(live, version)
                .map_err(|error| error.to_string())?;
            same("object", live.value(), expected)?;
        }
        match case.get("expectManagers") {
            Some(expected) => self.check_managers(expected, false),
            None => Ok(()),
        }
    }

    /// Compares the managers; the final expectation does not say who applied.
    fn check_managers(&self, expected: &Value, check_applied: bool) -> Outcome {
        let mut actual = serde_json::Map::new();
        for (manager, owned) in &self.managers {
            let applied = owned.applied && check_applied;
            let entry = serde_json::json!({
                "apiVersion": &*owned.api_version, "applied": applied, "set": owned.set.to_value(),
            });
            actual.insert(manager.clone(), entry);
        }
        let mut expected = expected.clone();
        if !check_applied {
            for entry in expected
                .as_object_mut()
                .into_iter()
                .flat_map(|map| map.values_mut())
            {
                entry["applied"] = Value::Bool(false);
            }
        }
        same("managers", &Value::Object(actual), &expected)
    }

    fn operate(&mut self, operation: &Value) -> Outcome {
        if operation["op"] == "changeSchema" {
            return self.change_schema(operation);
        }
        let version = operation["apiVersion"].as_str().unwrap_or_default();
        let manager = operation["manager"].as_str().unwrap_or_default();
        let result = self.change(operation, version, manager);
        let mut conflicts = Vec::new();
        let error = match result {
            Ok(()) => None,
            Err(UpdateError::Conflicts(found)) => {
                conflicts = found
                    .0
                    .iter()
                    .map(|conflict| (conflict.manager.clone(), conflict.path.to_string()))
                    .collect();
                None
            }
            Err(error) => Some(error.to_string()),
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut expected: Vec<(String, String)> = operation
            .get("conflicts")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|conflict| (text(&conflict["manager"]), text(&conflict["path"])))
            .collect();
        conflicts.sort();
        expected.sort();
        if conflicts != expected {
            return Err(format!("conflicts are {conflicts:?}, not {expected:?}"));
        }
        same_error(error, operation.get("error").unwrap_or(&Value::Null))
    }

    fn change_schema(&mut self, operation: &Value) -> Outcome {
        let schema = schema(self.schemas, &operation["schema"])?;
        for (version, reference) in &self.references {
            let type_ = Schema::parse_type(schema, reference).map_err(|error| error.to_string())?;
            self.types.0.insert(version.clone(), type_);
        }
        self.make_updater();
        if let Some(live) = self.live.take() {
            let name = live.type_().name().unwrap_or_default().to_owned();
            let type_ = self
                .types
                .0
                .values()
                .find(|type_| type_.name() == Some(&*name))
                .ok_or("no type")?;
            let live = TypedValue::new(live.into_value(), type_, Duplicates::Forbidden);
            self.live = Some(live.map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    fn change(
        &mut self,
        operation: &Value,
        version: &str,
        manager: &str,
    ) -> Result<(), UpdateError> {
        let failed = |error: &dyn std::fmt::Display| UpdateError::Failed(error.to_string());
        let type_ = self.types.of(version).map_err(|error| failed(&error))?;
        let is_update = operation["op"] == "update";
        let duplicates = if is_update {
            Duplicates::Allowed
        } else {
            Duplicates::Forbidden
        };
        let new = TypedValue::new(Cow::Borrowed(&operation["object"]), &type_, duplicates)
            .map_err(|error| failed(&error))?;
        let live = match self.live.clone() {
            Some(live) => live,
            None => TypedValue::new(Cow::Owned(Value::Null), &type_, Duplicates::Forbidden)
                .map_err(|error| failed(&error))?,
        };
        let converter = self.updater.converter();
        let had_live = self.live.is_some();
        let live = converter
            .convert(live, version)
            .map_err(|error| failed(&error))?;
        self.live = Some(live.clone().into_owned());
        let managers = self.managers.clone();
        if is_update {
            self.managers = self
                .updater
                .update(&live, &new, version, managers, manager)?;
            self.live = Some(new.into_owned());
            return Ok(());
        }
        let mut config = new;
        if operation["op"] == "extractApply" && had_live {
            let set = self
                .managers
                .get(manager)
                .map(|owned| owned.set.leaves())
                .unwrap_or_default();
            let extracted = live.extract_items(&set);
            config = extracted
                .merge(&config)
                .map_err(|error| failed(&error))?
                .into_owned();
        }
        let force = operation["op"] != "apply";
        let applied = self
            .updater
            .apply(&live, &config, version, managers, manager, force)?;
        self.managers = applied.managers;
        if let Some(object) = applied.object {
            self.live = Some(object.into_owned());
        }
        Ok(())
    }
}
