//! The `Kustomization` and `Component` kinds: reading, deprecated fields, checks.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::decode::{self, Mode, go_struct};
use crate::error::{BuildError, Context as _, Result};
use crate::output;
use crate::resid::{Gvk, ResId};

pub(crate) const KUSTOMIZATION: &str = "Kustomization";
pub(crate) const COMPONENT: &str = "Component";

/// The file names that hold a kustomization.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub(crate) type StringMap = BTreeMap<String, String>;

go_struct! {
    /// Which resources something applies to; texts are anchored regular expressions in most places.
    struct Selector = "Selector" {
        group: String = "group" @ "ResId.Gvk",
        version: String = "version" @ "ResId.Gvk",
        kind: String = "kind" @ "ResId.Gvk",
        name: String = "name" @ "ResId",
        namespace: String = "namespace" @ "ResId",
        annotation_selector: String = "annotationSelector",
        label_selector: String = "labelSelector",
    }
}

impl Selector {
    /// Whether no field but the label and annotation selectors is set.
    pub(crate) fn id_is_empty(&self) -> bool {
        [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ]
        .iter()
        .all(|text| text.is_empty())
    }
}

go_struct! {
    /// Options of a patch.
    struct PatchOptions = "PatchArgs" {
        allow_name_change: bool = "allowNameChange",
        allow_kind_change: bool = "allowKindChange",
    }
}

go_struct! {
    /// An entry of `patches` or `patchesJson6902`.
    struct Patch = "Patch" {
        path: String = "path",
        patch: String = "patch",
        target: Option<Selector> = "target",
        options: Option<PatchOptions> = "options",
    }
}

go_struct! {
    /// An entry of `images`.
    struct Image = "Image" {
        name: String = "name",
        new_name: String = "newName",
        tag_suffix: String = "tagSuffix",
        new_tag: String = "newTag",
        digest: String = "digest",
    }
}

go_struct! {
    /// An entry of `replicas`.
    struct Replica = "Replica" {
        name: String = "name",
        count: i64 = "count",
    }
}

go_struct! {
    /// Where a transformer changes something.
    struct FieldSpecEntry = "FieldSpec" {
        group: String = "group" @ "Gvk",
        version: String = "version" @ "Gvk",
        kind: String = "kind" @ "Gvk",
        path: String = "path",
        create: bool = "create",
    }
}

go_struct! {
    /// An entry of `labels`.
    struct Label = "Label" {
        pairs: StringMap = "pairs",
        include_selectors: bool = "includeSelectors",
        include_templates: bool = "includeTemplates",
        include_volume_claim_templates: bool = "includeVolumeClaimTemplates",
        fields: Vec<FieldSpecEntry> = "fields",
    }
}

go_struct! {
    /// `options` of a generator, and `generatorOptions`.
    struct GeneratorOptions = "GeneratorOptions" {
        labels: Option<StringMap> = "labels",
        annotations: Option<StringMap> = "annotations",
        disable_name_suffix_hash: bool = "disableNameSuffixHash",
        immutable: bool = "immutable",
    }
}

go_struct! {
    /// An entry of `configMapGenerator` or `secretGenerator`.
    struct GeneratorArgs = "ConfigMapArgs" {
        namespace: String = "namespace" @ "GeneratorArgs",
        name: String = "name" @ "GeneratorArgs",
        behavior: String = "behavior" @ "GeneratorArgs",
        literals: Vec<String> = "literals" @ "GeneratorArgs.KvPairSources",
        files: Vec<String> = "files" @ "GeneratorArgs.KvPairSources",
        envs: Vec<String> = "envs" @ "GeneratorArgs.KvPairSources",
        env: String = "env" @ "GeneratorArgs.KvPairSources",
        options: Option<GeneratorOptions> = "options" @ "GeneratorArgs",
        /// Secrets only; the caller refuses it elsewhere.
        secret_type: String = "type",
    }
}

go_struct! {
    /// What a var reads.
    struct VarTarget = "Target" {
        api_version: String = "apiVersion",
        group: String = "group" @ "Gvk",
        version: String = "version" @ "Gvk",
        kind: String = "kind" @ "Gvk",
        name: String = "name",
        namespace: String = "namespace",
    }
}

impl VarTarget {
    /// The kind, with what `apiVersion` says put over `group` and `version`.
    pub(crate) fn gvk(&self) -> Gvk {
        let (mut group, mut version) = (self.group.as_str(), self.version.as_str());
        if !self.api_version.is_empty() {
            match self.api_version.split('/').collect::<Vec<_>>().as_slice() {
                [only] => version = only,
                [first, second] => (group, version) = (first, second),
                _ => {}
            }
        }
        Gvk {
            group: group.into(),
            version: version.into(),
            kind: self.kind.as_str().into(),
        }
    }
}

