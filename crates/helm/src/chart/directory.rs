//! Charts in folders. Source: Helm `loader.LoadDir`, `sympath.Walk`.

use std::path::Path;
use std::sync::Arc;

use tree::{FileSystem, errno_text};

use super::archive::{MAX_FILE, MAX_TOTAL, without_mark};
use super::ignore::{IGNORE_FILE, IgnoreRules};
use super::{Chart, ChartError, File};
use crate::Compat;

/// How deep folders may lie in folders; only links in circles are deeper.
const MAX_DEPTH: usize = 100;

/// Loads the chart at `path`, a folder or an archive, with Helm's messages.
pub fn load(fs: &dyn FileSystem, path: &Path, compat: Compat) -> Result<Chart, ChartError> {
    if fs.is_dir(path) {
        return load_dir(fs, path, compat);
    }
    let shown = path.display();
    let bytes = fs
        .read(path)
        .map_err(|error| ChartError(format!("stat {shown}: {}", errno_text(&error))))?;
    load_archive_named(&bytes, &shown.to_string(), compat)
}

/// Loads the chart in a folder: what `.helmignore` leaves out is no part of it. Links are followed.
pub fn load_dir(fs: &dyn FileSystem, path: &Path, compat: Compat) -> Result<Chart, ChartError> {
    let mut is_newer = false;
    if !compat.is_v3() {
        is_newer = detect(fs, path)?;
    }
    let files = files_of(fs, path, compat).map_err(ChartError)?;
    refuse_newer(super::load_files(files, compat)?, is_newer)
}

/// Charts of a kind that Helm 4 loads but does not install.
fn refuse_newer(chart: Chart, is_newer: bool) -> Result<Chart, ChartError> {
    if is_newer {
        return Err(ChartError("invalid chart apiVersion".to_owned()));
    }
    Ok(chart)
}

/// Loads the chart in the bytes of an archive.
pub fn load_archive(bytes: &[u8], compat: Compat) -> Result<Chart, ChartError> {
    let files = super::unpack(bytes, compat).map_err(ChartError)?;
    super::load_files(files, compat)
}

/// Helm 4 looks which kind of chart it is before it loads it. Gives whether it is one of version 3.
fn detect(fs: &dyn FileSystem, path: &Path) -> Result<bool, ChartError> {
    let file = path.join("Chart.yaml");
    let text = fs.read(&file).map_err(|error| {
        ChartError(format!(
            "unable to detect chart at {0}: open {0}: {1}",
            file.display(),
            errno_text(&error)
        ))
    })?;
    check_kind(&text)
}

/// Fails for charts of a kind that Helm 4 does not load; true for version 3, which it does not install.
fn check_kind(text: &[u8]) -> Result<bool, ChartError> {
    let wrong = |error: String| ChartError(format!("cannot load Chart.yaml: {error}"));
    let document = crate::values::read_json(without_mark(text)).map_err(wrong)?;
    if !document.is_object() && !document.is_null() {
        let kind = crate::values::json_kind(&crate::values::from_json(&document));
        return Err(wrong(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type loader.chartBase"
        )));
    }
    let version = match document.get("apiVersion") {
        None => String::new(),
        Some(value) => crate::values::string_form(value).ok_or_else(|| {
            let kind = crate::values::json_kind(&crate::values::from_json(value));
            wrong(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go struct field chartBase.apiVersion of type string"
            ))
        })?,
    };
    match version.as_str() {
        "" | "v1" | "v2" => Ok(false),
        "v3" => Ok(true),
        _ => Err(ChartError("unsupported chart version".to_owned())),
    }
}

fn load_archive_named(bytes: &[u8], name: &str, compat: Compat) -> Result<Chart, ChartError> {
    if !bytes.starts_with(b"\x1f\x8b\x08") {
        let extension = name.rsplit('.').next().unwrap_or_default();
        return Err(ChartError(if matches!(extension, "yml" | "yaml") {
            format!("file '{name}' seems to be a YAML file, but expected a gzipped archive")
        } else {
            let kind = content_type(&bytes[..bytes.len().min(512)]);
            format!("file '{name}' does not appear to be a gzipped archive; got '{kind}'")
        }));
    }
    let files = super::unpack(bytes, compat).map_err(|error| {
        ChartError(if error == "gzip: invalid header" {
            format!("file '{name}' does not appear to be a valid chart file (details: {error})")
        } else if compat.is_v3() {
            error
        } else {
            // The cause is what Helm 4 leaves out; it is worth having.
            format!("unable to load chart archive: {error}")
        })
    })?;
    let mut is_newer = false;
    if !compat.is_v3() {
        match files.iter().find(|file| file.name == "Chart.yaml") {
            Some(file) => is_newer = check_kind(file.data.as_bytes())?,
            None => {
                return Err(ChartError(
                    "unable to detect chart version, no Chart.yaml found".to_owned(),
                ));
            }
        }
    }
    refuse_newer(super::load_files(files, compat)?, is_newer)
}

