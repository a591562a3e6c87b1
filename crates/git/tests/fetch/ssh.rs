//! Fetching over SSH from OpenSSH.

use git::{Auth, Credentials, KnownHosts};
use testkit::ssh_server::SshServer;

use super::*;

fn remote(
    server: &SshServer,
    repository: &Path,
    key: &str,
    passphrase: Option<&str>,
    known: &str,
) -> Remote {
    let mut remote = Remote::open(&server.url(repository)).unwrap();
    remote.auth = Auth {
        credentials: Credentials::Key {
            username: remote.url.user.clone().unwrap(),
            identity: key.to_owned(),
            passphrase: passphrase.map(str::to_owned),
        },
        known_hosts: KnownHosts::parse(known).unwrap(),
        ..Auth::default()
    };
    remote
}

#[tokio::test]
async fn repositories_are_fetched() {
    let git = GitServer::start();
    let id = git.commit("app", &[("a", "1")]);
    let repository = git.root().join("app.git");
    for environment in [true, false] {
        let Some(server) = SshServer::start(environment) else {
            println!("left out: openssh-server is not installed");
            return;
        };
        let keys = [
            ("client", None),
            ("client_rsa", None),
            ("client_encrypted", Some("open sesame")),
        ];
        for (name, passphrase) in keys {
            let remote = remote(
                &server,
                &repository,
                &server.key(name),
                passphrase,
                &server.known_hosts(),
            );
            let got = Place::new()
                .try_fetch(&remote, &branch("main"), &Options::default())
                .await;
            assert_eq!(commit(got.unwrap()).revision.id, id, "{name} {environment}");
        }
        // Again into the same store, with something new.
        let place = Place::new();
        let remote = remote(
            &server,
            &repository,
            &server.key("client"),
            None,
            &server.known_hosts(),
        );
        for text in ["2", "3"] {
            let id = git.commit("app", &[("a", text)]);
            let got = commit(
                place
                    .try_fetch(&remote, &branch("main"), &Options::default())
                    .await
                    .unwrap(),
            );
            assert_eq!(
                (got.revision.id.as_str(), read(&got, "/a").as_str()),
                (id.as_str(), text)
            );
        }
        git.commit("app", &[("a", "1")]);
        git.git("app", &["update-ref", "refs/heads/main", &id]);
    }
}

#[tokio::test]
async fn hosts_and_keys_are_checked() {
    let git = GitServer::start();
    git.commit("app", &[("a", "1")]);
    let repository = git.root().join("app.git");
    let Some(server) = SshServer::start(true) else {
        println!("left out: openssh-server is not installed");
        return;
    };
    let key = server.key("client");
    let fails = async |remote: Remote| {
        Place::new()
            .try_fetch(&remote, &branch("main"), &Options::default())
            .await
            .unwrap_err()
            .to_string()
    };
    let error = fails(remote(
        &server,
        &repository,
        &key,
        None,
        &server.other_host(),
    ))
    .await;
    assert!(
        error.ends_with("ssh: handshake failed: knownhosts: key mismatch"),
        "{error}"
    );
    let elsewhere = server.known_hosts().replace("127.0.0.1", "example.com");
    let error = fails(remote(&server, &repository, &key, None, &elsewhere)).await;
    assert!(
        error.ends_with("ssh: handshake failed: knownhosts: key is unknown"),
        "{error}"
    );
    let encrypted = server.key("client_encrypted");
    let error = fails(remote(
        &server,
        &repository,
        &encrypted,
        None,
        &server.known_hosts(),
    ))
    .await;
    assert!(
        error.contains("unable to construct auth method with options: ssh:"),
        "{error}"
    );
    assert!(git::is_encrypted_key(&encrypted) && !git::is_encrypted_key(&key));
    let stranger = server.key("host");
    let error = fails(remote(
        &server,
        &repository,
        &stranger,
        None,
        &server.known_hosts(),
    ))
    .await;
    assert!(
        error.contains("ssh: unable to authenticate, attempted methods [none publickey]"),
        "{error}"
    );
    let missing = git.root().join("missing.git");
    let error = fails(remote(&server, &missing, &key, None, &server.known_hosts())).await;
    assert!(
        error.starts_with("unable to clone: repository not found: git repository: 'ssh://"),
        "{error}"
    );
}
