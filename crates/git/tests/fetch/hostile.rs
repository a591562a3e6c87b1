//! Repositories and servers that mean harm.

use git::Limits;
use std::process::Command;

use super::*;

/// Adds a commit to `app` whose tree is made by hand, and gives its id.
fn forge(server: &GitServer, tree: &[u8]) -> String {
    let bare = server.root().join("app.git");
    let object = |kind: &str, content: &[u8]| {
        let file = server.root().join("object");
        std::fs::write(&file, content).unwrap();
        let output = Command::new("git")
            .arg("--git-dir")
            .arg(&bare)
            .args(["hash-object", "--literally", "-w", "-t", kind])
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let tree = object("tree", tree);
    let commit = object(
        "commit",
        format!("tree {tree}\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nx\n").as_bytes(),
    );
    server.git("app", &["update-ref", "refs/heads/main", &commit]);
    commit
}

fn entry(mode: &str, name: &[u8], id: &str) -> Vec<u8> {
    let mut entry = format!("{mode} ").into_bytes();
    entry.extend_from_slice(name);
    entry.push(0);
    entry.extend((0..20).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap()));
    entry
}

#[tokio::test]
async fn names_do_not_lead_out() {
    let server = GitServer::start();
    server.commit("app", &[("a", "1")]);
    let blob = server
        .git("app", &["rev-parse", "main:a"])
        .trim()
        .to_owned();
    for name in [
        &b".."[..],
        b".",
        b".git",
        b".GIT",
        b"a/b",
        b"..\\x",
        b"../../etc/passwd",
    ] {
        forge(&server, &entry("100644", name, &blob));
        let error = Place::new()
            .fetch(&server.url("app"), branch("main"))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("invalid path: "), "{name:?}: {error}");
    }
}

#[tokio::test]
async fn links_do_not_lead_out() {
    let server = GitServer::start();
    server.commit("app", &[("a", "1"), ("dir/b", "2")]);
    let id = |text: &str| {
        std::fs::write(server.root().join("target"), text).unwrap();
        let target = server.root().join("target");
        server
            .git("app", &["hash-object", "-w", &target.to_string_lossy()])
            .trim()
            .to_owned()
    };
    let mut tree = entry("120000", b"etc", &id("/etc"));
    tree.extend(entry("120000", b"passwd", &id("../../../../etc/passwd")));
    tree.extend(entry("120000", b"self", &id("self")));
    forge(&server, &tree);
    let got = Place::new()
        .fetch(&server.url("app"), branch("main"))
        .await
        .unwrap();
    for path in ["/etc/passwd", "/passwd", "/self"] {
        assert!(got.tree.read(Path::new(path)).is_err(), "{path}");
    }
    assert!(got.tree.archived(&tree::Ignore::defaults()).is_empty());
}

#[tokio::test]
async fn sizes_are_limited() {
    let server = GitServer::start();
    let noise: String = (0_u64..60_000)
        .map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    server.commit("app", &[("noise", &noise), ("b", "1"), ("c", "1")]);
    let remote = Remote::open(&server.url("app")).unwrap();
    let with = |limits: Limits| Options {
        limits,
        ..Options::default()
    };
    let cases = [
        (
            Limits {
                pack: 10_000,
                ..Limits::default()
            },
            "10000 bytes",
        ),
        (
            Limits {
                entries: 2,
                ..Limits::default()
            },
            "2 files",
        ),
        (
            Limits {
                object: 1000,
                ..Limits::default()
            },
            "",
        ),
    ];
    for (limits, text) in cases {
        let error = Place::new()
            .try_fetch(&remote, &branch("main"), &with(limits))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(text), "{error}");
    }
}