/// What bytes look like. Source: Go `http.DetectContentType`, for what people mistake for a chart.
fn content_type(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii_start();
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    if text.to_ascii_lowercase().starts_with(b"<!doctype html")
        || text.to_ascii_lowercase().starts_with(b"<html")
    {
        "text/html; charset=utf-8"
    } else if text.starts_with(b"<?xml") {
        "text/xml; charset=utf-8"
    } else if starts(b"PK\x03\x04") {
        "application/zip"
    } else if starts(b"%PDF-") {
        "application/pdf"
    // Helm looks at a buffer of 512 bytes, whose rest is zeros.
    } else if bytes.len() < 512
        || bytes
            .iter()
            .any(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31))
    {
        "application/octet-stream"
    } else {
        "text/plain; charset=utf-8"
    }
}

/// The files of a folder that are not ignored, in the order of their paths.
fn files_of(fs: &dyn FileSystem, root: &Path, compat: Compat) -> Result<Vec<File>, String> {
    let rules = match fs.read(&root.join(IGNORE_FILE)) {
        Ok(text) => IgnoreRules::parse(&String::from_utf8_lossy(&text))
            .map_err(|error| error.to_string())?,
        Err(_) => IgnoreRules::default(),
    };
    let mut walk = Walk {
        fs,
        root,
        rules,
        compat,
        remaining: MAX_TOTAL,
        files: Vec::new(),
    };
    walk.folder("", 0)?;
    Ok(walk.files)
}

struct Walk<'a> {
    fs: &'a dyn FileSystem,
    root: &'a Path,
    rules: IgnoreRules,
    compat: Compat,
    remaining: u64,
    files: Vec<File>,
}

impl Walk<'_> {
    fn folder(&mut self, path: &str, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!(
                "error evaluating symlink {path}: folders nest deeper than {MAX_DEPTH} levels"
            ));
        }
        let full = self.root.join(path);
        let names = self
            .fs
            .list(&full)
            .map_err(|error| format!("open {}: {}", full.display(), errno_text(&error)))?;
        for name in names {
            let inner = if path.is_empty() {
                name
            } else {
                format!("{path}/{name}")
            };
            let is_folder = self.fs.is_dir(&self.root.join(&inner));
            if self.rules.ignores(&inner, is_folder) {
                continue;
            }
            if is_folder {
                self.folder(&inner, depth + 1)?;
            } else {
                self.file(inner)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: String) -> Result<(), String> {
        let full = self.root.join(&name);
        let data: Arc<[u8]> = self.fs.read(&full).map_err(|error| {
            format!(
                "error reading {name}: open {}: {}",
                full.display(),
                errno_text(&error)
            )
        })?;
        let size = data.len() as u64;
        if self.compat == Compat::V4_3 && size > self.remaining {
            return Err(format!(
                "error reading {name}: chart exceeds maximum decompressed size of {MAX_TOTAL} bytes"
            ));
        }
        if self.compat != Compat::V4_3 && size > MAX_FILE {
            let base = name.rsplit('/').next().unwrap_or_default();
            return Err(format!(
                "chart file {base:?} is larger than the maximum file size {MAX_FILE}"
            ));
        }
        // Before 4.3 Helm has no bound on a whole folder; ours is ten times its later one.
        self.remaining = match self.compat {
            Compat::V4_3 => self.remaining - size,
            _ => self.remaining.checked_sub(size / 10).ok_or_else(|| {
                format!(
                    "chart exceeds maximum decompressed size of {} bytes",
                    MAX_TOTAL * 10
                )
            })?,
        };
        self.files.push(File::new(name, without_mark(&data)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tree::Memory;

    fn chart() -> Memory {
        let mut files = Memory::default();
        files.insert(
            "c/Chart.yaml",
            *b"apiVersion: v2\nname: c\nversion: 1.0.0\n",
        );
        files.insert("c/templates/a.yaml", *b"a: 1\n");
        files.insert("c/templates/.hidden", *b"x");
        files.insert("c/notes/b.txt", *b"x");
        files.insert("c/c.txt", *b"x");
        files
    }

    fn names(chart: &Chart) -> Vec<&str> {
        let all = chart.templates.iter().chain(chart.files.iter());
        all.map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn rules_leave_files_out() {
        let mut files = chart();
        files.insert("c/.helmignore", *b"# comment\nnotes/\n/c.*\n.helmignore\n");
        let loaded = load(&files, "/c".as_ref(), Compat::V4).unwrap();
        assert_eq!(names(&loaded), ["templates/a.yaml"]);
    }

    #[test]
    fn errors_are_helms() {
        let mut files = chart();
        files.insert("v/values.yaml", *b"a: 1");
        for (path, compat, message) in [
            ("/v", Compat::V3, "Chart.yaml file is missing"),
            (
                "/v",
                Compat::V4,
                "unable to detect chart at /v/Chart.yaml: open /v/Chart.yaml: no such file or directory",
            ),
            ("/x", Compat::V4, "stat /x: no such file or directory"),
            (
                "/v/values.yaml",
                Compat::V4,
                "file '/v/values.yaml' seems to be a YAML file, but expected a gzipped archive",
            ),
            (
                "/c/c.txt",
                Compat::V4,
                "file '/c/c.txt' does not appear to be a gzipped archive; got 'application/octet-stream'",
            ),
        ] {
            let error = load(&files, path.as_ref(), compat).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
