//! References, histories and refusals over HTTP.

use std::time::Duration;

use git::{Credentials, ProxyUrl};

use super::*;

#[tokio::test]
async fn branches_are_fetched_and_followed() {
    for is_old in [false, true] {
        let server = GitServer::start();
        server.set(|behaviour| behaviour.is_old = is_old);
        let first = server.commit("app", &[("a.yaml", "one"), ("d/b.sh", "#!/bin/sh")]);
        let place = Place::new();
        let got = place
            .fetch(&server.url("app"), branch("main"))
            .await
            .unwrap();
        assert_eq!(got.revision.to_string(), format!("main@sha1:{first}"));
        assert_eq!(
            got.revision.absolute(),
            format!("refs/heads/main@sha1:{first}")
        );
        assert_eq!(
            (got.commit.message.as_str(), got.commit.author.name.as_str()),
            ("change\n", "test")
        );
        assert_eq!(paths(&got), ["a.yaml", "d/b.sh"]);
        for text in ["two", "three", "four"] {
            let next = server.commit("app", &[("a.yaml", text), ("d/b.sh", "#!/bin/sh")]);
            let got = place
                .fetch(&server.url("app"), branch("main"))
                .await
                .unwrap();
            assert_eq!(got.revision.id, next);
            assert_eq!(
                (
                    read(&got, "/a.yaml").as_str(),
                    read(&got, "/d/b.sh").as_str()
                ),
                (text, "#!/bin/sh")
            );
        }
        // The old tree is still there.
        assert_eq!(read(&got, "/a.yaml"), "one");
        let again = Mirror::open(place.folder.path()).unwrap();
        assert_eq!(again.known(&first, &[]).unwrap().len(), 2);
    }
}

#[tokio::test]
async fn what_is_known_is_not_fetched() {
    let server = GitServer::start();
    let id = server.commit("app", &[("a", "1")]);
    let remote = Remote::open(&server.url("app")).unwrap();
    let place = Place::new();
    let options = Options {
        last_observed: Some(format!("main@sha1:{id}")),
        ..Options::default()
    };
    let got = place
        .try_fetch(&remote, &branch("main"), &options)
        .await
        .unwrap();
    assert!(matches!(got, Fetched::Unchanged(revision) if revision.id == id));
    assert_eq!(server.requests().len(), 2, "{:?}", server.requests());
    let name = Reference::Name("refs/heads/main".to_owned());
    let options = Options {
        last_observed: Some(format!("refs/heads/main@sha1:{id}")),
        ..Options::default()
    };
    assert!(matches!(
        place.try_fetch(&remote, &name, &options).await,
        Ok(Fetched::Unchanged(_))
    ));
}

#[tokio::test]
async fn an_incremental_fetch_brings_only_what_is_new() {
    let server = GitServer::start();
    let large: String = (0..200_000).map(|n| format!("{}\n", n * 7919)).collect();
    server.commit("app", &[("large", &large), ("small", "1")]);
    let place = Place::new();
    place
        .fetch(&server.url("app"), branch("main"))
        .await
        .unwrap();
    server.commit("app", &[("large", &large), ("small", "2")]);
    place
        .fetch(&server.url("app"), branch("main"))
        .await
        .unwrap();
    let packs = std::fs::read_dir(place.folder.path().join("0/objects/pack"))
        .unwrap()
        .flatten();
    let mut sizes: Vec<u64> = packs
        .filter(|entry| entry.path().extension().unwrap() == "pack")
        .map(|entry| entry.metadata().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes.len(), 2);
    assert!(sizes[0] < 2000 && sizes[1] > 100_000, "{sizes:?}");
}

