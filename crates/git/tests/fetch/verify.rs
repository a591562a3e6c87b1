//! Signatures made by gpg and ssh-keygen.

use std::process::Command;

use git::verify::{SignatureKind, VerifyError, pgp, ssh};

use super::*;

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Commits and tags with a key; gives both as they are fetched.
async fn signed(format: &str, key: &str, home: &Path) -> Box<Checkout> {
    let server = GitServer::start();
    server.commit("app", &[("a", "1")]);
    let bare = server.root().join("app.git");
    let git = |arguments: &[&str]| {
        let signing = format!("user.signingkey={key}");
        let format = format!("gpg.format={format}");
        let mut command = Command::new("git");
        command.env("GNUPGHOME", home).arg("--git-dir").arg(&bare);
        command.args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@x",
            "-c",
            &signing,
            "-c",
            &format,
        ]);
        run(command.args(arguments)).trim().to_owned()
    };
    let commit = git(&["commit-tree", "-S", "-m", "signed", "main^{tree}"]);
    git(&["update-ref", "refs/heads/main", &commit]);
    git(&["tag", "-s", "-m", "release", "v1", &commit]);
    Place::new()
        .fetch(&server.url("app"), Reference::Tag("v1".to_owned()))
        .await
        .unwrap()
}

#[tokio::test]
async fn ssh_signatures_are_checked() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    for kind in ["ed25519", "rsa", "ecdsa"] {
        for name in ["own", "other"] {
            let file = path(&format!("{name}_{kind}"));
            run(Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", "", "-f", &file]));
        }
        let public =
            |name: &str| std::fs::read_to_string(path(&format!("{name}_{kind}.pub"))).unwrap();
        let got = signed("ssh", &path(&format!("own_{kind}.pub")), folder.path()).await;
        let tag = got.tag.as_ref().unwrap();
        assert_eq!(SignatureKind::of(&got.commit.signature), SignatureKind::Ssh);
        let keys = [format!("# mine\n{}{}", public("other"), public("own"))];
        let fingerprint = ssh(&got.commit.signature, &got.commit.payload, &keys).unwrap();
        let expected =
            run(Command::new("ssh-keygen").args(["-l", "-f", &path(&format!("own_{kind}.pub"))]));
        assert!(expected.contains(&fingerprint), "{expected} {fingerprint}");
        assert_eq!(
            ssh(&tag.signature, &tag.payload, &keys).unwrap(),
            fingerprint
        );
        assert_eq!(
            ssh(
                &got.commit.signature,
                &got.commit.payload,
                &[public("other")]
            )
            .unwrap_err()
            .to_string(),
            "unable to verify payload with any of the given authorized keys: no matching key\npublic key does not match"
        );
        assert!(ssh(&got.commit.signature, b"another", &keys).is_err());
        assert!(matches!(
            ssh(&got.commit.signature, b"x", &["junk".to_owned()]),
            Err(VerifyError::AuthorizedKeys(_))
        ));
    }
}

#[tokio::test]
async fn pgp_signatures_are_checked() {
    if Command::new("gpg").arg("--version").output().is_err() {
        println!("left out: gnupg is not installed");
        return;
    }
    let home = TempDir::new().unwrap();
    let gpg = |arguments: &[&str]| {
        run(Command::new("gpg")
            .env("GNUPGHOME", home.path())
            .args(["--batch", "--quiet", "--passphrase", ""])
            .args(arguments))
    };
    for (user, kind) in [("own@x", "ed25519"), ("other@x", "rsa2048")] {
        gpg(&["--quick-gen-key", user, kind, "sign", "never"]);
    }
    for (user, other) in [("own@x", "other@x"), ("other@x", "own@x")] {
        let ring = gpg(&["--armor", "--export", user]);
        let wrong = gpg(&["--armor", "--export", other]);
        let got = signed("openpgp", user, home.path()).await;
        let tag = got.tag.as_ref().unwrap();
        assert_eq!(SignatureKind::of(&tag.signature), SignatureKind::OpenPgp);
        let id = pgp(
            &got.commit.signature,
            &got.commit.payload,
            &[wrong.clone(), ring.clone()],
        )
        .unwrap();
        let listed = gpg(&["--list-keys", "--with-colons", user]);
        assert!(listed.contains(&id) && id.len() == 16, "{listed} {id}");
        assert_eq!(
            pgp(&tag.signature, &tag.payload, std::slice::from_ref(&ring)).unwrap(),
            id
        );
        let refused = pgp(&got.commit.signature, &got.commit.payload, &[wrong]);
        assert_eq!(refused, Err(VerifyError::NoMatchingPgpKey));
        assert_eq!(
            pgp(&got.commit.signature, b"another", &[ring]),
            Err(VerifyError::NoMatchingPgpKey)
        );
    }
    // gpg leaves an agent behind.
    drop(
        Command::new("gpgconf")
            .env("GNUPGHOME", home.path())
            .args(["--kill", "all"])
            .status(),
    );
}
