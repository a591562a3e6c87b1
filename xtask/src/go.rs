//! Small Go modules that are made on the spot, to build programs from the Go module proxy.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::TaskError;

/// Runs a command; its output is shown only if it fails.
pub(crate) fn run(command: &mut Command) -> Result<String, TaskError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| TaskError::Start {
            program: program.clone(),
            source,
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let arguments: Vec<_> = command
        .get_args()
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.insert(0, '\n');
    Err(TaskError::Failed {
        program: format!("{program} {}", arguments.join(" ")),
        status: output.status,
        output: text,
    })
}

/// `go ARGUMENTS` in `directory`.
pub(crate) fn go(directory: &Path, arguments: &[&str]) -> Result<String, TaskError> {
    run(Command::new("go").args(arguments).current_dir(directory))
}

/// Writes the files of a module into `directory` and completes its `go.mod`.
pub(crate) fn module(directory: &Path, files: &[(&str, &str)]) -> Result<(), TaskError> {
    create_dir(directory)?;
    for (name, text) in files {
        write(&directory.join(name), text)?;
    }
    // `-e`: optional imports of the module's own tests may be out of reach; the build tells what is missing.
    go(directory, &["mod", "tidy", "-e"]).map(drop)
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), TaskError> {
    fs::write(path, text).map_err(|source| TaskError::File {
        action: "write",
        path: path.into(),
        source,
    })
}

/// Makes a folder and those above it.
pub(crate) fn create_dir(path: &Path) -> Result<(), TaskError> {
    fs::create_dir_all(path).map_err(|source| TaskError::File {
        action: "create",
        path: path.into(),
        source,
    })
}

/// Reads a text file.
pub(crate) fn read(path: &Path) -> Result<String, TaskError> {
    fs::read_to_string(path).map_err(|source| TaskError::File {
        action: "read",
        path: path.into(),
        source,
    })
}
