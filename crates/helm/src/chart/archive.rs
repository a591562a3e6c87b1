//! Chart archives: `.tgz` files. Source: Helm `archive.LoadArchiveFiles`.

use std::io::Read;

use flate2::read::GzDecoder;
use tar::Archive;

use super::File;

/// The most bytes an archive may unpack to. Helm's own limit.
const MAX_TOTAL: u64 = 100 << 20;
/// The most bytes of one file. Helm's own limit.
const MAX_FILE: u64 = 5 << 20;
/// The most files.
const MAX_FILES: usize = 10_000;
/// What some editors put before text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The files of a chart's archive, without the name of its folder.
///
/// Links are passed over; a path that leaves the folder, too many files or bytes are errors.
pub fn unpack(bytes: &[u8]) -> Result<Vec<File>, String> {
    let mut archive = Archive::new(GzDecoder::new(bytes).take(MAX_TOTAL));
    let mut files = Vec::new();
    let mut total: u64 = 0;
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).replace('\\', "/");
        let Some((_, name)) = path.split_once('/') else {
            return Err("chart illegally contains content outside the base directory".to_owned());
        };
        let name = name.trim_start_matches("./");
        if path.starts_with('/') || name.is_empty() || name.starts_with('/') {
            return Err("chart illegally contains absolute paths".to_owned());
        }
        if name.split('/').any(|part| part == "..") {
            return Err("chart illegally references parent directory".to_owned());
        }
        if entry.size() > MAX_FILE {
            return Err(format!(
                "decompressed chart file {path:?} is larger than the maximum file size {MAX_FILE}"
            ));
        }
        total += entry.size();
        if total > MAX_TOTAL || files.len() >= MAX_FILES {
            return Err(format!(
                "decompressed chart is larger than the maximum size {MAX_TOTAL}"
            ));
        }
        let name = name.to_owned();
        let mut data = Vec::new();
        entry
            .read_to_end(&mut data)
            .map_err(|error| error.to_string())?;
        let data = data.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&data);
        files.push(File::new(name, data));
    }
    if files.is_empty() {
        return Err("no files in chart archive".to_owned());
    }
    Ok(files)
}
