//! Configuration files of built-in generators and transformers (`generators`, `transformers`, `validators`).

use serde_json::Value;

use crate::chart::{self, ChartRequest};
use crate::decode::{self, go_struct};
use crate::error::{BuildError, Context as _, Result};
use crate::fieldspec::FieldSpec;
use crate::generate::{Generated, generate};
use crate::kustomization::{
    FieldSpecEntry, GeneratorArgs, Image, ObjectMeta, Patch, PatchOptions, Replacement, Replica,
    Selector, StringMap,
};
use crate::load::Loader;
use crate::output;
use crate::resource::Resource;
use crate::transform::{self, PatchSource, SubjectMode, Transformer, ValueTarget};

go_struct! {
    struct NamespaceConfig = "NamespaceTransformerPlugin" {
        metadata: ObjectMeta = "metadata",
        field_specs: Vec<FieldSpecEntry> = "fieldSpecs",
        unset_only: bool = "unsetOnly",
        subjects: String = "setRoleBindingSubjects",
    }
}
go_struct! {
    struct PrefixConfig = "PrefixTransformerPlugin" {
        prefix: String = "prefix",
        field_specs: Option<Vec<FieldSpecEntry>> = "fieldSpecs",
    }
}
go_struct! {
    struct SuffixConfig = "SuffixTransformerPlugin" {
        suffix: String = "suffix",
        field_specs: Option<Vec<FieldSpecEntry>> = "fieldSpecs",
    }
}
go_struct! {
    struct LabelsConfig = "LabelTransformerPlugin" {
        labels: StringMap = "labels",
        field_specs: Vec<FieldSpecEntry> = "fieldSpecs",
    }
}
go_struct! {
    struct AnnotationsConfig = "AnnotationsTransformerPlugin" {
        annotations: StringMap = "annotations",
        field_specs: Vec<FieldSpecEntry> = "fieldSpecs",
    }
}
go_struct! {
    struct ImageConfig = "ImageTagTransformerPlugin" {
        image: Image = "imageTag",
        field_specs: Vec<FieldSpecEntry> = "fieldSpecs",
    }
}
go_struct! {
    struct ReplicaConfig = "ReplicaCountTransformerPlugin" {
        replica: Replica = "replica",
        field_specs: Vec<FieldSpecEntry> = "fieldSpecs",
    }
}
go_struct! {
    struct PatchConfig = "PatchTransformerPlugin" {
        path: String = "path",
        patch: String = "patch",
        target: Option<Selector> = "target",
        options: Option<PatchOptions> = "options",
    }
}
go_struct! {
    struct JsonPatchConfig = "PatchJson6902TransformerPlugin" {
        target: Option<Selector> = "target",
        path: String = "path",
        json_op: String = "jsonOp",
    }
}
go_struct! {
    struct StrategicConfig = "PatchStrategicMergeTransformerPlugin" {
        paths: Vec<String> = "paths",
        patches: String = "patches",
    }
}
go_struct! {
    struct ReplacementConfig = "ReplacementTransformerPlugin" {
        replacements: Vec<Replacement> = "replacements",
    }
}
go_struct! {
    struct ValueTargetConfig = "Target" {
        selector: Option<Selector> = "selector",
        field_path: String = "fieldPath",
        position: i64 = "filePathPosition",
    }
}
go_struct! {
    struct ValueAddConfig = "ValueAddTransformerPlugin" {
        value: String = "value",
        targets: Vec<ValueTargetConfig> = "targets",
        target_file_path: String = "targetFilePath",
    }
}
go_struct! {
    struct GeneratorConfig = "ConfigMapGeneratorPlugin" {
        metadata: ObjectMeta = "metadata",
    }
}
go_struct! {
    struct CloudService = "KubernetesService" {
        name: String = "name",
        namespace: String = "namespace",
    }
}
go_struct! {
    struct CloudAccount = "ServiceAccount" {
        name: String = "name",
        project_id: String = "projectId",
    }
}
go_struct! {
    /// What `IAMPolicyGenerator` says.
    struct PolicyConfig = "IAMPolicyGeneratorPlugin" {
        cloud: String = "cloud",
        kubernetes_service: CloudService = "kubernetesService",
        service_account: CloudAccount = "serviceAccount",
    }
}

pub(crate) fn specs(entries: &[FieldSpecEntry]) -> Vec<FieldSpec> {
    entries.iter().map(FieldSpec::from).collect()
}

const GENERATORS: [&str; 4] = [
    "ConfigMapGenerator",
    "IAMPolicyGenerator",
    "SecretGenerator",
    "HelmChartInflationGenerator",
];
const TRANSFORMERS: [&str; 14] = [
    "AnnotationsTransformer",
    "HashTransformer",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "SuffixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "ValueAddTransformer",
];

