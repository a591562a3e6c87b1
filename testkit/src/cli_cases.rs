//! Recorded runs of a command line, replayed with a real program: each case in a folder of its own, with
//! its files, environment and input; what it prints, its exit code and what it leaves behind are compared.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How long one case may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What the cases are replayed with.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program, under the name that the cases know.
    pub path: PathBuf,
    /// Variables of all runs, such as `KUBECONFIG`.
    pub environment: Vec<(String, String)>,
    /// Whether installation manifests are compared; ours are not Flux's.
    pub skip_stdout: bool,
}

/// What a run left behind.
struct Ran {
    exit: i64,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Replays a case.
///
/// # Errors
/// What differs.
pub fn replay(program: &Program, case: &Value) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let root = fs::canonicalize(folder.path()).map_err(|error| error.to_string())?;
    let [work, temporary, home] = ["work", "tmp", "home"].map(|name| root.join(name));
    for path in [&work, &temporary, &home] {
        fs::create_dir(path).map_err(|error| error.to_string())?;
    }
    lay_out(&work, &case["files"]).map_err(|error| format!("cannot lay out the files: {error}"))?;
    let before = listing(&work);
    let ran = run(program, case, &work, &temporary, &home)?;
    let places = [
        (work.display().to_string(), "@@WORKDIR@@"),
        (temporary.display().to_string(), "@@TMPDIR@@"),
        (home.display().to_string(), "@@HOME@@"),
    ];
    let named = |bytes: &[u8]| {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for (place, name) in &places {
            text = text.replace(place, name);
        }
        text
    };
    if case["oracle_bug"].is_string() {
        // The recorded program crashed here; anything but success will do.
        return if ran.exit == 0 {
            Err("succeeded".to_owned())
        } else {
            Ok(())
        };
    }
    let (stdout, stderr) = (named(&ran.stdout), named(&ran.stderr));
    compare(program, case, &ran, &stdout, &stderr)?;
    if compared(case).iter().any(|what| what == "outputs") {
        check_outputs(&work, &before, &case["outputs"], &named)?;
    }
    Ok(())
}

fn compared(case: &Value) -> Vec<String> {
    match case["compare"].as_array() {
        Some(names) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        None => ["exit", "stdout", "stderr", "outputs"]
            .map(str::to_owned)
            .to_vec(),
    }
}

fn compare(
    program: &Program,
    case: &Value,
    ran: &Ran,
    stdout: &str,
    stderr: &str,
) -> Result<(), String> {
    let names = compared(case);
    let has = |name: &str| names.iter().any(|known| known == name);
    if has("exit") && Some(ran.exit) != case["exit"].as_i64() {
        return Err(format!(
            "exit {} instead of {}\nstdout: {stdout}\nstderr: {stderr}",
            ran.exit, case["exit"]
        ));
    }
    if has("stderr") {
        check_text("stderr", case, &ran.stderr, stderr)?;
    }
    if has("stdout") && !program.skip_stdout {
        check_text("stdout", case, &ran.stdout, stdout)?;
    }
    if has("stdout-sorted") {
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        if sorted(stdout) != sorted(case["stdout"].as_str().unwrap_or_default()) {
            return Err(format!("stdout (as lines) differs: {stdout}"));
        }
    }
    for (what, text) in [("stdout", stdout), ("stderr", stderr)] {
        if program.skip_stdout && what == "stdout" {
            continue;
        }
        for part in texts(&case[format!("{what}_contains")]) {
            if !text.contains(&part) {
                return Err(format!("{what} lacks {part:?}: {text}"));
            }
        }
        for pattern in texts(&case[format!("{what}_regex")]) {
            let pattern = Regex::new(&pattern).map_err(|error| error.to_string())?;
            if !pattern.is_match(text) {
                return Err(format!("{what} does not match {pattern}: {text}"));
            }
        }
    }
    Ok(())
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

fn check_text(what: &str, case: &Value, bytes: &[u8], text: &str) -> Result<(), String> {
    if let Some(encoded) = case[format!("{what}_base64")].as_str() {
        let wanted = STANDARD
            .decode(encoded)
            .map_err(|error| error.to_string())?;
        return if wanted == bytes {
            Ok(())
        } else {
            Err(format!("{what} differs: {text}"))
        };
    }
    let wanted = case[what].as_str().unwrap_or_default();
    if wanted == text {
        return Ok(());
    }
    Err(format!(
        "{what} differs\n--- wanted\n{wanted}\n--- got\n{text}"
    ))
}

fn lay_out(work: &Path, files: &Value) -> std::io::Result<()> {
    for (name, content) in files.as_object().into_iter().flatten() {
        let path = work.join(name);
        if name.ends_with('/') {
            fs::create_dir_all(&path)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        if let Some(target) = content["symlink"].as_str() {
            std::os::unix::fs::symlink(target, &path)?;
            continue;
        }
        let text = content
            .as_str()
            .or_else(|| content["content"].as_str())
            .unwrap_or_default();
        match content["base64"]
            .as_str()
            .or_else(|| content["content_base64"].as_str())
        {
            Some(encoded) => fs::write(&path, STANDARD.decode(encoded).unwrap_or_default())?,
            None => fs::write(&path, text)?,
        }
        if let Some(mode) = content["mode"]
            .as_str()
            .and_then(|mode| u32::from_str_radix(mode, 8).ok())
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

fn run(
    program: &Program,
    case: &Value,
    work: &Path,
    temporary: &Path,
    home: &Path,
) -> Result<Ran, String> {
    let mut command = Command::new(&program.path);
    command
        .args(texts(&case["args"]))
        .current_dir(work)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home)
        .env("TMPDIR", temporary)
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in &program.environment {
        command.env(name, value);
    }
    for (name, value) in case["env"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap_or_default());
    }
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let input = case["stdin"].as_str().unwrap_or_default().to_owned();
    let mut stdin = child.stdin.take().ok_or("no stdin")?;
    // A program may end without reading its input.
    std::thread::spawn(move || drop(std::io::Write::write_all(&mut stdin, input.as_bytes())));
    let mut out = child.stdout.take().ok_or("no stdout")?;
    let mut err = child.stderr.take().ok_or("no stderr")?;
    let stdout = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).map(|_| bytes)
    });
    let stderr = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        err.read_to_end(&mut bytes).map(|_| bytes)
    });
    let end = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(2)),
            _ => {
                // It has ended by itself or ends here.
                let _ = child.kill();
                let _ = child.wait();
                return Err("did not end in time".to_owned());
            }
        }
    };
    let text = |thread: std::thread::JoinHandle<std::io::Result<Vec<u8>>>| {
        thread.join().ok().and_then(Result::ok).unwrap_or_default()
    };
    Ok(Ran {
        exit: status.code().map_or(-1, i64::from),
        stdout: text(stdout),
        stderr: text(stderr),
    })
}

