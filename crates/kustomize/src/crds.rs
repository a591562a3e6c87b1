//! `crds` and `configurations`: more field specs, from definitions of custom kinds and from files.

use serde_json::Value;

use crate::decode::{self, Mode, go_struct};
use crate::error::{BuildError, Context as _, Result};
use crate::fieldspec::{Config, FieldSpec, NameReference, SECTIONS, merge_one};
use crate::kustomization::FieldSpecEntry;
use crate::load::Loader;
use crate::resid::Gvk;

go_struct! {
    struct NameReferenceEntry = "NameBackReferences" {
        group: String = "group",
        version: String = "version",
        kind: String = "kind",
        field_specs: Vec<FieldSpecEntry> = "fieldSpecs",
    }
}
go_struct! {
    struct ConfigFile = "TransformerConfig" {
        name_prefix: Vec<FieldSpecEntry> = "namePrefix",
        name_suffix: Vec<FieldSpecEntry> = "nameSuffix",
        namespace: Vec<FieldSpecEntry> = "namespace",
        common_labels: Vec<FieldSpecEntry> = "commonLabels",
        labels: Vec<FieldSpecEntry> = "labels",
        template_labels: Vec<FieldSpecEntry> = "templateLabels",
        volume_claim_template_labels: Vec<FieldSpecEntry> = "volumeClaimTemplateLabels",
        common_annotations: Vec<FieldSpecEntry> = "commonAnnotations",
        name_reference: Vec<NameReferenceEntry> = "nameReference",
        var_reference: Vec<FieldSpecEntry> = "varReference",
        images: Vec<FieldSpecEntry> = "images",
        replicas: Vec<FieldSpecEntry> = "replicas",
    }
}

/// Reads `configurations` files.
pub(crate) fn load_configurations(
    paths: &[String],
    loader: &Loader<'_>,
    newest: bool,
) -> Result<Config> {
    let mut config = Config::default();
    for path in paths {
        let content = loader.load(path)?;
        let file = read_configuration(&content, newest)
            .map_err(|error| error.at(&loader.full_path(path), 0))?;
        config.merge(&file)?;
    }
    Ok(config)
}

fn read_configuration(content: &[u8], newest: bool) -> Result<Config> {
    let value = yaml::to_json_strict(content)
        .map_err(|error| BuildError::from(error).wrap("error converting YAML to JSON"))?;
    let decoding = "error unmarshaling JSON: while decoding JSON";
    let file: ConfigFile = decode::decode(&value, Mode::LenientStrict).context(decoding)?;
    if !newest && value.get("volumeClaimTemplateLabels").is_some() {
        return Err(
            BuildError::new("json: unknown field \"volumeClaimTemplateLabels\"").wrap(decoding),
        );
    }
    let lists = [
        file.name_prefix,
        file.name_suffix,
        file.namespace,
        file.common_labels,
        file.labels,
        file.template_labels,
        file.volume_claim_template_labels,
        file.common_annotations,
        file.var_reference,
        file.images,
        file.replicas,
    ];
    let mut config = Config::default();
    for (section, entries) in SECTIONS.into_iter().zip(lists) {
        if let Some(specs) = config.section_mut(section) {
            *specs = crate::plugin::specs(&entries);
        }
    }
    config.name_reference = file
        .name_reference
        .iter()
        .map(|entry| NameReference {
            target: Gvk {
                group: entry.group.as_str().into(),
                version: entry.version.as_str().into(),
                kind: entry.kind.as_str().into(),
            },
            referrers: crate::plugin::specs(&entry.field_specs),
        })
        .collect();
    config.sort();
    Ok(config)
}