#[tokio::test]
async fn tags_names_and_versions_are_resolved() {
    for is_old in [false, true] {
        let server = GitServer::start();
        server.set(|behaviour| behaviour.is_old = is_old);
        let first = server.commit("app", &[("a", "1")]);
        server.git("app", &["tag", "v1.0.0"]);
        let second = server.commit("app", &[("a", "2")]);
        server.git(
            "app",
            &[
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@x",
                "tag",
                "-a",
                "-m",
                "note",
                "v1.1.0",
            ],
        );
        server.git("app", &["tag", "v2.0.0-rc.1"]);
        server.git("app", &["tag", "other"]);
        server.git("app", &["update-ref", "refs/pull/1/head", &first]);
        let url = server.url("app");
        let place = Place::new();
        let tag = place
            .fetch(&url, Reference::Tag("v1.1.0".to_owned()))
            .await
            .unwrap();
        assert_eq!(tag.revision.to_string(), format!("v1.1.0@sha1:{second}"));
        let object = tag.tag.unwrap();
        assert_eq!((object.message.as_str(), object.id.len()), ("note\n", 40));
        let light = place
            .fetch(&url, Reference::Tag("v1.0.0".to_owned()))
            .await
            .unwrap();
        assert_eq!(light.tag.unwrap().to_string(), "v1.0.0");
        let version = |range: &str| Reference::SemVer(range.to_owned());
        let name = |name: &str| Reference::Name(name.to_owned());
        for (reference, revision) in [
            (version(">=1.0.0"), format!("v1.1.0@sha1:{second}")),
            (version(">=1.0.0-0"), format!("v2.0.0-rc.1@sha1:{second}")),
            (
                name("refs/pull/1/head"),
                format!("refs/pull/1/head@sha1:{first}"),
            ),
            (
                name("refs/tags/v1.1.0"),
                format!("refs/tags/v1.1.0@sha1:{second}"),
            ),
        ] {
            let is_name = matches!(reference, Reference::Name(_));
            let found = place.fetch(&url, reference).await.unwrap().revision;
            let found = if is_name {
                found.absolute()
            } else {
                found.to_string()
            };
            assert_eq!(found, revision);
        }
    }
}

