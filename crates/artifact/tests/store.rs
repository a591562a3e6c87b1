//! Writing, verifying, collecting and serving artifacts.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use api::meta::Artifact;
use artifact::{DigestAlgorithm, Store, StoreError, StoreOptions, advertised_address};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;
use tree::{Blobs, ContentId, Entry, FileSystem as _, Ignore, Tree};

struct One(Result<&'static str, ()>);

impl Blobs for One {
    fn read(&self, _: &ContentId) -> std::io::Result<Arc<[u8]>> {
        self.0
            .map(|text| text.as_bytes().into())
            .map_err(|()| std::io::Error::other("the origin is gone"))
    }
}

fn tree(text: Result<&'static str, ()>) -> Tree {
    let entry = Entry::File {
        id: ContentId::sha256([1; 32]),
        size: None,
        executable: false,
    };
    Tree::new(
        BTreeMap::from([(PathBuf::from("a/b.yaml"), entry)]),
        Arc::new(One(text)),
    )
}

fn store(change: impl FnOnce(&mut StoreOptions)) -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let mut options = StoreOptions::new(folder.path(), "source.svc");
    change(&mut options);
    (folder, Store::new(options).unwrap())
}

fn write(store: &Store, revision: &str, text: &'static str) -> Artifact {
    let mut artifact = store.new_artifact(
        "GitRepository",
        "ns",
        "app",
        revision,
        &format!("{revision}.tar.gz"),
    );
    store
        .write(&mut artifact, &tree(Ok(text)), &Ignore::default())
        .unwrap();
    artifact
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.join("gitrepository/ns/app"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn artifacts_are_written_and_read() {
    let (folder, store) = store(|_| {});
    let artifact = write(&store, "r1", "one");
    assert_eq!(artifact.path, "gitrepository/ns/app/r1.tar.gz");
    assert_eq!(
        artifact.url,
        "http://source.svc/gitrepository/ns/app/r1.tar.gz"
    );
    assert!(artifact.digest.starts_with("sha256:") && artifact.size.unwrap() > 100);
    assert_eq!(files(folder.path()), ["r1.tar.gz", "r1.tar.gz.lock"]);
    assert!(store.exists(&artifact));
    store.verify(&artifact).unwrap();
    let again = Store::new(StoreOptions::new(folder.path(), "x")).unwrap();
    let read = again.read(&artifact).unwrap();
    assert_eq!(&*read.read(Path::new("/a/b.yaml")).unwrap(), b"one");
    // The same content gives the same digest.
    assert_eq!(write(&store, "r2", "one").digest, artifact.digest);
}

#[test]
fn what_was_changed_is_found() {
    let (folder, store) = store(|options| options.digest = DigestAlgorithm::Blake3);
    let artifact = write(&store, "r1", "one");
    assert!(artifact.digest.starts_with("blake3:"));
    fs::write(folder.path().join(&artifact.path), "junk").unwrap();
    let error = store.verify(&artifact).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("computed digest doesn't match '{}'", artifact.digest)
    );
    store.remove(&artifact).unwrap();
    assert!(!store.exists(&artifact));
    let without = Artifact {
        digest: String::new(),
        ..artifact
    };
    assert_eq!(
        store.verify(&without).unwrap_err().to_string(),
        "artifact has no digest"
    );
}

#[test]
fn nothing_is_left_of_a_failed_write() {
    let (folder, store) = store(|_| {});
    let first = write(&store, "r1", "one");
    let mut artifact = store.new_artifact("GitRepository", "ns", "app", "r1", "r1.tar.gz");
    let error = store
        .write(&mut artifact, &tree(Err(())), &Ignore::default())
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Content(_))
            && error.to_string().contains("a/b.yaml: the origin is gone")
    );
    assert!(artifact.digest.is_empty());
    assert_eq!(files(folder.path()), ["r1.tar.gz", "r1.tar.gz.lock"]);
    store.verify(&first).unwrap();
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    // A device that is always full, in the place of the temporary file's content.
    let (folder, store) = store(|_| {});
    let mut artifact = store.new_artifact("GitRepository", "ns", "app", "r1", "r1.tar.gz");
    let error = store
        .write_with(&mut artifact, |_| {
            use std::io::Write as _;
            fs::File::options()
                .write(true)
                .open("/dev/full")?
                .write_all(b"x")
        })
        .unwrap_err();
    assert!(
        error.to_string().contains("No space left on device"),
        "{error}"
    );
    assert_eq!(files(folder.path()), ["r1.tar.gz.lock"]);
}

#[test]
fn paths_from_outside_stay_inside() {
    let (_folder, store) = store(|_| {});
    for path in [
        "../../etc/passwd",
        "/",
        "a",
        "",
        ".sluice/x",
        "a/../../b",
        "gitrepository/.hidden/x",
    ] {
        let artifact = Artifact {
            path: path.to_owned(),
            digest: "sha256:00".to_owned(),
            ..Artifact::default()
        };
        assert!(
            matches!(store.file(&artifact), Err(StoreError::Path(_))),
            "{path}"
        );
        assert!(
            !store.exists(&artifact)
                && store.verify(&artifact).is_err()
                && store.remove(&artifact).is_err()
        );
    }
    assert!(store.remove_all("GitRepository", "..", "..").is_err());
}

