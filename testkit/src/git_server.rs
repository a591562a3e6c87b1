//! A Git server on loopback: Git's own CGI program behind a small HTTP/1.1 server, which also hands out
//! plain files (a Helm repository is no more than that).

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::run;

/// The largest request body that is read.
const MAX_BODY: u64 = 64 << 20;

/// How the server answers; may be changed while it runs.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// User and password that are asked for.
    pub login: Option<(String, String)>,
    /// A token that is asked for.
    pub token: Option<String>,
    /// Where every request for references is sent to, e.g. `http://127.0.0.1:1/other`: the rest of the target is added.
    pub redirect: Option<String>,
    /// So many bytes of each answer are sent, and no more.
    pub cut: Option<usize>,
    /// How long each answer takes.
    pub delay: Option<Duration>,
    /// The status of every answer, without a body.
    pub status: Option<u16>,
    /// Speak the old protocol only.
    pub is_old: bool,
}

/// Serves bare repositories over HTTP; ends with the test's process.
#[derive(Debug)]
pub struct GitServer {
    address: SocketAddr,
    root: TempDir,
    behaviour: Arc<Mutex<Behaviour>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl GitServer {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// When no port or folder is to be had.
    pub fn start() -> Self {
        let root = TempDir::new().expect("a temporary folder can be made");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
        let address = listener.local_addr().expect("it is bound");
        let folder = root.path().to_owned();
        let behaviour = Arc::new(Mutex::new(Behaviour::default()));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let state = (Arc::clone(&behaviour), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                let (behaviour, requests) = (Arc::clone(&state.0), Arc::clone(&state.1));
                // A client that goes away is its own affair.
                std::thread::spawn(move || drop(answer(&stream, &folder, &behaviour, &requests)));
            }
        });
        Self {
            address,
            root,
            behaviour,
            requests,
        }
    }

    /// Changes how it answers.
    ///
    /// # Panics
    /// When a thread of it has panicked.
    pub fn set(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour.lock().expect("no thread panics with it"));
    }

    /// The requests so far: method, target and `Authorization`, separated by spaces.
    ///
    /// # Panics
    /// When a thread of it has panicked.
    pub fn requests(&self) -> Vec<String> {
        self.requests
            .lock()
            .expect("no thread panics with it")
            .clone()
    }

    /// The folder that the repositories lie in, as `<name>.git`.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Runs Git on a repository. Gives what it prints.
    ///
    /// # Panics
    /// When Git fails.
    pub fn git(&self, repository: &str, arguments: &[&str]) -> String {
        git(
            &self.root.path().join(format!("{repository}.git")),
            arguments,
        )
    }

    /// The URL of a repository.
    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}.git", self.address)
    }

    /// The folder whose files are handed out, and its URL.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn files(&self) -> (PathBuf, String) {
        let folder = self.root.path().join("files");
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        (folder, format!("http://{}/files", self.address))
    }

    /// Makes (or extends) a repository: one commit on `main` that leaves it with exactly these files.
    /// Gives the commit's id.
    ///
    /// # Panics
    /// When Git fails.
    pub fn commit(&self, repository: &str, files: &[(&str, &str)]) -> String {
        let bare = self.root.path().join(format!("{repository}.git"));
        if !bare.exists() {
            git(
                self.root.path(),
                &[
                    "init",
                    "--quiet",
                    "--bare",
                    "--initial-branch=main",
                    &bare.to_string_lossy(),
                ],
            );
        }
        let work = TempDir::new().expect("a temporary folder can be made");
        for (name, text) in files {
            let path = work.path().join(name);
            let parent = path.parent().expect("a file lies in a folder");
            std::fs::create_dir_all(parent).expect("a folder can be made");
            std::fs::write(&path, text).expect("a file can be written");
        }
        let at = [
            format!("--git-dir={}", bare.display()),
            format!("--work-tree={}", work.path().display()),
        ];
        let git = |arguments: &[&str]| {
            let mut all = vec![at[0].as_str(), at[1].as_str()];
            all.extend(arguments);
            git(work.path(), &all)
        };
        git(&["add", "--all", "."]);
        git(&[
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.com",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "change",
        ]);
        git(&["rev-parse", "HEAD"]).trim().to_owned()
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    run(
        Command::new("git")
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null"),
        "",
        Duration::from_secs(60),
    )
    .ok()
}