#[tokio::test]
async fn commits_have_to_be_on_the_branch() {
    for is_old in [false, true] {
        let server = GitServer::start();
        server.set(|behaviour| behaviour.is_old = is_old);
        let first = server.commit("app", &[("a", "1")]);
        server.commit("app", &[("a", "2")]);
        server.git("app", &["branch", "side", &first]);
        let tree = server.git("app", &["rev-parse", "main^{tree}"]);
        let stray = server.git(
            "app",
            &[
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@x",
                "commit-tree",
                "-m",
                "s",
                tree.trim(),
            ],
        );
        let url = server.url("app");
        let on = |id: &str, branch: Option<&str>| Reference::Commit {
            id: id.trim().to_owned(),
            branch: branch.map(str::to_owned),
        };
        let place = Place::new();
        // A shallow fetch before must not hide the history.
        place.fetch(&url, branch("main")).await.unwrap();
        let got = place.fetch(&url, on(&first, Some("main"))).await.unwrap();
        assert_eq!(
            (got.revision.to_string(), read(&got, "/a")),
            (format!("main@sha1:{first}"), "1".to_owned())
        );
        let got = place.fetch(&url, on(&first, None)).await.unwrap();
        assert_eq!(got.revision.to_string(), format!("sha1:{first}"));
        let second = server.git("app", &["rev-parse", "main"]);
        for (id, branch) in [
            (&second, Some("side")),
            (&stray, None),
            (&stray, Some("main")),
        ] {
            let error = Place::new().fetch(&url, on(id, branch)).await.unwrap_err();
            let expected = format!(
                "unable to resolve commit object for '{}': object not found",
                id.trim()
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[tokio::test]
async fn errors_are_go_gits() {
    let server = GitServer::start();
    server.commit("app", &[("a", "1")]);
    let url = server.url("app");
    let fails = async |url: &str, reference: Reference| {
        Place::new()
            .fetch(url, reference)
            .await
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        fails(&url, branch("nope")).await,
        format!("unable to clone '{url}': couldn't find remote ref \"refs/heads/nope\"")
    );
    assert_eq!(
        fails(&url, Reference::Tag("nope".to_owned())).await,
        format!("unable to clone '{url}': couldn't find remote ref \"refs/tags/nope\"")
    );
    assert_eq!(
        fails(&url, Reference::SemVer("9.x".to_owned())).await,
        "no match found for semver: 9.x"
    );
    assert_eq!(
        fails(&url, Reference::Name("refs/x/y".to_owned())).await,
        "unable to resolve ref 'refs/x/y' to a specific commit"
    );
    let missing = server.url("missing");
    assert_eq!(
        fails(&missing, branch("main")).await,
        format!("unable to clone '{missing}': repository not found: ")
    );
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let closed_url = format!("http://{closed}/x.git");
    assert_eq!(
        fails(&closed_url, branch("main")).await,
        format!(
            "unable to clone '{closed_url}': Get \"{closed_url}/info/refs?service=git-upload-pack\": \
             dial tcp {closed}: connect: connection refused"
        )
    );
    server.set(|behaviour| behaviour.status = Some(500));
    assert_eq!(
        fails(&url, branch("main")).await,
        format!(
            "unable to clone '{url}': unexpected client error: unexpected requesting \
             \"{url}/info/refs?service=git-upload-pack\" status code: 500"
        )
    );
}

#[tokio::test]
async fn empty_repositories_are_told_apart() {
    for is_old in [false, true] {
        let server = GitServer::start();
        server.set(|behaviour| behaviour.is_old = is_old);
        let bare = server.root().join("empty.git");
        std::process::Command::new("git")
            .args(["init", "--quiet", "--bare"])
            .arg(&bare)
            .status()
            .unwrap();
        let remote = Remote::open(&server.url("empty")).unwrap();
        let options = Options::default();
        let got = Place::new()
            .try_fetch(&remote, &branch("main"), &options)
            .await
            .unwrap();
        assert!(matches!(got, Fetched::Empty));
        let tag = Reference::Tag("x".to_owned());
        let error = Place::new()
            .try_fetch(&remote, &tag, &options)
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!(
                "unable to clone: remote repository is empty: git repository: '{}'",
                server.url("empty")
            )
        );
    }
}

#[tokio::test]
async fn credentials_open_and_are_not_told() {
    let server = GitServer::start();
    server.commit("app", &[("a", "1")]);
    server.set(|behaviour| behaviour.login = Some(("me".to_owned(), "canary-5309".to_owned())));
    let mut remote = Remote::open(&server.url("app")).unwrap();
    let options = Options::default();
    let error = Place::new()
        .try_fetch(&remote, &branch("main"), &options)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        format!(
            "unable to clone '{}': authentication required: Unauthorized\n",
            server.url("app")
        )
    );
    let basic = |password: &str| Credentials::Basic {
        username: "me".to_owned(),
        password: password.to_owned(),
    };
    remote.auth.credentials = basic("canary-5309");
    commit(
        Place::new()
            .try_fetch(&remote, &branch("main"), &options)
            .await
            .unwrap(),
    );
    assert!(!format!("{remote:?}").contains("canary"));
    remote.auth.credentials = basic("canary-wrong");
    let error = Place::new()
        .try_fetch(&remote, &branch("main"), &options)
        .await
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
    server.set(|behaviour| {
        behaviour.login = None;
        behaviour.token = Some("canary-token".to_owned());
    });
    remote.auth.credentials = Credentials::Bearer("canary-token".to_owned());
    commit(
        Place::new()
            .try_fetch(&remote, &branch("main"), &options)
            .await
            .unwrap(),
    );
    let with = server
        .url("app")
        .replace("http://", "http://me:canary-5309@");
    let refused = Place::new().fetch(&with, branch("main")).await.unwrap_err();
    assert!(
        !format!("{refused} {refused:?}").contains("canary"),
        "{refused}"
    );
}

#[tokio::test]
async fn redirects_are_followed_without_credentials_to_others() {
    let (front, back) = (GitServer::start(), GitServer::start());
    let id = back.commit("app", &[("a", "1")]);
    let base = back.url("app").replace("/app.git", "");
    front.set(|behaviour| behaviour.redirect = Some(base));
    let mut remote = Remote::open(&front.url("app")).unwrap();
    remote.auth.credentials = Credentials::Basic {
        username: "me".to_owned(),
        password: "canary".to_owned(),
    };
    let got = commit(
        Place::new()
            .try_fetch(&remote, &branch("main"), &Options::default())
            .await
            .unwrap(),
    );
    assert_eq!(got.revision.id, id);
    assert!(
        front
            .requests()
            .iter()
            .all(|request| request.contains("Basic "))
    );
    assert!(
        back.requests()
            .iter()
            .all(|request| !request.contains("Basic ")),
        "{:?}",
        back.requests()
    );
    for target in ["file:///etc/passwd", "ftp://127.0.0.1"] {
        front.set(|behaviour| behaviour.redirect = Some(target.to_owned()));
        let error = Place::new()
            .try_fetch(&remote, &branch("main"), &Options::default())
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("http redirect: unsupported scheme"),
            "{error}"
        );
    }
    let own = front.url("app").replace("/app.git", "");
    front.set(|behaviour| behaviour.redirect = Some(own));
    let error = Place::new()
        .try_fetch(&remote, &branch("main"), &Options::default())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("http redirect: too many redirects"),
        "{error}"
    );
}

