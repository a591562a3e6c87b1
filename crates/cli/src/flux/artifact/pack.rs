//! A folder or file as an artifact: a `.tar.gz` without anything of this machine in it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tree::Ignore;
use tree::archive::TarWriter;

use crate::flux::{Stop, go};

/// What is packed.
pub(super) struct Source {
    path: PathBuf,
    /// What goes with it when it is dropped.
    temporary: Option<PathBuf>,
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(path) = &self.temporary {
            // What cannot be removed is left to whoever cleans the folder of temporary files.
            let _ = if path.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
        }
    }
}

impl Source {
    /// The path; `-` is standard input, as a file.
    pub(super) fn open(path: &str) -> Result<Self, Stop> {
        if path.is_empty() {
            return Err("invalid path \"\"".into());
        }
        if path != "-" {
            return Ok(Self {
                path: PathBuf::from(path),
                temporary: None,
            });
        }
        let mut bytes = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        let end = bytes
            .iter()
            .rposition(|byte| !b"\r\n".contains(byte))
            .map_or(0, |at| at + 1);
        bytes.truncate(end);
        let file = std::env::temp_dir().join(format!("{}.yaml", number()));
        fs::write(&file, bytes).map_err(|error| format!("error writing stdin to file: {error}"))?;
        Ok(Self {
            path: file.clone(),
            temporary: Some(file),
        })
    }

    /// The path as messages show it.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether nothing is there.
    pub(super) fn is_missing(&self) -> bool {
        fs::metadata(&self.path).is_err()
    }

    /// With links replaced by what they lead to, in a copy, if that is wanted.
    pub(super) fn resolved(self, wanted: bool) -> Result<Self, Stop> {
        if !wanted {
            return Ok(self);
        }
        let failed = |error: io::Error| format!("resolving symlinks failed: {}", go::errno(&error));
        let folder = std::env::temp_dir().join(format!("flux-artifact-{}", number()));
        std::os::unix::fs::DirBuilderExt::mode(&mut fs::DirBuilder::new(), 0o700)
            .create(&folder)
            .map_err(failed)?;
        let mut copy = Self {
            path: folder.clone(),
            temporary: Some(folder.clone()),
        };
        let from = std::path::absolute(&self.path).map_err(failed)?;
        if from.is_dir() {
            copy_folder(&from, &folder, &mut BTreeSet::new()).map_err(failed)?;
        } else {
            let name = from.file_name().unwrap_or_default();
            copy.path = folder.join(name);
            fs::copy(&from, &copy.path).map_err(failed)?;
        }
        Ok(copy)
    }

    /// The archive.
    pub(super) fn pack(&self, ignored: &[String]) -> Result<Vec<u8>, String> {
        let path = std::path::absolute(&self.path).map_err(|error| error.to_string())?;
        let mut ignore = Ignore::default();
        ignore.add(&ignored.join("\n"), Path::new(""));
        let gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut archive = TarWriter::new(gzip);
        let written = if path.is_dir() {
            write_folder(&mut archive, &path, Path::new(""), &ignore)
        } else {
            write_single(&mut archive, &path, &ignore)
        };
        written
            .and_then(|()| archive.finish())
            .and_then(GzEncoder::finish)
            .map_err(|error| go::errno(&error))
    }
}

/// What an archive holds, uncompressed; as it is if it is no gzip.
pub(super) fn content(archive: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(archive).take(UNPACKED_LIMIT);
    match reader.read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(_) => archive.to_vec(),
    }
}

/// No artifact unpacks to more.
const UNPACKED_LIMIT: u64 = 2 << 30;

/// Unpacks an archive into a folder; nothing is written outside of it.
pub(super) fn unpack(archive: &[u8], folder: &Path) -> Result<(), String> {
    let tree = tree::unpack::read(
        archive,
        &std::env::temp_dir(),
        tree::unpack::Limits::default(),
    )
    .map_err(|error| error.to_string())?;
    for (path, entry) in tree.walk() {
        let target = folder.join(path);
        let written = match entry {
            tree::Entry::Folder => fs::create_dir_all(&target),
            tree::Entry::File { id, .. } => tree.content(id).and_then(|bytes| {
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(&target, &bytes)
            }),
            // Links are no part of artifacts.
            tree::Entry::Link(_) => Ok(()),
        };
        written.map_err(|error| go::path_error("open", &target, &error))?;
    }
    Ok(())
}

fn number() -> u32 {
    uuid::Uuid::new_v4().as_fields().0
}

fn mode(data: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    data.permissions().mode() & 0o777
}

fn write_folder<W: io::Write>(
    archive: &mut TarWriter<W>,
    root: &Path,
    relative: &Path,
    ignore: &Ignore,
) -> io::Result<()> {
    let folder = root.join(relative);
    archive.folder(relative, mode(&fs::metadata(&folder)?))?;
    let mut names: Vec<_> = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<_>>()?;
    names.sort_unstable();
    for name in names {
        let inner = relative.join(&name);
        let path = root.join(&inner);
        let data = fs::symlink_metadata(&path)?;
        if ignore.excludes(&inner, data.is_dir()) {
            continue;
        }
        if data.is_dir() {
            write_folder(archive, root, &inner, ignore)?;
        } else if data.is_file() {
            archive.file(&inner, mode(&data), &fs::read(&path)?)?;
        }
    }
    Ok(())
}

fn write_single<W: io::Write>(
    archive: &mut TarWriter<W>,
    path: &Path,
    ignore: &Ignore,
) -> io::Result<()> {
    let name = PathBuf::from(path.file_name().unwrap_or_default());
    archive.folder(Path::new(""), 0o700)?;
    if !ignore.excludes(&name, false) {
        archive.file(&name, mode(&fs::metadata(path)?), &fs::read(path)?)?;
    }
    Ok(())
}

/// Copies what a folder holds, through links; a circle of links ends where it closes.
fn copy_folder(from: &Path, to: &Path, above: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let real = fs::canonicalize(from)?;
    if !above.insert(real.clone()) {
        return Ok(());
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let source = fs::canonicalize(entry.path())?;
        let target = to.join(entry.file_name());
        let data = fs::metadata(&source)?;
        if data.is_dir() {
            fs::create_dir_all(&target)?;
            copy_folder(&source, &target, above)?;
        } else if data.is_file() {
            fs::copy(&source, &target)?;
        }
    }
    above.remove(&real);
    Ok(())
}
