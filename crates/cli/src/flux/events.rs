//! `events`: Kubernetes events of Flux objects.

use object::time::Time;
use object::time::human;
use serde_json::Value;

use super::cluster::kinds::{self, EVENT, Kind};
use super::cluster::{Cluster, Selection, now};
use super::invocation::Invocation;
use super::names::{object_kind_name, object_kind_name_namespace};
use super::{Outcome, Stop, output};

/// Where events are looked for, and of what.
struct Query {
    namespace: Option<String>,
    selection: Selection,
}

/// Runs `events`.
pub(super) fn run(invocation: &Invocation<'_>) -> Outcome {
    for kind in invocation.list("types") {
        if !["Normal", "Warning"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(kind))
        {
            return Err(format!(
                "type '{kind}' not supported. Supported types are Normal, Warning"
            )
            .into());
        }
    }
    let cluster = invocation.cluster()?;
    let everywhere = invocation.boolean("all-namespaces");
    let own = invocation.namespace.as_str();
    let mut queries = vec![Query {
        namespace: (!everywhere).then(|| own.to_owned()),
        selection: Selection::default(),
    }];
    let mut elsewhere = false;
    if let Some(selector) = invocation.some_text("for") {
        let (kind, name) = match object_kind_name(selector) {
            ("", kind) => (kind, ""),
            other => other,
        };
        let kind = known(kind).ok_or_else(|| format!("'{kind}' is not a recognized Flux kind"))?;
        queries[0].selection = involving(kind.kind, name);
        if !name.is_empty() {
            for reference in references(&cluster, kind, own, name)? {
                let (kind, name, namespace) = object_kind_name_namespace(&reference);
                elsewhere |= namespace != if everywhere { "" } else { own };
                queries.push(Query {
                    namespace: Some(namespace),
                    selection: involving(&kind, &name),
                });
            }
        }
    }
    let with_namespace = everywhere || elsewhere;
    let mut header = vec!["Last seen", "Type", "Reason", "Object", "Message"];
    if with_namespace {
        header.insert(0, "Namespace");
    }
    if invocation.boolean("watch") {
        let query = &queries[0];
        let namespace = query.namespace.as_deref();
        cluster.watch(&EVENT, namespace, &query.selection, &mut |event| {
            if is_shown(invocation, event) {
                output::out(output::table(&header, &[row(event, with_namespace)]));
                header.clear();
            }
            true
        })?;
        return Ok(());
    }
    let mut events = Vec::new();
    for query in &queries {
        let listed = cluster.list(&EVENT, query.namespace.as_deref(), &query.selection);
        events.extend(listed.map_err(|error| format!("error getting events: {error}"))?);
    }
    events.retain(|event| is_shown(invocation, event));
    events.sort_by_key(time_of);
    let rows: Vec<Vec<String>> = events
        .iter()
        .map(|event| row(event, with_namespace))
        .collect();
    if !rows.is_empty() {
        output::out(output::table(&header, &rows));
    } else if everywhere {
        output::failure("No events found.");
    } else {
        output::failure(format_args!("No events found in {own} namespace."));
    }
    Ok(())
}

fn known(kind: &str) -> Option<&'static Kind> {
    kinds::FLUX
        .into_iter()
        .find(|known| known.kind.eq_ignore_ascii_case(kind) && *known != &kinds::EXTERNAL_ARTIFACT)
}

fn involving(kind: &str, name: &str) -> Selection {
    let name = if name.is_empty() {
        String::new()
    } else {
        format!(",involvedObject.name={name}")
    };
    Selection {
        fields: format!("involvedObject.kind={kind}{name}"),
        ..Selection::default()
    }
}

/// The objects that an object refers to, as `kind/name.namespace`.
fn references(
    cluster: &Cluster,
    kind: &Kind,
    namespace: &str,
    name: &str,
) -> Result<Vec<String>, Stop> {
    let (path, fixed, crossing): (&[&str], &str, bool) = match kind.kind {
        "Kustomization" | "HelmChart" => (&["spec", "sourceRef"], "", true),
        "HelmRelease" => (&["spec", "chart", "spec", "sourceRef"], "", true),
        "Alert" => (&["spec", "providerRef"], "Provider", false),
        "ImagePolicy" => (&["spec", "imageRepositoryRef"], "ImageRepository", true),
        _ => return Ok(Vec::new()),
    };
    let object = cluster.get(kind, namespace, name)?;
    let reference = path.iter().fold(&object, |value, key| &value[*key]);
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let other = if fixed.is_empty() {
        text("kind")
    } else {
        fixed
    };
    let mut other_namespace = if crossing { text("namespace") } else { "" };
    if other_namespace.is_empty() {
        other_namespace = namespace;
    }
    let mut found = vec![format!("{other}/{}.{other_namespace}", text("name"))];
    if kind.kind == "HelmRelease" {
        found.push(format!("HelmChart/{namespace}-{name}.{other_namespace}"));
    }
    Ok(found)
}

fn is_shown(invocation: &Invocation<'_>, event: &Value) -> bool {
    let kind = event["involvedObject"]["kind"].as_str().unwrap_or_default();
    let severity = event["type"].as_str().unwrap_or_default();
    let types = invocation.list("types");
    kinds::FLUX.iter().any(|known| known.kind == kind)
        && (types.is_empty()
            || types
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(severity)))
}

fn time(value: &Value) -> Option<Time> {
    let text = value.as_str()?;
    Time::parse(text)
        .or_else(|_| Time::parse_micro(text))
        .ok()
        .filter(|time| !time.is_zero())
}

fn time_of(event: &Value) -> Option<Time> {
    if !event["series"].is_null() {
        return time(&event["series"]["lastObservedTime"]);
    }
    time(&event["lastTimestamp"]).or_else(|| time(&event["eventTime"]))
}

fn since(value: &Value) -> String {
    match time(value) {
        Some(time) => human::human(now().since(time)),
        None => "<unknown>".to_owned(),
    }
}

fn last_seen(event: &Value) -> String {
    let first = match time(&event["eventTime"]) {
        Some(_) => since(&event["eventTime"]),
        None => since(&event["firstTimestamp"]),
    };
    let series = &event["series"];
    if !series.is_null() {
        let count = series["count"].as_i64().unwrap_or_default();
        return format!(
            "{} (x{count} over {first})",
            since(&series["lastObservedTime"])
        );
    }
    match event["count"].as_i64() {
        Some(count) if count > 1 => {
            format!("{} (x{count} over {first})", since(&event["lastTimestamp"]))
        }
        _ => first,
    }
}

fn row(event: &Value, with_namespace: bool) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let involved = &event["involvedObject"];
    let mut row = vec![
        last_seen(event),
        text(&event["type"]),
        text(&event["reason"]),
        format!("{}/{}", text(&involved["kind"]), text(&involved["name"])),
        text(&event["message"]),
    ];
    if with_namespace {
        row.insert(0, text(&event["metadata"]["namespace"]));
    }
    row
}
