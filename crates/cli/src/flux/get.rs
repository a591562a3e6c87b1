//! `get`: tables of objects and how they stand.

mod row;
mod watch;

use serde_json::Value;

use super::cluster::kinds::{self, Kind};
use super::cluster::{Cluster, Reason, Selection};
use super::invocation::Invocation;
use super::{Outcome, Stop, go, output};

pub(super) use row::helm_release_revision;

/// Runs `get WHAT`.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    if what == "all" || what.ends_with(" all") {
        if invocation.boolean("watch") {
            return Err("expected a single resource type, but found all".into());
        }
        let cluster = invocation.cluster()?;
        for kind in kinds_of_all(what) {
            match one(invocation, &cluster, kind, true) {
                Err(Stop::Failed(text)) if text.starts_with("no matches for kind ") => {}
                Err(Stop::Failed(text)) => output::failure(text),
                other => other?,
            }
        }
        return Ok(());
    }
    let kind = kinds::of_words(what).ok_or_else(|| format!("unsupported type {what}"))?;
    let cluster = invocation.cluster()?;
    if invocation.boolean("watch") {
        return watch::run(invocation, &cluster, kind);
    }
    one(invocation, &cluster, kind, false)
}

/// The kinds behind `all`, in the order of the tables.
fn kinds_of_all(what: &str) -> Vec<&'static Kind> {
    let sources = [
        &kinds::OCI_REPOSITORY,
        &kinds::BUCKET,
        &kinds::GIT_REPOSITORY,
        &kinds::HELM_REPOSITORY,
        &kinds::HELM_CHART,
        &kinds::EXTERNAL_ARTIFACT,
    ];
    let images = [
        &kinds::IMAGE_REPOSITORY,
        &kinds::IMAGE_POLICY,
        &kinds::IMAGE_UPDATE_AUTOMATION,
    ];
    let others = [
        &kinds::HELM_RELEASE,
        &kinds::KUSTOMIZATION,
        &kinds::RECEIVER,
        &kinds::PROVIDER,
        &kinds::ALERT,
    ];
    match what {
        "sources all" => sources.to_vec(),
        "images all" => images.to_vec(),
        _ => sources.into_iter().chain(images).chain(others).collect(),
    }
}

/// Which objects the command line selects.
fn selection(invocation: &Invocation<'_>) -> Result<Selection, Stop> {
    let mut selection = match invocation.first() {
        Some(name) => Selection::named(name),
        None => Selection::default(),
    };
    let labels = invocation.text("label-selector");
    if !labels.is_empty() {
        object::selector::to_object(labels)
            .map_err(|error| format!("unable to parse label selector: {error}"))?;
        selection.labels = labels.to_owned();
    }
    Ok(selection)
}

fn one(invocation: &Invocation<'_>, cluster: &Cluster, kind: &Kind, all: bool) -> Outcome {
    let everywhere = invocation.boolean("all-namespaces");
    let namespace = (!everywhere).then_some(invocation.namespace.as_str());
    let objects = match cluster.list(kind, namespace, &selection(invocation)?) {
        Err(error) if all && error.reason == Reason::NoMatch => return Ok(()),
        other => other?,
    };
    if objects.is_empty() {
        let place = match namespace {
            Some(namespace) => go::quote(namespace),
            None => "any".to_owned(),
        };
        return match invocation.first() {
            Some(name) => Err(format!(
                "{} object '{name}' not found in {place} namespace",
                kind.kind
            )
            .into()),
            None if !all => {
                Err(format!("no {} objects found in {place} namespace", kind.kind).into())
            }
            None => Ok(()),
        };
    }
    let rows = rows(invocation, kind, &objects, all)?;
    if all && rows.is_empty() {
        return Ok(());
    }
    output::out(output::table(&header(invocation, kind), &rows));
    if all {
        output::out("\n");
    }
    Ok(())
}

fn header(invocation: &Invocation<'_>, kind: &Kind) -> Vec<&'static str> {
    if invocation.boolean("no-header") {
        return Vec::new();
    }
    let namespace = invocation.boolean("all-namespaces").then_some("Namespace");
    let source = invocation.boolean("show-source");
    namespace
        .into_iter()
        .chain(row::header(kind, source))
        .collect()
}

fn rows(
    invocation: &Invocation<'_>,
    kind: &Kind,
    objects: &[Value],
    with_kind: bool,
) -> Result<Vec<Vec<String>>, Stop> {
    let selector = invocation.text("status-selector");
    let wanted = status_selector(selector)?;
    let namespaces = invocation.boolean("all-namespaces");
    let source = invocation.boolean("show-source");
    Ok(objects
        .iter()
        .filter(|object| match &wanted {
            Some((condition, status, equal)) => {
                row::status_matches(kind, object, condition, status) == *equal
            }
            None => true,
        })
        .map(|object| {
            let name = object::meta::name(object);
            let name = if with_kind {
                format!("{}/{name}", kind.kind.to_lowercase())
            } else {
                name.to_owned()
            };
            let namespace = namespaces.then(|| object::meta::namespace(object).to_owned());
            let cells = row::cells(kind, object, source);
            namespace.into_iter().chain([name]).chain(cells).collect()
        })
        .collect())
}

/// `type=status` or `type!=status`: the two, and whether they should be equal.
fn status_selector(selector: &str) -> Result<Option<(String, String, bool)>, Stop> {
    if selector.is_empty() {
        return Ok(None);
    }
    let (separator, equal) = if selector.contains("!=") {
        ("!=", false)
    } else {
        ("=", true)
    };
    let (condition, status) = selector.split_once(separator).ok_or_else(|| {
        format!(
            "expected status selector in type=status or type!=status format, but found: {selector}"
        )
    })?;
    Ok(Some((condition.to_owned(), status.to_owned(), equal)))
}