/// One request a connection: read it, let Git's CGI program answer, close.
fn answer(
    stream: &TcpStream,
    root: &Path,
    behaviour: &Mutex<Behaviour>,
    requests: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.by_ref().take(8192).read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (
        words.next().unwrap_or_default().to_owned(),
        words.next().unwrap_or_default().to_owned(),
    );
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.by_ref().take(8192).read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    if headers
        .get("expect")
        .is_some_and(|value| value.starts_with("100"))
    {
        (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = read_body(&mut reader, &headers)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    if let Some(name) = path.strip_prefix("/files/") {
        return (&mut &*stream).write_all(&plain_file(root, name));
    }
    let behaviour = behaviour.lock().expect("no thread panics with it").clone();
    let authorization = headers.get("authorization").map_or("", String::as_str);
    requests
        .lock()
        .expect("no thread panics with it")
        .push(format!("{method} {target} {authorization}"));
    if let Some(delay) = behaviour.delay {
        std::thread::sleep(delay);
    }
    if let Some(refused) = refusal(&behaviour, &target, authorization) {
        return (&mut &*stream).write_all(refused.as_bytes());
    }
    if behaviour.is_old {
        headers.remove("git-protocol");
    }
    let output = backend(root, &method, path, query, &headers, &body)?;
    let mut answer = from_cgi(&output);
    answer.truncate(behaviour.cut.unwrap_or(answer.len()));
    (&mut &*stream).write_all(&answer)
}

/// An answer that Git's program has no part in.
fn refusal(behaviour: &Behaviour, target: &str, authorization: &str) -> Option<String> {
    let answer = |status: &str, headers: &str, body: &str| {
        let length = body.len();
        Some(format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    };
    if let Some(status) = behaviour.status {
        return answer(&format!("{status} Told So"), "", "");
    }
    if let Some(base) = &behaviour.redirect
        && target.contains("/info/refs")
    {
        return answer("302 Found", &format!("Location: {base}{target}\r\n"), "");
    }
    let expected = match (&behaviour.login, &behaviour.token) {
        (Some((user, password)), _) => {
            format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
        }
        (None, Some(token)) => format!("Bearer {token}"),
        (None, None) => return None,
    };
    if authorization == expected {
        return None;
    }
    answer(
        "401 Unauthorized",
        "WWW-Authenticate: Basic realm=\"git\"\r\n",
        "Unauthorized\n",
    )
}

/// Standard base64, for a header.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = [
            chunk[0],
            *chunk.get(1).unwrap_or(&0),
            *chunk.get(2).unwrap_or(&0),
        ];
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

fn read_body(
    reader: &mut impl io::BufRead,
    headers: &HashMap<String, String>,
) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if headers
        .get("transfer-encoding")
        .is_some_and(|value| value == "chunked")
    {
        loop {
            let mut size = String::new();
            reader.take(64).read_line(&mut size)?;
            let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
            if body.len() as u64 + size > MAX_BODY {
                return Err(io::Error::other("the body is too large"));
            }
            reader.take(size).read_to_end(&mut body)?;
            reader.take(2).read_line(&mut String::new())?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    let length = headers
        .get("content-length")
        .and_then(|value| value.parse().ok());
    reader
        .take(length.unwrap_or(0).min(MAX_BODY))
        .read_to_end(&mut body)?;
    Ok(body)
}

fn backend(
    root: &Path,
    method: &str,
    path: &str,
    query: &str,
    headers: &HashMap<String, String>,
    body: &[u8],
) -> io::Result<Vec<u8>> {
    let header = |name: &str| headers.get(name).map(String::as_str).unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", PathBuf::from(root))
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = child.stdin.take().expect("piped");
    let body = body.to_owned();
    std::thread::spawn(move || drop(stdin.write_all(&body)));
    Ok(child.wait_with_output()?.stdout)
}

/// A file below `files`; names have no folders.
fn plain_file(root: &Path, name: &str) -> Vec<u8> {
    let read = (!name.contains('/')).then(|| std::fs::read(root.join("files").join(name)));
    let (status, body) = match read {
        Some(Ok(body)) => ("200 OK", body),
        _ => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut answer = head.into_bytes();
    answer.extend_from_slice(&body);
    answer
}

/// A CGI answer as an HTTP one: `Status:` becomes the first line.
fn from_cgi(output: &[u8]) -> Vec<u8> {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = match end {
        Some(end) => (&output[..end], &output[end + 4..]),
        None => (&b"Status: 500 Internal Server Error"[..], &b""[..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut status = "200 OK".to_owned();
    let mut lines = String::new();
    for line in head.lines() {
        match line.strip_prefix("Status: ") {
            Some(given) => status = given.to_owned(),
            None => lines.push_str(&format!("{line}\r\n")),
        }
    }
    let mut answer = format!(
        "HTTP/1.1 {status}\r\n{lines}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}
