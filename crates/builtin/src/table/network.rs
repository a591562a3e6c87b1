//! Services, endpoints, ingresses and their like.

use std::collections::BTreeSet;

use object::GroupResource;
use object::Value;

use super::view::View;
use super::{Printer, label_selector, labels};

pub(super) fn service(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let ports: Vec<String> = object.list("/spec/ports").map(service_port).collect();
    vec![
        printer.name(),
        printer.text("/spec/type"),
        printer.text_or("/spec/clusterIPs/0", "<none>"),
        Value::from(external_ip(object)),
        Value::from(if ports.is_empty() {
            "<none>".to_owned()
        } else {
            ports.join(",")
        }),
        printer.age(),
        labels(object.at("/spec/selector")),
    ]
}

fn service_port(port: View<'_>) -> String {
    let (number, protocol) = (port.integer("/port"), port.text("/protocol"));
    match port.integer("/nodePort") {
        0 => format!("{number}/{protocol}"),
        node_port => format!("{number}:{node_port}/{protocol}"),
    }
}

fn external_ip(service: View<'_>) -> String {
    let external: Vec<&str> = service
        .list("/spec/externalIPs")
        .map(View::as_text)
        .collect();
    match service.text("/spec/type") {
        "ClusterIP" | "NodePort" if external.is_empty() => "<none>".to_owned(),
        "ClusterIP" | "NodePort" => external.join(","),
        "LoadBalancer" => {
            let mut addresses = load_balancer(service);
            addresses.extend(external.into_iter().map(str::to_owned));
            if addresses.is_empty() {
                "<pending>".to_owned()
            } else {
                addresses.join(",")
            }
        }
        "ExternalName" => service.text("/spec/externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// The addresses of a load balancer, each once, sorted.
fn load_balancer(object: View<'_>) -> Vec<String> {
    let addresses: BTreeSet<String> = object
        .list("/status/loadBalancer/ingress")
        .map(|ingress| {
            let ip = ingress.text("/ip");
            if ip.is_empty() {
                ingress.text("/hostname")
            } else {
                ip
            }
            .to_owned()
        })
        .filter(|address| !address.is_empty())
        .collect();
    addresses.into_iter().collect()
}

/// At most this many are shown.
const SHOWN: usize = 3;

/// The first few of a list, with how many more there are.
fn few(items: &[String], total: usize) -> String {
    let shown = items[..items.len().min(SHOWN)].join(",");
    if items.len() > SHOWN {
        format!("{shown} + {} more...", total - SHOWN)
    } else {
        shown
    }
}

pub(super) fn endpoints(printer: Printer<'_>) -> Vec<Value> {
    let mut addresses = Vec::new();
    for subset in printer.object.list("/subsets") {
        let ips = || subset.list("/addresses").map(|address| address.text("/ip"));
        if subset.length("/ports") == 0 {
            addresses.extend(ips().map(str::to_owned));
        }
        for port in subset.list("/ports") {
            let port = port.integer("/port");
            addresses.extend(ips().map(|ip| {
                if ip.contains(':') {
                    format!("[{ip}]:{port}")
                } else {
                    format!("{ip}:{port}")
                }
            }));
        }
    }
    let text = if printer.object.length("/subsets") == 0 {
        "<none>".to_owned()
    } else {
        few(&addresses, addresses.len())
    };
    vec![printer.name(), Value::from(text), printer.age()]
}

pub(super) fn endpoint_slice(printer: Printer<'_>) -> Vec<Value> {
    let ports: Vec<String> = printer
        .object
        .list("/ports")
        .map(|port| {
            if port.is_set("/port") {
                port.integer("/port").to_string()
            } else {
                port.printed_or("/name", "*")
            }
        })
        .collect();
    let addresses: Vec<String> = printer
        .object
        .list("/endpoints")
        .flat_map(|endpoint| {
            endpoint
                .list("/addresses")
                .map(|address| address.as_text().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let shown = |items: &[String]| {
        let text = few(items, items.len());
        Value::from(if text.is_empty() {
            "<unset>".to_owned()
        } else {
            text
        })
    };
    vec![
        printer.name(),
        printer.text("/addressType"),
        shown(&ports),
        shown(&addresses),
        printer.age(),
    ]
}

pub(super) fn ingress(printer: Printer<'_>) -> Vec<Value> {
    let object = printer.object;
    let ports = if object.length("/spec/tls") > 0 {
        "80, 443"
    } else {
        "80"
    };
    vec![
        printer.name(),
        Value::from(object.printed_or("/spec/ingressClassName", "<none>")),
        Value::from(hosts(object)),
        Value::from(load_balancer(object).join(",")),
        Value::from(ports),
        printer.age(),
    ]
}

fn hosts(ingress: View<'_>) -> String {
    let mut hosts = Vec::new();
    let mut more = false;
    for rule in ingress.list("/spec/rules") {
        let host = rule.text("/host");
        // Rules count as left out from the fourth host on, whether they have a host or not.
        more |= hosts.len() == SHOWN;
        if !more && !host.is_empty() {
            hosts.push(host);
        }
    }
    match (hosts.join(","), more) {
        (text, _) if text.is_empty() => "*".to_owned(),
        (text, true) => format!("{text} + {} more...", ingress.length("/spec/rules") - SHOWN),
        (text, false) => text,
    }
}

pub(super) fn ingress_class(printer: Printer<'_>) -> Vec<Value> {
    let parameters = printer.object.at("/spec/parameters");
    let text = if parameters.0.is_null() {
        "<none>".to_owned()
    } else {
        let group = if parameters.is_set("/apiGroup") {
            format!(".{}", parameters.text("/apiGroup"))
        } else {
            String::new()
        };
        format!(
            "{}{group}/{}",
            parameters.text("/kind"),
            parameters.text("/name")
        )
    };
    vec![
        printer.name(),
        printer.text("/spec/controller"),
        Value::from(text),
        printer.age(),
    ]
}

pub(super) fn network_policy(printer: Printer<'_>) -> Vec<Value> {
    vec![
        printer.name(),
        label_selector(printer.object.at("/spec/podSelector")),
        printer.age(),
    ]
}

pub(super) fn ip_address(printer: Printer<'_>) -> Vec<Value> {
    let parent = printer.object.at("/spec/parentRef");
    let text = if parent.0.is_null() {
        "<none>".to_owned()
    } else {
        let mut text = GroupResource::new(parent.text("/group"), parent.text("/resource"))
            .to_string()
            .to_lowercase();
        for path in ["/namespace", "/name"] {
            if path == "/name" || !parent.text(path).is_empty() {
                text.push('/');
                text.push_str(parent.text(path));
            }
        }
        text
    };
    vec![printer.name(), Value::from(text), printer.age()]
}
