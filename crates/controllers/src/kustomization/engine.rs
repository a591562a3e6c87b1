//! Applying, pruning and health, through the crate `apply`; not joined yet.
use super::build::Build;
use super::remote::Target;
use super::settings::Settings;
use api::kustomize::v1::Kustomization;
use api::meta::{EntryError, Inventory, ObjectId, ResourceRef};
use runtime::ObjectKey;
use std::time::Duration;
pub(super) struct Engine {}
pub(super) struct Applied {}
pub(super) struct Deleted {
    pub(super) error: Option<String>,
    pub(super) survivors: Vec<ResourceRef>,
    pub(super) log: String,
    pub(super) deleted: Vec<ObjectId>,
}
impl Applied {
    pub(super) fn change_log(&self) -> String {
        String::new()
    }
    pub(super) fn has_changed(&self) -> bool {
        false
    }
    pub(super) fn inventory(&self) -> Inventory {
        Inventory::default()
    }
    pub(super) fn stale(&self, _: &Inventory) -> Result<Vec<ResourceRef>, EntryError> {
        Ok(vec![])
    }
}
pub(super) fn describe(entry: &ResourceRef) -> String {
    entry.id.clone()
}
impl Engine {
    pub(super) fn new(_: &Settings) -> Self {
        Self {}
    }
    pub(super) fn check_expressions(&self, _: &Kustomization) -> Result<(), String> {
        Ok(())
    }
    pub(super) async fn apply(
        &self,
        _: &Target,
        _: &Kustomization,
        _: &Build,
    ) -> Result<Applied, String> {
        Ok(Applied {})
    }
    pub(super) async fn delete(&self, _: &Target, _: &Kustomization, _: &[ResourceRef]) -> Deleted {
        unimplemented!()
    }
    pub(super) fn health_set(&self, _: &Kustomization, _: &Applied) -> Vec<ObjectId> {
        vec![]
    }
    pub(super) async fn wait_healthy(
        &self,
        _: &Target,
        _: &Kustomization,
        _: &Build,
        _: &[ObjectId],
    ) -> Result<(), String> {
        Ok(())
    }
    pub(super) async fn wait_gone(
        &self,
        _: &Target,
        _: &[ObjectId],
        _: Duration,
    ) -> Result<(), String> {
        Ok(())
    }
    pub(super) fn forget(&self, _: &ObjectKey) {}
}
