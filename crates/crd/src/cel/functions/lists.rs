//! Functions on lists and sets.

use std::collections::HashMap;

use super::super::error::EvalError;
use super::super::shape::ListKind;
use super::super::value::{self, List, Outcome, Val, compare, equal};
use super::operators::contains;
use super::{mismatch, texts};

/// The most items that a function may make.
const MAX_ITEMS: i64 = 1_000_000;

/// Joins lists: sets take only what is new, lists of type map replace items with the same keys.
pub(crate) fn append<'a>(list: &mut List<'a>, other: &List<'a>) {
    match list.kind {
        Some(ListKind::Set) => {
            let mut keys = value::set_keys(&list.items);
            for item in &other.items {
                if !value::is_in_set(&keys, &list.items, item) {
                    list.items.push(item.clone());
                    keys.extend(value::set_keys(std::slice::from_ref(item)));
                }
            }
        }
        Some(ListKind::Map(names)) => {
            let mut places: HashMap<String, usize> = HashMap::new();
            for (index, item) in list.items.iter().enumerate() {
                if let Some(key) = value::item_key(item, names) {
                    places.insert(key, index);
                }
            }
            for item in &other.items {
                match value::item_key(item, names).and_then(|key| places.get(&key)) {
                    Some(&index) => list.items[index] = item.clone(),
                    None => list.items.push(item.clone()),
                }
            }
        }
        _ => list.items.extend(other.items.iter().cloned()),
    }
}

pub(super) fn call<'a>(function: &str, args: &[Val<'a>]) -> Outcome<'a> {
    match (function, args) {
        ("indexOf", [Val::Text(text), Val::Text(part)]) => {
            texts::index_of(text, part, None).map(Val::Int)
        }
        ("indexOf", [Val::Text(text), Val::Text(part), Val::Int(offset)]) => {
            texts::index_of(text, part, Some(*offset)).map(Val::Int)
        }
        ("lastIndexOf", [Val::Text(text), Val::Text(part)]) => {
            texts::last_index_of(text, part, None).map(Val::Int)
        }
        ("lastIndexOf", [Val::Text(text), Val::Text(part), Val::Int(offset)]) => {
            texts::last_index_of(text, part, Some(*offset)).map(Val::Int)
        }
        ("indexOf", [Val::List(list), item]) => {
            let found = list
                .items
                .iter()
                .position(|own| equal(own, item).unwrap_or(false));
            Ok(Val::Int(found.map_or(-1, |index| index as i64)))
        }
        ("lastIndexOf", [Val::List(list), item]) => {
            let found = list
                .items
                .iter()
                .rposition(|own| equal(own, item).unwrap_or(false));
            Ok(Val::Int(found.map_or(-1, |index| index as i64)))
        }
        ("lists.range", [Val::Int(count)]) => {
            if *count > MAX_ITEMS {
                return Err(EvalError::limit());
            }
            Ok(Val::list((0..*count).map(Val::Int).collect()))
        }
        (
            "sets.contains" | "sets.equivalent" | "sets.intersects",
            [Val::List(left), Val::List(right)],
        ) => sets(function, left, right, args),
        (_, [Val::List(list), rest @ ..]) => on_list(function, list, rest, args),
        _ => Err(mismatch(function, args)),
    }
}

