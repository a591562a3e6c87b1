//! A control plane for one test: `sluice up` on a free port, and the clients that talk to it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::peers;
use crate::process::{Background, Finished, run};
use crate::wait::{DEADLINE, eventually};

/// A running `sluice up`; ended when dropped.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub process: Background,
    /// `https://127.0.0.1:<port>`.
    pub url: String,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    files: TempDir,
}

impl Server {
    /// Starts `program up --in-memory` and waits until it is ready.
    #[track_caller]
    pub fn in_memory(program: &str) -> Self {
        Self::start(program, &["--in-memory"])
    }

    /// Starts `program up` with its data in `directory`.
    #[track_caller]
    pub fn in_directory(program: &str, directory: &Path) -> Self {
        Self::start(program, &["--dir", &directory.to_string_lossy()])
    }

    /// Starts `program up` with further flags and waits until it is ready.
    ///
    /// # Panics
    /// When it ends, or is not ready in time.
    #[track_caller]
    pub fn start(program: &str, flags: &[&str]) -> Self {
        let files = TempDir::new().expect("a temporary folder can be made");
        let (ready, kubeconfig) = (files.path().join("ready"), files.path().join("kubeconfig"));
        let mut process = Background::start(
            Command::new(program)
                .args(["up", "--port", "0", "--ready-file"])
                .arg(&ready)
                .arg("--kubeconfig")
                .arg(&kubeconfig)
                .args(flags),
            &files.path().join("log"),
        );
        let url = eventually(DEADLINE, || {
            if let Some(status) = process.ended() {
                panic!("the server ended with {status}:\n{}", process.output());
            }
            match std::fs::read_to_string(&ready) {
                Ok(text) if text.ends_with('\n') => Ok(text.trim().to_owned()),
                _ => Err(format!("no ready file; the log: {}", process.output())),
            }
        });
        Self {
            process,
            url,
            kubeconfig,
            files,
        }
    }

    /// A folder that lives as long as the server.
    pub fn folder(&self) -> &Path {
        self.files.path()
    }

    /// Writes a file into that folder and gives its path.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.files.path().join(name);
        std::fs::write(&path, text).expect("a temporary file can be written");
        path.to_string_lossy().into_owned()
    }

    /// A client program, with this server as its cluster and nothing of the user's own settings.
    pub fn client(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.files.path())
            .env("TZ", "UTC")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME");
        command
    }

    /// kubectl for this server; `None` when the test is to be skipped.
    pub fn kubectl(&self) -> Option<Kubectl<'_>> {
        Some(Kubectl {
            server: self,
            program: peers::find("kubectl")?,
            namespace: None,
        })
    }
}

/// Runs kubectl.
#[derive(Debug, Clone)]
pub struct Kubectl<'a> {
    server: &'a Server,
    program: PathBuf,
    namespace: Option<String>,
}

impl Kubectl<'_> {
    /// The same, with `--namespace`.
    #[must_use]
    pub fn namespace(&self, namespace: &str) -> Self {
        Self {
            namespace: Some(namespace.to_owned()),
            ..self.clone()
        }
    }

    /// The command line, for tests that run it in the background or with an environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.server.client(&self.program);
        if let Some(namespace) = &self.namespace {
            command.args(["--namespace", namespace]);
        }
        command.args(arguments);
        command
    }

    /// Runs it to its end, at most two minutes.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.run_with(arguments, "")
    }

    /// The same, with text on its standard input.
    #[track_caller]
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Finished {
        run(
            &mut self.command(arguments),
            input,
            Duration::from_secs(120),
        )
    }

    /// The standard output of a run that succeeds.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.run(arguments).ok()
    }

    /// `apply -f -` of a manifest, which succeeds.
    #[track_caller]
    pub fn apply(&self, manifest: &str) -> String {
        self.run_with(&["apply", "-f", "-"], manifest).ok()
    }

    /// Runs it again and again until its output holds for `condition`.
    #[track_caller]
    pub fn until(&self, arguments: &[&str], condition: impl Fn(&str) -> bool) -> String {
        eventually(DEADLINE, || {
            let text = self.run(arguments).result()?;
            if condition(&text) {
                Ok(text)
            } else {
                Err(text)
            }
        })
    }
}
