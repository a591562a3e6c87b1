//! Starting what is measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::Value;

use super::client::Target;
use crate::go::{create_dir, read, run};
use crate::{TaskError, peers};

/// How long a start may take.
const LIMIT: Duration = Duration::from_secs(60);

/// `sluice up` with a directory.
pub(super) struct Sluice {
    pub(super) target: Target,
    child: Child,
}

impl Sluice {
    /// Starts it; gives how long it took until it said that it is ready.
    pub(super) fn start(program: &Path, directory: &Path) -> Result<(Self, Duration), TaskError> {
        create_dir(directory)?;
        let (ready, kubeconfig) = (directory.join("ready"), directory.join("kubeconfig"));
        // One of an earlier start would be taken for this one's.
        let _ = fs::remove_file(&ready);
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args(["--log-level", "error", "up", "--port", "0", "--dir"])
            .arg(directory)
            .arg("--ready-file")
            .arg(&ready)
            .stdout(Stdio::null())
            .spawn()
            .map_err(|source| TaskError::Start {
                program: program.display().to_string(),
                source,
            })?;
        let url = loop {
            match fs::read_to_string(&ready) {
                Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
                _ if begun.elapsed() > LIMIT => {
                    // It may have ended by itself.
                    let _ = child.kill();
                    return Err(TaskError::Other("sluice up is not ready".to_owned()));
                }
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let took = begun.elapsed();
        let target = target_of(&url, &kubeconfig)?;
        Ok((Self { target, child }, took))
    }

    /// Its resident memory in bytes.
    pub(super) fn resident(&self) -> Result<u64, TaskError> {
        let status = read(&PathBuf::from(format!("/proc/{}/status", self.child.id())))?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
            .unwrap_or_default();
        Ok(kib * 1024)
    }

    /// Ends it with SIGTERM.
    pub(super) fn stop(&mut self) -> Result<(), TaskError> {
        run(Command::new("kill").arg(self.child.id().to_string()))?;
        self.child
            .wait()
            .map(drop)
            .map_err(|source| TaskError::Start {
                program: "sluice".to_owned(),
                source,
            })
    }
}

impl Drop for Sluice {
    fn drop(&mut self) {
        // It has been stopped unless something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn target_of(url: &str, kubeconfig: &Path) -> Result<Target, TaskError> {
    let broken =
        |error: &dyn std::fmt::Display| TaskError::Other(format!("the kubeconfig: {error}"));
    let config: Value = serde_json::from_str(&read(kubeconfig)?).map_err(|error| broken(&error))?;
    let authority = config["clusters"][0]["cluster"]["certificate-authority-data"]
        .as_str()
        .unwrap_or_default();
    let authority = base64::engine::general_purpose::STANDARD
        .decode(authority)
        .map_err(|error| broken(&error))?;
    let token = config["users"][0]["user"]["token"]
        .as_str()
        .unwrap_or_default();
    Target::new(url, token, &authority)
}

/// kube-apiserver and etcd, without controllers.
pub(super) struct Peer {
    pub(super) target: Target,
    directory: PathBuf,
}

impl Peer {
    /// Starts them and waits until they answer.
    pub(super) fn start(directory: &Path) -> Result<Self, TaskError> {
        peers::up(directory, None, false)?;
        let kubeconfig = read(&directory.join("kubeconfig"))?;
        let url = kubeconfig
            .split('"')
            .find(|part| part.starts_with("https://"))
            .unwrap_or_default();
        let tokens = read(&directory.join("tokens.csv"))?;
        let token = tokens.split(',').next().unwrap_or_default();
        let authorities = read(&directory.join("certs/apiserver.crt"))?;
        Ok(Self {
            target: Target::new(url, token, authorities.as_bytes())?,
            directory: directory.to_owned(),
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The folder that holds their process ids goes with the run.
        let _ = peers::down(&self.directory);
    }
}