/// Refuses what is not built in.
fn check_built_in(resource: &Resource) -> Result<()> {
    let gvk = resource.gvk();
    if !gvk.group.is_empty() || gvk.version != "builtin" {
        return Err(BuildError::new(format!(
            "external plugins disabled; unable to load external plugin '{}'",
            resource.kind()
        )));
    }
    let kind = resource.kind();
    if GENERATORS.contains(&kind) || TRANSFORMERS.contains(&kind) {
        return Ok(());
    }
    Err(BuildError::new(format!("unable to load builtin {gvk}")))
}

fn fails(resource: &Resource) -> String {
    format!(
        "plugin {} fails configuration",
        crate::resource::plain_id(&resource.node)
    )
}

/// A generator that a file configures.
pub(crate) enum Generator {
    Data(Generated, Box<GeneratorArgs>),
    Policy(Box<PolicyConfig>),
    Chart(Box<ChartRequest>),
}

impl Generator {
    /// What it makes.
    pub(crate) fn run(
        &self,
        loader: &Loader<'_>,
        helm: Option<&dyn crate::RenderChart>,
    ) -> Result<Vec<Resource>> {
        match self {
            Self::Data(what, args) => Ok(vec![generate(*what, args, loader)?]),
            Self::Policy(config) => policy(config),
            Self::Chart(request) => chart::render(request, loader, helm),
        }
    }
}

/// The generator that a file configures.
pub(crate) fn load_generator(
    resource: &Resource,
    loader: &Loader<'_>,
    helm: Option<&dyn crate::RenderChart>,
) -> Result<Generator> {
    check_built_in(resource)?;
    let json = output::to_json(&resource.node)?;
    let id = crate::resource::plain_id(&resource.node);
    let fails = fails(resource);
    Ok(match resource.kind() {
        "ConfigMapGenerator" => data_generator(Generated::ConfigMap, &json, &fails)?,
        "SecretGenerator" => data_generator(Generated::Secret, &json, &fails)?,
        "IAMPolicyGenerator" => {
            Generator::Policy(Box::new(decode::from_value(&json).context(fails)?))
        }
        "HelmChartInflationGenerator" => {
            let globals = decode::from_value(&json).context(&fails)?;
            let chart = decode::from_value(&json).context(&fails)?;
            let request = ChartRequest::new(&globals, &chart, loader, helm).context(fails)?;
            Generator::Chart(Box::new(request))
        }
        _ => return Err(BuildError::new(format!("plugin {id} not a generator"))),
    })
}

fn data_generator(what: Generated, json: &Value, fails: &str) -> Result<Generator> {
    let mut args: GeneratorArgs = decode::from_value(json).context(fails)?;
    let metadata: GeneratorConfig = decode::from_value(json).context(fails)?;
    if args.name.is_empty() {
        args.name = metadata.metadata.name;
    }
    if args.namespace.is_empty() {
        args.namespace = metadata.metadata.namespace;
    }
    Ok(Generator::Data(what, Box::new(args)))
}

fn policy(config: &PolicyConfig) -> Result<Vec<Resource>> {
    if config.cloud != "gke" {
        return Err(format!("cloud provider {} not supported yet", config.cloud).into());
    }
    let mut metadata = serde_json::json!({
        "annotations": {
            "iam.gke.io/gcp-service-account": format!(
                "{}@{}.iam.gserviceaccount.com",
                config.service_account.name, config.service_account.project_id
            ),
        },
        "name": config.kubernetes_service.name,
    });
    if !config.kubernetes_service.namespace.is_empty() {
        metadata["namespace"] = config.kubernetes_service.namespace.clone().into();
    }
    let account =
        serde_json::json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
    Ok(vec![Resource::new(crate::read::from_map(&account))])
}

/// The transformer that a file configures; none for one that does nothing.
pub(crate) fn load_transformer(
    resource: &Resource,
    loader: &Loader<'_>,
) -> Result<Option<Transformer>> {
    check_built_in(resource)?;
    if GENERATORS.contains(&resource.kind()) {
        let id = crate::resource::plain_id(&resource.node);
        return Err(BuildError::new(format!("plugin {id} not a transformer")));
    }
    let json = output::to_json(&resource.node)?;
    configure(resource, &json, loader).map_err(|error| {
        let place = &resource.provenance;
        error
            .wrap(fails(resource))
            .at(&place.file, place.line as usize)
    })
}

fn no_specs(specs: Option<&Vec<FieldSpecEntry>>) -> Result<Vec<FieldSpec>> {
    specs
        .map(|entries| self::specs(entries))
        .ok_or_else(|| BuildError::new("fieldSpecs is not expected to be nil"))
}