#[tokio::test]
async fn answers_that_break_off_are_errors_and_leave_nothing_half() {
    let server = GitServer::start();
    let id = server.commit("app", &[("a", &"text ".repeat(10_000))]);
    let place = Place::new();
    for cut in [0, 20, 150, 300, 400, 600] {
        server.set(|behaviour| behaviour.cut = Some(cut));
        let result = place.fetch(&server.url("app"), branch("main")).await;
        assert!(result.is_err(), "{cut}");
    }
    server.set(|behaviour| behaviour.cut = None);
    assert_eq!(
        place
            .fetch(&server.url("app"), branch("main"))
            .await
            .unwrap()
            .revision
            .id,
        id
    );
}

#[tokio::test]
async fn a_slow_server_does_not_outlive_the_deadline() {
    let server = GitServer::start();
    server.commit("app", &[("a", "1")]);
    server.set(|behaviour| behaviour.delay = Some(Duration::from_secs(20)));
    let place = Place::new();
    let url = server.url("app");
    let fetch = place.fetch(&url, branch("main"));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), fetch)
            .await
            .is_err()
    );
    server.set(|behaviour| behaviour.delay = None);
    place.fetch(&url, branch("main")).await.unwrap();
}

#[tokio::test]
async fn only_sparse_directories_are_listed() {
    let server = GitServer::start();
    server.commit(
        "app",
        &[
            ("apps/a/x", "1"),
            ("apps-b/x", "1"),
            ("infra/x", "1"),
            ("root", "1"),
        ],
    );
    let remote = Remote::open(&server.url("app")).unwrap();
    let sparse = |dirs: &[&str]| Options {
        sparse: dirs.iter().map(|dir| (*dir).to_owned()).collect(),
        ..Options::default()
    };
    let got = commit(
        Place::new()
            .try_fetch(&remote, &branch("main"), &sparse(&["apps/a"]))
            .await
            .unwrap(),
    );
    assert_eq!(paths(&got), ["apps/a/x"]);
    let got = commit(
        Place::new()
            .try_fetch(&remote, &branch("main"), &sparse(&["apps", "infra"]))
            .await
            .unwrap(),
    );
    assert_eq!(paths(&got), ["apps/a/x", "apps-b/x", "infra/x"]);
}

#[tokio::test]
async fn proxies_are_used() {
    let server = GitServer::start();
    server.commit("app", &[("a", "1")]);
    let mut remote = Remote::open(&server.url("app")).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    remote.proxy = Some(ProxyUrl(format!("http://u:canary@{closed}")));
    let error = Place::new()
        .try_fetch(&remote, &branch("main"), &Options::default())
        .await
        .unwrap_err();
    assert!(
        !format!("{error} {error:?} {remote:?}").contains("canary"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 0);
}
