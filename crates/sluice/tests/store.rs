//! What `sluice up` keeps: acknowledged writes survive a kill, one process has the directory, the end is clean.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use testkit::DEADLINE;
use testkit::process::run;
use testkit::server::Server;

const SLUICE: &str = env!("CARGO_BIN_EXE_sluice");

fn manifest(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{name: {name}}}\n")
}

#[test]
fn acknowledged_writes_survive_a_kill() {
    let directory = TempDir::new().unwrap();
    let mut server = Server::in_directory(SLUICE, directory.path());
    if server.kubectl().is_none() {
        return;
    }
    // Four writers, killed in the middle of their work.
    let stopped = Arc::new(AtomicBool::new(false));
    let written = Arc::new(Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (stopped, written) = (Arc::clone(&stopped), Arc::clone(&written));
            let kubectl = server.kubectl().unwrap();
            let commands: Vec<_> = (0..40)
                .map(|index| {
                    let name = format!("w{writer}-{index}");
                    let literal = format!("--from-literal=name={name}");
                    (
                        kubectl.command(&["create", "configmap", &name, &literal]),
                        name,
                    )
                })
                .collect();
            scope.spawn(move || {
                for (mut command, name) in commands {
                    if stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    if run(&mut command, "", DEADLINE).status.success() {
                        written.lock().unwrap().push(name);
                    }
                }
            });
        }
        testkit::eventually(DEADLINE, || {
            let count = written.lock().unwrap().len();
            if count >= 12 {
                Ok(())
            } else {
                Err(format!("{count} written"))
            }
        });
        server.process.kill();
        stopped.store(true, Ordering::SeqCst);
    });
    let written = written.lock().unwrap().clone();
    drop(server);
    let server = Server::in_directory(SLUICE, directory.path());
    let kubectl = server.kubectl().unwrap();
    let kept = kubectl.ok(&[
        "get",
        "configmaps",
        "-o",
        "jsonpath={range .items[*]}{.metadata.name}={.data.name}{\"\\n\"}{end}",
    ]);
    for name in &written {
        assert!(
            kept.lines().any(|line| line == format!("{name}={name}")),
            "{name} is lost; kept: {kept}"
        );
    }
}

#[test]
fn a_second_process_is_refused() {
    let directory = TempDir::new().unwrap();
    let _server = Server::in_directory(SLUICE, directory.path());
    let second = run(
        Command::new(SLUICE)
            .args(["up", "--port", "0", "--dir"])
            .arg(directory.path()),
        "",
        DEADLINE,
    );
    assert!(!second.status.success(), "{second}");
    assert_eq!(second.stdout, "");
    assert!(
        second.stderr.contains(&*directory.path().to_string_lossy()),
        "{second}"
    );
    assert!(second.stderr.contains("another process"), "{second}");
    assert!(second.stderr.contains("hint: "), "{second}");
}

#[test]
fn resource_versions_go_on_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let version = |server: &Server| -> Option<u64> {
        let kubectl = server.kubectl()?;
        let list = kubectl.ok(&["get", "--raw", "/api/v1/namespaces/default/configmaps"]);
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        Some(
            list["metadata"]["resourceVersion"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap(),
        )
    };
    let mut server = Server::in_directory(SLUICE, directory.path());
    let Some(kubectl) = server.kubectl() else {
        return;
    };
    kubectl.apply(&manifest("before"));
    let before = version(&server).unwrap();
    server.process.kill();
    drop(server);

    let server = Server::in_directory(SLUICE, directory.path());
    let kubectl = server.kubectl().unwrap();
    let restarted = version(&server).unwrap();
    assert!(restarted >= before, "{restarted} < {before}");
    kubectl.apply(&manifest("after"));
    // A watch from a version of the previous life goes on from there, or is told that it is too old.
    let path = format!(
        "/api/v1/namespaces/default/configmaps?watch=true&resourceVersion={before}&timeoutSeconds=1"
    );
    let events = kubectl.run(&["get", "--raw", &path]);
    let gone = events.stdout.contains("too old resource version")
        || events.stderr.contains("too old resource version");
    assert!(
        gone || events.stdout.contains("\"name\":\"after\""),
        "{events}"
    );
    let after = kubectl.ok(&[
        "get",
        "cm",
        "after",
        "-o",
        "jsonpath={.metadata.resourceVersion}",
    ]);
    assert!(
        after.parse::<u64>().unwrap() > before,
        "{after} after {before}"
    );
}

#[test]
fn sigterm_ends_it_cleanly() {
    for in_memory in [true, false] {
        let directory = TempDir::new().unwrap();
        let mut server = if in_memory {
            Server::in_memory(SLUICE)
        } else {
            Server::in_directory(SLUICE, directory.path())
        };
        // A watch that is open does not hold it up.
        let watch = server.kubectl().map(|kubectl| {
            kubectl.apply(&manifest("a"));
            testkit::process::Background::start(
                &mut kubectl.command(&["get", "cm", "-w", "-o", "name"]),
                &directory.path().join("watch.log"),
            )
        });
        if let Some(watch) = &watch {
            testkit::eventually(DEADLINE, || {
                let seen = watch.output();
                if seen.contains("configmap/a") {
                    Ok(())
                } else {
                    Err(seen)
                }
            });
        }
        let status = server.process.terminate(DEADLINE);
        assert_eq!(status.code(), Some(0), "{}", server.process.output());
        assert!(
            !server.process.output().contains("ERROR"),
            "{}",
            server.process.output()
        );
        if !in_memory {
            assert!(
                sealed(directory.path()),
                "the write-ahead log is not folded into the database"
            );
        }
    }
}

/// After a clean end SQLite has removed its write-ahead log.
fn sealed(directory: &Path) -> bool {
    std::fs::read_dir(directory)
        .expect("the directory is there")
        .flatten()
        .all(|entry| !entry.file_name().to_string_lossy().ends_with("-wal"))
}

#[test]
fn the_ready_line_names_url_and_kubeconfig() {
    let server = Server::in_memory(SLUICE);
    let expected = format!("{} {}", server.url, server.kubeconfig.display());
    testkit::eventually(DEADLINE, || {
        let output = server.process.output();
        if output.lines().any(|line| line == expected) {
            Ok(())
        } else {
            Err(output)
        }
    });
}

#[test]
fn tokens_of_a_file_are_let_in() {
    let directory = TempDir::new().unwrap();
    let tokens = directory.path().join("tokens.csv");
    std::fs::write(
        &tokens,
        "secret-of-ann,ann,1,\"system:masters,staff\"\nsecret-of-bob,bob,2\n",
    )
    .unwrap();
    let server = Server::start(
        SLUICE,
        &[
            "--in-memory",
            "--token-auth-file",
            &tokens.to_string_lossy(),
        ],
    );
    let Some(kubectl) = server.kubectl() else {
        return;
    };
    let config = std::fs::read_to_string(&server.kubeconfig).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    for (token, user, may) in [
        ("secret-of-ann", "ann", "yes\n"),
        ("secret-of-bob", "bob", "no\n"),
    ] {
        config["users"][0]["user"]["token"] = token.into();
        let file = server.file(user, &config.to_string());
        let mut command = kubectl.command(&[
            "auth",
            "whoami",
            "-o",
            "jsonpath={.status.userInfo.username}",
        ]);
        assert_eq!(
            run(command.env("KUBECONFIG", &file), "", DEADLINE).ok(),
            user
        );
        let mut command = kubectl.command(&["auth", "can-i", "get", "secrets"]);
        assert_eq!(
            run(command.env("KUBECONFIG", &file), "", DEADLINE).stdout,
            may
        );
    }
}
