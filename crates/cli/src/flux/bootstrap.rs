//! `bootstrap`: installs the controllers and keeps them in a Git repository.
//!
//! What the command line says is checked as Flux checks it; the push to a Git provider itself is not
//! there yet, and the command says so once everything else is right.

use std::io::Read as _;

use gotemplate::sprig::{Address, Regexp};

use super::install::{check_components, check_registry, components};
use super::invocation::Invocation;
use super::version::installation;
use super::{Outcome, Stop, go, output, prompt, ssh};

/// Runs `bootstrap PROVIDER`.
pub(super) fn run(invocation: &Invocation<'_>, provider: &str) -> Outcome {
    if matches!(provider, "github" | "gitea") && invocation.boolean("ssh-signing-reuse-private-key")
    {
        return Err(format!(
            "--ssh-signing-reuse-private-key is not supported by 'bootstrap {provider}'; that subcommand \
             generates the SSH transport key in-process and has no operator-supplied key to reuse"
        )
        .into());
    }
    credentials(invocation, provider)?;
    if provider == "gitlab" {
        check_gitlab(invocation)?;
    }
    if provider == "bitbucket-server" && invocation.text("hostname").is_empty() {
        return Err("invalid hostname \"\"".into());
    }
    check(invocation)?;
    if provider == "git" {
        check_code_commit(invocation)?;
    }
    let cluster = invocation.cluster()?;
    if provider != "gitea" && !invocation.boolean("force") {
        installation(&cluster).map_err(|error| match error {
            Stop::Failed(text) => Stop::Failed(format!("cluster info unavailable: {text}")),
            other => other,
        })?;
    }
    super::install::version(invocation.text("version"))?;
    Err(format!(
        "{} bootstrap {provider} cannot push to a Git provider yet; run `{} install`, and commit what \
         `{} install --export` prints to your repository",
        invocation.program, invocation.program, invocation.program
    )
    .into())
}

/// Makes sure that there is a token or a password, asking for it if need be.
fn credentials(invocation: &Invocation<'_>, provider: &str) -> Outcome {
    let (variable, name) = match provider {
        "github" => ("GITHUB_TOKEN", "GitHub"),
        "gitlab" => ("GITLAB_TOKEN", "GitLab"),
        "gitea" => ("GITEA_TOKEN", "Gitea"),
        "bitbucket-server" => ("BITBUCKET_TOKEN", "Bitbucket"),
        _ => ("GIT_PASSWORD", ""),
    };
    if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
        return Ok(());
    }
    let question = if provider == "git" {
        let needed = invocation.boolean("token-auth") || invocation.boolean("with-bearer-token");
        if !needed || !invocation.text("password").is_empty() {
            return Ok(());
        }
        "Please enter your Git repository password: ".to_owned()
    } else {
        format!("Please enter your {name} personal access token (PAT): ")
    };
    prompt::password(&question)
        .map(|_| ())
        .map_err(|error| match error {
            Stop::Failed(text) => Stop::Failed(format!("could not read token: {text}")),
            other => other,
        })
}

fn check_gitlab(invocation: &Invocation<'_>) -> Outcome {
    let name = invocation.text("repository");
    let pattern = r"^[\p{L}\p{N}_\x{1F300}-\x{1FAFF}][\p{L}\p{N}\p{Pd}_\-. \x{1F300}-\x{1FAFF}]*$";
    let good =
        Regexp::new(pattern.as_bytes()).is_ok_and(|pattern| pattern.is_match(name.as_bytes()));
    if !good {
        return Err(format!(
            "{name} is an invalid project name for gitlab.\nIt can contain only letters, digits, emojis, '_', \
             '.', dash, space. It must start with letter, digit, emoji or '_'."
        )
        .into());
    }
    if invocation.boolean("token-auth") && invocation.boolean("deploy-token-auth") {
        return Err("--token-auth and --deploy-token-auth cannot be set both.".into());
    }
    if !invocation.boolean("private") {
        output::out("Using visibility public as --private=false\n");
    }
    Ok(())
}