#[tokio::test]
async fn submodules_come_from_servers_only_and_without_credentials_of_others() {
    let (server, other) = (GitServer::start(), GitServer::start());
    server.commit("lib", &[("lib.yaml", "1")]);
    let inner = server.commit("lib", &[("lib.yaml", "2")]);
    let foreign = other.commit("lib", &[("foreign.yaml", "1")]);
    let with = |modules: &str, links: &[(&str, &str)]| {
        let bare = server.root().join("app.git");
        drop(std::fs::remove_dir_all(&bare));
        server.commit("app", &[(".gitmodules", modules), ("a", "1")]);
        for (path, id) in links {
            server.git("app", &["read-tree", "main"]);
            server.git(
                "app",
                &[
                    "update-index",
                    "--add",
                    "--cacheinfo",
                    &format!("160000,{id},{path}"),
                ],
            );
            let tree = server.git("app", &["write-tree"]).trim().to_owned();
            let id = [
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@x",
                "commit-tree",
                "-m",
                "m",
                &tree,
            ];
            let commit = server.git("app", &id).trim().to_owned();
            server.git("app", &["update-ref", "refs/heads/main", &commit]);
        }
    };
    let mut remote = Remote::open(&server.url("app")).unwrap();
    remote.auth.credentials = git::Credentials::Basic {
        username: "me".to_owned(),
        password: "canary".to_owned(),
    };
    let options = Options {
        submodules: true,
        ..Options::default()
    };

    let foreign_url = other.url("lib").replace("127.0.0.1", "localhost");
    with(
        &format!(
            "[submodule \"l\"]\npath = deps/lib\nurl = ../lib.git\n[submodule \"o\"]\npath = o\nurl = {foreign_url}\n"
        ),
        &[("deps/lib", &inner), ("o", &foreign)],
    );
    let got = commit(
        Place::new()
            .try_fetch(&remote, &branch("main"), &options)
            .await
            .unwrap(),
    );
    assert_eq!(
        paths(&got),
        [
            ".gitmodules",
            "a",
            "deps/lib/.git",
            "deps/lib/lib.yaml",
            "o/.git",
            "o/foreign.yaml"
        ]
    );
    assert_eq!(read(&got, "/deps/lib/lib.yaml"), "2");
    assert!(!other.requests().is_empty());
    assert!(
        other
            .requests()
            .iter()
            .all(|request| !request.contains("Basic")),
        "{:?}",
        other.requests()
    );
    let without = commit(
        Place::new()
            .try_fetch(&remote, &branch("main"), &Options::default())
            .await
            .unwrap(),
    );
    assert!(
        without.tree.is_dir(Path::new("/o"))
            && without.tree.list(Path::new("/o")).unwrap().is_empty()
    );

    for url in ["/etc", "file:///etc", "ext::sh -c id"] {
        with(
            &format!("[submodule \"l\"]\npath = l\nurl = {url}\n"),
            &[("l", &inner)],
        );
        let error = Place::new()
            .try_fetch(&remote, &branch("main"), &options)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("local or unsupported URL"), "{url}: {error}");
    }
    with(
        "[submodule \"l\"]\npath = ../out\nurl = ../lib.git\n",
        &[("l", &inner)],
    );
    assert!(
        Place::new()
            .try_fetch(&remote, &branch("main"), &options)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn servers_that_talk_nonsense_are_errors() {
    use std::io::{Read as _, Write as _};
    for answer in [
        "<html>hello</html>",
        "001e# service=git-upload-pack\n0000000eversion 2\n0000",
        "001e# service=git-upload-pack\n0000ffff",
        "001e# service=git-upload-pack\n0000003dnothexnothexnothexnothexnothexnothexnothex HEAD\0x\n0000",
        "0013ERR go away\n",
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/app.git", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                drop(stream.read(&mut [0; 4096]));
                let head = format!(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    answer.len()
                );
                drop(stream.write_all(format!("{head}{answer}").as_bytes()));
            }
        });
        assert!(
            Place::new().fetch(&url, branch("main")).await.is_err(),
            "{answer}"
        );
    }
}
