//! Putting users' values over those of charts.
//! Source: Helm 4.2 `pkg/chart/common/util/coalesce.go`, Helm 3.22 `pkg/chartutil/coalesce.go`.

use std::sync::Arc;

use gotemplate::{List, Map, Str, Value, lossy};

use crate::Compat;

const GLOBAL: &str = "global";

/// What of a chart takes part: its name, its values, its dependencies.
pub trait ChartValues: Sized {
    /// The chart's name.
    fn name(&self) -> &str;
    /// Its values; nil when it has none.
    fn values(&self) -> &Map;
    /// The charts it depends on.
    fn dependencies(&self) -> &[Self];
}

/// A copy that shares nothing that can be changed.
pub(crate) fn deep_copy(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(deep_copy_map(map)),
        Value::List(list) if !list.is_nil() => {
            let items = list.items().iter().map(deep_copy).collect();
            Value::List(Arc::new(List::new(list.list_type(), items)))
        }
        other => other.clone(),
    }
}

/// A copy of a map that shares nothing that can be changed; nil becomes empty.
pub(crate) fn deep_copy_map(map: &Map) -> Map {
    Map::from_entries(
        map.entries()
            .into_iter()
            .map(|(key, value)| (key, deep_copy(&value))),
    )
}

fn shallow_copy(map: &Map) -> Map {
    Map::from_entries(map.entries())
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

/// Users' values over those of a chart and its dependencies; a null deletes the chart's value.
/// The error is Helm's text.
pub fn coalesce_values<C: ChartValues>(
    chart: &C,
    values: &Map,
    compat: Compat,
) -> Result<Map, String> {
    Pass {
        merge: false,
        compat,
    }
    .chart(chart, deep_copy_map(values), "")
}

/// As [`coalesce_values`], but nulls stay.
pub fn merge_values<C: ChartValues>(
    chart: &C,
    values: &Map,
    compat: Compat,
) -> Result<Map, String> {
    Pass {
        merge: true,
        compat,
    }
    .chart(chart, deep_copy_map(values), "")
}

/// `source` below `target`, which is changed; a null of the target deletes the source's value.
pub fn coalesce_tables(target: &Map, source: &Map) -> Map {
    Pass::tables(false, target, source, "")
}

/// As [`coalesce_tables`], but nulls stay.
pub fn merge_tables(target: &Map, source: &Map) -> Map {
    Pass::tables(true, target, source, "")
}

#[derive(Clone, Copy)]
struct Pass {
    /// Whether nulls stay.
    merge: bool,
    compat: Compat,
}

impl Pass {
    fn chart<C: ChartValues>(self, chart: &C, target: Map, prefix: &str) -> Result<Map, String> {
        self.own_values(chart, &target, prefix);
        for child in chart.dependencies() {
            let nested = match target.get(child.name()) {
                None => {
                    let map = Map::new();
                    target.insert(child.name(), Value::Map(map.clone()));
                    map
                }
                Some(Value::Map(map)) => map,
                Some(other) => {
                    let shown = gotemplate::fmt::sprintf(b"%t", &[other]);
                    return Err(format!(
                        "type mismatch on {}: {}",
                        child.name(),
                        lossy(&shown)
                    ));
                }
            };
            let prefix = join(prefix, chart.name());
            globals(&nested, &target, &prefix);
            let nested = self.chart(child, nested, &prefix)?;
            target.insert(child.name(), Value::Map(nested));
        }
        Ok(target)
    }

    fn own_values<C: ChartValues>(self, chart: &C, target: &Map, prefix: &str) {
        let prefix = join(prefix, chart.name());
        for (key, value) in deep_copy_map(chart.values()).entries() {
            match target.get(&key) {
                Some(Value::Nil) if !self.merge => {
                    target.remove(&key);
                }
                Some(Value::Map(given)) => {
                    if let Value::Map(own) = &value {
                        let names_child = chart
                            .dependencies()
                            .iter()
                            .any(|child| child.name().as_bytes() == key.as_bytes());
                        let merge = self.merge || names_child;
                        if !merge && !self.compat.is_v3() {
                            remove_nulls(own);
                        }
                        Pass::tables(merge, &given, own, &join(&prefix, &key.to_text()));
                    }
                }
                Some(_) => {}
                None => {
                    if !self.merge && !self.compat.is_v3() {
                        match &value {
                            Value::Nil => continue,
                            Value::Map(map) => remove_nulls(map),
                            _ => {}
                        }
                    }
                    target.insert(key, value);
                }
            }
        }
    }

    fn tables(merge: bool, target: &Map, source: &Map, prefix: &str) -> Map {
        if source.is_nil() {
            return target.clone();
        }
        if target.is_nil() {
            return source.clone();
        }
        let had_value: Vec<Str> = source
            .entries()
            .into_iter()
            .filter(|(_, value)| !value.is_nil())
            .map(|(key, _)| key)
            .collect();
        for (key, value) in target.entries() {
            if value.is_nil() {
                source.insert(key, Value::Nil);
            }
        }
        for (key, value) in source.entries() {
            match target.get(&key) {
                Some(Value::Nil) if !merge && had_value.binary_search(&key).is_ok() => {
                    target.remove(&key);
                }
                None => {
                    target.insert(key, value);
                }
                Some(Value::Map(nested)) => {
                    if let Value::Map(value) = &value {
                        Pass::tables(merge, &nested, value, &join(prefix, &key.to_text()));
                    }
                }
                Some(_) => {}
            }
        }
        target.clone()
    }
}

/// Hands the globals of a chart down to a dependency.
fn globals(target: &Map, source: &Map, prefix: &str) {
    let globals_of = |map: &Map| match map.get(GLOBAL) {
        None => Some(Map::new()),
        Some(Value::Map(map)) => Some(map),
        Some(_) => None,
    };
    let (Some(into), Some(from)) = (globals_of(target), globals_of(source)) else {
        return;
    };
    for (key, value) in from.entries() {
        match (&value, into.get(&key)) {
            (Value::Map(map), None) => {
                into.insert(key, Value::Map(shallow_copy(map)));
            }
            (Value::Map(map), Some(Value::Map(existing))) => {
                let copy = shallow_copy(map);
                Pass::tables(true, &copy, &existing, &join(prefix, &key.to_text()));
                into.insert(key, Value::Map(copy));
            }
            (Value::Map(_), Some(_)) | (_, Some(Value::Map(_))) => {}
            _ => {
                into.insert(key, value);
            }
        }
    }
    target.insert(GLOBAL, Value::Map(into));
}

/// Removes nulls from a map and the maps in it.
pub(crate) fn remove_nulls(map: &Map) {
    for (key, value) in map.entries() {
        match value {
            Value::Nil => {
                map.remove(&key);
            }
            Value::Map(nested) => remove_nulls(&nested),
            _ => {}
        }
    }
}
