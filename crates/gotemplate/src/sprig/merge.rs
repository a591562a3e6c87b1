//! Merging maps as dario.cat/mergo does it for sprig.

use crate::exec::Context;
use crate::function::CallError;
use crate::value::{Map, MapType, Value};

/// How deep maps are merged. Upstream has no bound and dies on maps that hold themselves.
const MAX_DEPTH: usize = 2000;

/// Whose entries win.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeMode {
    /// The target's, unless they are empty.
    KeepExisting,
    /// The source's.
    Overwrite,
}

/// Merges `source` into `target`, which is changed in place, and gives it; a nil target becomes a new map.
///
/// What the target has not, it gets by reference: later changes of the source's inner maps show in it.
/// Source: mergo v1.0.1 `deepMerge`.
pub fn merge(
    target: Map,
    source: &Map,
    mode: MergeMode,
    context: &mut Context<'_>,
) -> Result<Map, CallError> {
    let target = if target.is_nil() && !source.is_nil() {
        Map::typed(MapType::Any, std::collections::BTreeMap::new())
    } else {
        target
    };
    merge_into(&target, source, mode, context, 0)?;
    Ok(target)
}

fn merge_into(
    target: &Map,
    source: &Map,
    mode: MergeMode,
    context: &mut Context<'_>,
    depth: usize,
) -> Result<(), CallError> {
    if depth > MAX_DEPTH {
        return Err(CallError::limit("maps nest too deep to be merged"));
    }
    let overwrite = mode == MergeMode::Overwrite;
    for (key, value) in source.entries() {
        context.step()?;
        let existing = target.get(&key);
        if value.is_nil() {
            if overwrite {
                target.insert(key, Value::Nil);
            }
            continue;
        }
        if let (Value::Map(source), Some(Value::Map(target))) = (&value, &existing)
            && !target.is_nil()
        {
            stacker::maybe_grow(crate::parse::RED_ZONE, crate::parse::STACK_SEGMENT, || {
                merge_into(target, source, mode, context, depth + 1)
            })?;
        }
        let existing_is_empty = existing.as_ref().is_none_or(is_empty);
        if !existing_is_empty && matches!((&value, &existing), (Value::Map(_), Some(Value::Map(_))))
        {
            continue;
        }
        if overwrite || existing_is_empty {
            target.insert(key, value);
        }
    }
    Ok(())
}

/// mergo's `isEmptyValue`: zero, false, without elements, nil.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.underlying().is_some_and(|value| is_empty(&value)),
        Value::Complex(_) => false,
        _ => !value.is_true(),
    }
}
