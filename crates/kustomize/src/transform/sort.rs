//! The order of the output.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::error::{BuildError, Result};
use crate::kustomization::SortOptions;
use crate::openapi::OpenApi;
use crate::resid::{ORDER_FIRST, ORDER_LAST, ResId};
use crate::resmap::ResMap;

/// Sorts as `sortOptions` says; none is the legacy order of the command.
pub(crate) fn sort(
    map: &mut ResMap,
    options: Option<&SortOptions>,
    openapi: &OpenApi,
) -> Result<()> {
    if let Some(options) = options {
        if options.order != "fifo" && options.order != "legacy" {
            return Err("the field 'sortOptions.order' must be one of [fifo, legacy]".into());
        }
        if options.order == "fifo" {
            return match options.legacy_sort_options {
                Some(_) => Err(BuildError::new(
                    "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
                )),
                None => Ok(()),
            };
        }
    }
    let custom = options.and_then(|options| options.legacy_sort_options.as_ref());
    let (first, last): (Vec<&str>, Vec<&str>) = match custom {
        Some(custom) => (
            custom.order_first.iter().map(String::as_str).collect(),
            custom.order_last.iter().map(String::as_str).collect(),
        ),
        None => (ORDER_FIRST.to_vec(), ORDER_LAST.to_vec()),
    };
    let mut ranks: HashMap<&str, i64> = HashMap::new();
    for (at, kind) in first.iter().enumerate() {
        ranks.insert(kind, at as i64 - first.len() as i64);
    }
    for (at, kind) in last.iter().enumerate() {
        ranks.insert(kind, at as i64 + 1);
    }
    map.resources_mut().sort_by_cached_key(|resource| {
        let id = resource.id(openapi);
        let rank = ranks.get(id.gvk.kind.as_str()).copied().unwrap_or(0);
        key(rank, &id)
    });
    Ok(())
}

/// Kinds in their order; namespaces of the core group come first and are ordered the other way round.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum KindKey {
    CoreNamespace(Reverse<String>),
    Other(String),
}

type Key = (i64, KindKey, String);

fn key(rank: i64, id: &ResId) -> Key {
    let or = |text: &str, none: &str| {
        if text.is_empty() {
            none.to_owned()
        } else {
            text.to_owned()
        }
    };
    let kind = id.gvk.sort_text();
    let name = format!(
        "{}|{}|{}",
        id.gvk,
        or(&id.namespace, "~X"),
        or(&id.name, "~N")
    );
    let kind = if rank != 0 && id.gvk.kind == "Namespace" && id.gvk.group.is_empty() {
        KindKey::CoreNamespace(Reverse(kind))
    } else {
        KindKey::Other(kind)
    };
    (rank, kind, name)
}