go_struct! {
    /// Which field a var reads.
    struct FieldRef = "FieldSelector" {
        field_path: String = "fieldPath",
    }
}

go_struct! {
    /// An entry of `vars`.
    struct Var = "Var" {
        name: String = "name",
        objref: VarTarget = "objref",
        fieldref: FieldRef = "fieldref",
    }
}

impl Var {
    /// As Go prints it with `%v`.
    pub(crate) fn go_value(&self) -> String {
        self.with_kind(&self.objref.gvk())
    }

    /// As [`Self::go_value`], before `apiVersion` was looked at.
    pub(crate) fn go_value_as_written(&self) -> String {
        let target = &self.objref;
        self.with_kind(&Gvk {
            group: target.group.as_str().into(),
            version: target.version.as_str().into(),
            kind: target.kind.as_str().into(),
        })
    }

    fn with_kind(&self, kind: &Gvk) -> String {
        let (name, path) = (&self.name, &self.fieldref.field_path);
        format!("{{{name} {kind} {{{path}}}}}")
    }
}

go_struct! {
    /// How a replacement takes and puts a part of a value.
    struct FieldOptions = "FieldOptions" {
        delimiter: String = "delimiter",
        index: isize = "index",
        encoding: String = "encoding",
        create: bool = "create",
    }
}

go_struct! {
    /// Where a replacement's value comes from.
    struct SourceSelector = "SourceSelector" {
        group: String = "group" @ "ResId.Gvk",
        version: String = "version" @ "ResId.Gvk",
        kind: String = "kind" @ "ResId.Gvk",
        name: String = "name" @ "ResId",
        namespace: String = "namespace" @ "ResId",
        field_path: String = "fieldPath",
        options: Option<FieldOptions> = "options",
    }
}

impl SourceSelector {
    pub(crate) fn id(&self) -> ResId {
        ResId {
            gvk: Gvk {
                group: self.group.as_str().into(),
                version: self.version.as_str().into(),
                kind: self.kind.as_str().into(),
            },
            name: self.name.as_str().into(),
            namespace: self.namespace.as_str().into(),
            cluster: false,
        }
    }
}

go_struct! {
    /// Where a replacement's value goes.
    struct TargetSelector = "TargetSelector" {
        select: Option<Selector> = "select",
        reject: Vec<Option<Selector>> = "reject",
        field_paths: Vec<String> = "fieldPaths",
        options: Option<FieldOptions> = "options",
    }
}

go_struct! {
    /// An entry of `replacements`, inline or by path.
    struct Replacement = "ReplacementField" {
        source: Option<SourceSelector> = "source" @ "Replacement",
        targets: Option<Vec<TargetSelector>> = "targets" @ "Replacement",
        source_value: Option<String> = "sourceValue" @ "Replacement",
        path: String = "path",
    }
}

go_struct! {
    /// The order for `sortOptions.order: legacy`.
    struct LegacySortOptions = "LegacySortOptions" {
        order_first: Vec<String> = "orderFirst",
        order_last: Vec<String> = "orderLast",
    }
}

go_struct! {
    /// `sortOptions`
    struct SortOptions = "SortOptions" {
        order: String = "order",
        legacy_sort_options: Option<LegacySortOptions> = "legacySortOptions",
    }
}

go_struct! {
    /// `metadata`
    struct ObjectMeta = "ObjectMeta" {
        name: String = "name",
        namespace: String = "namespace",
        labels: StringMap = "labels",
        annotations: StringMap = "annotations",
    }
}

go_struct! {
    /// `helmGlobals`
    struct HelmGlobals = "HelmGlobals" {
        chart_home: String = "chartHome",
        config_home: String = "configHome",
    }
}

go_struct! {
    /// An entry of `helmCharts`.
    struct HelmChart = "HelmChart" {
        name: String = "name",
        version: String = "version",
        repo: String = "repo",
        release_name: String = "releaseName",
        namespace: String = "namespace",
        additional_values_files: Vec<String> = "additionalValuesFiles",
        values_file: String = "valuesFile",
        values_inline: Option<BTreeMap<String, Value>> = "valuesInline",
        values_merge: String = "valuesMerge",
        include_crds: bool = "includeCRDs",
        skip_hooks: bool = "skipHooks",
        api_versions: Vec<String> = "apiVersions",
        kube_version: String = "kubeVersion",
        name_template: String = "nameTemplate",
        skip_tests: bool = "skipTests",
        debug: bool = "debug",
        devel: bool = "devel",
    }
}

