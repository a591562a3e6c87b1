//! The one reader of archives from outside.
//!
//! Everything in an archive is hostile: it may be small and hold much, name files outside of it, link to them, or
//! tell readers different sizes of the same entry.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};

use crate::{Blobs, ContentId, Entry, Tree};

/// What an archive may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all contents.
    pub bytes: u64,
    /// Bytes that one compressed byte may become, once the archive has given 16 MiB.
    pub ratio: u64,
    /// Entries.
    pub entries: usize,
    /// Folders above an entry.
    pub depth: usize,
    /// Bytes of a path.
    pub path: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 30,
            ratio: 400,
            entries: 500_000,
            depth: 200,
            path: 4096,
        }
    }
}

/// Why an archive is not read.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It is no archive, or ends too early.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// It breaks the form of archives.
    #[error("not a valid tar archive: {0}")]
    Malformed(&'static str),
    /// It is larger than allowed.
    #[error("the archive holds more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// An entry would lie outside of the tree.
    #[error("the entry `{0}` leads out of the archive")]
    Escapes(String),
    /// Two headers of one entry tell different sizes.
    #[error("the entry `{0}` has two different sizes")]
    AmbiguousSize(String),
    /// An entry is neither file, folder nor link.
    #[error("the entry `{0}` is a device, pipe or hard link")]
    Kind(String),
    /// The contents cannot be kept.
    #[error("cannot keep the contents of the archive")]
    Keep(#[source] io::Error),
}

/// Reads a `.tar.gz` into a tree whose contents are kept in a nameless temporary file in `scratch`.
///
/// # Errors
/// It is malformed, hostile or too large.
pub fn read(archive: impl Read, scratch: &Path, limits: Limits) -> Result<Tree, UnpackError> {
    let compressed = Counted {
        inner: archive,
        count: 0,
    };
    let mut reader = Reader {
        input: GzDecoder::new(io::BufReader::with_capacity(32 << 10, compressed)),
        limits,
        given: 0,
        kept: 0,
        at: 0,
        spool: io::BufWriter::new(nameless(scratch).map_err(UnpackError::Keep)?),
        positions: BTreeMap::new(),
        entries: BTreeMap::new(),
        count: 0,
    };
    reader.run()?;
    let file = reader
        .spool
        .into_inner()
        .map_err(|error| UnpackError::Keep(error.into_error()))?;
    Ok(Tree::new(
        reader.entries,
        Arc::new(Spool {
            file,
            positions: reader.positions,
        }),
    ))
}

/// A file in `folder` that has no name any more.
fn nameless(folder: &Path) -> io::Result<File> {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = folder.join(format!(".spool-{}-{count}", std::process::id()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count += read as u64;
        Ok(read)
    }
}

/// Contents in a file, by their id.
struct Spool {
    file: File,
    positions: BTreeMap<ContentId, (u64, u64)>,
}

impl Blobs for Spool {
    fn read(&self, id: &ContentId) -> io::Result<Arc<[u8]>> {
        let (at, length) = self.positions.get(id).ok_or(io::ErrorKind::NotFound)?;
        let mut content = vec![0; *length as usize];
        self.file.read_exact_at(&mut content, *at)?;
        Ok(content.into())
    }
}

struct Reader<R: Read> {
    input: GzDecoder<io::BufReader<Counted<R>>>,
    limits: Limits,
    /// Bytes that came out of the decoder.
    given: u64,
    /// Bytes of contents.
    kept: u64,
    /// Where the next content goes.
    at: u64,
    spool: io::BufWriter<File>,
    positions: BTreeMap<ContentId, (u64, u64)>,
    entries: BTreeMap<PathBuf, Entry>,
    count: usize,
}

/// What headers before an entry say about it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<R: Read> Reader<R> {
    fn run(&mut self) -> Result<(), UnpackError> {
        let mut extended = Extended::default();
        while let Some(header) = self.header()? {
            self.count += 1;
            if self.count > self.limits.entries {
                return Err(UnpackError::TooLarge {
                    what: "entries",
                    limit: self.limits.entries as u64,
                });
            }
            let size = number(&header[124..136])?;
            match header[156] {
                b'x' => self.pax(size, &mut extended)?,
                b'g' => drop(self.text(size)?),
                b'L' => extended.path = Some(until_zero(&self.text(size)?).to_vec()),
                b'K' => extended.link = Some(until_zero(&self.text(size)?).to_vec()),
                kind => self.entry(&header, kind, size, std::mem::take(&mut extended))?,
            }
        }
        // The rest of the stream carries the checksum of the whole.
        let mut rest = [0; 4096];
        while self.some(&mut rest)? > 0 {}
        self.spool.flush().map_err(UnpackError::Keep)
    }

    fn entry(
        &mut self,
        header: &[u8; 512],
        kind: u8,
        size: u64,
        extended: Extended,
    ) -> Result<(), UnpackError> {
        let raw = extended.path.unwrap_or_else(|| name(header));
        let shown = || String::from_utf8_lossy(&raw).into_owned();
        if extended.size.is_some_and(|other| other != size) {
            return Err(UnpackError::AmbiguousSize(shown()));
        }
        let path = self.path(&raw)?;
        match kind {
            b'0' | 0 | b'7' => {
                let executable = number(&header[100..108])? & 0o111 != 0;
                let id = self.content(size)?;
                if !path.as_os_str().is_empty() {
                    self.put(
                        path,
                        Entry::File {
                            id,
                            size: Some(size),
                            executable,
                        },
                    );
                }
            }
            b'5' => {
                self.skip(size)?;
                if !path.as_os_str().is_empty() {
                    self.entries.entry(path).or_insert(Entry::Folder);
                }
            }
            b'2' => {
                self.skip(size)?;
                let target = extended
                    .link
                    .unwrap_or_else(|| until_zero(&header[157..257]).to_vec());
                let target = PathBuf::from(std::ffi::OsStr::from_bytes(&target));
                if leads_out(&path, &target) {
                    return Err(UnpackError::Escapes(shown()));
                }
                self.put(path, Entry::Link(target));
            }
            _ => return Err(UnpackError::Kind(shown())),
        }
        Ok(())
    }

    /// The last entry of a name wins, as on disk.
    fn put(&mut self, path: PathBuf, entry: Entry) {
        for above in path.ancestors().skip(1) {
            self.entries.remove(above);
        }
        self.entries.insert(path, entry);
    }

    fn path(&self, raw: &[u8]) -> Result<PathBuf, UnpackError> {
        if raw.len() > self.limits.path {
            return Err(UnpackError::TooLarge {
                what: "bytes in a path",
                limit: self.limits.path as u64,
            });
        }
        let escapes = || UnpackError::Escapes(String::from_utf8_lossy(raw).into_owned());
        if raw.contains(&0) || raw.contains(&b'\\') {
            return Err(escapes());
        }
        let mut path = PathBuf::new();
        for part in Path::new(std::ffi::OsStr::from_bytes(raw)).components() {
            match part {
                Component::Normal(name) => path.push(name),
                Component::CurDir => {}
                _ => return Err(escapes()),
            }
        }
        if path.components().count() > self.limits.depth {
            return Err(UnpackError::TooLarge {
                what: "folders above an entry",
                limit: self.limits.depth as u64,
            });
        }
        // What would be written through a link.
        if path
            .ancestors()
            .skip(1)
            .any(|above| matches!(self.entries.get(above), Some(Entry::Link(_))))
        {
            return Err(escapes());
        }
        Ok(path)
    }

    fn pax(&mut self, size: u64, extended: &mut Extended) -> Result<(), UnpackError> {
        let text = self.text(size)?;
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let malformed = UnpackError::Malformed("an extended header has a wrong length");
            let space = rest.iter().position(|byte| *byte == b' ');
            let length = space.and_then(|space| {
                std::str::from_utf8(&rest[..space])
                    .ok()?
                    .parse::<usize>()
                    .ok()
            });
            let (Some(space), Some(length)) = (space, length) else {
                return Err(malformed);
            };
            if length > rest.len() || length < space + 3 || rest[length - 1] != b'\n' {
                return Err(malformed);
            }
            let record = &rest[space + 1..length - 1];
            rest = &rest[length..];
            let Some(equals) = record.iter().position(|byte| *byte == b'=') else {
                return Err(malformed);
            };
            let value = &record[equals + 1..];
            match &record[..equals] {
                b"path" => extended.path = Some(value.to_vec()),
                b"linkpath" => extended.link = Some(value.to_vec()),
                b"size" => {
                    let value = std::str::from_utf8(value)
                        .ok()
                        .and_then(|value| value.parse().ok());
                    extended.size = Some(value.ok_or(UnpackError::Malformed(
                        "an extended header has a wrong size",
                    ))?);
                }
                key if key.starts_with(b"GNU.sparse") => {
                    return Err(UnpackError::Malformed("sparse files are not supported"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn header(&mut self) -> Result<Option<[u8; 512]>, UnpackError> {
        let mut block = [0; 512];
        let read = self.some(&mut block)?;
        if read == 0 {
            return Ok(None);
        }
        if read < block.len() {
            return Err(UnpackError::Malformed("it ends within a header"));
        }
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let mut sum = 8 * u64::from(b' ');
        sum += block.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        sum -= block[148..156]
            .iter()
            .map(|byte| u64::from(*byte))
            .sum::<u64>();
        if number(&block[148..156])? != sum {
            return Err(UnpackError::Malformed("a header has a wrong checksum"));
        }
        Ok(Some(block))
    }

    /// Fills the buffer as far as there is something.
    fn some(&mut self, buffer: &mut [u8]) -> Result<usize, UnpackError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.input.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(UnpackError::Read(error)),
            }
        }
        self.given += filled as u64;
        let taken = self.input.get_ref().get_ref().count;
        if self.given > 16 << 20 && self.given / taken.max(1) > self.limits.ratio {
            return Err(UnpackError::TooLarge {
                what: "bytes for each compressed byte",
                limit: self.limits.ratio,
            });
        }
        Ok(filled)
    }

    fn exact(&mut self, buffer: &mut [u8]) -> Result<(), UnpackError> {
        if self.some(buffer)? < buffer.len() {
            return Err(UnpackError::Malformed("it ends within an entry"));
        }
        Ok(())
    }

    fn skip(&mut self, size: u64) -> Result<(), UnpackError> {
        if size == 0 {
            Ok(())
        } else {
            self.text(size).map(drop)
        }
    }

    fn text(&mut self, size: u64) -> Result<Vec<u8>, UnpackError> {
        const MOST: u64 = 1 << 20;
        if size > MOST {
            return Err(UnpackError::TooLarge {
                what: "bytes in a header",
                limit: MOST,
            });
        }
        let mut text = vec![0; size.next_multiple_of(512) as usize];
        self.exact(&mut text)?;
        text.truncate(size as usize);
        Ok(text)
    }

    fn content(&mut self, size: u64) -> Result<ContentId, UnpackError> {
        self.kept = self.kept.saturating_add(size);
        if self.kept > self.limits.bytes {
            return Err(UnpackError::TooLarge {
                what: "bytes",
                limit: self.limits.bytes,
            });
        }
        let mut hash = Sha256::new();
        let mut left = size;
        let mut buffer = vec![0; 64 << 10];
        while left > 0 {
            let part = left.min(buffer.len() as u64) as usize;
            self.exact(&mut buffer[..part])?;
            hash.update(&buffer[..part]);
            self.spool
                .write_all(&buffer[..part])
                .map_err(UnpackError::Keep)?;
            left -= part as u64;
        }
        let padding = (size.next_multiple_of(512) - size) as usize;
        self.exact(&mut buffer[..padding])?;
        let id = ContentId::sha256(hash.finalize().into());
        self.positions.entry(id).or_insert((self.at, size));
        self.at += size;
        Ok(id)
    }
}

fn leads_out(path: &Path, target: &Path) -> bool {
    let mut depth = path.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return true,
        }
    }
    false
}

fn until_zero(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(text.len());
    &text[..end]
}

fn name(header: &[u8; 512]) -> Vec<u8> {
    let mut name = Vec::new();
    // The prefix is ustar's; GNU has other fields there.
    if header[257..263] == *b"ustar\0" && header[345] != 0 {
        name.extend_from_slice(until_zero(&header[345..500]));
        name.push(b'/');
    }
    name.extend_from_slice(until_zero(&header[..100]));
    name
}

/// Octal digits between spaces and zeros, or GNU's binary form.
fn number(field: &[u8]) -> Result<u64, UnpackError> {
    let malformed = UnpackError::Malformed("a header has a wrong number");
    if field[0] & 0x80 != 0 {
        let mut value: u64 = u64::from(field[0] & 0x7f);
        for byte in &field[1..] {
            if value >> 56 != 0 {
                return Err(malformed);
            }
            value = value << 8 | u64::from(*byte);
        }
        return Ok(value);
    }
    let text = std::str::from_utf8(field).unwrap_or("x");
    let text = text.trim_matches(|c| c == ' ' || c == '\0');
    if text.is_empty() {
        return Ok(0);
    }
    u64::from_str_radix(text, 8).map_err(|_| malformed)
}