#[test]
fn the_old_and_the_many_are_collected() {
    let age = |folder: &Path, name: &str, seconds: u64| {
        let file = fs::File::options()
            .write(true)
            .open(folder.join("gitrepository/ns/app").join(name))
            .unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds))
            .unwrap();
    };
    // Too old.
    let (folder, store) = store(|options| options.retention_records = 5);
    for (at, revision) in ["r1", "r2", "r3"].into_iter().enumerate() {
        write(&store, revision, "x");
        age(
            folder.path(),
            &format!("{revision}.tar.gz"),
            200 - at as u64,
        );
    }
    let current = write(&store, "r4", "x");
    assert_eq!(store.collect_garbage(&current).unwrap().len(), 3);
    assert_eq!(files(folder.path()), ["r4.tar.gz", "r4.tar.gz.lock"]);
    // Too many; the current one stays also when it is the oldest.
    for (at, revision) in ["r5", "r6", "r7", "r8", "r9"].into_iter().enumerate() {
        write(&store, revision, "x");
        age(folder.path(), &format!("{revision}.tar.gz"), 20 - at as u64);
    }
    age(folder.path(), "r4.tar.gz", 50);
    assert_eq!(store.collect_garbage(&current).unwrap().len(), 1);
    assert!(store.collect_garbage(&current).unwrap().is_empty());
    assert!(store.exists(&current));
    assert!(!files(folder.path()).contains(&"r5.tar.gz".to_owned()));
    assert!(store.remove_all("GitRepository", "ns", "app").unwrap());
    assert!(!store.remove_all("GitRepository", "ns", "app").unwrap());
}

#[test]
fn addresses_are_advertised_as_fluxs() {
    assert_eq!(advertised_address(":9090").unwrap(), "localhost:9090");
    assert_eq!(
        advertised_address("127.0.0.1:9090").unwrap(),
        "127.0.0.1:9090"
    );
    assert!(
        !advertised_address("0.0.0.0:9090")
            .unwrap()
            .starts_with("0.0.0.0")
    );
    assert!(advertised_address("9090").is_err());
}

#[tokio::test]
async fn artifacts_are_served_and_nothing_else() {
    let (folder, store) = store(|_| {});
    let artifact = write(&store, "r1", "one");
    fs::create_dir(folder.path().join(".sluice")).unwrap();
    fs::write(folder.path().join(".sluice/secret"), "secret").unwrap();
    fs::write(folder.path().join("gitrepository/x.txt"), "0123456789").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("gitrepository/link")).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(artifact::serve(
        listener,
        folder.path().to_owned(),
        stop.clone(),
    ));
    let get = async |method: &str, path: &str, headers: &str| {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        (
            String::from_utf8(answer[..end].to_vec()).unwrap(),
            answer[end + 4..].to_vec(),
        )
    };
    let (head, body) = get("GET", &format!("/{}", artifact.path), "").await;
    assert!(
        head.starts_with("HTTP/1.1 200") && head.contains("content-type: application/gzip"),
        "{head}"
    );
    assert_eq!(body, fs::read(folder.path().join(&artifact.path)).unwrap());
    let (head, body) = get("HEAD", &format!("/{}", artifact.path), "").await;
    assert!(
        head.contains(&format!("content-length: {}", artifact.size.unwrap())) && body.is_empty()
    );
    let (head, body) = get("GET", "/gitrepository/x.txt", "Range: bytes=2-4\r\n").await;
    assert!(head.starts_with("HTTP/1.1 206") && head.contains("bytes 2-4/10"));
    assert_eq!(body, b"234");
    assert_eq!(
        get("GET", "/gitrepository/x.txt", "Range: bytes=-3\r\n")
            .await
            .1,
        b"789"
    );
    assert!(
        get("GET", "/gitrepository/x.txt", "Range: bytes=20-\r\n")
            .await
            .0
            .starts_with("HTTP/1.1 416")
    );
    for path in [
        "/.sluice/secret",
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/gitrepository/link",
        "/missing",
        "/%00",
    ] {
        let (head, body) = get("GET", path, "").await;
        assert!(head.starts_with("HTTP/1.1 404"), "{path} {head}");
        assert_eq!(body, b"404 page not found\n");
    }
    assert!(
        get("PUT", "/gitrepository/x.txt", "")
            .await
            .0
            .starts_with("HTTP/1.1 405")
    );
    let (_, listing) = get("GET", "/", "").await;
    let listing = String::from_utf8(listing).unwrap();
    assert!(
        listing.contains("gitrepository/") && !listing.contains("sluice"),
        "{listing}"
    );
    stop.cancel();
    server.await.unwrap().unwrap();
}