/// What all providers check.
fn check(invocation: &Invocation<'_>) -> Outcome {
    let components = components(invocation);
    for required in ["source-controller", "kustomize-controller"] {
        if !components.iter().any(|component| component == required) {
            return Err(format!("component {required} is required").into());
        }
    }
    check_components(&components)?;
    check_registry(invocation)?;
    let text = |flag| invocation.text(flag);
    let reuse = invocation.boolean("ssh-signing-reuse-private-key");
    let signing_file = text("ssh-signing-key-file");
    if !text("gpg-key-ring").is_empty() && (!signing_file.is_empty() || reuse) {
        return Err(
            "--gpg-* and --ssh-signing-* are mutually exclusive; pick one signing format".into(),
        );
    }
    if !signing_file.is_empty() && reuse {
        return Err(
            "--ssh-signing-key-file and --ssh-signing-reuse-private-key are mutually exclusive"
                .into(),
        );
    }
    if reuse && text("private-key-file").is_empty() {
        return Err("--ssh-signing-reuse-private-key requires --private-key-file".into());
    }
    let (password, alias) = (text("ssh-signing-password"), text("ssh-signing-passphrase"));
    if !password.is_empty() && !alias.is_empty() && password != alias {
        return Err(
            "--ssh-signing-password and --ssh-signing-passphrase are aliases; do not pass both"
                .into(),
        );
    }
    let password = if password.is_empty() { alias } else { password };
    if !password.is_empty() && signing_file.is_empty() {
        return Err("--ssh-signing-password requires --ssh-signing-key-file".into());
    }
    if !text("gpg-key-ring").is_empty() {
        return check_key_ring(text("gpg-key-ring"))
            .map_err(|error| format!("invalid GPG signing key: {error}").into());
    }
    if !signing_file.is_empty() {
        let key = go::read_file(signing_file)
            .map_err(|error| format!("failed to read SSH signing key file: {error}"))?;
        check_signing_key(&key, password)
            .map_err(|error| format!("invalid SSH signing key: {error}"))?;
    }
    Ok(())
}

fn check_key_ring(path: &str) -> Result<(), String> {
    let mut file = std::fs::File::open(path).map_err(|error| {
        format!(
            "unable to open GPG key ring: {}",
            go::path_error("open", path, &error)
        )
    })?;
    let mut first = [0];
    let unreadable =
        |problem: &str| Err(format!("unable to read GPG key ring: openpgp: {problem}"));
    match file.read(&mut first) {
        Ok(1) if first[0] & 0x80 != 0 => Ok(()),
        Ok(1) => unreadable("invalid data: tag byte does not have MSB set"),
        _ => Err("unable to read GPG key ring: EOF".to_owned()),
    }
}

fn check_signing_key(key: &[u8], password: &str) -> Result<(), String> {
    match ssh::KeyPair::load(key, password) {
        Ok(_) => Ok(()),
        Err(Stop::Failed(text)) if text.contains("passphrase protected") => {
            Err("SSH signing key is encrypted; passphrase required".to_owned())
        }
        Err(Stop::Failed(text)) => Err(format!("could not parse SSH signing key: {text}")),
        Err(_) => Err("could not parse SSH signing key".to_owned()),
    }
}

fn check_code_commit(invocation: &Invocation<'_>) -> Outcome {
    let address = Address::parse(invocation.text("url"))?;
    let host = &address.host;
    if !host.contains("git-codecommit")
        || !host.contains("amazonaws.com")
        || address.scheme != "ssh"
    {
        return Ok(());
    }
    match address.user.as_deref() {
        None => {
            Err("invalid AWS CodeCommit url: ssh username should be specified in the url".into())
        }
        Some("git") => Err(
            "invalid AWS CodeCommit url: ssh username should be the SSH key ID for the \
                            provided private key"
                .into(),
        ),
        Some(_) if invocation.text("private-key-file").is_empty() => Err(
            "private key file is required for bootstrapping against AWS CodeCommit using ssh"
                .into(),
        ),
        Some(_) => Ok(()),
    }
}
