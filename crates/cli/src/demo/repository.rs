//! The repositories of the demo: made once, then the user's.
//!
//! Two, as in most companies: the application has its source in one; the other says what runs where. Only the latter is
//! synced.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use age::secrecy::ExposeSecret as _;
use sops::KeyService as _;

/// The repository that is synced.
pub(crate) const ENVIRONMENTS: &str = "environments";
/// The repository with the source of the application.
pub(crate) const APPLICATION: &str = "example-application";

/// Why a repository cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RepositoryError {
    #[error("cannot write {path}")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot run git")]
    NoGit(#[source] std::io::Error),
    #[error("`git {command}` failed: {output}")]
    Git { command: String, output: String },
    #[error("cannot encrypt the Secret")]
    Encrypt(#[source] sops::Error),
    #[error("the key in {path} cannot be used: {why}")]
    Key { path: PathBuf, why: String },
}

/// The folders of a demo.
pub(crate) struct Repositories {
    pub(crate) folder: PathBuf,
}

/// What the environment repository holds at first, besides the encrypted Secrets.
const FILES: [(&str, &str); 16] = [
    ("README.md", include_str!("files/README.md")),
    (
        "clusters/demo/infrastructure.yaml",
        include_str!("files/clusters/infrastructure.yaml"),
    ),
    (
        "clusters/demo/staging.yaml",
        include_str!("files/clusters/staging.yaml"),
    ),
    (
        "clusters/demo/production.yaml",
        include_str!("files/clusters/production.yaml"),
    ),
    (
        "infrastructure/kustomization.yaml",
        include_str!("files/infrastructure/kustomization.yaml"),
    ),
    (
        "infrastructure/namespaces.yaml",
        include_str!("files/infrastructure/namespaces.yaml"),
    ),
    (
        "infrastructure/quotas.yaml",
        include_str!("files/infrastructure/quotas.yaml"),
    ),
    (
        "base/kustomization.yaml",
        include_str!("files/base/kustomization.yaml"),
    ),
    (
        "base/deployment.yaml",
        include_str!("files/base/deployment.yaml"),
    ),
    ("base/service.yaml", include_str!("files/base/service.yaml")),
    (
        "base/settings.yaml",
        include_str!("files/base/settings.yaml"),
    ),
    (
        "staging/kustomization.yaml",
        include_str!("files/staging/kustomization.yaml"),
    ),
    (
        "staging/replicas.yaml",
        include_str!("files/staging/replicas.yaml"),
    ),
    (
        "production/kustomization.yaml",
        include_str!("files/production/kustomization.yaml"),
    ),
    (
        "production/replicas.yaml",
        include_str!("files/production/replicas.yaml"),
    ),
    (
        "production/settings.yaml",
        include_str!("files/production/settings.yaml"),
    ),
];

/// What the repository of the application holds.
const APPLICATION_FILES: [(&str, &str); 3] = [
    ("README.md", include_str!("files/application/README.md")),
    ("Dockerfile", include_str!("files/application/Dockerfile")),
    ("index.html", include_str!("files/application/index.html")),
];

impl Repositories {
    /// Where the key for the Secrets lies; it is in no repository.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.join("age.agekey")
    }

    /// The folder of the bare repositories, which are served.
    pub(crate) fn served(&self) -> PathBuf {
        self.folder.join("served")
    }

    /// A working copy.
    pub(crate) fn working_copy(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes what is not there yet; what the user has changed stays. Gives the key for the Secrets.
    pub(crate) fn prepare(&self) -> Result<String, RepositoryError> {
        let key = self.key()?;
        if !self.served().join(format!("{ENVIRONMENTS}.git")).exists() {
            let folder = self.working_copy(ENVIRONMENTS);
            write_all(&folder, &FILES)?;
            for environment in ["staging", "production"] {
                let sealed = secret(environment, &key, &self.key_file())?;
                write(&folder.join(environment).join("credentials.yaml"), &sealed)?;
            }
            self.publish(
                ENVIRONMENTS,
                "Run the example application in two environments",
            )?;
        }
        if !self.served().join(format!("{APPLICATION}.git")).exists() {
            write_all(&self.working_copy(APPLICATION), &APPLICATION_FILES)?;
            self.publish(APPLICATION, "Greet")?;
        }
        Ok(key)
    }

    /// Lets the working copies push to where the repositories are served now.
    pub(crate) fn set_remotes(&self, base: &str) -> Result<(), RepositoryError> {
        for name in [ENVIRONMENTS, APPLICATION] {
            let folder = self.working_copy(name);
            if folder.join(".git").exists() {
                git(
                    &folder,
                    &["remote", "set-url", "origin", &format!("{base}/{name}.git")],
                )?;
            }
        }
        Ok(())
    }

    fn key(&self) -> Result<String, RepositoryError> {
        let path = self.key_file();
        if let Ok(key) = std::fs::read_to_string(&path) {
            return Ok(key);
        }
        let identity = age::x25519::Identity::generate();
        let text = format!(
            "# public key: {}\n{}\n",
            identity.to_public(),
            identity.to_string().expose_secret()
        );
        let failed = |source| RepositoryError::Write {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        crate::embedded::write_private(&path, &text).map_err(failed)?;
        Ok(text)
    }

    fn publish(&self, name: &str, message: &str) -> Result<(), RepositoryError> {
        let (folder, bare) = (
            self.working_copy(name),
            self.served().join(format!("{name}.git")),
        );
        std::fs::create_dir_all(&bare).map_err(|source| RepositoryError::Write {
            path: bare.clone(),
            source,
        })?;
        git(
            &bare,
            &["init", "--quiet", "--bare", "--initial-branch=main"],
        )?;
        // There is nobody on loopback to keep out but the user.
        git(&bare, &["config", "http.receivepack", "true"])?;
        git(&folder, &["init", "--quiet", "--initial-branch=main"])?;
        git(&folder, &["config", "user.name", "Sluice demo"])?;
        git(&folder, &["config", "user.email", "demo@localhost"])?;
        git(&folder, &["add", "--all"])?;
        git(&folder, &["commit", "--quiet", "--message", message])?;
        git(
            &folder,
            &["remote", "add", "origin", &bare.to_string_lossy()],
        )?;
        git(
            &folder,
            &["push", "--quiet", "--set-upstream", "origin", "main"],
        )
    }
}

fn write(path: &Path, text: &str) -> Result<(), RepositoryError> {
    let failed = |source| RepositoryError::Write {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

fn write_all(folder: &Path, files: &[(&str, &str)]) -> Result<(), RepositoryError> {
    files
        .iter()
        .try_for_each(|(name, text)| write(&folder.join(name), text))
}

/// A Secret, encrypted for the key.
fn secret(environment: &str, key: &str, path: &Path) -> Result<String, RepositoryError> {
    let bad = |why: String| RepositoryError::Key {
        path: path.to_owned(),
        why,
    };
    let mut keys = sops::AgeKeys::default();
    keys.import(key).map_err(|error| bad(error.to_string()))?;
    let recipient = keys
        .held()
        .into_iter()
        .next()
        .ok_or_else(|| bad("it is empty".to_owned()))?;
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let mut request = sops::Encrypt::new(vec![vec![sops::KeyKind::Age { recipient }]], now);
    request.rule = sops::Rule::EncryptedRegex("^(data|stringData)$".to_owned());
    let password = uuid::Uuid::new_v4().simple().to_string();
    let plain = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: credentials\nstringData:\n  username: {environment}\n  password: {password}\n"
    );
    let mut random = |bytes: &mut [u8]| rand::fill(bytes);
    let sealed = sops::encrypt(
        plain.as_bytes(),
        sops::Format::Yaml,
        &request,
        &keys,
        &mut random,
    )
    .map_err(RepositoryError::Encrypt)?;
    Ok(String::from_utf8_lossy(&sealed).into_owned())
}

fn git(folder: &Path, arguments: &[&str]) -> Result<(), RepositoryError> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(RepositoryError::NoGit)?;
    if output.status.success() {
        return Ok(());
    }
    Err(RepositoryError::Git {
        command: arguments.join(" "),
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
