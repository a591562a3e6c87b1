//! What the demo shows: steps, changes as they come, a table, and what to try.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use apiserver::{Local, Server};
use object::status::{self, Status};
use object::time::Time;
use object::{GroupVersionResource, Value, meta};

use super::repository::ENVIRONMENTS;
use crate::gitops;

/// Standard output, in colour where it is a terminal.
pub(crate) struct Screen {
    has_colours: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let has_colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { has_colours }
    }

    fn mark(&self, mark: &str, colour: u8) -> String {
        if self.has_colours {
            format!("\x1b[{colour}m{mark}\x1b[0m")
        } else {
            mark.to_owned()
        }
    }

    fn line(text: &str) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{text}")
    }

    /// Something has begun.
    pub(crate) fn step(&self, text: &str) -> io::Result<()> {
        Self::line(&format!("{} {text}", self.mark("►", 36)))
    }

    /// Something has changed.
    pub(crate) fn change(&self, change: &Change) -> io::Result<()> {
        let mark = match change.standing {
            Good => self.mark("✔", 32),
            Waiting => self.mark("◎", 33),
            Bad => self.mark("✗", 31),
        };
        Self::line(&format!("{mark} {}: {}", change.name, change.message))
    }

    /// All is ready.
    pub(crate) fn done(&self, took: Duration) -> io::Result<()> {
        Self::line(&format!(
            "{} everything is ready after {:.1} s\n",
            self.mark("✔", 32),
            took.as_secs_f64()
        ))
    }

    /// How everything stands.
    pub(crate) fn table(rows: &[[String; 4]]) -> io::Result<()> {
        let head = ["NAMESPACE", "OBJECT", "READY", "STATUS"].map(str::to_owned);
        let mut widths = head.clone().map(|cell| cell.len());
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in std::iter::once(&head).chain(rows) {
            let [namespace, object, ready, text] = row;
            let [first, second, third, _] = widths;
            Self::line(&format!(
                "{namespace:first$}  {object:second$}  {ready:third$}  {text}"
            ))?;
        }
        Ok(())
    }

    /// Three things to try.
    pub(crate) fn invitation(folder: &Path, base: &str) -> io::Result<()> {
        let (kubeconfig, copy) = (folder.join("kubeconfig"), folder.join(ENVIRONMENTS));
        let (kubeconfig, copy) = (kubeconfig.display(), copy.display());
        Self::line(&format!(
            "\nThree things to try, in another terminal (this one shows what happens; Ctrl-C ends it):\n\n\
             1. Change something by hand, and see it undone:\n\
             \x20  kubectl --kubeconfig {kubeconfig} -n staging scale deployment example-application --replicas 5\n\
             \x20  kubectl --kubeconfig {kubeconfig} -n staging get deployments\n\n\
             2. Change it in Git, and see it applied:\n\
             \x20  cd {copy} && sed -i 's/replicas: .*/replicas: 2/' staging/replicas.yaml && git commit -qam 'Two in staging' && git push -q\n\n\
             3. Break something, and read the error; then repair it:\n\
             \x20  cd {copy} && sed -i 's/replicas: .*/replicas: many/' staging/replicas.yaml && git commit -qam 'Oh no' && git push -q\n\
             \x20  cd {copy} && git revert --no-edit HEAD && git push -q\n\n\
             The repository can be cloned from {base}/{ENVIRONMENTS}.git.\n"
        ))
    }
}

/// How an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    Good,
    Waiting,
    Bad,
}
use Stand::{Bad, Good, Waiting};

/// A change to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    name: String,
    standing: Stand,
    message: String,
}

/// What is watched, and how it stood last.
pub(crate) struct Standing<'a> {
    server: &'a Server,
    local: Local,
    last: BTreeMap<String, (Stand, String)>,
}

/// Group, version and resource of what is shown; the last ones are the workloads.
const RESOURCES: [(&str, &str, &str); 3] = [
    ("source.toolkit.fluxcd.io", "v1", "gitrepositories"),
    ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations"),
    ("apps", "v1", "deployments"),
];
/// All of the demo's Kustomizations.
const EXPECTED: [&str; 4] = [ENVIRONMENTS, "infrastructure", "staging", "production"];

impl<'a> Standing<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        Self {
            server,
            local: gitops::administrator(server),
            last: BTreeMap::new(),
        }
    }

    fn objects(&self) -> Vec<Value> {
        let lists = RESOURCES.iter().filter_map(|(group, version, resource)| {
            // A kind that is not served has no objects.
            self.local
                .list(&GroupVersionResource::new(*group, *version, *resource), "")
                .ok()
        });
        lists
            .flat_map(|list| {
                list.objects
                    .iter()
                    .map(|stored| stored.value())
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// What has changed since the last time.
    pub(crate) fn changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for object in self.objects() {
            let name = full_name(&object);
            let (standing, message) = self.stand(&object);
            let is_news = self
                .last
                .get(&name)
                .is_none_or(|last| *last != (standing, message.clone()));
            if is_news && !message.is_empty() {
                changes.push(Change {
                    name: name.clone(),
                    standing,
                    message: message.clone(),
                });
            }
            self.last.insert(name, (standing, message));
        }
        changes
    }

    /// Whether everything that belongs to the demo is there and ready.
    pub(crate) fn is_ready(&self) -> bool {
        let has_all = EXPECTED.iter().all(|name| {
            self.last
                .contains_key(&format!("Kustomization flux-system/{name}"))
        });
        has_all && self.last.values().all(|(standing, _)| *standing == Good)
    }

    /// A row an object.
    pub(crate) fn rows(&self) -> Vec<[String; 4]> {
        let rows = self.objects().into_iter().map(|object| {
            let (standing, message) = self.stand(&object);
            let kind = object["kind"].as_str().unwrap_or_default();
            let ready = match standing {
                Good => "True",
                Waiting => "Unknown",
                Bad => "False",
            };
            [
                meta::namespace(&object).to_owned(),
                format!("{kind}/{}", meta::name(&object)),
                ready.to_owned(),
                message,
            ]
        });
        rows.collect()
    }

    fn stand(&self, object: &Value) -> (Stand, String) {
        let conditions = object
            .pointer("/status/conditions")
            .and_then(Value::as_array);
        if object["kind"] == "Deployment" {
            let now =
                Time::parse(&self.server.core().now()).unwrap_or_else(|_| Time::from_unix(0, 0));
            let health = status::of(object, now);
            let standing = match health.status {
                Status::Current => Good,
                Status::Failed => Bad,
                _ => Waiting,
            };
            return (standing, health.message);
        }
        let ready =
            conditions.and_then(|all| all.iter().find(|condition| condition["type"] == "Ready"));
        let Some(ready) = ready else {
            return (Waiting, String::new());
        };
        let message = ready["message"].as_str().unwrap_or_default();
        let standing = match ready["status"].as_str() {
            Some("True") => Good,
            // It is tried again as soon as what it waits for is there.
            Some("False")
                if ready["reason"] == "DependencyNotReady"
                    || message.starts_with("Source artifact not found") =>
            {
                Waiting
            }
            Some("False") => Bad,
            _ => Waiting,
        };
        (standing, message.trim_end().to_owned())
    }
}

fn full_name(object: &Value) -> String {
    format!(
        "{} {}/{}",
        object["kind"].as_str().unwrap_or_default(),
        meta::namespace(object),
        meta::name(object)
    )
}
