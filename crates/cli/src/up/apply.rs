//! `sluice up --apply`: objects from files, applied as soon as the control plane is there.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use apiserver::{ApiError, Local, Server, User};
use object::status::{Health, Status};
use object::time::Time;
use object::{GroupVersionKind, GroupVersionResource, Value, meta};

/// The name under which the fields are owned.
const MANAGER: &str = "sluice";
/// How long `--once` waits for everything to be ready.
const DEADLINE: Duration = Duration::from_secs(120);
/// How often it looks; the objects are in the same process.
const PAUSE: Duration = Duration::from_millis(50);

/// Why manifests could not be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}: not YAML")]
    Parse { path: PathBuf, source: yaml::Error },
    #[error("{path}: document {document} is not an object with apiVersion, kind and metadata.name")]
    Shape { path: PathBuf, document: usize },
    #[error("{} cannot be applied:\n  {}", count(.0.len()), .0.join("\n  "))]
    Refused(Vec<String>),
    #[error("not ready after {} s:\n  {}", DEADLINE.as_secs(), .0.join("\n  "))]
    NotReady(Vec<String>),
    #[error("cannot write the report")]
    Write(#[source] io::Error),
}

fn count(objects: usize) -> String {
    if objects == 1 {
        "1 object".to_owned()
    } else {
        format!("{objects} objects")
    }
}

/// An object from a file.
struct Manifest {
    object: Value,
    path: PathBuf,
}

impl Manifest {
    /// As kubectl names it: `deployment.apps/web`.
    fn name(&self) -> String {
        let gvk = GroupVersionKind::of(&self.object);
        format!(
            "{}/{}",
            gvk.group_kind().to_string().to_lowercase(),
            meta::name(&self.object)
        )
    }
}

/// Applies all objects in the files, and in the folders' `.yaml`, `.yml` and `.json` files; says of each
/// what became of it. Objects whose kind or namespace comes with the same files are applied after it.
///
/// # Errors
/// A file cannot be read, or objects were refused; all of them are named.
pub(crate) async fn run(server: &Server, paths: &[PathBuf]) -> Result<Applied, ApplyError> {
    let mut manifests = Vec::new();
    for path in paths {
        read(path, &mut manifests)?;
    }
    manifests.sort_by_key(|manifest| rank(&manifest.object));
    let local = server
        .local(User::system("kubernetes-admin"))
        .with_manager(MANAGER);
    let mut refused = Vec::new();
    let mut applied = Vec::new();
    for manifest in &manifests {
        match apply(server, &local, manifest).await {
            Ok((target, word)) => {
                say(&format!("{} {word}", target.shown))?;
                applied.push(target);
            }
            Err(error) => refused.push(format!(
                "{}: {}: {error}",
                manifest.path.display(),
                manifest.name()
            )),
        }
    }
    if refused.is_empty() {
        Ok(Applied(applied))
    } else {
        Err(ApplyError::Refused(refused))
    }
}

/// Definitions and namespaces come first.
fn rank(object: &Value) -> u8 {
    match object.get("kind").and_then(Value::as_str) {
        Some("CustomResourceDefinition") => 0,
        Some("Namespace") => 1,
        _ => 2,
    }
}

fn read(path: &Path, manifests: &mut Vec<Manifest>) -> Result<(), ApplyError> {
    let failed = |source| ApplyError::Read {
        path: path.to_owned(),
        source,
    };
    if path.is_dir() {
        let entries = fs::read_dir(path).map_err(failed)?;
        let mut files = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        files.sort();
        for file in files {
            let is_manifest = file.extension().is_some_and(|extension| {
                ["yaml", "yml", "json"]
                    .iter()
                    .any(|known| extension == *known)
            });
            if file.is_dir() || is_manifest {
                read(&file, manifests)?;
            }
        }
        return Ok(());
    }
    let text = fs::read(path).map_err(failed)?;
    let documents = yaml::to_json_documents(&text).map_err(|source| ApplyError::Parse {
        path: path.to_owned(),
        source,
    })?;
    for (index, object) in documents.into_iter().enumerate() {
        if object.is_null() {
            continue;
        }
        let gvk = GroupVersionKind::of(&object);
        if gvk.version.is_empty() || gvk.kind.is_empty() || meta::name(&object).is_empty() {
            return Err(ApplyError::Shape {
                path: path.to_owned(),
                document: index + 1,
            });
        }
        manifests.push(Manifest {
            object,
            path: path.to_owned(),
        });
    }
    Ok(())
}