fn configure(
    resource: &Resource,
    json: &Value,
    loader: &Loader<'_>,
) -> Result<Option<Transformer>> {
    Ok(Some(match resource.kind() {
        "AnnotationsTransformer" => {
            let config: AnnotationsConfig = decode::from_value(json)?;
            Transformer::Annotations(config.annotations, specs(&config.field_specs))
        }
        "HashTransformer" => Transformer::Hash,
        "ImageTagTransformer" => {
            let config: ImageConfig = decode::from_value(json)?;
            Transformer::Images(config.image, specs(&config.field_specs))
        }
        "LabelTransformer" => {
            let config: LabelsConfig = decode::from_value(json)?;
            Transformer::Labels(config.labels, specs(&config.field_specs))
        }
        "NamespaceTransformer" => {
            let config: NamespaceConfig =
                decode::from_value(json).context("unmarshalling NamespaceTransformer config")?;
            Transformer::Namespace {
                namespace: config.metadata.namespace,
                specs: specs(&config.field_specs),
                unset_only: config.unset_only,
                subjects: SubjectMode::parse(&config.subjects)?,
            }
        }
        "PatchJson6902Transformer" => {
            let config: JsonPatchConfig = decode::from_value(json)?;
            transform::load_json6902(
                config.target.as_ref(),
                &config.path,
                &config.json_op,
                loader,
            )?
        }
        "PatchStrategicMergeTransformer" => {
            let config: StrategicConfig = decode::from_value(json)?;
            if config.paths.is_empty() && config.patches.is_empty() {
                return Err("empty file path and empty patch content".into());
            }
            let mut sources: Vec<_> = config
                .paths
                .iter()
                .map(|path| PatchSource::Any(path))
                .collect();
            if !config.patches.is_empty() {
                sources.push(PatchSource::Inline(&config.patches));
            }
            transform::load_strategic(&sources, loader)?
        }
        "PatchTransformer" => {
            let config: PatchConfig = decode::from_value(json)?;
            let entry = Patch {
                path: config.path,
                patch: config.patch,
                target: config.target,
                options: config.options,
            };
            return transform::load_patch(&entry, loader, &yaml::from_json(json));
        }
        "PrefixTransformer" => prefix(json)?,
        "SuffixTransformer" => suffix(json)?,
        "PrefixSuffixTransformer" => {
            Transformer::Both(Box::new(prefix(json)?), Box::new(suffix(json)?))
        }
        "ReplacementTransformer" => {
            let config: ReplacementConfig = decode::from_value(json)?;
            Transformer::Replacements(load_replacements(&config.replacements, loader)?)
        }
        "ReplicaCountTransformer" => {
            let config: ReplicaConfig = decode::from_value(json)?;
            Transformer::Replicas(config.replica, specs(&config.field_specs))
        }
        _ => value_add(json, loader)?,
    }))
}

fn prefix(json: &Value) -> Result<Transformer> {
    let config: PrefixConfig = decode::from_value(json)?;
    Ok(Transformer::Prefix(
        config.prefix,
        no_specs(config.field_specs.as_ref())?,
    ))
}

fn suffix(json: &Value) -> Result<Transformer> {
    let config: SuffixConfig = decode::from_value(json)?;
    Ok(Transformer::Suffix(
        config.suffix,
        no_specs(config.field_specs.as_ref())?,
    ))
}

fn value_add(json: &Value, loader: &Loader<'_>) -> Result<Transformer> {
    let mut config: ValueAddConfig = decode::from_value(json)?;
    let mut value = config.value.trim().to_owned();
    if value.is_empty() {
        let root = loader.root().file_name();
        value = root.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    }
    if !config.target_file_path.is_empty() {
        let content = loader.load(&config.target_file_path)?;
        let more: ValueAddConfig = decode::from_yaml(&content)?;
        config.targets.extend(more.targets);
    }
    if config.targets.is_empty() {
        return Err("must specify at least one target".into());
    }
    let mut targets = Vec::new();
    for target in config.targets {
        if target.field_path.is_empty() {
            return Err("fieldPath cannot be empty".into());
        }
        if target.position < 0 {
            return Err(format!(
                "value of FilePathPosition ({}) cannot be negative",
                target.position
            )
            .into());
        }
        targets.push(ValueTarget {
            selector: target.selector,
            field_path: target.field_path,
            position: target.position,
        });
    }
    Ok(Transformer::ValueAdd { value, targets })
}

/// Replaces entries with a path by what is in the file.
pub(crate) fn load_replacements(
    entries: &[Replacement],
    loader: &Loader<'_>,
) -> Result<Vec<Replacement>> {
    let mut loaded = Vec::new();
    for entry in entries {
        if entry.path.is_empty() {
            loaded.push(entry.clone());
            continue;
        }
        if entry.source.is_some()
            || entry
                .targets
                .as_ref()
                .is_some_and(|targets| !targets.is_empty())
        {
            return Err("cannot specify both path and inline replacement".into());
        }
        let content = loader.load(&entry.path)?;
        let value = yaml::to_json(&content)
            .map_err(|error| BuildError::from(error).wrap("error converting YAML to JSON"))?;
        match &value {
            Value::Array(_) => loaded.extend(decode::from_value::<Vec<Replacement>>(&value)?),
            Value::Object(_) => loaded.push(decode::from_value(&value)?),
            other => {
                let kind = match other {
                    Value::Null => "invalid",
                    Value::Bool(_) => "bool",
                    Value::Number(_) => "float64",
                    _ => "string",
                };
                return Err(format!(
                    "unsupported replacement type encountered within replacement path: {kind}"
                )
                .into());
            }
        }
    }
    Ok(loaded)
}