go_struct! {
    /// An entry of the deprecated `helmChartInflationGenerator`.
    struct HelmChartArgs = "HelmChartArgs" {
        chart_name: String = "chartName",
        chart_version: String = "chartVersion",
        chart_repo_url: String = "chartRepoUrl",
        chart_home: String = "chartHome",
        chart_repo_name: String = "chartRepoName",
        helm_bin: String = "helmBin",
        helm_home: String = "helmHome",
        values: String = "values",
        values_local: Option<BTreeMap<String, Value>> = "valuesLocal",
        values_merge: String = "valuesMerge",
        release_name: String = "releaseName",
        release_namespace: String = "releaseNamespace",
        extra_args: Vec<String> = "extraArgs",
    }
}

go_struct! {
    /// The content of a kustomization file.
    struct Kustomization = "Kustomization" {
        kind: String = "kind" @ "TypeMeta",
        api_version: String = "apiVersion" @ "TypeMeta",
        metadata: Option<ObjectMeta> = "metadata",
        openapi: StringMap = "openapi",
        name_prefix: String = "namePrefix",
        name_suffix: String = "nameSuffix",
        namespace: String = "namespace",
        common_labels: StringMap = "commonLabels",
        labels: Vec<Label> = "labels",
        common_annotations: StringMap = "commonAnnotations",
        patches_strategic_merge: Vec<String> = "patchesStrategicMerge",
        patches_json6902: Vec<Patch> = "patchesJson6902",
        patches: Vec<Patch> = "patches",
        images: Vec<Image> = "images",
        image_tags: Vec<Image> = "imageTags",
        replacements: Vec<Replacement> = "replacements",
        replicas: Vec<Replica> = "replicas",
        vars: Vec<Var> = "vars",
        sort_options: Option<SortOptions> = "sortOptions",
        resources: Vec<String> = "resources",
        components: Vec<String> = "components",
        crds: Vec<String> = "crds",
        bases: Vec<String> = "bases",
        config_map_generator: Vec<GeneratorArgs> = "configMapGenerator",
        secret_generator: Vec<GeneratorArgs> = "secretGenerator",
        helm_globals: Option<HelmGlobals> = "helmGlobals",
        helm_charts: Vec<HelmChart> = "helmCharts",
        helm_chart_inflation_generator: Vec<HelmChartArgs> = "helmChartInflationGenerator",
        generator_options: Option<GeneratorOptions> = "generatorOptions",
        configurations: Vec<String> = "configurations",
        generators: Vec<String> = "generators",
        transformers: Vec<String> = "transformers",
        validators: Vec<String> = "validators",
        build_metadata: Vec<String> = "buildMetadata",
    }
}

/// A kustomization that was read, with the warnings that reading it gave.
pub(crate) struct Loaded {
    pub(crate) kustomization: Kustomization,
    pub(crate) warnings: Vec<&'static str>,
    /// The entries as they were written, for messages.
    pub(crate) raw: Value,
}

const FIX: &str = "# Warning: ";

/// Reads a kustomization file.
///
/// # Errors
/// No YAML, unknown or wrong fields, an empty file, another kind or version.
pub(crate) fn read(text: &[u8], root: &str, with_volume_claim_labels: bool) -> Result<Loaded> {
    let raw = yaml::to_json(text).context("invalid Kustomization")?;
    let mut kustomization: Kustomization =
        decode::decode(&raw, Mode::Strict).context("invalid Kustomization")?;
    refuse_unknown(&raw, with_volume_claim_labels).context("invalid Kustomization")?;
    let warnings = warnings(&raw);
    let empty = is_empty(&raw);
    if ["\u{85}", "\\N", "\\x85", "\\u0085"]
        .iter()
        .any(|form| contains(text, form))
    {
        let mut folded = raw.clone();
        for field in CONFIGURING {
            if let Some(value) = folded.get_mut(field) {
                output::fold_value(value)?;
            }
        }
        kustomization = decode::decode(&folded, Mode::Strict)?;
    }
    kustomization.fix();
    if empty {
        return Err("kustomization.yaml is empty".into());
    }
    let problems = kustomization.problems();
    if !problems.is_empty() {
        return Err(BuildError::new(format!(
            "Failed to read kustomization file under {root}:\n{}",
            problems.join("\n")
        )));
    }
    Ok(Loaded {
        kustomization,
        warnings,
        raw,
    })
}

fn contains(text: &[u8], part: &str) -> bool {
    memchr::memmem::find(text, part.as_bytes()).is_some()
}