/// An object that was applied.
struct Target {
    resource: GroupVersionResource,
    namespace: String,
    name: String,
    shown: String,
}

/// Applies one object: where it is, and what became of it in kubectl's words.
async fn apply(
    server: &Server,
    local: &Local,
    manifest: &Manifest,
) -> Result<(Target, &'static str), ApiError> {
    let gvk = GroupVersionKind::of(&manifest.object);
    let registry = server.core().registry();
    let served = registry.resource_of(&gvk).cloned().ok_or_else(|| {
        ApiError::bad_request(format!(
            "no matches for kind \"{}\" in version \"{}\"",
            gvk.kind,
            gvk.api_version()
        ))
    })?;
    let mut object = manifest.object.clone();
    if served.namespaced && meta::namespace(&object).is_empty() {
        object["metadata"]["namespace"] = Value::from("default");
    }
    let (namespace, name) = (meta::namespace(&object), meta::name(&object));
    let before = local.get(&served.gvr, namespace, name).await.ok();
    let after = local.apply(&served.gvr, namespace, name, &object).await?;
    let word = match before {
        None => "created",
        Some(before) if meta::resource_version(&before) == meta::resource_version(&after) => {
            "unchanged"
        }
        Some(_) => "configured",
    };
    let target = Target {
        resource: served.gvr.clone(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        shown: manifest.name(),
    };
    Ok((target, word))
}

/// What was applied.
pub(crate) struct Applied(Vec<Target>);

impl Applied {
    /// Waits until every object is ready, and prints how each stands.
    ///
    /// # Errors
    /// An object has failed, or is not ready in time.
    pub(crate) async fn wait(&self, server: &Server) -> Result<(), ApplyError> {
        let local = server.local(User::system("kubernetes-admin"));
        let end = Instant::now() + DEADLINE;
        loop {
            let mut healths = Vec::new();
            for target in &self.0 {
                healths.push((target.shown.as_str(), health(server, &local, target).await));
            }
            let waits = healths
                .iter()
                .any(|(_, health)| health.status == Status::InProgress);
            if !waits || Instant::now() > end {
                return report(&healths);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn health(server: &Server, local: &Local, target: &Target) -> Health {
    let now = Time::parse(&server.core().now()).unwrap_or_else(|_| Time::from_unix(0, 0));
    match local
        .get(&target.resource, &target.namespace, &target.name)
        .await
    {
        Ok(object) => object::status::of(&object, now),
        Err(error) => Health {
            status: Status::NotFound,
            message: error.to_string(),
            reason: String::new(),
        },
    }
}

fn report(healths: &[(&str, Health)]) -> Result<(), ApplyError> {
    let width = healths
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    for (name, health) in healths {
        say(&format!(
            "{name:width$}  {:10}  {}",
            health.status.name(),
            health.message
        ))?;
    }
    let unready: Vec<String> = healths
        .iter()
        .filter(|(_, health)| health.status != Status::Current)
        .map(|(name, health)| format!("{name}: {}: {}", health.status.name(), health.message))
        .collect();
    if unready.is_empty() {
        Ok(())
    } else {
        Err(ApplyError::NotReady(unready))
    }
}

fn say(line: &str) -> Result<(), ApplyError> {
    writeln!(io::stdout().lock(), "{line}").map_err(ApplyError::Write)
}
