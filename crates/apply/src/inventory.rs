//! Inventories: what a Kustomization or HelmRelease has applied, in Flux's format.
//!
//! Source: kustomize-controller, `internal/inventory`.

use std::collections::HashSet;

use api::meta::{EntryError, Inventory, ObjectId, ResourceRef};

use crate::order;

/// The objects of an inventory with the version in which each was applied, in the order of applying.
///
/// # Errors
/// An entry cannot be read.
pub fn list(inventory: &Inventory) -> Result<Vec<(ObjectId, String)>, EntryError> {
    let read = |entry: &ResourceRef| Ok((entry.object_id()?, entry.version.clone()));
    let mut objects: Vec<_> = inventory
        .entries
        .iter()
        .map(read)
        .collect::<Result<_, _>>()?;
    objects.sort_by(|(left, _), (right, _)| order::compare(left, right));
    Ok(objects)
}

/// The objects of `old` that `new` lacks: those that are to be deleted.
///
/// # Errors
/// An entry cannot be read; nothing may be deleted then.
pub fn stale(old: &Inventory, new: &Inventory) -> Result<Vec<(ObjectId, String)>, EntryError> {
    let kept: HashSet<ObjectId> = new
        .entries
        .iter()
        .map(ResourceRef::object_id)
        .collect::<Result<_, _>>()?;
    let mut objects = list(old)?;
    let mut seen = HashSet::new();
    objects.retain(|(id, _)| !kept.contains(id) && seen.insert(id.clone()));
    Ok(objects)
}

/// Adds objects to an inventory unless they are in it: those that could not be deleted, so that it is tried again; and
/// those that were applied although the set as a whole failed.
pub fn merge<'a>(
    inventory: &mut Inventory,
    objects: impl IntoIterator<Item = (&'a ObjectId, &'a str)>,
) {
    let mut seen: HashSet<String> = inventory
        .entries
        .iter()
        .map(|entry| entry.id.clone())
        .collect();
    for (id, version) in objects {
        let entry = id.to_entry(version);
        if seen.insert(entry.id.clone()) {
            inventory.entries.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(ids: &[&str]) -> Inventory {
        let entry = |id: &&str| ResourceRef {
            id: (*id).to_owned(),
            version: "v1".to_owned(),
        };
        Inventory {
            entries: ids.iter().map(entry).collect(),
        }
    }

    #[test]
    fn what_is_no_longer_there_is_stale() {
        let old = inventory(&[
            "a_x_apps_Deployment",
            "_a__Namespace",
            "a_y__ConfigMap",
            "a_y__ConfigMap",
        ]);
        let names = |objects: Vec<(ObjectId, String)>| -> Vec<String> {
            objects.iter().map(|(id, _)| id.to_string()).collect()
        };
        let new = inventory(&["a_x_apps_Deployment"]);
        assert_eq!(
            names(stale(&old, &new).unwrap()),
            ["_a__Namespace", "a_y__ConfigMap"]
        );
        assert_eq!(names(list(&old).unwrap()).len(), 4);
        assert!(stale(&old, &inventory(&["broken"])).is_err());
    }

    #[test]
    fn what_could_not_be_deleted_is_kept() {
        let mut new = inventory(&["a_x_apps_Deployment"]);
        let survivors: Vec<ObjectId> = ["a_x_apps_Deployment", "a_y__ConfigMap"]
            .iter()
            .map(|id| id.parse().unwrap())
            .collect();
        merge(&mut new, survivors.iter().map(|id| (id, "v1")));
        assert_eq!(new, inventory(&["a_x_apps_Deployment", "a_y__ConfigMap"]));
    }
}
