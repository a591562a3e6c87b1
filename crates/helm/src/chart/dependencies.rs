//! Which dependencies take part, under which names, and what parents take over from them.
//! Source: Helm 4.2 `pkg/chart/v2/util/dependencies.go`, Helm 3.22 `pkg/chartutil/dependencies.go`.

use gotemplate::{Map, Str, Value};

use super::metadata::is_compatible;
use super::{Chart, ChartError, Dependency};
use crate::Compat;
use crate::values::{coalesce_values, merge_tables, merge_values, path_value, table};

/// Removes what conditions and tags disable, applies aliases, and imports values.
pub fn process_dependencies(
    chart: &mut Chart,
    values: &Map,
    compat: Compat,
) -> Result<(), ChartError> {
    enable(chart, values, "", compat).map_err(ChartError)?;
    import_all(chart, compat).map_err(ChartError)
}

/// The chart of a dependency, under its alias, and its place.
fn aliased(charts: &[Chart], dependency: &Dependency, compat: Compat) -> Option<(usize, Chart)> {
    let place = charts.iter().position(|chart| {
        chart.metadata.name == dependency.name
            && is_compatible(&dependency.version, &chart.metadata.version)
    })?;
    let mut chart = charts[place].clone();
    if !dependency.alias.is_empty() {
        chart.metadata.name.clone_from(&dependency.alias);
    }
    // Helm 3 copies the chart alone, Helm 4 also the charts directly below.
    for child in &mut chart.dependencies {
        if compat.is_v3() {
            child.is_attached = false;
        } else {
            child.is_attached = true;
            for grandchild in &mut child.dependencies {
                grandchild.is_attached = false;
            }
        }
    }
    Some((place, chart))
}

fn enable(chart: &mut Chart, values: &Map, path: &str, compat: Compat) -> Result<(), String> {
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let unlisted = |existing: &&Chart| {
        !chart.metadata.dependencies.iter().any(|dependency| {
            existing.metadata.name == dependency.name
                && is_compatible(&dependency.version, &existing.metadata.version)
        })
    };
    let mut charts: Vec<Chart> = chart
        .dependencies
        .iter()
        .filter(unlisted)
        .cloned()
        .collect();
    let mut seen = Vec::new();
    for dependency in &mut chart.metadata.dependencies {
        if let Some((place, mut copy)) = aliased(&chart.dependencies, dependency, compat) {
            copy.is_twin = compat.is_v3() && seen.contains(&place);
            seen.push(place);
            charts.push(copy);
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
        dependency.enabled = true;
    }
    for child in &mut charts {
        child.is_attached = true;
    }
    chart.dependencies = charts;
    let values = coalesce_values(chart, values, compat)?;
    apply_tags(&mut chart.metadata.dependencies, &values);
    apply_conditions(&mut chart.metadata.dependencies, &values, path);
    let disabled: Vec<String> = chart
        .metadata
        .dependencies
        .iter()
        .filter(|dependency| !dependency.enabled)
        .map(|dependency| dependency.name.clone())
        .collect();
    chart
        .dependencies
        .retain(|child| !disabled.contains(&child.metadata.name));
    chart
        .metadata
        .dependencies
        .retain(|dependency| !disabled.contains(&dependency.name));
    for child in &mut chart.dependencies {
        let path = format!("{path}{}.", child.metadata.name);
        if child.is_twin {
            // Upstream bug, kept: Helm 3 shares the list of dependencies between aliases of a chart, and the
            // first has renamed them already.
            for dependency in &mut child.metadata.dependencies {
                if !dependency.alias.is_empty() {
                    dependency.name.clone_from(&dependency.alias);
                }
            }
        }
        enable(child, &values, &path, compat)?;
    }
    Ok(())
}

fn apply_tags(dependencies: &mut [Dependency], values: &Map) {
    let Some(tags) = table(values, "tags") else {
        return;
    };
    for dependency in dependencies {
        let set = |wanted: bool| {
            let mut names = dependency.tags.iter();
            names.any(|tag| matches!(tags.get(tag), Some(Value::Bool(value)) if value == wanted))
        };
        dependency.enabled = set(true) || !set(false);
    }
}

fn apply_conditions(dependencies: &mut [Dependency], values: &Map, path: &str) {
    for dependency in dependencies {
        for condition in dependency
            .condition
            .trim()
            .split(',')
            .filter(|condition| !condition.is_empty())
        {
            if let Some(Value::Bool(enabled)) = path_value(values, &format!("{path}{condition}")) {
                dependency.enabled = enabled;
                break;
            }
        }
    }
}

fn import_all(chart: &mut Chart, compat: Compat) -> Result<(), String> {
    for child in &mut chart.dependencies {
        import_all(child, compat)?;
    }
    import(chart, compat)
}

/// Puts what is imported from dependencies among the chart's own values.
fn import(chart: &mut Chart, compat: Compat) -> Result<(), String> {
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let values = merge_values(chart, &Map::new(), compat)?;
    let mut imported = Map::new();
    // Upstream bug, kept: what the first alias of a chart imports, Helm 3 does not import for the second.
    let importing = if chart.is_twin {
        &[][..]
    } else {
        &chart.metadata.dependencies
    };
    for dependency in importing {
        for import in &dependency.import_values {
            let Some(found) = table(&values, &format!("{}.{}", dependency.name, import.child))
            else {
                continue;
            };
            imported = merge_tables(&imported, &at_path(&import.parent, found));
        }
    }
    let values = crate::values::deep_copy_map(&values);
    chart.values = merge_tables(&values, &imported);
    Ok(())
}

/// A map that holds `inner` at a dotted path; `.` is the map itself.
fn at_path(path: &str, inner: Map) -> Map {
    if path == "." {
        return inner;
    }
    path.split('.').rev().fold(inner, |inner, name| {
        Map::from_entries([(Str::from(name), Value::Map(inner))])
    })
}
