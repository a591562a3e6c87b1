//! Plugins: executables named `flux-<name>` in one folder, run as `flux <name>`.

use std::path::{Path, PathBuf};

use super::invocation::Invocation;
use super::table::TABLE;
use super::{Outcome, go, output};

/// An executable that adds a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plugin {
    /// The command.
    pub(crate) name: String,
    /// The executable.
    pub(crate) path: PathBuf,
}

/// The folder of plugins: `$FLUXCD_PLUGINS`, else `~/.fluxcd/plugins`.
pub(crate) fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("FLUXCD_PLUGINS").filter(|folder| !folder.is_empty()) {
        return Some(PathBuf::from(folder));
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(Path::new(&home).join(".fluxcd").join("plugins"))
}

/// The plugins in the folder, by file name; those named as a command of ours are passed over.
pub(crate) fn discover() -> Vec<Plugin> {
    let Some(folder) = folder() else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut files: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    files.sort_unstable();
    let reserved: Vec<&str> = TABLE
        .children(TABLE.root())
        .iter()
        .map(|command| command.name())
        .chain(["plugin", "help"])
        .collect();
    files
        .into_iter()
        .filter_map(|file| {
            let name = file.strip_prefix("flux-").filter(|name| !name.is_empty())?;
            let path = folder.join(&file);
            (!reserved.contains(&name) && is_executable(&path)).then(|| Plugin {
                name: name.to_owned(),
                path,
            })
        })
        .collect()
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Runs a plugin in place of this process, so that signals and its exit code are its own.
///
/// # Errors
/// When it cannot be started; it does not return otherwise.
pub(crate) fn exec(plugin: &Plugin, words: &[String]) -> std::io::Error {
    use std::os::unix::process::CommandExt as _;
    std::process::Command::new(&plugin.path)
        .arg0(&plugin.path)
        .args(words)
        .exec()
}

/// Runs `plugin WHAT`.
pub(super) fn run(invocation: &Invocation<'_>, what: &str) -> Outcome {
    match what {
        "list" => list(),
        "uninstall" => uninstall(invocation.name()),
        "update" => update(invocation.first()),
        _ => Err("the plugin catalog cannot be reached: put an executable named flux-<name> into the folder \
                  of plugins instead"
            .into()),
    }
}

/// The version in a plugin's receipt, which an installation leaves beside it.
fn receipt(name: &str) -> Option<String> {
    let file = folder()?.join(format!("flux-{name}.yaml"));
    let receipt = yaml::to_json(&std::fs::read(file).ok()?).ok()?;
    receipt["version"].as_str().map(str::to_owned)
}

fn list() -> Outcome {
    let plugins = discover();
    if plugins.is_empty() {
        output::out("No plugins found\n");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = plugins
        .into_iter()
        .map(|plugin| {
            let version = receipt(&plugin.name).unwrap_or_else(|| "manual".to_owned());
            vec![plugin.name, version, plugin.path.display().to_string()]
        })
        .collect();
    output::out(output::table(&["NAME", "VERSION", "PATH"], &rows));
    Ok(())
}

fn uninstall(name: &str) -> Outcome {
    let missing = || format!("plugin {} is not installed", go::quote(name));
    let good = !name.is_empty() && !name.contains('/') && !name.starts_with('.');
    let folder = folder().filter(|_| good).ok_or_else(missing)?;
    let file = folder.join(format!("flux-{name}"));
    if !file.exists() {
        return Err(missing().into());
    }
    std::fs::remove_file(&file).map_err(|error| go::path_error("remove", &file, &error))?;
    // A plugin that was put there by hand has no receipt.
    let _ = std::fs::remove_file(folder.join(format!("flux-{name}.yaml")));
    output::success(format_args!("uninstalled {name}"));
    Ok(())
}

fn update(name: Option<&str>) -> Outcome {
    let plugins = discover();
    if plugins.is_empty() {
        output::out("No plugins found\n");
        return Ok(());
    }
    let installed = |name: &str| plugins.iter().any(|plugin| plugin.name == name);
    if let Some(name) = name.filter(|name| !installed(name)) {
        return Err(format!("plugin {} is not installed", go::quote(name)).into());
    }
    for plugin in plugins
        .iter()
        .filter(|plugin| name.is_none_or(|name| plugin.name == name))
    {
        if receipt(&plugin.name).is_none() {
            output::warning(format_args!(
                "skipping {} (manually installed)",
                plugin.name
            ));
        } else {
            output::failure(format_args!(
                "error checking {}: the plugin catalog cannot be reached",
                plugin.name
            ));
        }
    }
    Ok(())
}
