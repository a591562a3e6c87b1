//! Trees as `.tar.gz`, in the form in which Flux stores them.
//!
//! Source: Flux, `pkg/artifact/storage/archive.go` and Go's `archive/tar`: folders first, names sorted, `.` for the
//! root, no slash after folders, no owners, no times, three modes. The uncompressed bytes are Go's.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{Entry, Ignore, Tree};

/// The mode of a file in an artifact.
pub const FILE_MODE: u32 = 0o600;
/// The mode of a file that may be executed.
pub const EXECUTABLE_MODE: u32 = 0o700;
/// The mode of a folder.
pub const FOLDER_MODE: u32 = 0o750;

const BLOCK: usize = 512;

/// Writes `tree` without what `ignore` leaves out and without links.
///
/// # Errors
/// A content cannot be read, or `writer` fails.
pub fn write(tree: &Tree, ignore: &Ignore, writer: impl Write) -> io::Result<()> {
    // Fast rather than small: artifacts are read a few times, and then forgotten.
    let mut tar = TarWriter::new(GzEncoder::new(writer, Compression::new(2)));
    for (path, entry) in tree.walk() {
        let is_folder = matches!(entry, Entry::Folder);
        if ignore.excludes(path, is_folder) {
            continue;
        }
        match entry {
            Entry::Folder => tar.folder(path, FOLDER_MODE)?,
            Entry::File { id, executable, .. } => {
                let mode = if *executable {
                    EXECUTABLE_MODE
                } else {
                    FILE_MODE
                };
                let content = tree.content(id).map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
                })?;
                tar.file(path, mode, &content)?;
            }
            Entry::Link(_) => {}
        }
    }
    tar.finish()?.finish()?.flush()
}

/// Writes a tar as Go's `archive/tar` does, without times and owners.
#[derive(Debug)]
pub struct TarWriter<W: Write> {
    writer: W,
}

impl<W: Write> TarWriter<W> {
    /// A tar that goes to `writer`.
    pub fn new(writer: W) -> Self {
        Self { writer }
    }

    /// Adds a folder; the empty path is `.`.
    ///
    /// # Errors
    /// The writer fails.
    pub fn folder(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        self.header(path, mode, 0, b'5')
    }

    /// Adds a file.
    ///
    /// # Errors
    /// The writer fails.
    pub fn file(&mut self, path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
        self.header(path, mode, content.len() as u64, b'0')?;
        self.padded(content)
    }

    /// Writes the end, and gives the writer back.
    ///
    /// # Errors
    /// The writer fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.writer.write_all(&[0; 2 * BLOCK])?;
        Ok(self.writer)
    }

    fn padded(&mut self, content: &[u8]) -> io::Result<()> {
        self.writer.write_all(content)?;
        let rest = content.len().next_multiple_of(BLOCK) - content.len();
        self.writer.write_all(&[0; BLOCK][..rest])
    }

    fn header(&mut self, path: &Path, mode: u32, size: u64, kind: u8) -> io::Result<()> {
        let name = match path.as_os_str().as_encoded_bytes() {
            b"" => b".",
            name => name,
        };
        let mut block = Header::new(mode, size, kind);
        // Device numbers are written also where there is no device.
        octal(&mut block.0[329..337], 0);
        octal(&mut block.0[337..345], 0);
        if name.len() <= 100 && name.is_ascii() {
            block.0[..name.len()].copy_from_slice(name);
        } else if let Some((prefix, suffix)) = split(name) {
            block.0[345..345 + prefix.len()].copy_from_slice(prefix);
            block.0[..suffix.len()].copy_from_slice(suffix);
        } else {
            self.extended(name)?;
            block.name(&ascii(name));
        }
        self.writer.write_all(&block.sealed())
    }

    /// A PAX header with the whole name.
    fn extended(&mut self, name: &[u8]) -> io::Result<()> {
        let record = record(b"path", name);
        let (folder, file) = match name.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => name.split_at(slash + 1),
            None => (&b""[..], name),
        };
        let mut own = folder.to_vec();
        own.extend_from_slice(b"PaxHeaders.0/");
        own.extend_from_slice(file);
        let mut block = Header::new(0, record.len() as u64, b'x');
        block.name(&ascii(&own));
        self.writer.write_all(&block.sealed())?;
        self.padded(&record)
    }
}

struct Header([u8; BLOCK]);

impl Header {
    fn new(mode: u32, size: u64, kind: u8) -> Self {
        let mut block = [0; BLOCK];
        octal(&mut block[100..108], u64::from(mode));
        octal(&mut block[108..116], 0);
        octal(&mut block[116..124], 0);
        octal(&mut block[124..136], size);
        octal(&mut block[136..148], 0);
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        Self(block)
    }

    fn name(&mut self, name: &[u8]) {
        let mut name = &name[..name.len().min(100)];
        while let [rest @ .., b'/'] = name {
            name = rest;
        }
        self.0[..name.len()].copy_from_slice(name);
    }

    fn sealed(mut self) -> [u8; BLOCK] {
        self.0[148..156].fill(b' ');
        let sum = self.0.iter().map(|byte| u64::from(*byte)).sum();
        octal(&mut self.0[148..155], sum);
        self.0
    }
}

/// Digits that fill the field up to a final zero byte.
fn octal(field: &mut [u8], value: u64) {
    let width = field.len() - 1;
    let text = format!("{value:0width$o}");
    field[..width].copy_from_slice(&text.as_bytes()[text.len() - width..]);
    field[width] = 0;
}

fn ascii(name: &[u8]) -> Vec<u8> {
    name.iter()
        .copied()
        .filter(|byte| byte.is_ascii() && *byte != 0)
        .collect()
}

/// Prefix and suffix of a name that fits into a ustar header with both.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if !name.is_ascii() {
        return None;
    }
    let slash = name[..name.len().min(156)]
        .iter()
        .rposition(|byte| *byte == b'/')?;
    let (prefix, suffix) = (&name[..slash], &name[slash + 1..]);
    let fits = (1..=155).contains(&prefix.len()) && (1..=100).contains(&suffix.len());
    fits.then_some((prefix, suffix))
}

/// `<length> <key>=<value>\n`, where the length counts its own digits.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    if length.to_string().len() + rest != length {
        length = rest + length.to_string().len();
    }
    let mut record = format!("{length} ").into_bytes();
    record.extend_from_slice(key);
    record.push(b'=');
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}