/// Reads `crds` files: OpenAPI definitions whose extensions mark fields.
pub(crate) fn load_crds(paths: &[String], loader: &Loader<'_>) -> Result<Config> {
    let mut config = Config::default();
    for path in paths {
        let content = loader.load(path)?;
        let value = read_definitions(&content)
            .context(format!("unable to parse open API definition from '{path}'"))?;
        let mut found = Config::default();
        for (name, definition) in value.as_object().into_iter().flatten() {
            let properties = definition
                .pointer("/Schema/properties")
                .or_else(|| definition.pointer("/schema/properties"));
            let is_kind = |properties: &Value| {
                ["kind", "apiVersion", "metadata"]
                    .iter()
                    .all(|field| properties.get(field).is_some())
            };
            if !properties.is_some_and(is_kind) {
                continue;
            }
            let kind = name.rsplit('.').next().unwrap_or(name);
            let gvk = Gvk {
                kind: kind.into(),
                ..Gvk::default()
            };
            let mut one = Config::default();
            let mut walk = Walk {
                definitions: &value,
                gvk: &gvk,
                depth: 0,
            };
            walk.visit(name, "", &mut one)?;
            found.merge(&one)?;
        }
        config.merge(&found)?;
    }
    Ok(config)
}

fn read_definitions(content: &[u8]) -> Result<Value> {
    let is_json = content.first() == Some(&b'{');
    let decoding = "error unmarshaling JSON: while decoding JSON";
    let value = if is_json {
        serde_json::from_slice(content).map_err(|error| BuildError::new(error.to_string()))?
    } else {
        yaml::to_json(content)
            .map_err(|error| BuildError::from(error).wrap("error converting YAML to JSON"))?
    };
    let wrong = |found: &Value, go_type: &str| {
        let found = match found {
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) | Value::Null => "object",
        };
        let error = BuildError::new(format!(
            "json: cannot unmarshal {found} into Go value of type {go_type}"
        ));
        if is_json { error } else { error.wrap(decoding) }
    };
    match &value {
        Value::Null => {}
        Value::Object(map) => {
            if let Some(other) = map
                .values()
                .find(|entry| !(entry.is_object() || entry.is_null()))
            {
                return Err(wrong(other, "accumulator.OpenAPIDefinition"));
            }
        }
        other => return Err(wrong(other, "accumulator.nameToApiMap")),
    }
    Ok(value)
}

struct Walk<'a> {
    definitions: &'a Value,
    gvk: &'a Gvk,
    depth: usize,
}

impl Walk<'_> {
    fn visit(&mut self, name: &str, path: &str, config: &mut Config) -> Result<()> {
        // Types may refer to themselves, which upstream follows without end.
        if self.depth > 32 {
            return Ok(());
        }
        let Some(definition) = self.definitions.get(name) else {
            return Ok(());
        };
        let schema = definition
            .get("Schema")
            .or_else(|| definition.get("schema"));
        let properties = schema
            .and_then(|schema| schema.get("properties"))
            .and_then(Value::as_object);
        for (field, property) in properties.into_iter().flatten() {
            let path = if path.is_empty() {
                field.clone()
            } else {
                format!("{path}/{field}")
            };
            let spec = || FieldSpec::new(self.gvk.clone(), &path, false);
            let text = |extension: &str| property.get(extension).and_then(Value::as_str);
            if text("x-kubernetes-annotation").is_some() {
                merge_one(&mut config.common_annotations, spec())?;
            }
            if text("x-kubernetes-label-selector").is_some() {
                merge_one(&mut config.common_labels, spec())?;
            }
            if text("x-kubernetes-identity").is_some() {
                merge_one(&mut config.name_prefix, spec())?;
            }
            let version = text("x-kubernetes-object-ref-api-version");
            let kind = text("x-kubernetes-object-ref-kind");
            if let (Some(version), Some(kind)) = (version, kind) {
                let key = text("x-kubernetes-object-ref-name-key").unwrap_or("name");
                config.merge_reference(NameReference {
                    target: Gvk {
                        version: version.into(),
                        kind: kind.into(),
                        ..Gvk::default()
                    },
                    referrers: vec![FieldSpec::new(
                        self.gvk.clone(),
                        &format!("{path}/{key}"),
                        false,
                    )],
                })?;
            }
            if let Some(reference) = text("$ref") {
                self.depth += 1;
                self.visit(reference, &path, config)?;
                self.depth -= 1;
            }
        }
        Ok(())
    }
}
