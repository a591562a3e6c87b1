//! Files of a volume that hide each other.

use object::field::quote;

use crate::strategy::node::Node;

/// A path and what puts a file there.
#[derive(Clone, PartialEq)]
struct File {
    path: String,
    source: String,
}

impl File {
    fn show(&self) -> String {
        if self.source.is_empty() {
            quote(&self.path)
        } else {
            format!("{} ({})", quote(&self.path), self.source)
        }
    }
}

/// Warns of volumes whose sources put files at overlapping paths.
pub(crate) fn warn(volumes: &Node<'_>, warnings: &mut Vec<String>) {
    for volume in volumes.items() {
        let name = quote(volume.get("name").text());
        for (field, label, key) in [
            ("configMap", "ConfigMap ", "name"),
            ("secret", "Secret ", "secretName"),
            ("downwardAPI", "DownwardAPI", ""),
        ] {
            let source = volume.get(field);
            let shown = if key.is_empty() {
                label.to_owned()
            } else {
                format!("{label}{}", quote(source.get(key).text()))
            };
            let mut all = Vec::new();
            for file in files(&source.get("items"), "") {
                add(file, &mut all, &name, &shown, warnings);
            }
        }
        projected(&volume.get("projected"), &name, warnings);
    }
}

fn projected(volume: &Node<'_>, name: &str, warnings: &mut Vec<String>) {
    let mut all = Vec::new();
    for source in volume.get("sources").items() {
        if source.is_empty() {
            warnings.push(format!("volume {name} (Projected) has no sources provided"));
            continue;
        }
        let named = |field: &str, label: &str| {
            format!("{label} {}", quote(source.get(field).get("name").text()))
        };
        let has_items = |field: &str| source.get(field).get("items").is_set();
        let found = if has_items("configMap") {
            files(
                &source.get("configMap.items"),
                &named("configMap", "ConfigMap"),
            )
        } else if has_items("secret") {
            files(&source.get("secret.items"), &named("secret", "Secret"))
        } else if has_items("downwardAPI") {
            files(&source.get("downwardAPI.items"), "DownwardAPI")
        } else if source.get("serviceAccountToken").is_set() {
            let path = source.get("serviceAccountToken.path").text().to_owned();
            vec![File {
                path,
                source: "ServiceAccountToken".to_owned(),
            }]
        } else {
            Vec::new()
        };
        for file in found {
            add(file, &mut all, name, "Projected", warnings);
        }
    }
}

fn files(items: &Node<'_>, source: &str) -> Vec<File> {
    items
        .items()
        .map(|item| File {
            path: item.get("path").text().to_owned(),
            source: source.to_owned(),
        })
        .collect()
}

fn add(mut file: File, all: &mut Vec<File>, name: &str, shown: &str, warnings: &mut Vec<String>) {
    file.path = file.path.trim_end_matches('/').to_owned();
    for other in all.iter() {
        if file.path.is_empty() || other.path.is_empty() {
            continue;
        }
        let (path, other_path) = (format!("{}/", file.path), format!("{}/", other.path));
        if path.starts_with(&other_path) || other_path.starts_with(&path) {
            warnings.push(format!(
                "volume {name} ({shown}): overlapping paths: {} with {}",
                file.show(),
                other.show()
            ));
        }
    }
    all.push(file);
}
