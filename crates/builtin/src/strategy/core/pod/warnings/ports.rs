//! Ports of containers that collide.

use object::field::quote;

use crate::strategy::core::pod::all_containers;
use crate::strategy::node::Node;

/// Warns of ports that are defined twice or ambiguously, and of names that are used twice.
pub(crate) fn warn(spec: &Node<'_>, warnings: &mut Vec<String>) {
    let ports: Vec<Node<'_>> = all_containers(spec)
        .flat_map(|container| container.get("ports").items())
        .collect();
    for (index, port) in ports.iter().enumerate() {
        let (ip, host) = (port.get("hostIP").text(), port.get("hostPort").int());
        if !ip.is_empty() && host == 0 {
            warnings.push(format!(
                "{}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{} HostIP:{ip}}}",
                port.path(),
                port.get("name").text(),
                port.get("containerPort").int(),
                port.get("protocol").text(),
            ));
        }
        for other in &ports[..index] {
            let same = other.get("containerPort").int() == port.get("containerPort").int()
                && other.get("protocol").text() == port.get("protocol").text();
            if !same {
                continue;
            }
            let (other_ip, other_host) = (other.get("hostIP").text(), other.get("hostPort").int());
            let how = if ip == other_ip && host == other_host {
                "duplicate"
            } else if host == 0 || other_host == 0 {
                "overlapping"
            } else if host == other_host && ip.is_empty() != other_ip.is_empty() {
                "dangerously ambiguous"
            } else {
                continue;
            };
            warnings.push(format!(
                "{}: {how} port definition with {}",
                port.path(),
                other.path()
            ));
        }
    }
    for (index, port) in ports.iter().enumerate() {
        let name = port.get("name").text();
        let first = ports[..index]
            .iter()
            .find(|other| other.get("name").is(name));
        if let Some(first) = first
            && !name.is_empty()
        {
            let (place, other) = (port.path(), first.path());
            let name = quote(name);
            warnings.push(format!(
                "{place}: duplicate port name {name} with {other}, services and probes that select ports by name will use {other}"
            ));
        }
    }
}
