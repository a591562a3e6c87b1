//! An SSH server on loopback: Debian's `openssh-server` with throw-away keys.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::run;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct SshServer {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl SshServer {
    /// Starts it on a free port; `None` where it is not installed.
    ///
    /// `environment` says whether clients may choose the version of Git's protocol.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(environment: bool) -> Option<Self> {
        let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"]
            .into_iter()
            .find(|path| Path::new(path).exists())?;
        let folder = TempDir::new().expect("a temporary folder can be made");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        for (name, kind) in [
            ("host", "ed25519"),
            ("client", "ed25519"),
            ("client_rsa", "rsa"),
        ] {
            keygen(&["-t", kind, "-f", &path(name), "-N", ""]);
        }
        keygen(&[
            "-t",
            "ed25519",
            "-f",
            &path("client_encrypted"),
            "-N",
            "open sesame",
        ]);
        let mut keys = String::new();
        for name in ["client.pub", "client_rsa.pub", "client_encrypted.pub"] {
            keys.push_str(&fs::read_to_string(path(name)).expect("it was made"));
        }
        fs::write(path("authorized_keys"), keys).expect("a file can be written");
        let config = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\n\
             PermitRootLogin prohibit-password\n{}",
            path("host"),
            path("authorized_keys"),
            if environment {
                "AcceptEnv GIT_PROTOCOL\n"
            } else {
                ""
            },
        );
        fs::write(path("config"), config).expect("a file can be written");
        // Its own privilege separation wants this folder.
        drop(fs::create_dir_all("/run/sshd"));
        let port = TcpListener::bind("127.0.0.1:0")
            .expect("a free port")
            .local_addr()
            .expect("it is bound")
            .port();
        let child = Command::new(program)
            .args([
                "-D",
                "-e",
                "-f",
                &path("config"),
                "-o",
                "ListenAddress=127.0.0.1",
                "-p",
                &port.to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is installed");
        let server = Self {
            child,
            port,
            folder,
        };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("sshd does not listen");
    }

    /// The URL of a path on this machine, for the user who runs the tests.
    pub fn url(&self, path: &Path) -> String {
        let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
        format!("ssh://{user}@127.0.0.1:{}{}", self.port, path.display())
    }

    /// A private key that it knows: `client`, `client_rsa` or `client_encrypted` (with the password `open sesame`).
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn key(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).expect("a key of this name")
    }

    /// The content of a `known_hosts` file for it.
    ///
    /// # Panics
    /// When its key cannot be read.
    pub fn known_hosts(&self) -> String {
        let key = fs::read_to_string(self.folder.path().join("host.pub")).expect("it was made");
        format!("[127.0.0.1]:{} {key}", self.port)
    }

    /// A key that is no server's, in the form of `known_hosts`.
    pub fn other_host(&self) -> String {
        let other: PathBuf = self.folder.path().join("client.pub");
        let key = fs::read_to_string(other).unwrap_or_default();
        format!("[127.0.0.1]:{} {key}", self.port)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn keygen(arguments: &[&str]) {
    run(
        Command::new("ssh-keygen").arg("-q").args(arguments),
        "",
        Duration::from_secs(30),
    )
    .ok();
}
