//! The transformers that a kustomization's fields ask for, in their order.

use serde_json::Value;

use super::{Accumulator, Step, Target};
use crate::error::{BuildError, Context as _, Result};
use crate::fieldspec::{Config, FieldSpec, merge_all, merge_one};
use crate::kustomization::Label;
use crate::plugin;
use crate::transform::{self, PatchSource, SubjectMode, Transformer};

impl Target<'_> {
    pub(super) fn run_transformers(&mut self, acc: &mut Accumulator) -> Result<()> {
        let mut steps = self.built_in_steps(acc)?;
        let entries = std::mem::take(&mut self.kustomization.transformers);
        steps.extend(self.external_transformers(&entries)?);
        let scene = self.build.scene();
        for step in steps {
            step.transformer
                .apply(&mut acc.map, &scene)
                .map_err(|error| error.at(&self.loader.full_path(self.file_name), 0))?;
            if let Some(origin) = &step.origin {
                origin.note_transformation(acc.map.resources_mut())?;
            }
            acc.map.drop_gone();
        }
        Ok(())
    }

    fn built_in_steps(&mut self, acc: &Accumulator) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        let mut add = |target: &Self, kind: &str, transformer: Transformer| {
            steps.push(Step {
                transformer,
                origin: target.built_in_origin(kind),
            });
        };
        let config = acc.rules.config(self.build.built_in);
        for transformer in self.patches()? {
            let kind = match transformer {
                Transformer::StrategicMerges(_) => "PatchStrategicMergeTransformer",
                _ => "PatchTransformer",
            };
            add(self, kind, transformer);
        }
        let kustomization = &self.kustomization;
        if !kustomization.namespace.is_empty() {
            let transformer = Transformer::Namespace {
                namespace: kustomization.namespace.clone(),
                specs: config.namespace.clone(),
                unset_only: false,
                subjects: SubjectMode::Default,
            };
            add(self, "NamespaceTransformer", transformer);
        }
        if !kustomization.name_prefix.is_empty() {
            let transformer = Transformer::Prefix(
                kustomization.name_prefix.clone(),
                config.name_prefix.clone(),
            );
            add(self, "PrefixTransformer", transformer);
        }
        if !kustomization.name_suffix.is_empty() {
            let transformer = Transformer::Suffix(
                kustomization.name_suffix.clone(),
                config.name_suffix.clone(),
            );
            add(self, "SuffixTransformer", transformer);
        }
        for label in &kustomization.labels {
            let specs = label_specs(label, config).context("failed to merge labels")?;
            add(
                self,
                "LabelTransformer",
                Transformer::Labels(label.pairs.clone(), specs),
            );
        }
        if !(kustomization.labels.is_empty() && kustomization.common_labels.is_empty()) {
            let transformer = Transformer::Labels(
                kustomization.common_labels.clone(),
                config.common_labels.clone(),
            );
            add(self, "LabelTransformer", transformer);
        }
        if !kustomization.common_annotations.is_empty() {
            let transformer = Transformer::Annotations(
                kustomization.common_annotations.clone(),
                config.common_annotations.clone(),
            );
            add(self, "AnnotationsTransformer", transformer);
        }
        for (at, entry) in kustomization.patches_json6902.iter().enumerate() {
            let loaded = transform::load_json6902(
                entry.target.as_ref(),
                &entry.path,
                &entry.patch,
                &self.loader,
            );
            let raw = self.raw_entry("patchesJson6902", at);
            add(
                self,
                "PatchJson6902Transformer",
                self.configured(loaded, "PatchJson6902Transformer", &raw)?,
            );
        }
        for replica in &kustomization.replicas {
            let transformer = Transformer::Replicas(replica.clone(), config.replicas.clone());
            add(self, "ReplicaCountTransformer", transformer);
        }
        for image in &kustomization.images {
            add(
                self,
                "ImageTagTransformer",
                Transformer::Images(image.clone(), config.images.clone()),
            );
        }
        if !kustomization.replacements.is_empty() {
            let loaded = plugin::load_replacements(&kustomization.replacements, &self.loader);
            let raw = serde_json::json!({"replacements": self.raw.get("replacements")});
            let loaded = self.configured(loaded, "ReplacementTransformer", &raw)?;
            add(
                self,
                "ReplacementTransformer",
                Transformer::Replacements(loaded),
            );
        }
        Ok(steps)
    }

    /// `patchesStrategicMerge`, then `patches`.
    fn patches(&self) -> Result<Vec<Transformer>> {
        let mut transformers = Vec::new();
        let strategic = &self.kustomization.patches_strategic_merge;
        if !strategic.is_empty() {
            let sources: Vec<_> = strategic
                .iter()
                .map(|source| PatchSource::Any(source))
                .collect();
            let raw = serde_json::json!({"paths": strategic});
            let loaded = transform::load_strategic(&sources, &self.loader);
            transformers.push(self.configured(loaded, "PatchStrategicMergeTransformer", &raw)?);
        }
        for (at, entry) in self.kustomization.patches.iter().enumerate() {
            let raw = self.raw_entry("patches", at);
            let loaded = transform::load_patch(entry, &self.loader, &yaml::from_json(&raw));
            transformers.extend(self.configured(loaded, "PatchTransformer", &raw)?);
        }
        Ok(transformers)
    }

    fn raw_entry(&self, field: &str, at: usize) -> Value {
        self.raw
            .get(field)
            .and_then(|entries| entries.get(at))
            .cloned()
            .unwrap_or_default()
    }

    /// Names the built-in transformer whose configuration failed.
    fn configured<T>(&self, result: Result<T>, kind: &str, raw: &Value) -> Result<T> {
        result.map_err(|error: BuildError| {
            error
                .wrap(format!(
                    "trouble configuring builtin {kind} with config: `\n{}`",
                    yaml::from_json(raw)
                ))
                .at(&self.loader.full_path(self.file_name), 0)
        })
    }
}

fn label_specs(label: &Label, config: &Config) -> Result<Vec<FieldSpec>> {
    let mut specs = plugin::specs(&label.fields);
    merge_all(&mut specs, &config.labels)?;
    if label.include_selectors {
        merge_all(&mut specs, &config.common_labels)?;
        return Ok(specs);
    }
    if label.include_templates {
        merge_all(&mut specs, &config.template_labels)
            .context("failed to merge template fieldSpec")?;
    }
    if label.include_volume_claim_templates {
        merge_all(&mut specs, &config.volume_claim_template_labels)
            .context("failed to merge volumeClaimTemplate fieldSpec")?;
    }
    merge_one(&mut specs, FieldSpec::anywhere("metadata/labels", true))?;
    Ok(specs)
}
