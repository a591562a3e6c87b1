//! Credentials, proxies, providers and signatures.

use std::process::Command;

use super::*;
use tempfile::TempDir;
use testkit::ssh_server::SshServer;
use world::condition;

fn secret_ref(name: &str) -> Value {
    json!({"secretRef": {"name": name}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn basic_and_bearer() {
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("a.yaml", "1")]);
        world
            .git
            .set(|behaviour| behaviour.login = Some(("me".to_owned(), "canary".to_owned())));
        world.create("open", "app", json!({})).await;
        world.step("without", "open", has_failed).await;
        world.create("missing", "app", secret_ref("missing")).await;
        world.step("no secret", "missing", has_failed).await;
        world
            .secret("good", &[("username", "me"), ("password", "canary")])
            .await;
        world.create("good", "app", secret_ref("good")).await;
        world.step("good", "good", at(&first)).await;
        world
            .secret("bad", &[("username", "me"), ("password", "wrong")])
            .await;
        world.create("bad", "app", secret_ref("bad")).await;
        world.step("bad", "bad", has_failed).await;
        world.secret("half", &[("password", "canary")]).await;
        world.create("half", "app", secret_ref("half")).await;
        world.step("half", "half", has_failed).await;
        world.secret("appdata", &[("githubAppID", "1")]).await;
        world.create("appdata", "app", secret_ref("appdata")).await;
        world.step("app data", "appdata", has_failed).await;
        for name in ["open", "missing", "good", "bad", "half", "appdata"] {
            let events = world.note_events(name).await;
            assert!(!events.join("\n").contains("canary"));
        }
        world.git.set(|behaviour| {
            behaviour.login = None;
            behaviour.token = Some("canary-token".to_owned());
        });
        world
            .secret("token", &[("bearerToken", "canary-token")])
            .await;
        world.create("token", "app", secret_ref("token")).await;
        world.step("token", "token", at(&first)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_and_providers() {
    both(async |world: &mut World| {
        world.git.commit("app", &[("a.yaml", "1")]);
        let proxy = |name: &str| json!({"proxySecretRef": {"name": name}});
        world.create("noproxy", "app", proxy("none")).await;
        world.step("no proxy secret", "noproxy", has_failed).await;
        world.secret("empty", &[("x", "y")]).await;
        world.create("emptyproxy", "app", proxy("empty")).await;
        world.step("no address", "emptyproxy", has_failed).await;
        world.secret("ftp", &[("address", "ftp://x")]).await;
        world.create("ftpproxy", "app", proxy("ftp")).await;
        world.step("no scheme", "ftpproxy", has_failed).await;
        world
            .create("app", "app", json!({"provider": "github"}))
            .await;
        world
            .step("no app", "app", |object| {
                !condition(object, "Stalled").is_null()
            })
            .await;
        world
            .create(
                "appempty",
                "app",
                json!({"provider": "github", "secretRef": {"name": "empty"}}),
            )
            .await;
        world.step("no app data", "appempty", has_failed).await;
        world
            .create(
                "gate",
                "app",
                json!({"provider": "azure", "serviceAccountName": "x"}),
            )
            .await;
        world
            .step("no gate", "gate", |object| {
                !condition(object, "Stalled").is_null()
            })
            .await;
        for name in [
            "noproxy",
            "emptyproxy",
            "ftpproxy",
            "app",
            "appempty",
            "gate",
        ] {
            world.note_events(name).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_ssh() {
    let Some(server) = SshServer::start(false) else {
        println!("left out: openssh-server is not installed");
        return;
    };
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("a.yaml", "1")]);
        let url = server.url(&world.git.root().join("app.git"));
        let with = |secret: &str| json!({"url": url, "secretRef": {"name": secret}});
        let (key, known) = (server.key("client"), server.known_hosts());
        world
            .secret("good", &[("identity", &key), ("known_hosts", &known)])
            .await;
        world.create("good", "app", with("good")).await;
        world.until("good", at(&first)).await;
        let locked = server.key("client_encrypted");
        world
            .secret("locked", &[("identity", &locked), ("known_hosts", &known)])
            .await;
        world.create("locked", "app", with("locked")).await;
        world.step("locked", "locked", has_failed).await;
        world
            .secret(
                "opened",
                &[
                    ("identity", &locked),
                    ("known_hosts", &known),
                    ("password", "open sesame"),
                ],
            )
            .await;
        world.create("opened", "app", with("opened")).await;
        world.until("opened", at(&first)).await;
        world.secret("nohosts", &[("identity", &key)]).await;
        world.create("nohosts", "app", with("nohosts")).await;
        world.step("no hosts", "nohosts", has_failed).await;
        world.create("nosecret", "app", json!({"url": url})).await;
        world.step("no secret", "nosecret", has_failed).await;
        for (name, hosts) in [
            ("mismatch", server.other_host()),
            ("unknown", known.replace("127.0.0.1", "example.com")),
        ] {
            world
                .secret(name, &[("identity", &key), ("known_hosts", &hosts)])
                .await;
            world.create(name, "app", with(name)).await;
            let object = world.until(name, has_failed).await;
            let message = condition(&object, "Ready")["message"].to_string();
            assert!(
                message.contains("ssh: handshake failed: knownhosts: key"),
                "{message}"
            );
        }
        world
            .secret(
                "stranger",
                &[("identity", &server.key("host")), ("known_hosts", &known)],
            )
            .await;
        world.create("stranger", "app", with("stranger")).await;
        let object = world.until("stranger", has_failed).await;
        let message = condition(&object, "Ready")["message"].to_string();
        assert!(
            message.contains("ssh: unable to authenticate, attempted methods [none publickey]"),
            "{message}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    for name in ["own", "other"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f", &path(name)])
            .status();
        assert!(made.unwrap().success());
    }
    let public = |name: &str| std::fs::read_to_string(path(&format!("{name}.pub"))).unwrap();
    both(async |world: &mut World| {
        let plain = world.git.commit("app", &[("a.yaml", "1")]);
        let key = format!("user.signingkey={}", path("own.pub"));
        let sign = ["-c", "user.name=t", "-c", "user.email=t@x", "-c", "gpg.format=ssh", "-c", &key];
        let git = |world: &World, more: &[&str]| {
            let all: Vec<&str> = sign.iter().copied().chain(more.iter().copied()).collect();
            world.git.git("app", &all).trim().to_owned()
        };
        let date = "GIT_COMMITTER_DATE";
        let _ = date;
        let signed = git(world, &["commit-tree", "-S", "-m", "signed", "main^{tree}"]);
        git(world, &["update-ref", "refs/heads/signed", &signed]);
        git(world, &["tag", "-s", "-m", "release", "v1", &signed]);
        git(world, &["tag", "-a", "-m", "unsigned", "v2", &signed]);
        world.secret("own", &[("a.sshpub", &public("own"))]).await;
        world.secret("other", &[("a.sshpub", &public("other"))]).await;
        world.secret("ring", &[("a.asc", "junk")]).await;
        let verify = |mode: &str, secret: &str, reference: Value| {
            json!({"ref": reference, "verify": {"mode": mode, "secretRef": {"name": secret}}})
        };
        let (branch, tag) = (json!({"branch": "signed"}), json!({"tag": "v1"}));
        let good = [("head", "HEAD", &branch), ("tag", "Tag", &tag), ("both", "TagAndHEAD", &tag)];
        let mut texts = Vec::new();
        for (name, mode, reference) in good {
            world.create(name, "app", verify(mode, "own", reference.clone())).await;
            let object = world.until(name, at(&signed)).await;
            assert_eq!(object["status"]["sourceVerificationMode"], mode);
            let message = condition(&object, "SourceVerified")["message"].as_str().unwrap().to_owned();
            let tag_id = git(world, &["rev-parse", "v1"]);
            texts.push(json!(message.replace(&signed, "COMMIT").replace(&tag_id, "TAG")));
        }
        let bad = [
            ("unsigned", "HEAD", "own", json!({"branch": "main"})),
            ("stranger", "HEAD", "other", branch.clone()),
            ("nokeys", "HEAD", "ring", branch.clone()),
            ("nosecret", "HEAD", "nowhere", branch.clone()),
            ("notag", "Tag", "own", branch.clone()),
            ("notsigned", "Tag", "own", json!({"tag": "v2"})),
            ("strangertag", "Tag", "other", tag.clone()),
        ];
        for (name, mode, secret, reference) in bad {
            world.create(name, "app", verify(mode, secret, reference)).await;
            let object = world.until(name, has_failed).await;
            let ids = [("COMMIT", signed.clone()), ("TAG1", git(world, &["rev-parse", "v1"])),
                ("TAG2", git(world, &["rev-parse", "v2"])), ("PLAIN", plain.clone())];
            let mut text = object["status"].to_string();
            for (word, id) in ids {
                text = text.replace(&id, word);
            }
            texts.push(serde_json::from_str(&text).unwrap());
        }
        world.seen.push(("signatures".to_owned(), json!(texts)));
    })
    .await;
}

/// An API of GitHub that gives a token to whom shows one, or refuses everyone.
fn github(refuses: bool) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = vec![0; 8192];
            let read = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let is_asked = request.starts_with("post /app/installations/7/access_tokens ");
            let (status, body) =
                if is_asked && request.contains("authorization: bearer ey") && !refuses {
                    (
                        "201 Created",
                        r#"{"token": "canary-token", "expires_at": "2099-01-01T00:00:00Z"}"#,
                    )
                } else {
                    ("404 Not Found", r#"{"message": "Not Found"}"#)
                };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            );
            drop(stream.write_all(
                format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes(),
            ));
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn github_apps() {
    let folder = TempDir::new().unwrap();
    let key = folder.path().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let key = std::fs::read_to_string(key).unwrap();
    let (api, closed) = (github(false), github(true));
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("a.yaml", "1")]);
        world.git.set(|behaviour| {
            behaviour.login = Some(("x-access-token".to_owned(), "canary-token".to_owned()))
        });
        for (name, url) in [("app", &api), ("closed", &closed)] {
            let id = [("githubAppID", "5"), ("githubAppInstallationID", "7")];
            let rest = [
                ("githubAppPrivateKey", key.as_str()),
                ("githubAppBaseURL", url.as_str()),
            ];
            let data: Vec<(&str, &str)> = id.into_iter().chain(rest).collect();
            world.secret(name, &data).await;
        }
        let with = |secret: &str| json!({"provider": "github", "secretRef": {"name": secret}});
        world.create("app", "app", with("app")).await;
        world.step("app", "app", at(&first)).await;
        world.create("closed", "app", with("closed")).await;
        let object = world.until("closed", has_failed).await;
        let message = condition(&object, "Ready")["message"]
            .as_str()
            .unwrap()
            .to_owned();
        let start = "failed to configure authentication options: POST http://127.0.0.1:";
        assert!(
            message.starts_with(start) && message.contains(": 404 Not Found"),
            "{message}"
        );
        world.create("broken", "app", with("nokey")).await;
        world.until("broken", has_failed).await;
    })
    .await;
}
