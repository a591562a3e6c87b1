//! Autoscalers, whose targets are one cell.

use object::Value;

use super::Printer;
use super::view::View;

/// At most this many metrics are shown.
const SHOWN: usize = 2;

pub(super) fn horizontal_pod_autoscaler(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let target = object.at("/spec/scaleTargetRef");
    vec![
        printer.name(),
        Value::from(format!("{}/{}", target.text("/kind"), target.text("/name"))),
        Value::from(metrics(object)),
        Value::from(object.printed_or("/spec/minReplicas", "<unset>")),
        printer.integer("/spec/maxReplicas"),
        printer.integer("/status/currentReplicas"),
        printer.age(),
    ]
}

fn metrics(object: View<'_>) -> String {
    let statuses: Vec<View<'_>> = object.list("/status/currentMetrics").collect();
    let shown: Vec<String> = object
        .list("/spec/metrics")
        .enumerate()
        .map(|(index, spec)| {
            metric(
                spec,
                statuses.get(index).copied().unwrap_or(View(&Value::Null)),
            )
        })
        .collect();
    match shown.len() {
        0 => "<none>".to_owned(),
        count if count > SHOWN => {
            format!("{} + {} more...", shown[..SHOWN].join(", "), count - SHOWN)
        }
        _ => shown.join(", "),
    }
}

fn metric(spec: View<'_>, status: View<'_>) -> String {
    let unknown = "<unknown>";
    match spec.text("/type") {
        kind @ ("External" | "Object") => {
            let field = if kind == "External" {
                "/external"
            } else {
                "/object"
            };
            let (target, current) = (
                spec.at(field).at("/target"),
                status.at(field).at("/current"),
            );
            if target.is_set("/averageValue") {
                let current = current.printed_or("/averageValue", unknown);
                format!("{current}/{} (avg)", target.text("/averageValue"))
            } else {
                let known = !status.at(field).0.is_null();
                let current = current.printed_or("/value", if known { "<nil>" } else { unknown });
                format!("{current}/{}", target.printed_or("/value", "<nil>"))
            }
        }
        "Pods" => {
            let current = status.printed_or("/pods/current/averageValue", unknown);
            format!("{current}/{}", spec.text("/pods/target/averageValue"))
        }
        kind @ ("Resource" | "ContainerResource") => {
            let field = if kind == "Resource" {
                "/resource"
            } else {
                "/containerResource"
            };
            let (spec, current) = (spec.at(field), status.at(field).at("/current"));
            let name = spec.text("/name");
            if spec.is_set("/target/averageValue") {
                let current = current.printed_or("/averageValue", unknown);
                return format!("{name}: {current}/{}", spec.text("/target/averageValue"));
            }
            let percent = |view: View<'_>, path: &str, default: &str| match view.at(path).0.as_i64()
            {
                Some(value) => format!("{value}%"),
                None => default.to_owned(),
            };
            let current = percent(current, "/averageUtilization", unknown);
            format!(
                "{name}: {current}/{}",
                percent(spec, "/target/averageUtilization", "<auto>")
            )
        }
        _ => "<unknown type>".to_owned(),
    }
}
