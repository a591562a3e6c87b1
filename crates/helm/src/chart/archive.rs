//! Chart archives: `.tgz` files. Source: Helm `archive.LoadArchiveFiles`.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::File;
use crate::Compat;

/// The most bytes that the files of a chart may have together. Helm's own limit.
pub(super) const MAX_TOTAL: u64 = 100 << 20;
/// The most bytes of one file, before Helm 4.3. Helm's own limit.
pub(super) const MAX_FILE: u64 = 5 << 20;
/// The most bytes an archive may unpack to, with headers and what is passed over.
const MAX_UNPACKED: u64 = MAX_TOTAL + (32 << 20);
/// What some editors put before text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// `data` without the mark that some editors put before text.
pub(super) fn without_mark(data: &[u8]) -> &[u8] {
    data.strip_prefix(BYTE_ORDER_MARK).unwrap_or(data)
}

/// The files of a chart's archive, without the name of its folder. The error is Helm's text.
///
/// Links are empty files, as Helm has them; a path that leaves the folder and too many bytes are errors.
pub fn unpack(bytes: &[u8], compat: Compat) -> Result<Vec<File>, String> {
    if !bytes.starts_with(b"\x1f\x8b\x08") {
        return Err(if bytes.len() < 10 {
            "EOF"
        } else {
            "gzip: invalid header"
        }
        .to_owned());
    }
    let mut archive = Archive::new(MultiGzDecoder::new(bytes).take(MAX_UNPACKED));
    let mut files = Vec::new();
    let mut data = Vec::new(); // One for all: fresh memory costs more than unpacking into it.
    let mut remaining = MAX_TOTAL;
    let too_large = || {
        let what = if compat.is_v3() {
            "maximum file size"
        } else {
            "maximum size"
        };
        format!("decompressed chart is larger than the {what} {MAX_TOTAL}")
    };
    for entry in archive.entries().map_err(read_error)? {
        let mut entry = entry.map_err(read_error)?;
        let full = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let entry_type = entry.header().entry_type();
        if entry_type == EntryType::Directory
            || full.ends_with('/')
            || matches!(entry_type, EntryType::XGlobalHeader | EntryType::XHeader)
        {
            continue;
        }
        let name = name_of(&full)?;
        if entry.size() > remaining {
            return Err(too_large());
        }
        if entry.size() > MAX_FILE && compat != Compat::V4_3 {
            return Err(format!(
                "decompressed chart file {full:?} is larger than the maximum file size {MAX_FILE}"
            ));
        }
        data.clear();
        if entry_type.is_file() {
            entry.read_to_end(&mut data).map_err(read_error)?;
        }
        remaining -= data.len() as u64;
        if remaining == 0 {
            return Err(too_large());
        }
        files.push(File::new(name, without_mark(&data)));
    }
    if files.is_empty() {
        return Err("no files in chart archive".to_owned());
    }
    Ok(files)
}

/// Go's words for what may go wrong while reading.
fn read_error(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
        _ => error.to_string(),
    }
}

/// The path within the chart of an entry.
fn name_of(full: &str) -> Result<String, String> {
    // Archives made on Windows may have backslashes.
    let delimiter = if full.contains('\\') { '\\' } else { '/' };
    let (first, rest) = full.split_once(delimiter).unwrap_or((full, ""));
    let name = rest.replace(delimiter, "/");
    if name.starts_with('/') {
        return Err("chart illegally contains absolute paths".to_owned());
    }
    let name = super::path::clean(&name);
    if name == "." {
        return Err(format!(
            "chart illegally contains content outside the base directory: {full:?}"
        ));
    }
    if name.starts_with("..") {
        return Err("chart illegally references parent directory".to_owned());
    }
    let mut bytes = name.bytes();
    if let (Some(letter), Some(b':'), Some(b'/')) = (bytes.next(), bytes.next(), bytes.next())
        && letter.is_ascii_alphabetic()
    {
        return Err("chart contains illegally named files".to_owned());
    }
    if first == "Chart.yaml" {
        return Err("chart yaml not in base directory".to_owned());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        for (name, entry_type, data) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*entry_type);
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            if *entry_type == EntryType::Symlink {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append(&header, *data).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn paths_stay_within_the_chart() {
        for (name, message) in [
            ("c/../../x", "chart illegally references parent directory"),
            ("c//etc/passwd", "chart illegally contains absolute paths"),
            (
                "x",
                "chart illegally contains content outside the base directory: \"x\"",
            ),
            ("c/c:/x", "chart contains illegally named files"),
            (
                "c\\..\\..\\x",
                "chart illegally references parent directory",
            ),
            (
                "Chart.yaml",
                "chart illegally contains content outside the base directory: \"Chart.yaml\"",
            ),
        ] {
            let bytes = archive(&[(name, EntryType::Regular, b"x")]);
            assert_eq!(unpack(&bytes, Compat::V4).unwrap_err(), message);
        }
    }

    #[test]
    fn links_are_never_followed() {
        let bytes = archive(&[("c/templates/x", EntryType::Symlink, b"")]);
        let files = unpack(&bytes, Compat::V4).unwrap();
        assert_eq!(files, [File::new("templates/x", "")]);
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = vec![0; 6 << 20];
        let large = archive(&[("c/big", EntryType::Regular, &zeros)]);
        assert!(
            unpack(&large, Compat::V4)
                .unwrap_err()
                .contains("maximum file size 5242880")
        );
        assert!(unpack(&large, Compat::V4_3).is_ok());
        let many: Vec<_> = (0..20)
            .map(|_| ("c/big", EntryType::Regular, &zeros[..]))
            .collect();
        let error = unpack(&archive(&many), Compat::V4_3).unwrap_err();
        assert_eq!(
            error,
            "decompressed chart is larger than the maximum size 104857600"
        );
        assert_eq!(
            unpack(b"not gzip at all", Compat::V4).unwrap_err(),
            "gzip: invalid header"
        );
        let cut = &large[..large.len() / 2];
        assert!(unpack(cut, Compat::V4_3).is_err());
    }
}