/// The fields that Kustomize hands to its transformers and generators as YAML.
const CONFIGURING: [&str; 16] = [
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "imageTags",
    "replicas",
    "replacements",
];

/// Fields that the shared types have but that are not known everywhere.
fn refuse_unknown(raw: &Value, with_volume_claim_labels: bool) -> Result<()> {
    let items = |field: &str| {
        raw.get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    if items("configMapGenerator").any(|item| item.get("type").is_some()) {
        return Err("json: unknown field \"type\"".into());
    }
    let label = "includeVolumeClaimTemplates";
    if !with_volume_claim_labels && items("labels").any(|item| item.get(label).is_some()) {
        return Err(format!("json: unknown field {label:?}").into());
    }
    Ok(())
}

fn warnings(raw: &Value) -> Vec<&'static str> {
    let known = [
        (
            "bases",
            "'bases' is deprecated. Please use 'resources' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
        ),
        (
            "commonLabels",
            "'commonLabels' is deprecated. Please use 'labels' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
        ),
        (
            "imageTags",
            "'imageTags' is deprecated. Please use 'images' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
        ),
        (
            "patchesJson6902",
            "'patchesJson6902' is deprecated. Please use 'patches' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
        ),
        (
            "patchesStrategicMerge",
            "'patchesStrategicMerge' is deprecated. Please use 'patches' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
        ),
        (
            "vars",
            "'vars' is deprecated. Please use 'replacements' instead. [EXPERIMENTAL] Run 'kustomize edit fix' to update your Kustomization automatically.",
        ),
    ];
    known
        .into_iter()
        .filter(|(field, _)| raw.get(field).is_some_and(|value| !value.is_null()))
        .map(|(_, warning)| warning)
        .collect()
}

/// A warning as the command prints it.
pub(crate) fn warning_line(warning: &str) -> String {
    format!("{FIX}{warning}")
}

/// Whether nothing is set but kind and version. An empty list or map counts as set, as in Go.
fn is_empty(raw: &Value) -> bool {
    let Some(map) = raw.as_object() else {
        return true;
    };
    !map.iter().any(|(key, value)| {
        let named = |name: &str| key.eq_ignore_ascii_case(name);
        match value {
            Value::Null => false,
            _ if named("kind") || named("apiVersion") => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items)
                if named("bases") || named("imageTags") || named("helmChartInflationGenerator") =>
            {
                !items.is_empty()
            }
            _ => true,
        }
    })
}

impl Kustomization {
    /// Turns deprecated fields into what replaces them, and sets defaults.
    fn fix(&mut self) {
        if self.kind.is_empty() {
            KUSTOMIZATION.clone_into(&mut self.kind);
        }
        if self.api_version.is_empty() {
            self.api_version = version_of(&self.kind).to_owned();
        }
        self.resources.append(&mut self.bases);
        self.images.append(&mut self.image_tags);
        let generators = self
            .config_map_generator
            .iter_mut()
            .chain(&mut self.secret_generator);
        for generator in generators {
            if !generator.env.is_empty() {
                generator.envs.push(std::mem::take(&mut generator.env));
            }
        }
        self.fix_helm();
    }

    fn fix_helm(&mut self) {
        let mut globals = HelmGlobals::default();
        for old in std::mem::take(&mut self.helm_chart_inflation_generator) {
            if !old.helm_home.is_empty() {
                globals.config_home = old.helm_home;
            }
            if !old.chart_home.is_empty() {
                globals.chart_home = old.chart_home;
            }
            self.helm_charts.push(HelmChart {
                name: old.chart_name,
                version: old.chart_version,
                repo: old.chart_repo_url,
                values_file: old.values,
                values_inline: old.values_local,
                values_merge: old.values_merge,
                release_name: old.release_name,
                ..HelmChart::default()
            });
        }
        if self.helm_globals.is_none() && globals != HelmGlobals::default() {
            self.helm_globals = Some(globals);
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.kind != KUSTOMIZATION && self.kind != COMPONENT {
            problems.push(format!("kind should be {KUSTOMIZATION} or {COMPONENT}"));
        }
        let wanted = version_of(&self.kind);
        if self.api_version != wanted {
            problems.push(format!("apiVersion for {} should be {wanted}", self.kind));
        }
        problems
    }

    pub(crate) fn has_metadata(&self, option: &str) -> bool {
        self.build_metadata.iter().any(|known| known == option)
    }
}

pub(crate) fn version_of(kind: &str) -> &'static str {
    if kind == COMPONENT {
        "kustomize.config.k8s.io/v1alpha1"
    } else {
        "kustomize.config.k8s.io/v1beta1"
    }
}