/// The files below a folder with their content; folders end in a slash.
fn listing(work: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![work.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path
                .strip_prefix(work)
                .unwrap_or(&path)
                .display()
                .to_string();
            let Ok(data) = fs::symlink_metadata(&path) else {
                continue;
            };
            if data.is_dir() {
                folders.push(path);
            } else if data.is_file() {
                found.insert(name, fs::read(&path).unwrap_or_default());
            }
        }
    }
    found
}

fn check_outputs(
    work: &Path,
    before: &BTreeMap<String, Vec<u8>>,
    wanted: &Value,
    named: &dyn Fn(&[u8]) -> String,
) -> Result<(), String> {
    let after = listing(work);
    let empty = serde_json::Map::new();
    let wanted = wanted.as_object().unwrap_or(&empty);
    for (name, content) in &after {
        if before.get(name) != Some(content) && !wanted.contains_key(name) {
            return Err(format!("unexpected file {name}"));
        }
    }
    for (name, content) in wanted {
        let found = after.get(name);
        match (content, found) {
            (Value::Null, None) => {}
            (Value::Null, Some(_)) => return Err(format!("{name} is still there")),
            (_, None) => {
                if !name.ends_with('/') {
                    return Err(format!("{name} is missing"));
                }
            }
            (Value::String(text), Some(found)) if *text == named(found) => {}
            (Value::String(text), Some(found)) => {
                return Err(format!(
                    "{name} differs\n--- wanted\n{text}\n--- got\n{}",
                    named(found)
                ));
            }
            (content, Some(found)) => check_archive(name, content, found)?,
        }
    }
    Ok(())
}

fn check_archive(name: &str, wanted: &Value, found: &[u8]) -> Result<(), String> {
    let Some(hash) = wanted["tar_sha256"].as_str() else {
        let text = wanted["content"].as_str().unwrap_or_default();
        return if text.as_bytes() == found {
            Ok(())
        } else {
            Err(format!("{name} differs"))
        };
    };
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(found)
        .read_to_end(&mut unpacked)
        .map_err(|error| format!("{name} is no gzip: {error}"))?;
    let digest = hex(&Sha256::digest(&unpacked));
    if digest == hash {
        return Ok(());
    }
    let mut entries = Vec::new();
    let mut archive = tar::Archive::new(&unpacked[..]);
    for entry in archive
        .entries()
        .map_err(|error| error.to_string())?
        .flatten()
    {
        let header = entry.header();
        let name = entry
            .path()
            .map(|path| path.display().to_string())
            .unwrap_or_default();
        entries.push(format!(
            "{name} {:o} {}",
            header.mode().unwrap_or_default(),
            header.size().unwrap_or_default()
        ));
    }
    Err(format!(
        "{name} differs: wanted {}, got {entries:?}",
        wanted["entries"]
    ))
}

/// A case with a name, for messages.
pub fn name(case: &Value) -> &str {
    case["name"].as_str().unwrap_or("?")
}

/// The values that an object should have afterwards, with timestamps made equal.
pub fn normalized(object: &Value) -> Value {
    let mut annotations = object["metadata"]["annotations"].clone();
    if let Some(annotations) = annotations.as_object_mut() {
        for (key, value) in annotations.iter_mut() {
            if key.starts_with("reconcile.fluxcd.io/") {
                *value = "<timestamp>".into();
            }
        }
    }
    let empty = || json!({});
    let mut out = json!({
        "labels": if object["metadata"]["labels"].is_null() { empty() } else { object["metadata"]["labels"].clone() },
        "annotations": if annotations.is_null() { empty() } else { annotations },
    });
    for field in ["spec", "data", "type", "subjects", "roleRef"] {
        if !object[field].is_null() {
            out[field] = object[field].clone();
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