fn sets<'a>(function: &str, left: &List<'a>, right: &List<'a>, args: &[Val<'a>]) -> Outcome<'a> {
    let has_all = |list: &Val<'a>, sub: &List<'a>| -> Result<bool, EvalError> {
        for item in &sub.items {
            if !contains(item, list)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(Val::Bool(match function {
        "sets.contains" => has_all(&args[0], right)?,
        "sets.equivalent" => has_all(&args[0], right)? && has_all(&args[1], left)?,
        _ => left
            .items
            .iter()
            .any(|item| contains(item, &args[1]).unwrap_or(false)),
    }))
}

fn on_list<'a>(function: &str, list: &List<'a>, rest: &[Val<'a>], args: &[Val<'a>]) -> Outcome<'a> {
    let items = &list.items;
    match (function, rest) {
        ("isSorted", []) => {
            for pair in items.windows(2) {
                if compare(&pair[0], &pair[1])?.is_gt() {
                    return Ok(Val::Bool(false));
                }
            }
            Ok(Val::Bool(true))
        }
        ("sum", []) => sum(items),
        ("min" | "max", []) => {
            let mut best: Option<&Val<'a>> = None;
            for item in items {
                let is_better = match best {
                    None => true,
                    Some(best) if function == "min" => compare(best, item)?.is_gt(),
                    Some(best) => compare(best, item)?.is_lt(),
                };
                if is_better {
                    best = Some(item);
                }
            }
            best.cloned()
                .ok_or_else(|| EvalError::new(format!("{function} called on empty list")))
        }
        ("first", []) => Ok(Val::Optional(items.first().cloned().map(Into::into))),
        ("last", []) => Ok(Val::Optional(items.last().cloned().map(Into::into))),
        ("reverse", []) => Ok(Val::list(items.iter().rev().cloned().collect())),
        ("distinct", []) => {
            let mut kept: Vec<Val<'a>> = Vec::new();
            for item in items {
                if !kept.iter().any(|own| equal(item, own).unwrap_or(false)) {
                    kept.push(item.clone());
                }
            }
            Ok(Val::list(kept))
        }
        ("slice", [Val::Int(start), Val::Int(end)]) => slice(items, *start, *end),
        ("flatten", []) => flatten(items, 1).map(Val::list),
        ("flatten", [Val::Int(depth)]) => flatten(items, *depth).map(Val::list),
        ("sort", []) => sort(items, items),
        ("@sortByAssociatedKeys", [Val::List(keys)]) => sort(items, &keys.items),
        _ => Err(mismatch(function, args)),
    }
}

fn sum<'a>(items: &[Val<'a>]) -> Outcome<'a> {
    let mut total: Option<Val<'a>> = None;
    for item in items {
        total = Some(match total {
            None => item.clone(),
            Some(total) => super::operators::call("_+_", &[total, item.clone()])?,
        });
    }
    Ok(total.unwrap_or(Val::Int(0)))
}

fn slice<'a>(items: &[Val<'a>], start: i64, end: i64) -> Outcome<'a> {
    let fail = |why: String| {
        Err(EvalError::new(format!(
            "cannot slice({start}, {end}), {why}"
        )))
    };
    if start < 0 || end < 0 {
        return fail("negative indexes not supported".to_owned());
    }
    if start > end {
        return fail("start index must be less than or equal to end index".to_owned());
    }
    if end > items.len() as i64 {
        return fail(format!("list is length {}", items.len()));
    }
    Ok(Val::list(items[start as usize..end as usize].to_vec()))
}

fn flatten<'a>(items: &[Val<'a>], depth: i64) -> Result<Vec<Val<'a>>, EvalError> {
    if depth < 0 {
        return Err(EvalError::new("level must be non-negative"));
    }
    let mut flat = Vec::new();
    for item in items {
        match item {
            Val::List(inner) if depth > 0 => flat.extend(flatten(&inner.items, depth - 1)?),
            _ => flat.push(item.clone()),
        }
    }
    Ok(flat)
}

fn sort<'a>(items: &[Val<'a>], keys: &[Val<'a>]) -> Outcome<'a> {
    if items.len() != keys.len() {
        return Err(EvalError::new(format!(
            "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got {} and {} elements respectively",
            items.len(),
            keys.len()
        )));
    }
    if let Some(first) = keys.first() {
        if compare(first, first).is_err() {
            return Err(EvalError::new("list elements must be comparable"));
        }
        let of = first.type_name();
        if keys.iter().any(|key| key.type_name() != of) {
            return Err(EvalError::new("list elements must have the same type"));
        }
    }
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|&left, &right| {
        compare(&keys[left], &keys[right]).unwrap_or(std::cmp::Ordering::Equal)
    });
    Ok(Val::list(
        order
            .into_iter()
            .map(|index| items[index].clone())
            .collect(),
    ))
}
