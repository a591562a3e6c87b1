//! Artifacts on disk.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use api::meta::Artifact;
use parking_lot::Mutex;
use tree::unpack::{self, Limits, UnpackError};
use tree::{Ignore, Tree, archive};

use crate::{DigestAlgorithm, Digester, garbage};

/// Settings of a store.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The folder that artifacts lie in (`--storage-path`).
    pub path: PathBuf,
    /// The address in URLs: host and port, perhaps with a scheme (`--storage-adv-addr`).
    pub hostname: String,
    /// How long artifacts are kept (`--artifact-retention-ttl`).
    pub retention_ttl: Duration,
    /// How many are kept (`--artifact-retention-records`).
    pub retention_records: usize,
    /// What digests are computed with (`--artifact-digest-algo`).
    pub digest: DigestAlgorithm,
}

impl StoreOptions {
    /// Flux's defaults for a store in `path`.
    pub fn new(path: impl Into<PathBuf>, hostname: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            hostname: hostname.into(),
            retention_ttl: Duration::from_secs(60),
            retention_records: 2,
            digest: DigestAlgorithm::default(),
        }
    }
}

/// Why an artifact cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder of the store is none.
    #[error("invalid dir path: {}", .0.display())]
    Folder(PathBuf),
    /// The path of an artifact leads out of the store.
    #[error("the path of the artifact leads out of the storage: {0}")]
    Path(String),
    /// The disk says no; in Go's words.
    #[error("{operation} {}: {}", .path.display(), tree::errno_text(.source))]
    Disk {
        /// The operation.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A content cannot be read from where it comes.
    #[error("{0}")]
    Content(#[source] io::Error),
    /// The artifact tells no digest.
    #[error("artifact has no digest")]
    NoDigest,
    /// The digest has a wrong form.
    #[error("failed to parse artifact digest '{0}': {1}")]
    Digest(String, String),
    /// The file is not what was stored.
    #[error("computed digest doesn't match '{0}'")]
    Mismatch(String),
    /// The archive cannot be read.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
}

/// Artifacts on disk, in Flux's layout.
#[derive(Debug)]
pub struct Store {
    pub(crate) options: StoreOptions,
    /// Files whose digest was found right, by what tells that they were not touched since.
    verified: Mutex<HashMap<PathBuf, (Stamp, String)>>,
}

/// Inode, size and time of change.
type Stamp = (u64, u64, i64, i64);

fn stamp(metadata: &fs::Metadata) -> Stamp {
    (
        metadata.ino(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    )
}

fn disk(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Disk {
        operation,
        path,
        source,
    }
}

impl Store {
    /// A store in a folder that is there.
    ///
    /// # Errors
    /// It is not.
    pub fn new(options: StoreOptions) -> Result<Self, StoreError> {
        if !options.path.is_dir() {
            return Err(StoreError::Folder(options.path));
        }
        Ok(Self {
            options,
            verified: Mutex::default(),
        })
    }

    /// The folder of the store.
    pub fn path(&self) -> &Path {
        &self.options.path
    }

    /// `<kind>/<namespace>/<name>`, the folder of an object's artifacts.
    pub fn folder_of(kind: &str, namespace: &str, name: &str) -> String {
        format!("{}/{namespace}/{name}", kind.to_lowercase())
    }

    /// An artifact of an object that is still to be written.
    pub fn new_artifact(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        revision: &str,
        file: &str,
    ) -> Artifact {
        let mut artifact = Artifact {
            path: format!("{}/{file}", Self::folder_of(kind, namespace, name)),
            revision: revision.to_owned(),
            ..Artifact::default()
        };
        self.set_url(&mut artifact);
        artifact
    }

    /// Sets the URL, for an address that may have changed.
    pub fn set_url(&self, artifact: &mut Artifact) {
        if artifact.path.is_empty() {
            return;
        }
        let host = &self.options.hostname;
        let path = artifact.path.trim_start_matches('/');
        artifact.url = if host.starts_with("http://") || host.starts_with("https://") {
            format!("{host}/{path}")
        } else {
            format!("http://{host}/{path}")
        };
    }

    /// The file of an artifact.
    ///
    /// # Errors
    /// Its path, which comes from a status, leads out of the store.
    pub fn file(&self, artifact: &Artifact) -> Result<PathBuf, StoreError> {
        let relative = Path::new(artifact.path.trim_start_matches('/'));
        let is_plain = relative.components().all(|part| match part {
            Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
            _ => false,
        });
        if !is_plain || relative.components().count() < 2 {
            return Err(StoreError::Path(artifact.path.clone()));
        }
        Ok(self.options.path.join(relative))
    }

    /// Whether the artifact is there, as a regular file.
    pub fn exists(&self, artifact: &Artifact) -> bool {
        self.file(artifact)
            .ok()
            .and_then(|file| fs::symlink_metadata(file).ok())
            .is_some_and(|metadata| metadata.is_file())
    }

    /// Checks that the file is what was stored. A file that was found right is not read again until it changes.
    ///
    /// # Errors
    /// It is not, or cannot be read.
    pub fn verify(&self, artifact: &Artifact) -> Result<(), StoreError> {
        if artifact.digest.is_empty() {
            return Err(StoreError::NoDigest);
        }
        let parse = |reason: String| StoreError::Digest(artifact.digest.clone(), reason);
        let (name, _) = artifact
            .digest
            .split_once(':')
            .ok_or_else(|| parse("invalid checksum digest format".to_owned()))?;
        let algorithm = name
            .parse()
            .map_err(|_| parse("unsupported digest algorithm".to_owned()))?;
        let path = self.file(artifact)?;
        let mut file = File::open(&path).map_err(disk("open", &path))?;
        let stamp = stamp(&file.metadata().map_err(disk("stat", &path))?);
        let known = self
            .verified
            .lock()
            .get(&path)
            .is_some_and(|known| *known == (stamp, artifact.digest.clone()));
        if known {
            return Ok(());
        }
        let mut digester = Digester::new(algorithm);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer).map_err(disk("read", &path))? {
                0 => break,
                read => digester.update(&buffer[..read]),
            }
        }
        if digester.finish() != artifact.digest {
            return Err(StoreError::Mismatch(artifact.digest.clone()));
        }
        self.verified
            .lock()
            .insert(path, (stamp, artifact.digest.clone()));
        Ok(())
    }

    /// Writes `tree` without what `ignore` leaves out, and sets digest, size and time of the artifact.
    ///
    /// # Errors
    /// A content cannot be read, or the disk says no; then nothing of it is left.
    pub fn write(
        &self,
        artifact: &mut Artifact,
        tree: &Tree,
        ignore: &Ignore,
    ) -> Result<(), StoreError> {
        self.write_with(artifact, |writer| archive::write(tree, ignore, writer))
    }

    /// Writes what `content` gives, and sets digest, size and time of the artifact.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_with(
        &self,
        artifact: &mut Artifact,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let path = self.file(artifact)?;
        let folder = path
            .parent()
            .ok_or_else(|| StoreError::Path(artifact.path.clone()))?;
        make_folder(folder).map_err(disk("mkdir", folder))?;
        let _lock = lock(&path)?;
        let (temporary, file) = temporary(&path).map_err(disk("open", &path))?;
        let written = self.fill(file, &temporary, content).and_then(|filled| {
            fs::rename(&temporary, &path).map_err(disk("rename", &path))?;
            // The name is durable only with its folder.
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(disk("sync", folder))?;
            Ok(filled)
        });
        let (digest, size, stamp) = written.inspect_err(|_| drop(fs::remove_file(&temporary)))?;
        self.verified.lock().insert(path, (stamp, digest.clone()));
        artifact.digest = digest;
        artifact.size = Some(size as i64);
        artifact.last_update_time = jiff::Timestamp::now().into();
        Ok(())
    }

    fn fill(
        &self,
        file: File,
        path: &Path,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(String, u64, Stamp), StoreError> {
        let mut writer = Counted {
            file,
            digester: Digester::new(self.options.digest),
            size: 0,
            failed: false,
        };
        let mut buffered = io::BufWriter::with_capacity(64 << 10, &mut writer);
        let done = content(&mut buffered).and_then(|()| buffered.flush());
        // What was buffered is not written again when it is dropped.
        drop(buffered.into_parts());
        if let Err(error) = done {
            return Err(if writer.failed {
                disk("write", path)(error)
            } else {
                StoreError::Content(error)
            });
        }
        writer
            .file
            .set_permissions(fs::Permissions::from_mode(0o600))
            .map_err(disk("chmod", path))?;
        writer.file.sync_all().map_err(disk("sync", path))?;
        let metadata = writer.file.metadata().map_err(disk("stat", path))?;
        Ok((writer.digester.finish(), writer.size, stamp(&metadata)))
    }

    /// The tree of an artifact that was stored, after its digest was checked.
    ///
    /// # Errors
    /// It is not there, or not what was stored.
    pub fn read(&self, artifact: &Artifact) -> Result<Tree, StoreError> {
        self.verify(artifact)?;
        let path = self.file(artifact)?;
        let file = File::open(&path).map_err(disk("open", &path))?;
        Ok(unpack::read(
            file,
            &std::env::temp_dir(),
            Limits {
                bytes: u64::MAX,
                ..Limits::default()
            },
        )?)
    }

    /// Removes the file of an artifact.
    ///
    /// # Errors
    /// The disk says no.
    pub fn remove(&self, artifact: &Artifact) -> Result<(), StoreError> {
        let path = self.file(artifact)?;
        self.verified.lock().remove(&path);
        fs::remove_file(&path).map_err(disk("remove", &path))
    }

    /// Removes all artifacts of an object, and tells whether there were any.
    ///
    /// # Errors
    /// The disk says no.
    pub fn remove_all(&self, kind: &str, namespace: &str, name: &str) -> Result<bool, StoreError> {
        let artifact = Artifact {
            path: format!("{}/x", Self::folder_of(kind, namespace, name)),
            ..Artifact::default()
        };
        let file = self.file(&artifact)?;
        let folder = file.parent().ok_or(StoreError::Path(artifact.path))?;
        if !folder.exists() {
            return Ok(false);
        }
        self.verified
            .lock()
            .retain(|path, _| !path.starts_with(folder));
        fs::remove_dir_all(folder).map_err(disk("unlinkat", folder))?;
        Ok(true)
    }

    /// Removes what is too old or too much beside the current artifact. Gives the files that are gone.
    ///
    /// # Errors
    /// The disk says no.
    pub fn collect_garbage(&self, current: &Artifact) -> Result<Vec<PathBuf>, StoreError> {
        let file = self.file(current)?;
        let garbage = garbage::find(&file, &self.options).map_err(disk("lstat", &file))?;
        let mut removed = Vec::new();
        let mut verified = self.verified.lock();
        for path in garbage {
            fs::remove_file(&path).map_err(disk("remove", &path))?;
            let mut lock = path.clone().into_os_string();
            lock.push(".lock");
            drop(fs::remove_file(lock));
            verified.remove(&path);
            removed.push(path);
        }
        Ok(removed)
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Holds the lock of a file until it is dropped, as Flux does: by a file beside it that stays.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(disk("open", &path))?;
    file.lock().map_err(disk("lock", &path))?;
    Ok(file)
}

/// A new file beside `path`, for its content until it is whole.
fn temporary(path: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("{}", rand::random::<u32>()));
        let name = PathBuf::from(name);
        match File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&name)
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return Ok((name, result?)),
        }
    }
}

struct Counted {
    file: File,
    digester: Digester,
    size: u64,
    failed: bool,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes).inspect_err(|_| self.failed = true)?;
        self.digester.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
